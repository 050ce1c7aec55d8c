package credential

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/openwnet/wnet/win32"
)

// desktop is a private session bus, and a GNOME keyring on it, with folders of their own.
type desktop struct {
	dir    string
	env    []string
	logout func()
}

func (d *desktop) address() string { return "unix:path=" + filepath.Join(d.dir, "run", "bus") }

// start runs a program of the desktop until it is told to stop, or the test's end.
func (d *desktop) start(t *testing.T, stdin string, name string, args ...string) (out io.Reader, stop func()) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = d.env
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(stop)
	return out, stop
}

// newBus starts a bus without any service, and without a way to start one.
func newBus(t *testing.T) *desktop {
	t.Helper()
	dir, err := os.MkdirTemp("", "wnet") // short: a socket's path is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &desktop{dir: dir}
	for _, sub := range []string{"run", "home"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir + "/home", "XDG_RUNTIME_DIR=" + dir + "/run", "XDG_DATA_HOME=" + dir + "/home/data",
		"XDG_CONFIG_HOME=" + dir + "/home/config", "XDG_CACHE_HOME=" + dir + "/home/cache", "DBUS_SESSION_BUS_ADDRESS=" + d.address(),
	}
	conf := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(conf, []byte(`<busconfig><type>session</type><listen>`+d.address()+`</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := d.start(t, "", "dbus-daemon", "--config-file="+conf, "--nofork", "--nopidfile", "--nosyslog", "--print-address=1")
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("dbus-daemon did not start: %v", err)
	}
	return d
}

// login starts the keyring anew, unlocked by its password.
func (d *desktop) login(t *testing.T) {
	t.Helper()
	if d.logout != nil {
		d.logout()
	}
	_, d.logout = d.start(t, "login password", "gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets",
		"--control-directory="+d.dir+"/run/keyring")
	bus := d.connect(t)
	await(t, "the keyring", func() bool {
		var owned bool
		var coll dbus.ObjectPath
		bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, service).Store(&owned)
		return owned && bus.Object(service, servicePath).Call(serviceIf+".ReadAlias", 0, "default").Store(&coll) == nil && coll != noObject
	})
}

func (d *desktop) connect(t *testing.T) *dbus.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	bus, err := dbus.Connect(d.address(), dbus.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	return bus
}

func (d *desktop) lock(t *testing.T) {
	t.Helper()
	bus := d.connect(t)
	var coll, prompt dbus.ObjectPath
	var locked []dbus.ObjectPath
	if err := bus.Object(service, servicePath).Call(serviceIf+".ReadAlias", 0, "default").Store(&coll); err != nil {
		t.Fatal(err)
	}
	err := bus.Object(service, servicePath).Call(serviceIf+".Lock", 0, []dbus.ObjectPath{coll}).Store(&locked, &prompt)
	if err != nil || len(locked) != 1 {
		t.Fatalf("Lock: %v, %v", locked, err)
	}
}

// run runs a program of the desktop and gives its output.
func (d *desktop) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = d.env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: waited in vain", what)
		}
	}
}

func TestSecretService(t *testing.T) {
	d := newBus(t)
	d.login(t)
	cfg := folders(t)
	cfg.SessionBus = d.address()
	s := Open(cfg)
	if s.Kind() != "Secret Service" {
		t.Fatalf("Kind = %q", s.Kind())
	}
	contract(t, s)

	mustPut(t, s, cred("//nas", "anna", "old"))
	mustPut(t, s, cred("//nas", "anna", password))
	if got := d.run(t, "secret-tool", "lookup", "application", "wnet", "target", "//nas", "user", "anna"); got != password {
		t.Errorf("secret-tool finds another password")
	}
	if got := d.run(t, "secret-tool", "search", "--all", "application", "wnet"); strings.Count(got, "label = ") != 1 ||
		!strings.Contains(got, "label = wnet: anna on nas\n") {
		t.Errorf("secret-tool shows labels other than one `wnet: anna on nas`")
	}
	if _, err := os.Stat(cfg.ConfigDir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written to a file too: %v", err)
	}

	// The bus is found in the runtime folder too, as where a daemon was started without its address.
	cfg.SessionBus, cfg.RuntimeDir = "", filepath.Join(d.dir, "run")
	wantGet(t, Open(cfg), "//nas", "", "anna", password)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ctx, "//nas", "anna")
	wantCode(t, err, win32.ERROR_CANCELLED)
	wantGet(t, s, "//nas", "", "anna", password) // and that was not held against the bus
}

// TestLocked is a desktop that is locked, or whose keyring was never unlocked (automatic login, ssh).
func TestLocked(t *testing.T) {
	d := newBus(t)
	d.login(t)
	cfg := folders(t)
	cfg.SessionBus = d.address()
	s := Open(cfg)
	mustPut(t, s, cred("//nas", "anna", "in the keyring"))
	mustPut(t, s, cred("//away", "anna", "in the keyring"))
	d.lock(t)

	if s.Kind() != "sealed file" {
		t.Errorf("Kind = %q", s.Kind())
	}
	_, err := s.Get(t.Context(), "//nas", "anna")
	wantCode(t, err, win32.ERROR_ACCESS_DENIED)
	_, err = s.Get(t.Context(), "//other", "")
	wantMissing(t, err)
	wantCode(t, s.Delete(t.Context(), "//nas", "anna"), win32.ERROR_ACCESS_DENIED)

	mustPut(t, s, cred("//nas", "ANNA", "in the file"))
	wantGet(t, s, "//nas", "anna", "ANNA", "in the file")
	all, err := s.List(t.Context())
	wantCode(t, err, win32.ERROR_ACCESS_DENIED)
	if len(all) != 1 || all[0].Target != "//nas" {
		t.Errorf("List of what can be read = %v", all)
	}

	d.login(t)
	if s.Kind() != "Secret Service" {
		t.Errorf("Kind = %q", s.Kind())
	}
	wantGet(t, s, "//nas", "anna", "ANNA", "in the file") // the newer one
	wantGet(t, s, "//away", "anna", "anna", "in the keyring")
	if all, err := s.List(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("List = %v, %v", all, err)
	}
	mustPut(t, s, cred("//nas", "anna", "in the keyring again"))
	wantGet(t, s, "//nas", "", "anna", "in the keyring again")
	if left, err := s.(*chooser).file.read("test"); err != nil || len(left) != 0 {
		t.Errorf("the file still has %v, %v", left, err)
	}
	if got := d.run(t, "secret-tool", "search", "--all", "application", "wnet", "target", "//nas"); strings.Count(got, "label = ") != 1 {
		t.Errorf("the keyring has more than one entry for one user")
	}

	mustPut(t, s, cred("//nas", "bob", password))
	d.lock(t)
	mustPut(t, s, cred("//nas", "carl", password))
	d.login(t)
	if err := s.Delete(t.Context(), "//nas", ""); err != nil { // in both places
		t.Fatal(err)
	}
	_, err = s.Get(t.Context(), "//nas", "")
	wantMissing(t, err)
}

// TestNoKeyring is every way for a bus to be of no use. Each falls back to the file.
func TestNoKeyring(t *testing.T) {
	works := func(t *testing.T, cfg Config) Store {
		t.Helper()
		s := Open(cfg)
		mustPut(t, s, cred("//nas", "anna", password))
		wantGet(t, s, "//nas", "", "anna", password)
		if s.Kind() != "sealed file" {
			t.Errorf("Kind = %q", s.Kind())
		}
		if _, err := s.List(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Delete(t.Context(), "//nas", "anna"); err != nil {
			t.Error(err)
		}
		return s
	}
	socket := func(t *testing.T) string { return filepath.Join(newDir(t), "bus") }

	t.Run("nothing there", func(t *testing.T) {
		cfg := folders(t)
		cfg.RuntimeDir = t.TempDir()
		works(t, cfg)
	})
	t.Run("nonsense", func(t *testing.T) {
		cfg := folders(t)
		cfg.SessionBus = "autolaunch:"
		works(t, cfg)
	})
	t.Run("nobody listens", func(t *testing.T) {
		path := socket(t)
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
		cfg := folders(t)
		cfg.SessionBus = "unix:path=" + path
		works(t, cfg)
	})
	t.Run("hangs up", func(t *testing.T) {
		path := socket(t)
		answer(t, path, func(c net.Conn) { c.Close() })
		cfg := folders(t)
		cfg.SessionBus = "unix:path=" + path
		works(t, cfg)
	})
	t.Run("rubbish", func(t *testing.T) {
		path := socket(t)
		answer(t, path, func(c net.Conn) { c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); c.Close() })
		cfg := folders(t)
		cfg.SessionBus = "unix:path=" + path
		works(t, cfg)
	})
	t.Run("never answers", func(t *testing.T) {
		path := socket(t)
		var asked atomic.Int32
		answer(t, path, func(net.Conn) { asked.Add(1) })
		cfg := folders(t)
		cfg.SessionBus = "unix:path=" + path
		works(t, cfg)
		if n := asked.Load(); n != 1 {
			t.Errorf("the dead bus was asked %d times, want once", n)
		}
	})
	t.Run("no service", func(t *testing.T) {
		cfg := folders(t)
		cfg.SessionBus = newBus(t).address()
		works(t, cfg)
	})
	t.Run("a service that is none", func(t *testing.T) {
		d := newBus(t)
		if _, err := d.connect(t).RequestName(service, dbus.NameFlagDoNotQueue); err != nil {
			t.Fatal(err)
		}
		cfg := folders(t)
		cfg.SessionBus = d.address()
		works(t, cfg)
	})
	t.Run("a service that hangs", func(t *testing.T) {
		d := newBus(t)
		bus := d.connect(t)
		h := hanging{make(chan struct{})}
		t.Cleanup(func() { close(h.stop) })
		if err := bus.Export(h, servicePath, serviceIf); err != nil {
			t.Fatal(err)
		}
		if _, err := bus.RequestName(service, dbus.NameFlagDoNotQueue); err != nil {
			t.Fatal(err)
		}
		cfg := folders(t)
		cfg.SessionBus = d.address()
		works(t, cfg)
	})
}

// hanging is a Secret Service that never answers.
type hanging struct{ stop chan struct{} }

func (h hanging) OpenSession(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	<-h.stop
	return dbus.MakeVariant(""), "/", nil
}

func newDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "wnet")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// answer listens and hands over every connection; they are closed in the end.
func answer(t *testing.T, path string, do func(net.Conn)) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var all []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			all = append(all, c)
			do(c)
		}
		for _, c := range all {
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
}

// TestKeyringComesBack forgets a bad answer after a while.
func TestKeyringComesBack(t *testing.T) {
	d := newBus(t)
	cfg := folders(t)
	cfg.SessionBus = d.address()
	s := Open(cfg).(*chooser)
	mustPut(t, s, cred("//nas", "anna", "in the file"))
	d.login(t)
	if s.Kind() != "sealed file" {
		t.Error("the bad answer was not remembered")
	}
	s.ring.mu.Lock()
	s.ring.until = time.Now()
	s.ring.mu.Unlock()
	if s.Kind() != "Secret Service" {
		t.Error("the bad answer was not forgotten")
	}
	wantGet(t, s, "//nas", "anna", "anna", "in the file")
	mustPut(t, s, cred("//nas", "anna", password))
	wantGet(t, s, "//nas", "anna", "anna", password)
}
