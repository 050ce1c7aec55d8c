package test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet"
)

// A daemon that is killed and started again loses nothing: the dead mounts are cleared, remembered and other connections are back in
// their session, and the profile is what it was. A password that was not saved anywhere is no obstacle: the kernel kept it.
func TestKilledDaemon(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s, "/persistent:yes")
		b.mapTo("Y:", s, "/persistent:no")
		s.write(t, "f", "here")
		before, _ := os.ReadFile(b.profile())
		pid := b.daemon()
		syscall.Kill(pid, syscall.SIGKILL)
		if !b.until(20*time.Second, func() bool { return !alive(pid) }) {
			t.Fatal("not dead")
		}
		for _, device := range []string{"Z:", "Y:"} {
			if c, ok := b.connection(device); !ok || !c.Connected || c.RemoteName != s.unc {
				t.Errorf("%s is %+v", device, c)
			}
			got := b.sh("cat '" + b.drive(strings.TrimSuffix(device, ":"), "f") + "'")
			if got != "here" {
				t.Errorf("%s reads %q", device, got)
			}
		}
		b.ok("cancel", "Y:")
		b.ok("cancel", "Z:", "--keep")
		// The kernel shows a key that was unlinked until it has swept it away.
		if !b.until(20*time.Second, func() bool { return !strings.Contains(b.sh("cat /proc/keys"), b.dir) }) {
			t.Error("a password outlives its connections")
		}
		if n := len(b.mounts()); n != 0 {
			t.Errorf("%d mounts: %v", n, b.mounts())
		}
		if after, _ := os.ReadFile(b.profile()); string(after) != string(before) {
			t.Errorf("the profile changed from\n%s to\n%s", before, after)
		}
	})
}

// Remembered drives come back when their server does, by themselves; until then they are there, answer at once, and say why.
//
// Rows: NL-05.
func TestRestoreWithServerAway(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		if s.stdin != "" {
			b.mapTo("Z:", s, "/persistent:yes", "/savecred")
		} else {
			b.mapTo("Z:", s, "/persistent:yes")
		}
		s.write(t, "f", "back")
		b.ok("stop")
		s.stop()
		if c, ok := b.connection("Z:"); !ok || !c.Connected || c.Status.State == wnet.StateOK {
			t.Fatalf("Z: is %+v", c)
		}
		if r := b.exec("", "/bin/ls", b.drive("Z")); r.code == 0 {
			t.Errorf("the drive lists without a server: %v", r)
		}
		if c, _ := b.connection("Z:"); c.Status.State != wnet.StateUnavailable || c.Status.Reason == "" {
			t.Errorf("the list does not say why: %+v", c.Status)
		}
		s.start()
		if !b.until(60*time.Second, func() bool { d, err := os.ReadFile(b.drive("Z", "f")); return err == nil && string(d) == "back" }) {
			c, _ := b.connection("Z:")
			t.Errorf("the drive did not come back by itself: %+v", c)
		}
	})
}

// A server that goes away and comes back takes nothing down: the drive fails meanwhile, and then works again.
func TestServerRestarts(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		s.write(t, "f", "one")
		b.sh("cat '" + b.drive("Z", "f") + "'")
		s.stop()
		b.until(20*time.Second, func() bool { _, err := os.ReadDir(b.drive("Z")); return err != nil })
		s.start()
		if !b.until(60*time.Second, func() bool { d, err := os.ReadFile(b.drive("Z", "f")); return err == nil && string(d) == "one" }) {
			t.Error("the drive did not come back")
		}
	})
}

// A frozen server delays no cancel: neither of its own drive nor of another's.
func TestFrozenServer(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		b.mapTo("Y:", s)
		s.write(t, "f", "x")
		b.sh("cat '" + b.drive("Z", "f") + "'")
		h := b.holder("exec 7<'" + b.drive("Y", "f") + "'")
		s.freeze()
		defer s.thaw()
		b.ok("cancel", "Z:")
		b.fails(2401, "cancel", "Y:")
		b.ok("cancel", "Y:", "--force")
		end(h)
		b.gone("Y:")
		b.ok("stop")
	})
}
