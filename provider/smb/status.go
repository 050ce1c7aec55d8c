package smb

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/openwnet/wnet/win32"
)

// ntStatus is what a server answers with ([MS-ERREF] 2.3.1). It is an error that unwraps to the errno that a file operation ends with.
type ntStatus uint32

// The statuses that the provider itself decides by; the table has the others.
const (
	statusAccessDenied       ntStatus = 0xC0000022
	statusNoSuchFile         ntStatus = 0xC000000F
	statusNotFound           ntStatus = 0xC0000034 // OBJECT_NAME_NOT_FOUND
	statusPathNotFound       ntStatus = 0xC000003A // OBJECT_PATH_NOT_FOUND
	statusCollision          ntStatus = 0xC0000035 // OBJECT_NAME_COLLISION
	statusSharingViolation   ntStatus = 0xC0000043
	statusDeletePending      ntStatus = 0xC0000056
	statusLogonFailure       ntStatus = 0xC000006D
	statusNotSupported       ntStatus = 0xC00000BB
	statusNetworkNameDeleted ntStatus = 0xC00000C9
	statusBadDeviceType      ntStatus = 0xC00000CB
	statusBadNetworkName     ntStatus = 0xC00000CC
	statusRequestNotAccepted ntStatus = 0xC00000D0
	statusDirNotEmpty        ntStatus = 0xC0000101
	statusCannotDelete       ntStatus = 0xC0000121
	statusSessionDeleted     ntStatus = 0xC0000203
	statusSessionExpired     ntStatus = 0xC000035C
	statusMoreProcessing     ntStatus = 0xC0000016
)

// statusRow says what a status means: the code that Connect ends with, the errno that a file operation ends with, and plain words.
type statusRow struct {
	status ntStatus
	name   string
	code   win32.Code
	errno  syscall.Errno
	words  string
}

