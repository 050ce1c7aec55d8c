package smb2

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
)

// Options say how a Client is to behave. Server and Credential are needed.
type Options struct {
	// Server is the name that the user gave: what the server's identity is proved against, and what names of shares begin with.
	Server string
	// Dial connects to the server, also after a connection was lost. nil dials Server's TCP port 445.
	Dial       func(ctx context.Context) (net.Conn, error)
	Credential Credential
	Policy     Policy
	Posix      bool    // use the POSIX extensions where the server has them
	Mapping    Mapping // of characters that Windows reserves

	// Timeout bounds a request that a living server does not answer; 0 is a minute. DeadAfter is after how much silence a server is taken
	// for dead; 0 is 20 seconds. DialTimeout bounds connecting and logging in, once; 0 is 20 seconds.
	Timeout, DeadAfter, DialTimeout time.Duration
	// Once forbids a second connection: when the first one is lost, everything fails.
	Once bool
	// Chunk is how many bytes one READ or WRITE carries at most; 0 is 1 MiB. Ahead is how many of them are under way for one ReadAt or
	// WriteAt; 0 is 8.
	Chunk uint32
	Ahead int
}

// Client is a log-on to a server. It survives its connections: after one is lost, the next request makes a new one, and shares and files
// come back with it (see File). While a server cannot be reached, requests fail at once with what the last attempt failed with, except for
// one attempt every few seconds. It may be used from many goroutines at once.
type Client struct {
	opt  Options
	guid [16]byte

	leases leases

	mu      sync.Mutex // guards all below
	link    *link
	gen     uint64    // of the newest link
	dialing *attempt  // one that is under way
	failed  error     // why the last attempt failed
	retryAt time.Time // before this time nobody tries again
	wait    time.Duration
	closed  bool
}

// link is a connection with its session.
type link struct {
	conn *conn.Conn
	sess *conn.Session
	gen  uint64
	auth sync.Mutex // held while the session is proved again
}

type attempt struct {
	done chan struct{} // closed when link or err is set
	link *link
	err  error
}

// ServerInfo is what is known of a server and of how the client talks to it.
type ServerInfo struct {
	conn.Info
	Guest     bool
	Signed    bool // every message is signed
	Encrypted bool // every message is encrypted; a share may want it for itself, too
}

// Dial connects to a server and logs in. ctx bounds that, and nothing after it.
func Dial(ctx context.Context, o Options) (*Client, error) {
	if o.Dial == nil {
		o.Dial = func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", net.JoinHostPort(o.Server, "445"))
		}
	}
	if o.DialTimeout <= 0 {
		o.DialTimeout = 20 * time.Second
	}
	if o.Chunk == 0 {
		o.Chunk = 1 << 20
	}
	if o.Ahead <= 0 {
		o.Ahead = 8
	}
	if o.Credential == nil {
		return nil, &Error{"dial", o.Server, errors.New("no credential is given")}
	}
	c := &Client{opt: o, guid: conn.NewGUID()}
	c.leases.init()
	if _, err := c.current(ctx); err != nil {
		return nil, wrap("dial", o.Server, err)
	}
	return c, nil
}

// Info tells how the newest connection is.
func (c *Client) Info() ServerInfo {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	return ServerInfo{l.conn.Info(), l.sess.Guest(), l.sess.Signed(), l.sess.Encrypted()}
}

// Server is the server's name.
func (c *Client) Server() string { return c.opt.Server }

// Connected reports whether there is a connection now.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link != nil && c.link.conn.Err() == nil
}

