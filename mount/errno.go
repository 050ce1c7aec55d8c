package mount

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/openwnet/wnet/win32"
)

// maxErrno is the largest number that the kernel takes in an answer: one beyond it would leave the program waiting for ever.
const maxErrno = 511

// codeErrno is the errno for each code that a FileSystem may answer with. A code that is not here is EIO.
func codeErrno(c win32.Code) syscall.Errno {
	switch c {
	case win32.ERROR_FILE_NOT_FOUND, win32.ERROR_PATH_NOT_FOUND:
		return syscall.ENOENT
	case win32.ERROR_ACCESS_DENIED, win32.ERROR_NETWORK_ACCESS_DENIED, win32.ERROR_LOGON_FAILURE, win32.ERROR_INVALID_PASSWORD,
		win32.ERROR_NOT_AUTHENTICATED, win32.ERROR_NOT_LOGGED_ON, win32.ERROR_ACCOUNT_RESTRICTION, win32.ERROR_ACCOUNT_DISABLED,
		win32.ERROR_PASSWORD_EXPIRED, win32.ERROR_INVALID_LOGON_HOURS, win32.ERROR_INVALID_WORKSTATION,
		win32.ERROR_LOGIN_TIME_RESTRICTION, win32.ERROR_LOGIN_WKSTA_RESTRICTION, win32.ERROR_BAD_USERNAME,
		win32.ERROR_SESSION_CREDENTIAL_CONFLICT, win32.ERROR_MUTUAL_AUTH_FAILED, win32.ERROR_CANT_ACCESS_FILE:
		return syscall.EACCES
	case win32.ERROR_INVALID_PARAMETER, win32.ERROR_INVALID_NAME, win32.ERROR_INVALID_LEVEL:
		return syscall.EINVAL
	case win32.ERROR_NOT_ENOUGH_MEMORY:
		return syscall.ENOMEM
	case win32.ERROR_NOT_SUPPORTED:
		return syscall.ENOTSUP
	case win32.ERROR_BUSY, win32.ERROR_DEVICE_IN_USE, win32.ERROR_OPEN_FILES, win32.ERROR_NETWORK_BUSY:
		return syscall.EBUSY
	case win32.ERROR_HOST_DOWN, win32.ERROR_BAD_NETPATH, win32.ERROR_REM_NOT_LIST, win32.ERROR_CONNECTION_REFUSED,
		win32.ERROR_HOST_UNREACHABLE, win32.ERROR_NETWORK_UNREACHABLE, win32.ERROR_NO_NET_OR_BAD_PATH, win32.ERROR_NO_NETWORK,
		win32.ERROR_CONNECTION_UNAVAIL, win32.ERROR_SHARING_PAUSED, win32.ERROR_REDIR_PAUSED:
		return syscall.EHOSTDOWN
	case win32.ERROR_CANCELLED:
		return syscall.EINTR
	}
	// ERROR_NETNAME_DELETED, ERROR_CONNECTION_ABORTED, ERROR_UNEXP_NET_ERR, ERROR_BAD_NET_RESP, ERROR_DEV_NOT_EXIST and all others:
	// the connection broke under the handle.
	return syscall.EIO
}

// plainErrno lets an errno that a program expects from a file through and turns the others into one. A socket's errno means something
// else on a file: EPIPE or ECONNRESET are EIO there.
func plainErrno(e syscall.Errno) syscall.Errno {
	switch e {
	case syscall.ENOSYS:
		return syscall.ENOTSUP // the kernel takes ENOSYS for "never ask again"
	case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN:
		return syscall.EHOSTDOWN
	case syscall.EPIPE, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.ENOTCONN, syscall.ESHUTDOWN, syscall.ENETRESET,
		syscall.EBADF, syscall.EAGAIN, syscall.EINPROGRESS, syscall.EALREADY, syscall.ENOTSOCK:
		return syscall.EIO
	}
	if e <= 0 || e > maxErrno {
		return syscall.EIO
	}
	return e
}

// errnoOf is the one table from error to errno. Whatever cannot be told is EIO, never ENOSYS.
func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	// The request's own end comes first: what the file system says besides is only how it noticed.
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return syscall.ETIMEDOUT
	case errors.Is(err, context.Canceled):
		return syscall.EINTR
	}
	// An errno is the more exact word: a code that comes with one is the class it belongs to.
	var e syscall.Errno
	if errors.As(err, &e) {
		return plainErrno(e)
	}
	var c win32.Code
	if errors.As(err, &c) {
		return codeErrno(c)
	}
	for _, s := range []struct {
		err   error
		errno syscall.Errno
	}{
		{fs.ErrNotExist, syscall.ENOENT},
		{fs.ErrExist, syscall.EEXIST},
		{fs.ErrPermission, syscall.EACCES},
		{fs.ErrInvalid, syscall.EINVAL},
		{errors.ErrUnsupported, syscall.ENOTSUP},
		{os.ErrDeadlineExceeded, syscall.ETIMEDOUT},
		{io.ErrShortWrite, syscall.EIO},
	} {
		if errors.Is(err, s.err) {
			return s.errno
		}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return syscall.ETIMEDOUT
	}
	return syscall.EIO
}
