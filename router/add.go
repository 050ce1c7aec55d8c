package router

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/credential"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/redial"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/win32"
)

// AddConnection implements wnet.Connector.
func (v *service) AddConnection(ctx context.Context, req wnet.AddRequest) error {
	err := v.ready()
	if err == nil {
		req, err = unpack(req)
	}
	if err == nil {
		if req.LocalName == "" && req.Flags&win32.CONNECT_REDIRECT != 0 {
			// A2-46 tests flags, type and provider first; only this order makes A2-24 reachable.
			if _, err = v.check(req); err == nil {
				err = &wnet.Error{Code: win32.ERROR_INVALID_ADDRESS,
					Err: errors.New("a device is to be chosen, and there is nowhere to return its name")}
			}
		} else {
			_, err = v.add(ctx, req)
		}
	}
	return wnet.AsError("AddConnection", subject(req), err)
}

// unpack puts what the blobs of WNetAddConnection4 and WNetUseConnection4 say where the other calls have it (A4-01, A4-02).
func unpack(req wnet.AddRequest) (wnet.AddRequest, error) {
	if req.Auth.Present() {
		if req.User != "" || req.Password.Present() {
			return req, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("there are two logins: in the blob, and beside it")}
		}
		var err error
		if req.User, req.Password, err = wnet.ParseAuth(req.Auth); err != nil {
			return req, err
		}
		req.Auth = wnet.Secret{}
	}
	if req.OptionsBlob != "" {
		o, err := wnet.ParseUseOptions(req.OptionsBlob)
		if err == nil && o != (wnet.UseOptions{}) && req.Options != (wnet.UseOptions{}) {
			err = &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("there are two sets of options: in the blob, and beside it")}
		}
		if err != nil {
			return req, err
		}
		if o != (wnet.UseOptions{}) {
			req.Options = o
		}
		req.OptionsBlob = ""
	}
	return req, nil
}

// subject is the name that an error of an add is about.
func subject(req wnet.AddRequest) string {
	if req.RemoteName != "" && wnet.IsRemoteForm(req.RemoteName) && !strings.Contains(req.RemoteName, "://") {
		return req.RemoteName
	}
	return req.LocalName
}

// check makes the tests that need no device, profile or network: flags and type (87), then the provider (1204).
func (v *service) check(req wnet.AddRequest) (wnet.Provider, error) {
	if bits := req.Flags &^ win32.CONNECT_KNOWN; bits != 0 {
		return nil, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: fmt.Errorf("the flags have unknown bits, %#x", bits)}
	}
	switch req.Type {
	case win32.RESOURCETYPE_ANY, win32.RESOURCETYPE_DISK, win32.RESOURCETYPE_PRINT:
	default:
		return nil, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: fmt.Errorf("%d is no resource type", req.Type)}
	}
	return v.named(req.Provider)
}

// add is WNetAddConnection2 in the order of A2-46. It returns the connection.
func (v *service) add(ctx context.Context, req wnet.AddRequest) (*connection, error) {
	named, err := v.check(req)
	if err != nil {
		return nil, err
	}
	var device wnet.Device
	if req.LocalName != "" {
		if device, err = wnet.ParseDevice(req.LocalName); err != nil {
			return nil, err
		}
	}
	id := v.r.newID()
	if device != "" {
		if again := v.again(device, req); again != nil {
			return v.r.retry(ctx, again, req)
		}
		if taken(device, req) {
			return nil, &wnet.Error{Name: string(device), Code: win32.ERROR_ALREADY_ASSIGNED,
				Err:  fmt.Errorf("%s is a drive of the calling program's own system", device),
				Hint: "Choose another letter. In Wine, `winecfg` shows and removes the drives of a prefix."}
		}
		if err := v.define(device, id, req.Flags); err != nil {
			return nil, err
		}
	}
	c, err := v.connect(ctx, id, device, named, req)
	if err != nil && device != "" {
		v.undefine(device, id, req.Flags)
	}
	return c, err
}

func global(flags uint32) bool { return flags&win32.CONNECT_GLOBAL_MAPPING != 0 }

// taken reports whether the caller's own system has a drive at the letter.
func taken(d wnet.Device, req wnet.AddRequest) bool {
	return d.Drive() && req.Taken&(1<<(d[0]-'A')) != 0
}

