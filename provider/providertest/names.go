package providertest

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"github.com/openwnet/wnet"
)

// nameChecks are about names and what may be called by them.
func nameChecks() []Check {
	return []Check{
		{"fs/empty", "A fresh share holds nothing, and its top is a folder called \".\".", "", connected(empty)},
		{"fs/climbing-names", "A name that fs.ValidPath refuses is an error and reaches nothing.", "", connected(climbing)},
		{"fs/names", "A name comes back as it was given: any script, blanks inside, dots in front, 255 bytes.", "", connected(plainNames)},
		{"fs/names-characters", "Characters that Windows reserves are characters like others.", "", connected(reservedCharacters)},
		{"fs/names-reserved", "Names that Windows reserves are names like others.", "", connected(reservedNames)},
		{"fs/names-case", "Names that differ in case are different.", "", connected(caseNames)},
		{"fs/name-too-long", "A part of more than 255 bytes is ENAMETOOLONG.", "", connected(longName)},
		{"fs/deep", "Folders may be nested deeply.", "", connected(deep)},
	}
}

func empty(e *env) {
	a := e.stat(".")
	eq(e, "the top's name", a.Name, ".")
	if !isDir(a) {
		e.fail("Stat of the top: got the mode %v, want a folder", a.Mode)
	}
	e.names(".")
}

func climbing(e *env) {
	e.mkdir("d")
	e.put("d/f", "text")
	e.put("f", "top")
	for _, name := range []string{"", "/", "/f", "f/", "d//f", "d/../f", "..", "../f", "d/./f", "./f"} {
		_, err := e.fs.Stat(e.ctx, name)
		e.errno("Stat of "+short(name), err, syscall.EINVAL, syscall.ENOENT)
		f, err := e.fs.Open(e.ctx, name, create, 0o644)
		if f != nil {
			f.Close(e.ctx)
		}
		e.errno("Open of "+short(name), err, syscall.EINVAL, syscall.ENOENT)
		e.errno("Remove of "+short(name), e.fs.Remove(e.ctx, name, false), syscall.EINVAL, syscall.ENOENT)
	}
	e.names(".", "d", "f")
	e.names("d", "f")
}

// keepNames makes a file and a folder of each name, and wants to find them again.
func keepNames(e *env, names ...string) {
	e.mkdir("folders")
	for _, n := range names {
		e.put(n, "in "+n)
		e.mkdir("folders/" + n)
		e.put("folders/"+n+"/"+n, "below "+n)
	}
	e.names(".", append([]string{"folders"}, names...)...)
	e.names("folders", names...)
	for _, n := range names {
		e.has(n, "in "+n)
		e.has("folders/"+n+"/"+n, "below "+n)
		eq(e, "Stat's name", e.stat("folders/"+n+"/"+n).Name, n)
		e.ok("Rename to and from "+n, errors.Join(e.fs.Rename(e.ctx, n, "tmp"), e.fs.Rename(e.ctx, "tmp", n)))
		e.ok("Remove "+n, e.fs.Remove(e.ctx, n, false))
	}
	e.names(".", "folders")
}

func plainNames(e *env) {
	keepNames(e, "a", "two words", ".dot", "..two dots", "...", "naïve", "nai\u0308ve", "日本語", "Ελληνικά", "עברית", "😀", "~", "#1", "100%",
		"a;b", "a'b", "(a)", "a&b", "$HOME", "-rf", "=", "@", "!", "a,b", "[x]", "{y}", "`", strings.Repeat("n", 255), strings.Repeat("ü", 127)+"x")
}

func reservedCharacters(e *env) {
	keepNames(e, "a:b", "what?", "a*", `say "x"`, "<in>", "a|b", `back\slash`, "trailing dot.", "trailing blank ", " leading blank",
		"tab\there", "line\nfeed")
}

func reservedNames(e *env) { keepNames(e, "con", "LPT1", "nul.txt", "AUX", "prn.tar.gz") }

