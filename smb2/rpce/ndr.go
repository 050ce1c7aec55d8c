package rpce

import "unicode/utf16"

// encoder writes NDR (DCE 1.1 14.3), in little-endian order.
type encoder struct {
	b        []byte
	referent uint32
}

func (e *encoder) uint32(v uint32) {
	e.align()
	e.b = le.AppendUint32(e.b, v)
}

func (e *encoder) align() {
	for len(e.b)%4 != 0 {
		e.b = append(e.b, 0)
	}
}

// pointer writes a pointer that is not null; what it points to follows where NDR has it.
func (e *encoder) pointer() {
	e.referent += 4
	e.uint32(0x20000 + e.referent)
}

// text writes a conformant varying string, with its NUL.
func (e *encoder) text(s string) {
	u := append(utf16.Encode([]rune(s)), 0)
	e.uint32(uint32(len(u)))
	e.uint32(0)
	e.uint32(uint32(len(u)))
	for _, c := range u {
		e.b = le.AppendUint16(e.b, c)
	}
}

// decoder reads NDR. After the first thing that is not right everything is zero, and err is set.
type decoder struct {
	b   []byte
	at  int
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = malformed(format, args...)
	}
}

func (d *decoder) uint32() uint32 {
	d.at = (d.at + 3) &^ 3
	if d.err != nil || d.at > len(d.b)-4 {
		d.fail("results are cut off")
		return 0
	}
	d.at += 4
	return le.Uint32(d.b[d.at-4:])
}

// maxText is how many characters a name or comment may have.
const maxText = 1 << 12

// text reads a conformant varying string. Its characters end at a NUL, which has to be there.
func (d *decoder) text() string {
	most, offset, n := d.uint32(), d.uint32(), d.uint32()
	if d.err == nil && (offset != 0 || n > most || n == 0 || n > maxText || uint64(n)*2 > uint64(len(d.b)-d.at)) {
		d.fail("a text of %d of %d characters", n, most)
	}
	if d.err != nil {
		return ""
	}
	u := make([]uint16, n)
	for i := range u {
		u[i] = le.Uint16(d.b[d.at:])
		d.at += 2
	}
	for i, c := range u {
		if c == 0 {
			return string(utf16.Decode(u[:i]))
		}
	}
	d.fail("a text without an end")
	return ""
}

// optional reads what a pointer that may be null points to.
func (d *decoder) optional(pointer uint32) string {
	if pointer == 0 {
		return ""
	}
	return d.text()
}

// end is called when all was read: nothing may be left but padding.
func (d *decoder) end() error {
	if d.err == nil && len(d.b)-d.at > 7 {
		d.fail("%d bytes behind the results", len(d.b)-d.at)
	}
	return d.err
}
