package mount

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
)

// wholeMax is the size of a file up to which its content comes with its opening, where the file system can do that.
const wholeMax = 64 << 10

// wholeFile is a small file that was read when it was opened, and is open on the server only once somebody needs more of it than that. It
// reads on what it was, as long as that stands; a file that another machine has removed or replaced since stays what it was.
type wholeFile struct {
	s     *server
	n     *node
	data  []byte
	attr  wnet.Attr
	asked time.Time
	was   version

	mu     sync.Mutex // guards what follows; held while the server is asked to open
	real   wnet.File
	gone   bool // there is no such file any more
	closed bool
}

var (
	_ wnet.File       = (*wholeFile)(nil)
	_ wnet.FileLocker = (*wholeFile)(nil)
	_ wnet.FileSeeker = (*wholeFile)(nil)
)

// openWhole opens a small file for reading in one exchange; nil where it has to be opened as others are.
func (s *server) openWhole(ctx context.Context, n *node, path string) wnet.File {
	r, ok := s.fs.(wnet.WholeReader)
	if !ok || s.cache <= 0 || s.noWhole.Load() {
		return nil
	}
	leased := s.promised(n, wnet.LeaseAttr)
	was, size := s.version(n)
	s.tree.mu.Lock()
	known := size >= 0 && size <= wholeMax && (leased || s.valid(n.asked) > 0) && n.filled == (filling{})
	s.tree.mu.Unlock()
	if !known {
		return nil
	}
	asked := time.Now()
	data, a, err := r.ReadWhole(ctx, path, wholeMax)
	if err != nil || !a.Mode.IsRegular() || n.srv != a.ID {
		if errors.Is(err, syscall.ENOTSUP) {
			s.noWhole.Store(true)
		}
		return nil // Open says what is wrong, if it is
	}
	s.tree.learn(n, a, asked)
	was.fill = filling{a.Size, a.ModTime}
	return &wholeFile{s: s, n: n, data: data, attr: a, asked: asked, was: was}
}

// open opens the file on the server. It returns nil where the content that is here is all there will be.
func (f *wholeFile) open(ctx context.Context) (wnet.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return nil, syscall.EBADF
	case f.real != nil:
		return f.real, nil
	case f.gone:
		return nil, nil
	}
	path, named := f.s.tree.path(f.n)
	if !named {
		f.gone = true
		return nil, nil
	}
	r, err := f.s.fs.Open(ctx, path, wnet.OpenRead, 0)
	switch errnoOf(err) {
	case 0:
	case syscall.ENOENT, syscall.ENOTDIR, syscall.EISDIR, syscall.ELOOP:
		f.gone = true
		return nil, nil
	default:
		return nil, err
	}
	if a, err := r.Stat(ctx); err != nil || f.attr.ID != 0 && a.ID != f.attr.ID {
		f.s.closeLate(r)
		if err != nil {
			return nil, err
		}
		f.gone = true
		return nil, nil
	}
	f.real = r
	return r, nil
}

// hold opens the whole files of a node on the server, before its name goes.
func (s *server) hold(ctx context.Context, dir *node, name string) {
	s.tree.mu.Lock()
	var files []*handle
	if n := dir.children[name]; n != nil {
		files = append(files, n.handles...)
	}
	s.tree.mu.Unlock()
	for _, h := range files {
		if w, ok := h.file.(*wholeFile); ok {
			if h := s.use(h.fh); h != nil {
				_, _ = w.open(ctx)
				s.done(h)
			}
		}
	}
}

// realOf is the File that the file system knows.
func realOf(ctx context.Context, f wnet.File) (wnet.File, error) {
	w, ok := f.(*wholeFile)
	if !ok {
		return f, nil
	}
	r, err := w.open(ctx)
	if err == nil && r == nil {
		err = syscall.ENOTSUP
	}
	return r, err
}

func (f *wholeFile) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	f.mu.Lock()
	opened := f.real != nil
	f.mu.Unlock()
	if opened || !f.s.stands(f.n, f.was, f.asked) {
		if r, err := f.open(ctx); err != nil {
			return 0, err
		} else if r != nil {
			return r.ReadAt(ctx, p, off)
		}
	}
	return copy(p, f.data[min(off, int64(len(f.data))):]), nil
}

func (f *wholeFile) Stat(ctx context.Context) (wnet.Attr, error) {
	r, err := f.open(ctx)
	if err == nil && r == nil {
		return f.attr, nil
	}
	if err != nil {
		return wnet.Attr{}, err
	}
	return r.Stat(ctx)
}

func (f *wholeFile) WriteAt(context.Context, []byte, int64) (int, error) { return 0, syscall.EBADF }
func (f *wholeFile) Truncate(context.Context, int64) error               { return syscall.EBADF }
func (f *wholeFile) Sync(context.Context) error                          { return nil }

func (f *wholeFile) Close(ctx context.Context) error {
	f.mu.Lock()
	r := f.real
	f.closed = true
	f.mu.Unlock()
	if r != nil {
		return r.Close(ctx)
	}
	return nil
}

func (f *wholeFile) Lock(ctx context.Context, l wnet.Lock, wait bool) error {
	r, err := realOf(ctx, f)
	if err != nil {
		return err
	}
	if k, ok := r.(wnet.FileLocker); ok {
		return k.Lock(ctx, l, wait)
	}
	return syscall.ENOTSUP
}

func (f *wholeFile) TestLock(ctx context.Context, l wnet.Lock) (wnet.Lock, error) {
	r, err := realOf(ctx, f)
	if err != nil {
		return wnet.Lock{}, err
	}
	if k, ok := r.(wnet.FileLocker); ok {
		return k.TestLock(ctx, l)
	}
	return wnet.Lock{}, syscall.ENOTSUP
}

func (f *wholeFile) NextData(ctx context.Context, off int64) (int64, error) {
	if r, err := realOf(ctx, f); err != nil {
		return 0, err
	} else if k, ok := r.(wnet.FileSeeker); ok {
		return k.NextData(ctx, off)
	}
	return 0, syscall.ENOTSUP
}

func (f *wholeFile) NextHole(ctx context.Context, off int64) (int64, error) {
	if r, err := realOf(ctx, f); err != nil {
		return 0, err
	} else if k, ok := r.(wnet.FileSeeker); ok {
		return k.NextHole(ctx, off)
	}
	return 0, syscall.ENOTSUP
}
