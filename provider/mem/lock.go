package mem

import (
	"context"
	"sync"
	"syscall"

	"github.com/openwnet/wnet"
)

// locks are the byte-range locks of one node.
type locks struct {
	mu      sync.Mutex // guards all that follows
	table   wnet.LockTable
	owners  map[owner]uint64 // the table's number for each owner
	next    uint64
	changed chan struct{} // closed when somebody gives something back; nil if nobody waits
}

// owner is who locks, on whichever connection.
type owner struct {
	c     *conn
	id    uint64
	whole bool
}

var (
	_ wnet.Locker     = fileSystem{}
	_ wnet.FileLocker = (*file)(nil)
)

// Locking implements wnet.Locker.
func (f fileSystem) Locking() bool { return true }

// numberLocked gives an owner its number in the table. The caller holds mu.
func (k *locks) numberLocked(o owner) uint64 {
	n, ok := k.owners[o]
	if !ok {
		if k.owners == nil {
			k.owners = map[owner]uint64{}
		}
		k.next++
		n = k.next
		k.owners[o] = n
	}
	return n
}

func (k *locks) freedLocked() {
	if k.changed != nil {
		close(k.changed)
		k.changed = nil
	}
}

// drop gives back what the owners hold that gone is true for.
func (k *locks) drop(gone func(owner) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for o, n := range k.owners {
		if gone(o) {
			k.table.Drop(n, o.whole)
			delete(k.owners, o)
		}
	}
	k.freedLocked()
}

// Lock implements wnet.FileLocker.
func (f *file) Lock(ctx context.Context, l wnet.Lock, wait bool) error {
	if err := f.enter(ctx, "Lock", anyAccess); err != nil {
		return err
	}
	if !l.Valid() {
		return failed("Lock", f.name, syscall.EINVAL)
	}
	ctx, stop := f.c.bound(ctx)
	defer stop()
	o := owner{f.c, l.Owner, l.Whole}
	k := &f.n.locks
	for {
		k.mu.Lock()
		l.Owner = k.numberLocked(o)
		if k.table.Conflict(l).Kind == wnet.LockNone {
			if ctx.Err() != nil || f.closed.Load() { // its end has given back all there was, and nobody would give back this
				k.mu.Unlock()
				return failed("Lock", f.name, orBad(context.Cause(ctx)))
			}
			if k.table.Set(l) {
				k.freedLocked()
			}
			f.lockers.Store(o, nil)
			f.c.locked.Store(f.n, nil)
			k.mu.Unlock()
			return nil
		}
		if !wait {
			k.mu.Unlock()
			return failed("Lock", f.name, syscall.EAGAIN)
		}
		if k.changed == nil {
			k.changed = make(chan struct{})
		}
		changed := k.changed
		k.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func orBad(err error) error {
	if err == nil {
		return syscall.EBADF
	}
	return err
}

// TestLock implements wnet.FileLocker. Of another connection's owner it tells the range only.
func (f *file) TestLock(ctx context.Context, l wnet.Lock) (wnet.Lock, error) {
	if err := f.enter(ctx, "TestLock", anyAccess); err != nil {
		return wnet.Lock{}, err
	}
	k := &f.n.locks
	k.mu.Lock()
	defer k.mu.Unlock()
	l.Owner = k.numberLocked(owner{f.c, l.Owner, l.Whole})
	found := k.table.Conflict(l)
	number := found.Owner
	found.Owner, found.PID = 0, 0
	for o, n := range k.owners {
		if n == number && o.c == f.c {
			found.Owner = o.id
		}
	}
	return found, nil
}

// unlock gives back what was locked through the file, at its end.
func (f *file) unlock() {
	f.n.locks.drop(func(o owner) bool {
		_, through := f.lockers.Load(o)
		return through
	})
}

// unlock gives back what was locked through the connection, at its end.
func (c *conn) unlock() {
	c.locked.Range(func(n, _ any) bool {
		n.(*node).locks.drop(func(o owner) bool { return o.c == c })
		return true
	})
}
