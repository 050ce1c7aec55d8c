package wire

import "syscall"

// What other systems have no errno for.
const (
	errRemoteIO = syscall.EREMOTEIO
	errNoData   = syscall.ENODATA
)
