package wire

// ReadRequest reads ([MS-SMB2] 2.2.19).
type ReadRequest struct {
	Length  uint32
	Offset  uint64
	File    FileID
	Minimum uint32
}

// Append appends the body.
func (r *ReadRequest) Append(b []byte) []byte {
	b = append(b, 49, 0, 80, 0) // the data may begin at 80
	b = le.AppendUint32(b, r.Length)
	b = le.AppendUint64(b, r.Offset)
	b = r.File.append(b)
	b = le.AppendUint32(b, r.Minimum)
	b = append(b, make([]byte, 12)...)
	return append(b, 0)
}

// ReadResponseSize is how much of a message comes before a READ's data at the earliest.
const ReadResponseSize = HeaderSize + 16

// ReadPlace tells where the data of a READ's answer lies, from the header on. msg needs to have ReadResponseSize bytes only.
func ReadPlace(msg []byte) (off, n uint32, err error) {
	b, err := body(msg, 17, 16)
	if err != nil {
		return 0, 0, err
	}
	if off, n = uint32(b[2]), le.Uint32(b[4:]); n > 0 && off < ReadResponseSize {
		return 0, 0, malformed("a READ's data at %d", off)
	}
	return off, n, nil
}

// DecodeRead gives the data of a READ's answer.
func DecodeRead(msg []byte) ([]byte, error) {
	off, n, err := ReadPlace(msg)
	if err != nil {
		return nil, err
	}
	return part(msg, off, n)
}

// WriteRequest writes ([MS-SMB2] 2.2.21). The data follows the body and is not part of it.
type WriteRequest struct {
	Length  uint32
	Offset  uint64
	File    FileID
	Through bool // WRITE_THROUGH (2.1 and later)
}

// Append appends the body.
func (r *WriteRequest) Append(b []byte) []byte {
	b = append(b, 49, 0, HeaderSize+48, 0)
	b = le.AppendUint32(b, r.Length)
	b = le.AppendUint64(b, r.Offset)
	b = r.File.append(b)
	b = append(b, make([]byte, 12)...)
	return le.AppendUint32(b, uint32(b2u(r.Through)))
}

// DecodeWrite gives how many bytes were written.
func DecodeWrite(msg []byte) (uint32, error) {
	b, err := body(msg, 17, 16)
	if err != nil {
		return 0, err
	}
	return le.Uint32(b[4:]), nil
}

// FlushRequest makes written data stable ([MS-SMB2] 2.2.17).
type FlushRequest struct{ File FileID }

// Append appends the body.
func (r *FlushRequest) Append(b []byte) []byte {
	return r.File.append(append(b, 24, 0, 0, 0, 0, 0, 0, 0))
}

// Lock flags ([MS-SMB2] 2.2.26.1).
const (
	LockShared    uint32 = 1
	LockExclusive uint32 = 2
	LockUnlock    uint32 = 4
	LockNoWait    uint32 = 16
)

// LockElement is one range of a LOCK.
type LockElement struct {
	Offset, Length uint64
	Flags          uint32
}

// LockRequest locks and unlocks ([MS-SMB2] 2.2.26).
type LockRequest struct {
	Sequence uint32 // 4 bits of number, 28 bits of index; for the server to know a request sent again
	File     FileID
	Locks    []LockElement
}

// Append appends the body.
func (r *LockRequest) Append(b []byte) []byte {
	b = append(b, 48, 0)
	b = le.AppendUint16(b, uint16(len(r.Locks)))
	b = le.AppendUint32(b, r.Sequence)
	b = r.File.append(b)
	for _, l := range r.Locks {
		b = le.AppendUint64(b, l.Offset)
		b = le.AppendUint64(b, l.Length)
		b = le.AppendUint32(b, l.Flags)
		b = le.AppendUint32(b, 0)
	}
	return b
}
