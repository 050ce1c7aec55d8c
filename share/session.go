package share

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// maxHandles bounds the files and folders that one session holds open.
const maxHandles = 4096

// handle is one open file or folder.
type handle struct {
	f      *os.File
	dir    bool
	append bool // writes go to the end, whatever their offset
}

// session is one SFTP session. It handles one request after the other, as OpenSSH's server does, so that a client may count on the order
// of what it sends; all of it belongs to the one goroutine in serve.
type session struct {
	s       *Server
	rw      io.ReadWriter
	tree    tree
	handles map[uint32]*handle
	next    uint32
	out     reply
}

func newSession(s *Server, rw io.ReadWriter) *session {
	return &session{s: s, rw: rw, tree: tree{s.root, s.real}, handles: map[uint32]*handle{}}
}

// serve answers until the client ends the session (io.EOF) or breaks the protocol.
func (t *session) serve() error {
	in := bufio.NewReaderSize(t.rw, 64<<10)
	var buf []byte
	for begun := false; ; {
		kind, payload, grown, err := readPacket(in, buf)
		if err != nil {
			return err
		}
		buf = grown
		if begun == (kind == typeInit) {
			return errors.New("a session begins with INIT, once")
		}
		if !begun {
			begun = true
			t.version()
		} else {
			f := &fields{b: payload}
			id := f.uint32()
			if f.err != nil {
				return f.err
			}
			t.answer(kind, id, f)
		}
		if _, err := t.rw.Write(t.out.end()); err != nil {
			return err
		}
	}
}

// closeAll gives back what the client left open.
func (t *session) closeAll() {
	for id, h := range t.handles {
		h.f.Close()
		delete(t.handles, id)
	}
}

func (t *session) version() {
	t.out.begin(typeVersion, 3)
	for _, e := range [][2]string{
		{"posix-rename@openssh.com", "1"}, {"statvfs@openssh.com", "2"}, {"fstatvfs@openssh.com", "2"},
		{"hardlink@openssh.com", "1"}, {"fsync@openssh.com", "1"}, {"lsetstat@openssh.com", "1"}, {"limits@openssh.com", "1"},
	} {
		t.out.string(e[0])
		t.out.string(e[1])
	}
}

// answer puts the answer to one request into t.out.
func (t *session) answer(kind byte, id uint32, f *fields) {
	err := t.request(kind, id, f)
	if f.err != nil {
		err = f.err
	}
	if err != nil || len(t.out.b) == 0 {
		code, text := statusOf(err)
		t.out.status(id, code, text)
	}
}

var (
	errBadMessage  = errors.New("bad message")
	errUnsupported = errors.New("operation unsupported")
)

// statusOf is the status of an error, as OpenSSH's server translates an errno, with the errno's own words.
func statusOf(err error) (uint32, string) {
	var e unix.Errno
	switch {
	case err == nil:
		return statusOK, "Success"
	case err == io.EOF:
		return statusEOF, "End of file"
	case errors.Is(err, errShort), errors.Is(err, errBadMessage):
		return statusBadMessage, "Bad message"
	case errors.Is(err, errUnsupported):
		return statusUnsupported, "Operation unsupported"
	case errors.As(err, &e):
		code := uint32(statusFailure)
		switch e {
		case unix.ENOENT, unix.ENOTDIR, unix.EBADF, unix.ELOOP:
			code = statusNoSuchFile
		case unix.EPERM, unix.EACCES, unix.EFAULT:
			code = statusDenied
		case unix.ENAMETOOLONG, unix.EINVAL:
			code = statusBadMessage
		case unix.ENOSYS, unix.EOPNOTSUPP:
			code = statusUnsupported
		}
		return code, e.Error()
	case errors.Is(err, fs.ErrNotExist):
		return statusNoSuchFile, "No such file"
	}
	// What package os says without an errno is that the name leads out of the folder.
	return statusDenied, "Permission denied"
}

// errReadOnly is EACCES rather than EROFS, which version 3 can't say.
var errReadOnly error = unix.EACCES

// changes reports whether a request alters something. OPEN is looked at by its flags.
func changes(kind byte) bool {
	switch kind {
	case typeWrite, typeSetstat, typeFsetstat, typeRemove, typeMkdir, typeRmdir, typeRename, typeSymlink:
		return true
	}
	return false
}

