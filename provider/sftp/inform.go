package sftp

import (
	"context"
	"errors"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

var (
	_ wnet.ResourceInformer = (*Provider)(nil)
	_ wnet.ParentTeller     = (*Provider)(nil)
	_ wnet.Formatter        = (*Provider)(nil)
	_ wnet.Performer        = (*conn)(nil)
)

// ResourceInformation implements wnet.ResourceInformer: an SSH server has one resource by each way into it, the user's home and the root, and
// the path is what follows. It asks no server. Codes: ERROR_BAD_NET_NAME, ERROR_BAD_DEV_TYPE.
func (p *Provider) ResourceInformation(ctx context.Context, req wnet.Request) (wnet.Resource, string, error) {
	switch {
	case !p.Owns(req.Remote):
		return wnet.Resource{}, "", p.fail(req, win32.ERROR_BAD_NET_NAME, errNotSFTP, "")
	case ctx.Err() != nil:
		return wnet.Resource{}, "", p.fail(req, wnet.CodeOf(ctx.Err()), ctx.Err(), "")
	case req.Type != win32.RESOURCETYPE_ANY && req.Type != win32.RESOURCETYPE_DISK:
		return wnet.Resource{}, "", p.fail(req, win32.ERROR_BAD_DEV_TYPE, errors.New("an SSH server has folders only"), "")
	}
	top := req.Remote
	top.Path = ""
	return share(top), req.Remote.Path, nil
}

// share is a folder that can be connected, as it is listed.
func share(name wnet.RemoteName) wnet.Resource {
	r := wnet.Resource{Scope: win32.RESOURCE_GLOBALNET, Type: win32.RESOURCETYPE_DISK, DisplayType: win32.RESOURCEDISPLAYTYPE_SHARE,
		Usage: win32.RESOURCEUSAGE_CONNECTABLE, RemoteName: name.String(), Provider: Name}
	if name.Path != "" {
		r.DisplayType = win32.RESOURCEDISPLAYTYPE_DIRECTORY
	}
	return r
}

// ResourceParent implements wnet.ParentTeller: of a folder the one above it; of the home and the root, which stand for the server, the network.
func (p *Provider) ResourceParent(name wnet.RemoteName) (wnet.Resource, error) {
	if !p.Owns(name) {
		return wnet.Resource{}, p.fail(wnet.Request{Remote: name}, win32.ERROR_BAD_NET_NAME, errNotSFTP, "")
	}
	up, ok := name.Parent()
	if !ok {
		return wnet.Resource{Scope: win32.RESOURCE_GLOBALNET, DisplayType: win32.RESOURCEDISPLAYTYPE_NETWORK,
			Usage: win32.RESOURCEUSAGE_CONTAINER, Provider: Name}, nil
	}
	return share(up), nil
}

// FormatName implements wnet.Formatter.
func (p *Provider) FormatName(name wnet.RemoteName, flags, lineChars uint32) (string, error) {
	if !p.Owns(name) {
		return "", p.fail(wnet.Request{Remote: name}, win32.ERROR_BAD_NET_NAME, errNotSFTP, "")
	}
	return name.Format(flags, lineChars), nil
}

// Performance implements wnet.Performer: a question that OpenSSH's client asks to see whether the server is there, for the delay, and what
// reading and writing has shown so far.
func (c *conn) Performance(ctx context.Context) (wnet.Performance, error) {
	began := time.Now()
	_, err := call(ctx, c, func() (struct{}, error) {
		_, _, err := c.ssh.SendRequest("keepalive@openssh.com", true, nil)
		return struct{}{}, err
	}, nil)
	if err != nil {
		return wnet.Performance{}, err
	}
	c.meter.Trip(time.Since(began))
	p := c.meter.Performance()
	if p.OptDataSize = 32 << 10; c.big {
		p.OptDataSize = bigPacket
	}
	return p, nil
}
