package mount

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/win32"
)

func force(t testing.TB, m wnet.Mount, within time.Duration) []string {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), within)
	defer stop()
	began := time.Now()
	aside, err := m.ForceUnmount(ctx)
	if err != nil {
		t.Fatalf("ForceUnmount: %v", err)
	}
	if took := time.Since(began); took > within+10*time.Second {
		t.Errorf("ForceUnmount took %v of %v", took, within)
	}
	select {
	case <-m.Done():
	default:
		t.Error("the mount is down, but not Done")
	}
	return aside
}

// TestForceTellsPrograms: with open handles, the mount goes; the handles fail with EIO, at once and for good.
func TestForceTellsPrograms(t *testing.T) {
	_, share, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	os.WriteFile(m.Point()+"/f", []byte("text"), 0o644)
	late := startProgram(t, "late-io", m.Point()+"/f")
	keep, err := os.Open(m.Point() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	keep.Read(make([]byte, 4)) // now in the kernel's cache
	cwd := startProgram(t, "cwd", m.Point())
	wantCode(t, m.Unmount(t.Context()), win32.ERROR_OPEN_FILES)
	if aside := force(t, m, 10*time.Second); len(aside) != 0 {
		t.Errorf("nothing was lost, but aside are %q", aside)
	}
	if len(mountsAt(m.Point())) != 0 {
		t.Error("the mount is still there")
	}
	if n := share.OpenFiles(); n != 0 {
		t.Errorf("%d files are open on the server", n)
	}
	if n, err := unix.Pread(int(keep.Fd()), make([]byte, 4), 0); err != unix.EIO {
		t.Errorf("reading what was in the cache: got %d, %v, want EIO", n, err)
	}
	if said := late.stop(); !strings.Contains(said, "write true") || !strings.Contains(said, "fstat true") {
		t.Errorf("the program saw %q, want EIO", said)
	}
	if _, err := keep.Stat(); !errors.Is(err, unix.EIO) {
		t.Errorf("fstat: got %v, want EIO", err)
	}
	keep.Close()
	cwd.stop()
	<-m.srv.stopped // nothing is left that answers
}

// TestForceBringsDirtyPages: what a mapping holds reaches the server.
func TestForceBringsDirtyPages(t *testing.T) {
	_, share, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	os.WriteFile(m.Point()+"/f", make([]byte, 8192), 0o644)
	p := startProgram(t, "dirty", m.Point()+"/f")
	if aside := force(t, m, 10*time.Second); len(aside) != 0 {
		t.Errorf("aside are %q", aside)
	}
	if b := readShare(t, share, "f", 8192); !bytes.HasPrefix(b[4096:], []byte("dirty page")) {
		t.Errorf("the server has %q", b[4096:4110])
	}
	p.stop()
	<-m.srv.stopped
}

// TestForceNamesWhatIsLost: what cannot be kept aside either is told, and no file is named for it.
func TestForceNamesWhatIsLost(t *testing.T) {
	t.Parallel()
	p, _, fsys := newShare(t)
	file := filepath.Join(scratch(t), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m := start(t, fsys, Config{AsideDir: filepath.Join(file, "aside")}, wnet.MountOptions{}) // a folder that cannot be made
	os.WriteFile(m.Point()+"/mapped", make([]byte, 8192), 0o644)
	dirty := startProgram(t, "dirty", m.Point()+"/mapped")
	resume := p.Stall()
	defer resume()
	aside := force(t, m, 300*time.Millisecond)
	dirty.stop()
	if lost := m.Lost(); len(aside) != 0 || !slices.Equal(lost, []string{"mapped"}) {
		t.Errorf("aside are %q, lost %q; want none and mapped", aside, lost)
	}
}

// TestForceKeepsAside: with a server that does not answer, every written byte that it has not taken is in a file.
func TestForceKeepsAside(t *testing.T) {
	t.Parallel()
	p, _, fsys := newShare(t)
	dir := filepath.Join(scratch(t), "aside")
	m := start(t, fsys, Config{AsideDir: dir}, wnet.MountOptions{})
	os.MkdirAll(m.Point()+"/sub", 0o755)
	os.WriteFile(m.Point()+"/sub/mapped", make([]byte, 8192), 0o644)
	os.WriteFile(m.Point()+"/written", []byte("on the server"), 0o644)
	dirty := startProgram(t, "dirty", m.Point()+"/sub/mapped")
	f, err := os.OpenFile(m.Point()+"/written", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	resume := p.Stall()
	defer resume()
	under := make(chan error, 1)
	go func() {
		_, err := f.WriteAt([]byte("under way"), 5_000_000)
		under <- err
	}()
	await(t, "the write to be under way", func() bool {
		m.srv.gate.mu.Lock()
		defer m.srv.gate.mu.Unlock()
		return m.srv.gate.n == 1
	})
	aside := force(t, m, 300*time.Millisecond)
	if err := <-under; !errors.Is(err, unix.EIO) {
		t.Errorf("the program's write ended with %v, want EIO", err)
	}
	f.Close()
	dirty.stop()
	if len(aside) != 2 {
		t.Fatalf("aside are %q, want two files", aside)
	}
	today := time.Now().Format("2006-01-")
	for _, path := range aside {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if filepath.Dir(path) != dir || !strings.HasPrefix(name, today) || !strings.Contains(name, "srv_data") {
			t.Errorf("%q does not name its date and source", path)
		}
		var st unix.Stat_t
		unix.Stat(path, &st)
		switch {
		case strings.HasSuffix(name, "written"):
			if string(b[5_000_000:]) != "under way" || st.Blocks > 100 {
				t.Errorf("%q has %d bytes in %d blocks", name, len(b), st.Blocks)
			}
		case strings.HasSuffix(name, "sub_mapped"):
			if !bytes.HasPrefix(b[4096:], []byte("dirty page")) {
				t.Errorf("%q has %d bytes", name, len(b))
			}
		default:
			t.Errorf("%q does not name its file", path)
		}
		if st.Mode&0o077 != 0 {
			t.Errorf("others may read %q", path)
		}
	}
	<-m.srv.stopped
}

// deaf is a file system that neither answers nor minds its context once it is told to, until the test ends.
type deaf struct {
	wnet.FileSystem
	on   atomic.Bool
	wait chan struct{}
}

func newDeaf(t testing.TB, fsys wnet.FileSystem) *deaf {
	d := &deaf{FileSystem: fsys, wait: make(chan struct{})}
	t.Cleanup(sync.OnceFunc(func() { close(d.wait) }))
	return d
}

func (d *deaf) listen() {
	if d.on.Load() {
		<-d.wait
	}
}

func (d *deaf) Stat(ctx context.Context, name string) (wnet.Attr, error) {
	d.listen()
	return d.FileSystem.Stat(ctx, name)
}

func (d *deaf) ReadDir(ctx context.Context, name string) ([]wnet.Attr, error) {
	d.listen()
	return d.FileSystem.ReadDir(ctx, name)
}

func (d *deaf) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm os.FileMode) (wnet.File, error) {
	d.listen()
	f, err := d.FileSystem.Open(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &deafFile{f, d}, nil
}

type deafFile struct {
	wnet.File
	d *deaf
}

func (f *deafFile) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	f.d.listen()
	return f.File.ReadAt(ctx, p, off)
}

func (f *deafFile) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	f.d.listen()
	return f.File.WriteAt(ctx, p, off)
}

func (f *deafFile) Stat(ctx context.Context) (wnet.Attr, error) {
	f.d.listen()
	return f.File.Stat(ctx)
}

func (f *deafFile) Sync(ctx context.Context) error {
	f.d.listen()
	return f.File.Sync(ctx)
}

func (f *deafFile) Close(ctx context.Context) error {
	f.d.listen()
	return f.File.Close(ctx)
}

// TestDeafFileSystem: one that never answers, and ignores its context, holds up nobody beyond the bounds.
func TestDeafFileSystem(t *testing.T) {
	t.Parallel()
	_, _, inner := newShare(t)
	fsys := newDeaf(t, inner)
	m := start(t, fsys, Config{AsideDir: filepath.Join(scratch(t), "aside")}, wnet.MountOptions{Deadline: 200 * time.Millisecond})
	os.WriteFile(m.Point()+"/f", []byte("text"), 0o644)
	f, err := os.OpenFile(m.Point()+"/f", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	fsys.on.Store(true)
	if _, err := os.Stat(m.Point() + "/other"); !errors.Is(err, unix.ETIMEDOUT) {
		t.Errorf("stat: got %v, want ETIMEDOUT", err)
	}
	if _, err := os.ReadDir(m.Point()); !errors.Is(err, unix.ETIMEDOUT) {
		t.Errorf("readdir: got %v, want ETIMEDOUT", err)
	}
	if _, err := os.Open(m.Point() + "/f"); !errors.Is(err, unix.ETIMEDOUT) {
		t.Errorf("open: got %v, want ETIMEDOUT", err)
	}
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, unix.ETIMEDOUT) {
		t.Errorf("write: got %v, want ETIMEDOUT", err)
	}
	if _, err := f.ReadAt(make([]byte, 4), 0); !errors.Is(err, unix.ETIMEDOUT) {
		t.Errorf("read: got %v, want ETIMEDOUT", err)
	}
	wantCode(t, m.Unmount(t.Context()), win32.ERROR_OPEN_FILES)
	f.Close()
	if err := m.Unmount(t.Context()); err != nil {
		t.Errorf("Unmount: %v %+v", err, holdersOf(err))
	}
	<-m.srv.stopped

	fsys.on.Store(false)
	m = start(t, fsys, Config{}, wnet.MountOptions{})
	if f, err = os.Open(m.Point() + "/f"); err != nil {
		t.Fatal(err)
	}
	fsys.on.Store(true)
	under := make(chan error, 1)
	go func() {
		_, err := os.Stat(m.Point() + "/another")
		under <- err
	}()
	force(t, m, 100*time.Millisecond)
	if err := <-under; !errors.Is(err, unix.EIO) {
		t.Errorf("a request under way ended with %v, want EIO", err)
	}
	f.Close()
	<-m.srv.stopped
}

// faulty answers as it is told to.
type faulty struct {
	wnet.FileSystem
	mu sync.Mutex // guards said
	said
}

type said struct {
	err   error
	panic bool
	n     int
	attr  func(*wnet.Attr)
}

func (f *faulty) say(s said) {
	f.mu.Lock()
	f.said = s
	f.mu.Unlock()
}

func (f *faulty) get() said {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.said
}

func (f *faulty) Stat(ctx context.Context, name string) (wnet.Attr, error) {
	if name == "fails" {
		return wnet.Attr{}, f.get().err
	}
	if name == "panics" {
		panic("on purpose")
	}
	a, err := f.FileSystem.Stat(ctx, name)
	if change := f.get().attr; change != nil && name != "." {
		change(&a)
	}
	return a, err
}

func (f *faulty) ReadDir(ctx context.Context, name string) ([]wnet.Attr, error) {
	all, err := f.FileSystem.ReadDir(ctx, name)
	for _, bad := range []string{"", ".", "..", "a/b", "nul\x00", strings.Repeat("x", 2000)} {
		all = append(all, wnet.Attr{Name: bad})
	}
	return all, err
}

func (f *faulty) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm os.FileMode) (wnet.File, error) {
	inner, err := f.FileSystem.Open(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultyFile{inner, f}, nil
}

type faultyFile struct {
	wnet.File
	f *faulty
}

func (f *faultyFile) ReadAt(context.Context, []byte, int64) (int, error)  { return f.answer() }
func (f *faultyFile) WriteAt(context.Context, []byte, int64) (int, error) { return f.answer() }

func (f *faultyFile) answer() (int, error) {
	s := f.f.get()
	if s.panic {
		panic("on purpose")
	}
	return s.n, s.err
}

// TestFaultyFileSystem: errors in wrappings, panics and lies become errnos, and the mount lives on.
func TestFaultyFileSystem(t *testing.T) {
	_, _, inner := newShare(t)
	fsys := &faulty{FileSystem: inner}
	m := start(t, fsys, Config{CacheTime: -1}, wnet.MountOptions{})
	file, err := os.Create(m.Point() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		name  string
		n     int
		err   error
		panic bool
		want  error
	}{
		{"too much", 1 << 30, nil, false, unix.EIO},
		{"less than nothing", -1, nil, false, unix.EIO},
		{"panic", 0, nil, true, unix.EIO},
		{"unknown", 0, errors.New("no idea"), false, unix.EIO},
		{"full", 0, &os.PathError{Op: "write", Path: "f", Err: unix.ENOSPC}, false, unix.ENOSPC},
		{"lost", 0, &wnet.Error{Code: win32.ERROR_NETNAME_DELETED, Err: unix.ECONNRESET}, false, unix.EIO},
		{"not there", 0, unix.ENOSYS, false, unix.ENOTSUP},
		{"out of range", 0, unix.Errno(4000), false, unix.EIO},
		{"cancelled of its own", 0, context.Canceled, false, unix.EIO},
	} {
		fsys.say(said{n: c.n, err: c.err, panic: c.panic})
		if _, err := file.WriteAt([]byte("text"), 0); errnoOf(err) != c.want {
			t.Errorf("%s: write: got %v, want %v", c.name, err, c.want)
		}
		if c.err != nil {
			if _, err := os.Stat(m.Point() + "/fails"); errnoOf(err) != c.want {
				t.Errorf("%s: stat: got %v, want %v", c.name, err, c.want)
			}
		}
	}
	if _, err := os.Stat(m.Point() + "/panics"); errnoOf(err) != unix.EIO {
		t.Errorf("a panic: got %v, want EIO", err)
	}
	fsys.say(said{attr: func(a *wnet.Attr) { a.Size = -5 }})
	if st := mustStat(t, m.Point()+"/f"); st.Size < 0 {
		t.Errorf("a negative size is shown: %d", st.Size)
	}
	fsys.say(said{})
	if err := os.Truncate(m.Point()+"/f", 100); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1 << 30, -1} {
		fsys.say(said{n: n})
		if _, err := file.ReadAt(make([]byte, 10), 0); errnoOf(err) != unix.EIO {
			t.Errorf("a read of %d bytes: got %v, want EIO", n, err)
		}
	}
	names, err := os.ReadDir(m.Point())
	if err != nil || len(names) != 1 {
		t.Errorf("the folder lists %v, %v", names, err)
	}
}

