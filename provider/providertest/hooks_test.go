package providertest

import (
	"context"
	"errors"
	"io/fs"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
)

// hooked is package mem with some of its methods replaced. A hook that is nil is mem's own method.
type hooked struct {
	*mem.Provider
	owns    func(name wnet.RemoteName) bool
	connect func(ctx context.Context, req wnet.Request) (wnet.Conn, error)
	browse  func(ctx context.Context, container *wnet.RemoteName, req wnet.Request) ([]wnet.Resource, error)
	info    func(ctx context.Context, req wnet.Request) (wnet.Resource, string, error)
	parent  func(name wnet.RemoteName) (wnet.Resource, error)
	format  func(name wnet.RemoteName, flags, lineChars uint32) (string, error)
	conn    func(c *hookedConn)
	fs      func(f *hookedFS)
	file    func(f *hookedFile)
}

func (p *hooked) Owns(name wnet.RemoteName) bool {
	if p.owns != nil {
		return p.owns(name)
	}
	return p.Provider.Owns(name)
}

func (p *hooked) Connect(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
	connect := p.Provider.Connect
	if p.connect != nil {
		connect = p.connect
	}
	c, err := connect(ctx, req)
	if err != nil {
		return nil, err
	}
	if h, again := c.(*hookedConn); again {
		return h, nil
	}
	f := &hookedFS{fullFS: c.FS().(fullFS), p: p}
	if p.fs != nil {
		p.fs(f)
	}
	h := &hookedConn{Conn: c, p: p, f: f}
	if p.conn != nil {
		p.conn(h)
	}
	return h, nil
}

func (p *hooked) Browse(ctx context.Context, container *wnet.RemoteName, req wnet.Request) ([]wnet.Resource, error) {
	if p.browse != nil {
		return p.browse(ctx, container, req)
	}
	return p.Provider.Browse(ctx, container, req)
}

func (p *hooked) ResourceInformation(ctx context.Context, req wnet.Request) (wnet.Resource, string, error) {
	if p.info != nil {
		return p.info(ctx, req)
	}
	return p.Provider.ResourceInformation(ctx, req)
}

func (p *hooked) ResourceParent(name wnet.RemoteName) (wnet.Resource, error) {
	if p.parent != nil {
		return p.parent(name)
	}
	return p.Provider.ResourceParent(name)
}

func (p *hooked) FormatName(name wnet.RemoteName, flags, lineChars uint32) (string, error) {
	if p.format != nil {
		return p.format(name, flags, lineChars)
	}
	return p.Provider.FormatName(name, flags, lineChars)
}

type hookedConn struct {
	wnet.Conn
	p       *hooked
	f       wnet.FileSystem
	user    func() string
	typ     func() uint32
	lost    func() <-chan struct{}
	close   func() error
	perform func(wnet.Performance, error) (wnet.Performance, error)
}

func (c *hookedConn) Performance(ctx context.Context) (wnet.Performance, error) {
	p, err := c.Conn.(wnet.Performer).Performance(ctx)
	if c.perform != nil {
		return c.perform(p, err)
	}
	return p, err
}

func (c *hookedConn) FS() wnet.FileSystem { return c.f }

func (c *hookedConn) User() string {
	if c.user != nil {
		return c.user()
	}
	return c.Conn.User()
}

func (c *hookedConn) Type() uint32 {
	if c.typ != nil {
		return c.typ()
	}
	return c.Conn.Type()
}

func (c *hookedConn) Lost() <-chan struct{} {
	if c.lost != nil {
		return c.lost()
	}
	return c.Conn.Lost()
}

func (c *hookedConn) Close() error {
	if c.close != nil {
		return c.close()
	}
	return c.Conn.Close()
}

// fullFS is every interface that a file system can have.
type fullFS interface {
	wnet.FileSystem
	wnet.AttrSetter
	wnet.Symlinker
	wnet.Linker
	wnet.Statfser
	wnet.Locker
	wnet.Leaser
	wnet.WholeReader
	wnet.Xattrer
}

