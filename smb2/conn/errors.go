package conn

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/openwnet/wnet/smb2/wire"
)

// Errors of a connection.
var (
	// ErrClosed is what requests get on a connection that its owner closed.
	ErrClosed = errors.New("smb2: the connection was closed")
	// ErrDead is why a connection ended on which a server answers nothing, an ECHO neither.
	ErrDead error = deadError{}
	// ErrTimeout is what a request gets that a server did not answer in time while it answered others.
	ErrTimeout error = timeoutError{}
	// ErrCredits is what a request gets that needs more credits than the server grants at all.
	ErrCredits = errors.New("smb2: the server grants too few credits for the request")
)

type deadError struct{}

func (deadError) Error() string { return "smb2: the server does not answer" }
func (deadError) Timeout() bool { return true }
func (deadError) Is(target error) bool {
	return target == os.ErrDeadlineExceeded || target == syscall.ETIMEDOUT
}

type timeoutError struct{}

func (timeoutError) Error() string { return "smb2: the server did not answer the request in time" }
func (timeoutError) Timeout() bool { return true }
func (timeoutError) Is(target error) bool {
	return target == os.ErrDeadlineExceeded || target == syscall.ETIMEDOUT
}

// LostError is what requests get on a connection that ended. Whether the server did what it was asked is not known if Sent.
type LostError struct {
	Err  error // why
	Sent bool  // the request, or a part of it, had gone out
}

func (e *LostError) Error() string { return "smb2: the connection is lost: " + e.Err.Error() }

// Unwrap gives the reason.
func (e *LostError) Unwrap() error { return e.Err }

// Lost reports whether err says that the connection is gone, and whether the request may have reached the server.
func Lost(err error) (lost, sent bool) {
	var l *LostError
	if !errors.As(err, &l) {
		return false, false
	}
	return true, l.Sent
}

var _ error = (*LostError)(nil)

// PolicyError tells which rule of a Policy a server does not meet. Nothing was sent that the rule forbids.
type PolicyError struct {
	Rule string // "RequirePrivacy", the field's name
	Why  string // what the server has instead
}

func (e *PolicyError) Error() string { return fmt.Sprintf("smb2: refused by %s: %s", e.Rule, e.Why) }

// Unwrap gives EACCES: it is our side that denies access.
func (e *PolicyError) Unwrap() error { return syscall.EACCES }

var _ error = (*PolicyError)(nil)

// TamperError is why a connection ended on which something was not as the server would have sent it.
type TamperError struct{ What string }

func (e *TamperError) Error() string {
	return "smb2: somebody interferes with the connection: " + e.What
}

// Unwrap gives EACCES.
func (e *TamperError) Unwrap() error { return syscall.EACCES }

var _ error = (*TamperError)(nil)

func violation(format string, args ...any) error {
	return fmt.Errorf("%w: %s", wire.ErrMalformed, fmt.Sprintf(format, args...))
}
