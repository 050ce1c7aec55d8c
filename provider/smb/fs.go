package smb

import (
	"context"
	"io/fs"
	"path"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
)

// failed is what a FileSystem method returns: which operation on which name, and why.
func failed(op, name string, err error) error {
	switch err.(type) {
	case nil:
		return nil
	case *wnet.Error: // the connection is over: its own words
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// attr says in wnet's terms what the server said. There is no ID yet: a handle that is parked and opened again may be of another file.
func (c *conn) attr(name string, i info) wnet.Attr {
	mode := c.cfg.FileMode
	switch {
	case i.dir:
		mode = c.cfg.DirMode | fs.ModeDir // the read-only bit of a folder means something else to Windows
	case i.readOnly:
		mode &^= 0o222
	}
	a := wnet.Attr{Name: path.Base(name), Mode: mode, Size: i.size, ModTime: i.mtime, AccessTime: i.atime, ChangeTime: i.ctime,
		Nlink: 1, Blocks: (i.alloc + 511) / 512} // more links are possible, and none is made here
	if i.dir {
		a.Size = 0
	}
	return a
}

// Stat implements wnet.FileSystem.
func (c *conn) Stat(ctx context.Context, name string) (wnet.Attr, error) {
	if err := checkName(name); err != nil {
		return wnet.Attr{}, failed("stat", name, err)
	}
	release, err := c.claims.take(ctx, span{name: fold(name)})
	if err != nil {
		return wnet.Attr{}, failed("stat", name, err)
	}
	i, err := call(ctx, c, func() (info, error) { return c.tree.stat(c.serverPath(name)) }, nil, release)
	if err != nil {
		return wnet.Attr{}, failed("stat", name, err)
	}
	return c.attr(name, i), nil
}

// ReadDir implements wnet.FileSystem.
func (c *conn) ReadDir(ctx context.Context, name string) ([]wnet.Attr, error) {
	if err := checkName(name); err != nil {
		return nil, failed("readdir", name, err)
	}
	release, err := c.claims.take(ctx, span{name: fold(name)})
	if err != nil {
		return nil, failed("readdir", name, err)
	}
	list, err := call(ctx, c, func() ([]info, error) {
		list, err := c.tree.list(c.serverPath(name))
		if err != nil {
			return nil, c.noList(name, err)
		}
		c.freshen(name, list)
		return list, nil
	}, nil, release)
	if err != nil {
		return nil, failed("readdir", name, err)
	}
	all := make([]wnet.Attr, 0, len(list))
	for _, i := range list {
		if entry, ok := listedName(i.name); ok && !hidden(entry) {
			all = append(all, c.attr(entry, i))
		}
	}
	return all, nil
}

// noList finds out whether a folder could not be listed because it is none.
func (c *conn) noList(name string, err error) error {
	if i, e := c.tree.stat(c.serverPath(name)); e == nil && !i.dir {
		return syscall.ENOTDIR
	}
	return err
}

// freshen asks again for files that we write to: a listing may tell the size that a file had when it was last closed, and a program
// that reads by it would see a short file.
func (c *conn) freshen(dir string, list []info) {
	folder := fold(dir)
	writers := c.files.find(func(name string, removed bool, f *file) bool {
		return f.how&accessWrite != 0 && !removed && path.Dir(name) == folder
	})
	for _, f := range writers {
		name, _ := f.where()
		for i := range list {
			if entry, ok := listedName(list[i].name); !ok || fold(entry) != fold(path.Base(name)) {
				continue
			}
			if f.use.TryAcquire(1) {
				if now, err := f.stat(); err == nil {
					now.name = list[i].name
					list[i] = now
				}
				f.leave()
			}
		}
	}
}

// Open implements wnet.FileSystem.
func (c *conn) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
	if err := checkName(name); err != nil {
		return nil, failed("open", name, err)
	}
	if flag&(wnet.OpenRead|wnet.OpenWrite) == 0 || flag&wnet.OpenTruncate != 0 && flag&wnet.OpenWrite == 0 {
		return nil, failed("open", name, syscall.EINVAL)
	}
	release, err := c.claims.take(ctx, span{name: fold(name)})
	if err != nil {
		return nil, failed("open", name, err)
	}
	f, err := call(ctx, c, func() (*file, error) { return c.open(name, flag, perm) },
		func(f *file) {
			f.discardLocked() // the caller has left; the claim is still ours, so nobody moves the name
		}, release)
	if err != nil {
		return nil, failed("open", name, err)
	}
	return f, nil
}

// open opens or makes a file; the caller has a claim on the name.
func (c *conn) open(name string, flag wnet.OpenFlag, perm fs.FileMode) (*file, error) {
	how, disposition := accessRead, openExisting
	if flag&wnet.OpenWrite != 0 {
		// Also where only writing is asked for: a handle that may not read can't tell the file's attributes either.
		how |= accessWrite
	}
	switch {
	case flag&(wnet.OpenCreate|wnet.OpenExcl) == wnet.OpenCreate|wnet.OpenExcl:
		disposition = openNew
	case flag&wnet.OpenCreate != 0:
		disposition = openAlways
	}
	p := c.serverPath(name)
	readOnly := perm&0o200 == 0
	h, err := c.tree.open(p, how, disposition, readOnly)
	if is(err, statusAccessDenied) {
		switch {
		case flag&(wnet.OpenRead|wnet.OpenWrite) == wnet.OpenWrite:
			how = accessWrite
			h, err = c.tree.open(p, how, disposition, readOnly)
		case flag&wnet.OpenWrite == 0 && disposition == openAlways: // making asks for more than reading
			if there, e := c.tree.open(p, how, openExisting, false); e == nil {
				h, err = there, nil
			}
		}
	}
	if err != nil {
		return nil, c.noOpen(name, disposition, err)
	}
	f := newFile(c, name, flag, how, h)
	if disposition == openNew {
		return f, nil
	}
	// A folder opens like a file. Asking is also what saves cutting a file that is empty already; the server's own way to cut a
	// file while opening it would reset its attributes too.
	i, err := f.stat()
	switch {
	case err != nil:
	case i.dir:
		err = syscall.EISDIR
	case flag&wnet.OpenTruncate != 0 && i.size > 0:
		err = h.truncate(0)
	}
	if err != nil {
		f.discardLocked()
		return nil, err
	}
	return f, nil
}

// noOpen finds out why a file could not be opened, where the server's answer does not say it in POSIX' terms.
func (c *conn) noOpen(name string, disposition int, err error) error {
	switch {
	case is(err, statusNotFound):
		return err
	case is(err, statusDeletePending) && disposition != openExisting:
		return syscall.EBUSY
	case is(err, statusCollision) && disposition == openNew:
		return err
	}
	if i, e := c.tree.stat(c.serverPath(name)); e == nil && i.dir {
		return syscall.EISDIR
	}
	return err
}

// Mkdir implements wnet.FileSystem.
func (c *conn) Mkdir(ctx context.Context, name string, _ fs.FileMode) error {
	if err := checkName(name); err != nil {
		return failed("mkdir", name, err)
	}
	if name == "." {
		return failed("mkdir", name, syscall.EEXIST)
	}
	release, err := c.claims.take(ctx, span{name: fold(name)})
	if err != nil {
		return failed("mkdir", name, err)
	}
	return failed("mkdir", name, c.do(ctx, func() error {
		return c.tree.mkdir(c.serverPath(name))
	}, release))
}

// Statfs implements wnet.Statfser.
func (c *conn) Statfs(ctx context.Context) (wnet.Statfs, error) {
	st, err := call(ctx, c, func() (wnet.Statfs, error) {
		total, free, available, err := c.tree.room()
		return wnet.Statfs{Total: total, Free: free, Available: available, NameMax: 255}, err
	}, nil, nil)
	return st, failed("statfs", ".", err)
}

// SetAttr implements wnet.AttrSetter. Of the mode, only whether the owner may write is kept, as the file's read-only attribute.
func (c *conn) SetAttr(ctx context.Context, name string, change wnet.AttrChange) (wnet.Attr, error) {
	if err := checkName(name); err != nil {
		return wnet.Attr{}, failed("setattr", name, err)
	}
	release, err := c.claims.take(ctx, span{name: fold(name), alone: true})
	if err != nil {
		return wnet.Attr{}, failed("setattr", name, err)
	}
	i, err := call(ctx, c, func() (info, error) { return c.change(name, change, nil) }, nil, release)
	if err != nil {
		return wnet.Attr{}, failed("setattr", name, err)
	}
	return c.attr(name, i), nil
}

// representable is the span of time in seconds that is sent: 1677 to 2262, what Go counts in nanoseconds.
var representable = [2]int64{-9223372036, 9223372036}

// change sets attributes, by the handle of f where there is one and it is needed. The caller has name for itself.
func (c *conn) change(name string, change wnet.AttrChange, f *file) (info, error) {
	p := c.serverPath(name)
	i, err := c.tree.stat(p)
	if err != nil {
		return info{}, err
	}
	for _, t := range []*time.Time{change.ModTime, change.AccessTime} {
		if t != nil && (t.Unix() <= representable[0] || t.Unix() >= representable[1]) {
			return info{}, syscall.EINVAL
		}
	}
	switch {
	case change.Size == nil:
	case i.dir:
		return info{}, syscall.EISDIR
	case *change.Size < 0:
		return info{}, syscall.EINVAL
	default:
		if err := c.resize(p, *change.Size, f); err != nil {
			return info{}, err
		}
	}
	if change.Mode != nil && !i.dir {
		if readOnly := *change.Mode&0o200 == 0; readOnly != i.readOnly {
			if err := c.tree.setReadOnly(p, readOnly); err != nil {
				return info{}, err
			}
		}
	}
	if change.ModTime != nil || change.AccessTime != nil {
		if err := c.retime(name, i, change); err != nil {
			return info{}, err
		}
	}
	return c.tree.stat(p)
}

func (c *conn) resize(p string, size int64, f *file) error {
	if f != nil && f.how&accessWrite != 0 { // which works also after the file was made read-only
		if err := f.use.Acquire(c.ctx, 1); err != nil {
			return errBroken
		}
		defer f.leave()
		h, err := f.handle()
		if err != nil {
			return err
		}
		return h.truncate(size)
	}
	h, err := c.tree.open(p, accessRead|accessWrite, openExisting, false)
	if is(err, statusAccessDenied) {
		h, err = c.tree.open(p, accessWrite, openExisting, false)
	}
	if err != nil {
		return err
	}
	defer h.close()
	return h.truncate(size)
}

// retime sets times. Handles that have written are parked first: a server sets the time of the last write when they are closed,
// which would undo what was set.
func (c *conn) retime(name string, was info, change wnet.AttrChange) error {
	for _, f := range c.files.at(fold(name)) {
		if f.how&accessWrite == 0 {
			continue
		}
		if f.hold(c.ctx) != nil {
			return errBroken
		}
		err := f.parkLocked()
		f.free()
		if err != nil {
			return err
		}
	}
	atime, mtime := was.atime, was.mtime
	if change.Size != nil { // it has moved the time of the last write
		if now, err := c.tree.stat(c.serverPath(name)); err == nil {
			atime, mtime = now.atime, now.mtime
		}
	}
	if change.AccessTime != nil {
		atime = *change.AccessTime
	}
	if change.ModTime != nil {
		mtime = *change.ModTime
	}
	return c.tree.setTimes(c.serverPath(name), atime, mtime)
}
