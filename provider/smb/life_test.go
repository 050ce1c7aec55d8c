package smb

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

// hasty gives up a silent server soon.
var hasty = Config{Timeouts: Timeouts{KeepAlive: 100 * time.Millisecond, Answer: time.Second}}

// everything calls each method once, each for as long as limit lasts, and returns the errors.
func everything(t *testing.T, limit time.Duration, c *conn, f wnet.File) map[string]error {
	t.Helper()
	when := time.Now()
	second := func(_ any, err error) error { return err }
	errs := map[string]error{}
	for _, call := range []struct {
		name string
		fn   func(context.Context) error
	}{
		{"Stat", func(ctx context.Context) error { return second(c.Stat(ctx, "f")) }},
		{"ReadDir", func(ctx context.Context) error { return second(c.ReadDir(ctx, ".")) }},
		{"Open", func(ctx context.Context) error {
			f, err := c.Open(ctx, "g", create, 0o644)
			if err == nil {
				f.Close(ctx)
			}
			return err
		}},
		{"Mkdir", func(ctx context.Context) error { return c.Mkdir(ctx, "d", 0o755) }},
		{"Remove", func(ctx context.Context) error { return c.Remove(ctx, "other", false) }},
		{"Rename", func(ctx context.Context) error { return c.Rename(ctx, "x", "y") }},
		{"SetAttr", func(ctx context.Context) error { return second(c.SetAttr(ctx, "h", wnet.AttrChange{ModTime: &when})) }},
		{"Statfs", func(ctx context.Context) error { return second(c.Statfs(ctx)) }},
		{"ReadAt", func(ctx context.Context) error { return second(f.ReadAt(ctx, make([]byte, 4), 0)) }},
		{"WriteAt", func(ctx context.Context) error { return second(f.WriteAt(ctx, make([]byte, 4), 0)) }},
		{"Truncate", func(ctx context.Context) error { return f.Truncate(ctx, 1) }},
		{"File.Stat", func(ctx context.Context) error { return second(f.Stat(ctx)) }},
		{"Sync", f.Sync},
		{"File.SetAttr", func(ctx context.Context) error {
			return second(f.(wnet.FileAttrSetter).SetAttr(ctx, wnet.AttrChange{ModTime: &when}))
		}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		errs[call.name] = call.fn(ctx)
		cancel()
	}
	return errs
}

func TestFrozen(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	patient := connect(t, New(Config{}), request(srv, "data"))
	c := connect(t, New(hasty), request(srv, "data"))
	put(t, c, "f", "text")
	f, g := open(t, patient, "f", create), open(t, c, "f", create)
	srv.Freeze()
	await(t, "Lost of a connection to a frozen server", c.Lost())
	for what, err := range everything(t, time.Minute, c, g) {
		if !errors.Is(err, win32.ERROR_NETNAME_DELETED) {
			t.Errorf("%s on a lost connection: %v", what, err)
		}
	}
	closeLost(t, g)
	for what, err := range everything(t, 10*time.Millisecond, patient, f) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s while the server is frozen: %v", what, err)
		}
	}
	select {
	case <-patient.Lost():
		t.Error("a connection with patience is lost at once")
	default:
	}
	srv.Thaw()
	// What the callers had given up was done all the same, and has left nothing open.
	closing(t, f)
	names(t, patient, ".", "d", "f", "g")
	ok(t, connect(t, New(hasty), request(srv, "data")).Remove(t.Context(), "g", false))
	names(t, patient, ".", "d", "f")

	// Close waits for no dead server, and ends what is under way.
	put(t, patient, "f", "text")
	f = open(t, patient, "f", create)
	srv.Freeze()
	errs := make(chan error, 2)
	go func() { _, err := f.ReadAt(t.Context(), make([]byte, 10), 0); errs <- err }()
	go func() { errs <- patient.Rename(t.Context(), "f", "g") }()
	until(t, "two requests are under way", func() bool {
		patient.claims.mu.Lock()
		defer patient.claims.mu.Unlock()
		return len(patient.claims.list) == 1
	})
	ok(t, patient.Close())
	for range 2 {
		if err := <-errs; !errors.Is(err, win32.ERROR_NETNAME_DELETED) {
			t.Errorf("a request under way at Close: %v", err)
		}
	}
	ok(t, patient.Close())
	select {
	case <-patient.Lost():
		t.Error("Close counts as a loss")
	default:
	}
}

// TestFrozenWriter: a socket that takes nothing more does not hide that the server is dead.
func TestFrozenWriter(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	c := connect(t, New(hasty), request(srv, "data"))
	f := open(t, c, "f", create)
	srv.Freeze()
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			if _, err := f.WriteAt(t.Context(), make([]byte, 1<<20), int64(i)<<20); !errors.Is(err, win32.ERROR_NETNAME_DELETED) {
				t.Errorf("WriteAt: %v", err)
			}
		})
	}
	wg.Wait()
	await(t, "Lost", c.Lost())
	closeLost(t, f)
}

