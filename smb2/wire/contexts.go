package wire

// Names of create contexts ([MS-SMB2] 2.2.13.2).
const (
	CtxMaxAccess     = "MxAc"
	CtxOnDiskID      = "QFid"
	CtxLease         = "RqLs"
	CtxDurable       = "DHnQ"
	CtxReconnect     = "DHnC"
	CtxDurableV2     = "DH2Q"
	CtxReconnectV2   = "DH2C"
	CtxAllocation    = "AlSi"
	CtxSnapshot      = "TWrp"
	CtxExtended      = "ExtA"
	CtxPosix         = posixTag
	durablePersist   = 2
	leaseFlagParent  = 4
	leaseFlagBreakIP = 2
)

// LeaseState is what a client may keep of a file: bits.
type LeaseState uint32

// The bits.
const (
	LeaseRead   LeaseState = 1 // what was read
	LeaseHandle LeaseState = 2 // the file open after the program closed it
	LeaseWrite  LeaseState = 4 // what was written, and locks
)

// String is the state in letters: RWH.
func (s LeaseState) String() string {
	out := ""
	for i, l := range [...]string{"R", "H", "W"} {
		if s&(1<<i) != 0 {
			out += l
		}
	}
	if out == "" {
		return "none"
	}
	return out
}

// Lease is a lease asked for or granted.
type Lease struct {
	Key       [16]byte
	State     LeaseState
	Breaking  bool     // granted: a break is on its way
	HasParent bool     // version 2
	Parent    [16]byte // the lease of the folder
	Epoch     uint16   // version 2: grows with each change of the state
}

// Context is the lease as a context of CREATE, version 2 or 1.
func (l *Lease) Context(v2 bool) CreateContext {
	b := append([]byte(nil), l.Key[:]...)
	b = le.AppendUint32(b, uint32(l.State))
	flags := uint32(0)
	if v2 && l.HasParent {
		flags = leaseFlagParent
	}
	b = le.AppendUint32(b, flags)
	b = le.AppendUint64(b, 0)
	if v2 {
		b = append(b, l.Parent[:]...)
		b = le.AppendUint16(b, l.Epoch)
		b = le.AppendUint16(b, 0)
	}
	return CreateContext{CtxLease, b}
}

// DecodeLease reads the answered context, of either version.
func DecodeLease(b []byte) (l Lease, err error) {
	if len(b) != 32 && len(b) != 52 {
		return l, malformed("a lease of %d bytes", len(b))
	}
	copy(l.Key[:], b)
	l.State = LeaseState(le.Uint32(b[16:]))
	f := le.Uint32(b[20:])
	l.Breaking = f&leaseFlagBreakIP != 0
	if len(b) == 52 {
		l.HasParent = f&leaseFlagParent != 0
		copy(l.Parent[:], b[32:])
		l.Epoch = le.Uint16(b[48:])
	}
	return l, nil
}

// DurableV1 asks for a handle that outlives the connection.
func DurableV1() CreateContext { return CreateContext{CtxDurable, make([]byte, 16)} }

// ReconnectV1 asks for a durable handle back.
func ReconnectV1(f FileID) CreateContext { return CreateContext{CtxReconnect, f.append(nil)} }

// DurableV2 asks for a handle that outlives the connection, for timeout milliseconds (0: the server's choice).
func DurableV2(guid [16]byte, timeout uint32, persistent bool) CreateContext {
	b := le.AppendUint32(nil, timeout)
	b = le.AppendUint32(b, uint32(b2u(persistent))*durablePersist)
	b = le.AppendUint64(b, 0)
	return CreateContext{CtxDurableV2, append(b, guid[:]...)}
}

// DecodeDurableV2 reads the answered context.
func DecodeDurableV2(b []byte) (timeout uint32, persistent bool, err error) {
	if len(b) < 8 {
		return 0, false, malformed("a durable context of %d bytes", len(b))
	}
	return le.Uint32(b), le.Uint32(b[4:])&durablePersist != 0, nil
}

