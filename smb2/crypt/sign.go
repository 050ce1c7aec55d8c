package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
	"sync"

	"github.com/openwnet/wnet/smb2/wire"
)

// Signer signs messages and checks signatures ([MS-SMB2] 3.1.4.1). It may be used from many goroutines at once.
type Signer struct {
	kind  wire.Signing
	macs  sync.Pool    // of HMAC-SHA256: hash.Hash with the key
	block cipher.Block // of CMAC
	sub   [2][16]byte  // of CMAC: its two subkeys
	gcm   cipher.AEAD  // of GMAC
}

// NewSigner makes a Signer. The key has 16 bytes.
func NewSigner(kind wire.Signing, key []byte) (*Signer, error) {
	if len(key) != 16 {
		return nil, fmt.Errorf("smb2: a signing key of %d bytes", len(key))
	}
	s := &Signer{kind: kind}
	key = append([]byte(nil), key...)
	if kind == wire.HMACSHA256 {
		s.macs.New = func() any { return hmac.New(sha256.New, key) }
		return s, nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	switch kind {
	case wire.AESCMAC:
		s.block = block
		block.Encrypt(s.sub[0][:], s.sub[0][:])
		double(&s.sub[0])
		s.sub[1] = s.sub[0]
		double(&s.sub[1])
	case wire.AESGMAC:
		if s.gcm, err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("smb2: unknown signing algorithm %v", kind)
	}
	return s, nil
}

// Sign puts the signature into a message's header. The header is complete, the flag SIGNED included.
func (s *Signer) Sign(msg []byte) {
	at := msg[wire.OffSignature:wire.HeaderSize]
	clear(at)
	sig := s.compute(msg)
	copy(at, sig[:])
}

// Verify reports whether a message's signature is right. The signature is gone from the message afterwards.
func (s *Signer) Verify(msg []byte) bool {
	at := msg[wire.OffSignature:wire.HeaderSize]
	sent := [16]byte(at)
	clear(at)
	want := s.compute(msg)
	return subtle.ConstantTimeCompare(want[:], sent[:]) == 1
}

func (s *Signer) compute(msg []byte) (sig [16]byte) {
	switch s.kind {
	case wire.HMACSHA256:
		m := s.macs.Get().(hash.Hash)
		m.Reset()
		m.Write(msg)
		var sum [sha256.Size]byte
		m.Sum(sum[:0])
		s.macs.Put(m)
		copy(sig[:], sum[:])
	case wire.AESCMAC:
		sig = s.cmac(msg)
	case wire.AESGMAC:
		// The nonce is the message's number, who sends it, and whether it is a CANCEL, which has the number of what it cancels.
		var nonce [12]byte
		copy(nonce[:], msg[wire.OffMessageID:wire.OffMessageID+8])
		nonce[8] = msg[wire.OffFlags] & byte(wire.FlagResponse)
		if binary.LittleEndian.Uint16(msg[12:]) == uint16(wire.CmdCancel) {
			nonce[8] |= 2
		}
		s.gcm.Seal(sig[:0], nonce[:], nil, msg)
	}
	return sig
}

// cmac is AES-CMAC (RFC 4493).
func (s *Signer) cmac(msg []byte) (x [16]byte) {
	for len(msg) > 16 {
		xor16(&x, msg)
		s.block.Encrypt(x[:], x[:])
		msg = msg[16:]
	}
	if len(msg) == 16 {
		xor16(&x, msg)
		xor16(&x, s.sub[0][:])
	} else {
		subtle.XORBytes(x[:], x[:], msg)
		x[len(msg)] ^= 0x80
		xor16(&x, s.sub[1][:])
	}
	s.block.Encrypt(x[:], x[:])
	return x
}

// double multiplies by x in GF(2^128).
func double(k *[16]byte) {
	hi, lo := binary.BigEndian.Uint64(k[:]), binary.BigEndian.Uint64(k[8:])
	carry := hi >> 63
	binary.BigEndian.PutUint64(k[:], hi<<1|lo>>63)
	binary.BigEndian.PutUint64(k[8:], lo<<1^carry*0x87)
}
