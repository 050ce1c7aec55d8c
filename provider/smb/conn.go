package smb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/meter"
	"github.com/openwnet/wnet/win32"
)

// conn is one connection: a TCP connection, a session and a share of its own. It is the FileSystem too.
type conn struct {
	name   wnet.RemoteName
	user   string
	kind   uint32 // RESOURCETYPE_*
	root   string // the folder of the share that the file system begins at, slash-separated, "" for the share's own top
	cfg    Config
	log    *slog.Logger
	tap    *tap
	link   link
	tree   tree
	writes bool // CONNECT_WRITE_THROUGH_SEMANTICS: each write is synced

	ctx    context.Context // ends when the socket was closed; every request to the server runs under it
	cancel context.CancelFunc
	lost   chan struct{} // closed when the connection has ended by itself
	over   chan struct{} // closed when it has ended, either way
	doubt  chan struct{} // asks for a sign of life now

	mu     sync.Mutex // guards reason
	reason error      // why it is over

	claims  claims
	files   table
	buffers buffers
	meter   meter.Meter
}

var (
	_ wnet.Conn       = (*conn)(nil)
	_ wnet.FileSystem = (*conn)(nil)
	_ wnet.AttrSetter = (*conn)(nil)
	_ wnet.Statfser   = (*conn)(nil)
)

// User implements wnet.Conn.
func (c *conn) User() string { return c.user }

// Type implements wnet.Conn.
func (c *conn) Type() uint32 { return c.kind }

// FS implements wnet.Conn.
func (c *conn) FS() wnet.FileSystem {
	if c.kind != win32.RESOURCETYPE_DISK {
		return nil
	}
	return c
}

// Lost implements wnet.Conn.
func (c *conn) Lost() <-chan struct{} { return c.lost }

// Close implements wnet.Conn. Requests under way end with ERROR_NETNAME_DELETED; what was removed while it was open is given a
// moment to be cleared away, behind Close's back.
func (c *conn) Close() error {
	if !c.finish(errors.New("the connection was given up"), false) {
		return nil
	}
	if removed := c.files.removed(); len(removed) > 0 {
		go c.sweep(removed)
	} else {
		c.hangUp()
	}
	return nil
}

// fail says that the connection has ended by itself.
func (c *conn) fail(reason error) {
	if c.finish(reason, true) {
		c.log.Info("connection lost", "remote", c.name.String(), "reason", reason)
		c.hangUp()
	}
}

// finish is true for the one who ended the connection.
func (c *conn) finish(reason error, lost bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason != nil {
		return false
	}
	c.reason = reason
	if lost {
		close(c.lost)
	}
	close(c.over)
	return true
}

// hangUp closes the socket, which makes every request fail, and only then ends their context (see dial).
func (c *conn) hangUp() {
	c.tap.Close()
	c.cancel()
}

// gone is what every call gives when the connection is over.
func (c *conn) gone() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &wnet.Error{Name: c.name.String(), Provider: Name, Code: win32.ERROR_NETNAME_DELETED, Err: c.reason,
		Hint: "Connect again."}
}

// sweep clears away what was removed while it was open here, if the server does it quickly, and hangs up.
func (c *conn) sweep(removed []*file) {
	timer := time.AfterFunc(c.cfg.Timeouts.Close, c.hangUp)
	defer timer.Stop()
	defer c.hangUp()
	for _, f := range removed {
		if f.hold(c.ctx) != nil {
			return
		}
		f.parkLocked()
		if name, _ := f.where(); c.tree.remove(c.serverPath(name)) == nil {
			c.log.Debug("removed what was open", "remote", c.name.String(), "name", name)
		}
		f.free()
	}
}

