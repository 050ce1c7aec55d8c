package sftp

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"path"
	"syscall"
	"time"

	"github.com/pkg/sftp"

	"github.com/openwnet/wnet"
)

// SetAttr changes attributes of name. A link's own mode stays as it is, and its times too where the server has no lsetstat@openssh.com:
// the protocol would change what it leads to.
func (f *fileSystem) SetAttr(ctx context.Context, name string, change wnet.AttrChange) (wnet.Attr, error) {
	if err := valid("setattr", name); err != nil {
		return wnet.Attr{}, err
	}
	fi, err := f.lstat(ctx, name)
	if err != nil {
		return wnet.Attr{}, wrap("setattr", name, f.common(ctx, name, err))
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		if change.Size != nil {
			return wnet.Attr{}, wrap("setattr", name, syscall.ELOOP)
		}
		if !f.lsetstat {
			return attrOf(fi, path.Base(name)), nil
		}
		change.Mode = nil
	}
	at := f.at(name)
	// The size first, since a cut touches the time; the mode after it, since it may take the right to write away.
	if change.Size != nil {
		if err := checkSize(fi.IsDir(), *change.Size); err != nil {
			return wnet.Attr{}, wrap("setattr", name, err)
		}
		if err := f.do(ctx, func() error { return f.c.ftp.Truncate(at, *change.Size) }); err != nil {
			return wnet.Attr{}, wrap("setattr", name, f.common(ctx, name, err))
		}
	}
	if change.Mode != nil {
		if err := f.do(ctx, func() error { return f.c.ftp.Chmod(at, *change.Mode) }); err != nil && !unsupported(err) {
			return wnet.Attr{}, wrap("setattr", name, f.common(ctx, name, err))
		}
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		at = ofLink(at)
	}
	set := func(atime, mtime time.Time) error { return f.c.ftp.Chtimes(at, atime, mtime) }
	if err := f.setTimes(ctx, fi, change, set); err != nil && !unsupported(err) {
		return wnet.Attr{}, wrap("setattr", name, f.common(ctx, name, err))
	}
	return f.Stat(ctx, name)
}

func checkSize(dir bool, size int64) error {
	switch {
	case dir:
		return syscall.EISDIR
	case size < 0:
		return syscall.EINVAL
	}
	return nil
}

// unsupported reports whether the server has no such thing at all, so that it is left out in silence.
func unsupported(err error) bool {
	e, _ := errnoOf(err)
	return e == syscall.ENOTSUP
}

// setTimes sets the times of a change. The protocol knows only both at once: one that is to stay comes from now.
func (f *fileSystem) setTimes(ctx context.Context, now fs.FileInfo, change wnet.AttrChange, set func(atime, mtime time.Time) error) error {
	if change.ModTime == nil && change.AccessTime == nil {
		return nil
	}
	a := attrOf(now, "")
	mtime, atime := a.ModTime, a.AccessTime
	if change.ModTime != nil {
		mtime = *change.ModTime
	}
	if change.AccessTime != nil {
		atime = *change.AccessTime
	}
	return f.do(ctx, func() error { return set(inRange(atime), inRange(mtime)) })
}

// inRange brings a time into what 32 bits without a sign hold.
func inRange(t time.Time) time.Time {
	return time.Unix(min(max(t.Unix(), 0), math.MaxUint32), 0)
}

// Symlink makes a link; target is kept as it is.
func (f *fileSystem) Symlink(ctx context.Context, target, name string) error {
	if err := valid("symlink", name); err != nil {
		return err
	}
	err := f.do(ctx, func() error { return f.c.ftp.Symlink(target, f.at(name)) })
	return f.made(ctx, "symlink", name, err)
}

// Readlink reads a link.
func (f *fileSystem) Readlink(ctx context.Context, name string) (string, error) {
	if err := valid("readlink", name); err != nil {
		return "", err
	}
	target, err := call(ctx, f.c, func() (string, error) { return f.c.ftp.ReadLink(f.at(name)) }, nil)
	if err != nil {
		if !settled(err) {
			if fi, serr := f.lstat(ctx, name); serr == nil && fi.Mode()&fs.ModeSymlink == 0 {
				err = syscall.EINVAL
			}
		}
		return "", wrap("readlink", name, f.common(ctx, name, err))
	}
	return target, nil
}

// Link makes a hard link where the server has hardlink@openssh.com.
func (f *fileSystem) Link(ctx context.Context, from, to string) error {
	if err := valid("link", from, to); err != nil {
		return err
	}
	if !f.hardlink {
		return wrap("link", to, f.lacks(ctx))
	}
	err := f.do(ctx, func() error { return f.c.ftp.Link(f.at(from), f.at(to)) })
	if err != nil && !settled(err) {
		fi, serr := f.lstat(ctx, from)
		if serr != nil {
			return wrap("link", from, f.common(ctx, from, serr))
		}
		if fi.IsDir() {
			return wrap("link", from, syscall.EPERM)
		}
		if _, vague := errnoOf(err); vague {
			if _, derr := f.lstat(ctx, to); errors.Is(derr, fs.ErrNotExist) && f.otherDisk(ctx, from, to) {
				err = syscall.EXDEV
			}
		}
	}
	return f.made(ctx, "link", to, err)
}

// made explains a failure to make name.
func (f *fileSystem) made(ctx context.Context, op, name string, err error) error {
	if err == nil {
		return nil
	}
	if !settled(err) {
		if _, serr := f.lstat(ctx, name); serr == nil {
			err = syscall.EEXIST
		}
	}
	return wrap(op, name, f.common(ctx, name, err))
}

// Statfs tells the room on the server's disk, where the server has statvfs@openssh.com; else ENOTSUP.
func (f *fileSystem) Statfs(ctx context.Context) (wnet.Statfs, error) {
	if !f.statvfs {
		return wnet.Statfs{}, wrap("statfs", ".", f.lacks(ctx))
	}
	v, err := call(ctx, f.c, func() (*sftp.StatVFS, error) { return f.c.ftp.StatVFS(f.c.top) }, nil)
	if err != nil {
		return wnet.Statfs{}, wrap("statfs", ".", err)
	}
	return wnet.Statfs{
		Total: v.Blocks * v.Frsize, Free: v.Bfree * v.Frsize, Available: v.Bavail * v.Frsize,
		Files: v.Files, FilesFree: v.Ffree, NameMax: uint32(min(v.Namemax, math.MaxUint32)),
	}, nil
}