// request does what a packet asks. Where it answers with more than a status, it puts that into t.out with the request's id.
func (t *session) request(kind byte, id uint32, f *fields) error {
	t.out.b = t.out.b[:0]
	if t.s.cfg.ReadOnly && changes(kind) {
		return errReadOnly
	}
	switch kind {
	case typeOpen:
		return t.open(id, f)
	case typeOpendir:
		name := f.string()
		if f.err != nil {
			return f.err
		}
		d, err := t.tree.openDir(name)
		if err != nil {
			return err
		}
		return t.give(id, &handle{f: d, dir: true})
	case typeClose:
		return t.close(f)
	case typeRead:
		return t.read(id, f)
	case typeWrite:
		return t.write(f)
	case typeReaddir:
		return t.readdir(id, f)
	case typeFstat:
		h, err := t.handle(f)
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Fstat(int(h.f.Fd()), &st); err != nil {
			return err
		}
		t.out.begin(typeAttrs, id)
		t.out.attrs(&st)
		return nil
	case typeFsetstat:
		h, err := t.handle(f)
		a := f.attrs()
		if err != nil || f.err != nil {
			return errors.Join(f.err, err)
		}
		return setHandle(h.f, a)
	case typeExtended:
		return t.extended(id, f)
	}
	return t.byName(kind, id, f)
}

// byName does the requests that speak of names.
func (t *session) byName(kind byte, id uint32, f *fields) error {
	name := f.string()
	if f.err != nil {
		return f.err
	}
	switch kind {
	case typeStat, typeLstat:
		st, err := t.tree.stat(name, kind == typeStat)
		if err != nil {
			return err
		}
		t.out.begin(typeAttrs, id)
		t.out.attrs(&st)
		return nil
	case typeSetstat:
		a := f.attrs()
		if f.err != nil {
			return f.err
		}
		return t.tree.set(name, a)
	case typeRemove:
		return t.tree.remove(name, 0)
	case typeRmdir:
		return t.tree.remove(name, unix.AT_REMOVEDIR)
	case typeMkdir:
		a := f.attrs()
		if f.err != nil {
			return f.err
		}
		return t.tree.mkdir(name, a.perm(0o777))
	case typeRealpath:
		t.name(id, "/"+strings.TrimPrefix(inside(name), "."))
		return nil
	case typeReadlink:
		target, err := t.tree.readlink(name)
		if err != nil {
			return err
		}
		t.name(id, target)
		return nil
	case typeRename, typeSymlink:
		other := f.string()
		if f.err != nil {
			return f.err
		}
		if kind == typeRename {
			return t.tree.rename(name, other, unix.RENAME_NOREPLACE)
		}
		// OpenSSH has the two the other way round than the draft, and so has every client.
		return t.tree.symlink(name, other)
	}
	return errUnsupported
}

// name answers with one name and no attributes.
func (t *session) name(id uint32, name string) {
	t.out.begin(typeName, id)
	t.out.uint32(1)
	t.out.string(name)
	t.out.string(name)
	t.out.uint32(0)
}

// extended does the extensions of version.
func (t *session) extended(id uint32, f *fields) error {
	what := f.string()
	if t.s.cfg.ReadOnly {
		switch what {
		case "posix-rename@openssh.com", "hardlink@openssh.com", "lsetstat@openssh.com":
			return errReadOnly
		}
	}
	switch what {
	case "posix-rename@openssh.com", "hardlink@openssh.com":
		from, to := f.string(), f.string()
		if f.err != nil {
			return f.err
		}
		if what == "hardlink@openssh.com" {
			return t.tree.link(from, to)
		}
		return t.tree.rename(from, to, 0)
	case "statvfs@openssh.com":
		name := f.string()
		if f.err != nil {
			return f.err
		}
		st, err := t.tree.statfs(name)
		if err != nil {
			return err
		}
		t.statvfs(id, &st)
		return nil
	case "fstatvfs@openssh.com":
		h, err := t.handle(f)
		if err != nil {
			return err
		}
		var st unix.Statfs_t
		if err := unix.Fstatfs(int(h.f.Fd()), &st); err != nil {
			return err
		}
		t.statvfs(id, &st)
		return nil
	case "fsync@openssh.com":
		h, err := t.handle(f)
		if err != nil {
			return err
		}
		return h.f.Sync()
	case "lsetstat@openssh.com":
		name, a := f.string(), f.attrs()
		if f.err != nil {
			return f.err
		}
		return t.tree.lset(name, a)
	case "limits@openssh.com":
		t.out.begin(typeExtendedReply, id)
		for _, n := range []uint64{maxPacket, maxData, maxData, maxHandles} {
			t.out.uint64(n)
		}
		return nil
	}
	return errUnsupported
}

func (t *session) statvfs(id uint32, st *unix.Statfs_t) {
	var flag uint64
	if st.Flags&unix.ST_RDONLY != 0 || t.s.cfg.ReadOnly {
		flag |= 1
	}
	if st.Flags&unix.ST_NOSUID != 0 {
		flag |= 2
	}
	frsize := uint64(st.Frsize)
	if frsize == 0 {
		frsize = uint64(st.Bsize)
	}
	fsid := uint64(uint32(st.Fsid.Val[0])) | uint64(uint32(st.Fsid.Val[1]))<<32
	t.out.begin(typeExtendedReply, id)
	for _, n := range []uint64{uint64(st.Bsize), frsize, st.Blocks, st.Bfree, st.Bavail, st.Files, st.Ffree, st.Ffree, fsid, flag,
		uint64(st.Namelen)} {
		t.out.uint64(n)
	}
}
