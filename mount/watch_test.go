package mount

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
)

// A mount that somebody takes away lazily (umount -l) while a file is open is gone at once, and its folder; what is open works on until it is
// closed, and another mount may take the place meanwhile.
func TestTakenAwayLazily(t *testing.T) {
	_, share, fsys := newShare(t)
	b := New(Config{Logger: testLog(t)})
	point := filepath.Join(scratch(t), "Z")
	m, err := b.Mount(t.Context(), point, fsys, wnet.MountOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(point+"/f", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Unmount(point, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	wait := func(what string, c <-chan struct{}) {
		t.Helper()
		select {
		case <-c:
		case <-time.After(30 * time.Second):
			t.Fatal(what)
		}
	}
	wait("the mount is not gone", m.Done())
	if _, err := os.Lstat(point); err == nil {
		t.Error("the folder is still there: programs would write to the local disk")
	}
	if err := m.Unmount(t.Context()); err != nil {
		t.Errorf("an Unmount of what is gone: %v", err)
	}
	again, err := b.Mount(t.Context(), point, fsys, wnet.MountOptions{})
	if err != nil {
		t.Fatalf("the place cannot be used again: %v", err)
	}
	defer takeDown(t, again)
	idle := m.(wnet.Lingerer).Idle()
	select {
	case <-idle:
		t.Fatal("idle while a file is open")
	default:
	}
	if _, err := f.WriteString("still here"); err != nil {
		t.Errorf("what is open does not work on: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	wait("not idle after the last close", idle)
	if got, err := os.ReadFile(point + "/f"); err != nil || string(got) != "still here" {
		t.Errorf("on the server: %q %v", got, err)
	}
	if _, err := os.Lstat(point); err != nil {
		t.Errorf("the end of the first mount took the second's folder: %v", err)
	}
	await(t, "the files to be closed on the server", func() bool { return share.OpenFiles() == 0 })
}

// A mount knows its own among many that come and go meanwhile, and never takes another's for its own.
func TestCyclesWhileMountsChange(t *testing.T) {
	_, _, fsys := newShare(t)
	b := New(Config{Logger: testLog(t)})
	dir := scratch(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			other := filepath.Join(dir, "other")
			os.Mkdir(other, 0o700)
			if err := unix.Mount("tmpfs", other, "tmpfs", 0, "size=4k"); err != nil {
				t.Errorf("tmpfs: %v", err)
				return
			}
			if err := unix.Unmount(other, unix.MNT_DETACH); err != nil {
				t.Errorf("tmpfs: %v", err)
				return
			}
		}
	}()
	cycles := 30
	if long() {
		cycles = 2000
	}
	point := filepath.Join(dir, "Z")
	for i := range cycles {
		m, err := b.Mount(t.Context(), point, fsys, wnet.MountOptions{})
		if err != nil {
			t.Fatalf("cycle %d: %v", i, err)
		}
		if i%2 == 0 {
			err = m.Unmount(t.Context())
		} else {
			_, err = m.ForceUnmount(t.Context())
		}
		if err != nil {
			t.Fatalf("cycle %d: %v", i, err)
		}
	}
	close(stop)
	<-stopped
}
