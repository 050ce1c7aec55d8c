package rpc

import (
	"context"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/wnetv1"
)

// ClearConnections implements wnet.Connector.
func (c *Client) ClearConnections(ctx context.Context) error {
	_, err := roundTrip(ctx, "ClearConnections", "", c.rpc.ClearConnections, &wnetv1.ClearConnectionsRequest{})
	return err
}

// GetResourceInformation implements wnet.Informer.
func (c *Client) GetResourceInformation(ctx context.Context, r wnet.Resource) (wnet.ResourceInfo, error) {
	res, err := roundTrip(ctx, "GetResourceInformation", r.RemoteName, c.rpc.GetResourceInformation,
		&wnetv1.GetResourceInformationRequest{RemoteName: &r.RemoteName, Provider: r.Provider, Type: r.Type})
	return resourceInfoIn(res), err
}

// GetResourceParent implements wnet.Informer.
func (c *Client) GetResourceParent(ctx context.Context, r wnet.Resource) (wnet.Resource, error) {
	res, err := roundTrip(ctx, "GetResourceParent", r.RemoteName, c.rpc.GetResourceParent,
		&wnetv1.GetResourceParentRequest{RemoteName: &r.RemoteName, Provider: &r.Provider, Type: r.Type})
	return resourceIn(res.GetResource()), err
}

// GetProviderName implements wnet.Informer.
func (c *Client) GetProviderName(ctx context.Context, netType uint32) (string, error) {
	res, err := roundTrip(ctx, "GetProviderName", "", c.rpc.GetProviderName, &wnetv1.GetProviderNameRequest{NetType: netType})
	return res.GetProvider(), err
}

// GetNetworkInformation implements wnet.Informer.
func (c *Client) GetNetworkInformation(ctx context.Context, provider string) (wnet.NetworkInfo, error) {
	res, err := roundTrip(ctx, "GetNetworkInformation", provider, c.rpc.GetNetworkInformation,
		&wnetv1.GetNetworkInformationRequest{Provider: &provider})
	return networkInfoIn(res), err
}

// GetConnectionPerformance implements wnet.Informer.
func (c *Client) GetConnectionPerformance(ctx context.Context, r wnet.Resource) (wnet.Performance, error) {
	res, err := roundTrip(ctx, "GetConnectionPerformance", eitherName(r), c.rpc.GetConnectionPerformance,
		&wnetv1.GetConnectionPerformanceRequest{LocalName: optional(r.LocalName), RemoteName: optional(r.RemoteName), Provider: r.Provider})
	return performanceIn(res), err
}

// FormatNetworkName implements wnet.Informer.
func (c *Client) FormatNetworkName(ctx context.Context, r wnet.FormatRequest) (string, error) {
	res, err := roundTrip(ctx, "FormatNetworkName", r.RemoteName, c.rpc.FormatNetworkName, formatOut(r))
	return res.GetName(), err
}

// CachePassword implements wnet.PasswordCache.
func (c *Client) CachePassword(ctx context.Context, p wnet.CachedPassword) error {
	_, err := roundTrip(ctx, "CachePassword", "", c.rpc.CachePassword, &wnetv1.CachePasswordRequest{
		Resource: append([]byte{}, p.Resource...), Password: bytesOut(p.Password), Type: p.Type})
	return err
}

// GetCachedPassword implements wnet.PasswordCache.
func (c *Client) GetCachedPassword(ctx context.Context, resource []byte, typ uint32) (wnet.Secret, error) {
	res, err := roundTrip(ctx, "GetCachedPassword", "", c.rpc.GetCachedPassword,
		&wnetv1.GetCachedPasswordRequest{Resource: append([]byte{}, resource...), Type: typ})
	if err != nil {
		return wnet.Secret{}, err
	}
	return wnet.NewSecret(string(res.GetPassword())), nil
}

// RemoveCachedPassword implements wnet.PasswordCache.
func (c *Client) RemoveCachedPassword(ctx context.Context, resource []byte, typ uint32) error {
	_, err := roundTrip(ctx, "RemoveCachedPassword", "", c.rpc.RemoveCachedPassword,
		&wnetv1.RemoveCachedPasswordRequest{Resource: append([]byte{}, resource...), Type: typ})
	return err
}

// EnumCachedPasswords implements wnet.PasswordCache.
func (c *Client) EnumCachedPasswords(ctx context.Context, prefix []byte, typ uint32) ([]wnet.CachedPassword, error) {
	res, err := roundTrip(ctx, "EnumCachedPasswords", "", c.rpc.EnumCachedPasswords, &wnetv1.EnumCachedPasswordsRequest{Prefix: prefix, Type: typ})
	return each(res.GetPasswords(), cachedIn), err
}

// HomeDirectory implements wnet.HomeTeller.
func (c *Client) HomeDirectory(ctx context.Context) (string, error) {
	res, err := roundTrip(ctx, "GetHomeDirectory", "", c.rpc.GetHomeDirectory, &wnetv1.GetHomeDirectoryRequest{})
	return res.GetPath(), err
}

// SavedLogins implements wnet.LoginKeeper.
func (c *Client) SavedLogins(ctx context.Context) ([]wnet.SavedLogin, error) {
	res, err := roundTrip(ctx, "SavedLogins", "", c.rpc.SavedLogins, &wnetv1.SavedLoginsRequest{})
	var all []wnet.SavedLogin
	for _, l := range res.GetLogins() {
		all = append(all, wnet.SavedLogin{Target: l.GetTarget(), User: l.GetUser()})
	}
	return all, err
}

// ForgetLogin implements wnet.LoginKeeper.
func (c *Client) ForgetLogin(ctx context.Context, target, user string) error {
	_, err := roundTrip(ctx, "ForgetLogin", target, c.rpc.ForgetLogin, &wnetv1.ForgetLoginRequest{Target: &target, User: user})
	return err
}

var (
	_ wnet.HomeTeller  = (*Client)(nil)
	_ wnet.LoginKeeper = (*Client)(nil)
)
