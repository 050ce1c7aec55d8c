package auth

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rc4"
	"encoding/binary"
	"time"
	"unicode/utf8"
)

// ntlm is NTLMv2's client side ([MS-NLMP] 3.1.5), for a user, a guest or nobody.
type ntlm struct {
	user, domain string
	workstation  string
	password     Secret
	anonymous    bool
	guest        bool   // the server will not know us, so that there is no common key
	target       string // the service's name, cifs/server
	now          func() time.Time

	negotiate []byte
	state     int
	exported  []byte
	out, in   *sealer
}

var _ mechanism = (*ntlm)(nil)

func (*ntlm) oids() []string { return []string{oidNTLM} }

func (n *ntlm) step(_ context.Context, in []byte) ([]byte, bool, error) {
	n.state++
	switch {
	case n.state == 1 && len(in) == 0:
		n.negotiate = formatNegotiate(ntlmWanted)
		return n.negotiate, false, nil
	case n.state == 2:
		out, err := n.answer(in)
		return out, err == nil, err
	}
	return nil, false, fail(BadToken, "an NTLM message that nobody asked for")
}

// answer makes the AUTHENTICATE_MESSAGE for a CHALLENGE_MESSAGE ([MS-NLMP] 3.1.5.1.2).
func (n *ntlm) answer(in []byte) ([]byte, error) {
	c, err := parseChallenge(in)
	if err != nil {
		return nil, err
	}
	a := authenticate{flags: ntlmWanted & c.flags, domain: n.domain, user: n.user, workstation: n.workstation}
	if n.anonymous {
		a = authenticate{flags: (ntlmWanted&c.flags | ntlmAnonymous) &^ ntlmKeyExchange, lm: []byte{0}}
		return a.format()
	}
	if !n.password.Present() {
		return nil, fail(NoPassword, "")
	}
	if !utf8.ValidString(n.password.Reveal()) {
		return nil, fail(WrongPassword, "it is not text in UTF-8")
	}

	// The server's clock, not ours: a server may refuse a time that is off by more than half an hour.
	when := filetime(n.now())
	if p := findAV(c.info, avTimestamp); p != nil {
		when = binary.LittleEndian.Uint64(p.value)
	}
	var flags uint32
	if p := findAV(c.info, avFlags); p != nil {
		flags = binary.LittleEndian.Uint32(p.value)
	}
	info := setAV(c.info, avFlags, binary.LittleEndian.AppendUint32(nil, flags|avFlagMIC))
	info = setAV(info, avChannelBindings, make([]byte, 16)) // none: SMB over TCP has no channel of its own
	info = setAV(info, avTargetName, utf16le(n.target))

	var nonce [8]byte
	rand.Read(nonce[:])
	var base []byte
	a.nt, base = ntlmv2Response(ntowfv2(n.user, n.password.Reveal(), n.domain), c.nonce, nonce, when, formatTargetInfo(info))
	a.lm = make([]byte, 24)
	n.exported = base
	if a.flags&ntlmKeyExchange != 0 {
		n.exported = make([]byte, 16)
		rand.Read(n.exported)
		stream, err := rc4.NewCipher(base)
		if err != nil {
			return nil, err
		}
		a.encryptedKey = make([]byte, 16)
		stream.XORKeyStream(a.encryptedKey, n.exported)
	}
	out, err := a.format()
	if err != nil {
		return nil, err
	}
	copy(out[micOffset:], hmacMD5(n.exported, n.negotiate, in, out))
	exchange := a.flags&ntlmKeyExchange != 0
	n.out, n.in = newSealer(n.exported, false, exchange), newSealer(n.exported, true, exchange)
	return out, nil
}

func (n *ntlm) key() []byte {
	if n.guest {
		return nil
	}
	return bytes.Clone(n.exported)
}

func (n *ntlm) mic(message []byte) ([]byte, error) {
	if n.out == nil || n.guest {
		return nil, nil
	}
	return n.out.mac(message), nil
}

func (n *ntlm) checkMIC(message, mic []byte) error {
	if n.guest || n.anonymous {
		return nil // there is no key to check it with
	}
	if n.in == nil || !hmac.Equal(n.in.mac(message), mic) {
		return fail(Downgraded, "the server's signature of the negotiation is wrong")
	}
	return nil
}

// filetime gives a time in units of 100 ns since 1601.
func filetime(t time.Time) uint64 {
	return uint64(t.Unix()+11644473600)*1e7 + uint64(t.Nanosecond()/100)
}
