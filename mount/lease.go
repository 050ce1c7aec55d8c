package mount

import (
	"context"
	"encoding/binary"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/openwnet/wnet"
)

const (
	// leaseTime is how long the kernel keeps attributes that the server has promised to tell changes of. It drops them when they are
	// told; the bound is only for what nobody thought of.
	leaseTime = time.Hour
	// breakTime is how long a server that breaks a promise waits at most for the kernel to drop what it has.
	breakTime = 2 * time.Second
	// absentMax is how many names a folder is known not to have at most.
	absentMax = 4096
)

// promised reports whether the server promises all of l about a node at this moment.
func (s *server) promised(n *node, l wnet.Lease) bool {
	if s.leases == nil || s.cache <= 0 {
		return false
	}
	path, ok := s.tree.path(n)
	return ok && s.leases.Lease(path)&l == l
}

// promisedIn is promised for the attributes of what has a name in a folder.
func (s *server) promisedIn(dir *node, name string) bool {
	if s.leases == nil || s.cache <= 0 {
		return false
	}
	path, ok := s.tree.join(dir, name)
	return ok && s.leases.Lease(path)&wnet.LeaseAttr != 0
}

// attrValid is how long the kernel may keep attributes that the server was asked for at the time asked.
func (s *server) attrValid(n *node, asked time.Time) time.Duration {
	if s.promised(n, wnet.LeaseAttr) {
		s.tree.mu.Lock()
		defer s.tree.mu.Unlock()
		if asked.After(n.floor) {
			return leaseTime
		}
	}
	return s.valid(asked)
}

// remembered returns a node's attributes where the server promised to tell of changes and has told of none.
func (s *server) remembered(n *node) (wnet.Attr, time.Time, bool) {
	if !s.promised(n, wnet.LeaseAttr) {
		return wnet.Attr{}, time.Time{}, false
	}
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	for _, h := range n.handles {
		if h.flag&wnet.OpenWrite != 0 {
			return wnet.Attr{}, time.Time{}, false
		}
	}
	return n.attr, n.asked, !n.asked.IsZero()
}

// listing is what a folder held when the server was asked.
type listing struct {
	entries []wnet.Attr
	byName  map[string]int
	asked   time.Time
	seq     uint64 // tree.seq then
}

// keepListing has a listing answer for the folder as long as its names are promised.
func (s *server) keepListing(dir *node, f *folder) {
	if !s.promised(dir, wnet.LeaseNames) {
		return
	}
	l := &listing{entries: f.entries, byName: make(map[string]int, len(f.entries)), asked: f.asked, seq: f.seq}
	for i, a := range l.entries {
		l.byName[a.Name] = i
	}
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if f.asked.After(dir.names) && dir.changed <= f.seq {
		dir.listing = l
	}
}

// keptListing returns the listing that stands for the folder, nil if there is none.
func (s *server) keptListing(dir *node) *listing {
	s.tree.mu.Lock()
	l := dir.listing
	if l != nil && (!l.asked.After(dir.names) || dir.changed > l.seq) {
		l, dir.listing = nil, nil
	}
	s.tree.mu.Unlock()
	if l == nil || !s.promised(dir, wnet.LeaseNames) {
		return nil
	}
	return l
}

// recall answers a look-up from what is promised: with the node, or with the knowledge that there is none.
func (s *server) recall(dir *node, name string) (n *node, a wnet.Attr, asked time.Time, known bool) {
	if s.leases == nil || s.cache <= 0 || s.gate.forced() {
		return nil, a, asked, false
	}
	if l := s.keptListing(dir); l != nil {
		i, there := l.byName[name]
		if !there {
			return nil, a, l.asked, true
		}
		f := &folder{asked: l.asked, seq: l.seq}
		if a = l.entries[i]; s.promisedIn(dir, name) && s.current(dir, f, a) && s.unbroken(dir, a, l.asked) {
			return s.tree.adopt(dir, name, a, l.asked), a, l.asked, true
		}
	}
	if !s.promised(dir, wnet.LeaseNames) {
		return nil, a, asked, false
	}
	s.tree.mu.Lock()
	if when, absent := dir.absent[name]; absent && when.After(dir.names) && dir.children[name] == nil {
		s.tree.mu.Unlock()
		return nil, a, when, true
	}
	n = dir.children[name]
	told := time.Time{}
	if n != nil {
		for _, l := range n.links {
			if l.parent == dir && l.name == name {
				told = l.told
			}
		}
	}
	fresh := told.After(dir.names)
	s.tree.mu.Unlock()
	if n == nil || !fresh {
		return nil, a, asked, false
	}
	if a, asked, known = s.remembered(n); !known || a.Mode.Type() != n.typ {
		return nil, a, asked, false
	}
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if dir.children[name] != n {
		return nil, a, asked, false
	}
	n.lookups++
	return n, a, asked, true
}

