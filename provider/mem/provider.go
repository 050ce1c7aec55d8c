// Package mem is the reference provider: a network of servers and shares that live in this process's memory.
//
// It keeps every rule of wnet.Provider and wnet.FileSystem and implements every optional interface, so it shows what a provider
// does when nothing stands in its way. Its servers can be told to misbehave: to be down, to answer slowly or not at all, to refuse
// one operation, to cut their connections.
//
//	p := mem.New(mem.Options{})
//	p.AddShare("nas", "media", mem.ShareOptions{Users: map[string]string{"anna": "secret"}})
//
// The data of a share lives as long as the share and is the same for all its connections.
package mem

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// ProviderName is the provider's name where Options name no other.
const ProviderName = "wnet Memory Network"

// Options are a provider's own settings. The zero Options are useful.
type Options struct {
	Name        string // as in NETRESOURCE.lpProvider; "" for ProviderName
	Suffix      string // such as ".mem": every server whose name ends so is this network's, defined or not
	DefaultUser string // whom a request without a user name stands for; "" for nobody
}

// Call is one request that reached a server, as a Fault sees it.
type Call struct {
	// Op is the method's name: Connect, Browse, ResourceInformation; Stat, ReadDir, Open, Mkdir, Remove, Rename, SetAttr, Symlink, Readlink, Link, Statfs,
	// ReadWhole, GetXattr, SetXattr, ListXattr, RemoveXattr; Performance;
	// and of an open file ReadAt, WriteAt, Truncate, Sync, Close, FileStat, FileSetAttr, Lock, TestLock, CopyFrom, Allocate, Seek.
	Op     string
	Server string // as AddServer or AddShare named it
	Share  string // as AddShare named it; of Connect and Browse, as the caller did
	Name   string // the path below the connection's top, of an open file the one it was opened by; "" for Connect and Browse
}

// Fault is asked before a server does what a call wants. An error is the call's result; nil lets it go on. A Fault may wait for what
// it likes, and should stop when ctx is done: that is the caller's context, ended too when the connection is closed or severed. A
// Fault is called from many goroutines at once.
type Fault func(ctx context.Context, call Call) error

// Provider is the network. It may be used from many goroutines at once.
type Provider struct {
	name, suffix, defaultUser string

	fault   atomic.Pointer[Fault]
	stopped atomic.Bool
	calls   atomic.Int64

	mu      sync.RWMutex       // guards servers and all that their *server hold
	servers map[string]*server // by name in lower case
}

var (
	_ wnet.Provider   = (*Provider)(nil)
	_ wnet.Enumerator = (*Provider)(nil)
)

// server is one machine. Provider.mu guards it.
type server struct {
	name   string
	down   bool
	shares map[string]*Share // by name in lower case
}

// New makes a network without servers.
func New(opts Options) *Provider {
	if opts.Name == "" {
		opts.Name = ProviderName
	}
	return &Provider{name: opts.Name, suffix: strings.ToLower(opts.Suffix), defaultUser: opts.DefaultUser, servers: map[string]*server{}}
}

// AddServer defines a server without shares. One that is there already stays as it is.
func (p *Provider) AddServer(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addServer(name)
}

func (p *Provider) addServer(name string) *server {
	key := strings.ToLower(name)
	s := p.servers[key]
	if s == nil {
		s = &server{name: name, shares: map[string]*Share{}}
		p.servers[key] = s
	}
	return s
}

// AddShare defines an empty share, and its server if that is new. A share of the same name goes first, as RemoveShare does it.
func (p *Provider) AddShare(server, share string, opts ShareOptions) *Share {
	p.RemoveShare(server, share)
	p.mu.Lock()
	defer p.mu.Unlock()
	srv := p.addServer(server)
	s := newShare(p, srv.name, share, opts)
	srv.shares[strings.ToLower(share)] = s
	return s
}

// RemoveShare takes a share away and severs its connections. It reports whether the share was there.
func (p *Provider) RemoveShare(server, share string) bool {
	p.mu.Lock()
	var s *Share
	if srv := p.servers[strings.ToLower(server)]; srv != nil {
		s = srv.shares[strings.ToLower(share)]
		delete(srv.shares, strings.ToLower(share))
	}
	p.mu.Unlock()
	if s == nil {
		return false
	}
	s.Sever()
	return true
}

// Share finds a share by name, in any case; nil if it is not there.
func (p *Provider) Share(server, share string) *Share {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if srv := p.servers[strings.ToLower(server)]; srv != nil {
		return srv.shares[strings.ToLower(share)]
	}
	return nil
}

// SetDown turns a server off or on. While it is off, Connect and Browse give ERROR_BAD_NETPATH; turning it off severs its connections.
func (p *Provider) SetDown(server string, down bool) {
	p.mu.Lock()
	srv := p.addServer(server)
	srv.down = down
	p.mu.Unlock()
	if down {
		p.Sever(server)
	}
}