// current gives the link, and makes a new one if it is gone.
func (c *Client) current(ctx context.Context) (*link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, ErrClosed
	}
	if l := c.link; l != nil {
		err := l.conn.Err()
		if err == nil {
			c.mu.Unlock()
			return l, nil
		}
		if c.opt.Once {
			c.mu.Unlock()
			return nil, &conn.LostError{Err: err}
		}
	}
	a := c.dialing
	if a == nil {
		if c.failed != nil && time.Now().Before(c.retryAt) {
			defer c.mu.Unlock()
			return nil, &conn.LostError{Err: c.failed}
		}
		a = &attempt{done: make(chan struct{})}
		c.dialing = a
		dctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opt.DialTimeout)
		if c.link == nil { // the first one is its caller's alone
			stop := context.AfterFunc(ctx, cancel)
			defer stop()
		}
		go func() {
			defer cancel()
			c.attempt(dctx, a)
		}()
	}
	c.mu.Unlock()
	select {
	case <-a.done:
		return a.link, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// attempt connects and logs in.
func (c *Client) attempt(ctx context.Context, a *attempt) {
	c.mu.Lock()
	previous, first := uint64(0), c.link == nil
	if !first {
		previous = c.link.sess.ID()
	}
	c.mu.Unlock()
	l, err := c.connect(ctx, previous)
	if errors.Is(err, context.DeadlineExceeded) {
		err = conn.ErrDead // our own deadline, and nobody else's
	}
	c.mu.Lock()
	c.dialing = nil
	switch {
	case err == nil && c.closed:
		err = ErrClosed
		go l.conn.Close()
	case err == nil:
		c.gen++
		l.gen = c.gen
		c.link, c.failed, c.wait = l, nil, 0
		a.link = l
		c.leases.busy.Go(func() {
			<-l.conn.Done()
			c.leases.lost(l.gen)
		})
	default:
		c.wait = min(max(2*c.wait, time.Second), 8*time.Second)
		c.failed, c.retryAt = err, time.Now().Add(c.wait)
		if !first {
			err = &conn.LostError{Err: err}
		}
	}
	a.err = err
	c.mu.Unlock()
	close(a.done)
}

func (c *Client) connect(ctx context.Context, previous uint64) (*link, error) {
	nc, err := c.opt.Dial(ctx)
	if err != nil {
		return nil, err
	}
	k, err := conn.New(ctx, nc, conn.Config{Server: c.opt.Server, ClientGUID: c.guid, Policy: c.opt.Policy, Posix: c.opt.Posix,
		Timeout: c.opt.Timeout, DeadAfter: c.opt.DeadAfter, OnBreak: c.leases.onBreak})
	if err != nil {
		return nil, err
	}
	auth, err := c.opt.Credential.Authenticator(c.opt.Server, k.Hint())
	if err == nil {
		var s *conn.Session
		if s, err = k.Login(ctx, auth, c.opt.Credential.Kind(), previous); err == nil {
			return &link{conn: k, sess: s}, nil
		}
	}
	k.Close()
	return nil, err
}

// renew proves again who we are, after the session expired.
func (c *Client) renew(ctx context.Context, l *link) error {
	l.auth.Lock()
	defer l.auth.Unlock()
	auth, err := c.opt.Credential.Authenticator(c.opt.Server, l.conn.Hint())
	if err != nil {
		return err
	}
	return l.sess.Reauthenticate(ctx, auth)
}

// Echo asks the server for a sign of life.
func (c *Client) Echo(ctx context.Context) error {
	l, err := c.current(ctx)
	if err == nil {
		r := &conn.Request{Command: wire.CmdEcho, Body: wire.Empty{}}
		if err = l.sess.Do(ctx, r); err == nil {
			err = ok(r)
		}
	}
	return wrap("echo", c.opt.Server, err)
}

// Close logs off, if the server still answers before ctx ends, and closes the connection. Files and trees are gone with it.
func (c *Client) Close(ctx context.Context) error {
	c.mu.Lock()
	l, was := c.link, c.closed
	c.closed = true
	c.mu.Unlock()
	if was || l == nil {
		return nil
	}
	if l.conn.Err() == nil {
		_ = l.sess.Do(ctx, &conn.Request{Command: wire.CmdLogoff, Body: wire.Empty{}})
	}
	l.conn.Close()
	c.leases.wait()
	return nil
}
