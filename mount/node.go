package mount

import (
	"hash/fnv"
	"io/fs"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/openwnet/wnet"
)

// node is one file, folder or link that the kernel knows. Its fields other than id and typ are guarded by tree.mu.
type node struct {
	id  uint64      // FUSE's number, never used twice
	typ fs.FileMode // type bits

	ino      uint64 // what programs see
	srv      uint64 // the server's number, 0 if it has none
	lookups  uint64 // the kernel's references
	links    []link // names it is known under, the one last confirmed at the end; none for the root and what was removed
	children map[string]*node
	handles  []*handle
	more     bool // had other hard links when its last known name was removed

	attr    wnet.Attr // as last told by the server
	asked   time.Time // when the server was asked for attr; zero if attr is not known or was overtaken by a change
	floor   time.Time // the last change made through this mount: answers to earlier questions count no more
	changed uint64    // tree.seq of the last change made through this mount: to the data, or to a folder's entries
	filled  filling   // what the kernel's data cache was filled with
	leased  bool      // that was promised to be told of changes, and there was none

	// of a folder
	names   time.Time            // the last break about its names: what was told before counts no more
	absent  map[string]time.Time // names that it does not have, with the time when the server was asked
	listing *listing             // what it held; nil if not known
}

// link is one name of a node.
type link struct {
	parent *node
	name   string
	told   time.Time // when the server was asked that said so; zero if that was overtaken
}

// filling tells a file's data apart from that at another time. The zero filling is unknown.
type filling struct {
	size  int64
	mtime time.Time
}

// tree is what is known of the file system's names. Paths are computed from it when they are needed, so that whatever lies below a
// renamed folder follows.
type tree struct {
	mu    sync.Mutex // guards all that follows, and the nodes
	root  *node
	next  uint64
	seq   uint64           // counts changes made through this mount
	byID  map[uint64]*node // all nodes
	bySrv map[uint64]*node // files with a server's number, for hard links
	inos  map[uint64]*node // numbers made from paths, so that no two living nodes share one
}

func newTree() *tree {
	root := &node{id: 1, ino: 1, typ: fs.ModeDir, lookups: 1}
	return &tree{root: root, next: 2, byID: map[uint64]*node{1: root}, bySrv: map[uint64]*node{}, inos: map[uint64]*node{1: root}}
}

// get returns the node that the kernel calls id; nil would be a fault of the kernel's.
func (t *tree) get(id uint64) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// path returns the node's name for the FileSystem, or false if it has none any more.
func (t *tree) path(n *node) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pathLocked(n)
}

func (t *tree) pathLocked(n *node) (string, bool) {
	size := 0
	var parts []string
	for n != t.root {
		if len(n.links) == 0 {
			return "", false
		}
		l := n.links[len(n.links)-1]
		parts = append(parts, l.name)
		size += len(l.name) + 1
		n = l.parent
	}
	if len(parts) == 0 {
		return ".", true
	}
	b := make([]byte, 0, size)
	for i := len(parts) - 1; i >= 0; i-- {
		b = append(b, parts[i]...)
		if i > 0 {
			b = append(b, '/')
		}
	}
	return string(b), true
}

// join returns the path of name in the folder parent.
func (t *tree) join(parent *node, name string) (string, bool) {
	p, ok := t.path(parent)
	switch {
	case !ok:
		return "", false
	case p == ".":
		return name, true
	}
	return p + "/" + name, true
}

// inoOf is the number for a path without a server's number.
func inoOf(path string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(path))
	if v := h.Sum64(); v > 1 && v != ^uint64(0) {
		return v
	}
	return 2
}

// adopt returns the node for what the server calls name in the folder parent, made if need be, with one more reference of the
// kernel's. asked is when the server was asked.
func (t *tree) adopt(parent *node, name string, a wnet.Attr, asked time.Time) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	cur := parent.children[name]
	n := cur
	if n != nil && (n.typ != a.Mode.Type() || n.srv != a.ID) {
		n = nil // another file took the name
	}
	if a.ID != 0 && !a.Mode.IsDir() {
		// Only files have several names. A folder that shows up twice is two nodes: the kernel allows a folder one place only.
		if same := t.bySrv[a.ID]; same != nil && same.typ == a.Mode.Type() {
			n = same
		}
	}
	if n == nil {
		n = &node{id: t.next, typ: a.Mode.Type(), srv: a.ID, ino: a.ID}
		t.next++
		t.byID[n.id] = n
		if a.ID != 0 && !a.Mode.IsDir() {
			t.bySrv[a.ID] = n
		}
	}
	n.lookups++
	if n != cur {
		t.dropLocked(parent, name)
		t.linkLocked(n, parent, name, asked)
	} else {
		t.confirmLocked(n, parent, name, asked)
	}
	if n.ino == 0 {
		p, _ := t.pathLocked(n)
		n.ino = inoOf(p)
		for i := 0; t.inos[n.ino] != nil; i++ {
			n.ino = inoOf(p + "\x00" + strconv.Itoa(i))
		}
		t.inos[n.ino] = n
	}
	t.learnLocked(n, a, asked)
	return n
}

