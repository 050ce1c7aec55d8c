package providertest

import (
	"context"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// enumChecks are about Enumerator.
func enumChecks() []Check {
	return []Check{
		{"enum/top", "The network's top lists containers of this network, or is ERROR_NOT_SUPPORTED.", "Enumerator", body(enumTop)},
		{"enum/server", "A server lists its shares, connectable.", "Enumerator", body(enumServer)},
		{"enum/type", "Only the type that was asked for is listed.", "Enumerator", body(enumType)},
		{"enum/foreign", "Browsing a name that is not the provider's own is ERROR_BAD_NET_NAME, without I/O (R-02).", "Enumerator", body(enumForeign)},
		{"enum/not-container", "A share holds no resources: ERROR_NOT_CONTAINER.", "Enumerator", body(enumShare)},
		{"enum/dead-server", "Browsing a server that is not there is ERROR_BAD_NETPATH.", "Enumerator Target.Dead", body(enumDead)},
		{"enum/cancelled", "A context that has ended makes Browse fail with the context's error.", "Enumerator", body(enumCancelled)},
	}
}

func (e *env) browse(ctx context.Context, name *wnet.RemoteName, typ uint32) ([]wnet.Resource, error) {
	req := e.tg.request(wnet.RemoteName{})
	req.Type = typ
	if name != nil {
		req.Remote = *name
	}
	return e.tg.Provider.(wnet.Enumerator).Browse(ctx, name, req)
}

// server is the container that Share is in.
func (e *env) server() *wnet.RemoteName {
	n := e.tg.Server
	if n == (wnet.RemoteName{}) {
		n = e.tg.Share
		n.Share, n.Path = "", ""
	}
	return &n
}

// resource wants the parts of an entry that are the same for all.
func (e *env) resource(r wnet.Resource) {
	eq(e, "the provider of "+r.RemoteName, r.Provider, e.tg.Provider.Name())
	eq(e, "the scope of "+r.RemoteName, r.Scope, win32.RESOURCE_GLOBALNET)
	if r.Usage&win32.RESOURCEUSAGE_CONNECTABLE == 0 {
		if r.RemoteName == "" {
			e.fail("an entry: got no remote name, want one: %+v", r)
		}
		return
	}
	n, err := wnet.ParseRemoteName(r.RemoteName)
	e.ok("parsing the remote name of an entry that is connectable", err)
	eq(e, "Owns "+r.RemoteName, e.tg.Provider.Owns(n), true)
}

func enumTop(e *env) {
	all, err := e.browse(e.ctx, nil, win32.RESOURCETYPE_ANY)
	if err != nil {
		e.code("Browse of the top", err, win32.ERROR_NOT_SUPPORTED)
	}
	for _, r := range all {
		e.resource(r)
		if r.Usage&win32.RESOURCEUSAGE_CONTAINER == 0 {
			e.fail("the usage of %s: got %#x, want a container", r.RemoteName, r.Usage)
		}
	}
}

func enumServer(e *env) {
	all, err := e.browse(e.ctx, e.server(), win32.RESOURCETYPE_ANY)
	e.ok("Browse of the server", err)
	found := false
	for _, r := range all {
		e.resource(r)
		n, _ := wnet.ParseRemoteName(r.RemoteName)
		if !strings.EqualFold(n.Share, e.tg.Share.Share) || n.Scheme != e.tg.Share.Scheme {
			continue
		}
		found = true
		eq(e, "the share's type", r.Type, win32.RESOURCETYPE_DISK)
		eq(e, "the share's display type", r.DisplayType, win32.RESOURCEDISPLAYTYPE_SHARE)
		eq(e, "the share's usage", r.Usage&win32.RESOURCEUSAGE_CONNECTABLE, win32.RESOURCEUSAGE_CONNECTABLE)
	}
	if !found {
		e.fail("Browse of the server: got %d entries without %s, want it among them", len(all), e.tg.Share)
	}
}

func enumType(e *env) {
	for _, typ := range []uint32{win32.RESOURCETYPE_DISK, win32.RESOURCETYPE_PRINT} {
		all, err := e.browse(e.ctx, e.server(), typ)
		e.ok("Browse of the server", err)
		for _, r := range all {
			eq(e, "the type of "+r.RemoteName, r.Type, typ)
		}
	}
}

func enumForeign(e *env) {
	touched, names, stop := e.trap()
	defer stop()
	for _, n := range names {
		_, err := e.browse(e.ctx, &n, win32.RESOURCETYPE_ANY)
		e.code("Browse of "+n.String(), err, win32.ERROR_BAD_NET_NAME)
	}
	stop()
	eq(e, "connections to the server of a foreign name", touched.Load(), 0)
}

func enumShare(e *env) {
	_, err := e.browse(e.ctx, &e.tg.Share, win32.RESOURCETYPE_ANY)
	e.code("Browse of a share", err, win32.ERROR_NOT_CONTAINER)
}

func enumDead(e *env) {
	n := e.tg.Dead
	n.Share, n.Path = "", ""
	_, err := e.browse(e.ctx, &n, win32.RESOURCETYPE_ANY)
	e.code("Browse of "+n.String(), err, win32.ERROR_BAD_NETPATH)
}

func enumCancelled(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	e.soon("Browse with a cancelled context", func() {
		_, err := e.browse(ctx, e.server(), win32.RESOURCETYPE_ANY)
		e.ended("Browse with a cancelled context", err)
	})
}
