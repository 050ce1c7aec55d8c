package smb2

import (
	"context"
	"sync"

	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
)

// LeaseState is what may be kept of a file, in bits.
type LeaseState = wire.LeaseState

// Lease is a promise of the server's to tell before somebody else changes (or, with LeaseWrite, reads) a file. All Files of one file that
// share a Lease share the promise, and do not break it for one another. It may be used from many goroutines at once.
type Lease struct {
	c       *Client
	key     [16]byte
	want    LeaseState
	onBreak func(from, to LeaseState)

	mu     sync.Mutex // guards all below
	state  LeaseState
	epoch  uint16
	on     *at      // the tree that it was last asked for on
	gen    uint64   // of the link that it was granted on
	queue  []broken // breaks that are still to be told
	active bool     // somebody is telling them
}

// NewLease makes a lease to open a file with. onBreak, if not nil, is called for each break, in a goroutine of the lease's own and one after
// another, before the server is told that the break was heard: what was kept beyond to has to be written or dropped by then. It is also
// called, with to 0, when the connection is lost: nothing that was kept until then is promised any more, also if the lease has come back with
// its File meanwhile, which State tells.
func (c *Client) NewLease(want LeaseState, onBreak func(from, to LeaseState)) *Lease {
	return &Lease{c: c, key: conn.NewGUID(), want: want, onBreak: onBreak}
}

// State is what the server promises now, nothing while the connection is lost.
func (l *Lease) State() LeaseState {
	if !l.c.Connected() {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// broken is a break that came on a link. One without a key is the link's loss.
type broken struct {
	wire.LeaseBreak
	gen uint64
}

func (l *Lease) context(a *at, v2 bool) wire.CreateContext {
	l.c.leases.add(l, a)
	l.mu.Lock()
	l.on = a
	l.mu.Unlock()
	w := wire.Lease{Key: l.key, State: l.want}
	return w.Context(v2)
}

func (l *Lease) granted(g wire.Lease, gen uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if gen < l.gen || gen == l.gen && g.Epoch != 0 && int16(g.Epoch-l.epoch) < 0 {
		return // a break has overtaken it
	}
	l.state, l.epoch, l.gen = g.State, g.Epoch, gen
}

// Release forgets the lease. It is called when no File has it any more; a break of it is then answered by itself.
func (l *Lease) Release() { l.c.leases.remove(l) }

// tell hears of breaks, one after another.
func (l *Lease) tell() {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			l.active = false
			l.mu.Unlock()
			return
		}
		b := l.queue[0]
		l.queue = l.queue[1:]
		from := l.state
		l.mu.Unlock()
		if l.onBreak != nil {
			l.onBreak(from, b.To)
		}
		l.mu.Lock()
		on := l.on
		if b.gen == 0 || b.gen >= l.gen { // else it was granted again on a newer link
			l.state &= b.To
		}
		if b.Epoch != 0 {
			l.epoch = b.Epoch
		}
		l.mu.Unlock()
		if b.AckRequired {
			l.c.leases.ack(on, &wire.LeaseAck{Key: b.Key, State: b.To})
		}
	}
}

// ack answers a break. A connection that is lost needs no answer. Servers want a tree there, any will do.
func (s *leases) ack(a *at, body interface{ Append([]byte) []byte }) {
	if a != nil && a.l.conn.Err() == nil {
		_ = a.send(context.Background(), &conn.Request{Command: wire.CmdOplockBreak, Body: body})
	}
}

// leases are a client's leases.
type leases struct {
	busy sync.WaitGroup // those who tell of breaks

	mu   sync.Mutex // guards all below
	all  map[[16]byte]*Lease
	last *at // the tree that a lease was last asked for on
}

func (s *leases) init() { s.all = map[[16]byte]*Lease{} }

func (s *leases) wait() { s.busy.Wait() }

func (s *leases) add(l *Lease, a *at) {
	s.mu.Lock()
	s.all[l.key], s.last = l, a
	s.mu.Unlock()
}

func (s *leases) remove(l *Lease) {
	s.mu.Lock()
	delete(s.all, l.key)
	s.mu.Unlock()
}

// onBreak is called by the reader and must not block.
func (s *leases) onBreak(o *wire.OplockBreak, b *wire.LeaseBreak) {
	if o != nil {
		s.mu.Lock()
		on := s.last
		s.mu.Unlock()
		s.busy.Go(func() { s.ack(on, &wire.OplockBreak{Level: o.Level, File: o.File}) })
		return
	}
	s.mu.Lock()
	l, on := s.all[b.Key], s.last
	s.mu.Unlock()
	if l == nil {
		if b.AckRequired {
			s.busy.Go(func() { s.ack(on, &wire.LeaseAck{Key: b.Key, State: b.To}) })
		}
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.enqueue(broken{LeaseBreak: *b})
}

// enqueue lets a break be told. The caller holds mu.
func (l *Lease) enqueue(b broken) {
	if l.queue = append(l.queue, b); len(l.queue) > 64 { // a server that breaks faster than anybody can hear
		l.queue = l.queue[1:]
	}
	if !l.active {
		l.active = true
		l.c.leases.busy.Go(l.tell)
	}
}

// lost tells every lease that was granted on a link that nothing is promised any more.
func (s *leases) lost(gen uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.all {
		l.mu.Lock()
		if l.gen <= gen && l.state != 0 {
			l.enqueue(broken{gen: gen})
		}
		l.mu.Unlock()
	}
}
