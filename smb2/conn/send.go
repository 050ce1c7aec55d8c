package conn

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"time"

	"github.com/openwnet/wnet/smb2/crypt"
	"github.com/openwnet/wnet/smb2/wire"
)

// encode makes the frame of the requests. tail is data that follows it and is the caller's.
func (c *Conn) encode(s *Session, id uint64, reqs []*Request, charges []int, seal, sign bool) (head, tail []byte) {
	room, size := 4, 0
	if seal {
		room += crypt.SealRoom
	}
	last := reqs[len(reqs)-1]
	for _, r := range reqs {
		size += 512 + len(r.Tail)
	}
	if !seal && !sign {
		tail = last.Tail
		size -= len(tail)
	}
	b := c.buffer(room + size)[:room]
	at := 0
	for i, r := range reqs {
		at = len(b)
		h := wire.Header{Command: r.Command, MessageID: id, TreeID: r.Tree, Credits: c.win.ask(charges[i])}
		if c.multi {
			h.CreditCharge = uint16(charges[i])
		}
		if s != nil {
			h.SessionID = s.id
		}
		if r.Related {
			h.Flags |= wire.FlagRelated
		}
		if r.Replay {
			h.Flags |= wire.FlagReplay
		}
		if r.DFS {
			h.Flags |= wire.FlagDFS
		}
		if sign {
			h.Flags |= wire.FlagSigned
		}
		b = h.Append(b)
		b = r.Body.Append(b)
		if r != last || tail == nil {
			b = append(b, r.Tail...)
		}
		if r != last {
			for (len(b)-at)%8 != 0 {
				b = append(b, 0)
			}
			binary.LittleEndian.PutUint32(b[at+wire.OffNextCommand:], uint32(len(b)-at))
		}
		c.protect(s, b[at:], sign)
		if r.sent != nil {
			r.sent = append([]byte(nil), b[at:]...)
		}
		id += uint64(charges[i])
	}
	return c.frame(s, b, len(tail), seal), tail
}

// protect signs a message if it is to be signed.
func (c *Conn) protect(s *Session, msg []byte, sign bool) {
	if sign {
		s.signer.Sign(msg)
	}
}

// frame fills in the beginning of a frame, b, whose first 4 bytes are free, and encrypts it.
func (c *Conn) frame(s *Session, b []byte, more int, seal bool) []byte {
	if seal {
		sealed := s.sealer.Seal(b[4:], s.id)
		b = b[:4+len(sealed)]
		if &sealed[0] != &b[4] { // there was no room behind it
			b = append(b[:4:4], sealed...)
		}
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4+more))
	return b
}

// send writes a frame; head is recycled. If ctx ends first, the rest is written from a copy by a goroutine, because a message number that
// was taken has to be used and a frame that was begun has to be finished. A connection that breaks is the reader's to tell of.
func (c *Conn) send(ctx context.Context, head, tail []byte) {
	select {
	case c.slot <- struct{}{}:
	default:
		select {
		case c.slot <- struct{}{}:
		case <-c.ending:
			return
		case <-ctx.Done():
			rest := append(head[:len(head):len(head)], tail...)
			go func() {
				select {
				case c.slot <- struct{}{}:
					c.finish(rest)
				case <-c.ending:
				}
			}()
			return
		}
	}
	var poked chan struct{}
	stop := func() bool { return true }
	if ctx.Done() != nil {
		poked = make(chan struct{})
		stop = context.AfterFunc(ctx, func() {
			c.nc.SetWriteDeadline(time.Unix(1, 0))
			close(poked)
		})
	}
	var err error
	var rest []byte
	if len(tail) == 0 {
		n := 0
		n, err = c.nc.Write(head)
		rest = head[n:]
	} else {
		bufs := net.Buffers{head, tail}
		if _, err = bufs.WriteTo(c.nc); err != nil {
			for _, b := range bufs {
				rest = append(rest, b...)
			}
		}
	}
	if !stop() {
		<-poked
		c.nc.SetWriteDeadline(time.Time{})
	}
	switch {
	case err == nil:
		<-c.slot
		c.recycle(head)
	case errors.Is(err, os.ErrDeadlineExceeded):
		go c.finish(rest)
	default:
		<-c.slot
		c.fail(err)
	}
}

// finish writes the rest of a frame. It has the slot and gives it back.
func (c *Conn) finish(rest []byte) {
	_, err := c.nc.Write(rest)
	<-c.slot
	if err != nil {
		c.fail(err)
	}
}
