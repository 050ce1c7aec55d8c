package wire

// FileID names an open file ([MS-SMB2] 2.2.14.1).
type FileID struct{ Persistent, Volatile uint64 }

// RelatedFile stands for the file of the request before in a compound.
func RelatedFile() FileID { return FileID{RelatedID, RelatedID} }

// NoFile is the file id of what is asked of no file, such as a DFS referral.
func NoFile() FileID { return FileID{RelatedID, RelatedID} }

func (f FileID) append(b []byte) []byte {
	return le.AppendUint64(le.AppendUint64(b, f.Persistent), f.Volatile)
}

func fileID(b []byte) FileID { return FileID{le.Uint64(b), le.Uint64(b[8:])} }

// Access rights ([MS-SMB2] 2.2.13.1).
const (
	ReadData        uint32 = 0x00000001 // of a folder: list
	WriteData       uint32 = 0x00000002 // of a folder: add a file
	AppendData      uint32 = 0x00000004 // of a folder: add a folder
	ReadEA          uint32 = 0x00000008
	WriteEA         uint32 = 0x00000010
	Execute         uint32 = 0x00000020
	DeleteChild     uint32 = 0x00000040
	ReadAttributes  uint32 = 0x00000080
	WriteAttributes uint32 = 0x00000100
	Delete          uint32 = 0x00010000
	ReadControl     uint32 = 0x00020000
	WriteDAC        uint32 = 0x00040000
	WriteOwner      uint32 = 0x00080000
	Synchronize     uint32 = 0x00100000
	SystemSecurity  uint32 = 0x01000000
	MaximumAllowed  uint32 = 0x02000000
	GenericAll      uint32 = 0x10000000
	GenericExecute  uint32 = 0x20000000
	GenericWrite    uint32 = 0x40000000
	GenericRead     uint32 = 0x80000000
)

// What others may do while a file is open.
const (
	ShareRead   uint32 = 1
	ShareWrite  uint32 = 2
	ShareDelete uint32 = 4
	ShareAll           = ShareRead | ShareWrite | ShareDelete
)

// Dispositions.
const (
	Supersede   uint32 = 0
	Open        uint32 = 1 // it must be there
	Create      uint32 = 2 // it must not
	OpenIf      uint32 = 3 // open or create
	Overwrite   uint32 = 4 // it must be there, and is cut to nothing
	OverwriteIf uint32 = 5
)

// Create options.
const (
	OptDirectory     uint32 = 0x00000001
	OptWriteThrough  uint32 = 0x00000002
	OptSequential    uint32 = 0x00000004
	OptNoBuffering   uint32 = 0x00000008
	OptNonDirectory  uint32 = 0x00000040
	OptNoEA          uint32 = 0x00000200
	OptRandom        uint32 = 0x00000800
	OptDeleteOnClose uint32 = 0x00001000
	OptBackupIntent  uint32 = 0x00004000
	OptOpenReparse   uint32 = 0x00200000
	OptNoRecall      uint32 = 0x00400000
)

// File attributes ([MS-FSCC] 2.6).
const (
	AttrReadOnly  uint32 = 0x0001
	AttrHidden    uint32 = 0x0002
	AttrSystem    uint32 = 0x0004
	AttrDirectory uint32 = 0x0010
	AttrArchive   uint32 = 0x0020
	AttrNormal    uint32 = 0x0080
	AttrTemporary uint32 = 0x0100
	AttrSparse    uint32 = 0x0200
	AttrReparse   uint32 = 0x0400
	AttrOffline   uint32 = 0x1000
)

// Oplock levels.
const (
	OplockNone      uint8 = 0
	OplockII        uint8 = 1
	OplockExclusive uint8 = 8
	OplockBatch     uint8 = 9
	OplockLease     uint8 = 0xFF
)

// What CREATE did.
const (
	ActionSuperseded  uint32 = 0
	ActionOpened      uint32 = 1
	ActionCreated     uint32 = 2
	ActionOverwritten uint32 = 3
)

// CreateContext is an extra of a CREATE, asked or answered.
type CreateContext struct {
	Name string // as bytes: "RqLs" or a GUID
	Data []byte
}

// CreateRequest opens or makes a file ([MS-SMB2] 2.2.13).
type CreateRequest struct {
	Oplock      uint8
	Access      uint32
	Attributes  uint32
	Share       uint32
	Disposition uint32
	Options     uint32
	Name        string // with backslashes, "" for the share's top
	Contexts    []CreateContext
}

