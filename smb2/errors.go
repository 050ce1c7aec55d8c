package smb2

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
)

// Status is an NTSTATUS that a server answered with. It is in each Error.
type Status = wire.Status

// Policy is what a client demands of a server.
type Policy = conn.Policy

// Error is what a request ends with that the server refused, or that could not be made.
type Error struct {
	Op   string // "open", "read", …
	Name string // the file's name, or the share's
	Err  error  // a Status, a *conn.LostError, a *conn.PolicyError, ErrChanged or the like
}

func (e *Error) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("smb2: %s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("smb2: %s %s: %v", e.Op, e.Name, e.Err)
}

// Unwrap gives the cause, by which the error is an errno and fs.ErrNotExist or its kin.
func (e *Error) Unwrap() error { return e.Err }

var _ error = (*Error)(nil)

// kind is an error of the client's own that is an errno.
type kind struct {
	text  string
	errno syscall.Errno
}

func (k *kind) Error() string { return k.text }
func (k *kind) Unwrap() error { return k.errno }

// Errors of a client.
var (
	// ErrChanged is what a File's methods fail with after a connection was lost and the file, when it was opened again, was another one or
	// had been changed by somebody else. The File is of no more use but to be closed.
	ErrChanged error = &kind{"the file was changed or replaced while the connection was lost", syscall.ESTALE}
	// ErrLockLost is the like for a byte-range lock that somebody else has taken meanwhile.
	ErrLockLost error = &kind{"a lock was lost together with the connection", syscall.ESTALE}
	// ErrClosed is what a closed Client, Tree or File answers.
	ErrClosed error = &kind{"it was closed", syscall.EBADF}
	// ErrName is a name that cannot be one on a server: not valid by fs.ValidPath, not UTF-8, or with characters that are not mapped.
	ErrName error = &kind{"no server takes this name", syscall.EINVAL}
)

// StatusOf gives the status that a server answered with, 0 if err is of another kind.
func StatusOf(err error) Status {
	var s Status
	errors.As(err, &s)
	return s
}

// is reports whether err is one of the statuses.
func is(err error, list ...Status) bool {
	s := StatusOf(err)
	for _, l := range list {
		if s == l && s != 0 {
			return true
		}
	}
	return false
}

func wrap(op, name string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return &Error{op, name, err}
}

// ok turns a request's status into an error. Warnings count as success.
func ok(r *conn.Request) error {
	if r.Status.Failed() || r.Status == wire.StatusNoMoreFiles || r.Status == wire.StatusStoppedOnLink {
		return r.Status
	}
	return nil
}
