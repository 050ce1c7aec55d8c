package mem_test

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/win32"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func name(t *testing.T, s string) wnet.RemoteName {
	t.Helper()
	n, err := wnet.ParseRemoteName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func connect(t *testing.T, p *mem.Provider, remote string) wnet.Conn {
	t.Helper()
	c, err := p.Connect(t.Context(), wnet.Request{Remote: name(t, remote)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func put(t *testing.T, fsys wnet.FileSystem, name, text string) {
	t.Helper()
	f, err := fsys.Open(t.Context(), name, wnet.OpenWrite|wnet.OpenCreate|wnet.OpenTruncate, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(t.Context(), []byte(text), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, what string, err error, want win32.Code) {
	t.Helper()
	if got := wnet.CodeOf(err); got != want {
		t.Errorf("%s: got %v (%d), want %s", what, err, got, want.Name())
	}
}

// TestConnectCodes holds every code that Connect can give, in the order of its checks.
func TestConnectCodes(t *testing.T) {
	p := mem.New(mem.Options{Suffix: ".mem"})
	p.AddShare("srv", "data", mem.ShareOptions{Users: map[string]string{"Anna": "pw"}})
	p.AddShare("srv", "lp", mem.ShareOptions{Type: win32.RESOURCETYPE_PRINT})
	p.AddServer("off")
	p.SetDown("off", true)
	put(t, p.Share("SRV", "Data").FS(), "plain", "x")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		what   string
		ctx    context.Context
		remote string
		req    wnet.Request
		want   win32.Code
	}{
		{"another network's", t.Context(), `\\other\data`, wnet.Request{Type: 99}, win32.ERROR_BAD_NET_NAME},
		{"another form", t.Context(), `sftp://srv/data`, wnet.Request{}, win32.ERROR_BAD_NET_NAME},
		{"type", t.Context(), `\\srv\data`, wnet.Request{Type: 99}, win32.ERROR_INVALID_PARAMETER},
		{"user", t.Context(), `\\srv\data`, wnet.Request{User: "a\x01"}, win32.ERROR_BAD_USERNAME},
		{"given up", gone, `\\srv\data`, wnet.Request{}, win32.ERROR_CANCELLED},
		{"down", t.Context(), `\\off\data`, wnet.Request{}, win32.ERROR_BAD_NETPATH},
		{"unknown below the suffix", t.Context(), `\\x.MEM\data`, wnet.Request{}, win32.ERROR_BAD_NETPATH},
		{"no share", t.Context(), `\\srv\none`, wnet.Request{}, win32.ERROR_BAD_NET_NAME},
		{"nobody", t.Context(), `\\srv\data`, wnet.Request{}, win32.ERROR_INVALID_PASSWORD},
		{"unknown user", t.Context(), `\\srv\data`, wnet.Request{User: "eve"}, win32.ERROR_LOGON_FAILURE},
		{"no password", t.Context(), `\\srv\data`, wnet.Request{User: "anna"}, win32.ERROR_INVALID_PASSWORD},
		{"bad password", t.Context(), `\\srv\data`, wnet.Request{User: "anna", Password: wnet.NewSecret("PW")}, win32.ERROR_INVALID_PASSWORD},
		{"disk as printer", t.Context(), `\\srv\data`,
			wnet.Request{User: "anna", Password: wnet.NewSecret("pw"), Type: win32.RESOURCETYPE_PRINT}, win32.ERROR_BAD_DEV_TYPE},
		{"printer as disk", t.Context(), `\\srv\lp`, wnet.Request{Type: win32.RESOURCETYPE_DISK}, win32.ERROR_BAD_DEV_TYPE},
		{"no folder", t.Context(), `\\srv\data\none`, wnet.Request{User: "anna", Password: wnet.NewSecret("pw")}, win32.ERROR_BAD_NET_NAME},
		{"a file", t.Context(), `\\srv\data\plain`, wnet.Request{User: "anna", Password: wnet.NewSecret("pw")}, win32.ERROR_BAD_NET_NAME},
		{"all right", t.Context(), `\\SRV\DATA`, wnet.Request{User: "ANNA", Password: wnet.NewSecret("pw")}, 0},
		{"a printer", t.Context(), `\\srv\lp`, wnet.Request{Type: win32.RESOURCETYPE_PRINT}, 0},
	} {
		c.req.Remote = name(t, c.remote)
		conn, err := p.Connect(c.ctx, c.req)
		wantCode(t, c.what, err, c.want)
		if err == nil {
			conn.Close()
		}
	}
	p.SetStarted(false)
	_, err := p.Connect(t.Context(), wnet.Request{Remote: name(t, `\\other\data`)})
	wantCode(t, "not started", err, win32.ERROR_NO_NETWORK)
	if n := p.Share("srv", "data").Connections(); n != 0 {
		t.Errorf("%d connections are left, want 0: a Connect that failed or was closed leaves none", n)
	}
}

// TestBelow is a connection that begins below its share, and does not lead above.
func TestBelow(t *testing.T) {
	p := mem.New(mem.Options{})
	s := p.AddShare("srv", "data", mem.ShareOptions{})
	top := s.FS()
	for _, d := range []string{"a", "a/b"} {
		if err := top.Mkdir(t.Context(), d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, top, "secret", "above")
	put(t, top, "a/b/f", "inside")
	below := connect(t, p, `\\srv\data\a\b`).FS()
	if a, err := below.Stat(t.Context(), "f"); err != nil || a.Size != 6 {
		t.Errorf("f below: %v, %v", a, err)
	}
	l := below.(wnet.Symlinker)
	for link, want := range map[string]error{"up": syscall.ENOENT, "abs": nil, "dots": nil, "loop": syscall.ELOOP} {
		target := map[string]string{"up": "../..", "abs": "/", "dots": "../../../..", "loop": "loop"}[link]
		if err := l.Symlink(t.Context(), target, link); err != nil {
			t.Fatal(err)
		}
		file := "f"
		if link == "up" {
			file = "secret"
		}
		if _, err := below.Stat(t.Context(), link+"/"+file); !errors.Is(err, want) {
			t.Errorf("%s -> %s: got %v, want %v: a link must not lead above the connection's top", link, target, err, want)
		}
	}
	if err := top.Rename(t.Context(), "a/b", "c"); err != nil {
		t.Fatal(err)
	}
	if _, err := below.Stat(t.Context(), "f"); err != nil {
		t.Errorf("after the folder was moved: %v", err)
	}
}

// TestSeverAndDown is what happens to calls, also to those under way.
func TestSeverAndDown(t *testing.T) {
	p := mem.New(mem.Options{})
	s := p.AddShare("srv", "data", mem.ShareOptions{})
	c := connect(t, p, `\\srv\data`)
	f, err := c.FS().Open(t.Context(), "f", wnet.OpenWrite|wnet.OpenCreate, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	entered := make(chan struct{})
	p.SetFault(func(ctx context.Context, call mem.Call) error {
		if call.Op == "WriteAt" {
			close(entered)
			<-ctx.Done()
		}
		return nil
	})
	done := make(chan error)
	go func() {
		_, err := f.WriteAt(context.Background(), []byte("x"), 0)
		done <- err
	}()
	<-entered
	if n := p.Sever("SRV"); n != 1 {
		t.Errorf("severed %d, want 1", n)
	}
	wantCode(t, "the write under way", <-done, win32.ERROR_NETNAME_DELETED)
	<-c.Lost()
	p.SetFault(nil)
	_, err = c.FS().Stat(t.Context(), ".")
	wantCode(t, "Stat after it", err, win32.ERROR_NETNAME_DELETED)
	if s.OpenFiles() != 1 || f.Close(t.Context()) == nil || s.OpenFiles() != 0 {
		t.Errorf("a File of a severed connection is given back by Close, with the connection's error")
	}
	c2 := connect(t, p, `\\srv\data`)
	p.SetDown("srv", true)
	<-c2.Lost()
	_, err = p.Connect(t.Context(), wnet.Request{Remote: name(t, `\\srv\data`)})
	wantCode(t, "Connect", err, win32.ERROR_BAD_NETPATH)
	p.SetDown("srv", false)
	c3 := connect(t, p, `\\srv\data`)
	if !p.RemoveShare("srv", "data") || p.RemoveShare("srv", "data") {
		t.Error("RemoveShare must say whether the share was there")
	}
	<-c3.Lost()
}

// TestQuota is ENOSPC with the part that fitted, and room that comes back when the last File of a removed file is closed.
func TestQuota(t *testing.T) {
	p := mem.New(mem.Options{})
	p.AddShare("srv", "data", mem.ShareOptions{Quota: 256 << 10})
	fsys := connect(t, p, `\\srv\data`).FS()
	ctx := t.Context()
	f, err := fsys.Open(ctx, "f", wnet.OpenWrite|wnet.OpenCreate, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	n, err := f.WriteAt(ctx, make([]byte, 1<<20), 0)
	if n != 256<<10 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %d, %v, want %d and ENOSPC", n, err, 256<<10)
	}
	free := func() uint64 {
		st, err := fsys.(wnet.Statfser).Statfs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return st.Free
	}
	if err := fsys.Remove(ctx, "f", false); err != nil || free() != 0 {
		t.Errorf("removed while open: %v, %d bytes free, want 0", err, free())
	}
	if err := f.Close(ctx); err != nil || free() != 256<<10 {
		t.Errorf("closed: %v, %d bytes free, want all", err, free())
	}
	g, err := fsys.Open(ctx, "g", wnet.OpenWrite|wnet.OpenCreate, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(ctx)
	if _, err := g.WriteAt(ctx, []byte("end"), 1<<50); err != nil || free() < 128<<10 {
		t.Errorf("a sparse file: %v, %d bytes free: a gap takes no room", err, free())
	}
}

// TestReadOnly is EROFS for all that changes, and nothing else.
func TestReadOnly(t *testing.T) {
	p := mem.New(mem.Options{})
	s := p.AddShare("srv", "data", mem.ShareOptions{ReadOnly: true})
	put(t, s.FS(), "f", "text")
	fsys, ctx := connect(t, p, `\\srv\data`).FS(), t.Context()
	mode := fs.FileMode(0o600)
	f, err := fsys.Open(ctx, "f", wnet.OpenRead, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close(ctx)
	errs := map[string]error{
		"Mkdir": fsys.Mkdir(ctx, "d", 0o755), "Remove": fsys.Remove(ctx, "f", false), "Rename": fsys.Rename(ctx, "f", "g"),
		"Link": fsys.(wnet.Linker).Link(ctx, "f", "g"), "Symlink": fsys.(wnet.Symlinker).Symlink(ctx, "f", "g"),
	}
	_, errs["SetAttr"] = fsys.(wnet.AttrSetter).SetAttr(ctx, "f", wnet.AttrChange{Mode: &mode})
	_, errs["FileSetAttr"] = f.(wnet.FileAttrSetter).SetAttr(ctx, wnet.AttrChange{Mode: &mode})
	_, errs["Open to write"] = fsys.Open(ctx, "f", wnet.OpenWrite, 0)
	_, errs["Open to create"] = fsys.Open(ctx, "g", wnet.OpenRead|wnet.OpenCreate, 0o644)
	for what, err := range errs {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: got %v, want EROFS", what, err)
		}
	}
}

// TestLatency is a slow server: a call takes as long as it says, and no longer than its context.
func TestLatency(t *testing.T) {
	p := mem.New(mem.Options{})
	p.AddShare("srv", "fast", mem.ShareOptions{})
	p.AddShare("srv", "slow", mem.ShareOptions{Latency: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := p.Connect(ctx, wnet.Request{Remote: name(t, `\\srv\slow`)})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	connect(t, p, `\\srv\fast`)
}

// BenchmarkConnection tells what an idle connection costs.
func BenchmarkConnection(b *testing.B) {
	p := mem.New(mem.Options{})
	p.AddShare("srv", "data", mem.ShareOptions{})
	remote := wnet.RemoteName{Server: "srv", Share: "data"}
	conns := make([]wnet.Conn, b.N)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	for i := range conns {
		c, err := p.Connect(b.Context(), wnet.Request{Remote: remote})
		if err != nil {
			b.Fatal(err)
		}
		conns[i] = c
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "B/conn")
	runtime.KeepAlive(conns)
}
