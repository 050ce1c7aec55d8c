package sftp_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/sftp"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

// ctx ends with the test, or long after anything is expected to.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// config is a user's own set-up: an empty home, the server's key and the user's key known.
func config(t *testing.T, s *rig.SSHServer) sftp.Config {
	t.Helper()
	return sftp.Config{
		Home:          t.TempDir(),
		KnownHosts:    []string{s.KnownHosts},
		IdentityFiles: []string{s.IdentityFile},
		Servers:       nobodyElse,
		Logger:        slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Helper()
	w.t.Logf("%s", p)
	return len(p), nil
}

// remote is the name of a folder on the server.
func remote(s *rig.SSHServer, path string) wnet.RemoteName {
	n := wnet.RemoteName{Scheme: wnet.SchemeSFTP, User: s.User, Server: s.Host, Port: s.Port, Rooted: true}
	if path != "" {
		n.Path = path[1:]
	}
	return n
}

func request(s *rig.SSHServer) wnet.Request {
	return wnet.Request{Remote: remote(s, s.Root), Type: win32.RESOURCETYPE_DISK}
}

// connect connects to the server's folder, for as long as the test lasts.
func connect(t *testing.T, s *rig.SSHServer, cfg sftp.Config) wnet.Conn {
	t.Helper()
	c, err := sftp.New(cfg).Connect(testContext(t), request(s))
	if err != nil {
		t.Fatalf("connect: %v\n%s", err, s.Log())
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func writeFile(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
