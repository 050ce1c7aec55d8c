package conn

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/openwnet/wnet/smb2/crypt"
	"github.com/openwnet/wnet/smb2/wire"
)

// Request is a request and its answer.
type Request struct {
	Command wire.Command
	Body    interface{ Append([]byte) []byte }
	Tail    []byte // the data of a WRITE. It is not copied if that can be avoided, and not touched after Do
	Into    []byte // where a READ's data goes; more than fits is a violation
	Tree    uint32
	Payload int  // how many bytes are sent or may be answered at most, for the credits
	Related bool // goes on with the request before: same file; Body names wire.RelatedFile
	Encrypt bool // the share wants it
	Signed  bool // sign it in any case where there is a key
	Waits   bool // it may take as long as it likes: a lock, a change
	Replay  bool
	DFS     bool // a name of DFS

	// Orphan is called in a goroutine of its own if the answer comes after Do has returned. msg is its to keep.
	Orphan func(status wire.Status, msg []byte)

	// Of the answer, after Do returned nil.
	Status wire.Status
	Msg    []byte // the whole message, to keep; with Into it ends before the data
	N      int    // how many bytes went to Into

	opened bool // the answer was encrypted

	sent []byte // what was sent, for the pre-authentication hash; kept if it is not nil before
}

// pend is a request on its way.
type pend struct {
	req    *Request
	f      *flight
	charge int
	async  uint64 // the server's number for it, if it said that it takes long
	since  time.Time
	sealed bool // the answer has to be encrypted
	signed bool // the answer has to be signed
}

// flight is one Do.
type flight struct {
	left     int           // how many answers are still to come
	done     chan struct{} // closed when left is 0 or err is set
	ended    bool          // done is closed
	err      error
	waits    bool
	given    bool          // given up: nobody is there any more
	reading  bool          // the reader writes to the caller's memory
	released chan struct{} // closed when it does not any more, by the reader
	ids      []uint64
}

// end lets Do return. The caller holds Conn.mu.
func (f *flight) end(err error) {
	if !f.ended {
		f.ended, f.err = true, err
		close(f.done)
	}
}

// Do sends requests, several as one compound, and waits for all answers. What the server says is in each Request's Status, also an
// error; Do's own errors are the context's, ErrTimeout, ErrCredits, and a LostError. If it fails, what became of each request is unknown,
// unless Lost tells that nothing was sent.
func (s *Session) Do(ctx context.Context, reqs ...*Request) error { return s.c.do(ctx, s, reqs) }

func (c *Conn) do(ctx context.Context, s *Session, reqs []*Request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	total := 0
	var few [8]int
	charges := few[:0]
	for _, r := range reqs {
		n := 1
		if c.multi && r.Payload > 0 {
			n = (r.Payload-1)>>16 + 1
		}
		charges = append(charges, n)
		total += n
	}
	id, err := c.take(ctx, total)
	if errors.Is(err, ErrCredits) && len(reqs) > 1 {
		return c.singly(ctx, s, reqs)
	}
	if err != nil {
		return err
	}
	return c.launch(ctx, s, id, reqs, charges)
}

// take waits for credits, but not for ever.
func (c *Conn) take(ctx context.Context, n int) (uint64, error) {
	if id, ok := c.win.try(n); ok {
		return id, nil
	}
	wait, cancel := context.WithTimeoutCause(ctx, c.cfg.Timeout, ErrTimeout)
	defer cancel()
	id, err := c.win.take(wait, n)
	switch {
	case err == nil || errors.Is(err, ErrCredits):
		return id, err
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case wait.Err() != nil:
		return 0, ErrTimeout
	}
	return 0, err
}