func caseNames(e *env) {
	e.put("name", "lower")
	e.put("NAME", "upper")
	e.names(".", "name", "NAME")
	e.has("name", "lower")
	e.has("NAME", "upper")
}

func longName(e *env) {
	name := strings.Repeat("n", 256)
	_, err := e.fs.Open(e.ctx, name, create, 0o644)
	e.errno("Open to create a name of 256 bytes", err, syscall.ENAMETOOLONG)
	e.errno("Mkdir of a name of 256 bytes", e.fs.Mkdir(e.ctx, name, 0o755), syscall.ENAMETOOLONG)
	e.names(".")
}

func deep(e *env) {
	name := "d"
	for range 30 {
		e.mkdir(name)
		name += "/d"
	}
	e.put(name, "deep")
	e.has(name, "deep")
	eq(e, "Stat's name", e.stat(name).Name, "d")
}

// errorChecks are about the errno of each mistake.
func errorChecks() []Check {
	return []Check{
		{"fs/missing", "What is not there is ENOENT, for every call.", "", connected(missing)},
		{"fs/exclusive", "OpenExcl is EEXIST whatever is there, and opens nothing.", "", connected(exclusive)},
		{"fs/open-folder", "Opening a folder is EISDIR.", "", connected(openFolder)},
		{"fs/not-a-folder", "A file is no folder: ENOTDIR (or ENOENT for a name below it).", "", connected(notFolder)},
		{"fs/mkdir", "Mkdir makes a folder; a name of any kind that is there is EEXIST.", "", connected(mkdir)},
		{"fs/remove", "Remove takes what it was told: ENOTDIR, EISDIR and ENOTEMPTY for the rest, which stays.", "", connected(remove)},
		{"fs/remove-top", "The top cannot be removed, made or renamed.", "", connected(removeTop)},
		{"fs/access", "A File does only what it was opened for.", "", connected(access)},
	}
}

func missing(e *env) {
	check := func(what string, err error) { e.errno(what, err, syscall.ENOENT) }
	for _, name := range []string{"none", "none/f"} {
		_, err := e.fs.Stat(e.ctx, name)
		check("Stat of "+name, err)
		_, err = e.fs.ReadDir(e.ctx, name)
		check("ReadDir of "+name, err)
		_, err = e.fs.Open(e.ctx, name, reading, 0)
		check("Open of "+name, err)
		_, err = e.fs.Open(e.ctx, name, both|wnet.OpenTruncate, 0)
		check("Open to truncate of "+name, err)
		check("Remove of the file "+name, e.fs.Remove(e.ctx, name, false))
		check("Remove of the folder "+name, e.fs.Remove(e.ctx, name, true))
		check("Rename of "+name, e.fs.Rename(e.ctx, name, "to"))
		if s, ok := e.fs.(wnet.AttrSetter); ok {
			size := int64(1)
			_, err = s.SetAttr(e.ctx, name, wnet.AttrChange{Size: &size})
			check("SetAttr of "+name, err)
		}
	}
	e.put("f", "text")
	_, err := e.fs.Open(e.ctx, "none/f", create, 0o644)
	check("Open to create in a folder that is not there", err)
	check("Mkdir in a folder that is not there", e.fs.Mkdir(e.ctx, "none/d", 0o755))
	check("Rename into a folder that is not there", e.fs.Rename(e.ctx, "f", "none/f"))
	e.names(".", "f")
}

func exclusive(e *env) {
	f := e.open("new", create|wnet.OpenExcl)
	e.write(f, "text", 0)
	e.close(f)
	e.mkdir("d")
	there := []string{"new", "d"}
	if s, ok := e.fs.(wnet.Symlinker); ok {
		e.ok("Symlink", s.Symlink(e.ctx, "nowhere", "l"))
		there = append(there, "l")
	}
	for _, name := range there {
		f, err := e.fs.Open(e.ctx, name, create|wnet.OpenExcl|wnet.OpenTruncate, 0o644)
		if f != nil {
			f.Close(e.ctx)
		}
		e.errno("Open with OpenExcl of "+name, err, syscall.EEXIST)
	}
	e.has("new", "text")
	e.close(e.open("new", create))
	e.has("new", "text")
}

