package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/paths"
	"github.com/openwnet/wnet/rpc"
	"github.com/openwnet/wnet/win32"
)

// launch starts a daemon, or waits for the one that another program starts, and connects to it.
func (d *dialer) launch(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.bound, errTooLong)
	defer cancel()
	if err := paths.MakePrivate(d.paths.RuntimeDir); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(d.paths.StartLock(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, failed(err)
	}
	defer lock.Close()
	for {
		// While another program holds the lock, it starts the daemon.
		if err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, failed(err)
		}
		if pause(ctx) != nil {
			return nil, stopped(ctx)
		}
	}
	if conn, err := rpc.DialSocket(ctx, d.paths.Socket); err == nil || !absent(err) {
		return conn, err
	}
	if err := d.spawn(ctx); err != nil {
		return nil, err
	}
	for { // at once, unless the daemon is one that somebody else started just now
		conn, err := rpc.DialSocket(ctx, d.paths.Socket)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
			<-ctx.Done() // a socket's clock may be a little ahead of the context's
			return nil, stopped(ctx)
		case !absent(err):
			return nil, err
		}
		if pause(ctx) != nil {
			return nil, stopped(ctx)
		}
	}
}

var (
	errTooLong = errors.New("it is not ready in time")
	errAtOnce  = errors.New("it ended at once")
)

// stopped is the error for a start that its context ended.
func stopped(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errTooLong) {
		return failed(errTooLong)
	}
	return &wnet.Error{Op: "Dial", Code: win32.ERROR_CANCELLED, Err: ctx.Err()}
}

func failed(err error) *wnet.Error {
	return &wnet.Error{Op: "Dial", Code: win32.ERROR_NO_NETWORK, Err: fmt.Errorf("the wnet daemon could not be started: %w", err),
		Hint: "Run `wnet daemon` to see what it says."}
}

// spawn starts the daemon, in a scope of the user's systemd where there is one, and waits until it is ready.
func (d *dialer) spawn(ctx context.Context) error {
	if scope := userScope(); scope != nil {
		err := d.spawnIn(ctx, scope)
		if err == nil || !errors.Is(err, errAtOnce) || ctx.Err() != nil {
			return err
		}
		// systemd-run could not: no bus, or a manager that is just going.
	}
	return d.spawnIn(ctx, nil)
}

// userScope is the command that puts a program into a scope of its own under the user's systemd, nil where none runs. Left in the scope of
// the logon that happens to call first, the daemon would keep that logon from ending, or be killed with it, and with it the drives
// of the user's other logons; under the user's systemd it is stopped in order after the last logout.
func userScope() []string {
	run := os.Getenv("XDG_RUNTIME_DIR")
	if fi, err := os.Stat(filepath.Join(run, "systemd/private")); run == "" || err != nil || fi.Mode().Type() != os.ModeSocket {
		return nil
	}
	tool, err := exec.LookPath("systemd-run")
	if err != nil {
		return nil
	}
	return []string{tool, "--user", "--scope", "--quiet", "--collect", "--description=Network drives (wnet)", "--"}
}

// spawnIn starts the daemon, by the command scope unless that is nil, in a session of its own (setsid) and waits for its line.
func (d *dialer) spawnIn(ctx context.Context, scope []string) error {
	program, err := d.find()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d.paths.StateDir, 0o700); err != nil {
		return failed(err)
	}
	log, err := os.OpenFile(d.paths.Log(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return failed(err)
	}
	defer log.Close()
	from, _ := log.Seek(0, io.SeekEnd)
	r, w, err := os.Pipe()
	if err != nil {
		return failed(err)
	}
	defer r.Close()
	args := append(slices.Clone(scope), program, "daemon")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{w} // descriptor 3
	cmd.Env = append(environment(os.Environ()), paths.EnvReady+"=3", paths.EnvLog+"="+d.paths.Log(), paths.EnvSocket+"="+d.paths.Socket)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return failed(err)
	}
	go cmd.Wait() // so that a program that outlives the daemon keeps no dead process; it ends with the daemon
	stop := context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Now()) })
	defer stop()
	line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	switch line = strings.TrimSpace(line); {
	case line == paths.Ready || line == paths.Running:
		return nil
	case line != "":
		e := failed(errors.New(line))
		e.Hint = "Its log is " + d.paths.Log() + "."
		return e
	case errors.Is(err, os.ErrDeadlineExceeded):
		return stopped(ctx)
	}
	e := failed(errAtOnce)
	if said := lastLine(d.paths.Log(), from); said != "" {
		e = failed(fmt.Errorf("%w: %s", errAtOnce, said))
	}
	e.Hint = "Its log is " + d.paths.Log() + "."
	return e
}

// find tells which program is the daemon.
func (d *dialer) find() (string, error) {
	if d.program != "" {
		p, err := filepath.Abs(d.program)
		if err != nil {
			return "", failed(err)
		}
		return p, nil
	}
	if self, err := os.Executable(); err == nil && filepath.Base(self) == "wnet" {
		return self, nil
	}
	p, err := exec.LookPath("wnet")
	if err == nil {
		p, err = filepath.Abs(p)
	}
	if err != nil {
		e := failed(errors.New("the program wnet is not in PATH"))
		e.Hint = "Install wnet, or start it with `wnet daemon` yourself."
		return "", e
	}
	return p, nil
}

// environment is what a daemon gets of env: what it needs to find its user's files and services, and nothing that a caller may keep to
// itself, such as a token or a password.
func environment(env []string) []string {
	keep := []string{
		"HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR",
		"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_STATE_HOME", "XDG_CACHE_HOME",
		"DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "KRB5CCNAME", "KRB5_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR",
		paths.EnvRoot, paths.EnvDebug,
		"GORACE", "GOCOVERDIR", "GOTRACEBACK", // Go's own, for who looks into wnet
	}
	var kept []string
	for _, e := range env {
		if k, _, _ := strings.Cut(e, "="); slices.Contains(keep, k) || strings.HasPrefix(k, "LC_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// lastLine is the last thing that was written to the file behind from, "" if nothing.
func lastLine(file string, from int64) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return ""
	}
	b, _ := io.ReadAll(io.LimitReader(f, 64<<10))
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.ToValidUTF8(lines[len(lines)-1], "\uFFFD")
}
