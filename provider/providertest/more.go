package providertest

import (
	"slices"
	"strings"
	"syscall"

	"github.com/openwnet/wnet"
)

// moreChecks are about WholeReader, Xattrer, FileCopier, FileAllocator and FileSeeker.
func moreChecks() []Check {
	return []Check{
		{"whole/content", "ReadWhole gives the content and the attributes that Open, ReadAt and Stat give.", "WholeReader", connected(wholeContent)},
		{"whole/errors", "ReadWhole fails as Open does, and with EFBIG where the file is longer than the limit.", "WholeReader", connected(wholeErrors)},
		{"xattr/kept", "Extended attributes are kept as they were set, also through a rename, and listed.", "Xattrer", connected(xattrKept)},
		{"xattr/flags", "SetXattr heeds its flags, and changes nothing where it fails.", "Xattrer", connected(xattrFlags)},
		{"xattr/errors", "An attribute that is not there is ENODATA, a file that is not there ENOENT.", "Xattrer", connected(xattrErrors)},
		{"copy/content", "CopyFrom copies the range and nothing else, and ends with its source.", "FileCopier", connected(copyContent)},
		{"copy/refused", "CopyFrom refuses ranges of one file that overlap, and leaves them as they are.", "FileCopier", connected(copyRefused)},
		{"alloc/modes", "Allocate does what its mode says: content, size and zeros.", "FileAllocator", connected(allocModes)},
		{"seek/holes", "NextData and NextHole lead through all data of a file and to its end.", "FileSeeker", connected(seekHoles)},
	}
}

func wholeContent(e *env) {
	r := e.fs.(wnet.WholeReader)
	text := noise(7, 20_000)
	for name, want := range map[string]string{"empty": "", "small": "text", "larger": text} {
		e.put(name, want)
		p, a, err := r.ReadWhole(e.ctx, name, len(text))
		e.ok("ReadWhole", err)
		eq(e, "ReadWhole's content", string(p), want)
		e.same("ReadWhole's attributes", a, e.stat(name))
		clear(p)
		e.has(name, want)
	}
}

func wholeErrors(e *env) {
	r := e.fs.(wnet.WholeReader)
	e.put("f", "12345")
	e.mkdir("d")
	_, _, err := r.ReadWhole(e.ctx, "f", 4)
	e.errno("ReadWhole of a file longer than the limit", err, syscall.EFBIG)
	_, _, err = r.ReadWhole(e.ctx, "none", 4)
	e.errno("ReadWhole of what is not there", err, syscall.ENOENT)
	_, _, err = r.ReadWhole(e.ctx, "d", 4)
	e.errno("ReadWhole of a folder", err, syscall.EISDIR)
}

func (e *env) xattr(name, attr string) string {
	v, err := e.fs.(wnet.Xattrer).GetXattr(e.ctx, name, attr)
	e.ok("GetXattr "+attr+" of "+name, err)
	return string(v)
}

func (e *env) setXattr(name, attr, value string) {
	e.ok("SetXattr", e.fs.(wnet.Xattrer).SetXattr(e.ctx, name, attr, []byte(value), 0))
}

func (e *env) xattrs(name string, want ...string) {
	got, err := e.fs.(wnet.Xattrer).ListXattr(e.ctx, name)
	e.ok("ListXattr", err)
	slices.Sort(got)
	eq(e, "ListXattr of "+name, strings.Join(got, " "), strings.Join(want, " "))
}

func xattrKept(e *env) {
	x := e.fs.(wnet.Xattrer)
	e.put("f", "text")
	e.mkdir("d")
	for _, name := range []string{"f", "d"} {
		e.xattrs(name)
		e.setXattr(name, "user.one", "1")
		e.setXattr(name, "user.two", "a\x00b\xff")
		e.xattrs(name, "user.one", "user.two")
		eq(e, "an attribute", e.xattr(name, "user.two"), "a\x00b\xff")
		e.setXattr(name, "user.one", "longer than before")
		eq(e, "a changed attribute", e.xattr(name, "user.one"), "longer than before")
	}
	e.rename("f", "g")
	eq(e, "an attribute after a rename", e.xattr("g", "user.one"), "longer than before")
	e.ok("RemoveXattr", x.RemoveXattr(e.ctx, "g", "user.one"))
	e.xattrs("g", "user.two")
	e.has("g", "text")
}

func xattrFlags(e *env) {
	x := e.fs.(wnet.Xattrer)
	e.put("f", "text")
	e.errno("SetXattr to replace what is not there", x.SetXattr(e.ctx, "f", "user.a", []byte("1"), wnet.XattrReplace), syscall.ENODATA)
	e.xattrs("f")
	e.ok("SetXattr to create", x.SetXattr(e.ctx, "f", "user.a", []byte("1"), wnet.XattrCreate))
	e.errno("SetXattr to create what is there", x.SetXattr(e.ctx, "f", "user.a", []byte("2"), wnet.XattrCreate), syscall.EEXIST)
	eq(e, "the attribute", e.xattr("f", "user.a"), "1")
	e.ok("SetXattr to replace", x.SetXattr(e.ctx, "f", "user.a", []byte("3"), wnet.XattrReplace))
	eq(e, "the attribute", e.xattr("f", "user.a"), "3")
}

