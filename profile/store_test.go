package profile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/win32"
)

// CC-12, A2-21: what stands in the profile's place and is no file that can be read stays as it is.
//
// Rows: CC-12, A2-21.
func TestCannotOpen(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"folder": func(p string) error { return os.Mkdir(p, 0o755) },
		"loop":   func(p string) error { return os.Symlink(filepath.Base(p), p) },
		"pipe":   func(p string) error { return unix.Mkfifo(p, 0o600) },
		"folder behind a link": func(p string) error {
			return os.Symlink(filepath.Dir(p), p)
		},
		"parent is a file": func(p string) error {
			if err := os.Remove(filepath.Dir(p)); err != nil {
				return err
			}
			return os.WriteFile(filepath.Dir(p), nil, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "wnet", "profile.toml")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			if err := refused(profile.Open(path), true, nil); err != nil {
				t.Error(err)
			}
			if after, _ := os.Lstat(path); before != nil && !os.SameFile(before, after) {
				t.Error("it was replaced")
			}
		})
	}
}

// A file that its owner has made read-only is meant to stay, for root too.
func TestReadOnlyFile(t *testing.T) {
	s, path := file(t, "# kept\n")
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if err := refused(s, false, nil); err != nil {
		t.Error(err)
	}
	if content(t, path) != "# kept\n" {
		t.Error("the file was changed")
	}
	tidy(t, path)
}

