package wire

// File information classes ([MS-FSCC] 2.4).
const (
	ClassFullDirectory   uint8 = 2
	ClassBasic           uint8 = 4
	ClassStandard        uint8 = 5
	ClassInternal        uint8 = 6
	ClassRename          uint8 = 10
	ClassLink            uint8 = 11
	ClassDisposition     uint8 = 13
	ClassFullEA          uint8 = 15
	ClassAll             uint8 = 18
	ClassAllocation      uint8 = 19
	ClassEndOfFile       uint8 = 20
	ClassStream          uint8 = 22
	ClassNetworkOpen     uint8 = 34
	ClassAttributeTag    uint8 = 35
	ClassIDBothDirectory uint8 = 37
	ClassIDFullDirectory uint8 = 38
	ClassNormalizedName  uint8 = 48
	ClassDispositionEx   uint8 = 64
	ClassRenameEx        uint8 = 65
	ClassPosix           uint8 = 100 // of files and of folders' listings
)

// File system information classes ([MS-FSCC] 2.5).
const (
	FsVolume    uint8 = 1
	FsAttribute uint8 = 5
	FsFullSize  uint8 = 7
)

// Basic is FileBasicInformation. When it is set, a zero time and zero attributes are left alone.
type Basic struct {
	Created, Accessed, Written, Changed Filetime
	Attributes                          uint32
}

// Append appends it.
func (i *Basic) Append(b []byte) []byte {
	for _, t := range [...]Filetime{i.Created, i.Accessed, i.Written, i.Changed} {
		b = le.AppendUint64(b, uint64(t))
	}
	b = le.AppendUint32(b, i.Attributes)
	return le.AppendUint32(b, 0)
}

func decodeBasic(b []byte) Basic {
	return Basic{Filetime(le.Uint64(b)), Filetime(le.Uint64(b[8:])), Filetime(le.Uint64(b[16:])), Filetime(le.Uint64(b[24:])), le.Uint32(b[32:])}
}

// All is FileAllInformation without what nobody uses.
type All struct {
	Basic
	Allocation, Size         uint64
	Links                    uint32
	DeletePending, Directory bool
	ID                       uint64
	EASize, Access, Mode     uint32
}

// DecodeAll reads it. The name at its end may be cut off.
func DecodeAll(b []byte) (i All, err error) {
	if len(b) < 96 {
		return i, malformed("all information is %d bytes", len(b))
	}
	i = All{Basic: decodeBasic(b), Allocation: le.Uint64(b[40:]), Size: le.Uint64(b[48:]), Links: le.Uint32(b[56:]), DeletePending: b[60] != 0,
		Directory: b[61] != 0, ID: le.Uint64(b[64:]), EASize: le.Uint32(b[72:]), Access: le.Uint32(b[76:]), Mode: le.Uint32(b[88:])}
	return i, nil
}

// NetworkOpen is FileNetworkOpenInformation.
type NetworkOpen struct {
	Basic
	Allocation, Size uint64
}

// DecodeNetworkOpen reads it.
func DecodeNetworkOpen(b []byte) (i NetworkOpen, err error) {
	if len(b) < 56 {
		return i, malformed("network open information is %d bytes", len(b))
	}
	i.Basic = decodeBasic(b)
	i.Attributes = le.Uint32(b[48:])
	i.Allocation, i.Size = le.Uint64(b[32:]), le.Uint64(b[40:])
	return i, nil
}

// DecodeAttributeTag reads FileAttributeTagInformation.
func DecodeAttributeTag(b []byte) (attributes, tag uint32, err error) {
	if len(b) < 8 {
		return 0, 0, malformed("an attribute tag of %d bytes", len(b))
	}
	return le.Uint32(b), le.Uint32(b[4:]), nil
}

// DecodeInternal reads FileInternalInformation, a file's number.
func DecodeInternal(b []byte) (uint64, error) {
	if len(b) < 8 {
		return 0, malformed("a file number of %d bytes", len(b))
	}
	return le.Uint64(b), nil
}

// Flags of FileRenameInformationEx and FileDispositionInformationEx ([MS-FSCC] 2.4.37.2, 2.4.11.2).
const (
	RenameReplace     uint32 = 1
	RenamePosix       uint32 = 2
	RenameIgnoreRO    uint32 = 0x40
	DispositionDelete uint32 = 1
	DispositionPosix  uint32 = 2
	DispositionIgnore uint32 = 0x10 // the read-only attribute
)

// AppendRename appends FileRenameInformation, FileLinkInformation or, with flags other than 0 and 1, FileRenameInformationEx. name is a
// whole path in the share.
func AppendRename(b []byte, flags uint32, name string) []byte {
	start := len(b)
	b = le.AppendUint32(b, flags)
	b = append(b, make([]byte, 12)...)
	p := UTF16(name)
	b = le.AppendUint32(b, uint32(len(p)))
	b = append(b, p...)
	for len(b)-start < 24 { // Windows wants no less
		b = append(b, 0)
	}
	return b
}

