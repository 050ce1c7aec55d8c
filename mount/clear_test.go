package mount

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
)

// serveForever is the daemon that TestClearDead kills: it mounts at each path and waits.
func serveForever(points []string) error {
	p := mem.New(mem.Options{})
	share := p.AddShare("srv", "data", mem.ShareOptions{})
	c, err := p.Connect(context.Background(), wnet.Request{Remote: share.Name()})
	if err != nil {
		return err
	}
	for _, point := range points {
		if _, err := New(Config{}).Mount(context.Background(), point, c.FS(), wnet.MountOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// TestClearDead: after kill -9, the mounts of the dead daemon below the root go, and nothing else does.
func TestClearDead(t *testing.T) {
	dir := scratch(t)
	root := filepath.Join(dir, "root")
	dead := []string{filepath.Join(root, "Y"), filepath.Join(root, "unc", "srv", "a share")}
	elsewhere := filepath.Join(dir, "root2", "X")
	daemon := startProgram(t, "serve", append(slices.Clone(dead), elsewhere)...)

	_, _, fsys := newShare(t)
	alive, err := New(Config{}).Mount(t.Context(), filepath.Join(root, "Z"), fsys, wnet.MountOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer takeDown(t, alive)
	if cleared, err := ClearDead(root); err != nil || len(cleared) != 0 {
		t.Errorf("while the daemon lives: cleared %q, %v", cleared, err)
	}
	daemon.cmd.Process.Kill()
	daemon.stop()
	t.Cleanup(func() { ClearDead(dir) })
	await(t, "the kernel to end the mounts", func() bool {
		_, err := os.Stat(dead[0])
		return err != nil
	})
	cleared, err := ClearDead(root)
	if err != nil || fmt.Sprint(cleared) != fmt.Sprint(dead) {
		t.Errorf("cleared %q, %v, want %q", cleared, err, dead)
	}
	for _, point := range dead {
		if _, err := os.Lstat(point); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", point, err)
		}
	}
	if err := os.WriteFile(filepath.Join(alive.Point(), "f"), nil, 0o644); err != nil {
		t.Errorf("the live mount: %v", err)
	}
	if len(mountsAt(elsewhere)) != 1 {
		t.Error("a mount outside of the root is gone")
	}
	if cleared, err := ClearDead(filepath.Dir(elsewhere)); err != nil || len(cleared) != 1 {
		t.Errorf("cleared %q, %v", cleared, err)
	}
	// A point that was cleared serves again.
	again, err := New(Config{}).Mount(t.Context(), dead[0], fsys, wnet.MountOptions{})
	if err != nil {
		t.Fatal(err)
	}
	takeDown(t, again)
}

// TestClearDeadStalled: a mount whose server does not answer is alive.
func TestClearDeadStalled(t *testing.T) {
	t.Parallel()
	p, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	resume := p.Stall()
	cleared, err := ClearDead(filepath.Dir(m.Point()))
	resume()
	if err != nil || len(cleared) != 0 || len(mountsAt(m.Point())) != 1 {
		t.Errorf("cleared %q, %v", cleared, err)
	}
}
