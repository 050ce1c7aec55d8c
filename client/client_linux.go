package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/paths"
	"github.com/openwnet/wnet/rpc"
	"github.com/openwnet/wnet/win32"
)

// EnvToken is the environment variable with the token of `wnet session run`.
const EnvToken = "WNET_SESSION"

const (
	answerBound = 10 * time.Second // for a daemon that is connected to, to say who it is
	startBound  = 30 * time.Second // for a daemon to be started, by us or by another program
	retryEvery  = 10 * time.Millisecond
)

// Client is a connection to a daemon. It may be used from many goroutines at once. If the daemon ends, the next call starts another
// one, unless Options.NoStart forbids it.
type Client struct {
	*rpc.Client
	paths paths.Paths
}

var (
	_ wnet.Service  = (*Client)(nil)
	_ wnet.Sessions = (*Client)(nil)
)

// Paths tells where the daemon's files are.
func (c *Client) Paths() paths.Paths { return c.paths }

// Dial connects to the daemon, starting it if it is absent, and makes sure that it answers and speaks this program's protocol. A
// hundred programs that do so at once start one daemon.
//
// Errors: ERROR_NO_NETWORK if no daemon runs and none can be started, or if it does not answer within ten seconds (the hint says what
// to do), ERROR_ACCESS_DENIED if the private folder or the socket is another user's, ERROR_NOT_SUPPORTED for a daemon of
// another protocol, ERROR_CANCELLED when ctx ends.
func Dial(ctx context.Context, opt Options) (*Client, error) {
	p, err := places(opt)
	if err != nil {
		return nil, err
	}
	if t := os.Getenv(EnvToken); t != "" && !opt.Token.Present() {
		opt.Token = wnet.NewSecret(t)
	}
	if opt.answer == 0 {
		opt.answer, opt.ready = answerBound, startBound
	}
	d := &dialer{paths: p, start: !opt.NoStart, program: opt.Program, bound: opt.ready}
	c := &Client{Client: rpc.NewClient(d.next, opt.Token), paths: p}
	for end := time.Now().Add(opt.ready); ; {
		err = d.first(ctx)
		if err == nil {
			err = c.hello(ctx, opt.answer)
		}
		// A daemon that is just going takes the connection along; Version may be asked again.
		if !errors.Is(err, win32.ERROR_UNEXP_NET_ERR) || time.Now().After(end) {
			break
		}
		if err = pause(ctx); err != nil {
			break
		}
	}
	if err != nil {
		c.Close()
		d.drop()
		return nil, wnet.AsError("Dial", "", err)
	}
	return c, nil
}

// places tells where the daemon of opt is.
func places(opt Options) (paths.Paths, error) {
	p, err := paths.Find()
	if err != nil || opt.Socket == "" {
		return p, err
	}
	socket, err := filepath.Abs(opt.Socket)
	if err != nil {
		return p, wnet.AsError("Dial", opt.Socket, err)
	}
	return p.At(socket), nil
}

// hello asks the daemon who it is, within a bound.
func (c *Client) hello(ctx context.Context, limit time.Duration) error {
	bound, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := c.Version(bound)
	if err != nil && bound.Err() != nil && ctx.Err() == nil {
		e := &wnet.Error{Op: "Dial", Code: win32.ERROR_NO_NETWORK, Err: fmt.Errorf("the wnet daemon does not answer within %v", limit),
			Hint: "Its log is " + c.paths.Log() + "."}
		if pid := lockHolder(c.paths); pid != 0 {
			e.Err = fmt.Errorf("the wnet daemon (pid %d) does not answer within %v", pid, limit)
			e.Hint = fmt.Sprintf("Its log is %s. End it with `kill -9 %d`; the next command starts it anew, with its connections.", c.paths.Log(), pid)
		}
		return e
	}
	return err
}

// lockHolder reads the number of the process that says it is the daemon, 0 if none does.
func lockHolder(p paths.Paths) int {
	b, err := os.ReadFile(p.DaemonLock())
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	pid, _ := strconv.Atoi(first)
	return pid
}

