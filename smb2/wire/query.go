package wire

// Flags of QUERY_DIRECTORY.
const (
	DirRestart uint8 = 1
	DirSingle  uint8 = 2
	DirIndex   uint8 = 4
	DirReopen  uint8 = 16
)

// QueryDirectoryRequest lists a folder ([MS-SMB2] 2.2.33).
type QueryDirectoryRequest struct {
	Class   uint8
	Flags   uint8
	File    FileID
	Pattern string
	Max     uint32
}

// Append appends the body.
func (r *QueryDirectoryRequest) Append(b []byte) []byte {
	b = append(b, 33, 0, r.Class, r.Flags, 0, 0, 0, 0)
	b = r.File.append(b)
	p := UTF16(r.Pattern)
	b = le.AppendUint16(b, HeaderSize+32)
	b = le.AppendUint16(b, uint16(len(p)))
	b = le.AppendUint32(b, r.Max)
	if len(p) == 0 {
		return append(b, 0)
	}
	return append(b, p...)
}

// Kinds of information ([MS-SMB2] 2.2.37).
const (
	InfoFile       uint8 = 1
	InfoFilesystem uint8 = 2
	InfoSecurity   uint8 = 3
	InfoQuota      uint8 = 4
)

// QueryInfoRequest asks for information ([MS-SMB2] 2.2.37).
type QueryInfoRequest struct {
	Type, Class uint8
	Max         uint32
	Additional  uint32 // of security: which parts
	Flags       uint32 // of EAs: 1 restart, 2 one entry
	File        FileID
	Input       []byte
}

// Append appends the body.
func (r *QueryInfoRequest) Append(b []byte) []byte {
	b = append(b, 41, 0, r.Type, r.Class)
	b = le.AppendUint32(b, r.Max)
	if len(r.Input) > 0 {
		b = le.AppendUint32(b, HeaderSize+40)
	} else {
		b = le.AppendUint32(b, 0)
	}
	b = le.AppendUint32(b, uint32(len(r.Input)))
	b = le.AppendUint32(b, r.Additional)
	b = le.AppendUint32(b, r.Flags)
	b = r.File.append(b)
	if len(r.Input) == 0 {
		return append(b, 0)
	}
	return append(b, r.Input...)
}

// DecodeOutput gives the output of a QUERY_INFO, a QUERY_DIRECTORY or a CHANGE_NOTIFY, whose answers are alike.
func DecodeOutput(msg []byte) ([]byte, error) {
	b, err := body(msg, 9, 8)
	if err != nil {
		return nil, err
	}
	return part(msg, uint32(le.Uint16(b[2:])), le.Uint32(b[4:]))
}

// SetInfoRequest changes information ([MS-SMB2] 2.2.39).
type SetInfoRequest struct {
	Type, Class uint8
	Additional  uint32
	File        FileID
	Data        []byte
}

// Append appends the body.
func (r *SetInfoRequest) Append(b []byte) []byte {
	b = append(b, 33, 0, r.Type, r.Class)
	b = le.AppendUint32(b, uint32(len(r.Data)))
	b = le.AppendUint32(b, HeaderSize+32)
	b = le.AppendUint32(b, r.Additional)
	b = r.File.append(b)
	return append(b, r.Data...)
}

// DecodeSetInfo checks the answer.
func DecodeSetInfo(msg []byte) error {
	_, err := body(msg, 2, 2)
	return err
}

// What CHANGE_NOTIFY watches for ([MS-SMB2] 2.2.35).
const (
	NotifyFileName    uint32 = 0x001
	NotifyDirName     uint32 = 0x002
	NotifyAttributes  uint32 = 0x004
	NotifySize        uint32 = 0x008
	NotifyLastWrite   uint32 = 0x010
	NotifyLastAccess  uint32 = 0x020
	NotifyCreation    uint32 = 0x040
	NotifyEA          uint32 = 0x080
	NotifySecurity    uint32 = 0x100
	NotifyStreamName  uint32 = 0x200
	NotifyStreamSize  uint32 = 0x400
	NotifyStreamWrite uint32 = 0x800
)

// ChangeNotifyRequest waits for a change ([MS-SMB2] 2.2.35).
type ChangeNotifyRequest struct {
	Tree   bool // below, too
	Max    uint32
	File   FileID
	Filter uint32
}

// Append appends the body.
func (r *ChangeNotifyRequest) Append(b []byte) []byte {
	b = append(b, 32, 0, b2u(r.Tree), 0)
	b = le.AppendUint32(b, r.Max)
	b = r.File.append(b)
	b = le.AppendUint32(b, r.Filter)
	return le.AppendUint32(b, 0)
}

// What happened to a name ([MS-FSCC] 2.7.1).
const (
	ChangeAdded          uint32 = 1
	ChangeRemoved        uint32 = 2
	ChangeModified       uint32 = 3
	ChangeRenamedFrom    uint32 = 4
	ChangeRenamedTo      uint32 = 5
	ChangeStreamAdded    uint32 = 6
	ChangeStreamRemoved  uint32 = 7
	ChangeStreamModified uint32 = 8
)

// Change is one of a CHANGE_NOTIFY's answer.
type Change struct {
	Action uint32
	Name   string // from the watched folder on, with backslashes
}

// DecodeChanges reads the list.
func DecodeChanges(b []byte) (list []Change, err error) {
	err = chain(b, 12, func(one []byte) error {
		name, err := part(one, 12, le.Uint32(one[8:]))
		list = append(list, Change{le.Uint32(one[4:]), String(name)})
		return err
	})
	return list, err
}

// chain walks a list whose entries begin with the distance to the next one, each at least fixed bytes long.
func chain(b []byte, fixed int, each func(one []byte) error) error {
	for len(b) > 0 {
		if len(b) < fixed {
			return malformed("an entry of %d bytes, not %d", len(b), fixed)
		}
		next, one := le.Uint32(b), b
		if next != 0 {
			if uint64(next) < uint64(fixed) || uint64(next) > uint64(len(b)) {
				return malformed("the next entry is at %d of %d", next, len(b))
			}
			one = b[:next]
		}
		if err := each(one); err != nil {
			return err
		}
		if next == 0 {
			return nil
		}
		b = b[next:]
	}
	return nil
}