// Sever cuts all connections to a server, which stays up: Lost is closed, calls under way and later ones give ERROR_NETNAME_DELETED. It
// returns how many there were.
func (p *Provider) Sever(server string) int {
	p.mu.RLock()
	var shares []*Share
	if srv := p.servers[strings.ToLower(server)]; srv != nil {
		for _, s := range srv.shares {
			shares = append(shares, s)
		}
	}
	p.mu.RUnlock()
	n := 0
	for _, s := range shares {
		n += s.Sever()
	}
	return n
}

// SetFault installs a Fault in place of the one before; nil takes it away. Calls that wait in the old one go on waiting there.
func (p *Provider) SetFault(f Fault) {
	if f == nil {
		p.fault.Store(nil)
		return
	}
	p.fault.Store(&f)
}

// Stall makes all servers stop answering, their connections kept, by a Fault in place of the one before. resume, to be called once, lets
// the calls that wait go on, and takes that Fault away.
func (p *Provider) Stall() (resume func()) {
	resumed := make(chan struct{})
	p.SetFault(func(ctx context.Context, _ Call) error {
		select {
		case <-resumed:
		case <-ctx.Done():
		}
		return nil
	})
	return func() {
		p.SetFault(nil)
		close(resumed)
	}
}

// SetStarted turns the network itself off or on. While it is off, Connect and Browse give ERROR_NO_NETWORK; connections that are
// there live on.
func (p *Provider) SetStarted(on bool) { p.stopped.Store(!on) }

// Calls is how many calls have reached a server so far, those that failed there included: a name that is not this network's, a
// context that had ended and a connection that was lost reach none.
func (p *Provider) Calls() int64 { return p.calls.Load() }

// Name implements wnet.Provider.
func (p *Provider) Name() string { return p.name }

// NetType implements wnet.Provider: WNNC_NET_EXTENDNET.
func (p *Provider) NetType() uint32 { return win32.WNNC_NET_EXTENDNET }

