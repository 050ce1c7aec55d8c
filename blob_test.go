package wnet

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/openwnet/wnet/win32"
)

// kerb packs a KERB_INTERACTIVE_UNLOCK_LOGON as a program with pointers of that many bytes does.
func kerb(pointer int, domain, user, password string) string {
	le := binary.LittleEndian
	size := pointer + pointer
	head := pointer + 3*size + 8 // and the LUID
	b := make([]byte, head)
	le.PutUint32(b, kerbWorkstationUnlockLogon)
	for i, s := range []string{domain, user, password} {
		at := pointer + i*size
		var text []byte
		for _, u := range utf16.Encode([]rune(s)) {
			text = le.AppendUint16(text, u)
		}
		le.PutUint16(b[at:], uint16(len(text)))
		le.PutUint16(b[at+2:], uint16(len(text)))
		le.PutUint32(b[at+pointer:], uint32(len(b)))
		b = append(b, text...)
	}
	return string(b)
}

// Rows: A4-01
func TestParseAuth(t *testing.T) {
	for _, c := range []struct {
		blob, user, password string
		absent               bool
		code                 win32.Code
	}{
		{blob: "", absent: true},
		{blob: `{}`, absent: true},
		{blob: `{"user":"anna","password":"p ä"}`, user: "anna", password: "p ä"},
		{blob: "{\"user\":\"anna\",\"domain\":\"OFFICE\",\"password\":\"\"}\x00", user: `OFFICE\anna`},
		{blob: `{"user":"anna","password":null}`, user: "anna", absent: true},
		{blob: kerb(8, "OFFICE", "anna", "geheim 𝄞"), user: `OFFICE\anna`, password: "geheim 𝄞"},
		{blob: kerb(4, "", "anna", "x"), user: "anna", password: "x"},
		{blob: kerb(8, "", "anna", "@@D\x07"), code: win32.ERROR_NOT_SUPPORTED},
		{blob: kerb(8, "OFFICE", "anna", "geheim")[:90], code: win32.ERROR_INVALID_PARAMETER},
		{blob: "\x02\x00\x00\x00", code: win32.ERROR_INVALID_PARAMETER},
		{blob: "\x0d\x00\x00\x00 a smart card's", code: win32.ERROR_NOT_SUPPORTED},
		{blob: "abc", code: win32.ERROR_NOT_SUPPORTED},
		{blob: `{"usr":"anna"}`, code: win32.ERROR_INVALID_PARAMETER},
		{blob: `{"user":"anna"} {}`, code: win32.ERROR_INVALID_PARAMETER},
		{blob: `{"user":`, code: win32.ERROR_INVALID_PARAMETER},
		{blob: strings.Repeat("x", maxBlob+1), code: win32.ERROR_INVALID_PARAMETER},
	} {
		user, password, err := ParseAuth(NewSecret(c.blob))
		if CodeOf(err) != c.code || user != c.user || password.Reveal() != c.password || err == nil && password.Present() == c.absent {
			t.Errorf("%.80q: got %q, %q (%v), %v", c.blob, user, password.Reveal(), password.Present(), err)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

// Rows: A4-02
func TestParseUseOptions(t *testing.T) {
	for _, c := range []struct {
		blob string
		want UseOptions
		code win32.Code
	}{
		{"", UseOptions{}, 0},
		{"{}\x00", UseOptions{}, 0},
		{` {"tcpPort":4455,"transport":"TCP","skipCertCheck":true,"requestCompression":"YES","hostKey":"SHA256:x","smartCard":true}`,
			UseOptions{4455, "TCP", true, "YES", "SHA256:x", true}, 0},
		{`{"tcpPort":70000}`, UseOptions{}, win32.ERROR_INVALID_PARAMETER},
		{`{"tcpPort":"4455"}`, UseOptions{}, win32.ERROR_INVALID_PARAMETER},
		{`{"port":4455}`, UseOptions{}, win32.ERROR_INVALID_PARAMETER},
		{"DefC\x7c\x00", UseOptions{}, win32.ERROR_NOT_SUPPORTED},
	} {
		if got, err := ParseUseOptions(c.blob); got != c.want || CodeOf(err) != c.code {
			t.Errorf("%q: got %+v, %v", c.blob, got, err)
		}
	}
}

func FuzzParseAuth(f *testing.F) {
	f.Add(kerb(8, "OFFICE", "anna", "secret"))
	f.Add(kerb(4, "OFFICE", "anna", "secret"))
	f.Add(`{"user":"anna","password":"x"}`)
	f.Fuzz(func(t *testing.T, blob string) {
		user, password, err := ParseAuth(NewSecret(blob))
		if code := CodeOf(err); code != 0 && code != win32.ERROR_INVALID_PARAMETER && code != win32.ERROR_NOT_SUPPORTED {
			t.Errorf("got the code %d", code)
		}
		if err != nil && (user != "" || password.Present()) {
			t.Error("an error comes with a login")
		}
		if o, err := ParseUseOptions(blob); err != nil && o != (UseOptions{}) {
			t.Error("an error comes with options")
		}
	})
}
