package redial

import (
	"context"
	"syscall"

	"github.com/openwnet/wnet"
)

var (
	_ wnet.WholeReader   = (*fileSystem)(nil)
	_ wnet.Xattrer       = (*fileSystem)(nil)
	_ wnet.Leaser        = (*fileSystem)(nil)
	_ wnet.FileCopier    = (*file)(nil)
	_ wnet.FileAllocator = (*file)(nil)
	_ wnet.FileSeeker    = (*file)(nil)
)

func (f *fileSystem) ReadWhole(ctx context.Context, name string, limit int) ([]byte, wnet.Attr, error) {
	type whole struct {
		data []byte
		attr wnet.Attr
	}
	look := f.c.names.look(name)
	w, err := call(ctx, f.c, true, func(ctx context.Context, fsys wnet.FileSystem) (w whole, err error) {
		r, ok := fsys.(wnet.WholeReader)
		if !ok {
			return w, syscall.ENOTSUP
		}
		w.data, w.attr, err = r.ReadWhole(ctx, name, limit)
		return w, err
	})
	f.c.names.saw(look, w.attr, err)
	return w.data, w.attr, err
}

// xattrs calls one method of Xattrer.
func xattrs[T any](ctx context.Context, c *Conn, asks bool, op func(context.Context, wnet.Xattrer) (T, error)) (T, error) {
	return call(ctx, c, asks, func(ctx context.Context, fsys wnet.FileSystem) (v T, err error) {
		x, ok := fsys.(wnet.Xattrer)
		if !ok {
			return v, syscall.ENOTSUP
		}
		return op(ctx, x)
	})
}

func (f *fileSystem) GetXattr(ctx context.Context, name, attr string) ([]byte, error) {
	return xattrs(ctx, f.c, true, func(ctx context.Context, x wnet.Xattrer) ([]byte, error) { return x.GetXattr(ctx, name, attr) })
}

func (f *fileSystem) ListXattr(ctx context.Context, name string) ([]string, error) {
	return xattrs(ctx, f.c, true, func(ctx context.Context, x wnet.Xattrer) ([]string, error) { return x.ListXattr(ctx, name) })
}

func (f *fileSystem) SetXattr(ctx context.Context, name, attr string, value []byte, flag wnet.XattrFlag) error {
	_, err := xattrs(ctx, f.c, false, func(ctx context.Context, x wnet.Xattrer) (nothing, error) {
		return nothing{}, x.SetXattr(ctx, name, attr, value, flag)
	})
	return err
}

func (f *fileSystem) RemoveXattr(ctx context.Context, name, attr string) error {
	_, err := xattrs(ctx, f.c, false, func(ctx context.Context, x wnet.Xattrer) (nothing, error) {
		return nothing{}, x.RemoveXattr(ctx, name, attr)
	})
	return err
}

// Lease tells what the present connection was promised: nothing while there is none.
func (f *fileSystem) Lease(name string) wnet.Lease {
	f.c.mu.Lock()
	l := f.c.link
	f.c.mu.Unlock()
	if l == nil || over(l.conn.Lost()) {
		return 0
	}
	p, ok := l.fsys.(wnet.Leaser)
	if !ok {
		return 0
	}
	return p.Lease(name)
}

// OnBreak tells the breaks of every connection, and the end of all promises with each.
func (f *fileSystem) OnBreak(tell func(wnet.Break)) (stop func()) {
	c, key := f.c, new(int)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.breaks == nil {
		c.breaks = map[*int]func(wnet.Break){}
	}
	c.breaks[key] = tell
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.breaks, key)
	}
}

// tell passes a break on, and returns when all have taken it.
func (c *Conn) tell(b wnet.Break) {
	c.mu.Lock()
	all := make([]func(wnet.Break), 0, len(c.breaks))
	for _, f := range c.breaks {
		all = append(all, f)
	}
	c.mu.Unlock()
	for _, f := range all {
		f(b)
	}
}

// CopyFrom copies between files of the same Conn; both are opened again first where they have to be.
func (f *file) CopyFrom(ctx context.Context, src wnet.File, srcOff, off, n int64) (int64, error) {
	var from *file
	switch s := src.(type) {
	case *file:
		from = s
	case attrFile:
		from = s.file
	}
	if from == nil || from.c != f.c {
		return 0, syscall.EXDEV
	}
	defer f.c.names.change(f.n)()
	return use(ctx, f, writes, func(ctx context.Context, r wnet.File) (int64, error) {
		c, ok := r.(wnet.FileCopier)
		if !ok {
			return 0, syscall.ENOTSUP
		}
		h, err := from.acquire(ctx, asks)
		if err != nil {
			return 0, err
		}
		defer from.release(h, asks)
		return c.CopyFrom(ctx, h.f, srcOff, off, n)
	})
}

func (f *file) Allocate(ctx context.Context, off, n int64, mode wnet.AllocMode) error {
	defer f.c.names.change(f.n)()
	_, err := use(ctx, f, writes, func(ctx context.Context, r wnet.File) (nothing, error) {
		if a, ok := r.(wnet.FileAllocator); ok {
			return nothing{}, a.Allocate(ctx, off, n, mode)
		}
		return nothing{}, syscall.ENOTSUP
	})
	return err
}

func (f *file) NextData(ctx context.Context, off int64) (int64, error) {
	return use(ctx, f, asks, func(ctx context.Context, r wnet.File) (int64, error) {
		if s, ok := r.(wnet.FileSeeker); ok {
			return s.NextData(ctx, off)
		}
		return 0, syscall.ENOTSUP
	})
}

func (f *file) NextHole(ctx context.Context, off int64) (int64, error) {
	return use(ctx, f, asks, func(ctx context.Context, r wnet.File) (int64, error) {
		if s, ok := r.(wnet.FileSeeker); ok {
			return s.NextHole(ctx, off)
		}
		return 0, syscall.ENOTSUP
	})
}
