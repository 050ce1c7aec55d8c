package servicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

func cleared(ctx context.Context, t Target) error {
	if err := errors.Join(add(ctx, t, "Z:", 0, win32.CONNECT_UPDATE_PROFILE), add(ctx, t, "", 1, 0)); err != nil {
		return err
	}
	if err := t.Service.ClearConnections(ctx); err != nil {
		return fmt.Errorf("ClearConnections: %w", err)
	}
	if err := wantCount(ctx, t, 0, 1); err != nil {
		return err
	}
	if err := t.Service.ClearConnections(ctx); err != nil {
		return fmt.Errorf("ClearConnections where there is nothing: %w", err)
	}
	return nil
}

func blobs(ctx context.Context, t Target) error {
	req := wnet.AddRequest{LocalName: "Z:", RemoteName: t.Remote(0), Type: win32.RESOURCETYPE_DISK}
	for _, c := range []struct {
		what   string
		change func(*wnet.AddRequest)
		code   win32.Code
	}{
		{"an unknown blob", func(r *wnet.AddRequest) { r.Auth = wnet.NewSecret("\xff\xfe\x00") }, win32.ERROR_NOT_SUPPORTED},
		{"a broken blob", func(r *wnet.AddRequest) { r.Auth = wnet.NewSecret(`{"user":1}`) }, win32.ERROR_INVALID_PARAMETER},
		{"two logins", func(r *wnet.AddRequest) { r.User, r.Auth = "anna", wnet.NewSecret(`{"user":"anna"}`) }, win32.ERROR_INVALID_PARAMETER},
		{"unknown options", func(r *wnet.AddRequest) { r.OptionsBlob = "DefC\x00\xff" }, win32.ERROR_NOT_SUPPORTED},
		{"broken options", func(r *wnet.AddRequest) { r.OptionsBlob = `{"tcpPort":-1}` }, win32.ERROR_INVALID_PARAMETER},
	} {
		bad := req
		c.change(&bad)
		if err := wantCode("AddConnection with "+c.what, t.Service.AddConnection(ctx, bad), c.code); err != nil {
			return err
		}
		_, err := t.Service.UseConnection(ctx, wnet.UseRequest{AddRequest: bad})
		if err := wantCode("UseConnection with "+c.what, err, c.code); err != nil {
			return err
		}
	}
	if err := wantCount(ctx, t, 0, 0); err != nil {
		return err
	}
	req.Auth, req.OptionsBlob = wnet.NewSecret("{}"), "{}"
	if err := t.Service.AddConnection(ctx, req); err != nil {
		return fmt.Errorf("AddConnection with empty blobs: %w", err)
	}
	return wantCount(ctx, t, 1, 0)
}

func recentNames(ctx context.Context, t Target) error {
	scope := wnet.EnumRequest{Scope: win32.RESOURCE_RECENT}
	if list, err := t.Service.Enum(ctx, scope); err != nil || len(list) != 0 {
		return fmt.Errorf("Enum of recent names before there is one: got %+v, %v", list, err)
	}
	const many = 12
	for i := range many {
		if err := errors.Join(add(ctx, t, "Z:", i, win32.CONNECT_UPDATE_RECENT), cancel(ctx, t, "Z:", 0)); err != nil {
			return err
		}
	}
	if err := add(ctx, t, "", many, win32.CONNECT_UPDATE_RECENT); err != nil {
		return err
	}
	list, err := t.Service.Enum(ctx, scope)
	if err != nil || len(list) != 10 {
		return fmt.Errorf("Enum of recent names: got %d, %v, want 10: %+v", len(list), err, list)
	}
	for i, r := range list {
		if want := t.Remote(many - 1 - i); r.RemoteName != want || r.Scope != win32.RESOURCE_RECENT || r.Provider == "" {
			return fmt.Errorf("Enum of recent names: got %+v at %d, want %s", r, i, want)
		}
	}
	return nil
}

