package redial

import (
	"context"
	"errors"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// names knows under which path each open file is to be found now, and by what it can be told from another one.
type names struct {
	mu     sync.Mutex       // guards everything here, and every field of every node and move
	nodes  map[string]*node // by path; files that were removed are in none
	moves  map[*move]struct{}
	looks  map[*look]struct{} // under way, by path
	recent recent
}

// node is one file that is open at least once.
type node struct {
	path    string
	users   int  // Files
	removed bool // its path is not its own any more
	unsure  bool // its path may not be its own any more: only the server's number can tell

	moves   int           // renames and removals under way that concern it
	moved   int           // how often one began or ended
	settled chan struct{} // closed when moves falls to 0; nil while it is 0

	seen  wnet.Attr // as last seen; only ID counts where fresh is false
	fresh bool      // Size and ModTime are what the server has, as far as this connection's own doings go
	doing int       // changes of it under way
	done  int       // how often one began or ended
}

// move is a rename or a removal under way.
type move struct {
	from, to string // to is "" for a removal
	nodes    []*node
}

func newNames() *names {
	return &names{nodes: map[string]*node{}, moves: map[*move]struct{}{}, looks: map[*look]struct{}{}}
}

// below returns the part of path under top: "" for top itself.
func below(path, top string) (rest string, ok bool) {
	if path == top {
		return "", true
	}
	if top != "" && strings.HasPrefix(path, top) && path[len(top)] == '/' {
		return path[len(top):], true
	}
	return "", false
}

// maybeBelow is below for a server that does not tell cases apart.
func maybeBelow(path, top string) bool {
	return top != "" && len(path) >= len(top) && strings.EqualFold(path[:len(top)], top) && (len(path) == len(top) || path[len(top)] == '/')
}

func (m *move) concerns(n *node) bool {
	return !n.removed && (maybeBelow(n.path, m.from) || maybeBelow(n.path, m.to))
}

// enter notes a File for path, before the server is asked to open it: what is renamed meanwhile is noticed.
func (t *names) enter(path string) (n *node, moved int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n = t.nodes[path]
	if n == nil {
		n = &node{path: path}
		t.nodes[path] = n
		for m := range t.moves {
			if m.concerns(n) {
				t.join(m, n)
			}
		}
	}
	n.users++
	return n, n.moved
}

// leave is the end of a File.
func (t *names) leave(n *node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.users--; n.users == 0 && t.nodes[n.path] == n {
		delete(t.nodes, n.path)
	}
}

// opened ends what enter began: moved is enter's. It returns the node that the File is to have: another one where the path turns out
// to name another file than those that are open have.
func (t *names) opened(n *node, moved int, a wnet.Attr, known bool) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.moved != moved || n.moves > 0 {
		n.unsure = true // opened before or after? Nobody knows.
	}
	if !known {
		return n
	}
	first := n.users == 1
	switch {
	case first:
	case n.seen.ID != 0 && a.ID != 0 && n.seen.ID != a.ID,
		(n.seen.ID == 0 || a.ID == 0) && n.fresh && !same(n.seen, a):
		// Somebody else put another file there.
		n.users--
		n.unsure = true
		old := n
		n = &node{path: old.path, users: 1, unsure: old.removed || old.moves > 0}
		if t.nodes[old.path] == old {
			t.nodes[old.path] = n
		} else {
			n.unsure = true
		}
	}
	if n.doing == 0 {
		n.seen, n.fresh = a, true
	} else if n.seen.ID == 0 {
		n.seen.ID = a.ID
	}
	return n
}

func (t *names) join(m *move, n *node) {
	m.nodes = append(m.nodes, n)
	n.moves++
	n.moved++
	if n.settled == nil {
		n.settled = make(chan struct{})
	}
}

func (t *names) begin(m *move) *move {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moves[m] = struct{}{}
	for _, n := range t.nodes {
		if m.concerns(n) {
			t.join(m, n)
		}
	}
	t.forget(m.from, true)
	t.forget(m.to, true)
	return m
}

