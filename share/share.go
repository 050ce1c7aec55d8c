// Package share serves one folder through SFTP from within a wnet process, so that a drive can be mapped where no server is at hand:
// `wnet share DIR`.
//
// It is an SSH server (golang.org/x/crypto/ssh) whose only service is the subsystem sftp: no shell, no commands, no forwarding. What a
// client names is looked up below the folder with os.Root, so that neither ".." nor a symbolic link leads out of it.
//
// The SFTP side is this package's own and not pkg/sftp's: its Server reaches the whole disk, and its RequestServer (v1.13) turns what a
// client asks of an open file (FSTAT, FSETSTAT) into a question about the file's name, which is wrong as soon as the file was renamed
// or removed, and knows no fsync@openssh.com. Programs on a mapped drive depend on all three.
//
// Offered, besides version 3 of the protocol: posix-rename, hardlink, statvfs, fstatvfs, fsync, lsetstat and limits @openssh.com. Status
// codes are those that OpenSSH's server gives for the same errno.
package share

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/user"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Config is what Serve takes.
type Config struct {
	Dir    string // the folder, which clients see as "/"
	Listen string // TCP address; "" for 127.0.0.1:0, a free port on loopback

	User           string          // the one user that may log in; "" for the one that the process runs as
	Password       wnet.Secret     // absent or empty: no login by password
	AuthorizedKeys []ssh.PublicKey // keys that the user may log in with; one of the two ways is needed

	// HostKey is the file of the server's own key, made (ed25519, OpenSSH's format, mode 0600) if it is missing; "" for a key that lasts as
	// long as the server, which every client then meets as unknown.
	HostKey  string
	ReadOnly bool // refuse every change

	MaxConns     int           // connections at once, those that log in included; 0 for 64
	FailureDelay time.Duration // what a failed login costs; 0 for 1 s
	LoginGrace   time.Duration // from the TCP connection to the opened SFTP session; 0 for 30 s
	KeepAlive    time.Duration // silence after which a client is asked whether it is there, and after as much again dropped; 0 for 30 s
	Logger       *slog.Logger  // nil for none
}

// Server is a running share.
type Server struct {
	cfg      Config
	log      *slog.Logger
	root     *os.Root
	real     string // cfg.Dir with all links resolved
	key      ssh.Signer
	listener net.Listener
	ssh      *ssh.ServerConfig
	slots    chan struct{}  // one a connection
	done     chan struct{}  // closed when the server ends
	wg       sync.WaitGroup // the accept loop and the connections

	mu    sync.Mutex  // guards what follows
	stop  func() bool // unties the server from its context
	conns map[net.Conn]struct{}
	ended bool
}

// badAddress is what is wrong with an address that cannot be listened on, 0 if it is something else.
func badAddress(addr string, err error) (code win32.Code, hint string, why error) {
	host, port, _ := net.SplitHostPort(addr)
	var lookup *net.DNSError
	var form *net.AddrError
	var number *net.ParseError
	switch {
	case errors.As(err, &lookup) && lookup.Name == host && host != "":
		return win32.ERROR_BAD_NETPATH, "Listen on an address that this computer has (ip address), or on :" + port + " for all of them.",
			fmt.Errorf("%s is no name of this computer: it is not known", host)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return win32.ERROR_BAD_NETPATH, "Listen on an address that this computer has (ip address), or on :" + port + " for all of them.",
			fmt.Errorf("this computer does not have the address %s", host)
	case errors.As(err, &form), errors.As(err, &number), errors.As(err, &lookup):
		return win32.ERROR_INVALID_PARAMETER, "Write HOST:PORT or :PORT, as in --listen :2222.", fmt.Errorf("%q is no address to listen on", addr)
	case errors.Is(err, syscall.EACCES):
		return win32.ERROR_ACCESS_DENIED, "Take a port from 1024 up.", fmt.Errorf("port %s is for root alone", port)
	}
	return 0, "", nil
}

