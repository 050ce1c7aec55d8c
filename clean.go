package wnet

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/openwnet/wnet/win32"
)

// invisible names the characters that come along unseen when a name is copied from a dialog or a page (field experience: U+202A from
// Windows' own Security tab).
func invisible(r rune) string {
	switch r {
	case 0x00A0:
		return "NO-BREAK SPACE"
	case 0x00AD:
		return "SOFT HYPHEN"
	case 0x061C:
		return "ARABIC LETTER MARK"
	case 0x180E:
		return "MONGOLIAN VOWEL SEPARATOR"
	case 0x200B:
		return "ZERO WIDTH SPACE"
	case 0x200C:
		return "ZERO WIDTH NON-JOINER"
	case 0x200D:
		return "ZERO WIDTH JOINER"
	case 0x200E:
		return "LEFT-TO-RIGHT MARK"
	case 0x200F:
		return "RIGHT-TO-LEFT MARK"
	case 0x2028:
		return "LINE SEPARATOR"
	case 0x2029:
		return "PARAGRAPH SEPARATOR"
	case 0x202A, 0x202B, 0x202C, 0x202D, 0x202E:
		return "BIDIRECTIONAL EMBEDDING"
	case 0x2060:
		return "WORD JOINER"
	case 0x2066, 0x2067, 0x2068, 0x2069:
		return "BIDIRECTIONAL ISOLATE"
	case 0xFEFF:
		return "BYTE ORDER MARK"
	case '\r':
		return "CARRIAGE RETURN"
	case '\n':
		return "LINE FEED"
	case '\t':
		return "TAB"
	case 0:
		return "NUL"
	}
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return "CONTROL CHARACTER"
	}
	return ""
}

// Clean takes invisible characters (bidi marks, byte order mark, no-break space, CR …) and blanks off both ends of a name that a
// person typed or pasted, and refuses those inside it by their name. what is the part's name for the message, such as "user name".
// The error's code is ERROR_INVALID_NAME; bytes that are not UTF-8 are refused too.
func Clean(what, s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", &Error{Code: win32.ERROR_INVALID_NAME, Err: fmt.Errorf("the %s is not valid UTF-8", what)}
	}
	s = strings.TrimFunc(s, func(r rune) bool { return r == ' ' || invisible(r) != "" })
	n := 0
	for _, r := range s {
		n++
		if name := invisible(r); name != "" {
			return "", &Error{Code: win32.ERROR_INVALID_NAME,
				Err:  fmt.Errorf("the %s has an invisible character, U+%04X %s, as character %d", what, r, name, n),
				Hint: "Type the name instead of pasting it."}
		}
	}
	return s, nil
}
