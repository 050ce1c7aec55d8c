package redial

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// activity is what is known about a connection's answers.
type activity struct {
	slow atomic.Int32 // operations in a row that ran out of time
	last atomic.Int64 // when the server answered last, in Unix nanoseconds of the wall clock: it runs on while the machine sleeps
}

func (a *activity) answered(now time.Time) {
	a.slow.Store(0)
	a.last.Store(now.UnixNano())
}

var errSlow = errors.New("the server did not answer in time")

// lostError is what an operation gets that a lost connection has cut off.
func lostError(why error) error {
	var e *wnet.Error
	if errors.As(why, &e) && e.Code == win32.ERROR_NETNAME_DELETED {
		return e
	}
	return &wnet.Error{Code: win32.ERROR_NETNAME_DELETED, Err: why}
}

// do carries out one operation on a connection, within OpTimeout, and judges the connection by the outcome. lost reports that the
// connection has gone, so that the error says nothing about the operation.
func (c *Conn) do(ctx context.Context, l *link, op func(context.Context) error) (lost bool, err error) {
	return c.doWithin(ctx, l, c.cfg.OpTimeout, op)
}

// doWithin is do with another bound than OpTimeout; without one where limit is 0, for what waits for other clients, not for the server.
func (c *Conn) doWithin(ctx context.Context, l *link, limit time.Duration, op func(context.Context) error) (lost bool, err error) {
	began := time.Now()
	opCtx := ctx
	if limit > 0 {
		var stop context.CancelFunc
		opCtx, stop = context.WithTimeoutCause(ctx, limit, errSlow)
		defer stop()
	}
	opCtx, cancel := context.WithCancelCause(opCtx)
	defer cancel(nil)
	defer context.AfterFunc(l.ctx, func() { cancel(errLost) })()

	err = op(opCtx)

	switch {
	case err == nil:
		l.act.answered(c.cfg.Now())
		return false, nil
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		// The caller gave up. A caller with a deadline of its own, as a mount has, would otherwise never let a server be found dead.
		if limit > 0 && errors.Is(err, context.DeadlineExceeded) && time.Since(began) >= c.cfg.OpTimeout/4 {
			c.slow(l)
		}
		return false, err
	case errors.Is(err, win32.ERROR_NETNAME_DELETED):
		c.drop(l, err, nil)
		return true, err
	case l.ctx.Err() != nil && (ended(err) || !hasErrno(err)):
		return true, lostError(context.Cause(l.ctx))
	case ended(err):
		// OpTimeout, or a bound of the provider's own.
		c.slow(l)
		return false, &wnet.Error{Code: win32.ERROR_UNEXP_NET_ERR, Err: fmt.Errorf("the server did not answer within %v: %w",
			time.Since(began).Round(time.Millisecond), syscall.ETIMEDOUT)}
	case !hasErrno(err) && over(l.conn.Lost()):
		c.drop(l, err, nil)
		return true, lostError(err)
	}
	l.act.answered(c.cfg.Now())
	return false, err
}

// ended reports whether err comes of a context.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, errSlow) || errors.Is(err, errLost)
}

// hasErrno reports whether err is an answer about a file.
func hasErrno(err error) bool {
	var n syscall.Errno
	return errors.As(err, &n)
}

func over(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// slow counts an operation that ran out of time. At the limit the server is taken for dead: every other operation would wait as long.
func (c *Conn) slow(l *link) {
	if l.act.slow.Add(1) < slowLimit {
		return
	}
	err := &wnet.Error{Code: win32.ERROR_UNEXP_NET_ERR, Err: errors.New("the server has stopped answering")}
	c.drop(l, err, err)
}

// call carries out one operation on the connection there is, or on a new one. An operation that only asks is carried out again, once,
// if it is cut off.
func call[T any](ctx context.Context, c *Conn, asks bool, op func(context.Context, wnet.FileSystem) (T, error)) (T, error) {
	return callOn(ctx, c, asks, func(ctx context.Context, l *link) (T, error) { return op(ctx, l.fsys) })
}

// callOn is call for who needs to know the connection.
func callOn[T any](ctx context.Context, c *Conn, asks bool, op func(context.Context, *link) (T, error)) (T, error) {
	var none T
	if !asks {
		if err := c.probe(ctx); err != nil {
			return none, err
		}
	}
	for again := asks; ; again = false {
		l, err := c.use(ctx)
		if err != nil {
			return none, err
		}
		if l.fsys == nil {
			return none, syscall.ENOTSUP
		}
		var v T
		lost, err := c.do(ctx, l, func(ctx context.Context) (err error) {
			v, err = op(ctx, l)
			return err
		})
		if err == nil {
			return v, nil
		}
		if !lost || !again || ctx.Err() != nil {
			return none, err
		}
	}
}

// probe tries a connection that has been idle for a while, and makes a new one if it is dead, before something is asked of it that
// can't be asked twice.
func (c *Conn) probe(ctx context.Context) error {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l == nil || c.cfg.Now().UnixNano()-l.act.last.Load() < int64(idleLimit) {
		return nil
	}
	_, err := call(ctx, c, true, func(ctx context.Context, fsys wnet.FileSystem) (wnet.Attr, error) { return fsys.Stat(ctx, ".") })
	if err != nil && hasErrno(err) && !errors.Is(err, syscall.ETIMEDOUT) && !errors.Is(err, syscall.EHOSTDOWN) {
		return nil // an answer, whatever it says
	}
	return err
}