type hookedFS struct {
	fullFS
	p        *hooked
	stat     func(ctx context.Context, name string) (wnet.Attr, error)
	readDir  func(ctx context.Context, name string) ([]wnet.Attr, error)
	open     func(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error)
	mkdir    func(ctx context.Context, name string, perm fs.FileMode) error
	remove   func(ctx context.Context, name string, dir bool) error
	rename   func(ctx context.Context, from, to string) error
	setAttr  func(ctx context.Context, name string, change wnet.AttrChange) (wnet.Attr, error)
	symlink  func(ctx context.Context, target, name string) error
	readlink func(ctx context.Context, name string) (string, error)
	link     func(ctx context.Context, from, to string) error
	statfs   func(ctx context.Context) (wnet.Statfs, error)
	lease    func(name string) wnet.Lease
	onBreak  func(f func(wnet.Break)) func()
	whole    func(ctx context.Context, name string, limit int) ([]byte, wnet.Attr, error)
	getX     func(ctx context.Context, name, attr string) ([]byte, error)
	setX     func(ctx context.Context, name, attr string, value []byte, flag wnet.XattrFlag) error
}

func (f *hookedFS) Stat(ctx context.Context, name string) (wnet.Attr, error) {
	if f.stat != nil {
		return f.stat(ctx, name)
	}
	return f.fullFS.Stat(ctx, name)
}

func (f *hookedFS) ReadDir(ctx context.Context, name string) ([]wnet.Attr, error) {
	if f.readDir != nil {
		return f.readDir(ctx, name)
	}
	return f.fullFS.ReadDir(ctx, name)
}

func (f *hookedFS) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
	open := f.fullFS.Open
	if f.open != nil {
		open = f.open
	}
	g, err := open(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	h := &hookedFile{fullFile: g.(fullFile), fs: f, name: name, flag: flag}
	if f.p.file != nil {
		f.p.file(h)
	}
	return h, nil
}

func (f *hookedFS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	if f.mkdir != nil {
		return f.mkdir(ctx, name, perm)
	}
	return f.fullFS.Mkdir(ctx, name, perm)
}

func (f *hookedFS) Remove(ctx context.Context, name string, dir bool) error {
	if f.remove != nil {
		return f.remove(ctx, name, dir)
	}
	return f.fullFS.Remove(ctx, name, dir)
}

func (f *hookedFS) Rename(ctx context.Context, from, to string) error {
	if f.rename != nil {
		return f.rename(ctx, from, to)
	}
	return f.fullFS.Rename(ctx, from, to)
}

func (f *hookedFS) SetAttr(ctx context.Context, name string, change wnet.AttrChange) (wnet.Attr, error) {
	if f.setAttr != nil {
		return f.setAttr(ctx, name, change)
	}
	return f.fullFS.SetAttr(ctx, name, change)
}

func (f *hookedFS) Symlink(ctx context.Context, target, name string) error {
	if f.symlink != nil {
		return f.symlink(ctx, target, name)
	}
	return f.fullFS.Symlink(ctx, target, name)
}

func (f *hookedFS) Readlink(ctx context.Context, name string) (string, error) {
	if f.readlink != nil {
		return f.readlink(ctx, name)
	}
	return f.fullFS.Readlink(ctx, name)
}

func (f *hookedFS) Link(ctx context.Context, from, to string) error {
	if f.link != nil {
		return f.link(ctx, from, to)
	}
	return f.fullFS.Link(ctx, from, to)
}

func (f *hookedFS) Statfs(ctx context.Context) (wnet.Statfs, error) {
	if f.statfs != nil {
		return f.statfs(ctx)
	}
	return f.fullFS.Statfs(ctx)
}

type fullFile interface {
	wnet.File
	wnet.FileAttrSetter
	wnet.FileLocker
	wnet.FileCopier
	wnet.FileAllocator
	wnet.FileSeeker
}

