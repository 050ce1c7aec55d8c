package mount

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/openwnet/wnet"
)

// Lookup implements fuse.RawFileSystem. That there is no such name is kept by the kernel too, as long as that there is one.
func (s *server) Lookup(cancel <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	parent := s.tree.get(h.NodeId)
	if parent == nil {
		return fuse.ENOENT
	}
	if n, a, asked, known := s.recall(parent, name); known && n != nil {
		s.entry(n, a, asked, out)
		return fuse.OK
	} else if known {
		return s.noEntry(parent, name, time.Now(), out)
	}
	name = strings.Clone(name)
	asked := time.Now()
	a, err := call(s, req(cancel, h), false, func(ctx context.Context) (wnet.Attr, error) {
		for {
			path, err := s.named(parent, name)
			if err != nil {
				return wnet.Attr{}, err
			}
			a, err := s.fs.Stat(ctx, path)
			if err == nil || errnoOf(err) != syscall.ENOENT {
				return a, err
			}
			if again, _ := s.named(parent, name); again == path {
				return a, err
			}
		}
	}, nil)
	switch errnoOf(err) {
	case 0:
		s.entry(s.tree.adopt(parent, name, a, asked), a, asked, out)
		return fuse.OK
	case syscall.ENOENT:
		s.tree.drop(parent, name)
		return s.noEntry(parent, name, asked, out)
	}
	return s.status(err)
}

// noEntry answers that there is no such name.
func (s *server) noEntry(parent *node, name string, asked time.Time, out *fuse.EntryOut) fuse.Status {
	if v := s.absent(parent, name, asked); v > 0 && !s.gate.forced() {
		*out = fuse.EntryOut{}
		out.SetEntryTimeout(v)
		return fuse.OK
	}
	return fuse.ENOENT
}

// make runs fn, which makes name in a folder, and answers with the new node.
func (s *server) make(r request, id uint64, name string, out *fuse.EntryOut, fn func(ctx context.Context, path string) error) fuse.Status {
	type made struct {
		a     wnet.Attr
		asked time.Time
	}
	parent := s.tree.get(id)
	if parent == nil {
		return fuse.ENOENT
	}
	m, err := call(s, r, false, func(ctx context.Context) (made, error) {
		path, err := s.named(parent, name)
		if err != nil {
			return made{}, err
		}
		if err := fn(ctx, path); err != nil {
			return made{}, err
		}
		asked := time.Now()
		a, err := s.fs.Stat(ctx, path)
		return made{a, asked}, err
	}, nil)
	s.tree.change(parent)
	if err != nil {
		return s.status(err)
	}
	s.tree.drop(parent, name) // what had the name before is gone
	s.entry(s.tree.adopt(parent, name, m.a, m.asked), m.a, m.asked, out)
	return fuse.OK
}

// Mkdir implements fuse.RawFileSystem.
func (s *server) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	mode := permMode(in.Mode)
	return s.make(req(cancel, &in.InHeader), in.NodeId, name, out, func(ctx context.Context, path string) error {
		return s.fs.Mkdir(ctx, path, mode)
	})
}

// Symlink implements fuse.RawFileSystem.
func (s *server) Symlink(cancel <-chan struct{}, h *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	fsys, ok := s.fs.(wnet.Symlinker)
	if !ok {
		return fuse.EPERM
	}
	target = strings.Clone(target)
	return s.make(req(cancel, h), h.NodeId, name, out, func(ctx context.Context, path string) error {
		return fsys.Symlink(ctx, target, path)
	})
}

// Readlink implements fuse.RawFileSystem.
func (s *server) Readlink(cancel <-chan struct{}, h *fuse.InHeader) ([]byte, fuse.Status) {
	fsys, ok := s.fs.(wnet.Symlinker)
	n := s.tree.get(h.NodeId)
	if !ok || n == nil {
		return nil, fuse.Status(syscall.EINVAL)
	}
	target, err := call(s, req(cancel, h), false, func(ctx context.Context) (string, error) {
		path, ok := s.tree.path(n)
		if !ok {
			return "", syscall.ENOENT
		}
		return fsys.Readlink(ctx, path)
	}, nil)
	if err == nil && (target == "" || len(target) >= syscall.PathMax) {
		err = syscall.EIO
	}
	return []byte(target), s.status(err)
}

