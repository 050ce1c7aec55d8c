package router

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/redial"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/win32"
)

// connection is one live connection. All but what mu and the gate guard is set before it is inserted, and stays.
type connection struct {
	entry     session.Entry // the device's, which leads here; entry and shown are all that a look-up reads
	shown     string        // remote.String()
	id        session.ID
	luid      wnet.LUID        // the session that owns it; globalLUID for a global one
	session   *session.Session // nil for a global one
	global    bool
	folder    string // the owner's folder
	device    wnet.Device
	remote    wnet.RemoteName
	key       string // remote.Key()
	serverKey string // remote.ServerKey()
	typ       uint32
	provider  wnet.Provider
	flags     uint32
	options   wnet.UseOptions
	conn      *redial.Conn
	refs      atomic.Int32 // deviceless: how often it was added and not yet counted down (C2-06)

	kept *keptLogin // what forgetKept ends, nil if nothing; Router.keeping guards it

	// gate is held by the one call that changes whether the connection lives: of a hundred cancels, one at a time.
	gate chan struct{}
	gone bool // guarded by gate

	mu    sync.Mutex // guards what follows
	mount wnet.Mount // nil where there is none
	login login      // what to connect with
}

// login is what a connection authenticates with.
type login struct {
	user     string      // "" for the default user
	password wnet.Secret // absent for the default, or what the credential store has
	explicit bool        // the caller named the user or the password, rather than leaving both to the defaults
}

// enter takes the gate. False if the context ended first or the connection is gone; the gate is then not held.
func (c *connection) enter(ctx context.Context) bool {
	select {
	case c.gate <- struct{}{}:
	default:
		select {
		case c.gate <- struct{}{}:
		case <-ctx.Done():
			return false
		}
	}
	if c.gone {
		<-c.gate
		return false
	}
	return true
}

func (c *connection) leave() { <-c.gate }

// name is the device, or the remote name of a deviceless connection.
func (c *connection) name() string {
	if c.device != "" {
		return string(c.device)
	}
	return c.shown
}

func (c *connection) mounted() wnet.Mount {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mount
}

func (c *connection) setMount(m wnet.Mount) {
	c.mu.Lock()
	c.mount = m
	c.mu.Unlock()
}

func (c *connection) getLogin() login {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.login
}

func (c *connection) setLogin(l login) {
	c.mu.Lock()
	c.login = l
	c.mu.Unlock()
}

// userName is the user that the connection is or will be made by.
func (c *connection) userName() string {
	if u := c.conn.User(); u != "" {
		return u
	}
	return c.getLogin().user
}

// show mounts the connection where a mounter is there, and watches for a mount that somebody else takes down.
func (r *Router) show(ctx context.Context, c *connection) error {
	if r.cfg.Mounter == nil || c.conn.FS() == nil || c.typ == win32.RESOURCETYPE_PRINT {
		return nil
	}
	r.folders.RLock()
	m, err := r.cfg.Mounter.Mount(ctx, r.point(c), c.conn.FS(), wnet.MountOptions{Source: c.shown})
	r.folders.RUnlock()
	if err != nil {
		return err
	}
	c.setMount(m)
	r.background.Add(1)
	go func() {
		defer r.background.Done()
		<-m.Done()
		r.vanished(c, m)
	}()
	return nil
}

// vanished gives up a connection whose mount was taken away from outside (umount, fusermount3): what the user took away does not come
// back by itself, and stays remembered.
func (r *Router) vanished(c *connection, m wnet.Mount) {
	if !c.enter(context.Background()) {
		return
	}
	defer c.leave()
	if c.mounted() != m {
		return
	}
	r.log.Info("the mount was taken down from outside; the connection is given up", "name", c.name())
	c.setMount(nil)
	var idle <-chan struct{}
	if l, ok := m.(wnet.Lingerer); ok {
		idle = l.Idle() // what is open works on until it is closed
	}
	r.dropAfter(c, idle)
}

// unmount takes the mount down if nobody uses it. The caller holds the gate.
func (r *Router) unmount(ctx context.Context, c *connection) error {
	m := c.mounted()
	if m == nil {
		return nil
	}
	if err := m.Unmount(ctx); err != nil {
		return err
	}
	c.setMount(nil)
	return nil
}

// force takes the mount down whoever uses it. The caller holds the gate.
func (r *Router) force(c *connection) ([]string, error) {
	m := c.mounted()
	if m == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.cfg.ForceBound)
	defer cancel()
	aside, err := m.ForceUnmount(ctx)
	if err != nil {
		return aside, err
	}
	c.setMount(nil)
	return aside, nil
}

// drop ends a connection whose mount is down. The caller holds the gate.
func (r *Router) drop(c *connection) { r.dropAfter(c, nil) }

// dropAfter is drop, and leaves the provider's connection as it is until idle is closed, or the router; nil for at once.
func (r *Router) dropAfter(c *connection, idle <-chan struct{}) {
	c.gone = true
	r.remove(c)
	r.journal.drop(c)
	r.forgetKept(c)
	// A provider's Close waits for no server, but nobody has to wait even for that.
	r.background.Add(1)
	go func() {
		defer r.background.Done()
		if idle != nil {
			select {
			case <-idle:
			case <-r.life.Done():
			}
		}
		if err := c.conn.Close(); err != nil {
			r.log.Debug("close", "name", c.name(), "err", err)
		}
		r.tidy(c)
	}()
}

// tidy removes the folders that a deviceless connection's mount stood in, where they are empty. While a mount is being made they may be
// what it just made, so they stay then, for the next one to remove.
func (r *Router) tidy(c *connection) {
	if r.cfg.Mounter == nil || c.device != "" || !r.folders.TryLock() {
		return
	}
	defer r.folders.Unlock()
	server := filepath.Dir(r.point(c))
	if os.Remove(server) == nil {
		os.Remove(filepath.Dir(server))
	}
}