func (t *names) renaming(from, to string) *move { return t.begin(&move{from: from, to: to}) }
func (t *names) removing(name string) *move     { return t.begin(&move{from: name}) }

// settle ends a move: err is its outcome.
func (t *names) settle(m *move, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.moves, m)
	t.forget(m.from, true)
	t.forget(m.to, true)
	var add []*node
	for _, n := range m.nodes {
		n.moves--
		n.moved++
		if n.moves == 0 {
			close(n.settled)
			n.settled = nil
		}
		if n.removed {
			continue
		}
		rest, ours := below(n.path, m.from)
		_, target := below(n.path, m.to)
		switch {
		case err == nil && m.from == m.to:
		case err == nil && ours && m.to == "":
			t.detach(n)
			n.removed = true
		case err == nil && ours:
			t.detach(n)
			n.path = m.to + rest
			add = append(add, n)
		case err == nil && target && m.to != "":
			t.detach(n)
			n.removed = true
		case err == nil || uncertain(err):
			n.unsure = true // done perhaps, or done to it under another spelling
		}
	}
	for _, n := range add {
		if other := t.nodes[n.path]; other != nil && other != n {
			other.unsure, n.unsure = true, true // opened while it was renamed: either may be there
		}
		t.nodes[n.path] = n
	}
}

func (t *names) detach(n *node) {
	if t.nodes[n.path] == n {
		delete(t.nodes, n.path)
	}
}

// uncertain reports whether an operation that failed with err may have been done all the same.
func uncertain(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) ||
		errors.Is(err, win32.ERROR_NETNAME_DELETED) {
		return true
	}
	return !hasErrno(err)
}

// same compares what servers without file numbers tell: it takes another file of the same size and time for the same one, as
// nothing better is known.
func same(a, b wnet.Attr) bool {
	return a.Size == b.Size && a.ModTime.Equal(b.ModTime)
}

// look is a look at a path, or at an open file, from its beginning on.
type look struct {
	path string // "" for an open file: its path may name another one by now
	n    *node  // nil where nothing is open there
	done int    // n.done then
	void bool   // the path was renamed, removed or changed since
}

// look begins a look at path. saw ends it.
func (t *names) look(path string) *look {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := &look{path: path, n: t.nodes[path]}
	if l.n != nil {
		l.done = l.n.done
	}
	t.looks[l] = struct{}{}
	return l
}

// glance begins a look at an open file.
func (t *names) glance(n *node) *look {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &look{n: n, done: n.done}
}

// saw ends a look and notes the attributes, unless something was changed meanwhile, so that nobody knows whether they are from before or
// after.
func (t *names) saw(l *look, a wnet.Attr, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.looks, l)
	if err != nil {
		return
	}
	if l.path != "" && !l.void {
		t.recent.add(l.path, a, time.Now())
	}
	n := l.n
	if n == nil || n.seen.ID != 0 && a.ID != 0 && n.seen.ID != a.ID {
		return // nothing is open there, or not what this look was at
	}
	if n.done == l.done && n.doing == 0 {
		n.seen, n.fresh = a, true
	}
}

// sawAll notes what a list of the folder dir, begun by look, told.
func (t *names) sawAll(l *look, all []wnet.Attr, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.looks, l)
	if err != nil || l.void || len(all) > recentMax {
		return
	}
	now := time.Now()
	for _, a := range all {
		if a.Mode.IsRegular() {
			t.recent.add(path.Join(l.path, a.Name), a, now)
		}
	}
}

// forget voids what was seen at a path: it is changed. With below, what was seen below it too: it is renamed or removed. The caller
// holds mu.
func (t *names) forget(name string, below bool) {
	if name == "" {
		return
	}
	for l := range t.looks {
		// A list of the folder above is void too, as is a look at the path in another spelling.
		if maybeBelow(l.path, name) || maybeBelow(name, l.path) || l.path == "." {
			l.void = true
		}
	}
	t.recent.forget(name, below)
}

