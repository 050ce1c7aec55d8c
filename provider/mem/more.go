package mem

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"syscall"

	"github.com/openwnet/wnet"
)

var (
	_ wnet.WholeReader   = fileSystem{}
	_ wnet.Xattrer       = fileSystem{}
	_ wnet.FileCopier    = (*file)(nil)
	_ wnet.FileAllocator = (*file)(nil)
	_ wnet.FileSeeker    = (*file)(nil)
)

// ReadWhole implements wnet.WholeReader.
func (f fileSystem) ReadWhole(ctx context.Context, name string, limit int) ([]byte, wnet.Attr, error) {
	var n *node
	err := f.c.enter(ctx, "ReadWhole", name)
	if err == nil {
		n, err = f.c.share.tree.get(f.c.top, name)
	}
	switch {
	case err != nil:
	case n.dir():
		err = syscall.EISDIR
	case n.link():
		err = syscall.ELOOP
	}
	if err != nil {
		return nil, wnet.Attr{}, failed("read", name, err)
	}
	f.c.promise(n)
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.size > int64(limit) {
		return nil, wnet.Attr{}, &fs.PathError{Op: "read", Path: name, Err: syscall.EFBIG}
	}
	p := make([]byte, n.size)
	n.data.read(p, 0)
	return p, n.attrLocked(name), nil
}

// xattrMax is the longest value.
const xattrMax = 64 << 10

// GetXattr implements wnet.Xattrer.
func (f fileSystem) GetXattr(ctx context.Context, name, attr string) ([]byte, error) {
	err := f.c.enter(ctx, "GetXattr", name)
	if err == nil {
		var n *node
		if n, err = f.c.share.tree.get(f.c.top, name); err == nil {
			n.mu.RLock()
			defer n.mu.RUnlock()
			if v, ok := n.xattrs[attr]; ok {
				return slices.Clone(v), nil
			}
			err = syscall.ENODATA
		}
	}
	return nil, failed("getxattr", name, err)
}

// ListXattr implements wnet.Xattrer.
func (f fileSystem) ListXattr(ctx context.Context, name string) ([]string, error) {
	err := f.c.enter(ctx, "ListXattr", name)
	if err == nil {
		var n *node
		if n, err = f.c.share.tree.get(f.c.top, name); err == nil {
			n.mu.RLock()
			defer n.mu.RUnlock()
			return slices.Collect(maps.Keys(n.xattrs)), nil
		}
	}
	return nil, failed("listxattr", name, err)
}

// SetXattr implements wnet.Xattrer.
func (f fileSystem) SetXattr(ctx context.Context, name, attr string, value []byte, flag wnet.XattrFlag) error {
	return f.xattr(ctx, "SetXattr", name, func(n *node) error {
		_, there := n.xattrs[attr]
		switch {
		case there && flag == wnet.XattrCreate:
			return syscall.EEXIST
		case !there && flag == wnet.XattrReplace:
			return syscall.ENODATA
		case len(value) > xattrMax:
			return syscall.E2BIG
		case n.xattrs == nil:
			n.xattrs = map[string][]byte{}
		}
		n.xattrs[attr] = append([]byte{}, value...)
		return nil
	})
}

// RemoveXattr implements wnet.Xattrer.
func (f fileSystem) RemoveXattr(ctx context.Context, name, attr string) error {
	return f.xattr(ctx, "RemoveXattr", name, func(n *node) error {
		if _, there := n.xattrs[attr]; !there {
			return syscall.ENODATA
		}
		delete(n.xattrs, attr)
		return nil
	})
}

// xattr changes a node's extended attributes.
func (f fileSystem) xattr(ctx context.Context, op, name string, change func(*node) error) error {
	err := f.change(ctx, op, name)
	if err == nil {
		var n *node
		if n, err = f.c.share.tree.get(f.c.top, name); err == nil {
			n.mu.Lock()
			if err = change(n); err == nil {
				n.touchLocked(false)
			}
			n.mu.Unlock()
			if err == nil {
				f.c.changed(n, wnet.LeaseAttr, false)
			}
		}
	}
	return failed(op, name, err)
}

