package smb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Why a server could not be spoken to, found by the tap.
var (
	errNotSMB = errors.New("something answers there, but it is no SMB server")
	errSMB1   = errors.New("the server speaks SMB 1 only, which is insecure and which wnet does not speak")
)

// maxHello bounds a frame before the share is connected. Real ones have a few hundred bytes.
const maxHello = 256 << 10

// What the tap reads in frames ([MS-SMB2] 2.2.1, 2.2.4, 2.2.6, 2.2.10).
const (
	cmdNegotiate    = 0
	cmdSessionSetup = 1

	flagGuest = 0x1 // SMB2_SESSION_FLAG_IS_GUEST
	flagNull  = 0x2 // SMB2_SESSION_FLAG_IS_NULL

	shareDisk, sharePipe, sharePrint = 1, 2, 3
)

// hello is what the server said of itself until the share was connected.
type hello struct {
	answered   bool // something came at all
	negotiated bool // a version was agreed on
	dialect    uint16
	status     ntStatus // of the last answer
	command    uint16   // that it was given to
	session    uint16   // SMB2_SESSION_FLAG_*
	problem    error    // what makes the peer no server for us
}

// tap is the connection that package smb2 speaks through. It notes when something came last and when the connection ended, and reads
// along until the share is connected, to tell a person what the peer is if it is no server, or not one that can be used. It bounds
// what a peer that is no server can make us read.
type tap struct {
	net.Conn
	start time.Time
	last  atomic.Int64  // when something came last, in nanoseconds since start
	open  atomic.Bool   // the share is connected: no more reading along
	ended chan struct{} // closed when reading or writing failed

	once  sync.Once
	cause error // why it ended; set before ended is closed

	mu   sync.Mutex // guards seen
	seen hello

	buf []byte // read from the server and not by package smb2 yet; only its one reader uses it
}

func newTap(c net.Conn) *tap {
	return &tap{Conn: c, start: time.Now(), ended: make(chan struct{})}
}

func (t *tap) end(err error) {
	t.once.Do(func() { t.cause = err; close(t.ended) })
}

// Close closes the connection; every request under way then fails.
func (t *tap) Close() error {
	t.end(net.ErrClosed)
	return t.Conn.Close()
}

// heard is how long ago something came from the server.
func (t *tap) heard() time.Duration { return time.Since(t.start) - time.Duration(t.last.Load()) }

func (t *tap) note(n int, err error) {
	if n > 0 {
		t.last.Store(int64(time.Since(t.start)))
	}
	if err != nil {
		t.end(err)
	}
}

// Write implements net.Conn.
func (t *tap) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	if err != nil {
		t.end(err)
	}
	return n, err
}

// Read implements net.Conn.
func (t *tap) Read(p []byte) (int, error) {
	if len(t.buf) == 0 {
		if t.open.Load() {
			n, err := t.Conn.Read(p)
			t.note(n, err)
			return n, err
		}
		if err := t.frame(); err != nil {
			t.end(err)
			return 0, err
		}
	}
	n := copy(p, t.buf)
	t.buf = t.buf[n:]
	return n, nil
}

// frame reads one message into buf. [MS-SMB2] 2.1: a zero byte and 24 bits of length precede each.
func (t *tap) frame() error {
	var head [4]byte
	n, err := io.ReadFull(t.Conn, head[:])
	t.note(n, nil)
	if n > 0 {
		t.mu.Lock()
		t.seen.answered = true
		t.mu.Unlock()
	}
	if err != nil {
		if n > 0 && errors.Is(err, io.ErrUnexpectedEOF) {
			return t.refuse(errNotSMB)
		}
		return err
	}
	if t.open.Load() { // the share was connected while this waited: a large message may follow
		t.buf = head[:]
		return nil
	}
	size := binary.BigEndian.Uint32(head[:])
	switch {
	case head[0] != 0 || size < 4:
		return t.refuse(errNotSMB)
	case size > maxHello:
		return t.refuse(fmt.Errorf("%w: it announces a message of %d bytes", errNotSMB, size))
	}
	frame := make([]byte, 4+size)
	copy(frame, head[:])
	n, err = io.ReadFull(t.Conn, frame[4:])
	t.note(n, nil)
	if err != nil {
		return err
	}
	if err := t.inspect(frame[4:]); err != nil {
		return t.refuse(err)
	}
	t.buf = frame
	return nil
}

func (t *tap) refuse(err error) error {
	t.mu.Lock()
	t.seen.problem = err
	t.mu.Unlock()
	return err
}

// inspect reads one message.
func (t *tap) inspect(p []byte) error {
	switch string(p[:4]) {
	case "\xffSMB":
		return errSMB1
	case "\xfdSMB":
		return nil
	case "\xfeSMB":
	default:
		return errNotSMB
	}
	if len(p) < 64 {
		return errNotSMB
	}
	le := binary.LittleEndian
	body := p[64:]
	t.mu.Lock()
	defer t.mu.Unlock()
	h := &t.seen
	h.status, h.command = ntStatus(le.Uint32(p[8:])), le.Uint16(p[12:])
	switch {
	case h.status != 0:
	case h.command == cmdNegotiate && len(body) >= 64:
		h.dialect = le.Uint16(body[4:])
		h.negotiated = true
	case h.command == cmdSessionSetup && len(body) >= 4:
		h.session = le.Uint16(body[2:])
	}
	return nil
}

// greeting gives what was seen so far.
func (t *tap) greeting() hello {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}
