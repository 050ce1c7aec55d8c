package credential

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// writerEnv makes the test binary a second process that writes, see TestTwoProcesses.
const writerEnv = "WNET_TEST_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		os.Exit(writer(dir))
	}
	goleak.VerifyTestMain(m)
}

// password is what no error and no log line may hold.
const password = "s3cr3t-of-anna"

// folders gives a Config without a session bus, whose log is looked through for passwords at the end.
func folders(t *testing.T) Config {
	t.Helper()
	dir := t.TempDir()
	log := &lockedBuffer{}
	t.Cleanup(func() {
		if s := log.String(); strings.Contains(s, password) {
			t.Errorf("the log holds a password: %s", s)
		}
	})
	return Config{
		ConfigDir: filepath.Join(dir, "config", "wnet"), DataDir: filepath.Join(dir, "data", "wnet"),
		Logger: slog.New(slog.NewTextHandler(io.MultiWriter(log, testWriter{t}), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}

func cred(target, user, pass string) Credential {
	return Credential{Target: target, User: user, Password: wnet.NewSecret(pass)}
}

func mustPut(t *testing.T, s Store, c Credential) {
	t.Helper()
	if err := s.Put(t.Context(), c); err != nil {
		t.Fatalf("Put(%s, %s): %v", c.Target, c.User, err)
	}
}

func wantGet(t *testing.T, s Store, target, user, wantUser, wantPass string) {
	t.Helper()
	c, err := s.Get(t.Context(), target, user)
	if err != nil {
		t.Fatalf("Get(%s, %q): %v", target, user, err)
	}
	if c.Target != target || c.User != wantUser || !c.Password.Present() || c.Password.Reveal() != wantPass {
		t.Fatalf("Get(%s, %q) = user %q with another password than wanted, or another user than %q", target, user, c.User, wantUser)
	}
}

func wantCode(t *testing.T, err error, code win32.Code) {
	t.Helper()
	var e *wnet.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("error %v has not the code %s", err, code.Name())
	}
	if strings.Contains(err.Error()+e.Hint, password) {
		t.Fatalf("the error holds a password: %v", err)
	}
}

func wantMissing(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrNotFound) {
		t.Fatalf("error %v, want ErrNotFound", err)
	}
}

// contract is what every store does.
func contract(t *testing.T, s Store) {
	ctx := t.Context()
	if got, err := s.List(ctx); err != nil || len(got) != 0 {
		t.Fatalf("List of a new store: %v, %v", got, err)
	}
	_, err := s.Get(ctx, "//nas", "")
	wantMissing(t, err)
	wantMissing(t, s.Delete(ctx, "//nas", ""))

	mustPut(t, s, cred("//nas", "anna", password))
	wantGet(t, s, "//nas", "anna", "anna", password)
	wantGet(t, s, "//nas", "ANNA", "anna", password)
	wantGet(t, s, "//nas", "", "anna", password)
	_, err = s.Get(ctx, "//nas", "bob")
	wantMissing(t, err)
	_, err = s.Get(ctx, "//na", "")
	wantMissing(t, err)

	// The newest counts, and the same user in another case is the same user.
	mustPut(t, s, cred("//nas", `CORP\bob`, "b"))
	wantGet(t, s, "//nas", "", `CORP\bob`, "b")
	mustPut(t, s, cred("//nas", "Anna", "second"))
	wantGet(t, s, "//nas", "", "Anna", "second")
	wantGet(t, s, "//nas", "anna", "Anna", "second")

	// A user name may be empty, a password empty or not UTF-8.
	mustPut(t, s, cred("sftp//nas!22/", "", "\xff\xfe\x00pass\n"))
	wantGet(t, s, "sftp//nas!22/", "", "", "\xff\xfe\x00pass\n")
	mustPut(t, s, cred("//other", "eve", ""))
	wantGet(t, s, "//other", "eve", "eve", "")
	mustPut(t, s, cred("//other", "", "nobody's"))
	wantGet(t, s, "//other", "eve", "eve", "")

	all, err := s.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		if c.Password.Present() {
			t.Errorf("List gives the password of %s", c.Target)
		}
		got = append(got, c.Target+" "+c.User)
	}
	want := []string{"//nas Anna", `//nas CORP\bob`, "//other ", "//other eve", "sftp//nas!22/ "}
	if !slices.Equal(got, want) {
		t.Errorf("List = %q, want %q", got, want)
	}

	if err := s.Delete(ctx, "//nas", "ANNA"); err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(ctx, "//nas", "anna")
	wantMissing(t, err)
	wantGet(t, s, "//nas", "", `CORP\bob`, "b")
	mustPut(t, s, cred("//nas", "carl", "c"))
	if err := s.Delete(ctx, "//nas", ""); err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(ctx, "//nas", "")
	wantMissing(t, err)
	wantGet(t, s, "//other", "eve", "eve", "")

	wantCode(t, s.Put(ctx, Credential{Target: "//nas", User: "anna"}), win32.ERROR_INVALID_PARAMETER)
	wantCode(t, s.Put(ctx, cred("", "anna", password)), win32.ERROR_INVALID_PARAMETER)
	wantCode(t, s.Put(ctx, cred("//nas", "an\x00na", password)), win32.ERROR_INVALID_PARAMETER)
	wantCode(t, s.Put(ctx, cred("//nas", "an\xffna", password)), win32.ERROR_INVALID_PARAMETER)
	over, cancel := context.WithCancel(ctx)
	cancel()
	wantCode(t, s.Put(over, cred("//nas", "anna", password)), win32.ERROR_CANCELLED)
	_, err = s.Get(over, "//nas", "anna")
	wantCode(t, err, win32.ERROR_CANCELLED)
	wantCode(t, s.Delete(over, "//nas", ""), win32.ERROR_CANCELLED)

	for _, c := range all {
		if c.Target != "//nas" {
			if err := s.Delete(ctx, c.Target, ""); err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
		}
	}
	if got, err := s.List(ctx); err != nil || len(got) != 0 {
		t.Fatalf("List after everything was deleted: %v, %v", got, err)
	}
}

func TestMemory(t *testing.T) {
	s := NewMemory()
	contract(t, s)
	if s.Kind() != "memory" {
		t.Errorf("Kind = %q", s.Kind())
	}
}

// TestManyAtOnce has many goroutines write; every write is there in the end.
func TestManyAtOnce(t *testing.T) {
	for name, s := range map[string]Store{"memory": NewMemory(), "file": Open(folders(t))} {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					if err := s.Put(t.Context(), cred(fmt.Sprintf("//server%d", i), "anna", password)); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if all, err := s.List(t.Context()); err != nil || len(all) != 16 {
				t.Errorf("%d credentials are there, want 16 (%v)", len(all), err)
			}
		})
	}
}

// TestOlderThan takes out what a credential replaces, and nothing that came after it.
func TestOlderThan(t *testing.T) {
	now := time.Now()
	old := olderThan(cred("//nas", "anna", password), now)
	for _, c := range []struct {
		e    entry
		want bool
	}{
		{entry{cred("//nas", "ANNA", ""), now.Add(-time.Second)}, true},
		{entry{cred("//nas", "anna", ""), now}, false},
		{entry{cred("//nas", "anna", ""), now.Add(time.Second)}, false},
		{entry{cred("//nas", "", ""), now.Add(-time.Second)}, false},
		{entry{cred("//na", "anna", ""), now.Add(-time.Second)}, false},
	} {
		if old(c.e) != c.want {
			t.Errorf("%s of %s, saved %v after: %v", c.e.User, c.e.Target, c.e.saved.Sub(now), !c.want)
		}
	}
}
