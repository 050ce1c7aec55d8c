package smb2

import (
	"time"

	"github.com/openwnet/wnet/smb2/wire"
)

// Attr describes a file or folder. Times that the server does not have are zero.
type Attr struct {
	Name                               string // last part of the name, of a listing only
	Size                               int64
	Allocation                         int64 // bytes on the server's disk
	Created, Accessed, Written, Change time.Time
	Attributes                         uint32      // wire.AttrDirectory, …
	ID                                 uint64      // the server's number for the file; 0 if it has none
	Links                              uint32      // 0 if unknown
	ReparseTag                         uint32      // of a reparse point, where it is known
	Posix                              *wire.Posix // with the POSIX extensions
}

// IsDir reports whether it is a folder and no link.
func (a *Attr) IsDir() bool {
	return a.Attributes&wire.AttrDirectory != 0 && !a.IsLink()
}

// IsLink reports whether it is a symbolic link or a mount point.
func (a *Attr) IsLink() bool {
	if a.Attributes&wire.AttrReparse == 0 {
		return false
	}
	switch a.ReparseTag {
	case wire.TagSymlink, wire.TagMountPoint, wire.TagWSLLink, wire.TagNFS:
		return true
	}
	return false
}

func (a *Attr) basic(b wire.Basic, size, allocation uint64) {
	a.Created, a.Accessed, a.Written, a.Change, a.Attributes = b.Created.Time(), b.Accessed.Time(), b.Written.Time(), b.Changed.Time(), b.Attributes
	a.Size, a.Allocation = bound(size), bound(allocation)
}

// bound keeps what a server says of a size within what a program can use.
func bound(v uint64) int64 { return int64(min(v, 1<<63-1)) }

func created(r *wire.CreateResponse) (a Attr) {
	a.basic(wire.Basic{Created: r.Created, Accessed: r.Accessed, Written: r.Written, Changed: r.Changed, Attributes: r.Attributes}, r.Size, r.Allocation)
	if b, ok := r.Context(wire.CtxOnDiskID); ok {
		a.ID, _, _ = wire.DecodeOnDiskID(b)
	}
	if b, ok := r.Context(wire.CtxPosix); ok {
		if p, err := wire.DecodePosixCreated(b); err == nil {
			a.Posix = &wire.Posix{Links: p.Nlink, Mode: p.Mode, Owner: p.Owner, Group: p.Group}
			a.Links, a.ReparseTag = p.Nlink, p.ReparseTag
		}
	}
	return a
}

func all(i *wire.All) (a Attr) {
	a.basic(i.Basic, i.Size, i.Allocation)
	a.ID, a.Links = i.ID, i.Links
	return a
}

// Change says which attributes to set; what is zero is left alone.
type Change struct {
	Created, Accessed, Written, Changed time.Time
	Attributes                          uint32 // all of them; wire.AttrNormal for none
}

func (c *Change) basic() []byte {
	b := wire.Basic{Created: wire.FiletimeOf(c.Created), Accessed: wire.FiletimeOf(c.Accessed), Written: wire.FiletimeOf(c.Written),
		Changed: wire.FiletimeOf(c.Changed), Attributes: c.Attributes}
	return b.Append(nil)
}
