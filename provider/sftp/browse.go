package sftp

import (
	"context"
	"errors"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

var _ wnet.Enumerator = (*Provider)(nil)

// Browse implements wnet.Enumerator: the servers that announce SFTP on the local network, or of a server the two ways into it, the user's home
// folder and the root. A server is asked whether it is there; whose home it is shows when it is connected. With Request.Attached, or
// with a password, it is asked as the user. The codes are Connect's, and ERROR_NOT_CONTAINER for a folder.
func (p *Provider) Browse(ctx context.Context, container *wnet.RemoteName, req wnet.Request) ([]wnet.Resource, error) {
	if container == nil {
		return p.neighbours(ctx)
	}
	req.Remote = *container
	switch {
	case !p.Owns(*container):
		return nil, p.fail(req, win32.ERROR_BAD_NET_NAME, errNotSFTP, "")
	case container.Path != "":
		return nil, p.fail(req, win32.ERROR_NOT_CONTAINER, nil, "")
	}
	want := req.Type
	req.Type = win32.RESOURCETYPE_DISK
	if err := p.present(ctx, req); err != nil {
		return nil, err
	}
	if want != win32.RESOURCETYPE_ANY && want != win32.RESOURCETYPE_DISK {
		return []wnet.Resource{}, nil
	}
	home, root := *container, *container
	home.Rooted, root.Rooted = false, true
	list := []wnet.Resource{share(home), share(root)}
	list[0].Comment, list[1].Comment = "Home folder", "All folders"
	return list, nil
}

// present finds out whether the server is there, and lets the user in if that matters.
func (p *Provider) present(ctx context.Context, req wnet.Request) error {
	if req.Attached || req.Password.Present() {
		c, err := p.Connect(ctx, req)
		if err != nil {
			return err
		}
		return c.Close()
	}
	t, err := p.resolve(req)
	if err != nil {
		return err
	}
	c, err := p.dialTCP(ctx, req, t)
	if err != nil {
		return err
	}
	return c.Close()
}

// neighbours lists the servers of the local network. Each is a container, and can be connected by the same name: that is its home folder.
func (p *Provider) neighbours(ctx context.Context) ([]wnet.Resource, error) {
	list, err := p.cfg.Servers(ctx)
	if err != nil {
		return nil, wnet.AsError("Browse", "", err)
	}
	all := []wnet.Resource{}
	for _, s := range list {
		n := wnet.RemoteName{Scheme: wnet.SchemeSFTP, Server: s.Name, Port: s.Port}
		if s.Port == 22 {
			n.Port = 0
		}
		r := share(n)
		r.DisplayType, r.Usage = win32.RESOURCEDISPLAYTYPE_SERVER, win32.RESOURCEUSAGE_CONTAINER|win32.RESOURCEUSAGE_CONNECTABLE
		r.Comment = s.Comment
		all = append(all, r)
	}
	return all, nil
}

var errNotSFTP = errors.New("not an SFTP name")
