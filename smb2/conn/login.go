package conn

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/openwnet/wnet/smb2/crypt"
	"github.com/openwnet/wnet/smb2/wire"
)

// Authenticator carries the security exchange of one log-on; it is smb2.Authenticator.
type Authenticator = interface {
	Step(ctx context.Context, in []byte) (out []byte, done bool, err error)
	SessionKey() []byte
}

// Kind says what is logged in as; it is smb2.CredentialKind.
type Kind = uint8

// The kinds.
const (
	User Kind = iota
	Guest
	Anonymous
)

// Session is a log-on on a connection.
type Session struct {
	c      *Conn
	id     uint64
	kind   Kind
	flags  uint16
	key    []byte        // whole, as the security exchange gave it
	signer *crypt.Signer // nil without a key
	sealer *crypt.Sealer // nil without encryption
	sign   bool          // every request is signed
	seal   bool          // every request is encrypted

	checked atomic.Bool // the negotiation was validated
}

// Login logs in. previous is a session of an earlier connection that the server may take for dead, or 0.
//
// A server that makes a user a guest is refused with a PolicyError; nothing is ever weaker than asked for.
func (c *Conn) Login(ctx context.Context, a Authenticator, kind Kind, previous uint64) (*Session, error) {
	s := &Session{c: c, kind: kind}
	if err := s.exchange(ctx, a, previous, nil); err != nil {
		return nil, err
	}
	c.sess.Store(s)
	return s, nil
}

// Bind makes c a further channel of the session from, which is on another connection to the same server ([MS-SMB2] 3.2.4.2.3). The
// Authenticator is for the same user.
func (c *Conn) Bind(ctx context.Context, from *Session, a Authenticator) (*Session, error) {
	if c.info.Dialect < wire.Dialect300 || from.signer == nil || c.info.Dialect != from.c.info.Dialect || c.info.Cipher != from.c.info.Cipher {
		return nil, fmt.Errorf("smb2: a session of dialect %v can't have another channel", c.info.Dialect)
	}
	s := &Session{c: c, kind: from.kind, id: from.id}
	if err := s.exchange(ctx, a, 0, from); err != nil {
		return nil, err
	}
	c.sess.Store(s)
	return s, nil
}

// Reauthenticate proves again who the session belongs to, after it expired ([MS-SMB2] 3.2.4.2.3). Keys stay as they are.
func (s *Session) Reauthenticate(ctx context.Context, a Authenticator) error {
	again := &Session{c: s.c, kind: s.kind, id: s.id, signer: s.signer, sealer: s.sealer, sign: s.sign, seal: s.seal}
	return again.exchange(ctx, a, 0, nil)
}

// exchange runs SESSION_SETUP. s has an id for a binding (from is set) or a repeated log-on.
func (s *Session) exchange(ctx context.Context, a Authenticator, previous uint64, from *Session) error {
	c := s.c
	again := s.id != 0 && from == nil
	pre := c.pre
	mode := wire.SigningEnabled
	if c.cfg.Policy.RequireIntegrity {
		mode = wire.SigningRequired
	}
	var in []byte
	for step := 0; ; step++ {
		if step > 16 {
			return violation("a log-on of more than %d steps", step)
		}
		out, done, err := a.Step(ctx, in)
		if err != nil {
			return err
		}
		body := &wire.SessionSetupRequest{Binding: from != nil, SecurityMode: mode, Capabilities: wire.CapDFS, Previous: previous, Blob: out}
		req := &Request{Command: wire.CmdSessionSetup, Body: body, sent: []byte{}, Payload: len(out)}
		if len(out) > 1<<16-1 {
			return fmt.Errorf("smb2: a security token of %d bytes is too long", len(out))
		}
		if err := s.setup(ctx, req, from, again); err != nil {
			return err
		}
		if req.Status != wire.StatusOK && req.Status != wire.StatusMoreProcessing {
			return req.Status
		}
		var resp wire.SessionSetupResponse
		if err := resp.Decode(req.Msg); err != nil {
			return err
		}
		var h wire.Header
		if err := h.Decode(req.Msg); err != nil {
			return err
		}
		if s.id == 0 {
			s.id = h.SessionID
		}
		if h.SessionID != s.id || s.id == 0 {
			return violation("the session's number changes from %#x to %#x", s.id, h.SessionID)
		}
		pre.Add(req.sent)
		if req.Status == wire.StatusMoreProcessing {
			pre.Add(req.Msg)
			in = append([]byte{}, resp.Blob...)
			continue
		}
		if !done {
			rest, finished, err := a.Step(ctx, append([]byte{}, resp.Blob...))
			if err != nil {
				return err
			}
			if !finished || len(rest) > 0 {
				return violation("the server ends the log-on before it is done")
			}
		}
		if again {
			return nil
		}
		s.flags, s.key = resp.Flags, a.SessionKey()
		return s.establish(&h, req, &pre, from)
	}
}

// setup sends one SESSION_SETUP. Those of a binding are signed with the session's key, those of a repeated log-on as any request.
func (s *Session) setup(ctx context.Context, req *Request, from *Session, again bool) error {
	switch {
	case again:
		return s.Do(ctx, req)
	case from != nil:
		bound := &Session{c: s.c, id: from.id, signer: from.signer, sign: true}
		s.c.sess.Store(&Session{c: s.c, id: from.id, sealer: from.sealer}) // the answers may be encrypted
		return s.c.do(ctx, bound, []*Request{req})
	}
	// Nothing protects it yet but the hash over it.
	return s.c.do(ctx, &Session{c: s.c, id: s.id}, []*Request{req})
}

