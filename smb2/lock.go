package smb2

import (
	"context"
	"slices"

	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
)

// Lock locks n bytes at off for reading (exclusive false) or writing. With wait it waits until the range is free or ctx ends; without, a
// range that is taken is StatusLockNotGranted. Locks are the File's: they hold against its own siblings, too, and end with it.
func (f *File) Lock(ctx context.Context, off, n int64, exclusive, wait bool) error {
	e := wire.LockElement{Offset: uint64(off), Length: uint64(n), Flags: wire.LockShared}
	if exclusive {
		e.Flags = wire.LockExclusive
	}
	err := f.do(ctx, false, func(a *at, id wire.FileID) error {
		if err := lock(ctx, a, id, []wire.LockElement{e}, wait); err != nil {
			return err
		}
		f.mu.Lock()
		f.locks = append(f.locks, e)
		f.mu.Unlock()
		return nil
	})
	return wrap("lock", f.name, err)
}

// Unlock unlocks a range, which is one that was locked.
func (f *File) Unlock(ctx context.Context, off, n int64) error {
	e := wire.LockElement{Offset: uint64(off), Length: uint64(n), Flags: wire.LockUnlock}
	err := f.do(ctx, false, func(a *at, id wire.FileID) error {
		if err := lock(ctx, a, id, []wire.LockElement{e}, true); err != nil {
			return err
		}
		f.mu.Lock()
		if i := slices.IndexFunc(f.locks, func(l wire.LockElement) bool { return l.Offset == e.Offset && l.Length == e.Length }); i >= 0 {
			f.locks = slices.Delete(f.locks, i, i+1)
		}
		f.mu.Unlock()
		return nil
	})
	return wrap("unlock", f.name, err)
}

func lock(ctx context.Context, a *at, id wire.FileID, list []wire.LockElement, wait bool) error {
	list = slices.Clone(list)
	unlock := slices.Clone(list)
	for i := range list {
		if !wait {
			list[i].Flags |= wire.LockNoWait
		}
		unlock[i].Flags = wire.LockUnlock
	}
	r := &conn.Request{Command: wire.CmdLock, Body: &wire.LockRequest{File: id, Locks: list}, Waits: wait}
	if list[0].Flags&wire.LockUnlock == 0 {
		r.Orphan = func(status Status, _ []byte) { // granted to nobody
			if status == wire.StatusOK {
				_ = a.send(context.Background(), &conn.Request{Command: wire.CmdLock, Body: &wire.LockRequest{File: id, Locks: unlock}})
			}
		}
	}
	if err := a.send(ctx, r); err != nil {
		return err
	}
	return ok(r)
}