// Serve starts to serve. It returns when the server listens; the server ends with ctx or with Close.
//
// Errors: ERROR_INVALID_PARAMETER: neither a password nor a key. ERROR_PATH_NOT_FOUND: Dir is missing or no folder. ERROR_ACCESS_DENIED:
// Dir can't be opened, or HostKey can't be read or written, or is readable by others. ERROR_BUSY: the address is in use.
// ERROR_BAD_NETPATH: this computer does not have the address. ERROR_INVALID_PARAMETER: Listen is no address. ERROR_GEN_FAILURE: it can't be listened on for another reason.
func Serve(ctx context.Context, cfg Config) (*Server, error) {
	fail := func(code win32.Code, err error, hint string) (*Server, error) {
		return nil, &wnet.Error{Op: "Share", Name: cfg.Dir, Code: code, Err: err, Hint: hint}
	}
	if err := ctx.Err(); err != nil {
		return fail(win32.ERROR_CANCELLED, err, "")
	}
	if cfg.Password.Reveal() == "" && len(cfg.AuthorizedKeys) == 0 {
		return fail(win32.ERROR_INVALID_PARAMETER, errors.New("a share needs a password or a key to log in with"), "")
	}
	if cfg.User == "" {
		u, err := user.Current()
		if err != nil {
			return fail(win32.ERROR_BAD_USERNAME, err, "Name a user.")
		}
		cfg.User = u.Username
	}
	cfg.fill()
	s := &Server{cfg: cfg, log: cfg.Logger, done: make(chan struct{}), slots: make(chan struct{}, cfg.MaxConns),
		conns: map[net.Conn]struct{}{}}
	var err error
	if s.real, err = realPath(cfg.Dir); err == nil {
		s.root, err = os.OpenRoot(s.real)
	}
	switch {
	case errors.Is(err, os.ErrPermission):
		return fail(win32.ERROR_ACCESS_DENIED, err, "Share a folder that you may read, or ask its owner for the right to.")
	case err != nil:
		return fail(win32.ERROR_PATH_NOT_FOUND, err, "Name a folder that is there.")
	}
	if s.key, err = hostKey(cfg.HostKey); err != nil {
		s.root.Close()
		return fail(win32.ERROR_ACCESS_DENIED, err, "Name another file for the server's key, or make this one readable for you alone.")
	}
	if s.listener, err = net.Listen(family(cfg.Listen), cfg.Listen); err != nil {
		s.root.Close()
		if inUse(err) {
			return fail(win32.ERROR_BUSY, err, "Another program has this port: take another one, or none for a free one.")
		}
		if code, hint, why := badAddress(cfg.Listen, err); code != 0 {
			return fail(code, why, hint)
		}
		return fail(win32.ERROR_GEN_FAILURE, err, "")
	}
	s.ssh = s.sshConfig()
	s.wg.Add(1)
	go s.accept()
	stop := context.AfterFunc(ctx, func() { s.Close() })
	s.mu.Lock()
	s.stop = stop
	s.mu.Unlock()
	return s, nil
}

