package providertest

import (
	"fmt"
	"io/fs"

	"github.com/openwnet/wnet"
)

// listChecks are about ReadDir and the attributes.
func listChecks() []Check {
	return []Check{
		{"list/complete", "ReadDir lists all of 1,000 entries, each once, without \".\" and \"..\".", "", connected(listComplete)},
		{"list/attrs", "ReadDir's attributes are those of Stat.", "", connected(listAttrs)},
		{"list/owned", "The caller owns what ReadDir returns.", "", connected(listOwned)},
		{"list/fresh", "ReadDir shows what was made and removed just before.", "", connected(listFresh)},
		{"attr/ids", "An ID is a file's own, the same in every answer, and stays when the file is renamed or written.", "", connected(ids)},
		{"attr/times", "ModTime is set, and moves on when the file is written.", "", connected(times)},
	}
}

func listComplete(e *env) {
	e.mkdir("d")
	want := make([]string, 1000)
	for i := range want {
		want[i] = fmt.Sprintf("entry %04d with a name of some length, so that a listing takes several answers", i)
	}
	e.all(8, func(w int) {
		for i := w; i < len(want); i += 8 {
			if i%10 == 0 {
				e.mkdir("d/" + want[i])
				continue
			}
			e.close(e.open("d/"+want[i], create))
		}
	})
	e.names("d", want...)
	for name, a := range e.list("d") {
		var i int
		fmt.Sscanf(name, "entry %d", &i)
		eq(e, name+" is a folder", isDir(a), i%10 == 0)
	}
}

func listAttrs(e *env) {
	e.mkdir("d")
	e.mkdir("d/folder")
	e.put("d/empty", "")
	e.put("d/full", noise(5, 12_345))
	if s, ok := e.fs.(wnet.Symlinker); ok {
		e.ok("Symlink", s.Symlink(e.ctx, "full", "d/link"))
	}
	if s, ok := e.fs.(wnet.AttrSetter); ok {
		mode := fs.FileMode(0o600)
		_, err := s.SetAttr(e.ctx, "d/empty", wnet.AttrChange{Mode: &mode})
		e.ok("SetAttr", err)
	}
	for name, a := range e.list("d") {
		e.same("ReadDir against Stat of "+name, a, e.stat("d/"+name))
	}
	eq(e, "the listed size", e.list("d")["full"].Size, 12_345)
	f := e.open("d/full", reading)
	a, err := f.Stat(e.ctx)
	e.ok("Stat of a File", err)
	e.same("a File's Stat against the name's", a, e.stat("d/full"))
	e.close(f)
}

func listOwned(e *env) {
	e.put("a", "")
	e.put("b", "")
	all, err := e.fs.ReadDir(e.ctx, ".")
	e.ok("ReadDir", err)
	for i := range all {
		all[i] = wnet.Attr{Name: "overwritten"}
	}
	e.names(".", "a", "b")
}

func listFresh(e *env) {
	for i := range 20 {
		name := fmt.Sprint("f", i)
		e.put(name, "")
		e.names(".", name)
		e.ok("Remove", e.fs.Remove(e.ctx, name, false))
		e.names(".")
		e.mkdir(name)
		e.names(".", name)
		e.ok("Remove", e.fs.Remove(e.ctx, name, true))
		e.names(".")
	}
}

func ids(e *env) {
	e.put("a", "text")
	e.put("b", "text")
	e.mkdir("d")
	a, b, d := e.stat("a").ID, e.stat("b").ID, e.stat("d").ID
	if a == 0 && b == 0 && d == 0 {
		return // the server has none, which is allowed
	}
	if a == b || a == d || b == d || a == 0 || b == 0 || d == 0 {
		e.fail("the IDs of two files and a folder: got %d, %d and %d, want three different ones", a, b, d)
	}
	eq(e, "the ID that ReadDir gives", e.list(".")["a"].ID, a)
	f := e.open("a", both)
	e.write(f, "changed", 0)
	st, err := f.Stat(e.ctx)
	e.ok("Stat of a File", err)
	eq(e, "the ID that a File gives", st.ID, a)
	e.close(f)
	e.rename("a", "d/moved")
	eq(e, "the ID after Rename", e.stat("d/moved").ID, a)
	e.rename("d", "e")
	eq(e, "a folder's ID after Rename", e.stat("e").ID, d)
}

func times(e *env) {
	e.put("f", "text")
	first := e.stat("f").ModTime
	if first.IsZero() {
		e.fail("ModTime of a new file: got none, want the time of its making")
	}
	s, ok := e.fs.(wnet.AttrSetter)
	if !ok {
		return // without it, the server's clock would have to be waited for
	}
	past := first.AddDate(-1, 0, 0)
	_, err := s.SetAttr(e.ctx, "f", wnet.AttrChange{ModTime: &past})
	e.ok("SetAttr", err)
	f := e.open("f", both)
	e.write(f, "T", 0)
	e.close(f)
	if now := e.stat("f").ModTime; now.Unix() < first.Unix() {
		e.fail("ModTime after a write: got %v, want at least %v", now, first)
	}
}
