// Package wire has the messages of SMB 2 and 3 as they travel ([MS-SMB2] 2.2) and the information classes that they carry
// ([MS-FSCC] 2). It does no I/O and keeps no state.
//
// A request is a value with an Append method: it appends its body to a buffer in which the 64 bytes of the header already are, so that
// offsets, which the protocol counts from the header, are right. An answer is a value with a Decode method, which takes the whole
// message, header included.
//
// Whatever comes from a server is taken for hostile: each length, offset and count is checked before it is used, and an answer that
// breaks a rule is ErrMalformed. Byte slices of a decoded answer are parts of the message, not copies: who keeps the message keeps them.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf16"
)

// ErrMalformed is what a message is that breaks the protocol's rules. It is wrapped with what was wrong.
var ErrMalformed = errors.New("smb2: the server's message is malformed")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

var le = binary.LittleEndian

// body checks that msg has a header and a fixed part of n bytes whose StructureSize is want, and gives the part after the header.
func body(msg []byte, want uint16, n int) ([]byte, error) {
	if len(msg) < HeaderSize+n {
		return nil, malformed("%d bytes are too few", len(msg))
	}
	b := msg[HeaderSize:]
	if got := le.Uint16(b); got != want {
		return nil, malformed("a structure's size is %d, not %d", got, want)
	}
	return b, nil
}

// part gives n bytes at off of b. Nothing at all may stand anywhere.
func part(b []byte, off, n uint32) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if uint64(off)+uint64(n) > uint64(len(b)) {
		return nil, malformed("%d bytes at %d are not within %d", n, off, len(b))
	}
	return b[off : off+n : off+n], nil
}

// pad appends zeros until b's length is a multiple of n from start on.
func pad(b []byte, start, n int) []byte {
	for (len(b)-start)%n != 0 {
		b = append(b, 0)
	}
	return b
}

// AppendUTF16 appends s in UTF-16, little endian, without a terminator.
func AppendUTF16(b []byte, s string) []byte {
	for _, r := range s {
		if r < 0x10000 {
			if r >= 0xD800 && r < 0xE000 {
				r = 0xFFFD
			}
			b = le.AppendUint16(b, uint16(r))
			continue
		}
		hi, lo := utf16.EncodeRune(r)
		b = le.AppendUint16(le.AppendUint16(b, uint16(hi)), uint16(lo))
	}
	return b
}

// UTF16 is s in UTF-16, little endian, without a terminator.
func UTF16(s string) []byte { return AppendUTF16(make([]byte, 0, 2*len(s)), s) }

// String decodes UTF-16, little endian. Half a surrogate pair becomes U+FFFD; an odd last byte is left out.
func String(b []byte) string {
	ascii := make([]byte, len(b)/2)
	for i := range ascii {
		c := le.Uint16(b[2*i:])
		if c >= 0x80 {
			u := make([]uint16, len(b)/2)
			for j := range u {
				u[j] = le.Uint16(b[2*j:])
			}
			return string(utf16.Decode(u))
		}
		ascii[i] = byte(c)
	}
	return string(ascii)
}

// epoch is the number of 100 ns between 1601 and 1970.
const epoch = 116444736000000000

// Filetime is a time as servers have it: units of 100 ns since 1601 (UTC), 0 for none ([MS-DTYP] 2.3.3).
type Filetime uint64

// FiletimeOf gives t as a Filetime, rounded down to 100 ns. The zero time is 0, and so is one before 1601.
func FiletimeOf(t time.Time) Filetime {
	if t.IsZero() {
		return 0
	}
	s, ns := t.Unix(), int64(t.Nanosecond())
	const first, last = -epoch / 10000000, (1<<63-1)/10000000 - epoch/10000000 - 1
	if s < first || s > last {
		return 0
	}
	return Filetime(s*10000000 + ns/100 + epoch)
}

// Time gives the time in UTC, the zero time for 0 and for what no server may send (the top bit set).
func (f Filetime) Time() time.Time {
	if f == 0 || f > 1<<63-1 {
		return time.Time{}
	}
	d := int64(f) - epoch
	s, r := d/10000000, d%10000000
	return time.Unix(s, r*100).UTC()
}