// watch ends the connection when the socket does, or when the server gives no sign of life.
func (c *conn) watch() {
	timer := time.NewTimer(c.cfg.Timeouts.KeepAlive)
	defer timer.Stop()
	for {
		select {
		case <-c.over:
			return
		case <-c.tap.ended:
			c.fail(fmt.Errorf("%w: %w", errBroken, c.tap.cause))
			return
		case <-c.doubt:
			if !c.alive() {
				return
			}
		case <-timer.C:
			if c.tap.heard() >= c.cfg.Timeouts.KeepAlive && !c.alive() {
				return
			}
			timer.Reset(max(time.Millisecond, c.cfg.Timeouts.KeepAlive-c.tap.heard()))
		}
	}
}

// alive asks the server for a sign of life, and waits as long as anything comes from it.
func (c *conn) alive() bool {
	answer := make(chan error, 1)
	go func() { answer <- protect(c.link.echo) }()
	for wait := c.cfg.Timeouts.Answer; ; {
		timer := time.NewTimer(wait)
		select {
		case err := <-answer:
			timer.Stop()
			if err != nil {
				c.fail(err)
			}
			return err == nil
		case <-c.tap.ended:
			timer.Stop()
			c.fail(fmt.Errorf("%w: %w", errBroken, c.tap.cause))
			return false
		case <-c.over:
			timer.Stop()
			return false
		case <-timer.C:
			heard := c.tap.heard()
			if heard >= c.cfg.Timeouts.Answer {
				c.fail(fmt.Errorf("the server has not answered for %v", heard.Round(time.Second)))
				return false
			}
			wait = c.cfg.Timeouts.Answer - heard
		}
	}
}

// protect turns a panic, which a server's answer might cause, into an error: it costs a request and not the daemon.
func protect(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &badAnswer{fmt.Sprint(p)}
		}
	}()
	return fn()
}

// call runs fn, which asks the server, on a goroutine of its own and waits for it, but no longer than ctx and the connection last.
// A request that was begun goes on to its end, so that nothing is left open or half done on the server: drop gets what came too
// late for the caller, and after runs in any case, after the caller got its answer.
func call[T any](ctx context.Context, c *conn, fn func() (T, error), drop func(T), after func()) (T, error) {
	type result struct {
		v   T
		err error
	}
	var zero T
	if after == nil {
		after = func() {}
	}
	if err := ctx.Err(); err != nil {
		after()
		return zero, err
	}
	select {
	case <-c.over:
		after()
		return zero, c.gone()
	default:
	}
	answer := make(chan result, 1)
	var settled atomic.Bool // whoever sets it first decides whether the answer counts
	go func() {
		defer func() {
			if p := recover(); p != nil {
				c.log.Error("panic in a request", "remote", c.name.String(), "panic", p, "stack", string(debug.Stack()))
			}
		}()
		defer after()
		var r result
		r.err = protect(func() (err error) { r.v, err = fn(); return err })
		r.err = c.judge(r.err)
		switch {
		case settled.CompareAndSwap(false, true):
			answer <- r
		case r.err == nil && drop != nil:
			drop(r.v)
		}
	}()
	var early error
	select {
	case r := <-answer:
		return r.v, r.err
	case <-ctx.Done():
		early = ctx.Err()
	case <-c.over:
		early = c.gone()
	}
	if settled.CompareAndSwap(false, true) {
		return zero, early
	}
	r := <-answer
	return r.v, r.err
}

// do is call for what has no result.
func (c *conn) do(ctx context.Context, fn func() error, after func()) error {
	_, err := call(ctx, c, func() (struct{}, error) { return struct{}{}, fn() }, nil, after)
	return err
}

// judge sees whether an error means that the connection is over, and returns what the caller is told.
func (c *conn) judge(err error) error {
	var s ntStatus
	var bad *badAnswer
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errBroken):
		c.fail(err)
		return c.gone()
	case errors.As(err, &s) && s.ends():
		c.fail(s)
		return c.gone()
	case errors.As(err, &bad):
		select {
		case c.doubt <- struct{}{}:
		default:
		}
	}
	return err
}
