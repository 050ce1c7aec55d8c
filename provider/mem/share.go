package mem

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/meter"
	"github.com/openwnet/wnet/win32"
)

// ShareOptions are what a share is made with.
type ShareOptions struct {
	Type     uint32            // RESOURCETYPE_DISK or RESOURCETYPE_PRINT; 0 is DISK
	Comment  string            // shown when the server is browsed
	Users    map[string]string // user name, in any case, to password; empty admits anyone with any password
	ReadOnly bool              // every change is EROFS
	Quota    int64             // bytes that the files may take up, ENOSPC beyond; 0 for no bound
	Latency  time.Duration     // how long the server takes for each call
	Leases   bool              // connections are promised that what they are told stays true, and told of each change (wnet.Leaser)
}

// Share is one share of a server. It may be used from many goroutines at once.
type Share struct {
	p            *Provider
	server, name string
	opts         ShareOptions
	tree         *tree
	book         book

	mu    sync.Mutex // guards conns
	conns map[*conn]struct{}
}

func newShare(p *Provider, server, name string, opts ShareOptions) *Share {
	if opts.Type == 0 {
		opts.Type = win32.RESOURCETYPE_DISK
	}
	users := make(map[string]string, len(opts.Users))
	for u, pw := range opts.Users {
		users[strings.ToLower(u)] = pw
	}
	opts.Users = users
	return &Share{p: p, server: server, name: name, opts: opts, tree: newTree(opts.Quota), conns: map[*conn]struct{}{}}
}

// Name is the share's remote name.
func (s *Share) Name() wnet.RemoteName { return wnet.RemoteName{Server: s.server, Share: s.name} }

// FS is the share as the server itself sees it: no connection, no Fault, no latency, writable even where the share is not. Tests fill
// and inspect a share by it.
func (s *Share) FS() wnet.FileSystem {
	return fileSystem{&conn{share: s, top: s.tree.root, local: true}}
}

// Connections is the number of connections that are neither closed nor severed.
func (s *Share) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// OpenFiles is the number of Files that are not closed, those of severed connections included.
func (s *Share) OpenFiles() int { return int(s.tree.opens.Load()) }

// Sever cuts all connections to the share as Provider.Sever does, and returns how many there were.
func (s *Share) Sever() int {
	s.mu.Lock()
	conns := s.conns
	s.conns = map[*conn]struct{}{}
	s.mu.Unlock()
	for c := range conns {
		c.end(&wnet.Error{Name: s.Name().String(), Provider: s.p.name, Code: win32.ERROR_NETNAME_DELETED,
			Err: fmt.Errorf("the server %s has cut the connection", s.server)}, true)
	}
	return len(conns)
}

// enlist notes a new connection, unless the share was removed or its server turned off while it was made: whoever did that has severed
// those that were there, and shall not miss this one.
func (s *Share) enlist(c *conn) bool {
	s.p.mu.RLock()
	defer s.p.mu.RUnlock()
	srv := s.p.servers[strings.ToLower(s.server)]
	if srv == nil || srv.down || srv.shares[strings.ToLower(s.name)] != s {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
	return true
}

// admit checks user and password, and returns the user as the server knows it.
func (s *Share) admit(req wnet.Request, defaultUser string) (user string, code win32.Code) {
	user = req.User
	if user == "" {
		user = defaultUser
	}
	if len(s.opts.Users) == 0 {
		return user, 0
	}
	pw, known := s.opts.Users[strings.ToLower(user)]
	switch {
	case user == "":
		return "", win32.ERROR_INVALID_PASSWORD // somebody may be right: A2-42
	case !known:
		return user, win32.ERROR_LOGON_FAILURE
	case !req.Password.Present() && req.User == "":
		return user, 0 // the account that the daemon runs as, by its tickets
	case req.Password.Reveal() != pw:
		return user, win32.ERROR_INVALID_PASSWORD
	}
	return user, 0
}

// conn is one connection. There may be very many: what only some need is made when they do.
type conn struct {
	share *Share
	top   *node
	user  string
	local bool // the server's own view (Share.FS)
	meter meter.Meter

	locked sync.Map // *node to nil: where there may be locks of this connection

	mu     sync.Mutex                           // guards what follows
	err    error                                // why the connection has ended; nil while it has not
	lost   chan struct{}                        // nil until somebody asks
	waits  map[*pending]context.CancelCauseFunc // ends the calls that wait in a Fault, for the latency or for a lock
	breaks map[*pending]func(wnet.Break)        // who is told of changes
}

// pending names one waiting call. It has a size, so that each has an address of its own.
type pending struct{ _ byte }

var _ wnet.Conn = (*conn)(nil)

// User implements wnet.Conn.
func (c *conn) User() string { return c.user }

// Type implements wnet.Conn.
func (c *conn) Type() uint32 { return c.share.opts.Type }

// FS implements wnet.Conn.
func (c *conn) FS() wnet.FileSystem {
	if c.share.opts.Type == win32.RESOURCETYPE_PRINT {
		return nil
	}
	if c.share.opts.Leases {
		return leased{fileSystem{c}}
	}
	return fileSystem{c}
}

// Lost implements wnet.Conn. Close does not close the channel: then the connection has not ended by itself.
func (c *conn) Lost() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost == nil {
		c.lost = make(chan struct{})
	}
	return c.lost
}

// Close implements wnet.Conn. It never fails.
func (c *conn) Close() error {
	s := c.share
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	c.end(&wnet.Error{Name: s.Name().String(), Provider: s.p.name, Code: win32.ERROR_NETNAME_DELETED,
		Err: fmt.Errorf("the connection was closed")}, false)
	return nil
}

// end makes every call, under way or to come, fail with err. The first end counts.
func (c *conn) end(err error, lost bool) {
	if c.ended(err, lost) {
		c.unlock()
		c.share.book.forget(c)
	}
}

func (c *conn) ended(err error, lost bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.err = err
	if lost {
		if c.lost == nil {
			c.lost = make(chan struct{})
		}
		close(c.lost)
	}
	for _, stop := range c.waits {
		stop(err)
	}
	c.waits, c.breaks = nil, nil
	return true
}

// enter is the way in of every call: it checks the context and the connection, and lets the server be faulty and slow.
func (c *conn) enter(caller context.Context, op, name string) error {
	if err := caller.Err(); err != nil {
		return err
	}
	if c.local {
		return nil
	}
	c.mu.Lock()
	err := c.err
	c.mu.Unlock()
	if err != nil {
		return err
	}
	c.share.p.calls.Add(1)
	fault, latency := c.share.p.fault.Load(), c.share.opts.Latency
	if fault == nil && latency == 0 {
		return nil
	}
	ctx, stop := c.bound(caller)
	defer stop()
	if fault != nil {
		err = (*fault)(ctx, Call{Op: op, Server: c.share.server, Share: c.share.name, Name: name})
	}
	if err == nil {
		err = wait(ctx, latency)
	}
	switch {
	case caller.Err() != nil:
		return caller.Err()
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}

// bound gives a context that ends with the connection too, its cause then being the connection's error.
func (c *conn) bound(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	key := new(pending)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		cancel(c.err)
		return ctx, func() {}
	}
	if c.waits == nil {
		c.waits = map[*pending]context.CancelCauseFunc{}
	}
	c.waits[key] = cancel
	return ctx, func() {
		c.mu.Lock()
		delete(c.waits, key)
		c.mu.Unlock()
		cancel(nil)
	}
}

// wait sleeps, unless the context ends before.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
