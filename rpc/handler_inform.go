package rpc

import (
	"context"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/wnetv1"
	"github.com/openwnet/wnet/win32"
)

func (h handler) ClearConnections(ctx context.Context, _ *wnetv1.ClearConnectionsRequest) (*wnetv1.ClearConnectionsResponse, error) {
	s, err := h.service(ctx)
	if err == nil {
		err = s.ClearConnections(ctx)
	}
	return answer("ClearConnections", "", &wnetv1.ClearConnectionsResponse{}, err)
}

func (h handler) GetResourceInformation(ctx context.Context, m *wnetv1.GetResourceInformationRequest) (*wnetv1.GetResourceInformationResponse, error) {
	var info wnet.ResourceInfo
	s, err := h.service(ctx)
	if err == nil {
		info, err = s.GetResourceInformation(ctx, wnet.Resource{RemoteName: m.GetRemoteName(), Provider: m.GetProvider(), Type: m.GetType()})
	}
	return answer("GetResourceInformation", m.GetRemoteName(), resourceInfoOut(info), err)
}

func (h handler) GetResourceParent(ctx context.Context, m *wnetv1.GetResourceParentRequest) (*wnetv1.GetResourceParentResponse, error) {
	var parent wnet.Resource
	s, err := h.service(ctx)
	if err == nil {
		parent, err = s.GetResourceParent(ctx, wnet.Resource{RemoteName: m.GetRemoteName(), Provider: m.GetProvider(), Type: m.GetType()})
	}
	res := &wnetv1.GetResourceParentResponse{}
	if err == nil {
		res.Resource = resourceOut(parent)
	}
	return answer("GetResourceParent", m.GetRemoteName(), res, err)
}

func (h handler) GetProviderName(ctx context.Context, m *wnetv1.GetProviderNameRequest) (*wnetv1.GetProviderNameResponse, error) {
	name := ""
	s, err := h.service(ctx)
	if err == nil {
		name, err = s.GetProviderName(ctx, m.GetNetType())
	}
	return answer("GetProviderName", "", &wnetv1.GetProviderNameResponse{Provider: text(name)}, err)
}

func (h handler) GetNetworkInformation(ctx context.Context, m *wnetv1.GetNetworkInformationRequest) (*wnetv1.GetNetworkInformationResponse, error) {
	var info wnet.NetworkInfo
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.Provider == nil:
		err = needed("provider")
	default:
		info, err = s.GetNetworkInformation(ctx, m.GetProvider())
	}
	return answer("GetNetworkInformation", m.GetProvider(), networkInfoOut(info), err)
}

func (h handler) GetConnectionPerformance(ctx context.Context,
	m *wnetv1.GetConnectionPerformanceRequest) (*wnetv1.GetConnectionPerformanceResponse, error) {
	res := wnet.Resource{LocalName: m.GetLocalName(), RemoteName: m.GetRemoteName(), Provider: m.GetProvider()}
	var p wnet.Performance
	s, err := h.service(ctx)
	if err == nil {
		p, err = s.GetConnectionPerformance(ctx, res)
	}
	return answer("GetConnectionPerformance", eitherName(res), performanceOut(p), err)
}

func (h handler) FormatNetworkName(ctx context.Context, m *wnetv1.FormatNetworkNameRequest) (*wnetv1.FormatNetworkNameResponse, error) {
	name := ""
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.RemoteName == nil:
		err = needed("remoteName")
	default:
		name, err = s.FormatNetworkName(ctx, formatIn(m))
	}
	return answer("FormatNetworkName", m.GetRemoteName(), &wnetv1.FormatNetworkNameResponse{Name: text(name)}, err)
}