// unbroken reports whether no promise about a listed file has been broken since it was listed.
func (s *server) unbroken(dir *node, a wnet.Attr, asked time.Time) bool {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	n := dir.children[a.Name]
	if n == nil {
		n = s.tree.bySrv[a.ID]
	}
	return n == nil || asked.After(n.floor)
}

// absent notes that a folder does not have a name, and returns how long the kernel may keep that.
func (s *server) absent(dir *node, name string, asked time.Time) time.Duration {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if dir.absent == nil {
		dir.absent = map[string]time.Time{}
	}
	if len(dir.absent) >= absentMax {
		clear(dir.absent)
		dir.names = time.Now() // those that the kernel has are forgotten at their time
	}
	dir.absent[name] = asked
	return s.valid(asked)
}

// find returns the node that has a path, as far as it is known.
func (t *tree) findLocked(path string) *node {
	n := t.root
	if path == "." {
		return n
	}
	for part := range strings.SplitSeq(path, "/") {
		if n = n.children[part]; n == nil {
			return nil
		}
	}
	return n
}

// notices are what the kernel has to hear.
type notices struct {
	data, attrs []uint64 // nodes
	entries     []notice
}

type notice struct {
	parent uint64
	name   string
	folder bool
}

// broke is told of every Break. It returns when neither this mount nor the kernel keeps what is not promised any more.
func (s *server) broke(b wnet.Break) {
	ctx, stop := context.WithTimeout(s.life, breakTime)
	defer stop()
	news := s.forget(b)
	s.notify(ctx, func() { s.give(news) })
}

// forget drops what a break ends.
func (s *server) forget(b wnet.Break) notices {
	var out notices
	t := s.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	if b.All {
		for _, n := range t.byID {
			s.dropLocked(n, wnet.LeaseAttr|wnet.LeaseData|wnet.LeaseNames, &out)
		}
		return out
	}
	seen := map[*node]bool{}
	drop := func(n *node) {
		if n != nil && !seen[n] {
			seen[n] = true
			s.dropLocked(n, b.Lease, &out)
			for _, l := range n.links {
				if b.Entry {
					s.dropEntryLocked(l.parent, l.name, n, &out)
				}
			}
		}
	}
	if b.ID != 0 {
		drop(t.bySrv[b.ID])
	}
	if b.Name == "" {
		return out
	}
	drop(t.findLocked(b.Name))
	if b.Entry && b.Name != "." {
		dir, base := ".", b.Name
		if i := strings.LastIndexByte(b.Name, '/'); i >= 0 {
			dir, base = b.Name[:i], b.Name[i+1:]
		}
		if d := t.findLocked(dir); d != nil {
			s.dropEntryLocked(d, base, d.children[base], &out)
		}
	}
	return out
}

// dropLocked ends promises about one node. The caller holds tree.mu.
func (s *server) dropLocked(n *node, l wnet.Lease, out *notices) {
	now := time.Now()
	if l&wnet.LeaseNames != 0 && n.typ.IsDir() {
		n.names, n.changed, n.listing = now, s.tree.seq, nil
		for name, child := range n.children {
			s.dropEntryLocked(n, name, child, out)
		}
		for name := range n.absent {
			out.entries = append(out.entries, notice{n.id, name, false})
		}
		n.absent = nil
	}
	if l&(wnet.LeaseAttr|wnet.LeaseData) == 0 {
		return
	}
	n.floor, n.asked, n.changed, n.filled, n.leased = now, time.Time{}, s.tree.seq, filling{}, false
	if l&wnet.LeaseData != 0 && n.typ.IsRegular() {
		out.data = append(out.data, n.id)
	} else {
		out.attrs = append(out.attrs, n.id)
	}
}

