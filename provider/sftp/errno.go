package sftp

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/pkg/sftp"

	"github.com/openwnet/wnet/win32"
)

// statusErrno is the errno of an SFTP status ([draft-ietf-secsh-filexfer-02] 7 up to 8, later drafts above, which some version 3
// servers send as well). What is not here is EIO.
func statusErrno(code uint32) syscall.Errno {
	switch code {
	case 2, 10: // no such file, no such path
		return syscall.ENOENT
	case 3: // permission denied
		return syscall.EACCES
	case 5, 20, 23: // bad message: OpenSSH's word for EINVAL and ENAMETOOLONG; invalid name, invalid parameter
		return syscall.EINVAL
	case 8: // not supported
		return syscall.ENOTSUP
	case 9: // invalid handle
		return syscall.EBADF
	case 11: // already exists
		return syscall.EEXIST
	case 12: // write protected
		return syscall.EROFS
	case 14: // no space
		return syscall.ENOSPC
	case 15: // quota
		return syscall.EDQUOT
	case 17, 25, 26: // locks
		return syscall.EAGAIN
	case 18: // not empty
		return syscall.ENOTEMPTY
	case 19: // not a folder
		return syscall.ENOTDIR
	case 21: // link loop
		return syscall.ELOOP
	case 24: // is a folder
		return syscall.EISDIR
	}
	return syscall.EIO
}

// failure is the status whose cause the protocol keeps to itself.
const failure = 4

// errnoOf gives the plain errno of what pkg/sftp returned; vague is true for "Failure", which may be anything.
func errnoOf(err error) (e syscall.Errno, vague bool) {
	var st *sftp.StatusError
	switch {
	case errors.As(err, &e):
		return e, false
	case errors.As(err, &st):
		return statusErrno(st.Code), st.Code == failure
	case errors.Is(err, fs.ErrNotExist):
		return syscall.ENOENT, false
	case errors.Is(err, fs.ErrPermission):
		return syscall.EACCES, false
	case errors.Is(err, os.ErrClosed):
		return syscall.EBADF, false
	}
	return syscall.EIO, false
}

// settled reports whether err says enough as it is: that the caller's context or the connection has ended.
func settled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, win32.ERROR_NETNAME_DELETED)
}

// wrap makes the error that a FileSystem returns.
func wrap(op, name string, err error) error {
	if err == nil || settled(err) {
		return err
	}
	var pe *fs.PathError
	if errors.As(err, &pe) && errors.As(pe.Err, new(syscall.Errno)) {
		err = pe.Err
	}
	var e syscall.Errno
	if !errors.As(err, &e) {
		e, _ = errnoOf(err)
	}
	return &fs.PathError{Op: op, Path: name, Err: e}
}

// tooLong tells the two causes of "bad message" apart.
func tooLong(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > 255 {
			return true
		}
	}
	return len(name) > 3800 // with the folder's own path, PATH_MAX is near
}

// common explains what may be behind an error of any operation that changes something below name's folder: a parent that is missing or
// a file, a name that is too long, a full or read-only disk. It asks the server only where the error leaves it open.
func (f *fileSystem) common(ctx context.Context, name string, err error) error {
	if settled(err) {
		return err
	}
	e, vague := errnoOf(err)
	switch {
	case e == syscall.EINVAL && tooLong(name):
		return syscall.ENAMETOOLONG
	case e == syscall.ENOENT:
		return f.missing(ctx, name)
	case vague:
		return f.room(ctx, 1)
	}
	return e
}

// missing tells ENOTDIR from ENOENT, which servers report alike: a name below a file is ENOTDIR. Folders seen a moment ago are believed,
// so that a lookup that fails costs one request.
func (f *fileSystem) missing(ctx context.Context, name string) error {
	for dir := path.Dir(name); dir != "." && !f.seen.folder(dir); dir = path.Dir(dir) {
		fi, err := f.lstat(ctx, dir)
		switch {
		case settled(err):
			return err
		case err == nil && fi.Mode()&fs.ModeSymlink != 0:
			return syscall.ENOENT
		case err == nil && !fi.IsDir():
			return syscall.ENOTDIR
		case err == nil:
			return syscall.ENOENT
		}
	}
	return syscall.ENOENT
}

