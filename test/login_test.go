package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openwnet/wnet/win32"
)

// What /savecred saved can be listed and forgotten, by any name of the server; no password is ever shown, and a drive that is connected
// stays so. `wnet use H: /home` connects to the folder that the profile names, with the saved login.
//
// Rows: NU-07, NU-08.
func TestHomeAndSavedLogins(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	s := smbTarget(b)
	b.fails(int(win32.ERROR_PATH_NOT_FOUND), "use", "H:", "/home")
	if r := b.ok("credential", "list"); !strings.HasPrefix(r.out, "No password is saved.") {
		t.Errorf("%v", r)
	}
	b.mapTo("Z:", s, "/savecred", "/persistent:no")
	user := strings.TrimPrefix(s.use[0], "/user:")
	r := b.ok("credential", "list", "--json")
	if !strings.Contains(r.out, `"user": "`+user+`"`) || strings.Contains(r.out, strings.TrimSpace(s.stdin)) {
		t.Errorf("%v", r)
	}

	text := "[PersistentConnections]\nHomeDirectory = '" + s.remote + "'\n"
	if err := os.MkdirAll(filepath.Dir(b.profile()), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.profile(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.ok("use", "H:", "/home")
	s.write(t, "at home", "yes")
	if got, err := os.ReadFile(b.drive("H", "at home")); err != nil || string(got) != "yes" {
		t.Errorf("H: %q %v", got, err)
	}
	if now, err := os.ReadFile(b.profile()); err != nil || !strings.Contains(string(now), "HomeDirectory = '") {
		t.Errorf("the setting is gone from the profile: %s %v", now, err)
	}

	b.fails(int(win32.ERROR_FILE_NOT_FOUND), "credential", "delete", "//elsewhere")
	b.fails(int(win32.ERROR_FILE_NOT_FOUND), "credential", "delete", s.remote, "--user", "nobody-else")
	b.ok("credential", "delete", s.remote)
	if r := b.ok("credential", "list"); !strings.HasPrefix(r.out, "No password is saved.") {
		t.Errorf("%v", r)
	}
	if c, ok := b.connection("Z:"); !ok || !c.Connected {
		t.Errorf("Z: is %+v", c)
	}
}
