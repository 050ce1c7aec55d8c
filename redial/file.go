package redial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
)

// file is an open file that may outlive the connection it was opened on.
type file struct {
	c    *Conn
	name string // as it was opened
	flag wnet.OpenFlag
	n    *node

	mu      sync.Mutex    // guards what follows; never held while the server is asked
	h       *handle       // on the connection that the file was last used on
	again   chan struct{} // closed when the opening again that is under way has ended; nil if there is none
	bad     error         // sticky: what everything answers from now on
	closed  bool
	writes  int  // changes of the content begun so far
	writing int  // changes of the content under way
	dirty   bool // something was written that no Sync has covered
	locks   wnet.LockTable
}

// attrFile is a file whose real one can set attributes.
type attrFile struct{ *file }

var (
	_ wnet.File           = (*file)(nil)
	_ wnet.FileFlusher    = (*file)(nil)
	_ wnet.FileAttrSetter = attrFile{}
)

// handle is a real File. Once its link is gone it is closed when the last operation has left it. file.mu guards the last three.
type handle struct {
	l       *link
	f       wnet.File
	users   int
	retired bool // not to be used again
	closed  bool // its Close was called
}

// kind says what an operation does to a file.
type kind int

const (
	asks    kind = iota // nothing: it may be carried out twice
	changes             // something besides the content
	writes              // the content
)

// opening is what Open asks the server for in one go.
type opening struct {
	l     *link
	f     wnet.File
	attr  wnet.Attr
	known bool
}

const makes = wnet.OpenCreate | wnet.OpenExcl | wnet.OpenTruncate

func (c *Conn) open(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
	attr, known := c.names.recall(name)
	n, moved := c.names.enter(name)
	var end func()
	if flag&wnet.OpenTruncate != 0 {
		end = c.names.change(n)
	}
	var o opening
	_, err := callOn(ctx, c, flag&makes == 0, func(ctx context.Context, l *link) (nothing, error) {
		f, err := l.fsys.Open(ctx, name, flag, perm)
		if err != nil {
			return nothing{}, err
		}
		o = opening{l: l, f: f, attr: attr, known: known && flag&wnet.OpenTruncate == 0}
		if !o.known && flag&wnet.OpenCreate == 0 {
			// By what the file can be told from another one. A look at the path just before, which a mount takes, spares this. A new
			// file is looked at by its maker.
			if o.attr, err = f.Stat(ctx); err != nil {
				closeQuietly(f)
				return nothing{}, err
			}
			o.known = true
		}
		return nothing{}, nil
	})
	if end != nil {
		end()
	}
	if err != nil {
		c.names.leave(n)
		return nil, err
	}
	f := &file{c: c, name: name, flag: flag, n: c.names.opened(n, moved, o.attr, o.known), h: &handle{l: o.l, f: o.f}}
	if _, ok := o.f.(wnet.FileAttrSetter); ok {
		return attrFile{f}, nil
	}
	return f, nil
}

// closeQuietly gives a real File back that nobody is going to use, without waiting.
func closeQuietly(f wnet.File) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeWait)
		defer cancel()
		f.Close(ctx)
	}()
}

// stale is the sticky error of a file that can't be opened again.
func (f *file) stale(why error) error {
	return &fs.PathError{Op: "reopen", Path: f.name,
		Err: fmt.Errorf("after the connection was lost, %w: %w", why, syscall.ESTALE)}
}

// unsaved is the sticky error of a file whose data may not have reached the server.
func (f *file) unsaved() error {
	return &fs.PathError{Op: "write", Path: f.name, Err: fmt.Errorf(
		"the connection was lost before the server confirmed the written data, some of it may be missing: %w", syscall.EIO)}
}

func (f *file) errClosed() error {
	return &fs.PathError{Op: "use", Path: f.name, Err: fmt.Errorf("%w: %w", fs.ErrClosed, syscall.EBADF)}
}

