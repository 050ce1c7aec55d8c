package router

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/credential"
	"github.com/openwnet/wnet/win32"
)

// insignificant errors say only that a provider is not the one: the router goes on and remembers none of them over another. The
// last three behave likewise in practice (unsourced).
func insignificant(c win32.Code) bool {
	switch c {
	case win32.ERROR_BAD_NETPATH, win32.ERROR_BAD_NET_NAME, win32.ERROR_INVALID_PARAMETER, win32.ERROR_INVALID_LEVEL,
		win32.ERROR_NOT_SUPPORTED, win32.ERROR_NO_NETWORK, win32.ERROR_NOT_CONNECTED:
		return true
	}
	return false
}

// provider finds a provider by its whole name, case aside.
func (r *Router) provider(name string) wnet.Provider {
	for _, p := range r.cfg.Providers {
		if strings.EqualFold(p.Name(), name) {
			return p
		}
	}
	return nil
}

func badProvider(name string) error { return fmt.Errorf("%q is none of them", name) }

// providerHint tells a person which providers there are.
func (r *Router) providerHint() string {
	var names []string
	for _, p := range r.cfg.Providers {
		names = append(names, fmt.Sprintf("%q", p.Name()))
	}
	return "The providers are " + strings.Join(names, ", ") + "."
}

// ordered returns the providers in the order that the profile names, those that it does not name behind (R-03, PR-02). A change of the
// order takes effect at once (MU-05).
func (r *Router) ordered(order []string) []wnet.Provider {
	if len(order) == 0 {
		return r.cfg.Providers
	}
	var list []wnet.Provider
	seen := map[wnet.Provider]bool{}
	for _, name := range order {
		if p := r.provider(name); p != nil && !seen[p] {
			seen[p] = true
			list = append(list, p)
		}
	}
	for _, p := range r.cfg.Providers {
		if !seen[p] {
			list = append(list, p)
		}
	}
	return list
}

// route asks the providers for a connection (R-03 … R-08): only the named one, its error as it is; else all in order until one accepts. If
// none does, the first significant error is the answer; failing that, what the first owner of the name said, which tells a person most;
// failing that ERROR_NO_NET_OR_BAD_PATH (winnetwk.md §23.4 and .5).
func (r *Router) route(ctx context.Context, named wnet.Provider, order []string, req wnet.Request) (wnet.Conn, wnet.Provider, error) {
	if named != nil {
		conn, err := r.ask(ctx, named, req)
		return conn, named, err
	}
	var significant, owners error
	for _, p := range r.ordered(order) {
		conn, err := r.ask(ctx, p, req)
		if err == nil {
			return conn, p, nil
		}
		if ctx.Err() != nil {
			return nil, nil, err
		}
		switch code := wnet.CodeOf(err); {
		case !insignificant(code):
			if significant == nil {
				significant = err
			}
		case owners == nil && p.Owns(req.Remote) && code != win32.ERROR_NO_NETWORK:
			owners = err
		}
	}
	switch {
	case significant != nil:
		return nil, nil, significant
	case owners != nil:
		if c := wnet.CodeOf(owners); c == win32.ERROR_BAD_NETPATH || c == win32.ERROR_BAD_NET_NAME {
			return nil, nil, owners
		}
		return nil, nil, &wnet.Error{Code: win32.ERROR_BAD_NET_NAME, Err: owners}
	}
	return nil, nil, &wnet.Error{Code: win32.ERROR_NO_NET_OR_BAD_PATH,
		Err: errors.New("no provider recognises the name, or the one that might is not running")}
}

// ask makes one attempt, bounded, and marks the error with the provider's name.
func (r *Router) ask(ctx context.Context, p wnet.Provider, req wnet.Request) (wnet.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.ConnectTimeout)
	defer cancel()
	conn, err := p.Connect(ctx, req)
	if err == nil {
		return conn, nil
	}
	if errors.Is(err, context.DeadlineExceeded) && wnet.CodeOf(err) == win32.ERROR_EXTENDED_ERROR {
		err = &wnet.Error{Code: win32.ERROR_BAD_NETPATH, Err: errors.New("the server did not answer within " +
			r.cfg.ConnectTimeout.Round(time.Second).String()), Hint: "Check that the server is on and reachable, then try again."}
	}
	err = wnet.AsError("", "", err)
	var e *wnet.Error
	if errors.As(err, &e) && e.Provider == "" {
		e.Provider = p.Name()
	}
	return nil, err
}

