package wnet

import (
	"context"
	"time"
)

// Mounter shows file systems to the kernel. The router speaks to what holds a mount only through Mount, which could cross a process
// boundary.
type Mounter interface {
	// Mount serves fsys at point, an absolute path. Missing folders of the path are made; the last one must be empty. It returns
	// when the kernel shows the mount. The FileSystem stays the caller's: Unmount does not close it.
	//
	// Errors: ERROR_NOT_SUPPORTED where FUSE is missing (the hint says what to install), ERROR_ACCESS_DENIED where the folder
	// can't be used, ERROR_GEN_FAILURE otherwise.
	Mount(ctx context.Context, point string, fsys FileSystem, opt MountOptions) (Mount, error)
}

// MountOptions are a mount's own settings.
type MountOptions struct {
	Source   string        // what /proc/mounts shows as the device: the remote name
	Deadline time.Duration // longest time one request may take; 0 for the mounter's default
}

// Mount is one file system that the kernel shows.
type Mount interface {
	// Point is the absolute path.
	Point() string
	// Opens is the number of files and folders that programs hold open now, by FUSE's own count.
	Opens() int
	// Holders names who keeps the mount busy. Empty if nobody does.
	Holders(ctx context.Context) ([]Holder, error)
	// Unmount takes the mount down if nobody uses it, in one step: a program that opens a file meanwhile either gets it and
	// Unmount fails, or does not. A file that was closed before the call never counts. Fails with ERROR_OPEN_FILES or
	// ERROR_DEVICE_IN_USE and Holders (CC-13, CC-16, CC-24); then nothing has changed. The folder at Point is removed if empty.
	Unmount(ctx context.Context) error
	// ForceUnmount takes the mount down whoever uses it (CC-04): new requests are refused, writes under way and dirty mappings
	// get until the context ends to reach the server, then every handle fails with EIO. Data that did not reach the server is
	// kept in files whose paths it returns. It fails only if the mount is still there.
	ForceUnmount(ctx context.Context) (aside []string, err error)
	// Done is closed when the mount is gone from its place, whoever took it down.
	Done() <-chan struct{}
}

// A Lingerer is a Mount that may be used after Done: somebody took it away lazily (umount -l) while files were open, and those work on until they
// are closed. The FileSystem must live as long. Of a Mount that is none, nothing is used after Done.
type Lingerer interface {
	// Idle is closed when no program has anything of the mount any more; never before Done.
	Idle() <-chan struct{}
}

// A Nester is a Mount that knows what is mounted inside it. ForceUnmount of such a mount takes that away too.
type Nester interface {
	// Inside returns the mount points of other file systems in the mount, or over it.
	Inside(ctx context.Context) []string
}

// A LossTeller is a Mount that may have to give up written data: it did not reach the server and could not be kept aside either, on a
// full disk for one. Of a Mount that is none, nothing is lost.
type LossTeller interface {
	// Lost returns the files that such data was written to, as slash paths in the file system. It is complete when the mount is gone.
	Lost() []string
}
