package client

import (
	"context"
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Client is the WNet API of the calling process's logon session. It may be used from many goroutines at once.
type Client struct{ mpr mpr }

var _ wnet.Service = (*Client)(nil)

// Dial loads the system's mpr.dll. ERROR_NO_NETWORK if there is none, ERROR_CANCELLED if ctx has ended.
func Dial(ctx context.Context, _ Options) (*Client, error) {
	c := &Client{mpr{windows.NewLazySystemDLL("mpr.dll")}}
	if err := ctx.Err(); err != nil {
		return nil, wnet.AsError("Dial", "", err)
	}
	if err := c.mpr.dll.Load(); err != nil {
		return nil, &wnet.Error{Op: "Dial", Name: "mpr.dll", Code: win32.ERROR_NO_NETWORK, Err: err}
	}
	return c, nil
}

// Close gives the Client back. Connections stay.
func (c *Client) Close() error { return nil }

// noOptions refuses what mpr.dll has no argument for.
func noOptions(o wnet.UseOptions) error {
	if o == (wnet.UseOptions{}) {
		return nil
	}
	return &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("Windows takes no port, transport, compression or host key from a program"),
		Hint: "Write the port into the remote name, where its network has a form for that."}
}

// noBlobs refuses what WNetAddConnection4 takes and these two calls do not. Both blobs are the providers' own there.
func noBlobs(req wnet.AddRequest) error {
	if !req.Auth.Present() && req.OptionsBlob == "" {
		return nil
	}
	return &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("blobs are not passed on to Windows"), Hint: "Give user and password."}
}

// added is a request's arguments as WNetAddConnection2 and WNetUseConnection take them. done wipes the password.
type added struct {
	resource       netResource
	password, user *uint16
	done           func()
}

func arguments(req wnet.AddRequest) (a added, err error) {
	a.resource.Type = req.Type
	a.done = func() {}
	steps := []func() error{
		func() error { return noOptions(req.Options) },
		func() error { return noBlobs(req) },
		func() (err error) { a.resource.LocalName, err = wide(req.LocalName); return err },
		func() (err error) { a.resource.RemoteName, err = always(remote(req.RemoteName)); return err },
		func() (err error) { a.resource.Provider, err = wide(req.Provider); return err },
		func() (err error) { a.user, err = wide(req.User); return err },
		func() (err error) { a.password, a.done, err = password(req.Password); return err },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return a, err
		}
	}
	return a, nil
}

// nameOf is the name that a failed connect is told by: the device, else the remote name.
func nameOf(r wnet.AddRequest) string {
	if r.LocalName != "" {
		return r.LocalName
	}
	return r.RemoteName
}

// AddConnection implements wnet.Connector by WNetAddConnection2.
func (c *Client) AddConnection(ctx context.Context, req wnet.AddRequest) error {
	a, err := arguments(req)
	defer a.done()
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = c.mpr.code("WNetAddConnection2W", uintptr(unsafe.Pointer(&a.resource)), uintptr(unsafe.Pointer(a.password)),
			uintptr(unsafe.Pointer(a.user)), uintptr(req.Flags))
	}
	return wnet.AsError("AddConnection", nameOf(req), err)
}

// UseConnection implements wnet.Connector by WNetUseConnection.
func (c *Client) UseConnection(ctx context.Context, req wnet.UseRequest) (res wnet.UseResult, err error) {
	a, err := arguments(req.AddRequest)
	defer a.done()
	if err == nil {
		err = ctx.Err()
	}
	size := uint32(1024) // longer than any name (A2-04)
	if req.Access != nil {
		size = req.Access.Size
	}
	buf := make([]uint16, max(size, 1)) // there is an address even for a size of 0 (UC-08)
	if err == nil {
		err = c.mpr.code("WNetUseConnectionW", 0, uintptr(unsafe.Pointer(&a.resource)), uintptr(unsafe.Pointer(a.password)),
			uintptr(unsafe.Pointer(a.user)), uintptr(req.Flags), uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&size)),
			uintptr(unsafe.Pointer(&res.Result)))
	}
	switch {
	case err == nil:
		res.AccessName = windows.UTF16ToString(buf)
	case errors.Is(err, win32.ERROR_MORE_DATA):
		res = wnet.UseResult{Needed: size}
	default:
		res = wnet.UseResult{}
	}
	return res, wnet.AsError("UseConnection", nameOf(req.AddRequest), err)
}

