package smb2

import (
	"io/fs"
	"strings"
	"unicode/utf8"
)

// Mapping says how characters travel that Windows reserves in names.
type Mapping uint8

// The mappings.
const (
	// MapSFM maps them to the private use area as Services for Macintosh, Samba's fruit and mount.cifs's mapposix do: " * : < > ? \ |, control
	// characters, and a blank or a dot at the end of a part.
	MapSFM Mapping = iota
	// MapSFU maps them as Services for UNIX and mount.cifs's mapchars do: U+F000 plus the character.
	MapSFU
	// MapNone maps nothing; a name with a backslash is ErrName. With the POSIX extensions nothing else is needed.
	MapNone
)

const sfm = "\"*:<>?\\|" // U+F020 to U+F027, in this order

// toServer gives a name as the server has it, with backslashes, "" for the top.
func (m Mapping) toServer(name string) (string, error) {
	if name == "." {
		return "", nil
	}
	if !fs.ValidPath(name) || !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0 {
		return "", ErrName
	}
	if m == MapNone {
		if strings.Contains(name, `\`) {
			return "", ErrName
		}
		return strings.ReplaceAll(name, "/", `\`), nil
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		i += n
		last := i == len(name) || name[i] == '/'
		switch {
		case r == '/':
			r = '\\'
		case m == MapSFU:
			if r < 0x20 || strings.ContainsRune(sfm, r) || last && (r == ' ' || r == '.') {
				r += 0xF000
			}
		case r < 0x20:
			r += 0xF000
		case last && r == ' ':
			r = 0xF028
		case last && r == '.':
			r = 0xF029
		case r < 0x80:
			if k := strings.IndexByte(sfm, byte(r)); k >= 0 {
				r = rune(0xF020 + k)
			}
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

// fromServer gives the name of an entry as this machine has it. ok is false for what no server should send and a program could be led
// astray by.
func (m Mapping) fromServer(name string) (string, bool) {
	if m != MapNone {
		name = strings.Map(func(r rune) rune {
			switch {
			case r < 0xF001 || r > 0xF07F:
				return r
			case m == MapSFU:
				if c := r - 0xF000; c < 0x20 || strings.ContainsRune(sfm+" .", c) {
					return c
				}
			case r < 0xF020:
				return r - 0xF000
			case r < 0xF028:
				return rune(sfm[r-0xF020])
			case r == 0xF028:
				return ' '
			case r == 0xF029:
				return '.'
			}
			return r
		}, name)
	}
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return "", false
	}
	return name, true
}

func (t *Tree) path(name string) (string, error) { return t.c.opt.Mapping.toServer(name) }
