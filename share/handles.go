package share

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// give puts a handle into the table and answers with it.
func (t *session) give(id uint32, h *handle) error {
	if len(t.handles) >= maxHandles {
		h.f.Close()
		return unix.EMFILE
	}
	for t.handles[t.next] != nil {
		t.next++
	}
	t.handles[t.next] = h
	t.out.begin(typeHandle, id)
	t.out.uint32(4)
	t.out.uint32(t.next)
	t.next++
	return nil
}

// handle finds what the request's next field names.
func (t *session) handle(f *fields) (*handle, error) {
	b := f.bytes()
	if f.err != nil {
		return nil, f.err
	}
	if len(b) == 4 {
		if h := t.handles[binary.BigEndian.Uint32(b)]; h != nil {
			return h, nil
		}
	}
	return nil, errors.New("no such handle")
}

func (t *session) close(f *fields) error {
	h, err := t.handle(&fields{b: f.b})
	if err != nil {
		return err
	}
	delete(t.handles, binary.BigEndian.Uint32(f.b[4:]))
	return h.f.Close()
}

func (t *session) open(id uint32, f *fields) error {
	name, flags, a := f.string(), f.uint32(), f.attrs()
	if f.err != nil {
		return f.err
	}
	if t.s.cfg.ReadOnly && flags&(openWrite|openAppend|openCreate|openTrunc) != 0 {
		return errReadOnly
	}
	var mode int
	switch flags & (openRead | openWrite) {
	case openRead:
		mode = os.O_RDONLY
	case openWrite:
		mode = os.O_WRONLY
	case openRead | openWrite:
		mode = os.O_RDWR
	default:
		return errBadMessage
	}
	if flags&openCreate != 0 {
		mode |= os.O_CREATE
		if flags&openExcl != 0 {
			mode |= os.O_EXCL
		}
	}
	if flags&openTrunc != 0 && flags&openWrite != 0 {
		mode |= os.O_TRUNC
	}
	if flags&openAppend != 0 {
		mode |= os.O_APPEND
	}
	file, err := t.tree.open(name, mode, a.perm(0o666))
	if err != nil {
		return err
	}
	return t.give(id, &handle{f: file, append: flags&openAppend != 0})
}

func (t *session) read(id uint32, f *fields) error {
	h, err := t.handle(f)
	off, n := f.uint64(), f.uint32()
	switch {
	case err != nil || f.err != nil:
		return errors.Join(f.err, err)
	case h.dir:
		return unix.EISDIR
	case int64(off) < 0:
		return unix.EINVAL
	}
	n = min(n, maxData)
	t.out.begin(typeData, id)
	head := len(t.out.b) + 4
	if need := head + int(n); cap(t.out.b) < need {
		t.out.b = append(make([]byte, 0, need), t.out.b...)
	}
	got, err := h.f.ReadAt(t.out.b[head:head+int(n)], int64(off))
	if got == 0 && n > 0 {
		if err == nil {
			err = io.EOF
		}
		return err // an error after some data comes again with the next request
	}
	t.out.uint32(uint32(got))
	t.out.b = t.out.b[:head+got]
	return nil
}

func (t *session) write(f *fields) error {
	h, err := t.handle(f)
	off, data := f.uint64(), f.bytes()
	switch {
	case err != nil || f.err != nil:
		return errors.Join(f.err, err)
	case h.dir:
		return unix.EISDIR
	case h.append:
		_, err = h.f.Write(data)
	case int64(off) < 0:
		return unix.EINVAL
	default:
		_, err = h.f.WriteAt(data, int64(off))
	}
	return err
}

// readdirBatch is the number of names in one answer: at 255 bytes a name, twice, it stays far below maxPacket.
const readdirBatch = 200

func (t *session) readdir(id uint32, f *fields) error {
	h, err := t.handle(f)
	if err != nil {
		return err
	}
	if !h.dir {
		return unix.ENOTDIR
	}
	for {
		names, err := h.f.Readdirnames(readdirBatch)
		if len(names) == 0 {
			if err == nil {
				err = io.EOF
			}
			return err
		}
		t.out.begin(typeName, id)
		at := len(t.out.b)
		t.out.uint32(0)
		count := uint32(0)
		for _, name := range names {
			var st unix.Stat_t
			// What is gone meanwhile is not there.
			if unix.Fstatat(int(h.f.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
				continue
			}
			t.out.string(name)
			t.out.string(longName(name, &st))
			t.out.attrs(&st)
			count++
		}
		if count > 0 {
			binary.BigEndian.PutUint32(t.out.b[at:], count)
			return nil
		}
	}
}

// setHandle is FSETSTAT. The size goes by the descriptor, which may write where the mode no longer allows it.
func setHandle(f *os.File, a attrs) error {
	fd := int(f.Fd())
	if a.flags&attrSize != 0 {
		if int64(a.size) < 0 {
			return unix.EINVAL
		}
		if err := f.Truncate(int64(a.size)); err != nil {
			return err
		}
	}
	if a.flags&attrMode != 0 {
		if err := unix.Fchmod(fd, a.mode&0o7777); err != nil {
			return err
		}
	}
	if a.flags&attrTimes != 0 {
		if err := unix.Futimes(fd, []unix.Timeval{{Sec: int64(a.atime)}, {Sec: int64(a.mtime)}}); err != nil {
			return err
		}
	}
	if a.flags&attrOwner != 0 {
		return unix.Fchown(fd, int(a.uid), int(a.gid))
	}
	return nil
}