func TestKilled(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	c := connect(t, New(Config{}), request(srv, "data"))
	srv.KillSessions()
	await(t, "Lost after the session was killed", c.Lost())
	_, err := c.Stat(t.Context(), ".")
	wantCode(t, err, win32.ERROR_NETNAME_DELETED, srv.Password())
	c = connect(t, New(Config{}), request(srv, "data"))
	f := open(t, c, "f", create)
	ok(t, c.Remove(t.Context(), "f", false))
	srv.Stop()
	await(t, "Lost after the server was killed", c.Lost())
	closeLost(t, f)
	ok(t, c.Close())
	refused(t, New(Config{}), request(srv, "data"), win32.ERROR_BAD_NETPATH)
	srv.Start()
	connect(t, New(Config{}), request(srv, "data"))
}

// TestIdle: a server that answers is not given up, however long nobody asks it for anything.
func TestIdle(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	r := new(recorder)
	cfg := Config{Timeouts: Timeouts{KeepAlive: 5 * time.Millisecond, Answer: 20 * time.Second}, Dialer: r.dial}
	c := connect(t, New(cfg), request(srv, "data"))
	until(t, "the server is asked for signs of life", func() bool {
		sent, _ := r.wire()
		return len(frames(sent)) > 10
	})
	names(t, c, ".")
}

// TestHostile: what answers like no server ends in a clear error, whatever it does.
func TestHostile(t *testing.T) {
	t.Parallel()
	page := "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
	for name, h := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"silent":           {func(c net.Conn) { io.Copy(io.Discard, c) }, "did not answer in time"},
		"hangs up":         {func(c net.Conn) {}, "closed the connection without an answer"},
		"hangs up later":   {func(c net.Conn) { io.ReadFull(c, make([]byte, 50)) }, "connection"},
		"a web server":     {func(c net.Conn) { io.WriteString(c, page) }, "no SMB server"},
		"an SSH server":    {func(c net.Conn) { io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n") }, "no SMB server"},
		"half a length":    {func(c net.Conn) { io.WriteString(c, "\x00\x00") }, "no SMB server"},
		"an absurd length": {func(c net.Conn) { io.WriteString(c, "\x00\xff\xff\xff") }, "a message of 16777215 bytes"},
		"no message":       {func(c net.Conn) { io.WriteString(c, "\x00\x00\x00\x00") }, "no SMB server"},
		"rubbish":          {func(c net.Conn) { io.WriteString(c, "\x00\x00\x00\x40"+strings.Repeat("x", 64)) }, "no SMB server"},
		"SMB 1":            {func(c net.Conn) { io.WriteString(c, "\x00\x00\x00\x20\xffSMB"+strings.Repeat("\x00", 28)) }, "SMB 1 only"},
		"a short header":   {func(c net.Conn) { io.WriteString(c, "\x00\x00\x00\x20\xfeSMB"+strings.Repeat("\x00", 28)) }, "no SMB server"},
		"an empty answer": {func(c net.Conn) {
			io.WriteString(c, "\x00\x00\x00\x40\xfeSMB\x40\x00"+strings.Repeat("\x00", 58))
		}, "no SMB server"},
		"zeros": {func(c net.Conn) { io.WriteString(c, "\x00\x00\x00\xff\xfeSMB\x40\x00"+strings.Repeat("\x00", 249)) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			req, stop := hostile(t, h.serve)
			defer stop()
			cfg := Config{Timeouts: Timeouts{Connect: 10 * time.Second}}
			if name == "silent" {
				cfg.Timeouts.Connect = 50 * time.Millisecond
			}
			wantText(t, refused(t, New(cfg), req, win32.ERROR_BAD_NETPATH), h.want)
		})
	}
}

// hostile listens, serves each connection by a function and hangs up when it returns.
func hostile(t *testing.T, serve func(net.Conn)) (wnet.Request, func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				serve(c)
				if tcp, ok := c.(*net.TCPConn); ok { // let the client read what was sent before the end
					tcp.CloseWrite()
					io.Copy(io.Discard, c)
				}
			})
		}
	})
	addr := l.Addr().(*net.TCPAddr)
	return wnet.Request{Remote: wnet.RemoteName{Server: "127.0.0.1", Port: addr.Port, Share: "data"}, Type: win32.RESOURCETYPE_DISK,
			User: "anna", Password: wnet.NewSecret("open sesame")}, func() {
			l.Close()
			mu.Lock()
			for _, c := range open {
				c.Close()
			}
			mu.Unlock()
			wg.Wait()
		}
}

// TestGarbled: a real server whose answers are damaged on the way makes requests fail or the connection end, and nothing worse.
func TestGarbled(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	d := net.Dialer{}
	for n := range 30 {
		var c *garbler
		cfg := hasty
		cfg.Timeouts.Connect, cfg.Timeouts.Answer = 200*time.Millisecond, 100*time.Millisecond
		cfg.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := d.DialContext(ctx, network, address)
			c = &garbler{Conn: nc, at: 5 + n*71}
			return c, err
		}
		got, err := New(cfg).Connect(t.Context(), request(srv, "data"))
		if err != nil {
			wantCode(t, err, wnet.CodeOf(err), srv.Password())
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if f, err := got.FS().Open(ctx, "f", create, 0o644); err == nil {
			everything(t, 50*time.Millisecond, got.(*conn), f)
			f.Close(ctx)
		}
		cancel()
		got.Close()
	}
}

// garbler flips one byte of what is received, at a position.
type garbler struct {
	net.Conn
	at, pos int
}

func (g *garbler) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if i := g.at - g.pos; i >= 0 && i < n {
		p[i] ^= 0xff
	}
	g.pos += n
	return n, err
}
