package wnet

import (
	"context"
	"io/fs"
	"time"
)

// FileSystem is what a connection holds: files and folders on a server, or in memory. A mount serves one to the kernel.
//
// Names are slash-separated and unrooted, valid by fs.ValidPath, "." for the top. No method follows a symbolic link in the last
// part of a name. Methods may be called from many goroutines at once.
//
// Every method ends soon after its context does, whatever the server does, with an error that unwraps to the context's.
//
// Errors unwrap to a syscall.Errno with POSIX' meaning (ENOENT, EEXIST, ENOTEMPTY, ENOTDIR, EISDIR, EACCES, ENOSPC, EXDEV …;
// these satisfy fs.ErrNotExist and its kin) or to a win32.Code where the connection is at fault: ERROR_NETNAME_DELETED means that
// the connection is lost, that this FileSystem and its Files will never answer again, and that a new connection may help.
// A mount turns either into an errno; an operation that is not there at all is ENOTSUP, never ENOSYS.
//
// What a file system may do besides, it says by implementing AttrSetter, Symlinker, Linker, Statfser, Locker, Leaser, Xattrer and
// WholeReader; a File says it by FileAttrSetter, FileFlusher, FileLocker, FileCopier, FileAllocator and FileSeeker.
type FileSystem interface {
	// Stat describes name.
	Stat(ctx context.Context, name string) (Attr, error)
	// ReadDir lists the folder name, all attributes included, without "." and "..", in any order. The caller owns the slice.
	ReadDir(ctx context.Context, name string) ([]Attr, error)
	// Open opens or creates the file name. A folder is EISDIR, a symbolic link ELOOP. perm counts only where a file is made.
	Open(ctx context.Context, name string, flag OpenFlag, perm fs.FileMode) (File, error)
	// Mkdir makes the folder name; its parent must exist. An existing name of any kind is EEXIST.
	Mkdir(ctx context.Context, name string, perm fs.FileMode) error
	// Remove takes away the empty folder (dir true; a file is ENOTDIR, a full folder ENOTEMPTY) or the file or link (dir false; a
	// folder is EISDIR). A file that is open stays readable and writable through its Files (POSIX unlink).
	Remove(ctx context.Context, name string, dir bool) error
	// Rename moves from onto to, replacing a file or an empty folder there in one step. Files open under either name stay usable.
	Rename(ctx context.Context, from, to string) error
}

// OpenFlag says how a file is opened: read, write or both, and what to do if it is there or not.
type OpenFlag uint8

// The flags of Open. At least one of OpenRead and OpenWrite is set. There is no append flag: a mount appends by offset.
const (
	OpenRead     OpenFlag = 1 << iota // ReadAt is allowed
	OpenWrite                         // WriteAt and Truncate are allowed
	OpenCreate                        // make the file if it is not there
	OpenExcl                          // with OpenCreate: EEXIST if the name is there, whatever it is
	OpenTruncate                      // cut an existing file to nothing; needs OpenWrite
)

// File is one open file. Methods may be called from many goroutines at once; the caller calls Close exactly once.
type File interface {
	// ReadAt reads up to len(p) bytes at off. Fewer than asked with a nil error only at the end of the file; at or past the end
	// it is 0 and nil. (Not io.ReaderAt: no io.EOF.)
	ReadAt(ctx context.Context, p []byte, off int64) (int, error)
	// WriteAt writes all of p at off, filling a gap with zeros. n < len(p) comes with an error. p is not kept.
	WriteAt(ctx context.Context, p []byte, off int64) (int, error)
	// Truncate cuts or extends the file with zeros.
	Truncate(ctx context.Context, size int64) error
	// Stat describes the file, also after it was renamed or removed.
	Stat(ctx context.Context) (Attr, error)
	// Sync returns when the server says that all written data is stable, or has no way to say so and has acknowledged it.
	Sync(ctx context.Context) error
	// Close gives the file back and reports every write error that was not reported before. The File is gone, whatever it returns.
	Close(ctx context.Context) error
}

// Attr describes a file, a folder or a link. Times a server does not have are zero.
type Attr struct {
	Name       string      // last part of the name, "." for the top
	Mode       fs.FileMode // type and permission bits
	Size       int64       // bytes; of a link, its target's length
	ModTime    time.Time
	AccessTime time.Time
	ChangeTime time.Time
	ID         uint64 // the server's own number for the file, stable while it lives and equal for hard links; 0 if it has none
	Nlink      uint32 // hard links; 0 if unknown
	Blocks     int64  // 512-byte blocks on the server's disk; 0 if unknown
}

// AttrChange says which attributes to set; nil is left alone.
type AttrChange struct {
	Mode       *fs.FileMode // permission bits, setuid, setgid and sticky
	Size       *int64
	ModTime    *time.Time
	AccessTime *time.Time
}

// AttrSetter is a FileSystem that can change attributes by name. Without it, chmod and utimes are ENOTSUP and truncate opens the
// file.
type AttrSetter interface {
	// SetAttr makes the change and returns the attributes after it. A part that the server cannot keep (an execute bit on a
	// share without modes) is left out in silence, as mount.cifs does; a part it refuses is an error.
	SetAttr(ctx context.Context, name string, change AttrChange) (Attr, error)
}

// FileAttrSetter is a File that can change its own attributes, also after it was removed.
type FileAttrSetter interface {
	SetAttr(ctx context.Context, change AttrChange) (Attr, error)
}

// FileFlusher is a File that may learn, long after a write was answered, that the server has lost the data. Without it, close(2) reports
// nothing; Close, which nobody waits for, still does.
type FileFlusher interface {
	// Flush tells at each close(2) what is known to be lost of what was written. It does not wait for the server.
	Flush() error
}

// Symlinker is a FileSystem with symbolic links. Without it, making one is EPERM.
type Symlinker interface {
	Symlink(ctx context.Context, target, name string) error
	Readlink(ctx context.Context, name string) (string, error)
}

// Linker is a FileSystem with hard links. Without it, making one is EPERM.
type Linker interface {
	Link(ctx context.Context, from, to string) error
}

// Statfs is a file system's room, in bytes and files; zero where unknown.
type Statfs struct {
	Total, Free, Available uint64 // bytes; Available is what an ordinary user may still use
	Files, FilesFree       uint64
	NameMax                uint32 // longest name's length in bytes, 0 for 255
}

// Statfser is a FileSystem that knows its room. Without it, a mount shows a large free space.
type Statfser interface {
	Statfs(ctx context.Context) (Statfs, error)
}
