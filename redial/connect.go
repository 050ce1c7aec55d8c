package redial

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// attempt is one call of Config.Connect, shared by all that wait for it. link and err are set before done is closed.
type attempt struct {
	began time.Time
	done  chan struct{}
	link  *link
	err   *wnet.Error
}

// failure is what a run of failed attempts leaves. It is never changed once made.
type failure struct {
	err   *wnet.Error
	first time.Time // since when there has been no connection
	last  time.Time // when it was last tried
	count int       // failures in a row
	next  time.Time // when the next use may try again
	final bool      // only an explicit Connect tries again
}

// Final reports whether trying again without a person's doing would be wrong: each try may count against the account.
func Final(code win32.Code) bool {
	switch code {
	case win32.ERROR_LOGON_FAILURE, win32.ERROR_INVALID_PASSWORD, win32.ERROR_ACCESS_DENIED, win32.ERROR_NETWORK_ACCESS_DENIED,
		win32.ERROR_MUTUAL_AUTH_FAILED, win32.ERROR_BAD_USERNAME, win32.ERROR_ACCOUNT_RESTRICTION, win32.ERROR_ACCOUNT_DISABLED,
		win32.ERROR_PASSWORD_EXPIRED, win32.ERROR_INVALID_LOGON_HOURS, win32.ERROR_INVALID_WORKSTATION,
		win32.ERROR_LOGIN_TIME_RESTRICTION, win32.ERROR_LOGIN_WKSTA_RESTRICTION, win32.ERROR_NOT_AUTHENTICATED,
		win32.ERROR_SESSION_CREDENTIAL_CONFLICT:
		return true
	}
	return false
}

// reason is the failure in plain words.
func (f *failure) reason(now time.Time) string {
	s := "no connection since " + clock(f.first, now)
	if f.count > 1 {
		s += ", last tried at " + clock(f.last, now)
	}
	s += ": " + plain(f.err)
	if f.final {
		s = strings.TrimSuffix(s, ".") + ". It is not tried again by itself."
	}
	return s
}

// refusal is what an operation gets without a connection. It carries an errno of its own, and hides the attempt's context errors: the
// caller's context has not ended.
type refusal struct {
	text  string
	errno syscall.Errno
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.errno }

// refuse makes the failure an operation's error.
func (f *failure) refuse(now time.Time) error {
	e := *f.err
	r := &refusal{text: "no connection since " + clock(f.first, now), errno: syscall.EHOSTDOWN}
	if f.final {
		r.errno = syscall.EACCES
	}
	if e.Err != nil {
		r.text += ": " + e.Err.Error()
	}
	e.Err = r
	return &e
}

// closedError is what everything gets after Close.
func closedError() error {
	return &wnet.Error{Code: win32.ERROR_NETNAME_DELETED, Err: errClosed}
}

// Connect connects now if there is no connection, whatever the back-off says and whatever the last refusal was. The error is the
// provider's, ERROR_CANCELLED where ctx ended first, ERROR_NETNAME_DELETED after Close.
func (c *Conn) Connect(ctx context.Context) error {
	for {
		c.mu.Lock()
		c.noticeLocked()
		switch {
		case c.closed:
			c.mu.Unlock()
			return closedError()
		case c.link != nil:
			c.mu.Unlock()
			return nil
		}
		joined := c.dial != nil
		a := c.attemptLocked()
		c.mu.Unlock()
		select {
		case <-a.done:
		case <-ctx.Done():
			return &wnet.Error{Op: "Connect", Code: win32.ERROR_CANCELLED, Err: ctx.Err()}
		case <-c.ctx.Done():
			return closedError()
		}
		switch {
		case a.err == nil:
			return nil
		case joined && Final(a.err.Code):
			continue // that attempt began before the call: the person may just have mended what it was refused for
		}
		return a.err
	}
}

// Warm connects in the background if there is no connection, again and again with the back-off between, until it succeeds, the server
// refuses the user (see the package comment), or Close. There is at most one such loop.
func (c *Conn) Warm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.warming || c.link != nil {
		return
	}
	c.warming = true
	go c.warm()
}

