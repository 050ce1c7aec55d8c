package servicetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// ClearConnections implements wnet.Connector.
func (f *Fake) ClearConnections(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = nil
	return nil
}

// fakeName reads the name of one of the Fake's servers or shares.
func fakeName(op string, r wnet.Resource) (wnet.RemoteName, error) {
	if r.Provider != "" && r.Provider != fakeProvider {
		return wnet.RemoteName{}, fail(op, r.Provider, win32.ERROR_BAD_PROVIDER)
	}
	n, err := wnet.ParseServerName(r.RemoteName)
	if err != nil || n.Server != "fake" {
		return n, fail(op, r.RemoteName, win32.ERROR_BAD_NET_NAME)
	}
	return n, nil
}

// fakeResource is a server, or a share.
func fakeResource(n wnet.RemoteName) wnet.Resource {
	n.Path = ""
	r := wnet.Resource{RemoteName: n.String(), Provider: fakeProvider, Type: win32.RESOURCETYPE_DISK,
		DisplayType: win32.RESOURCEDISPLAYTYPE_SHARE, Usage: win32.RESOURCEUSAGE_CONNECTABLE}
	if n.Share == "" {
		r.Type, r.DisplayType, r.Usage = win32.RESOURCETYPE_ANY, win32.RESOURCEDISPLAYTYPE_SERVER, win32.RESOURCEUSAGE_CONTAINER
	}
	return r
}

// GetResourceInformation implements wnet.Informer.
func (f *Fake) GetResourceInformation(_ context.Context, r wnet.Resource) (wnet.ResourceInfo, error) {
	const op = "GetResourceInformation"
	n, err := fakeName(op, r)
	switch {
	case err != nil:
		return wnet.ResourceInfo{}, err
	case n.Share == "missing":
		return wnet.ResourceInfo{Resource: wnet.Resource{Provider: fakeProvider}}, fail(op, r.RemoteName, win32.ERROR_BAD_NET_NAME)
	case r.Type == win32.RESOURCETYPE_PRINT || r.Type > win32.RESOURCETYPE_PRINT:
		return wnet.ResourceInfo{}, fail(op, r.RemoteName, win32.ERROR_BAD_DEV_TYPE)
	}
	info := wnet.ResourceInfo{Resource: fakeResource(n)}
	if n.Path != "" {
		info.System = `\` + strings.ReplaceAll(n.Path, "/", `\`)
	}
	return info, nil
}

// GetResourceParent implements wnet.Informer.
func (f *Fake) GetResourceParent(_ context.Context, r wnet.Resource) (wnet.Resource, error) {
	const op = "GetResourceParent"
	if r.Provider == "" {
		return wnet.Resource{}, fail(op, r.RemoteName, win32.ERROR_BAD_PROVIDER)
	}
	n, err := fakeName(op, r)
	if err != nil {
		return wnet.Resource{}, err
	}
	up, ok := n.Parent()
	if !ok {
		return wnet.Resource{Provider: fakeProvider, DisplayType: win32.RESOURCEDISPLAYTYPE_NETWORK, Usage: win32.RESOURCEUSAGE_CONTAINER}, nil
	}
	parent := fakeResource(up)
	parent.RemoteName = up.String()
	return parent, nil
}

// GetProviderName implements wnet.Informer.
func (f *Fake) GetProviderName(_ context.Context, netType uint32) (string, error) {
	if netType>>16 != win32.WNNC_NET_EXTENDNET>>16 {
		return "", fail("GetProviderName", "", win32.ERROR_NO_NETWORK)
	}
	return fakeProvider, nil
}

// GetNetworkInformation implements wnet.Informer.
func (f *Fake) GetNetworkInformation(_ context.Context, provider string) (wnet.NetworkInfo, error) {
	if !strings.EqualFold(provider, fakeProvider) {
		return wnet.NetworkInfo{}, fail("GetNetworkInformation", provider, win32.ERROR_BAD_PROVIDER)
	}
	return wnet.NetworkInfo{Type: win32.WNNC_NET_EXTENDNET >> 16, Drives: 1<<26 - 1}, nil
}

// GetConnectionPerformance implements wnet.Informer.
func (f *Fake) GetConnectionPerformance(_ context.Context, r wnet.Resource) (wnet.Performance, error) {
	const op = "GetConnectionPerformance"
	f.mu.Lock()
	defer f.mu.Unlock()
	found := -1
	if r.LocalName != "" {
		if _, err := wnet.ParseDevice(r.LocalName); err != nil {
			return wnet.Performance{}, wnet.AsError(op, r.LocalName, err)
		}
		found = f.find(r.LocalName)
	} else {
		n, err := wnet.ParseRemoteName(r.RemoteName)
		if err != nil {
			return wnet.Performance{}, fail(op, r.RemoteName, win32.ERROR_BAD_NET_NAME)
		}
		n.Path = ""
		found = slices.IndexFunc(f.live, func(c wnet.Connection) bool { return strings.EqualFold(c.RemoteName, n.String()) })
	}
	if found < 0 {
		return wnet.Performance{}, fail(op, r.LocalName, win32.ERROR_NOT_CONNECTED)
	}
	return wnet.Performance{Delay: 1, Speed: 1000}, nil
}

// FormatNetworkName implements wnet.Informer.
func (f *Fake) FormatNetworkName(_ context.Context, r wnet.FormatRequest) (string, error) {
	const op = "FormatNetworkName"
	if r.Flags >= 0x40 {
		return "", fail(op, r.RemoteName, win32.ERROR_INVALID_PARAMETER)
	}
	n, err := fakeName(op, wnet.Resource{RemoteName: r.RemoteName, Provider: r.Provider})
	if err != nil {
		return "", err
	}
	return n.Format(r.Flags, r.LineChars), nil
}

func cacheKey(resource []byte, typ uint32) string { return fmt.Sprintf("%d/%s", typ, resource) }

// CachePassword implements wnet.PasswordCache.
func (f *Fake) CachePassword(_ context.Context, c wnet.CachedPassword) error {
	if len(c.Resource) == 0 || len(c.Resource) > 1024 || c.Type >= win32.PCE_ALL || !c.Password.Present() {
		return fail("CachePassword", "", win32.ERROR_INVALID_PARAMETER)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cache[cacheKey(c.Resource, c.Type)] = c
	return nil
}

// GetCachedPassword implements wnet.PasswordCache.
func (f *Fake) GetCachedPassword(_ context.Context, resource []byte, typ uint32) (wnet.Secret, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.cache[cacheKey(resource, typ)]
	if !ok {
		return wnet.Secret{}, fail("GetCachedPassword", "", win32.ERROR_FILE_NOT_FOUND)
	}
	return c.Password, nil
}

// RemoveCachedPassword implements wnet.PasswordCache.
func (f *Fake) RemoveCachedPassword(_ context.Context, resource []byte, typ uint32) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.cache[cacheKey(resource, typ)]; !ok {
		return fail("RemoveCachedPassword", "", win32.ERROR_FILE_NOT_FOUND)
	}
	delete(f.cache, cacheKey(resource, typ))
	return nil
}

// EnumCachedPasswords implements wnet.PasswordCache.
func (f *Fake) EnumCachedPasswords(_ context.Context, prefix []byte, typ uint32) ([]wnet.CachedPassword, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []wnet.CachedPassword
	for _, c := range f.cache {
		if bytes.HasPrefix(c.Resource, prefix) && (typ == win32.PCE_ALL || typ == c.Type) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b wnet.CachedPassword) int { return bytes.Compare(a.Resource, b.Resource) })
	return list, nil
}
