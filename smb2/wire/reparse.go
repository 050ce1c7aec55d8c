package wire

import "strings"

// Reparse tags ([MS-FSCC] 2.1.2.1).
const (
	TagMountPoint uint32 = 0xA0000003
	TagSymlink    uint32 = 0xA000000C
	TagDFS        uint32 = 0x8000000A
	TagNFS        uint32 = 0x80000014
	TagWSLLink    uint32 = 0xA000001D
)

// nfsLink is the kind of an NFS reparse point that is a symbolic link: "LNK" in its odd order.
const nfsLink uint64 = 0x00000000014B4E4C

// Reparse is a reparse point.
type Reparse struct {
	Tag      uint32
	Target   string // of a link: as it is stored, with backslashes for Windows' own
	Print    string // of a link of Windows': the target for people
	Relative bool   // of a symbolic link
	Data     []byte // of others, unread
}

// Link reports whether it is a link that Target is known of.
func (r *Reparse) Link() bool {
	switch r.Tag {
	case TagSymlink, TagMountPoint, TagWSLLink:
		return true
	case TagNFS:
		return r.Target != ""
	}
	return false
}

// AppendSymlink appends the reparse point of a symbolic link, as FsctlSetReparse takes it.
func AppendSymlink(b []byte, target string, relative bool) []byte {
	p := UTF16(target)
	b = le.AppendUint32(b, TagSymlink)
	b = le.AppendUint16(b, uint16(12+2*len(p)))
	b = append(b, 0, 0)
	for _, v := range [...]int{0, len(p), len(p), len(p)} {
		b = le.AppendUint16(b, uint16(v))
	}
	b = le.AppendUint32(b, uint32(b2u(relative)))
	return append(append(b, p...), p...)
}

// DecodeReparse reads a reparse point.
func DecodeReparse(b []byte) (r Reparse, err error) {
	if len(b) < 8 {
		return r, malformed("a reparse point of %d bytes", len(b))
	}
	r.Tag = le.Uint32(b)
	data, err := part(b, 8, uint32(le.Uint16(b[4:])))
	if err != nil {
		return r, err
	}
	switch r.Tag {
	case TagSymlink:
		return r, r.names(data, true)
	case TagMountPoint:
		return r, r.names(data, false)
	case TagWSLLink:
		if len(data) < 4 {
			return r, malformed("a WSL link of %d bytes", len(data))
		}
		r.Target, r.Relative = string(data[4:]), !strings.HasPrefix(string(data[4:]), "/")
	case TagNFS:
		if len(data) >= 8 && le.Uint64(data) == nfsLink {
			r.Target = String(data[8:])
			r.Relative = !strings.HasPrefix(r.Target, "/")
		}
		r.Data = data
	default:
		r.Data = data
	}
	return r, nil
}

// names reads the two names of a symbolic link or a mount point.
func (r *Reparse) names(b []byte, flags bool) error {
	fixed := 8
	if flags {
		fixed = 12
	}
	if len(b) < fixed {
		return malformed("a link of %d bytes", len(b))
	}
	if flags {
		r.Relative = le.Uint32(b[8:])&1 != 0
	}
	for i, to := range [...]*string{&r.Target, &r.Print} {
		name, err := part(b[fixed:], uint32(le.Uint16(b[4*i:])), uint32(le.Uint16(b[4*i+2:])))
		if err != nil {
			return err
		}
		*to = String(name)
	}
	return nil
}

// LinkError is what a server tells of a link that stands in the way of a name ([MS-SMB2] 2.2.2.2.1).
type LinkError struct {
	Reparse
	Unparsed int // bytes of the name, in UTF-16, that come after the link
}

// ErrorData gives the data of an error's answer ([MS-SMB2] 2.2.2), that of the first context if there are contexts.
func ErrorData(msg []byte) ([]byte, error) {
	b, err := body(msg, 9, 8)
	if err != nil {
		return nil, err
	}
	data, err := part(msg, HeaderSize+8, le.Uint32(b[4:]))
	if err != nil || b[2] == 0 {
		return data, err
	}
	if len(data) < 8 {
		return nil, malformed("an error context of %d bytes", len(data))
	}
	return part(data, 8, le.Uint32(data))
}

// DecodeLinkError reads the data of an answer with StatusStoppedOnLink.
func DecodeLinkError(data []byte) (l LinkError, err error) {
	if len(data) < 16 || le.Uint32(data[4:]) != 0x4C4D5953 || le.Uint32(data[8:]) != TagSymlink {
		return l, malformed("a link's error of %d bytes", len(data))
	}
	l.Tag, l.Unparsed = TagSymlink, int(le.Uint16(data[14:]))
	return l, l.names(data[16:], true)
}