// acquire returns a handle on the present connection, opening the file again if it has to, and counts a change as begun. release
// gives it back.
func (f *file) acquire(ctx context.Context, k kind) (*handle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.closed:
			return nil, f.errClosed()
		case f.bad != nil:
			return nil, f.bad
		case f.h != nil && f.h.l.ctx.Err() == nil:
			f.h.users++
			if k == writes {
				f.writes++
				f.writing++
				f.dirty = true
			}
			return f.h, nil
		case f.dirty:
			f.bad = f.unsaved()
			return nil, f.bad
		}
		if wait := f.again; wait != nil {
			f.mu.Unlock()
			select {
			case <-wait:
			case <-ctx.Done():
				f.mu.Lock()
				return nil, ctx.Err()
			}
			f.mu.Lock()
			continue
		}
		done := make(chan struct{})
		f.again = done
		f.retire(f.h)
		f.h = nil
		f.mu.Unlock()
		h, err := f.reopen(ctx)
		f.mu.Lock()
		f.again = nil
		close(done)
		switch {
		case err != nil && (errors.Is(err, syscall.ESTALE) || errors.Is(err, errUnlocked)):
			f.bad = err
			return nil, err
		case err != nil:
			return nil, err
		case f.closed:
			f.retire(h)
			return nil, f.errClosed()
		}
		f.h = h
	}
}

func (f *file) release(h *handle, k kind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k == writes {
		f.writing--
	}
	h.users--
	h.closeIfIdle()
}

// closeIfIdle closes a retired handle that nobody uses. The caller holds file.mu.
func (h *handle) closeIfIdle() {
	if h.retired && h.users == 0 && !h.closed {
		h.closed = true
		closeQuietly(h.f)
	}
}

// retire closes a handle of a link that is gone as soon as nobody uses it. The caller holds mu.
func (f *file) retire(h *handle) {
	if h != nil {
		h.retired = true
		h.closeIfIdle()
	}
}

// reopen opens the file on the present connection, by the path that it has now, and makes sure that it is the same file.
func (f *file) reopen(ctx context.Context) (*handle, error) {
	for tries := 0; ; tries++ {
		p, err := f.c.names.place(f.n)
		if err != nil {
			return nil, f.stale(err)
		}
		if p.wait != nil {
			select {
			case <-p.wait:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		l, err := f.c.use(ctx)
		if err != nil {
			return nil, err
		}
		var o opening
		lost, err := f.c.do(ctx, l, func(ctx context.Context) (err error) {
			if o.f, err = l.fsys.Open(ctx, p.path, f.flag&^makes, 0); err != nil {
				return err
			}
			if o.attr, err = o.f.Stat(ctx); err != nil {
				closeQuietly(o.f)
			}
			return err
		})
		switch {
		case lost && tries == 0 && ctx.Err() == nil:
			continue
		case err == nil:
		case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR),
			errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ESTALE):
			if now, e := f.c.names.place(f.n); e == nil && (now.moved != p.moved || now.wait != nil) {
				continue // renamed just then: look where it is now
			}
			return nil, f.stale(errors.New("it is not under its name any more"))
		default:
			return nil, err
		}
		unchanged := f.c.names.unchanged(f.n, o.attr)
		again, err := f.c.names.verify(f.n, p, o.attr)
		if err == nil && !again {
			if err := f.relock(ctx, l, o.f, unchanged); err != nil {
				closeQuietly(o.f)
				return nil, err
			}
			return &handle{l: l, f: o.f}, nil
		}
		closeQuietly(o.f)
		if err != nil {
			return nil, f.stale(err)
		}
	}
}

// use carries out one operation on the file. One that only asks is carried out again, once, if it is cut off; a change that is cut off
// spoils the file.
func use[T any](ctx context.Context, f *file, k kind, op func(context.Context, wnet.File) (T, error)) (T, error) {
	return useWithin(ctx, f, k, f.c.cfg.OpTimeout, op)
}

// useWithin is use with another bound than OpTimeout; 0 for none.
func useWithin[T any](ctx context.Context, f *file, k kind, limit time.Duration, op func(context.Context, wnet.File) (T, error)) (T, error) {
	var none T
	if k != asks {
		if err := f.c.probe(ctx); err != nil {
			return none, err
		}
	}
	for again := k == asks; ; again = false {
		h, err := f.acquire(ctx, k)
		if err != nil {
			return none, err
		}
		var v T
		lost, err := f.c.doWithin(ctx, h.l, limit, func(ctx context.Context) (err error) {
			v, err = op(ctx, h.f)
			return err
		})
		f.release(h, k)
		switch {
		case err == nil:
			return v, nil
		case lost && k == writes:
			return none, f.spoil()
		case !lost || !again || ctx.Err() != nil:
			return v, err
		}
	}
}

