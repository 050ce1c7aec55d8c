//go:build !linux

package wire

import "syscall"

// What only Linux has an errno for.
const (
	errRemoteIO = syscall.EIO
	errNoData   = syscall.ENOENT
)
