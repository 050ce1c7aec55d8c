package mem

import (
	"strings"
	"sync"

	"github.com/openwnet/wnet"
)

// book is which connections were promised what (ShareOptions.Leases). Whatever a connection is told comes with a promise, and a change that
// another one makes returns when all those who were promised otherwise have been told.
type book struct {
	mu   sync.Mutex // guards held
	held map[*node]map[*conn]wnet.Lease
}

// leased is a fileSystem that tells what it was promised.
type leased struct{ fileSystem }

var _ wnet.Leaser = leased{}

// Lease implements wnet.Leaser.
func (f leased) Lease(name string) wnet.Lease {
	n, err := f.c.share.tree.get(f.c.top, name)
	if err != nil {
		return 0
	}
	f.c.mu.Lock()
	ended := f.c.err != nil
	f.c.mu.Unlock()
	if ended {
		return 0
	}
	b := &f.c.share.book
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held[n][f.c]
}

// OnBreak implements wnet.Leaser.
func (f leased) OnBreak(tell func(wnet.Break)) (stop func()) {
	c, key := f.c, new(pending)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.breaks == nil {
		c.breaks = map[*pending]func(wnet.Break){}
	}
	c.breaks[key] = tell
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.breaks, key)
	}
}

// promise notes what the connection is about to be told about n: before that is looked up, so that no change falls between.
func (c *conn) promise(n *node) {
	s := c.share
	if !s.opts.Leases || c.local || n == nil {
		return
	}
	l := wnet.LeaseAttr | wnet.LeaseData
	if n.dir() {
		l = wnet.LeaseAttr | wnet.LeaseNames
	}
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	if s.book.held == nil {
		s.book.held = map[*node]map[*conn]wnet.Lease{}
	}
	if s.book.held[n] == nil {
		s.book.held[n] = map[*conn]wnet.Lease{}
	}
	s.book.held[n][c] |= l
}

// forget takes a connection that has ended out of the book.
func (b *book) forget(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, by := range b.held {
		if delete(by, c); len(by) == 0 {
			delete(b.held, n)
		}
	}
}

// revoke takes promises about n from all but one connection, and returns who had one.
func (b *book) revoke(by *conn, n *node, l wnet.Lease) (who []*conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c, had := range b.held[n] {
		if c == by || had&l == 0 {
			continue
		}
		who = append(who, c)
		if b.held[n][c] = had &^ l; had&^l == 0 {
			delete(b.held[n], c)
		}
	}
	if len(b.held[n]) == 0 {
		delete(b.held, n)
	}
	return who
}

// tell gives news to connections and returns when all have taken it.
func tell(who []*conn, news func(*conn) []wnet.Break) {
	var wg sync.WaitGroup
	for _, c := range who {
		c.mu.Lock()
		fs := make([]func(wnet.Break), 0, len(c.breaks))
		for _, f := range c.breaks {
			fs = append(fs, f)
		}
		c.mu.Unlock()
		for _, b := range news(c) {
			for _, f := range fs {
				wg.Go(func() { f(b) })
			}
		}
	}
	wg.Wait()
}

// changed tells the other connections that a file or folder has changed. The caller holds no lock.
func (c *conn) changed(n *node, l wnet.Lease, entry bool) {
	s := c.share
	if !s.opts.Leases || n == nil {
		return
	}
	tell(s.book.revoke(c, n, l), func(to *conn) []wnet.Break {
		b := wnet.Break{ID: n.id, Lease: l, Entry: entry}
		if n.dir() {
			b.Name, _ = s.tree.pathOf(n, to.top)
		}
		return []wnet.Break{b}
	})
}

// named tells the other connections that a name has come, gone or changed its file. The caller holds no lock.
func (c *conn) named(name string) {
	s := c.share
	if !s.opts.Leases {
		return
	}
	s.tree.mu.RLock()
	p, err := s.tree.find(c.top, name)
	s.tree.mu.RUnlock()
	if err != nil || p.dir == nil {
		return
	}
	const l = wnet.LeaseAttr | wnet.LeaseNames
	tell(s.book.revoke(c, p.dir, l), func(to *conn) []wnet.Break {
		dir, ok := s.tree.pathOf(p.dir, to.top)
		if !ok {
			return []wnet.Break{{ID: p.dir.id, Lease: l}}
		}
		name := p.name
		if dir != "." {
			name = dir + "/" + p.name
		}
		return []wnet.Break{{Name: dir, ID: p.dir.id, Lease: l}, {Name: name, Entry: true}}
	})
}

// pathOf returns a folder's path from top, false if it is not below.
func (t *tree) pathOf(dir, top *node) (string, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var parts []string
	for dir != top {
		if dir.parent == nil {
			return "", false
		}
		for name, n := range dir.parent.children {
			if n == dir {
				parts = append([]string{name}, parts...)
				break
			}
		}
		dir = dir.parent
	}
	if len(parts) == 0 {
		return ".", true
	}
	return strings.Join(parts, "/"), true
}

// before returns what has the name now, for telling of its change afterwards; nil if nothing has, or nobody is to be told.
func (c *conn) before(name string) *node {
	if !c.share.opts.Leases {
		return nil
	}
	n, _ := c.share.tree.get(c.top, name)
	return n
}

const everything = wnet.LeaseAttr | wnet.LeaseData | wnet.LeaseNames

// fileChanged is changed for a file's content.
func (f *file) fileChanged() { f.c.changed(f.n, wnet.LeaseAttr|wnet.LeaseData, false) }

// BreakAll ends every promise to every connection, as a server does that restarts. It returns when all have taken it.
func (s *Share) BreakAll() {
	s.mu.Lock()
	who := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		who = append(who, c)
	}
	s.mu.Unlock()
	s.book.mu.Lock()
	s.book.held = nil
	s.book.mu.Unlock()
	tell(who, func(*conn) []wnet.Break { return []wnet.Break{{All: true}} })
}
