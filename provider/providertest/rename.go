package providertest

import (
	"syscall"
)

// renameChecks are about Rename.
func renameChecks() []Check {
	return []Check{
		{"rename/file", "A file keeps its content under the new name, also in another folder, and the old name is gone.", "", connected(renameFile)},
		{"rename/folder", "A folder moves with all that is in it.", "", connected(renameFolder)},
		{"rename/over", "A file that is there is replaced in one step.", "", connected(renameOver)},
		{"rename/over-open", "A file that is replaced stays usable for those who have it open.", "", connected(renameOverOpen)},
		{"rename/open", "A file that is renamed stays usable for those who have it open.", "", connected(renameOpen)},
		{"rename/open-below", "A file stays usable while a folder above it is renamed.", "", connected(renameOpenBelow)},
		{"rename/over-folder", "An empty folder is replaced by a folder; a full one is ENOTEMPTY or EEXIST.", "", connected(renameOverFolder)},
		{"rename/kinds", "A file does not replace a folder (EISDIR), nor a folder a file (ENOTDIR).", "", connected(renameKinds)},
		{"rename/into-itself", "A folder does not move below itself: EINVAL.", "", connected(renameIntoItself)},
		{"rename/same", "Renaming a name to itself changes nothing.", "", connected(renameSame)},
	}
}

func (e *env) rename(from, to string) { e.ok("Rename "+from+" to "+to, e.fs.Rename(e.ctx, from, to)) }

func renameFile(e *env) {
	e.put("a", "text")
	e.mkdir("d")
	e.rename("a", "b")
	e.gone("a")
	e.rename("b", "d/c")
	e.names(".", "d")
	e.names("d", "c")
	e.has("d/c", "text")
}

func renameFolder(e *env) {
	e.mkdir("d")
	e.mkdir("d/sub")
	e.put("d/sub/f", "text")
	e.mkdir("other")
	e.rename("d", "other/moved")
	e.gone("d")
	e.names("other/moved", "sub")
	e.has("other/moved/sub/f", "text")
}

func renameOver(e *env) {
	e.put("old", "old text, longer")
	e.put("new", "new text")
	id := e.stat("new").ID
	e.rename("new", "old")
	e.names(".", "old")
	e.has("old", "new text")
	eq(e, "the file's ID after Rename", e.stat("old").ID, id)
}

func renameOverOpen(e *env) {
	e.put("old", "old text")
	e.put("new", "new text")
	f := e.open("old", both)
	e.rename("new", "old")
	e.holds("the replaced file, through its File", f, "old text")
	e.write(f, "OLD", 0)
	e.holds("the replaced file after a write", f, "OLD text")
	e.has("old", "new text")
	e.names(".", "old")
	e.close(f)
	e.names(".", "old")
	e.has("old", "new text")
}

func renameOpen(e *env) {
	e.put("a", "text")
	f := e.open("a", both)
	e.rename("a", "b")
	e.put("a", "another")
	e.write(f, "T", 0)
	e.holds("the renamed file, through its File", f, "Text")
	a, err := f.Stat(e.ctx)
	e.ok("Stat of a File that was renamed", err)
	eq(e, "its size", a.Size, 4)
	e.ok("Truncate of a File that was renamed", f.Truncate(e.ctx, 2))
	e.close(f)
	e.has("b", "Te")
	e.has("a", "another")
}

func renameOpenBelow(e *env) {
	e.mkdir("d")
	e.put("d/f", "text")
	f := e.open("d/f", both)
	e.rename("d", "moved")
	e.write(f, "T", 0)
	e.holds("the file, through its File", f, "Text")
	e.close(f)
	e.has("moved/f", "Text")
}

func renameOverFolder(e *env) {
	for _, d := range []string{"d", "empty", "full"} {
		e.mkdir(d)
	}
	e.put("d/f", "text")
	e.put("full/g", "there")
	e.errno("Rename of a folder onto a full one", e.fs.Rename(e.ctx, "d", "full"), syscall.ENOTEMPTY, syscall.EEXIST)
	e.has("d/f", "text")
	e.has("full/g", "there")
	e.rename("d", "empty")
	e.names(".", "empty", "full")
	e.has("empty/f", "text")
}

func renameKinds(e *env) {
	e.mkdir("d")
	e.put("f", "text")
	e.errno("Rename of a file onto a folder", e.fs.Rename(e.ctx, "f", "d"), syscall.EISDIR)
	e.errno("Rename of a folder onto a file", e.fs.Rename(e.ctx, "d", "f"), syscall.ENOTDIR)
	e.names(".", "d", "f")
	e.has("f", "text")
}

func renameIntoItself(e *env) {
	e.mkdir("d")
	e.mkdir("d/sub")
	e.errno("Rename of a folder into itself", e.fs.Rename(e.ctx, "d", "d/x"), syscall.EINVAL)
	e.errno("Rename of a folder far below itself", e.fs.Rename(e.ctx, "d", "d/sub/x"), syscall.EINVAL)
	e.names(".", "d")
	e.names("d", "sub")
}

func renameSame(e *env) {
	e.put("f", "text")
	e.mkdir("d")
	e.put("d/g", "inside")
	e.rename("f", "f")
	e.rename("d", "d")
	e.names(".", "d", "f")
	e.has("f", "text")
	e.has("d/g", "inside")
}
