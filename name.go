package wnet

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/openwnet/wnet/win32"
)

// Scheme is the network that a remote name's form speaks of.
type Scheme string

// The schemes. A plain UNC name may belong to any provider that serves UNC names.
const (
	SchemeUNC  Scheme = ""     // `\\server\share[\path]`, smb://
	SchemeSFTP Scheme = "sftp" // sftp://, `\\sshfs\user@host!port\path`
	SchemeDAV  Scheme = "dav"  // http(s)://, `\\server@SSL@port\path`
)

// RemoteName is a remote name, normalised. The zero value is none. Two names are the same connection's if their Keys are equal.
type RemoteName struct {
	Scheme Scheme
	User   string // named in the remote name itself (sftp, smb://user@…), "" if not
	Server string // host name or address as typed, an IPv6 address without brackets; never a port
	Port   int    // 1…65535, 0 for the network's own
	Share  string // first part after the server; "" only for SchemeSFTP and SchemeDAV, where all is in Path
	Path   string // the rest, slash-separated, without a slash at either end
	Rooted bool   // SchemeSFTP: Path starts at the server's root, not in the user's home
	TLS    bool   // SchemeDAV: https
}

const ipv6Suffix = ".ipv6-literal.net"

// ParseRemoteName reads a remote name in any form that people type: `\\server\share\path` and //server/share in mixed slashes, smb://,
// sftp:// and http(s):// addresses, SSHFS-Win's `\\sshfs\user@host!port\path` (sshfs.r, sshfs.k and sshfs.kr too) and WebDAV's
// `\\server@SSL@port\path`, in double quotes or not, with trailing slashes (netuse.md §6).
//
// Errors: ERROR_BAD_NET_NAME for what is no remote name or longer than MAX_PATH (A2-04, A2-15), ERROR_INVALID_NAME for invisible
// characters inside (Clean). The error says what is wrong, and never repeats a password.
func ParseRemoteName(s string) (RemoteName, error) { return parseName(s, true) }

// ParseServerName reads a server alone, as `net view` takes it: `\\server`, //server, smb://server. A share behind it is accepted too.
// Errors as for ParseRemoteName.
func ParseServerName(s string) (RemoteName, error) { return parseName(s, false) }

func parseName(s string, needShare bool) (RemoteName, error) {
	clean, err := Clean("remote name", s)
	if err != nil {
		return RemoteName{}, err
	}
	if len(clean) >= 2 && clean[0] == '"' && clean[len(clean)-1] == '"' {
		if clean, err = Clean("remote name", clean[1:len(clean)-1]); err != nil {
			return RemoteName{}, err
		}
	}
	var n RemoteName
	if rest := strings.TrimLeft(clean, `\/`); strings.Contains(rest, "://") || hasScheme(clean) {
		n, err = parseURL(rest)
	} else {
		n, err = parseUNC(clean)
	}
	if err == nil {
		err = n.check(needShare)
	}
	if err != nil {
		return RemoteName{}, badName(shown(clean), err)
	}
	return n, nil
}

// hasScheme catches "smb:\\server\share", as a person under Windows may type it.
func hasScheme(s string) bool {
	i := strings.Index(s, ":")
	return i > 1 && strings.HasPrefix(s[i+1:], `\\`)
}

func badName(name string, err error) error {
	return &Error{Name: name, Code: win32.ERROR_BAD_NET_NAME, Err: err,
		Hint: `Write \\server\share, //server/share, smb://server/share or sftp://user@server/path.`}
}