func neighbourhood(ctx context.Context, t Target) error {
	list, err := t.Service.Enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_CONTEXT})
	if err != nil || len(list) == 0 {
		return fmt.Errorf("Enum of the neighbourhood: got %+v, %v", list, err)
	}
	r := list[0]
	r.Comment = ""
	want := wnet.Resource{Scope: win32.RESOURCE_GLOBALNET, DisplayType: win32.RESOURCEDISPLAYTYPE_ROOT, Usage: win32.RESOURCEUSAGE_CONTAINER}
	if r != want || list[0].Comment == "" {
		return fmt.Errorf("the neighbourhood's first entry: got %+v, want %+v with a comment", list[0], want)
	}
	n, err := wnet.ParseRemoteName(t.Remote(0))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list[1:], func(r wnet.Resource) bool { return strings.EqualFold(r.RemoteName, `\\`+n.Server) }) {
		return fmt.Errorf("the neighbourhood: got %+v, want %s among it", list, n.Server)
	}
	return nil
}

func resourceInformation(ctx context.Context, t Target) error {
	info, err := t.Service.GetResourceInformation(ctx, wnet.Resource{RemoteName: t.Remote(0) + `\Dir 1\dir2`})
	if err != nil {
		return fmt.Errorf("GetResourceInformation of a path below a share: %w", err)
	}
	want := wnet.ResourceInfo{System: `\Dir 1\dir2`, Resource: wnet.Resource{Type: win32.RESOURCETYPE_DISK,
		DisplayType: win32.RESOURCEDISPLAYTYPE_SHARE, Usage: win32.RESOURCEUSAGE_CONNECTABLE, RemoteName: t.Remote(0), Provider: info.Resource.Provider}}
	if info != want || info.Resource.Provider == "" {
		return fmt.Errorf("GetResourceInformation of a path below a share: got %+v, want %+v", info, want)
	}
	info, err = t.Service.GetResourceInformation(ctx, wnet.Resource{RemoteName: t.Remote(0), Provider: want.Resource.Provider, Type: win32.RESOURCETYPE_DISK})
	want.System = ""
	if err != nil || info != want {
		return fmt.Errorf("GetResourceInformation of a share: got %+v, %v, want %+v", info, err, want)
	}
	missing, e1 := t.Service.GetResourceInformation(ctx, wnet.Resource{RemoteName: t.Missing})
	if e1 != nil && missing.Resource.Provider == "" {
		return fmt.Errorf("GetResourceInformation of a missing share: got no provider, want the one of its server (RI-06)")
	}
	_, e2 := t.Service.GetResourceInformation(ctx, wnet.Resource{RemoteName: t.Remote(0), Type: win32.RESOURCETYPE_PRINT})
	_, e3 := t.Service.GetResourceInformation(ctx, wnet.Resource{RemoteName: "nonsense"})
	_, e4 := t.Service.GetResourceInformation(ctx, wnet.Resource{})
	_, e5 := t.Service.GetResourceInformation(ctx, wnet.Resource{RemoteName: t.Remote(0), Provider: "No Such Network"})
	return errors.Join(wantCode("a missing share", e1, win32.ERROR_BAD_NET_NAME), wantCode("a disk as a printer", e2, win32.ERROR_BAD_DEV_TYPE),
		wantCode("no name", e3, win32.ERROR_BAD_NET_NAME), wantCode("an empty name", e4, win32.ERROR_BAD_NET_NAME),
		wantCode("an unknown provider", e5, win32.ERROR_BAD_PROVIDER))
}

