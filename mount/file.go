package mount

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/openwnet/wnet"
)

// openFlag translates open(2)'s flags. O_APPEND has no meaning here: the kernel sends the offset.
func openFlag(flags uint32) (wnet.OpenFlag, error) {
	var f wnet.OpenFlag
	switch flags & syscall.O_ACCMODE {
	case syscall.O_RDONLY:
		f = wnet.OpenRead
	case syscall.O_WRONLY:
		f = wnet.OpenWrite
	case syscall.O_RDWR:
		f = wnet.OpenRead | wnet.OpenWrite
	default:
		return 0, syscall.EINVAL
	}
	if flags&syscall.O_TRUNC != 0 {
		f |= wnet.OpenWrite | wnet.OpenTruncate // O_RDONLY|O_TRUNC cuts too, on Linux
	}
	return f, nil
}

// closeLate gives back a file that was opened after its program had stopped waiting.
func (s *server) closeLate(f wnet.File) {
	if f == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), s.deadline)
	defer stop()
	if _, err := guard(s, ctx, func(ctx context.Context) (nothing, error) { return nothing{}, f.Close(ctx) }); err != nil {
		s.log.Debug("closing a file that nobody waited for failed", "error", err)
	}
}

// Open implements fuse.RawFileSystem.
func (s *server) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	n := s.tree.get(in.NodeId)
	if n == nil {
		return fuse.ENOENT
	}
	flag, err := openFlag(in.Flags)
	if err != nil {
		return s.status(err)
	}
	f, err := call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) (wnet.File, error) {
		for {
			path, ok := s.tree.path(n)
			if !ok {
				return nil, syscall.ENOENT
			}
			if flag == wnet.OpenRead {
				if f := s.openWhole(ctx, n, path); f != nil {
					return f, nil
				}
			}
			f, err := s.fs.Open(ctx, path, flag, 0)
			if err == nil {
				s.revalidate(ctx, n, f)
				return f, nil
			}
			if again, _ := s.tree.path(n); errnoOf(err) != syscall.ENOENT || again == path {
				return nil, err
			}
		}
	}, s.closeLate)
	if err != nil {
		return s.status(err)
	}
	if flag&wnet.OpenTruncate != 0 {
		s.tree.change(n)
	}
	h := &handle{node: n, tid: in.Pid, uid: in.Uid, file: f, flag: flag}
	if _, whole := f.(*wholeFile); flag&wnet.OpenRead != 0 && !whole {
		h.ahead = s.newAhead()
	}
	s.addHandle(h)
	out.Fh = h.fh
	if s.keepCache(n) {
		out.OpenFlags |= fuse.FOPEN_KEEP_CACHE
	}
	if flag&wnet.OpenWrite == 0 && !s.locking {
		out.OpenFlags |= fuse.FOPEN_NOFLUSH // there is nothing that its closing could tell, nor locks to give back
	}
	return fuse.OK
}

// revalidate asks for the attributes of a file whose data the kernel may still hold, if they are not known well enough to tell whether
// that data is good: one question instead of all the data again. A failure only costs the cache.
func (s *server) revalidate(ctx context.Context, n *node, f wnet.File) {
	leased := s.promised(n, wnet.LeaseAttr|wnet.LeaseData)
	s.tree.mu.Lock()
	needed := n.filled != (filling{}) && s.valid(n.asked) == 0 && !(leased && !n.asked.IsZero())
	s.tree.mu.Unlock()
	if !needed {
		return
	}
	asked := time.Now()
	if a, err := f.Stat(ctx); err == nil {
		s.tree.learn(n, a, asked)
	}
}

