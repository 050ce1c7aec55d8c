package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// bigPacket is the payload of one request on servers that say they take it. pkg/sftp reads no packet above 256 KiB; OpenSSH's own limit is
// 255 KiB since it has limits@openssh.com (8.5), and was 64 KiB for reads before. 128 KiB cuts a mount's 1 MiB into eight equal parts.
const bigPacket = 128 << 10

// dial makes the connection that resolve described.
func (p *Provider) dial(ctx context.Context, req wnet.Request, t *target) (*conn, error) {
	tcp, err := p.dialTCP(ctx, req, t)
	if err != nil {
		return nil, err
	}
	nc := newLiveConn(tcp, p.cfg.Timeouts.Handshake)
	c, err := p.handshake(ctx, req, t, nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// dialTCP opens the connection below.
func (p *Provider) dialTCP(ctx context.Context, req wnet.Request, t *target) (net.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, p.cfg.Timeouts.Dial)
	defer cancel()
	c, err := p.cfg.Dialer(bounded, "tcp", t.addr())
	if err != nil {
		return nil, p.unreachable(ctx, req, t, err)
	}
	return c, nil
}

// handshake makes a session over nc, which is the caller's to close if it fails. Whatever the server does, it ends with ctx or with
// Timeouts.Handshake.
func (p *Provider) handshake(ctx context.Context, req wnet.Request, t *target, nc *liveConn) (*conn, error) {
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()

	keys, done, err := p.newHostKeys(t, req.Options.HostKey)
	defer done()
	if err != nil {
		return nil, p.fail(req, win32.ERROR_MUTUAL_AUTH_FAILED, fmt.Errorf("the known hosts can't be read: %w", err),
			"Without them nobody can tell whether the server is the right one.")
	}
	l := p.newLogin(ctx, req, t)
	defer l.close()
	conf := &ssh.ClientConfig{
		User:              t.user,
		Auth:              l.methods,
		AuthCallback:      l.watch,
		HostKeyAlgorithms: keys.algorithms(),
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			err := keys.verify(host, remote, key)
			l.reached = err == nil
			return err
		},
	}
	sc, chans, reqs, err := ssh.NewClientConn(nc, t.keyAddr, conf)
	if err != nil {
		return nil, p.refused(ctx, req, t, nc, keys, l, err)
	}
	client := ssh.NewClient(sc, chans, reqs)
	ftp, err := subsystem(client)
	if err != nil {
		client.Close()
		if e := p.interrupted(ctx, req, t, nc, err); e != nil {
			return nil, e
		}
		return nil, p.fail(req, win32.ERROR_BAD_NET_RESP, fmt.Errorf("%s takes the login and gives no SFTP: %w", t.host, err),
			"Its SFTP may be turned off, or the login script of the account may print something.")
	}
	// From here on, the context of Connect must not cut the connection; if it did already, the session is of no use.
	if !stop() {
		client.Close()
		return nil, p.interrupted(ctx, req, t, nc, ctx.Err())
	}
	c := newConn(p, t, nc, client, ftp)
	c.writeThrough = req.Flags&win32.CONNECT_WRITE_THROUGH_SEMANTICS != 0
	if err := c.enter(ctx, req.Remote); err != nil {
		c.Close()
		return nil, p.closed(ctx, req, t, nc, err)
	}
	nc.SetDeadline(time.Time{})
	c.start()
	return c, nil
}

// subsystem starts SFTP on an SSH connection.
func subsystem(client *ssh.Client) (*sftp.Client, error) {
	s, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	w, err := s.StdinPipe()
	if err != nil {
		return nil, err
	}
	r, err := s.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.RequestSubsystem("sftp"); err != nil {
		return nil, err
	}
	// Not sftp.NewClient: its Wait would go on to wait for the server's exit after the protocol has failed.
	ftp, err := sftp.NewClientPipe(r, &amender{WriteCloser: w}, sftp.UseConcurrentWrites(true))
	if err != nil {
		return nil, err
	}
	if _, ok := ftp.HasExtension("limits@openssh.com"); ok {
		if err := sftp.MaxPacketUnchecked(bigPacket)(ftp); err != nil {
			return nil, err
		}
	}
	return ftp, nil
}