// Dotfile managers put a link in the profile's place: it stays, and its target is written, also where that does not exist yet.
func TestSymlink(t *testing.T) {
	for _, exists := range []bool{true, false} {
		dir := t.TempDir()
		target := filepath.Join(dir, "dotfiles", "p.toml")
		path := filepath.Join(dir, "wnet", "profile.toml")
		for _, d := range []string{target, path} {
			if err := os.Mkdir(filepath.Dir(d), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if exists {
			if err := os.WriteFile(target, []byte("# dots\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		// Two links, a relative one among them.
		if err := errors.Join(os.Symlink("link2", path), os.Symlink("../dotfiles/p.toml", filepath.Join(dir, "wnet", "link2"))); err != nil {
			t.Fatal(err)
		}
		s := profile.Open(path)
		change(t, s, func(tx *profile.Tx) { tx.Set(entry("Z:")) })
		if fi, err := os.Lstat(path); err != nil || fi.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link is gone: %v %v", fi, err)
		}
		if fi, err := os.Lstat(target); err != nil || !fi.Mode().IsRegular() || exists != strings.HasPrefix(content(t, target), "# dots\n") {
			t.Errorf("the target: %v %v", fi, err)
		}
		if load(t, s).Entries["Z:"] != entry("Z:") {
			t.Error("not read back")
		}
		if n, _ := os.ReadDir(filepath.Dir(target)); len(n) != 1 {
			t.Errorf("left behind: %v", n)
		}
	}
}

// Load notices every change, also one of the same size right after another, in place or by rename.
func TestLoadIsNeverStale(t *testing.T) {
	s, path := file(t, "[Network.A]\nRemotePath = '//n/s'\n")
	old := time.Now().Add(-time.Hour)
	for i := range 50 {
		want := string(rune('A'+i%26)) + ":"
		text := "[Network." + want[:1] + "]\nRemotePath = '//n/s'\n"
		if i%2 == 0 {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		} else {
			if err := errors.Join(os.WriteFile(path+".x", []byte(text), 0o600), os.Rename(path+".x", path)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(path, old, old); err != nil { // as a tool that keeps times does
			t.Fatal(err)
		}
		for range 2 {
			p := load(t, s)
			if len(p.Entries) != 1 {
				t.Fatalf("%d: %+v", i, p)
			}
			for d := range p.Entries {
				if string(d) != want {
					t.Fatalf("change %d: got %s, want %s", i, d, want)
				}
			}
			delete(p.Entries, "A:") // the caller's own
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if p := load(t, s); len(p.Entries) != 0 {
		t.Errorf("after removal: %+v", p)
	}
}

// A writer waits for its turn, and says so when its context ends.
func TestBeginWaits(t *testing.T) {
	s, path := file(t, "")
	tx, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]*profile.Store{"same store": s, "other store": profile.Open(path)} {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		if _, err := other.Begin(ctx); !errors.Is(err, win32.ERROR_CANNOT_OPEN_PROFILE) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		ctx, cancel = context.WithCancel(context.Background())
		cancel()
		if _, err := other.Begin(ctx); !errors.Is(err, win32.ERROR_CANCELLED) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
		got := make(chan error, 1)
		go func() {
			tx, err := other.Begin(context.Background())
			if err == nil {
				tx.Rollback()
			}
			got <- err
		}()
		select {
		case err := <-got:
			t.Errorf("%s: did not wait: %v", name, err)
		case <-time.After(30 * time.Millisecond):
		}
		tx.Rollback()
		if err := <-got; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if tx, err = s.Begin(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	tx.Rollback()
}

// Prepare writes beside the file, Rollback takes it back, and only Commit changes the profile.
func TestPrepareRollback(t *testing.T) {
	s, path := file(t, "# kept\n")
	tx, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	tx.Set(entry("Z:"))
	for range 2 {
		if err := tx.Prepare(); err != nil {
			t.Fatal(err)
		}
	}
	if tx.Profile().Entries["Z:"] != entry("Z:") {
		t.Error("the Tx does not show its own change")
	}
	if n, _ := os.ReadDir(filepath.Dir(path)); len(n) != 3 {
		t.Errorf("prepared: %v", n)
	}
	if content(t, path) != "# kept\n" {
		t.Error("Prepare changed the profile")
	}
	tx.Rollback()
	tx.Rollback()
	tidy(t, path)
	if content(t, path) != "# kept\n" {
		t.Error("Rollback changed the profile")
	}
	if err := tx.Commit(); !errors.Is(err, win32.ERROR_CANNOT_OPEN_PROFILE) {
		t.Errorf("Commit after Rollback: %v", err)
	}
	// Commit after Commit's Rollback is a caller's mistake too, but a deferred Rollback is not.
	change(t, s, func(tx *profile.Tx) {
		tx.Set(entry("Z:"))
		if err := tx.Prepare(); err != nil {
			t.Error(err)
		}
		tx.Set(entry("Y:")) // after Prepare: written all the same
	})
	if p := load(t, s); len(p.Entries) != 2 {
		t.Errorf("%+v", p)
	}
	tidy(t, path)
}

// What a person's editor saves between Begin and Commit is kept, and a mistake in it is not overwritten.
func TestEditorMeanwhile(t *testing.T) {
	for _, prepared := range []bool{false, true} {
		s, path := file(t, "[Network.Y]\nRemotePath = '//n/s'\n")
		tx, err := s.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		tx.Set(entry("Z:"))
		tx.Delete("Y:")
		if prepared {
			if err := tx.Prepare(); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte("# saved\n[Network.X]\nRemotePath = '//n/x'\n[Network.Y]\nRemotePath = '//n/s'\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		p := load(t, s)
		if len(p.Entries) != 2 || p.Entries["Z:"] != entry("Z:") || p.Entries["X:"].RemotePath != "//n/x" || !strings.HasPrefix(content(t, path), "# saved\n") {
			t.Errorf("%+v\n%s", p, content(t, path))
		}

		if tx, err = s.Begin(context.Background()); err != nil {
			t.Fatal(err)
		}
		tx.Delete("Z:")
		if prepared {
			if err := tx.Prepare(); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte("[Network.Z]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); !errors.Is(err, win32.ERROR_BAD_PROFILE) {
			t.Errorf("Commit over a mistake: %v", err)
		}
		if content(t, path) != "[Network.Z]\n" {
			t.Error("a person's file was overwritten")
		}
		tidy(t, path)
	}
}

// What a killed writer left beside the file goes with the next change; nothing else does.
func TestSweep(t *testing.T) {
	s, path := file(t, "# kept\n")
	dir := filepath.Dir(path)
	names := []string{".profile.toml123456", ".profile.toml.swp", ".profile.toml12x", "other"}
	for _, n := range names {
		if err := os.WriteFile(filepath.Join(dir, n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	change(t, s, func(tx *profile.Tx) { tx.Set(entry("Z:")) })
	for i, n := range names {
		if _, err := os.Stat(filepath.Join(dir, n)); (err == nil) != (i > 0) {
			t.Errorf("%s: %v", n, err)
		}
	}
}
