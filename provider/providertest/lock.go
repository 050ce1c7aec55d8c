package providertest

import (
	"context"
	"errors"
	"math"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
)

// lockChecks are about Locker and FileLocker.
func lockChecks() []Check {
	const needs = "Locker FileLocker"
	return []Check{
		{"lock/exclusive", "An exclusive lock keeps every other owner on another connection out of its range, and nobody out of the rest.", needs, connected(lockExclusive)},
		{"lock/shared", "Shared locks stand beside each other and keep exclusive ones out.", needs, connected(lockShared)},
		{"lock/replace", "An owner's newer lock replaces what it had in the range; one that is refused changes nothing.", needs, connected(lockReplace)},
		{"lock/give-back", "Part of a lock can be given back, and giving back nothing is no error.", needs, connected(lockGiveBack)},
		{"lock/wait", "A lock that waits is granted when the other one is given back.", needs, connected(lockWait)},
		{"lock/wait-ends", "A lock that waits ends with its context, and then holds nothing.", needs, connected(lockWaitEnds)},
		{"lock/test", "TestLock tells whether a lock stands in the way, and takes none.", needs, connected(lockTest)},
		{"lock/close", "Closing a File gives back what was locked through it.", needs, connected(lockClose)},
		{"lock/connection", "The end of a connection gives back its locks.", needs, connected(lockConnection)},
		{"lock/whole", "Locks of the whole file stand in each other's way, and not in that of their own program's byte ranges.", needs, connected(lockWhole)},
	}
}

func lockOf(owner uint64, kind wnet.LockKind, first, last int64) wnet.Lock {
	return wnet.Lock{Owner: owner, Kind: kind, First: first, Last: last}
}

// two opens a file on the check's connection and on another one.
func (e *env) two() (a, b wnet.FileLocker, other *env) {
	e.put("f", "0123456789")
	other = &env{ctx: e.ctx, tg: e.tg, conn: e.connect()}
	other.fs = other.conn.FS()
	context.AfterFunc(e.ctx, func() { other.conn.Close() })
	return e.locker(e.open("f", both)), e.locker(other.open("f", both)), other
}

func (e *env) locker(f wnet.File) wnet.FileLocker {
	l, ok := f.(wnet.FileLocker)
	if !ok {
		e.fail("a File: got one without FileLocker, want it as the others")
	}
	return l
}

func (e *env) lock(f wnet.FileLocker, l wnet.Lock) { e.ok("Lock", f.Lock(e.ctx, l, false)) }

func (e *env) denied(what string, f wnet.FileLocker, l wnet.Lock) {
	e.errno(what, f.Lock(e.ctx, l, false), syscall.EAGAIN)
}

func lockExclusive(e *env) {
	a, b, other := e.two()
	defer other.conn.Close()
	e.lock(a, lockOf(1, wnet.LockExclusive, 2, 4))
	for _, kind := range []wnet.LockKind{wnet.LockShared, wnet.LockExclusive} {
		e.denied("Lock of the same range by another", b, lockOf(1, kind, 2, 4))
		e.denied("Lock of its last byte by another", b, lockOf(2, kind, 4, 9))
		e.denied("Lock of all by another", b, lockOf(2, kind, 0, math.MaxInt64))
		e.lock(b, lockOf(2, kind, 0, 1))
		e.lock(b, lockOf(2, kind, 5, math.MaxInt64))
		e.lock(b, lockOf(2, wnet.LockNone, 0, 1))
		e.lock(b, lockOf(2, wnet.LockNone, 5, math.MaxInt64))
	}
	e.lock(a, lockOf(1, wnet.LockNone, 2, 4))
	e.lock(b, lockOf(1, wnet.LockExclusive, 2, 4))
}

func lockShared(e *env) {
	a, b, other := e.two()
	defer other.conn.Close()
	e.lock(a, lockOf(1, wnet.LockShared, 0, 9))
	e.lock(b, lockOf(1, wnet.LockShared, 5, 14))
	e.denied("exclusive Lock where another one shares", a, lockOf(1, wnet.LockExclusive, 9, 9))
	e.denied("exclusive Lock where another one shares", b, lockOf(1, wnet.LockExclusive, 5, 5))
}

func lockReplace(e *env) {
	a, b, other := e.two()
	defer other.conn.Close()
	e.lock(a, lockOf(1, wnet.LockShared, 0, 9))
	e.lock(a, lockOf(1, wnet.LockExclusive, 0, 9))
	e.denied("Lock of what has become exclusive", b, lockOf(2, wnet.LockShared, 0, 0))
	e.lock(a, lockOf(1, wnet.LockShared, 0, 9))
	e.lock(b, lockOf(2, wnet.LockShared, 0, 9))
	e.denied("exclusive Lock where another one shares", a, lockOf(1, wnet.LockExclusive, 0, 9))
	e.lock(b, lockOf(2, wnet.LockNone, 0, 9))
	e.denied("Lock of what was kept by one that was refused a better", b, lockOf(2, wnet.LockExclusive, 0, 9))
}

func lockGiveBack(e *env) {
	a, b, other := e.two()
	defer other.conn.Close()
	e.lock(a, lockOf(1, wnet.LockNone, 0, math.MaxInt64))
	e.lock(a, lockOf(1, wnet.LockExclusive, 0, 9))
	e.lock(a, lockOf(1, wnet.LockNone, 3, 5))
	e.lock(b, lockOf(2, wnet.LockExclusive, 3, 5))
	e.denied("Lock of what was not given back", b, lockOf(2, wnet.LockShared, 2, 2))
	e.denied("Lock of what was not given back", b, lockOf(2, wnet.LockShared, 6, 6))
	e.lock(a, lockOf(1, wnet.LockNone, 0, math.MaxInt64))
	e.lock(b, lockOf(2, wnet.LockExclusive, 0, math.MaxInt64))
}

