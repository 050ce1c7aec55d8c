package wnet

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/openwnet/wnet/win32"
)

// Each class of invisible characters: away at both ends, refused inside by number, name and place.
func TestClean(t *testing.T) {
	for _, c := range []struct {
		r    rune
		name string
	}{
		{0x00A0, "NO-BREAK SPACE"}, {0x00AD, "SOFT HYPHEN"}, {0x061C, "ARABIC LETTER MARK"}, {0x180E, "MONGOLIAN VOWEL SEPARATOR"},
		{0x200B, "ZERO WIDTH SPACE"}, {0x200C, "ZERO WIDTH NON-JOINER"}, {0x200D, "ZERO WIDTH JOINER"},
		{0x200E, "LEFT-TO-RIGHT MARK"}, {0x200F, "RIGHT-TO-LEFT MARK"}, {0x2028, "LINE SEPARATOR"}, {0x2029, "PARAGRAPH SEPARATOR"},
		{0x202A, "BIDIRECTIONAL EMBEDDING"}, {0x202B, "BIDIRECTIONAL EMBEDDING"}, {0x202C, "BIDIRECTIONAL EMBEDDING"},
		{0x202D, "BIDIRECTIONAL EMBEDDING"}, {0x202E, "BIDIRECTIONAL EMBEDDING"}, {0x2060, "WORD JOINER"},
		{0x2066, "BIDIRECTIONAL ISOLATE"}, {0x2067, "BIDIRECTIONAL ISOLATE"}, {0x2068, "BIDIRECTIONAL ISOLATE"},
		{0x2069, "BIDIRECTIONAL ISOLATE"}, {0xFEFF, "BYTE ORDER MARK"}, {'\r', "CARRIAGE RETURN"}, {'\n', "LINE FEED"}, {'\t', "TAB"},
		{0, "NUL"}, {0x1B, "CONTROL CHARACTER"}, {0x7F, "CONTROL CHARACTER"}, {0x85, "CONTROL CHARACTER"}, {0x2061, "CONTROL CHARACTER"},
		{0xE0041, "CONTROL CHARACTER"},
	} {
		s := string(c.r)
		if got, err := Clean("user name", " "+s+s+" änna b"+s+" "); err != nil || got != "änna b" {
			t.Errorf("U+%04X at the ends: %q %v", c.r, got, err)
		}
		got, err := Clean("user name", "ä"+s+"b")
		var e *Error
		if got != "" || !errors.Is(err, win32.ERROR_INVALID_NAME) || !errors.As(err, &e) || e.Hint == "" {
			t.Errorf("U+%04X inside: %q %v", c.r, got, err)
			continue
		}
		for _, part := range []string{"user name", fmt.Sprintf("U+%04X", c.r), c.name, "character 2"} {
			if !strings.Contains(e.Err.Error(), part) {
				t.Errorf("U+%04X: %q does not tell %q", c.r, e.Err, part)
			}
		}
	}
	for in, want := range map[string]string{"": "", " ": "", "\u202a\u202c": "", "a b": "a b", "日本": "日本", "👍": "👍", "é": "é"} {
		if got, err := Clean("x", in); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	if _, err := Clean("x", "a\xff"); !errors.Is(err, win32.ERROR_INVALID_NAME) || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("not UTF-8: %v", err)
	}
}