// CancelConnection implements wnet.Connector by WNetCancelConnection2. The holders of a connection are not told by Windows.
func (c *Client) CancelConnection(ctx context.Context, req wnet.CancelRequest) (wnet.CancelResult, error) {
	name, err := always(remote(req.Name))
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		var force uintptr
		if req.Force {
			force = 1
		}
		err = c.mpr.code("WNetCancelConnection2W", uintptr(unsafe.Pointer(name)), uintptr(req.Flags), force)
	}
	return wnet.CancelResult{}, wnet.AsError("CancelConnection", req.Name, err)
}

// RestoreConnection implements wnet.Connector by WNetRestoreConnectionW, without any dialog (RC-01).
func (c *Client) RestoreConnection(ctx context.Context, device string) error {
	name, err := wide(device)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = c.mpr.code("WNetRestoreConnectionW", 0, uintptr(unsafe.Pointer(name)), 0)
	}
	return wnet.AsError("RestoreConnection", device, err)
}

// text calls a function of the form f(name, buffer, size in characters).
func (c *Client) text(ctx context.Context, function string, name *uint16) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	buf, err := grow(260, func(buf *uint16, size *uint32) error {
		return c.mpr.code(function, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(buf)), uintptr(unsafe.Pointer(size)))
	})
	if err != nil && !errors.Is(err, win32.ERROR_CONNECTION_UNAVAIL) {
		return "", err
	}
	return windows.UTF16ToString(buf), err
}

// GetConnection implements wnet.Inquirer by WNetGetConnection. For a device that is only remembered, the profile tells the name where
// Windows does not (GC-06).
func (c *Client) GetConnection(ctx context.Context, device string) (string, error) {
	p, err := always(device)
	var name string
	if err == nil {
		name, err = c.text(ctx, "WNetGetConnectionW", p)
	}
	if name == "" && errors.Is(err, win32.ERROR_CONNECTION_UNAVAIL) {
		name = remembered(device)
	}
	return name, wnet.AsError("GetConnection", device, err)
}

// GetUser implements wnet.Inquirer by WNetGetUser.
func (c *Client) GetUser(ctx context.Context, name string) (string, error) {
	p, err := wide(remote(name))
	var user string
	if err == nil {
		user, err = c.text(ctx, "WNetGetUserW", p)
	}
	return user, wnet.AsError("GetUser", name, err)
}

// GetUniversalName implements wnet.Inquirer by WNetGetUniversalName.
func (c *Client) GetUniversalName(ctx context.Context, path string, level uint32) (un wnet.UniversalName, err error) {
	p, err := always(path)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		var buf packed
		buf, err = fill(1024, func(buf unsafe.Pointer, bytes *uint32) error {
			return c.mpr.code("WNetGetUniversalNameW", uintptr(unsafe.Pointer(p)), uintptr(level), uintptr(buf), uintptr(unsafe.Pointer(bytes)))
		})
		if err == nil { // UNIVERSAL_NAME_INFO or REMOTE_NAME_INFO
			at := (*[3]uintptr)(unsafe.Pointer(&buf[0]))
			un.Universal = buf.text(at[0])
			if level == win32.REMOTE_NAME_INFO_LEVEL {
				un.Connection, un.Remaining = buf.text(at[1]), buf.text(at[2])
			}
		}
	}
	return un, wnet.AsError("GetUniversalName", path, err)
}
