package mount

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

type timeout struct{}

func (timeout) Error() string   { return "took too long" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

func TestErrno(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("outer: %w", fmt.Errorf("inner: %w", err)) }
	for _, c := range []struct {
		err  error
		want syscall.Errno
	}{
		{nil, 0},
		{context.DeadlineExceeded, syscall.ETIMEDOUT},
		{wrap(context.DeadlineExceeded), syscall.ETIMEDOUT},
		{wrap(context.Canceled), syscall.EINTR},
		{&wnet.Error{Code: win32.ERROR_NETNAME_DELETED, Err: context.Canceled}, syscall.EINTR},
		{wrap(syscall.ENOTEMPTY), syscall.ENOTEMPTY},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.ELOOP}, syscall.ELOOP},
		{&os.LinkError{Err: syscall.EXDEV}, syscall.EXDEV},
		{errors.Join(errors.New("first"), syscall.ENOSPC), syscall.ENOSPC},
		{syscall.ENOSYS, syscall.ENOTSUP},
		{syscall.Errno(0), syscall.EIO},
		{syscall.Errno(512), syscall.EIO}, // the kernel's own ERESTARTSYS
		{wrap(&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}), syscall.EIO},
		{wrap(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), syscall.EHOSTDOWN},
		{syscall.EHOSTUNREACH, syscall.EHOSTDOWN},
		{syscall.EPIPE, syscall.EIO},
		{syscall.EAGAIN, syscall.EIO},
		{win32.ERROR_NETNAME_DELETED, syscall.EIO},
		{wrap(win32.ERROR_CONNECTION_ABORTED), syscall.EIO},
		{&wnet.Error{Code: win32.ERROR_HOST_DOWN}, syscall.EHOSTDOWN},
		{&wnet.Error{Code: win32.ERROR_BAD_NETPATH, Err: errors.New("no route")}, syscall.EHOSTDOWN},
		{wrap(&wnet.Error{Code: win32.ERROR_ACCESS_DENIED}), syscall.EACCES},
		{&wnet.Error{Code: win32.ERROR_ACCESS_DENIED, Err: syscall.EROFS}, syscall.EROFS},
		{&wnet.Error{Code: win32.ERROR_LOGON_FAILURE}, syscall.EACCES},
		{win32.ERROR_FILE_NOT_FOUND, syscall.ENOENT},
		{win32.ERROR_NOT_SUPPORTED, syscall.ENOTSUP},
		{win32.ERROR_NOT_ENOUGH_MEMORY, syscall.ENOMEM},
		{win32.ERROR_INVALID_NAME, syscall.EINVAL},
		{win32.ERROR_BUSY, syscall.EBUSY},
		{win32.Code(99999), syscall.EIO},
		{wrap(fs.ErrNotExist), syscall.ENOENT},
		{fs.ErrExist, syscall.EEXIST},
		{fs.ErrPermission, syscall.EACCES},
		{fs.ErrInvalid, syscall.EINVAL},
		{wrap(errors.ErrUnsupported), syscall.ENOTSUP},
		{os.ErrDeadlineExceeded, syscall.ETIMEDOUT},
		{wrap(timeout{}), syscall.ETIMEDOUT},
		{io.ErrUnexpectedEOF, syscall.EIO},
		{fs.ErrClosed, syscall.EIO},
		{errors.New("no idea"), syscall.EIO},
	} {
		if got := errnoOf(c.err); got != c.want {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
	// No code at all may be ENOSYS, or out of the kernel's range.
	for _, code := range win32.Codes() {
		if got := errnoOf(&wnet.Error{Code: code}); got == syscall.ENOSYS || got <= 0 || got > maxErrno {
			t.Errorf("%s: got %v", code.Name(), got)
		}
	}
	for e := syscall.Errno(1); e < 1000; e++ {
		if got := errnoOf(e); got == syscall.ENOSYS || got <= 0 || got > maxErrno {
			t.Errorf("errno %d: got %v", e, got)
		}
	}
}
