package smb

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/discover"
	"github.com/openwnet/wnet/win32"
)

// Name is the provider's name, as Windows calls its own.
const Name = "Microsoft Windows Network"

// Config is what a Provider is made with. The zero value is ready for use.
type Config struct {
	Timeouts Timeouts
	// Logger gets what happens to connections; never a password. nil logs nothing.
	Logger *slog.Logger
	// Dialer opens TCP connections; nil for net.Dialer's, with .local names looked up by multicast DNS.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)
	// Servers finds the servers of the local network; nil asks by multicast DNS and WS-Discovery.
	Servers func(ctx context.Context) ([]discover.Server, error)
	// FileMode and DirMode are the permission bits of files and folders, which a share does not keep; 0 for 0644 and 0755. A file
	// with the read-only attribute is shown without the write bits.
	FileMode, DirMode fs.FileMode
}

// Timeouts bound what a server may let us wait for. Zero values are the defaults.
type Timeouts struct {
	Connect   time.Duration // from a name to a connected share; 15 s
	KeepAlive time.Duration // a server that was silent for this long is asked for a sign of life; 10 s
	Answer    time.Duration // a server that is silent for this long when asked is dead; 10 s
	Close     time.Duration // for clearing away removed files behind Close's back; 2 s
}

// Provider is the Microsoft network: `\\server\share` and smb:// names, by SMB 2 and 3.
type Provider struct{ cfg Config }

var (
	_ wnet.Provider   = (*Provider)(nil)
	_ wnet.Enumerator = (*Provider)(nil)
)

// New returns a Provider.
func New(cfg Config) *Provider {
	or := func(d *time.Duration, by time.Duration) {
		if *d <= 0 {
			*d = by
		}
	}
	or(&cfg.Timeouts.Connect, 15*time.Second)
	or(&cfg.Timeouts.KeepAlive, 10*time.Second)
	or(&cfg.Timeouts.Answer, 10*time.Second)
	or(&cfg.Timeouts.Close, 2*time.Second)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	finder := discover.New(discover.Config{Logger: cfg.Logger})
	if cfg.Dialer == nil {
		cfg.Dialer = finder.DialContext
	}
	if cfg.Servers == nil {
		cfg.Servers = func(ctx context.Context) ([]discover.Server, error) { return around(ctx, finder) }
	}
	if cfg.FileMode == 0 {
		cfg.FileMode = 0o644
	}
	if cfg.DirMode == 0 {
		cfg.DirMode = 0o755
	}
	cfg.FileMode &= fs.ModePerm
	cfg.DirMode &= fs.ModePerm
	return &Provider{cfg}
}

// Name implements wnet.Provider.
func (p *Provider) Name() string { return Name }

// NetType implements wnet.Provider.
func (p *Provider) NetType() uint32 { return win32.WNNC_NET_LANMAN }

// Owns implements wnet.Provider: every UNC name.
func (p *Provider) Owns(name wnet.RemoteName) bool {
	return name.Scheme == wnet.SchemeUNC && name.Server != ""
}

