package mount

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/openwnet/wnet"
)

// locks is the table of the locks that programs of this mount have, where the kernel leaves them to it (wnet.Locker). Programs of this
// machine are arbitrated here, others by the server, which is asked for what is granted here only.
type locks struct {
	mu      sync.Mutex // guards all that follows
	files   map[*node]*nodeLocks
	waiting map[uint64]uint64 // who waits here for whom, for deadlocks; fcntl's owners only
}

// nodeLocks are the locks on one file.
type nodeLocks struct {
	table   wnet.LockTable
	through map[lockOwner]*handle // whose File has an owner's locks on the server
	changed chan struct{}         // closed when something is given back; nil if nobody waits
}

type lockOwner struct {
	id    uint64
	whole bool
}

func ownerOf(l wnet.Lock) lockOwner { return lockOwner{l.Owner, l.Whole} }

func (k *locks) ofLocked(n *node) *nodeLocks {
	nl := k.files[n]
	if nl == nil {
		nl = &nodeLocks{through: map[lockOwner]*handle{}}
		if k.files == nil {
			k.files, k.waiting = map[*node]*nodeLocks{}, map[uint64]uint64{}
		}
		k.files[n] = nl
	}
	return nl
}

// tidyLocked wakes who waits, and forgets a file without locks.
func (k *locks) tidyLocked(n *node) {
	nl := k.files[n]
	if nl == nil {
		return
	}
	if nl.changed != nil {
		close(nl.changed)
		nl.changed = nil
	}
	if len(nl.table.All()) == 0 {
		delete(k.files, n)
	}
}

// deadlockLocked reports whether from would wait for itself if it waited for to.
func (k *locks) deadlockLocked(from, to uint64) bool {
	for range 64 {
		if to == from {
			return true
		}
		next, ok := k.waiting[to]
		if !ok {
			return false
		}
		to = next
	}
	return false
}

// grant enters the lock among the programs of this mount, waiting for the others if it is to. It returns what the owner had there before.
func (k *locks) grant(ctx context.Context, h *handle, l wnet.Lock, wait bool) (before []wnet.Lock, through *handle, err error) {
	for {
		k.mu.Lock()
		nl := k.ofLocked(h.node)
		other := nl.table.Conflict(l)
		if other.Kind == wnet.LockNone {
			before = nl.table.Within(l)
			owns := nl.owns(ownerOf(l))
			if nl.table.Set(l) && nl.changed != nil {
				close(nl.changed)
				nl.changed = nil
			}
			if !owns || nl.through[ownerOf(l)] == nil {
				nl.through[ownerOf(l)] = h // that of earlier locks may be closed
			}
			through = nl.through[ownerOf(l)]
			k.mu.Unlock()
			return before, through, nil
		}
		switch {
		case !wait:
			err = syscall.EAGAIN
		case !l.Whole && k.deadlockLocked(l.Owner, other.Owner):
			err = syscall.EDEADLK
		}
		if err != nil {
			k.mu.Unlock()
			return nil, nil, err
		}
		if !l.Whole {
			k.waiting[l.Owner] = other.Owner
		}
		if nl.changed == nil {
			nl.changed = make(chan struct{})
		}
		changed := nl.changed
		k.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			err = ctx.Err()
		}
		k.mu.Lock()
		delete(k.waiting, l.Owner)
		k.mu.Unlock()
		if err != nil {
			return nil, nil, err
		}
	}
}

// revoke takes back what grant gave.
func (k *locks) revoke(n *node, l wnet.Lock, before []wnet.Lock) {
	k.mu.Lock()
	defer k.mu.Unlock()
	nl := k.ofLocked(n)
	l.Kind = wnet.LockNone
	nl.table.Set(l)
	for _, b := range before {
		nl.table.Set(b)
	}
	k.tidyLocked(n)
}

// owned returns the handle through which the owner has locks on the node; nil if it has none.
func (k *locks) owned(n *node, o lockOwner) *handle {
	k.mu.Lock()
	defer k.mu.Unlock()
	if nl := k.files[n]; nl != nil && nl.owns(o) {
		return nl.through[o]
	}
	return nil
}

