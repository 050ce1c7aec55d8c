package providertest

import (
	"sync"
	"time"

	"github.com/openwnet/wnet"
)

// leaseChecks are about Leaser. What a server does not promise, it need not break: the checks see to what it does.
func leaseChecks() []Check {
	return []Check{
		{"lease/data", "Where a file's content is promised, a change by another connection is told.", "Leaser", connected(leaseData)},
		{"lease/attr", "Where attributes are promised, a change by another connection is told.", "Leaser", connected(leaseAttr)},
		{"lease/names", "Where a folder's names are promised, one that comes, goes or is changed by another connection is told.", "Leaser",
			connected(leaseNames)},
		{"lease/ended", "When a break is told, Lease does not promise any more what it ends.", "Leaser", connected(leaseEnded)},
		{"lease/stop", "After stop, no break is told.", "Leaser", connected(leaseStop)},
	}
}

// watch notes the breaks that a file system tells.
type watch struct {
	fs   wnet.Leaser
	stop func()

	mu    sync.Mutex // guards what follows
	seen  []wnet.Break
	after wnet.Lease
	news  chan struct{}
}

func (e *env) watch() *watch {
	w := &watch{fs: e.fs.(wnet.Leaser), news: make(chan struct{}, 1)}
	w.stop = w.fs.OnBreak(func(b wnet.Break) {
		var after wnet.Lease
		if b.Name != "" {
			after = w.fs.Lease(b.Name) & b.Lease
		}
		w.mu.Lock()
		w.seen = append(w.seen, b)
		w.after |= after
		w.mu.Unlock()
		select {
		case w.news <- struct{}{}:
		default:
		}
	})
	return w
}

// told waits for a break that is about the name or number, and reports whether it came.
func (w *watch) told(e *env, name string, id uint64, ok func(wnet.Break) bool) bool {
	t := time.NewTimer(e.tg.patience())
	defer t.Stop()
	for {
		w.mu.Lock()
		for _, b := range w.seen {
			if b.All || (b.Name == name || b.ID != 0 && b.ID == id) && ok(b) {
				w.mu.Unlock()
				return true
			}
		}
		w.mu.Unlock()
		select {
		case <-w.news:
		case <-t.C:
			return false
		}
	}
}

func ends(l wnet.Lease) func(wnet.Break) bool {
	return func(b wnet.Break) bool { return b.Lease&l != 0 }
}

// other is a second connection, which the check closes.
func (e *env) other() *env {
	o := &env{ctx: e.ctx, tg: e.tg, conn: e.connect()}
	o.fs = o.conn.FS()
	return o
}

func leaseData(e *env) {
	e.put("f", "text")
	o := e.other()
	defer o.conn.Close()
	w := e.watch()
	defer w.stop()
	f := e.open("f", reading)
	e.holds("the file", f, "text")
	id := e.stat("f").ID
	if w.fs.Lease("f")&wnet.LeaseData == 0 {
		return
	}
	g := o.open("f", both)
	o.write(g, "TEXT", 0)
	if !w.told(e, "f", id, ends(wnet.LeaseData)) {
		e.fail("after another connection wrote: got no break of what was promised about the content, want one")
	}
	e.holds("the file after the break", f, "TEXT")
	o.close(g)
	e.close(f)
}

func leaseAttr(e *env) {
	e.put("f", "text")
	o := e.other()
	defer o.conn.Close()
	w := e.watch()
	defer w.stop()
	id := e.stat("f").ID
	if w.fs.Lease("f")&wnet.LeaseAttr == 0 {
		return
	}
	g := o.open("f", both)
	o.ok("Truncate", g.Truncate(e.ctx, 100))
	if !w.told(e, "f", id, ends(wnet.LeaseAttr)) {
		e.fail("after another connection changed the size: got no break of what was promised about attributes, want one")
	}
	eq(e, "the size after the break", e.stat("f").Size, 100)
	o.close(g)
}

func leaseNames(e *env) {
	e.mkdir("d")
	e.put("d/old", "text")
	o := e.other()
	defer o.conn.Close()
	for what, change := range map[string]struct {
		name string
		do   func()
	}{
		"made a file":   {"d/new", func() { o.put("d/new", "text") }},
		"made a folder": {"d/sub", func() { o.mkdir("d/sub") }},
		"removed":       {"d/old", func() { o.ok("Remove", o.fs.Remove(e.ctx, "d/old", false)) }},
		"renamed":       {"d/moved", func() { o.put("x", "text"); o.rename("x", "d/moved") }},
	} {
		w := e.watch()
		e.list("d")
		id := e.stat("d").ID
		if w.fs.Lease("d")&wnet.LeaseNames == 0 {
			w.stop()
			continue
		}
		change.do()
		if !w.told(e, "d", id, ends(wnet.LeaseNames)) && !w.told(e, change.name, 0, func(b wnet.Break) bool { return b.Entry }) {
			e.fail("after another connection %s: got no break of what was promised about names, want one", what)
		}
		w.stop()
	}
}

func leaseEnded(e *env) {
	e.put("f", "text")
	o := e.other()
	defer o.conn.Close()
	w := e.watch()
	defer w.stop()
	id := e.stat("f").ID
	e.list(".")
	if w.fs.Lease("f")&wnet.LeaseAttr == 0 {
		return
	}
	o.put("f", "something else")
	w.told(e, "f", id, ends(wnet.LeaseAttr))
	o.put("g", "new")
	w.told(e, ".", 0, ends(wnet.LeaseNames))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.after != 0 || w.fs.Lease("f")&wnet.LeaseAttr != 0 {
		e.fail("Lease when a break was told: got what had ended, want it gone")
	}
}

func leaseStop(e *env) {
	e.put("f", "text")
	o := e.other()
	defer o.conn.Close()
	w, x := e.watch(), e.watch()
	defer x.stop()
	id := e.stat("f").ID
	if w.fs.Lease("f")&wnet.LeaseAttr == 0 {
		return
	}
	w.stop()
	o.put("f", "something else")
	x.told(e, "f", id, ends(wnet.LeaseAttr))
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) > 0 {
		e.fail("after stop: got %+v, want no break", w.seen)
	}
}