// Append appends the body.
func (r *CreateRequest) Append(b []byte) []byte {
	start := len(b) - HeaderSize
	b = append(b, 57, 0, 0, r.Oplock)
	b = le.AppendUint32(b, 2) // impersonation
	b = append(b, make([]byte, 16)...)
	for _, v := range [...]uint32{r.Access, r.Attributes, r.Share, r.Disposition, r.Options} {
		b = le.AppendUint32(b, v)
	}
	b = le.AppendUint16(b, HeaderSize+56)
	at := len(b)
	b = append(b, make([]byte, 10)...)
	b = AppendUTF16(b, r.Name)
	le.PutUint16(b[at:], uint16(len(b)-at-10))
	if len(b) == at+10 {
		b = append(b, 0) // the buffer holds at least a byte
	}
	if len(r.Contexts) == 0 {
		return b
	}
	b = pad(b, start, 8)
	first := len(b)
	le.PutUint32(b[at+2:], uint32(first-start))
	for i, c := range r.Contexts {
		here := len(b)
		b = le.AppendUint32(b, 0) // Next
		b = le.AppendUint16(b, 16)
		b = le.AppendUint16(b, uint16(len(c.Name)))
		b = le.AppendUint16(b, 0)
		off := (16 + len(c.Name) + 7) &^ 7
		if len(c.Data) == 0 {
			b = le.AppendUint16(b, 0)
		} else {
			b = le.AppendUint16(b, uint16(off))
		}
		b = le.AppendUint32(b, uint32(len(c.Data)))
		b = append(b, c.Name...)
		if len(c.Data) > 0 {
			b = append(pad(b, here, 8), c.Data...)
		}
		if i < len(r.Contexts)-1 {
			b = pad(b, here, 8)
			le.PutUint32(b[here:], uint32(len(b)-here))
		}
	}
	le.PutUint32(b[at+6:], uint32(len(b)-first))
	return b
}

// CreateResponse describes the open file.
type CreateResponse struct {
	Oplock     uint8
	Flags      uint8 // 1: a reparse point is on the way
	Action     uint32
	Created    Filetime
	Accessed   Filetime
	Written    Filetime
	Changed    Filetime
	Allocation uint64
	Size       uint64
	Attributes uint32
	File       FileID
	Contexts   []CreateContext
}

// Decode reads the answer.
func (r *CreateResponse) Decode(msg []byte) error {
	b, err := body(msg, 89, 88)
	if err != nil {
		return err
	}
	*r = CreateResponse{
		Oplock: b[2], Flags: b[3], Action: le.Uint32(b[4:]), Created: Filetime(le.Uint64(b[8:])), Accessed: Filetime(le.Uint64(b[16:])),
		Written: Filetime(le.Uint64(b[24:])), Changed: Filetime(le.Uint64(b[32:])), Allocation: le.Uint64(b[40:]), Size: le.Uint64(b[48:]),
		Attributes: le.Uint32(b[56:]), File: fileID(b[64:]),
	}
	list, err := part(msg, le.Uint32(b[80:]), le.Uint32(b[84:]))
	if err != nil {
		return err
	}
	r.Contexts, err = decodeContexts(list)
	return err
}

// maxContexts is more than any server has answers for.
const maxContexts = 64

func decodeContexts(b []byte) (list []CreateContext, err error) {
	for len(b) > 0 {
		if len(b) < 16 {
			return nil, malformed("a create context of %d bytes", len(b))
		}
		next := le.Uint32(b)
		one := b
		if next != 0 {
			if next < 16 || uint64(next) > uint64(len(b)) {
				return nil, malformed("the next create context at %d of %d", next, len(b))
			}
			one = b[:next]
		}
		name, err := part(one, uint32(le.Uint16(b[4:])), uint32(le.Uint16(b[6:])))
		if err != nil {
			return nil, err
		}
		data, err := part(one, uint32(le.Uint16(b[10:])), le.Uint32(b[12:]))
		if err != nil {
			return nil, err
		}
		if list = append(list, CreateContext{string(name), data}); len(list) > maxContexts {
			return nil, malformed("more than %d create contexts", maxContexts)
		}
		if next == 0 {
			break
		}
		b = b[next:]
	}
	return list, nil
}

// Context gives the data of the answered context of this name.
func (r *CreateResponse) Context(name string) ([]byte, bool) {
	for _, c := range r.Contexts {
		if c.Name == name {
			return c.Data, true
		}
	}
	return nil, false
}

// CloseRequest closes a file ([MS-SMB2] 2.2.15).
type CloseRequest struct {
	Attributes bool // answer with the file's last attributes
	File       FileID
}

// Append appends the body.
func (r *CloseRequest) Append(b []byte) []byte {
	b = append(b, 24, 0, b2u(r.Attributes), 0, 0, 0, 0, 0)
	return r.File.append(b)
}

// CloseResponse has the attributes if they were asked for.
type CloseResponse struct {
	HasAttributes                       bool
	Created, Accessed, Written, Changed Filetime
	Allocation, Size                    uint64
	Attributes                          uint32
}

// Decode reads the answer.
func (r *CloseResponse) Decode(msg []byte) error {
	b, err := body(msg, 60, 60)
	if err != nil {
		return err
	}
	*r = CloseResponse{
		HasAttributes: b[2]&1 != 0, Created: Filetime(le.Uint64(b[8:])), Accessed: Filetime(le.Uint64(b[16:])),
		Written: Filetime(le.Uint64(b[24:])), Changed: Filetime(le.Uint64(b[32:])), Allocation: le.Uint64(b[40:]),
		Size: le.Uint64(b[48:]), Attributes: le.Uint32(b[56:]),
	}
	return nil
}
