package sftp

import (
	"context"
	"io/fs"
	"math"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pkg/sftp"

	"github.com/openwnet/wnet"
)

// fileSystem is the folder of a connection.
type fileSystem struct {
	c     *conn
	seen  seenFolders
	umask umask

	// What the server offers besides the protocol.
	posixRename, hardlink, statvfs, fsync, lsetstat bool

	mu   sync.Mutex         // guards open, and name and removed of the files in it
	open map[*file]struct{} // open files, so that a rename reaches them
}

var (
	_ wnet.FileSystem = (*fileSystem)(nil)
	_ wnet.AttrSetter = (*fileSystem)(nil)
	_ wnet.Symlinker  = (*fileSystem)(nil)
	_ wnet.Linker     = (*fileSystem)(nil)
	_ wnet.Statfser   = (*fileSystem)(nil)
)

func newFileSystem(c *conn) *fileSystem {
	f := &fileSystem{c: c, open: map[*file]struct{}{}}
	for name, has := range map[string]*bool{
		"posix-rename@openssh.com": &f.posixRename,
		"hardlink@openssh.com":     &f.hardlink,
		"statvfs@openssh.com":      &f.statvfs,
		"fsync@openssh.com":        &f.fsync,
		lsetstat:                   &f.lsetstat,
	} {
		_, *has = c.ftp.HasExtension(name)
	}
	return f
}

// at is a name's path on the server.
func (f *fileSystem) at(name string) string {
	if name == "." {
		return f.c.top
	}
	return path.Join(f.c.top, name)
}

// valid refuses names that are not of the contract's form, before they reach the server.
func valid(op string, names ...string) error {
	for _, n := range names {
		if !fs.ValidPath(n) || strings.IndexByte(n, 0) >= 0 {
			return &fs.PathError{Op: op, Path: n, Err: syscall.EINVAL}
		}
	}
	return nil
}

// do is call for what gives nothing but an error.
func (f *fileSystem) do(ctx context.Context, fn func() error) error {
	_, err := call(ctx, f.c, func() (struct{}, error) { return struct{}{}, fn() }, nil)
	return err
}

// lacks is the error of what the server does not offer: ENOTSUP, unless the call would not have reached it anyway.
func (f *fileSystem) lacks(ctx context.Context) error {
	if err := f.do(ctx, func() error { return nil }); err != nil {
		return err
	}
	return syscall.ENOTSUP
}

// lstat describes name as the server does. The top may be a link on the server, and counts as what it leads to.
func (f *fileSystem) lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	fi, err := call(ctx, f.c, func() (fs.FileInfo, error) {
		if name == "." {
			return f.c.ftp.Stat(f.c.top)
		}
		return f.c.ftp.Lstat(f.at(name))
	}, nil)
	if err == nil && fi.IsDir() {
		f.seen.add(name)
	}
	return fi, err
}

// Stat describes name.
func (f *fileSystem) Stat(ctx context.Context, name string) (wnet.Attr, error) {
	if err := valid("stat", name); err != nil {
		return wnet.Attr{}, err
	}
	fi, err := f.lstat(ctx, name)
	if err != nil {
		return wnet.Attr{}, wrap("stat", name, f.common(ctx, name, err))
	}
	return attrOf(fi, path.Base(name)), nil
}

// attrOf takes what SFTP says of a file; a server that lies about a size does not get a negative one through.
func attrOf(fi fs.FileInfo, name string) wnet.Attr {
	a := wnet.Attr{Name: name, Mode: fi.Mode(), Size: fi.Size(), ModTime: fi.ModTime()}
	if a.Size < 0 {
		a.Size = math.MaxInt64
	}
	if st, ok := fi.Sys().(*sftp.FileStat); ok {
		a.AccessTime = st.AccessTime()
		if st.Mode == 0 {
			a.Mode = 0o666 // the server has no modes; what is forbidden it will say
		}
	}
	return a
}

// ReadDir lists a folder.
func (f *fileSystem) ReadDir(ctx context.Context, name string) ([]wnet.Attr, error) {
	if err := valid("readdir", name); err != nil {
		return nil, err
	}
	// The server would follow a link.
	if name != "." && !f.seen.folder(name) {
		fi, err := f.lstat(ctx, name)
		if err != nil {
			return nil, wrap("readdir", name, f.common(ctx, name, err))
		}
		if !fi.IsDir() {
			return nil, wrap("readdir", name, syscall.ENOTDIR)
		}
	}
	list, err := call(ctx, f.c, func() ([]fs.FileInfo, error) { return f.c.ftp.ReadDirContext(ctx, f.at(name)) }, nil)
	if err != nil {
		f.seen.forget(name)
		if !settled(err) {
			if fi, serr := f.lstat(ctx, name); serr == nil && !fi.IsDir() {
				err = syscall.ENOTDIR
			}
		}
		return nil, wrap("readdir", name, f.common(ctx, name, err))
	}
	f.seen.add(name)
	attrs := make([]wnet.Attr, 0, len(list))
	for _, fi := range list {
		// A name is one part of a path, whatever the server says.
		if n := fi.Name(); n != "" && n != "." && n != ".." && !strings.ContainsAny(n, "/\x00") {
			attrs = append(attrs, attrOf(fi, n))
		}
	}
	return attrs, nil
}

