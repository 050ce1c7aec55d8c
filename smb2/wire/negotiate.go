package wire

// Dialect is a version of the protocol.
type Dialect uint16

// The dialects ([MS-SMB2] 2.2.3).
const (
	Dialect202 Dialect = 0x0202
	Dialect210 Dialect = 0x0210
	Dialect300 Dialect = 0x0300
	Dialect302 Dialect = 0x0302
	Dialect311 Dialect = 0x0311
)

// String is the dialect as people write it.
func (d Dialect) String() string {
	switch d {
	case Dialect202:
		return "2.0.2"
	case Dialect210:
		return "2.1"
	case Dialect300:
		return "3.0"
	case Dialect302:
		return "3.0.2"
	case Dialect311:
		return "3.1.1"
	}
	return hex32(uint32(d))
}

// Security modes, of both sides.
const (
	SigningEnabled  uint16 = 1
	SigningRequired uint16 = 2
)

// Capabilities of both sides ([MS-SMB2] 2.2.3).
const (
	CapDFS          uint32 = 0x01
	CapLeasing      uint32 = 0x02
	CapLargeMTU     uint32 = 0x04
	CapMultiChannel uint32 = 0x08
	CapPersistent   uint32 = 0x10
	CapDirLeasing   uint32 = 0x20
	CapEncryption   uint32 = 0x40
	CapNotifySess   uint32 = 0x80
)

// Cipher is an encryption algorithm ([MS-SMB2] 2.2.3.1.2).
type Cipher uint16

// The ciphers.
const (
	AES128CCM Cipher = 1
	AES128GCM Cipher = 2
	AES256CCM Cipher = 3
	AES256GCM Cipher = 4
)

// String is the cipher's usual name.
func (c Cipher) String() string {
	switch c {
	case 0:
		return "none"
	case AES128CCM:
		return "AES-128-CCM"
	case AES128GCM:
		return "AES-128-GCM"
	case AES256CCM:
		return "AES-256-CCM"
	case AES256GCM:
		return "AES-256-GCM"
	}
	return hex32(uint32(c))
}

// Signing is a signing algorithm ([MS-SMB2] 2.2.3.1.7).
type Signing uint16

// The signing algorithms.
const (
	HMACSHA256 Signing = 0
	AESCMAC    Signing = 1
	AESGMAC    Signing = 2
)

// String is the algorithm's usual name.
func (s Signing) String() string {
	switch s {
	case HMACSHA256:
		return "HMAC-SHA256"
	case AESCMAC:
		return "AES-128-CMAC"
	case AESGMAC:
		return "AES-128-GMAC"
	}
	return hex32(uint32(s))
}

const (
	ctxPreauth    = 1
	ctxEncryption = 2
	ctxNetname    = 5
	ctxSigning    = 8
	ctxPosix      = 0x100
	hashSHA512    = 1
)

// posixTag is the GUID that names the POSIX extensions, as negotiate context and create context.
const posixTag = "\x93\xad\x25\x50\x9c\xb4\x11\xe7\xb4\x23\x83\xde\x96\x8b\xcd\x7c"

// NegotiateRequest offers what the client can do. The contexts are sent if 3.1.1 is among the dialects.
type NegotiateRequest struct {
	Dialects     []Dialect
	SecurityMode uint16
	Capabilities uint32
	ClientGUID   [16]byte
	Salt         []byte // of the pre-authentication integrity
	Ciphers      []Cipher
	Signings     []Signing
	NetName      string
	Posix        bool // offer the POSIX extensions
}

