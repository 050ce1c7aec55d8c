// Package router is the Multiple Provider Router: the WNet semantics over providers, sessions, the profile and the credential store. It owns
// the table of live connections.
//
// One file holds one family of functions: add, use, cancel, get, enum, restore; order has the asking of providers.
package router

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/credential"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/win32"
)

// Config is what a Router is made of. Providers, Profile and Sessions are required.
type Config struct {
	Providers   []wnet.Provider  // in default order; none is ERROR_NO_NETWORK for every call (G-12)
	Profile     *profile.Store   // the user's remembered connections
	Credentials credential.Store // nil: none are kept
	Mounter     wnet.Mounter     // nil: connections are not shown to the kernel
	Sessions    *session.Manager
	Kept        *credential.Kernel // nil: a password that was not saved is lost with the daemon
	Version     uint32             // of the providers, major << 16 | minor (NI-04); 0 if unknown
	Journal     string             // file that keeps the live connections across a crash of the daemon; "" for none

	ConnectTimeout time.Duration // one provider's attempt; 0 for 15 s
	ForceBound     time.Duration // how long a forced cancel lets written data reach the server; 0 for 5 s
	OpTimeout      time.Duration // one file operation; 0 for redial's default
	HomeShare      string        // the user's home folder on the network where the profile names none; "" for none
	Logger         *slog.Logger  // nil for none
}

// Router applies the contract. Its methods may be called from many goroutines at once.
type Router struct {
	cfg     Config
	user    string // the account's name, WNet's default user
	log     *slog.Logger
	journal *journal

	background sync.WaitGroup // goroutines that Close waits for
	stop       context.CancelFunc
	life       context.Context // ends with Close

	folders sync.RWMutex // held for reading while a mount makes its folders, for writing while empty ones are removed

	mu         sync.Mutex                 // guards what follows
	next       session.ID                 // the last number given to a connection
	conns      map[session.ID]*connection // every live connection
	tables     map[wnet.LUID]*table       // each session's own
	watch      []chan struct{}            // who wants to know of changes
	making     map[string]chan struct{}   // by turn's key: closed when who has the turn is done
	trials     map[trialKey]*trial
	unrestored map[restoring]wnet.Status // remembered devices whose last try failed
	closed     atomic.Bool               // set under mu

	keeping sync.Mutex        // guards kept and the connections' kept; held while the kernel's keyring is asked
	kept    map[keptLogin]int // how many connections use a password that is kept
}

// table is what the router knows of one session. Router.mu guards it.
type table struct {
	all        map[session.ID]*connection
	deviceless map[string][]*connection // by RemoteName.Key
	servers    map[string][]*connection // by RemoteName.ServerKey, for A2-41
	restore    sync.Once
}

// globalLUID owns the table of the global namespace's connections (DD-04).
const globalLUID = wnet.LUIDSystem

// New returns a Router with no connections. Start brings back those of an earlier daemon and the remembered ones.
func New(cfg Config) (*Router, error) {
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 15 * time.Second
	}
	if cfg.ForceBound == 0 {
		cfg.ForceBound = 5 * time.Second
	}
	r := &Router{
		cfg:    cfg,
		log:    cfg.Logger,
		conns:  map[session.ID]*connection{},
		tables: map[wnet.LUID]*table{},
		making: map[string]chan struct{}{},
		trials: map[trialKey]*trial{},
		kept:   map[keptLogin]int{},

		unrestored: map[restoring]wnet.Status{},
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if u, err := user.Current(); err == nil {
		r.user = u.Username
	}
	r.life, r.stop = context.WithCancel(context.Background())
	var err error
	if r.journal, err = openJournal(cfg.Journal, r.log); err != nil {
		return nil, err
	}
	return r, nil
}

// Changes gives a channel that holds a word when connections came or went since the last one was taken. It is for as long as the Router.
func (r *Router) Changes() <-chan struct{} {
	c := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watch = append(r.watch, c)
	return c
}

// changed tells those who watch. The caller holds mu.
func (r *Router) changed() {
	for _, c := range r.watch {
		select {
		case c <- struct{}{}:
		default: // one word is enough
		}
	}
}

// Session returns the WNet API of one session. The session's remembered drives are restored before its first call is answered.
func (r *Router) Session(s *session.Session) wnet.Service { return &service{r: r, s: s} }

