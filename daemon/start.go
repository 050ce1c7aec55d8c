package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/paths"
)

// starter is the program that started the daemon and waits for one line: client.Dial. nil if there is none.
type starter struct{ w *os.File }

// takeStarter takes the descriptor out of the environment, so that no child of the daemon gets it. A daemon that was started so belongs
// to nobody's terminal or pipeline: whatever else its starter's own parents left open in it is closed, for a pipe's reader must
// not wait for the daemon's end.
func takeStarter() *starter {
	fd, err := strconv.Atoi(os.Getenv(paths.EnvReady))
	os.Unsetenv(paths.EnvReady)
	if err != nil || fd < 3 {
		return nil
	}
	unix.CloseOnExec(fd)
	closeInherited()
	return &starter{w: os.NewFile(uintptr(fd), "starter")}
}

// closeInherited closes the descriptors above 2 that came through exec: those without FD_CLOEXEC, which Go sets on all of its own.
func closeInherited() {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range list {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd < 3 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
}

func (s *starter) say(line string) {
	if s == nil || s.w == nil {
		return
	}
	_, _ = s.w.WriteString(strings.Join(strings.Fields(line), " ") + "\n") // it may have gone
	s.w.Close()
	s.w = nil
}

// ready tells that calls are answered.
func (s *starter) ready() { s.say(paths.Ready) }

// failed tells why the daemon can't start, if it has not told that it is ready.
func (s *starter) failed(err error) {
	var e *wnet.Error
	switch {
	case err == nil:
		s.say("it was stopped")
	case errors.Is(err, ErrRunning):
		s.say(paths.Running)
	case errors.As(err, &e) && e.Err != nil:
		s.say(e.Err.Error() + ". " + e.Hint)
	default:
		s.say(err.Error())
	}
}

// activated returns the socket that systemd passed (sd_listen_fds), nil if it passed none. Anything but one listening unix socket is an
// error in the unit.
func activated() (net.Listener, error) {
	files := activation.Files(true)
	if len(files) == 0 {
		return nil, nil
	}
	defer func() {
		for _, f := range files {
			f.Close() // net.FileListener has its own copy
		}
	}()
	if len(files) > 1 {
		return nil, fmt.Errorf("systemd passed %d sockets instead of one", len(files))
	}
	l, err := net.FileListener(files[0])
	if err != nil {
		return nil, fmt.Errorf("systemd passed something else than a listening socket: %w", err)
	}
	u, ok := l.(*net.UnixListener)
	if !ok {
		l.Close()
		return nil, fmt.Errorf("systemd passed a %s socket instead of a unix one", l.Addr().Network())
	}
	u.SetUnlinkOnClose(false)
	return u, nil
}
