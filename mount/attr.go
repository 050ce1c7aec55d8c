package mount

import (
	"context"
	"io/fs"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/openwnet/wnet"
)

// typeBits is the S_IFMT part of a mode.
func typeBits(m fs.FileMode) uint32 {
	switch m.Type() {
	case 0:
		return syscall.S_IFREG
	case fs.ModeDir:
		return syscall.S_IFDIR
	case fs.ModeSymlink:
		return syscall.S_IFLNK
	case fs.ModeNamedPipe:
		return syscall.S_IFIFO
	case fs.ModeSocket:
		return syscall.S_IFSOCK
	case fs.ModeDevice:
		return syscall.S_IFBLK
	case fs.ModeDevice | fs.ModeCharDevice:
		return syscall.S_IFCHR
	}
	return syscall.S_IFREG
}

// permBits is the part of a mode that chmod sets.
func permBits(m fs.FileMode) uint32 {
	p := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		p |= syscall.S_ISUID
	}
	if m&fs.ModeSetgid != 0 {
		p |= syscall.S_ISGID
	}
	if m&fs.ModeSticky != 0 {
		p |= syscall.S_ISVTX
	}
	return p
}

// permMode is the reverse of permBits.
func permMode(p uint32) fs.FileMode {
	m := fs.FileMode(p & 0o777)
	if p&syscall.S_ISUID != 0 {
		m |= fs.ModeSetuid
	}
	if p&syscall.S_ISGID != 0 {
		m |= fs.ModeSetgid
	}
	if p&syscall.S_ISVTX != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// fill writes the attributes of n, as the server told them, in the kernel's form.
func (s *server) fill(n *node, a wnet.Attr, out *fuse.Attr) {
	s.tree.mu.Lock()
	ino, gone, more := n.ino, len(n.links) == 0 && n != s.tree.root, n.more
	s.tree.mu.Unlock()
	size := max(a.Size, 0) // a server that lies
	*out = fuse.Attr{
		Ino:   ino,
		Size:  uint64(size),
		Mode:  typeBits(n.typ) | permBits(a.Mode),
		Nlink: max(a.Nlink, 1),
		Owner: fuse.Owner{Uid: s.uid, Gid: s.gid},
		// Larger blocks would make programs copy in larger pieces, but kernels from 6.16 on cut their folios by it.
		Blksize: 4096,
		Blocks:  uint64(max(a.Blocks, 0)),
	}
	if out.Blocks == 0 {
		out.Blocks = (uint64(size) + 511) / 512
	}
	if gone && !more {
		out.Nlink = 0 // also where the server keeps a removed file under a hidden name while it is open
	}
	mtime, atime, ctime := a.ModTime, a.AccessTime, a.ChangeTime
	if mtime.IsZero() {
		mtime = s.since
	}
	if atime.IsZero() {
		atime = mtime
	}
	if ctime.IsZero() {
		ctime = mtime
	}
	out.SetTimes(&atime, &mtime, &ctime)
}

// entry writes the answer that gives the kernel a node.
func (s *server) entry(n *node, a wnet.Attr, asked time.Time, out *fuse.EntryOut) {
	out.NodeId = n.id
	out.Generation = 1 // no number is used twice
	// That the name stands for the node is asked for again within the bound, though this mount may then know the answer: the kernel could
	// take an answer for newer than a notice that came after it. Attributes have a version.
	out.SetEntryTimeout(s.valid(asked))
	if v := s.attrValid(n, asked); v > 0 {
		out.SetAttrTimeout(v)
		if v == leaseTime {
			out.SetEntryTimeout(s.cache)
		}
	}
	s.fill(n, a, &out.Attr)
}

// statNode asks the server about a node: through an open handle if there is one, as that stays with the file whatever happens to
// its name, else by name.
func (s *server) statNode(ctx context.Context, n *node) (wnet.Attr, error) {
	path, named := s.tree.path(n)
	if !named && n.typ.IsDir() {
		a, _ := s.known(n) // removed, and held open: it has become as it will stay
		return a, nil
	}
	if h := s.useOf(n, 0); h != nil {
		if _, whole := h.file.(*wholeFile); whole && named {
			// It is not open there, and need not be for that, unless its name stands for something else by now.
			a, err := s.fs.Stat(ctx, path)
			if err == nil && a.Mode.Type() == n.typ && a.ID == n.srv {
				s.done(h)
				return a, nil
			}
		}
		a, err := h.file.Stat(ctx)
		s.done(h)
		if err == nil || ctx.Err() != nil || !named {
			return a, err
		}
	}
	for {
		if !named {
			return wnet.Attr{}, syscall.ENOENT
		}
		a, err := s.fs.Stat(ctx, path)
		if err == nil || errnoOf(err) != syscall.ENOENT {
			return a, err
		}
		// A folder above may have been renamed in between.
		var again string
		if again, named = s.tree.path(n); again == path {
			return a, err
		}
		path = again
	}
}

// GetAttr implements fuse.RawFileSystem.
func (s *server) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	n := s.tree.get(in.NodeId)
	if n == nil {
		return fuse.ENOENT
	}
	if a, asked, known := s.remembered(n); known && !s.gate.forced() {
		s.fill(n, a, &out.Attr)
		out.SetTimeout(s.attrValid(n, asked))
		return fuse.OK
	}
	asked := time.Now()
	a, err := call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) (wnet.Attr, error) {
		return s.statNode(ctx, n)
	}, nil)
	if err != nil {
		return s.status(err)
	}
	if a.Mode.Type() != n.typ {
		return fuse.Status(syscall.ESTALE) // another kind of file has the name now; the next lookup tells the kernel
	}
	s.tree.learn(n, a, asked)
	s.fill(n, a, &out.Attr)
	out.SetTimeout(s.attrValid(n, asked))
	return fuse.OK
}