// Mkdir makes a folder.
func (f *fileSystem) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	if err := valid("mkdir", name); err != nil {
		return err
	}
	if name == "." {
		return wrap("mkdir", name, syscall.EEXIST)
	}
	at := f.at(name)
	if err := f.do(ctx, func() error { return f.c.ftp.Mkdir(withPerm(at, perm)) }); err != nil {
		if !settled(err) {
			if _, serr := f.lstat(ctx, name); serr == nil {
				err = syscall.EEXIST
			}
		}
		return wrap("mkdir", name, f.common(ctx, name, err))
	}
	f.seen.add(name)
	return f.umask.settle(perm,
		func() (fs.FileInfo, error) { return f.lstat(ctx, name) },
		func() error { return f.do(ctx, func() error { return f.c.ftp.Chmod(at, perm) }) })
}

// Remove takes away a folder, a file or a link.
func (f *fileSystem) Remove(ctx context.Context, name string, dir bool) error {
	if err := valid("remove", name); err != nil {
		return err
	}
	if name == "." {
		return wrap("remove", name, syscall.EBUSY)
	}
	at := f.at(name)
	f.seen.forget(name)
	err := f.do(ctx, func() error {
		if dir {
			return f.c.ftp.RemoveDirectory(at)
		}
		return removeFile(f.c.ftp, at)
	})
	if err != nil {
		return wrap("remove", name, f.explainRemove(ctx, name, dir, err))
	}
	return nil
}

// removeFile removes a file and never a folder. pkg/sftp's Remove tries both, so that the kind is asked for before it.
func removeFile(ftp *sftp.Client, at string) error {
	fi, err := ftp.Lstat(at)
	if err != nil {
		return err
	}
	if fi.IsDir() {
		return syscall.EISDIR
	}
	return ftp.Remove(at)
}

// Rename moves a name.
func (f *fileSystem) Rename(ctx context.Context, from, to string) error {
	if err := valid("rename", from, to); err != nil {
		return err
	}
	if from == "." || to == "." {
		return wrap("rename", from, syscall.EBUSY)
	}
	f.seen.forget(from)
	f.seen.forget(to)
	var err error
	if f.posixRename {
		err = f.do(ctx, func() error { return f.c.ftp.PosixRename(f.at(from), f.at(to)) })
	} else {
		err = f.renameOver(ctx, from, to)
	}
	if err != nil {
		return wrap("rename", from, f.explainRename(ctx, from, to, err))
	}
	f.renamed(from, to)
	return nil
}

// renameOver is Rename on a server that refuses to replace (SSH_FXP_RENAME). What stands at to is set aside first and comes back if the
// rename fails, so that no moment is without one of the two, though one is without the name.
func (f *fileSystem) renameOver(ctx context.Context, from, to string) error {
	plain := func(a, b string) error { return f.do(ctx, func() error { return f.c.ftp.Rename(a, b) }) }
	src, dst := f.at(from), f.at(to)
	first := plain(src, dst)
	if first == nil || settled(first) {
		return first
	}
	sfi, err := f.lstat(ctx, from)
	if err != nil || from == to {
		return err
	}
	dfi, err := f.lstat(ctx, to)
	if err != nil {
		return first // nothing stands there, so that was not the reason
	}
	switch {
	case sfi.IsDir() && !dfi.IsDir():
		return syscall.ENOTDIR
	case !sfi.IsDir() && dfi.IsDir():
		return syscall.EISDIR
	case dfi.IsDir():
		if full, err := f.full(ctx, to); err != nil {
			return err
		} else if full {
			return syscall.ENOTEMPTY
		}
	}
	aside := path.Join(path.Dir(dst), ".wnet-"+randomName())
	if err := plain(dst, aside); err != nil {
		return err
	}
	if err := plain(src, dst); err != nil {
		// The way back has to be tried even if the caller no longer waits.
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.c.times.Dead)
		defer cancel()
		f.do(back, func() error { return f.c.ftp.Rename(aside, dst) })
		return err
	}
	gone := func() error { return removeFile(f.c.ftp, aside) }
	if dfi.IsDir() {
		gone = func() error { return f.c.ftp.RemoveDirectory(aside) }
	}
	if err := f.do(ctx, gone); settled(err) {
		return err
	}
	return nil
}

// seenFolders remembers for a moment which names were folders.
type seenFolders struct {
	mu sync.Mutex // guards at
	at map[string]time.Time
}

const (
	seenFor = 5 * time.Second
	seenMax = 4096
)

func (s *seenFolders) add(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil || len(s.at) >= seenMax {
		s.at = map[string]time.Time{}
	}
	s.at[name] = time.Now()
}

func (s *seenFolders) folder(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.at[name]
	return ok && time.Since(t) < seenFor
}

// forget drops a name and all below it.
func (s *seenFolders) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.at {
		if n == name || strings.HasPrefix(n, name+"/") {
			delete(s.at, n)
		}
	}
}
