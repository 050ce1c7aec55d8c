package mount

import (
	"context"
	"errors"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openwnet/wnet"
)

// handle is one open file or folder of a program. It counts as open from FUSE's OPEN to its RELEASE; its File is closed when, after
// that, no call uses it any more, also none that was given up because it did not answer.
type handle struct {
	fh     uint64
	node   *node
	tid    uint32 // thread that opened it, 0 if of another pid namespace
	uid    uint32
	file   wnet.File // nil for a folder
	flag   wnet.OpenFlag
	folder *folder // nil for a file
	wrote  atomic.Bool
	ahead  *ahead // nil where nothing is read ahead

	// guarded by handles.mu
	uses   int
	ended  bool // no new use
	closed bool // Close was called
}

// handles is the table of open handles.
type handles struct {
	mu      sync.Mutex // guards all that follows and the marked fields of handle; taken after tree.mu where both are
	next    uint64
	open    map[uint64]*handle
	closing int           // files being closed
	changed chan struct{} // closed at the next change of open or closing; nil if nobody waits
}

func (t *handles) announceLocked() {
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// count returns how many handles are open, and how many files are being closed.
func (t *handles) count() (open, closing int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open), t.closing
}

// list returns the open handles in the order in which they were opened.
func (t *handles) list() []*handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*handle, 0, len(t.open))
	for _, h := range t.open {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b *handle) int { return int(int64(a.fh) - int64(b.fh)) })
	return all
}

// await returns when ok holds for the counts, or when ctx ends.
func (t *handles) await(ctx context.Context, ok func(open, closing int) bool) error {
	for {
		t.mu.Lock()
		if ok(len(t.open), t.closing) {
			t.mu.Unlock()
			return nil
		}
		if t.changed == nil {
			t.changed = make(chan struct{})
		}
		changed := t.changed
		t.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// add enters a handle for the node and gives it its number.
func (s *server) addHandle(h *handle) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	s.handles.mu.Lock()
	defer s.handles.mu.Unlock()
	s.handles.next++
	h.fh = s.handles.next
	s.handles.open[h.fh] = h
	h.node.handles = append(h.node.handles, h)
}

// use returns the handle with the number, to be given back with done; nil if it is not open.
func (s *server) use(fh uint64) *handle {
	s.handles.mu.Lock()
	defer s.handles.mu.Unlock()
	h := s.handles.open[fh]
	if h == nil || h.ended {
		return nil
	}
	h.uses++
	return h
}

// useOf returns any open file of the node that fits, to be given back with done; nil if there is none.
func (s *server) useOf(n *node, need wnet.OpenFlag) *handle {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	s.handles.mu.Lock()
	defer s.handles.mu.Unlock()
	for _, h := range n.handles {
		if h.file != nil && !h.ended && h.flag&need == need {
			h.uses++
			return h
		}
	}
	return nil
}

// done gives back what use returned.
func (s *server) done(h *handle) {
	s.handles.mu.Lock()
	h.uses--
	s.finishLocked(h)
	s.handles.mu.Unlock()
}

// release takes the handle out of the table: the last program has closed it.
func (s *server) release(fh uint64) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	s.handles.mu.Lock()
	defer s.handles.mu.Unlock()
	h := s.handles.open[fh]
	if h == nil {
		return
	}
	delete(s.handles.open, fh)
	if i := slices.Index(h.node.handles, h); i >= 0 {
		h.node.handles = slices.Delete(h.node.handles, i, i+1)
	}
	s.tree.collectLocked(h.node)
	h.ahead.end()
	h.ended = true
	s.finishLocked(h)
	s.handles.announceLocked()
}

// endAll ends every handle without taking it out of the table: the mount is gone, whether programs know it or not.
func (s *server) endAll() {
	s.handles.mu.Lock()
	defer s.handles.mu.Unlock()
	for _, h := range s.handles.open {
		h.ahead.end()
		h.ended = true
		s.finishLocked(h)
	}
}

// finishLocked closes the file of an ended handle that nobody uses.
func (s *server) finishLocked(h *handle) {
	if !h.ended || h.uses > 0 || h.closed || h.file == nil {
		return
	}
	h.closed = true
	s.handles.closing++
	go func() {
		// Not by the mount's life: a file that was written is closed on the server also while the mount goes away.
		_, err := bounded(context.Background(), s, request{}, nil, func(ctx context.Context) (nothing, error) {
			return nothing{}, h.file.Close(ctx)
		}, nil)
		if err != nil && !errors.Is(err, errRefused) {
			name, _ := s.tree.path(h.node)
			s.log.Error("closing a file failed on the server", "file", name, "written", h.wrote.Load(), "error", err)
		}
		s.handles.mu.Lock()
		s.handles.closing--
		s.handles.announceLocked()
		s.handles.mu.Unlock()
	}()
}

// buffers hands out byte slices of the request sizes, a power of two each.
type buffers struct {
	pools [21]sync.Pool // of *[]byte, by the logarithm of the size
}

// buffer is one slice on loan.
type buffer struct {
	p    []byte
	from *sync.Pool
}

func (b *buffers) get(size int) *buffer {
	if size > 1<<(len(b.pools)-1) {
		return &buffer{p: make([]byte, size)}
	}
	class := bits.Len(uint(max(size, 4096) - 1))
	pool := &b.pools[class]
	if v, ok := pool.Get().(*buffer); ok {
		v.p = v.p[:size]
		return v
	}
	return &buffer{p: make([]byte, size, 1<<class), from: pool}
}

func (b *buffer) put() {
	if b.from != nil {
		b.from.Put(b)
	}
}

// settleTime is how old a modification time must be before it tells two states of a file apart: a file written twice within one tick of
// the server's clock shows the same time twice.
const settleTime = 2 * time.Second
