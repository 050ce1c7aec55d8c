package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet/win32"
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

// While a server does not answer, an unforced cancel names the program that waits for it, and leaves everything as it was.
//
// Rows: CC-16
func TestWaitingProgramIsNamed(t *testing.T) {
	t.Parallel()
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		s.freeze()
		defer s.thaw()
		cmd := b.command(context.Background(), "stat", b.drive("Z", "not looked up before"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer end(cmd)
		pid := cmd.Process.Pid
		if !b.until(time.Minute, func() bool {
			at, _ := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", pid))
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			return string(name) == "stat\n" && strings.Contains(string(at), "request_wait")
		}) {
			t.Fatal("stat does not wait for the server")
		}
		r := b.fails(int(win32.ERROR_OPEN_FILES), "cancel", "Z:", "--keep")
		if want := fmt.Sprintf("stat (pid %d, user ", pid); !strings.Contains(r.err, want) || !strings.Contains(r.err, "waits for the server to answer") {
			t.Errorf("got %v, want %s", r, want)
		}
		if c, ok := b.connection("Z:"); !ok || !c.Connected {
			t.Errorf("Z: is %+v", c)
		}
	})
}