// resolve finds what to log in with: what the caller gave, else what the credential store has for the server (A2-06, A2-07).
func (r *Router) resolve(ctx context.Context, n wnet.RemoteName, l login) login {
	if l.password.Present() || r.cfg.Credentials == nil {
		return l
	}
	c, err := r.cfg.Credentials.Get(ctx, n.ServerKey(), l.user)
	if err != nil {
		return l
	}
	l.user, l.password = c.User, c.Password
	return l
}

// request is what a provider is asked with for a connection.
func (c *connection) request(l login) wnet.Request {
	return wnet.Request{Remote: c.remote, Type: c.typ, User: l.user, Password: l.password, Flags: c.flags, Options: c.options}
}

// reconnect makes the connection's real connection anew, when it was deferred or lost.
func (r *Router) reconnect(ctx context.Context, c *connection) (wnet.Conn, error) {
	l := r.resolve(ctx, c.remote, c.getLogin())
	return r.try(ctx, c, l, func() (wnet.Conn, error) { return r.ask(ctx, c.provider, c.request(l)) })
}

// keep holds a login's password where the next daemon finds it, should this one be killed. Only a connection in the tables keeps one:
// drop forgets it.
func (r *Router) keep(ctx context.Context, c *connection) {
	l := c.getLogin()
	if r.cfg.Kept == nil || !l.password.Present() {
		return
	}
	r.keeping.Lock()
	defer r.keeping.Unlock()
	r.mu.Lock()
	live := r.conns[c.id] == c
	r.mu.Unlock()
	if !live {
		return
	}
	now := keptLogin{c.serverKey, strings.ToLower(l.user)}
	if c.kept == nil || *c.kept != now {
		r.unkeep(c)
		c.kept = &now
		r.kept[now]++
	}
	err := r.cfg.Kept.Keep(ctx, credential.Credential{Target: c.serverKey, User: l.user, Password: l.password})
	if err != nil {
		r.log.Info("the kernel's keyring keeps no password; a killed daemon would ask for it again", "name", c.name(), "err", err)
	}
}

// recall finds the password of a connection that a killed daemon made where that daemon kept it.
func (r *Router) recall(ctx context.Context, n wnet.RemoteName, l login) login {
	if r.cfg.Kept != nil && !l.password.Present() {
		l.password = r.cfg.Kept.Recall(ctx, n.ServerKey(), l.user)
	}
	return l
}

// forgetOld ends what a killed daemon kept for connections that did not come back.
func (r *Router) forgetOld(records []record) {
	if r.cfg.Kept == nil {
		return
	}
	r.keeping.Lock()
	defer r.keeping.Unlock()
	for _, rec := range records {
		n, err := wnet.ParseRemoteName(rec.Remote)
		if err != nil || r.kept[keptLogin{n.ServerKey(), strings.ToLower(rec.User)}] > 0 {
			continue
		}
		if err := r.cfg.Kept.Forget(context.Background(), n.ServerKey(), rec.User); err != nil {
			r.log.Debug("the kernel's keyring", "err", err)
		}
	}
}

// keptLogin names a password that keep holds.
type keptLogin struct{ target, user string }

// forgetKept ends what keep began. The connection is in the tables no more.
func (r *Router) forgetKept(c *connection) {
	r.keeping.Lock()
	defer r.keeping.Unlock()
	r.unkeep(c)
}

// unkeep forgets a connection's password with the last connection that uses it. The caller holds keeping.
func (r *Router) unkeep(c *connection) {
	k := c.kept
	if k == nil {
		return
	}
	c.kept = nil
	if r.kept[*k]--; r.kept[*k] > 0 {
		return
	}
	delete(r.kept, *k)
	if err := r.cfg.Kept.Forget(context.Background(), k.target, k.user); err != nil {
		r.log.Debug("the kernel's keyring", "err", err)
	}
}
