package sftp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/meter"
	"github.com/openwnet/wnet/win32"
)

// maxCalls bounds the requests under way on a connection, those included that were abandoned by a caller whose context ended: a server
// that keeps the line alive and answers nothing must not gather goroutines.
const maxCalls = 256

// liveConn is a TCP connection that knows when it last heard of the other side, and how that began.
type liveConn struct {
	net.Conn
	begin time.Time
	due   time.Time    // when the handshake has to be over
	heard atomic.Int64 // time.Duration from begin to the last byte read

	mu   sync.Mutex // guards head
	head []byte     // the first bytes read, at most headSize
}

const headSize = 1024

// newLiveConn gives the handshake its bound; the deadline is the caller's to take away.
func newLiveConn(c net.Conn, handshake time.Duration) *liveConn {
	l := &liveConn{Conn: c, begin: time.Now()}
	l.due = l.begin.Add(handshake)
	l.SetDeadline(l.due)
	return l
}

// overdue reports whether the handshake has taken too long.
func (c *liveConn) overdue() bool { return !time.Now().Before(c.due) }

func (c *liveConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(int64(time.Since(c.begin)))
		c.mu.Lock()
		if room := headSize - len(c.head); room > 0 {
			c.head = append(c.head, p[:min(n, room)]...)
		}
		c.mu.Unlock()
	}
	return n, err
}

// quiet is how long nothing has come.
func (c *liveConn) quiet() time.Duration { return time.Since(c.begin) - time.Duration(c.heard.Load()) }

// silent reports whether nothing came ever.
func (c *liveConn) silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.head) == 0
}

// sshServer reports whether the first lines hold an SSH server's (RFC 4253, 4.2: it may say other lines before).
func (c *liveConn) sshServer() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.HasPrefix(c.head, []byte("SSH-2.0-")) || bytes.Contains(c.head, []byte("\nSSH-2.0-"))
}

// conn is one connection.
type conn struct {
	user  string
	top   string // absolute path of the folder on the server; set before the connection is handed out
	times Timeouts
	net   *liveConn
	ssh   *ssh.Client
	ftp   *sftp.Client
	big   bool // the server reads in one piece what fits a packet
	fs    *fileSystem

	writeThrough bool    // CONNECT_WRITE_THROUGH_SEMANTICS: a write is on the server's disk when it returns
	buffers      buffers // of requests under way
	meter        meter.Meter

	slots chan struct{}  // one a call under way
	done  chan struct{}  // closed when the connection has ended, however
	lost  chan struct{}  // closed when it ended by itself
	wg    sync.WaitGroup // watchers and calls

	mu    sync.Mutex // guards ended and cause, and wg.Add against wg.Wait
	ended bool
	cause error // why it ended by itself, nil after Close
}

var _ wnet.Conn = (*conn)(nil)

func newConn(p *Provider, t *target, nc *liveConn, client *ssh.Client, ftp *sftp.Client) *conn {
	c := &conn{
		user: t.user, times: p.cfg.Timeouts, net: nc, ssh: client, ftp: ftp,
		slots: make(chan struct{}, maxCalls), done: make(chan struct{}), lost: make(chan struct{}),
	}
	_, c.big = ftp.HasExtension("limits@openssh.com")
	c.fs = newFileSystem(c)
	return c
}

// start begins to watch the connection.
func (c *conn) start() {
	for _, watch := range []func(){
		func() { c.end(fmt.Errorf("the server ended the connection: %w", orUnknown(c.ssh.Wait()))) },
		func() { c.end(fmt.Errorf("the server's SFTP ended: %w", orUnknown(c.ftp.Wait()))) },
		c.keepAlive,
	} {
		if c.begin() == nil {
			go func() {
				defer c.wg.Done()
				watch()
			}()
		}
	}
}

func orUnknown(err error) error {
	if err == nil {
		return errors.New("no reason given")
	}
	return err
}