// SetAttr implements fuse.RawFileSystem: chmod, chown, truncate and utimensat in one.
func (s *server) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	n := s.tree.get(in.NodeId)
	if n == nil {
		return fuse.ENOENT
	}
	if uid, ok := in.GetUID(); ok && uid != s.uid {
		return fuse.EPERM
	}
	if gid, ok := in.GetGID(); ok && gid != s.gid {
		return fuse.EPERM
	}
	var change wnet.AttrChange
	if mode, ok := in.GetMode(); ok {
		m := permMode(mode)
		change.Mode = &m
	}
	if size, ok := in.GetSize(); ok {
		if size > 1<<63-1 {
			return fuse.Status(syscall.EFBIG)
		}
		v := int64(size)
		change.Size = &v
	}
	if t, ok := in.GetMTime(); ok {
		change.ModTime = &t
	}
	if t, ok := in.GetATime(); ok {
		change.AccessTime = &t
	}
	fh, byHandle := in.GetFh()
	asked := time.Now()
	a, err := call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) (wnet.Attr, error) {
		var h *handle
		if byHandle {
			h = s.use(fh)
		}
		if h != nil {
			defer s.done(h)
		}
		if change != (wnet.AttrChange{}) {
			defer s.tree.change(n)
			return s.setAttr(ctx, n, h, change)
		}
		return s.statNode(ctx, n)
	}, nil)
	if err != nil {
		return s.status(err)
	}
	s.fill(n, a, &out.Attr)
	out.SetTimeout(s.valid(asked))
	return fuse.OK
}

// setAttr makes the change by the means that the file system has: by name, by the handle that the program used or any other that is
// open, and for a size alone by opening the file.
func (s *server) setAttr(ctx context.Context, n *node, h *handle, c wnet.AttrChange) (wnet.Attr, error) {
	path, named := s.tree.path(n)
	setter, bySetter := s.fs.(wnet.AttrSetter)
	bySetter = bySetter && named

	if c.Size != nil && (!bySetter || h != nil && h.flag&wnet.OpenWrite != 0) {
		if err := s.truncate(ctx, n, h, path, named, *c.Size); err != nil {
			return wnet.Attr{}, err
		}
		c.Size = nil
		if c == (wnet.AttrChange{}) {
			return s.statNode(ctx, n)
		}
	}
	if bySetter {
		return setter.SetAttr(ctx, path, c)
	}
	if h == nil {
		if h = s.useOf(n, 0); h != nil {
			defer s.done(h)
		}
	}
	if h != nil {
		if setter, ok := h.file.(wnet.FileAttrSetter); ok {
			return setter.SetAttr(ctx, c)
		}
	}
	a, err := s.statNode(ctx, n)
	if err != nil {
		return a, err
	}
	if !same(a, c) {
		return a, syscall.ENOTSUP
	}
	return a, nil
}

