package auth

import (
	"bytes"
	"encoding/binary"
)

const ntlmSignature = "NTLMSSP\x00"

// The flags of [MS-NLMP] 2.2.2.5 that are used here.
const (
	ntlmUnicode       = 0x1
	ntlmRequestTarget = 0x4
	ntlmSign          = 0x10
	ntlmNTLM          = 0x200
	ntlmAnonymous     = 0x800
	ntlmAlwaysSign    = 0x8000
	ntlmExtended      = 0x80000
	ntlmTargetInfo    = 0x800000
	ntlmVersion       = 0x2000000
	ntlm128           = 0x20000000
	ntlmKeyExchange   = 0x40000000

	// ntlmWanted is what a client of this package asks for, ntlmNeeded what a server may not take away from it: without extended session
	// security and target information it would be something older than NTLMv2.
	ntlmWanted = ntlmUnicode | ntlmRequestTarget | ntlmSign | ntlmNTLM | ntlmAlwaysSign | ntlmExtended | ntlmTargetInfo | ntlmVersion |
		ntlm128 | ntlmKeyExchange
	ntlmNeeded = ntlmUnicode | ntlmNTLM | ntlmExtended | ntlmTargetInfo | ntlm128
)

// The kinds of AV_PAIR ([MS-NLMP] 2.2.2.1).
const (
	avEOL             = 0
	avNbComputerName  = 1
	avNbDomainName    = 2
	avDNSComputerName = 3
	avFlags           = 6
	avTimestamp       = 7
	avTargetName      = 9
	avChannelBindings = 10

	avFlagMIC = 2 // the AUTHENTICATE_MESSAGE has a MIC
)

// version is the VERSION structure ([MS-NLMP] 2.2.2.10): Windows 6.1, NTLM revision 15. Servers look at the revision alone.
var version = [8]byte{6, 1, 0xb1, 0x1d, 0, 0, 0, 15}

// avPair is one AV_PAIR.
type avPair struct {
	id    uint16
	value []byte
}

// parseTargetInfo takes target information apart, without its end. What follows the end is dropped.
func parseTargetInfo(b []byte) ([]avPair, error) {
	var all []avPair
	for {
		if len(b) < 4 {
			return nil, fail(BadToken, "NTLM target information without an end")
		}
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			return nil, fail(BadToken, "NTLM target information is cut off")
		}
		v := b[4 : 4+n]
		b = b[4+n:]
		switch {
		case id == avEOL && n != 0, id == avTimestamp && n != 8, id == avFlags && n != 4, id == avChannelBindings && n != 16:
			return nil, fail(BadToken, "NTLM target information %d has %d bytes", id, n)
		case id == avEOL:
			return all, nil
		case findAV(all, id) != nil:
			return nil, fail(BadToken, "NTLM target information %d comes twice", id)
		}
		all = append(all, avPair{id, v})
	}
}

func findAV(all []avPair, id uint16) *avPair {
	for i := range all {
		if all[i].id == id {
			return &all[i]
		}
	}
	return nil
}

// setAV puts a pair in, in place of one with its kind.
func setAV(all []avPair, id uint16, value []byte) []avPair {
	if p := findAV(all, id); p != nil {
		p.value = value
		return all
	}
	return append(all, avPair{id, value})
}

// formatTargetInfo puts target information together, with its end.
func formatTargetInfo(all []avPair) []byte {
	var b []byte
	for _, p := range all {
		b = binary.LittleEndian.AppendUint16(b, p.id)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(p.value)))
		b = append(b, p.value...)
	}
	return append(b, 0, 0, 0, 0)
}

// formatNegotiate makes a NEGOTIATE_MESSAGE without names ([MS-NLMP] 2.2.1.1).
func formatNegotiate(flags uint32) []byte {
	b := append([]byte(ntlmSignature), 1, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = append(b, make([]byte, 16)...)
	return append(b, version[:]...)
}

// challenge is a CHALLENGE_MESSAGE ([MS-NLMP] 2.2.1.2).
type challenge struct {
	flags uint32
	nonce [8]byte
	info  []avPair
}

func parseChallenge(b []byte) (challenge, error) {
	var c challenge
	if len(b) < 48 || !bytes.HasPrefix(b, []byte(ntlmSignature)) || binary.LittleEndian.Uint32(b[8:]) != 2 {
		return c, fail(BadToken, "not an NTLM challenge")
	}
	c.flags = binary.LittleEndian.Uint32(b[20:])
	copy(c.nonce[:], b[24:])
	if missing := ntlmNeeded &^ c.flags; missing != 0 {
		return c, fail(Weak, "its NTLM is older than NTLMv2 with 128 bits (flags %#x are missing)", missing)
	}
	raw, ok := field(b, 40)
	if !ok {
		return c, fail(BadToken, "NTLM target information lies outside of the message")
	}
	var err error
	c.info, err = parseTargetInfo(raw)
	return c, err
}

// field gives the bytes that the length and offset at b[at:] point to; the header's own 48 bytes are no place for them.
func field(b []byte, at int) ([]byte, bool) {
	n, off := uint64(binary.LittleEndian.Uint16(b[at:])), uint64(binary.LittleEndian.Uint32(b[at+4:]))
	if n == 0 {
		return nil, true
	}
	if off < 48 || off+n > uint64(len(b)) {
		return nil, false
	}
	return b[off : off+n], true
}

// authenticate is an AUTHENTICATE_MESSAGE ([MS-NLMP] 2.2.1.3).
type authenticate struct {
	flags                     uint32
	domain, user, workstation string
	lm, nt, encryptedKey      []byte
}

// micOffset is where the MIC lies in an AUTHENTICATE_MESSAGE, the fixed part's last 16 bytes.
const micOffset = 72

// format gives the message with a MIC of zeros.
func (a authenticate) format() ([]byte, error) {
	header := append([]byte(ntlmSignature), 3, 0, 0, 0)
	var payload []byte
	for _, f := range [][]byte{a.lm, a.nt, utf16le(a.domain), utf16le(a.user), utf16le(a.workstation), a.encryptedKey} {
		if len(f) > 0xffff {
			return nil, fail(BadToken, "the NTLM answer is too long: the names or the server's target information")
		}
		header = binary.LittleEndian.AppendUint16(header, uint16(len(f)))
		header = binary.LittleEndian.AppendUint16(header, uint16(len(f)))
		header = binary.LittleEndian.AppendUint32(header, uint32(micOffset+16+len(payload)))
		payload = append(payload, f...)
	}
	header = binary.LittleEndian.AppendUint32(header, a.flags)
	header = append(header, version[:]...)
	header = append(header, make([]byte, 16)...)
	return append(header, payload...), nil
}
