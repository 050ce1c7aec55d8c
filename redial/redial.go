// Package redial is a connection that is made when it is first needed and made again after it was lost.
//
// A Conn stands in for a provider's connection. Its FileSystem stays the same value for as long as the Conn lives, whatever happens to
// the connection below, so that a mount on it needs no remount after a night's sleep, a change of network or a server's restart.
//
// # Connecting
//
// What needs the server connects first, all callers together in one attempt. After an attempt that failed, callers get its error
// at once (a circuit breaker) until a back-off has passed; the next one then tries again. Refusals that only a person can mend,
// such as a wrong password, are not tried again by themselves: a loop of them would lock the account. Connect always tries.
//
// # Losing
//
// A connection counts as lost when its provider says so (ERROR_NETNAME_DELETED, Conn.Lost) and when operations ran out of time twice in a row
// with no answer between. What was under way then fails at once. An operation that asks only (Stat, ReadDir, Readlink, Statfs,
// ReadAt, an Open that makes nothing) is repeated once on a new connection; any other returns the error, because nobody knows
// whether the server has done it. Before such an other one, a connection that was idle for a while is tried with a Stat, so that a
// laptop that wakes up mostly gets to save.
//
// # Open files
//
// A File that is clean, with nothing written since its last Sync, is opened again by its path when it is next used, and goes on if it is
// provably the same file: by the server's number for it, or else by size and time of change. The path follows renames made
// through this FileSystem. Otherwise the File answers ESTALE. A File with data not yet known to be stable fails with EIO from then on,
// at write, Sync and Close: the server may have lost some of it, and going on would mix old and new.
//
// # Locks and leases
//
// While a File has locks, a new connection is made at once, and they are taken again before anybody uses the File. Where somebody else
// has one of them by then, or the file has changed meanwhile, the File fails with EIO from then on: what its program did under the lock
// may be half of something. What was promised about the file system (wnet.Leaser) ends with each connection.
package redial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Config is what a Conn is made from.
type Config struct {
	// Connect makes the real connection; it is called from one goroutine at a time, but for calls that outlived their context.
	Connect func(ctx context.Context) (wnet.Conn, error)
	// First is a connection that is there already, the Conn's own from now on; nil connects at first use (NP-03, NP-09).
	First wnet.Conn

	User string // what User answers before a connection is there
	Type uint32 // what Type answers before a connection is there; RESOURCETYPE_PRINT makes a Conn without a FileSystem

	ConnectTimeout time.Duration // for one attempt; 0 is 10 s
	OpTimeout      time.Duration // for one operation; 0 is 20 s
	BackoffMin     time.Duration // after the first failure, doubled with each; 0 is 1 s
	BackoffMax     time.Duration // 0 is 30 s

	Now    func() time.Time // the clock of the back-off and of Status; nil is time.Now
	Logger *slog.Logger     // nil for none
}

// Bounds that nobody needs to set.
const (
	slowLimit = 2                // operations in a row without an answer, after which the server counts as dead
	retryWait = 2 * time.Second  // how long an operation waits for an attempt that follows a failed one
	lateGrace = time.Second      // what a Connect may take to notice that its time is over
	closeWait = 2 * time.Second  // how long Close waits for the real connection's
	idleLimit = 15 * time.Second // a connection idle for longer is tried before something that can't be repeated
	flapLimit = 3                // connections in a row that were lost at once, after which the back-off applies
)

// Conn is the connection. Its methods may be called from many goroutines at once.
type Conn struct {
	cfg   Config
	log   *slog.Logger
	fsys  *fileSystem     // nil for a printer
	ctx   context.Context // ends with Close
	end   context.CancelCauseFunc
	lost  chan struct{} // closed by Close
	names *names

	mu      sync.Mutex // guards what follows; never held while the server is asked
	link    *link      // the connection; nil while there is none
	dial    *attempt   // the attempt under way; nil if there is none
	fail    *failure   // why the last attempt failed; nil after a success
	ever    bool       // there has been a connection
	flaps   int        // connections in a row that were lost at once
	since   time.Time  // when link came or went
	why     error      // why link went; nil at first
	warming bool       // Warm's loop runs
	closed  bool
	user    string                    // of the last connection
	kind    uint32                    // of the last connection
	locked  map[*file]struct{}        // files with locks
	breaks  map[*int]func(wnet.Break) // who is told of breaks
}

var _ wnet.Conn = (*Conn)(nil)

