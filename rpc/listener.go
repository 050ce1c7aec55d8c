package rpc

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// gate is a net.Listener that lets in only the peers that admit allows, and only so many at once.
//
// At the limit, the connection that has been idle longest gives its place to the next peer; if none is idle, the next one waits in the
// kernel's queue. A place is held for a bounded time by whoever does not send a whole request (Limits.Header, Limits.Body).
type gate struct {
	net.Listener
	admit   func(net.Conn) (Peer, error)
	log     *slog.Logger
	slots   chan struct{} // one token a connection
	closed  chan struct{}
	once    sync.Once
	peers   atomic.Int32
	refused *atomic.Uint64

	mu      sync.Mutex            // guards all below
	fresh   map[net.Conn]struct{} // connections that have not sent a byte yet
	idle    []net.Conn            // connections between two requests, longest first
	waiting bool                  // a peer waits for a place
	ending  bool                  // fresh connections are not wanted any more
}

// peerConn is a connection whose peer is known and allowed.
type peerConn struct {
	net.Conn
	peer    Peer
	gate    *gate
	release func()
}

func newGate(l net.Listener, admit func(net.Conn) (Peer, error), limit int, refused *atomic.Uint64, log *slog.Logger) *gate {
	return &gate{Listener: l, admit: admit, log: log, slots: make(chan struct{}, limit), closed: make(chan struct{}),
		fresh: map[net.Conn]struct{}{}, refused: refused}
}

// Accept returns the next allowed peer's connection. Errors are the listener's own.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		p, err := g.admit(conn)
		if err != nil {
			g.refused.Add(1)
			g.log.Warn("a peer was turned away", "uid", p.UID, "pid", p.PID, "err", err)
			conn.Close()
			continue
		}
		if !g.take() {
			conn.Close()
			return nil, net.ErrClosed
		}
		g.peers.Add(1)
		return &peerConn{Conn: conn, peer: p, gate: g, release: sync.OnceFunc(func() {
			g.peers.Add(-1)
			<-g.slots
		})}, nil
	}
}

// take gets a place. It reports false if the listener is closed.
func (g *gate) take() bool {
	select {
	case g.slots <- struct{}{}:
		return true
	default:
	}
	g.mu.Lock()
	var oldest net.Conn
	if g.waiting = len(g.idle) == 0; !g.waiting {
		oldest, g.idle = g.idle[0], g.idle[1:]
	}
	g.mu.Unlock()
	if oldest != nil {
		oldest.Close()
	}
	select {
	case g.slots <- struct{}{}:
	case <-g.closed:
		return false
	}
	g.mu.Lock()
	g.waiting = false
	g.mu.Unlock()
	return true
}

// state follows http.Server's connections, to know those that are idle.
func (g *gate) state(c net.Conn, s http.ConnState) {
	g.mu.Lock()
	for i, o := range g.idle {
		if o == c {
			g.idle = append(g.idle[:i], g.idle[i+1:]...)
			break
		}
	}
	delete(g.fresh, c)
	if s == http.StateNew {
		g.fresh[c] = struct{}{}
	}
	give := s == http.StateIdle && g.waiting || s == http.StateNew && g.ending
	if s == http.StateIdle && !give {
		g.idle = append(g.idle, c)
	}
	if give && s == http.StateIdle {
		g.waiting = false
	}
	g.mu.Unlock()
	if give {
		c.Close()
	}
}

// dropFresh closes the connections that have not sent anything, for which http.Server.Shutdown would wait.
func (g *gate) dropFresh() {
	g.mu.Lock()
	g.ending = true
	var all []net.Conn
	for c := range g.fresh {
		all = append(all, c)
	}
	g.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}

// Close ends Accept. Connections stay open. Closing again is no error: http.Server closes what StopAccepting has closed already.
func (g *gate) Close() (err error) {
	g.once.Do(func() {
		close(g.closed)
		err = g.Listener.Close()
	})
	return err
}

// Close closes the connection and gives its place to the next peer.
func (c *peerConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}
