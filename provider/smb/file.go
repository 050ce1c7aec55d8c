package smb

import (
	"context"
	"errors"
	"path"
	"sync"
	"syscall"

	"golang.org/x/sync/semaphore"

	"github.com/openwnet/wnet"
)

// file is one open file with a handle of its own on the server. The handle may be parked: closed, because the server renames and
// removes no folder that a handle is open below, and opened again under the file's new name when it is next used.
type file struct {
	c    *conn
	flag wnet.OpenFlag
	how  access // what the handle is opened for

	// use lets requests on the handle run side by side, one unit each, and keeps them out while the file is moved, which takes
	// all units. A claim on the file's name is taken before it, never while it is held.
	use *semaphore.Weighted

	opening sync.Mutex // held while a parked handle is opened again

	mu      sync.Mutex // guards what follows
	name    string     // where the file is now, as a name of the FileSystem
	shown   string     // last part of the name that it was last known by
	removed bool       // name is hidden: the file goes with its last File
	h       handle     // nil while parked
	failed  error      // a write error that nobody was told yet
	closed  bool       // Close was called
	ended   bool       // the handle was given back for good
}

var (
	_ wnet.File           = (*file)(nil)
	_ wnet.FileAttrSetter = (*file)(nil)
)

// allUnits of file.use are what a move takes.
const allUnits = 1 << 30

func newFile(c *conn, name string, flag wnet.OpenFlag, how access, h handle) *file {
	f := &file{c: c, flag: flag, how: how, use: semaphore.NewWeighted(allUnits), name: name, shown: path.Base(name), h: h}
	c.files.add(f)
	return f
}

func (f *file) where() (name string, removed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.name, f.removed
}

// hold waits until no request uses the handle, and keeps new ones out until free.
func (f *file) hold(ctx context.Context) error { return f.use.Acquire(ctx, allUnits) }
func (f *file) free()                          { f.use.Release(allUnits) }

// parkLocked closes the handle. The caller holds the file. An error of the server is kept for Close.
func (f *file) parkLocked() error {
	f.mu.Lock()
	h := f.h
	f.h = nil
	f.mu.Unlock()
	if h == nil {
		return nil
	}
	err := h.close()
	if err != nil && !errors.Is(err, errBroken) {
		f.mu.Lock()
		f.failed = err
		f.mu.Unlock()
		return nil
	}
	return err
}

// discardLocked gives the handle back for good. The caller holds the file, or is the only one who uses it.
func (f *file) discardLocked() error {
	f.opening.Lock()
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.opening.Unlock()
	err := f.parkLocked()
	f.c.files.drop(f)
	return err
}

// movedLocked gives the file its new name. The caller holds the file.
func (f *file) movedLocked(name string, removed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !removed {
		f.shown = path.Base(name)
	}
	f.name, f.removed = name, removed
}

// handle gives the open handle. The caller holds a unit of use.
func (f *file) handle() (handle, error) {
	f.opening.Lock()
	defer f.opening.Unlock()
	f.mu.Lock()
	h, name, ended := f.h, f.name, f.ended
	f.mu.Unlock()
	switch {
	case h != nil:
		return h, nil
	case ended: // a listing may come across a file that is just being closed
		return nil, syscall.EBADF
	}
	h, err := f.c.tree.open(f.c.serverPath(name), f.how, openExisting, false)
	if is(err, statusNotFound) {
		return nil, syscall.ESTALE // another client has taken away what was ours
	}
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.h = h
	f.mu.Unlock()
	return h, nil
}

// enter begins a request: it waits for a move to end, and checks what the file was opened for.
func (f *file) enter(ctx context.Context, need wnet.OpenFlag) error {
	f.mu.Lock()
	closed := f.closed
	f.mu.Unlock()
	if closed || f.flag&need != need {
		return syscall.EBADF
	}
	return f.use.Acquire(ctx, 1)
}

func (f *file) leave() { f.use.Release(1) }

// ReadAt implements wnet.File.
func (f *file) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	name, _ := f.where()
	if off < 0 {
		return 0, failed("read", name, syscall.EINVAL)
	}
	if err := f.enter(ctx, wnet.OpenRead); err != nil {
		return 0, failed("read", name, err)
	}
	if len(p) == 0 {
		f.leave()
		return 0, nil
	}
	pool := &f.c.buffers
	buf := pool.get(len(p))
	moved := f.c.meter.Transfer()
	got, err := call(ctx, f.c, func() ([]byte, error) {
		h, err := f.handle()
		if err != nil {
			return nil, err
		}
		n, err := parallel(len(buf), func(from, to int) (int, error) { return h.readAt(buf[from:to], off+int64(from)) })
		return buf[:n], err
	}, pool.put, f.leave)
	moved(len(got))
	if err != nil {
		return 0, failed("read", name, err)
	}
	n := copy(p, got)
	pool.put(got)
	return n, nil
}

