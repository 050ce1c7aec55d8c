package mem

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"syscall"

	"github.com/openwnet/wnet"
)

// fileSystem is a share as a connection sees it: names are case-sensitive, permission bits are kept and not enforced, and reading does
// not change the access time.
type fileSystem struct{ c *conn }

var (
	_ wnet.FileSystem = fileSystem{}
	_ wnet.AttrSetter = fileSystem{}
	_ wnet.Symlinker  = fileSystem{}
	_ wnet.Linker     = fileSystem{}
	_ wnet.Statfser   = fileSystem{}
)

// failed gives an errno its place. What is about the connection or the context stays as it is.
func failed(op, name string, err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return err
}

// change is enter for what changes the share.
func (f fileSystem) change(ctx context.Context, op, name string) error {
	if err := f.c.enter(ctx, op, name); err != nil {
		return err
	}
	if f.c.readOnly() {
		return syscall.EROFS
	}
	return nil
}

func (c *conn) readOnly() bool { return c.share.opts.ReadOnly && !c.local }

// Stat implements wnet.FileSystem.
func (f fileSystem) Stat(ctx context.Context, name string) (wnet.Attr, error) {
	err := f.c.enter(ctx, "Stat", name)
	if err == nil {
		var n *node
		if n, err = f.c.share.tree.get(f.c.top, name); err == nil {
			f.c.promise(n)
			return n.attr(name), nil
		}
		if dir := path.Dir(name); errors.Is(err, syscall.ENOENT) && fs.ValidPath(dir) {
			// That there is no such name is a promise about the folder; so the name is looked for again after it.
			if n, e := f.c.share.tree.get(f.c.top, dir); e == nil {
				f.c.promise(n)
			}
			if n, err = f.c.share.tree.get(f.c.top, name); err == nil {
				f.c.promise(n)
				return n.attr(name), nil
			}
		}
	}
	return wnet.Attr{}, failed("stat", name, err)
}

// ReadDir implements wnet.FileSystem.
func (f fileSystem) ReadDir(ctx context.Context, name string) ([]wnet.Attr, error) {
	if err := f.c.enter(ctx, "ReadDir", name); err != nil {
		return nil, failed("readdir", name, err)
	}
	t := f.c.share.tree
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, err := t.find(f.c.top, name)
	switch {
	case err != nil:
	case p.node == nil:
		err = syscall.ENOENT
	case !p.node.dir():
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, failed("readdir", name, err)
	}
	f.c.promise(p.node)
	all := make([]wnet.Attr, 0, len(p.node.children))
	for name, n := range p.node.children {
		f.c.promise(n)
		all = append(all, n.attr(name))
	}
	return all, nil
}

// Open implements wnet.FileSystem.
func (f fileSystem) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
	err := f.c.enter(ctx, "Open", name)
	if err == nil {
		var n *node
		var made bool
		if n, made, err = f.open(name, flag, perm); err == nil {
			if made {
				f.c.named(name)
			} else if flag&wnet.OpenTruncate != 0 {
				f.c.changed(n, wnet.LeaseAttr|wnet.LeaseData, false)
			}
			f.c.promise(n)
			return &file{c: f.c, n: n, name: name, flag: flag}, nil
		}
	}
	return nil, failed("open", name, err)
}

func (f fileSystem) open(name string, flag wnet.OpenFlag, perm fs.FileMode) (n *node, made bool, err error) {
	const writes = wnet.OpenWrite | wnet.OpenTruncate
	if flag&(wnet.OpenRead|wnet.OpenWrite) == 0 || flag&writes == wnet.OpenTruncate {
		return nil, false, syscall.EINVAL
	}
	t := f.c.share.tree
	if flag&wnet.OpenCreate != 0 {
		t.mu.Lock()
		defer t.mu.Unlock()
	} else {
		t.mu.RLock()
		defer t.mu.RUnlock()
	}
	p, err := t.find(f.c.top, name)
	if err != nil {
		return nil, false, err
	}
	n = p.node
	switch {
	case n == nil && flag&wnet.OpenCreate == 0:
		return nil, false, syscall.ENOENT
	case n == nil && f.c.readOnly():
		return nil, false, syscall.EROFS
	case n == nil:
		if n, err = t.create(p, 0, perm); err != nil {
			return nil, false, err
		}
	case flag&(wnet.OpenCreate|wnet.OpenExcl) == wnet.OpenCreate|wnet.OpenExcl:
		return nil, false, syscall.EEXIST
	case n.dir():
		return nil, false, syscall.EISDIR
	case n.link():
		return nil, false, syscall.ELOOP
	case flag&writes != 0 && f.c.readOnly():
		return nil, false, syscall.EROFS
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if flag&wnet.OpenTruncate != 0 && p.node != nil {
		if err := n.resizeLocked(t, 0); err != nil {
			return nil, false, err
		}
	}
	n.opens++
	t.opens.Add(1)
	return n, p.node == nil, nil
}

// Mkdir implements wnet.FileSystem.
func (f fileSystem) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	err := f.change(ctx, "Mkdir", name)
	if err == nil {
		_, err = f.make(name, fs.ModeDir, perm)
	}
	if err == nil {
		f.c.named(name)
	}
	return failed("mkdir", name, err)
}

