package smb

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// request asks for a share of srv with the server's own user.
func request(srv *rig.SMBServer, share string) wnet.Request {
	return wnet.Request{Remote: wnet.RemoteName{Server: srv.Host(), Port: srv.Port(), Share: share}, Type: win32.RESOURCETYPE_DISK,
		User: srv.User(), Password: wnet.NewSecret(srv.Password())}
}

// connect connects, and gives up when the test ends.
func connect(t *testing.T, p *Provider, req wnet.Request) *conn {
	t.Helper()
	c, err := p.Connect(t.Context(), req)
	if err != nil {
		t.Fatalf("Connect to %v: %v", req.Remote, err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*conn)
}

// refused wants Connect to fail with a code, and no password in what a person reads. It returns all that they read.
func refused(t *testing.T, p *Provider, req wnet.Request, want win32.Code) string {
	t.Helper()
	c, err := p.Connect(t.Context(), req)
	if err == nil {
		c.Close()
	}
	return wantCode(t, err, want, req.Password.Reveal())
}

func wantCode(t *testing.T, err error, want win32.Code, secret string) string {
	t.Helper()
	if got := wnet.CodeOf(err); got != want {
		t.Errorf("got %d %v, want %s", got, err, want.Name())
		return ""
	}
	var e *wnet.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *wnet.Error", err)
	}
	text := err.Error() + " " + e.Hint
	if len(secret) > 2 && strings.Contains(text, secret) {
		t.Errorf("the password is in %q", text)
	}
	return text
}

func wantText(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("got %q, want %q in it", text, want)
	}
}

// await waits for an event with a generous deadline.
func await(t *testing.T, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: nothing happens", what)
	}
}

// until polls for what no event tells.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: does not happen", what)
		}
	}
}

const create = wnet.OpenRead | wnet.OpenWrite | wnet.OpenCreate

func open(t *testing.T, c *conn, name string, flag wnet.OpenFlag) wnet.File {
	t.Helper()
	f, err := c.Open(t.Context(), name, flag, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, c *conn, name, text string) {
	t.Helper()
	f := open(t, c, name, create|wnet.OpenTruncate)
	write(t, f, text)
	closing(t, f)
}

func write(t *testing.T, f wnet.File, text string) {
	t.Helper()
	if _, err := f.WriteAt(t.Context(), []byte(text), 0); err != nil {
		t.Fatal(err)
	}
}

func closing(t *testing.T, f wnet.File) {
	t.Helper()
	if err := f.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// holds wants a File to read as text from its beginning to its end.
func holds(t *testing.T, f wnet.File, want string) {
	t.Helper()
	p := make([]byte, len(want)+100)
	n, err := f.ReadAt(t.Context(), p, 0)
	if err != nil || string(p[:n]) != want {
		t.Errorf("got %q, %v, want %q", p[:n], err, want)
	}
}

func has(t *testing.T, c *conn, name, want string) {
	t.Helper()
	f := open(t, c, name, wnet.OpenRead)
	holds(t, f, want)
	closing(t, f)
}

func names(t *testing.T, c *conn, dir string, want ...string) {
	t.Helper()
	list, err := c.ReadDir(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, a := range list {
		got = append(got, a.Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("ReadDir of %s: got %q, want %q", dir, got, want)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// recorder dials and keeps what goes over the wire.
type recorder struct {
	mu         sync.Mutex // guards sent and got
	sent, got  []byte
	dialed     int
	net.Dialer // has DialContext
}

func (r *recorder) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := r.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dialed++
	return &recorded{c, r}, nil
}

// wire gives what was sent and received until now.
func (r *recorder) wire() (sent, got []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sent), slices.Clone(r.got)
}

type recorded struct {
	net.Conn
	r *recorder
}

func (c *recorded) Write(p []byte) (int, error) {
	c.r.mu.Lock()
	c.r.sent = append(c.r.sent, p...)
	c.r.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *recorded) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.r.mu.Lock()
	c.r.got = append(c.r.got, p[:n]...)
	c.r.mu.Unlock()
	return n, err
}

// frames cuts a recorded stream into messages.
func frames(stream []byte) [][]byte {
	var all [][]byte
	for len(stream) >= 4 {
		n := int(stream[1])<<16 | int(stream[2])<<8 | int(stream[3])
		if len(stream) < 4+n {
			break
		}
		all = append(all, stream[4:4+n])
		stream = stream[4+n:]
	}
	return all
}