// Append appends the body.
func (r *NegotiateRequest) Append(b []byte) []byte {
	start := len(b) - HeaderSize
	b = append(b, 36, 0)
	b = le.AppendUint16(b, uint16(len(r.Dialects)))
	b = le.AppendUint16(b, r.SecurityMode)
	b = append(b, 0, 0)
	b = le.AppendUint32(b, r.Capabilities)
	b = append(b, r.ClientGUID[:]...)
	at := len(b)
	b = le.AppendUint64(b, 0)
	has311 := false
	for _, d := range r.Dialects {
		b = le.AppendUint16(b, uint16(d))
		has311 = has311 || d == Dialect311
	}
	if !has311 {
		return b
	}
	b = pad(b, start, 8)
	le.PutUint32(b[at:], uint32(len(b)-start))
	count := uint16(0)
	add := func(kind uint16, data []byte) {
		b = pad(b, start, 8)
		b = le.AppendUint16(b, kind)
		b = le.AppendUint16(b, uint16(len(data)))
		b = le.AppendUint32(b, 0)
		b = append(b, data...)
		count++
	}
	pre := []byte{1, 0, byte(len(r.Salt)), byte(len(r.Salt) >> 8), hashSHA512, 0}
	add(ctxPreauth, append(pre, r.Salt...))
	if len(r.Ciphers) > 0 {
		add(ctxEncryption, list16(r.Ciphers))
	}
	if len(r.Signings) > 0 {
		add(ctxSigning, list16(r.Signings))
	}
	if r.NetName != "" {
		add(ctxNetname, UTF16(r.NetName))
	}
	if r.Posix {
		add(ctxPosix, []byte(posixTag))
	}
	le.PutUint16(b[at+4:], count)
	return b
}

// list16 is a count and the values.
func list16[T ~uint16](list []T) []byte {
	b := le.AppendUint16(nil, uint16(len(list)))
	for _, v := range list {
		b = le.AppendUint16(b, uint16(v))
	}
	return b
}

// NegotiateResponse is what the server chose.
type NegotiateResponse struct {
	SecurityMode uint16
	Dialect      Dialect
	ServerGUID   [16]byte
	Capabilities uint32
	MaxTransact  uint32
	MaxRead      uint32
	MaxWrite     uint32
	SystemTime   Filetime
	Blob         []byte // the SPNEGO hint

	// Of 3.1.1 only.
	Preauth    bool    // SHA-512 was chosen
	Cipher     Cipher  // 0: none
	HasSigning bool    // Signing was chosen
	Signing    Signing // with HasSigning
	Posix      bool
}

// Decode reads the answer. Contexts that are not known are passed over; one that comes twice, or chooses other than one, is malformed.
func (r *NegotiateResponse) Decode(msg []byte) error {
	b, err := body(msg, 65, 64)
	if err != nil {
		return err
	}
	*r = NegotiateResponse{
		SecurityMode: le.Uint16(b[2:]), Dialect: Dialect(le.Uint16(b[4:])), Capabilities: le.Uint32(b[24:]),
		MaxTransact: le.Uint32(b[28:]), MaxRead: le.Uint32(b[32:]), MaxWrite: le.Uint32(b[36:]), SystemTime: Filetime(le.Uint64(b[40:])),
	}
	copy(r.ServerGUID[:], b[8:])
	if r.Blob, err = part(msg, uint32(le.Uint16(b[56:])), uint32(le.Uint16(b[58:]))); err != nil {
		return err
	}
	if r.Dialect != Dialect311 {
		return nil
	}
	off, seen := uint64(le.Uint32(b[60:])), map[uint16]bool{}
	for range le.Uint16(b[6:]) {
		if off+8 > uint64(len(msg)) {
			return malformed("a negotiate context at %d", off)
		}
		kind, n := le.Uint16(msg[off:]), le.Uint16(msg[off+2:])
		data, err := part(msg, uint32(off)+8, uint32(n))
		if err != nil {
			return err
		}
		if seen[kind] && kind != ctxNetname {
			return malformed("negotiate context %d comes twice", kind)
		}
		seen[kind] = true
		if err := r.context(kind, data); err != nil {
			return err
		}
		off = (off + 8 + uint64(n) + 7) &^ 7
	}
	return nil
}

func (r *NegotiateResponse) context(kind uint16, data []byte) error {
	switch kind {
	case ctxPreauth:
		if len(data) < 6 || le.Uint16(data) != 1 || le.Uint16(data[4:]) != hashSHA512 {
			return malformed("the pre-authentication context")
		}
		r.Preauth = true
	case ctxEncryption:
		if len(data) < 4 || le.Uint16(data) != 1 {
			return malformed("the encryption context")
		}
		r.Cipher = Cipher(le.Uint16(data[2:]))
	case ctxSigning:
		if len(data) < 4 || le.Uint16(data) != 1 {
			return malformed("the signing context")
		}
		r.HasSigning, r.Signing = true, Signing(le.Uint16(data[2:]))
	case ctxPosix:
		r.Posix = string(data) == posixTag
	}
	return nil
}
