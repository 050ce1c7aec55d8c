package profile

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file is not read again while it does not change, once it is older than its times can be wrong by.
func TestLoadIsCached(t *testing.T) {
	path := filepath.Join(t.TempDir(), "profile.toml")
	if err := os.WriteFile(path, []byte("[Network.Z]\nRemotePath = '//n/s'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := Open(path)
	read := func() *loaded {
		if _, err := s.Load(context.Background()); err != nil {
			t.Fatal(err)
		}
		return s.cache
	}
	if fresh := read(); fresh == read() {
		t.Error("a file that was just written is trusted to be unchanged")
	}
	s.now = func() time.Time { return time.Now().Add(time.Hour) }
	first := read()
	if first != read() {
		t.Error("an unchanged file was read twice")
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if first == read() {
		t.Error("a changed file was not read")
	}
}
