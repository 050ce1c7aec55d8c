package router_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/router"
	"github.com/openwnet/wnet/win32"
)

// A daemon that is killed while it cancels and forgets a drive leaves the old state or the new one: the drive is back and remembered if
// the profile was not yet renamed into place, and neither if it was.
//
// Rows: CC-23.
func TestKilledInACancel(t *testing.T) {
	for _, renamed := range []bool{false, true} {
		w := newWorld(t)
		w.add("Z:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
		w.add("Y:", `\\srv\more`, 0)
		before, err := os.ReadFile(w.profile())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Z:", "Y:"} {
			if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: name, Flags: win32.CONNECT_UPDATE_PROFILE}); err != nil {
				t.Fatal(err)
			}
			if name == "Z:" {
				text, err := os.ReadFile(w.cfg.Journal)
				if err != nil {
					t.Fatal(err)
				}
				// What was last written tells that Z: is gone. The daemon was killed before.
				text = bytes.TrimSuffix(text, []byte("\n"))
				text = text[:bytes.LastIndexByte(text, '\n')+1]
				if err := os.WriteFile(w.cfg.Journal+".copy", text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !renamed {
			if err := os.WriteFile(w.profile(), before, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		killed := w.r
		t.Cleanup(func() { killed.Close(bg) })
		w.cfg.Journal += ".copy"
		w.open()
		if err := w.r.Start(bg); err != nil {
			t.Fatal(err)
		}
		got := map[string]wnet.Connection{}
		for _, c := range mustList(t, w.svc) {
			got[c.Device] = c
		}
		if z, ok := got["Z:"]; ok == renamed || ok && !(z.Connected && z.Remembered) {
			t.Errorf("profile renamed %v: Z: is %+v", renamed, z)
		}
		if y := got["Y:"]; !y.Connected || y.Remembered {
			t.Errorf("Y: is %+v", y)
		}
	}
}

// A daemon that is killed while it maps and remembers a drive leaves the old state or the new one as well: the drive is connected and
// remembered if the profile was renamed into place, and neither if it was not. A drive that was remembered before stays so.
func TestKilledInAnAdd(t *testing.T) {
	for _, renamed := range []bool{false, true} {
		w := newWorld(t)
		w.add("Z:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
		before, err := os.ReadFile(w.profile())
		if err != nil {
			t.Fatal(err)
		}
		w.add("Y:", `\\srv\more`, win32.CONNECT_UPDATE_PROFILE)
		text, err := os.ReadFile(w.cfg.Journal)
		if err != nil {
			t.Fatal(err)
		}
		// What was last written tells that Y: is there. The daemon was killed before.
		text = bytes.TrimSuffix(text, []byte("\n"))
		text = text[:bytes.LastIndexByte(text, '\n')+1]
		if err := os.WriteFile(w.cfg.Journal+".copy", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if !renamed {
			if err := os.WriteFile(w.profile(), before, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		killed := w.r
		t.Cleanup(func() { killed.Close(bg) })
		w.cfg.Journal += ".copy"
		w.open()
		if err := w.r.Start(bg); err != nil {
			t.Fatal(err)
		}
		got := map[string]wnet.Connection{}
		for _, c := range mustList(t, w.svc) {
			got[c.Device] = c
		}
		if z := got["Z:"]; !z.Connected || !z.Remembered {
			t.Errorf("Z: is %+v", z)
		}
		if y, ok := got["Y:"]; ok != renamed || ok && !(y.Connected && y.Remembered) {
			t.Errorf("profile renamed %v: Y: is %+v", renamed, y)
		}
	}
}

// Empty folders that a killed daemon left where drives appear are removed; what holds something, has no name of a drive, or is there
// though the daemon stopped in order, is not ours to remove.
func TestFoldersOfAKilledDaemon(t *testing.T) {
	w := newWorld(t, func(c *router.Config) { c.Mounter = noMounter{} })
	w.close()
	root := filepath.Join(w.dir, "wnet")
	for _, name := range []string{"X", "Y", "docs", "unc/srv/data", "sessions/0-3e7/Q", "global/P"} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "Y", "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	there := func(name string) bool {
		_, err := os.Lstat(filepath.Join(root, name))
		return err == nil
	}
	start := func() {
		w.open()
		if err := w.r.Start(bg); err != nil {
			t.Fatal(err)
		}
	}
	start()
	if !there("X") {
		t.Error("a folder was removed though the daemon before had stopped in order")
	}
	w.close()
	if err := os.WriteFile(w.cfg.Journal, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start()
	for name, want := range map[string]bool{"X": false, "Y": true, "Y/mine": true, "docs": true, "unc/srv": false, "sessions/0-3e7": false, "global/P": false} {
		if there(name) != want {
			t.Errorf("%s: is there: %v, want %v", name, !want, want)
		}
	}
}

// noMounter is never asked.
type noMounter struct{}

func (noMounter) Mount(context.Context, string, wnet.FileSystem, wnet.MountOptions) (wnet.Mount, error) {
	panic("nothing is to be mounted")
}
