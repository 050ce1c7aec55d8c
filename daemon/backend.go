package daemon

import (
	"context"
	"sync"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/router"
	"github.com/openwnet/wnet/rpc"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/wine"
)

// backend is what the RPC server serves: the router, seen from the caller's session.
type backend struct {
	router   *router.Router
	sessions *session.Manager
	keeper   *wine.Keeper
	version  string
	halt     func() // takes no new callers any more
	once     sync.Once
	stop     chan struct{} // closed by the first Shutdown
}

var _ rpc.Backend = (*backend)(nil)

func (b *backend) session(c rpc.Caller) (*session.Session, error) {
	return b.sessions.Resolve(session.Peer{UID: c.UID, PID: c.PID}, c.Token)
}

// Service implements rpc.Backend.
func (b *backend) Service(_ context.Context, c rpc.Caller) (wnet.Service, error) {
	s, err := b.session(c)
	if err != nil {
		return nil, err
	}
	v := b.router.Session(s)
	if c.Channel {
		v = &inWine{v, b.keeper}
	}
	return v, nil
}

// Sessions implements rpc.Backend.
func (b *backend) Sessions(_ context.Context, c rpc.Caller) (wnet.Sessions, error) {
	s, err := b.session(c)
	if err != nil {
		return nil, err
	}
	return &view{b: b, current: s}, nil
}

// Shutdown implements rpc.Backend. Whoever connects after it was answered gets the next daemon.
func (b *backend) Shutdown(context.Context) error {
	b.once.Do(func() {
		close(b.stop)
		b.halt()
	})
	return nil
}

// Version implements rpc.Backend.
func (b *backend) Version() string { return b.version }

// view is the user's sessions as one of them sees them.
type view struct {
	b       *backend
	current *session.Session
}

var _ wnet.Sessions = (*view)(nil)

func (v *view) describe(s *session.Session) wnet.Session {
	return wnet.Session{LUID: s.LUID(), Kind: s.Kind(), Name: s.Name(), Folder: s.Folder(), Current: s == v.current, Since: s.Since(),
		Connections: v.b.router.Count(s.LUID())}
}

// Sessions implements wnet.Sessions.
func (v *view) Sessions(context.Context) ([]wnet.Session, error) {
	var all []wnet.Session
	for _, s := range v.b.sessions.List() {
		all = append(all, v.describe(s))
	}
	return all, nil
}

// CreateSession implements wnet.Sessions.
func (v *view) CreateSession(_ context.Context, anchor int) (wnet.Session, wnet.Secret, error) {
	s, token, err := v.b.sessions.Create("", anchor)
	if err != nil {
		return wnet.Session{}, wnet.Secret{}, err
	}
	return v.describe(s), token, nil
}

// EndSession implements wnet.Sessions. The session's drives are gone when it returns.
func (v *view) EndSession(_ context.Context, luid wnet.LUID) error {
	s, _ := v.b.sessions.Find(luid)
	if err := v.b.sessions.End(luid); err != nil {
		return err
	}
	v.b.router.EndSession(s) // the manager's watch does so too, a little later
	return nil
}