// enter finds the folder that the name means and makes it the top.
func (c *conn) enter(ctx context.Context, name wnet.RemoteName) error {
	_, err := call(ctx, c, func() (struct{}, error) {
		top := "/" + name.Path
		if !name.Rooted {
			home, err := c.ftp.RealPath(".")
			if err != nil {
				return struct{}{}, err
			}
			top = path.Join(home, name.Path)
		}
		// The folder itself may be a link; what is in it then is what counts.
		if real, err := c.ftp.RealPath(top); err == nil && path.IsAbs(real) {
			top = real
		}
		fi, err := c.ftp.Stat(top)
		if err != nil {
			return struct{}{}, err
		}
		if !fi.IsDir() {
			return struct{}{}, fmt.Errorf("%s is %w", top, errNotFolder)
		}
		c.top = top
		return struct{}{}, nil
	}, nil)
	return err
}

var errNotFolder = errors.New("a file, not a folder")

// unreachable is the error of a TCP connection that was not made.
func (p *Provider) unreachable(ctx context.Context, req wnet.Request, t *target, err error) error {
	var dns *net.DNSError
	var ne net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return p.fail(req, win32.ERROR_CANCELLED, ctx.Err(), "")
	case errors.As(err, &dns):
		what := "has no address"
		if !dns.IsNotFound {
			what = "can't be looked up now"
		}
		return p.fail(req, win32.ERROR_BAD_NETPATH, fmt.Errorf("the host %s %s: %w", t.host, what, err), "Check the server's name.")
	case errors.Is(err, syscall.ECONNREFUSED):
		return p.fail(req, win32.ERROR_BAD_NETPATH, fmt.Errorf("nothing listens on port %d of %s: %w", t.port, t.host, err),
			"Check that the SSH server runs there, and its port.")
	case errors.As(err, &ne) && ne.Timeout():
		if ctx.Err() != nil {
			err = errors.Join(err, ctx.Err())
		}
		return p.fail(req, win32.ERROR_BAD_NETPATH, fmt.Errorf("%s does not answer: %w", t.host, err),
			"Check that the server is on, and that no firewall is in between.")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return p.fail(req, win32.ERROR_BAD_NETPATH, fmt.Errorf("no way leads to %s: %w", t.host, err), "Check the network.")
	}
	return p.fail(req, win32.ERROR_BAD_NETPATH, err, "")
}

// interrupted is the error of a handshake that the context or the clock ended, nil if neither did.
func (p *Provider) interrupted(ctx context.Context, req wnet.Request, t *target, nc *liveConn, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return p.fail(req, win32.ERROR_CANCELLED, ctx.Err(), "")
	case ctx.Err() != nil:
		return p.fail(req, win32.ERROR_BAD_NETPATH, fmt.Errorf("%s does not answer: %w", t.host, ctx.Err()), "")
	case nc.overdue():
		// The libraries report a deadline that has passed as the end of the line.
		return p.fail(req, win32.ERROR_BAD_NETPATH,
			fmt.Errorf("%s took the connection and does not answer: %w", t.host, err), "The server may hang, or be no SSH server.")
	}
	return nil
}

