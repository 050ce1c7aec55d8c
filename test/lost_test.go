package test

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

// A server that restarts between a write and the close: the data may be gone, so close(2) says so, unless fsync(2) confirmed it before. A
// file that was only read closes without an error, and goes on reading.
func TestCloseTellsOfLostData(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		s.write(t, "read", "calm")
		open := func(name string) *os.File {
			t.Helper()
			f, err := os.OpenFile(b.drive("Z", name), os.O_CREATE|os.O_RDWR, 0o644)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		written, synced, read := open("written"), open("synced"), open("read")
		for _, f := range []*os.File{written, synced} {
			if _, err := f.Write([]byte("news")); err != nil {
				t.Fatal(err)
			}
		}
		if err := synced.Sync(); err != nil {
			t.Fatal(err)
		}
		s.stop()
		s.start()
		// Until the daemon has noticed, there is nothing to tell.
		if !b.until(60*time.Second, func() bool { _, err := os.ReadFile(b.drive("Z", "synced")); return err == nil }) {
			t.Fatal("the drive did not come back")
		}
		if err := written.Close(); !errors.Is(err, syscall.EIO) {
			t.Errorf("written: %v", err)
		}
		if err := synced.Close(); err != nil {
			t.Errorf("synced: %v", err)
		}
		got := make([]byte, 4)
		if _, err := read.ReadAt(got, 0); err != nil || string(got) != "calm" {
			t.Errorf("read: %q %v", got, err)
		}
		if err := read.Close(); err != nil {
			t.Errorf("read: %v", err)
		}
	})
}