func (c *Conn) warm() {
	for {
		c.mu.Lock()
		c.noticeLocked()
		if c.closed || c.link != nil || c.fail != nil && c.fail.final && c.dial == nil {
			c.warming = false
			c.mu.Unlock()
			return
		}
		var wait time.Duration
		var a *attempt
		if c.dial == nil && c.fail != nil {
			wait = c.fail.next.Sub(c.cfg.Now())
		}
		if wait <= 0 {
			a = c.attemptLocked()
		}
		c.mu.Unlock()
		if a != nil {
			select {
			case <-a.done:
			case <-c.ctx.Done():
			}
			continue
		}
		// A little at random on top, so that a fleet does not come back to a server in one instant.
		t := time.NewTimer(wait + time.Duration(rand.Int64N(int64(wait)/8+1)))
		select {
		case <-t.C:
		case <-c.ctx.Done():
			t.Stop()
		}
	}
}

// use returns the connection, making it if need be and allowed.
func (c *Conn) use(ctx context.Context) (*link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.noticeLocked()
	if c.closed {
		c.mu.Unlock()
		return nil, closedError()
	}
	if l := c.link; l != nil {
		c.mu.Unlock()
		return l, nil
	}
	now, f := c.cfg.Now(), c.fail
	if c.dial == nil && f != nil && (f.final || now.Before(f.next)) {
		c.mu.Unlock()
		return nil, f.refuse(now)
	}
	a := c.attemptLocked()
	c.mu.Unlock()

	// The first attempt may take its time. When a server was found dead, trying it again shall not hold everybody up once more: the
	// attempt goes on, and they have the last answer.
	var enough <-chan time.Time
	if f != nil {
		t := time.NewTimer(retryWait)
		defer t.Stop()
		enough = t.C
	}
	select {
	case <-a.done:
	case <-enough:
		return nil, f.refuse(now)
	case <-ctx.Done():
		return nil, fmt.Errorf("while the connection was made: %w", ctx.Err())
	case <-c.ctx.Done():
		return nil, closedError()
	}
	if a.err != nil {
		c.mu.Lock()
		f, closed := c.fail, c.closed
		c.mu.Unlock()
		if closed {
			return nil, closedError()
		}
		if f == nil { // connected by somebody else since
			f = &failure{err: a.err, first: a.began, final: Final(a.err.Code)}
		}
		return nil, f.refuse(c.cfg.Now())
	}
	return a.link, nil
}

// attemptLocked returns the attempt under way, starting one if there is none. The caller holds mu, and has found the Conn neither
// closed nor connected.
func (c *Conn) attemptLocked() *attempt {
	if c.dial == nil {
		c.dial = &attempt{began: c.cfg.Now(), done: make(chan struct{})}
		go c.run(c.dial)
	}
	return c.dial
}

var errNoAnswer = errors.New("the server did not answer in time")

// run carries out an attempt. It is the Conn's own and not bound to who asked first: others wait for it too.
func (c *Conn) run(a *attempt) {
	ctx, cancel := context.WithTimeoutCause(c.ctx, c.cfg.ConnectTimeout, errNoAnswer)
	defer cancel()
	type result struct {
		conn wnet.Conn
		err  error
	}
	came := make(chan result, 1)
	go func() {
		conn, err := c.cfg.Connect(ctx)
		came <- result{conn, err}
	}()
	var r result
	select {
	case r = <-came:
	case <-ctx.Done():
		late := time.NewTimer(lateGrace)
		defer late.Stop()
		select {
		case r = <-came:
		case <-late.C:
			r.err = context.Cause(ctx)
			go func() { // it does not heed its context: nobody waits for it, and nothing that it brings stays behind
				if r := <-came; r.conn != nil {
					r.conn.Close()
				}
			}()
		}
	}
	if r.err == nil && r.conn == nil {
		r.err = errors.New("the provider gave no connection")
	}
	c.mu.Lock()
	c.dial = nil
	switch {
	case c.closed:
		a.err = closedError().(*wnet.Error)
		if r.conn != nil {
			go r.conn.Close()
		}
	case r.err != nil:
		a.err = c.attemptError(ctx, r.err)
		c.failLocked(a.err)
	default:
		a.link = c.linkLocked(r.conn)
	}
	close(a.done)
	c.mu.Unlock()
}

