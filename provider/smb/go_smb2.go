package smb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"
)

// This file is the only one that knows the SMB library. What it can't do is written in doc.go; the rest of the package works
// around it through these three interfaces. Their methods may be called from many goroutines, block until the server has answered
// or the connection is closed, and return an ntStatus, an errno or errBroken. Paths are the server's: see names.go.

// link is a session with a server.
type link interface {
	connect(share string) (tree, error)
	shares() ([]shareInfo, error)
	echo() error
}

// tree is a share that the session is connected to.
type tree interface {
	stat(path string) (info, error)
	// list gives a folder's entries; finish gives the folder back, and may be called later.
	list(path string) (all []info, finish func(), err error)
	open(path string, how access, disposition int, readOnly bool) (handle, error)
	mkdir(path string) error
	remove(path string) error
	// rename replaces a file that nobody has open; anything else in the way is an error.
	rename(from, to string) error
	setTimes(path string, atime, mtime time.Time) error
	setReadOnly(path string, on bool) error
	room() (total, free, available uint64, err error)
}

// handle is a file open on the server. Others may open it too, but not rename or remove it: the library's share mode is read and
// write without delete.
type handle interface {
	readAt(p []byte, off int64) (int, error)
	writeAt(p []byte, off int64) (int, error)
	truncate(size int64) error
	sync() error
	stat() (info, error)
	close() error
}

// access is what a handle is opened for.
type access uint8

const (
	accessRead access = 1 << iota
	accessWrite
)

// How open treats a file that is there or not.
const (
	openExisting = iota // the file has to be there
	openAlways          // it is made if it is not there
	openNew             // it may not be there
)

// info is what the server says of a file or folder.
type info struct {
	name                string
	dir, readOnly       bool
	size, alloc         int64
	mtime, atime, ctime time.Time
}

// shareInfo is one share of a server.
type shareInfo struct {
	name, comment string
	kind          byte // shareDisk, sharePipe, sharePrint, 0 for others
}

// errBroken is what every request fails with whose connection has ended.
var errBroken = errors.New("the connection has ended")

// badAnswer is an answer that makes no sense.
type badAnswer struct{ text string }

func (e *badAnswer) Error() string { return "the server's answer makes no sense: " + e.text }
func (e *badAnswer) Unwrap() error { return syscall.EIO }

// login is who to be for the server.
type login struct {
	domain, user, password string
	anonymous              bool
	absent                 bool // no password is known: go no further than to where it is needed
}

// errNoPassword is what dialing ends with where a password is needed and none is known.
var errNoPassword = errors.New("the server asks for a password and none was given")

// halt is an Initiator that stops when the server has negotiated and wants to know who we are.
type halt struct{ *smb2.NTLMInitiator }

func (halt) InitSecContext() ([]byte, error) { return nil, errNoPassword }

// credits are how many units of 64 KiB may be under way at once: 32 requests of 1 MiB.
const credits = 512

// dial opens a session on conn. It ends when ctx does only because the caller then closes conn: a request that the library gives up
// for its context leaves handles behind on the server and may garble what is sent next. So ctx must not end before conn is closed.
func dial(ctx context.Context, conn net.Conn, server string, who login, sign bool) (link, error) {
	d := &smb2.Dialer{MaxCreditBalance: credits, Negotiator: smb2.Negotiator{RequireMessageSigning: sign}}
	ntlm := &smb2.NTLMInitiator{User: who.user, Password: who.password, Domain: who.domain}
	switch {
	case who.absent:
		d.Initiator = halt{ntlm}
	case who.anonymous:
		d.Initiator = &smb2.NTLMInitiator{}
	default:
		d.Initiator = ntlm
	}
	s, err := d.DialConn(ctx, conn, server)
	if err != nil {
		return nil, translate(err)
	}
	return session{s.WithContext(ctx), ctx, server}, nil
}

type session struct {
	s      *smb2.Session
	ctx    context.Context
	server string
}

var _ link = session{}

