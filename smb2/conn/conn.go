package conn

import (
	"bufio"
	"context"
	"crypto/rand"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openwnet/wnet/smb2/crypt"
	"github.com/openwnet/wnet/smb2/wire"
)

// Config says how a Conn is to behave.
type Config struct {
	Server     string   // the server's name as the user gave it; it is told to a 3.1.1 server
	ClientGUID [16]byte // the same for all connections of a client
	Policy     Policy
	Posix      bool // offer the POSIX extensions

	// Timeout is how long a request may wait for an answer, or for credits, while the server answers others; 0 is a minute. Requests that
	// may wait (Request.Waits) have none.
	Timeout time.Duration
	// DeadAfter is how long a server may send nothing at all while something is waited for; 0 is 20 seconds.
	DeadAfter time.Duration
	// OnBreak is told of each broken oplock (o) or lease (l). The reader calls it: it must not block, and not call Do.
	OnBreak func(o *wire.OplockBreak, l *wire.LeaseBreak)
}

// Info is what was negotiated.
type Info struct {
	Dialect      wire.Dialect
	Capabilities uint32 // of the server
	ServerGUID   [16]byte
	SecurityMode uint16      // of the server
	Cipher       wire.Cipher // 0: no encryption
	Signing      wire.Signing
	Posix        bool
	MaxTransact  uint32 // these three are at least 64 KiB and at most 8 MiB
	MaxRead      uint32
	MaxWrite     uint32
	TimeSkew     time.Duration // the server's clock minus ours, about
}

// Conn is a connection. It may be used from many goroutines at once.
type Conn struct {
	cfg  Config
	nc   net.Conn
	br   *bufio.Reader // the reader's alone
	info Info
	hint []byte        // the security blob of the negotiation
	pre  crypt.Preauth // after the negotiation

	win   window
	slot  chan struct{} // holds a token while somebody writes to nc
	bufs  sync.Pool     // of *[]byte: for messages
	multi bool          // requests may cost more than a credit; set before the first log-on
	sess  atomic.Pointer[Session]

	lastRecv atomic.Int64 // when the last byte came, as UnixNano

	mu      sync.Mutex       // guards all below, and the fields of flights and pends
	pending map[uint64]*pend // by message number
	err     error            // why it ended
	gone    chan struct{}    // closed when the reader has ended and everybody was told
	ending  chan struct{}    // closed when it begins to end
}

// New negotiates on nc, which it then owns; on an error nc is closed. ctx bounds the negotiation.
func New(ctx context.Context, nc net.Conn, cfg Config) (*Conn, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.DeadAfter <= 0 {
		cfg.DeadAfter = 20 * time.Second
	}
	c := &Conn{cfg: cfg, nc: nc, br: bufio.NewReaderSize(nc, 32<<10), slot: make(chan struct{}, 1), pending: map[uint64]*pend{},
		gone: make(chan struct{}), ending: make(chan struct{})}
	c.win.have = 1
	c.lastRecv.Store(time.Now().UnixNano())
	go c.read()
	go c.monitor()
	if err := c.negotiate(ctx); err != nil {
		c.fail(err)
		<-c.gone
		return nil, err
	}
	return c, nil
}

// Info tells what was negotiated.
func (c *Conn) Info() Info { return c.info }

// Hint is the server's token of the negotiation, for the security exchange.
func (c *Conn) Hint() []byte { return c.hint }

// Done is closed when the connection has ended and every request was told.
func (c *Conn) Done() <-chan struct{} { return c.gone }

// Err tells why the connection ended, nil while it works.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection; requests on their way fail with ErrClosed inside a LostError. It returns when nothing of it runs any more.
func (c *Conn) Close() error {
	c.fail(ErrClosed)
	<-c.gone
	return nil
}

// MaxIO is how many bytes a READ or WRITE may carry by the credits there are, at most limit and 16 MiB, at
// least 64 KiB.
func (c *Conn) MaxIO(limit uint32) uint32 {
	if !c.multi {
		return min(limit, 1<<16)
	}
	return min(limit, uint32(min(max(1, c.win.size()), 1<<8))<<16)
}

// fail ends the connection. The reader then tells everybody.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	close(c.ending)
	c.nc.Close()
}

// lost is the error for a request of a connection that ended. The caller holds mu.
func (c *Conn) lost(sent bool) error { return &LostError{c.err, sent} }

// buffer gives a buffer of n bytes with 16 more of capacity, to be given back to recycle.
func (c *Conn) buffer(n int) []byte {
	if n <= 4<<10 {
		return make([]byte, n, n+16)
	}
	if p, _ := c.bufs.Get().(*[]byte); p != nil && cap(*p) >= n+16 {
		return (*p)[:n]
	}
	return make([]byte, n, n+n/8+16)
}

func (c *Conn) recycle(b []byte) {
	if cap(b) > 4<<10 {
		c.bufs.Put(&b)
	}
}

// monitor watches over the server's answers until the connection ends.
func (c *Conn) monitor() {
	tick := time.NewTicker(max(min(c.cfg.DeadAfter, c.cfg.Timeout)/10, time.Millisecond))
	defer tick.Stop()
	echoed := time.Time{}
	for {
		select {
		case <-c.ending:
			return
		case now := <-tick.C:
			oldest, late := c.overdue(now)
			for _, f := range late {
				c.giveUp(f, ErrTimeout)
			}
			if oldest.IsZero() {
				continue
			}
			quiet := now.Sub(time.Unix(0, c.lastRecv.Load()))
			if q := now.Sub(oldest); q < quiet { // nothing was waited for before
				quiet = q
			}
			if quiet > c.cfg.DeadAfter {
				c.fail(ErrDead)
				return
			}
			if quiet > c.cfg.DeadAfter/2 && now.Sub(echoed) > c.cfg.DeadAfter/2 {
				echoed = now
				go c.echo()
			}
		}
	}
}

// overdue gives since when something is waited for, and the flights whose time is over.
func (c *Conn) overdue(now time.Time) (oldest time.Time, late []*flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pending {
		if oldest.IsZero() || p.since.Before(oldest) {
			oldest = p.since
		}
		if !p.f.waits && !p.f.given && now.Sub(p.since) > c.cfg.Timeout {
			late = append(late, p.f)
		}
	}
	return oldest, late
}

// echo asks the server for a sign of life, if there is a credit for it.
func (c *Conn) echo() {
	id, ok := c.win.try(1)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.DeadAfter)
	defer cancel()
	_ = c.launch(ctx, c.sess.Load(), id, []*Request{{Command: wire.CmdEcho, Body: wire.Empty{}, Waits: true}}, []int{1})
}

// NewGUID makes a random GUID.
func NewGUID() (g [16]byte) {
	rand.Read(g[:])
	return g
}
