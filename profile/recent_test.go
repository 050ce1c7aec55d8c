package profile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/win32"
)

// The recent names are a list that a person reads: the latest first, ten of them, none twice however it was written.
func TestRecent(t *testing.T) {
	s, path := file(t, "# mine\n[PersistentConnections]\nrecent = ['//nas/old', '//nas/older'] # where I was\n")
	for _, n := range []string{`\\nas\media`, `//NAS/old`, `smb://nas/new`} {
		change(t, s, func(tx *profile.Tx) { tx.AddRecent(n) })
	}
	want := []string{`\\nas\new`, `\\NAS\old`, `\\nas\media`, `//nas/older`}
	if got := load(t, s).Recent; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := content(t, path); got != "# mine\n[PersistentConnections]\nrecent = ['\\\\nas\\new', '\\\\NAS\\old', '\\\\nas\\media', '//nas/older'] # where I was\n" {
		t.Errorf("the file:\n%s", got)
	}
	for i := range 20 {
		change(t, s, func(tx *profile.Tx) { tx.AddRecent(fmt.Sprintf(`\\nas\s%d`, i)) })
	}
	if got := load(t, s).Recent; len(got) != profile.MaxRecent || got[0] != `\\nas\s19` || got[9] != `\\nas\s10` {
		t.Errorf("got %q", got)
	}
	before := content(t, path)
	change(t, s, func(tx *profile.Tx) { tx.AddRecent(`\\nas\s19`) })
	if content(t, path) != before {
		t.Error("a name that is the latest already changed the file")
	}
}

func TestRecentRefused(t *testing.T) {
	for _, text := range []string{"[PersistentConnections]\nRecent = 'x'\n", "[PersistentConnections]\nRecent = ['nonsense']\n",
		"[PersistentConnections.Recent]\na = 1\n"} {
		s, _ := file(t, text)
		if _, err := s.Load(t.Context()); wnet.CodeOf(err) != win32.ERROR_BAD_PROFILE || !strings.Contains(err.Error(), "Recent") {
			t.Errorf("%q: got %v", text, err)
		}
	}
	s, _ := file(t, "")
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	tx.AddRecent("nonsense")
	if err := tx.Prepare(); wnet.CodeOf(err) != win32.ERROR_INVALID_PARAMETER {
		t.Errorf("got %v", err)
	}
}
