package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// /smartcard logs in with what ssh-agent holds: here a key that is in no file of the user's, as one on a card. Without the agent it is refused
// with how to go on, although a key file would do.
//
// Rows: NU-06.
func TestSmartCardIsTheAgents(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	s := sftpTarget(b)
	r := b.fails(int(win32.ERROR_ACCESS_DENIED), "use", "Z:", s.remote, "/smartcard")
	if !strings.Contains(r.err, "ssh-add -s") {
		t.Errorf("the hint does not help: %v", r)
	}
	b.ok("stop") // the daemon has to run where the agent is
	key := filepath.Join(b.home, ".ssh", "id_ed25519")
	sock := filepath.Join(b.dir, "agent")
	agent := b.command(t.Context(), "ssh-agent", "-D", "-a", sock)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(agent) })
	if !b.until(30*time.Second, func() bool { _, err := os.Stat(sock); return err == nil }) {
		t.Fatal("the agent does not start")
	}
	b.env = append(b.env, "SSH_AUTH_SOCK="+sock)
	b.sh("ssh-add -q " + key + " && rm " + key)
	b.ok("use", "Z:", s.remote, "/smartcard", "/persistent:yes")
	s.write(t, "by card", "yes")
	if got, err := os.ReadFile(b.drive("Z", "by card")); err != nil || string(got) != "yes" {
		t.Errorf("%q %v", got, err)
	}
	if c, _ := b.connection("Z:"); !c.Options.SmartCard || !c.Remembered {
		t.Errorf("Z: is %+v", c)
	}
	b.ok("cancel", "Z:")
}
