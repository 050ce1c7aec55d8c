package mem

import (
	"context"
	"strings"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

var (
	_ wnet.ResourceInformer = (*Provider)(nil)
	_ wnet.ParentTeller     = (*Provider)(nil)
	_ wnet.Formatter        = (*Provider)(nil)
	_ wnet.Starter          = (*Provider)(nil)
	_ wnet.Printer          = (*Provider)(nil)
	_ wnet.Performer        = (*conn)(nil)
)

// ResourceInformation implements wnet.ResourceInformer: a server, or a share, which is asked for whatever user.
func (p *Provider) ResourceInformation(ctx context.Context, req wnet.Request) (wnet.Resource, string, error) {
	const op = "ResourceInformation"
	name := req.Remote
	if err := p.reach(ctx, op, name, req); err != nil {
		return wnet.Resource{}, "", err
	}
	if name.Share == "" {
		if req.Type != win32.RESOURCETYPE_ANY {
			return wnet.Resource{}, "", p.fail(op, name, win32.ERROR_BAD_DEV_TYPE, "a server is neither a disk nor a printer")
		}
		return p.server(name.Server), "", nil
	}
	s := p.Share(name.Server, name.Share)
	if s == nil {
		return wnet.Resource{}, "", p.fail(op, name, win32.ERROR_BAD_NET_NAME, "the server has no share %q", name.Share)
	}
	if err := wait(ctx, s.opts.Latency); err != nil {
		return wnet.Resource{}, "", p.ended(op, name, err)
	}
	if req.Type != win32.RESOURCETYPE_ANY && req.Type != s.opts.Type {
		return wnet.Resource{}, "", p.fail(op, name, win32.ERROR_BAD_DEV_TYPE, "the share %q is of another type", s.name)
	}
	return s.resource(), name.Path, nil
}

// server is a server as it is listed, by the name that it was defined with.
func (p *Provider) server(name string) wnet.Resource {
	p.mu.RLock()
	if srv := p.servers[strings.ToLower(name)]; srv != nil {
		name = srv.name
	}
	p.mu.RUnlock()
	return wnet.Resource{
		Scope: win32.RESOURCE_GLOBALNET, Type: win32.RESOURCETYPE_ANY, DisplayType: win32.RESOURCEDISPLAYTYPE_SERVER,
		Usage: win32.RESOURCEUSAGE_CONTAINER, RemoteName: `\\` + name, Provider: p.name,
	}
}

// resource is a share as it is listed.
func (s *Share) resource() wnet.Resource {
	return wnet.Resource{
		Scope: win32.RESOURCE_GLOBALNET, Type: s.opts.Type, DisplayType: win32.RESOURCEDISPLAYTYPE_SHARE,
		Usage: win32.RESOURCEUSAGE_CONNECTABLE, RemoteName: s.Name().String(), Comment: s.opts.Comment, Provider: s.p.name,
	}
}

// ResourceParent implements wnet.ParentTeller: of a folder the folder above it or the share, of a share the server, and of a server the
// network, which has no name.
func (p *Provider) ResourceParent(name wnet.RemoteName) (wnet.Resource, error) {
	if !p.Owns(name) {
		return wnet.Resource{}, p.fail("ResourceParent", name, win32.ERROR_BAD_NET_NAME, "%s has no such server", p.name)
	}
	r := wnet.Resource{Scope: win32.RESOURCE_GLOBALNET, Usage: win32.RESOURCEUSAGE_CONTAINER, DisplayType: win32.RESOURCEDISPLAYTYPE_NETWORK,
		Provider: p.name}
	up, ok := name.Parent()
	if !ok {
		return r, nil
	}
	r.RemoteName = up.String()
	switch {
	case up.Share == "":
		r.DisplayType = win32.RESOURCEDISPLAYTYPE_SERVER
	case up.Path == "":
		r.Type, r.DisplayType, r.Usage = win32.RESOURCETYPE_DISK, win32.RESOURCEDISPLAYTYPE_SHARE, win32.RESOURCEUSAGE_CONNECTABLE
	default:
		r.Type, r.DisplayType, r.Usage = win32.RESOURCETYPE_DISK, win32.RESOURCEDISPLAYTYPE_DIRECTORY, win32.RESOURCEUSAGE_CONNECTABLE
	}
	return r, nil
}

// FormatName implements wnet.Formatter.
func (p *Provider) FormatName(name wnet.RemoteName, flags, lineChars uint32) (string, error) {
	if !p.Owns(name) {
		return "", p.fail("FormatName", name, win32.ERROR_BAD_NET_NAME, "%s has no such server", p.name)
	}
	return name.Format(flags, lineChars), nil
}

// Started implements wnet.Starter.
func (p *Provider) Started() win32.Code {
	if p.stopped.Load() {
		return win32.ERROR_NO_NETWORK
	}
	return win32.NO_ERROR
}

// Printers implements wnet.Printer.
func (p *Provider) Printers() bool { return true }

// Performance implements wnet.Performer: it asks the server for nothing in particular, to see how long that takes.
func (c *conn) Performance(ctx context.Context) (wnet.Performance, error) {
	began := time.Now()
	if err := c.enter(ctx, "Performance", ""); err != nil {
		return wnet.Performance{}, err
	}
	c.meter.Trip(time.Since(began))
	m := c.meter.Performance()
	m.OptDataSize = chunkSize
	return m, nil
}