// owns reports whether the owner has any lock on the file.
func (nl *nodeLocks) owns(o lockOwner) bool {
	return slices.ContainsFunc(nl.table.All(), func(l wnet.Lock) bool { return ownerOf(l) == o })
}

// drop gives back all that an owner has on a file, here.
func (k *locks) drop(n *node, o lockOwner) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if nl := k.files[n]; nl != nil {
		nl.table.Drop(o.id, o.whole)
		delete(nl.through, o)
		k.tidyLocked(n)
	}
}

// conflict returns a lock of another program of this mount.
func (k *locks) conflict(n *node, l wnet.Lock) wnet.Lock {
	k.mu.Lock()
	defer k.mu.Unlock()
	if nl := k.files[n]; nl != nil {
		return nl.table.Conflict(l)
	}
	return wnet.Lock{}
}

// lockIn translates a request.
func lockIn(in *fuse.LkIn) (wnet.Lock, error) {
	l := wnet.Lock{First: int64(in.Lk.Start), Last: int64(in.Lk.End), Owner: in.Owner, Whole: in.LkFlags&fuse.LK_FLOCK != 0, PID: int(in.Lk.Pid)}
	switch in.Lk.Typ {
	case syscall.F_RDLCK:
		l.Kind = wnet.LockShared
	case syscall.F_WRLCK:
		l.Kind = wnet.LockExclusive
	case syscall.F_UNLCK:
	default:
		return l, syscall.EINVAL
	}
	if !l.Valid() {
		return l, syscall.EINVAL
	}
	return l, nil
}

// SetLk implements fuse.RawFileSystem.
func (s *server) SetLk(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	return s.lockStatus(s.setLock(req(cancel, &in.InHeader), in, false))
}

// SetLkw implements fuse.RawFileSystem. It takes as long as it takes, until its program catches a signal, and holds up no cancel.
func (s *server) SetLkw(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	return s.lockStatus(s.setLock(req(cancel, &in.InHeader), in, true))
}

// lockStatus is status for a lock, of which EAGAIN is an answer and no fault of the connection.
func (s *server) lockStatus(err error) fuse.Status {
	if errors.Is(err, syscall.EAGAIN) && !errors.Is(err, context.Canceled) {
		return fuse.EAGAIN
	}
	return s.status(err)
}

func (s *server) setLock(r request, in *fuse.LkIn, wait bool) error {
	l, err := lockIn(in)
	if err != nil {
		return err
	}
	fh := in.Fh
	if s.gate.forced() && l.Kind != wnet.LockNone {
		return errRefused
	}
	r.waits = wait && l.Kind != wnet.LockNone
	if r.waits {
		s.waits.Add(1)
		defer s.waits.Add(-1)
	}
	_, err = bounded(s.life, s, r, s.killed, func(ctx context.Context) (func(), error) {
		h := s.use(fh)
		if h == nil || h.file == nil {
			return nil, syscall.EIO
		}
		defer s.done(h)
		if l.Kind == wnet.LockNone {
			return nil, s.unlock(ctx, h.node, l)
		}
		return s.lock(ctx, h, l, wait)
	}, func(back func()) {
		if back != nil {
			back()
		}
	})
	return err
}

// lock takes a lock, here and then on the server. It returns what gives it back, for who does not wait for it any more.
func (s *server) lock(ctx context.Context, h *handle, l wnet.Lock, wait bool) (back func(), err error) {
	before, through, err := s.locks.grant(ctx, h, l, wait)
	if err != nil {
		return nil, err
	}
	if f, ok := through.file.(wnet.FileLocker); ok {
		if err = f.Lock(ctx, l, wait); errors.Is(err, syscall.ENOTSUP) {
			err = nil
		} else if err == nil {
			s.refresh(ctx, h)
		}
	}
	if err != nil {
		s.locks.revoke(h.node, l, before)
		return nil, err
	}
	return func() {
		ctx, stop := context.WithTimeout(context.Background(), s.deadline)
		defer stop()
		gone := l
		gone.Kind = wnet.LockNone
		if f, ok := through.file.(wnet.FileLocker); ok {
			_ = f.Lock(ctx, gone, false)
			for _, b := range before {
				_ = f.Lock(ctx, b, false)
			}
		}
		s.locks.revoke(h.node, l, before)
	}, nil
}