// Owns implements wnet.Provider: a UNC name whose server is defined here or has the network's suffix, in any case.
func (p *Provider) Owns(name wnet.RemoteName) bool {
	if name.Scheme != wnet.SchemeUNC || name.Server == "" {
		return false
	}
	key := strings.ToLower(name.Server)
	if p.suffix != "" && strings.HasSuffix(key, p.suffix) {
		return true
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.servers[key] != nil
}

// fail makes the error that Connect or Browse gives.
func (p *Provider) fail(op string, name wnet.RemoteName, code win32.Code, format string, args ...any) error {
	return &wnet.Error{Op: op, Name: name.String(), Provider: p.name, Code: code, Err: fmt.Errorf(format, args...)}
}

// ended is the error for a context that has ended before the server answered: given up by the caller, or the server took too long.
func (p *Provider) ended(op string, name wnet.RemoteName, err error) error {
	code := win32.ERROR_CANCELLED
	if errors.Is(err, context.DeadlineExceeded) {
		code = win32.ERROR_BAD_NETPATH
	}
	return p.fail(op, name, code, "the server did not answer: %w", err)
}

// reach checks in the order of R-02 up to where the server is asked, and asks the Fault.
func (p *Provider) reach(ctx context.Context, op string, name wnet.RemoteName, req wnet.Request) error {
	if p.stopped.Load() {
		return p.fail(op, name, win32.ERROR_NO_NETWORK, "%s is not started", p.name)
	}
	if !p.Owns(name) {
		return p.fail(op, name, win32.ERROR_BAD_NET_NAME, "%s has no such server", p.name)
	}
	switch req.Type {
	case win32.RESOURCETYPE_ANY, win32.RESOURCETYPE_DISK, win32.RESOURCETYPE_PRINT:
	default:
		return p.fail(op, name, win32.ERROR_INVALID_PARAMETER, "there is no resource type %d", req.Type)
	}
	if strings.ContainsFunc(req.User, unicode.IsControl) {
		return p.fail(op, name, win32.ERROR_BAD_USERNAME, "the user name has a control character")
	}
	if err := ctx.Err(); err != nil {
		return p.ended(op, name, err)
	}
	p.calls.Add(1)
	if fault := p.fault.Load(); fault != nil {
		err := (*fault)(ctx, Call{Op: op, Server: name.Server, Share: name.Share})
		if ctx.Err() != nil {
			return p.ended(op, name, ctx.Err())
		}
		if err != nil {
			return wnet.AsError(op, name.String(), err)
		}
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if srv := p.servers[strings.ToLower(name.Server)]; srv == nil || srv.down {
		return p.fail(op, name, win32.ERROR_BAD_NETPATH, "no server answers to %q", name.Server)
	}
	return nil
}

// Connect implements wnet.Provider. A path below the share must be a folder; the connection's file system begins there.
//
// Codes, in the order of the checks: ERROR_NO_NETWORK, ERROR_BAD_NET_NAME (not this network's), ERROR_INVALID_PARAMETER (type),
// ERROR_BAD_USERNAME, ERROR_CANCELLED, ERROR_BAD_NETPATH (server down or unknown), ERROR_BAD_NET_NAME (no such share),
// ERROR_LOGON_FAILURE (unknown user), ERROR_INVALID_PASSWORD (wrong or missing), ERROR_BAD_DEV_TYPE, ERROR_BAD_NET_NAME (no such
// folder below the share).
func (p *Provider) Connect(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
	const op = "Connect"
	name := req.Remote
	if err := p.reach(ctx, op, name, req); err != nil {
		return nil, err
	}
	s := p.Share(name.Server, name.Share)
	if s == nil {
		return nil, p.fail(op, name, win32.ERROR_BAD_NET_NAME, "the server has no share %q", name.Share)
	}
	if err := wait(ctx, s.opts.Latency); err != nil {
		return nil, p.ended(op, name, err)
	}
	user, code := s.admit(req, p.defaultUser)
	if code != 0 {
		return nil, p.fail(op, name, code, "the share %q does not admit user %q", s.name, user)
	}
	if req.Type != win32.RESOURCETYPE_ANY && req.Type != s.opts.Type {
		return nil, p.fail(op, name, win32.ERROR_BAD_DEV_TYPE, "the share %q is of another type", s.name)
	}
	top := s.tree.root
	if name.Path != "" {
		var err error
		if top, err = s.tree.folder(name.Path); err != nil || s.opts.Type == win32.RESOURCETYPE_PRINT {
			return nil, p.fail(op, name, win32.ERROR_BAD_NET_NAME, "the share %q has no folder %q", s.name, name.Path)
		}
	}
	c := &conn{share: s, top: top, user: user}
	if !s.enlist(c) {
		return nil, p.fail(op, name, win32.ERROR_BAD_NETPATH, "the server %q went away meanwhile", s.server)
	}
	return c, nil
}

// Browse implements wnet.Enumerator: the network's servers, or a server's shares, in order of name, those whose
// names end in "$" too. A share or a folder is ERROR_NOT_CONTAINER.
func (p *Provider) Browse(ctx context.Context, container *wnet.RemoteName, req wnet.Request) ([]wnet.Resource, error) {
	const op = "Browse"
	var all []wnet.Resource
	if container == nil {
		var names []string
		if p.stopped.Load() {
			return nil, p.fail(op, wnet.RemoteName{}, win32.ERROR_NO_NETWORK, "%s is not started", p.name)
		}
		if err := ctx.Err(); err != nil {
			return nil, p.ended(op, wnet.RemoteName{}, err)
		}
		p.mu.RLock()
		for _, srv := range p.servers {
			names = append(names, srv.name)
		}
		p.mu.RUnlock()
		for _, name := range names {
			all = append(all, p.server(name))
		}
	} else {
		if err := p.reach(ctx, op, *container, req); err != nil {
			return nil, err
		}
		if container.Share != "" {
			if p.Share(container.Server, container.Share) == nil {
				return nil, p.fail(op, *container, win32.ERROR_BAD_NET_NAME, "the server has no share %q", container.Share)
			}
			return nil, p.fail(op, *container, win32.ERROR_NOT_CONTAINER, "a share holds no other resources")
		}
		if req.Attached {
			if err := p.authenticate(op, *container, req); err != nil {
				return nil, err
			}
		}
		p.mu.RLock()
		for _, s := range p.servers[strings.ToLower(container.Server)].shares {
			if req.Type != win32.RESOURCETYPE_ANY && req.Type != s.opts.Type {
				continue
			}
			all = append(all, s.resource())
		}
		p.mu.RUnlock()
	}
	sort.Slice(all, func(i, j int) bool { return all[i].RemoteName < all[j].RemoteName })
	return all, nil
}

// authenticate wants the user to be known to the server: to one of its shares that want one (OE-03).
func (p *Provider) authenticate(op string, name wnet.RemoteName, req wnet.Request) error {
	if req.User == "" && p.defaultUser == "" {
		return p.fail(op, name, win32.ERROR_NOT_AUTHENTICATED, "the server is asked as nobody")
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	var refused win32.Code
	for _, s := range p.servers[strings.ToLower(name.Server)].shares {
		if len(s.opts.Users) == 0 {
			continue
		}
		_, code := s.admit(req, p.defaultUser)
		if code == 0 {
			return nil
		}
		refused = code
	}
	if refused != 0 {
		return p.fail(op, name, refused, "the server does not admit user %q", req.User)
	}
	return nil
}