func (f fileSystem) make(name string, typ, perm fs.FileMode) (*node, error) {
	t := f.c.share.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	p, err := t.find(f.c.top, name)
	if err != nil {
		return nil, err
	}
	return t.create(p, typ, perm)
}

// Remove implements wnet.FileSystem.
func (f fileSystem) Remove(ctx context.Context, name string, dir bool) error {
	err := f.change(ctx, "Remove", name)
	if err == nil {
		was := f.c.before(name)
		if err = f.c.share.tree.remove(f.c.top, name, dir); err == nil {
			f.c.named(name)
			f.c.changed(was, everything, true)
		}
	}
	return failed("remove", name, err)
}

// Rename implements wnet.FileSystem.
func (f fileSystem) Rename(ctx context.Context, from, to string) error {
	err := f.change(ctx, "Rename", from)
	if err == nil {
		moved, replaced := f.c.before(from), f.c.before(to)
		if err = f.c.share.tree.rename(f.c.top, from, to); err == nil {
			f.c.named(from)
			f.c.named(to)
			f.c.changed(moved, wnet.LeaseAttr, true)
			if replaced != moved {
				f.c.changed(replaced, everything, true)
			}
		}
	}
	return failed("rename", from, err)
}

// SetAttr implements wnet.AttrSetter. A link has no mode of its own: ENOTSUP.
func (f fileSystem) SetAttr(ctx context.Context, name string, change wnet.AttrChange) (wnet.Attr, error) {
	err := f.change(ctx, "SetAttr", name)
	if err == nil {
		var n *node
		if n, err = f.c.share.tree.get(f.c.top, name); err == nil {
			if err = n.set(f.c.share.tree, change); err == nil {
				lease := wnet.LeaseAttr
				if change.Size != nil {
					lease |= wnet.LeaseData
				}
				f.c.changed(n, lease, false)
				return n.attr(name), nil
			}
		}
	}
	return wnet.Attr{}, failed("setattr", name, err)
}

// Symlink implements wnet.Symlinker. The target is kept as it is.
func (f fileSystem) Symlink(ctx context.Context, target, name string) error {
	err := f.change(ctx, "Symlink", name)
	switch {
	case err != nil:
	case target == "":
		err = syscall.ENOENT
	case len(target) > 4095:
		err = syscall.ENAMETOOLONG
	default:
		if err = f.symlink(target, name); err == nil {
			f.c.named(name)
		}
	}
	return failed("symlink", name, err)
}

func (f fileSystem) symlink(target, name string) error {
	t := f.c.share.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	p, err := t.find(f.c.top, name)
	if err != nil {
		return err
	}
	n, err := t.create(p, fs.ModeSymlink, fs.ModePerm)
	if err == nil {
		n.target = target // nobody can see n before mu is released
	}
	return err
}

// Readlink implements wnet.Symlinker. What is no link is EINVAL.
func (f fileSystem) Readlink(ctx context.Context, name string) (string, error) {
	err := f.c.enter(ctx, "Readlink", name)
	if err == nil {
		var n *node
		if n, err = f.c.share.tree.get(f.c.top, name); err == nil {
			if n.link() {
				return n.target, nil
			}
			err = syscall.EINVAL
		}
	}
	return "", failed("readlink", name, err)
}

// Link implements wnet.Linker. A folder is EPERM.
func (f fileSystem) Link(ctx context.Context, from, to string) error {
	err := f.change(ctx, "Link", from)
	if err == nil {
		if err = f.c.share.tree.hardlink(f.c.top, from, to); err == nil {
			f.c.named(to)
			f.c.changed(f.c.before(to), wnet.LeaseAttr, false)
		}
	}
	return failed("link", from, err)
}

// Statfs implements wnet.Statfser. A share without a quota has room for 1 TiB.
func (f fileSystem) Statfs(ctx context.Context) (wnet.Statfs, error) {
	if err := f.c.enter(ctx, "Statfs", "."); err != nil {
		return wnet.Statfs{}, failed("statfs", ".", err)
	}
	t := f.c.share.tree
	total := t.quota
	if total == 0 {
		total = 1 << 40
	}
	free := uint64(max(total-t.used.Load(), 0))
	files := uint64(t.files.Load())
	return wnet.Statfs{Total: uint64(total), Free: free, Available: free, Files: files + 1<<32, FilesFree: 1 << 32, NameMax: nameMax}, nil
}
