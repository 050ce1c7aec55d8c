package router

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sort"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/win32"
)

// CancelConnection implements wnet.Connector: DESIGN's "Cancel, the heart".
func (v *service) CancelConnection(ctx context.Context, req wnet.CancelRequest) (wnet.CancelResult, error) {
	res, err := wnet.CancelResult{}, v.ready()
	if err == nil {
		if d, e := wnet.ParseDevice(req.Name); e == nil {
			res, err = v.cancelDevice(ctx, d, req)
		} else {
			res, err = v.cancelRemote(ctx, req)
		}
	}
	return res, wnet.AsError("CancelConnection", req.Name, err)
}

// cancelDevice gives up one redirection and nothing else (CC-02).
func (v *service) cancelDevice(ctx context.Context, d wnet.Device, req wnet.CancelRequest) (wnet.CancelResult, error) {
	for {
		c := v.r.find(v.s, d)
		if c == nil {
			return wnet.CancelResult{}, v.forget(ctx, d, req)
		}
		if c.global && req.Flags&win32.CONNECT_GLOBAL_MAPPING == 0 {
			return wnet.CancelResult{}, &wnet.Error{Code: win32.ERROR_NOT_CONNECTED,
				Err:  fmt.Errorf("%s is not this session's own: it is mapped for all sessions", d),
				Hint: fmt.Sprintf("Cancel it for all of them with: wnet use %s /delete /global", d)}
		}
		if !c.enter(ctx) {
			if err := ctx.Err(); err != nil {
				return wnet.CancelResult{}, err
			}
			continue // somebody else's cancel was quicker; look again
		}
		res, err := v.r.cancel(ctx, c, req)
		c.leave()
		return res, err
	}
}

// forget ends what is only remembered (CC-22, C2-13); without the flag it stays (C2-12).
func (v *service) forget(ctx context.Context, d wnet.Device, req wnet.CancelRequest) error {
	none := &wnet.Error{Code: win32.ERROR_NOT_CONNECTED}
	if req.Flags&win32.CONNECT_UPDATE_PROFILE == 0 {
		if p, err := v.r.cfg.Profile.Load(ctx); err == nil {
			if e, ok := p.Entries[d]; ok {
				none.Err = fmt.Errorf("%s is only remembered, for %s", d, e.RemotePath)
				none.Hint = fmt.Sprintf("Forget it with: wnet cancel %s", d)
			}
		}
		return none
	}
	tx, err := v.r.cfg.Profile.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, ok := tx.Profile().Entries[d]; !ok {
		return none
	}
	tx.Delete(d)
	if err := tx.Commit(); err != nil {
		return err
	}
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	maps.DeleteFunc(v.r.unrestored, func(k restoring, _ wnet.Status) bool { return k.device == d })
	return nil
}

// cancelRemote gives up every deviceless connection to the name, and no device (CC-03). Remembered ones are untouched (C2-05).
func (v *service) cancelRemote(ctx context.Context, req wnet.CancelRequest) (wnet.CancelResult, error) {
	var res wnet.CancelResult
	n, err := wnet.ParseRemoteName(req.Name)
	if err != nil {
		e := &wnet.Error{Code: win32.ERROR_NOT_CONNECTED, Hint: `Give a device such as Z: or a remote name such as \\server\share.`}
		if wnet.IsRemoteForm(req.Name) {
			e.Err = err
		}
		return res, e
	}
	if req.Flags&win32.CONNECT_REFCOUNT != 0 && req.Force {
		return res, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("a reference is not counted down by force")} // C2-06
	}
	req.Flags &^= win32.CONNECT_UPDATE_PROFILE
	done := false
	for _, c := range v.r.findDeviceless(v.s.LUID(), n) {
		if !c.enter(ctx) {
			continue
		}
		if req.Flags&win32.CONNECT_REFCOUNT != 0 && c.refs.Add(-1) > 0 {
			v.r.journal.add(c)
			c.leave()
			done = true
			continue
		}
		one, err := v.r.cancel(ctx, c, req)
		if err != nil && req.Flags&win32.CONNECT_REFCOUNT != 0 {
			c.refs.Add(1)
		}
		c.leave()
		res.Aside, res.Lost = append(res.Aside, one.Aside...), append(res.Lost, one.Lost...)
		if err != nil {
			return res, err
		}
		done = true
	}
	if err := ctx.Err(); err != nil && !done {
		return res, err
	}
	if !done {
		return res, &wnet.Error{Code: win32.ERROR_NOT_CONNECTED, Hint: v.devicesOf(n)}
	}
	return res, nil
}

// devicesOf helps a person who named a share that is only connected by letter.
func (v *service) devicesOf(n wnet.RemoteName) string {
	for _, e := range v.s.Devices() {
		if c := v.r.find(v.s, e.Device); c != nil && c.key == n.Key() {
			return fmt.Sprintf("A remote name stands for connections without a device. %s is connected to it; cancel that with: wnet cancel %s",
				c.device, c.device)
		}
	}
	return ""
}