// room finds out whether a write failed for want of room: ENOSPC, EROFS, or EIO where the disk says nothing of the kind.
func (f *fileSystem) room(ctx context.Context, need uint64) error {
	if !f.statvfs {
		return syscall.EIO
	}
	v, err := call(ctx, f.c, func() (*sftp.StatVFS, error) { return f.c.ftp.StatVFS(f.c.top) }, nil)
	switch {
	case err != nil && settled(err):
		return err
	case err != nil:
		return syscall.EIO
	case v.Flag&1 != 0: // SSH_FXE_STATVFS_ST_RDONLY
		return syscall.EROFS
	case v.Bavail*v.Frsize < need, v.Files > 0 && v.Ffree == 0:
		return syscall.ENOSPC
	}
	return syscall.EIO
}

// explainRemove finds why name was not removed.
func (f *fileSystem) explainRemove(ctx context.Context, name string, dir bool, err error) error {
	if settled(err) {
		return err
	}
	fi, serr := f.lstat(ctx, name)
	switch {
	case settled(serr):
		return serr
	case serr != nil:
		return f.common(ctx, name, serr)
	case dir && !fi.IsDir():
		return syscall.ENOTDIR
	case !dir && fi.IsDir():
		return syscall.EISDIR
	}
	e, vague := errnoOf(err)
	if e == syscall.ENOENT {
		return syscall.EACCES // it is there, so that this came from another question, about what a dangling link leads to
	}
	if dir && (vague || e == syscall.EEXIST) {
		// Only "not empty" has a word of its own among what rmdir fails with.
		if full, ferr := f.full(ctx, name); settled(ferr) {
			return ferr
		} else if full {
			return syscall.ENOTEMPTY
		}
	}
	if vague {
		return f.room(ctx, 0)
	}
	return e
}

// full reports whether a folder has entries.
func (f *fileSystem) full(ctx context.Context, name string) (bool, error) {
	list, err := call(ctx, f.c, func() ([]fs.FileInfo, error) { return f.c.ftp.ReadDirContext(ctx, f.at(name)) }, nil)
	return len(list) > 0, err
}

// explainRename finds why from did not become to.
func (f *fileSystem) explainRename(ctx context.Context, from, to string, err error) error {
	if settled(err) {
		return err
	}
	if strings.HasPrefix(to, from+"/") {
		return syscall.EINVAL // a folder into itself
	}
	src, serr := f.lstat(ctx, from)
	if serr != nil {
		return f.common(ctx, from, serr)
	}
	dst, derr := f.lstat(ctx, to)
	e, vague := errnoOf(err)
	switch {
	case settled(derr):
		return derr
	case derr == nil && src.IsDir() && !dst.IsDir():
		return syscall.ENOTDIR
	case derr == nil && !src.IsDir() && dst.IsDir():
		return syscall.EISDIR
	case derr == nil && dst.IsDir() && (vague || e == syscall.EEXIST):
		if full, ferr := f.full(ctx, to); settled(ferr) {
			return ferr
		} else if full {
			return syscall.ENOTEMPTY
		}
	}
	if vague && f.otherDisk(ctx, from, to) {
		return syscall.EXDEV
	}
	return f.common(ctx, to, err)
}

// otherDisk reports whether the folders of two names are on different file systems of the server.
func (f *fileSystem) otherDisk(ctx context.Context, a, b string) bool {
	if !f.statvfs {
		return false
	}
	id := func(name string) (uint64, bool) {
		v, err := call(ctx, f.c, func() (*sftp.StatVFS, error) { return f.c.ftp.StatVFS(path.Dir(f.at(name))) }, nil)
		if err != nil {
			return 0, false
		}
		return v.Fsid, true
	}
	ia, oka := id(a)
	ib, okb := id(b)
	return oka && okb && ia != ib
}

// isEnd reports whether a read came to the end of the file. Only the bare io.EOF is that status; one inside another error is a
// broken line.
func isEnd(err error) bool { return err == io.EOF } //nolint:errorlint
