package redial_test

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/redial"
	"github.com/openwnet/wnet/win32"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a server in memory, and a Conn to its share.
type rig struct {
	*testing.T
	p     *mem.Provider
	share *mem.Share
	c     *redial.Conn
	fs    wnet.FileSystem
	dials atomic.Int32
	now   *clock
	pass  atomic.Pointer[string]
	wrap  func(wnet.Conn) wnet.Conn // what the Conn sees of a connection; nil: all
}

// clock is a clock that stands still until it is told to go on.
type clock struct {
	mu sync.Mutex // guards t
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// newRig makes a rig; set may change the Conn's settings and the rig before the Conn is made.
func newRig(t *testing.T, set func(*rig, *redial.Config)) *rig {
	r := &rig{T: t, p: mem.New(mem.Options{}), now: &clock{t: time.Now()}}
	r.share = r.p.AddShare("nas", "media", mem.ShareOptions{Users: map[string]string{"anna": "right"}})
	right := "right"
	r.pass.Store(&right)
	cfg := redial.Config{Connect: r.connect, User: "anna", Type: win32.RESOURCETYPE_DISK, Now: r.now.Now}
	if set != nil {
		set(r, &cfg)
	}
	r.c = redial.New(cfg)
	r.fs = r.c.FS()
	t.Cleanup(func() {
		r.p.SetFault(nil)
		r.c.Close()
		r.await("all connections closed", func() bool { return r.share.Connections() == 0 })
	})
	return r
}

func (r *rig) connect(ctx context.Context) (wnet.Conn, error) {
	r.dials.Add(1)
	name, err := wnet.ParseRemoteName(`\\nas\media`)
	if err != nil {
		return nil, err
	}
	c, err := r.p.Connect(ctx, wnet.Request{Remote: name, User: "anna", Password: wnet.NewSecret(*r.pass.Load())})
	if err != nil || r.wrap == nil {
		return c, err
	}
	return r.wrap(c), nil
}

func (r *rig) await(what string, done func() bool) {
	r.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("%s: waited in vain", what)
		}
	}
}

func (r *rig) awaitState(s wnet.State) {
	r.Helper()
	r.await(string(s), func() bool { return r.c.Status().State == s })
}

func (r *rig) wantState(s wnet.State, code win32.Code) wnet.Status {
	r.Helper()
	got := r.c.Status()
	if got.State != s || got.Code != code {
		r.Fatalf("Status = %s, code %d (%s), want %s, code %d", got.State, got.Code, got.Reason, s, code)
	}
	return got
}

func (r *rig) wantDials(n int32) {
	r.Helper()
	if got := r.dials.Load(); got != n {
		r.Fatalf("%d attempts to connect, want %d", got, n)
	}
}

// stat uses the connection.
func (r *rig) stat() error {
	_, err := r.fs.Stat(r.Context(), ".")
	return err
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// want checks an error for all that it must be found to be.
func (r *rig) want(err error, all ...error) {
	r.Helper()
	for _, w := range all {
		if !errors.Is(err, w) {
			r.Fatalf("error %v is not %v", err, w)
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		r.Fatalf("error %v takes the blame to the caller's context", err)
	}
}

// cut makes the server drop the connection in the middle of the next call of op.
func (r *rig) cut(op string) {
	var once sync.Once
	r.p.SetFault(func(ctx context.Context, call mem.Call) error {
		if call.Op == op {
			once.Do(func() { r.share.Sever() })
		}
		return ctx.Err()
	})
}

// lose makes the server drop the connection between two calls.
func (r *rig) lose() {
	r.Helper()
	if r.share.Sever() == 0 {
		r.Fatal("there was no connection to lose")
	}
}

// write and read are the server's own view.
func (r *rig) write(name, text string) {
	r.Helper()
	ctx := context.Background()
	f, err := r.share.FS().Open(ctx, name, wnet.OpenWrite|wnet.OpenCreate|wnet.OpenTruncate, 0o644)
	r.must(err)
	_, err = f.WriteAt(ctx, []byte(text), 0)
	r.must(err)
	r.must(f.Close(ctx))
}

func (r *rig) read(name string) string {
	r.Helper()
	ctx := context.Background()
	f, err := r.share.FS().Open(ctx, name, wnet.OpenRead, 0)
	r.must(err)
	defer f.Close(ctx)
	b := make([]byte, 1000)
	n, err := f.ReadAt(ctx, b, 0)
	r.must(err)
	return string(b[:n])
}

func (r *rig) open(name string, flag wnet.OpenFlag) wnet.File {
	r.Helper()
	f, err := r.fs.Open(r.Context(), name, flag, 0o644)
	r.must(err)
	return f
}

// text reads an open file.
func (r *rig) text(f wnet.File) (string, error) {
	b := make([]byte, 1000)
	n, err := f.ReadAt(r.Context(), b, 0)
	return string(b[:n]), err
}

func (r *rig) wantText(f wnet.File, want string) {
	r.Helper()
	if got, err := r.text(f); err != nil || got != want {
		r.Fatalf("the file reads %q, %v, want %q", got, err, want)
	}
}

// wantStale wants the file to be known as another one, for good.
func (r *rig) wantStale(f wnet.File) {
	r.Helper()
	for range 2 {
		got, err := r.text(f)
		if !errors.Is(err, syscall.ESTALE) {
			r.Fatalf("the file reads %q, %v, want ESTALE", got, err)
		}
	}
	r.must(f.Close(r.Context()))
}

// wantNoOpens wants every File of the server given back.
func (r *rig) wantNoOpens() {
	r.Helper()
	r.await("files closed", func() bool { return r.share.OpenFiles() == 0 })
}

// plainConn hides what its methods say.
type plainConn struct {
	wnet.Conn
	fsys wnet.FileSystem
}

func (c plainConn) FS() wnet.FileSystem { return c.fsys }

// plainFS has no optional interface, and its files have none.
type plainFS struct{ wnet.FileSystem }

type plainFile struct{ wnet.File }

func (f plainFS) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
	file, err := f.FileSystem.Open(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return plainFile{file}, nil
}

// numberless is a file system without numbers for files, as over SFTP.
type numberless struct{ wnet.FileSystem }

type numberlessFile struct{ wnet.File }

func (f numberless) Stat(ctx context.Context, name string) (wnet.Attr, error) {
	a, err := f.FileSystem.Stat(ctx, name)
	a.ID = 0
	return a, err
}

func (f numberless) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
	file, err := f.FileSystem.Open(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return numberlessFile{file}, nil
}

func (f numberlessFile) Stat(ctx context.Context) (wnet.Attr, error) {
	a, err := f.File.Stat(ctx)
	a.ID = 0
	return a, err
}
