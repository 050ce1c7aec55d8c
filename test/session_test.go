package test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet"
)

// bound is the longest time for which the mount may show an old state (one second), and as much again for a busy machine.
const bound = 5 * time.Second

// Two sessions of one user see different drives: the same letter may stand for two things, neither sees or cancels the other's, and the
// end of a session takes its drives along.
//
// Rows: CC-26, CC-31, GC-10, DD-01, DD-02, DD-03, DD-08.
func TestTwoSessions(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s, "/persistent:no")
		s.write(t, "mine", "first session")
		script := fmt.Sprintf(`
			set -eu
			wnet list --json > "$TMPDIR/before.json"
			if wnet cancel Z: --force > "$TMPDIR/cancel" 2>&1; then exit 91; fi
			grep -q 'System error 2250' "$TMPDIR/cancel"
			printf '%%s' '%s' | wnet use Z: '%s' %s /persistent:no
			wnet list --json > "$TMPDIR/inside.json"
			wnet session list --json > "$TMPDIR/sessions.json"
			echo other > "$(jq -r '.connections[0].path' "$TMPDIR/inside.json")/theirs"
		`, s.stdin, s.other, quoted(s.use))
		r := b.run("session", "run", "--", "/bin/sh", "-c", script)
		if r.code != 0 {
			t.Fatalf("in the other session: %v", r)
		}
		read := func(name string) []wnet.Connection {
			t.Helper()
			var list struct{ Connections []wnet.Connection }
			data, err := os.ReadFile(filepath.Join(b.dir, "tmp", name))
			if err == nil {
				err = json.Unmarshal(data, &list)
			}
			if err != nil {
				t.Fatal(err)
			}
			return list.Connections
		}
		if list := read("before.json"); len(list) != 0 {
			t.Errorf("the new session begins with %+v", list)
		}
		inside := read("inside.json")
		if len(inside) != 1 {
			t.Fatalf("the other session has %+v", inside)
		}
		theirs := inside[0].Path
		if theirs == "" || strings.HasPrefix(theirs, b.drive("Z")) {
			t.Errorf("the other session's drive is at %q", theirs)
		}
		if c, ok := b.connection("Z:"); !ok || c.RemoteName != s.unc {
			t.Errorf("the first session's Z: is %+v", c)
		}
		if _, err := os.Stat(b.drive("Z", "theirs")); err == nil {
			t.Error("the other session's file is on the first session's drive")
		}
		if !b.until(20*time.Second, func() bool { return len(b.mounts()) == 1 }) {
			t.Errorf("the other session is over and its mounts are not: %v", b.mounts())
		}
	})
}

func quoted(args []string) string {
	for i, a := range args {
		args[i] = "'" + a + "'"
	}
	return strings.Join(args, " ")
}

// A token session lives as long as a process of it, also when `wnet session run` itself is gone.
//
// Rows: DD-05.
func TestSessionOutlivesItsRunner(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.ok("list")
		script := fmt.Sprintf(`printf '%%s' '%s' | wnet use Q: '%s' %s >/dev/null; sleep 1000 >/dev/null 2>&1 & echo $!`, s.stdin, s.remote, quoted(s.use))
		r := b.run("session", "run", "--", "/bin/sh", "-c", script)
		pid, err := strconv.Atoi(strings.TrimSpace(r.out))
		if r.code != 0 || err != nil {
			t.Fatalf("%v %v", r, err)
		}
		defer syscall.Kill(pid, syscall.SIGKILL)
		r = b.ok("session", "list", "--json")
		if !strings.Contains(r.out, "token") || len(b.mounts()) != 1 {
			t.Fatalf("the session ended with its runner: %v %v", r, b.mounts())
		}
		syscall.Kill(pid, syscall.SIGKILL)
		if !b.until(20*time.Second, func() bool { return len(b.mounts()) == 0 }) {
			t.Error("the session outlives its last process")
		}
	})
}

// Another user reaches nothing: not the socket, not the drives.
func TestOtherUserReachesNothing(t *testing.T) {
	b := newBox(t)
	s := smbTarget(b)
	b.mapTo("Z:", s)
	s.write(t, "secret", "x")
	os.Chmod(b.dir, 0o755) // even where the folders above would let them through
	os.Chmod(b.home, 0o755)
	as := func(script string) error {
		cmd := exec.CommandContext(context.Background(), "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-c", script)
		cmd.Env = b.env
		cmd.Dir = "/"
		return cmd.Run()
	}
	if as("cat '"+b.drive("Z", "secret")+"'") == nil {
		t.Error("another user reads the drive")
	}
	if as("curl -sf --unix-socket '"+b.socket()+"' -H 'Content-Type: application/json' -d '{}' http://wnet/wnet.v1.Wnet/Connections") == nil {
		t.Error("another user reaches the daemon")
	}
	os.Chmod(b.dir+"/run", 0o755)
	os.Chmod(b.dir+"/run/wnet", 0o755)
	os.Chmod(b.socket(), 0o777)
	if as("curl -sf --unix-socket '"+b.socket()+"' -H 'Content-Type: application/json' -d '{}' http://wnet/wnet.v1.Wnet/Connections") == nil {
		t.Error("the socket's modes are all that keeps another user out")
	}
	os.Chmod(b.dir+"/run/wnet", 0o700)
}

// An ordinary user, without root: maps, works, is refused and forces, remembers and restores.
func TestOrdinaryUser(t *testing.T) {
	for name, make := range targets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBoxFor(t, 65534, 65534)
			s := make(b)
			b.mapTo("Z:", s, "/persistent:yes")
			b.sh("echo hello > '" + b.drive("Z", "f") + "'; cat '" + b.drive("Z", "f") + "'; ls -la '" + b.drive("Z") + "'")
			if got := s.read(t, "f"); got != "hello\n" {
				t.Errorf("the server has %q", got)
			}
			h := b.holder("exec 7<'" + b.drive("Z", "f") + "'")
			r := b.fails(2401, "cancel", "Z:")
			if !strings.Contains(r.err+r.out, strconv.Itoa(h.Process.Pid)) {
				t.Errorf("the holder is not named: %v", r)
			}
			b.ok("cancel", "Z:", "--force", "--keep")
			if left := b.mounts(); len(left) != 0 {
				t.Errorf("mounts: %v", left)
			}
			b.ok("cancel", "Z:")
		})
	}
}
