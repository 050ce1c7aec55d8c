package auth

import (
	stdasn1 "encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// The object identifiers of the mechanisms.
const (
	oidSPNEGO     = "1.3.6.1.5.5.2"
	oidKerberos   = "1.2.840.113554.1.2.2"
	oidMSKerberos = "1.2.840.48018.1.2.2" // how Windows spells Kerberos ([MS-SPNG] 1.9)
	oidNTLM       = "1.3.6.1.4.1.311.2.2.10"
)

// negState is NegTokenResp's negState.
type negState int

const (
	acceptCompleted negState = iota
	acceptIncomplete
	reject
	requestMIC
	noState negState = -1
)

// maxMechanisms is how many mechanisms a server may list: more than any has.
const maxMechanisms = 32

func tagged(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }

const application0 = asn1.Tag(0x60) // [APPLICATION 0], constructed

// parseHint gives the mechanisms of a server's NegTokenInit2 ([MS-SPNG] 2.2.1), never nil: what NEGOTIATE's security buffer holds. The
// hint's name and a token in it are of no use to a client.
func parseHint(b []byte) ([]string, error) {
	bad := fail(BadToken, "the server's list of logins cannot be read")
	in := cryptobyte.String(b)
	var token, choice, init, list cryptobyte.String
	var oid stdasn1.ObjectIdentifier
	if !in.ReadASN1(&token, application0) || !in.Empty() || !token.ReadASN1ObjectIdentifier(&oid) || oid.String() != oidSPNEGO ||
		!token.ReadASN1(&choice, tagged(0)) || !token.Empty() || !choice.ReadASN1(&init, asn1.SEQUENCE) || !choice.Empty() {
		return nil, bad
	}
	var there bool
	if !init.ReadOptionalASN1(&list, &there, tagged(0)) {
		return nil, bad
	}
	mechanisms := []string{}
	if there {
		var seq cryptobyte.String
		if !list.ReadASN1(&seq, asn1.SEQUENCE) || !list.Empty() {
			return nil, bad
		}
		for !seq.Empty() {
			var m stdasn1.ObjectIdentifier
			if !seq.ReadASN1ObjectIdentifier(&m) || len(mechanisms) == maxMechanisms {
				return nil, bad
			}
			mechanisms = append(mechanisms, m.String())
		}
	}
	for n := uint8(1); n <= 4; n++ { // reqFlags, mechToken, negHints, mechListMIC
		var rest cryptobyte.String
		if !init.ReadOptionalASN1(&rest, &there, tagged(n)) {
			return nil, bad
		}
	}
	if !init.Empty() {
		return nil, bad
	}
	return mechanisms, nil
}

// formatMechTypes gives a MechTypeList: what mechListMIC signs.
func formatMechTypes(oids []string) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, o := range oids {
			b.AddASN1ObjectIdentifier(parseOID(o))
		}
	})
	return b.BytesOrPanic()
}

// parseOID takes the dots out of one of this file's constants.
func parseOID(s string) stdasn1.ObjectIdentifier {
	var oid stdasn1.ObjectIdentifier
	n := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '.' {
			oid, n = append(oid, n), 0
			continue
		}
		n = n*10 + int(s[i]-'0')
	}
	return oid
}

// formatInit gives the first token: NegTokenInit in its GSS-API frame (RFC 4178 4.2.1).
func formatInit(mechTypes, token []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(application0, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(parseOID(oidSPNEGO))
		b.AddASN1(tagged(0), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(tagged(0), func(b *cryptobyte.Builder) { b.AddBytes(mechTypes) })
				b.AddASN1(tagged(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(token) })
			})
		})
	})
	return b.BytesOrPanic()
}

// negTokenResp is a NegTokenResp (RFC 4178 4.2.2).
type negTokenResp struct {
	state     negState
	mechanism string // "" if it was not named
	token     []byte // nil if there is none
	mic       []byte
}

// format gives a client's NegTokenResp, without a state: the server has the last word.
func (r negTokenResp) format() []byte {
	var b cryptobyte.Builder
	b.AddASN1(tagged(1), func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if r.token != nil {
				b.AddASN1(tagged(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(r.token) })
			}
			if r.mic != nil {
				b.AddASN1(tagged(3), func(b *cryptobyte.Builder) { b.AddASN1OctetString(r.mic) })
			}
		})
	})
	return b.BytesOrPanic()
}

func parseResp(b []byte) (negTokenResp, error) {
	bad := fail(BadToken, "the SPNEGO answer cannot be read")
	r := negTokenResp{state: noState}
	in := cryptobyte.String(b)
	var choice, seq, part cryptobyte.String
	var there bool
	if !in.ReadASN1(&choice, tagged(1)) || !in.Empty() || !choice.ReadASN1(&seq, asn1.SEQUENCE) || !choice.Empty() {
		return r, bad
	}
	if !seq.ReadOptionalASN1(&part, &there, tagged(0)) {
		return r, bad
	}
	if there {
		var state int
		if !part.ReadASN1Enum(&state) || !part.Empty() || state < 0 || state > int(requestMIC) {
			return r, bad
		}
		r.state = negState(state)
	}
	if !seq.ReadOptionalASN1(&part, &there, tagged(1)) {
		return r, bad
	}
	if there {
		var oid stdasn1.ObjectIdentifier
		if !part.ReadASN1ObjectIdentifier(&oid) || !part.Empty() {
			return r, bad
		}
		r.mechanism = oid.String()
	}
	for _, f := range []struct {
		tag  uint8
		into *[]byte
	}{{2, &r.token}, {3, &r.mic}} {
		if !seq.ReadOptionalASN1(&part, &there, tagged(f.tag)) {
			return r, bad
		}
		if there {
			var octets cryptobyte.String
			if !part.ReadASN1(&octets, asn1.OCTET_STRING) || !part.Empty() {
				return r, bad
			}
			*f.into = octets
		}
	}
	if !seq.Empty() {
		return r, bad
	}
	return r, nil
}
