package rpc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/wnetv1"
)

// Caller is who makes a call. UID and PID are the kernel's word; Token is what the caller showed, absent if nothing.
type Caller struct {
	UID, PID int // PID is 0 where it can't be told
	Token    wnet.Secret
	Channel  bool // it came through a Channel: a program in Wine
}

// Backend is what a Server serves. The daemon is one.
type Backend interface {
	// Service gives the WNet API of the caller's session. ERROR_NO_SUCH_LOGON_SESSION for a token of no session.
	Service(ctx context.Context, c Caller) (wnet.Service, error)
	// Sessions gives the sessions of the caller's user.
	Sessions(ctx context.Context, c Caller) (wnet.Sessions, error)
	// Shutdown begins to stop the daemon and returns at once, so that the call can be answered.
	Shutdown(ctx context.Context) error
	// Version is the program's version.
	Version() string
}

// Limits bound what a peer can make the server hold. Times are for a peer that stalls; a call itself may take as long as its context.
type Limits struct {
	Peers       int           // socket connections at once
	HeaderBytes int           // of one request
	BodyBytes   int64         // of one request
	Header      time.Duration // from a connection's or a request's start until its header is there
	Body        time.Duration // from then until its body is there
	Write       time.Duration // for each piece of an answer to be taken
	Idle        time.Duration // between two requests
}

// DefaultLimits are the limits of NewServer.
func DefaultLimits() Limits {
	return Limits{Peers: 1024, HeaderBytes: 16 << 10, BodyBytes: 1 << 20,
		Header: 10 * time.Second, Body: 10 * time.Second, Write: 30 * time.Second, Idle: 2 * time.Minute}
}

// Server answers the schema's calls for one Backend and one user: the user that the process runs as.
type Server struct {
	backend Backend
	log     *slog.Logger
	limits  Limits
	uid     int
	since   time.Time
	http    *http.Server
	base    context.Context // every call's; ends with Close
	end     context.CancelFunc
	calls   sync.WaitGroup // one for each call under way

	running                        atomic.Int32
	total, failed, panics, refused atomic.Uint64

	mu     sync.Mutex // guards gates, down and closed
	gates  []*gate
	down   bool // no new peers
	closed bool // no new calls either
}

// NewServer returns a server that listens to nothing yet. A nil logger is silent.
func NewServer(b Backend, logger *slog.Logger) *Server { return newServer(b, logger, DefaultLimits()) }

func newServer(b Backend, logger *slog.Logger, limits Limits) *Server {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{backend: b, log: logger, limits: limits, uid: os.Getuid(), since: time.Now()}
	s.base, s.end = context.WithCancel(context.Background())
	_, api := wnetv1.NewWnetHandler(handler{s},
		connect.WithInterceptors(connect.UnaryInterceptorFunc(s.count)),
		connect.WithRecover(s.recovered),
		connect.WithReadMaxBytes(int(limits.BodyBytes)),
		connect.WithCompression("gzip", nil, nil))
	s.http = &http.Server{
		Handler:           guard(s.frame(api)),
		ReadHeaderTimeout: limits.Header,
		IdleTimeout:       limits.Idle,
		MaxHeaderBytes:    limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return s.base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if p, ok := c.(*peerConn); ok {
				return context.WithValue(ctx, peerKey{}, p.peer)
			}
			return ctx
		},
		ConnState: s.state,
	}
	return s
}

type peerKey struct{}

// Serve answers calls on l until Shutdown or Close, and returns nil then; any other error is the listener's. l is the server's from
// here on. It must be of unix sockets. Several listeners may be served.
func (s *Server) Serve(l net.Listener) error {
	return s.serve(newGate(l, s.socketPeer, s.limits.Peers, &s.refused, s.log))
}

// socketPeer lets in this user alone.
func (s *Server) socketPeer(conn net.Conn) (Peer, error) {
	p, err := PeerOf(conn)
	if err == nil && p.UID != s.uid {
		err = errors.New("it is another user")
	}
	return p, err
}

func (s *Server) serve(g *gate) error {
	s.mu.Lock()
	if s.down {
		s.mu.Unlock()
		return g.Close()
	}
	s.gates = append(s.gates, g)
	s.mu.Unlock()
	err := s.http.Serve(g)
	g.Close()
	if s.stopped() {
		return nil
	}
	return err
}

func (s *Server) stopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

// StopAccepting turns new peers away, as Shutdown does first, and leaves the others.
func (s *Server) StopAccepting() {
	s.mu.Lock()
	s.down = true
	gates := s.gates
	s.mu.Unlock()
	for _, g := range gates {
		g.Close()
	}
}

// Shutdown accepts no more, waits for the calls under way until ctx ends, then ends their contexts and waits until each has returned.
// It returns ctx's error if calls had to be ended.
func (s *Server) Shutdown(ctx context.Context) error {
	s.StopAccepting()
	s.mu.Lock()
	gates := s.gates
	s.mu.Unlock()
	for _, g := range gates {
		g.dropFresh()
	}
	err := s.http.Shutdown(ctx)
	s.Close()
	return err
}

// Close accepts no more, ends every call's context and every connection, and waits until the calls have returned.
func (s *Server) Close() error {
	s.StopAccepting()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	err := s.http.Close()
	s.calls.Wait()
	return err
}

// begin counts a call in, for Close to wait for. It reports false after Close.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.calls.Add(1)
	}
	return !s.closed
}

func (s *Server) state(c net.Conn, st http.ConnState) {
	if p, ok := c.(*peerConn); ok {
		p.gate.state(c, st)
	}
}

// peers counts the open connections.
func (s *Server) peers() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.gates {
		n += int(g.peers.Load())
	}
	return n
}