// singly sends a compound's requests one after the other, for a server that does not grant the credits for all at once. A related
// request gets the file of the CREATE before it; after an error it gets that error, as the server would answer.
func (c *Conn) singly(ctx context.Context, s *Session, reqs []*Request) error {
	file, bad := wire.RelatedFile(), wire.StatusOK
	for _, r := range reqs {
		if !r.Related {
			file, bad = wire.RelatedFile(), wire.StatusOK
		} else if bad != wire.StatusOK {
			r.Status = bad
			continue
		}
		one := *r
		one.Related = false
		if r.Related {
			one.Body = patched{r, file}
		}
		if err := c.do(ctx, s, []*Request{&one}); err != nil {
			return err
		}
		r.Status, r.Msg, r.N = one.Status, one.Msg, one.N
		if r.Command == wire.CmdCreate {
			var resp wire.CreateResponse
			if bad = r.Status; bad == wire.StatusOK {
				if err := resp.Decode(r.Msg); err != nil {
					return err
				}
				file = resp.File
			}
		}
	}
	return nil
}

// patched is the body of a related request with the file's id filled in.
type patched struct {
	r    *Request
	file wire.FileID
}

func (p patched) Append(b []byte) []byte {
	n := len(b)
	b = p.r.Body.Append(b)
	off := 8
	switch p.r.Command {
	case wire.CmdRead, wire.CmdWrite, wire.CmdSetInfo:
		off = 16
	case wire.CmdQueryInfo:
		off = 24
	}
	binary.LittleEndian.PutUint64(b[n+off:], p.file.Persistent)
	binary.LittleEndian.PutUint64(b[n+off+8:], p.file.Volatile)
	return b
}

// launch sends the requests, whose credits were taken, and waits.
func (c *Conn) launch(ctx context.Context, s *Session, id uint64, reqs []*Request, charges []int) error {
	f := &flight{left: len(reqs), done: make(chan struct{})}
	seal, sign := s.protects(reqs)
	now := time.Now()
	first := id
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.lost(false)
	}
	for i, r := range reqs {
		c.pending[id] = &pend{req: r, f: f, charge: charges[i], since: now, sealed: seal, signed: sign}
		f.ids = append(f.ids, id)
		f.waits = f.waits || r.Waits
		id += uint64(charges[i])
	}
	c.mu.Unlock()
	head, tail := c.encode(s, first, reqs, charges, seal, sign)
	c.send(ctx, head, tail)
	select {
	case <-f.done:
	case <-ctx.Done():
		c.giveUp(f, ctx.Err())
		<-f.done
	}
	return f.err
}

// giveUp ends a flight for its caller: its memory is not touched any more, its requests are cancelled. A flight that has all its answers
// stays as it is.
func (c *Conn) giveUp(f *flight, err error) {
	c.mu.Lock()
	if f.ended || f.given {
		c.mu.Unlock()
		return
	}
	f.given = true
	if f.reading {
		f.released = make(chan struct{})
		c.nc.SetReadDeadline(time.Unix(1, 0)) // wakes the reader, which looks at given
		c.mu.Unlock()
		<-f.released
		c.mu.Lock()
	}
	type open struct{ id, async uint64 }
	var cancels []open
	for _, id := range f.ids {
		if p := c.pending[id]; p != nil && p.f == f {
			cancels = append(cancels, open{id, p.async})
		}
	}
	f.end(err)
	ended := c.err != nil
	c.mu.Unlock()
	if ended {
		return
	}
	// The sender may be stuck: cancelling must not wait for it.
	go func() {
		for _, o := range cancels {
			c.cancel(o.id, o.async)
		}
	}()
}

// cancel sends CANCEL for a request. It has the request's number, costs nothing and is not answered ([MS-SMB2] 3.2.4.24).
func (c *Conn) cancel(id, async uint64) {
	s := c.sess.Load()
	h := wire.Header{Command: wire.CmdCancel, MessageID: id}
	if async != 0 {
		h.Flags, h.AsyncID = wire.FlagAsync, async
	}
	seal, sign := false, false
	if s != nil {
		h.SessionID = s.id
		seal, sign = s.protects(nil)
	}
	room := 4
	if seal {
		room += crypt.SealRoom
	}
	b := make([]byte, room, room+128)
	if sign {
		h.Flags |= wire.FlagSigned
	}
	b = wire.Empty{}.Append(h.Append(b))
	c.protect(s, b[room:], sign)
	ctx, stop := context.WithTimeout(context.Background(), c.cfg.Timeout)
	defer stop()
	c.send(ctx, c.frame(s, b, 0, seal), nil)
}