func xattrErrors(e *env) {
	x := e.fs.(wnet.Xattrer)
	e.put("f", "text")
	_, err := x.GetXattr(e.ctx, "f", "user.none")
	e.errno("GetXattr of what is not there", err, syscall.ENODATA)
	e.errno("RemoveXattr of what is not there", x.RemoveXattr(e.ctx, "f", "user.none"), syscall.ENODATA)
	_, err = x.GetXattr(e.ctx, "none", "user.a")
	e.errno("GetXattr of a file that is not there", err, syscall.ENOENT)
	_, err = x.ListXattr(e.ctx, "none")
	e.errno("ListXattr of a file that is not there", err, syscall.ENOENT)
	e.errno("SetXattr of a file that is not there", x.SetXattr(e.ctx, "none", "user.a", nil, 0), syscall.ENOENT)
}

// copied copies a range by as many calls as it takes, and returns how much came.
func (e *env) copied(to, from wnet.File, srcOff, off, n int64) int64 {
	c, ok := to.(wnet.FileCopier)
	if !ok {
		e.fail("a File: got one without FileCopier, want it as the others")
	}
	done := int64(0)
	for done < n {
		got, err := c.CopyFrom(e.ctx, from, srcOff+done, off+done, n-done)
		e.ok("CopyFrom", err)
		if got < 0 || got > n-done {
			e.fail("CopyFrom of %d bytes: got the count %d, want 0 to %d", n-done, got, n-done)
		}
		if got == 0 {
			break
		}
		done += got
	}
	return done
}

func copyContent(e *env) {
	text := noise(3, 3<<20)
	e.put("from", text)
	from, to := e.open("from", both), e.open("to", create)
	eq(e, "CopyFrom's count for all and more", e.copied(to, from, 0, 0, 1<<40), int64(len(text)))
	e.holds("the copy", to, text)
	eq(e, "CopyFrom's count past the end", e.copied(to, from, int64(len(text)), 0, 10), 0)
	e.ok("Truncate", to.Truncate(e.ctx, 10))
	eq(e, "CopyFrom's count for a part", e.copied(to, from, 100, 5, 100_000), 100_000)
	e.holds("the copied part", to, text[:5]+text[100:100_100])
	eq(e, "CopyFrom's count within one file", e.copied(from, from, 0, 1<<20, 1<<20), 1<<20)
	e.holds("the file that was copied within", from, text[:1<<20]+text[:1<<20]+text[2<<20:])
	e.close(to)
	e.has("to", text[:5]+text[100:100_100])
}

func copyRefused(e *env) {
	e.put("f", "0123456789")
	f := e.open("f", both)
	_, err := f.(wnet.FileCopier).CopyFrom(e.ctx, f, 0, 2, 5)
	e.errno("CopyFrom to a range that overlaps", err, syscall.EINVAL)
	e.holds("the file", f, "0123456789")
}

func allocModes(e *env) {
	f := e.open("f", create)
	a, ok := f.(wnet.FileAllocator)
	if !ok {
		e.fail("a File: got one without FileAllocator, want it as the others")
	}
	have := 0
	try := func(what string, mode wnet.AllocMode, off, n int64, want string) {
		switch err := a.Allocate(e.ctx, off, n, mode); {
		case err == nil:
			have++
		default:
			e.errno("Allocate to "+what, err, syscall.ENOTSUP)
			return
		}
		e.holds("a file after Allocate to "+what, f, want)
	}
	e.write(f, "0123456789", 0)
	try("keep the size", wnet.AllocKeep, 5, 100_000, "0123456789")
	try("extend", wnet.AllocExtend, 5, 7, "0123456789\x00\x00")
	e.ok("Truncate", f.Truncate(e.ctx, 10))
	try("punch", wnet.AllocPunch, 2, 3, "01\x00\x00\x0056789")
	try("punch past the end", wnet.AllocPunch, 8, 100, "01\x00\x00\x00567\x00\x00")
	e.ok("Truncate", f.Truncate(e.ctx, 0))
	e.write(f, "0123456789", 0)
	try("zero", wnet.AllocZero, 7, 5, "0123456\x00\x00\x00\x00\x00")
	if have == 0 {
		e.fail("Allocate: got ENOTSUP for every mode, want one that is there, or no FileAllocator")
	}
}

func seekHoles(e *env) {
	f := e.open("f", create)
	s, ok := f.(wnet.FileSeeker)
	if !ok {
		e.fail("a File: got one without FileSeeker, want it as the others")
	}
	const size, first, second = 4 << 20, 0, 2 << 20
	e.ok("Truncate", f.Truncate(e.ctx, size))
	e.write(f, "data", first)
	e.write(f, "more", second)
	ends, off := map[int64]bool{}, int64(0)
	covered := func(at int64) bool { return ends[at] }
	for range 100 {
		data, err := s.NextData(e.ctx, off)
		if err != nil {
			e.errno("NextData past all data", err, syscall.ENXIO)
			break
		}
		hole, err := s.NextHole(e.ctx, data)
		e.ok("NextHole after data", err)
		if data < off || hole <= data || hole > size {
			e.fail("from %d: got data at %d to %d, want it in order and within %d", off, data, hole, size)
		}
		for _, at := range []int64{first, second} {
			ends[at] = ends[at] || data <= at && at+4 <= hole
		}
		if off = hole; off == size {
			break
		}
	}
	eq(e, "whether the first data was found", covered(first), true)
	eq(e, "whether the second data was found", covered(second), true)
	for _, at := range []int64{size, size + 1} {
		_, err := s.NextHole(e.ctx, at)
		e.errno("NextHole at or past the end", err, syscall.ENXIO)
		_, err = s.NextData(e.ctx, at)
		e.errno("NextData at or past the end", err, syscall.ENXIO)
	}
}
