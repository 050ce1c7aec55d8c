package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/client"
	"github.com/openwnet/wnet/rpc"
	"github.com/openwnet/wnet/rpc/servicetest"
	"github.com/openwnet/wnet/win32"
)

// TestHundredFirstCalls: a hundred programs that call at once start one daemon.
func TestHundredFirstCalls(t *testing.T) {
	h := newHouse(t)
	const n = 100
	pids := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			c, err := client.Dial(t.Context(), client.Options{Program: h.program})
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			v, err := c.Version(t.Context())
			if err != nil {
				t.Error(err)
			}
			pids[i] = v.PID
		})
	}
	wg.Wait()
	for _, pid := range pids {
		if pid != pids[0] || pid == 0 {
			t.Fatalf("several daemons: %v", pids)
		}
	}
	if n := h.ready(); n != 1 {
		t.Errorf("%d daemons were ready, want 1", n)
	}
}

// TestDetached looks at the daemon's process: what a call leaves behind must not hold or know anything of its caller.
func TestDetached(t *testing.T) {
	h := newHouse(t)
	t.Setenv("SOME_PASSWORD", "sesame")
	t.Setenv("WNET_READY_FD", "99")
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], 0); err != nil { // inherited, as a shell's pipe would be
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	c, err := client.Dial(t.Context(), client.Options{Program: h.program})
	unix.Close(pipe[1])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	proc := fmt.Sprintf("/proc/%d/", h.pid(c))
	if n, err := unix.Read(pipe[0], make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("the pipe: got %d, %v, want its end: the daemon holds it", n, err)
	}
	env, err := os.ReadFile(proc + "environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range strings.Split(string(env), "\x00") {
		k, _, _ := strings.Cut(e, "=")
		switch {
		case k == "", strings.HasPrefix(k, "XDG_"), strings.HasPrefix(k, "LC_"), strings.HasPrefix(k, "SSL_CERT_"):
		case k == "HOME", k == "PATH", k == "USER", k == "LOGNAME", k == "SHELL", k == "LANG", k == "TZ", k == "TMPDIR":
		case k == "DBUS_SESSION_BUS_ADDRESS", k == "SSH_AUTH_SOCK", k == "KRB5CCNAME", k == "WNET_ROOT", k == "WNET_SOCKET", k == "WNET_LOG", k == "WNET_DEBUG":
		case e == "WNET_READY_FD=3", strings.HasPrefix(k, "GO"):
		default:
			t.Errorf("the daemon knows %s", k)
		}
	}
	if dir, err := os.Readlink(proc + "cwd"); dir != "/" {
		t.Errorf("working directory: got %q, %v", dir, err)
	}
	if sid, err := unix.Getsid(h.pid(c)); err != nil || sid != h.pid(c) {
		t.Errorf("session: got %d, %v, want its own, %d", sid, err, h.pid(c))
	}
	if fd0, err := os.Readlink(proc + "fd/0"); fd0 != "/dev/null" {
		t.Errorf("standard input: got %q, %v", fd0, err)
	}
	for path, mode := range map[string]os.FileMode{h.paths.RuntimeDir: 0o700, h.paths.Socket: 0o600, h.paths.Log(): 0o600} {
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != mode {
			t.Errorf("%s: got %v, %v, want mode %o", path, fi.Mode(), err, mode)
		}
	}
}

// TestSecondDaemon: it ends with a sentence and harms nothing.
func TestSecondDaemon(t *testing.T) {
	h := newHouse(t)
	c := h.dial()
	p := h.run(nil)
	if code := p.exit(); code != 1 || !strings.Contains(p.out.String(), fmt.Sprintf("the wnet daemon runs already (pid %d)", h.pid(c))) {
		t.Errorf("got status %d: %s", code, p.out)
	}
	if _, err := c.Health(t.Context()); err != nil {
		t.Error(err)
	}
	// The socket's file is gone, but not the daemon: nobody may take its place.
	if err := os.Remove(h.paths.Socket); err != nil {
		t.Fatal(err)
	}
	if p := h.run(nil); p.exit() != 1 {
		t.Errorf("got %s", p.out)
	}
	h.kill(h.pid(c), syscall.SIGTERM)
}