// service is one session's view of the router.
type service struct {
	r     *Router
	s     *session.Session
	begun atomic.Bool // the session has its table, and its remembered drives
}

var _ wnet.Service = (*service)(nil)

// ready restores what the session remembers, once, and answers ERROR_NO_NETWORK where nothing can be routed (G-04, G-12).
func (v *service) ready() error {
	if v.begun.Load() {
		return v.living()
	}
	if len(v.r.cfg.Providers) == 0 {
		return &wnet.Error{Code: win32.ERROR_NO_NETWORK, Hint: "No provider is configured."}
	}
	t, err := v.open()
	if err != nil {
		return err
	}
	t.restore.Do(func() { v.r.restoreSession(v.s) })
	v.begun.Store(true)
	return nil
}

// living refuses where nothing is answered any more.
func (v *service) living() error {
	switch {
	case v.r.closed.Load():
		return stoppingError()
	case v.s.Over():
		return overError()
	}
	return nil
}

// open returns the session's table. A session that is over gets none any more: nobody would take it away again.
func (v *service) open() (*table, error) {
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	if err := v.living(); err != nil {
		return nil, err
	}
	return v.r.table(v.s.LUID()), nil
}

func stoppingError() error {
	return &wnet.Error{Code: win32.ERROR_BUSY, Hint: "The daemon is stopping; try again."}
}

func overError() error {
	return &wnet.Error{Code: win32.ERROR_NO_SUCH_LOGON_SESSION, Err: errors.New("the session has just ended")}
}

// turn lets one caller at a time through for the same key. done passes the turn on. The error is the context's.
func (r *Router) turn(ctx context.Context, key string) (done func(), err error) {
	for {
		r.mu.Lock()
		busy := r.making[key]
		if busy == nil {
			mine := make(chan struct{})
			r.making[key] = mine
			r.mu.Unlock()
			return func() {
				r.mu.Lock()
				delete(r.making, key)
				r.mu.Unlock()
				close(mine)
			}, nil
		}
		r.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// table returns a session's table and makes it if it is not there. The caller holds mu.
func (r *Router) table(luid wnet.LUID) *table {
	t := r.tables[luid]
	if t == nil {
		t = &table{
			all:        map[session.ID]*connection{},
			deviceless: map[string][]*connection{},
			servers:    map[string][]*connection{},
		}
		r.tables[luid] = t
	}
	return t
}

// newID reserves a connection's number.
func (r *Router) newID() session.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	return r.next
}

// insert puts a finished connection into the tables. It fails when the router is closing, and when the session has ended meanwhile: its
// connections have been taken down by then, or EndSession finds this one.
func (r *Router) insert(c *connection) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return stoppingError()
	}
	if c.session != nil && c.session.Over() {
		return overError()
	}
	t := r.table(c.luid)
	r.conns[c.id] = c
	delete(r.unrestored, restoring{c.luid, c.device})
	t.all[c.id] = c
	if c.device == "" {
		t.deviceless[c.key] = append(t.deviceless[c.key], c)
	}
	t.servers[c.serverKey] = append(t.servers[c.serverKey], c)
	switch {
	case c.device == "":
	case c.global:
		r.cfg.Sessions.BindGlobal(&c.entry)
	default:
		c.session.Bind(&c.entry)
	}
	r.changed()
	return nil
}

// remove takes a connection out of the tables and frees its device.
func (r *Router) remove(c *connection) {
	r.mu.Lock()
	delete(r.conns, c.id)
	if t := r.tables[c.luid]; t != nil {
		delete(t.all, c.id)
		if c.device == "" {
			cut(t.deviceless, c.key, c)
		}
		cut(t.servers, c.serverKey, c)
	}
	r.changed()
	r.mu.Unlock()
	r.release(c)
}

// release frees a connection's device.
func (r *Router) release(c *connection) {
	switch {
	case c.device == "":
	case c.global:
		r.cfg.Sessions.RemoveGlobal(c.device, c.id)
	default:
		c.session.Remove(c.device, c.id)
	}
}

