package mount

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

const (
	// interruptGrace is what a request gets to end by itself after its program caught a signal. Without it, a program with an
	// interval timer sees EINTR from open and mkdir, which no program expects of a file.
	interruptGrace = time.Second
	// lingerTime is what a file system gets to come back once its context has ended, so that a request that went through in the last
	// moment is not reported as failed.
	lingerTime = 100 * time.Millisecond
)

// errRefused answers a request that comes while the mount is being forced down. Programs see EIO.
var errRefused = fmt.Errorf("the connection is being cancelled: %w", syscall.EIO)

// request is the kernel's side of one call.
type request struct {
	cancel <-chan struct{} // closed by FUSE INTERRUPT
	tid    uint32          // thread that asks
	waits  bool            // for another program: without a deadline, and a signal ends it at once
}

func req(cancel <-chan struct{}, h *fuse.InHeader) request {
	return request{cancel: cancel, tid: h.Pid}
}

// gate counts the requests under way and refuses new ones when the mount is being forced down.
type gate struct {
	mu       sync.Mutex
	refusing bool           // guarded by mu: only what brings data to the server is let in
	shut     bool           // guarded by mu: nothing is let in
	n        int            // guarded by mu: requests inside
	idle     chan struct{}  // guarded by mu: closed when n falls to 0; nil if nobody waits
	passed   atomic.Uint64  // requests let in so far
	askers   map[uint32]int // guarded by mu: requests inside, by the thread that asks
}

// enter lets a request in. saves says that it brings data to the server, as a write of dirty pages or an fsync does.
func (g *gate) enter(saves bool, tid uint32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut || g.refusing && !saves {
		return false
	}
	g.n++
	if g.askers == nil {
		g.askers = map[uint32]int{}
	}
	g.askers[tid]++
	g.passed.Add(1)
	return true
}

func (g *gate) leave(tid uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.askers[tid]--; g.askers[tid] == 0 {
		delete(g.askers, tid)
	}
	if g.n--; g.n == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// asking returns the threads whose requests are inside.
func (g *gate) asking() (tids []uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for tid := range g.askers {
		tids = append(tids, tid)
	}
	return tids
}

func (g *gate) refuse(all bool) {
	g.mu.Lock()
	g.refusing, g.shut = true, g.shut || all
	g.mu.Unlock()
}

// isShut reports whether nothing is let in any more.
func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}

// forced reports whether the mount is being forced down.
func (g *gate) forced() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refusing
}

// wait returns when no request is inside, or when ctx ends.
func (g *gate) wait(ctx context.Context) error {
	g.mu.Lock()
	if g.n == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call runs fn, which asks the file system, within the request's bounds: the mount's deadline, the program's interrupt, the end of the
// mount. fn runs in a goroutine of its own, so that a file system which ignores its context cannot hold up the kernel; if its answer
// comes too late it is given to late, which may be nil and gives back what the answer holds.
func call[T any](s *server, r request, saves bool, fn func(context.Context) (T, error), late func(T)) (T, error) {
	var none T
	if !s.gate.enter(saves, r.tid) {
		return none, errRefused
	}
	defer s.gate.leave(r.tid)
	return bounded(s.life, s, r, s.killed, fn, late)
}

// bounded is call without the gate. killed, if not nil, gives the call up at once when it is closed.
func bounded[T any](life context.Context, s *server, r request, killed <-chan struct{}, fn func(context.Context) (T, error),
	late func(T)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	var none T
	ctx, stop := context.WithCancel(life)
	if !r.waits {
		ctx, stop = context.WithTimeout(life, s.deadline)
	}
	defer stop()
	done := make(chan answer, 1)
	var settled atomic.Bool // set by the side that comes first: the answer or the bound
	go func() {
		v, err := guard(s, ctx, fn)
		if err != nil && ctx.Err() == nil && errors.Is(err, context.Canceled) {
			// The file system cancelled something of its own. EINTR would make the program try again for ever.
			err = syscall.EIO
		}
		if settled.CompareAndSwap(false, true) {
			done <- answer{v, err}
		} else if late != nil && err == nil {
			late(v)
		}
	}()
	give := func(err error) (T, error) {
		if settled.CompareAndSwap(false, true) {
			return none, err
		}
		a := <-done
		return a.v, a.err
	}
	linger := func(err error) (T, error) {
		stop()
		t := time.NewTimer(lingerTime)
		defer t.Stop()
		select {
		case a := <-done:
			return a.v, a.err
		case <-killed:
			return give(syscall.EIO)
		case <-t.C:
			return give(err)
		}
	}
	cancel := r.cancel
	var grace <-chan time.Time
	for {
		select {
		case a := <-done:
			return a.v, a.err
		case <-cancel:
			if r.waits || fatalSignal(r.tid) || s.over.Load() {
				return linger(context.Canceled)
			}
			cancel = nil
			t := time.NewTimer(interruptGrace)
			defer t.Stop()
			grace = t.C
		case <-grace:
			return linger(context.Canceled)
		case <-ctx.Done():
			return linger(ctx.Err())
		case <-killed:
			return give(syscall.EIO)
		}
	}
}

// guard turns a panic of the file system into EIO and a log line.
func guard[T any](s *server, ctx context.Context, fn func(context.Context) (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("the file system panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = syscall.EIO
		}
	}()
	return fn(ctx)
}

// fatalSignal reports whether the thread is about to die: the kernel then has SIGKILL pending for it, whichever signal it was.
func fatalSignal(tid uint32) bool {
	if tid == 0 {
		return true // of another pid namespace: can't be told; it was interrupted in any case
	}
	status, err := os.ReadFile("/proc/" + strconv.FormatUint(uint64(tid), 10) + "/status")
	if err != nil {
		return true
	}
	_, rest, ok := bytes.Cut(status, []byte("SigPnd:"))
	if !ok {
		return true
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	mask, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 64)
	return err != nil || mask&(1<<(uint(syscall.SIGKILL)-1)) != 0
}

// nothing is the answer of a call that has none.
type nothing struct{}

// do is call for a function without a result.
func (s *server) do(r request, saves bool, fn func(context.Context) error) error {
	_, err := call(s, r, saves, func(ctx context.Context) (nothing, error) { return nothing{}, fn(ctx) }, nil)
	return err
}
