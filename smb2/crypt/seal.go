package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/openwnet/wnet/smb2/wire"
)

// Sealer encrypts what a client sends and decrypts what it gets ([MS-SMB2] 3.1.4.3). It may be used from many goroutines at once, and by
// all connections of a session: its nonces never repeat.
type Sealer struct {
	seal, open cipher.AEAD
	nonce      atomic.Uint64
}

// NewSealer makes a Sealer for a cipher and its two keys.
func NewSealer(kind wire.Cipher, keys Keys) (*Sealer, error) {
	s := new(Sealer)
	var err error
	if s.seal, err = aead(kind, keys.Seal); err != nil {
		return nil, err
	}
	s.open, err = aead(kind, keys.Open)
	return s, err
}

func aead(kind wire.Cipher, key []byte) (cipher.AEAD, error) {
	want := 16
	if Wide(kind) {
		want = 32
	}
	if len(key) != want {
		return nil, fmt.Errorf("smb2: a key of %d bytes for %v", len(key), kind)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	switch kind {
	case wire.AES128CCM, wire.AES256CCM:
		return &ccm{block}, nil
	case wire.AES128GCM, wire.AES256GCM:
		return cipher.NewGCM(block)
	}
	return nil, fmt.Errorf("smb2: unknown cipher %v", kind)
}

// Wide reports whether the cipher's keys have 256 bits.
func Wide(kind wire.Cipher) bool { return kind == wire.AES256CCM || kind == wire.AES256GCM }

// SealRoom is how much Seal needs before a message; it needs 16 bytes of room after it, which are only used meanwhile.
const SealRoom = wire.TransformSize

// Seal encrypts in place: b has SealRoom free bytes and then the message, and gives the message as it goes out.
func (s *Sealer) Seal(b []byte, session uint64) []byte {
	t := wire.Transform{Size: uint32(len(b) - SealRoom), SessionID: session}
	binary.LittleEndian.PutUint64(t.Nonce[:], s.nonce.Add(1))
	t.Append(b[:0])
	out := s.seal.Seal(b[:SealRoom], t.Nonce[:s.seal.NonceSize()], b[SealRoom:], b[20:SealRoom])
	copy(out[4:20], out[len(out)-tagSize:])
	return out[:len(out)-tagSize]
}

// Open decrypts a whole message, transform header included, in place; b needs 16 bytes of capacity more than it has. The header was
// checked by wire.Transform.Decode.
func (s *Sealer) Open(b []byte) ([]byte, error) {
	var tag [tagSize]byte
	copy(tag[:], b[4:20])
	nonce := append([]byte(nil), b[20:20+s.open.NonceSize()]...)
	sealed := append(b[SealRoom:len(b):cap(b)], tag[:]...)
	out, err := s.open.Open(sealed[:0], nonce, sealed, b[20:SealRoom])
	if err != nil {
		return nil, ErrSeal
	}
	return out, nil
}
