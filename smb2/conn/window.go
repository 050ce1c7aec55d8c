package conn

import (
	"context"
	"sync"
)

// window has the credits and message numbers of a connection ([MS-SMB2] 3.2.4.1.2, 3.2.4.1.5).
type window struct {
	mu      sync.Mutex // guards all below
	next    uint64     // the next message number
	have    int        // credits at hand
	out     int        // credits that requests on their way hold
	waiters []*waiter  // who waits for credits, in order
	err     error      // the connection ended
}

type waiter struct {
	n    int
	done chan struct{} // closed when the credits, or an error, are there
	id   uint64
	err  error
}

// target is how many credits are asked for altogether: 64 MiB in flight. most is more than any server grants.
const (
	target = 1024
	most   = 1 << 16
)

// take waits for n credits and gives the first of their message numbers, which have to be used. ErrCredits means that the server does not
// grant as many.
func (w *window) take(ctx context.Context, n int) (uint64, error) {
	w.mu.Lock()
	if w.err != nil {
		defer w.mu.Unlock()
		return 0, w.err
	}
	if len(w.waiters) == 0 && w.have >= n {
		defer w.mu.Unlock()
		return w.grab(n), nil
	}
	if w.out == 0 && n > w.have {
		defer w.mu.Unlock()
		return 0, ErrCredits
	}
	me := &waiter{n: n, done: make(chan struct{})}
	w.waiters = append(w.waiters, me)
	w.mu.Unlock()
	select {
	case <-me.done:
		return me.id, me.err
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-me.done: // just now: the numbers are taken
		return me.id, me.err
	default:
	}
	for i, x := range w.waiters {
		if x == me {
			w.waiters = append(w.waiters[:i], w.waiters[i+1:]...)
			break
		}
	}
	w.serve()
	return 0, ctx.Err()
}

// try is take for who does not want to wait.
func (w *window) try(n int) (uint64, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil || w.have < n {
		return 0, false
	}
	return w.grab(n), true
}

// grab takes n credits, which are there. The caller holds mu.
func (w *window) grab(n int) uint64 {
	id := w.next
	w.next += uint64(n)
	w.have -= n
	w.out += n
	return id
}

// serve lets those go on who have enough. The caller holds mu.
func (w *window) serve() {
	for len(w.waiters) > 0 {
		me := w.waiters[0]
		switch {
		case w.err != nil:
			me.err = w.err
		case w.have >= me.n:
			me.id = w.grab(me.n)
		case w.out == 0:
			me.err = ErrCredits
		default:
			return
		}
		w.waiters = w.waiters[1:]
		close(me.done)
	}
}

// grant adds what the server granted. back is how many credits the answered request had held, 0 for an interim answer.
func (w *window) grant(granted, back int) {
	w.mu.Lock()
	w.have = min(w.have+granted, most)
	w.out -= back
	w.serve()
	w.mu.Unlock()
}

// ask tells how many credits a request that costs n should ask for.
func (w *window) ask(n int) uint16 {
	w.mu.Lock()
	defer w.mu.Unlock()
	want := n
	if more := target - w.have - w.out; more > 0 {
		want += min(more, 512)
	}
	return uint16(min(want, 8192))
}

// size is how many credits there are altogether, at hand or out.
func (w *window) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.have + w.out
}

// end lets everybody go who waits.
func (w *window) end(err error) {
	w.mu.Lock()
	if w.err == nil {
		w.err = err
	}
	w.serve()
	w.mu.Unlock()
}