// Uint64 is a number as FileEndOfFileInformation and FileAllocationInformation have it.
func Uint64(v uint64) []byte { return le.AppendUint64(nil, v) }

// Uint32 is a number as FileDispositionInformationEx has it.
func Uint32(v uint32) []byte { return le.AppendUint32(nil, v) }

// Stream is a stream of a file.
type Stream struct {
	Name             string // ":name:$DATA"; the file's own data is "::$DATA"
	Size, Allocation uint64
}

// DecodeStreams reads FileStreamInformation.
func DecodeStreams(b []byte) (list []Stream, err error) {
	err = chain(b, 24, func(one []byte) error {
		name, err := part(one, 24, le.Uint32(one[4:]))
		list = append(list, Stream{String(name), le.Uint64(one[8:]), le.Uint64(one[16:])})
		return err
	})
	return list, err
}

// EA is an extended attribute.
type EA struct {
	Flags uint8
	Name  string // 1 to 255 bytes, ASCII
	Value []byte // when set: empty removes it
}

// AppendEAs appends FileFullEaInformation.
func AppendEAs(b []byte, list []EA) []byte {
	for i, e := range list {
		here := len(b)
		b = le.AppendUint32(b, 0)
		b = append(b, e.Flags, byte(len(e.Name)))
		b = le.AppendUint16(b, uint16(len(e.Value)))
		b = append(append(b, e.Name...), 0)
		b = append(b, e.Value...)
		if i < len(list)-1 {
			b = pad(b, here, 4)
			le.PutUint32(b[here:], uint32(len(b)-here))
		}
	}
	return b
}

// DecodeEAs reads FileFullEaInformation.
func DecodeEAs(b []byte) (list []EA, err error) {
	err = chain(b, 8, func(one []byte) error {
		n := uint32(one[5])
		name, err := part(one, 8, n)
		if err != nil {
			return err
		}
		value, err := part(one, 8+n+1, uint32(le.Uint16(one[6:])))
		list = append(list, EA{one[4], string(name), append([]byte(nil), value...)})
		return err
	})
	return list, err
}

// FullSize is FileFsFullSizeInformation.
type FullSize struct {
	Total, Available, Free uint64 // units; Available is what the user may use
	SectorsPerUnit         uint32
	BytesPerSector         uint32
}

// DecodeFullSize reads it. The unit's size is at least 1 and at most 2^31.
func DecodeFullSize(b []byte) (i FullSize, err error) {
	if len(b) < 32 {
		return i, malformed("a size of %d bytes", len(b))
	}
	i = FullSize{le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:]), le.Uint32(b[24:]), le.Uint32(b[28:])}
	if u := uint64(i.SectorsPerUnit) * uint64(i.BytesPerSector); u == 0 || u > 1<<31 {
		return i, malformed("a unit of %d bytes", u)
	}
	return i, nil
}

// What a file system can do ([MS-FSCC] 2.5.1), as far as a client decides by it.
const (
	FsCaseSensitive  uint32 = 0x00000001
	FsCasePreserved  uint32 = 0x00000002
	FsACLs           uint32 = 0x00000008
	FsSparse         uint32 = 0x00000040
	FsReparse        uint32 = 0x00000080
	FsPosixUnlink    uint32 = 0x00000400 // SUPPORTS_POSIX_UNLINK_RENAME
	FsStreams        uint32 = 0x00040000
	FsReadOnly       uint32 = 0x00080000
	FsHardLinks      uint32 = 0x00400000
	FsEAs            uint32 = 0x00800000
	FsOpenByID       uint32 = 0x01000000
	FsBlockRefcounts uint32 = 0x08000000
)

// FsAttributes is FileFsAttributeInformation.
type FsAttributes struct {
	Flags   uint32
	NameMax uint32 // characters
	Name    string // "NTFS"
}

// DecodeFsAttributes reads it. The name may be cut off.
func DecodeFsAttributes(b []byte) (i FsAttributes, err error) {
	if len(b) < 12 {
		return i, malformed("file system attributes of %d bytes", len(b))
	}
	i = FsAttributes{Flags: le.Uint32(b), NameMax: le.Uint32(b[4:])}
	i.Name = String(b[12:min(uint64(len(b)), 12+uint64(le.Uint32(b[8:])))])
	return i, nil
}

// Volume is FileFsVolumeInformation.
type Volume struct {
	Created Filetime
	Serial  uint32
	Label   string
}

// DecodeVolume reads it. The label may be cut off.
func DecodeVolume(b []byte) (i Volume, err error) {
	if len(b) < 18 {
		return i, malformed("a volume of %d bytes", len(b))
	}
	i = Volume{Created: Filetime(le.Uint64(b)), Serial: le.Uint32(b[8:])}
	i.Label = String(b[18:min(uint64(len(b)), 18+uint64(le.Uint32(b[12:])))])
	return i, nil
}
