package providertest

import (
	"io/fs"
	"syscall"

	"github.com/openwnet/wnet"
)

// linkChecks are about Symlinker and Linker.
func linkChecks() []Check {
	return []Check{
		{"symlink/target", "Readlink gives back what Symlink was given, and Stat and ReadDir describe the link.", "Symlinker", connected(symlinkTarget)},
		{"symlink/not-followed", "No call follows a link in the last part of a name.", "Symlinker", connected(symlinkNotFollowed)},
		{"symlink/errors", "Making what is there is EEXIST, reading what is no link EINVAL, what is not there ENOENT.", "Symlinker",
			connected(symlinkErrors)},
		{"link/shared", "A hard link is the same file: content, attributes and ID.", "Linker", connected(linkShared)},
		{"link/remove", "A file lives until its last name is removed.", "Linker", connected(linkRemove)},
		{"link/errors", "Linking onto what is there is EEXIST, a folder is EPERM, what is not there ENOENT.", "Linker", connected(linkErrors)},
	}
}

func (e *env) symlink(target, name string) {
	e.ok("Symlink "+name, e.fs.(wnet.Symlinker).Symlink(e.ctx, target, name))
}

func symlinkTarget(e *env) {
	e.put("f", "text")
	for name, target := range map[string]string{"same": "f", "dangling": "no/where", "up": "../../x/../y", "abs": "/etc/hosts", "odd": "näme with blank"} {
		e.symlink(target, name)
		got, err := e.fs.(wnet.Symlinker).Readlink(e.ctx, name)
		e.ok("Readlink "+name, err)
		eq(e, "Readlink "+name, got, target)
		for what, a := range map[string]wnet.Attr{"Stat": e.stat(name), "ReadDir": e.list(".")[name]} {
			eq(e, what+"'s type of "+name, a.Mode.Type(), fs.ModeSymlink)
			eq(e, what+"'s size of "+name, a.Size, int64(len(target)))
		}
	}
}

func symlinkNotFollowed(e *env) {
	e.put("f", "text")
	e.symlink("f", "l")
	_, err := e.fs.Open(e.ctx, "l", reading, 0)
	e.errno("Open of a link", err, syscall.ELOOP)
	_, err = e.fs.Open(e.ctx, "l", create|wnet.OpenTruncate, 0o644)
	e.errno("Open of a link to create", err, syscall.ELOOP)
	e.has("f", "text")
	e.rename("l", "m")
	eq(e, "the renamed link's type", e.stat("m").Mode.Type(), fs.ModeSymlink)
	e.put("g", "over")
	e.rename("g", "m")
	e.has("m", "over")
	e.has("f", "text")
	e.symlink("f", "l")
	e.ok("Remove of a link", e.fs.Remove(e.ctx, "l", false))
	e.names(".", "f", "m")
	e.has("f", "text")
	e.mkdir("d")
	e.symlink("d", "ld")
	e.errno("Remove of a link to a folder, as a folder", e.fs.Remove(e.ctx, "ld", true), syscall.ENOTDIR)
	_, err = e.fs.ReadDir(e.ctx, "ld")
	e.errno("ReadDir of a link to a folder", err, syscall.ENOTDIR)
	e.ok("Remove of a link to a folder", e.fs.Remove(e.ctx, "ld", false))
	e.names(".", "d", "f", "m")
}

func symlinkErrors(e *env) {
	e.put("f", "text")
	e.symlink("f", "l")
	s := e.fs.(wnet.Symlinker)
	e.errno("Symlink onto a file", s.Symlink(e.ctx, "x", "f"), syscall.EEXIST)
	e.errno("Symlink onto a link", s.Symlink(e.ctx, "x", "l"), syscall.EEXIST)
	e.errno("Symlink in a folder that is not there", s.Symlink(e.ctx, "x", "none/l"), syscall.ENOENT)
	_, err := s.Readlink(e.ctx, "f")
	e.errno("Readlink of a file", err, syscall.EINVAL)
	_, err = s.Readlink(e.ctx, "none")
	e.errno("Readlink of what is not there", err, syscall.ENOENT)
	e.has("f", "text")
}

func (e *env) link(from, to string) error { return e.fs.(wnet.Linker).Link(e.ctx, from, to) }

func linkShared(e *env) {
	e.put("a", "text")
	e.mkdir("d")
	e.ok("Link", e.link("a", "d/b"))
	f := e.open("d/b", both)
	e.write(f, "T", 0)
	e.close(f)
	e.has("a", "Text")
	a, b := e.stat("a"), e.stat("d/b")
	eq(e, "the IDs of two names", a.ID, b.ID)
	if a.Nlink != 0 {
		eq(e, "Nlink", a.Nlink, 2)
	}
	e.rename("a", "d/b") // two names of one file: POSIX wants both to stay
	e.has("d/b", "Text")
}

func linkRemove(e *env) {
	e.put("a", "text")
	e.ok("Link", e.link("a", "b"))
	e.ok("Remove of one name", e.fs.Remove(e.ctx, "a", false))
	e.names(".", "b")
	e.has("b", "text")
	if n := e.stat("b").Nlink; n != 0 {
		eq(e, "Nlink", n, 1)
	}
}

func linkErrors(e *env) {
	e.put("a", "text")
	e.put("b", "there")
	e.mkdir("d")
	e.errno("Link onto a file", e.link("a", "b"), syscall.EEXIST)
	e.errno("Link onto a folder", e.link("a", "d"), syscall.EEXIST)
	e.errno("Link of what is not there", e.link("none", "c"), syscall.ENOENT)
	e.errno("Link into a folder that is not there", e.link("a", "none/c"), syscall.ENOENT)
	e.errno("Link of a folder", e.link("d", "c"), syscall.EPERM)
	e.names(".", "a", "b", "d")
	e.has("b", "there")
}