// TestSignals: SIGTERM, SIGINT and SIGHUP stop the daemon in order, with status 0, and nothing is left but what is remembered.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			h := newHouse(t)
			p := h.run(nil)
			h.eventually("the daemon is ready", func() bool { return strings.Contains(p.out.String(), "msg=ready") })
			c := h.dial()
			if h.pid(c) != p.Process.Pid {
				t.Fatal("another daemon answers")
			}
			h.add(c, "Z:", 0, win32.CONNECT_UPDATE_PROFILE)
			h.add(c, "Y:", 1, 0)
			if err := os.WriteFile(filepath.Join(h.paths.MountRoot, "Z", "file"), []byte("hello"), 0o600); err != nil {
				t.Fatal(err)
			}
			if len(h.mounts()) != 2 {
				t.Errorf("mounts: got %v", h.mounts())
			}
			p.Process.Signal(sig)
			if code := p.exit(); code != 0 {
				t.Errorf("status %d: %s", code, p.out)
			}
			if _, err := os.Lstat(h.paths.Socket); err == nil {
				t.Error("the socket is left")
			}
			if left := h.mounts(); len(left) != 0 {
				t.Errorf("mounts are left: %v", left)
			}
			if strings.Contains(p.out.String(), "DATA RACE") || strings.Contains(p.out.String(), "sesame") {
				t.Error(p.out)
			}
			// The client that is still there calls, and a new daemon answers, with what is remembered.
			h.eventually("Z: is back", func() bool {
				_, err := c.GetConnection(t.Context(), "Z:")
				return err == nil
			})
			if _, err := c.GetConnection(t.Context(), "Y:"); !errors.Is(err, win32.ERROR_NOT_CONNECTED) {
				t.Errorf("Y:, which was not remembered: got %v", err)
			}
		})
	}
}

