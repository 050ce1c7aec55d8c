package mem

import (
	"context"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/openwnet/wnet"
)

// set makes a change to a node, all of it or nothing.
func (n *node) set(t *tree, change wnet.AttrChange) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if change.Size != nil {
		switch {
		case n.dir():
			return syscall.EISDIR
		case n.link():
			return syscall.EINVAL
		}
	}
	if change.Mode != nil && n.link() {
		return syscall.ENOTSUP
	}
	if change.Size != nil {
		if err := n.resizeLocked(t, *change.Size); err != nil {
			return err
		}
	}
	if change.Mode != nil {
		n.perm = *change.Mode & keep
	}
	if change.ModTime != nil {
		n.mtime = *change.ModTime
	}
	if change.AccessTime != nil {
		n.atime = *change.AccessTime
	}
	n.ctime = now()
	return nil
}

// resizeLocked cuts or extends a file. The caller holds mu.
func (n *node) resizeLocked(t *tree, size int64) error {
	switch {
	case size < 0:
		return syscall.EINVAL
	case size > maxSize:
		return syscall.EFBIG
	}
	if size < n.size {
		n.data.cut(size, t.reserve)
	}
	n.size = size
	n.touchLocked(true)
	return nil
}

// file is one open file.
type file struct {
	c      *conn
	n      *node
	name   string
	flag   wnet.OpenFlag
	closed atomic.Bool

	lockers sync.Map // owner to nil: who has locked through this File
}

var (
	_ wnet.File           = (*file)(nil)
	_ wnet.FileAttrSetter = (*file)(nil)
)

// enter checks a call that needs the file to be opened for some of the bits in need.
func (f *file) enter(ctx context.Context, op string, need wnet.OpenFlag) error {
	if err := f.c.enter(ctx, op, f.name); err != nil {
		return failed(op, f.name, err)
	}
	if f.closed.Load() || f.flag&need == 0 {
		return &fs.PathError{Op: op, Path: f.name, Err: syscall.EBADF}
	}
	return nil
}

const anyAccess = wnet.OpenRead | wnet.OpenWrite

// ReadAt implements wnet.File.
func (f *file) ReadAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	done := f.c.meter.Transfer()
	defer func() { done(n) }()
	if err := f.enter(ctx, "ReadAt", wnet.OpenRead); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, &fs.PathError{Op: "ReadAt", Path: f.name, Err: syscall.EINVAL}
	}
	f.c.promise(f.n)
	f.n.mu.RLock()
	defer f.n.mu.RUnlock()
	if off >= f.n.size {
		return 0, nil
	}
	p = p[:min(int64(len(p)), f.n.size-off)]
	f.n.data.read(p, off)
	return len(p), nil
}

// WriteAt implements wnet.File.
func (f *file) WriteAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	done := f.c.meter.Transfer()
	defer func() { done(n) }()
	if err := f.enter(ctx, "WriteAt", wnet.OpenWrite); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err = f.put(p, off)
	if n > 0 {
		f.fileChanged()
	}
	return n, failed("WriteAt", f.name, err)
}

// put stores p at off and returns how much of it found room.
func (f *file) put(p []byte, off int64) (n int, err error) {
	switch {
	case off < 0:
		return 0, syscall.EINVAL
	case off > maxSize-int64(len(p)):
		return 0, syscall.EFBIG
	}
	f.n.mu.Lock()
	defer f.n.mu.Unlock()
	if n = f.n.data.write(p, off, f.c.share.tree.reserve); n < len(p) {
		err = syscall.ENOSPC
	}
	if n > 0 {
		f.n.size = max(f.n.size, off+int64(n))
		f.n.touchLocked(true)
	}
	return n, err
}

// Truncate implements wnet.File.
func (f *file) Truncate(ctx context.Context, size int64) error {
	if err := f.enter(ctx, "Truncate", wnet.OpenWrite); err != nil {
		return err
	}
	f.n.mu.Lock()
	err := f.n.resizeLocked(f.c.share.tree, size)
	f.n.mu.Unlock()
	if err == nil {
		f.fileChanged()
	}
	return failed("Truncate", f.name, err)
}

// Stat implements wnet.File. The name is the one that the file was opened by.
func (f *file) Stat(ctx context.Context) (wnet.Attr, error) {
	if err := f.enter(ctx, "FileStat", anyAccess); err != nil {
		return wnet.Attr{}, err
	}
	f.c.promise(f.n)
	return f.n.attr(f.name), nil
}

// SetAttr implements wnet.FileAttrSetter. The size needs a file that is open for writing, all else only one that is open.
func (f *file) SetAttr(ctx context.Context, change wnet.AttrChange) (wnet.Attr, error) {
	need := anyAccess
	if change.Size != nil {
		need = wnet.OpenWrite
	}
	err := f.enter(ctx, "FileSetAttr", need)
	if err == nil && f.c.readOnly() {
		err = syscall.EROFS
	}
	if err == nil {
		err = f.n.set(f.c.share.tree, change)
	}
	if err != nil {
		return wnet.Attr{}, failed("FileSetAttr", f.name, err)
	}
	f.fileChanged()
	return f.n.attr(f.name), nil
}

// Sync implements wnet.File.
func (f *file) Sync(ctx context.Context) error { return f.enter(ctx, "Sync", anyAccess) }

// Close implements wnet.File.
func (f *file) Close(ctx context.Context) error {
	err := f.enter(ctx, "Close", anyAccess)
	if f.closed.Swap(true) {
		return err
	}
	f.unlock()
	t := f.c.share.tree
	f.n.mu.Lock()
	defer f.n.mu.Unlock()
	f.n.opens--
	t.opens.Add(-1)
	t.freeLocked(f.n)
	return err
}
