package smb

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/discover"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

func TestConnectCodes(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{
		Users: []rig.SMBUser{{Name: "bert", Password: "bert's own", Disabled: true}},
		Shares: map[string][]string{
			"private": {"valid users = root"},
			"printer": {"printable = yes"},
			"hidden$": {"read only = no"},
		},
	})
	if err := os.WriteFile(filepath.Join(srv.Root("data"), "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	closed := rig.FreePort(t)
	for _, c := range []struct {
		name string
		with func(*wnet.Request)
		want win32.Code
		text string
	}{
		{"foreign", func(r *wnet.Request) { r.Remote.Scheme = wnet.SchemeSFTP }, win32.ERROR_BAD_NET_NAME, ""},
		{"no share", func(r *wnet.Request) { r.Remote.Share = "" }, win32.ERROR_BAD_NET_NAME, ""},
		{"missing share", func(r *wnet.Request) { r.Remote.Share = "dtaa" }, win32.ERROR_BAD_NET_NAME, `has a share "data"`},
		{"missing share, nothing near", func(r *wnet.Request) { r.Remote.Share = "something" }, win32.ERROR_BAD_NET_NAME, "no share of this name"},
		{"hidden share, not told", func(r *wnet.Request) { r.Remote.Share = "hidden" }, win32.ERROR_BAD_NET_NAME, "no share of this name"},
		{"missing folder", func(r *wnet.Request) { r.Remote.Path = "a/b" }, win32.ERROR_BAD_NET_NAME, `no folder "a/b"`},
		{"a file below", func(r *wnet.Request) { r.Remote.Path = "file" }, win32.ERROR_BAD_NET_NAME, "is a file"},
		{"wrong password", func(r *wnet.Request) { r.Password = wnet.NewSecret("open sesame") }, win32.ERROR_LOGON_FAILURE, "user and password"},
		{"empty password", func(r *wnet.Request) { r.Password = wnet.NewSecret("") }, win32.ERROR_LOGON_FAILURE, ""},
		{"unknown user", func(r *wnet.Request) { r.User = "zoe" }, win32.ERROR_LOGON_FAILURE, ""},
		{"no password", func(r *wnet.Request) { r.Password = wnet.Secret{} }, win32.ERROR_INVALID_PASSWORD, "asks for a password"},
		{"neither user nor password", func(r *wnet.Request) { r.User, r.Password = "", wnet.Secret{} }, win32.ERROR_INVALID_PASSWORD, ""},
		{"disabled", func(r *wnet.Request) { r.User, r.Password = "bert", wnet.NewSecret("bert's own") }, win32.ERROR_ACCOUNT_DISABLED, "disabled"},
		{"bad user", func(r *wnet.Request) { r.User = `RIG\` }, win32.ERROR_BAD_USERNAME, ""},
		{"worse user", func(r *wnet.Request) { r.User = "an:na" }, win32.ERROR_BAD_USERNAME, ""},
		{"denied", func(r *wnet.Request) { r.Remote.Share = "private" }, win32.ERROR_ACCESS_DENIED, ""},
		{"printer as disk", func(r *wnet.Request) { r.Remote.Share = "printer" }, win32.ERROR_BAD_DEV_TYPE, "is a printer"},
		{"disk as printer", func(r *wnet.Request) { r.Type = win32.RESOURCETYPE_PRINT }, win32.ERROR_BAD_DEV_TYPE, "holds files"},
		{"services as disk", func(r *wnet.Request) { r.Remote.Share = "IPC$" }, win32.ERROR_BAD_DEV_TYPE, "own services"},
		{"services as anything", func(r *wnet.Request) { r.Remote.Share, r.Type = "ipc$", win32.RESOURCETYPE_ANY }, win32.ERROR_BAD_DEV_TYPE, ""},
		{"no such type", func(r *wnet.Request) { r.Type = 7 }, win32.ERROR_INVALID_PARAMETER, ""},
		{"bad port", func(r *wnet.Request) { r.Options.TCPPort = 65536 }, win32.ERROR_INVALID_PARAMETER, ""},
		{"QUIC", func(r *wnet.Request) { r.Options.Transport = "QUIC" }, win32.ERROR_NOT_SUPPORTED, "TCP only"},
		{"closed port", func(r *wnet.Request) { r.Options.TCPPort = closed }, win32.ERROR_BAD_NETPATH, "nothing listens on its port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := request(srv, "data")
			c.with(&req)
			wantText(t, refused(t, New(Config{}), req, c.want), c.text)
		})
	}
	for name, cause := range map[string]struct {
		err  error
		want string
	}{
		"unknown name":     {&net.DNSError{Err: "no such host", Name: "nas", IsNotFound: true}, "no computer of this name"},
		"name service":     {&net.DNSError{Err: "server misbehaving", Name: "nas", IsTemporary: true}, "name service does not answer"},
		"no way":           {&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}, "no way to the computer"},
		"nothing answers":  {&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "did not answer in time"},
		"something unseen": {errors.New("the cable is cut"), "the cable is cut"},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(Config{Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, cause.err }})
			wantText(t, refused(t, p, request(srv, "data"), win32.ERROR_BAD_NETPATH), cause.want)
		})
	}
	t.Run("printer", func(t *testing.T) {
		req := request(srv, "printer")
		for _, req.Type = range []uint32{win32.RESOURCETYPE_PRINT, win32.RESOURCETYPE_ANY} {
			if c := connect(t, New(Config{}), req); c.Type() != win32.RESOURCETYPE_PRINT || c.FS() != nil {
				t.Errorf("got type %d and %v, want a printer without files", c.Type(), c.FS())
			}
		}
	})
	t.Run("users", func(t *testing.T) {
		for _, user := range []string{"anna", "ANNA", `RIG\anna`, "anna@RIG"} {
			req := request(srv, "data")
			req.User = user
			c := connect(t, New(Config{}), req)
			if c.User() != user {
				t.Errorf("User: got %q, want %q", c.User(), user)
			}
			names(t, c, ".", "file")
		}
		req := request(srv, "data")
		req.User, req.Remote.User = "", "anna" // smb://anna@…
		if c := connect(t, New(Config{}), req); c.User() != "anna" {
			t.Errorf("User: got %q, want the name's", c.User())
		}
	})
}

func TestGuest(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{
		Global: []string{"map to guest = Bad User", "guest account = nobody"},
		Data:   []string{"guest ok = yes"},
	})
	p := New(Config{})
	req := request(srv, "data")
	req.User = "zoe"
	wantText(t, refused(t, p, req, win32.ERROR_LOGON_FAILURE), "as a guest")
	for user, shown := range map[string]string{"guest": "guest", "anonymous": ""} {
		req := request(srv, "data")
		req.User, req.Password = user, wnet.Secret{}
		c := connect(t, p, req)
		if c.User() != shown {
			t.Errorf("User of %s: got %q, want %q", user, c.User(), shown)
		}
		put(t, c, user, "here")
		for flag, want := range map[uint32]string{win32.CONNECT_REQUIRE_INTEGRITY: "signed", win32.CONNECT_REQUIRE_PRIVACY: "encrypted"} {
			req.Flags = flag
			wantText(t, refused(t, p, req, win32.ERROR_NOT_SUPPORTED), want)
		}
	}
}

// secret is a text to look for on the wire.
const secret = "what nobody on the way may read"

func TestPrivacy(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]rig.SMBOptions{
		"offered":           {},
		"offered by 3.0":    {Global: []string{"server max protocol = SMB3_00"}},
		"demanded":          {Global: []string{"server smb encrypt = required", "server smb3 encryption algorithms = AES-128-GCM"}},
		"demanded with 256": {Global: []string{"server smb encrypt = required", "server smb3 encryption algorithms = AES-256-CCM"}},
		"demanded by share": {Data: []string{"server smb encrypt = required"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := rig.Smbd(t, o)
			r := new(recorder)
			req := request(srv, "data")
			req.Flags = win32.CONNECT_REQUIRE_PRIVACY
			c := connect(t, New(Config{Dialer: r.dial}), req)
			put(t, c, secret, secret)
			has(t, c, secret, secret)
			names(t, c, ".", secret)
			sent, got := r.wire()
			utf16 := []byte(strings.Join(strings.Split(secret, ""), "\x00"))
			for what, stream := range map[string][]byte{"sent": sent, "received": got} {
				if bytes.Contains(stream, []byte(secret)) || bytes.Contains(stream, utf16) {
					t.Errorf("the text was %s in the clear", what)
				}
			}
		})
	}
	t.Run("impossible", func(t *testing.T) {
		srv := rig.Smbd(t, rig.SMBOptions{Global: []string{"server max protocol = SMB2_10"}})
		req := request(srv, "data")
		req.Flags = win32.CONNECT_REQUIRE_PRIVACY
		wantText(t, refused(t, New(Config{}), req, win32.ERROR_NOT_SUPPORTED), "would not be encrypted: the server does not speak SMB 3")
	})
	t.Run("off", func(t *testing.T) {
		srv := rig.Smbd(t, rig.SMBOptions{Global: []string{"server smb encrypt = off"}})
		req := request(srv, "data")
		req.Flags = win32.CONNECT_REQUIRE_PRIVACY
		wantText(t, refused(t, New(Config{}), req, win32.ERROR_NOT_SUPPORTED), "encrypted")
	})
}

func TestIntegrity(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	r := new(recorder)
	req := request(srv, "data")
	req.Flags = win32.CONNECT_REQUIRE_INTEGRITY
	c := connect(t, New(Config{Dialer: r.dial}), req)
	put(t, c, "f", "text")
	has(t, c, "f", "text")
	sent, got := r.wire()
	for what, stream := range map[string][]byte{"sent": sent, "received": got} {
		all := frames(stream)
		if len(all) < 6 {
			t.Fatalf("%d messages %s", len(all), what)
		}
		for _, f := range all {
			pending := f[8] == 3 && f[9] == 1 // STATUS_PENDING announces an answer and is not signed ([MS-SMB2] 3.2.5.1.3)
			if cmd := f[12]; cmd > cmdSessionSetup && f[16]&8 == 0 && !pending {
				t.Errorf("a message of command %d was %s unsigned", cmd, what)
			}
		}
	}
	srv = rig.Smbd(t, rig.SMBOptions{Global: []string{"server signing = mandatory"}})
	put(t, connect(t, New(Config{}), request(srv, "data")), "f", "text")
}

func TestOldServers(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{Global: []string{"server min protocol = NT1", "server max protocol = NT1"}})
	wantText(t, refused(t, New(Config{}), request(srv, "data"), win32.ERROR_BAD_NETPATH), "SMB 1 only")
	for _, version := range []string{"SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02"} {
		srv := rig.Smbd(t, rig.SMBOptions{Global: []string{"server max protocol = " + version}})
		c := connect(t, New(Config{}), request(srv, "data"))
		put(t, c, "f", version)
		has(t, c, "f", version)
	}
}

func TestBrowse(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{Shares: map[string][]string{
		"printer": {"printable = yes", "comment = paper"}, "hidden$": nil, "music": {"comment = Töne"},
	}})
	p := New(Config{})
	server := wnet.RemoteName{Server: srv.Host(), Port: srv.Port()}
	req := request(srv, "")
	req.Type = win32.RESOURCETYPE_ANY
	for _, with := range []string{"a user", "nobody"} {
		all, err := p.Browse(t.Context(), &server, req)
		if err != nil {
			t.Fatalf("as %s: %v", with, err)
		}
		var got []string
		for _, r := range all {
			if strings.HasSuffix(r.RemoteName, `\IPC$`) {
				r.Comment = "" // it names Samba's version
			}
			got = append(got, strings.Join([]string{r.RemoteName, r.Comment, map[uint32]string{1: "disk", 2: "print"}[r.Type]}, "|"))
		}
		slices.Sort(got)
		want := []string{`\\127.0.0.1\IPC$||`, `\\127.0.0.1\data||disk`, `\\127.0.0.1\hidden$||disk`, `\\127.0.0.1\music|Töne|disk`, `\\127.0.0.1\printer|paper|print`, `\\127.0.0.1\ro||disk`}
		if !slices.Equal(got, want) {
			t.Errorf("as %s: got %q, want %q", with, got, want)
		}
		req.User, req.Password = "", wnet.Secret{}
	}
	req.Attached = true // and nobody: as what the test above left
	_, err := p.Browse(t.Context(), &server, req)
	wantCode(t, err, win32.ERROR_NOT_AUTHENTICATED, "")
	req.Attached = false
	share := server
	share.Share = "data"
	_, err = p.Browse(t.Context(), &share, req)
	wantCode(t, err, win32.ERROR_NOT_CONTAINER, "")
	shy := rig.Smbd(t, rig.SMBOptions{Global: []string{"restrict anonymous = 2"}})
	server.Port = shy.Port()
	_, err = p.Browse(t.Context(), &server, req)
	wantCode(t, err, win32.ERROR_INVALID_PASSWORD, "")
	req = request(shy, "")
	req.Password = wnet.NewSecret("open sesame")
	_, err = p.Browse(t.Context(), &server, req)
	wantCode(t, err, win32.ERROR_LOGON_FAILURE, "open sesame")
}

// The network's top are the servers that answered, if they can be named.
//
// Rows: OE-05
func TestNeighbours(t *testing.T) {
	p := New(Config{Servers: func(context.Context) ([]discover.Server, error) {
		return []discover.Server{{Name: "nas.local", Port: 445, Comment: "the NAS"}, {Name: "192.0.2.7"}, {Name: "other.local", Port: 4455}}, nil
	}})
	all, err := p.Browse(t.Context(), nil, wnet.Request{})
	server := func(name, comment string) wnet.Resource {
		return wnet.Resource{Scope: win32.RESOURCE_GLOBALNET, DisplayType: win32.RESOURCEDISPLAYTYPE_SERVER, Usage: win32.RESOURCEUSAGE_CONTAINER,
			RemoteName: name, Comment: comment, Provider: Name}
	}
	if want := []wnet.Resource{server(`\\nas.local`, "the NAS"), server(`\\192.0.2.7`, "")}; err != nil || !slices.Equal(all, want) {
		t.Errorf("got %+v, %v, want %+v", all, err, want)
	}
	p = New(Config{Servers: func(ctx context.Context) ([]discover.Server, error) { return nil, context.Canceled }})
	_, err = p.Browse(t.Context(), nil, wnet.Request{})
	wantCode(t, err, win32.ERROR_CANCELLED, "")
}

// What a share is: a printer is one, and a path below a share is the rest.
//
// Rows: RI-02, RI-07
func TestResourceInformation(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{Shares: map[string][]string{"printer": {"printable = yes"}}})
	p := New(Config{})
	req := request(srv, "PRINTER")
	req.Type = win32.RESOURCETYPE_ANY
	r, rest, err := p.ResourceInformation(t.Context(), req)
	if err != nil || r.Type != win32.RESOURCETYPE_PRINT || r.DisplayType != win32.RESOURCEDISPLAYTYPE_SHARE || rest != "" {
		t.Errorf("got %+v, %q, %v", r, rest, err)
	}
	req.Type = win32.RESOURCETYPE_DISK
	_, _, err = p.ResourceInformation(t.Context(), req)
	wantCode(t, err, win32.ERROR_BAD_DEV_TYPE, "")
	req = request(srv, "data")
	req.Password = wnet.NewSecret("open sesame")
	_, _, err = p.ResourceInformation(t.Context(), req)
	wantCode(t, err, win32.ERROR_LOGON_FAILURE, "open sesame")
	r, _, err = p.ResourceInformation(t.Context(), wnet.Request{Remote: wnet.RemoteName{Server: "nowhere"}})
	if err != nil || r.RemoteName != `\\nowhere` || r.Usage != win32.RESOURCEUSAGE_CONTAINER {
		t.Errorf("a server: got %+v, %v", r, err)
	}
}

// TestRoundTrips counts what a connection and its first listing cost.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	r := new(recorder)
	c := connect(t, New(Config{Dialer: r.dial}), request(srv, "data"))
	sent, _ := r.wire()
	if n := len(frames(sent)); n != 4 {
		t.Errorf("%d messages to connect, want 4", n)
	}
	names(t, c, ".")
	sent, _ = r.wire()
	if n := len(frames(sent)); n > 8 {
		t.Errorf("%d messages to connect and list, want 8", n)
	}
	c.Close()
	if r.dialed != 1 {
		t.Errorf("dialed %d times", r.dialed)
	}
	until(t, "the server sees the end", func() bool { return srv.Sessions() == 0 })
}

func TestConnectContext(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	srv.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := New(Config{}).Connect(ctx, request(srv, "data"))
	wantCode(t, err, win32.ERROR_BAD_NETPATH, srv.Password())
	wantErr(t, err, context.DeadlineExceeded)
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = New(Config{}).Connect(ctx, request(srv, "data"))
	wantCode(t, err, win32.ERROR_CANCELLED, srv.Password())
	wantErr(t, err, context.Canceled)
	p := New(Config{Timeouts: Timeouts{Connect: 50 * time.Millisecond}})
	wantText(t, refused(t, p, request(srv, "data"), win32.ERROR_BAD_NETPATH), "did not answer in time")
}