func openFolder(e *env) {
	e.mkdir("d")
	for _, name := range []string{"d", "."} {
		for _, flag := range []wnet.OpenFlag{reading, both, create, both | wnet.OpenTruncate} {
			f, err := e.fs.Open(e.ctx, name, flag, 0o644)
			if f != nil {
				f.Close(e.ctx)
			}
			e.errno("Open of the folder "+name, err, syscall.EISDIR)
		}
	}
}

func notFolder(e *env) {
	e.put("f", "text")
	_, err := e.fs.ReadDir(e.ctx, "f")
	e.errno("ReadDir of a file", err, syscall.ENOTDIR)
	_, err = e.fs.Stat(e.ctx, "f/x")
	e.errno("Stat below a file", err, syscall.ENOTDIR, syscall.ENOENT)
	_, err = e.fs.Open(e.ctx, "f/x", create, 0o644)
	e.errno("Open to create below a file", err, syscall.ENOTDIR, syscall.ENOENT)
	e.errno("Mkdir below a file", e.fs.Mkdir(e.ctx, "f/x", 0o755), syscall.ENOTDIR, syscall.ENOENT)
	e.has("f", "text")
}

func mkdir(e *env) {
	e.mkdir("d")
	if a := e.stat("d"); !isDir(a) {
		e.fail("Stat of a new folder: got the mode %v, want a folder", a.Mode)
	}
	e.mkdir("d/sub")
	e.put("f", "text")
	for _, name := range []string{"d", "f", "d/sub"} {
		e.errno("Mkdir of "+name+", which is there", e.fs.Mkdir(e.ctx, name, 0o755), syscall.EEXIST)
	}
	e.names("d", "sub")
	e.has("f", "text")
}

func remove(e *env) {
	e.mkdir("d")
	e.put("d/f", "text")
	e.errno("Remove of a file as a folder", e.fs.Remove(e.ctx, "d/f", true), syscall.ENOTDIR)
	e.errno("Remove of a folder as a file", e.fs.Remove(e.ctx, "d", false), syscall.EISDIR)
	e.errno("Remove of a full folder", e.fs.Remove(e.ctx, "d", true), syscall.ENOTEMPTY)
	e.has("d/f", "text")
	e.ok("Remove of a file", e.fs.Remove(e.ctx, "d/f", false))
	e.gone("d/f")
	e.ok("Remove of an empty folder", e.fs.Remove(e.ctx, "d", true))
	e.gone("d")
	e.names(".")
}

func removeTop(e *env) {
	e.mkdir("d")
	for what, err := range map[string]error{
		"Remove of the top as a folder": e.fs.Remove(e.ctx, ".", true),
		"Remove of the top as a file":   e.fs.Remove(e.ctx, ".", false),
		"Mkdir of the top":              e.fs.Mkdir(e.ctx, ".", 0o755),
		"Rename of the top":             e.fs.Rename(e.ctx, ".", "x"),
		"Rename onto the top":           e.fs.Rename(e.ctx, "d", "."),
	} {
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			e.fail("%s: got %w, want an error", what, orSuccess(err))
		}
	}
	e.names(".", "d")
}

func access(e *env) {
	e.put("f", "text")
	f := e.open("f", reading)
	if n, err := f.WriteAt(e.ctx, []byte("no"), 0); err == nil {
		e.fail("WriteAt of a File that was opened to read: got %d and success, want an error", n)
	}
	if err := f.Truncate(e.ctx, 0); err == nil {
		e.fail("Truncate of a File that was opened to read: got success, want an error")
	}
	e.holds("the file", f, "text")
	e.close(f)
	f = e.open("f", writing)
	if n, err := f.ReadAt(e.ctx, make([]byte, 4), 0); err == nil {
		e.fail("ReadAt of a File that was opened to write: got %d and success, want an error", n)
	}
	e.write(f, "T", 0)
	e.close(f)
	e.has("f", "Text")
}
