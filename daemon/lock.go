package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/paths"
	"github.com/openwnet/wnet/win32"
)

// ErrRunning is what Run fails with if another daemon serves the same folder.
var ErrRunning = errors.New("the wnet daemon runs already")

const (
	stoppingMark  = " stopping"
	stoppingBound = callBound + mountBound + 2*callBound // the longest that another daemon may take to stop
	lookEvery     = 10 * time.Millisecond
)

// lockFile keeps a second daemon from the same folder. The kernel frees it with the process, however that ends. The file stays, for a
// lock file that is removed could be locked twice; it says "PID" or "PID stopping".
type lockFile struct {
	f      *os.File
	folder *os.File // locked too, so that systemd-tmpfiles does not clear a folder in /tmp
}

// takeLock takes the lock. It waits for a daemon that is stopping; one that is not is ErrRunning, or is asked to stop if replace is set.
// That is for who has systemd's socket: its file has taken the place of the running daemon's, which no new caller reaches any more.
func takeLock(ctx context.Context, p paths.Paths, replace bool) (*lockFile, error) {
	bound := time.Now().Add(stoppingBound)
	asked := "" // the daemon that was asked to stop, as it calls itself
	for {
		f, err := os.OpenFile(p.DaemonLock(), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && same(f, p.DaemonLock()) {
			l := &lockFile{f: f}
			if l.folder, err = os.Open(p.RuntimeDir); err == nil {
				_ = unix.Flock(int(l.folder.Fd()), unix.LOCK_SH|unix.LOCK_NB) // a courtesy: without it wnet works as well
			}
			return l, l.write("")
		}
		said, _ := io.ReadAll(io.LimitReader(f, 100))
		f.Close()
		running := len(said) > 0 && !bytes.HasSuffix(said, []byte(stoppingMark))
		switch {
		case err == nil, errors.Is(err, unix.EINTR): // the file was removed meanwhile
		case !errors.Is(err, unix.EWOULDBLOCK):
			return nil, fmt.Errorf("%s can't be locked: %w", p.DaemonLock(), err)
		case running && !replace, time.Now().After(bound):
			return nil, &wnet.Error{Op: "Run", Code: win32.ERROR_ALREADY_INITIALIZED,
				Err:  fmt.Errorf("%w (pid %s)", ErrRunning, strings.TrimSuffix(string(said), stoppingMark)),
				Hint: "`wnet stop` ends it."}
		case running && string(said) != asked:
			if stopHolder(p, string(said)) {
				asked = string(said)
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// stopHolder ends the daemon that has the lock and said this of itself, in order. false: it has gone meanwhile, or another has come.
func stopHolder(p paths.Paths, said string) bool {
	pid, err := strconv.Atoi(said)
	if err != nil || pid <= 1 {
		return false
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	// The lock is looked at again after the process was taken hold of: then the number is still the holder's.
	f, err := os.Open(p.DaemonLock())
	if err != nil {
		return false
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		return false
	}
	if now, err := io.ReadAll(io.LimitReader(f, 100)); err != nil || string(now) != said {
		return false
	}
	return unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0) == nil
}

// same reports whether f is the file at path.
func same(f *os.File, path string) bool {
	a, err1 := f.Stat()
	b, err2 := os.Lstat(path)
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// write puts down whose lock it is. The mark comes last, so that a reader in between takes a daemon for running.
func (l *lockFile) write(mark string) error {
	text := strconv.Itoa(os.Getpid()) + mark
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(text), 0)
	return err
}

// stopping tells the next daemon to wait.
func (l *lockFile) stopping() { _ = l.write(stoppingMark) }

func (l *lockFile) release() {
	l.f.Close()
	if l.folder != nil {
		l.folder.Close()
	}
}
