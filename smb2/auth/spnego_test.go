package auth

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// script is a mechanism that wants two tokens from the server, "1" and "2", and signs with "m".
type script struct{ n int }

func (*script) oids() []string { return []string{oidMSKerberos, oidKerberos} }
func (*script) key() []byte    { return []byte("key") }

func (s *script) step(_ context.Context, in []byte) ([]byte, bool, error) {
	s.n++
	if s.n == 1 && in == nil || s.n == 2 && string(in) == "1" {
		return []byte{'a' + byte(s.n-1)}, false, nil
	}
	if s.n == 3 && string(in) == "2" {
		return nil, true, nil
	}
	return nil, false, fail(Refused, "script")
}

func (*script) mic(message []byte) ([]byte, error) { return append([]byte("m"), message...), nil }

func (*script) checkMIC(message, mic []byte) error {
	if string(mic) != "M"+string(message) {
		return fail(Downgraded, "")
	}
	return nil
}

// serverResp is a NegTokenResp of a server.
func serverResp(state negState, oid, token string, mic []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tagged(1), func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if state != noState {
				b.AddASN1(tagged(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(state)) })
			}
			if oid != "" {
				b.AddASN1(tagged(1), func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(parseOID(oid)) })
			}
			if token != "" {
				b.AddASN1(tagged(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString([]byte(token)) })
			}
			if mic != nil {
				b.AddASN1(tagged(3), func(b *cryptobyte.Builder) { b.AddASN1OctetString(mic) })
			}
		})
	})
	return b.BytesOrPanic()
}

// How a login ends for what a server may say, step by step. The last answer is the one that counts.
func TestSPNEGO(t *testing.T) {
	list := formatMechTypes((*script)(nil).oids())
	good := append([]byte("M"), list...)
	first := serverResp(acceptIncomplete, oidKerberos, "1", nil)
	for name, c := range map[string]struct {
		answers [][]byte
		cause   Cause // 0: done
		more    bool  // not done yet, and no error
	}{
		"plain":                           {answers: [][]byte{first, serverResp(acceptCompleted, "", "2", nil)}},
		"signed":                          {answers: [][]byte{first, serverResp(acceptCompleted, oidMSKerberos, "2", good)}},
		"asked for our signature":         {answers: [][]byte{first, serverResp(requestMIC, "", "2", nil), serverResp(acceptCompleted, "", "", good)}},
		"an empty end":                    {answers: [][]byte{first, serverResp(acceptIncomplete, "", "2", nil), nil}},
		"not done yet":                    {answers: [][]byte{first, serverResp(acceptIncomplete, "", "2", nil)}, more: true},
		"signed wrongly":                  {answers: [][]byte{first, serverResp(acceptCompleted, "", "2", []byte("M"))}, cause: Downgraded},
		"another mechanism":               {answers: [][]byte{serverResp(requestMIC, oidNTLM, "", nil)}, cause: Downgraded},
		"another mechanism with a token":  {answers: [][]byte{serverResp(acceptIncomplete, oidNTLM, "1", nil)}, cause: Downgraded},
		"done before the proof":           {answers: [][]byte{serverResp(acceptCompleted, "", "", nil)}, cause: BadToken},
		"done with a token in hand":       {answers: [][]byte{serverResp(acceptCompleted, "", "1", nil)}, cause: NotProved},
		"nothing before the proof":        {answers: [][]byte{nil}, cause: NotProved},
		"refused":                         {answers: [][]byte{serverResp(reject, "", "", nil)}, cause: Refused},
		"refused with the last token":     {answers: [][]byte{first, serverResp(reject, "", "2", nil)}, cause: Refused},
		"no token":                        {answers: [][]byte{serverResp(acceptIncomplete, oidKerberos, "", nil)}, cause: BadToken},
		"a token too many":                {answers: [][]byte{first, serverResp(acceptIncomplete, "", "2", nil), serverResp(acceptIncomplete, "", "2", nil)}, cause: BadToken},
		"never an end":                    {answers: [][]byte{first, serverResp(acceptIncomplete, "", "2", nil), serverResp(acceptIncomplete, "", "", nil)}, cause: BadToken},
		"signed too early":                {answers: [][]byte{serverResp(acceptIncomplete, "", "1", good)}, cause: BadToken},
		"the mechanism says no":           {answers: [][]byte{serverResp(acceptIncomplete, "", "x", nil)}, cause: Refused},
		"garbage":                         {answers: [][]byte{[]byte("garbage")}, cause: BadToken},
		"something behind it":             {answers: [][]byte{append(bytes.Clone(first), 0)}, cause: BadToken},
		"a state that there is not":       {answers: [][]byte{serverResp(4, "", "1", nil)}, cause: BadToken},
		"NTLM without its frame":          {answers: [][]byte{makeChallenge(ntlmWanted, formatTargetInfo(nil))}, cause: BadToken},
		"the hint once more":              {answers: [][]byte{formatInit(list, []byte("1"))}, cause: BadToken},
		"no state counts as being not at": {answers: [][]byte{serverResp(noState, "", "1", nil)}, more: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := &Login{choose: func(context.Context) (mechanism, error) { return &script{}, nil }}
			out, done, err := l.Step(t.Context(), nil)
			if err != nil || done {
				t.Fatal(done, err)
			}
			if !bytes.Equal(out, formatInit(list, []byte("a"))) {
				t.Fatalf("first token %x", out)
			}
			for i, a := range c.answers {
				out, done, err = l.Step(t.Context(), a)
				if i < len(c.answers)-1 && (err != nil || done || out == nil) {
					t.Fatalf("answer %d: %x %v %v", i, out, done, err)
				}
			}
			var cause Cause
			errors.As(err, &cause)
			if cause != c.cause || done != (c.cause == 0 && !c.more) {
				t.Fatalf("done %v, %v; want cause %d", done, err, c.cause)
			}
			if done != (l.SessionKey() != nil) {
				t.Error("there is a key without an end, or none with one")
			}
			if err == nil && !done {
				return
			}
			if _, d, err := l.Step(t.Context(), first); err == nil || d {
				t.Error("it goes on after its end")
			}
		})
	}
}

