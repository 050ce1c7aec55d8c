package mount

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// probeTime is how long a mount may take to show whether it is alive. A dead one fails at once, in the kernel.
const probeTime = 2 * time.Second

// ClearDead takes away the mounts of this user and of type FSType at or below root, an absolute path, whose daemon is gone, as after
// kill -9, and their folders if they are empty. Mounts that a daemon still serves, however slowly, and other file systems are left
// alone. It returns the mount points that are free now; the error tells of those that could not be cleared.
func ClearDead(root string) ([]string, error) {
	if dir, err := filepath.EvalSymlinks(root); err == nil {
		root = dir
	}
	all, err := mounts(func(e *mountinfo.Info) bool {
		inside := e.Mountpoint == root || strings.HasPrefix(e.Mountpoint, strings.TrimSuffix(root, "/")+"/")
		mine := slices.Contains(strings.Split(e.VFSOptions, ","), fmt.Sprintf("user_id=%d", os.Getuid()))
		return e.FSType == FSType && inside && mine
	})
	if err != nil {
		return nil, err
	}
	var cleared []string
	var failed []error
	// A mount on top of another comes after it, and goes before it.
	for _, e := range slices.Backward(all) {
		if !dead(e.Mountpoint) {
			continue
		}
		ctx, stop := context.WithTimeout(context.Background(), helperTime)
		err := detachPoint(ctx, os.Geteuid() == 0, findFusermount, e.Mountpoint, true)
		stop()
		if err != nil && slices.ContainsFunc(mountsAt(e.Mountpoint), func(i *mountinfo.Info) bool { return i.ID == e.ID }) {
			failed = append(failed, fmt.Errorf("%s: %w", e.Mountpoint, err))
			continue
		}
		_ = unix.Rmdir(e.Mountpoint) // stays if it holds something
		if !slices.Contains(cleared, e.Mountpoint) {
			cleared = append(cleared, e.Mountpoint)
		}
	}
	slices.Sort(cleared)
	return cleared, errors.Join(failed...)
}

// dead reports whether the server of the FUSE mount at point is gone. The kernel answers for a dead one by itself, with ENOTCONN. One
// that does not answer is alive: the goroutine that asks it is left to wait, at most for that daemon's deadline.
func dead(point string) bool {
	answer := make(chan error, 1)
	go func() {
		var st unix.Statfs_t
		answer <- unix.Statfs(point, &st)
	}()
	t := time.NewTimer(probeTime)
	defer t.Stop()
	select {
	case err := <-answer:
		return errors.Is(err, syscall.ENOTCONN) || errors.Is(err, syscall.ECONNABORTED)
	case <-t.C:
		return false
	}
}