// keepCache decides at an open whether the kernel may keep the file's data, and notes what it will be filled with.
func (s *server) keepCache(n *node) bool {
	leased := s.promised(n, wnet.LeaseAttr|wnet.LeaseData)
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	leased = leased && !n.asked.IsZero() && !n.attr.ModTime.IsZero()
	var now filling
	settled := s.valid(n.asked) > 0 && !n.attr.ModTime.IsZero() && n.asked.Sub(n.attr.ModTime) > settleTime
	if settled || leased {
		now = filling{n.attr.Size, n.attr.ModTime}
	}
	keep := now != (filling{}) && n.filled.size == now.size && n.filled.mtime.Equal(now.mtime) && (settled || n.leased)
	n.filled, n.leased = now, leased
	return keep
}

// Create implements fuse.RawFileSystem.
func (s *server) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	type made struct {
		f     wnet.File
		a     wnet.Attr
		asked time.Time
	}
	parent := s.tree.get(in.NodeId)
	if parent == nil {
		return fuse.ENOENT
	}
	flag, err := openFlag(in.Flags)
	if err != nil {
		return s.status(err)
	}
	flag |= wnet.OpenCreate
	if in.Flags&syscall.O_EXCL != 0 {
		flag |= wnet.OpenExcl
	}
	m, err := call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) (made, error) {
		path, err := s.named(parent, name)
		if err != nil {
			return made{}, err
		}
		f, err := s.fs.Open(ctx, path, flag, permMode(in.Mode))
		if err != nil {
			return made{}, err
		}
		asked := time.Now()
		a, err := f.Stat(ctx)
		if err != nil {
			s.closeLate(f)
		}
		return made{f, a, asked}, err
	}, func(m made) { s.closeLate(m.f) })
	s.tree.change(parent)
	if err != nil {
		return s.status(err)
	}
	if flag&wnet.OpenExcl != 0 {
		s.tree.drop(parent, name) // whatever had the name is gone
	}
	n := s.tree.adopt(parent, name, m.a, m.asked)
	h := &handle{node: n, tid: in.Pid, uid: in.Uid, file: m.f, flag: flag &^ (wnet.OpenCreate | wnet.OpenExcl)}
	s.addHandle(h)
	s.entry(n, m.a, m.asked, &out.EntryOut)
	out.Fh = h.fh
	return fuse.OK
}

// readData is the answer to a read: a buffer on loan until the kernel has it.
type readData struct {
	p    []byte
	give func() // gives the buffer back
}

var _ fuse.ReadResult = (*readData)(nil)

// Bytes implements fuse.ReadResult.
func (d *readData) Bytes([]byte) ([]byte, fuse.Status) { return d.p, fuse.OK }

// Slices lets go-fuse hand the buffer to the kernel as it is.
func (d *readData) Slices() ([][]byte, fuse.Status) { return [][]byte{d.p}, fuse.OK }

// Size implements fuse.ReadResult.
func (d *readData) Size() int { return len(d.p) }

// Done implements fuse.ReadResult.
func (d *readData) Done() { d.give() }

// Read implements fuse.RawFileSystem. The file system reads into a buffer of ours, not go-fuse's: one that answers too late must not
// write into the next request.
func (s *server) Read(cancel <-chan struct{}, in *fuse.ReadIn, _ []byte) (fuse.ReadResult, fuse.Status) {
	fh, size, off := in.Fh, int(in.Size), int64(in.Offset)
	d, err := call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) (*readData, error) {
		h := s.use(fh)
		if h == nil {
			return nil, syscall.EIO
		}
		defer s.done(h)
		if d, ok := s.readAhead(ctx, h, size, off); ok {
			return d, nil
		}
		buf := s.bufs.get(size)
		n, err := h.file.ReadAt(ctx, buf.p, off)
		if err == nil && (n < 0 || n > size) {
			s.log.Error("the file system lies about the length of a read", "asked", size, "got", n)
			err = syscall.EIO
		}
		if err != nil {
			// Also with n > 0: a short answer would tell the kernel that the file ends here.
			buf.put()
			return nil, err
		}
		return &readData{buf.p[:n], buf.put}, nil
	}, (*readData).Done)
	if err != nil {
		return nil, s.status(err)
	}
	return d, fuse.OK
}

