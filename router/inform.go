package router

import (
	"context"
	"errors"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// GetResourceInformation implements wnet.Informer (RI-01 … RI-07).
func (v *service) GetResourceInformation(ctx context.Context, res wnet.Resource) (wnet.ResourceInfo, error) {
	var info wnet.ResourceInfo
	err := v.ready()
	if err == nil {
		info, err = v.information(ctx, res)
	}
	return info, wnet.AsError("GetResourceInformation", res.RemoteName, err)
}

func (v *service) information(ctx context.Context, res wnet.Resource) (wnet.ResourceInfo, error) {
	var none wnet.ResourceInfo
	switch res.Type {
	case win32.RESOURCETYPE_ANY, win32.RESOURCETYPE_DISK, win32.RESOURCETYPE_PRINT:
	default:
		return none, &wnet.Error{Code: win32.ERROR_BAD_DEV_TYPE, Err: errors.New("the type is none")}
	}
	named, err := v.named(res.Provider)
	if err != nil {
		return none, err
	}
	n, err := nameOrServer(res.RemoteName)
	if err != nil {
		return none, err
	}
	ask := wnet.Request{Remote: n, Type: res.Type, Options: wnet.UseOptions{TCPPort: portOf(n, wnet.UseOptions{})}}
	l := v.r.resolve(ctx, n, v.loginFor(n, wnet.EnumRequest{}))
	ask.User, ask.Password = l.user, l.password
	var significant, insignificantOne error
	able := false
	for _, p := range v.providers(ctx, named) {
		informer, can := p.(wnet.ResourceInformer)
		if !can {
			continue
		}
		able = true
		bounded, cancel := context.WithTimeout(ctx, v.r.cfg.ConnectTimeout)
		r, rest, err := informer.ResourceInformation(bounded, ask)
		cancel()
		if err == nil {
			return infoOf(r, rest, p), nil
		}
		if named != nil {
			return v.owner(n, p, err), err // as it is
		}
		if ctx.Err() != nil {
			return none, err
		}
		if code := wnet.CodeOf(err); !insignificant(code) {
			if significant == nil {
				significant, none = err, v.owner(n, p, err)
			}
		} else if insignificantOne == nil && p.Owns(n) {
			insignificantOne, none = err, v.owner(n, p, err)
		}
	}
	switch {
	case !able:
		return none, &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("no network can tell about its resources")}
	case significant != nil:
		return none, significant
	case insignificantOne != nil:
		return none, insignificantOne
	}
	return none, &wnet.Error{Code: win32.ERROR_BAD_NET_NAME, Err: errors.New("no network recognises the name")}
}

