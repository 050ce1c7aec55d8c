package router

import (
	"context"
	"errors"
	"sort"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/win32"
)

// Enum implements wnet.Lister (OE-01 … OE-09): connected, remembered, recent, the network through providers that can browse, and the
// neighbourhood.
func (v *service) Enum(ctx context.Context, req wnet.EnumRequest) ([]wnet.Resource, error) {
	var list []wnet.Resource
	err := v.ready()
	if err == nil {
		err = checkEnum(req)
	}
	if err == nil {
		switch req.Scope {
		case win32.RESOURCE_CONNECTED:
			list = v.connected()
		case win32.RESOURCE_REMEMBERED:
			list, err = v.rememberedOnes(ctx)
		case win32.RESOURCE_GLOBALNET:
			list, err = v.browse(ctx, req)
		case win32.RESOURCE_RECENT:
			list, err = v.recent(ctx)
		case win32.RESOURCE_CONTEXT:
			list = v.neighbourhood(ctx, req)
		}
	}
	if err != nil {
		return nil, wnet.AsError("Enum", "", err)
	}
	kept := list[:0]
	for _, x := range list {
		if req.Scope == win32.RESOURCE_GLOBALNET && !req.Hidden && strings.HasSuffix(x.RemoteName, "$") {
			continue // ER-08
		}
		if use := req.Usage & (win32.RESOURCEUSAGE_CONNECTABLE | win32.RESOURCEUSAGE_CONTAINER); req.Scope == win32.RESOURCE_GLOBALNET &&
			use != 0 && x.Usage&use == 0 {
			continue // OE-03
		}
		if req.Type == win32.RESOURCETYPE_ANY || x.Type == win32.RESOURCETYPE_ANY || x.Type&req.Type != 0 {
			kept = append(kept, x)
		}
	}
	return kept, nil
}

// checkEnum tests scope, type and their combination (OE-02, OE-04, OE-08).
func checkEnum(req wnet.EnumRequest) error {
	if req.Scope < win32.RESOURCE_CONNECTED || req.Scope > win32.RESOURCE_CONTEXT {
		return &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("the scope is none")}
	}
	if req.Type&^(win32.RESOURCETYPE_DISK|win32.RESOURCETYPE_PRINT) != 0 {
		return &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("the type is none")}
	}
	if req.Scope == win32.RESOURCE_GLOBALNET && req.Usage&^win32.RESOURCEUSAGE_ALL != 0 {
		return &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("the usage has unknown bits")}
	}
	if req.Container != nil && req.Scope != win32.RESOURCE_GLOBALNET {
		return &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("a container is opened on the network only")}
	}
	if req.Container != nil && req.Container.Usage&win32.RESOURCEUSAGE_CONTAINER == 0 {
		return &wnet.Error{Code: win32.ERROR_NOT_CONTAINER}
	}
	return nil
}

// visible returns the session's connections and the global ones that no own name hides.
func (v *service) visible() []*connection {
	all := v.r.list(v.s.LUID())
	for _, e := range v.s.Devices() {
		if e.Global {
			if c := v.r.find(v.s, e.Device); c != nil {
				all = append(all, c)
			}
		}
	}
	sort.Slice(all, func(i, j int) bool { return before(all[i].device, all[j].device, all[i].key, all[j].key) })
	return all
}

// before orders by device, deviceless ones last, then by name.
func before(d, e wnet.Device, n, m string) bool {
	if d != e {
		return e == "" || d != "" && d < e
	}
	return n < m
}

