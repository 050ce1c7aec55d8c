package wire

import (
	"fmt"
	"syscall"
)

// Status is an NTSTATUS: what a server answers with ([MS-ERREF] 2.3.1). It is an error that unwraps to the errno that fits, by which
// it also is fs.ErrNotExist, fs.ErrExist or fs.ErrPermission where that is meant; one that is not known is EIO.
type Status uint32

// The statuses that a client decides by.
const (
	StatusOK              Status = 0x00000000
	StatusPending         Status = 0x00000103
	StatusNotifyCleanup   Status = 0x0000010B
	StatusNotifyEnumDir   Status = 0x0000010C
	StatusBufferOverflow  Status = 0x80000005
	StatusNoMoreFiles     Status = 0x80000006
	StatusStoppedOnLink   Status = 0x8000002D
	StatusInvalidHandle   Status = 0xC0000008
	StatusEndOfFile       Status = 0xC0000011
	StatusInvalidParam    Status = 0xC000000D
	StatusNoSuchFile      Status = 0xC000000F
	StatusInvalidRequest  Status = 0xC0000010
	StatusMoreProcessing  Status = 0xC0000016
	StatusAccessDenied    Status = 0xC0000022
	StatusBufferTooSmall  Status = 0xC0000023
	StatusNotFoundName    Status = 0xC0000034 // OBJECT_NAME_NOT_FOUND
	StatusCollision       Status = 0xC0000035 // OBJECT_NAME_COLLISION
	StatusSharing         Status = 0xC0000043
	StatusLockConflict    Status = 0xC0000054
	StatusLockNotGranted  Status = 0xC0000055
	StatusDeletePending   Status = 0xC0000056
	StatusLogonFailure    Status = 0xC000006D
	StatusRangeNotLocked  Status = 0xC000007E
	StatusIsDirectory     Status = 0xC00000BA
	StatusNotSupported    Status = 0xC00000BB
	StatusNameDeleted     Status = 0xC00000C9 // NETWORK_NAME_DELETED
	StatusCancelled       Status = 0xC0000120
	StatusFileClosed      Status = 0xC0000128
	StatusSessionDeleted  Status = 0xC0000203
	StatusNotFound        Status = 0xC0000225
	StatusNotReparsePoint Status = 0xC0000275
	StatusSessionExpired  Status = 0xC000035C
	StatusInvalidInfo     Status = 0xC0000003 // INVALID_INFO_CLASS
	StatusNotImplemented  Status = 0xC0000002
)

// Failed reports whether the status is an error (not a success or a warning).
func (s Status) Failed() bool { return s>>30 == 3 }

type statusRow struct {
	status Status
	name   string
	errno  syscall.Errno
	words  string
}

// row finds what is known of a status.
func (s Status) row() (statusRow, bool) {
	for _, r := range statusTable {
		if r.status == s {
			return r, true
		}
	}
	return statusRow{status: s, errno: syscall.EIO}, false
}

// Name is the status's name, STATUS_ACCESS_DENIED, or its number.
func (s Status) Name() string {
	if r, ok := s.row(); ok {
		return r.name
	}
	return hex32(uint32(s))
}

// Error gives plain words and the status's name for those who look it up.
func (s Status) Error() string {
	if r, ok := s.row(); ok {
		return r.words + " (" + r.name + ")"
	}
	return "the server answers with status " + hex32(uint32(s))
}

// Unwrap gives the errno.
func (s Status) Unwrap() error { r, _ := s.row(); return r.errno }

var _ error = Status(0)

func hex32(v uint32) string { return fmt.Sprintf("0x%08X", v) }