func (s session) connect(share string) (tree, error) {
	t, err := s.s.Mount(`\\`+s.server+`\`+share, smb2.WithMapPosix())
	if err != nil {
		return nil, translate(err)
	}
	return mounted{t.WithContext(s.ctx)}, nil
}

func (s session) shares() ([]shareInfo, error) {
	list, err := s.s.ListShares()
	if err != nil {
		return nil, translate(err)
	}
	var all []shareInfo
	for _, l := range list {
		i := shareInfo{name: l.Name, comment: l.Comment}
		switch l.Type() {
		case smb2.ShareTypeDiskTree:
			i.kind = shareDisk
		case smb2.ShareTypePrintQueue:
			i.kind = sharePrint
		case smb2.ShareTypeIPC:
			i.kind = sharePipe
		}
		all = append(all, i)
	}
	return all, nil
}

func (s session) echo() error { return translate(s.s.Echo()) }

type mounted struct{ s *smb2.Share }

var _ tree = mounted{}

// stat follows a link on the server, if it has them: a link is not shown as one, see doc.go.
func (m mounted) stat(path string) (info, error) {
	fi, err := m.s.Stat(path)
	if err != nil {
		return info{}, translate(err)
	}
	return describe(fi)
}

func (m mounted) list(path string) ([]info, func(), error) {
	f, err := m.s.Open(path)
	if err != nil {
		return nil, nil, translate(err)
	}
	list, err := f.Readdir(-1)
	if err != nil {
		err = translate(err)
		if !is(err, statusNoSuchFile) { // the root of an empty volume
			f.Close()
			return nil, nil, err
		}
	}
	all := make([]info, 0, len(list))
	for _, fi := range list {
		i, err := describe(fi)
		if err != nil {
			f.Close()
			return nil, nil, err
		}
		all = append(all, i)
	}
	return all, func() { f.Close() }, nil
}

func (m mounted) open(path string, how access, disposition int, readOnly bool) (handle, error) {
	flag := os.O_RDONLY
	switch how {
	case accessWrite:
		flag = os.O_WRONLY
	case accessRead | accessWrite:
		flag = os.O_RDWR
	}
	switch disposition {
	case openAlways:
		flag |= os.O_CREATE
	case openNew:
		flag |= os.O_CREATE | os.O_EXCL
	}
	perm := os.FileMode(0o666)
	if readOnly {
		perm = 0o444
	}
	f, err := m.s.OpenFile(path, flag, perm)
	if err != nil {
		return nil, translate(err)
	}
	return opened{f}, nil
}

func (m mounted) mkdir(path string) error      { return translate(m.s.Mkdir(path, 0o777)) }
func (m mounted) remove(path string) error     { return translate(m.s.Remove(path)) }
func (m mounted) rename(from, to string) error { return translate(m.s.Rename(from, to)) }

func (m mounted) setTimes(path string, atime, mtime time.Time) error {
	return translate(m.s.Chtimes(path, atime, mtime))
}

func (m mounted) setReadOnly(path string, on bool) error {
	mode := os.FileMode(0o666)
	if on {
		mode = 0o444
	}
	return translate(m.s.Chmod(path, mode))
}

func (m mounted) room() (total, free, available uint64, err error) {
	st, err := m.s.Statfs("")
	if err != nil {
		return 0, 0, 0, translate(err)
	}
	size := st.BlockSize()
	// A lying server may not make the product wrap around.
	mul := func(n uint64) uint64 {
		if size != 0 && n > math.MaxInt64/size {
			return math.MaxInt64
		}
		return n * size
	}
	return mul(st.TotalBlockCount()), mul(st.FreeBlockCount()), mul(st.AvailableBlockCount()), nil
}

type opened struct{ f *smb2.File }

var _ handle = opened{}

func (o opened) readAt(p []byte, off int64) (int, error) {
	n, err := o.f.ReadAt(p, off)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, translate(err)
}

func (o opened) writeAt(p []byte, off int64) (int, error) {
	n, err := o.f.WriteAt(p, off)
	return n, translate(err)
}

func (o opened) truncate(size int64) error { return translate(o.f.Truncate(size)) }
func (o opened) sync() error               { return translate(o.f.Sync()) }
func (o opened) close() error              { return translate(o.f.Close()) }

func (o opened) stat() (info, error) {
	fi, err := o.f.Stat()
	if err != nil {
		return info{}, translate(err)
	}
	return describe(fi)
}

// noTime is what the library makes of a time that the server does not have, a FILETIME of 0: the product overflows.
const noTime = 6802270473709551616

func describe(fi fs.FileInfo) (info, error) {
	st, ok := fi.Sys().(*smb2.FileStat)
	if !ok || st.EndOfFile < 0 {
		return info{}, &badAnswer{"a file without attributes"}
	}
	when := func(t time.Time) time.Time {
		if t.UnixNano() == noTime {
			return time.Time{}
		}
		return t
	}
	const (
		attrReadOnly  = 0x1
		attrDirectory = 0x10
	)
	return info{
		name: fi.Name(), dir: st.FileAttributes&attrDirectory != 0, readOnly: st.FileAttributes&attrReadOnly != 0,
		size: st.EndOfFile, alloc: max(0, st.AllocationSize),
		mtime: when(st.LastWriteTime), atime: when(st.LastAccessTime), ctime: when(st.ChangeTime),
	}, nil
}

// translate turns the library's errors into the package's. The library keeps three statuses as the standard library's errors.
func translate(err error) error {
	var response *smb2.ResponseError
	var transport *smb2.TransportError
	var invalid *smb2.InvalidResponseError
	var internal *smb2.InternalError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &response):
		return ntStatus(response.Code)
	case errors.As(err, &transport):
		return fmt.Errorf("%w: %w", errBroken, transport.Err)
	case errors.As(err, &invalid):
		return &badAnswer{strings.TrimSpace(invalid.Message)}
	case errors.As(err, &internal):
		return &badAnswer{strings.TrimSpace(internal.Message)}
	case errors.Is(err, smb2.ErrRequestNotAccepted):
		return statusRequestNotAccepted
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errBroken
	case errors.Is(err, os.ErrExist):
		return statusCollision
	case errors.Is(err, os.ErrNotExist):
		return statusNotFound
	case errors.Is(err, os.ErrPermission):
		return statusAccessDenied
	case errors.Is(err, os.ErrInvalid):
		return syscall.EINVAL
	}
	return err
}
