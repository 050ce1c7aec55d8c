package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Peer is who sits at the other end of a unix socket, by the kernel's word.
type Peer struct {
	UID, PID int
	channel  *Channel // what the peer came through, nil for a unix socket
}

// PeerOf asks the kernel for conn's peer as it was when the socket was connected (at the listening end) or put to listening (at the
// connecting one). ERROR_ACCESS_DENIED for what is no unix socket.
func PeerOf(conn net.Conn) (Peer, error) {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return Peer{}, &wnet.Error{Code: win32.ERROR_ACCESS_DENIED, Err: fmt.Errorf("%T is no unix socket: its peer can't be told", conn)}
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return Peer{}, &wnet.Error{Code: win32.ERROR_ACCESS_DENIED, Err: err}
	}
	var cred *unix.Ucred
	var sockErr error
	if err = raw.Control(func(fd uintptr) { cred, sockErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err == nil {
		err = sockErr
	}
	if err != nil {
		return Peer{}, &wnet.Error{Code: win32.ERROR_ACCESS_DENIED, Err: err}
	}
	return Peer{UID: int(cred.Uid), PID: int(cred.Pid)}, nil
}

// sunPathMax is the longest name that fits a socket address.
const sunPathMax = 107

// shortName calls f with a name of path that fits a socket address: path itself, or one through /proc that goes by an open descriptor
// of its folder.
func shortName(path string, f func(name string) error) error {
	if len(path) <= sunPathMax {
		return f(path)
	}
	fd, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: filepath.Dir(path), Err: err}
	}
	defer unix.Close(fd)
	return f("/proc/self/fd/" + strconv.Itoa(fd) + "/" + filepath.Base(path))
}

// Listen makes the socket at path, of any length, which only this user may connect to. Nothing may be there. The folder must be private
// to the user already. Closing the listener leaves the file, for its owner to remove while it still holds its lock.
func Listen(path string) (*net.UnixListener, error) {
	var l *net.UnixListener
	err := shortName(path, func(name string) (err error) {
		if l, err = net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"}); err == nil {
			l.SetUnlinkOnClose(false)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// DialSocket connects to the socket at path, of any length, and makes sure that the listener is this user's, or root's, before
// anything is sent: a password must not go to a socket that another user put in the way.
//
// Errors: ERROR_NO_NETWORK if nothing listens there (the cause is ENOENT or ECONNREFUSED), ERROR_ACCESS_DENIED if the socket is
// another user's, ERROR_CANCELLED when ctx ends.
func DialSocket(ctx context.Context, path string) (net.Conn, error) {
	var conn net.Conn
	dial := func(name string) (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "unix", name)
		return err
	}
	err := shortName(path, dial)
	for errors.Is(err, unix.EAGAIN) { // the listener's queue is full: it is there, and busy
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
			err = shortName(path, dial)
			continue
		}
		break
	}
	e := &wnet.Error{Op: "Dial", Err: err}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		e.Code, e.Err = win32.ERROR_CANCELLED, ctx.Err()
		return nil, e
	case errors.Is(err, unix.EACCES):
		e.Code, e.Hint = win32.ERROR_ACCESS_DENIED, "The socket belongs to another user's wnet."
		return nil, e
	default:
		e.Code, e.Err, e.Hint = win32.ERROR_NO_NETWORK, fmt.Errorf("the wnet daemon does not run: %w", err), hintStart
		return nil, e
	}
	p, err := PeerOf(conn)
	if err == nil && p.UID != os.Getuid() && p.UID != 0 {
		err = &wnet.Error{Op: "Dial", Code: win32.ERROR_ACCESS_DENIED, Err: fmt.Errorf("%s is served by another user, uid %d", path, p.UID),
			Hint: "Unset WNET_SOCKET to reach your own daemon."}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