// TestKilled: after kill -9, the next call finds every connection again, the remembered and the other, and no dead mount.
func TestKilled(t *testing.T) {
	h := newHouse(t)
	c := h.dial()
	for i, device := range []string{"Z:", "Y:", ""} { // without passwords: one that is not saved is gone with the daemon
		err := c.AddConnection(t.Context(), wnet.AddRequest{LocalName: device, RemoteName: fmt.Sprintf(`\\nas\open%d`, i),
			Type: win32.RESOURCETYPE_DISK, Flags: []uint32{win32.CONNECT_UPDATE_PROFILE, 0, 0}[i]})
		if err != nil {
			t.Fatal(err)
		}
	}
	s, token, err := c.CreateSession(t.Context(), os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	mounts := len(h.mounts())
	for round := range 3 {
		old := h.pid(c)
		h.kill(old, syscall.SIGKILL)
		if _, err := os.Stat(filepath.Join(h.paths.MountRoot, "Z")); !errors.Is(err, syscall.ENOTCONN) {
			t.Errorf("round %d: the dead mount: got %v", round, err)
		}
		list, err := c.Connections(t.Context()) // the same client starts the next daemon
		if err != nil {
			t.Fatal(err)
		}
		if h.pid(c) == old {
			t.Error("the old daemon answers")
		}
		var names []string
		for _, c := range list {
			if c.Connected {
				names = append(names, c.Device+c.RemoteName)
			}
		}
		want := `[\\nas\open2 Y:\\nas\open1 Z:\\nas\open0]`
		if got := fmt.Sprint(names); got != want && got != `[Y:\\nas\open1 Z:\\nas\open0 \\nas\open2]` {
			t.Errorf("round %d: got %s, want %s", round, got, want)
		}
		h.eventually("the drives answer", func() bool {
			_, err1 := os.ReadDir(filepath.Join(h.paths.MountRoot, "Z"))
			_, err2 := os.ReadDir(filepath.Join(h.paths.MountRoot, "Y"))
			return err1 == nil && err2 == nil && len(h.mounts()) == mounts
		})
		// The token still leads to its session.
		other, err := client.Dial(t.Context(), client.Options{Program: h.program, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		all, err := other.Sessions(t.Context())
		other.Close()
		found := false
		for _, x := range all {
			found = found || x.LUID == s.LUID && x.Current
		}
		if err != nil || !found {
			t.Errorf("round %d: the token's session: got %+v, %v", round, all, err)
		}
	}
}

// TestSessions: two sessions of one user see different drives, and the end of one takes its drives.
func TestSessions(t *testing.T) {
	h := newHouse(t)
	c := h.dial()
	h.add(c, "Z:", 0, 0)
	made, token, err := c.CreateSession(t.Context(), os.Getpid())
	if err != nil || made.Kind != "token" || made.Current {
		t.Fatal(made, err)
	}
	t.Setenv(client.EnvToken, token.Reveal())
	other := h.dial()
	if _, err := other.GetConnection(t.Context(), "Z:"); !errors.Is(err, win32.ERROR_NOT_CONNECTED) {
		t.Errorf("the other session sees Z:: %v", err)
	}
	h.add(other, "Z:", 1, 0)
	if name, err := c.GetConnection(t.Context(), "Z:"); err != nil || name != `\\nas\share0` {
		t.Errorf("got %q, %v", name, err)
	}
	if len(h.mounts()) != 2 {
		t.Errorf("mounts: got %v", h.mounts())
	}
	all, err := other.Sessions(t.Context())
	if err != nil || len(all) != 2 || all[0].Connections != 1 || !all[1].Current || all[1].Folder != made.Folder {
		t.Errorf("Sessions: got %+v, %v", all, err)
	}
	if err := c.EndSession(t.Context(), made.LUID); err != nil {
		t.Error(err)
	}
	if len(h.mounts()) != 1 {
		t.Errorf("after the end, mounts: got %v", h.mounts())
	}
	if _, err := other.Connections(t.Context()); !errors.Is(err, win32.ERROR_NO_SUCH_LOGON_SESSION) {
		t.Errorf("the token of a session that is over: got %v", err)
	}
	if err := c.EndSession(t.Context(), all[0].LUID); !errors.Is(err, win32.ERROR_NOT_SUPPORTED) {
		t.Errorf("ending the default session: got %v", err)
	}
	os.Unsetenv(client.EnvToken)
}

// TestStaleSocket: a socket that nobody serves is replaced; one that somebody serves, or what is no socket, is left alone, and the caller
// is told why.
func TestStaleSocket(t *testing.T) {
	h := newHouse(t)
	if err := os.Mkdir(h.paths.RuntimeDir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := rpc.Listen(h.paths.Socket)
	if err != nil {
		t.Fatal(err)
	}
	if p := h.run(nil); p.exit() != 1 || !strings.Contains(p.out.String(), "another program serves the socket") {
		t.Errorf("a socket that is served: got %s", p.out)
	}
	l.Close() // the file stays
	h.pid(h.dial())
	if _, err := client.Stop(t.Context(), client.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.paths.Socket, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = client.Dial(t.Context(), client.Options{Program: h.program})
	var e *wnet.Error
	if !errors.As(err, &e) || e.Code != win32.ERROR_NO_NETWORK || !strings.Contains(err.Error(), "it is no socket") || e.Hint == "" {
		t.Errorf("a file in the way: got %v", err)
	}
	if b, err := os.ReadFile(h.paths.Socket); string(b) != "mine" {
		t.Errorf("the file: got %q, %v", b, err)
	}
	os.Remove(h.paths.Socket)
}

// TestFolderOfOthers: a private folder that is not private is refused by both sides.
func TestFolderOfOthers(t *testing.T) {
	h := newHouse(t)
	if err := errors.Join(os.Mkdir(h.paths.RuntimeDir, 0o700), os.Chmod(h.paths.RuntimeDir, 0o777)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Dial(t.Context(), client.Options{Program: h.program}); !errors.Is(err, win32.ERROR_ACCESS_DENIED) {
		t.Errorf("the client: got %v", err)
	}
	if p := h.run(nil); p.exit() != 1 || !strings.Contains(p.out.String(), "open to other users") {
		t.Errorf("the daemon: got %s", p.out)
	}
}

// TestStopThenStart: while one daemon stops, the next waits for it; calls meanwhile are answered by the next.
func TestStopThenStart(t *testing.T) {
	h := newHouse(t)
	seen := map[int]bool{}
	for range 5 {
		c := h.dial()
		h.add(c, "Z:", 0, 0)
		pid := h.pid(c)
		if seen[pid] {
			t.Errorf("pid %d again", pid)
		}
		seen[pid] = true
		if err := c.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if ran, err := client.Stop(t.Context(), client.Options{}); err != nil || ran && h.ready() > 6 {
		t.Errorf("got %v, %v", ran, err)
	}
	if ran, err := client.Stop(t.Context(), client.Options{}); ran || err != nil {
		t.Errorf("Stop without a daemon: got %v, %v", ran, err)
	}
	if _, err := client.Dial(t.Context(), client.Options{NoStart: true}); !errors.Is(err, win32.ERROR_NO_NETWORK) {
		t.Errorf("NoStart: got %v", err)
	}
}

// TestActivation: the daemon takes systemd's socket, tells systemd when it is ready and when it stops, and leaves the socket's file.
func TestActivation(t *testing.T) {
	h := newHouse(t)
	if err := os.Mkdir(h.paths.RuntimeDir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := rpc.Listen(h.paths.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	notify := filepath.Join(h.dir, "notify")
	n, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	p := h.run(func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", "LISTEN_PID=$$ exec " + h.program + " daemon"}
		cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "NOTIFY_SOCKET="+notify)
		cmd.ExtraFiles = []*os.File{f}
	})
	said := func() string {
		b := make([]byte, 100)
		n.SetReadDeadline(time.Now().Add(20 * time.Second))
		k, err := n.Read(b)
		if err != nil {
			t.Fatalf("%v\n%s", err, p.out)
		}
		return string(b[:k])
	}
	if got := said(); got != "READY=1" {
		t.Errorf("got %q", got)
	}
	c := h.dial()
	if h.pid(c) != p.Process.Pid {
		t.Error("another daemon answers")
	}
	p.Process.Signal(syscall.SIGTERM)
	if got := said(); got != "STOPPING=1" {
		t.Errorf("got %q", got)
	}
	if code := p.exit(); code != 0 {
		t.Errorf("status %d: %s", code, p.out)
	}
	if _, err := os.Lstat(h.paths.Socket); err != nil {
		t.Errorf("systemd's socket: %v", err)
	}
	l.Close()
	f.Close()
	os.Remove(h.paths.Socket)
}

// TestActivationWhileRunning: systemd's socket has taken the place of a running daemon's (`systemctl --user enable --now wnet.socket`).
// The daemon that systemd then starts stops the other one in order, takes its place and keeps the socket's file; what is remembered comes back.
func TestActivationWhileRunning(t *testing.T) {
	h := newHouse(t)
	c := h.dial()
	h.add(c, "Z:", 1, win32.CONNECT_UPDATE_PROFILE)
	old, err := unix.PidfdOpen(h.pid(c), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(old)
	if err := os.Remove(h.paths.Socket); err != nil {
		t.Fatal(err)
	}
	l, err := rpc.Listen(h.paths.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := h.run(func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", "LISTEN_PID=$$ exec " + h.program + " daemon"}
		cmd.Env = append(os.Environ(), "LISTEN_FDS=1")
		cmd.ExtraFiles = []*os.File{f}
	})
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(old), Events: unix.POLLIN}}, 30_000); n != 1 {
		t.Fatalf("the daemon of before is still there: %v\n%s", err, p.out)
	}
	c = h.dial()
	if h.pid(c) != p.Process.Pid {
		t.Error("another daemon answers")
	}
	if _, err := os.Lstat(h.paths.Socket); err != nil {
		t.Errorf("systemd's socket: %v", err)
	}
	if name, err := c.GetConnection(t.Context(), "Z:"); err != nil || name != `\\nas\share1` {
		t.Errorf("Z: is %q, %v", name, err)
	}
	p.Process.Signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		t.Errorf("status %d: %s", code, p.out)
	}
	l.Close()
	f.Close()
	os.Remove(h.paths.Socket)
}

// TestUnits: the units are what systemd takes for good, and name the socket that clients call.
func TestUnits(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"wnet.socket", "wnet.service"} {
		b, err := os.ReadFile(filepath.Join("../systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "wnet.socket" && !strings.Contains(string(b), "ListenStream=%t/wnet/wnet.sock\n") {
			t.Error("wnet.socket does not listen where clients call")
		}
		b = []byte(strings.ReplaceAll(string(b), "/usr/bin/wnet", "/bin/true"))
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("systemd-analyze", "--user", "--man=no", "verify", filepath.Join(dir, "wnet.socket"), filepath.Join(dir, "wnet.service"))
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestServiceSuite runs the Service suite over the whole daemon: the socket, the router, the mounts.
func TestServiceSuite(t *testing.T) {
	servicetest.Run(t, func(t *testing.T) servicetest.Target {
		h := newHouse(t)
		return servicetest.Target{Service: h.dial(), Missing: `\\nas\missing`,
			Remote: func(n int) string { return fmt.Sprintf(`\\nas\open%d`, n) }}
	})
}

// TestCancelledStart: a caller that gives up while the daemon starts is free at once, and the daemon comes up all the same.
func TestCancelledStart(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Dial(ctx, client.Options{Program: h.program}); !errors.Is(err, win32.ERROR_CANCELLED) {
		t.Errorf("got %v", err)
	}
	h.pid(h.dial())
}
