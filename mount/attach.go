package mount

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// helperTime is how long fusermount3 may take. It does not touch the file system itself.
const helperTime = 10 * time.Second

// findFusermount looks for fusermount3, also where a service has an empty PATH.
func findFusermount() (string, error) {
	for _, name := range []string{"fusermount3", "/usr/bin/fusermount3", "/bin/fusermount3", "fusermount", "/bin/fusermount"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// attach mounts at point and returns FUSE's descriptor.
func (b *Mounter) attach(point, source string) (int, error) {
	if b.root {
		fd, err := attachDirect(b.device, point, source)
		if err == nil || !errors.Is(err, syscall.EPERM) {
			return fd, err
		}
		// root of a container, which may not mount
	}
	return b.attachHelper(point, source)
}

func attachDirect(device, point, source string) (int, error) {
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("%s: %w", device, err)
	}
	data := fmt.Sprintf("fd=%d,rootmode=%o,user_id=%d,group_id=%d,max_read=%d", fd, unix.S_IFDIR, os.Getuid(), os.Getgid(), maxRequest)
	if err := unix.Mount(source, point, FSType, unix.MS_NOSUID|unix.MS_NODEV, data); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// attachHelper has fusermount3 mount. It hands back the descriptor over a socket.
func (b *Mounter) attachHelper(point, source string) (int, error) {
	bin, err := b.fusermount()
	if err != nil {
		return -1, err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	theirs := os.NewFile(uintptr(pair[1]), "fusermount")
	defer unix.Close(pair[0])
	defer theirs.Close()
	escape := strings.NewReplacer(`\`, `\\`, `,`, `\,`)
	options := fmt.Sprintf("fsname=%s,subtype=%s,max_read=%d,nosuid,nodev",
		escape.Replace(source), strings.TrimPrefix(FSType, "fuse."), maxRequest)
	ctx, stop := context.WithTimeout(context.Background(), helperTime)
	defer stop()
	cmd := exec.CommandContext(ctx, bin, "-o", options, "--", point)
	cmd.Env = append(os.Environ(), "_FUSE_COMMFD=3", "LC_ALL=C")
	cmd.ExtraFiles = []*os.File{theirs}
	if err := runHelper(cmd); err != nil {
		return -1, err
	}
	theirs.Close()
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(pair[0], make([]byte, 8), oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) == 0 {
		return -1, fmt.Errorf("%s handed back no descriptor", filepath.Base(bin))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return -1, fmt.Errorf("%s handed back no descriptor", filepath.Base(bin))
	}
	return fds[0], nil
}

// runHelper runs fusermount3 and gives its own words as the error.
func runHelper(cmd *exec.Cmd) error {
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(said.String()); text != "" {
			return fmt.Errorf("%s (%w)", text, err)
		}
		return fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	return nil
}

// errCovered is a mount over which another one lies: unmounting would take away the wrong one.
var errCovered = errors.New("another file system is mounted over it")

// detach takes the mount away, lazily or only if nobody uses it, and reports whether it is away. What fusermount3 says is only for a
// person: it has one exit code for everything, so the kernel is asked afterwards.
func (m *mount) detach(ctx context.Context, lazy bool) (bool, error) {
	point, top := m.where()
	if point == "" {
		return true, nil
	}
	if !top {
		return false, errCovered
	}
	err := detachPoint(ctx, m.by.root, m.by.fusermount, point, lazy)
	if err == nil {
		return true, nil
	}
	if at, _ := m.where(); at == "" {
		return true, nil
	}
	return false, err
}

// detachPoint unmounts what is on top at point.
func detachPoint(ctx context.Context, root bool, fusermount func() (string, error), point string, lazy bool) error {
	if root {
		flags := unix.UMOUNT_NOFOLLOW
		if lazy {
			flags |= unix.MNT_DETACH
		}
		if err := unix.Unmount(point, flags); err != syscall.EPERM {
			return err
		}
	}
	bin, err := fusermount()
	if err != nil {
		return errors.New("there is no fusermount3, which unmounts for a user who is not root")
	}
	args := []string{"-u", "--", point}
	if lazy {
		args = []string{"-u", "-z", "--", point}
	}
	ctx, stop := context.WithTimeout(ctx, helperTime)
	defer stop()
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	return runHelper(cmd)
}

// where returns where the mount is now, "" if the kernel does not show it, and whether nothing is mounted over it.
func (m *mount) where() (string, bool) {
	all, err := mounts(func(*mountinfo.Info) bool { return true })
	if err != nil {
		m.log.Error("the kernel's list of mounts cannot be read", "error", err)
		return m.real, true
	}
	for _, e := range all {
		// The kernel gives both numbers to the next mount as soon as they are free, anybody's.
		if e.ID != m.id || e.Major != m.maj || e.Minor != m.min || e.FSType != FSType || e.Source != m.source {
			continue
		}
		if !m.connected() {
			return "", false // another mount, with the numbers that ours had
		}
		for _, over := range all {
			if over.Parent == e.ID && over.Mountpoint == e.Mountpoint {
				return e.Mountpoint, false
			}
		}
		return e.Mountpoint, true
	}
	return "", false
}

// below returns the mount points inside the mount, which keep it busy.
func (m *mount) below() []string {
	all, _ := mounts(func(e *mountinfo.Info) bool { return e.Parent == m.id })
	var points []string
	for _, e := range all {
		points = append(points, e.Mountpoint)
	}
	return points
}

// mountsAt returns what is mounted at exactly this path, the topmost last.
func mountsAt(point string) []*mountinfo.Info {
	all, _ := mounts(func(e *mountinfo.Info) bool { return e.Mountpoint == point })
	return all
}

// mounts returns the mounts that want holds for, in the kernel's order.
func mounts(want func(*mountinfo.Info) bool) (all []*mountinfo.Info, err error) {
	for range 3 { // the list may change while it is read
		all, err = mountinfo.GetMounts(func(e *mountinfo.Info) (skip, stop bool) { return !want(e), false })
		if err == nil {
			break
		}
	}
	return all, err
}
