package wnet

import (
	"strings"
	"unicode/utf8"

	"github.com/openwnet/wnet/win32"
)

// Parent is the name one step up: the path's folder, then the share, then the server. False where there is none: at a server, and at an SFTP
// name without a path.
func (n RemoteName) Parent() (RemoteName, bool) {
	switch i := strings.LastIndex(n.Path, "/"); {
	case i >= 0:
		n.Path = n.Path[:i]
	case n.Path != "":
		n.Path = ""
	case n.Share != "":
		n.Share = ""
	default:
		return RemoteName{}, false
	}
	return n, true
}

// Format writes the name for a person as WNetFormatNetworkName has it (NP-16): with WNFMT_INENUM only its last part, for where what holds
// it is shown above it; with WNFMT_MULTILINE in lines of up to lineChars characters, broken after a backslash where there is one; with
// WNFMT_ABBREVIATED in one line of up to lineChars characters, the middle left out. lineChars 0 is no bound.
func (n RemoteName) Format(flags, lineChars uint32) string {
	s := n.String()
	if flags&win32.WNFMT_INENUM != 0 {
		if _, ok := n.Parent(); ok {
			s = s[strings.LastIndex(s, `\`)+1:]
		} else {
			s = strings.TrimPrefix(s, `\\`)
		}
	}
	limit := int(min(lineChars, 1<<16))
	if limit == 0 || utf8.RuneCountInString(s) <= limit {
		return s
	}
	switch {
	case flags&win32.WNFMT_MULTILINE != 0:
		return lines(s, limit)
	case flags&win32.WNFMT_ABBREVIATED != 0:
		return abbreviated(s, limit)
	}
	return s
}

// lines breaks s after the last backslash that fits, else in the middle of a part.
func lines(s string, limit int) string {
	var out []string
	for r := []rune(s); len(r) > 0; {
		cut := min(limit, len(r))
		if cut < len(r) {
			for i := cut; i > 0; i-- {
				if r[i-1] == '\\' && r[i] != '\\' {
					cut = i
					break
				}
			}
		}
		out = append(out, string(r[:cut]))
		r = r[cut:]
	}
	return strings.Join(out, "\n")
}

// abbreviated keeps the beginning and the last part of s, as much as fits.
func abbreviated(s string, limit int) string {
	const gap = `...`
	r := []rune(s)
	if limit <= len(gap) {
		return string(r[:limit])
	}
	room := limit - len(gap)
	last := r
	if i := strings.LastIndex(s, `\`); i >= 0 {
		last = []rune(s[i:])
	}
	tail := min(len(last), max(room-2, room/2))
	return string(r[:room-tail]) + gap + string(r[len(r)-tail:])
}