// Write implements fuse.RawFileSystem. The data is copied once, as it must outlive the request if the file system does not answer.
func (s *server) Write(cancel <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	fh, off := in.Fh, int64(in.Offset)
	// The kernel writes mapped pages by itself. No program waits for the answer: what fails is kept aside.
	pages := in.WriteFlags&fuse.WRITE_CACHE != 0
	buf := s.bufs.get(len(data))
	copy(buf.p, data)
	n, err := call(s, req(cancel, &in.InHeader), pages, func(ctx context.Context) (int, error) {
		defer buf.put()
		h := s.use(fh)
		if h == nil {
			return 0, syscall.EIO
		}
		defer s.done(h)
		h.wrote.Store(true)
		n, err := h.file.WriteAt(ctx, buf.p, off)
		switch {
		case n < 0 || n > len(buf.p):
			s.log.Error("the file system lies about the length of a write", "asked", len(buf.p), "got", n)
			return 0, syscall.EIO
		case err == nil && n == 0 && len(buf.p) > 0:
			return 0, syscall.EIO
		case n > 0 && err != nil:
			// A short write tells the program how far it came; it meets the error again when it goes on.
			s.log.Debug("a write ended early", "asked", len(buf.p), "written", n, "error", err)
			return n, nil
		}
		return n, err
	}, nil)
	nd := s.tree.get(in.NodeId)
	if nd != nil {
		s.tree.change(nd)
	}
	if n < len(data) && (pages || s.gate.forced() && !errors.Is(err, errRefused)) {
		s.keep(nd, data[n:], off+int64(n), err)
		if pages && err == nil {
			err = syscall.EIO // the kernel takes a short write of pages for a whole one
		}
	}
	if err != nil {
		return 0, s.status(err)
	}
	return uint32(n), fuse.OK
}

// Flush implements fuse.RawFileSystem: a program closes a descriptor that it could write to. What is known to be lost is told; the
// server is not asked.
func (s *server) Flush(cancel <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	h := s.use(in.Fh)
	if h == nil {
		return fuse.OK
	}
	defer s.done(h)
	s.unlockAll(req(cancel, &in.InHeader), h.node, lockOwner{id: in.LockOwner})
	f, ok := h.file.(wnet.FileFlusher)
	if !ok || !h.wrote.Load() {
		return fuse.OK
	}
	return s.status(f.Flush())
}

// Fsync implements fuse.RawFileSystem.
func (s *server) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	fh := in.Fh // a call that is given up may outlive in
	return s.status(s.do(req(cancel, &in.InHeader), true, func(ctx context.Context) error {
		h := s.use(fh)
		if h == nil {
			return syscall.EIO
		}
		defer s.done(h)
		return h.file.Sync(ctx)
	}))
}

// Release implements fuse.RawFileSystem. The kernel does not wait for the answer, and close(2) has returned long ago.
func (s *server) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	const flockUnlock = 1 << 1
	if h := s.use(in.Fh); h != nil {
		if in.ReleaseFlags&flockUnlock != 0 {
			s.unlockAll(request{}, h.node, lockOwner{in.LockOwner, true})
		}
		s.done(h)
	}
	s.release(in.Fh)
}

// Mknod implements fuse.RawFileSystem: for plain files. No share keeps what a pipe or a device is.
func (s *server) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	if t := in.Mode & syscall.S_IFMT; t != syscall.S_IFREG && t != 0 {
		return fuse.EPERM
	}
	mode := permMode(in.Mode)
	return s.make(req(cancel, &in.InHeader), in.NodeId, name, out, func(ctx context.Context, path string) error {
		f, err := s.fs.Open(ctx, path, wnet.OpenWrite|wnet.OpenCreate|wnet.OpenExcl, mode)
		if err != nil {
			return err
		}
		return f.Close(ctx)
	})
}