// Connect implements wnet.Provider.
//
// Besides the codes of wnet.Provider: ERROR_BAD_NETPATH also where the server does not answer in time, is no SMB server or speaks SMB 1
// only; ERROR_NOT_SUPPORTED where CONNECT_REQUIRE_PRIVACY, CONNECT_REQUIRE_INTEGRITY or an option can't be had; ERROR_LOGON_FAILURE also
// where the server would let a named user in as a guest; and the codes of an account's state, such as ERROR_ACCOUNT_DISABLED. A
// missing password is ERROR_INVALID_PASSWORD once the server was reached. Of the user "guest" no password is needed, and
// "anonymous" has none.
func (p *Provider) Connect(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
	const op = "Connect"
	if !p.Owns(req.Remote) || req.Remote.Share == "" {
		return nil, p.fault(op, req.Remote, win32.ERROR_BAD_NET_NAME, nil, "")
	}
	if err := p.validate(op, req); err != nil {
		return nil, err
	}
	who, err := p.who(op, req)
	if err != nil {
		return nil, err
	}
	d := &dialing{p: p, op: op, req: req, who: who}
	c, err := d.run(ctx, req.Remote.Share)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// validate checks the parameters that need no server.
func (p *Provider) validate(op string, req wnet.Request) error {
	switch {
	case req.Options.SmartCard:
		return p.fault(op, req.Remote, win32.ERROR_NOT_SUPPORTED, errors.New("SMB logs in with a card by way of a Kerberos ticket only"),
			"Get a ticket with the card (kinit), or use a user name and a password.")
	case req.Type != win32.RESOURCETYPE_ANY && req.Type != win32.RESOURCETYPE_DISK && req.Type != win32.RESOURCETYPE_PRINT:
		return p.fault(op, req.Remote, win32.ERROR_INVALID_PARAMETER, errors.New("there is no such type of resource"), "")
	case req.Options.TCPPort < 0 || req.Options.TCPPort > 65535:
		return p.fault(op, req.Remote, win32.ERROR_INVALID_PARAMETER, errors.New("a port is a number from 1 to 65535"), "")
	case req.Options.Transport != "" && !strings.EqualFold(req.Options.Transport, "TCP"):
		return p.fault(op, req.Remote, win32.ERROR_NOT_SUPPORTED, errors.New("SMB goes by TCP only here"), "Leave the transport out.")
	}
	return nil
}

// fault is an error of this provider.
func (p *Provider) fault(op string, name wnet.RemoteName, code win32.Code, cause error, hint string) error {
	e := &wnet.Error{Op: op, Name: name.String(), Provider: Name, Code: code, Err: cause, Hint: hint}
	if code == win32.ERROR_EXTENDED_ERROR && cause != nil {
		var s ntStatus
		e.Native = uint32(win32.ERROR_GEN_FAILURE)
		if errors.As(cause, &s) {
			e.Native = uint32(s)
		}
		e.NativeText, e.Err = cause.Error(), nil
	}
	return e
}

// Browse implements wnet.Enumerator: the servers that answer on the local network, or a server's shares, the administrative ones too; IPC$
// is of no type. Without user and password the server is asked as nobody in particular; where it does not like that, the code is
// ERROR_INVALID_PASSWORD, and ERROR_NOT_AUTHENTICATED where the request wants to be somebody.
func (p *Provider) Browse(ctx context.Context, container *wnet.RemoteName, req wnet.Request) ([]wnet.Resource, error) {
	const op = "Browse"
	var name wnet.RemoteName
	if container != nil {
		name = *container
	}
	switch {
	case container == nil:
		return p.neighbours(ctx)
	case !p.Owns(name):
		return nil, p.fault(op, name, win32.ERROR_BAD_NET_NAME, nil, "")
	case name.Share != "":
		return nil, p.fault(op, name, win32.ERROR_NOT_CONTAINER, nil, "")
	}
	req.Remote = name
	if err := p.validate(op, req); err != nil {
		return nil, err
	}
	who, err := p.who(op, req)
	if err != nil {
		return nil, err
	}
	nobody := who.absent && req.User == "" && name.User == ""
	if req.Attached && (nobody || who.anonymous) {
		return nil, p.fault(op, name, win32.ERROR_NOT_AUTHENTICATED, errNoPassword, hintPassword)
	}
	if nobody {
		who = login{anonymous: true}
	}
	d := &dialing{p: p, op: op, req: req, who: who}
	list, err := d.list(ctx)
	if err != nil {
		if code := wnet.CodeOf(err); nobody && (code == win32.ERROR_ACCESS_DENIED || code == win32.ERROR_LOGON_FAILURE) {
			err = p.fault(op, name, win32.ERROR_INVALID_PASSWORD, errNoPassword, hintPassword)
		}
		return nil, err
	}
	all := []wnet.Resource{}
	for _, s := range list {
		typ := uint32(win32.RESOURCETYPE_DISK)
		switch s.kind {
		case shareDisk:
		case sharePrint:
			typ = win32.RESOURCETYPE_PRINT
		default:
			typ = win32.RESOURCETYPE_UNKNOWN // IPC$
		}
		share := wnet.RemoteName{Server: name.Server, Share: s.name}
		if _, err := wnet.ParseRemoteName(share.String()); err != nil ||
			req.Type != win32.RESOURCETYPE_ANY && req.Type != typ {
			continue
		}
		all = append(all, wnet.Resource{Scope: win32.RESOURCE_GLOBALNET, Type: typ, DisplayType: win32.RESOURCEDISPLAYTYPE_SHARE,
			Usage: win32.RESOURCEUSAGE_CONNECTABLE, RemoteName: share.String(), Comment: s.comment, Provider: Name})
	}
	return all, nil
}
