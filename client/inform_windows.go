package client

import (
	"context"
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// ClearConnections implements wnet.Connector by WNetClearConnections.
func (c *Client) ClearConnections(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		err = c.mpr.code("WNetClearConnections", 0)
	}
	return wnet.AsError("ClearConnections", "", err)
}

// GetResourceInformation implements wnet.Informer by WNetGetResourceInformation.
func (c *Client) GetResourceInformation(ctx context.Context, res wnet.Resource) (info wnet.ResourceInfo, err error) {
	n, err := lower(wnet.Resource{RemoteName: res.RemoteName, Provider: res.Provider, Type: res.Type})
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		var system uintptr
		var buf packed
		buf, err = fill(1024, func(buf unsafe.Pointer, bytes *uint32) error {
			return c.mpr.code("WNetGetResourceInformationW", uintptr(unsafe.Pointer(&n)), uintptr(buf), uintptr(unsafe.Pointer(bytes)),
				uintptr(unsafe.Pointer(&system)))
		})
		if err == nil {
			info = wnet.ResourceInfo{Resource: buf.resources(1)[0], System: buf.text(system)}
		}
	}
	return info, wnet.AsError("GetResourceInformation", res.RemoteName, err)
}

// GetResourceParent implements wnet.Informer by WNetGetResourceParent.
func (c *Client) GetResourceParent(ctx context.Context, res wnet.Resource) (parent wnet.Resource, err error) {
	n, err := lower(wnet.Resource{RemoteName: res.RemoteName, Provider: res.Provider, Type: res.Type})
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		var buf packed
		buf, err = fill(1024, func(buf unsafe.Pointer, bytes *uint32) error {
			return c.mpr.code("WNetGetResourceParentW", uintptr(unsafe.Pointer(&n)), uintptr(buf), uintptr(unsafe.Pointer(bytes)))
		})
		if err == nil {
			parent = buf.resources(1)[0]
		}
	}
	return parent, wnet.AsError("GetResourceParent", res.RemoteName, err)
}

// GetProviderName implements wnet.Informer by WNetGetProviderName.
func (c *Client) GetProviderName(ctx context.Context, netType uint32) (string, error) {
	err := ctx.Err()
	var buf []uint16
	if err == nil {
		buf, err = grow(260, func(buf *uint16, size *uint32) error {
			return c.mpr.code("WNetGetProviderNameW", uintptr(netType), uintptr(unsafe.Pointer(buf)), uintptr(unsafe.Pointer(size)))
		})
	}
	if err != nil {
		return "", wnet.AsError("GetProviderName", "", err)
	}
	return windows.UTF16ToString(buf), nil
}

// netInfo is NETINFOSTRUCT (structs.md).
type netInfo struct {
	Size, Version, Status, Characteristics uint32
	Handle                                 uintptr
	Type                                   uint16
	Printers, Drives                       uint32
}

// GetNetworkInformation implements wnet.Informer by WNetGetNetworkInformation.
func (c *Client) GetNetworkInformation(ctx context.Context, provider string) (info wnet.NetworkInfo, err error) {
	name, err := always(provider)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		n := netInfo{}
		n.Size = uint32(unsafe.Sizeof(n)) // NI-01
		if err = c.mpr.code("WNetGetNetworkInformationW", uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&n))); err == nil {
			info = wnet.NetworkInfo{Version: n.Version, Status: n.Status, Characteristics: n.Characteristics, Type: n.Type,
				Printers: n.Printers, Drives: n.Drives, Handle: uint64(n.Handle)}
		}
	}
	return info, wnet.AsError("GetNetworkInformation", provider, err)
}

// GetConnectionPerformance implements wnet.Informer by MultinetGetConnectionPerformance.
func (c *Client) GetConnectionPerformance(ctx context.Context, res wnet.Resource) (p wnet.Performance, err error) {
	n, err := lower(wnet.Resource{LocalName: res.LocalName, RemoteName: res.RemoteName, Provider: res.Provider})
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		s := [5]uint32{20} // NETCONNECTINFOSTRUCT: size, flags, speed, delay, data size
		if err = c.mpr.code("MultinetGetConnectionPerformanceW", uintptr(unsafe.Pointer(&n)), uintptr(unsafe.Pointer(&s))); err == nil {
			p = wnet.Performance{Flags: s[1], Speed: s[2], Delay: s[3], OptDataSize: s[4]}
		}
	}
	name := res.LocalName
	if name == "" {
		name = res.RemoteName
	}
	return p, wnet.AsError("GetConnectionPerformance", name, err)
}

