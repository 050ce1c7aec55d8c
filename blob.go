package wnet

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/openwnet/wnet/win32"
)

// maxBlob bounds what WNetAddConnection4 and WNetUseConnection4 take as a blob, in bytes.
const maxBlob = 64 << 10

// authJSON is wnet's own form of an authentication blob.
type authJSON struct {
	User     string  `json:"user"`
	Domain   string  `json:"domain"`
	Password *string `json:"password"`
}

// ParseAuth reads the authentication blob of WNetAddConnection4 and WNetUseConnection4 (A4-01). Two forms are known:
//
//   - JSON in UTF-8: {"user": "anna", "domain": "OFFICE", "password": "…"}, each of them optional. A password that is left out or null
//     is absent, "" is none (A2-06).
//   - A packed KERB_INTERACTIVE_LOGON or KERB_INTERACTIVE_UNLOCK_LOGON of a 32 or a 64 bit program, which is what
//     CredPackAuthenticationBuffer makes and CredUIPromptForWindowsCredentials gives: the strings' Buffer fields count from the blob's
//     beginning. A password in it that CredProtect has sealed can't be opened here and is ERROR_NOT_SUPPORTED.
//
// An empty blob is the default login. Anything else (a smart card's blob, say) is ERROR_NOT_SUPPORTED; a blob that begins like one of
// the two and is broken is ERROR_INVALID_PARAMETER. Errors never repeat what is in the blob.
func ParseAuth(blob Secret) (user string, password Secret, err error) {
	b := []byte(blob.Reveal())
	switch {
	case len(b) == 0:
		return "", Secret{}, nil
	case len(b) > maxBlob:
		return "", Secret{}, badBlob("the authentication blob is longer than %d bytes", maxBlob)
	case isJSON(b):
		var a authJSON
		if decodeJSON(b, &a) != nil {
			return "", Secret{}, badBlob("the authentication blob is no JSON object with user, domain and password")
		}
		if a.Password != nil {
			password = NewSecret(*a.Password)
		}
		return join(a.Domain, a.User), password, nil
	case len(b) >= 4:
		if kind := binary.LittleEndian.Uint32(b); kind == kerbInteractiveLogon || kind == kerbWorkstationUnlockLogon {
			return parseKerb(b)
		}
	}
	return "", Secret{}, &Error{Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("the authentication blob has no form that a network here understands"),
		Hint: `Give user and password, or the JSON {"user": "…", "password": "…"}.`}
}

// ParseUseOptions reads the options blob of WNetAddConnection4 and WNetUseConnection4 (A4-02): UseOptions as JSON, such as
// {"tcpPort": 4455}, the same that doc/rpc.md has. An empty blob sets nothing. A JSON blob with a field that is unknown or has a wrong
// value is ERROR_INVALID_PARAMETER, anything else ERROR_NOT_SUPPORTED: what other programs' blobs mean is not known here.
func ParseUseOptions(blob string) (UseOptions, error) {
	var o UseOptions
	switch b := []byte(blob); {
	case len(b) == 0:
		return o, nil
	case len(b) > maxBlob:
		return o, badBlob("the options blob is longer than %d bytes", maxBlob)
	case !isJSON(b):
		return o, &Error{Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("the options blob has no form that a network here understands"),
			Hint: `Give the options as JSON, such as {"tcpPort": 4455}.`}
	default:
		if err := decodeJSON(b, &o); err != nil {
			return UseOptions{}, badBlob("the options blob is no JSON object of options: %w", err)
		}
	}
	if o.TCPPort < 0 || o.TCPPort > 65535 {
		return UseOptions{}, badBlob("tcpPort is a number from 1 to 65535")
	}
	return o, nil
}

func badBlob(format string, args ...any) error {
	return &Error{Code: win32.ERROR_INVALID_PARAMETER, Err: fmt.Errorf(format, args...)}
}

func isJSON(b []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) }

// decodeJSON takes one object, with known fields only. A C program may send the terminating NUL along.
func decodeJSON(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimRight(b, "\x00")))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object")
	}
	return nil
}

// join writes a user name as networks take it.
func join(domain, user string) string {
	if domain == "" || user == "" {
		return user
	}
	return domain + `\` + user
}

// KERB_LOGON_SUBMIT_TYPE of the two structures.
const (
	kerbInteractiveLogon       = 2
	kerbWorkstationUnlockLogon = 7
)

// parseKerb reads the packed structure: a number, then LogonDomainName, UserName and Password, each a UNICODE_STRING. The blob does not
// say whether a pointer has four or eight bytes, so the layout is the one in which every string lies behind the structure and inside
// the blob.
func parseKerb(b []byte) (user string, password Secret, err error) {
	le := binary.LittleEndian
	for _, wide := range []bool{true, false} {
		start, size, buffer := 4, 8, 4
		if wide {
			start, size, buffer = 8, 16, 8
		}
		head := start + 3*size
		if len(b) < head {
			continue
		}
		var parts [3]string
		ok := true
		for i := range parts {
			at := start + i*size
			n := uint64(le.Uint16(b[at:]))
			off := uint64(le.Uint32(b[at+buffer:]))
			if wide {
				off = le.Uint64(b[at+buffer:])
			}
			if n == 0 {
				continue
			}
			if n%2 != 0 || le.Uint16(b[at+2:]) < uint16(n) || off < uint64(head) || off > uint64(len(b)) || n > uint64(len(b))-off {
				ok = false
				break
			}
			parts[i] = fromUTF16(b[off : off+n])
		}
		if !ok || parts[1] == "" { // without a user, the other layout's padding looks like empty strings
			continue
		}
		if strings.HasPrefix(parts[2], "@@") {
			return "", Secret{}, &Error{Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("the password in the authentication blob is sealed"),
				Hint: "Pack it without CredProtect."}
		}
		return join(parts[0], parts[1]), NewSecret(parts[2]), nil
	}
	return "", Secret{}, badBlob("the authentication blob's strings do not lie inside of it, or it names no user")
}

func fromUTF16(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}