// recent lists where drives were made to with CONNECT_UPDATE_RECENT, the latest first.
func (v *service) recent(ctx context.Context) ([]wnet.Resource, error) {
	p, err := v.r.cfg.Profile.Load(ctx)
	if err != nil {
		return nil, err
	}
	var list []wnet.Resource
	for _, name := range p.Recent {
		n, err := wnet.ParseRemoteName(name)
		if err != nil {
			continue
		}
		r := wnet.Resource{Scope: win32.RESOURCE_RECENT, Type: win32.RESOURCETYPE_DISK, DisplayType: win32.RESOURCEDISPLAYTYPE_SHARE,
			Usage: win32.RESOURCEUSAGE_CONNECTABLE, RemoteName: n.String()}
		for _, q := range v.r.ordered(p.ProviderOrder) {
			if q.Owns(n) {
				r.Provider = q.Name()
				break
			}
		}
		list = append(list, r)
	}
	return list, nil
}

func (v *service) connected() []wnet.Resource {
	var list []wnet.Resource
	for _, c := range v.visible() {
		list = append(list, wnet.Resource{
			Scope: win32.RESOURCE_CONNECTED, Type: c.typ, DisplayType: win32.RESOURCEDISPLAYTYPE_SHARE,
			Usage:     win32.RESOURCEUSAGE_CONNECTABLE,
			LocalName: string(c.device), RemoteName: c.shown, Provider: c.provider.Name(),
		})
	}
	return list
}

func sorted(p profile.Profile) []profile.Entry {
	list := make([]profile.Entry, 0, len(p.Entries))
	for _, e := range p.Entries {
		list = append(list, e)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Device < list[j].Device })
	return list
}

// remoteOf is an entry's remote name in UNC form, however a person wrote it into the profile.
func remoteOf(e profile.Entry) string {
	n, err := wnet.ParseRemoteName(e.RemotePath)
	if err != nil {
		return e.RemotePath
	}
	return n.String()
}

func (v *service) rememberedOnes(ctx context.Context) ([]wnet.Resource, error) {
	p, err := v.r.cfg.Profile.Load(ctx)
	if err != nil {
		return nil, err
	}
	var list []wnet.Resource
	for _, e := range sorted(p) {
		list = append(list, wnet.Resource{
			Scope: win32.RESOURCE_REMEMBERED, Type: e.ConnectionType, DisplayType: win32.RESOURCEDISPLAYTYPE_SHARE,
			Usage:     win32.RESOURCEUSAGE_CONNECTABLE,
			LocalName: string(e.Device), RemoteName: remoteOf(e), Provider: e.ProviderName,
		})
	}
	return list, nil
}

// Connections implements wnet.Lister.
func (v *service) Connections(ctx context.Context) ([]wnet.Connection, error) {
	if err := v.ready(); err != nil {
		return nil, wnet.AsError("Connections", "", err)
	}
	prof, unread := v.r.cfg.Profile.Load(ctx)
	if unread != nil {
		prof, unread = profile.Profile{}, wnet.AsError("Connections", "", unread)
	}
	uses := v.r.uses(v.s.LUID())
	var list []wnet.Connection
	have := map[wnet.Device]bool{}
	for _, c := range v.visible() {
		have[c.device] = true
		e, kept := prof.Entries[c.device]
		x := wnet.Connection{
			Device: string(c.device), RemoteName: c.shown, Type: c.typ, Provider: c.provider.Name(), User: v.nameOf(c),
			Status: c.conn.Status(), Uses: max(uses[c.key], 1), Connected: true, Global: c.global, Flags: c.flags, Options: c.options,
			Remembered: kept && !c.global && sameRemote(e, c.remote),
		}
		if m := c.mounted(); m != nil {
			x.Path, x.Opens = m.Point(), m.Opens()
		}
		list = append(list, x)
	}
	for _, e := range sorted(prof) {
		if !have[e.Device] {
			list = append(list, wnet.Connection{
				Device: string(e.Device), RemoteName: remoteOf(e), Type: e.ConnectionType, Provider: e.ProviderName, User: e.UserName,
				Status:     v.r.whyNot(v.s, e.Device),
				Remembered: true, Flags: e.ConnectFlags, Options: e.UseOptions,
			})
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		return before(wnet.Device(list[i].Device), wnet.Device(list[j].Device), list[i].RemoteName, list[j].RemoteName)
	})
	return list, unread
}
