package test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet/win32"
)

// Somebody takes a drive's mount away with `umount -l` while a file is open: the connection is given up at once, as after a plain umount, and
// stays remembered; the open file works on until it is closed, and the drive can be mapped again meanwhile.
func TestTakenAwayFromOutside(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s, "/persistent:yes", "/savecred")
		f, err := os.Create(b.drive("Z", "open"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		b.sh("umount -l " + b.drive("Z"))
		if !b.until(60*time.Second, func() bool { c, ok := b.connection("Z:"); return ok && !c.Connected && c.Remembered }) {
			c, ok := b.connection("Z:")
			t.Fatalf("Z: is listed %v: %+v", ok, c)
		}
		if _, err := f.WriteString("works on"); err != nil {
			t.Errorf("the open file: %v", err)
		}
		b.ok("restore", "Z:")
		if err := f.Close(); err != nil {
			t.Errorf("the open file: %v", err)
		}
		for _, path := range []string{filepath.Join(s.root, "open"), b.drive("Z", "open")} {
			if got, err := os.ReadFile(path); err != nil || string(got) != "works on" {
				t.Errorf("%s: %q %v", path, got, err)
			}
		}
		b.ok("cancel", "Z:")
	})
}

// A forced cancel does not cut off another file system that is mounted inside the drive: it refuses and names it. Nothing has changed then.
//
// Rows: CC-24.
func TestForceSparesWhatIsMountedInside(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		inner := b.drive("Z", "inner")
		if err := os.Mkdir(inner, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(b.drive("Z", "open"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := syscall.Mount("tmpfs", inner, "tmpfs", 0, "size=64k"); err != nil {
			t.Fatal(err)
		}
		mounted := true
		unmount := func() {
			if mounted {
				if err := syscall.Unmount(inner, 0); err != nil {
					t.Error(err)
				}
				mounted = false
			}
		}
		defer unmount()
		r := b.fails(int(win32.ERROR_DEVICE_IN_USE), "cancel", "Z:", "--force")
		if !strings.Contains(r.out+r.err, inner) {
			t.Errorf("the mount inside is not named: %v", r)
		}
		if _, err := f.WriteString("unharmed"); err != nil {
			t.Errorf("a refused force has changed something: %v", err)
		}
		if err := os.WriteFile(filepath.Join(inner, "x"), []byte("x"), 0o600); err != nil {
			t.Errorf("the mount inside: %v", err)
		}
		unmount()
		b.ok("cancel", "Z:", "--force")
	})
}