func cut(m map[string][]*connection, key string, c *connection) {
	list := m[key]
	for i, x := range list {
		if x == c {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(m, key)
	} else {
		m[key] = list
	}
}

// find returns the live connection that a device stands for in a session, own names first (DD-20), nil if none. It takes no lock.
func (r *Router) find(s *session.Session, d wnet.Device) *connection {
	e := s.Lookup(d)
	if e == nil {
		return nil
	}
	c, _ := e.Behind.(*connection)
	return c
}

// findDeviceless returns the session's deviceless connections to a name; port 0 means any.
func (r *Router) findDeviceless(luid wnet.LUID, n wnet.RemoteName) []*connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tables[luid]
	if t == nil {
		return nil
	}
	var found []*connection
	for _, c := range t.deviceless[n.Key()] {
		if n.Port == 0 || n.Port == c.options.TCPPort || n.Scheme != wnet.SchemeUNC {
			found = append(found, c)
		}
	}
	return found
}

// uses counts the session's connections to the same remote name.
func (r *Router) uses(luid wnet.LUID) map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := map[string]int{}
	if t := r.tables[luid]; t != nil {
		for _, c := range t.all {
			count[c.key]++
		}
	}
	return count
}

// list returns the connections of a table.
func (r *Router) list(luid wnet.LUID) []*connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*connection
	if t := r.tables[luid]; t != nil {
		for _, c := range t.all {
			all = append(all, c)
		}
	}
	return all
}

// Count is the number of live connections of a session; of the global namespace for LUIDSystem.
func (r *Router) Count(luid wnet.LUID) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.tables[luid]; t != nil {
		return len(t.all)
	}
	return 0
}

// EndSession takes down every connection of a session that is over (DD-05), with force and without touching the profile.
func (r *Router) EndSession(s *session.Session) {
	r.takeAll(r.list(s.LUID()))
	r.mu.Lock()
	maps.DeleteFunc(r.unrestored, func(k restoring, _ wnet.Status) bool { return k.luid == s.LUID() })
	delete(r.tables, s.LUID())
	r.mu.Unlock()
	r.journal.ended(s.LUID())
	r.tidySession(s)
}

// tidySession removes the folders of a session other than the default one, where they are empty.
func (r *Router) tidySession(s *session.Session) {
	if s == r.cfg.Sessions.Default() {
		return
	}
	servers, _ := filepath.Glob(filepath.Join(s.Folder(), "unc", "*"))
	for _, dir := range append(servers, filepath.Join(s.Folder(), "unc"), s.Folder()) {
		os.Remove(dir) // where it is there and empty
	}
}

// takeAll takes connections down, side by side so that one dead server delays no other.
func (r *Router) takeAll(all []*connection) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 16)
	for _, c := range all {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			if !c.enter(context.Background()) {
				return
			}
			defer c.leave()
			ctx, cancel := context.WithTimeout(context.Background(), r.cfg.ForceBound)
			defer cancel()
			if err := r.unmount(ctx, c); err != nil {
				if aside, err := r.force(c); err != nil {
					r.log.Error("a mount could not be taken down", "name", c.name(), "err", err)
				} else if len(aside) > 0 {
					r.log.Warn("written data did not reach the server and is kept", "name", c.name(), "files", aside)
				}
			}
			r.drop(c)
		}()
	}
	wg.Wait()
}

// Close takes every connection down, what was written first, and forgets no remembered one. The router answers ERROR_BUSY from then on.
func (r *Router) Close(ctx context.Context) error {
	r.mu.Lock()
	r.closed.Store(true)
	var all []*connection
	for _, c := range r.conns {
		all = append(all, c)
	}
	r.mu.Unlock()
	r.stop()
	r.takeAll(all)
	r.background.Wait()
	for _, s := range r.cfg.Sessions.List() {
		r.tidySession(s) // its session may end before there is a daemon again
	}
	return r.journal.close()
}

// point is the folder at which a connection is mounted.
func (r *Router) point(c *connection) string {
	base := c.folder
	if c.device != "" {
		return base + "/" + c.device.Key()
	}
	parts := strings.Split(strings.TrimPrefix(c.shown, `\\`), `\`)
	server := parts[0]
	if p := c.options.TCPPort; p != 0 && c.remote.Scheme == wnet.SchemeUNC {
		server += "!" + strconv.Itoa(p)
	}
	// One folder a name: a deeper name must not be looked up inside the mount of a shorter one.
	return base + "/unc/" + server + "/" + strings.Join(parts[1:], ",")
}
