package sftp

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pkg/sftp"

	"github.com/openwnet/wnet"
)

// file is one open file.
type file struct {
	fs *fileSystem
	h  *sftp.File

	name string // guarded by fs.mu; as it was opened, or renamed since
}

var (
	_ wnet.File           = (*file)(nil)
	_ wnet.FileAttrSetter = (*file)(nil)
)

// Open opens or makes a file.
//
// The server would follow a link, and would hang on a pipe, so that what is there is looked at first. A file that may have to be made is
// made exclusively, since that is the only way to learn whether perm counts.
func (f *fileSystem) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
	if err := valid("open", name); err != nil {
		return nil, err
	}
	var mode int
	switch {
	case flag&(wnet.OpenRead|wnet.OpenWrite) == wnet.OpenRead|wnet.OpenWrite:
		mode = os.O_RDWR
	case flag&wnet.OpenWrite != 0:
		mode = os.O_WRONLY
	case flag&wnet.OpenRead != 0:
		mode = os.O_RDONLY
	default:
		return nil, wrap("open", name, syscall.EINVAL)
	}
	if flag&wnet.OpenTruncate != 0 {
		if flag&wnet.OpenWrite == 0 {
			return nil, wrap("open", name, syscall.EINVAL)
		}
		mode |= os.O_TRUNC
	}
	if name == "." {
		return nil, wrap("open", name, syscall.EISDIR)
	}
	for {
		var refused error
		if flag&wnet.OpenCreate != 0 {
			h, err := f.openFile(ctx, withPerm(f.at(name), perm), mode|os.O_CREATE|os.O_EXCL)
			if err == nil {
				return f.created(ctx, name, h, perm)
			}
			if settled(err) {
				return nil, err
			}
			refused = err
		}
		fi, err := f.lstat(ctx, name)
		switch {
		case settled(err):
			return nil, err
		case err != nil && refused != nil:
			return nil, wrap("open", name, f.common(ctx, name, refused))
		case err != nil:
			return nil, wrap("open", name, f.common(ctx, name, err))
		case flag&wnet.OpenCreate != 0 && flag&wnet.OpenExcl != 0:
			return nil, wrap("open", name, syscall.EEXIST)
		case fi.IsDir():
			return nil, wrap("open", name, syscall.EISDIR)
		case fi.Mode()&fs.ModeSymlink != 0:
			return nil, wrap("open", name, syscall.ELOOP)
		case !fi.Mode().IsRegular():
			return nil, wrap("open", name, syscall.ENXIO)
		}
		h, err := f.openFile(ctx, f.at(name), mode)
		if flag&wnet.OpenCreate != 0 && errors.Is(err, fs.ErrNotExist) {
			continue // removed in between; ctx ends this if somebody does nothing else
		}
		if err != nil {
			return nil, wrap("open", name, f.common(ctx, name, err))
		}
		return f.opened(name, h), nil
	}
}

func (f *fileSystem) openFile(ctx context.Context, at string, mode int) (*sftp.File, error) {
	return call(ctx, f.c, func() (*sftp.File, error) { return f.c.ftp.OpenFile(at, mode) },
		func(h *sftp.File) { h.Close() })
}

func (f *fileSystem) created(ctx context.Context, name string, h *sftp.File, perm fs.FileMode) (wnet.File, error) {
	file := f.opened(name, h)
	err := f.umask.settle(perm,
		func() (fs.FileInfo, error) {
			return call(ctx, f.c, func() (fs.FileInfo, error) { return h.Stat() }, nil)
		},
		func() error { return f.do(ctx, func() error { return h.Chmod(perm) }) })
	if err != nil {
		file.abandon()
		return nil, wrap("open", name, err)
	}
	return file, nil
}

func (f *fileSystem) opened(name string, h *sftp.File) *file {
	o := &file{fs: f, h: h, name: name}
	f.mu.Lock()
	f.open[o] = struct{}{}
	f.mu.Unlock()
	return o
}

// renamed tells the open files their new names.
func (f *fileSystem) renamed(from, to string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for o := range f.open {
		switch {
		case o.name == from:
			o.name = to
		case strings.HasPrefix(o.name, from+"/"):
			o.name = to + o.name[len(from):]
		}
	}
}

// where is the file's last name.
func (o *file) where() string {
	o.fs.mu.Lock()
	defer o.fs.mu.Unlock()
	return o.name
}

func (o *file) wrap(op string, err error) error { return wrap(op, o.where(), err) }

// buffers lends out memory that an abandoned request may go on to use: what belongs to the caller must not be touched by one.
type buffers struct{ pool sync.Pool }

func (b *buffers) get(n int) *[]byte {
	if p, ok := b.pool.Get().(*[]byte); ok && cap(*p) >= n {
		*p = (*p)[:n]
		return p
	}
	p := make([]byte, n)
	return &p
}

func (b *buffers) put(p *[]byte) { b.pool.Put(p) }

// maxPiece bounds what one call moves; larger ones go piece by piece.
const maxPiece = 4 << 20

// ReadAt reads.
func (o *file) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, o.wrap("read", syscall.EINVAL)
	}
	total := 0
	for total < len(p) {
		want := min(len(p)-total, maxPiece)
		n, err := o.readPiece(ctx, p[total:total+want], off+int64(total))
		total += n
		if err != nil {
			return total, o.wrap("read", err)
		}
		if n == 0 {
			break
		}
		// A server with packets of its own size may give less than there is, and pkg/sftp then says it was the end. Where the server
		// says nothing of its limits, the end is the end only if nothing comes at all.
		if n < want && o.fs.c.big {
			break
		}
	}
	return total, nil
}

