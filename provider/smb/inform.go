package smb

import (
	"context"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/discover"
	"github.com/openwnet/wnet/win32"
)

var (
	_ wnet.ResourceInformer = (*Provider)(nil)
	_ wnet.ParentTeller     = (*Provider)(nil)
	_ wnet.Formatter        = (*Provider)(nil)
	_ wnet.Printer          = (*Provider)(nil)
	_ wnet.Performer        = (*conn)(nil)
)

// ResourceInformation implements wnet.ResourceInformer. Of a share the server is asked, by connecting to it and leaving it again, so that
// what comes back is what Connect would give; the codes are Connect's. A server is not asked: its name alone makes it one.
func (p *Provider) ResourceInformation(ctx context.Context, req wnet.Request) (wnet.Resource, string, error) {
	const op = "ResourceInformation"
	name := req.Remote
	switch {
	case !p.Owns(name):
		return wnet.Resource{}, "", p.fault(op, name, win32.ERROR_BAD_NET_NAME, nil, "")
	case ctx.Err() != nil:
		return wnet.Resource{}, "", wnet.AsError(op, name.String(), ctx.Err())
	case name.Share == "" && req.Type != win32.RESOURCETYPE_ANY:
		return wnet.Resource{}, "", p.fault(op, name, win32.ERROR_BAD_DEV_TYPE, nil, "")
	case name.Share == "":
		return resource(name), "", nil
	}
	rest := name.Path
	req.Remote.Path = ""
	c, err := p.Connect(ctx, req)
	if err != nil {
		return wnet.Resource{}, "", err
	}
	defer c.Close()
	r := resource(req.Remote)
	r.Type = c.Type()
	return r, rest, nil
}

// resource is what a name stands for where the network is browsed, by its form alone.
func resource(name wnet.RemoteName) wnet.Resource {
	r := wnet.Resource{Scope: win32.RESOURCE_GLOBALNET, Type: win32.RESOURCETYPE_DISK, DisplayType: win32.RESOURCEDISPLAYTYPE_DIRECTORY,
		Usage: win32.RESOURCEUSAGE_CONNECTABLE, RemoteName: name.String(), Provider: Name}
	switch {
	case name.IsZero():
		r.Type, r.DisplayType, r.Usage = win32.RESOURCETYPE_ANY, win32.RESOURCEDISPLAYTYPE_NETWORK, win32.RESOURCEUSAGE_CONTAINER
	case name.Share == "":
		r.Type, r.DisplayType, r.Usage = win32.RESOURCETYPE_ANY, win32.RESOURCEDISPLAYTYPE_SERVER, win32.RESOURCEUSAGE_CONTAINER
	case name.Path == "":
		r.DisplayType = win32.RESOURCEDISPLAYTYPE_SHARE
	}
	return r
}

// ResourceParent implements wnet.ParentTeller.
func (p *Provider) ResourceParent(name wnet.RemoteName) (wnet.Resource, error) {
	if !p.Owns(name) {
		return wnet.Resource{}, p.fault("ResourceParent", name, win32.ERROR_BAD_NET_NAME, nil, "")
	}
	up, _ := name.Parent()
	return resource(up), nil
}

// FormatName implements wnet.Formatter.
func (p *Provider) FormatName(name wnet.RemoteName, flags, lineChars uint32) (string, error) {
	if !p.Owns(name) {
		return "", p.fault("FormatName", name, win32.ERROR_BAD_NET_NAME, nil, "")
	}
	return name.Format(flags, lineChars), nil
}

// Printers implements wnet.Printer: a server's print queues can be connected.
func (p *Provider) Printers() bool { return true }

// Performance implements wnet.Performer: one ECHO ([MS-SMB2] 2.2.28) for the delay, and what reading and writing has shown so far.
func (c *conn) Performance(ctx context.Context) (wnet.Performance, error) {
	began := time.Now()
	if err := c.do(ctx, c.link.echo, nil); err != nil {
		return wnet.Performance{}, err
	}
	c.meter.Trip(time.Since(began))
	p := c.meter.Performance()
	p.OptDataSize = chunk
	return p, nil
}

// around asks for servers by both ways at once. Who answers by both is listed by the name that resolves.
func around(ctx context.Context, f *discover.Finder) ([]discover.Server, error) {
	var computers []discover.Server
	done := make(chan struct{})
	go func() {
		defer close(done)
		computers, _ = f.Computers(ctx) // the error is the context's, which the other call meets too
	}()
	list, err := f.Services(ctx, discover.SMB)
	<-done
	return discover.Merge(list, computers), err
}

// neighbours lists the servers of the local network. One that serves another port than SMB's is left out: its name has no place for it.
func (p *Provider) neighbours(ctx context.Context) ([]wnet.Resource, error) {
	list, err := p.cfg.Servers(ctx)
	if err != nil {
		return nil, wnet.AsError("Browse", "", err)
	}
	all := []wnet.Resource{}
	for _, s := range list {
		if s.Port != 0 && s.Port != 445 {
			p.cfg.Logger.Debug("a server on another port is not listed", "server", s.Name, "port", s.Port)
			continue
		}
		r := resource(wnet.RemoteName{Server: s.Name})
		r.Comment = s.Comment
		all = append(all, r)
	}
	return all, nil
}
