package crypt

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// ErrSeal is what Open says of a message that was changed, or sealed with another key.
var ErrSeal = errors.New("smb2: a message does not decrypt: it was changed on the way or is from somebody else")

const tagSize = 16

// ccm is AES-CCM (RFC 3610) with a tag of 16 bytes and a nonce of 11 (so messages of up to 2^32 bytes).
type ccm struct{ block cipher.Block }

const ccmNonce = 11

func (c *ccm) NonceSize() int { return ccmNonce }
func (c *ccm) Overhead() int  { return tagSize }

// mac is the CBC-MAC over the first block, the additional data and the text, each filled up with zeros.
func (c *ccm) mac(nonce, text, additional []byte) (x [16]byte) {
	x[0] = (tagSize-2)/2<<3 | (15 - ccmNonce - 1)
	if len(additional) > 0 {
		x[0] |= 0x40
	}
	copy(x[1:], nonce)
	binary.BigEndian.PutUint32(x[12:], uint32(len(text)))
	c.block.Encrypt(x[:], x[:])
	if n := len(additional); n > 0 { // fewer than 0xFF00, which two bytes are enough for
		first := make([]byte, 2, 2+n)
		binary.BigEndian.PutUint16(first, uint16(n))
		c.absorb(&x, append(first, additional...))
	}
	c.absorb(&x, text)
	return x
}

func (c *ccm) absorb(x *[16]byte, b []byte) {
	for len(b) >= 16 {
		xor16(x, b)
		c.block.Encrypt(x[:], x[:])
		b = b[16:]
	}
	if len(b) > 0 {
		subtle.XORBytes(x[:], x[:], b)
		c.block.Encrypt(x[:], x[:])
	}
}

func xor16(x *[16]byte, b []byte) {
	le := binary.LittleEndian
	le.PutUint64(x[:], le.Uint64(x[:])^le.Uint64(b))
	le.PutUint64(x[8:], le.Uint64(x[8:])^le.Uint64(b[8:]))
}

// stream gives the key stream for the text, and masks the tag with its first block.
func (c *ccm) stream(nonce []byte, tag *[16]byte) cipher.Stream {
	var iv [16]byte
	iv[0] = 15 - ccmNonce - 1
	copy(iv[1:], nonce)
	s := cipher.NewCTR(c.block, iv[:])
	s.XORKeyStream(tag[:], tag[:])
	return s
}

// Seal is cipher.AEAD's. Text and dst may be the same memory.
func (c *ccm) Seal(dst, nonce, text, additional []byte) []byte {
	tag := c.mac(nonce, text, additional)
	s := c.stream(nonce, &tag)
	n := len(dst)
	dst = grow(dst, len(text)+tagSize)
	s.XORKeyStream(dst[n:n+len(text)], text)
	copy(dst[n+len(text):], tag[:])
	return dst
}

// Open is cipher.AEAD's.
func (c *ccm) Open(dst, nonce, sealed, additional []byte) ([]byte, error) {
	if len(sealed) < tagSize {
		return nil, ErrSeal
	}
	text, tag := sealed[:len(sealed)-tagSize], sealed[len(sealed)-tagSize:]
	n := len(dst)
	dst = grow(dst, len(text))
	var mask [16]byte
	sent := [16]byte(tag)
	c.stream(nonce, &mask).XORKeyStream(dst[n:], text)
	want := c.mac(nonce, dst[n:], additional)
	subtle.XORBytes(want[:], want[:], mask[:])
	if subtle.ConstantTimeCompare(want[:], sent[:]) != 1 {
		clear(dst[n:])
		return nil, ErrSeal
	}
	return dst, nil
}

// grow gives b with n more bytes, in place if there is room.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b[:len(b)+n]
	}
	out := make([]byte, len(b)+n)
	copy(out, b)
	return out
}

var _ cipher.AEAD = (*ccm)(nil)
