package sftp_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/sftp"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick are bounds that let a test see a dead server die.
var quick = sftp.Timeouts{KeepAlive: 100 * time.Millisecond, Dead: time.Second}

func wantLost(t *testing.T, c wnet.Conn) {
	t.Helper()
	select {
	case <-c.Lost():
	case <-testContext(t).Done():
		t.Fatal("the connection was not lost")
	}
	if _, err := c.FS().Stat(testContext(t), "."); !errors.Is(err, win32.ERROR_NETNAME_DELETED) {
		t.Errorf("after the loss: got %v, want ERROR_NETNAME_DELETED", err)
	}
}

func TestFrozenServer(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{HostKeys: []string{"ed25519"}})
	cfg := config(t, s)
	patient := connect(t, s, cfg) // with the default bounds: it must not be lost before the end of the test
	cfg.Timeouts = quick
	c := connect(t, s, cfg)
	f, err := c.FS().Open(testContext(t), "f", wnet.OpenWrite|wnet.OpenRead|wnet.OpenCreate, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	pf, err := patient.FS().Open(testContext(t), "f", wnet.OpenWrite|wnet.OpenRead, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.Freeze()
	defer s.Thaw()

	// Every call ends with its context, whatever fills up behind it.
	big := make([]byte, 1<<20)
	for name, call := range map[string]func(context.Context) error{
		"Stat":    func(ctx context.Context) error { _, err := patient.FS().Stat(ctx, "f"); return err },
		"ReadDir": func(ctx context.Context) error { _, err := patient.FS().ReadDir(ctx, "."); return err },
		"Open": func(ctx context.Context) error {
			_, err := patient.FS().Open(ctx, "g", wnet.OpenWrite|wnet.OpenCreate, 0o644)
			return err
		},
		"Mkdir":  func(ctx context.Context) error { return patient.FS().Mkdir(ctx, "d", 0o755) },
		"Rename": func(ctx context.Context) error { return patient.FS().Rename(ctx, "f", "h") },
		"Remove": func(ctx context.Context) error { return patient.FS().Remove(ctx, "f", false) },
		"ReadAt": func(ctx context.Context) error { _, err := pf.ReadAt(ctx, big, 0); return err },
		"WriteAt": func(ctx context.Context) error {
			var err error
			for i := 0; err == nil; i++ {
				_, err = pf.WriteAt(ctx, big, int64(i)<<20)
			}
			return err
		},
		"Sync":  pf.Sync,
		"Close": pf.Close,
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want context.DeadlineExceeded", name, err)
		}
		cancel()
	}
	select {
	case <-patient.Lost():
		t.Error("the connection with long bounds was lost")
	default:
	}

	// One without a deadline ends with the connection.
	if _, err := f.ReadAt(testContext(t), big, 0); !errors.Is(err, win32.ERROR_NETNAME_DELETED) {
		t.Errorf("got %v, want ERROR_NETNAME_DELETED", err)
	}
	wantLost(t, c)
	c.Close()
	patient.Close() // waits for nobody
	cfg.Timeouts.Handshake = 200 * time.Millisecond
	wantCode(t, cfg, request(s), win32.ERROR_BAD_NETPATH)
}

// A server that keeps the line alive and answers nothing else must not gather goroutines.
func TestAbandonedCallsAreBounded(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{HostKeys: []string{"ed25519"}})
	c := connect(t, s, config(t, s))
	s.Freeze()
	defer s.Thaw()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	const calls = 1000
	for i := range calls {
		go func() {
			_, err := c.FS().Stat(ctx, fmt.Sprint(i))
			done <- err
		}()
	}
	cancel()
	for range calls {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	s.Thaw()
	if _, err := c.FS().Stat(testContext(t), "."); err != nil {
		t.Errorf("after the server woke up: %v", err)
	}
}

func TestKilledServer(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{HostKeys: []string{"ed25519"}})
	c := connect(t, s, config(t, s))
	f, err := c.FS().Open(testContext(t), "f", wnet.OpenWrite|wnet.OpenCreate, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	wantLost(t, c)
	if _, err := f.WriteAt(testContext(t), []byte("x"), 0); !errors.Is(err, win32.ERROR_NETNAME_DELETED) {
		t.Errorf("a write: got %v, want ERROR_NETNAME_DELETED", err)
	}
	if err := f.Close(testContext(t)); !errors.Is(err, win32.ERROR_NETNAME_DELETED) {
		t.Errorf("the close: got %v, want ERROR_NETNAME_DELETED", err)
	}
	c.Close()
	wantCode(t, config(t, s), request(s), win32.ERROR_BAD_NETPATH)
	s.Start()
	connect(t, s, config(t, s))
}

// Close is not a loss, and ends what is under way.
func TestClose(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{HostKeys: []string{"ed25519"}})
	c := connect(t, s, config(t, s))
	s.Freeze()
	defer s.Thaw()
	done := make(chan error)
	go func() {
		_, err := c.FS().Stat(testContext(t), "f")
		done <- err
	}()
	c.Close()
	c.Close()
	if err := <-done; !errors.Is(err, win32.ERROR_NETNAME_DELETED) {
		t.Errorf("got %v, want ERROR_NETNAME_DELETED", err)
	}
	select {
	case <-c.Lost():
		t.Error("Close counts as a loss")
	default:
	}
}