// pause waits a little, or until ctx ends.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return &wnet.Error{Op: "Dial", Code: win32.ERROR_CANCELLED, Err: ctx.Err()}
	case <-time.After(retryEvery):
		return nil
	}
}

// Stop ends a daemon that runs, or waits for one that is stopping, and returns when it is gone: what was written has reached the servers by
// then, or was kept aside. It starts none; false without an error means that none ran. ctx bounds the wait, not the stopping.
func Stop(ctx context.Context, opt Options) (bool, error) {
	opt.NoStart = true
	for ran := false; ; ran = true {
		c, err := Dial(ctx, opt)
		if err == nil {
			defer c.Close()
			return true, c.stop(ctx)
		}
		if !errors.Is(err, win32.ERROR_NO_NETWORK) || !absent(err) {
			return ran, err
		}
		p, err := places(opt)
		if err != nil {
			return ran, err
		}
		if !locked(p) {
			return ran, nil
		}
		if pause(ctx) != nil { // it is just going, or just coming
			pid := lockHolder(p)
			return true, &wnet.Error{Op: "Shutdown", Code: win32.ERROR_CANCELLED, Hint: fmt.Sprintf("`kill %d` stops it too.", pid),
				Err: fmt.Errorf("the wnet daemon (pid %d) takes no calls and is still there: %w", pid, ctx.Err())}
		}
	}
}

// stop asks the daemon to go and waits for the end of its process.
func (c *Client) stop(ctx context.Context) error {
	v, err := c.Version(ctx)
	if err != nil {
		return err
	}
	// The descriptor is taken before the daemon is asked to go, so that the number can't be another process's by then.
	pidfd, err := unix.PidfdOpen(v.PID, 0)
	if err != nil {
		return &wnet.Error{Op: "Shutdown", Code: win32.ERROR_GEN_FAILURE, Err: fmt.Errorf("the daemon's process %d can't be watched: %w", v.PID, err)}
	}
	defer unix.Close(pidfd)
	if err := c.Shutdown(ctx); err != nil {
		return err
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(retryEvery/time.Millisecond))
		if err == nil && n > 0 {
			return nil
		}
		if ctx.Err() != nil {
			return &wnet.Error{Op: "Shutdown", Code: win32.ERROR_CANCELLED, Err: fmt.Errorf("the wnet daemon (pid %d) is still stopping: %w", v.PID, ctx.Err())}
		}
	}
}

// locked reports whether a daemon lives, whether it takes calls or not.
func locked(p paths.Paths) bool {
	f, err := os.Open(p.DaemonLock())
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// dialer makes the socket connections of one Client.
type dialer struct {
	paths   paths.Paths
	start   bool
	program string
	bound   time.Duration // for a start

	mu   sync.Mutex // guards kept
	kept net.Conn   // the connection that Dial made, for the first call
}

// first connects, so that starting a daemon does not count against the time it has to answer.
func (d *dialer) first(ctx context.Context) error {
	conn, err := d.connect(ctx)
	if err != nil {
		return err
	}
	d.drop()
	d.mu.Lock()
	d.kept = conn
	d.mu.Unlock()
	return nil
}

// drop closes the connection of first if no call took it.
func (d *dialer) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept != nil {
		d.kept.Close()
		d.kept = nil
	}
}

// next is what the client's calls connect by.
func (d *dialer) next(ctx context.Context) (net.Conn, error) {
	d.mu.Lock()
	conn := d.kept
	d.kept = nil
	d.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	return d.connect(ctx)
}

// connect connects to the daemon, and starts one if there is none.
func (d *dialer) connect(ctx context.Context) (net.Conn, error) {
	conn, err := rpc.DialSocket(ctx, d.paths.Socket)
	if err == nil || !d.start || !absent(err) {
		return conn, err
	}
	return d.launch(ctx)
}

// absent reports whether err of DialSocket means that nobody listens.
func absent(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ECONNREFUSED)
}