// spoil makes the loss of written data stick.
func (f *file) spoil() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bad == nil {
		f.bad = f.unsaved()
	}
	return f.bad
}

func (f *file) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	return use(ctx, f, asks, func(ctx context.Context, r wnet.File) (int, error) { return r.ReadAt(ctx, p, off) })
}

func (f *file) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	defer f.c.names.change(f.n)()
	return use(ctx, f, writes, func(ctx context.Context, r wnet.File) (int, error) { return r.WriteAt(ctx, p, off) })
}

func (f *file) Truncate(ctx context.Context, size int64) error {
	defer f.c.names.change(f.n)()
	_, err := use(ctx, f, writes, func(ctx context.Context, r wnet.File) (nothing, error) { return nothing{}, r.Truncate(ctx, size) })
	return err
}

func (f *file) Stat(ctx context.Context) (wnet.Attr, error) {
	l := f.c.names.glance(f.n)
	a, err := use(ctx, f, asks, func(ctx context.Context, r wnet.File) (wnet.Attr, error) { return r.Stat(ctx) })
	f.c.names.saw(l, a, err)
	return a, err
}

func (f attrFile) SetAttr(ctx context.Context, change wnet.AttrChange) (wnet.Attr, error) {
	k := changes
	if change.Size != nil {
		k = writes
	}
	end := f.c.names.change(f.n)
	a, err := use(ctx, f.file, k, func(ctx context.Context, r wnet.File) (wnet.Attr, error) {
		if s, ok := r.(wnet.FileAttrSetter); ok {
			return s.SetAttr(ctx, change)
		}
		return wnet.Attr{}, syscall.ENOTSUP
	})
	end()
	return a, err
}

// loss is what Sync and Close report of a file that is cut off from its connection: the data that may be missing, if any. The caller
// holds mu.
func (f *file) loss() error {
	if f.dirty {
		f.bad = f.unsaved()
		return f.bad
	}
	return nil
}

// Sync of a file with nothing to bring needs no server.
func (f *file) Sync(ctx context.Context) error {
	f.mu.Lock()
	h := f.h
	switch {
	case f.closed:
		f.mu.Unlock()
		return f.errClosed()
	case f.bad != nil || h == nil || h.l.ctx.Err() != nil:
		err := f.loss()
		f.mu.Unlock()
		return err
	}
	h.users++
	before, quiet := f.writes, f.writing == 0
	f.mu.Unlock()

	lost, err := f.c.do(ctx, h.l, func(ctx context.Context) error { return h.f.Sync(ctx) })

	f.release(h, asks)
	f.mu.Lock()
	switch {
	case err == nil:
		// Only what was complete before is covered.
		if quiet && f.writing == 0 && f.writes == before {
			f.dirty = false
		}
	case lost:
		err = f.loss()
	}
	clean := err == nil && !f.dirty
	locked := len(f.locks.All()) > 0
	f.mu.Unlock()
	if clean && before > 0 && !lost && (locked || !f.c.names.numbered(f.n)) {
		f.Stat(ctx) // by which to know it again: the server has no numbers, and size and time have changed
	}
	return err
}

// Flush tells whether the connection went away with data that no Sync has covered.
func (f *file) Flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bad != nil || f.h == nil || f.h.l.ctx.Err() != nil || over(f.h.l.conn.Lost()) {
		return f.loss()
	}
	return nil
}

// Close reports data that got lost, as Sync does. A clean file whose connection is gone closes without an error.
func (f *file) Close(ctx context.Context) error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return f.errClosed()
	}
	f.closed = true
	f.c.holds(f, false)
	h, dirty := f.h, f.dirty
	if f.bad != nil || h == nil || h.l.ctx.Err() != nil {
		err := f.loss()
		f.retire(h)
		f.mu.Unlock()
		f.c.names.leave(f.n)
		return err
	}
	h.retired, h.closed = true, true
	f.mu.Unlock()
	defer f.c.names.leave(f.n)

	lost, err := f.c.do(ctx, h.l, func(ctx context.Context) error { return h.f.Close(ctx) })
	switch {
	case lost && dirty:
		return f.unsaved()
	case lost:
		return nil
	}
	return err
}
