package providertest

import (
	"strings"

	"github.com/openwnet/wnet"
)

const mib = 1 << 20

// dataChecks are about what is in a file.
func dataChecks() []Check {
	return []Check{
		{"data/create", "OpenCreate makes an empty file that is there at once.", "", connected(createEmpty)},
		{"data/truncating-open", "OpenTruncate cuts the file, and nothing else does.", "", connected(truncatingOpen)},
		{"data/offsets", "ReadAt and WriteAt work at the offset that they are told.", "", connected(offsets)},
		{"data/short-reads", "ReadAt gives less than asked only at the end, and nothing beyond it, without an error.", "", connected(shortReads)},
		{"data/sparse", "Writing past the end fills the gap with zeros.", "", connected(sparse)},
		{"data/large-offset", "Offsets beyond 4 GiB work.", "", connected(largeOffset)},
		{"data/truncate", "Truncate cuts, and extends with zeros.", "", connected(truncate)},
		{"data/big", "8 MiB come back as they were written, in one call and in many.", "", connected(big)},
		{"data/shared", "What one File has written, others read: of this connection at once, of another after Close.", "", connected(shared)},
		{"data/sync", "After Sync another connection reads what was written.", "", connected(syncs)},
		{"data/stat", "A File's Stat follows its writes at once, the name's after Close.", "", connected(statFollows)},
		{"data/buffer", "WriteAt does not keep the caller's buffer.", "", connected(bufferNotKept)},
		{"data/nothing", "Reading and writing nothing is nothing.", "", connected(nothing)},
	}
}

func createEmpty(e *env) {
	f := e.open("f", create)
	for what, a := range map[string]wnet.Attr{"Stat": e.stat("f"), "ReadDir": e.list(".")["f"]} {
		eq(e, what+"'s name", a.Name, "f")
		eq(e, what+"'s size", a.Size, 0)
		if !a.Mode.IsRegular() {
			e.fail("%s: got the mode %v, want a regular file", what, a.Mode)
		}
	}
	e.holds("a new file", f, "")
	e.close(f)
	e.names(".", "f")
}

func truncatingOpen(e *env) {
	e.put("f", "something long")
	for _, flag := range []wnet.OpenFlag{writing, both, create} {
		e.close(e.open("f", flag))
		e.has("f", "something long")
	}
	f := e.open("f", both|wnet.OpenTruncate)
	e.holds("a file just cut", f, "")
	e.write(f, "new", 0)
	e.close(f)
	e.has("f", "new")
}

func offsets(e *env) {
	f := e.open("f", create)
	e.write(f, "0123456789", 0)
	e.write(f, "abc", 3)
	e.write(f, "XY", 10)
	e.holds("a file written in parts", f, "012abc6789XY")
	for off, want := range map[int64]string{0: "012a", 2: "2abc", 5: "c678", 8: "89XY"} {
		eq(e, "ReadAt of 4 bytes", e.read(f, 4, off), want)
	}
	e.close(f)
	e.has("f", "012abc6789XY")
}

func shortReads(e *env) {
	f := e.open("f", create)
	e.write(f, "0123456789", 0)
	for _, c := range []struct {
		n    int
		off  int64
		want string
	}{{4, 6, "6789"}, {4, 7, "789"}, {100, 0, "0123456789"}, {1, 9, "9"}, {4, 10, ""}, {4, 11, ""}, {4, 1 << 40, ""}, {mib, 5, "56789"}} {
		eq(e, "ReadAt about the end", e.read(f, c.n, c.off), c.want)
	}
	e.close(f)
}

func sparse(e *env) {
	const off = mib + 3
	f := e.open("f", create)
	e.write(f, "head", 0)
	e.write(f, "tail", off)
	want := "head" + strings.Repeat("\x00", off-4) + "tail"
	e.holds("a file with a gap", f, want)
	eq(e, "ReadAt inside the gap", e.read(f, 8, mib/2), strings.Repeat("\x00", 8))
	e.close(f)
	e.has("f", want)
	eq(e, "Stat's size", e.stat("f").Size, off+4)
}