// copyMax is what one CopyFrom copies at most.
const copyMax = 16 << 20

// CopyFrom implements wnet.FileCopier.
func (f *file) CopyFrom(ctx context.Context, src wnet.File, srcOff, off, n int64) (int64, error) {
	if err := f.enter(ctx, "CopyFrom", wnet.OpenWrite); err != nil {
		return 0, err
	}
	from, ok := src.(*file)
	switch {
	case !ok || from.c.share != f.c.share:
		return 0, failed("CopyFrom", f.name, syscall.EXDEV)
	case from.closed.Load() || from.flag&wnet.OpenRead == 0:
		return 0, failed("CopyFrom", f.name, syscall.EBADF)
	case srcOff < 0 || off < 0 || n < 0 || from.n == f.n && srcOff < off+n && off < srcOff+n:
		return 0, failed("CopyFrom", f.name, syscall.EINVAL)
	}
	n = min(n, copyMax)
	buf := make([]byte, min(n, 1<<20))
	done := int64(0)
	for done < n {
		from.n.mu.RLock()
		p := buf[:max(0, min(int64(len(buf)), n-done, from.n.size-srcOff-done))]
		from.n.data.read(p, srcOff+done)
		from.n.mu.RUnlock()
		if len(p) == 0 {
			break
		}
		wrote, err := f.put(p, off+done)
		done += int64(wrote)
		if err != nil && done == 0 {
			return 0, failed("CopyFrom", f.name, err)
		} else if err != nil {
			break
		}
	}
	if done > 0 {
		f.fileChanged()
	}
	return done, nil
}

// Allocate implements wnet.FileAllocator.
func (f *file) Allocate(ctx context.Context, off, n int64, mode wnet.AllocMode) error {
	if err := f.enter(ctx, "Allocate", wnet.OpenWrite); err != nil {
		return err
	}
	err := f.n.allocate(f.c.share.tree, off, n, mode)
	if err == nil {
		f.fileChanged()
	}
	return failed("Allocate", f.name, err)
}

func (n *node) allocate(t *tree, off, length int64, mode wnet.AllocMode) error {
	switch {
	case off < 0 || length <= 0:
		return syscall.EINVAL
	case off > maxSize-length:
		return syscall.EFBIG
	case mode > wnet.AllocZero:
		return syscall.ENOTSUP
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if mode == wnet.AllocPunch || mode == wnet.AllocZero {
		n.data.punch(off, min(length, max(0, n.size-off)), t.reserve)
	}
	if mode == wnet.AllocExtend || mode == wnet.AllocKeep {
		if !n.data.fill(off, length, t.reserve) {
			return syscall.ENOSPC
		}
	}
	if (mode == wnet.AllocExtend || mode == wnet.AllocZero) && off+length > n.size {
		n.size = off + length
	}
	n.touchLocked(true)
	return nil
}

// NextData implements wnet.FileSeeker. A chunk that is there is data.
func (f *file) NextData(ctx context.Context, off int64) (int64, error) { return f.seek(ctx, off, true) }

// NextHole implements wnet.FileSeeker.
func (f *file) NextHole(ctx context.Context, off int64) (int64, error) {
	return f.seek(ctx, off, false)
}

func (f *file) seek(ctx context.Context, off int64, data bool) (int64, error) {
	if err := f.enter(ctx, "Seek", anyAccess); err != nil {
		return 0, err
	}
	f.n.mu.RLock()
	defer f.n.mu.RUnlock()
	if off < 0 || off >= f.n.size {
		return 0, failed("Seek", f.name, syscall.ENXIO)
	}
	best := int64(-1)
	if !data {
		for i := off / chunkSize; ; i++ { // a file has as many chunks as it has data
			if _, there := f.n.data.chunks[i]; !there {
				return min(max(off, i*chunkSize), f.n.size), nil
			}
		}
	}
	for i := range f.n.data.chunks {
		at := max(off, i*chunkSize)
		if (i+1)*chunkSize > off && at < f.n.size && (best < 0 || at < best) {
			best = at
		}
	}
	if best < 0 {
		return 0, failed("Seek", f.name, syscall.ENXIO)
	}
	return best, nil
}
