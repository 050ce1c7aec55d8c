package test

import (
	"strings"
	"testing"

	"github.com/openwnet/wnet/test/rig"
)

// The shares of a real server, as `net view` prints them; the hidden ones only when asked for.
//
// Rows: NL-08.
func TestViewServer(t *testing.T) {
	b := newBox(t)
	s := rig.Smbd(t, rig.SMBOptions{Shares: map[string][]string{"music": {"comment = Songs"}, "admin$": nil}})
	view := func(more ...string) string {
		t.Helper()
		args := append([]string{"view", "smb://" + s.Addr(), "--user", s.User(), "--password-stdin"}, more...)
		r := b.exec(s.Password()+"\n", program, args...)
		if r.code != 0 {
			t.Fatal(r)
		}
		return r.out
	}
	want := `Shared resources at \\127.0.0.1

(null)

Share name  Type  Used as  Comment

-------------------------------------------------------------------------------
data        Disk
music       Disk           Songs
ro          Disk
The command completed successfully.

`
	if got := view(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := view("/ALL"); !strings.Contains(got, "admin$      Disk") || !strings.Contains(got, "IPC$        IPC") {
		t.Errorf("/ALL gives\n%s", got)
	}
}
