package router_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/router"
	"github.com/openwnet/wnet/rpc/servicetest"
	"github.com/openwnet/wnet/win32"
)

// The Service suite over the router itself, without a socket.
//
// Rows: A4-01, A4-02, OE-06, RI-01, RI-02, RI-03, RI-05, RI-06, RP-01, RP-02, RP-03, RP-04, PN-01, NI-02, NI-04,
// MP-01, MP-03, G-05, U4-01, RC-02, RC-03
func TestServiceSuite(t *testing.T) {
	servicetest.Run(t, func(t *testing.T) servicetest.Target {
		w := newWorld(t)
		for n := range 320 {
			w.one.AddShare("srv", fmt.Sprintf("open%d", n), mem.ShareOptions{})
		}
		return servicetest.Target{Service: w.svc, Missing: `\\srv\missing`, Remote: func(n int) string { return fmt.Sprintf(`\\srv\open%d`, n) }}
	})
}

// bare is a provider that can do nothing but connect.
type bare struct{ wnet.Provider }

// What no network supports is ERROR_NOT_SUPPORTED; where there is none at all, ERROR_NO_NETWORK comes first.
//
// Rows: G-04, G-12, PN-02, R-01
func TestWhatNoNetworkSupports(t *testing.T) {
	for _, c := range []struct {
		code   win32.Code
		change func(*router.Config)
	}{
		{win32.ERROR_NOT_SUPPORTED, func(c *router.Config) {
			for i, p := range c.Providers {
				c.Providers[i] = bare{p}
			}
			c.Credentials = nil
		}},
		{win32.ERROR_NO_NETWORK, func(c *router.Config) { c.Providers = nil }},
	} {
		w := newWorld(t, c.change)
		if c.code == win32.ERROR_NOT_SUPPORTED {
			w.add("Z:", `\\srv\data`, 0)
		}
		share := wnet.Resource{RemoteName: `\\srv\data`, Provider: "One Network"}
		_, err := w.svc.GetResourceInformation(bg, share)
		w.code(c.code, err)
		_, err = w.svc.GetResourceInformation(bg, wnet.Resource{RemoteName: `\\srv\data`})
		w.code(c.code, err)
		_, err = w.svc.GetResourceParent(bg, share)
		w.code(c.code, err)
		_, err = w.svc.FormatNetworkName(bg, wnet.FormatRequest{RemoteName: `\\srv\data`})
		w.code(c.code, err)
		w.code(c.code, w.svc.CachePassword(bg, wnet.CachedPassword{Resource: []byte("x"), Password: wnet.NewSecret("x")}))
		_, err = w.svc.EnumCachedPasswords(bg, nil, win32.PCE_ALL)
		w.code(c.code, err)
		if c.code == win32.ERROR_NOT_SUPPORTED {
			_, err = w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET, Container: &wnet.Resource{Usage: win32.RESOURCEUSAGE_CONTAINER,
				RemoteName: `\\srv`}})
			w.code(c.code, err)
			continue
		}
		_, err = w.svc.GetProviderName(bg, win32.WNNC_NET_EXTENDNET)
		w.code(c.code, err)
		_, err = w.svc.GetNetworkInformation(bg, "One Network")
		w.code(c.code, err)
		_, err = w.svc.GetConnectionPerformance(bg, wnet.Resource{LocalName: "nonsense"})
		w.code(c.code, err)
		_, err = w.svc.Enum(bg, wnet.EnumRequest{Scope: 99})
		w.code(c.code, err)
		w.code(c.code, w.svc.ClearConnections(bg))
	}
}

// unmeasured is a connection that measures nothing.
type unmeasured struct{ wnet.Conn }

