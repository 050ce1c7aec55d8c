package auth

import (
	"context"
	"slices"
)

// Login is one login, from the first token to the key. It satisfies smb2.Authenticator. It is used by one goroutine, and once.
type Login struct {
	choose func(ctx context.Context) (mechanism, error)

	mech      mechanism
	mechTypes []byte // the list that was offered, as it was sent
	mechDone  bool
	micSent   bool
	done      bool
	broken    error // what Step failed with: it is over then

	report Report
}

// Report is how a login was done.
type Report struct {
	Mechanism string // "Kerberos" or "NTLM", "" before the first step
	User      string // who the server was told to expect, such as anna@EXAMPLE.ORG, "" for nobody
	Instead   error  // why it is NTLM where Kerberos is preferred, nil if nothing was given up
}

// Report tells how the login is done, as far as it has got.
func (l *Login) Report() Report { return l.report }

// Step takes the server's token, nil at first, and gives the one to send: see smb2.Authenticator. Errors are *Error, or ctx's.
func (l *Login) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if l.broken != nil {
		return nil, false, l.broken
	}
	if l.done {
		return nil, false, fail(BadToken, "the login is over already")
	}
	if l.mech == nil {
		out, err = l.begin(ctx)
	} else {
		out, err = l.goOn(ctx, in)
	}
	if err != nil {
		l.broken = err
		return nil, false, err
	}
	return out, l.done, nil
}

// SessionKey gives the key, nil before the login is done and for guests and nobody.
func (l *Login) SessionKey() []byte {
	if !l.done {
		return nil
	}
	return l.mech.key()
}

// begin picks the mechanism and sends its first token: an offer of it alone.
func (l *Login) begin(ctx context.Context) ([]byte, error) {
	m, err := l.choose(ctx)
	if err != nil {
		return nil, err
	}
	token, done, err := m.step(ctx, nil)
	if err != nil {
		return nil, err
	}
	l.mech, l.mechDone, l.mechTypes = m, done, formatMechTypes(m.oids())
	return formatInit(l.mechTypes, token), nil
}

// goOn answers a NegTokenResp (RFC 4178 4.2.2, 5).
func (l *Login) goOn(ctx context.Context, in []byte) ([]byte, error) {
	if len(in) == 0 {
		// A success without a token. NTLM's proof is then what the key signs; Kerberos' has to have come before.
		if !l.mechDone {
			return nil, fail(NotProved, "the login ended before the server's proof")
		}
		l.done = true
		return nil, nil
	}
	r, err := parseResp(in)
	if err != nil {
		return nil, err
	}
	if r.mechanism != "" && !slices.Contains(l.mech.oids(), r.mechanism) {
		return nil, fail(Downgraded, "it answers with the mechanism %s, which was not offered", r.mechanism)
	}
	var out []byte
	switch {
	case len(r.token) > 0 && l.mechDone:
		return nil, fail(BadToken, "a token comes after the last one")
	case len(r.token) > 0:
		// A refusal may carry the mechanism's own words, which say more.
		if out, l.mechDone, err = l.mech.step(ctx, r.token); err != nil {
			return nil, err
		}
	case r.state != reject && !l.mechDone:
		return nil, fail(BadToken, "the SPNEGO answer has no token")
	}
	if r.state == reject {
		return nil, fail(Refused, "")
	}
	if r.mic != nil {
		if !l.mechDone || len(out) > 0 {
			return nil, fail(BadToken, "the negotiation is signed before there is a key")
		}
		if err := l.mech.checkMIC(l.mechTypes, r.mic); err != nil {
			return nil, err
		}
	}
	if r.state == acceptCompleted {
		if !l.mechDone || len(out) > 0 {
			return nil, fail(NotProved, "the server ends the login early")
		}
		l.done = true
		return nil, nil
	}
	answer := negTokenResp{token: out}
	if l.mechDone && !l.micSent {
		if answer.mic, err = l.mech.mic(l.mechTypes); err != nil {
			return nil, err
		}
		l.micSent = true
	} else if out == nil {
		return nil, fail(BadToken, "the server goes on where nothing is left to be said")
	}
	return answer.format(), nil
}
