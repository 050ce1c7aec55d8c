package mount

import (
	"context"
	"errors"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/openwnet/wnet"
	"golang.org/x/sys/unix"
)

// copyStep is what one copy_file_range asks the server for at most: an answer has to come within the deadline.
const copyStep = 64 << 20

// CopyFileRange implements fuse.RawFileSystem. ENOTSUP and EXDEV have the kernel read and write instead.
func (s *server) CopyFileRange(cancel <-chan struct{}, in *fuse.CopyFileRangeIn) (uint32, fuse.Status) {
	fhIn, fhOut, srcOff, off, n := in.FhIn, in.FhOut, int64(in.OffIn), int64(in.OffOut), int64(min(in.Len, copyStep))
	to := s.tree.get(in.NodeIdOut)
	got, err := call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) (int64, error) {
		src, dst := s.use(fhIn), s.use(fhOut)
		if src != nil {
			defer s.done(src)
		}
		if dst != nil {
			defer s.done(dst)
		}
		if src == nil || dst == nil || src.file == nil || dst.file == nil {
			return 0, syscall.EIO
		}
		f, ok := dst.file.(wnet.FileCopier)
		if !ok {
			return 0, syscall.ENOTSUP
		}
		from, err := realOf(ctx, src.file)
		if err != nil {
			return 0, err
		}
		dst.wrote.Store(true)
		return f.CopyFrom(ctx, from, srcOff, off, n)
	}, nil)
	if to != nil {
		s.tree.change(to)
	}
	if err == nil && (got < 0 || got > n) {
		s.log.Error("the file system lies about the length of a copy", "asked", n, "got", got)
		err = syscall.EIO
	}
	if err != nil {
		return 0, s.status(err)
	}
	return uint32(got), fuse.OK
}

// Fallocate implements fuse.RawFileSystem.
func (s *server) Fallocate(cancel <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	var mode wnet.AllocMode
	switch in.Mode {
	case 0:
		mode = wnet.AllocExtend
	case unix.FALLOC_FL_KEEP_SIZE:
		mode = wnet.AllocKeep
	case unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE:
		mode = wnet.AllocPunch
	case unix.FALLOC_FL_ZERO_RANGE:
		mode = wnet.AllocZero
	default:
		return fuse.Status(syscall.ENOTSUP)
	}
	fh, off, n := in.Fh, int64(in.Offset), int64(in.Length)
	err := s.do(req(cancel, &in.InHeader), false, func(ctx context.Context) error {
		h := s.use(fh)
		if h == nil || h.file == nil {
			return syscall.EIO
		}
		defer s.done(h)
		f, ok := h.file.(wnet.FileAllocator)
		if !ok {
			return syscall.ENOTSUP
		}
		h.wrote.Store(true)
		return f.Allocate(ctx, off, n, mode)
	})
	if nd := s.tree.get(in.NodeId); nd != nil {
		s.tree.change(nd)
	}
	return s.status(err)
}

// Lseek implements fuse.RawFileSystem, for SEEK_DATA and SEEK_HOLE. A file that does not know its holes has none before its end.
func (s *server) Lseek(cancel <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) fuse.Status {
	fh, off, data := in.Fh, int64(in.Offset), in.Whence == unix.SEEK_DATA
	if !data && in.Whence != unix.SEEK_HOLE {
		return fuse.EINVAL
	}
	at, err := call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) (int64, error) {
		h := s.use(fh)
		if h == nil || h.file == nil {
			return 0, syscall.EIO
		}
		defer s.done(h)
		if f, ok := h.file.(wnet.FileSeeker); ok {
			next := f.NextHole
			if data {
				next = f.NextData
			}
			if at, err := next(ctx, off); !errors.Is(err, syscall.ENOTSUP) {
				return at, err
			}
		}
		a, err := h.file.Stat(ctx)
		switch {
		case err != nil:
			return 0, err
		case off >= a.Size:
			return 0, syscall.ENXIO
		case data:
			return off, nil
		}
		return a.Size, nil
	}, nil)
	if err != nil {
		return s.status(err)
	}
	out.Offset = uint64(at)
	return fuse.OK
}