func (c *Config) fill() {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.MaxConns <= 0 {
		c.MaxConns = 64
	}
	for d, def := range map[*time.Duration]time.Duration{
		&c.FailureDelay: time.Second, &c.LoginGrace: 30 * time.Second, &c.KeepAlive: 30 * time.Second,
	} {
		if *d <= 0 {
			*d = def
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Addr is the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Port is the TCP port that the server listens on.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// User is the user that may log in.
func (s *Server) User() string { return s.cfg.User }

// HostKey is the fingerprint of the server's key, "SHA256:…", as UseOptions.HostKey takes it.
func (s *Server) HostKey() string { return ssh.FingerprintSHA256(s.key.PublicKey()) }

// KnownHostsLine is a line for a known_hosts file, without its end, for clients that connect to host ("" for the address that the server
// listens on).
func (s *Server) KnownHostsLine(host string) string {
	addr := s.listener.Addr().String()
	if host != "" {
		_, port, _ := net.SplitHostPort(addr)
		addr = net.JoinHostPort(host, port)
	}
	return knownhosts.Line([]string{addr}, s.key.PublicKey())
}

// Done is closed when the server has begun to end.
func (s *Server) Done() <-chan struct{} { return s.done }

// Close ends the server and every connection, and waits until nothing of it runs. It may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	first, stop := !s.ended, s.stop
	s.ended = true
	if first {
		close(s.done)
		s.listener.Close()
		for c := range s.conns {
			c.Close()
		}
	}
	s.mu.Unlock()
	s.wg.Wait()
	if first {
		if stop != nil {
			stop()
		}
		s.root.Close()
	}
	return nil
}

// accept takes connections until the listener is closed.
func (s *Server) accept() {
	defer s.wg.Done()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			select {
			case <-s.done:
				return
			case <-time.After(50 * time.Millisecond): // out of descriptors, say: it passes
				s.log.Warn("a connection could not be taken", "err", err)
				continue
			}
		}
		select {
		case s.slots <- struct{}{}:
		default:
			s.log.Warn("a connection was refused: there are too many", "from", c.RemoteAddr(), "max", s.cfg.MaxConns)
			c.Close()
			continue
		}
		s.mu.Lock()
		if s.ended {
			s.mu.Unlock()
			c.Close()
			return
		}
		s.conns[c] = struct{}{}
		s.wg.Add(1)
		s.mu.Unlock()
		go func() {
			defer s.wg.Done()
			s.serve(c)
			c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
			<-s.slots
		}()
	}
}

var errLogin = errors.New("login refused")

// sshConfig sets the ways to log in. Every comparison takes the same time whatever is wrong, and every failure costs FailureDelay, which
// with MaxConns bounds how fast passwords can be guessed without locking out the rightful user.
func (s *Server) sshConfig() *ssh.ServerConfig {
	conf := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-wnet",
		MaxAuthTries:  6,
	}
	conf.AddHostKey(s.key)
	wantUser, wantPassword := sha256.Sum256([]byte(s.cfg.User)), sha256.Sum256([]byte(s.cfg.Password.Reveal()))
	userIs := func(c ssh.ConnMetadata) int {
		h := sha256.Sum256([]byte(c.User()))
		return subtle.ConstantTimeCompare(h[:], wantUser[:])
	}
	refuse := func(c ssh.ConnMetadata, how string) error {
		s.log.Info("a login was refused", "user", c.User(), "from", c.RemoteAddr(), "by", how)
		select {
		case <-time.After(s.cfg.FailureDelay):
		case <-s.done:
		}
		return errLogin
	}
	if s.cfg.Password.Reveal() != "" {
		check := func(c ssh.ConnMetadata, password []byte, how string) error {
			h := sha256.Sum256(password)
			if userIs(c)&subtle.ConstantTimeCompare(h[:], wantPassword[:]) == 1 {
				return nil
			}
			return refuse(c, how)
		}
		conf.PasswordCallback = func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return nil, check(c, password, "password")
		}
		conf.KeyboardInteractiveCallback = func(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil {
				return nil, err
			}
			if len(answers) != 1 {
				return nil, errLogin
			}
			return nil, check(c, []byte(answers[0]), "keyboard-interactive")
		}
	}
	if len(s.cfg.AuthorizedKeys) > 0 {
		conf.PublicKeyCallback = func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			blob, ok := key.Marshal(), userIs(c)
			known := 0
			for _, k := range s.cfg.AuthorizedKeys {
				known |= subtle.ConstantTimeCompare(blob, k.Marshal())
			}
			if ok&known == 1 {
				return nil, nil
			}
			// A client offers all its keys; this costs it an attempt and no wait, since keys cannot be guessed.
			return nil, fmt.Errorf("%w: the key is not known", errLogin)
		}
	}
	return conf
}

// family is the network to listen on: "tcp" would take 0.0.0.0 for every address of IPv6 too.
func family(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
			return "tcp4"
		}
	}
	return "tcp"
}
