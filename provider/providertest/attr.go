package providertest

import (
	"io/fs"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
)

// attrChecks are about AttrSetter, FileAttrSetter and Statfser.
func attrChecks() []Check {
	return []Check{
		{"attr/answer", "SetAttr returns the attributes after the change, as Stat gives them, whatever part the server keeps.", "AttrSetter",
			connected(attrAnswer)},
		{"attr/mode", "The permission bits that SetAttr sets are kept.", "AttrSetter", connected(attrMode)},
		{"attr/create-mode", "A new file or folder has the permission bits that it was made with.", "AttrSetter", connected(createMode)},
		{"attr/set-times", "The times that SetAttr sets are kept, to the second, also of folders.", "AttrSetter", connected(attrTimes)},
		{"attr/size", "SetAttr cuts and extends a file.", "AttrSetter", connected(attrSize)},
		{"attr/errors", "A size for a folder is refused, and then nothing else is changed.", "AttrSetter", connected(attrErrors)},
		{"attr/open-file", "A File's SetAttr works as the name's does, also after Rename and Remove.", "FileAttrSetter", connected(fileAttr)},
		{"attr/room", "Statfs tells a room that can be true.", "Statfser", connected(room)},
	}
}

func (e *env) setAttr(name string, c wnet.AttrChange) wnet.Attr {
	a, err := e.fs.(wnet.AttrSetter).SetAttr(e.ctx, name, c)
	e.ok("SetAttr of "+name, err)
	return a
}

func attrAnswer(e *env) {
	e.put("f", "text")
	e.mkdir("d")
	mode, when, size := fs.FileMode(0o640), time.Unix(1_000_000_000, 0), int64(2)
	e.same("SetAttr's answer for a mode", e.setAttr("f", wnet.AttrChange{Mode: &mode}), e.stat("f"))
	e.same("SetAttr's answer for a time", e.setAttr("f", wnet.AttrChange{ModTime: &when}), e.stat("f"))
	e.same("SetAttr's answer for a size", e.setAttr("f", wnet.AttrChange{Size: &size}), e.stat("f"))
	e.same("SetAttr's answer for nothing", e.setAttr("f", wnet.AttrChange{}), e.stat("f"))
	e.same("SetAttr's answer for a folder", e.setAttr("d", wnet.AttrChange{ModTime: &when}), e.stat("d"))
	e.has("f", "te")
}

func attrMode(e *env) {
	e.put("f", "text")
	e.mkdir("d")
	for _, mode := range []fs.FileMode{0o600, 0o755, 0o444, 0o644} {
		e.setAttr("f", wnet.AttrChange{Mode: &mode})
		eq(e, "a file's mode", e.stat("f").Mode, mode)
		eq(e, "the listed mode", e.list(".")["f"].Mode, mode)
	}
	mode := fs.FileMode(0o700)
	e.setAttr("d", wnet.AttrChange{Mode: &mode})
	eq(e, "a folder's mode", e.stat("d").Mode, mode|fs.ModeDir)
	e.has("f", "text")
}

func createMode(e *env) {
	f, err := e.fs.Open(e.ctx, "f", create, 0o640)
	e.ok("Open to create", err)
	e.close(f)
	eq(e, "a new file's mode", e.stat("f").Mode, 0o640)
	f, err = e.fs.Open(e.ctx, "f", create, 0o600)
	e.ok("Open of what is there", err)
	e.close(f)
	eq(e, "the mode of a file that was there", e.stat("f").Mode, 0o640)
	e.ok("Mkdir", e.fs.Mkdir(e.ctx, "d", 0o750))
	eq(e, "a new folder's mode", e.stat("d").Mode, 0o750|fs.ModeDir)
}

func attrTimes(e *env) {
	e.put("f", "text")
	e.mkdir("d")
	m, a := time.Unix(1_000_000_000, 0), time.Unix(1_100_000_000, 0)
	for _, name := range []string{"f", "d"} {
		e.setAttr(name, wnet.AttrChange{ModTime: &m, AccessTime: &a})
		st := e.stat(name)
		eq(e, name+"'s ModTime", st.ModTime.Unix(), m.Unix())
		if !st.AccessTime.IsZero() {
			eq(e, name+"'s AccessTime", st.AccessTime.Unix(), a.Unix())
		}
		later := m.Add(time.Hour)
		e.setAttr(name, wnet.AttrChange{ModTime: &later})
		st = e.stat(name)
		eq(e, name+"'s ModTime, set alone", st.ModTime.Unix(), later.Unix())
		if !st.AccessTime.IsZero() {
			eq(e, name+"'s AccessTime, left alone", st.AccessTime.Unix(), a.Unix())
		}
	}
	e.has("f", "text")
}

func attrSize(e *env) {
	e.put("f", "something")
	for _, c := range []struct {
		size int64
		want string
	}{{4, "some"}, {6, "some\x00\x00"}, {0, ""}} {
		a := e.setAttr("f", wnet.AttrChange{Size: &c.size})
		eq(e, "SetAttr's size", a.Size, c.size)
		e.has("f", c.want)
	}
}

func attrErrors(e *env) {
	e.mkdir("d")
	before := e.stat("d")
	size, when := int64(1), time.Unix(1_000_000_000, 0)
	if _, err := e.fs.(wnet.AttrSetter).SetAttr(e.ctx, "d", wnet.AttrChange{Size: &size, ModTime: &when}); err == nil {
		e.fail("SetAttr of a folder's size: got success, want an error such as EISDIR")
	}
	e.same("the folder after a refused SetAttr", e.stat("d"), before)
}

func fileAttr(e *env) {
	e.put("f", "something")
	f := e.open("f", both)
	s, ok := f.(wnet.FileAttrSetter)
	if !ok {
		e.fail("a File opened to read and write: got one without FileAttrSetter, want it as the others")
	}
	when, size := time.Unix(1_000_000_000, 0), int64(4)
	a, err := s.SetAttr(e.ctx, wnet.AttrChange{ModTime: &when})
	e.ok("SetAttr of a File", err)
	eq(e, "the ModTime in its answer", a.ModTime.Unix(), when.Unix())
	eq(e, "the name's ModTime", e.stat("f").ModTime.Unix(), when.Unix())
	e.rename("f", "g")
	e.put("f", "another")
	a, err = s.SetAttr(e.ctx, wnet.AttrChange{Size: &size})
	e.ok("SetAttr of a renamed File", err)
	eq(e, "the size in its answer", a.Size, size)
	e.holds("the renamed file", f, "some")
	e.has("f", "another")
	e.ok("Remove", e.fs.Remove(e.ctx, "g", false))
	a, err = s.SetAttr(e.ctx, wnet.AttrChange{ModTime: &when})
	e.ok("SetAttr of a removed File", err)
	eq(e, "the ModTime in its answer", a.ModTime.Unix(), when.Unix())
	e.close(f)
	if _, err := e.fs.Stat(e.ctx, "g"); err == nil {
		e.errno("Stat of a file whose attributes were set after it was removed", err, syscall.ENOENT)
	}
}

func room(e *env) {
	st, err := e.fs.(wnet.Statfser).Statfs(e.ctx)
	e.ok("Statfs", err)
	if st.Total == 0 || st.Free > st.Total || st.Available > st.Total || st.FilesFree > st.Files {
		e.fail("Statfs: got %+v, want a Total, and no more free than there is", st)
	}
	if st.NameMax != 0 && st.NameMax < 255 {
		e.fail("Statfs: got names of %d bytes at most, want 255 or more, or 0", st.NameMax)
	}
}