// infoOf is a resource as RI-02 wants it: what belongs to an enumeration or to a device is left out.
func infoOf(r wnet.Resource, rest string, p wnet.Provider) wnet.ResourceInfo {
	info := wnet.ResourceInfo{Resource: wnet.Resource{Type: r.Type, DisplayType: r.DisplayType, Usage: r.Usage, RemoteName: r.RemoteName,
		Provider: p.Name()}}
	if rest != "" {
		info.System = `\` + strings.ReplaceAll(rest, "/", `\`)
	}
	return info
}

// owner is what comes with ERROR_BAD_NET_NAME: the network that has the name's server, if it is one's (RI-06).
func (v *service) owner(n wnet.RemoteName, p wnet.Provider, err error) wnet.ResourceInfo {
	if wnet.CodeOf(err) != win32.ERROR_BAD_NET_NAME || !p.Owns(n) {
		return wnet.ResourceInfo{}
	}
	return wnet.ResourceInfo{Resource: wnet.Resource{Provider: p.Name()}}
}

// named finds a provider that the caller named; nil for "".
func (v *service) named(name string) (wnet.Provider, error) {
	if name == "" {
		return nil, nil
	}
	if p := v.r.provider(name); p != nil {
		return p, nil
	}
	return nil, &wnet.Error{Code: win32.ERROR_BAD_PROVIDER, Err: badProvider(name), Hint: v.r.providerHint()}
}

// providers are those to ask, in order: the named one alone, else all.
func (v *service) providers(ctx context.Context, named wnet.Provider) []wnet.Provider {
	if named != nil {
		return []wnet.Provider{named}
	}
	prof, err := v.r.cfg.Profile.Load(ctx)
	if err != nil { // then nobody has set an order
		return v.r.cfg.Providers
	}
	return v.r.ordered(prof.ProviderOrder)
}

// nameOrServer reads the name of a resource, or of a server. Every fault is ERROR_BAD_NET_NAME.
func nameOrServer(s string) (wnet.RemoteName, error) {
	n, err := wnet.ParseServerName(s)
	if err != nil && wnet.CodeOf(err) != win32.ERROR_BAD_NET_NAME {
		err = &wnet.Error{Code: win32.ERROR_BAD_NET_NAME, Err: err}
	}
	return n, err
}

// GetResourceParent implements wnet.Informer (RP-01 … RP-04).
func (v *service) GetResourceParent(ctx context.Context, res wnet.Resource) (wnet.Resource, error) {
	var parent wnet.Resource
	err := v.ready()
	if err == nil {
		parent, err = v.parent(res)
	}
	return parent, wnet.AsError("GetResourceParent", res.RemoteName, err)
}

func (v *service) parent(res wnet.Resource) (wnet.Resource, error) {
	if res.Provider == "" {
		return wnet.Resource{}, &wnet.Error{Code: win32.ERROR_BAD_PROVIDER, Err: errors.New("the provider is missing"), Hint: v.r.providerHint()}
	}
	p, err := v.named(res.Provider)
	if err != nil {
		return wnet.Resource{}, err
	}
	teller, can := p.(wnet.ParentTeller)
	if !can {
		return wnet.Resource{}, &wnet.Error{Provider: p.Name(), Code: win32.ERROR_NOT_SUPPORTED}
	}
	n, err := nameOrServer(res.RemoteName)
	if err != nil {
		return wnet.Resource{}, err
	}
	parent, err := teller.ResourceParent(n)
	parent.Provider = p.Name()
	if err != nil {
		return wnet.Resource{}, err
	}
	return parent, nil
}

// GetProviderName implements wnet.Informer (PN-01, PN-02).
func (v *service) GetProviderName(ctx context.Context, netType uint32) (string, error) {
	err := v.ready()
	if err == nil {
		for _, p := range v.providers(ctx, nil) {
			if p.NetType()>>16 == netType>>16 {
				return p.Name(), nil
			}
		}
		err = &wnet.Error{Code: win32.ERROR_NO_NETWORK, Err: errors.New("there is no network of the type")}
	}
	return "", wnet.AsError("GetProviderName", "", err)
}

// GetNetworkInformation implements wnet.Informer (NI-02 … NI-04).
func (v *service) GetNetworkInformation(_ context.Context, provider string) (wnet.NetworkInfo, error) {
	err := v.ready()
	var p wnet.Provider
	if err == nil {
		if p, err = v.named(provider); p == nil && err == nil {
			err = &wnet.Error{Code: win32.ERROR_BAD_PROVIDER, Err: errors.New("the provider's name is empty"), Hint: v.r.providerHint()}
		}
	}
	if err != nil {
		return wnet.NetworkInfo{}, wnet.AsError("GetNetworkInformation", provider, err)
	}
	info := wnet.NetworkInfo{Version: v.r.cfg.Version, Type: uint16(p.NetType() >> 16), Drives: 1<<26 - 1}
	if s, ok := p.(wnet.Starter); ok {
		info.Status = uint32(s.Started())
	}
	if t, ok := p.(wnet.Printer); ok && t.Printers() {
		info.Printers = 1<<len(wnet.Ports()) - 1
	}
	return info, nil
}

// GetConnectionPerformance implements wnet.Informer (MP-01 … MP-03).
func (v *service) GetConnectionPerformance(ctx context.Context, res wnet.Resource) (wnet.Performance, error) {
	var p wnet.Performance
	err := v.ready()
	if err == nil {
		var c *connection
		if c, err = v.measured(res); err == nil {
			p, err = c.conn.Performance(ctx)
		}
	}
	name := res.LocalName
	if name == "" {
		name = res.RemoteName
	}
	return p, wnet.AsError("GetConnectionPerformance", name, err)
}

// measured finds the connection that MP-01 speaks of: the device's, or the one that holds the remote name.
func (v *service) measured(res wnet.Resource) (*connection, error) {
	named, err := v.named(res.Provider)
	if err != nil {
		return nil, err
	}
	var found *connection
	if res.LocalName != "" {
		d, err := wnet.ParseDevice(res.LocalName)
		if err != nil {
			return nil, err
		}
		found = v.r.find(v.s, d)
	} else {
		n, err := wnet.ParseRemoteName(res.RemoteName)
		if err != nil {
			return nil, &wnet.Error{Code: win32.ERROR_BAD_NET_NAME, Err: err}
		}
		key := n.Key()
		for _, c := range v.visible() {
			if key != c.key && !strings.HasPrefix(key, c.key+`\`) || named != nil && named != c.provider {
				continue
			}
			if found == nil || len(c.key) > len(found.key) {
				found = c
			}
		}
	}
	if found == nil || named != nil && named != found.provider {
		return nil, &wnet.Error{Code: win32.ERROR_NOT_CONNECTED}
	}
	return found, nil
}

// FormatNetworkName implements wnet.Informer (NP-16).
func (v *service) FormatNetworkName(ctx context.Context, req wnet.FormatRequest) (string, error) {
	name, err := "", v.ready()
	if err == nil {
		name, err = v.format(ctx, req)
	}
	return name, wnet.AsError("FormatNetworkName", req.RemoteName, err)
}

func (v *service) format(ctx context.Context, req wnet.FormatRequest) (string, error) {
	const known = win32.WNFMT_MULTILINE | win32.WNFMT_ABBREVIATED | win32.WNFMT_INENUM | win32.WNFMT_CONNECTION
	if req.Flags&^known != 0 {
		return "", &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("the flags have unknown bits")}
	}
	named, err := v.named(req.Provider)
	if err != nil {
		return "", err
	}
	n, err := nameOrServer(req.RemoteName)
	if err != nil {
		return "", err
	}
	owned := false
	for _, p := range v.providers(ctx, named) {
		if !p.Owns(n) {
			continue
		}
		owned = true
		if f, can := p.(wnet.Formatter); can {
			return f.FormatName(n, req.Flags, req.LineChars)
		}
	}
	if !owned {
		return "", &wnet.Error{Code: win32.ERROR_BAD_NET_NAME, Err: errors.New("no network recognises the name")}
	}
	return "", &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED}
}
