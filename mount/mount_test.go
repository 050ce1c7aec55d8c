package mount

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/win32"
)

// helperEnv names what the test binary does instead of testing: it stands for a program that uses a mount.
const helperEnv = "WNET_TEST_HELPER"

func TestMain(m *testing.M) {
	if what := os.Getenv(helperEnv); what != "" {
		os.Exit(helper(what, os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

// scratch returns a folder for mount points that an ordinary user may use.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "wnet-mount-")
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// testLog writes what the mount logs to the test's log, until the test ends.
func testLog(t testing.TB) *slog.Logger {
	w := &logWriter{t: t}
	t.Cleanup(w.stop)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// newShare returns an empty share of the reference network, and a connection to it.
func newShare(t testing.TB) (*mem.Provider, *mem.Share, wnet.FileSystem) {
	t.Helper()
	p := mem.New(mem.Options{Suffix: ".mem"})
	share := p.AddShare("srv", "data", mem.ShareOptions{})
	c, err := p.Connect(context.Background(), wnet.Request{Remote: share.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return p, share, c.FS()
}

// start mounts fsys and takes the mount down at the end of the test, by force if need be.
func start(t testing.TB, fsys wnet.FileSystem, cfg Config, opt wnet.MountOptions) *mount {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = testLog(t)
	}
	if opt.Source == "" {
		opt.Source = `\\srv\data`
	}
	point := filepath.Join(scratch(t), "Z")
	got, err := New(cfg).Mount(context.Background(), point, fsys, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { takeDown(t, got) })
	return got.(*mount)
}

func takeDown(t testing.TB, m wnet.Mount) {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	if err := m.Unmount(ctx); err != nil {
		t.Errorf("the mount was still in use at the end of the test: %v: %v", err, holdersOf(err))
		ctx, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		if _, err := m.ForceUnmount(ctx); err != nil {
			t.Errorf("ForceUnmount: %v", err)
		}
	}
}

func holdersOf(err error) []wnet.Holder {
	var e *wnet.Error
	if errors.As(err, &e) {
		return e.Holders
	}
	return nil
}

// sh runs a script in dir, which a shell enters: a child that enters a mount before its exec could deadlock with this process.
func sh(t testing.TB, dir, script string) string {
	t.Helper()
	out, err := shTry(dir, script)
	if err != nil {
		t.Fatalf("%s\n%s%v", script, out, err)
	}
	return out
}

func shTry(dir, script string) (string, error) {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", `cd "$1"; eval "$2"`, "sh", dir, script)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// wantCode checks an error's code and that a person learns something from it.
func wantCode(t testing.TB, err error, code win32.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("got %v, want %s", err, code.Name())
	}
}

// wantHolder checks that one of an error's holders is as it should be.
func wantHolder(t testing.TB, err error, pid int, file string, use wnet.Use) {
	t.Helper()
	for _, h := range holdersOf(err) {
		if h.PID == pid && h.File == file && h.Use == use {
			if h.Program == "" || h.User == "" || h.UID != os.Getuid() {
				t.Errorf("the holder %+v lacks its program or user", h)
			}
			return
		}
	}
	t.Fatalf("got holders %+v, want pid %d with %s in use as %s", holdersOf(err), pid, file, use)
}

func TestMountShows(t *testing.T) {
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{Source: `\\srv\da,ta 1`})
	line := ""
	for _, e := range mountsAt(m.Point()) {
		line = fmt.Sprintf("%s %s", e.FSType, e.Source)
	}
	if want := `fuse.wnet \\srv\da,ta 1`; line != want {
		t.Errorf("got %q, want %q", line, want)
	}
	if err := os.WriteFile(filepath.Join(m.Point(), "a"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(m.Point(), "a")); err != nil || string(b) != "hello" {
		t.Errorf("got %q, %v", b, err)
	}
	if err := m.Unmount(t.Context()); err != nil {
		t.Fatalf("Unmount: %v %+v", err, holdersOf(err))
	}
	<-m.Done()
	if _, err := os.Lstat(m.Point()); !os.IsNotExist(err) {
		t.Errorf("the folder that Mount made is still there: %v", err)
	}
	if err := m.Unmount(t.Context()); err != nil {
		t.Errorf("Unmount of a mount that is gone: %v", err)
	}
}

func TestMountRefusesPoints(t *testing.T) {
	_, _, fsys := newShare(t)
	dir := scratch(t)
	full := filepath.Join(dir, "full")
	os.MkdirAll(filepath.Join(full, "something"), 0o755)
	file := filepath.Join(dir, "file")
	os.WriteFile(file, nil, 0o644)
	lost := filepath.Join(dir, "lost")
	os.Symlink("nowhere", lost)
	held := start(t, fsys, Config{}, wnet.MountOptions{})
	for point, code := range map[string]win32.Code{
		"relative":               win32.ERROR_INVALID_PARAMETER,
		full:                     win32.ERROR_ACCESS_DENIED,
		file:                     win32.ERROR_ACCESS_DENIED,
		filepath.Join(file, "x"): win32.ERROR_ACCESS_DENIED,
		filepath.Join(lost, "x"): win32.ERROR_ACCESS_DENIED,
		held.Point():             win32.ERROR_ACCESS_DENIED,
	} {
		_, err := New(Config{}).Mount(t.Context(), point, fsys, wnet.MountOptions{})
		wantCode(t, err, code)
		if !strings.Contains(err.Error(), filepath.Base(point)) {
			t.Errorf("%v does not name %s", err, point)
		}
		// Without a hint of its own, the code's would send a person to look at the server.
		if e := (*wnet.Error)(nil); code == win32.ERROR_ACCESS_DENIED && (!errors.As(err, &e) || e.Hint == "") {
			t.Errorf("%v does not say what to do", err)
		}
	}
	if _, err := New(Config{}).Mount(t.Context(), filepath.Join(lost, "x"), fsys, wnet.MountOptions{}); !strings.Contains(err.Error(), "link to nowhere") {
		t.Errorf("a link that leads nowhere is not named as one: %v", err)
	}
	// A folder that was there stays.
	empty := filepath.Join(dir, "empty")
	os.Mkdir(empty, 0o755)
	os.Symlink("empty", filepath.Join(dir, "link"))
	m, err := New(Config{}).Mount(t.Context(), filepath.Join(dir, "link"), fsys, wnet.MountOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(mountsAt(empty)) != 1 {
		t.Errorf("the mount is not where the link leads")
	}
	takeDown(t, m)
	if _, err := os.Stat(empty); err != nil {
		t.Error(err)
	}
}

func TestMountWithoutFUSE(t *testing.T) {
	_, _, fsys := newShare(t)
	dir := scratch(t)
	locked := filepath.Join(dir, "fuse")
	os.WriteFile(locked, nil, 0)
	for name, change := range map[string]func(*Mounter){
		"no device": func(b *Mounter) { b.device = filepath.Join(dir, "none") },
		"no fusermount": func(b *Mounter) {
			b.root = false
			b.fusermount = func() (string, error) { return "", exec.ErrNotFound }
		},
	} {
		b := New(Config{})
		change(b)
		_, err := b.Mount(t.Context(), filepath.Join(dir, "Z"), fsys, wnet.MountOptions{})
		wantCode(t, err, win32.ERROR_NOT_SUPPORTED)
		var e *wnet.Error
		if errors.As(err, &e); !strings.Contains(e.Hint, "apt install fuse3") {
			t.Errorf("%s: the hint %q does not say what to install", name, e.Hint)
		}
		if _, err := os.Stat(filepath.Join(dir, "Z")); err == nil {
			t.Errorf("%s: a folder was left behind", name)
		}
	}
	if os.Getuid() != 0 {
		b := New(Config{})
		b.device = locked
		_, err := b.Mount(t.Context(), filepath.Join(dir, "Z"), fsys, wnet.MountOptions{})
		wantCode(t, err, win32.ERROR_NOT_SUPPORTED)
	}
}

func TestUnmountedBySomebodyElse(t *testing.T) {
	_, share, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	f, err := os.Create(filepath.Join(m.Point(), "a"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := exec.Command("fusermount3", "-u", m.Point()).Run(); err != nil {
		t.Fatal(err)
	}
	<-m.Done()
	if n := share.OpenFiles(); n != 0 {
		t.Errorf("%d files are open on the server", n)
	}
	if _, err := os.Lstat(m.Point()); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestMountedTwice(t *testing.T) {
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	if os.Getuid() != 0 {
		return
	}
	// Something else on top must not be taken down instead.
	if err := unix.Mount("none", m.Point(), "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	err := m.Unmount(t.Context())
	if uerr := unix.Unmount(m.Point(), 0); uerr != nil {
		t.Errorf("the other mount is gone: %v", uerr)
	}
	wantCode(t, err, win32.ERROR_DEVICE_IN_USE)
	// Nor does one inside go away.
	os.Mkdir(filepath.Join(m.Point(), "sub"), 0o755)
	if err := unix.Mount("none", filepath.Join(m.Point(), "sub"), "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	err = m.Unmount(t.Context())
	if uerr := unix.Unmount(filepath.Join(m.Point(), "sub"), 0); uerr != nil {
		t.Errorf("the other mount is gone: %v", uerr)
	}
	wantCode(t, err, win32.ERROR_DEVICE_IN_USE)
	if !strings.Contains(err.Error(), "sub") {
		t.Errorf("%v does not name the mount inside", err)
	}
}

// TestAborted: a connection that an administrator aborts leaves no dead mount behind.
func TestAborted(t *testing.T) {
	if os.Getuid() != 0 {
		return
	}
	_, share, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	f, err := os.Create(m.Point() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	control := filepath.Join(scratch(t), "fusectl")
	os.Mkdir(control, 0o700)
	if err := unix.Mount("none", control, "fusectl", 0, ""); err != nil {
		t.Fatal(err)
	}
	err = os.WriteFile(fmt.Sprintf("%s/%d/abort", control, m.min), []byte("1"), 0)
	if uerr := unix.Unmount(control, 0); uerr != nil {
		t.Error(uerr)
	}
	if err != nil {
		t.Fatal(err)
	}
	<-m.Done()
	if n := len(mountsAt(m.Point())); n != 0 {
		t.Errorf("%d mounts are left", n)
	}
	if n := share.OpenFiles(); n != 0 {
		t.Errorf("%d files are open on the server", n)
	}
}

// BenchmarkMount is one map and unmap, without a server.
func BenchmarkMount(b *testing.B) {
	_, _, fsys := newShare(b)
	by := New(Config{})
	point := filepath.Join(scratch(b), "Z")
	for b.Loop() {
		m, err := by.Mount(context.Background(), point, fsys, wnet.MountOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Unmount(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads a file of 64 MiB through the kernel, opened anew each time.
func BenchmarkRead(b *testing.B) {
	_, _, fsys := newShare(b)
	path := filepath.Join(start(b, fsys, Config{}, wnet.MountOptions{}).Point(), "f")
	if err := os.WriteFile(path, make([]byte, 64<<20), 0o644); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 1<<20)
	b.SetBytes(64 << 20)
	for b.Loop() {
		now := time.Now()
		os.Chtimes(path, now, now) // so that the kernel asks again
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		for {
			if n, _ := f.Read(buf); n == 0 {
				break
			}
		}
		f.Close()
	}
}