// define reserves the device's name, so that of two simultaneous adds one gets it.
func (v *service) define(d wnet.Device, id session.ID, flags uint32) error {
	var err error
	if global(flags) {
		err = v.r.cfg.Sessions.DefineGlobal(d, id)
	} else {
		err = v.s.Define(d, id)
	}
	if err == nil {
		return nil
	}
	e := &wnet.Error{Name: string(d), Code: wnet.CodeOf(err)}
	if c := v.r.find(v.s, d); c != nil {
		e.Err = fmt.Errorf("%s is connected to %s", d, c.remote)
		e.Hint = fmt.Sprintf("Cancel it first (wnet cancel %s), or choose another letter.", d)
		if c.global {
			e.Hint = fmt.Sprintf("It is global: give it up first (wnet use %s /delete /global), or choose another letter.", d)
		}
	} else {
		e.Err = fmt.Errorf("%s is being connected or cancelled just now", d)
	}
	return e
}

func (v *service) undefine(d wnet.Device, id session.ID, flags uint32) {
	if global(flags) {
		v.r.cfg.Sessions.RemoveGlobal(d, id)
	} else {
		v.s.Remove(d, id)
	}
}

// again finds a connection of the same device and remote name that is there but does not work: a remembered drive whose server was away
// or whose password is missing. Adding it once more mends it, as `net use` does with an unavailable drive.
func (v *service) again(d wnet.Device, req wnet.AddRequest) *connection {
	c := v.r.find(v.s, d)
	if c == nil || c.global != global(req.Flags) || c.conn.Status().State == wnet.StateOK {
		return nil
	}
	n, err := wnet.ParseRemoteName(req.RemoteName)
	if err != nil || n.Key() != c.key || portOf(n, req.Options) != c.options.TCPPort {
		return nil
	}
	return c
}

// retry connects such a connection now, with the caller's login.
func (r *Router) retry(ctx context.Context, c *connection, req wnet.AddRequest) (*connection, error) {
	if !c.enter(ctx) {
		return nil, &wnet.Error{Code: win32.ERROR_BUSY, Err: errors.New("the device is being cancelled just now")}
	}
	defer c.leave()
	old := c.getLogin()
	if l := loginOf(req); l.explicit {
		if err := r.conflict(c.luid, c, c.remote, r.resolve(ctx, c.remote, l)); err != nil {
			return nil, err
		}
		c.setLogin(l)
	}
	r.forgive(c.serverKey)
	if err := c.conn.Connect(ctx); err != nil {
		c.setLogin(old)
		return nil, err
	}
	unsave, err := r.saveCredential(ctx, c, req)
	if err != nil {
		return nil, err
	}
	if noted(c, req) {
		tx, err := r.remember(ctx, c, req)
		if err == nil {
			defer tx.Rollback()
			err = tx.Commit()
		}
		if err != nil {
			unsave()
			return nil, err
		}
	}
	r.journal.add(c) // the login may be another
	r.keep(ctx, c)
	return c, nil
}

func loginOf(req wnet.AddRequest) login {
	return login{user: req.User, password: req.Password, explicit: req.User != "" || req.Password.Present()}
}

func portOf(n wnet.RemoteName, o wnet.UseOptions) int {
	if o.TCPPort != 0 || n.Scheme != wnet.SchemeUNC {
		return o.TCPPort
	}
	return n.Port
}

// connect does what follows the test of the device: remembered elsewhere (1202), the providers, the mount and the profile. The device
// is reserved already; the caller frees it on failure.
func (v *service) connect(ctx context.Context, id session.ID, device wnet.Device, named wnet.Provider, req wnet.AddRequest) (*connection, error) {
	r := v.r
	prof, profErr := r.cfg.Profile.Load(ctx)
	if device != "" {
		if profErr != nil {
			return nil, profErr
		}
	}
	n, nameErr := wnet.ParseRemoteName(req.RemoteName)
	if device != "" {
		if e, ok := prof.Entries[device]; ok && !global(req.Flags) && (nameErr != nil || !sameRemote(e, n)) {
			return nil, remembered(device, e)
		}
	}
	if nameErr != nil {
		return nil, nameErr
	}
	req.Options.TCPPort = portOf(n, req.Options)
	if n.Scheme == wnet.SchemeUNC {
		n.Port = req.Options.TCPPort
	}
	l := loginOf(req)
	if l.user == "" && n.Scheme == wnet.SchemeUNC {
		l.user, l.explicit = n.User, l.explicit || n.User != "" // smb://anna@server/share
	}
	if err := badUser(l.user); err != nil {
		return nil, err
	}
	c := r.make(v.s, id, device, n, req)
	c.login = l
	found := r.resolve(ctx, n, l)
	if err := r.conflict(c.luid, nil, n, found); err != nil {
		return nil, err
	}
	if device == "" {
		if old, err := r.join(ctx, c, named, prof.ProviderOrder, found); old != nil || err != nil {
			return old, err
		}
	}
	conn, p, err := r.route(ctx, named, prof.ProviderOrder, c.request(found))
	if err != nil {
		return nil, err
	}
	c.provider, c.typ = p, conn.Type()
	if err := match(device, c.typ); err != nil {
		conn.Close()
		return nil, err
	}
	c.options.HostKey = ""
	r.wrap(c, conn)
	final, err := r.settle(ctx, c, found, req)
	if final != c {
		c.conn.Close()
	}
	return final, err
}