// link is one real connection.
type link struct {
	conn wnet.Conn
	fsys wnet.FileSystem
	ctx  context.Context         // ends when the link is dropped; the cause is why
	end  context.CancelCauseFunc // drops
	made time.Time
	act  activity
	stop func() // ends the telling of breaks; nil where there are none
}

// New makes a Conn. It does no I/O.
func New(cfg Config) *Conn {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&cfg.ConnectTimeout, 10*time.Second)
	def(&cfg.OpTimeout, 20*time.Second)
	def(&cfg.BackoffMin, time.Second)
	def(&cfg.BackoffMax, 30*time.Second)
	cfg.BackoffMax = max(cfg.BackoffMax, cfg.BackoffMin)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Conn{cfg: cfg, log: cfg.Logger, lost: make(chan struct{}), names: newNames(), user: cfg.User, kind: cfg.Type}
	c.ctx, c.end = context.WithCancelCause(context.Background())
	c.since = cfg.Now()
	if cfg.Type != win32.RESOURCETYPE_PRINT {
		c.fsys = &fileSystem{c}
	}
	if cfg.First != nil {
		c.mu.Lock()
		c.linkLocked(cfg.First)
		c.mu.Unlock()
	}
	return c
}

// User is the user name that the server knows the connection by, or was last known to; Config.User before the first connection.
func (c *Conn) User() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// Type is the resource's type; Config.Type before the first connection.
func (c *Conn) Type() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kind
}

// FS is the file system, always the same value; nil where Config.Type is RESOURCETYPE_PRINT. It implements every optional interface.
// Where the real one does not, setting the size opens the file, other attributes are ENOTSUP, making links is
// EPERM, Readlink is EINVAL, and all else is ENOTSUP.
//
// While there is no connection, operations fail with an *Error that has the code of the last attempt and unwraps to EHOSTDOWN, or to
// EACCES where the server refused the user. Where the server does not answer in time it is ETIMEDOUT.
func (c *Conn) FS() wnet.FileSystem {
	if c.fsys == nil {
		return nil
	}
	return c.fsys
}

// Lost is closed by Close only: losing the server is not the end of a Conn.
func (c *Conn) Lost() <-chan struct{} { return c.lost }

// Close ends the Conn and what is under way on it, from any goroutine and at once; a real connection that takes its time to close is
// left to itself. What comes later fails with ERROR_NETNAME_DELETED. Files with data that the server has not confirmed say so
// when they are closed. It may be called again and never fails.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed, c.since = true, c.cfg.Now()
	l := c.link
	c.link = nil
	close(c.lost)
	c.mu.Unlock()
	c.end(errClosed)
	if l != nil {
		l.end(errClosed)
		if l.stop != nil {
			l.stop()
		}
		done := make(chan struct{})
		go func() { l.conn.Close(); close(done) }()
		t := time.NewTimer(closeWait)
		defer t.Stop()
		select {
		case <-done:
		case <-t.C:
		}
	}
	return nil
}

var errClosed = errors.New("the connection was closed")

// Status says how the connection is: OK; Disconnected, it connects on use; Connecting or Reconnecting; Unavailable, the last attempt
// failed. Reason is plain words with the time and the cause, Code the last attempt's. It asks no server.
func (c *Conn) Status() wnet.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noticeLocked()
	s := wnet.Status{State: wnet.StateDisconnected, Since: c.since}
	if c.fail != nil {
		s.Reason, s.Code = c.fail.reason(c.cfg.Now()), c.fail.err.Code
	}
	switch {
	case c.closed:
		s.Reason, s.Code = "the connection was closed", win32.ERROR_NETNAME_DELETED
	case c.link != nil:
		s.State, s.Reason, s.Code = wnet.StateOK, "", 0
	case c.dial != nil:
		s.State, s.Since = wnet.StateConnecting, c.dial.began
		if c.ever {
			s.State = wnet.StateReconnecting
		}
	case c.fail != nil:
		s.State, s.Since = wnet.StateUnavailable, c.fail.first
	case c.why != nil:
		s.Code = win32.ERROR_NETNAME_DELETED
		s.Reason = fmt.Sprintf("the connection was lost at %s and is made again on use: %s", clock(c.since, c.cfg.Now()), plain(c.why))
	default:
		s.Reason = "not connected yet; it connects on first use"
	}
	return s
}

// clock is a time as a person reads it: without the day if it is today.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}

// plain is an error's text without the name in front, for where the name is said anyway.
func plain(err error) string {
	var e *wnet.Error
	if errors.As(err, &e) {
		bare := *e
		bare.Name = ""
		return bare.Error()
	}
	return err.Error()
}
