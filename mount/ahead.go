package mount

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
)

// The kernel reads ahead 128 KiB for a user who is not root, in requests of that size: on a network, that is a round trip for each. So
// a file that is read from one end to the other is read ahead here.
const (
	chunkSize  = 1 << 20
	aheadStart = 256 << 10 // what must be read in one go before it begins
	aheadMin   = 2         // chunks ahead at first; doubled each time a program had to wait
	aheadMax   = 16
	aheadRoom  = 64 << 20 // what all files of a mount hold together
)

// ahead is the reading ahead of one open file.
type ahead struct {
	ctx  context.Context // ends with the handle
	stop context.CancelFunc

	mu     sync.Mutex // guards what follows; tree.mu is not taken while it is held
	next   int64      // where the program goes on if it reads in order
	run    int64      // what it has read in order
	depth  int64
	chunks map[int64]*chunk // by number
	ended  bool
}

// chunk is one piece of a file, read or being read.
type chunk struct {
	done  chan struct{} // closed when what follows is there
	buf   *buffer       // nil if err is not
	n     int
	err   error
	asked time.Time
	was   version
	refs  atomic.Int32 // the table's, the readers' and its own while it is being read
	room  *atomic.Int64
}

// version tells what a file's content was when it was asked for.
type version struct {
	seq  uint64 // tree.seq
	fill filling
}

func (c *chunk) drop() {
	if c.refs.Add(-1) == 0 {
		c.room.Add(-chunkSize)
		if c.buf != nil {
			c.buf.put()
		}
	}
}

func (s *server) newAhead() *ahead {
	if s.cache <= 0 {
		return nil // nothing may be kept
	}
	a := &ahead{depth: aheadMin, chunks: map[int64]*chunk{}}
	a.ctx, a.stop = context.WithCancel(s.life)
	return a
}

// end gives up what was read ahead.
func (a *ahead) end() {
	if a == nil {
		return
	}
	a.stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	a.clearLocked(func(int64) bool { return true })
}

func (a *ahead) clearLocked(which func(i int64) bool) {
	for i, c := range a.chunks {
		if which(i) {
			delete(a.chunks, i)
			c.drop()
		}
	}
}

// version is what a node's content is now.
func (s *server) version(n *node) (version, int64) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	v, size := version{seq: s.tree.seq}, int64(-1)
	if !n.asked.IsZero() {
		v.fill, size = filling{n.attr.Size, n.attr.ModTime}, n.attr.Size
	}
	return v, size
}

// stands reports whether what was asked for at a time still may be given to a program: within the bound, while the server promises to
// tell of changes, or if the attributes show, younger than the bound, that nothing has changed.
func (s *server) stands(n *node, was version, asked time.Time) bool {
	leased := s.promised(n, wnet.LeaseData)
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	switch {
	case n.changed > was.seq || !asked.After(n.floor):
		return false
	case leased || s.valid(asked) > 0:
		return true
	}
	return s.valid(n.asked) > 0 && was.fill == (filling{n.attr.Size, n.attr.ModTime}) && !was.fill.mtime.IsZero() &&
		asked.Sub(was.fill.mtime) > settleTime
}

// readAhead answers a read from what was read ahead, and reads on. ok is false where the file has to be asked.
func (s *server) readAhead(ctx context.Context, h *handle, size int, off int64) (d *readData, ok bool) {
	a := h.ahead
	if a == nil || size == 0 {
		return nil, false
	}
	was, length := s.version(h.node)
	end, i := off+int64(size), off/chunkSize
	a.mu.Lock()
	// The kernel's requests come side by side, so not quite in order.
	if off < a.next-chunkSize || off > a.next+chunkSize {
		a.run, a.depth = 0, aheadMin
		a.clearLocked(func(int64) bool { return true })
		a.next = off
	}
	if end > a.next {
		a.run += end - max(a.next, off)
		a.next = end
	}
	if a.ended || a.run < aheadStart || (end-1)/chunkSize != i {
		a.mu.Unlock()
		return nil, false
	}
	a.clearLocked(func(j int64) bool { return j < i-1 || j > i+aheadMax })
	for j := i; j <= i+a.depth; j++ {
		if a.chunks[j] != nil || length >= 0 && j*chunkSize >= length {
			continue
		}
		if s.ahead.Add(chunkSize) > aheadRoom {
			s.ahead.Add(-chunkSize)
			break
		}
		c := &chunk{done: make(chan struct{}), asked: time.Now(), was: was, room: &s.ahead}
		c.refs.Store(2)
		a.chunks[j] = c
		go s.fetch(h, c, j*chunkSize)
	}
	c := a.chunks[i]
	if c != nil {
		c.refs.Add(1)
	}
	a.mu.Unlock()
	if c == nil {
		return nil, false
	}
	select {
	case <-c.done:
	default:
		a.mu.Lock()
		a.depth = min(2*a.depth, aheadMax)
		a.mu.Unlock()
		select {
		case <-c.done:
		case <-ctx.Done():
			c.drop()
			return nil, false
		}
	}
	if c.err != nil || !s.stands(h.node, c.was, c.asked) {
		a.mu.Lock()
		if a.chunks[i] == c {
			delete(a.chunks, i)
			c.drop()
		}
		a.mu.Unlock()
		c.drop()
		return nil, false
	}
	from := min(int(off-i*chunkSize), c.n)
	return &readData{p: c.buf.p[from:min(from+size, c.n)], give: c.drop}, true
}

// fetch reads a chunk.
func (s *server) fetch(h *handle, c *chunk, off int64) {
	type piece struct {
		buf *buffer
		n   int
	}
	p, err := bounded(h.ahead.ctx, s, request{}, s.killed, func(ctx context.Context) (piece, error) {
		h := s.use(h.fh)
		if h == nil {
			return piece{}, syscall.EIO
		}
		defer s.done(h)
		buf := s.bufs.get(chunkSize)
		n, err := h.file.ReadAt(ctx, buf.p, off)
		if err == nil && (n < 0 || n > chunkSize) {
			err = syscall.EIO
		}
		if err != nil {
			buf.put()
			return piece{}, err
		}
		return piece{buf, n}, nil
	}, func(p piece) { p.buf.put() })
	c.buf, c.n, c.err = p.buf, p.n, err
	close(c.done)
	c.drop()
}
