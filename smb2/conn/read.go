package conn

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"time"

	"github.com/openwnet/wnet/smb2/wire"
)

// maxFrame is the longest frame there is: the length has 24 bits.
const maxFrame = 1<<24 - 1

// read is the reader: it hands out answers until the connection ends, and then tells everybody who still waits.
func (c *Conn) read() {
	var err error
	for err == nil {
		err = c.readFrame()
	}
	if err == io.EOF {
		err = errors.New("the server ended it")
	}
	c.fail(err)
	c.mu.Lock()
	for id, p := range c.pending {
		delete(c.pending, id)
		p.f.reading = false
		if p.f.released != nil {
			close(p.f.released)
			p.f.released = nil
		}
		p.f.end(c.lost(true))
	}
	c.win.end(c.lost(false))
	c.mu.Unlock()
	close(c.gone)
}

// peek gives the next n bytes without taking them.
func (c *Conn) peek(n int) ([]byte, error) {
	for {
		had := c.br.Buffered()
		b, err := c.br.Peek(n)
		if err == nil {
			if had < n {
				c.lastRecv.Store(time.Now().UnixNano())
			}
			return b, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
		c.unpoke(nil)
	}
}

// unpoke takes back the deadline that woke the reader. It reports whether the flight's memory is to be left alone from now on.
func (c *Conn) unpoke(f *flight) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nc.SetReadDeadline(time.Time{})
	if f == nil || !f.given {
		return false
	}
	f.reading = false
	if f.released != nil {
		close(f.released)
		f.released = nil
	}
	return true
}