// ClearConnections implements wnet.Connector.
func (v *service) ClearConnections(ctx context.Context) error {
	err := v.ready()
	if err != nil {
		return wnet.AsError("ClearConnections", "", err)
	}
	all := v.r.list(v.s.LUID())
	sort.Slice(all, func(i, j int) bool { return before(all[i].device, all[j].device, all[i].key, all[j].key) })
	for _, c := range all {
		if !c.enter(ctx) {
			if ctx.Err() != nil {
				return wnet.AsError("ClearConnections", c.name(), ctx.Err())
			}
			continue
		}
		_, e := v.r.cancel(ctx, c, wnet.CancelRequest{Name: c.name()})
		c.leave()
		if e != nil && err == nil {
			err = wnet.AsError("ClearConnections", c.name(), e)
		}
	}
	return err
}

// cancel takes one connection down, all or nothing. The caller holds the gate.
//
// The profile is read and its new text written and synced first, so that whatever can fail there has failed before anything changes. The
// kernel's unmount is the one step that decides whether files are open. What is left, a rename, is undone by mounting again if it
// fails. A crash before the rename leaves a remembered connection that a new daemon brings back: the old state. After it, the journal
// tells that the connection went with its entry: the new one.
func (r *Router) cancel(ctx context.Context, c *connection, req wnet.CancelRequest) (wnet.CancelResult, error) {
	var res wnet.CancelResult
	var tx *profile.Tx // nil where the profile is left alone
	if req.Flags&win32.CONNECT_UPDATE_PROFILE != 0 && c.device != "" && !c.global {
		var err error
		if tx, err = r.forgetting(ctx, c); err != nil {
			return res, err
		}
		defer func() {
			if tx != nil {
				tx.Rollback()
			}
		}()
	}
	if !req.Force {
		if err := r.unmount(ctx, c); err != nil {
			return res, busy(c, err)
		}
	} else {
		// A forced unmount waits for a server, within a bound. The profile must not stay locked meanwhile: a dead server
		// delays nobody else's cancel. What was just prepared showed that the profile can be written.
		if tx != nil {
			tx.Rollback()
		}
		m, err := c.mounted(), error(nil)
		if err := nested(ctx, c, m); err != nil {
			return res, err
		}
		if res.Aside, err = r.force(c); err != nil {
			return res, err
		}
		if t, ok := m.(wnet.LossTeller); ok {
			res.Lost = t.Lost()
		}
		if tx != nil {
			if tx, err = r.forgetting(ctx, c); err != nil {
				return res, r.again(c, err)
			}
		}
	}
	if tx != nil {
		r.journal.forgetting(c, true)
		if err := tx.Commit(); err != nil {
			r.journal.forgetting(c, false)
			return res, r.again(c, err)
		}
	}
	r.drop(c)
	return res, nil
}

// nested refuses to cut off what is mounted inside a mount: force is meant for the drive, and another file system's own programs and data
// would go with it. ERROR_DEVICE_IN_USE may be an answer with force too (CC-24).
func nested(ctx context.Context, c *connection, m wnet.Mount) error {
	n, ok := m.(wnet.Nester)
	if !ok {
		return nil
	}
	points := n.Inside(ctx)
	if len(points) == 0 {
		return nil
	}
	return &wnet.Error{Name: c.name(), Code: win32.ERROR_DEVICE_IN_USE,
		Err:  fmt.Errorf("other file systems are mounted in it: %s", strings.Join(points, ", ")),
		Hint: "Unmount those first (umount, or fusermount3 -u); force does not take them away."}
}

// forgetting prepares the profile without the connection's entry. A connection that is not remembered is no error (C2-04).
func (r *Router) forgetting(ctx context.Context, c *connection) (*profile.Tx, error) {
	tx, err := r.cfg.Profile.Begin(ctx)
	if err != nil {
		return nil, err
	}
	tx.Delete(c.device)
	if err := tx.Prepare(); err != nil {
		tx.Rollback()
		return nil, err
	}
	return tx, nil
}

// again puts back the mount of a connection whose cancel failed at the profile.
func (r *Router) again(c *connection, cause error) error {
	if err := r.show(r.life, c); err != nil {
		r.log.Error("the mount of a connection whose cancel failed could not be put back", "name", c.name(), "err", err)
		r.drop(c)
	}
	return cause
}

// busy tells a person what to do about a refusal.
func busy(c *connection, err error) error {
	code := wnet.CodeOf(err)
	var e *wnet.Error
	if !errors.As(err, &e) || code != win32.ERROR_OPEN_FILES && code != win32.ERROR_DEVICE_IN_USE {
		return err
	}
	refusal := *e
	refusal.Hint = fmt.Sprintf("Close what is listed, or cut it off with: wnet cancel %s --force", c.name())
	return &refusal
}