// Link implements fuse.RawFileSystem.
func (s *server) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	fsys, ok := s.fs.(wnet.Linker)
	parent, n := s.tree.get(in.NodeId), s.tree.get(in.Oldnodeid)
	if !ok {
		return fuse.EPERM
	}
	if parent == nil || n == nil {
		return fuse.ENOENT
	}
	type made struct {
		a     wnet.Attr
		asked time.Time
	}
	m, err := call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) (made, error) {
		path, err := s.named(parent, name)
		if err != nil {
			return made{}, err
		}
		from, ok := s.tree.path(n)
		if !ok {
			return made{}, syscall.ENOENT
		}
		if err := fsys.Link(ctx, from, path); err != nil {
			return made{}, err
		}
		asked := time.Now()
		a, err := s.fs.Stat(ctx, path)
		return made{a, asked}, err
	}, nil)
	s.tree.change(parent, n)
	if err != nil {
		return s.status(err)
	}
	// The kernel must get the node that it named, also where the server has no numbers that say so.
	s.tree.mu.Lock()
	s.tree.dropLocked(parent, name)
	s.tree.linkLocked(n, parent, strings.Clone(name), m.asked)
	n.lookups++
	s.tree.learnLocked(n, m.a, m.asked)
	s.tree.mu.Unlock()
	s.entry(n, m.a, m.asked, out)
	return fuse.OK
}

// Unlink implements fuse.RawFileSystem.
func (s *server) Unlink(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return s.remove(cancel, h, name, false)
}

// Rmdir implements fuse.RawFileSystem.
func (s *server) Rmdir(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return s.remove(cancel, h, name, true)
}

func (s *server) remove(cancel <-chan struct{}, h *fuse.InHeader, name string, dir bool) fuse.Status {
	parent := s.tree.get(h.NodeId)
	if parent == nil {
		return fuse.ENOENT
	}
	err := s.do(req(cancel, h), false, func(ctx context.Context) error {
		path, err := s.named(parent, name)
		if err != nil {
			return err
		}
		s.hold(ctx, parent, name)
		return s.fs.Remove(ctx, path, dir)
	})
	s.tree.change(parent)
	if e := errnoOf(err); e == 0 || e == syscall.ENOENT {
		s.tree.mu.Lock()
		if n := parent.children[name]; n != nil {
			n.asked = time.Time{} // its link count
		}
		s.tree.dropLocked(parent, name)
		s.tree.mu.Unlock()
	}
	return s.status(err)
}

// Flags of renameat2(2).
const (
	renameNoReplace = 1 << 0
	renameKnown     = renameNoReplace
)

// Rename implements fuse.RawFileSystem.
func (s *server) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	from, to := s.tree.get(in.NodeId), s.tree.get(in.Newdir)
	if from == nil || to == nil {
		return fuse.ENOENT
	}
	if in.Flags&^renameKnown != 0 {
		return fuse.EINVAL // RENAME_EXCHANGE, RENAME_WHITEOUT
	}
	noReplace := in.Flags&renameNoReplace != 0
	err := s.do(req(cancel, &in.InHeader), false, func(ctx context.Context) error {
		old, err := s.named(from, oldName)
		if err != nil {
			return err
		}
		new, err := s.named(to, newName)
		if err != nil {
			return err
		}
		if noReplace {
			// The kernel holds both folders for this machine; another one may still come in between.
			if _, err := s.fs.Stat(ctx, new); err == nil {
				return syscall.EEXIST
			} else if errnoOf(err) != syscall.ENOENT {
				return err
			}
		}
		s.hold(ctx, to, newName)
		return s.fs.Rename(ctx, old, new)
	})
	s.tree.change(from, to)
	if err == nil {
		s.tree.move(from, oldName, to, newName)
	}
	return s.status(err)
}

// folder is an open folder: what the server listed when reading began, so that positions stay what they are.
type folder struct {
	mu      sync.Mutex // guards all that follows; held while the server lists
	entries []wnet.Attr
	listed  bool
	asked   time.Time
	seq     uint64 // tree.seq when the server was asked
}

// OpenDir implements fuse.RawFileSystem. The server is not asked before the folder is read.
func (s *server) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	n := s.tree.get(in.NodeId)
	if n == nil {
		return fuse.ENOENT
	}
	if s.gate.isShut() {
		return fuse.EIO
	}
	h := &handle{node: n, tid: in.Pid, uid: in.Uid, folder: &folder{}}
	s.addHandle(h)
	out.Fh = h.fh
	return fuse.OK
}

// ReleaseDir implements fuse.RawFileSystem.
func (s *server) ReleaseDir(in *fuse.ReleaseIn) { s.release(in.Fh) }

