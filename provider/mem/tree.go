package mem

import (
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
)

const (
	nameMax = 255
	linkMax = 40 // symbolic links on one path
	keep    = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
)

// tree is a share's files.
type tree struct {
	root  *node
	quota int64 // bytes, 0 for no bound
	used  atomic.Int64
	opens atomic.Int64
	files atomic.Int64

	// mu guards the shape of the tree: every node's children, parent and gone. It is taken before a node's own mu.
	mu     sync.RWMutex
	lastID uint64 // guarded by mu
}

// node is a file, a folder or a link.
type node struct {
	id     uint64
	typ    fs.FileMode // type bits
	target string      // of a link

	// tree.mu guards these.
	children map[string]*node // of a folder
	parent   *node            // of a folder that is not the root
	gone     bool             // a folder that was removed: nothing can be made in it

	mu                  sync.RWMutex // guards what follows; nlink and opens change only under tree.mu as well, or when a File closes
	perm                fs.FileMode
	nlink, opens        uint32
	size                int64
	data                data
	xattrs              map[string][]byte
	mtime, atime, ctime time.Time

	locks locks
}

func newTree(quota int64) *tree {
	t := &tree{quota: quota}
	t.root = t.newNode(fs.ModeDir, 0o755)
	return t
}

// newNode makes a node that is in no folder yet. The caller holds mu, or is alone.
func (t *tree) newNode(typ, perm fs.FileMode) *node {
	t.lastID++
	t.files.Add(1)
	at := now()
	n := &node{id: t.lastID, typ: typ, perm: perm & keep, nlink: 1, mtime: at, atime: at, ctime: at}
	if typ == fs.ModeDir {
		n.nlink = 2
		n.children = map[string]*node{}
	}
	return n
}

// now is the server's clock: without the monotonic part, which no time that comes from a server has.
func now() time.Time { return time.Now().Round(0) }

func (n *node) dir() bool  { return n.typ == fs.ModeDir }
func (n *node) link() bool { return n.typ == fs.ModeSymlink }

// attr describes the node under a name.
func (n *node) attr(name string) wnet.Attr {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.attrLocked(name)
}

func (n *node) attrLocked(name string) wnet.Attr {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	a := wnet.Attr{
		Name: name, Mode: n.typ | n.perm, Size: n.size, ModTime: n.mtime, AccessTime: n.atime, ChangeTime: n.ctime,
		ID: n.id, Nlink: n.nlink, Blocks: (n.data.held + 511) / 512,
	}
	switch {
	case n.dir():
		a.Size, a.Blocks = 4096, 8
	case n.link():
		a.Size = int64(len(n.target))
	}
	return a
}

// touch marks that the node's content or only its attributes have changed.
func (n *node) touch(content bool) {
	n.mu.Lock()
	n.touchLocked(content)
	n.mu.Unlock()
}

func (n *node) touchLocked(content bool) {
	n.ctime = now()
	if content {
		n.mtime = n.ctime
	}
}

// place is where a name leads: the folder, the last part, and the node there or nil.
type place struct {
	dir  *node // nil for the top itself
	name string
	node *node
}

// find walks from top. Links in all but the last part are followed, as seen from top: nothing leads above it. The caller holds mu.
func (t *tree) find(top *node, name string) (place, error) {
	if !fs.ValidPath(name) || strings.IndexByte(name, 0) >= 0 {
		return place{}, syscall.EINVAL
	}
	if name == "." {
		return place{name: ".", node: top}, nil
	}
	dir, rest, links := top, name, 0
	for {
		part, tail, more := strings.Cut(rest, "/")
		if len(part) > nameMax {
			return place{}, syscall.ENAMETOOLONG
		}
		n := dir.children[part]
		switch part { // these come from links only
		case "", ".":
			n = dir
		case "..":
			if n = dir; dir != top {
				n = dir.parent
			}
		}
		if !more {
			return place{dir: dir, name: part, node: n}, nil
		}
		switch {
		case n == nil:
			return place{}, syscall.ENOENT
		case n.dir():
			dir, rest = n, tail
		case n.link():
			if links++; links > linkMax {
				return place{}, syscall.ELOOP
			}
			if strings.HasPrefix(n.target, "/") {
				dir = top
			}
			rest = n.target + "/" + tail
		default:
			return place{}, syscall.ENOTDIR
		}
	}
}

// get finds a node that is there.
func (t *tree) get(top *node, name string) (*node, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, err := t.find(top, name)
	if err == nil && p.node == nil {
		err = syscall.ENOENT
	}
	return p.node, err
}