// dropEntryLocked ends what is known of a name. The caller holds tree.mu.
func (s *server) dropEntryLocked(dir *node, name string, n *node, out *notices) {
	delete(dir.absent, name)
	dir.changed, dir.listing = s.tree.seq, nil
	if n != nil {
		for i := range n.links {
			if n.links[i].parent == dir && n.links[i].name == name {
				n.links[i].told = time.Time{}
			}
		}
	}
	out.entries = append(out.entries, notice{dir.id, name, n != nil && n.typ.IsDir()})
}

// give tells the kernel. It waits for the kernel's locks, so it runs in a goroutine of its own.
func (s *server) give(news notices) {
	for _, e := range news.entries {
		s.expire(e)
	}
	for _, id := range news.data {
		s.kernel.InodeNotify(id, 0, 0)
	}
	for _, id := range news.attrs {
		s.kernel.InodeNotify(id, -1, 0)
	}
}

// expirer tells the kernel to ask again about a name, which go-fuse can't: its EntryNotify takes a name away, and a program that stands
// in such a folder would find it deleted.
type expirer struct {
	mu  sync.Mutex // guards dev
	dev *os.File   // a copy of FUSE's descriptor; nil where the kernel (before 6.2) can't
}

func (e *expirer) set(dev *os.File) {
	e.mu.Lock()
	old := e.dev
	e.dev = dev
	e.mu.Unlock()
	if old != nil {
		old.Close()
	}
}

func (s *server) expire(e notice) {
	s.expirer.mu.Lock()
	dev := s.expirer.dev
	s.expirer.mu.Unlock()
	if dev == nil {
		if !e.folder {
			s.kernel.EntryNotify(e.parent, e.name)
		}
		return
	}
	// fuse_out_header with a notice's code in place of an error, then fuse_notify_inval_entry_out.
	const header, body = 16, 16
	p := make([]byte, header+body+len(e.name)+1)
	binary.NativeEndian.PutUint32(p, uint32(len(p)))
	code := int32(fuse.NOTIFY_INVAL_ENTRY)
	if code < 0 {
		code = -code
	}
	binary.NativeEndian.PutUint32(p[4:], uint32(code))
	binary.NativeEndian.PutUint64(p[header:], e.parent)
	binary.NativeEndian.PutUint32(p[header+8:], uint32(len(e.name)))
	binary.NativeEndian.PutUint32(p[header+12:], fuse.EXPIRE_ONLY)
	copy(p[header+body:], e.name)
	dev.Write(p) // ENOENT: the kernel does not know the name
}

// refreshNames has the names of a folder asked for again that were told within the bound, as for a program that has just got a lock.
func (s *server) refreshNames(ctx context.Context, n *node) {
	t := s.tree
	t.mu.Lock()
	var dir *node
	if len(n.links) > 0 {
		dir = n.links[len(n.links)-1].parent
	}
	t.mu.Unlock()
	if dir == nil || s.promised(dir, wnet.LeaseNames) {
		return
	}
	var news notices
	t.mu.Lock()
	t.seq++
	dir.names, dir.changed, dir.listing = time.Now(), t.seq, nil
	for name, when := range dir.absent {
		if s.valid(when) > 0 {
			news.entries = append(news.entries, notice{dir.id, name, false})
		}
	}
	dir.absent = nil
	for name, c := range dir.children {
		for i, l := range c.links {
			if c != n && l.parent == dir && l.name == name && s.valid(l.told) > 0 && !c.typ.IsDir() {
				c.links[i].told, c.floor, c.asked = time.Time{}, dir.names, time.Time{}
				news.entries = append(news.entries, notice{dir.id, name, false})
				news.attrs = append(news.attrs, c.id)
			}
		}
	}
	t.mu.Unlock()
	if len(news.entries) > 0 {
		s.notify(ctx, func() { s.give(news) })
	}
}