// establish makes the session's keys and checks the server's last answer ([MS-SMB2] 3.2.5.3.1, 3.2.5.3.3).
func (s *Session) establish(h *wire.Header, req *Request, pre *crypt.Preauth, from *Session) error {
	c, p := s.c, &s.c.cfg.Policy
	guest, null := s.flags&wire.SessionGuest != 0, s.flags&wire.SessionNull != 0
	switch {
	case s.kind == User && (guest || null):
		return &PolicyError{"Credential", "the server does not know the user and would log in a guest instead"}
	case guest || null || s.kind == Anonymous || len(s.key) == 0:
		if p.RequireIntegrity || p.RequirePrivacy {
			return &PolicyError{"RequireIntegrity", "a guest or an anonymous user has no key to sign or encrypt with"}
		}
		if c.info.SecurityMode&wire.SigningRequired != 0 && s.kind == User {
			return violation("a log-on without a key")
		}
		return nil
	}
	hash := pre
	if c.info.Dialect < wire.Dialect311 {
		hash = nil
	}
	secret := s.key // of a further channel: what its own log-on agreed on
	signing := crypt.Short(secret)
	if c.info.Dialect >= wire.Dialect300 {
		keys := crypt.Derive(secret, hash, crypt.Wide(c.info.Cipher))
		signing = keys.Signing
		switch {
		case from != nil:
			s.sealer, s.key = from.sealer, from.key // the keys of encryption are the session's
		case c.info.Cipher != 0:
			var err error
			if s.sealer, err = crypt.NewSealer(c.info.Cipher, keys); err != nil {
				return err
			}
		}
	}
	var err error
	if s.signer, err = crypt.NewSigner(c.info.Signing, signing); err != nil {
		return err
	}
	if req.opened {
		// Only who has the session's keys could encrypt it.
	} else if h.Flags&wire.FlagSigned != 0 {
		if !s.signer.Verify(req.Msg) {
			return &TamperError{"the signature of the answer that ends the log-on is wrong"}
		}
	} else if c.info.Dialect == wire.Dialect311 || p.RequireIntegrity {
		return &TamperError{"the answer that ends the log-on is not signed"}
	}
	s.sign = p.RequireIntegrity || c.info.SecurityMode&wire.SigningRequired != 0
	s.seal = p.RequirePrivacy || s.flags&wire.SessionEncrypt != 0
	if s.seal && s.sealer == nil {
		return violation("the server wants encryption and has negotiated none")
	}
	return nil
}

// ID is the session's number.
func (s *Session) ID() uint64 { return s.id }

// Conn is the session's connection.
func (s *Session) Conn() *Conn { return s.c }

// Guest reports whether the server took the user for a guest or for nobody.
func (s *Session) Guest() bool { return s.flags&(wire.SessionGuest|wire.SessionNull) != 0 }

// Signed and Encrypted tell how all requests are protected.
func (s *Session) Signed() bool { return s.sign }

// Encrypted reports whether all requests are encrypted.
func (s *Session) Encrypted() bool { return s.seal }

// CanEncrypt reports whether a share that wants encryption can be used.
func (s *Session) CanEncrypt() bool { return s.sealer != nil }

// protects tells whether a frame with these requests is encrypted or its messages are signed.
func (s *Session) protects(reqs []*Request) (seal, sign bool) {
	if s == nil {
		return false, false
	}
	seal, sign = s.seal, s.sign
	for _, r := range reqs {
		seal = seal || r.Encrypt && s.sealer != nil
		sign = sign || r.Signed
	}
	return seal, sign && !seal && s.signer != nil
}

// Validate asks the server once more, signed, what was negotiated, for dialects whose negotiation nothing else protects ([MS-SMB2]
// 3.2.5.5). tree is any tree of the session. It does something at most once a session.
func (s *Session) Validate(ctx context.Context, tree uint32, encrypt bool) error {
	c := s.c
	ask, err := c.offer()
	if err != nil {
		return err
	}
	// A client that offers no 3.x has nothing that could have been taken from it.
	if c.info.Dialect == wire.Dialect311 || ask.Dialects[len(ask.Dialects)-1] < wire.Dialect300 || s.signer == nil || s.checked.Load() {
		return nil
	}
	v := wire.ValidateNegotiate{Capabilities: ask.Capabilities, GUID: ask.ClientGUID, SecurityMode: ask.SecurityMode, Dialects: ask.Dialects}
	req := &Request{Command: wire.CmdIoctl, Tree: tree, Signed: true, Encrypt: encrypt,
		Body: &wire.IoctlRequest{Code: wire.FsctlValidateNegotiate, File: wire.NoFile(), Input: v.Append(nil), MaxOutput: 24}}
	if err := s.Do(ctx, req); err != nil {
		return err
	}
	switch req.Status {
	case wire.StatusOK:
	case wire.StatusNotSupported, wire.StatusInvalidRequest, wire.StatusFileClosed:
		s.checked.Store(true) // a server of before 3.0 says so, signed
		return nil
	default:
		return req.Status
	}
	_, out, err := wire.DecodeIoctl(req.Msg)
	if err != nil {
		return err
	}
	if err := v.Decode(out); err != nil {
		return err
	}
	i := &c.info
	if v.Capabilities != i.Capabilities || v.GUID != i.ServerGUID || v.SecurityMode != i.SecurityMode || v.Dialect != i.Dialect {
		err := &TamperError{"the server negotiated something else than what arrived here"}
		c.fail(err)
		return err
	}
	s.checked.Store(true)
	return nil
}