func resourceParent(ctx context.Context, t Target) error {
	info, err := t.Service.GetResourceInformation(ctx, wnet.Resource{RemoteName: t.Remote(0)})
	if err != nil {
		return fmt.Errorf("GetResourceInformation: %w", err)
	}
	provider := info.Resource.Provider
	server := t.Remote(0)[:strings.LastIndex(t.Remote(0), `\`)]
	name := t.Remote(0) + `\not\there`
	for _, want := range []string{t.Remote(0) + `\not`, t.Remote(0), server, ""} {
		got, err := t.Service.GetResourceParent(ctx, wnet.Resource{RemoteName: name, Provider: provider})
		if err != nil || got.RemoteName != want || got.Provider != provider {
			return fmt.Errorf("GetResourceParent of %s: got %+v, %v, want %q", name, got, err, want)
		}
		if container := got.Usage&win32.RESOURCEUSAGE_CONTAINER != 0; container != (want == server || want == "") {
			return fmt.Errorf("GetResourceParent of %s: got the usage %#x", name, got.Usage)
		}
		name = got.RemoteName
	}
	_, e1 := t.Service.GetResourceParent(ctx, wnet.Resource{RemoteName: t.Remote(0)})
	_, e2 := t.Service.GetResourceParent(ctx, wnet.Resource{RemoteName: t.Remote(0), Provider: "No Such Network"})
	_, e3 := t.Service.GetResourceParent(ctx, wnet.Resource{RemoteName: "nonsense", Provider: provider})
	return errors.Join(wantCode("no provider", e1, win32.ERROR_BAD_PROVIDER), wantCode("an unknown provider", e2, win32.ERROR_BAD_PROVIDER),
		wantCode("no name", e3, win32.ERROR_BAD_NET_NAME))
}

func networks(ctx context.Context, t Target) error {
	info, err := t.Service.GetResourceInformation(ctx, wnet.Resource{RemoteName: t.Remote(0)})
	if err != nil {
		return fmt.Errorf("GetResourceInformation: %w", err)
	}
	name := info.Resource.Provider
	net, err := t.Service.GetNetworkInformation(ctx, strings.ToUpper(name))
	if err != nil {
		return fmt.Errorf("GetNetworkInformation: %w", err)
	}
	if net.Status != 0 || net.Characteristics != 0 || net.Type == 0 || net.Drives != 1<<26-1 {
		return fmt.Errorf("GetNetworkInformation: got %+v, want a running network that redirects every letter", net)
	}
	got, err := t.Service.GetProviderName(ctx, uint32(net.Type)<<16|0x1234)
	if err != nil || got != name {
		return fmt.Errorf("GetProviderName: got %q, %v, want %q", got, err, name)
	}
	_, e1 := t.Service.GetProviderName(ctx, 0x00FF0000)
	_, e2 := t.Service.GetNetworkInformation(ctx, "No Such Network")
	_, e3 := t.Service.GetNetworkInformation(ctx, "")
	return errors.Join(wantCode("GetProviderName of a type that is not there", e1, win32.ERROR_NO_NETWORK),
		wantCode("GetNetworkInformation of an unknown network", e2, win32.ERROR_BAD_PROVIDER),
		wantCode("GetNetworkInformation of nothing", e3, win32.ERROR_BAD_PROVIDER))
}

func performance(ctx context.Context, t Target) error {
	if err := errors.Join(add(ctx, t, "Z:", 0, 0), add(ctx, t, "", 1, 0)); err != nil {
		return err
	}
	for _, r := range []wnet.Resource{{LocalName: "z:"}, {LocalName: "Z:", RemoteName: `\\no\such`}, {RemoteName: t.Remote(1)},
		{RemoteName: t.Remote(0) + `\dir`}} {
		if p, err := t.Service.GetConnectionPerformance(ctx, r); err != nil || p.Delay == 0 {
			return fmt.Errorf("GetConnectionPerformance of %+v: got %+v, %v, want a delay that was measured", r, p, err)
		}
	}
	ask := func(local, remote string) error {
		_, err := t.Service.GetConnectionPerformance(ctx, wnet.Resource{LocalName: local, RemoteName: remote})
		return err
	}
	return errors.Join(wantCode("a device without connection", ask("Q:", t.Remote(0)), win32.ERROR_NOT_CONNECTED),
		wantCode("no device", ask("nonsense", ""), win32.ERROR_BAD_DEVICE), wantCode("no name at all", ask("", ""), win32.ERROR_BAD_NET_NAME),
		wantCode("a name that is none", ask("", "nonsense"), win32.ERROR_BAD_NET_NAME),
		wantCode("a name without connection", ask("", t.Remote(2)), win32.ERROR_NOT_CONNECTED))
}

func formatted(ctx context.Context, t Target) error {
	name := t.Remote(0) + `\folder`
	for _, c := range []struct {
		flags, line uint32
		want        string
	}{
		{win32.WNFMT_CONNECTION, 0, name},
		{win32.WNFMT_INENUM, 0, "folder"},
		{win32.WNFMT_MULTILINE, uint32(len(t.Remote(0)) + 1), t.Remote(0) + "\\\nfolder"},
	} {
		got, err := t.Service.FormatNetworkName(ctx, wnet.FormatRequest{RemoteName: name, Flags: c.flags, LineChars: c.line})
		if err != nil || got != c.want {
			return fmt.Errorf("FormatNetworkName with %#x: got %q, %v, want %q", c.flags, got, err, c.want)
		}
	}
	got, err := t.Service.FormatNetworkName(ctx, wnet.FormatRequest{RemoteName: name, Flags: win32.WNFMT_ABBREVIATED, LineChars: 12})
	if err != nil || len([]rune(got)) > 12 || !strings.HasSuffix(got, "folder") {
		return fmt.Errorf("FormatNetworkName, abbreviated: got %q, %v, want 12 characters that end in the folder", got, err)
	}
	_, e1 := t.Service.FormatNetworkName(ctx, wnet.FormatRequest{RemoteName: name, Flags: 0x8000})
	_, e2 := t.Service.FormatNetworkName(ctx, wnet.FormatRequest{RemoteName: "nonsense"})
	_, e3 := t.Service.FormatNetworkName(ctx, wnet.FormatRequest{RemoteName: name, Provider: "No Such Network"})
	return errors.Join(wantCode("unknown flags", e1, win32.ERROR_INVALID_PARAMETER), wantCode("no name", e2, win32.ERROR_BAD_NET_NAME),
		wantCode("an unknown provider", e3, win32.ERROR_BAD_PROVIDER))
}

func passwordCache(ctx context.Context, t Target) error {
	s := t.Service
	put := func(resource, password string, typ uint32) error {
		return s.CachePassword(ctx, wnet.CachedPassword{Resource: []byte(resource), Password: wnet.NewSecret(password), Type: typ})
	}
	if err := errors.Join(put("\\\\srv\\a\x00", "first", 3), put("\\\\srv\\a\x00", "\xff\x00 raw", 3), put("\\\\srv\\b", "", 3),
		put("\\\\srv\\a\x00", "other type", 6)); err != nil {
		return fmt.Errorf("CachePassword: %w", err)
	}
	got, err := s.GetCachedPassword(ctx, []byte("\\\\srv\\a\x00"), 3)
	if err != nil || got.Reveal() != "\xff\x00 raw" {
		return fmt.Errorf("GetCachedPassword: got %q, %v", got.Reveal(), err)
	}
	for _, c := range []struct {
		prefix string
		typ    uint32
		want   int
	}{{"", win32.PCE_ALL, 3}, {`\\srv\a`, win32.PCE_ALL, 2}, {"", 3, 2}, {`\\srv\b`, 3, 1}, {"x", 3, 0}} {
		list, err := s.EnumCachedPasswords(ctx, []byte(c.prefix), c.typ)
		if err != nil || len(list) != c.want {
			return fmt.Errorf("EnumCachedPasswords %q of type %d: got %d, %v, want %d", c.prefix, c.typ, len(list), err, c.want)
		}
		for _, p := range list {
			if !p.Password.Present() || !strings.HasPrefix(string(p.Resource), c.prefix) {
				return fmt.Errorf("EnumCachedPasswords %q: got %q", c.prefix, p.Resource)
			}
		}
	}
	if err := s.RemoveCachedPassword(ctx, []byte("\\\\srv\\a\x00"), 3); err != nil {
		return fmt.Errorf("RemoveCachedPassword: %w", err)
	}
	_, e1 := s.GetCachedPassword(ctx, []byte("\\\\srv\\a\x00"), 3)
	e2 := s.RemoveCachedPassword(ctx, []byte("\\\\srv\\a\x00"), 3)
	return errors.Join(wantCode("a password that was removed", e1, win32.ERROR_FILE_NOT_FOUND), wantCode("removing it again", e2, win32.ERROR_FILE_NOT_FOUND),
		wantCode("an empty resource", put("", "x", 3), win32.ERROR_INVALID_PARAMETER),
		wantCode("the type that means all", put("x", "x", win32.PCE_ALL), win32.ERROR_INVALID_PARAMETER),
		wantCode("a resource that is too long", put(strings.Repeat("x", 1025), "x", 3), win32.ERROR_INVALID_PARAMETER))
}