// folder finds a folder from the root, for a connection to begin at.
func (t *tree) folder(name string) (*node, error) {
	n, err := t.get(t.root, name)
	if err == nil && !n.dir() {
		err = syscall.ENOTDIR
	}
	return n, err
}

// add puts n into the empty place p. The caller holds mu.
func (t *tree) add(p place, n *node) {
	p.dir.children[p.name] = n
	if n.dir() {
		n.parent = p.dir
		p.dir.mu.Lock()
		p.dir.nlink++
		p.dir.mu.Unlock()
	}
	p.dir.touch(true)
}

// create makes a node at a place that must be empty. The caller holds mu.
func (t *tree) create(p place, typ, perm fs.FileMode) (*node, error) {
	switch {
	case p.node != nil:
		return nil, syscall.EEXIST
	case p.dir.gone:
		return nil, syscall.ENOENT
	}
	n := t.newNode(typ, perm)
	t.add(p, n)
	return n, nil
}

// take removes the node at p from its folder. The caller holds mu and has checked that it may.
func (t *tree) take(p place) {
	delete(p.dir.children, p.name)
	if p.node.dir() {
		p.node.parent = nil
		p.dir.mu.Lock()
		p.dir.nlink--
		p.dir.mu.Unlock()
	}
	p.dir.touch(true)
}

// drop takes one name off a node that take or rename has removed for good. The caller holds mu.
func (t *tree) drop(n *node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nlink--
	if n.dir() {
		n.nlink, n.gone = 0, true
	}
	n.touchLocked(false)
	t.freeLocked(n)
}

// freeLocked gives the room of a node back that has neither a name nor a File. The caller holds n.mu.
func (t *tree) freeLocked(n *node) {
	if n.nlink == 0 && n.opens == 0 {
		t.used.Add(-n.data.held)
		t.files.Add(-1)
		n.data = data{}
	}
}

// remove is Remove.
func (t *tree) remove(top *node, name string, dir bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, err := t.find(top, name)
	switch {
	case err != nil:
		return err
	case p.node == nil:
		return syscall.ENOENT
	case dir && !p.node.dir():
		return syscall.ENOTDIR
	case !dir && p.node.dir():
		return syscall.EISDIR
	case p.dir == nil:
		return syscall.EBUSY
	case len(p.node.children) > 0:
		return syscall.ENOTEMPTY
	}
	t.take(p)
	t.drop(p.node)
	return nil
}

// rename is Rename.
func (t *tree) rename(top *node, from, to string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, err := t.find(top, from)
	if err == nil && a.node == nil {
		err = syscall.ENOENT
	}
	if err != nil {
		return err
	}
	b, err := t.find(top, to)
	if err != nil {
		return err
	}
	if a.dir == nil || b.dir == nil {
		return syscall.EBUSY
	}
	if b.dir.gone {
		return syscall.ENOENT
	}
	for d := b.dir; a.node.dir() && d != nil; d = d.parent {
		if d == a.node {
			return syscall.EINVAL
		}
	}
	switch {
	case a.node == b.node: // two names of one file, or one name: nothing happens
		return nil
	case b.node == nil:
	case a.node.dir() && !b.node.dir():
		return syscall.ENOTDIR
	case !a.node.dir() && b.node.dir():
		return syscall.EISDIR
	case len(b.node.children) > 0:
		return syscall.ENOTEMPTY
	}
	if b.node != nil {
		t.take(b)
		t.drop(b.node)
	}
	t.take(a)
	t.add(b, a.node)
	a.node.touch(false)
	return nil
}

// hardlink is Link.
func (t *tree) hardlink(top *node, from, to string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, err := t.find(top, from)
	if err == nil && a.node == nil {
		err = syscall.ENOENT
	}
	if err != nil {
		return err
	}
	if a.node.dir() {
		return syscall.EPERM
	}
	b, err := t.find(top, to)
	switch {
	case err != nil:
		return err
	case b.node != nil:
		return syscall.EEXIST
	case b.dir.gone:
		return syscall.ENOENT
	}
	t.add(b, a.node)
	a.node.mu.Lock()
	a.node.nlink++
	a.node.touchLocked(false)
	a.node.mu.Unlock()
	return nil
}

// reserve takes n bytes of the quota, if they are there.
func (t *tree) reserve(n int64) bool {
	if t.used.Add(n) > t.quota && t.quota > 0 && n > 0 {
		t.used.Add(-n)
		return false
	}
	return true
}
