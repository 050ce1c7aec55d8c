package wire

import "strconv"

// DirEntry is an entry of a listing.
type DirEntry struct {
	Basic
	Name             string
	Size, Allocation uint64
	ID               uint64 // the file's number, 0 if the server has none
	EASize           uint32 // of a reparse point: 0
	ReparseTag       uint32 // of a reparse point
	ShortName        string // of ClassIDBothDirectory
	Posix            *Posix // of ClassPosix
}

// Posix is what the POSIX extensions tell of a file besides.
type Posix struct {
	Device       uint32
	Links        uint32
	Mode         uint32 // type and permission bits
	Owner, Group SID
}

// DecodeDirectory reads a listing of one of the classes ClassFullDirectory, ClassIDFullDirectory, ClassIDBothDirectory and ClassPosix.
func DecodeDirectory(class uint8, b []byte) (list []DirEntry, err error) {
	fixed := 0
	switch class {
	case ClassFullDirectory:
		fixed = 68
	case ClassIDFullDirectory:
		fixed = 80
	case ClassIDBothDirectory:
		fixed = 104
	case ClassPosix:
		fixed = 8 + posixFixed
	default:
		return nil, malformed("a listing of class %d", class)
	}
	err = chain(b, fixed, func(one []byte) error {
		if class == ClassPosix {
			e, err := decodePosixEntry(one)
			list = append(list, e)
			return err
		}
		// As in FileBasicInformation, but the attributes come after the sizes.
		e := DirEntry{Basic: decodeBasic(one[8:]), Size: le.Uint64(one[40:]), Allocation: le.Uint64(one[48:]), EASize: le.Uint32(one[64:])}
		e.Attributes = le.Uint32(one[56:])
		if e.Attributes&AttrReparse != 0 {
			e.ReparseTag, e.EASize = e.EASize, 0
		}
		switch class {
		case ClassIDFullDirectory:
			e.ID = le.Uint64(one[72:])
		case ClassIDBothDirectory:
			e.ID = le.Uint64(one[96:])
			e.ShortName = String(one[70 : 70+min(24, int(one[68]))])
		}
		name, err := part(one, uint32(fixed), le.Uint32(one[60:]))
		if err != nil {
			return err
		}
		e.Name = String(name)
		list = append(list, e)
		return nil
	})
	return list, err
}

// posixFixed is how much comes before the SIDs of the POSIX information.
const posixFixed = 80

// PosixInfo is the POSIX information of one file.
type PosixInfo struct {
	Basic
	Size, Allocation, ID uint64
	ReparseTag           uint32
	Posix
}

func decodePosixInfo(b []byte) (i PosixInfo, rest []byte, err error) {
	if len(b) < posixFixed {
		return i, nil, malformed("POSIX information of %d bytes", len(b))
	}
	i.Basic = decodeBasic(b)
	i.Attributes = le.Uint32(b[48:])
	i.Size, i.Allocation, i.ID = le.Uint64(b[32:]), le.Uint64(b[40:]), le.Uint64(b[52:])
	i.Device, i.Links, i.ReparseTag, i.Mode = le.Uint32(b[60:]), le.Uint32(b[68:]), le.Uint32(b[72:]), le.Uint32(b[76:])
	if i.Owner, rest, err = decodeSID(b[posixFixed:]); err != nil {
		return i, nil, err
	}
	i.Group, rest, err = decodeSID(rest)
	return i, rest, err
}

// DecodePosixInfo reads the POSIX information of one file.
func DecodePosixInfo(b []byte) (PosixInfo, error) {
	i, _, err := decodePosixInfo(b)
	return i, err
}

func decodePosixEntry(one []byte) (e DirEntry, err error) {
	i, rest, err := decodePosixInfo(one[8:])
	if err != nil {
		return e, err
	}
	if len(rest) < 4 {
		return e, malformed("a POSIX entry without a name")
	}
	name, err := part(rest, 4, le.Uint32(rest))
	if err != nil {
		return e, err
	}
	return DirEntry{Basic: i.Basic, Name: String(name), Size: i.Size, Allocation: i.Allocation, ID: i.ID, ReparseTag: i.ReparseTag, Posix: &i.Posix}, nil
}

// SID is a security identifier ([MS-DTYP] 2.4.2). The zero value is none.
type SID struct {
	Authority uint64
	Sub       []uint32
}

// String is the SID as Windows writes it: S-1-5-32-544.
func (s SID) String() string {
	out := "S-1-" + strconv.FormatUint(s.Authority, 10)
	for _, v := range s.Sub {
		out += "-" + strconv.FormatUint(uint64(v), 10)
	}
	return out
}

// Unix gives the user (group false) or group id of one of Samba's SIDs for those that have no other.
func (s SID) Unix() (id uint32, group, ok bool) {
	if s.Authority != 22 || len(s.Sub) != 2 || s.Sub[0] != 1 && s.Sub[0] != 2 {
		return 0, false, false
	}
	return s.Sub[1], s.Sub[0] == 2, true
}

func decodeSID(b []byte) (s SID, rest []byte, err error) {
	if len(b) < 8 || b[0] != 1 || b[1] > 15 || len(b) < 8+4*int(b[1]) {
		return s, nil, malformed("a security identifier")
	}
	for _, c := range b[2:8] {
		s.Authority = s.Authority<<8 | uint64(c)
	}
	for i := range int(b[1]) {
		s.Sub = append(s.Sub, le.Uint32(b[8+4*i:]))
	}
	return s, b[8+4*int(b[1]):], nil
}