// FormatNetworkName implements wnet.Informer by WNetFormatNetworkName.
func (c *Client) FormatNetworkName(ctx context.Context, req wnet.FormatRequest) (string, error) {
	provider, err := wide(req.Provider)
	var name *uint16
	if err == nil {
		name, err = always(remote(req.RemoteName))
	}
	if err == nil {
		err = ctx.Err()
	}
	var buf []uint16
	if err == nil {
		buf, err = grow(260, func(buf *uint16, size *uint32) error {
			return c.mpr.code("WNetFormatNetworkNameW", uintptr(unsafe.Pointer(provider)), uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(buf)),
				uintptr(unsafe.Pointer(size)), uintptr(req.Flags), uintptr(req.LineChars))
		})
	}
	if err != nil {
		return "", wnet.AsError("FormatNetworkName", req.RemoteName, err)
	}
	return windows.UTF16ToString(buf), nil
}

// The password cache is Windows 9x's: where mpr.dll has no such function any more, the answer is ERROR_NOT_SUPPORTED.

// maxCached bounds a resource and a password in the cache.
const maxCached = 1024

// bytesOf gives the address and the size of bytes that mpr.dll reads.
func bytesOf(b []byte) (address *byte, size uintptr, err error) {
	if len(b) > maxCached {
		return nil, 0, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("resource or password is too long")}
	}
	if len(b) == 0 {
		return new(byte), 0, nil
	}
	return &b[0], uintptr(len(b)), nil
}

// CachePassword implements wnet.PasswordCache by WNetCachePassword.
func (c *Client) CachePassword(ctx context.Context, p wnet.CachedPassword) error {
	secret := []byte(p.Password.Reveal())
	defer clear(secret)
	resource, n, err := bytesOf(p.Resource)
	var password *byte
	var m uintptr
	if err == nil {
		password, m, err = bytesOf(secret)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = c.mpr.code("WNetCachePassword", uintptr(unsafe.Pointer(resource)), n, uintptr(unsafe.Pointer(password)), m, uintptr(p.Type), 0)
	}
	return wnet.AsError("CachePassword", "", err)
}

// GetCachedPassword implements wnet.PasswordCache by WNetGetCachedPassword.
func (c *Client) GetCachedPassword(ctx context.Context, resource []byte, typ uint32) (wnet.Secret, error) {
	buf, size := make([]byte, maxCached), uint16(maxCached)
	defer clear(buf)
	p, n, err := bytesOf(resource)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = c.mpr.code("WNetGetCachedPassword", uintptr(unsafe.Pointer(p)), n, uintptr(unsafe.Pointer(&buf[0])),
			uintptr(unsafe.Pointer(&size)), uintptr(typ))
	}
	if err != nil {
		return wnet.Secret{}, wnet.AsError("GetCachedPassword", "", err)
	}
	return wnet.NewSecret(string(buf[:min(int(size), len(buf))])), nil
}

// RemoveCachedPassword implements wnet.PasswordCache by WNetRemoveCachedPassword.
func (c *Client) RemoveCachedPassword(ctx context.Context, resource []byte, typ uint32) error {
	p, n, err := bytesOf(resource)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = c.mpr.code("WNetRemoveCachedPassword", uintptr(unsafe.Pointer(p)), n, uintptr(typ))
	}
	return wnet.AsError("RemoveCachedPassword", "", err)
}

// EnumCachedPasswords is ERROR_NOT_SUPPORTED: WNetEnumCachedPasswords calls back, and Windows lets a Go program make such a function only a
// limited number of times, for good. Who knows a resource's name has GetCachedPassword.
func (c *Client) EnumCachedPasswords(context.Context, []byte, uint32) ([]wnet.CachedPassword, error) {
	return nil, &wnet.Error{Op: "EnumCachedPasswords", Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("Windows lists them to a callback only")}
}
