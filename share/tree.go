package share

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// tree is the shared folder by names of clients. Every name is first made one below the folder, and the way to it is then walked by
// os.Root, which follows links only while they stay inside. The last part of a name is worked on relative to its folder's descriptor,
// so that no link put there in between leads elsewhere.
type tree struct {
	root *os.Root
	real string // the folder's own absolute path without links
}

// inside makes a client's name, which has the folder as "/", one relative to the folder.
func inside(name string) string {
	p := path.Clean("/" + name)[1:]
	if p == "" {
		return "."
	}
	return p
}

// parent opens the folder that holds name; it is the caller's to close. base is "." for the top itself.
func (t tree) parent(name string) (dir *os.File, base string, err error) {
	p := inside(name)
	base = path.Base(p)
	dir, err = t.root.OpenFile(path.Dir(p), unix.O_PATH|unix.O_DIRECTORY, 0)
	return dir, base, err
}

// at runs op on the last part of name.
func (t tree) at(name string, op func(dir int, base string) error) error {
	dir, base, err := t.parent(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return op(int(dir.Fd()), base)
}

// at2 runs op on the last parts of two names.
func (t tree) at2(a, b string, op func(dirA int, baseA string, dirB int, baseB string) error) error {
	return t.at(a, func(dirA int, baseA string) error {
		return t.at(b, func(dirB int, baseB string) error { return op(dirA, baseA, dirB, baseB) })
	})
}

// open opens a regular file. A pipe must not block the session, nor a folder count as a file.
func (t tree) open(name string, mode int, perm uint32) (*os.File, error) {
	// A size that is to be cut waits until the kind is known.
	cut := mode&os.O_TRUNC != 0
	f, err := t.root.OpenFile(inside(name), mode&^os.O_TRUNC|unix.O_NONBLOCK, os.FileMode(perm&0o777))
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	switch {
	case err != nil:
	case fi.IsDir():
		err = unix.EISDIR
	case !fi.Mode().IsRegular():
		err = unix.ENXIO
	case cut:
		err = f.Truncate(0)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (t tree) openDir(name string) (*os.File, error) {
	return t.root.OpenFile(inside(name), os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
}

// stat describes name, or with follow what it leads to.
func (t tree) stat(name string, follow bool) (st unix.Stat_t, err error) {
	err = t.at(name, func(dir int, base string) error { return unix.Fstatat(dir, base, &st, unix.AT_SYMLINK_NOFOLLOW) })
	if err != nil || !follow || st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return st, err
	}
	fi, err := t.root.Stat(inside(name))
	if err != nil {
		return st, err
	}
	sys := fi.Sys().(*syscall.Stat_t)
	return unix.Stat_t{
		Mode: sys.Mode, Nlink: sys.Nlink, Uid: sys.Uid, Gid: sys.Gid, Size: sys.Size,
		Atim: unix.Timespec(sys.Atim), Mtim: unix.Timespec(sys.Mtim),
	}, nil
}

// set is SETSTAT, which follows links, within the folder.
func (t tree) set(name string, a attrs) error {
	p := inside(name)
	if a.flags&attrSize != 0 {
		if int64(a.size) < 0 {
			return unix.EINVAL
		}
		f, err := t.open(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		err = f.Truncate(int64(a.size))
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	if a.flags&attrMode != 0 {
		if err := t.root.Chmod(p, fileMode(a.mode)); err != nil {
			return err
		}
	}
	if a.flags&attrTimes != 0 {
		atime, mtime := a.times()
		if err := t.root.Chtimes(p, atime, mtime); err != nil {
			return err
		}
	}
	if a.flags&attrOwner != 0 {
		return t.root.Chown(p, int(a.uid), int(a.gid))
	}
	return nil
}

// lset is lsetstat@openssh.com, which follows no link. A link has no mode of its own under Linux.
func (t tree) lset(name string, a attrs) error {
	if a.flags&attrSize != 0 {
		return unix.EINVAL
	}
	return t.at(name, func(dir int, base string) error {
		if a.flags&attrMode != 0 {
			if err := unix.Fchmodat(dir, base, a.mode&0o7777, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				return err
			}
		}
		if a.flags&attrTimes != 0 {
			ts := []unix.Timespec{{Sec: int64(a.atime)}, {Sec: int64(a.mtime)}}
			if err := unix.UtimesNanoAt(dir, base, ts, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				return err
			}
		}
		if a.flags&attrOwner != 0 {
			return unix.Fchownat(dir, base, int(a.uid), int(a.gid), unix.AT_SYMLINK_NOFOLLOW)
		}
		return nil
	})
}

func (t tree) mkdir(name string, perm uint32) error {
	return t.at(name, func(dir int, base string) error { return unix.Mkdirat(dir, base, perm&0o1777) })
}

// remove takes away a file or link, or with AT_REMOVEDIR a folder.
func (t tree) remove(name string, flags int) error {
	return t.at(name, func(dir int, base string) error {
		if base == "." {
			return unix.EBUSY
		}
		return unix.Unlinkat(dir, base, flags)
	})
}

// rename replaces what is at to, unless flags say RENAME_NOREPLACE.
func (t tree) rename(from, to string, flags uint) error {
	return t.at2(from, to, func(dirA int, a string, dirB int, b string) error {
		if a == "." || b == "." {
			return unix.EBUSY
		}
		err := unix.Renameat2(dirA, a, dirB, b, flags)
		if flags != 0 && (errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS)) {
			// Not every disk knows the flag: look first then, as OpenSSH's server has to.
			var st unix.Stat_t
			if unix.Fstatat(dirB, b, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
				return unix.EEXIST
			}
			err = unix.Renameat(dirA, a, dirB, b)
		}
		return err
	})
}

func (t tree) link(from, to string) error {
	return t.at2(from, to, func(dirA int, a string, dirB int, b string) error { return unix.Linkat(dirA, a, dirB, b, 0) })
}

// symlink makes a link with the text that the client gives: a program that unpacks an archive or checks out a repository has to find
// the same text again. Whether it leads out of the folder is seen to when it is followed.
func (t tree) symlink(target, name string) error {
	return t.at(name, func(dir int, base string) error { return unix.Symlinkat(target, dir, base) })
}

// readlink gives a link's text. A target that is absolute on the server's disk and lies within the folder, as a person may have made it
// there, is given relative to the link: the client has it at another place.
func (t tree) readlink(name string) (string, error) {
	target, err := t.root.Readlink(inside(name))
	if err != nil || !filepath.IsAbs(target) {
		return target, err
	}
	rest, ok := strings.CutPrefix(path.Clean(target), t.real)
	if !ok || rest != "" && rest[0] != '/' && t.real != "/" {
		return target, nil
	}
	if rel, err := filepath.Rel(path.Dir(inside(name)), inside(rest)); err == nil {
		return rel, nil
	}
	return target, nil
}

func (t tree) statfs(name string) (st unix.Statfs_t, err error) {
	err = t.at(name, func(dir int, _ string) error { return unix.Fstatfs(dir, &st) })
	return st, err
}
