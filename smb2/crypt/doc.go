// Package crypt has the cryptography of SMB 2 and 3 ([MS-SMB2] 3.1.4): deriving keys, pre-authentication integrity, signing with
// HMAC-SHA256, AES-CMAC and AES-GMAC, and encryption with AES in CCM and GCM. The primitives are the standard library's; CCM, CMAC and
// the key derivation, which it does not have (or not for others), are here, checked against the published vectors.
package crypt

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
)

// Preauth is the running hash over the messages of a negotiation and a log-on ([MS-SMB2] 3.1.4.4.1).
type Preauth [sha512.Size]byte

// Add takes a whole message, header included, into the hash.
func (p *Preauth) Add(msg []byte) {
	h := sha512.New()
	h.Write(p[:])
	h.Write(msg)
	h.Sum(p[:0])
}

// KDF derives n bytes, at most 32, from a key ([SP800-108] 5.1 with HMAC-SHA256 and a counter of 32 bits; [MS-SMB2] 3.1.4.2).
func KDF(key []byte, label, context string, n int) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte{0, 0, 0, 1})
	h.Write([]byte(label))
	h.Write([]byte{0})
	h.Write([]byte(context))
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(n*8)))
	return h.Sum(nil)[:n]
}

// Keys are a session's keys.
type Keys struct {
	Signing []byte
	Seal    []byte // what the client sends
	Open    []byte // what the server sends
}

// Derive makes the keys of a 3.x session ([MS-SMB2] 3.2.5.3.1). session is the key of the security exchange as it came; preauth is
// nil before 3.1.1. With wide, the cipher has keys of 256 bits.
func Derive(session []byte, preauth *Preauth, wide bool) Keys {
	short := Short(session)
	if preauth == nil {
		return Keys{
			KDF(short, "SMB2AESCMAC\x00", "SmbSign\x00", 16),
			KDF(short, "SMB2AESCCM\x00", "ServerIn \x00", 16),
			KDF(short, "SMB2AESCCM\x00", "ServerOut\x00", 16),
		}
	}
	n, secret, context := 16, short, string(preauth[:])
	if wide {
		n, secret = 32, session
		if len(session) < 16 {
			secret = short
		}
	}
	return Keys{
		KDF(short, "SMBSigningKey\x00", context, 16),
		KDF(secret, "SMBC2SCipherKey\x00", context, n),
		KDF(secret, "SMBS2CCipherKey\x00", context, n),
	}
}

// Short is the session key as signing takes it: the first 16 bytes, with zeros added if there are fewer.
func Short(session []byte) []byte {
	k := make([]byte, 16)
	copy(k, session)
	return k
}
