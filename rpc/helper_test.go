package rpc

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backend serves the same Service to everyone.
type backend struct {
	service  wnet.Service
	sessions wnet.Sessions
	down     chan struct{}

	mu   sync.Mutex // guards seen
	seen []Caller
}

var _ Backend = (*backend)(nil)

func (b *backend) Service(_ context.Context, c Caller) (wnet.Service, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = append(b.seen, c)
	return b.service, nil
}

func (b *backend) Sessions(context.Context, Caller) (wnet.Sessions, error) { return b.sessions, nil }

func (b *backend) Shutdown(context.Context) error {
	close(b.down)
	return nil
}

func (b *backend) Version() string { return "1.2.3" }

func (b *backend) last() Caller {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seen) == 0 {
		return Caller{}
	}
	return b.seen[len(b.seen)-1]
}

// room is a running server.
type room struct {
	*Server
	backend *backend
	socket  string
	log     *logBuffer
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu sync.Mutex // guards b
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve starts a server for svc and stops it with the test.
func serve(t testing.TB, svc wnet.Service, change func(*Limits)) *room {
	t.Helper()
	limits := DefaultLimits()
	if change != nil {
		change(&limits)
	}
	r := &room{backend: &backend{service: svc, down: make(chan struct{})}, log: &logBuffer{},
		socket: filepath.Join(t.TempDir(), "wnet.sock")}
	r.backend.sessions, _ = svc.(wnet.Sessions)
	r.Server = newServer(r.backend, slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})), limits)
	l, err := Listen(r.socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.Serve(l) }()
	t.Cleanup(func() {
		r.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

// client returns a client of r that ends with the test.
func (r *room) client(t testing.TB, token wnet.Secret) *Client {
	c := NewClient(func(ctx context.Context) (net.Conn, error) { return DialSocket(ctx, r.socket) }, token)
	t.Cleanup(func() { c.Close() })
	return c
}

// raw connects without HTTP.
func (r *room) raw(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// openFiles counts this process's descriptors.
func openFiles(t testing.TB) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// post is a request as curl would write it.
func post(method, contentType, body string, headers ...string) string {
	var extra strings.Builder
	for _, h := range headers {
		extra.WriteString(h + "\r\n")
	}
	return fmt.Sprintf("POST /wnet.v1.Wnet/%s HTTP/1.1\r\nHost: wnet\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s",
		method, contentType, len(body), extra.String(), body)
}
