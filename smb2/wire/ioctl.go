package wire

import "net/netip"

// Control codes ([MS-SMB2] 2.2.31, [MS-FSCC] 2.3).
const (
	FsctlDFSReferrals      uint32 = 0x00060194
	FsctlDFSReferralsEx    uint32 = 0x000601B0
	FsctlSetReparse        uint32 = 0x000900A4
	FsctlGetReparse        uint32 = 0x000900A8
	FsctlDeleteReparse     uint32 = 0x000900AC
	FsctlSetSparse         uint32 = 0x000900C4
	FsctlAllocatedRanges   uint32 = 0x000940CF
	FsctlSetZeroData       uint32 = 0x000980C8
	FsctlPipeWait          uint32 = 0x00110018
	FsctlPipeTransceive    uint32 = 0x0011C017
	FsctlResumeKey         uint32 = 0x00140078
	FsctlNetworkInterfaces uint32 = 0x001401FC
	FsctlValidateNegotiate uint32 = 0x00140204
	FsctlSnapshots         uint32 = 0x00144064
	FsctlCopyChunk         uint32 = 0x001440F2
	FsctlCopyChunkWrite    uint32 = 0x001480F2 // the target need not be readable
)

// IoctlRequest passes a control code on ([MS-SMB2] 2.2.31). All codes here are file system controls.
type IoctlRequest struct {
	Code      uint32
	File      FileID
	Input     []byte
	MaxOutput uint32
}

// Append appends the body.
func (r *IoctlRequest) Append(b []byte) []byte {
	b = append(b, 57, 0, 0, 0)
	b = le.AppendUint32(b, r.Code)
	b = r.File.append(b)
	b = le.AppendUint32(b, HeaderSize+56)
	b = le.AppendUint32(b, uint32(len(r.Input)))
	b = le.AppendUint32(b, 0) // no input comes back
	b = le.AppendUint32(b, HeaderSize+56)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, r.MaxOutput)
	b = le.AppendUint32(b, 1) // FSCTL
	b = le.AppendUint32(b, 0)
	if len(r.Input) == 0 {
		return append(b, 0)
	}
	return append(b, r.Input...)
}

// DecodeIoctl gives the code that was answered, and the output.
func DecodeIoctl(msg []byte) (code uint32, out []byte, err error) {
	b, err := body(msg, 49, 48)
	if err != nil {
		return 0, nil, err
	}
	out, err = part(msg, le.Uint32(b[32:]), le.Uint32(b[36:]))
	return le.Uint32(b[4:]), out, err
}

// ValidateNegotiate is what both sides say of the negotiation once more, signed ([MS-SMB2] 2.2.31.4, 2.2.32.6).
type ValidateNegotiate struct {
	Capabilities uint32
	GUID         [16]byte
	SecurityMode uint16
	Dialects     []Dialect // asked
	Dialect      Dialect   // answered
}

// Append appends the request.
func (v *ValidateNegotiate) Append(b []byte) []byte {
	b = le.AppendUint32(b, v.Capabilities)
	b = append(b, v.GUID[:]...)
	b = le.AppendUint16(b, v.SecurityMode)
	return append(b, list16(v.Dialects)...)
}

// Decode reads the answer.
func (v *ValidateNegotiate) Decode(b []byte) error {
	if len(b) != 24 {
		return malformed("a negotiation validated with %d bytes", len(b))
	}
	*v = ValidateNegotiate{Capabilities: le.Uint32(b), SecurityMode: le.Uint16(b[20:]), Dialect: Dialect(le.Uint16(b[22:]))}
	copy(v.GUID[:], b[4:])
	return nil
}

// ResumeKey names an open file as the source of a copy.
type ResumeKey [24]byte

// DecodeResumeKey reads the answer to FsctlResumeKey.
func DecodeResumeKey(b []byte) (k ResumeKey, err error) {
	if len(b) < 24 {
		return k, malformed("a resume key of %d bytes", len(b))
	}
	copy(k[:], b)
	return k, nil
}

// Chunk is a part to copy.
type Chunk struct {
	From, To uint64
	Length   uint32
}

// AppendCopyChunks appends the input of FsctlCopyChunk.
func AppendCopyChunks(b []byte, k ResumeKey, chunks []Chunk) []byte {
	b = append(b, k[:]...)
	b = le.AppendUint32(b, uint32(len(chunks)))
	b = le.AppendUint32(b, 0)
	for _, c := range chunks {
		b = le.AppendUint64(b, c.From)
		b = le.AppendUint64(b, c.To)
		b = le.AppendUint32(b, c.Length)
		b = le.AppendUint32(b, 0)
	}
	return b
}

// CopyResult tells what was copied or, with StatusInvalidParam, the server's limits: chunks at once, bytes a chunk, bytes at once.
type CopyResult struct{ Chunks, ChunkBytes, Total uint32 }

// DecodeCopyResult reads the answer to FsctlCopyChunk.
func DecodeCopyResult(b []byte) (CopyResult, error) {
	if len(b) < 12 {
		return CopyResult{}, malformed("a copy's answer of %d bytes", len(b))
	}
	return CopyResult{le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:])}, nil
}

// Range is a part of a file.
type Range struct{ Offset, Length uint64 }

// Append appends the range as FsctlAllocatedRanges takes it.
func (r Range) Append(b []byte) []byte {
	return le.AppendUint64(le.AppendUint64(b, r.Offset), r.Length)
}

// AppendZero appends the range as FsctlSetZeroData takes it: its begin and its end.
func (r Range) AppendZero(b []byte) []byte {
	return le.AppendUint64(le.AppendUint64(b, r.Offset), r.Offset+r.Length)
}

// DecodeRanges reads the answer to FsctlAllocatedRanges.
func DecodeRanges(b []byte) ([]Range, error) {
	if len(b)%16 != 0 {
		return nil, malformed("ranges of %d bytes", len(b))
	}
	list := make([]Range, 0, len(b)/16)
	for ; len(b) > 0; b = b[16:] {
		r := Range{le.Uint64(b), le.Uint64(b[8:])}
		if r.Offset > 1<<63-1 || r.Length > 1<<63-1-r.Offset {
			return nil, malformed("a range of %d at %d", r.Length, r.Offset)
		}
		list = append(list, r)
	}
	return list, nil
}

// Interface is a way to reach the server ([MS-SMB2] 2.2.32.5).
type Interface struct {
	Index uint32
	RSS   bool // several connections are worth it
	RDMA  bool
	Speed uint64 // bits a second
	Addr  netip.Addr
}

// DecodeInterfaces reads the answer to FsctlNetworkInterfaces. Addresses of unknown families are left out.
func DecodeInterfaces(b []byte) (list []Interface, err error) {
	err = chain(b, 152, func(one []byte) error {
		i := Interface{Index: le.Uint32(one[4:]), RSS: one[8]&1 != 0, RDMA: one[8]&2 != 0, Speed: le.Uint64(one[16:])}
		switch le.Uint16(one[24:]) {
		case 2:
			i.Addr = netip.AddrFrom4([4]byte(one[28:32]))
		case 0x17:
			i.Addr = netip.AddrFrom16([16]byte(one[32:48]))
		default:
			return nil
		}
		list = append(list, i)
		return nil
	})
	return list, err
}
