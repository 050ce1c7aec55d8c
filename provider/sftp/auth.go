package sftp

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/openwnet/wnet"
)

// login is one attempt to log in: what it can show, and what it learned of the server.
type login struct {
	methods  []ssh.AuthMethod
	password bool        // one was given
	locked   []string    // encrypted identity files that nothing opened
	agent    net.Conn    // nil for none
	release  func() bool // unties agent from the context

	reached bool     // the server's key is accepted and the login has begun
	offered []string // methods that the server takes
	tried   []string
}

// newLogin collects keys and password. The caller closes it after the handshake.
func (p *Provider) newLogin(ctx context.Context, req wnet.Request, t *target) *login {
	if req.Options.SmartCard {
		// A key on a card comes through the agent, which speaks PKCS#11 and asks for the PIN. No file and no password takes its place.
		l := &login{}
		if signers := p.withAgent(ctx, t, nil, l); len(signers) > 0 {
			l.methods = []ssh.AuthMethod{ssh.PublicKeys(signers...)}
		}
		return l
	}
	l := &login{password: req.Password.Present()}
	signers, unlocked := p.identities(t, req.Password, l)
	signers = p.withAgent(ctx, t, signers, l)

	var keys, words []ssh.AuthMethod
	if len(signers) > 0 {
		keys = []ssh.AuthMethod{ssh.PublicKeys(signers...)}
	}
	if l.password && !unlocked {
		words = []ssh.AuthMethod{ssh.Password(req.Password.Reveal()), ssh.KeyboardInteractive(answer(req.Password))}
	}
	// A password that was typed for this server goes first: an agent full of keys would use up the attempts that a server allows. One
	// that opened a key file is that file's passphrase, and no server's business.
	l.methods = append(words, keys...)
	return l
}

func (l *login) close() {
	if l.agent != nil {
		l.release()
		l.agent.Close()
	}
}

// watch is the ssh.ClientConfig.AuthCallback: it leaves the choice of the method as it is, and notes what the server offers.
func (l *login) watch(c *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	l.offered, l.tried = c.AllowedMethods, c.TriedMethods
	return nil, nil
}

// answer gives the password to the one question that asks for it, and to no second one: that would be another secret.
func answer(password wnet.Secret) ssh.KeyboardInteractiveChallenge {
	given := false
	return func(_, _ string, questions []string, echos []bool) ([]string, error) {
		if len(questions) == 0 {
			return nil, nil
		}
		if given || len(questions) != 1 || echos[0] {
			return nil, errors.New("the server asks for more than a password")
		}
		given = true
		return []string{password.Reveal()}, nil
	}
}

// identities reads the identity files. Missing ones are passed over; encrypted ones are tried with the password as passphrase.
func (p *Provider) identities(t *target, password wnet.Secret, l *login) (signers []ssh.Signer, unlocked bool) {
	for _, file := range t.identities {
		b, err := os.ReadFile(file)
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) {
				p.log.Warn("an identity file can't be read", "file", file, "err", err)
			}
			continue
		}
		s, err := ssh.ParsePrivateKey(b)
		var locked *ssh.PassphraseMissingError
		if errors.As(err, &locked) {
			if password.Present() && password.Reveal() != "" {
				s, err = ssh.ParsePrivateKeyWithPassphrase(b, []byte(password.Reveal()))
				unlocked = unlocked || err == nil
			}
			if err != nil {
				l.locked = append(l.locked, file)
				continue
			}
		}
		if err != nil {
			p.log.Warn("an identity file is not understood", "file", file, "err", err)
			continue
		}
		signers = append(signers, s)
		if c := certificate(file+"-cert.pub", s); c != nil {
			signers = append(signers, c)
		}
	}
	return signers, unlocked
}

// certificate returns a signer for the OpenSSH certificate beside a key, nil if there is none.
func certificate(file string, key ssh.Signer) ssh.Signer {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	pub, _, _, _, err := ssh.ParseAuthorizedKey(b)
	if err != nil {
		return nil
	}
	cert, ok := pub.(*ssh.Certificate)
	if !ok {
		return nil
	}
	s, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		return nil
	}
	return s
}

// withAgent puts the agent's keys before those of the files: first those that the files name, whose private half the agent may have
// unlocked, then, without IdentitiesOnly, the rest. Nothing is tried twice.
func (p *Provider) withAgent(ctx context.Context, t *target, files []ssh.Signer, l *login) []ssh.Signer {
	if p.cfg.AgentSocket == nil {
		return files
	}
	sock := p.cfg.AgentSocket()
	if sock == "" {
		return files
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", sock)
	if err != nil {
		p.log.Info("the ssh-agent does not answer", "socket", sock, "err", err)
		return files
	}
	// It may ask its user to confirm a signature, so that it gets as long as the handshake.
	conn.SetDeadline(time.Now().Add(p.cfg.Timeouts.Handshake))
	release := context.AfterFunc(ctx, func() { conn.Close() })
	held, err := agent.NewClient(conn).Signers()
	if err != nil {
		release()
		conn.Close()
		p.log.Info("the ssh-agent gives no keys", "socket", sock, "err", err)
		return files
	}
	l.agent, l.release = conn, release

	var named [][]byte
	for _, file := range t.identities {
		if b, err := os.ReadFile(file + ".pub"); err == nil {
			if pub, _, _, _, err := ssh.ParseAuthorizedKey(b); err == nil {
				named = append(named, pub.Marshal())
			}
		}
	}
	for _, s := range files {
		named = append(named, s.PublicKey().Marshal())
	}
	isNamed := func(s ssh.Signer) bool {
		blob := s.PublicKey().Marshal()
		return slices.ContainsFunc(named, func(n []byte) bool { return bytes.Equal(n, blob) })
	}
	var all []ssh.Signer
	add := func(s ssh.Signer) {
		blob := s.PublicKey().Marshal()
		if !slices.ContainsFunc(all, func(o ssh.Signer) bool { return bytes.Equal(o.PublicKey().Marshal(), blob) }) {
			all = append(all, s)
		}
	}
	for _, s := range held {
		if isNamed(s) {
			add(s)
		}
	}
	for _, s := range files {
		add(s)
	}
	if !t.identitiesOnly {
		for _, s := range held {
			add(s)
		}
	}
	return all
}
