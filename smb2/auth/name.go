package auth

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// identity is a user as it was named: DOMAIN\user, user@domain, or a bare name.
type identity struct {
	user   string
	domain string // before the backslash
	suffix string // behind the last @
}

// parseName takes a user's name apart. Text behind a backslash is never taken apart further.
func parseName(name string) (identity, error) {
	if !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return identity{}, fail(UnknownUser, "the name is not text")
	}
	if domain, user, ok := strings.Cut(name, `\`); ok {
		if user == "" {
			return identity{}, fail(UnknownUser, "there is no name behind the backslash")
		}
		return identity{user: user, domain: domain}, nil
	}
	if i := strings.LastIndexByte(name, '@'); i > 0 && i < len(name)-1 {
		return identity{user: name[:i], suffix: name[i+1:]}, nil
	}
	if name == "" {
		return identity{}, fail(UnknownUser, "there is no name")
	}
	return identity{user: name}, nil
}

// ntlm gives user and domain as NTLM wants them: a name with a suffix goes whole and without a domain, for the server to resolve
// ([MS-NLMP] 2.2.1.3), except that one of a single label is a domain's short name. A bare name has no domain: the server looks among
// its own accounts first.
func (i identity) ntlm() (user, domain string) {
	if i.suffix != "" && !strings.Contains(i.suffix, ".") {
		return i.user, i.suffix
	}
	if i.suffix != "" {
		return i.user + "@" + i.suffix, ""
	}
	if i.domain == "." {
		return i.user, ""
	}
	return i.user, i.domain
}

// utf16le encodes text as NTLM and Windows strings are.
func utf16le(s string) []byte {
	u := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(u))
	for _, c := range u {
		b = append(b, byte(c), byte(c>>8))
	}
	return b
}
