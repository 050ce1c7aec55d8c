package auth

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rc4"
	"encoding/binary"
	"strings"

	//lint:ignore SA1019 NTLM is built on it ([MS-NLMP] 3.3.2)
	"golang.org/x/crypto/md4"
)

// ntowfv2 is the key that a user and a password make ([MS-NLMP] 3.3.2).
func ntowfv2(user, password, domain string) []byte {
	h := md4.New()
	h.Write(utf16le(password))
	return hmacMD5(h.Sum(nil), utf16le(strings.ToUpper(user)+domain))
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	m := hmac.New(md5.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// ntlmv2Response gives NtChallengeResponse and the session base key ([MS-NLMP] 3.3.2). when is a FILETIME, info the target information
// with its end.
func ntlmv2Response(key []byte, serverChallenge, clientChallenge [8]byte, when uint64, info []byte) (response, sessionBaseKey []byte) {
	temp := make([]byte, 0, 32+len(info))
	temp = append(temp, 1, 1, 0, 0, 0, 0, 0, 0)
	temp = binary.LittleEndian.AppendUint64(temp, when)
	temp = append(temp, clientChallenge[:]...)
	temp = append(temp, 0, 0, 0, 0)
	temp = append(temp, info...)
	temp = append(temp, 0, 0, 0, 0)
	proof := hmacMD5(key, serverChallenge[:], temp)
	return append(proof[:len(proof):len(proof)], temp...), hmacMD5(key, proof)
}

// sealer signs one direction's messages with extended session security, 128 bits and, if asked for, key exchange ([MS-NLMP] 3.4.4.2).
type sealer struct {
	sign   []byte
	stream *rc4.Cipher
	seq    uint32
	sealed bool // key exchange was agreed on: the checksum is encrypted
}

func newSealer(exported []byte, fromServer, keyExchange bool) *sealer {
	who := "client-to-server"
	if fromServer {
		who = "server-to-client"
	}
	sign := md5.Sum(append(append([]byte{}, exported...), "session key to "+who+" signing key magic constant\x00"...))
	seal := md5.Sum(append(append([]byte{}, exported...), "session key to "+who+" sealing key magic constant\x00"...))
	stream, err := rc4.NewCipher(seal[:])
	if err != nil {
		panic(err) // 16 bytes are a good key
	}
	return &sealer{sign: sign[:], stream: stream, sealed: keyExchange}
}

// mac signs a message and goes on to the next number.
func (s *sealer) mac(message []byte) []byte {
	var seq [4]byte
	binary.LittleEndian.PutUint32(seq[:], s.seq)
	s.seq++
	sum := hmacMD5(s.sign, seq[:], message)[:8]
	if s.sealed {
		s.stream.XORKeyStream(sum, sum)
	}
	out := append([]byte{1, 0, 0, 0}, sum...)
	return append(out, seq[:]...)
}
