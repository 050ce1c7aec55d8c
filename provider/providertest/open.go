package providertest

import (
	"github.com/openwnet/wnet"
)

// openChecks are about files that are open.
func openChecks() []Check {
	return []Check{
		{"open/removed", "A file that is removed while open stays readable and writable through its Files.", "", connected(removedOpen)},
		{"open/removed-name", "The name of a file that is removed while open is free at once.", "", connected(removedName)},
		{"open/removed-folder", "The folder of a file that is removed while open can be removed too.", "", connected(removedFolder)},
		{"open/close-one", "Closing one File of a name leaves the others usable.", "", connected(closeOne)},
		{"open/many", "Two hundred files can be open at once.", "", connected(manyOpen)},
	}
}

func removedOpen(e *env) {
	e.put("f", "text")
	f := e.open("f", both)
	g := e.open("f", reading)
	e.ok("Remove of an open file", e.fs.Remove(e.ctx, "f", false))
	e.holds("the removed file", f, "text")
	e.write(f, "more", 4)
	e.holds("the removed file through another File", g, "textmore")
	e.ok("Truncate of a removed file", f.Truncate(e.ctx, 2))
	a, err := f.Stat(e.ctx)
	e.ok("Stat of a removed file", err)
	eq(e, "a removed file's size", a.Size, 2)
	e.close(g)
	e.holds("the removed file after one of its Files was closed", f, "te")
	e.ok("Sync of a removed file", f.Sync(e.ctx))
	e.close(f)
	e.names(".")
}

func removedName(e *env) {
	e.put("f", "old")
	f := e.open("f", both)
	e.ok("Remove of an open file", e.fs.Remove(e.ctx, "f", false))
	e.gone("f")
	e.names(".")
	h := e.open("f", create|wnet.OpenExcl)
	e.write(h, "new text", 0)
	e.holds("the removed file", f, "old")
	e.close(f)
	e.holds("the new file", h, "new text")
	e.close(h)
	e.has("f", "new text")
	e.names(".", "f")
}

func removedFolder(e *env) {
	e.mkdir("d")
	e.put("d/f", "text")
	f := e.open("d/f", both)
	e.ok("Remove of an open file", e.fs.Remove(e.ctx, "d/f", false))
	e.names("d")
	e.ok("Remove of its folder", e.fs.Remove(e.ctx, "d", true))
	e.names(".")
	e.holds("the removed file", f, "text")
	e.close(f)
	e.names(".")
}

func closeOne(e *env) {
	f := e.open("f", create)
	g := e.open("f", both)
	e.write(f, "one", 0)
	e.close(f)
	e.holds("the File that is left", g, "one")
	e.write(g, "two", 3)
	e.close(g)
	e.has("f", "onetwo")
}

func manyOpen(e *env) {
	files := make([]wnet.File, 200)
	for i := range files {
		files[i] = e.open("f", create)
	}
	for i, f := range files {
		e.write(f, string(rune('a'+i%26)), int64(i))
	}
	eq(e, "what the last File reads", len(e.read(files[199], 300, 0)), 200)
	for _, f := range files {
		e.close(f)
	}
}