func largeOffset(e *env) {
	const off = 5<<30 + 7
	f := e.open("f", create)
	e.write(f, "far", off)
	eq(e, "ReadAt beyond 4 GiB", e.read(f, 10, off), "far")
	eq(e, "ReadAt at the same offset modulo 4 GiB", e.read(f, 3, off-4<<30), "\x00\x00\x00")
	e.close(f)
	eq(e, "Stat's size", e.stat("f").Size, off+3)
}

func truncate(e *env) {
	f := e.open("f", create)
	text := noise(1, 200_000)
	e.write(f, text, 0)
	for _, size := range []int{150_001, 70_000, 5, 100_000, 0, 3} {
		e.ok("Truncate", f.Truncate(e.ctx, int64(size)))
		if size < len(text) {
			text = text[:size]
		} else {
			text += strings.Repeat("\x00", size-len(text))
		}
		e.holds("a file after Truncate", f, text)
	}
	e.close(f)
	e.has("f", text)
}

func big(e *env) {
	text := noise(2, 8*mib)
	f := e.open("f", create)
	e.write(f, text, 0)
	eq(e, "8 MiB in one ReadAt", e.read(f, len(text), 0), text)
	e.close(f)
	f = e.open("f", reading)
	var b strings.Builder
	for off := 0; off < len(text); off += mib - 1 {
		b.WriteString(e.read(f, mib-1, int64(off)))
	}
	eq(e, "8 MiB in reads of 1 MiB less one", b.String(), text)
	e.close(f)
	g := e.open("g", create)
	for off := 0; off < len(text); off += 300_007 {
		e.write(g, text[off:min(off+300_007, len(text))], int64(off))
	}
	e.holds("8 MiB in writes of 300,007 bytes", g, text)
	e.close(g)
}

func shared(e *env) {
	f := e.open("f", create)
	g := e.open("f", reading)
	e.write(f, "first", 0)
	e.holds("another File of the same name", g, "first")
	e.write(f, "FIRST", 0)
	e.holds("another File of the same name, read again", g, "FIRST")
	e.close(f)
	e.holds("another File after the first was closed", g, "FIRST")
	e.close(g)
	other := *e
	other.conn = e.connect()
	defer other.conn.Close()
	other.fs = other.conn.FS()
	other.has("f", "FIRST")
	other.put("f", "second")
	e.has("f", "second")
}

func syncs(e *env) {
	f := e.open("f", create)
	text := noise(3, 100_000)
	e.write(f, text, 0)
	e.ok("Sync", f.Sync(e.ctx))
	other := *e
	other.conn = e.connect()
	defer other.conn.Close()
	other.fs = other.conn.FS()
	other.has("f", text)
	e.close(f)
}

func statFollows(e *env) {
	f := e.open("f", create)
	for i, off := range []int64{0, 10, 1000, 5} {
		e.write(f, "12345", off)
		a, err := f.Stat(e.ctx)
		e.ok("Stat of a File", err)
		eq(e, "a File's size after a write", a.Size, []int64{5, 15, 1005, 1005}[i])
	}
	e.ok("Truncate", f.Truncate(e.ctx, 7))
	a, err := f.Stat(e.ctx)
	e.ok("Stat of a File", err)
	eq(e, "a File's size after Truncate", a.Size, 7)
	e.close(f)
	eq(e, "the name's size after Close", e.stat("f").Size, 7)
	eq(e, "the listed size after Close", e.list(".")["f"].Size, 7)
}

func bufferNotKept(e *env) {
	f := e.open("f", create)
	p := []byte(noise(4, 100_000))
	want := string(p)
	n, err := f.WriteAt(e.ctx, p, 0)
	e.ok("WriteAt", err)
	eq(e, "WriteAt's count", n, len(p))
	clear(p)
	e.holds("a file whose writer has reused its buffer", f, want)
	e.close(f)
	e.has("f", want)
}

func nothing(e *env) {
	f := e.open("f", create)
	e.write(f, "text", 0)
	e.write(f, "", 100)
	eq(e, "ReadAt of nothing", e.read(f, 0, 0), "")
	e.holds("a file after nothing was written", f, "text")
	e.close(f)
	eq(e, "Stat's size", e.stat("f").Size, 4)
}