// learn keeps what the server said about the node.
func (t *tree) learn(n *node, a wnet.Attr, asked time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.learnLocked(n, a, asked)
}

func (t *tree) learnLocked(n *node, a wnet.Attr, asked time.Time) {
	if asked.After(n.floor) && !asked.Before(n.asked) {
		n.attr, n.asked = a, asked
	}
}

// change notes that the node was changed through this mount, so that what was asked before counts no more.
func (t *tree) change(nodes ...*node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	now := time.Now()
	for _, n := range nodes {
		n.changed, n.floor, n.asked, n.filled, n.leased = t.seq, now, time.Time{}, filling{}, false
	}
}

func (t *tree) linkLocked(n, parent *node, name string, told time.Time) {
	if parent.children == nil {
		parent.children = map[string]*node{}
	}
	parent.children[name] = n
	delete(parent.absent, name)
	n.links = append(n.links, link{parent, name, told})
	n.more = false
}

// confirmLocked puts the name last, where path takes it from.
func (t *tree) confirmLocked(n, parent *node, name string, told time.Time) {
	last := len(n.links) - 1
	for i, l := range n.links {
		if l.parent == parent && l.name == name {
			if told.After(l.told) {
				n.links[i].told = told
			}
			n.links[i], n.links[last] = n.links[last], n.links[i]
			return
		}
	}
}

// drop forgets the name, which is gone on the server.
func (t *tree) drop(parent *node, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropLocked(parent, name)
}

func (t *tree) dropLocked(parent *node, name string) {
	n := parent.children[name]
	if n == nil {
		return
	}
	delete(parent.children, name)
	for i, l := range n.links {
		if l.parent == parent && l.name == name {
			n.links = append(n.links[:i], n.links[i+1:]...)
			break
		}
	}
	if len(n.links) == 0 {
		n.more = n.attr.Nlink > 1
		if !n.more && t.bySrv[n.srv] == n {
			delete(t.bySrv, n.srv) // servers use a number again
		}
	}
	t.collectLocked(n)
	t.collectLocked(parent)
}

// move gives the node another name, as a rename did on the server. What had that name has lost it.
func (t *tree) move(from *node, fromName string, to *node, toName string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := from.children[fromName]
	if n != nil && n == to.children[toName] {
		return // two names of one file: rename(2) leaves both
	}
	t.dropLocked(to, toName)
	if n == nil {
		return
	}
	delete(from.children, fromName)
	for i, l := range n.links {
		if l.parent == from && l.name == fromName {
			n.links = append(n.links[:i], n.links[i+1:]...)
			break
		}
	}
	t.linkLocked(n, to, toName, time.Now())
	t.collectLocked(from)
}

// forget takes back n references of the kernel's.
func (t *tree) forget(id, count uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.byID[id]
	if n == nil || n == t.root {
		return
	}
	n.lookups -= min(count, n.lookups)
	t.collectLocked(n)
}

// collectLocked takes the node out if nothing refers to it, and then its folders. A folder stays while something below it is known: the
// kernel does not promise to forget the children first.
func (t *tree) collectLocked(n *node) {
	if n == t.root || n.lookups > 0 || len(n.children) > 0 || len(n.handles) > 0 || t.byID[n.id] != n {
		return
	}
	delete(t.byID, n.id)
	if t.bySrv[n.srv] == n {
		delete(t.bySrv, n.srv)
	}
	if t.inos[n.ino] == n {
		delete(t.inos, n.ino)
	}
	links := n.links
	n.links = nil
	for _, l := range links {
		if l.parent.children[l.name] == n {
			delete(l.parent.children, l.name)
		}
		t.collectLocked(l.parent)
	}
}

// size is the number of nodes, for tests.
func (t *tree) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}

// validName reports whether a name can be one in the contract, which is UTF-8 throughout.
func validName(name string) bool { return utf8.ValidString(name) && fs.ValidPath(name) && name != "." }