// fill reads all of p, which belongs to f's caller if f is not nil. It stops with n < len(p) and no error when the caller has gone.
func (c *Conn) fill(p []byte, f *flight) (n int, err error) {
	for n < len(p) {
		m, err := c.br.Read(p[n:])
		n += m
		if m > 0 {
			c.lastRecv.Store(time.Now().UnixNano())
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if c.unpoke(f) {
				return n, nil
			}
			continue
		}
		if err != nil && n < len(p) {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
	}
	return n, nil
}

// skip reads n bytes for nobody.
func (c *Conn) skip(n int) error {
	for n > 0 {
		m, err := c.br.Discard(n)
		n -= m
		if m > 0 {
			c.lastRecv.Store(time.Now().UnixNano())
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.unpoke(nil)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) readFrame() error {
	b, err := c.peek(4)
	if err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint32(b))
	if n > maxFrame || n < wire.HeaderSize {
		return violation("a frame that begins with % x", b[:4])
	}
	if c.br.Discard(4); n >= wire.ReadResponseSize {
		if b, err = c.peek(wire.ReadResponseSize); err != nil {
			return err
		}
		if took, err := c.direct(b, n); took || err != nil {
			return err
		}
	}
	buf := c.buffer(n)
	if _, err := c.fill(buf, nil); err != nil {
		return err
	}
	msg, sealed := buf, false
	if msg[0] == 0xFD {
		if msg, err = c.open(msg); err != nil {
			return err
		}
		sealed = true
	}
	keep, err := c.split(msg, sealed)
	if !keep {
		c.recycle(buf)
	}
	return err
}

// open decrypts a frame.
func (c *Conn) open(msg []byte) ([]byte, error) {
	var t wire.Transform
	if err := t.Decode(msg); err != nil {
		return nil, err
	}
	s := c.sess.Load()
	if s == nil || s.sealer == nil || t.SessionID != s.id {
		return nil, violation("an encrypted message for a session %#x that is not there", t.SessionID)
	}
	return s.sealer.Open(msg)
}

// split hands out the messages of a frame. keep means that somebody has got a part of it.
func (c *Conn) split(frame []byte, sealed bool) (keep bool, err error) {
	for len(frame) > 0 {
		var h wire.Header
		if err := h.Decode(frame); err != nil {
			return keep, err
		}
		msg := frame
		if h.NextCommand != 0 {
			if h.NextCommand < wire.HeaderSize || h.NextCommand%8 != 0 || uint64(h.NextCommand) > uint64(len(frame)) {
				return keep, violation("the next message is at %d of %d", h.NextCommand, len(frame))
			}
			msg = frame[:h.NextCommand:h.NextCommand]
		}
		frame = frame[len(msg):]
		k, err := c.message(&h, msg, sealed)
		if keep = keep || k; err != nil {
			return keep, err
		}
		if h.NextCommand == 0 {
			break
		}
	}
	return keep, nil
}

// message hands out one message.
func (c *Conn) message(h *wire.Header, msg []byte, sealed bool) (keep bool, err error) {
	if h.Flags&wire.FlagResponse == 0 {
		return false, violation("a request from the server")
	}
	if h.MessageID == wire.NoMessageID {
		if h.Command != wire.CmdOplockBreak {
			return false, violation("%v without a request", h.Command)
		}
		o, l, err := wire.DecodeBreak(msg)
		if err == nil && c.cfg.OnBreak != nil {
			c.cfg.OnBreak(o, l)
		}
		return false, err
	}
	c.mu.Lock()
	p := c.pending[h.MessageID]
	c.mu.Unlock()
	if p == nil || p.req.Command != h.Command {
		return false, violation("an answer to %v %d, which was not asked", h.Command, h.MessageID)
	}
	if err := c.check(p, h, msg, sealed); err != nil {
		return false, err
	}
	if h.Status == wire.StatusPending && h.Flags&wire.FlagAsync != 0 {
		return false, c.interim(p, h)
	}
	if p.req.Into != nil && h.Status == wire.StatusOK {
		return c.copyOut(p, h, msg)
	}
	c.mu.Lock()
	f := p.f
	delete(c.pending, h.MessageID)
	given := f.given
	if !given {
		p.req.Status, p.req.Msg, p.req.opened = h.Status, msg, sealed
		if f.left--; f.left == 0 {
			f.end(nil)
		}
	}
	c.mu.Unlock()
	c.win.grant(int(h.Credits), p.charge)
	if given && p.req.Orphan != nil {
		go p.req.Orphan(h.Status, append([]byte(nil), msg...))
	}
	return !given, nil
}

// check looks whether the message is protected as it has to be ([MS-SMB2] 3.2.5.1.1, 3.2.5.1.3).
func (c *Conn) check(p *pend, h *wire.Header, msg []byte, sealed bool) error {
	if sealed {
		return nil
	}
	if p.sealed {
		return &TamperError{"an answer to an encrypted " + h.Command.String() + " is not encrypted"}
	}
	s := c.sess.Load()
	if s == nil || s.signer == nil || h.Status == wire.StatusPending {
		return nil
	}
	if h.Flags&wire.FlagSigned == 0 {
		// A server that has forgotten the session has no key to sign that it has.
		if p.signed && h.Status != wire.StatusSessionDeleted && h.Status != wire.StatusSessionExpired {
			return &TamperError{"an answer to a signed " + h.Command.String() + " is not signed"}
		}
		return nil
	}
	if h.Command == wire.CmdSessionSetup || h.SessionID != s.id {
		return nil // Login checks its own; another session's is nothing to us
	}
	if !s.signer.Verify(msg) {
		return &TamperError{"the signature of an answer to " + h.Command.String() + " is wrong"}
	}
	return nil
}

// interim notes that the server takes its time.
func (c *Conn) interim(p *pend, h *wire.Header) error {
	c.mu.Lock()
	again := p.async != 0
	p.async = h.AsyncID
	given := p.f.given
	charge := p.charge
	p.charge = 0 // these credits are out no more
	c.mu.Unlock()
	if again {
		return violation("two interim answers to one request")
	}
	if h.AsyncID == 0 {
		return violation("an interim answer without a number")
	}
	c.win.grant(int(h.Credits), charge)
	if given { // the CANCEL that was sent had no number to name it by
		go c.cancel(h.MessageID, h.AsyncID)
	}
	return nil
}

// copyOut gives a READ's data from the reader's memory to the caller's.
func (c *Conn) copyOut(p *pend, h *wire.Header, msg []byte) (keep bool, err error) {
	data, err := wire.DecodeRead(msg)
	if err != nil {
		return false, err
	}
	if len(data) > len(p.req.Into) {
		return false, violation("a READ of %d bytes answered with %d", len(p.req.Into), len(data))
	}
	c.mu.Lock()
	f := p.f
	delete(c.pending, h.MessageID)
	if !f.given {
		p.req.Status, p.req.N = h.Status, copy(p.req.Into, data)
		if f.left--; f.left == 0 {
			f.end(nil)
		}
	}
	c.mu.Unlock()
	c.win.grant(int(h.Credits), p.charge)
	return false, nil
}

// direct takes a frame that is the plain answer to a READ and reads its data to where the caller wants it. b is its beginning, n its
// length.
func (c *Conn) direct(b []byte, n int) (took bool, err error) {
	if b[0] != 0xFE {
		return false, nil
	}
	var h wire.Header
	if err := h.Decode(b); err != nil {
		return false, err
	}
	if h.Command != wire.CmdRead || h.Status != wire.StatusOK || h.NextCommand != 0 || h.Flags&wire.FlagResponse == 0 || h.Flags&wire.FlagSigned != 0 {
		return false, nil
	}
	off, size, err := wire.ReadPlace(b)
	if err != nil {
		return false, err
	}
	if uint64(off)+uint64(size) > uint64(n) {
		return false, violation("a READ's %d bytes at %d of %d", size, off, n)
	}
	c.mu.Lock()
	p := c.pending[h.MessageID]
	if p == nil || p.req.Command != wire.CmdRead || p.sealed || p.signed || p.req.Into == nil || int(size) > len(p.req.Into) {
		c.mu.Unlock()
		return false, nil // message will find out
	}
	f := p.f
	if f.given {
		delete(c.pending, h.MessageID)
		c.mu.Unlock()
		c.win.grant(int(h.Credits), p.charge)
		return true, c.skip(n)
	}
	f.reading = true
	c.mu.Unlock()
	if err := c.skip(max(int(off), wire.ReadResponseSize)); err != nil {
		return false, err
	}
	got, err := c.fill(p.req.Into[:size], f)
	if err != nil {
		return false, err
	}
	c.mu.Lock()
	delete(c.pending, h.MessageID)
	f.reading = false
	if f.released != nil {
		close(f.released)
		f.released = nil
	}
	if !f.given {
		p.req.Status, p.req.N = h.Status, got
		if f.left--; f.left == 0 {
			f.end(nil)
		}
	}
	c.mu.Unlock()
	c.win.grant(int(h.Credits), p.charge)
	return true, c.skip(n - max(int(off), wire.ReadResponseSize) - got)
}
