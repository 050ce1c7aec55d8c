package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openwnet/wnet/paths"
	"github.com/openwnet/wnet/win32"
)

// TestLogFile: it is never much longer than its limit, and nothing of the newest part is lost.
func TestLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "daemon.log")
	if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := openLog(path, 1000, false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i := range 500 {
		if n, err := fmt.Fprintf(l, "line %d\n", i); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	var all string
	for _, p := range []string{path + ".1", path} {
		b, err := os.ReadFile(p)
		if err != nil || len(b) > 1000 {
			t.Errorf("%s: %d bytes, %v", p, len(b), err)
		}
		all += string(b)
	}
	for i := 400; i < 500; i++ {
		if !strings.Contains(all, fmt.Sprintf("line %d\n", i)) {
			t.Errorf("line %d is lost", i)
		}
	}
}

// TestLock: one holder, a sentence for the second one, and the one that stops is waited for.
func TestLock(t *testing.T) {
	p := paths.Paths{}.At(filepath.Join(t.TempDir(), "wnet.sock"))
	a, err := takeLock(t.Context(), p, false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = takeLock(t.Context(), p, false)
	if !errors.Is(err, ErrRunning) || !errors.Is(err, win32.ERROR_ALREADY_INITIALIZED) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("the second: got %v", err)
	}
	a.stopping()
	got := make(chan *lockFile, 1)
	go func() {
		b, err := takeLock(t.Context(), p, false)
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	select {
	case <-got:
		t.Fatal("two hold the lock")
	case <-time.After(50 * time.Millisecond):
	}
	a.release()
	b := <-got
	if _, err := takeLock(t.Context(), p, false); !errors.Is(err, ErrRunning) {
		t.Errorf("behind the one that had waited: got %v", err)
	}
	// The file was cleared away under its holder: what is there now is another file, and another lock.
	if err := os.Remove(p.DaemonLock()); err != nil {
		t.Fatal(err)
	}
	c, err := takeLock(t.Context(), p, false)
	if err != nil {
		t.Fatal(err)
	}
	b.release()
	c.stopping()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := takeLock(ctx, p, false); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a wait that ends: got %v", err)
	}
	c.release()
}

// TestBounded: what does not mind its context does not keep the daemon, and haste ends the wait.
func TestBounded(t *testing.T) {
	if err := bounded(t.Context(), time.Minute, func(context.Context) error { return os.ErrClosed }); err != os.ErrClosed {
		t.Errorf("got %v", err)
	}
	hurry, haste := context.WithCancel(t.Context())
	haste()
	if err := bounded(hurry, time.Minute, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	never := make(chan struct{})
	defer close(never)
	if err := bounded(hurry, time.Minute, func(context.Context) error { <-never; return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestVersionNumber(t *testing.T) {
	for version, want := range map[string]uint32{"v1.2.3": 0x00010002, "v0.9": 9, "(devel)": 0, "unknown": 0, "v0.0.0-20261125-abc": 0} {
		if got := number(version); got != want {
			t.Errorf("%s: got %#x, want %#x", version, got, want)
		}
	}
}
