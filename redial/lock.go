package redial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
)

var (
	_ wnet.Locker     = (*fileSystem)(nil)
	_ wnet.FileLocker = (*file)(nil)
)

// Locking reports whether the connection has locks; without a connection yet, that it may have.
func (f *fileSystem) Locking() bool {
	f.c.mu.Lock()
	l := f.c.link
	f.c.mu.Unlock()
	if l == nil {
		return true
	}
	k, ok := l.fsys.(wnet.Locker)
	return ok && k.Locking()
}

// reclaimWait is how long a lock is waited for that is taken again: the server may not have noticed yet that the connection is gone that
// had it.
const reclaimWait = 3 * time.Second

// errUnlocked marks the sticky error of a file whose locks are lost.
var errUnlocked = errors.New("the locks on it are lost")

func (f *file) unlocked(why error) error {
	return &fs.PathError{Op: "lock", Path: f.name, Err: fmt.Errorf("after the connection was lost, %w: %w: %w", errUnlocked, why, syscall.EIO)}
}

// holds notes whether a file has locks.
func (c *Conn) holds(f *file, yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !yes {
		delete(c.locked, f)
		return
	}
	if c.locked == nil {
		c.locked = map[*file]struct{}{}
	}
	c.locked[f] = struct{}{}
}

// reclaim opens a file with locks again on a new connection, without being asked: until then, others can have what it had.
func (f *file) reclaim(l *link) {
	ctx, stop := context.WithTimeout(l.ctx, f.c.cfg.OpTimeout)
	defer stop()
	if h, err := f.acquire(ctx, asks); err == nil {
		f.release(h, asks)
	} else {
		f.c.log.Warn("the locks on a file could not be taken again", "file", f.name, "error", err)
	}
}

// relock takes the locks again on a file that was just opened anew.
func (f *file) relock(ctx context.Context, l *link, r wnet.File, unchanged bool) error {
	f.mu.Lock()
	held := f.locks.All()
	f.mu.Unlock()
	if len(held) == 0 {
		return nil
	}
	k, ok := r.(wnet.FileLocker)
	switch {
	case !ok:
		return f.unlocked(errors.New("the server has no locks any more"))
	case !unchanged:
		return f.unlocked(errors.New("the file may have been changed meanwhile"))
	}
	for _, h := range held {
		ctx, stop := context.WithTimeout(ctx, reclaimWait)
		_, err := f.c.doWithin(ctx, l, 0, func(ctx context.Context) error { return k.Lock(ctx, h, true) })
		waited := ctx.Err() == context.DeadlineExceeded
		stop()
		switch {
		case errors.Is(err, syscall.EAGAIN), err != nil && waited:
			return f.unlocked(errors.New("somebody else has one of them"))
		case err != nil:
			return err
		}
	}
	return nil
}

// Lock is repeated once where it is cut off: whatever the server did has ended with the connection.
func (f *file) Lock(ctx context.Context, l wnet.Lock, wait bool) error {
	if l.Kind == wnet.LockNone {
		return f.unlock(ctx, l)
	}
	limit := f.c.cfg.OpTimeout
	if wait {
		limit = 0
	}
	f.c.holds(f, true) // before it is there: it may be lost as soon as it is
	_, err := useWithin(ctx, f, asks, limit, func(ctx context.Context, r wnet.File) (nothing, error) {
		k, ok := r.(wnet.FileLocker)
		if !ok {
			return nothing{}, syscall.ENOTSUP
		}
		err := k.Lock(ctx, l, wait)
		if err == nil {
			f.mu.Lock()
			f.locks.Set(l)
			f.mu.Unlock()
		}
		return nothing{}, err
	})
	f.settleLocks()
	return err
}

// unlock gives back. What a lost connection had is given back already.
func (f *file) unlock(ctx context.Context, l wnet.Lock) error {
	f.mu.Lock()
	held, h := f.locks.Within(l), f.h
	f.locks.Set(l)
	alive := h != nil && h.l.ctx.Err() == nil && f.bad == nil && !f.closed
	f.mu.Unlock()
	f.settleLocks()
	if len(held) == 0 || !alive {
		return nil
	}
	_, err := use(ctx, f, asks, func(ctx context.Context, r wnet.File) (nothing, error) {
		if k, ok := r.(wnet.FileLocker); ok {
			return nothing{}, k.Lock(ctx, l, false)
		}
		return nothing{}, syscall.ENOTSUP
	})
	return err
}

func (f *file) settleLocks() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.locks.All()) == 0 {
		f.c.holds(f, false)
	}
}

func (f *file) TestLock(ctx context.Context, l wnet.Lock) (wnet.Lock, error) {
	return use(ctx, f, asks, func(ctx context.Context, r wnet.File) (wnet.Lock, error) {
		if k, ok := r.(wnet.FileLocker); ok {
			return k.TestLock(ctx, l)
		}
		return wnet.Lock{}, syscall.ENOTSUP
	})
}