// Our signature goes out once the mechanism is done, and only once.
func TestSPNEGOSigns(t *testing.T) {
	l := &Login{choose: func(context.Context) (mechanism, error) { return &script{}, nil }}
	l.Step(t.Context(), nil)
	out, _, _ := l.Step(t.Context(), serverResp(acceptIncomplete, "", "1", nil))
	if r, err := parseOurs(out); err != nil || string(r.token) != "b" || r.mic != nil {
		t.Fatalf("%+v %v", r, err)
	}
	out, _, _ = l.Step(t.Context(), serverResp(acceptIncomplete, "", "2", nil))
	if r, err := parseOurs(out); err != nil || r.token != nil || string(r.mic) != "m"+string(l.mechTypes) {
		t.Fatalf("%+v %v", r, err)
	}
}

func parseOurs(b []byte) (negTokenResp, error) { return parseResp(b) }

// hint is a server's NegTokenInit2.
func hint(oids ...string) []byte {
	var b cryptobyte.Builder
	b.AddASN1(application0, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(parseOID(oidSPNEGO))
		b.AddASN1(tagged(0), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				if oids != nil {
					b.AddASN1(tagged(0), func(b *cryptobyte.Builder) { b.AddBytes(formatMechTypes(oids)) })
				}
				b.AddASN1(tagged(3), func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(tagged(0), func(b *cryptobyte.Builder) {
							b.AddASN1(asn1.GeneralString, func(b *cryptobyte.Builder) { b.AddBytes([]byte("not_defined_in_RFC4178@please_ignore")) })
						})
					})
				})
			})
		})
	})
	return b.BytesOrPanic()
}

// What is left to be used, for what a server lists and what is allowed. Nothing of it asks a KDC.
func TestHint(t *testing.T) {
	password := func(o Options) *Credential {
		c, err := Password("anna@EXAMPLE.ORG", NewSecret("x"), o)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	absent, err := Password("anna", Secret{}, Options{Mechanisms: KerberosOnly})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cred   *Credential
		server string
		hint   []byte
		cause  Cause
	}{
		"none":                                  {password(Options{}), "nas", nil, 0},
		"both":                                  {password(Options{}), "nas", hint(oidMSKerberos, oidKerberos, oidNTLM), 0},
		"NTLM":                                  {password(Options{}), "nas", hint(oidNTLM), 0},
		"Kerberos alone":                        {password(Options{}), "nas", hint(oidKerberos), 0},
		"Kerberos alone, by address":            {password(Options{}), "fe80::1%eth0", hint(oidKerberos), Weak},
		"nothing known":                         {password(Options{}), "nas", hint("1.2.3.4"), Weak},
		"an empty list":                         {password(Options{}), "nas", hint(), Weak},
		"Kerberos wanted, NTLM there":           {password(Options{Mechanisms: KerberosOnly}), "nas", hint(oidNTLM), Weak},
		"Kerberos wanted, an address":           {password(Options{Mechanisms: KerberosOnly}), "192.0.2.1", nil, UnknownService},
		"Kerberos wanted, no password":          {absent, "nas", nil, NoPassword},
		"NTLM wanted, Kerberos there":           {password(Options{Mechanisms: NTLMOnly}), "nas", hint(oidKerberos), Weak},
		"a guest has no Kerberos":               {Guest("x"), "nas", hint(oidKerberos), Weak},
		"garbage":                               {password(Options{}), "nas", []byte{0x60, 0x80, 0}, BadToken},
		"something behind it":                   {password(Options{}), "nas", append(hint(oidNTLM), 0), BadToken},
		"a NegTokenResp":                        {password(Options{}), "nas", serverResp(acceptIncomplete, oidNTLM, "", nil), BadToken},
		"NTLM, bare, where a list should stand": {Anonymous(), "nas", makeChallenge(ntlmWanted, nil), BadToken},
	} {
		_, err := c.cred.Authenticator(c.server, c.hint)
		var cause Cause
		errors.As(err, &cause)
		if cause != c.cause || (err == nil) != (c.cause == 0) {
			t.Errorf("%s: %v, want cause %d", name, err, c.cause)
		}
	}
}

func FuzzResp(f *testing.F) {
	f.Add(serverResp(acceptIncomplete, oidNTLM, "token", []byte("mic")))
	f.Add(serverResp(acceptCompleted, "", "", nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseResp(b)
		if err == nil && len(r.token)+len(r.mic) > len(b) {
			t.Fatal("more than there is")
		}
		l := &Login{choose: func(context.Context) (mechanism, error) { return &script{}, nil }}
		l.Step(t.Context(), nil)
		if _, done, err := l.Step(t.Context(), b); done || err == nil && string(r.token) != "1" {
			t.Fatal(done, err)
		}
	})
}

func FuzzHint(f *testing.F) {
	f.Add(hint(oidKerberos, oidNTLM))
	f.Add(hint())
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseHint(b); err == nil && m == nil || len(m) > maxMechanisms {
			t.Fatal(m, err)
		}
	})
}