// statusTable is the one place where statuses are translated; a status that is not here is ERROR_EXTENDED_ERROR and EIO. Where
// Windows and mount.cifs know a translation it is theirs. A sharing violation, another client's open file, is EBUSY.
var statusTable = []statusRow{
	{0xC0000001, "STATUS_UNSUCCESSFUL", win32.ERROR_GEN_FAILURE, syscall.EIO, "the server could not do it and does not say why"},
	{0xC0000002, "STATUS_NOT_IMPLEMENTED", win32.ERROR_NOT_SUPPORTED, syscall.ENOTSUP, "the server has no such operation"},
	{0xC0000003, "STATUS_INVALID_INFO_CLASS", win32.ERROR_NOT_SUPPORTED, syscall.ENOTSUP, "the server does not know this kind of information"},
	{0xC0000008, "STATUS_INVALID_HANDLE", win32.ERROR_INVALID_HANDLE, syscall.ESTALE, "the server does not know the open file any more"},
	{0xC000000D, "STATUS_INVALID_PARAMETER", win32.ERROR_INVALID_PARAMETER, syscall.EINVAL, "the server takes this for no valid request"},
	{0xC000000E, "STATUS_NO_SUCH_DEVICE", win32.ERROR_DEV_NOT_EXIST, syscall.ENODEV, "the server's device is not there"},
	{0xC000000F, "STATUS_NO_SUCH_FILE", win32.ERROR_FILE_NOT_FOUND, syscall.ENOENT, "there is no such file"},
	{0xC0000010, "STATUS_INVALID_DEVICE_REQUEST", win32.ERROR_NOT_SUPPORTED, syscall.ENOTSUP, "the server can't do that with this file"},
	{0xC0000016, "STATUS_MORE_PROCESSING_REQUIRED", win32.ERROR_BAD_NET_RESP, syscall.EIO, "the server's answer came out of turn"},
	{0xC0000017, "STATUS_NO_MEMORY", win32.ERROR_NOT_ENOUGH_MEMORY, syscall.ENOMEM, "the server is out of memory"},
	{0xC0000022, "STATUS_ACCESS_DENIED", win32.ERROR_ACCESS_DENIED, syscall.EACCES, "the server denies access"},
	{0xC0000024, "STATUS_OBJECT_TYPE_MISMATCH", win32.ERROR_INVALID_HANDLE, syscall.EINVAL, "it is of another type"},
	{0xC0000032, "STATUS_DISK_CORRUPT_ERROR", win32.ERROR_GEN_FAILURE, syscall.EIO, "the server's disk is damaged"},
	{0xC0000033, "STATUS_OBJECT_NAME_INVALID", win32.ERROR_INVALID_NAME, syscall.EINVAL, "the server does not accept this name"},
	{0xC0000034, "STATUS_OBJECT_NAME_NOT_FOUND", win32.ERROR_FILE_NOT_FOUND, syscall.ENOENT, "there is no such file"},
	{0xC0000035, "STATUS_OBJECT_NAME_COLLISION", win32.ERROR_ALREADY_ASSIGNED, syscall.EEXIST, "the name is taken"},
	{0xC0000039, "STATUS_OBJECT_PATH_INVALID", win32.ERROR_PATH_NOT_FOUND, syscall.ENOTDIR, "a part of the path is no folder"},
	{0xC000003A, "STATUS_OBJECT_PATH_NOT_FOUND", win32.ERROR_PATH_NOT_FOUND, syscall.ENOENT, "a folder of the path is not there"},
	{0xC000003B, "STATUS_OBJECT_PATH_SYNTAX_BAD", win32.ERROR_INVALID_NAME, syscall.EINVAL, "the server does not accept this path"},
	{0xC0000043, "STATUS_SHARING_VIOLATION", win32.ERROR_BUSY, syscall.EBUSY, "another program has the file open"},
	{0xC0000044, "STATUS_QUOTA_EXCEEDED", win32.ERROR_NOT_ENOUGH_MEMORY, syscall.EDQUOT, "the quota on the server is used up"},
	{0xC000004F, "STATUS_EAS_NOT_SUPPORTED", win32.ERROR_NOT_SUPPORTED, syscall.ENOTSUP, "the server has no extended attributes"},
	{0xC0000054, "STATUS_FILE_LOCK_CONFLICT", win32.ERROR_BUSY, syscall.EACCES, "another program has locked this part of the file"},
	{0xC0000055, "STATUS_LOCK_NOT_GRANTED", win32.ERROR_BUSY, syscall.EACCES, "another program has locked this part of the file"},
	{0xC0000056, "STATUS_DELETE_PENDING", win32.ERROR_ACCESS_DENIED, syscall.ENOENT, "the file is being deleted"},
	{0xC000005E, "STATUS_NO_LOGON_SERVERS", win32.ERROR_NO_LOGON_SERVERS, syscall.EACCES, "the server reaches no domain controller that could check the password"},
	{0xC0000061, "STATUS_PRIVILEGE_NOT_HELD", win32.ERROR_ACCESS_DENIED, syscall.EPERM, "the user lacks a privilege on the server"},
	{0xC0000064, "STATUS_NO_SUCH_USER", win32.ERROR_LOGON_FAILURE, syscall.EACCES, "the server does not know the user"},
	{0xC000006A, "STATUS_WRONG_PASSWORD", win32.ERROR_LOGON_FAILURE, syscall.EACCES, "the password is wrong"},
	{0xC000006D, "STATUS_LOGON_FAILURE", win32.ERROR_LOGON_FAILURE, syscall.EACCES, "the server does not accept this user and password"},
	{0xC000006E, "STATUS_ACCOUNT_RESTRICTION", win32.ERROR_ACCOUNT_RESTRICTION, syscall.EACCES, "a policy keeps the user out, often because the password is empty"},
	{0xC000006F, "STATUS_INVALID_LOGON_HOURS", win32.ERROR_INVALID_LOGON_HOURS, syscall.EACCES, "the account may not be used at this hour"},
	{0xC0000070, "STATUS_INVALID_WORKSTATION", win32.ERROR_INVALID_WORKSTATION, syscall.EACCES, "the account may not be used from this computer"},
	{0xC0000071, "STATUS_PASSWORD_EXPIRED", win32.ERROR_PASSWORD_EXPIRED, syscall.EACCES, "the password has expired"},
	{0xC0000072, "STATUS_ACCOUNT_DISABLED", win32.ERROR_ACCOUNT_DISABLED, syscall.EACCES, "the account is disabled"},
	{0xC0000073, "STATUS_NONE_MAPPED", win32.ERROR_LOGON_FAILURE, syscall.EACCES, "the server does not know the user"},
	{0xC000007E, "STATUS_RANGE_NOT_LOCKED", win32.ERROR_GEN_FAILURE, syscall.ENOLCK, "this part of the file is not locked"},
	{0xC000007F, "STATUS_DISK_FULL", win32.ERROR_NOT_ENOUGH_MEMORY, syscall.ENOSPC, "the server's disk is full"},
	{0xC0000098, "STATUS_FILE_INVALID", win32.ERROR_GEN_FAILURE, syscall.EIO, "the server's volume was changed under the open file"},
	{0xC000009A, "STATUS_INSUFFICIENT_RESOURCES", win32.ERROR_REQ_NOT_ACCEP, syscall.EREMOTEIO, "the server is out of resources"},
	{0xC000009C, "STATUS_DEVICE_DATA_ERROR", win32.ERROR_GEN_FAILURE, syscall.EIO, "the server's disk has a read error"},
	{0xC00000A2, "STATUS_MEDIA_WRITE_PROTECTED", win32.ERROR_ACCESS_DENIED, syscall.EROFS, "the share is read-only"},
	{0xC00000A3, "STATUS_DEVICE_NOT_READY", win32.ERROR_DEV_NOT_EXIST, syscall.EAGAIN, "the server's device is not ready"},
	{0xC00000AC, "STATUS_PIPE_NOT_AVAILABLE", win32.ERROR_BUSY, syscall.EBUSY, "the server's service is busy"},
	{0xC00000B5, "STATUS_IO_TIMEOUT", win32.ERROR_UNEXP_NET_ERR, syscall.ETIMEDOUT, "the server's device did not answer in time"},
	{0xC00000BA, "STATUS_FILE_IS_A_DIRECTORY", win32.ERROR_ACCESS_DENIED, syscall.EISDIR, "it is a folder"},
	{0xC00000BB, "STATUS_NOT_SUPPORTED", win32.ERROR_NOT_SUPPORTED, syscall.ENOTSUP, "the server does not support it"},
	{0xC00000BE, "STATUS_BAD_NETWORK_PATH", win32.ERROR_BAD_NETPATH, syscall.EREMOTE, "the server finds no such path"},
	{0xC00000BF, "STATUS_NETWORK_BUSY", win32.ERROR_NETWORK_BUSY, syscall.EBUSY, "the network is busy"},
	{0xC00000C4, "STATUS_UNEXPECTED_NETWORK_ERROR", win32.ERROR_UNEXP_NET_ERR, syscall.EIO, "an unexpected network error"},
	{0xC00000C9, "STATUS_NETWORK_NAME_DELETED", win32.ERROR_NETNAME_DELETED, syscall.EIO, "the server has taken the share away"},
	{0xC00000CA, "STATUS_NETWORK_ACCESS_DENIED", win32.ERROR_NETWORK_ACCESS_DENIED, syscall.EACCES, "the server denies access by the network"},
	{0xC00000CB, "STATUS_BAD_DEVICE_TYPE", win32.ERROR_BAD_DEV_TYPE, syscall.ENODEV, "the share is of another type"},
	{0xC00000CC, "STATUS_BAD_NETWORK_NAME", win32.ERROR_BAD_NET_NAME, syscall.ENOENT, "the server has no share of this name"},
	{0xC00000CF, "STATUS_SHARING_PAUSED", win32.ERROR_SHARING_PAUSED, syscall.EAGAIN, "the server is paused"},
	{0xC00000D0, "STATUS_REQUEST_NOT_ACCEPTED", win32.ERROR_REQ_NOT_ACCEP, syscall.EUSERS, "the server has as many connections as it accepts"},
	{0xC00000D1, "STATUS_REDIRECTOR_PAUSED", win32.ERROR_REDIR_PAUSED, syscall.EAGAIN, "the device is paused"},
	{0xC00000D4, "STATUS_NOT_SAME_DEVICE", win32.ERROR_NOT_SUPPORTED, syscall.EXDEV, "it would leave the server's volume"},
	{0xC00000DC, "STATUS_INVALID_SERVER_STATE", win32.ERROR_NO_LOGON_SERVERS, syscall.EACCES, "the server can't check passwords now"},
	{0xC0000101, "STATUS_DIRECTORY_NOT_EMPTY", win32.ERROR_BUSY, syscall.ENOTEMPTY, "the folder is not empty"},
	{0xC0000102, "STATUS_FILE_CORRUPT_ERROR", win32.ERROR_GEN_FAILURE, syscall.EIO, "the file is damaged"},
	{0xC0000103, "STATUS_NOT_A_DIRECTORY", win32.ERROR_PATH_NOT_FOUND, syscall.ENOTDIR, "it is no folder"},
	{0xC0000106, "STATUS_NAME_TOO_LONG", win32.ERROR_INVALID_NAME, syscall.ENAMETOOLONG, "the name is too long"},
	{0xC000011F, "STATUS_TOO_MANY_OPENED_FILES", win32.ERROR_REQ_NOT_ACCEP, syscall.EMFILE, "the server has as many files open as it can"},
	{0xC0000120, "STATUS_CANCELLED", win32.ERROR_CANCELLED, syscall.EINTR, "the server gave the request up"},
	{0xC0000121, "STATUS_CANNOT_DELETE", win32.ERROR_ACCESS_DENIED, syscall.EACCES, "the file can't be deleted"},
	{0xC0000123, "STATUS_FILE_DELETED", win32.ERROR_FILE_NOT_FOUND, syscall.ENOENT, "the file was deleted"},
	{0xC0000128, "STATUS_FILE_CLOSED", win32.ERROR_INVALID_HANDLE, syscall.ESTALE, "the server has closed the file"},
	{0xC0000133, "STATUS_TIME_DIFFERENCE_AT_DC", win32.ERROR_LOGON_FAILURE, syscall.EACCES, "the clocks of the server and its domain controller differ"},
	{0xC000015B, "STATUS_LOGON_TYPE_NOT_GRANTED", win32.ERROR_ACCESS_DENIED, syscall.EACCES, "the user may not log on to this server by the network"},
	{0xC000016A, "STATUS_DISK_OPERATION_FAILED", win32.ERROR_GEN_FAILURE, syscall.EIO, "the server's disk failed"},
	{0xC000018C, "STATUS_TRUSTED_DOMAIN_FAILURE", win32.ERROR_NO_LOGON_SERVERS, syscall.EACCES, "the server and the user's domain do not trust each other"},
	{0xC000018D, "STATUS_TRUSTED_RELATIONSHIP_FAILURE", win32.ERROR_NO_LOGON_SERVERS, syscall.EACCES, "the server is no trusted member of its domain any more"},
	{0xC0000192, "STATUS_NETLOGON_NOT_STARTED", win32.ERROR_NO_LOGON_SERVERS, syscall.EACCES, "the server's logon service does not run"},
	{0xC0000193, "STATUS_ACCOUNT_EXPIRED", win32.ERROR_ACCOUNT_RESTRICTION, syscall.EACCES, "the account has expired"},
	{0xC0000196, "STATUS_REMOTE_SESSION_LIMIT", win32.ERROR_REMOTE_SESSION_LIMIT_EXCEEDED, syscall.EUSERS, "the server has as many sessions as it accepts"},
	{0xC000019C, "STATUS_FS_DRIVER_REQUIRED", win32.ERROR_NOT_SUPPORTED, syscall.ENOTSUP, "the server lacks a driver for the share"},
	{0xC0000203, "STATUS_USER_SESSION_DELETED", win32.ERROR_NETNAME_DELETED, syscall.EIO, "the server has ended the session"},
	{0xC000020C, "STATUS_CONNECTION_DISCONNECTED", win32.ERROR_NETNAME_DELETED, syscall.EIO, "the server has ended the connection"},
	{0xC000020D, "STATUS_CONNECTION_RESET", win32.ERROR_NETNAME_DELETED, syscall.EIO, "the server has ended the connection"},
	{0xC0000224, "STATUS_PASSWORD_MUST_CHANGE", win32.ERROR_PASSWORD_EXPIRED, syscall.EACCES, "the password must be changed before its first use"},
	{0xC0000225, "STATUS_NOT_FOUND", win32.ERROR_FILE_NOT_FOUND, syscall.ENOENT, "it was not found"},
	{0xC0000234, "STATUS_ACCOUNT_LOCKED_OUT", win32.ERROR_ACCOUNT_RESTRICTION, syscall.EACCES, "the account is locked, often after too many wrong passwords"},
	{0xC0000243, "STATUS_USER_MAPPED_FILE", win32.ERROR_BUSY, syscall.EBUSY, "another program has the file mapped into memory"},
	{0xC0000257, "STATUS_PATH_NOT_COVERED", win32.ERROR_NOT_SUPPORTED, syscall.EREMOTE, "the folder is kept on another server (DFS)"},
	{0xC000026D, "STATUS_DFS_UNAVAILABLE", win32.ERROR_BAD_NETPATH, syscall.EREMOTE, "the server's DFS does not work"},
	{0xC000026E, "STATUS_VOLUME_DISMOUNTED", win32.ERROR_DEV_NOT_EXIST, syscall.EIO, "the server's volume was taken away"},
	{0xC0000279, "STATUS_IO_REPARSE_TAG_NOT_HANDLED", win32.ERROR_CANT_ACCESS_FILE, syscall.EOPNOTSUPP, "the server can't follow this link"},
	{0xC000035C, "STATUS_NETWORK_SESSION_EXPIRED", win32.ERROR_NETNAME_DELETED, syscall.EIO, "the session on the server has expired"},
	{0xC0000904, "STATUS_FILE_TOO_LARGE", win32.ERROR_NOT_SUPPORTED, syscall.EFBIG, "the file is larger than the server takes"},
	{0xC0000906, "STATUS_VIRUS_INFECTED", win32.ERROR_ACCESS_DENIED, syscall.EPERM, "the server's virus scanner blocks the file"},
	{0x8000002D, "STATUS_STOPPED_ON_SYMLINK", win32.ERROR_CANT_ACCESS_FILE, syscall.ELOOP, "a symbolic link on the server leads too far"},
	{0xC0000480, "STATUS_SHARE_UNAVAILABLE", win32.ERROR_BAD_NET_NAME, syscall.EAGAIN, "the share is not available now"},
}

// row finds a status. The table is short and errors are rare: a search through it will do.
func (s ntStatus) row() (statusRow, bool) {
	for _, r := range statusTable {
		if r.status == s {
			return r, true
		}
	}
	return statusRow{status: s, code: win32.ERROR_EXTENDED_ERROR, errno: syscall.EIO}, false
}

// Error gives plain words and the status's name for those who look it up.
func (s ntStatus) Error() string {
	if r, ok := s.row(); ok {
		return r.words + " (" + r.name + ")"
	}
	return fmt.Sprintf("the server answers with status 0x%08X", uint32(s))
}

// Unwrap gives the errno.
func (s ntStatus) Unwrap() error { r, _ := s.row(); return r.errno }

// code is the Win32 code that Connect ends with.
func (s ntStatus) code() win32.Code { r, _ := s.row(); return r.code }

// ends reports whether the status says that session or share are gone for good.
func (s ntStatus) ends() bool { return s.code() == win32.ERROR_NETNAME_DELETED }

// is reports whether err is one of the statuses.
func is(err error, list ...ntStatus) bool {
	var s ntStatus
	if !errors.As(err, &s) {
		return false
	}
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