// keepAlive asks the server now and then whether it is there. Any byte from it is an answer, so that a long transfer ahead of the reply
// is not taken for death.
func (c *conn) keepAlive() {
	tick := time.NewTicker(min(c.times.KeepAlive, c.times.Dead))
	defer tick.Stop()
	var answer chan error
	for {
		select {
		case <-c.done:
			return
		case err := <-answer:
			answer = nil
			if err != nil {
				return // the watcher of the connection knows more
			}
		case <-tick.C:
			switch quiet := c.net.quiet(); {
			case answer == nil && quiet >= c.times.KeepAlive/2:
				// The request has a goroutine of its own: it may block in a write, and ends with the connection.
				if c.begin() != nil {
					return
				}
				ch := make(chan error, 1)
				answer = ch
				go func() {
					defer c.wg.Done()
					_, _, err := c.ssh.SendRequest("keepalive@openssh.com", true, nil)
					ch <- err
				}()
			case answer != nil && quiet >= c.times.Dead:
				c.end(fmt.Errorf("the server has not answered for %v", quiet.Round(time.Millisecond)))
				return
			}
		}
	}
}

// begin counts one goroutine of the connection, unless the connection has ended.
func (c *conn) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return c.gone()
	}
	c.wg.Add(1)
	return nil
}

// gone is the error of a connection that has ended. c.mu is held.
func (c *conn) gone() error {
	cause := c.cause
	if cause == nil {
		cause = net.ErrClosed
	}
	return &wnet.Error{Provider: Name, Code: win32.ERROR_NETNAME_DELETED, Err: cause}
}

func (c *conn) errGone() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone()
}

// end takes the connection down; cause nil is Close. Only the first one counts. It closes the TCP connection before all else, so that
// whatever waits for the server wakes up, and never waits for the server itself.
func (c *conn) end(cause error) {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended, c.cause = true, cause
	c.mu.Unlock()
	close(c.done)
	if cause != nil {
		close(c.lost)
	}
	c.net.Close()
	c.ssh.Close()
}

// Close ends the connection and waits until nothing of it runs.
func (c *conn) Close() error {
	c.end(nil)
	c.ftp.Close()
	c.wg.Wait()
	return nil
}

// User is the account on the server.
func (c *conn) User() string { return c.user }

// Type is RESOURCETYPE_DISK.
func (c *conn) Type() uint32 { return win32.RESOURCETYPE_DISK }

// FS is the folder.
func (c *conn) FS() wnet.FileSystem { return c.fs }

// Lost is closed when the server has ended the connection or has not answered for Timeouts.Dead.
func (c *conn) Lost() <-chan struct{} { return c.lost }

// call runs fn, which waits for the server, until it returns or ctx or the connection ends. pkg/sftp takes no contexts: where the caller
// leaves first, fn goes on in its own goroutine until the server answers or the connection ends, and what it then returns goes to drop
// (nil for what needs no care). fn must not touch what belongs to the caller.
func call[T any](ctx context.Context, c *conn, fn func() (T, error), drop func(T)) (T, error) {
	var zero T
	select {
	case <-c.done:
		return zero, c.errGone()
	default:
	}
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return zero, ctx.Err()
	case <-c.done:
		return zero, c.errGone()
	}
	if err := c.begin(); err != nil {
		<-c.slots
		return zero, err
	}
	type result struct {
		v   T
		err error
	}
	ch := make(chan result, 1)
	var settled atomic.Bool // set by whichever comes first, the answer or the caller's leaving
	go func() {
		defer c.wg.Done()
		defer func() { <-c.slots }()
		v, err := fn()
		if settled.CompareAndSwap(false, true) {
			ch <- result{v, err}
		} else if err == nil && drop != nil {
			drop(v)
		}
	}()
	var r result
	select {
	case r = <-ch:
	case <-ctx.Done():
		if settled.CompareAndSwap(false, true) {
			return zero, ctx.Err()
		}
		r = <-ch
	case <-c.done:
		if settled.CompareAndSwap(false, true) {
			return zero, c.errGone()
		}
		r = <-ch
	}
	return r.v, c.check(r.err)
}

// check passes an error of the server on, and turns one of the line into ERROR_NETNAME_DELETED: the watchers may not have seen it yet.
func (c *conn) check(err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-c.done:
		return c.errGone()
	default:
	}
	var op *net.OpError
	// A bare io.EOF is a status of the protocol, the end of a file; inside another error it is the end of the line.
	if errors.Is(err, sftp.ErrSSHFxConnectionLost) || errors.As(err, &op) || !isEnd(err) && errors.Is(err, io.EOF) {
		c.end(fmt.Errorf("the server's SFTP ended: %w", err))
		return c.errGone()
	}
	return err
}
