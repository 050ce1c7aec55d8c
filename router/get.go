package router

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// GetConnection implements wnet.Inquirer (GC-01 … GC-11).
func (v *service) GetConnection(ctx context.Context, device string) (string, error) {
	name, err := "", v.ready()
	if err == nil {
		var d wnet.Device
		if d, err = wnet.ParseDevice(device); err == nil {
			name, err = v.remoteOf(ctx, d)
		}
	}
	return name, wnet.AsError("GetConnection", device, err)
}

// remoteOf is a device's remote name: connected, or with ERROR_CONNECTION_UNAVAIL remembered (GC-06), or ERROR_NOT_CONNECTED.
func (v *service) remoteOf(ctx context.Context, d wnet.Device) (string, error) {
	if c := v.r.find(v.s, d); c != nil {
		return c.shown, nil
	}
	p, err := v.r.cfg.Profile.Load(ctx)
	if err != nil {
		// Not a documented answer of this function: nothing is connected, whatever the profile would say.
		return "", &wnet.Error{Code: win32.ERROR_NOT_CONNECTED, Err: err}
	}
	if e, ok := p.Entries[d]; ok {
		return remoteOf(e), &wnet.Error{Code: win32.ERROR_CONNECTION_UNAVAIL, Err: fmt.Errorf("it is remembered for %s", e.RemotePath),
			Hint: fmt.Sprintf("Connect it with: wnet restore %s", d)}
	}
	return "", &wnet.Error{Code: win32.ERROR_NOT_CONNECTED}
}

// GetUser implements wnet.Inquirer (GU-01 … GU-05).
func (v *service) GetUser(ctx context.Context, name string) (string, error) {
	user, err := "", v.ready()
	if err == nil {
		user, err = v.userOf(name)
	}
	return user, wnet.AsError("GetUser", name, err)
}

func (v *service) userOf(name string) (string, error) {
	if name == "" || v.r.provider(name) != nil {
		return v.r.user, nil
	}
	if d, err := wnet.ParseDevice(name); err == nil {
		if c := v.r.find(v.s, d); c != nil {
			return v.nameOf(c), nil
		}
	} else if n, err := wnet.ParseRemoteName(name); err == nil {
		for _, c := range v.r.findDeviceless(v.s.LUID(), n) {
			return v.nameOf(c), nil // several: arbitrary (GU-02)
		}
	}
	return "", &wnet.Error{Code: win32.ERROR_NOT_CONNECTED}
}

// nameOf is the user that a connection is made by: the account's own where no other was named and the server knows no name.
func (v *service) nameOf(c *connection) string {
	if u := c.userName(); u != "" {
		return u
	}
	return v.r.user
}

// GetUniversalName implements wnet.Inquirer (UN-01 … UN-08).
func (v *service) GetUniversalName(ctx context.Context, path string, level uint32) (wnet.UniversalName, error) {
	un, err := wnet.UniversalName{}, v.ready()
	if err == nil {
		un, err = v.universal(ctx, path, level)
	}
	return un, wnet.AsError("GetUniversalName", path, err)
}

func (v *service) universal(ctx context.Context, path string, level uint32) (wnet.UniversalName, error) {
	if level != win32.UNIVERSAL_NAME_INFO_LEVEL && level != win32.REMOTE_NAME_INFO_LEVEL {
		return wnet.UniversalName{}, &wnet.Error{Code: win32.ERROR_INVALID_LEVEL}
	}
	path = strings.ReplaceAll(path, "/", `\`)
	if len(path) < 2 || len(path) > 2 && path[2] != '\\' {
		return wnet.UniversalName{}, badPath(path)
	}
	d, err := wnet.ParseDevice(path[:2])
	if err != nil {
		return wnet.UniversalName{}, badPath(path)
	}
	remote, err := v.remoteOf(ctx, d)
	if err != nil {
		return wnet.UniversalName{}, err
	}
	un := wnet.UniversalName{Universal: remote + path[2:]}
	if level == win32.REMOTE_NAME_INFO_LEVEL {
		un.Connection, un.Remaining = remote, path[2:]
		if un.Remaining == "" {
			un.Remaining = `\` // begins with a backslash, always (UN-05)
		}
	}
	return un, nil
}

func badPath(path string) error {
	return &wnet.Error{Code: win32.ERROR_BAD_DEVICE, Err: errors.New(`a path begins with a device, as in Z:\folder`)}
}

// SaveConnections implements wnet.Settings.
func (v *service) SaveConnections(ctx context.Context) (bool, error) {
	p, err := v.r.cfg.Profile.Load(ctx)
	return err == nil && p.SaveConnections, wnet.AsError("SaveConnections", "", err)
}

// SetSaveConnections implements wnet.Settings.
func (v *service) SetSaveConnections(ctx context.Context, on bool) error {
	tx, err := v.r.cfg.Profile.Begin(ctx)
	if err == nil {
		defer tx.Rollback()
		tx.SetSaveConnections(on)
		err = tx.Commit()
	}
	return wnet.AsError("SetSaveConnections", "", err)
}
