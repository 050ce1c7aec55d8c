package router

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/win32"
)

// Start brings back what an earlier daemon left in the journal and the default session's remembered drives. All come back deferred:
// the devices and mounts are there at once, side by side, and each connects in the background or on its first use (NP-03).
func (r *Router) Start(ctx context.Context) error {
	if r.journal.found {
		r.sweep()
	}
	records, top := r.journal.take()
	r.mu.Lock()
	r.next = max(r.next, top)
	r.mu.Unlock()
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for _, rec := range records {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			r.adopt(ctx, rec)
			r.journal.retire(rec.ID)
		}()
	}
	wg.Wait()
	r.forgetOld(records)
	s := r.cfg.Sessions.Default()
	return r.Session(s).(*service).ready()
}

// sweep removes the empty folders that a killed daemon left where drives appear: it had made them and not yet mounted, or unmounted and
// not yet removed. A program would take such a folder for the drive and write to the local disk. One that is mounted or holds
// something stays, because it cannot be removed.
func (r *Router) sweep() {
	if r.cfg.Mounter == nil {
		return
	}
	root := r.cfg.Sessions.Default().Folder()
	below := os.DirFS(root)
	for _, base := range []string{"sessions/*", "global", ""} {
		for _, pattern := range []string{"[A-Z]", "unc/*/*", "unc/*", "unc", "sessions/*"} {
			found, _ := fs.Glob(below, path.Join(base, pattern)) // it fails for a bad pattern alone
			for _, name := range found {
				if folder := filepath.Join(root, name); syscall.Rmdir(folder) == nil {
					r.log.Info("a folder that a killed daemon left is removed", "folder", folder)
				}
			}
		}
	}
}

// adopt restores one connection of the journal, if its session still lives.
func (r *Router) adopt(ctx context.Context, rec record) {
	s := r.cfg.Sessions.Default()
	if rec.LUID != globalLUID {
		var ok bool
		if s, ok = r.cfg.Sessions.Find(rec.LUID); !ok {
			return
		}
	}
	if rec.Forgetting || rec.Remembering {
		if p, err := r.cfg.Profile.Load(ctx); err == nil {
			if _, ok := p.Entries[rec.Device]; !ok {
				return // the cancel was through, or the add was not
			}
		}
	}
	req := wnet.AddRequest{LocalName: string(rec.Device), RemoteName: rec.Remote, Type: rec.Type, Provider: rec.Provider, User: rec.User,
		Flags: rec.Flags, Options: rec.Options}
	if n, err := wnet.ParseRemoteName(rec.Remote); err == nil {
		req.Password = r.recall(ctx, n, loginOf(req)).password
	}
	if err := r.deferred(ctx, s, req, rec.Refs); err != nil {
		r.log.Warn("a connection of the daemon before could not be brought back", "name", rec.Remote, "device", rec.Device, "err", err)
	}
}

// restoreSession brings back a session's remembered drives, once in the session's life and not in one that starts without them.
func (r *Router) restoreSession(s *session.Session) {
	if !s.Restores() || r.journal.restored(s.LUID()) {
		return
	}
	prof, err := r.cfg.Profile.Load(r.life)
	if err != nil {
		r.log.Error("the remembered connections could not be restored", "err", err)
		return
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for _, e := range sorted(prof) {
		if s.Lookup(e.Device) != nil {
			continue
		}
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			if err := r.deferred(r.life, s, remake(e), 1); err != nil {
				r.log.Warn("a remembered connection could not be restored", "device", e.Device, "name", e.RemotePath, "err", err)
			}
		}()
	}
	wg.Wait()
	r.journal.markRestored(s.LUID())
}

// remake is the request that makes a remembered connection again.
func remake(e profile.Entry) wnet.AddRequest {
	return wnet.AddRequest{LocalName: string(e.Device), RemoteName: e.RemotePath, Type: e.ConnectionType, Provider: e.ProviderName,
		User: e.UserName, Flags: e.ConnectFlags, Options: e.UseOptions}
}

// deferred makes a connection without asking the server, and lets it connect in the background.
func (r *Router) deferred(ctx context.Context, s *session.Session, req wnet.AddRequest, refs int32) error {
	c, err := r.prepare(s, req)
	if err != nil {
		return err
	}
	c.refs.Store(max(refs, 1))
	v := &service{r: r, s: s}
	if c.device != "" {
		if err := v.define(c.device, c.id, req.Flags); err != nil {
			return err
		}
	}
	r.wrap(c, nil)
	c.enter(ctx)
	defer c.leave()
	if err = r.show(ctx, c); err == nil {
		err = r.insert(c)
	}
	if err != nil {
		c.gone = true
		r.force(c)
		r.release(c)
		c.conn.Close()
		return err
	}
	r.journal.add(c)
	r.keep(ctx, c)
	c.conn.Warm()
	return nil
}

