package redial

import (
	"context"
	"io/fs"
	"syscall"

	"github.com/openwnet/wnet"
)

// fileSystem is a Conn's file system.
type fileSystem struct{ c *Conn }

var (
	_ wnet.FileSystem = (*fileSystem)(nil)
	_ wnet.AttrSetter = (*fileSystem)(nil)
	_ wnet.Symlinker  = (*fileSystem)(nil)
	_ wnet.Linker     = (*fileSystem)(nil)
	_ wnet.Statfser   = (*fileSystem)(nil)
)

type nothing = struct{}

func (f *fileSystem) Stat(ctx context.Context, name string) (wnet.Attr, error) {
	look := f.c.names.look(name)
	a, err := call(ctx, f.c, true, func(ctx context.Context, fsys wnet.FileSystem) (wnet.Attr, error) { return fsys.Stat(ctx, name) })
	f.c.names.saw(look, a, err)
	return a, err
}

func (f *fileSystem) ReadDir(ctx context.Context, name string) ([]wnet.Attr, error) {
	look := f.c.names.look(name)
	all, err := call(ctx, f.c, true, func(ctx context.Context, fsys wnet.FileSystem) ([]wnet.Attr, error) { return fsys.ReadDir(ctx, name) })
	f.c.names.sawAll(look, all, err)
	return all, err
}

func (f *fileSystem) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	_, err := call(ctx, f.c, false, func(ctx context.Context, fsys wnet.FileSystem) (nothing, error) {
		return nothing{}, fsys.Mkdir(ctx, name, perm)
	})
	return err
}

func (f *fileSystem) Remove(ctx context.Context, name string, dir bool) error {
	m := f.c.names.removing(name)
	_, err := call(ctx, f.c, false, func(ctx context.Context, fsys wnet.FileSystem) (nothing, error) {
		return nothing{}, fsys.Remove(ctx, name, dir)
	})
	f.c.names.settle(m, err)
	return err
}

func (f *fileSystem) Rename(ctx context.Context, from, to string) error {
	m := f.c.names.renaming(from, to)
	_, err := call(ctx, f.c, false, func(ctx context.Context, fsys wnet.FileSystem) (nothing, error) {
		return nothing{}, fsys.Rename(ctx, from, to)
	})
	f.c.names.settle(m, err)
	return err
}

func (f *fileSystem) SetAttr(ctx context.Context, name string, change wnet.AttrChange) (wnet.Attr, error) {
	done := f.c.names.changing(name)
	a, err := call(ctx, f.c, false, func(ctx context.Context, fsys wnet.FileSystem) (wnet.Attr, error) {
		if s, ok := fsys.(wnet.AttrSetter); ok {
			return s.SetAttr(ctx, name, change)
		}
		if change.Size == nil || change.Mode != nil || change.ModTime != nil || change.AccessTime != nil {
			return wnet.Attr{}, syscall.ENOTSUP
		}
		return truncate(ctx, fsys, name, *change.Size)
	})
	done(a, err)
	return a, err
}

// truncate sets a file's size where the file system has no AttrSetter.
func truncate(ctx context.Context, fsys wnet.FileSystem, name string, size int64) (wnet.Attr, error) {
	file, err := fsys.Open(ctx, name, wnet.OpenWrite, 0)
	if err != nil {
		return wnet.Attr{}, err
	}
	err = file.Truncate(ctx, size)
	if e := file.Close(ctx); err == nil {
		err = e
	}
	if err != nil {
		return wnet.Attr{}, err
	}
	return fsys.Stat(ctx, name)
}

func (f *fileSystem) Symlink(ctx context.Context, target, name string) error {
	_, err := call(ctx, f.c, false, func(ctx context.Context, fsys wnet.FileSystem) (nothing, error) {
		if s, ok := fsys.(wnet.Symlinker); ok {
			return nothing{}, s.Symlink(ctx, target, name)
		}
		return nothing{}, syscall.EPERM
	})
	return err
}

func (f *fileSystem) Readlink(ctx context.Context, name string) (string, error) {
	return call(ctx, f.c, true, func(ctx context.Context, fsys wnet.FileSystem) (string, error) {
		if s, ok := fsys.(wnet.Symlinker); ok {
			return s.Readlink(ctx, name)
		}
		return "", syscall.EINVAL
	})
}

func (f *fileSystem) Link(ctx context.Context, from, to string) error {
	_, err := call(ctx, f.c, false, func(ctx context.Context, fsys wnet.FileSystem) (nothing, error) {
		if s, ok := fsys.(wnet.Linker); ok {
			return nothing{}, s.Link(ctx, from, to)
		}
		return nothing{}, syscall.EPERM
	})
	return err
}

func (f *fileSystem) Statfs(ctx context.Context) (wnet.Statfs, error) {
	return call(ctx, f.c, true, func(ctx context.Context, fsys wnet.FileSystem) (wnet.Statfs, error) {
		if s, ok := fsys.(wnet.Statfser); ok {
			return s.Statfs(ctx)
		}
		return wnet.Statfs{}, syscall.ENOTSUP
	})
}

// Open opens or creates a file. Its File survives the loss of the connection where that is honest, see the package comment.
func (f *fileSystem) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
	return f.c.open(ctx, name, flag, perm)
}
