package smb

import (
	"context"
	"sync"
)

// span is the part of the name space that a request needs for itself or shares with others.
type span struct {
	name  string // folded
	alone bool   // nobody else may touch name
	below bool   // with alone: nor anything below it
}

func (a span) conflicts(b span) bool {
	switch {
	case !a.alone && !b.alone:
		return false
	case a.name == b.name:
		return true
	}
	return a.alone && a.below && within(b.name, a.name) || b.alone && b.below && within(a.name, b.name)
}

// claim is one request's spans; granted is closed when it may go on.
type claim struct {
	spans   []span
	granted chan struct{}
	has     bool // granted is closed; claims.mu guards it
}

func (a *claim) conflicts(b *claim) bool {
	for _, x := range a.spans {
		for _, y := range b.spans {
			if x.conflicts(y) {
				return true
			}
		}
	}
	return false
}

// claims keeps our own requests out of each other's way: the server refuses to rename or remove what a handle is open on, even if it
// is a handle of ours that lives for one request only. Claims are granted in the order of arrival, so that nobody starves.
type claims struct {
	mu    sync.Mutex // guards list and alone
	list  []*claim   // granted and waiting, in order of arrival
	alone int        // claims in list with a span of their own
}

// take waits until the spans are free and returns what gives them back, to be called exactly once.
func (c *claims) take(ctx context.Context, spans ...span) (release func(), err error) {
	n := &claim{spans: spans, granted: make(chan struct{})}
	alone := 0
	for _, s := range spans {
		if s.alone {
			alone = 1
		}
	}
	c.mu.Lock()
	n.has = true
	if alone+c.alone > 0 { // else there is nothing to wait for
		for _, o := range c.list {
			if n.conflicts(o) {
				n.has = false
				break
			}
		}
	}
	c.list = append(c.list, n)
	c.alone += alone
	has := n.has
	c.mu.Unlock()
	release = func() { c.release(n, alone) }
	if has {
		return release, nil
	}
	select {
	case <-n.granted:
		return release, nil
	case <-ctx.Done():
		release()
		return nil, ctx.Err()
	}
}

func (c *claims) release(n *claim, alone int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alone -= alone
	kept := c.list[:0]
	for _, o := range c.list {
		if o != n {
			kept = append(kept, o)
		}
	}
	c.list[len(kept)] = nil
	c.list = kept
	for i, w := range c.list {
		if w.has {
			continue
		}
		free := true
		for _, o := range c.list[:i] {
			if w.conflicts(o) {
				free = false
				break
			}
		}
		if free {
			w.has = true
			close(w.granted)
		}
	}
}