// ReconnectV2 asks for a durable handle back.
func ReconnectV2(f FileID, guid [16]byte, persistent bool) CreateContext {
	b := append(f.append(nil), guid[:]...)
	return CreateContext{CtxReconnectV2, le.AppendUint32(b, uint32(b2u(persistent))*durablePersist)}
}

// PosixMode asks for a file with this POSIX mode, by POSIX rules for its name.
func PosixMode(mode uint32) CreateContext { return CreateContext{CtxPosix, le.AppendUint32(nil, mode)} }

// PosixCreated is the answer to it.
type PosixCreated struct {
	Nlink, ReparseTag, Mode uint32
	Owner, Group            SID
}

// DecodePosixCreated reads the answered context.
func DecodePosixCreated(b []byte) (p PosixCreated, err error) {
	if len(b) < 12 {
		return p, malformed("a POSIX context of %d bytes", len(b))
	}
	p.Nlink, p.ReparseTag, p.Mode = le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:])
	rest := b[12:]
	if p.Owner, rest, err = decodeSID(rest); err != nil {
		return p, err
	}
	p.Group, _, err = decodeSID(rest)
	return p, err
}

// DecodeOnDiskID reads the answered QFid context: the file's number and its volume's.
func DecodeOnDiskID(b []byte) (file, volume uint64, err error) {
	if len(b) < 16 {
		return 0, 0, malformed("an on-disk id of %d bytes", len(b))
	}
	return le.Uint64(b), le.Uint64(b[8:]), nil
}

// DecodeMaxAccess reads the answered MxAc context.
func DecodeMaxAccess(b []byte) (Status, uint32, error) {
	if len(b) < 8 {
		return 0, 0, malformed("a maximal access of %d bytes", len(b))
	}
	return Status(le.Uint32(b)), le.Uint32(b[4:]), nil
}

// OplockBreak is a break of an oplock, told by the server or acknowledged ([MS-SMB2] 2.2.23.1, 2.2.24.1).
type OplockBreak struct {
	Level uint8
	File  FileID
}

// Append appends the acknowledgement's body.
func (r *OplockBreak) Append(b []byte) []byte {
	b = append(b, 24, 0, r.Level, 0, 0, 0, 0, 0)
	return r.File.append(b)
}

// LeaseBreak is a break of a lease ([MS-SMB2] 2.2.23.2).
type LeaseBreak struct {
	Epoch       uint16
	AckRequired bool
	Key         [16]byte
	From, To    LeaseState
}

// LeaseAck acknowledges it ([MS-SMB2] 2.2.24.2).
type LeaseAck struct {
	Key   [16]byte
	State LeaseState
}

// Append appends the body.
func (r *LeaseAck) Append(b []byte) []byte {
	b = append(b, 36, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, r.Key[:]...)
	b = le.AppendUint32(b, uint32(r.State))
	return le.AppendUint64(b, 0)
}

// DecodeBreak reads a break notification or the answer to an acknowledgement: one of the two is not nil.
func DecodeBreak(msg []byte) (*OplockBreak, *LeaseBreak, error) {
	if len(msg) < HeaderSize+24 {
		return nil, nil, malformed("a break of %d bytes", len(msg))
	}
	b := msg[HeaderSize:]
	switch n := le.Uint16(b); n {
	case 24:
		return &OplockBreak{Level: b[2], File: fileID(b[8:])}, nil, nil
	case 44:
		if len(b) < 44 {
			return nil, nil, malformed("a lease break of %d bytes", len(b))
		}
		l := &LeaseBreak{Epoch: le.Uint16(b[2:]), AckRequired: le.Uint32(b[4:])&1 != 0, From: LeaseState(le.Uint32(b[24:])),
			To: LeaseState(le.Uint32(b[28:]))}
		copy(l.Key[:], b[8:])
		return nil, l, nil
	case 36:
		if len(b) < 36 {
			return nil, nil, malformed("a lease acknowledgement of %d bytes", len(b))
		}
		l := &LeaseBreak{To: LeaseState(le.Uint32(b[24:]))}
		copy(l.Key[:], b[8:])
		return nil, l, nil
	default:
		return nil, nil, malformed("a break's size is %d", n)
	}
}
