package wire

// SessionSetupRequest is one step of a log-on ([MS-SMB2] 2.2.5).
type SessionSetupRequest struct {
	Binding      bool // binds a further connection to a session (3.x)
	SecurityMode uint16
	Capabilities uint32
	Previous     uint64 // a session of ours that the server may take for dead
	Blob         []byte
}

// Append appends the body.
func (r *SessionSetupRequest) Append(b []byte) []byte {
	b = append(b, 25, 0, b2u(r.Binding), byte(r.SecurityMode))
	b = le.AppendUint32(b, r.Capabilities)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint16(b, HeaderSize+24)
	b = le.AppendUint16(b, uint16(len(r.Blob)))
	b = le.AppendUint64(b, r.Previous)
	return append(b, r.Blob...)
}

// Session flags ([MS-SMB2] 2.2.6).
const (
	SessionGuest   uint16 = 1
	SessionNull    uint16 = 2
	SessionEncrypt uint16 = 4
)

// SessionSetupResponse answers it.
type SessionSetupResponse struct {
	Flags uint16
	Blob  []byte
}

// Decode reads the answer.
func (r *SessionSetupResponse) Decode(msg []byte) error {
	b, err := body(msg, 9, 8)
	if err != nil {
		return err
	}
	r.Flags = le.Uint16(b[2:])
	r.Blob, err = part(msg, uint32(le.Uint16(b[4:])), uint32(le.Uint16(b[6:])))
	return err
}

// TreeConnectRequest asks for a share ([MS-SMB2] 2.2.9).
type TreeConnectRequest struct {
	Path string // \\server\share
}

// Append appends the body.
func (r *TreeConnectRequest) Append(b []byte) []byte {
	p := UTF16(r.Path)
	b = append(b, 9, 0, 0, 0)
	b = le.AppendUint16(b, HeaderSize+8)
	b = le.AppendUint16(b, uint16(len(p)))
	return append(b, p...)
}

// Types of shares ([MS-SMB2] 2.2.10).
const (
	ShareDisk  uint8 = 1
	SharePipe  uint8 = 2
	SharePrint uint8 = 3
)

// Flags and capabilities of shares.
const (
	ShareFlagDFS        uint32 = 0x00000001
	ShareFlagDFSRoot    uint32 = 0x00000002
	ShareFlagABE        uint32 = 0x00000800
	ShareFlagEncrypt    uint32 = 0x00008000
	ShareCapDFS         uint32 = 0x08
	ShareCapContinuous  uint32 = 0x10
	ShareCapScaleout    uint32 = 0x20
	ShareCapCluster     uint32 = 0x40
	ShareCapAsymmetric  uint32 = 0x80
	ShareFlagNoCaching  uint32 = 0x30
	ShareFlagVDOCaching uint32 = 0x20
)

// TreeConnectResponse describes the share.
type TreeConnectResponse struct {
	Type         uint8
	Flags        uint32
	Capabilities uint32
	MaxAccess    uint32
}

// Decode reads the answer.
func (r *TreeConnectResponse) Decode(msg []byte) error {
	b, err := body(msg, 16, 16)
	if err != nil {
		return err
	}
	*r = TreeConnectResponse{Type: b[2], Flags: le.Uint32(b[4:]), Capabilities: le.Uint32(b[8:]), MaxAccess: le.Uint32(b[12:])}
	return nil
}

func b2u(v bool) byte {
	if v {
		return 1
	}
	return 0
}
