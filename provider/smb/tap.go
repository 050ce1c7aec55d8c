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
	cmdTreeConnect  = 3

	flagGuest   = 0x1 // SMB2_SESSION_FLAG_IS_GUEST
	flagNull    = 0x2 // SMB2_SESSION_FLAG_IS_NULL
	flagEncrypt = 0x4 // SMB2_SESSION_FLAG_ENCRYPT_DATA

	shareEncrypt = 0x8000 // SMB2_SHAREFLAG_ENCRYPT_DATA
	capEncrypt   = 0x40   // SMB2_GLOBAL_CAP_ENCRYPTION

	dialect300 = 0x300
	dialect311 = 0x311

	shareDisk, sharePipe, sharePrint = 1, 2, 3
)

// hello is what the server said of itself until the share was connected.
type hello struct {
	answered   bool // something came at all
	negotiated bool // a version was agreed on
	dialect    uint16
	cipher     bool     // both sides can encrypt
	noCipher   bool     // the server answered that it shares no cipher with us
	status     ntStatus // of the last answer
	command    uint16   // that it was given to
	session    uint16   // SMB2_SESSION_FLAG_*
	forced     bool     // the tap has switched encryption on
	shareType  byte     // 0 if it came encrypted
	shareFlags uint32
	problem    error // what makes the peer no server for us
}

// tap is the connection that the SMB library speaks through. It notes when something came last and when the connection ended, and
// reads along until the share is connected, because the library tells neither who the server takes us for nor what kind of share
// it is. It bounds what a peer that is no server can make us read.
type tap struct {
	net.Conn
	start time.Time
	last  atomic.Int64  // when something came last, in nanoseconds since start
	open  atomic.Bool   // the share is connected: no more reading along
	ended chan struct{} // closed when reading or writing failed

	once  sync.Once
	cause error // why it ended; set before ended is closed

	mu      sync.Mutex // guards seen and encrypt
	seen    hello
	encrypt bool // switch encryption on

	buf []byte // read from the server and not by the library yet; only the library's one reader uses it
}

func newTap(c net.Conn, encrypt bool) *tap {
	return &tap{Conn: c, start: time.Now(), ended: make(chan struct{}), encrypt: encrypt}
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

// inspect reads one message, and switches encryption on in the answer that completes the session.
//
// The library encrypts only if the server asks for it in that answer, which it takes without a check; any server of SMB 3 that has
// agreed on a cipher takes encrypted requests, asked for or not ([MS-SMB2] 3.3.5.2.1.1).
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
		h.cipher = h.dialect >= dialect300 && h.dialect < dialect311 && le.Uint32(body[24:])&capEncrypt != 0
		if h.dialect == dialect311 {
			h.contexts(p, int(le.Uint32(body[60:])), int(le.Uint16(body[6:])))
		}
	case h.command == cmdSessionSetup && len(body) >= 4:
		h.session = le.Uint16(body[2:])
		if t.encrypt && h.cipher && h.session&(flagGuest|flagNull) == 0 {
			h.session |= flagEncrypt
			h.forced = true
			le.PutUint16(body[2:], h.session)
		}
	case h.command == cmdTreeConnect && len(body) >= 16:
		h.shareType = body[2]
		h.shareFlags = le.Uint32(body[4:])
	}
	return nil
}

// contexts looks for the agreed cipher in the negotiate contexts ([MS-SMB2] 2.2.4.1.2).
func (h *hello) contexts(p []byte, off, count int) {
	le := binary.LittleEndian
	for ; count > 0 && off >= 64 && off+8 <= len(p); count-- {
		kind, size := le.Uint16(p[off:]), int(le.Uint16(p[off+2:]))
		if kind == 2 && size >= 4 && off+12 <= len(p) {
			h.cipher = le.Uint16(p[off+10:]) != 0
			h.noCipher = !h.cipher
		}
		off += (8 + size + 7) &^ 7
	}
}

// greeting gives what was seen so far.
func (t *tap) greeting() hello {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}
