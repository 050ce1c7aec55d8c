// Package sftp is the provider of the SSH file transfer network: folders of any SSH server, by sftp://user@host:port/path or
// `\\sshfs\user@host!port\path`.
//
// It speaks SFTP version 3 through github.com/pkg/sftp over golang.org/x/crypto/ssh, with OpenSSH's extensions where the server offers
// them: posix-rename, hardlink, statvfs, fsync, limits. What those libraries leave to their user is here: which account, key and port a
// name means (~/.ssh/config), whether the server is the right one (known_hosts), calls that end with their context, noticing a server
// that no longer answers, and POSIX errors out of a protocol whose most frequent error is "Failure".
//
// Limits of the protocol, which the file systems of this package inherit: no file numbers and no link counts, times in whole seconds from
// 1970 to 2106.
package sftp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/discover"
	"github.com/openwnet/wnet/win32"
)

// Name is the provider's name, as in NETRESOURCE.lpProvider, the provider order and the profile.
const Name = "SSH File Transfer Network"

// Config is what New takes. The zero value is right for a user's daemon, apart from the agent.
type Config struct {
	// Home is the folder that holds .ssh; "" for the home of the user that the process runs as.
	Home string
	// ConfigFile is the ssh_config file; "" for .ssh/config in Home. A missing file is an empty one. HostName, Port, User, IdentityFile,
	// IdentitiesOnly, UserKnownHostsFile, HostKeyAlias and HashKnownHosts are honoured; ProxyJump and ProxyCommand are refused.
	ConfigFile string
	// KnownHosts are the known_hosts files. New keys are added to the first, and the others are only read. nil for .ssh/known_hosts in
	// Home and /etc/ssh/ssh_known_hosts. UserKnownHostsFile of ConfigFile replaces the first.
	KnownHosts []string
	// IdentityFiles are private keys to try besides those that ConfigFile names; nil for id_ed25519, id_ecdsa and id_rsa in Home's .ssh,
	// which count only where ConfigFile names none (as ssh does it).
	IdentityFiles []string
	// AgentSocket tells the ssh-agent's socket; it is asked at every Connect, "" or nil for none.
	AgentSocket func() string
	// Dialer opens TCP connections; nil for net.Dialer's, with .local names looked up by multicast DNS.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)
	// Servers finds the servers of the local network; nil asks by multicast DNS.
	Servers func(ctx context.Context) ([]discover.Server, error)
	// Timeouts bound what the network may take.
	Timeouts Timeouts
	// Logger takes what no caller hears of; nil for none.
	Logger *slog.Logger
}

// Timeouts are the bounds of a connection. 0 is the value named with each.
type Timeouts struct {
	Dial      time.Duration // for the TCP connection; 15 s
	Handshake time.Duration // from the TCP connection to a usable session; 30 s
	KeepAlive time.Duration // between two questions whether the server is alive; 5 s
	Dead      time.Duration // silence after which it is not; 15 s
}

// Provider is the network. It holds settings only, and is safe for use by many goroutines.
type Provider struct {
	cfg Config
	log *slog.Logger
}

var _ wnet.Provider = (*Provider)(nil)

// New returns a Provider. It does no I/O; files are read at each Connect, so that a change counts at once.
func New(cfg Config) *Provider {
	if cfg.Home == "" {
		cfg.Home, _ = os.UserHomeDir()
	}
	ssh := filepath.Join(cfg.Home, ".ssh")
	if cfg.ConfigFile == "" {
		cfg.ConfigFile = filepath.Join(ssh, "config")
	}
	if len(cfg.KnownHosts) == 0 {
		cfg.KnownHosts = []string{filepath.Join(ssh, "known_hosts"), "/etc/ssh/ssh_known_hosts"}
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{
		{&cfg.Timeouts.Dial, 15 * time.Second},
		{&cfg.Timeouts.Handshake, 30 * time.Second},
		{&cfg.Timeouts.KeepAlive, 5 * time.Second},
		{&cfg.Timeouts.Dead, 15 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.def
		}
	}
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	finder := discover.New(discover.Config{Logger: log})
	if cfg.Dialer == nil {
		cfg.Dialer = finder.DialContext
	}
	if cfg.Servers == nil {
		cfg.Servers = func(ctx context.Context) ([]discover.Server, error) { return finder.Services(ctx, discover.SFTP) }
	}
	return &Provider{cfg: cfg, log: log}
}

// Name is "SSH File Transfer Network".
func (p *Provider) Name() string { return Name }

// NetType is WNNC_NET_EXTENDNET: Windows has no registered type for SSH, every type below is taken by a network that wnet or Windows
// speaks, and this one's product is long gone, so that no program mistakes the connection for something with other rules.
func (p *Provider) NetType() uint32 { return win32.WNNC_NET_EXTENDNET }

// Owns reports whether the name is an SFTP one.
func (p *Provider) Owns(name wnet.RemoteName) bool {
	return name.Scheme == wnet.SchemeSFTP && !name.IsZero()
}

// Connect logs in to the server, checks its key against known_hosts and looks for the folder.
//
// The user is, in this order, the one in the name, the request's, ssh_config's, and the one that the process runs as. Keys of the agent
// and identity files are tried, and the password where there is one: as the passphrase of an encrypted identity file, else for the
// methods password and keyboard-interactive. It is shown to no server whose key is not known.
//
// Codes: ERROR_BAD_NET_NAME: not an SFTP name, or the path is missing or a file. ERROR_BAD_DEV_TYPE: a printer. ERROR_BAD_NETPATH: no
// such host, nothing listens, no answer, or what answers is no SSH server. ERROR_BAD_NET_RESP: an SSH server that shares no algorithm
// with wnet, or has no SFTP. ERROR_MUTUAL_AUTH_FAILED: the server's key is unknown (HostKey is set: accept it through
// UseOptions.HostKey) or is not the known one or revoked (HostKey is not set). ERROR_LOGON_FAILURE: refused with a password;
// ERROR_INVALID_PASSWORD: refused without one, and one may help; ERROR_ACCESS_DENIED: the server takes keys only and knows none of these,
// or hides the path. ERROR_NOT_SUPPORTED: a transport other than TCP. ERROR_CANCELLED: the context was cancelled.
func (p *Provider) Connect(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
	if !p.Owns(req.Remote) {
		return nil, p.fail(req, win32.ERROR_BAD_NET_NAME, errors.New("not an SFTP name"), "")
	}
	switch req.Type {
	case win32.RESOURCETYPE_ANY, win32.RESOURCETYPE_DISK:
	default:
		return nil, p.fail(req, win32.ERROR_BAD_DEV_TYPE, errors.New("an SSH server has folders only"), "")
	}
	if tr := req.Options.Transport; tr != "" && tr != "TCP" {
		return nil, p.fail(req, win32.ERROR_NOT_SUPPORTED, errors.New("SSH runs over TCP only"), "")
	}
	t, err := p.resolve(req)
	if err != nil {
		return nil, err
	}
	c, err := p.dial(ctx, req, t)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// fail makes the error of a Connect.
func (p *Provider) fail(req wnet.Request, code win32.Code, err error, hint string) *wnet.Error {
	return &wnet.Error{Name: req.Remote.String(), Provider: Name, Code: code, Err: err, Hint: hint}
}
