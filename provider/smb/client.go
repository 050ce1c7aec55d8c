package smb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/openwnet/wnet/smb2"
	"github.com/openwnet/wnet/smb2/auth"
	smbconn "github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/rpce"
	"github.com/openwnet/wnet/smb2/wire"
)

// This file is where the provider meets package smb2: the rest of it speaks through these three interfaces. Their methods may be called from
// many goroutines, block until the server has answered or the connection is closed, and return an ntStatus, an errno or errBroken. Paths are
// the server's: see names.go.

// link is a session with a server.
type link interface {
	connect(share string) (tree, error)
	shares() ([]shareInfo, error)
	echo() error
}

// tree is a share that the session is connected to.
type tree interface {
	kind() byte // shareDisk, sharePipe or sharePrint
	stat(path string) (info, error)
	list(path string) ([]info, error)
	open(path string, how access, disposition int, readOnly bool) (handle, error)
	mkdir(path string) error
	remove(path string) error
	// rename replaces a file that nobody has open; anything else in the way is an error, except where the server has POSIX' rename.
	rename(from, to string) error
	setTimes(path string, atime, mtime time.Time) error
	setReadOnly(path string, on bool) error
	room() (total, free, available uint64, err error)
}

// handle is a file open on the server. Others may read, write, rename and remove it.
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
	name                   string // as it was given: user, DOMAIN\user or user@domain
	domain, user, password string
	anonymous              bool
	absent                 bool // no password is known: a ticket has to do
	implied                bool // nobody named the user: it is the account that the daemon runs as
}

// errNoPassword is what dialing ends with where a password is needed and none is known.
var errNoPassword = errors.New("the server asks for a password and none was given")

// ticket is the credential of who gave no password: the Kerberos ticket that the user may have. Without one it stops when the server has
// negotiated and wants to know who we are.
type ticket struct{ user string }

var _ smb2.Credential = ticket{}

func (t ticket) Authenticator(server string, hint []byte) (smb2.Authenticator, error) {
	c, err := auth.Tickets(t.user, "", auth.Options{})
	if err != nil {
		return nil, errNoPassword
	}
	a, err := c.Authenticator(server, hint)
	if err != nil {
		return nil, errNoPassword
	}
	return a, nil
}

func (ticket) Kind() smb2.CredentialKind { return smb2.UserCredential }

func (w login) credential() (smb2.Credential, error) {
	switch {
	case w.anonymous:
		return auth.Anonymous(), nil
	case w.guest():
		return auth.Guest(w.user), nil
	case w.absent && w.implied:
		return ticket{}, nil
	case w.absent:
		return ticket{w.name}, nil
	}
	return auth.Password(w.name, auth.NewSecret(w.password), auth.Options{})
}

// patience is how long a living server may take over one request, such as a flush of much data; whether it lives is conn.watch's to find out.
const patience = 10 * time.Minute

// dial opens a session on nc. It ends when ctx does, or when nc is closed; so do the requests of the session.
func dial(ctx context.Context, nc net.Conn, server string, who login, integrity, privacy bool) (link, error) {
	cred, err := who.credential()
	if err != nil {
		return nil, err
	}
	c, err := smb2.Dial(ctx, smb2.Options{Server: server, Credential: cred, Once: true, Timeout: patience, DeadAfter: patience, DialTimeout: patience,
		Policy: smb2.Policy{RequireIntegrity: integrity, RequirePrivacy: privacy},
		Dial:   func(context.Context) (net.Conn, error) { return nc, nil }})
	if err != nil {
		return nil, translate(err)
	}
	return session{c, ctx}, nil
}

type session struct {
	c   *smb2.Client
	ctx context.Context
}

var _ link = session{}

func (s session) connect(share string) (tree, error) {
	t, err := s.c.Tree(s.ctx, share)
	if err != nil {
		return nil, translate(err)
	}
	return mounted{t, s.ctx}, nil
}

func (s session) shares() ([]shareInfo, error) {
	list, err := s.list()
	if err != nil {
		return nil, translate(err)
	}
	var all []shareInfo
	for _, l := range list {
		i := shareInfo{name: l.Name, comment: l.Comment}
		switch l.Kind {
		case rpce.DiskShare:
			i.kind = shareDisk
		case rpce.PrintShare:
			i.kind = sharePrint
		case rpce.PipeShare:
			i.kind = sharePipe
		}
		all = append(all, i)
	}
	return all, nil
}

func (s session) list() ([]rpce.Share, error) {
	t, err := s.c.Tree(s.ctx, "IPC$")
	if err != nil {
		return nil, err
	}
	defer t.Disconnect(s.ctx)
	pipe, err := t.Open(s.ctx, rpce.ServerServicePipe, smb2.Open{Access: wire.GenericRead | wire.GenericWrite, Disposition: wire.Open})
	if err != nil {
		return nil, err
	}
	defer pipe.Close(s.ctx)
	service, err := rpce.Bind(s.ctx, pipe, rpce.ServerService())
	if err != nil {
		return nil, err
	}
	return rpce.Shares(s.ctx, service, s.c.Server())
}

func (s session) echo() error { return translate(s.c.Echo(s.ctx)) }

// translate turns package smb2's errors into this package's.
func translate(err error) error {
	lost, _ := smbconn.Lost(err)
	var failure rpce.Failure
	status := smb2.StatusOf(err)
	switch {
	case err == nil:
		return nil
	case ntStatus(status) == statusPathNotFound:
		return statusNotFound // a folder on the way is missing, which is the same to us
	case status != 0:
		return ntStatus(status)
	case lost, errors.Is(err, smb2.ErrClosed), errors.Is(err, smbconn.ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", errBroken, err)
	case errors.Is(err, wire.ErrMalformed), errors.Is(err, rpce.ErrAnswer):
		return &badAnswer{strings.TrimSpace(err.Error())}
	case errors.As(err, &failure) && failure == 5:
		return statusAccessDenied
	}
	var e *smb2.Error
	if errors.As(err, &e) {
		return e.Err // whose words are enough: the name is the caller's
	}
	return err
}