// settle establishes a connection that is made, unless another call for the same server was quicker: what that has established meanwhile
// counts as if it had come long before. Only one call at a time for a server and session is here.
func (r *Router) settle(ctx context.Context, c *connection, l login, req wnet.AddRequest) (*connection, error) {
	done, err := r.turn(ctx, c.luid.String()+" "+c.serverKey)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := r.conflict(c.luid, nil, c.remote, l); err != nil {
		return nil, err
	}
	if c.device == "" {
		for _, old := range r.findDeviceless(c.luid, c.remote) {
			if old.options.TCPPort != c.options.TCPPort || old.provider != c.provider {
				continue
			}
			if old.enter(ctx) {
				old.refs.Add(1)
				r.journal.add(old)
				old.leave()
				return old, nil
			}
			if err := ctx.Err(); err != nil { // it may be there still: a second one would be mounted over it
				return nil, err
			}
		}
	}
	if err := r.establish(ctx, c, req); err != nil {
		return nil, err
	}
	return c, nil
}

// badUser refuses what cannot be a user's name, before it goes to a server (A2-18).
func badUser(u string) error {
	clean, err := wnet.Clean("user name", u)
	if err == nil && clean == u && !strings.ContainsAny(u, `"/[]:;|=,+*?<>`) && strings.Count(u, `\`) <= 1 {
		return nil
	}
	if err == nil {
		err = errors.New("the name has blanks round it, or a character that no user name has")
	}
	return &wnet.Error{Code: win32.ERROR_BAD_USERNAME, Err: err, Hint: `Write user, DOMAIN\user or user@domain.`}
}

// match tests that the device's kind is the resource's (A2-13).
func match(d wnet.Device, typ uint32) error {
	switch {
	case d == "", d.Drive() && typ == win32.RESOURCETYPE_DISK, !d.Drive() && typ == win32.RESOURCETYPE_PRINT:
		return nil
	case d.Drive():
		return &wnet.Error{Code: win32.ERROR_BAD_DEV_TYPE, Err: errors.New("the resource is a printer, and a letter takes a disk")}
	}
	return &wnet.Error{Code: win32.ERROR_BAD_DEV_TYPE, Err: errors.New("the resource is a disk, and a port takes a printer")}
}

// make fills in a connection that has no provider yet. s may be nil where the connection is global.
func (r *Router) make(s *session.Session, id session.ID, d wnet.Device, n wnet.RemoteName, req wnet.AddRequest) *connection {
	c := &connection{
		id: id, session: s, device: d, remote: n, shown: n.String(), key: n.Key(), serverKey: n.ServerKey(),
		typ: req.Type, flags: req.Flags, options: req.Options, gate: make(chan struct{}, 1),
	}
	c.refs.Store(1)
	c.entry = session.Entry{ID: id, Behind: c, Device: d, Global: global(req.Flags) && d != ""}
	if c.global = global(req.Flags) && d != ""; c.global {
		c.session, c.luid, c.folder = nil, globalLUID, r.cfg.Sessions.Default().Folder()+"/global"
	} else {
		c.luid, c.folder = s.LUID(), s.Folder()
	}
	if c.typ == win32.RESOURCETYPE_ANY && d != "" {
		if c.typ = win32.RESOURCETYPE_DISK; !d.Drive() {
			c.typ = win32.RESOURCETYPE_PRINT
		}
	}
	return c
}

// wrap gives the connection its life: first is nil for a deferred one.
func (r *Router) wrap(c *connection, first wnet.Conn) {
	c.conn = redial.New(redial.Config{
		Connect:        func(ctx context.Context) (wnet.Conn, error) { return r.reconnect(ctx, c) },
		First:          first,
		User:           c.login.user,
		Type:           c.typ,
		ConnectTimeout: r.cfg.ConnectTimeout,
		OpTimeout:      r.cfg.OpTimeout,
		Logger:         r.log.With("connection", c.name()),
	})
}

// establish mounts a connection, remembers it if it is to be, and puts it into the tables: all of it or nothing.
func (r *Router) establish(ctx context.Context, c *connection, req wnet.AddRequest) (err error) {
	var tx *profile.Tx
	if noted(c, req) {
		if tx, err = r.remember(ctx, c, req); err != nil {
			return err
		}
		defer tx.Rollback()
	}
	// Nobody but this call may end the connection before it is complete.
	c.enter(ctx)
	defer c.leave()
	unsave, err := r.saveCredential(ctx, c, req)
	if err != nil {
		return err
	}
	if err := r.show(ctx, c); err != nil {
		unsave()
		return err
	}
	if err = r.insert(c); err == nil {
		r.keep(ctx, c)
		if tx != nil {
			r.journal.remembering(c)
			if err = tx.Commit(); err != nil {
				r.remove(c)
				r.journal.drop(c)
				r.forgetKept(c)
			}
		}
	}
	if err != nil {
		c.gone = true
		unsave()
		if _, err := r.force(c); err != nil {
			r.log.Error("a mount could not be taken down", "name", c.name(), "err", err)
		}
		return err
	}
	r.journal.add(c)
	return nil
}

// saves reports whether the caller asked for the login to be kept, which counts only with a prompt on the command line (§4.1
// CMD_SAVECRED).
func (r *Router) saves(req wnet.AddRequest) bool {
	const asked = win32.CONNECT_CMD_SAVECRED | win32.CONNECT_INTERACTIVE | win32.CONNECT_COMMANDLINE
	return req.Flags&asked == asked && req.Password.Present() && r.cfg.Credentials != nil
}

// saveCredential keeps the login if the caller asked for it, and returns what takes that back. A login that cannot be kept is an error:
// the drive would come back without its password some day, when nobody remembers why.
func (r *Router) saveCredential(ctx context.Context, c *connection, req wnet.AddRequest) (undo func(), err error) {
	if !r.saves(req) {
		return func() {}, nil
	}
	user := c.getLogin().user
	if user == "" {
		user = c.userName()
	}
	store, now := r.cfg.Credentials, credential.Credential{Target: c.serverKey, User: user, Password: req.Password}
	before, found := store.Get(ctx, now.Target, now.User)
	if err := store.Put(ctx, now); err != nil {
		e := &wnet.Error{Code: wnet.CodeOf(err), Err: fmt.Errorf("the password could not be saved: %w", err),
			Hint: "Mend that, or map without /savecred."}
		return nil, e
	}
	return func() {
		if found == nil {
			err = store.Put(context.WithoutCancel(ctx), before)
		} else {
			err = store.Delete(context.WithoutCancel(ctx), now.Target, now.User)
		}
		if err != nil {
			r.log.Warn("a saved password could not be taken back", "name", c.name(), "err", err)
		}
	}, nil
}

// join adds to a deviceless connection that the session has already. A login of the caller's own is tried first, so that a wrong
// password does not pass because an earlier one was right.
func (r *Router) join(ctx context.Context, c *connection, named wnet.Provider, order []string, l login) (*connection, error) {
	for _, old := range r.findDeviceless(c.luid, c.remote) {
		if old.options.TCPPort != c.options.TCPPort || named != nil && named != old.provider || !old.enter(ctx) {
			continue
		}
		defer old.leave()
		have := r.resolve(ctx, old.remote, old.getLogin())
		if l.explicit && l.password.Present() && !l.password.Equal(have.password) {
			trial, err := r.ask(ctx, old.provider, c.request(l))
			if err != nil {
				return nil, err
			}
			trial.Close()
		}
		old.refs.Add(1)
		r.journal.add(old)
		return old, nil
	}
	return nil, nil
}

// conflict enforces one user name per server and session (A2-41), and that the defaults do not take over a login that was given
// explicitly (A2-42). except is left out of the comparison.
func (r *Router) conflict(luid wnet.LUID, except *connection, n wnet.RemoteName, l login) error {
	r.mu.Lock()
	var others []*connection
	if t := r.tables[luid]; t != nil {
		others = append(others, t.servers[n.ServerKey()]...)
	}
	r.mu.Unlock()
	for _, c := range others {
		if c == except {
			continue
		}
		have := c.getLogin()
		switch {
		case !l.explicit && !l.password.Present():
			if have.explicit {
				return &wnet.Error{Code: win32.ERROR_INVALID_PASSWORD,
					Err:  fmt.Errorf("%s is connected as %s, and that login is not taken over by default", c.remote, c.userName()),
					Hint: "Give the user name and the password again, or save them with /savecred."}
			}
		case !sameUser(l.user, have.user, c.conn.User(), r.user):
			return &wnet.Error{Code: win32.ERROR_SESSION_CREDENTIAL_CONFLICT,
				Err:  fmt.Errorf("%s is connected to the same server as %s", c.name(), c.userName()),
				Hint: fmt.Sprintf("Use the same user name, cancel %s first, or name the server another way (its address counts as another server).", c.name())}
		}
	}
	return nil
}

// sameUser compares a user name with a connection's: as it was asked for, or as the server knows it.
func sameUser(want, asked, actual, account string) bool {
	if want == "" {
		want = account
	}
	if asked == "" {
		asked = account
	}
	return strings.EqualFold(want, asked) || actual != "" && strings.EqualFold(want, actual)
}

// sameRemote reports whether a remembered entry is for the name.
func sameRemote(e profile.Entry, n wnet.RemoteName) bool {
	m, err := wnet.ParseRemoteName(e.RemotePath)
	return err == nil && m.Key() == n.Key()
}

func remembered(d wnet.Device, e profile.Entry) error {
	return &wnet.Error{Name: string(d), Code: win32.ERROR_DEVICE_ALREADY_REMEMBERED,
		Err:  fmt.Errorf("%s is remembered for %s", d, e.RemotePath),
		Hint: fmt.Sprintf("Forget it first (wnet cancel %s), or choose another letter.", d)}
}

// noted reports whether the profile is to be told of a connection: as remembered, or as recent. Only a device's is.
func noted(c *connection, req wnet.AddRequest) bool {
	return c.device != "" && !c.global && req.Flags&(win32.CONNECT_UPDATE_PROFILE|win32.CONNECT_UPDATE_RECENT) != 0
}

// remember prepares the profile's entry for a connection (A2-45), and notes the name as a recent one where it is to be. The caller
// commits or rolls back.
func (r *Router) remember(ctx context.Context, c *connection, req wnet.AddRequest) (*profile.Tx, error) {
	tx, err := r.cfg.Profile.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if req.Flags&win32.CONNECT_UPDATE_RECENT != 0 && c.device.Drive() {
		tx.AddRecent(c.shown)
	}
	if req.Flags&win32.CONNECT_UPDATE_PROFILE != 0 {
		if err := r.entry(ctx, tx, c, req); err != nil {
			tx.Rollback()
			return nil, err
		}
	}
	if err := tx.Prepare(); err != nil {
		tx.Rollback()
		return nil, err
	}
	return tx, nil
}

// entry sets the profile's entry for a connection.
func (r *Router) entry(ctx context.Context, tx *profile.Tx, c *connection, req wnet.AddRequest) error {
	if e, ok := tx.Profile().Entries[c.device]; ok && !sameRemote(e, c.remote) {
		return remembered(c.device, e)
	}
	l := c.getLogin()
	defer4 := uint32(4) // default or saved credentials
	if l.explicit && !r.saves(req) {
		saved := r.resolve(ctx, c.remote, login{user: l.user}).password
		if !saved.Present() || l.password.Present() && !l.password.Equal(saved) {
			defer4 = 1 // another user, no saved password
		}
	}
	options := c.options
	options.HostKey = ""
	tx.Set(profile.Entry{
		Device: c.device, RemotePath: c.shown, UserName: l.user,
		ProviderName: c.provider.Name(), ProviderType: c.provider.NetType(), ConnectionType: c.typ,
		ConnectFlags: c.flags & kept, DeferFlags: defer4, UseOptions: options,
	})
	return nil
}

// kept are the flags that matter again when a remembered connection is restored.
const kept = win32.CONNECT_REQUIRE_INTEGRITY | win32.CONNECT_REQUIRE_PRIVACY | win32.CONNECT_WRITE_THROUGH_SEMANTICS |
	win32.CONNECT_COMPRESS_NETWORK_TRAFFIC
