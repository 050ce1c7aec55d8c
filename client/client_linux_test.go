package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/paths"
	"github.com/openwnet/wnet/rpc"
	"github.com/openwnet/wnet/win32"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// home moves the test into a home of its own.
func home(t *testing.T) paths.Paths {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "run"), 0o700); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"HOME": dir, "XDG_RUNTIME_DIR": filepath.Join(dir, "run"), "XDG_STATE_HOME": "", "WNET_SOCKET": "",
		"WNET_SESSION": "", "WNET_ROOT": ""} {
		t.Setenv(k, v)
	}
	p, err := paths.Find()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// script is a program that stands in for wnet.
func script(t *testing.T, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "wnet")
	if err := os.WriteFile(p, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDaemonThatCannotStart: whatever goes wrong, the person is told what and where to look.
func TestDaemonThatCannotStart(t *testing.T) {
	p := home(t)
	for name, c := range map[string]struct{ program, want string }{
		"a reason":         {script(t, "echo 'the moon is full' >&3\n"), "the moon is full"},
		"dies at once":     {script(t, "echo 'fatal error: all is lost' >&2; exit 2\n"), "it ended at once: fatal error: all is lost"},
		"dies in silence":  {script(t, "exit 0\n"), "it ended at once"},
		"never ready":      {script(t, "exec sleep 0.5\n"), "it is not ready in time"},
		"ready, no socket": {script(t, "echo ready >&3\n"), "it is not ready in time"},
		"no program":       {filepath.Join(t.TempDir(), "none"), "no such file"},
	} {
		_, err := Dial(t.Context(), Options{Program: c.program, answer: time.Second, ready: 300 * time.Millisecond})
		var e *wnet.Error
		if !errors.As(err, &e) || e.Code != win32.ERROR_NO_NETWORK || e.Hint == "" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if fi, err := os.Stat(p.Log()); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the log: got %v, %v", fi, err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Dial(t.Context(), Options{}); !errors.Is(err, win32.ERROR_NO_NETWORK) || !strings.Contains(err.Error(), "not in PATH") {
		t.Errorf("no wnet in PATH: got %v", err)
	}
}

// TestUserScope: under a user's systemd the daemon is started in a scope of its own, with the caller's environment and descriptor; where
// systemd-run can't, without it.
func TestUserScope(t *testing.T) {
	p := home(t)
	bin := t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	tool := func(text string) {
		if err := os.WriteFile(filepath.Join(bin, "systemd-run"), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	program := script(t, "echo \"via ${VIA:-nothing}: $*\" >&3\n")
	said := func() string {
		_, err := Dial(t.Context(), Options{Program: program, answer: time.Second, ready: 10 * time.Second})
		if !errors.Is(err, win32.ERROR_NO_NETWORK) {
			t.Fatalf("got %v", err)
		}
		return err.Error()
	}
	tool(`[ "$1 $2" = "--user --scope" ] || exit 1; while [ "$1" != -- ]; do shift; done; shift; VIA=scope exec "$@"`)
	if got := said(); !strings.Contains(got, "via nothing: daemon") {
		t.Errorf("no manager: got %s", got)
	}
	manager := filepath.Join(filepath.Dir(p.RuntimeDir), "systemd")
	if err := os.Mkdir(manager, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(manager, "private"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := said(); !strings.Contains(got, "via scope: daemon") {
		t.Errorf("a manager: got %s", got)
	}
	tool("echo 'Failed to connect to bus' >&2; exit 1\n")
	if got := said(); !strings.Contains(got, "via nothing: daemon") {
		t.Errorf("a manager that does not answer: got %s", got)
	}
}

// TestDaemonThatHangs: it takes connections and answers none.
func TestDaemonThatHangs(t *testing.T) {
	p := home(t)
	if err := paths.MakePrivate(p.RuntimeDir); err != nil {
		t.Fatal(err)
	}
	l, err := rpc.Listen(p.Socket) // nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.WriteFile(p.DaemonLock(), []byte("4711"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Dial(t.Context(), Options{answer: 100 * time.Millisecond, ready: time.Second})
	var e *wnet.Error
	if !errors.As(err, &e) || e.Code != win32.ERROR_NO_NETWORK || !strings.Contains(err.Error(), "(pid 4711) does not answer") ||
		!strings.Contains(e.Hint, "kill -9 4711") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err = Dial(ctx, Options{answer: time.Minute, ready: time.Minute}); !errors.Is(err, win32.ERROR_CANCELLED) {
		t.Errorf("a caller that gives up: got %v", err)
	}
}

// TestDaemonThatGoes: a connection that a stopping daemon drops is tried again.
func TestDaemonThatGoes(t *testing.T) {
	p := home(t)
	if err := paths.MakePrivate(p.RuntimeDir); err != nil {
		t.Fatal(err)
	}
	l, err := rpc.Listen(p.Socket)
	if err != nil {
		t.Fatal(err)
	}
	s := rpc.NewServer(stub{}, nil)
	served := make(chan error, 1)
	go func() {
		for range 3 {
			if conn, err := l.Accept(); err == nil {
				conn.Close()
			}
		}
		served <- s.Serve(l)
	}()
	c, err := Dial(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.Version(t.Context()); err != nil || v.Version != "stub" {
		t.Errorf("got %+v, %v", v, err)
	}
	if c.Paths() != p {
		t.Errorf("got %+v", c.Paths())
	}
	c.Close()
	s.Close()
	<-served
}

type stub struct{}

func (stub) Service(context.Context, rpc.Caller) (wnet.Service, error)   { return nil, net.ErrClosed }
func (stub) Sessions(context.Context, rpc.Caller) (wnet.Sessions, error) { return nil, net.ErrClosed }
func (stub) Shutdown(context.Context) error                              { return nil }
func (stub) Version() string                                             { return "stub" }

// TestEnvironment: a daemon gets what it needs and no secret.
func TestEnvironment(t *testing.T) {
	got := environment([]string{"HOME=/h", "PATH=/bin", "LC_ALL=C", "WNET_SESSION=t0ken", "PASSWORD=x", "WNET_READY_FD=9", "LD_PRELOAD=/x", "WNET_ROOT=/r",
		"SSH_AUTH_SOCK=/a", "XDG_SESSION_ID=4", "HOMEX=1"})
	if want := []string{"HOME=/h", "PATH=/bin", "LC_ALL=C", "WNET_ROOT=/r", "SSH_AUTH_SOCK=/a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func ExampleDial() {
	ctx := context.Background()
	c, err := Dial(ctx, Options{NoStart: true, Socket: "/nonexistent/wnet.sock"})
	if err != nil {
		fmt.Println(errors.Is(err, win32.ERROR_NO_NETWORK))
		return
	}
	defer c.Close()
	err = c.AddConnection(ctx, wnet.AddRequest{LocalName: "Z:", RemoteName: "//nas/media", Type: win32.RESOURCETYPE_DISK})
	fmt.Println(err)
	// Output: true
}
