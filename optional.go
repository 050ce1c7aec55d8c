package wnet

import "context"

// What a FileSystem or a File can do besides. An implementation that may not know beforehand, as one that stands in for another, has
// the methods and answers ENOTSUP: that means the same as not having the interface.

// WholeReader is a FileSystem that reads a small file in one exchange with its server. Without it, a file is opened, read and closed.
type WholeReader interface {
	// ReadWhole returns the file's content, which the caller owns, and its attributes, both of the same moment. Errors are Open's for
	// OpenRead, and EFBIG where the file is longer than limit bytes.
	ReadWhole(ctx context.Context, name string, limit int) ([]byte, Attr, error)
}

// XattrFlag says what SetXattr expects to find.
type XattrFlag uint8

// The flags of SetXattr; 0 takes what comes.
const (
	XattrCreate  XattrFlag = iota + 1 // EEXIST if the attribute is there
	XattrReplace                      // ENODATA if it is not
)

// Xattrer is a FileSystem with extended attributes. Without it, programs see EOPNOTSUPP. The names are Linux', mostly "user.something".
// A mount answers for the name spaces security, system and trusted by itself: it has none of them.
type Xattrer interface {
	// GetXattr returns the value, which the caller owns. ENODATA if there is no such attribute.
	GetXattr(ctx context.Context, name, attr string) ([]byte, error)
	// SetXattr makes or changes an attribute. A value that is too long is E2BIG or ENOSPC. value is not kept.
	SetXattr(ctx context.Context, name, attr string, value []byte, flag XattrFlag) error
	// ListXattr returns the attributes' names, in any order.
	ListXattr(ctx context.Context, name string) ([]string, error)
	// RemoveXattr takes an attribute away. ENODATA if there is none.
	RemoveXattr(ctx context.Context, name, attr string) error
}

// FileCopier is a File into which the server can copy without the data passing through this machine. Without it, data is read and written.
type FileCopier interface {
	// CopyFrom copies up to n bytes at srcOff of src, a File of the same FileSystem that may be the same file, to off, and returns
	// how many: fewer also before the end of src, so that no call takes long; 0 and nil only at or past that end. Ranges of one file
	// that overlap are EINVAL, a src that the server can't copy from EXDEV or ENOTSUP.
	CopyFrom(ctx context.Context, src File, srcOff, off, n int64) (int64, error)
}

// AllocMode says what Allocate does.
type AllocMode uint8

// The modes of Allocate.
const (
	AllocExtend AllocMode = iota // reserve the range, and extend the file to hold it; content stays
	AllocKeep                    // reserve it without changing the file's size
	AllocPunch                   // give the range back: it reads as zeros, and the size stays
	AllocZero                    // make it read as zeros, extending the file to hold it
)

// FileAllocator is a File whose room on the server can be reserved and given back. Without it, fallocate(2) is EOPNOTSUPP, for which programs
// write zeros.
type FileAllocator interface {
	// Allocate changes n bytes at off. A mode that the server does not have is ENOTSUP, no room is ENOSPC.
	Allocate(ctx context.Context, off, n int64, mode AllocMode) error
}

// FileSeeker is a File that knows where it has holes. Without it, a file is taken for all data.
type FileSeeker interface {
	// NextData returns the first offset from off on that has data, NextHole the first that is in a hole; the end of a file is a hole.
	// At or past the end, and for NextData in a hole that reaches to the end, it is ENXIO. A hole may be told as data.
	NextData(ctx context.Context, off int64) (int64, error)
	NextHole(ctx context.Context, off int64) (int64, error)
}
