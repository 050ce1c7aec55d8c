package wnet

import (
	"errors"
	"strings"
	"testing"

	"github.com/openwnet/wnet/win32"
)

// Every form of netuse.md §6, and what people type besides.
//
// Rows: A2-43.
func TestParseRemoteName(t *testing.T) {
	for _, c := range []struct {
		in, out string
		port    int
	}{
		{`\\server\share`, `\\server\share`, 0},
		{`\\server\share\`, `\\server\share`, 0},
		{`\\Server\Share\Dir\sub\\`, `\\Server\Share\Dir\sub`, 0},
		{`//server/share`, `\\server\share`, 0},
		{`/\server/share\x`, `\\server\share\x`, 0},
		{`"\\server\my share"`, `\\server\my share`, 0},
		{`smb://server/share/a%20b/`, `\\server\share\a b`, 0},
		{`SMB://server:4455/share`, `\\server\share`, 4455},
		{`smb://server:445/share`, `\\server\share`, 0},
		{`smb:\\server\share`, `\\server\share`, 0},
		{`smb://anna@server/share`, `\\server\share`, 0},
		{`\\192.0.2.1\share`, `\\192.0.2.1\share`, 0},
		{`\\2001-4898-0-0-0-0-0-1.ipv6-literal.net\share`, `\\2001-4898-0-0-0-0-0-1.ipv6-literal.net\share`, 0},
		{`smb://[2001:db8::1]:4455/s`, `\\2001-db8--1.ipv6-literal.net\s`, 4455},
		{`\\[fe80::1]\share`, `\\fe80--1.ipv6-literal.net\share`, 0},
		{`\\fe80--1s2.ipv6-literal.net\share`, `\\fe80--1s2.ipv6-literal.net\share`, 0},
		{`\\sshfs\anna@host!2222\dir\sub`, `\\sshfs\anna@host!2222\dir\sub`, 2222},
		{`\\sshfs\local=anna@host`, `\\sshfs\anna@host`, 0},
		{`\\sshfs.kr\anna@host\etc`, `\\sshfs.r\anna@host\etc`, 0},
		{`\\sshfs.k\host`, `\\sshfs\host`, 0},
		{`sftp://anna@host:2222/srv/data`, `\\sshfs.r\anna@host!2222\srv\data`, 2222},
		{`sftp://host/~/docs`, `\\sshfs\host\docs`, 0},
		{`sftp://host`, `\\sshfs.r\host`, 0},
		{`https://dav.example/files/`, `\\dav.example@SSL\DavWWWRoot\files`, 0},
		{`\\http://dav.example:8080/x`, `\\dav.example@8080\DavWWWRoot\x`, 8080},
		{`\\dav.example@SSL@8443\DavWWWRoot\x`, `\\dav.example@SSL@8443\DavWWWRoot\x`, 8443},
		{"\u202a\\\\nas\\media\u202c\r\n", `\\nas\media`, 0},
		{"\ufeff//nas/media\u00a0", `\\nas\media`, 0},
	} {
		n, err := ParseRemoteName(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if n.String() != c.out || n.Port != c.port {
			t.Errorf("%q: got %q port %d, want %q port %d", c.in, n, n.Port, c.out, c.port)
		}
	}
}

func TestParseRemoteNameRefuses(t *testing.T) {
	for _, c := range []struct {
		in   string
		code win32.Code
	}{
		{``, win32.ERROR_BAD_NET_NAME},
		{`\\`, win32.ERROR_BAD_NET_NAME},
		{`\\server`, win32.ERROR_BAD_NET_NAME},
		{`server\share`, win32.ERROR_BAD_NET_NAME},
		{`Z:`, win32.ERROR_BAD_NET_NAME},
		{`\\server\..\share`, win32.ERROR_BAD_NET_NAME},
		{`\\ser|ver\share`, win32.ERROR_BAD_NET_NAME},
		{`\\server\sha:re`, win32.ERROR_BAD_NET_NAME},
		{`gopher://x/y`, win32.ERROR_BAD_NET_NAME},
		{`smb://host:99999/x`, win32.ERROR_BAD_NET_NAME},
		{`smb://host/a%2fb`, win32.ERROR_BAD_NET_NAME},
		{`sftp://an%E2%80%8Bna@host/a`, win32.ERROR_INVALID_NAME},
		{`sftp://an%00na@host/a`, win32.ERROR_INVALID_NAME},
		{`smb://an%ffna@host/a`, win32.ERROR_INVALID_NAME},
		{`smb://%20@host/a`, win32.ERROR_BAD_NET_NAME},
		{`\\sshfs\ @host`, win32.ERROR_BAD_NET_NAME},
		{"\\\\na\u202es\\media", win32.ERROR_INVALID_NAME},
		{"\\\\nas\\me\u200bdia", win32.ERROR_INVALID_NAME},
		{"\\\\nas\\m\xff", win32.ERROR_INVALID_NAME},
	} {
		if _, err := ParseRemoteName(c.in); CodeOf(err) != c.code && !errors.Is(err, c.code) {
			t.Errorf("%q: got %v, want %v", c.in, err, c.code.Name())
		}
	}
}

// A password typed into an address is refused, and the message does not repeat it.
func TestPasswordInNameIsRefusedUnseen(t *testing.T) {
	_, err := ParseRemoteName("smb://anna:hunter2@nas/media")
	if err == nil {
		t.Fatal("accepted")
	}
	if s := err.Error(); contains(s, "hunter2") {
		t.Fatalf("message holds the password: %s", s)
	}
}

func contains(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i:i+len(sub)] == sub {
			return true
		}
	}
	return false
}

// What is accepted reads back as itself: the profile and the wire keep names as text.
func FuzzParseRemoteName(f *testing.F) {
	for _, s := range []string{`\\s\x`, `smb://a@s:1/x/y`, `\\sshfs\a=b@h!1\p`, `https://h/p`, `\\h@SSL@1\DavWWWRoot\p`, `//[::1]/x`, "\u202a//s/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseRemoteName(s)
		if err != nil {
			return
		}
		text := n.String()
		m, err := ParseRemoteName(text)
		if err != nil {
			t.Fatalf("%q gives %q, which is refused: %v", s, text, err)
		}
		if m.String() != text || m.Key() != n.Key() || m.Scheme != n.Scheme || m.Path != n.Path {
			t.Fatalf("%q gives %q, which reads as %q", s, text, m)
		}
	})
}

// A port belongs to an address; in the form with two slashes it is told where it goes, rather than looked up as part of a name.
func TestPortBehindUNCServer(t *testing.T) {
	for _, s := range []string{"//127.0.0.1:44551/x", `\\nas:445\media`, "//nas:http/x"} {
		_, err := ParseRemoteName(s)
		if !errors.Is(err, win32.ERROR_BAD_NET_NAME) || !strings.Contains(err.Error(), "smb://") {
			t.Errorf("%s: got %v", s, err)
		}
		if _, err := ParseServerName(s); !errors.Is(err, win32.ERROR_BAD_NET_NAME) {
			t.Errorf("%s: got %v", s, err)
		}
	}
	if n, err := ParseRemoteName(`\\2001-db8--1.ipv6-literal.net\x`); err != nil || n.Server != "2001:db8::1" {
		t.Errorf("got %+v, %v", n, err)
	}
}