func (o *file) readPiece(ctx context.Context, p []byte, off int64) (int, error) {
	type piece struct {
		buf *[]byte
		n   int
	}
	pool := &o.fs.c.buffers
	moved := o.fs.c.meter.Transfer()
	r, err := call(ctx, o.fs.c, func() (piece, error) {
		buf := pool.get(len(p))
		n, err := o.h.ReadAt(*buf, off)
		if isEnd(err) {
			err = nil
		}
		if err != nil {
			pool.put(buf)
			return piece{}, err
		}
		return piece{buf, n}, nil
	}, func(r piece) { pool.put(r.buf) })
	moved(r.n)
	if err != nil {
		return 0, err
	}
	defer pool.put(r.buf)
	return copy(p, (*r.buf)[:r.n]), nil
}

// WriteAt writes.
func (o *file) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, o.wrap("write", syscall.EINVAL)
	}
	total := 0
	for total < len(p) {
		part := p[total:min(len(p), total+maxPiece)]
		n, err := o.writePiece(ctx, part, off+int64(total))
		total += n
		if err != nil {
			if _, vague := errnoOf(err); vague && !settled(err) {
				err = o.fs.room(ctx, uint64(len(part)-n))
			}
			return total, o.wrap("write", err)
		}
	}
	if o.fs.c.writeThrough {
		return total, o.Sync(ctx)
	}
	return total, nil
}

func (o *file) writePiece(ctx context.Context, p []byte, off int64) (int, error) {
	pool := &o.fs.c.buffers
	buf := pool.get(len(p))
	copy(*buf, p)
	// The error stands beside the count, since both count.
	type outcome struct {
		n   int
		err error
	}
	moved := o.fs.c.meter.Transfer()
	r, err := call(ctx, o.fs.c, func() (outcome, error) {
		defer pool.put(buf)
		n, err := o.h.WriteAt(*buf, off)
		return outcome{n, err}, nil
	}, nil)
	moved(r.n)
	if err != nil {
		return 0, err
	}
	n := min(max(r.n, 0), len(p))
	if r.err == nil && n < len(p) {
		r.err = syscall.EIO
	}
	return n, o.fs.c.check(r.err)
}

// Truncate cuts or extends.
func (o *file) Truncate(ctx context.Context, size int64) error {
	if size < 0 {
		return o.wrap("truncate", syscall.EINVAL)
	}
	err := o.fs.do(ctx, func() error { return o.h.Truncate(size) })
	if err != nil && !settled(err) {
		if _, vague := errnoOf(err); vague {
			err = o.fs.room(ctx, 1)
		}
	}
	return o.wrap("truncate", err)
}

// Stat describes the file by its handle.
func (o *file) Stat(ctx context.Context) (wnet.Attr, error) {
	fi, err := call(ctx, o.fs.c, func() (fs.FileInfo, error) { return o.h.Stat() }, nil)
	if err != nil {
		return wnet.Attr{}, o.wrap("stat", err)
	}
	return attrOf(fi, path.Base(o.where())), nil
}

// SetAttr changes the file by its handle, whatever its name is by now.
func (o *file) SetAttr(ctx context.Context, change wnet.AttrChange) (wnet.Attr, error) {
	if change.Size != nil {
		if err := o.Truncate(ctx, *change.Size); err != nil {
			return wnet.Attr{}, err
		}
	}
	if change.Mode != nil {
		mode := *change.Mode
		if err := o.fs.do(ctx, func() error { return o.h.Chmod(mode) }); err != nil && !unsupported(err) {
			return wnet.Attr{}, o.wrap("setattr", err)
		}
	}
	if change.ModTime != nil || change.AccessTime != nil {
		fi, err := call(ctx, o.fs.c, func() (fs.FileInfo, error) { return o.h.Stat() }, nil)
		if err != nil {
			return wnet.Attr{}, o.wrap("setattr", err)
		}
		set := func(atime, mtime time.Time) error { return fileTimes(o.h, atime, mtime) }
		if err := o.fs.setTimes(ctx, fi, change, set); err != nil && !unsupported(err) {
			return wnet.Attr{}, o.wrap("setattr", err)
		}
	}
	return o.Stat(ctx)
}

// Sync waits until the server says that the file is on its disk, where it has fsync@openssh.com. Every write was acknowledged before.
func (o *file) Sync(ctx context.Context) error {
	sync := o.h.Sync
	if !o.fs.fsync {
		sync = func() error { return nil }
	}
	return o.wrap("sync", o.fs.do(ctx, sync))
}

// Close gives the handle back.
func (o *file) Close(ctx context.Context) error {
	o.forget()
	if err := ctx.Err(); err != nil {
		// The handle goes back all the same, without anybody waiting.
		o.abandon()
		return err
	}
	return o.wrap("close", o.fs.do(ctx, func() error { return o.h.Close() }))
}

func (o *file) forget() {
	o.fs.mu.Lock()
	delete(o.fs.open, o)
	o.fs.mu.Unlock()
}

// abandon closes the handle in the background.
func (o *file) abandon() {
	o.forget()
	if o.fs.c.begin() == nil {
		go func() {
			defer o.fs.c.wg.Done()
			o.h.Close()
		}()
	}
}

// randomName is a name that nobody else has.
func randomName() string { return strings.ToLower(rand.Text()) }