// list returns the folder's entries, asked for anew where reading begins.
func (s *server) list(cancel <-chan struct{}, in *fuse.ReadIn) (*handle, error) {
	h := s.use(in.Fh)
	if h == nil || h.folder == nil {
		return nil, syscall.EIO
	}
	defer s.done(h)
	f := h.folder
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listed && in.Offset != 0 {
		return h, nil
	}
	if l := s.keptListing(h.node); l != nil && !s.gate.forced() {
		f.entries, f.listed, f.asked, f.seq = l.entries, true, l.asked, l.seq
		return h, nil
	}
	s.tree.mu.Lock()
	seq := s.tree.seq
	s.tree.mu.Unlock()
	asked := time.Now()
	all, err := call(s, req(cancel, &in.InHeader), false, func(ctx context.Context) ([]wnet.Attr, error) {
		path, ok := s.tree.path(h.node)
		if !ok {
			return nil, nil // removed while open: empty
		}
		return s.fs.ReadDir(ctx, path)
	}, nil)
	if err != nil {
		return nil, err
	}
	kept := all[:0]
	for _, a := range all {
		// A name that no folder can hold would make the kernel refuse the whole folder.
		if a.Name == "" || a.Name == "." || a.Name == ".." || len(a.Name) > 1024 || strings.ContainsAny(a.Name, "/\x00") {
			s.log.Debug("the server lists an impossible name", "name", a.Name[:min(len(a.Name), 100)])
			continue
		}
		kept = append(kept, a)
	}
	f.entries, f.listed, f.asked, f.seq = kept, true, asked, seq
	s.keepListing(h.node, f)
	return h, nil
}

// ReadDir implements fuse.RawFileSystem.
func (s *server) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return s.readDir(cancel, in, out, false)
}

// ReadDirPlus implements fuse.RawFileSystem.
func (s *server) ReadDirPlus(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return s.readDir(cancel, in, out, true)
}

func (s *server) readDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList, plus bool) fuse.Status {
	h, err := s.list(cancel, in)
	if err != nil {
		return s.status(err)
	}
	f := h.folder
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, named := s.tree.path(h.node)
	for i := in.Offset; i < uint64(len(f.entries))+2; i++ {
		e := fuse.DirEntry{Off: i + 1, Mode: syscall.S_IFDIR, Name: ".."}
		var a *wnet.Attr
		switch i {
		case 0:
			e.Name, e.Ino = ".", h.node.ino
		case 1:
			e.Ino = s.parentIno(h.node)
		default:
			a = &f.entries[i-2]
			e.Name, e.Mode, e.Ino = a.Name, typeBits(a.Mode), s.entryIno(h.node, dir, *a)
		}
		if !plus {
			if !out.AddDirEntry(e) {
				break
			}
			continue
		}
		eo := out.AddDirLookupEntry(e)
		if eo == nil {
			break
		}
		if a != nil && named && s.current(h.node, f, *a) {
			n := s.tree.adopt(h.node, a.Name, *a, f.asked)
			s.entry(n, *a, f.asked, eo)
		}
	}
	return fuse.OK
}

// current reports whether an entry's attributes may still be given to the kernel. What was listed before a change made through this
// mount could turn the change back in the kernel's eyes: a removed file would reappear, a longer one be cut. The kernel then asks
// for the one entry when a program wants it.
func (s *server) current(dir *node, f *folder, a wnet.Attr) bool {
	if s.valid(f.asked) == 0 && !s.promisedIn(dir, a.Name) || !validName(a.Name) {
		return false
	}
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if dir.changed > f.seq {
		return false
	}
	n := dir.children[a.Name]
	if n == nil {
		n = s.tree.bySrv[a.ID]
	}
	if n == nil {
		return true
	}
	for _, h := range n.handles {
		if h.flag&wnet.OpenWrite != 0 {
			return false // a listing may lag behind an open file, even on its own server
		}
	}
	return n.changed <= f.seq && f.asked.After(n.floor)
}

func (s *server) parentIno(n *node) uint64 {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if len(n.links) == 0 {
		return n.ino
	}
	return n.links[len(n.links)-1].parent.ino
}

func (s *server) entryIno(dir *node, path string, a wnet.Attr) uint64 {
	s.tree.mu.Lock()
	n := dir.children[a.Name]
	s.tree.mu.Unlock()
	switch {
	case a.ID != 0:
		return a.ID
	case n != nil && n.typ == a.Mode.Type() && n.srv == 0:
		return n.ino
	case path == ".":
		return inoOf(a.Name)
	}
	return inoOf(path + "/" + a.Name)
}
