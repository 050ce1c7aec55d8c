package mount

import (
	"context"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/openwnet/wnet"
)

// kernelXattr reports whether an attribute's name space is the kernel's own. No share has those. They are "not supported" rather than not
// there: ls asks for access lists only until it has heard that once.
func kernelXattr(attr string) bool {
	space, _, _ := strings.Cut(attr, ".")
	return space == "security" || space == "system" || space == "trusted"
}

// xattrs runs fn for a node's path. Without an Xattrer it is ENOSYS, after which the kernel answers by itself.
func xattrs[T any](s *server, cancel <-chan struct{}, in *fuse.InHeader, gone error,
	fn func(ctx context.Context, x wnet.Xattrer, path string) (T, error)) (T, fuse.Status) {
	var none T
	x, ok := s.fs.(wnet.Xattrer)
	n := s.tree.get(in.NodeId)
	switch {
	case !ok:
		return none, fuse.ENOSYS
	case n == nil:
		return none, fuse.ENOENT
	}
	v, err := call(s, req(cancel, in), false, func(ctx context.Context) (T, error) {
		path, named := s.tree.path(n)
		if !named {
			return none, gone
		}
		return fn(ctx, x, path)
	}, nil)
	return v, s.status(err)
}

// answer copies a value to where the kernel wants it, or tells its size.
func answer(value []byte, dest []byte) (uint32, fuse.Status) {
	if len(value) > len(dest) {
		return uint32(len(value)), fuse.ERANGE
	}
	return uint32(copy(dest, value)), fuse.OK
}

// GetXAttr implements fuse.RawFileSystem.
func (s *server) GetXAttr(cancel <-chan struct{}, in *fuse.InHeader, attr string, dest []byte) (uint32, fuse.Status) {
	if _, ok := s.fs.(wnet.Xattrer); ok && kernelXattr(attr) {
		return 0, fuse.Status(syscall.ENOTSUP)
	}
	attr = strings.Clone(attr)
	v, status := xattrs(s, cancel, in, syscall.ENODATA, func(ctx context.Context, x wnet.Xattrer, path string) ([]byte, error) {
		return x.GetXattr(ctx, path, attr)
	})
	if status != fuse.OK {
		return 0, status
	}
	return answer(v, dest)
}

// ListXAttr implements fuse.RawFileSystem.
func (s *server) ListXAttr(cancel <-chan struct{}, in *fuse.InHeader, dest []byte) (uint32, fuse.Status) {
	names, status := xattrs(s, cancel, in, nil, func(ctx context.Context, x wnet.Xattrer, path string) ([]string, error) {
		return x.ListXattr(ctx, path)
	})
	if status == fuse.Status(syscall.ENOTSUP) {
		return 0, fuse.OK // as on any file system, a file without attributes has an empty list
	}
	if status != fuse.OK {
		return 0, status
	}
	var list []byte
	for _, n := range names {
		if n != "" && len(n) <= 255 && !strings.Contains(n, "\x00") && !kernelXattr(n) {
			list = append(append(list, n...), 0)
		}
	}
	return answer(list, dest)
}

// SetXAttr implements fuse.RawFileSystem.
func (s *server) SetXAttr(cancel <-chan struct{}, in *fuse.SetXAttrIn, attr string, data []byte) fuse.Status {
	if _, ok := s.fs.(wnet.Xattrer); ok && kernelXattr(attr) {
		return fuse.Status(syscall.ENOTSUP)
	}
	const create, replace = 1, 2
	var flag wnet.XattrFlag
	switch in.Flags {
	case create:
		flag = wnet.XattrCreate
	case replace:
		flag = wnet.XattrReplace
	}
	attr, data = strings.Clone(attr), append([]byte{}, data...)
	_, status := xattrs(s, cancel, &in.InHeader, syscall.ENOENT, func(ctx context.Context, x wnet.Xattrer, path string) (nothing, error) {
		return nothing{}, x.SetXattr(ctx, path, attr, data, flag)
	})
	return status
}

// RemoveXAttr implements fuse.RawFileSystem.
func (s *server) RemoveXAttr(cancel <-chan struct{}, in *fuse.InHeader, attr string) fuse.Status {
	if _, ok := s.fs.(wnet.Xattrer); ok && kernelXattr(attr) {
		return fuse.Status(syscall.ENOTSUP)
	}
	attr = strings.Clone(attr)
	_, status := xattrs(s, cancel, in, syscall.ENODATA, func(ctx context.Context, x wnet.Xattrer, path string) (nothing, error) {
		return nothing{}, x.RemoveXattr(ctx, path, attr)
	})
	return status
}