func (h handler) GetHomeDirectory(ctx context.Context, m *wnetv1.GetHomeDirectoryRequest) (*wnetv1.GetHomeDirectoryResponse, error) {
	path := ""
	s, err := h.service(ctx)
	if err == nil && m.GetProvider() != "" {
		_, err = s.GetNetworkInformation(ctx, m.GetProvider()) // ERROR_BAD_PROVIDER for none
	}
	if err == nil {
		if t, ok := s.(wnet.HomeTeller); ok {
			path, err = t.HomeDirectory(ctx)
		} else {
			err = &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED}
		}
	}
	return answer("GetHomeDirectory", m.GetProvider(), &wnetv1.GetHomeDirectoryResponse{Path: text(path)}, err)
}

// keeper is the caller's service where it keeps logins.
func (h handler) keeper(ctx context.Context) (wnet.LoginKeeper, error) {
	s, err := h.service(ctx)
	if err != nil {
		return nil, err
	}
	if k, ok := s.(wnet.LoginKeeper); ok {
		return k, nil
	}
	return nil, &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED}
}

func (h handler) SavedLogins(ctx context.Context, _ *wnetv1.SavedLoginsRequest) (*wnetv1.SavedLoginsResponse, error) {
	res := &wnetv1.SavedLoginsResponse{}
	k, err := h.keeper(ctx)
	if err == nil {
		var all []wnet.SavedLogin
		all, err = k.SavedLogins(ctx)
		for _, l := range all {
			res.Logins = append(res.Logins, &wnetv1.SavedLogin{Target: text(l.Target), User: text(l.User)})
		}
	}
	return answer("SavedLogins", "", res, err)
}

func (h handler) ForgetLogin(ctx context.Context, m *wnetv1.ForgetLoginRequest) (*wnetv1.ForgetLoginResponse, error) {
	k, err := h.keeper(ctx)
	switch {
	case err != nil:
	case m.Target == nil:
		err = needed("target")
	default:
		err = k.ForgetLogin(ctx, m.GetTarget(), m.GetUser())
	}
	return answer("ForgetLogin", m.GetTarget(), &wnetv1.ForgetLoginResponse{}, err)
}

func (h handler) CachePassword(ctx context.Context, m *wnetv1.CachePasswordRequest) (*wnetv1.CachePasswordResponse, error) {
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.Resource == nil:
		err = needed("resource")
	case m.Password == nil:
		err = needed("password")
	default:
		err = s.CachePassword(ctx, wnet.CachedPassword{Resource: m.Resource, Password: wnet.NewSecret(string(m.Password)), Type: m.GetType()})
	}
	return answer("CachePassword", "", &wnetv1.CachePasswordResponse{}, err)
}

func (h handler) GetCachedPassword(ctx context.Context, m *wnetv1.GetCachedPasswordRequest) (*wnetv1.GetCachedPasswordResponse, error) {
	var password wnet.Secret
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.Resource == nil:
		err = needed("resource")
	default:
		password, err = s.GetCachedPassword(ctx, m.Resource, m.GetType())
	}
	return answer("GetCachedPassword", "", &wnetv1.GetCachedPasswordResponse{Password: []byte(password.Reveal())}, err)
}

func (h handler) RemoveCachedPassword(ctx context.Context, m *wnetv1.RemoveCachedPasswordRequest) (*wnetv1.RemoveCachedPasswordResponse, error) {
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.Resource == nil:
		err = needed("resource")
	default:
		err = s.RemoveCachedPassword(ctx, m.Resource, m.GetType())
	}
	return answer("RemoveCachedPassword", "", &wnetv1.RemoveCachedPasswordResponse{}, err)
}

func (h handler) EnumCachedPasswords(ctx context.Context, m *wnetv1.EnumCachedPasswordsRequest) (*wnetv1.EnumCachedPasswordsResponse, error) {
	var list []wnet.CachedPassword
	s, err := h.service(ctx)
	if err == nil {
		list, err = s.EnumCachedPasswords(ctx, m.GetPrefix(), m.GetType())
	}
	return answer("EnumCachedPasswords", "", &wnetv1.EnumCachedPasswordsResponse{Passwords: each(list, cachedOut)}, err)
}