func lockWait(e *env) {
	a, b, other := e.two()
	defer other.conn.Close()
	e.lock(a, lockOf(1, wnet.LockExclusive, 0, 9))
	ctx, cancel := context.WithTimeout(e.ctx, 50*time.Millisecond)
	defer cancel()
	if err := b.Lock(ctx, lockOf(2, wnet.LockExclusive, 5, 5), true); !errors.Is(err, context.DeadlineExceeded) {
		e.fail("Lock that waits in vain: got %w, want an error that unwraps to context.DeadlineExceeded", orSuccess(err))
	}
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		e.ok("Lock that waits", b.Lock(e.ctx, lockOf(2, wnet.LockExclusive, 5, 5), true))
	}()
	e.denied("Lock of what is waited for, by a third", b, lockOf(3, wnet.LockExclusive, 5, 5))
	select {
	case r := <-done:
		if r != nil {
			panic(r)
		}
		e.fail("Lock that waits: got it at once, want it when the other one is given back")
	default:
	}
	e.lock(a, lockOf(1, wnet.LockNone, 0, 9))
	e.wait("Lock that waits, after the other one was given back", done)
	e.denied("Lock of what was granted after waiting", a, lockOf(1, wnet.LockShared, 5, 5))
}

func lockWaitEnds(e *env) {
	a, b, other := e.two()
	defer other.conn.Close()
	e.lock(a, lockOf(1, wnet.LockExclusive, 0, 9))
	e.lock(b, lockOf(2, wnet.LockShared, 20, 29))
	ctx, cancel := context.WithCancel(e.ctx)
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		e.ended("Lock whose context has ended", b.Lock(ctx, lockOf(2, wnet.LockExclusive, 0, 29), true))
	}()
	cancel()
	e.wait("Lock whose context has ended", done)
	e.lock(a, lockOf(1, wnet.LockNone, 0, 9))
	e.lock(a, lockOf(1, wnet.LockExclusive, 0, 19))
	e.denied("exclusive Lock of what the other one had before it waited", a, lockOf(1, wnet.LockExclusive, 20, 29))
}

func lockTest(e *env) {
	a, b, other := e.two()
	defer other.conn.Close()
	test := func(f wnet.FileLocker, l wnet.Lock) wnet.LockKind {
		got, err := f.TestLock(e.ctx, l)
		e.ok("TestLock", err)
		if got.Kind != wnet.LockNone && (got.First > l.Last || got.Last < l.First) {
			e.fail("TestLock of %d to %d: got one at %d to %d, want one in the way", l.First, l.Last, got.First, got.Last)
		}
		return got.Kind
	}
	eq(e, "TestLock of what nobody has", test(b, lockOf(2, wnet.LockExclusive, 0, 9)), wnet.LockNone)
	e.lock(a, lockOf(1, wnet.LockShared, 0, 4))
	eq(e, "exclusive TestLock where another one shares", test(b, lockOf(2, wnet.LockExclusive, 0, 9)) != wnet.LockNone, true)
	eq(e, "shared TestLock where another one shares", test(b, lockOf(2, wnet.LockShared, 0, 9)), wnet.LockNone)
	eq(e, "TestLock of the rest", test(b, lockOf(2, wnet.LockExclusive, 5, 9)), wnet.LockNone)
	eq(e, "TestLock of one's own", test(a, lockOf(1, wnet.LockExclusive, 0, 4)), wnet.LockNone)
	e.lock(a, lockOf(1, wnet.LockExclusive, 5, 9))
	eq(e, "shared TestLock where another one is alone", test(b, lockOf(2, wnet.LockShared, 9, 9)), wnet.LockExclusive)
}

func lockClose(e *env) {
	a, b, other := e.two()
	defer other.conn.Close()
	e.lock(a, lockOf(1, wnet.LockExclusive, 0, 4))
	e.lock(a, lockOf(2, wnet.LockExclusive, 5, 9))
	e.close(a.(wnet.File))
	e.lock(b, lockOf(1, wnet.LockExclusive, 0, 9))
}

func lockConnection(e *env) {
	a, b, other := e.two()
	e.lock(b, lockOf(1, wnet.LockExclusive, 0, 9))
	e.denied("Lock of what another connection has", a, lockOf(1, wnet.LockShared, 0, 9))
	e.ok("Close of the connection", other.conn.Close())
	// The server may take a moment to notice.
	ctx, cancel := context.WithTimeout(e.ctx, e.tg.patience())
	defer cancel()
	if err := a.Lock(ctx, lockOf(1, wnet.LockExclusive, 0, 9), true); err != nil {
		e.fail("Lock of what a connection had that has ended: got %w, want success", err)
	}
}

func lockWhole(e *env) {
	a, b, other := e.two()
	defer other.conn.Close()
	whole := func(kind wnet.LockKind) wnet.Lock {
		return wnet.Lock{Owner: 1, Kind: kind, Last: math.MaxInt64, Whole: true}
	}
	e.lock(a, lockOf(1, wnet.LockExclusive, 0, 9))
	e.lock(a, whole(wnet.LockExclusive))
	e.denied("Lock of the whole that another one has", b, whole(wnet.LockShared))
	e.lock(a, whole(wnet.LockNone))
	e.lock(b, whole(wnet.LockShared))
	e.lock(a, whole(wnet.LockShared))
	if err := a.Lock(e.ctx, whole(wnet.LockExclusive), false); !errors.Is(err, syscall.EAGAIN) {
		e.fail("exclusive Lock of the whole that another one shares: got %w, want EAGAIN", orSuccess(err))
	}
}