// attemptError gives what Connect returned a code. A server that took too long is ERROR_BAD_NETPATH: nobody cancelled anything.
func (c *Conn) attemptError(ctx context.Context, err error) *wnet.Error {
	code := wnet.CodeOf(err)
	ended := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, errNoAnswer)
	if ended && context.Cause(ctx) == errNoAnswer && (code == win32.ERROR_CANCELLED || code == win32.ERROR_EXTENDED_ERROR) {
		return &wnet.Error{Op: "Connect", Code: win32.ERROR_BAD_NETPATH,
			Err: fmt.Errorf("the server did not answer within %v", c.cfg.ConnectTimeout)}
	}
	var e *wnet.Error
	errors.As(wnet.AsError("Connect", "", err), &e)
	return e
}

// failLocked notes a failed attempt, or a connection that was no good. The caller holds mu.
func (c *Conn) failLocked(err *wnet.Error) {
	now := c.cfg.Now()
	f := &failure{err: err, first: now, last: now, count: 1, final: Final(err.Code)}
	if c.fail != nil {
		f.first, f.count = c.fail.first, c.fail.count+1
	} else if c.why != nil {
		f.first = c.since
	}
	f.next = now.Add(c.backoff(f.count))
	c.fail = f
	c.log.Info("no connection", "cause", err, "attempts", f.count, "final", f.final)
}

// backoff is the time to wait after the given number of failures in a row.
func (c *Conn) backoff(count int) time.Duration {
	d := c.cfg.BackoffMin
	for ; count > 1 && d < c.cfg.BackoffMax; count-- {
		d *= 2
	}
	return min(d, c.cfg.BackoffMax)
}

// linkLocked puts a new connection to use and watches it. The caller holds mu.
func (c *Conn) linkLocked(conn wnet.Conn) *link {
	l := &link{conn: conn, fsys: conn.FS(), made: c.cfg.Now()}
	l.ctx, l.end = context.WithCancelCause(context.Background())
	l.act.answered(l.made)
	c.link, c.fail, c.why, c.ever, c.since = l, nil, nil, true, l.made
	c.user, c.kind = conn.User(), conn.Type()
	if p, ok := l.fsys.(wnet.Leaser); ok {
		l.stop = p.OnBreak(c.tell)
	}
	for f := range c.locked {
		go f.reclaim(l)
	}
	go func() {
		select {
		case <-conn.Lost():
			c.drop(l, errLost, nil)
		case <-l.ctx.Done():
		}
	}()
	c.log.Debug("connected", "user", c.user)
	return l
}

var errLost = errors.New("the server has ended the connection, or no longer answers")

// noticeLocked drops a connection that is lost and that nobody has seen to yet. The caller holds mu.
func (c *Conn) noticeLocked() {
	if l := c.link; l != nil {
		select {
		case <-l.conn.Lost():
			c.dropLocked(l, errLost, nil)
		default:
		}
	}
}

// drop takes a lost connection out of use: what is under way on it ends, and the next use makes a new one, or fails with fail, if that is
// not nil, until the back-off has passed.
func (c *Conn) drop(l *link, why error, fail *wnet.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropLocked(l, why, fail)
}

func (c *Conn) dropLocked(l *link, why error, fail *wnet.Error) {
	if c.link != l {
		return
	}
	now := c.cfg.Now()
	c.link, c.since, c.why = nil, now, why
	l.end(why)
	go l.conn.Close()
	c.log.Info("the connection was lost", "cause", why)
	if l.stop != nil {
		go func() {
			l.stop()
			c.tell(wnet.Break{All: true})
		}()
	}
	if len(c.locked) > 0 {
		go c.Warm()
	}
	// A server that takes connections and drops them at once is no better than one that refuses them.
	if now.Sub(l.made) < c.cfg.BackoffMin {
		c.flaps++
	} else {
		c.flaps = 0
	}
	if fail == nil && c.flaps > flapLimit {
		fail = &wnet.Error{Code: win32.ERROR_NETNAME_DELETED, Err: fmt.Errorf("the connection is lost again and again: %w", why)}
	}
	if fail != nil {
		c.failLocked(fail)
	}
}