// WriteAt implements wnet.File.
func (f *file) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	name, _ := f.where()
	if off < 0 {
		return 0, failed("write", name, syscall.EINVAL)
	}
	if err := f.enter(ctx, wnet.OpenWrite); err != nil {
		return 0, failed("write", name, err)
	}
	if len(p) == 0 {
		f.leave()
		return 0, nil
	}
	pool := &f.c.buffers
	buf := pool.get(len(p))
	copy(buf, p)
	type result struct {
		n   int
		err error
	}
	moved := f.c.meter.Transfer()
	r, err := call(ctx, f.c, func() (result, error) {
		defer pool.put(buf)
		h, err := f.handle()
		if err != nil {
			return result{}, err
		}
		n, err := parallel(len(buf), func(from, to int) (int, error) { return h.writeAt(buf[from:to], off+int64(from)) })
		if err == nil && f.c.writes {
			err = h.sync()
		}
		return result{n, err}, nil
	}, func(r result) { f.late(r.err) }, f.leave)
	moved(r.n)
	if err == nil && r.err != nil {
		err = f.c.judge(r.err)
	}
	if err == nil && r.n < len(p) {
		err = syscall.EIO
	}
	return r.n, failed("write", name, err)
}

// late keeps the error of a write whose caller had left, for Close to report.
func (f *file) late(err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = err
}

// Truncate implements wnet.File.
func (f *file) Truncate(ctx context.Context, size int64) error {
	name, _ := f.where()
	if size < 0 {
		return failed("truncate", name, syscall.EINVAL)
	}
	if err := f.enter(ctx, wnet.OpenWrite); err != nil {
		return failed("truncate", name, err)
	}
	return failed("truncate", name, f.c.do(ctx, func() error {
		h, err := f.handle()
		if err != nil {
			return err
		}
		return h.truncate(size)
	}, f.leave))
}

// Stat implements wnet.File.
func (f *file) Stat(ctx context.Context) (wnet.Attr, error) {
	name, _ := f.where()
	if err := f.enter(ctx, 0); err != nil {
		return wnet.Attr{}, failed("stat", name, err)
	}
	i, err := call(ctx, f.c, f.stat, nil, f.leave)
	if err != nil {
		return wnet.Attr{}, failed("stat", name, err)
	}
	return f.attr(i), nil
}

// stat asks the server; the caller holds a unit of use.
func (f *file) stat() (info, error) {
	if f.how&accessRead == 0 { // a handle for writing only may not ask
		name, _ := f.where()
		return f.c.tree.stat(f.c.serverPath(name))
	}
	h, err := f.handle()
	if err != nil {
		return info{}, err
	}
	return h.stat()
}

func (f *file) attr(i info) wnet.Attr {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.c.attr(f.shown, i)
	if f.removed {
		a.Nlink = 0
	}
	return a
}

// Sync implements wnet.File. [MS-SMB2] 3.3.5.11: the server flushes the file, whoever has written.
func (f *file) Sync(ctx context.Context) error {
	name, _ := f.where()
	if err := f.enter(ctx, 0); err != nil {
		return failed("sync", name, err)
	}
	if f.how&accessWrite == 0 {
		f.leave()
		return nil
	}
	return failed("sync", name, f.c.do(ctx, func() error {
		h, err := f.handle()
		if err != nil {
			return err
		}
		return h.sync()
	}, f.leave))
}

// Close implements wnet.File. It goes on behind the caller's back if the context ends before.
func (f *file) Close(ctx context.Context) error {
	f.mu.Lock()
	name, closed := f.name, f.closed
	f.closed = true
	f.mu.Unlock()
	if closed {
		return failed("close", name, syscall.EBADF)
	}
	answer := make(chan error, 1)
	go func() { answer <- f.c.judge(protect(f.shut)) }()
	select {
	case err := <-answer:
		return failed("close", name, err)
	case <-ctx.Done():
		return failed("close", name, ctx.Err())
	case <-f.c.over:
		return f.c.gone()
	}
}

// shut closes the handle and, after the last File of a removed file, removes it.
func (f *file) shut() error {
	defer f.c.files.drop(f)
	name, release, err := f.claim(f.c.ctx, func(removed bool) bool { return removed })
	if err != nil {
		return errBroken
	}
	defer release()
	if err := f.hold(f.c.ctx); err != nil {
		return errBroken
	}
	defer f.free()
	err = f.discardLocked()
	if _, removed := f.where(); err == nil && removed && len(f.c.files.at(fold(name))) == 0 {
		if err := f.c.tree.remove(f.c.serverPath(name)); err != nil {
			f.c.log.Debug("a removed file is left", "remote", f.c.name.String(), "name", name, "err", err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		err = f.failed
	}
	return err
}

// claim takes a claim on the file's name, which may change until it is granted.
func (f *file) claim(ctx context.Context, alone func(removed bool) bool) (name string, release func(), err error) {
	for {
		name, removed := f.where()
		release, err := f.c.claims.take(ctx, span{name: fold(name), alone: alone(removed)})
		if err != nil {
			return "", nil, err
		}
		if now, still := f.where(); now == name && still == removed {
			return name, release, nil
		}
		release()
	}
}

// SetAttr implements wnet.FileAttrSetter.
func (f *file) SetAttr(ctx context.Context, change wnet.AttrChange) (wnet.Attr, error) {
	was, _ := f.where()
	name, release, err := f.claim(ctx, func(bool) bool { return true })
	if err != nil {
		return wnet.Attr{}, failed("setattr", was, err)
	}
	i, err := call(ctx, f.c, func() (info, error) { return f.c.change(name, change, f) }, nil, release)
	if err != nil {
		return wnet.Attr{}, failed("setattr", was, err)
	}
	return f.attr(i), nil
}
