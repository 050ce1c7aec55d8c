package dfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

var le = binary.LittleEndian

// ErrAnswer is what a referral that breaks the protocol fails with.
var ErrAnswer = errors.New("dfs: the server's referral makes no sense")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrAnswer, fmt.Sprintf(format, args...))
}

// Control is FSCTL_DFS_GET_REFERRALS.
const Control = 0x00060194

// MaxReferral is how long an answer may be; a server with more has to leave targets out ([MS-DFSC] 3.2.5.1).
const MaxReferral = 56 << 10

// FormatRequest gives REQ_GET_DFS_REFERRAL for a path ([MS-DFSC] 2.2.2), for referrals up to version 4.
func FormatRequest(path string) []byte {
	b := []byte{4, 0}
	for _, c := range utf16.Encode([]rune(path)) {
		b = le.AppendUint16(b, c)
	}
	return append(b, 0, 0)
}

// Referral is where a path's beginning is.
type Referral struct {
	Prefix  string   // what of the path the referral is about, as it was asked for: `\server\root` or `\server\root\link`
	Targets []string // what stands for it, the server's best first: `\server\share` or `\server\share\path`
	TTL     time.Duration
	Root    bool // it is of a root, not of a link
	Storage bool // its targets hold files; otherwise they are the roots to ask further
	Back    bool // go back to the first target when it works again (target failback)
}

const (
	headerStorage  = 2
	headerFailback = 4
	entryNameList  = 2
	maxTargets     = 256
	maxTTL         = 24 * time.Hour // the lifetime is the server's, but a mistake in it should not stay for years
)

// ParseReferral reads RESP_GET_DFS_REFERRAL ([MS-DFSC] 2.2.4) of version 3 or 4, the answer for path. A referral to domain names or DCs is
// none to follow, and fails with ErrAnswer like one that is malformed.
func ParseReferral(path string, b []byte) (Referral, error) {
	if len(b) < 8 {
		return Referral{}, malformed("%d bytes", len(b))
	}
	consumed, n, flags := int(le.Uint16(b)), int(le.Uint16(b[2:])), le.Uint32(b[4:])
	u := utf16.Encode([]rune(path))
	if consumed%2 != 0 || consumed > 2*len(u) || consumed == 0 {
		return Referral{}, malformed("it is about %d bytes of a path of %d", consumed, 2*len(u))
	}
	if n == 0 || n > maxTargets {
		return Referral{}, malformed("%d targets", n)
	}
	r := Referral{Prefix: strings.TrimRight(string(utf16.Decode(u[:consumed/2])), `\`), Storage: flags&headerStorage != 0, Back: flags&headerFailback != 0}
	// It covers whole names, and at least a server's and a share's.
	if rest, ok := strings.CutPrefix(path, r.Prefix); !ok || rest != "" && rest[0] != '\\' || strings.Count(r.Prefix, `\`) < 2 {
		return Referral{}, malformed("it is about %s", r.Prefix)
	}
	at := 8
	for i := range n {
		if at+4 > len(b) {
			return Referral{}, malformed("target %d is cut off", i)
		}
		version, size := le.Uint16(b[at:]), int(le.Uint16(b[at+2:]))
		if version != 3 && version != 4 || size < 18 || at+size > len(b) {
			return Referral{}, malformed("target %d of version %d with %d bytes", i, version, size)
		}
		e := b[at:]
		if le.Uint16(e[6:])&entryNameList != 0 {
			return Referral{}, malformed("names of domains, not of targets")
		}
		target, err := text(e, int(le.Uint16(e[16:])), size)
		if err != nil {
			return Referral{}, err
		}
		if target, err = Clean(target); err != nil {
			return Referral{}, malformed("the target %q", target)
		}
		r.Targets = append(r.Targets, target)
		ttl := min(time.Duration(le.Uint32(e[8:]))*time.Second, maxTTL)
		if i == 0 || ttl < r.TTL {
			r.TTL = ttl
		}
		r.Root = r.Root || le.Uint16(e[4:]) == 1
		at += size
	}
	return r, nil
}

// text reads the string at an offset from its entry, up to its NUL. It lies behind the entry's fixed part.
func text(e []byte, at, size int) (string, error) {
	if at < size {
		return "", malformed("a name inside of its entry")
	}
	var u []uint16
	for ; at+2 <= len(e); at += 2 {
		c := le.Uint16(e[at:])
		if c == 0 {
			return string(utf16.Decode(u)), nil
		}
		u = append(u, c)
	}
	return "", malformed("a name without an end")
}

// Clean gives a path the form that this package uses: `\server\share\path`, from any with one or two backslashes or slashes in front. It fails
// where server or share are missing, and where a name is empty, "." or "..": nothing that a server names may lead out of its share.
func Clean(path string) (string, error) {
	path = strings.TrimRight(strings.ReplaceAll(path, "/", `\`), `\`)
	names := strings.Split(strings.TrimPrefix(strings.TrimPrefix(path, `\`), `\`), `\`)
	if len(names) < 2 {
		return path, fmt.Errorf("dfs: %q names no share", path)
	}
	for _, n := range names {
		if n == "" || n == "." || n == ".." || strings.ContainsRune(n, 0) || !utf8.ValidString(n) {
			return path, fmt.Errorf("dfs: %q is not a path", path)
		}
	}
	return `\` + strings.Join(names, `\`), nil
}

// Split takes a cleaned path apart.
func Split(path string) (server, share, rest string) {
	server, rest, _ = strings.Cut(strings.TrimPrefix(path, `\`), `\`)
	share, rest, _ = strings.Cut(rest, `\`)
	return server, share, rest
}
