package wnet

import "context"

// Locker is a FileSystem whose Files may be FileLockers. Without it, a mount leaves locks to the kernel: they hold between the programs
// of this machine alone.
type Locker interface {
	// Locking reports whether Files may be FileLockers. A mount asks once, when it is made, and maybe before there is a
	// connection. Where it is true and a File then is no FileLocker, or answers ENOTSUP, locks hold between the programs of the mount.
	Locking() bool
}

// LockKind is what a lock does.
type LockKind uint8

// The kinds of a Lock.
const (
	LockNone      LockKind = iota // no lock: Lock gives the range back
	LockShared                    // others may share it
	LockExclusive                 // others may not
)

// Lock is a byte range of a file and who locks it.
type Lock struct {
	Kind LockKind
	// First and Last are the first and the last byte; they may lie behind the end of the file. Last is math.MaxInt64 for all that may
	// ever come.
	First, Last int64
	// Owner is who locks: one process (fcntl), or one open of a file (flock). Locks of one owner never stand in each other's way. The
	// number means something within its FileSystem only.
	Owner uint64
	// Whole tells a lock of the whole file as by flock(2), First being 0 and Last math.MaxInt64. It is apart from byte ranges: a file
	// system whose server has one kind of lock may put it where no data is, so that it keeps nobody from reading and writing.
	Whole bool
	// PID is the process that locks; 0 where it is another machine's, or not known.
	PID int
}

// FileLocker is a File that can lock byte ranges on the server. A mount arbitrates between the programs of this machine by itself and
// asks only for what it would grant.
type FileLocker interface {
	// Lock gives l's range to l.Owner. What the owner had there before is replaced, in one step where the server can do that: a
	// shared lock becomes an exclusive one or the reverse, a part of a lock is given back, ranges that touch are one. Kind LockNone
	// gives back what there is, which may be nothing, and never waits. A lock ends with its File at the latest.
	//
	// A range that others have is EAGAIN, and what the owner had before stays. With wait it is waited for instead, without any bound but
	// ctx. Where ctx ends first, nothing has changed. EDEADLK says that waiting would never end.
	//
	// Locks that a lost connection took along are taken again before the File goes on, or the File answers EIO from then on.
	Lock(ctx context.Context, l Lock, wait bool) error
	// TestLock returns a lock of somebody else that stands in the way of l; its Kind is LockNone if there is none. A server that
	// does not tell whose it is leaves Owner and PID zero, and one that does not tell the range returns l's.
	TestLock(ctx context.Context, l Lock) (Lock, error)
}
