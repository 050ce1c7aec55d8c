package crypt

import (
	"bytes"
	"crypto/aes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/openwnet/wnet/smb2/wire"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 4493, section 4.
func TestCMAC(t *testing.T) {
	s, err := NewSigner(wire.AESCMAC, unhex(t, "2b7e151628aed2a6abf7158809cf4f3c"))
	if err != nil {
		t.Fatal(err)
	}
	msg := unhex(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{0: "bb1d6929e95937287fa37d129b756746", 16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827", 64: "51f0bebf7e3b9d92fc49741779363cfe"} {
		if got := s.cmac(msg[:n]); hex.EncodeToString(got[:]) != want {
			t.Errorf("of %d bytes: %x", n, got)
		}
	}
}

// AES-CCM as [MS-SMB2] uses it differs from RFC 3610's vectors in the tag's length, so it is checked against CCM put together from its
// definition (SP 800-38C) block by block, for lengths around the block's.
func TestCCM(t *testing.T) {
	block, err := aes.NewCipher(unhex(t, "404142434445464748494a4b4c4d4e4f"))
	if err != nil {
		t.Fatal(err)
	}
	c := &ccm{block}
	nonce, ad := unhex(t, "1011121314151617181920"), unhex(t, "000102030405060708090a0b0c0d0e0f10111213")
	for n := range 70 {
		text := make([]byte, n)
		rand.Read(text)
		want := reference(block, nonce, text, ad)
		got := c.Seal(nil, nonce, text, ad)
		if !bytes.Equal(got, want) {
			t.Fatalf("of %d bytes: %x, not %x", n, got, want)
		}
		back, err := c.Open(got[:0], nonce, got, ad)
		if err != nil || !bytes.Equal(back, text) {
			t.Fatalf("of %d bytes: %v", n, err)
		}
		want[n/2] ^= 1
		if _, err := c.Open(nil, nonce, want, ad); err == nil {
			t.Fatalf("of %d bytes: a changed bit is not noticed", n)
		}
	}
}

// reference is CCM written down from SP 800-38C, with q = 4 and t = 16.
func reference(block interface{ Encrypt(dst, src []byte) }, nonce, text, ad []byte) []byte {
	fill := func(b []byte) []byte {
		for len(b)%16 != 0 {
			b = append(b, 0)
		}
		return b
	}
	b := append([]byte{0x40 | 7<<3 | 3}, nonce...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	b = fill(append(binary.BigEndian.AppendUint16(b, uint16(len(ad))), ad...))
	b = fill(append(b, text...))
	y := make([]byte, 16)
	for ; len(b) > 0; b = b[16:] {
		for i := range y {
			y[i] ^= b[i]
		}
		block.Encrypt(y, y)
	}
	key := func(i int) []byte {
		k := binary.BigEndian.AppendUint32(append([]byte{3}, nonce...), uint32(i))
		block.Encrypt(k, k)
		return k
	}
	var out []byte
	for i, v := range text {
		out = append(out, v^key(1 + i/16)[i%16])
	}
	for i, v := range key(0) {
		out = append(out, v^y[i])
	}
	return out
}

// The key derivation and encryption examples that Microsoft published for 3.0 and 3.1.1.
func TestDerive(t *testing.T) {
	k := Derive(unhex(t, "B4546771B515F766A86735532DD6C4F0"), nil, false)
	for name, c := range map[string]struct {
		got  []byte
		want string
	}{
		"encryption": {k.Seal, "261B72350558F2E9DCF613070383EDBF"},
		"decryption": {k.Open, "8FE2B57EC34D2DB5B1A9727F526BBDB5"},
	} {
		if !bytes.Equal(c.got, unhex(t, c.want)) {
			t.Errorf("%s: %X", name, c.got)
		}
	}
	k = Derive(unhex(t, "7CD451825D0450D235424E44BA6E78CC"), nil, false)
	if !bytes.Equal(k.Signing, unhex(t, "0B7E9C5CAC36C0F6EA9AB275298CEDCE")) {
		t.Errorf("signing: %X", k.Signing)
	}
}

// Each algorithm: what one side protects the other takes, and takes no longer after any bit was changed.
func TestProtection(t *testing.T) {
	msg := func() []byte {
		h := wire.Header{Command: wire.CmdEcho, MessageID: 77, Flags: wire.FlagSigned}
		return wire.Empty{}.Append(h.Append(nil))
	}
	for _, kind := range []wire.Signing{wire.HMACSHA256, wire.AESCMAC, wire.AESGMAC} {
		s, err := NewSigner(kind, make([]byte, 16))
		if err != nil {
			t.Fatal(err)
		}
		b := msg()
		if s.Sign(b); !s.Verify(bytes.Clone(b)) {
			t.Errorf("%v: not its own signature", kind)
		}
		for i := range b {
			c := bytes.Clone(b)
			if c[i] ^= 0x10; s.Verify(c) {
				t.Errorf("%v: byte %d was changed", kind, i)
			}
		}
	}
	for _, kind := range []wire.Cipher{wire.AES128CCM, wire.AES128GCM, wire.AES256CCM, wire.AES256GCM} {
		n := 16
		if Wide(kind) {
			n = 32
		}
		key := make([]byte, n)
		s, err := NewSealer(kind, Keys{Seal: key, Open: key})
		if err != nil {
			t.Fatal(err)
		}
		b := s.Seal(append(make([]byte, SealRoom, 300), msg()...), 5)
		if bytes.Contains(b, []byte("\xfeSMB")) {
			t.Errorf("%v: not encrypted", kind)
		}
		for i := -1; i < len(b); i++ {
			c := append(make([]byte, 0, len(b)+16), b...)
			if i >= 0 {
				if i < 4 {
					continue // the protocol's id is wire's to check
				}
				c[i] ^= 0x10
			}
			if out, err := s.Open(c); (err == nil) != (i == -1) || err == nil && !bytes.Equal(out, msg()) {
				t.Errorf("%v: byte %d changed: %v", kind, i, err)
			}
		}
	}
}
