package router

import (
	"context"
	"sync"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/win32"
)

// browse lists the network: its root gives one container a provider (OE-05), a container what its provider finds in it. A provider that
// cannot browse hides nobody else's results (OE-09).
func (v *service) browse(ctx context.Context, req wnet.EnumRequest) ([]wnet.Resource, error) {
	prof, err := v.r.cfg.Profile.Load(ctx)
	if err != nil {
		prof = profile.Profile{}
	}
	if req.Container == nil {
		var list []wnet.Resource
		for _, p := range v.r.ordered(prof.ProviderOrder) {
			list = append(list, wnet.Resource{
				Scope: win32.RESOURCE_GLOBALNET, Type: win32.RESOURCETYPE_ANY, DisplayType: win32.RESOURCEDISPLAYTYPE_NETWORK,
				Usage: win32.RESOURCEUSAGE_CONTAINER, Provider: p.Name(),
			})
		}
		return list, nil
	}
	var named wnet.Provider
	if name := req.Container.Provider; name != "" {
		if named = v.r.provider(name); named == nil {
			return nil, &wnet.Error{Name: name, Code: win32.ERROR_BAD_PROVIDER}
		}
	}
	var container *wnet.RemoteName
	if req.Container.RemoteName != "" {
		n, err := wnet.ParseServerName(req.Container.RemoteName)
		if err != nil {
			return nil, err
		}
		if req.Options.TCPPort = portOf(n, req.Options); n.Scheme == wnet.SchemeUNC {
			n.Port = req.Options.TCPPort
		}
		container = &n
	}
	ask := wnet.Request{Type: req.Type, Options: req.Options}
	if container != nil {
		ask.Remote = *container
		l := v.r.resolve(ctx, *container, v.loginFor(*container, req))
		ask.User, ask.Password = l.user, l.password
	}
	ask.Attached = req.Usage&win32.RESOURCEUSAGE_ATTACHED != 0
	last := error(&wnet.Error{Code: win32.ERROR_NOT_SUPPORTED})
	for _, p := range v.r.ordered(prof.ProviderOrder) {
		e, can := p.(wnet.Enumerator)
		if named != nil && p != named || container != nil && named == nil && !p.Owns(*container) || !can {
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, v.r.cfg.ConnectTimeout)
		list, err := e.Browse(bounded, container, ask)
		cancel()
		if err == nil {
			return list, nil
		}
		last = err
	}
	return nil, last
}

// neighbourhood is RESOURCE_CONTEXT: the entry that stands for the whole network (OE-06), then the servers that the networks find, all
// asked side by side. What one of them can't tell hides nothing of the others (OE-09).
func (v *service) neighbourhood(ctx context.Context, req wnet.EnumRequest) []wnet.Resource {
	providers := v.providers(ctx, nil)
	found := make([][]wnet.Resource, len(providers))
	bounded, cancel := context.WithTimeout(ctx, v.r.cfg.ConnectTimeout)
	defer cancel()
	var wg sync.WaitGroup
	for i, p := range providers {
		if e, can := p.(wnet.Enumerator); can {
			wg.Go(func() {
				list, err := e.Browse(bounded, nil, wnet.Request{Type: req.Type, Options: req.Options})
				if err != nil {
					v.r.log.Debug("a network's servers could not be listed", "provider", p.Name(), "err", err)
				}
				found[i] = list
			})
		}
	}
	wg.Wait()
	list := []wnet.Resource{{Scope: win32.RESOURCE_GLOBALNET, Type: win32.RESOURCETYPE_ANY, DisplayType: win32.RESOURCEDISPLAYTYPE_ROOT,
		Usage: win32.RESOURCEUSAGE_CONTAINER, Comment: "Entire Network"}}
	for _, servers := range found {
		for _, s := range servers {
			s.Scope = win32.RESOURCE_CONTEXT
			list = append(list, s)
		}
	}
	return list
}

// loginFor is the caller's login, or else that of a connection which the session has to the server.
func (v *service) loginFor(n wnet.RemoteName, req wnet.EnumRequest) login {
	l := login{user: req.User, password: req.Password, explicit: req.User != "" || req.Password.Present()}
	if l.explicit {
		return l
	}
	for _, c := range v.r.list(v.s.LUID()) {
		if c.serverKey == n.ServerKey() {
			return c.getLogin()
		}
	}
	return l
}
