package smb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/smb2/auth"
	smbconn "github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/win32"
)

const (
	hintPassword = "Give a user and a password for this server."
	hintLogon    = `Check user and password; a domain's user is written DOMAIN\user or user@domain.`
)

// who finds out as whom to log on: the request's user, else the name's, else the account that the daemon runs as.
func (p *Provider) who(op string, req wnet.Request) (login, error) {
	name := req.User
	if name == "" {
		name = req.Remote.User
	}
	implied := name == ""
	if implied {
		name = os.Getenv("USER")
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	who := login{name: name, user: name, password: req.Password.Reveal(), absent: !req.Password.Present(), implied: implied}
	if domain, u, ok := strings.Cut(name, `\`); ok {
		who.domain, who.user = domain, u
	} else if i := strings.LastIndex(name, "@"); i >= 0 {
		who.user, who.domain = name[:i], name[i+1:]
	}
	bad := func(r rune) bool { return r < ' ' || strings.ContainsRune("\"/\\[]:|<>+=;,?*", r) }
	if who.user == "" || strings.ContainsFunc(who.user, bad) || strings.ContainsFunc(who.domain, bad) {
		return login{}, p.fault(op, req.Remote, win32.ERROR_BAD_USERNAME, nil, `A user is written user, DOMAIN\user or user@domain.`)
	}
	switch {
	case strings.EqualFold(name, "guest"):
		who.absent = false
	case strings.EqualFold(name, "anonymous"):
		who = login{anonymous: true}
	}
	return who, nil
}

// guest reports whether the user asks to be a guest.
func (w login) guest() bool { return w.anonymous || strings.EqualFold(w.user, "guest") }

// dialing is one attempt to connect.
type dialing struct {
	p   *Provider
	op  string
	req wnet.Request
	who login

	tap  *tap
	link link
}

func (d *dialing) address() string {
	port := 445
	switch {
	case d.req.Options.TCPPort != 0:
		port = d.req.Options.TCPPort
	case d.req.Remote.Port != 0:
		port = d.req.Remote.Port
	}
	return net.JoinHostPort(d.req.Remote.Server, strconv.Itoa(port))
}

// host is the server as a UNC path spells it.
func (d *dialing) host() string {
	host := wnet.RemoteName{Server: d.req.Remote.Server}
	return strings.TrimPrefix(host.String(), `\\`)
}

func (d *dialing) fault(code win32.Code, cause error, hint string) error {
	return d.p.fault(d.op, d.req.Remote, code, cause, hint)
}

func (d *dialing) requires(flag uint32) bool { return d.req.Flags&flag != 0 }

// run connects to a share.
func (d *dialing) run(parent context.Context, share string) (*conn, error) {
	ctx, cancel := context.WithTimeout(parent, d.p.cfg.Timeouts.Connect)
	defer cancel()
	c := &conn{name: d.req.Remote, cfg: d.p.cfg, log: d.p.cfg.Logger, root: d.req.Remote.Path,
		writes: d.requires(win32.CONNECT_WRITE_THROUGH_SEMANTICS),
		lost:   make(chan struct{}), over: make(chan struct{}), doubt: make(chan struct{}, 1)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	err := d.session(ctx, c.ctx, func() error {
		t, err := d.link.connect(share)
		if err != nil {
			return d.shareError(err, share)
		}
		c.tree = t
		return d.checkShare(c)
	})
	if err != nil {
		c.cancel()
		return nil, d.cut(parent, err)
	}
	d.tap.open.Store(true)
	c.tap, c.link = d.tap, d.link
	if !d.who.anonymous {
		if c.user = d.req.User; c.user == "" {
			c.user = d.who.user
		}
	}
	go c.watch()
	return c, nil
}

// list gives the server's shares.
func (d *dialing) list(parent context.Context) (all []shareInfo, err error) {
	ctx, cancel := context.WithTimeout(parent, d.p.cfg.Timeouts.Connect)
	defer cancel()
	life, end := context.WithCancel(context.Background())
	defer end()
	err = d.session(ctx, life, func() error {
		d.tap.open.Store(true) // the list may be long
		var err error
		if all, err = d.link.shares(); err != nil {
			return d.statusError(err, "")
		}
		return nil
	})
	if d.tap != nil {
		d.tap.Close()
	}
	return all, d.cut(parent, err)
}

// cut makes an attempt that the caller's context ended report that.
func (d *dialing) cut(ctx context.Context, err error) error {
	cause := ctx.Err()
	if err == nil || cause == nil {
		return err
	}
	code := win32.ERROR_CANCELLED
	if errors.Is(cause, context.DeadlineExceeded) {
		code = win32.ERROR_BAD_NETPATH
		cause = fmt.Errorf("the server did not answer in time: %w", cause)
	}
	return d.fault(code, cause, "")
}

// session dials, logs on and runs then, all under ctx; life is the context that the session's requests run under. If it fails,
// nothing is left.
func (d *dialing) session(ctx, life context.Context, then func() error) error {
	if err := ctx.Err(); err != nil {
		return d.fault(win32.ERROR_CANCELLED, err, "")
	}
	nc, err := d.p.cfg.Dialer(ctx, "tcp", d.address())
	if err != nil {
		return d.dialError(err)
	}
	d.tap = newTap(nc)
	// The session lives longer than ctx: what ends it early is that the socket is closed.
	stop := context.AfterFunc(ctx, func() { d.tap.Close() })
	err = protect(func() error {
		var err error
		d.link, err = dial(life, d.tap, d.host(), d.who, d.requires(win32.CONNECT_REQUIRE_INTEGRITY), d.requires(win32.CONNECT_REQUIRE_PRIVACY))
		if err != nil {
			return d.logonError(ctx, err)
		}
		if err := d.checkSession(); err != nil {
			return err
		}
		return then()
	})
	if !stop() && err == nil {
		err = d.silent(ctx)
	}
	if err != nil {
		d.tap.Close()
		var known *wnet.Error
		if !errors.As(err, &known) {
			err = d.statusError(err, "")
		}
	}
	return err
}

// dialError says why there is no TCP connection.
func (d *dialing) dialError(err error) error {
	var dns *net.DNSError
	why, hint := "", "Check the server's name and the network."
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		why = "no computer of this name is known"
		hint = "Check the spelling, or use the server's address."
	case errors.As(err, &dns):
		why = "the name service does not answer"
	case errors.Is(err, syscall.ECONNREFUSED):
		why = "the computer is there, but nothing listens on its port " + d.port()
		hint = "Check that it shares files by SMB, and its port."
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		why = "there is no way to the computer from here"
		hint = "Check the network, a VPN perhaps, and that the server is switched on."
	case errors.Is(err, context.Canceled):
		return d.fault(win32.ERROR_CANCELLED, err, "")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		why = "the computer did not answer in time"
		hint = "Check that the server is switched on, and that no firewall is in the way."
	default:
		return d.fault(win32.ERROR_BAD_NETPATH, err, hint)
	}
	return d.fault(win32.ERROR_BAD_NETPATH, fmt.Errorf("%s: %w", why, err), hint)
}

func (d *dialing) port() string {
	_, port, _ := net.SplitHostPort(d.address())
	return port
}

// silent is a server that took the connection and did not answer in time.
func (d *dialing) silent(ctx context.Context) error {
	return d.fault(win32.ERROR_BAD_NETPATH, fmt.Errorf("the server took the connection, but did not answer in time: %w", ctx.Err()),
		"Check that the server is well; another program may listen on its port "+d.port()+".")
}

// logonError says why there is no session. The tap knows more than the error.
func (d *dialing) logonError(ctx context.Context, err error) error {
	h := d.tap.greeting()
	notSMB := "Check the port, and that the server shares files by SMB."
	var policy *smbconn.PolicyError
	var cause auth.Cause
	switch {
	case ctx.Err() != nil:
		return d.silent(ctx)
	case errors.Is(h.problem, errSMB1):
		return d.smb1()
	case h.problem != nil:
		return d.fault(win32.ERROR_BAD_NETPATH, h.problem, notSMB)
	case !h.answered:
		if d.speaksSMB1(ctx) {
			return d.smb1()
		}
		return d.fault(win32.ERROR_BAD_NETPATH, errors.New("the server closed the connection without an answer"), notSMB)
	case h.status == statusNotSupported && h.command == cmdNegotiate && d.requires(win32.CONNECT_REQUIRE_PRIVACY):
		return d.unencrypted(nil, h) // only what can encrypt was offered
	case h.status == statusNotSupported && h.command == cmdNegotiate:
		return d.fault(win32.ERROR_NOT_SUPPORTED, errors.New("the server speaks no version of SMB that wnet speaks (2.0.2 to 3.1.1)"), "")
	case errors.As(err, &policy) && policy.Rule != "Credential" && !d.who.guest():
		return d.unencrypted(policy, h)
	case !h.negotiated:
		return d.fault(win32.ERROR_BAD_NETPATH, fmt.Errorf("%w, or one that breaks off: %w", errNotSMB, err), notSMB)
	case d.who.absent:
		return d.fault(win32.ERROR_INVALID_PASSWORD, errNoPassword, hintPassword)
	case d.checkSession() != nil:
		return d.checkSession()
	case errors.As(err, &cause):
		return d.authError(err, cause)
	case h.command == cmdSessionSetup && h.status != 0 && h.status != statusMoreProcessing:
		return d.statusError(h.status, hintLogon)
	}
	return d.statusError(err, "")
}

// unencrypted says that the server cannot do what CONNECT_REQUIRE_PRIVACY or CONNECT_REQUIRE_INTEGRITY ask for.
func (d *dialing) unencrypted(policy *smbconn.PolicyError, h hello) error {
	if !d.requires(win32.CONNECT_REQUIRE_PRIVACY) {
		return d.fault(win32.ERROR_NOT_SUPPORTED, policy, "")
	}
	why := errors.New("the connection would not be encrypted: the server does not speak SMB 3")
	if h.negotiated {
		why = fmt.Errorf("the connection would not be encrypted: the server speaks SMB %d.%d.%d and has no cipher for it",
			h.dialect>>8, h.dialect>>4&15, h.dialect&15)
	}
	return d.fault(win32.ERROR_NOT_SUPPORTED, why, "Switch SMB 3 and encryption on in the server's settings.")
}

// authError gives what kept a login from being made its code.
func (d *dialing) authError(err error, cause auth.Cause) error {
	code, hint := win32.ERROR_LOGON_FAILURE, hintLogon
	switch cause {
	case auth.PasswordExpired:
		code, hint = win32.ERROR_PASSWORD_EXPIRED, "Set a new password in its domain, and use that."
	case auth.AccountClosed:
		code, hint = win32.ERROR_ACCOUNT_RESTRICTION, "Ask whoever looks after the domain."
	case auth.ClockSkew:
		hint = "Set this machine's clock, or let it follow the domain's."
	case auth.Weak, auth.Downgraded, auth.NotProved, auth.Refused, auth.BadToken:
		code, hint = win32.ERROR_NOT_SUPPORTED, "Ask whoever looks after the server."
	case auth.NoPassword:
		code, hint = win32.ERROR_INVALID_PASSWORD, hintPassword
	}
	return d.fault(code, err, hint)
}

func (d *dialing) smb1() error {
	return d.fault(win32.ERROR_BAD_NETPATH, errSMB1, "Switch SMB 2 or 3 on in the server's settings.")
}

// statusError gives a status its code.
func (d *dialing) statusError(err error, hint string) error {
	var s ntStatus
	var bad *badAnswer
	switch {
	case errors.As(err, &s):
		code := s.code()
		switch code {
		case win32.ERROR_LOGON_FAILURE:
			hint = hintLogon
		case win32.ERROR_PASSWORD_EXPIRED:
			hint = "Set a new password on the server or in its domain, and use that."
		default:
			if hint == hintLogon {
				hint = "Ask whoever looks after the server."
			}
		}
		return d.fault(code, s, hint)
	case errors.As(err, &bad):
		return d.fault(win32.ERROR_BAD_NETPATH, bad, "Check that the server shares files by SMB.")
	case errors.Is(err, errBroken):
		return d.fault(win32.ERROR_BAD_NETPATH, fmt.Errorf("the server ended the connection: %w", err), "")
	}
	return d.fault(win32.ERROR_EXTENDED_ERROR, err, hint)
}

// checkSession refuses a session that is not what was asked for.
func (d *dialing) checkSession() error {
	h := d.tap.greeting()
	// Some servers call an anonymous session an ordinary one; its key is known to everybody all the same.
	nobody := d.who.anonymous || h.session&(flagGuest|flagNull) != 0
	switch {
	case nobody && !d.who.guest():
		return d.fault(win32.ERROR_LOGON_FAILURE,
			errors.New("the server does not know this user and password, and would let them in as a guest"),
			`Check user and password. To be a guest, give the user "guest".`)
	case nobody && d.requires(win32.CONNECT_REQUIRE_PRIVACY):
		return d.fault(win32.ERROR_NOT_SUPPORTED, errors.New("a guest's connection can't be encrypted"), "Give a user and a password.")
	case nobody && d.requires(win32.CONNECT_REQUIRE_INTEGRITY):
		return d.fault(win32.ERROR_NOT_SUPPORTED, errors.New("a guest's connection can't be signed"), "Give a user and a password.")
	}
	return nil
}

// checkShare refuses a share that is not what was asked for, and finds its type.
func (d *dialing) checkShare(c *conn) error {
	kind := c.tree.kind()
	switch kind {
	case shareDisk:
		c.kind = win32.RESOURCETYPE_DISK
	case sharePrint:
		c.kind = win32.RESOURCETYPE_PRINT
	}
	if c.kind == 0 || d.req.Type != win32.RESOURCETYPE_ANY && d.req.Type != c.kind {
		return d.fault(win32.ERROR_BAD_DEV_TYPE, errors.New(map[byte]string{
			shareDisk: "the share holds files", sharePrint: "the share is a printer", sharePipe: "the share is for the server's own services",
		}[kind]), "")
	}
	if c.root == "" || c.kind != win32.RESOURCETYPE_DISK {
		return nil
	}
	if err := checkName(c.root); err != nil {
		return d.fault(win32.ERROR_BAD_NET_NAME, err, "")
	}
	i, err := c.tree.stat(c.serverPath("."))
	switch {
	case is(err, statusNotFound):
		return d.fault(win32.ERROR_BAD_NET_NAME, fmt.Errorf("the share has no folder %q", c.root), "")
	case err != nil:
		return d.statusError(err, "")
	case !i.dir:
		return d.fault(win32.ERROR_BAD_NET_NAME, fmt.Errorf("%q is a file, no folder", c.root), "")
	}
	return nil
}

// shareError says why the share is not connected, with the name of the share that was probably meant.
func (d *dialing) shareError(err error, share string) error {
	if !is(err, statusBadNetworkName, statusNotFound) {
		return d.statusError(err, "")
	}
	hint := ""
	if all, err := d.link.shares(); err == nil {
		var names []string
		for _, s := range all {
			if s.kind == shareDisk || s.kind == sharePrint {
				names = append(names, s.name)
			}
		}
		if near := nearest(share, names); near != "" {
			hint = fmt.Sprintf("The server has a share %q.", near)
		}
	}
	return d.fault(win32.ERROR_BAD_NET_NAME, statusBadNetworkName, hint)
}
