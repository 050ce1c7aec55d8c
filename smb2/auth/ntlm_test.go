package auth

import (
	"bytes"
	"context"
	"crypto/rc4"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"testing"
	"time"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func isHex(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if hex.EncodeToString(got) != want {
		t.Errorf("%s: %x, want %s", what, got, want)
	}
}

// The NTLMv2 values of [MS-NLMP] 4.2.4.
func TestNTLMv2Vectors(t *testing.T) {
	var server, client [8]byte
	copy(server[:], unhex(t, "0123456789abcdef"))
	copy(client[:], unhex(t, "aaaaaaaaaaaaaaaa"))
	info := formatTargetInfo([]avPair{{avNbDomainName, utf16le("Domain")}, {avNbComputerName, utf16le("Server")}})
	isHex(t, "target information", info, "02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000")

	key := ntowfv2("User", "Password", "Domain")
	isHex(t, "NTOWFv2", key, "0c868a403bfd7a93a3001ef22ef02e3f")
	response, base := ntlmv2Response(key, server, client, 0, info)
	isHex(t, "session base key", base, "8de40ccadbc14a82f15cb0ad0de95ca3")
	isHex(t, "NTProofStr", response[:16], "68cd0ab851e51c96aabc927bebef6a1c")

	exported := bytes.Repeat([]byte{0x55}, 16)
	stream, err := rc4.NewCipher(base)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := make([]byte, 16)
	stream.XORKeyStream(encrypted, exported)
	isHex(t, "encrypted session key", encrypted, "c5dad2544fc9799094ce1ce90bc9d03e")

	// 4.2.4.4: GSS_WrapEx of "Plaintext": the message is encrypted with the same stream before it is signed.
	s := newSealer(exported, false, true)
	isHex(t, "signing key", s.sign, "4788dc861b4782f35d43fd98fe1a2d39")
	plain := utf16le("Plaintext")
	sealed := make([]byte, len(plain))
	s.stream.XORKeyStream(sealed, plain)
	isHex(t, "sealed", sealed, "54e50165bf1936dc996020c1811b0f06fb5f")
	isHex(t, "signature", s.mac(plain), "010000007fb38ec5c55d497600000000")
}

// makeChallenge is a server's CHALLENGE_MESSAGE.
func makeChallenge(flags uint32, info []byte) []byte {
	b := append([]byte(ntlmSignature), 2, 0, 0, 0)
	b = append(b, 0, 0, 0, 0, 56, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = append(b, 1, 2, 3, 4, 5, 6, 7, 8)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(info)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(info)))
	b = binary.LittleEndian.AppendUint32(b, 56)
	b = append(b, version[:]...)
	return append(b, info...)
}