func mustStat(t testing.TB, path string) unix.Stat_t {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st
}

// TestInterrupt: a program that is killed while it waits for the server is gone at once.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	p, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	os.WriteFile(m.Point()+"/f", []byte("text"), 0o644)
	asked := make(chan struct{}, 10)
	p.SetFault(func(ctx context.Context, call mem.Call) error {
		if call.Name == "stuck" {
			asked <- struct{}{}
			<-ctx.Done()
		}
		return nil
	})
	cmd := background(t, "cat", m.Point()+"/stuck")
	<-asked
	cmd.Process.Kill()
	cmd.Wait() // hangs for the whole deadline if the request is not cancelled
	// A signal that the program handles leaves a quick request alone.
	p.SetFault(func(ctx context.Context, call mem.Call) error {
		if call.Name == "slow" {
			asked <- struct{}{}
			select {
			case <-time.After(300 * time.Millisecond):
			case <-ctx.Done():
			}
		}
		return nil
	})
	slow := background(t, "bash", "-c", `trap : USR1; exec 3>"$0/slow" && echo made >&3`, m.Point())
	<-asked
	slow.Process.Signal(unix.SIGUSR1)
	if err := slow.Wait(); err != nil {
		t.Errorf("a program that handles a signal: %v", err)
	}
}