// unlock gives back a range, on the server and then here, so that who waits here finds it free there.
func (s *server) unlock(ctx context.Context, n *node, l wnet.Lock) error {
	through := s.locks.owned(n, ownerOf(l))
	if through == nil {
		return nil
	}
	var err error
	if f, ok := through.file.(wnet.FileLocker); ok {
		if err = f.Lock(ctx, l, false); errors.Is(err, syscall.ENOTSUP) {
			err = nil
		}
	}
	s.locks.revoke(n, l, nil)
	return err
}

// refresh has a program that has just got a lock see what others wrote before: what the kernel holds of the file is dropped, unless it is
// known to be the same still.
func (s *server) refresh(ctx context.Context, h *handle) {
	n := h.node
	s.refreshNames(ctx, n)
	if s.promised(n, wnet.LeaseAttr|wnet.LeaseData) {
		return
	}
	s.tree.mu.Lock()
	was, asked := n.attr, time.Now()
	settled := !was.ModTime.IsZero() && asked.Sub(was.ModTime) > settleTime && !n.asked.IsZero()
	s.tree.mu.Unlock()
	a, err := h.file.Stat(ctx)
	if err == nil && settled && a.Size == was.Size && a.ModTime.Equal(was.ModTime) {
		s.tree.learn(n, a, asked)
		return
	}
	s.tree.change(n)
	s.notify(ctx, func() { s.kernel.InodeNotify(n.id, 0, 0) })
}

// notify tells the kernel something, in a goroutine of its own: it may wait for locks of the kernel's that requests hold which wait for
// this server. It returns when the kernel has heard, or when ctx ends.
func (s *server) notify(ctx context.Context, tell func()) {
	if s.kernel == nil || s.over.Load() {
		return
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		tell()
	}()
	select {
	case <-heard:
	case <-ctx.Done():
	}
}

// GetLk implements fuse.RawFileSystem.
func (s *server) GetLk(cancel <-chan struct{}, in *fuse.LkIn, out *fuse.LkOut) fuse.Status {
	l, err := lockIn(in)
	if err != nil {
		return s.status(err)
	}
	fh := in.Fh
	found, err := call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) (wnet.Lock, error) {
		h := s.use(fh)
		if h == nil || h.file == nil {
			return wnet.Lock{}, syscall.EIO
		}
		defer s.done(h)
		if found := s.locks.conflict(h.node, l); found.Kind != wnet.LockNone {
			return found, nil
		}
		f, ok := h.file.(wnet.FileLocker)
		if !ok {
			return wnet.Lock{}, nil
		}
		found, err := f.TestLock(ctx, l)
		if errors.Is(err, syscall.ENOTSUP) {
			return wnet.Lock{}, nil
		}
		return found, err
	}, nil)
	if err != nil {
		return s.status(err)
	}
	out.Lk = fuse.FileLock{Typ: syscall.F_UNLCK}
	if found.Kind != wnet.LockNone {
		out.Lk = fuse.FileLock{Start: uint64(found.First), End: uint64(found.Last), Typ: syscall.F_RDLCK, Pid: uint32(found.PID)}
		if found.Kind == wnet.LockExclusive {
			out.Lk.Typ = syscall.F_WRLCK
		}
	}
	return fuse.OK
}

// unlockAll gives back all of an owner's locks on a file: a program has closed it.
func (s *server) unlockAll(r request, n *node, o lockOwner) {
	if s.locks.owned(n, o) == nil {
		return
	}
	l := wnet.Lock{Owner: o.id, Whole: o.whole, Last: 1<<63 - 1}
	_, err := bounded(context.Background(), s, r, s.killed, func(ctx context.Context) (nothing, error) {
		return nothing{}, s.unlock(ctx, n, l)
	}, nil)
	if err != nil {
		s.log.Debug("giving back locks failed on the server", "error", err)
		s.locks.drop(n, o)
	}
}