// An answer binds the server's name, takes the server's clock, has no LM and carries a MIC over all three messages.
func TestNTLMAnswer(t *testing.T) {
	when := unhex(t, "0090d336b734c301")
	info := formatTargetInfo([]avPair{{avNbDomainName, utf16le("D")}, {avTimestamp, when}, {avFlags, []byte{1, 0, 0, 0}}})
	n := &ntlm{user: "anna", domain: "D", password: NewSecret("ö"), target: "cifs/nas", now: time.Now}
	neg, _, err := n.step(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	chal := makeChallenge(ntlmWanted, info)
	out, done, err := n.step(t.Context(), chal)
	if err != nil || !done {
		t.Fatal(done, err)
	}
	mic := bytes.Clone(out[micOffset : micOffset+16])
	copy(out[micOffset:], make([]byte, 16))
	isHex(t, "MIC", mic, hex.EncodeToString(hmacMD5(n.exported, neg, chal, out)))
	get := func(at int) []byte {
		l, o := binary.LittleEndian.Uint16(out[at:]), binary.LittleEndian.Uint32(out[at+4:])
		return out[o : o+uint32(l)]
	}
	isHex(t, "LM response", get(12), hex.EncodeToString(make([]byte, 24)))
	nt := get(20)
	isHex(t, "proof", nt[:16], hex.EncodeToString(hmacMD5(ntowfv2("anna", "ö", "D"), []byte{1, 2, 3, 4, 5, 6, 7, 8}, nt[16:])))
	isHex(t, "time", nt[24:32], hex.EncodeToString(when))
	pairs, err := parseTargetInfo(nt[44:])
	if err != nil {
		t.Fatal(err)
	}
	isHex(t, "flags", findAV(pairs, avFlags).value, "03000000")
	isHex(t, "target", findAV(pairs, avTargetName).value, hex.EncodeToString(utf16le("cifs/nas")))
	isHex(t, "bindings", findAV(pairs, avChannelBindings).value, hex.EncodeToString(make([]byte, 16)))
}

// A server that wants less than NTLMv2 with 128 bits gets no answer at all.
func TestNTLMWeak(t *testing.T) {
	info := formatTargetInfo(nil)
	for name, flag := range map[string]uint32{"extended session security": ntlmExtended, "Unicode": ntlmUnicode, "128 bits": ntlm128,
		"target information": ntlmTargetInfo, "NTLM": ntlmNTLM} {
		n := &ntlm{user: "anna", password: NewSecret("x"), now: time.Now}
		n.step(t.Context(), nil)
		out, _, err := n.step(t.Context(), makeChallenge(ntlmWanted&^flag, info))
		if !errors.Is(err, Weak) || out != nil {
			t.Errorf("without %s: %v, want Weak", name, err)
		}
	}
}

// Malformed challenges are refused as such.
func TestNTLMChallengeMalformed(t *testing.T) {
	good := makeChallenge(ntlmWanted, formatTargetInfo([]avPair{{avTimestamp, make([]byte, 8)}}))
	change := func(at int, with ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], with)
		return b
	}
	for name, b := range map[string][]byte{
		"empty": {}, "short": good[:47], "signature": change(0, 'X'), "another type": change(8, 3), "info outside": change(44, 255, 255),
		"info in the header": change(44, 8), "info too long": change(40, 255, 255), "no end": change(40, 12), "time of 4 bytes": change(58, 4),
		"end with a length":    change(70, 1),
		"the same thing twice": makeChallenge(ntlmWanted, formatTargetInfo([]avPair{{avNbDomainName, nil}, {avNbDomainName, nil}})),
	} {
		if _, err := parseChallenge(b); !errors.Is(err, BadToken) {
			t.Errorf("%s: %v, want BadToken", name, err)
		}
	}
	if _, err := parseChallenge(good); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ name, user, domain string }{
		{"anna", "anna", ""}, {`D\anna`, "anna", "D"}, {`.\anna`, "anna", ""}, {"anna@example.org", "anna@example.org", ""}, {"anna@", "anna@", ""}, {"anna@RIG", "anna", "RIG"},
		{"@x", "@x", ""}, {`D\a@b`, "a@b", "D"}, {"a@b@c.de", "a@b@c.de", ""},
	} {
		id, err := parseName(c.name)
		if err != nil {
			t.Errorf("%q: %v", c.name, err)
			continue
		}
		if u, d := id.ntlm(); u != c.user || d != c.domain {
			t.Errorf("%q: %q of %q", c.name, u, d)
		}
	}
	for _, bad := range []string{"", `D\`, "a\x00b", "\xff"} {
		if _, err := parseName(bad); !errors.Is(err, UnknownUser) {
			t.Errorf("%q: %v, want UnknownUser", bad, err)
		}
	}
}

// Without a password the login ends where the server asks for one, before anything derived from one is sent.
func TestNTLMNoPassword(t *testing.T) {
	n := &ntlm{user: "anna", now: time.Now}
	n.step(context.Background(), nil)
	if _, _, err := n.step(context.Background(), makeChallenge(ntlmWanted, formatTargetInfo(nil))); !errors.Is(err, NoPassword) {
		t.Error(err)
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(makeChallenge(ntlmWanted, formatTargetInfo([]avPair{{avTimestamp, make([]byte, 8)}, {avNbDomainName, utf16le("D")}})))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := &ntlm{user: "anna", password: NewSecret("x"), target: "cifs/nas", now: time.Now}
		n.step(t.Context(), nil)
		out, done, err := n.step(t.Context(), b)
		if (err == nil) != done || done != (out != nil) {
			t.Fatal(done, err)
		}
		if err == nil {
			return
		}
		if e := (*Error)(nil); !errors.As(err, &e) {
			t.Fatalf("%v has no cause", err)
		}
	})
}