// shown is a name as a message may repeat it: without what could be a password.
func shown(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	auth, path := rest, ""
	if i := strings.IndexAny(rest, `/\`); i >= 0 {
		auth, path = rest[:i], rest[i:]
	}
	if i := strings.LastIndex(auth, "@"); i >= 0 {
		if user, _, ok := strings.Cut(auth[:i], ":"); ok {
			auth = user + auth[i:]
		}
	}
	return scheme + "://" + auth + path
}

func parseURL(s string) (RemoteName, error) {
	s = strings.ReplaceAll(s, `\`, "/")
	i := strings.Index(s, ":")
	scheme, rest := strings.ToLower(s[:i]), strings.TrimLeft(s[i+1:], "/")
	var n RemoteName
	switch scheme {
	case "smb", "cifs":
	case "sftp", "ssh":
		n.Scheme, n.Rooted = SchemeSFTP, true
	case "http", "dav", "webdav":
		n.Scheme = SchemeDAV
	case "https", "davs", "webdavs":
		n.Scheme, n.TLS = SchemeDAV, true
	default:
		return n, fmt.Errorf("%q is no address that wnet knows", scheme+"://")
	}
	auth, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndex(auth, "@"); i >= 0 {
		user, pass, has := strings.Cut(auth[:i], ":")
		if has || pass != "" {
			return n, errors.New("a password does not belong in a name, where others can read it")
		}
		var err error
		if n.User, err = url.PathUnescape(user); err != nil {
			return n, errors.New("the user name has a bad % escape")
		}
		if n.User, err = Clean("user name", n.User); err != nil {
			return n, err
		}
		if n.User == "" {
			return n, errors.New("the user name before @ is empty")
		}
		auth = auth[i+1:]
	}
	var err error
	if n.Server, n.Port, err = hostPort(auth, ":"); err != nil {
		return n, err
	}
	parts, err := split(path, true)
	if err != nil {
		return n, err
	}
	switch n.Scheme {
	case SchemeUNC:
		if len(parts) > 0 {
			n.Share, parts = parts[0], parts[1:]
		}
	case SchemeSFTP:
		if n.Port == 22 {
			n.Port = 0
		}
		if len(parts) > 0 && parts[0] == "~" {
			n.Rooted, parts = false, parts[1:]
		}
	case SchemeDAV:
		if n.TLS && n.Port == 443 || !n.TLS && n.Port == 80 {
			n.Port = 0
		}
	}
	if n.Scheme == SchemeUNC && n.Port == 445 {
		n.Port = 0
	}
	n.Path = strings.Join(parts, "/")
	return n, nil
}

// hostPort reads host, host SEP port and [v6] SEP port.
func hostPort(s, sep string) (host string, port int, err error) {
	digits, has := "", false
	if strings.HasPrefix(s, "[") {
		end := strings.Index(s, "]")
		if end < 0 {
			return "", 0, errors.New("the [ of an IPv6 address has no ]")
		}
		host, s = s[1:end], s[end+1:]
		if !strings.Contains(host, ":") {
			return "", 0, errors.New("what stands in [ ] is no IPv6 address")
		}
		if s != "" {
			if digits, has = strings.CutPrefix(s, sep); !has {
				return "", 0, errors.New("what follows ] is no port")
			}
		}
	} else {
		host, digits, has = strings.Cut(s, sep)
	}
	if has && digits != "" {
		if port, err = parsePort(digits); err != nil {
			return "", 0, err
		}
	}
	return host, port, nil
}

func parsePort(s string) (int, error) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%q is no port", s)
		}
	}
	p, err := strconv.Atoi(s)
	if err != nil || p < 1 || p > 65535 {
		return 0, fmt.Errorf("%q is no port", s)
	}
	return p, nil
}

// split cuts a slash-separated path, drops empty parts and refuses those that climb.
func split(path string, escaped bool) ([]string, error) {
	var parts []string
	for _, p := range strings.Split(path, "/") {
		if escaped {
			u, err := url.PathUnescape(p)
			if err != nil {
				return nil, errors.New("the path has a bad % escape")
			}
			if p, err = Clean("path", u); err != nil {
				return nil, err
			}
			if strings.ContainsAny(p, `/\`) {
				return nil, errors.New("the path has an escaped slash")
			}
		}
		switch p {
		case "":
		case ".", "..":
			return nil, fmt.Errorf("the path has %q in it", p)
		default:
			parts = append(parts, p)
		}
	}
	return parts, nil
}

func parseUNC(s string) (RemoteName, error) {
	var n RemoteName
	s = strings.ReplaceAll(s, `\`, "/")
	if !strings.HasPrefix(s, "//") {
		return n, errors.New("a remote name begins with two backslashes or slashes, or is an address with ://")
	}
	parts, err := split(s, false)
	if err != nil {
		return n, err
	}
	if len(parts) == 0 {
		return n, errors.New("the server is missing")
	}
	server, parts := parts[0], parts[1:]
	switch l := strings.ToLower(server); {
	case l == "sshfs" || l == "sshfs.r" || l == "sshfs.k" || l == "sshfs.kr":
		n.Scheme, n.Rooted = SchemeSFTP, strings.HasSuffix(l, "r")
		return n, n.parseSSHFS(parts)
	case strings.Contains(server, "@"):
		n.Scheme = SchemeDAV
		return n, n.parseDAV(server, parts)
	}
	n.Server = server
	if host, ok := strings.CutPrefix(server, "["); ok {
		n.Server = strings.TrimSuffix(host, "]")
	}
	if v6, ok := cutSuffixFold(n.Server, ipv6Suffix); ok {
		n.Server = strings.ReplaceAll(strings.ReplaceAll(v6, "-", ":"), "s", "%")
	}
	if len(parts) > 0 {
		n.Share, parts = parts[0], parts[1:]
	}
	n.Path = strings.Join(parts, "/")
	return n, nil
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if len(s) > len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix) {
		return s[:len(s)-len(suffix)], true
	}
	return s, false
}

// parseSSHFS reads [LOCUSER=]USER@HOST[!PORT] and the path. The local user is SSHFS-Win's way to choose a file's owner there and has
// no meaning here.
func (n *RemoteName) parseSSHFS(parts []string) error {
	if len(parts) == 0 {
		return errors.New("the server is missing")
	}
	host := parts[0]
	if i := strings.LastIndex(host, "@"); i >= 0 {
		n.User, host = host[:i], host[i+1:]
		if _, after, ok := strings.Cut(n.User, "="); ok {
			n.User = after
		}
		n.User = strings.Trim(n.User, " ")
		if n.User == "" {
			return errors.New("the user name before @ is empty")
		}
	}
	var err error
	if n.Server, n.Port, err = hostPort(host, "!"); err != nil {
		return err
	}
	if n.Port == 22 {
		n.Port = 0
	}
	if v6, ok := cutSuffixFold(n.Server, ipv6Suffix); ok {
		n.Server = strings.ReplaceAll(strings.ReplaceAll(v6, "-", ":"), "s", "%")
	}
	n.Path = strings.Join(parts[1:], "/")
	return nil
}

// parseDAV reads server[@SSL][@port] and the path; DavWWWRoot stands for the root (unsourced).
func (n *RemoteName) parseDAV(server string, parts []string) error {
	bits := strings.Split(server, "@")
	n.Server, bits = bits[0], bits[1:]
	if len(bits) > 0 && strings.EqualFold(bits[0], "SSL") {
		n.TLS, bits = true, bits[1:]
	}
	if len(bits) > 1 {
		return errors.New("what stands behind the server is neither @SSL nor a port")
	}
	if len(bits) == 1 {
		var err error
		if n.Port, err = parsePort(bits[0]); err != nil {
			return err
		}
		if n.TLS && n.Port == 443 || !n.TLS && n.Port == 80 {
			n.Port = 0
		}
	}
	if v6, ok := cutSuffixFold(n.Server, ipv6Suffix); ok {
		n.Server = strings.ReplaceAll(strings.ReplaceAll(v6, "-", ":"), "s", "%")
	}
	if len(parts) > 0 && strings.EqualFold(parts[0], "DavWWWRoot") {
		parts = parts[1:]
	}
	n.Path = strings.Join(parts, "/")
	return nil
}

// check refuses what no provider could take, after the form was read.
func (n RemoteName) check(needShare bool) error {
	if n.Server == "" {
		return errors.New("the server is missing")
	}
	if n.Server == "." || n.Server == ".." {
		return fmt.Errorf("%q is no server", n.Server)
	}
	if strings.Contains(n.Server, ":") {
		if host, port, one := strings.Cut(n.Server, ":"); one && !strings.Contains(port, ":") {
			return fmt.Errorf("a port has no place in this form; write smb://%s:%s/SHARE", host, port)
		}
		if !plausibleIPv6(n.Server) {
			return fmt.Errorf("%q is no IPv6 address", n.Server)
		}
	} else if i := strings.IndexAny(n.Server, `"/\[]:|<>+=;,?*@!% #&'(){}^~$`+"`"); i >= 0 {
		return fmt.Errorf("a server's name has no %q", n.Server[i])
	}
	if needShare && n.Scheme == SchemeUNC && n.Share == "" {
		return errors.New("the share is missing")
	}
	if i := strings.IndexAny(n.Share, `"/\:|<>?*`); i >= 0 {
		return fmt.Errorf("a share's name has no %q", n.Share[i])
	}
	if i := strings.IndexAny(n.User, `"/\[]:|<>?*!@=`); i >= 0 {
		return fmt.Errorf("a user's name has no %q", n.User[i])
	}
	if strings.ContainsAny(n.Path, `\`) {
		return errors.New(`the path has a \ in it`)
	}
	if strings.HasSuffix(n.String(), " ") { // it would be lost where the name is read again
		return errors.New("the name ends in a blank")
	}
	if utf8.RuneCountInString(n.String()) >= win32.MAX_PATH {
		return fmt.Errorf("the name is longer than %d characters", win32.MAX_PATH-1)
	}
	return nil
}

func plausibleIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6()
}

// host is the server as a UNC name spells it: an IPv6 address becomes …ipv6-literal.net (A2-43).
func (n RemoteName) host() string {
	if !strings.Contains(n.Server, ":") {
		return n.Server
	}
	return strings.ReplaceAll(strings.ReplaceAll(n.Server, ":", "-"), "%", "s") + ipv6Suffix
}

// IsZero reports whether there is no name.
func (n RemoteName) IsZero() bool { return n.Server == "" }

// String gives the name as Windows shows it, in UNC form, without a trailing backslash (GC-11). ParseRemoteName reads it back; an SMB
// port is the exception, which Windows too keeps beside the name, in UseOptions.
func (n RemoteName) String() string {
	if n.IsZero() {
		return ""
	}
	var b strings.Builder
	b.WriteString(`\\`)
	switch n.Scheme {
	case SchemeSFTP:
		b.WriteString("sshfs")
		if n.Rooted {
			b.WriteString(".r")
		}
		b.WriteString(`\`)
		if n.User != "" {
			b.WriteString(n.User + "@")
		}
		b.WriteString(n.host())
		if n.Port != 0 {
			b.WriteString("!" + strconv.Itoa(n.Port))
		}
	case SchemeDAV:
		b.WriteString(n.host())
		switch {
		case n.TLS:
			b.WriteString("@SSL")
			if n.Port != 0 {
				b.WriteString("@" + strconv.Itoa(n.Port))
			}
		case n.Port != 0:
			b.WriteString("@" + strconv.Itoa(n.Port))
		default:
			b.WriteString("@80")
		}
		b.WriteString(`\DavWWWRoot`)
	default:
		b.WriteString(n.host())
		if n.Share != "" {
			b.WriteString(`\` + n.Share)
		}
	}
	if n.Path != "" {
		b.WriteString(`\` + strings.ReplaceAll(n.Path, "/", `\`))
	}
	return b.String()
}

// Key is equal for two names that mean the same resource: case is folded for the Microsoft network and WebDAV hosts (CC-06), and for
// SFTP only in the host. The port of an SMB name is not part of it.
func (n RemoteName) Key() string {
	if n.Scheme == SchemeUNC {
		return strings.ToLower(n.String())
	}
	n.Server = strings.ToLower(n.Server)
	return n.String()
}

// ServerKey is equal for names on the same server by name: the unit in which user names may not be mixed (A2-41). An address, a full
// name and an alias count as different servers.
func (n RemoteName) ServerKey() string {
	k := string(n.Scheme) + "//" + strings.ToLower(n.Server)
	if n.Scheme == SchemeSFTP {
		k += "!" + strconv.Itoa(n.Port) + "/" + n.User
	}
	return k
}

// IsRemoteForm reports whether s has the form of a remote name rather than of a device: two slashes in front, or an address.
func IsRemoteForm(s string) bool {
	s = strings.TrimLeft(strings.TrimSpace(s), `"`)
	s = strings.ReplaceAll(s, `\`, "/")
	return strings.HasPrefix(s, "//") || strings.Contains(s, "://")
}
