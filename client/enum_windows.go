package client

import (
	"context"
	"errors"
	"sort"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows/registry"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Enum implements wnet.Lister by WNetOpenEnum, WNetEnumResource and WNetCloseEnum. Hidden names, a user and a password are nothing that
// Windows takes here: ERROR_NOT_SUPPORTED.
func (c *Client) Enum(ctx context.Context, req wnet.EnumRequest) ([]wnet.Resource, error) {
	name := ""
	if req.Container != nil {
		name = req.Container.RemoteName
	}
	all, err := c.enum(ctx, req)
	return all, wnet.AsError("Enum", name, err)
}

func (c *Client) enum(ctx context.Context, req wnet.EnumRequest) (all []wnet.Resource, err error) {
	if err := noOptions(req.Options); err != nil {
		return nil, err
	}
	if req.Hidden || req.User != "" || req.Password.Present() {
		return nil, &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("Windows browses as the user who is logged on, and hides names that end in $")}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var container *netResource
	if req.Container != nil {
		n, err := lower(*req.Container)
		if err != nil {
			return nil, err
		}
		container = &n
	}
	var handle uintptr
	err = c.mpr.code("WNetOpenEnumW", uintptr(req.Scope), uintptr(req.Type), uintptr(req.Usage), uintptr(unsafe.Pointer(container)),
		uintptr(unsafe.Pointer(&handle)))
	if err != nil {
		return nil, err
	}
	defer c.mpr.code("WNetCloseEnum", handle)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		count := uint32(0xFFFFFFFF)                                              // ER-01
		buf, err := fill(16<<10, func(buf unsafe.Pointer, bytes *uint32) error { // ER-03
			return c.mpr.code("WNetEnumResourceW", handle, uintptr(unsafe.Pointer(&count)), uintptr(buf), uintptr(unsafe.Pointer(bytes)))
		})
		if errors.Is(err, win32.ERROR_NO_MORE_ITEMS) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, buf.resources(count)...)
	}
}

// Connections implements wnet.Lister by two enumerations. Windows tells whether a drive is connected, and not since when or how well.
func (c *Client) Connections(ctx context.Context) ([]wnet.Connection, error) {
	live, err := c.enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED})
	if err != nil {
		return nil, wnet.AsError("Connections", "", err)
	}
	kept, err := c.enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_REMEMBERED})
	if err != nil {
		return nil, wnet.AsError("Connections", "", err)
	}
	byDevice := map[string]wnet.Resource{}
	for _, r := range kept {
		byDevice[strings.ToUpper(r.LocalName)] = r
	}
	uses := map[string]int{}
	for _, r := range live {
		uses[strings.ToLower(r.RemoteName)]++
	}
	var list []wnet.Connection
	for _, r := range live {
		x := wnet.Connection{Device: r.LocalName, RemoteName: r.RemoteName, Type: r.Type, Provider: r.Provider, Connected: true,
			Uses: uses[strings.ToLower(r.RemoteName)], Status: wnet.Status{State: wnet.StateOK}}
		if k, ok := byDevice[strings.ToUpper(r.LocalName)]; ok && r.LocalName != "" {
			x.Remembered = strings.EqualFold(k.RemoteName, r.RemoteName)
			delete(byDevice, strings.ToUpper(r.LocalName))
		}
		who := r.RemoteName
		if r.LocalName != "" {
			who, x.Path = r.LocalName, r.LocalName+`\`
		}
		x.User, _ = c.GetUser(ctx, who)
		list = append(list, x)
	}
	for _, r := range byDevice {
		list = append(list, wnet.Connection{Device: r.LocalName, RemoteName: r.RemoteName, Type: r.Type, Provider: r.Provider,
			Remembered: true, Status: wnet.Status{State: wnet.StateUnavailable}})
	}
	sort.Slice(list, func(i, j int) bool {
		if a, b := list[i].Device, list[j].Device; a != b {
			return b == "" || a != "" && a < b
		}
		return list[i].RemoteName < list[j].RemoteName
	})
	return list, nil
}

// The profile of the user (netuse.md §4).
const (
	networkKey    = `Network\`
	persistentKey = `Software\Microsoft\Windows NT\CurrentVersion\Network\Persistent Connections`
	saveValue     = "SaveConnections"
)

// remembered is the remote name that the profile has for a device, "" if none.
func remembered(device string) string {
	k, err := registry.OpenKey(registry.CURRENT_USER, networkKey+strings.TrimSuffix(device, ":"), registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	name, _, _ := k.GetStringValue("RemotePath")
	return name
}

// SaveConnections implements wnet.Settings. Where nothing is set, Windows remembers.
func (c *Client) SaveConnections(ctx context.Context) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, wnet.AsError("SaveConnections", "", err)
	}
	k, err := registry.OpenKey(registry.CURRENT_USER, persistentKey, registry.QUERY_VALUE)
	if err == nil {
		defer k.Close()
		var s string
		if s, _, err = k.GetStringValue(saveValue); err == nil {
			return !strings.EqualFold(s, "no"), nil
		}
	}
	if errors.Is(err, registry.ErrNotExist) {
		return true, nil
	}
	return false, &wnet.Error{Op: "SaveConnections", Code: win32.ERROR_CANNOT_OPEN_PROFILE, Err: err}
}

// SetSaveConnections implements wnet.Settings.
func (c *Client) SetSaveConnections(ctx context.Context, on bool) error {
	if err := ctx.Err(); err != nil {
		return wnet.AsError("SetSaveConnections", "", err)
	}
	s := "no"
	if on {
		s = "yes"
	}
	k, _, err := registry.CreateKey(registry.CURRENT_USER, persistentKey, registry.SET_VALUE)
	if err == nil {
		defer k.Close()
		err = k.SetStringValue(saveValue, s)
	}
	if err != nil {
		return &wnet.Error{Op: "SetSaveConnections", Code: win32.ERROR_CANNOT_OPEN_PROFILE, Err: err}
	}
	return nil
}