type hookedFile struct {
	fullFile
	fs      *hookedFS
	name    string
	flag    wnet.OpenFlag
	read    func(ctx context.Context, p []byte, off int64) (int, error)
	write   func(ctx context.Context, p []byte, off int64) (int, error)
	trunc   func(ctx context.Context, size int64) error
	stat    func(ctx context.Context) (wnet.Attr, error)
	setAttr func(ctx context.Context, change wnet.AttrChange) (wnet.Attr, error)
	close   func(ctx context.Context) error
	lock    func(ctx context.Context, l wnet.Lock, wait bool) error
	test    func(ctx context.Context, l wnet.Lock) (wnet.Lock, error)
	copy    func(ctx context.Context, src wnet.File, srcOff, off, n int64) (int64, error)
	alloc   func(ctx context.Context, off, n int64, mode wnet.AllocMode) error
	data    func(ctx context.Context, off int64) (int64, error)
}

func (f *hookedFile) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if f.read != nil {
		return f.read(ctx, p, off)
	}
	return f.fullFile.ReadAt(ctx, p, off)
}

func (f *hookedFile) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	if f.write != nil {
		return f.write(ctx, p, off)
	}
	return f.fullFile.WriteAt(ctx, p, off)
}

func (f *hookedFile) Truncate(ctx context.Context, size int64) error {
	if f.trunc != nil {
		return f.trunc(ctx, size)
	}
	return f.fullFile.Truncate(ctx, size)
}

func (f *hookedFile) Stat(ctx context.Context) (wnet.Attr, error) {
	if f.stat != nil {
		return f.stat(ctx)
	}
	return f.fullFile.Stat(ctx)
}

func (f *hookedFile) SetAttr(ctx context.Context, change wnet.AttrChange) (wnet.Attr, error) {
	if f.setAttr != nil {
		return f.setAttr(ctx, change)
	}
	return f.fullFile.SetAttr(ctx, change)
}

func (f *hookedFile) Close(ctx context.Context) error {
	if f.close != nil {
		return f.close(ctx)
	}
	return f.fullFile.Close(ctx)
}

// byName makes a File that opens its name anew for each call, as a client of a server without handles might.
func byName(f *hookedFile) {
	with := func(ctx context.Context, do func(wnet.File) error) error {
		g, err := f.fs.fullFS.Open(ctx, f.name, f.flag&both, 0)
		if err != nil {
			return err
		}
		return errors.Join(do(g), g.Close(ctx))
	}
	f.read = func(ctx context.Context, p []byte, off int64) (n int, err error) {
		err = with(ctx, func(g wnet.File) error { n, err = g.ReadAt(ctx, p, off); return err })
		return n, err
	}
	f.write = func(ctx context.Context, p []byte, off int64) (n int, err error) {
		err = with(ctx, func(g wnet.File) error { n, err = g.WriteAt(ctx, p, off); return err })
		return n, err
	}
	f.trunc = func(ctx context.Context, size int64) error {
		return with(ctx, func(g wnet.File) error { return g.Truncate(ctx, size) })
	}
	f.setAttr = func(ctx context.Context, change wnet.AttrChange) (wnet.Attr, error) {
		return f.fs.SetAttr(ctx, f.name, change)
	}
}

// late makes a File that writes when it is closed. own keeps a copy of what it was given.
func late(f *hookedFile, own bool) (flush func(ctx context.Context) error) {
	type part struct {
		p   []byte
		off int64
	}
	var parts []part
	f.write = func(_ context.Context, p []byte, off int64) (int, error) {
		if own {
			p = append([]byte(nil), p...)
		}
		parts = append(parts, part{p, off})
		return len(p), nil
	}
	flush = func(ctx context.Context) error {
		for _, w := range parts {
			if _, err := f.fullFile.WriteAt(ctx, w.p, w.off); err != nil {
				return err
			}
		}
		parts = nil
		return nil
	}
	f.close = func(ctx context.Context) error { return errors.Join(flush(ctx), f.fullFile.Close(ctx)) }
	return flush
}