// prepare makes a connection's record from a request whose provider is to be known without asking a server.
func (r *Router) prepare(s *session.Session, req wnet.AddRequest) (*connection, error) {
	var d wnet.Device
	if req.LocalName != "" {
		var err error
		if d, err = wnet.ParseDevice(req.LocalName); err != nil {
			return nil, err
		}
	}
	n, err := wnet.ParseRemoteName(req.RemoteName)
	if err != nil {
		return nil, err
	}
	req.Options.TCPPort = portOf(n, req.Options)
	if n.Scheme == wnet.SchemeUNC {
		n.Port = req.Options.TCPPort
	}
	p := r.provider(req.Provider)
	for _, q := range r.cfg.Providers {
		if p == nil && q.Owns(n) {
			p = q
		}
	}
	if p == nil {
		return nil, &wnet.Error{Name: req.RemoteName, Code: win32.ERROR_NO_NET_OR_BAD_PATH,
			Err: fmt.Errorf("there is no provider %q, and no other recognises the name", req.Provider)}
	}
	c := r.make(s, r.newID(), d, n, req)
	c.provider, c.login = p, loginOf(req)
	if c.typ == win32.RESOURCETYPE_ANY {
		c.typ = win32.RESOURCETYPE_DISK
	}
	return c, nil
}

// RestoreConnection implements wnet.Connector (RC-02, RC-03): here the caller waits for the servers, all asked side by side.
func (v *service) RestoreConnection(ctx context.Context, device string) error {
	err := v.ready()
	if err == nil {
		err = v.restore(ctx, device)
	}
	return wnet.AsError("RestoreConnection", device, err)
}

func (v *service) restore(ctx context.Context, device string) error {
	prof, err := v.r.cfg.Profile.Load(ctx)
	if err != nil {
		return err
	}
	if device != "" {
		d, err := wnet.ParseDevice(device)
		if err != nil {
			return err
		}
		e, ok := prof.Entries[d]
		if !ok {
			return &wnet.Error{Code: win32.ERROR_NOT_CONNECTED, Err: errors.New("the device is not remembered")}
		}
		if n, err := wnet.ParseRemoteName(e.RemotePath); err == nil {
			v.r.forgive(n.ServerKey())
		}
		return v.restoreOne(ctx, e)
	}
	v.r.forgive("")
	entries := sorted(prof)
	errs := make([]error, len(entries))
	var wg sync.WaitGroup
	for i, e := range entries {
		wg.Add(1)
		go func() { defer wg.Done(); errs[i] = v.restoreOne(ctx, e) }()
	}
	wg.Wait()
	return together(entries, errs)
}

// together makes one error of several: the first one's code (RC-02), and what each device failed with.
func together(entries []profile.Entry, errs []error) error {
	var first *wnet.Error
	var lines []string
	for i, err := range errs {
		var e *wnet.Error
		if !errors.As(err, &e) {
			continue
		}
		if first == nil {
			first = e
		}
		lines = append(lines, string(entries[i].Device)+" "+e.Error())
	}
	switch len(lines) {
	case 0:
		return nil
	case 1:
		return first
	}
	e := *first
	e.Name, e.Err, e.Hint = "", errors.New(strings.Join(lines, "; ")), "`wnet list` shows which drives are not connected."
	return &e
}

// restoreOne connects one remembered device now.
func (v *service) restoreOne(ctx context.Context, e profile.Entry) error {
	if c := v.r.find(v.s, e.Device); c != nil {
		if !sameRemote(e, c.remote) {
			return &wnet.Error{Name: string(e.Device), Code: win32.ERROR_ALREADY_ASSIGNED, Err: fmt.Errorf("%s is connected to %s", e.Device, c.remote)}
		}
		if c.conn.Status().State == wnet.StateOK {
			return nil
		}
		return wnet.AsError("", string(e.Device), c.conn.Connect(ctx))
	}
	_, err := v.add(ctx, remake(e))
	err = wnet.AsError("", string(e.Device), err)
	v.r.noteRestore(v.s.LUID(), e.Device, err)
	return err
}

// restoring names a remembered device in a session.
type restoring struct {
	luid   wnet.LUID
	device wnet.Device
}

// noteRestore keeps why a remembered device could not be connected when it was asked for, until it is. insert forgets it.
func (r *Router) noteRestore(luid wnet.LUID, d wnet.Device, err error) {
	if err == nil || wnet.CodeOf(err) == win32.ERROR_CANCELLED {
		return
	}
	status := wnet.Status{State: wnet.StateUnavailable, Since: time.Now(), Code: wnet.CodeOf(err), Reason: reasonOf(err)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unrestored[restoring{luid, d}] = status
}

// reasonOf says in a line what went wrong, and what to do where that is known.
func reasonOf(err error) string {
	var e *wnet.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := strings.TrimSuffix(e.Code.Error(), ".")
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// whyNot is the status of a remembered device that is not there: why the last try failed, where there was one.
func (r *Router) whyNot(s *session.Session, d wnet.Device) wnet.Status {
	r.mu.Lock()
	status, tried := r.unrestored[restoring{s.LUID(), d}]
	r.mu.Unlock()
	switch {
	case tried:
	case !s.Restores():
		status = wnet.Status{State: wnet.StateUnavailable, Reason: "remembered, and not connected in this session; connect it with: wnet restore " + string(d)}
	default:
		status = wnet.Status{State: wnet.StateUnavailable, Reason: "remembered, and not connected; connect it with: wnet restore " + string(d)}
	}
	return status
}