// Rows: MP-03
func TestPerformanceOfANetworkThatMeasuresNothing(t *testing.T) {
	w := newWorld(t, func(c *router.Config) {
		c.Providers[0] = connecting{c.Providers[0], func(c wnet.Conn) wnet.Conn { return unmeasured{c} }}
	})
	w.add("Z:", `\\srv\data`, 0)
	w.add("Y:", `\\two\data`, 0)
	_, err := w.svc.GetConnectionPerformance(bg, wnet.Resource{LocalName: "Z:"})
	w.code(win32.ERROR_NOT_SUPPORTED, err)
	_, err = w.svc.GetConnectionPerformance(bg, wnet.Resource{RemoteName: `\\two\data`, Provider: "One Network"})
	w.code(win32.ERROR_NOT_CONNECTED, err)
	if p, err := w.svc.GetConnectionPerformance(bg, wnet.Resource{RemoteName: `\\TWO\Data\`, Provider: "two network"}); err != nil || p.Delay == 0 {
		t.Errorf("got %+v, %v", p, err)
	}
	w.two.Stall()
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if _, err := w.svc.GetConnectionPerformance(ctx, wnet.Resource{LocalName: "Y:"}); wnet.CodeOf(err) != win32.ERROR_CANCELLED {
		t.Errorf("got %v of a server that says nothing, once the caller is gone", err)
	}
}

// connecting changes what a provider connects.
type connecting struct {
	wnet.Provider
	change func(wnet.Conn) wnet.Conn
}

func (p connecting) Connect(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
	c, err := p.Provider.Connect(ctx, req)
	if err != nil {
		return nil, err
	}
	return p.change(c), nil
}

// What is not running says so, and the ports are those of networks with printers.
//
// Rows: NI-03, NI-04, PN-01
func TestNetworkInformation(t *testing.T) {
	w := newWorld(t, func(c *router.Config) {
		c.Version = 0x00010002
		c.Providers = append(c.Providers, bare{mem.New(mem.Options{Name: "Bare Network"})})
	})
	got, err := w.svc.GetNetworkInformation(bg, "one network")
	want := wnet.NetworkInfo{Version: 0x00010002, Type: 0x29, Drives: 0x03FFFFFF, Printers: 0x1FF}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	w.one.SetStarted(false)
	want.Status = uint32(win32.ERROR_NO_NETWORK)
	if got, err = w.svc.GetNetworkInformation(bg, "One Network"); err != nil || got != want {
		t.Errorf("stopped: got %+v, %v, want %+v", got, err, want)
	}
	want = wnet.NetworkInfo{Version: 0x00010002, Type: 0x29, Drives: 0x03FFFFFF}
	if got, err = w.svc.GetNetworkInformation(bg, "Bare Network"); err != nil || got != want {
		t.Errorf("bare: got %+v, %v, want %+v", got, err, want)
	}
	if name, err := w.svc.GetProviderName(bg, 0x00290000|0xffff); err != nil || name != "One Network" {
		t.Errorf("the first of several: got %q, %v", name, err)
	}
}

// The first significant error is kept while the other networks are asked; a named network's is returned as it is.
//
// Rows: RI-01, RI-06, R-05, R-08
func TestResourceInformationRouting(t *testing.T) {
	w := newWorld(t)
	w.one.SetFault(func(context.Context, mem.Call) error { return &wnet.Error{Code: win32.ERROR_ACCESS_DENIED} })
	_, err := w.svc.GetResourceInformation(bg, wnet.Resource{RemoteName: `\\srv\data`})
	w.code(win32.ERROR_ACCESS_DENIED, err)
	w.one.SetFault(nil)
	info, err := w.svc.GetResourceInformation(bg, wnet.Resource{RemoteName: `\\two`})
	if err != nil || info.Resource.DisplayType != win32.RESOURCEDISPLAYTYPE_SERVER || info.Resource.Provider != "Two Network" {
		t.Errorf("got %+v, %v", info, err)
	}
	info, err = w.svc.GetResourceInformation(bg, wnet.Resource{RemoteName: `\\two\data`, Provider: "One Network"})
	w.code(win32.ERROR_BAD_NET_NAME, err)
	if info != (wnet.ResourceInfo{}) {
		t.Errorf("got %+v of a network that does not know the server", info)
	}
	_, err = w.svc.GetResourceInformation(bg, wnet.Resource{RemoteName: `\\srv\data`, Type: 7})
	w.code(win32.ERROR_BAD_DEV_TYPE, err)
	_, err = w.svc.GetResourceInformation(bg, wnet.Resource{RemoteName: `\\nowhere\data`})
	w.code(win32.ERROR_BAD_NET_NAME, err)
}

// The usage filters, and ATTACHED wants to be somebody.
//
// Rows: OE-03, OE-04, OE-08
func TestEnumUsage(t *testing.T) {
	w := newWorld(t)
	list := func(usage uint32, container *wnet.Resource) ([]wnet.Resource, error) {
		return w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET, Usage: usage, Container: container})
	}
	server := &wnet.Resource{Usage: win32.RESOURCEUSAGE_CONTAINER, RemoteName: `\\locked`}
	for _, c := range []struct {
		usage     uint32
		container *wnet.Resource
		want      int
	}{
		{0, nil, 2}, {win32.RESOURCEUSAGE_CONTAINER, nil, 2}, {win32.RESOURCEUSAGE_CONNECTABLE, nil, 0},
		{0, server, 2}, {win32.RESOURCEUSAGE_CONTAINER, server, 0}, {win32.RESOURCEUSAGE_CONNECTABLE, server, 2},
	} {
		if got, err := list(c.usage, c.container); err != nil || len(got) != c.want {
			t.Errorf("usage %#x of %v: got %d, %v, want %d", c.usage, c.container, len(got), err, c.want)
		}
	}
	for _, usage := range []uint32{win32.RESOURCEUSAGE_ATTACHED, win32.RESOURCEUSAGE_ALL} {
		_, err := list(usage, server)
		w.code(win32.ERROR_NOT_AUTHENTICATED, err)
	}
	_, err := list(0x8000, server)
	w.code(win32.ERROR_INVALID_PARAMETER, err)
	req := disk("Z:", `\\locked\data`)
	req.User, req.Password = "anna", wnet.NewSecret("right")
	if err := w.svc.AddConnection(bg, req); err != nil {
		t.Fatal(err)
	}
	if got, err := list(win32.RESOURCEUSAGE_ALL, server); err != nil || len(got) != 2 {
		t.Errorf("as the user of a connection: got %+v, %v", got, err)
	}
	_, err = w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_CONTEXT, Container: server})
	w.code(win32.ERROR_INVALID_PARAMETER, err)
}

// The neighbourhood has every network's servers, and one that is slow or dead hides nobody else's.
//
// Rows: OE-01, OE-05, OE-06, OE-09
func TestNeighbourhood(t *testing.T) {
	w := newWorld(t)
	w.one.SetStarted(false)
	list, err := w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_CONTEXT, Type: win32.RESOURCETYPE_DISK})
	if err != nil || len(list) != 2 {
		t.Fatalf("got %+v, %v, want the root and the one server", list, err)
	}
	if list[0].DisplayType != win32.RESOURCEDISPLAYTYPE_ROOT || list[1].RemoteName != `\\two` || list[1].Usage != win32.RESOURCEUSAGE_CONTAINER {
		t.Errorf("got %+v", list)
	}
	w.one.SetStarted(true)
	list, err = w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_CONTEXT})
	if err != nil || !slices.ContainsFunc(list, func(r wnet.Resource) bool { return r.RemoteName == `\\locked` }) || len(list) != 4 {
		t.Errorf("got %+v, %v", list, err)
	}
	// Down to the shares, as a program goes: the networks, a network's servers, a server's shares.
	roots, err := w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET})
	if err != nil || len(roots) != 2 || roots[0].RemoteName != "" || roots[0].Provider != "One Network" {
		t.Fatalf("got %+v, %v", roots, err)
	}
	found := 0
	for _, root := range roots {
		servers, err := w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET, Container: &root})
		if err != nil {
			t.Error(err)
		}
		for _, server := range servers {
			shares, err := w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET, Container: &server})
			if err != nil {
				t.Error(err)
			}
			found += len(shares)
		}
	}
	if found != 6 {
		t.Errorf("got %d shares on the way down, want 6", found)
	}
}

// A recent name is noted only where a letter was made, in the profile, all or nothing with the remembered one.
//
// Rows: R-11
func TestRecent(t *testing.T) {
	w := newWorld(t)
	w.add("", `\\srv\data`, win32.CONNECT_UPDATE_RECENT)
	w.addCode(win32.ERROR_BAD_NET_NAME, wnet.AddRequest{LocalName: "Y:", RemoteName: `\\srv\none`, Flags: win32.CONNECT_UPDATE_RECENT})
	w.add("Z:", `\\srv\more`, win32.CONNECT_UPDATE_RECENT|win32.CONNECT_UPDATE_PROFILE)
	w.add("X:", `\\two\data`, win32.CONNECT_UPDATE_RECENT)
	w.add("W:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	list, err := w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_RECENT})
	if err != nil || len(list) != 2 || list[0].RemoteName != `\\two\data` || list[0].Provider != "Two Network" || list[1].RemoteName != `\\srv\more` {
		t.Errorf("got %+v, %v", list, err)
	}
	if list, err := w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_REMEMBERED}); err != nil || len(list) != 2 {
		t.Errorf("remembered: got %+v, %v", list, err)
	}
}

// Every flag that a page or a newer header documents is taken; what a provider does not know of them it ignores (unsourced). A bit that is
// none is refused.
//
// Rows: A3-02, A4-04
func TestFlagsOfTheNewerCalls(t *testing.T) {
	w := newWorld(t)
	const documented = win32.CONNECT_INTERACTIVE | win32.CONNECT_PROMPT | win32.CONNECT_REDIRECT | win32.CONNECT_UPDATE_PROFILE |
		win32.CONNECT_COMMANDLINE | win32.CONNECT_CMD_SAVECRED
	const newer = win32.CONNECT_REQUIRE_INTEGRITY | win32.CONNECT_REQUIRE_PRIVACY | win32.CONNECT_WRITE_THROUGH_SEMANTICS |
		win32.CONNECT_COMPRESS_NETWORK_TRAFFIC
	for i, flags := range []uint32{documented, newer, documented | newer} {
		w.add(string(wnet.Drives(false)[i]), `\\srv\data`, flags)
	}
	req := disk("Q:", `\\srv\data`)
	req.Flags = documented | 0x80000
	w.addCode(win32.ERROR_INVALID_PARAMETER, req)
}

// stubborn mounts what cannot be unmounted unless by force.
type stubborn struct{ wnet.Mounter }

type stuck struct{ wnet.Mount }

func (s stubborn) Mount(ctx context.Context, name string, fsys wnet.FileSystem, o wnet.MountOptions) (wnet.Mount, error) {
	m, err := s.Mounter.Mount(ctx, name, fsys, o)
	if err != nil {
		return nil, err
	}
	return stuck{m}, nil
}

func (m stuck) Unmount(ctx context.Context) error {
	if strings.HasSuffix(m.Point(), "/Z") {
		return &wnet.Error{Name: m.Point(), Code: win32.ERROR_OPEN_FILES}
	}
	_, err := m.ForceUnmount(ctx)
	return err
}

// Connections that are in use survive ClearConnections, and say so; the others go.
func TestClearConnectionsInUse(t *testing.T) {
	w := newWorld(t, func(c *router.Config) { c.Mounter = stubborn{&points{busy: map[string]bool{}}} })
	w.add("Z:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	w.add("Y:", `\\srv\more`, 0)
	w.add("", `\\two\data`, 0)
	w.code(win32.ERROR_OPEN_FILES, w.svc.ClearConnections(bg))
	list, err := w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED})
	if err != nil || len(list) != 1 || list[0].LocalName != "Z:" {
		t.Errorf("got %+v, %v, want Z: alone", list, err)
	}
}