func (s *server) truncate(ctx context.Context, n *node, h *handle, path string, named bool, size int64) error {
	if h == nil || h.flag&wnet.OpenWrite == 0 {
		if h = s.useOf(n, wnet.OpenWrite); h != nil {
			defer s.done(h)
		}
	}
	if h != nil {
		h.wrote.Store(true)
		return h.file.Truncate(ctx, size)
	}
	if !named {
		return syscall.ENOENT
	}
	f, err := s.fs.Open(ctx, path, wnet.OpenWrite, 0)
	if err != nil {
		return err
	}
	err = f.Truncate(ctx, size)
	if cerr := f.Close(ctx); err == nil {
		err = cerr
	}
	return err
}

// same reports whether the change changes nothing, by a clock that ticks in seconds; a time of "now" is given two.
func same(a wnet.Attr, c wnet.AttrChange) bool {
	near := func(t *time.Time, is time.Time) bool {
		if t == nil || is.IsZero() {
			return true // what a server does not keep cannot be changed, nor missed
		}
		return t.Sub(is).Abs() < settleTime && (t.Unix() == is.Unix() || time.Since(*t).Abs() < settleTime)
	}
	return (c.Mode == nil || permBits(*c.Mode) == permBits(a.Mode)) && near(c.ModTime, a.ModTime) && near(c.AccessTime, a.AccessTime)
}

// Access implements fuse.RawFileSystem. A folder is not asked about, so that chdir costs no question to the server. For a file, what no
// bit grants is refused; what one grants, the server may still refuse when it is tried.
func (s *server) Access(cancel <-chan struct{}, in *fuse.AccessIn) fuse.Status {
	n := s.tree.get(in.NodeId)
	if n == nil {
		return fuse.ENOENT
	}
	if n.typ.IsDir() || in.Mask&7 == 0 {
		return fuse.OK
	}
	a, asked := s.known(n)
	if s.valid(asked) == 0 {
		var err error
		if a, err = call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) (wnet.Attr, error) {
			return s.statNode(ctx, n)
		}, nil); err != nil {
			return s.status(err)
		}
	}
	bits := uint32(a.Mode.Perm())
	if missing := in.Mask & 7 &^ (bits | bits>>3 | bits>>6); missing != 0 {
		if in.Uid == 0 && missing&fuse.X_OK == 0 {
			return fuse.OK // as everywhere, root reads and writes what nobody may
		}
		return fuse.EACCES
	}
	return fuse.OK
}

// known returns what the server last said about n, and when it was asked.
func (s *server) known(n *node) (wnet.Attr, time.Time) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	return n.attr, n.asked
}

// largeSpace is shown as size and free space where the file system does not know: 8 TiB, which no installer finds too small.
const largeSpace = 1 << 43

// statfsAnswer is a server's word about its room, with its time.
type statfsAnswer struct {
	wnet.Statfs
	asked time.Time
}

// StatFs implements fuse.RawFileSystem. Desktops ask often, and a server that does not answer must not stop them: what it said last
// then stands.
func (s *server) StatFs(cancel <-chan struct{}, in *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	if s.gate.isShut() {
		return fuse.EIO
	}
	st := wnet.Statfs{Total: largeSpace, Free: largeSpace, Available: largeSpace}
	if fsys, ok := s.fs.(wnet.Statfser); ok {
		last := s.statfs.Load()
		if last == nil || time.Since(last.asked) >= s.cache {
			asked := time.Now()
			v, err := call(s, req(cancel, in), false, fsys.Statfs, nil)
			switch {
			case err == nil:
				last = &statfsAnswer{v, asked}
				s.statfs.Store(last)
			case last == nil && errnoOf(err) != syscall.ENOTSUP:
				return s.status(err)
			}
		}
		if last != nil {
			st = last.Statfs
		}
	}
	const block = 4096
	*out = fuse.StatfsOut{
		Blocks: st.Total / block, Bfree: st.Free / block, Bavail: st.Available / block, Files: st.Files, Ffree: st.FilesFree,
		Bsize: block, Frsize: block, NameLen: st.NameMax,
	}
	if out.NameLen == 0 {
		out.NameLen = 255
	}
	return fuse.OK
}