// refused is the error of a failed ssh.NewClientConn. Which stage it had come to says what it means; the library's errors say it in
// words only.
func (p *Provider) refused(ctx context.Context, req wnet.Request, t *target, nc *liveConn, keys *hostKeys, l *login, err error) error {
	if v := keys.verdict; v != nil {
		e := p.fail(req, win32.ERROR_MUTUAL_AUTH_FAILED, v, v.hint)
		e.HostKey = v.fingerprint
		return e
	}
	if e := p.interrupted(ctx, req, t, nc, err); e != nil {
		return e
	}
	var algo *ssh.AlgorithmNegotiationError
	if errors.As(err, &algo) {
		return p.fail(req, win32.ERROR_BAD_NET_RESP, fmt.Errorf("%s speaks no SSH that is safe today: %w", t.host, err),
			"The server is too old.")
	}
	tries := slices.DeleteFunc(slices.Clone(l.tried), func(m string) bool { return m == "none" })
	var op *net.OpError
	cut := errors.Is(err, io.EOF) || errors.As(err, &op)
	switch {
	case !l.reached && nc.silent():
		return p.fail(req, win32.ERROR_BAD_NETPATH,
			fmt.Errorf("what listens on port %d of %s ended the connection without a word: %w", t.port, t.host, err),
			"It may be no SSH server, or have no room for another login.")
	case !l.reached && !nc.sshServer():
		return p.fail(req, win32.ERROR_BAD_NETPATH,
			fmt.Errorf("what listens on port %d of %s is not an SSH server: %w", t.port, t.host, err), "Check the port.")
	case !l.reached:
		return p.fail(req, win32.ERROR_BAD_NET_RESP, fmt.Errorf("the SSH server on %s broke the protocol: %w", t.host, err), "")
	case cut && len(tries) == 0:
		return p.fail(req, win32.ERROR_BAD_NETPATH, fmt.Errorf("%s ended the connection: %w", t.host, err), "")
	}
	return p.denied(req, t, l, err)
}

// denied is the error of a login that the server did not take.
func (p *Provider) denied(req wnet.Request, t *target, l *login, err error) error {
	words := slices.Contains(l.offered, "password") || slices.Contains(l.offered, "keyboard-interactive")
	err = fmt.Errorf("%s does not let %s in: %w", t.host, t.user, err)
	lockedHint := ""
	if len(l.locked) > 0 {
		lockedHint = strings.Join(l.locked, ", ") + " is encrypted: give its passphrase as the password, or add it to ssh-agent."
	}
	switch {
	case req.Options.SmartCard:
		return p.fail(req, win32.ERROR_ACCESS_DENIED, fmt.Errorf("no key of the ssh-agent was accepted: %w", err),
			"Put the card in and have the agent read it: ssh-add -s opensc-pkcs11.so; ssh-add -L shows its keys. "+
				"The daemon has to run where SSH_AUTH_SOCK names that agent.")
	case l.password:
		return p.fail(req, win32.ERROR_LOGON_FAILURE, err, lockedHint)
	case words:
		return p.fail(req, win32.ERROR_INVALID_PASSWORD, err, "The server takes a password.")
	case len(l.locked) > 0:
		return p.fail(req, win32.ERROR_INVALID_PASSWORD, err, lockedHint)
	}
	return p.fail(req, win32.ERROR_ACCESS_DENIED, err,
		"The server takes keys only, and none of yours: add your public key to its authorized_keys (ssh-copy-id).")
}

// closed is the error of a login that worked and a folder that can't be entered.
func (p *Provider) closed(ctx context.Context, req wnet.Request, t *target, nc *liveConn, err error) error {
	if e := p.interrupted(ctx, req, t, nc, err); e != nil {
		return e
	}
	shown := req.Remote.Path
	switch {
	case errors.Is(err, errNotFolder):
		return p.fail(req, win32.ERROR_BAD_NET_NAME, err, "Name the folder that holds it.")
	case errors.Is(err, fs.ErrNotExist):
		return p.fail(req, win32.ERROR_BAD_NET_NAME, fmt.Errorf("%s has no folder %s: %w", t.host, shown, err),
			"A path after sftp:// begins at the server's root; sftp://server/~/ begins in the login folder.")
	case errors.Is(err, fs.ErrPermission):
		return p.fail(req, win32.ERROR_ACCESS_DENIED, fmt.Errorf("%s may not enter %s: %w", t.user, shown, err), "")
	case errors.Is(err, win32.ERROR_NETNAME_DELETED):
		return p.fail(req, win32.ERROR_BAD_NET_RESP, fmt.Errorf("%s broke the SFTP protocol or ended the connection: %w", t.host, err), "")
	}
	return p.fail(req, win32.ERROR_BAD_NET_RESP, err, "")
}
