package share

import (
	"fmt"
	"io/fs"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// Flags of an ATTRS structure (5).
const (
	attrSize     = 0x1
	attrOwner    = 0x2
	attrMode     = 0x4
	attrTimes    = 0x8
	attrExtended = 0x80000000
)

// attrs are the attributes that a client sends.
type attrs struct {
	flags        uint32
	size         uint64
	uid, gid     uint32
	mode         uint32
	atime, mtime uint32
}

func (f *fields) attrs() attrs {
	var a attrs
	a.flags = f.uint32()
	if a.flags&attrSize != 0 {
		a.size = f.uint64()
	}
	if a.flags&attrOwner != 0 {
		a.uid, a.gid = f.uint32(), f.uint32()
	}
	if a.flags&attrMode != 0 {
		a.mode = f.uint32()
	}
	if a.flags&attrTimes != 0 {
		a.atime, a.mtime = f.uint32(), f.uint32()
	}
	if a.flags&attrExtended != 0 {
		for n := f.uint32(); n > 0 && f.err == nil; n-- {
			f.bytes()
			f.bytes()
		}
	}
	return a
}

// perm is the mode that a client wants for what it makes.
func (a attrs) perm(def uint32) uint32 {
	if a.flags&attrMode != 0 {
		return a.mode & 0o7777
	}
	return def
}

func (a attrs) times() (atime, mtime time.Time) {
	return time.Unix(int64(a.atime), 0), time.Unix(int64(a.mtime), 0)
}

func seconds(ts unix.Timespec) uint32 { return uint32(min(max(ts.Sec, 0), math.MaxUint32)) }

// attrs appends what stat(2) told.
func (r *reply) attrs(st *unix.Stat_t) {
	r.uint32(attrSize | attrOwner | attrMode | attrTimes)
	r.uint64(uint64(st.Size))
	r.uint32(st.Uid)
	r.uint32(st.Gid)
	r.uint32(st.Mode)
	r.uint32(seconds(st.Atim))
	r.uint32(seconds(st.Mtim))
}

// fileMode turns the bits of a client into those of package os.
func fileMode(bits uint32) fs.FileMode {
	m := fs.FileMode(bits & 0o777)
	for bit, flag := range map[uint32]fs.FileMode{unix.S_ISUID: fs.ModeSetuid, unix.S_ISGID: fs.ModeSetgid, unix.S_ISVTX: fs.ModeSticky} {
		if bits&bit != 0 {
			m |= flag
		}
	}
	return m
}

// longName is the line that sftp(1) prints for ls -l (7); it has no defined form, and programs use the attributes.
func longName(name string, st *unix.Stat_t) string {
	kind := map[uint32]byte{unix.S_IFDIR: 'd', unix.S_IFLNK: 'l', unix.S_IFIFO: 'p', unix.S_IFSOCK: 's', unix.S_IFCHR: 'c',
		unix.S_IFBLK: 'b'}[st.Mode&unix.S_IFMT]
	if kind == 0 {
		kind = '-'
	}
	mode := []byte("rwxrwxrwx")
	for i := range mode {
		if st.Mode&(0o400>>i) == 0 {
			mode[i] = '-'
		}
	}
	when := time.Unix(st.Mtim.Sec, 0)
	layout := "Jan _2 15:04"
	if age := time.Since(when); age > 180*24*time.Hour || age < 0 {
		layout = "Jan _2  2006"
	}
	return fmt.Sprintf("%c%s %4d %-8d %-8d %8d %s %s", kind, mode, st.Nlink, st.Uid, st.Gid, st.Size, when.Format(layout), name)
}