// recall returns attributes of path that were seen a moment ago.
func (t *names) recall(path string) (wnet.Attr, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.recent.get(path, time.Now())
}

// change begins a change of an open file's content or attributes, and returns what ends it.
func (t *names) change(n *node) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n.doing++
	n.done++
	n.fresh = false
	t.forget(n.path, false)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		n.doing--
		n.done++
		n.fresh = false
		t.forget(n.path, false)
	}
}

// changing is change for a path; the attributes afterwards are noted where the change succeeded.
func (t *names) changing(path string) (end func(wnet.Attr, error)) {
	t.mu.Lock()
	n := t.nodes[path]
	t.forget(path, false)
	t.mu.Unlock()
	if n == nil {
		return func(wnet.Attr, error) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.forget(path, false)
		}
	}
	done := t.change(n)
	return func(a wnet.Attr, err error) {
		done()
		t.saw(t.glance(n), a, err)
	}
}

// place is where a file may be opened again.
type place struct {
	path  string
	moved int
	wait  chan struct{} // not nil: a rename is under way, ask again when this is closed
}

// errGone is why a file can't be opened again.
var errGone = errors.New("it had been removed or replaced by then")

// place tells where n is.
func (t *names) place(n *node) (place, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.removed {
		return place{}, errGone
	}
	return place{n.path, n.moved, n.settled}, nil
}

// verify decides whether a, just opened at p, is n. again means that something was renamed meanwhile.
func (t *names) verify(n *node, p place, a wnet.Attr) (again bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case n.moved != p.moved:
		return true, nil
	case n.seen.ID != 0 && a.ID != 0:
		if n.seen.ID != a.ID {
			return false, errors.New("another file has its name now")
		}
		n.unsure = false
	case n.unsure:
		return false, errors.New("it may have been renamed or replaced when the connection was lost")
	case !n.fresh:
		return false, errors.New("nothing is known by which to tell it from another file")
	case !same(n.seen, a):
		return false, errors.New("it was changed or replaced meanwhile")
	}
	if n.doing == 0 {
		n.seen, n.fresh = a, true
	}
	return false, nil
}

// unchanged reports whether a, the attributes of n as they are now, show what n was last known to be.
func (t *names) unchanged(n *node, a wnet.Attr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return n.fresh && same(n.seen, a)
}

// numbered reports whether the server has a number for n.
func (t *names) numbered(n *node) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return n.seen.ID != 0
}

// recent keeps what was seen of paths a moment ago, for the open that mostly follows a look. It holds two generations of up to
// recentMax, by path in lower case.
type recent struct {
	young, old map[string]recentAttr
}

type recentAttr struct {
	path string
	attr wnet.Attr
	when time.Time
}

const (
	recentMax = 256
	recentAge = 5 * time.Second
)

func (r *recent) add(path string, a wnet.Attr, now time.Time) {
	if r.young == nil || len(r.young) >= recentMax {
		r.young, r.old = map[string]recentAttr{}, r.young
	}
	r.young[strings.ToLower(path)] = recentAttr{path, a, now}
}

func (r *recent) get(path string, now time.Time) (wnet.Attr, bool) {
	key := strings.ToLower(path)
	e, ok := r.young[key]
	if !ok {
		e, ok = r.old[key]
	}
	return e.attr, ok && e.path == path && now.Sub(e.when) < recentAge
}

// forget takes out a path in any spelling, and with below what is below it.
func (r *recent) forget(name string, below bool) {
	key := strings.ToLower(name)
	delete(r.young, key)
	delete(r.old, key)
	if !below {
		return
	}
	for _, m := range [...]map[string]recentAttr{r.young, r.old} {
		for p := range m {
			if maybeBelow(p, key) {
				delete(m, p)
			}
		}
	}
}
