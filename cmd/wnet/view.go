package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

type viewOptions struct {
	all, networks, recent, stdin bool
	user, accept                 string
}

func (a *app) viewCommand() *cobra.Command {
	var o viewOptions
	cmd := &cobra.Command{
		Use:   "view [//SERVER [/ALL]]",
		Short: "List servers, or what a server shares",
		Long: `view lists the servers that answer on the local network (by multicast DNS and WS-Discovery) and those that you are connected to;
"wnet view //nas" lists what a server shares, /ALL (or --all) with the hidden shares, whose names end in $. --networks lists the networks
in the order in which they are asked for a name; --recent lists where programs lately made drives to.`,
		Example: "  wnet view //nas\n  wnet view smb://nas:4455 --user anna",
		Args:    cobra.ArbitraryArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.view(cmd.Context(), args, o) },
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "hidden shares too")
	cmd.Flags().BoolVar(&o.networks, "networks", false, "list the networks")
	cmd.Flags().BoolVar(&o.recent, "recent", false, "list recent remote names, the latest first")
	cmd.Flags().StringVar(&o.user, "user", "", "user name for the server")
	cmd.Flags().BoolVar(&o.stdin, "password-stdin", false, "read the password from standard input")
	cmd.Flags().StringVar(&o.accept, "accept-host-key", "", "trust a server key that is not known yet, or only this one")
	cmd.Flags().Lookup("accept-host-key").NoOptDefVal = netuse.AnyHostKey
	return cmd
}

func (a *app) view(ctx context.Context, args []string, o viewOptions) error {
	c, err := netuse.ParseView(args)
	if err != nil {
		return err
	}
	svc, done, err := a.service(ctx)
	if err != nil {
		return err
	}
	defer done()
	switch {
	case o.networks:
		return a.viewNetworks(ctx, svc)
	case o.recent:
		return a.viewRecent(ctx, svc)
	case c.Server == "":
		return a.viewServers(ctx, svc)
	}
	container, port, user, err := netuse.Server(c.Server)
	if err != nil {
		return err
	}
	if o.user != "" {
		user = o.user
	}
	l := login{User: user}
	if o.stdin {
		if l.Password, err = a.passwordFromPipe(ctx); err != nil {
			return err
		}
	}
	var shares []wnet.Resource
	err = a.authenticate(ctx, serverOf(container.RemoteName), o.accept, l, func(l login) (err error) {
		shares, err = svc.Enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET, Container: &container, Hidden: c.All || o.all, User: l.User,
			Password: l.Password, Options: wnet.UseOptions{TCPPort: port, HostKey: l.HostKey}})
		return err
	})
	var e *wnet.Error
	if errors.As(err, &e) && e.Code == win32.ERROR_NOT_SUPPORTED && e.Err == nil && e.Hint == "" {
		return &wnet.Error{Op: "Enum", Name: c.Server, Provider: e.Provider, Code: e.Code,
			Err: errors.New("this network cannot list what a server has"), Hint: "Map a folder by its name: wnet use Z: " + c.Server}
	}
	if err != nil {
		return err
	}
	connections, err := svc.Connections(ctx)
	if err != nil { // "Used as" stays empty
		a.notef("%s", netuse.Explain(err))
	}
	io.WriteString(a.stdout, netuse.Shares(container.RemoteName, "", shares, connections, c.All || o.all))
	return nil
}

func serverOf(name string) string {
	n, err := wnet.ParseServerName(name)
	if err != nil {
		return name
	}
	return n.Server
}

func (a *app) viewNetworks(ctx context.Context, svc wnet.Lister) error {
	all, err := svc.Enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET})
	if err != nil {
		return err
	}
	for _, n := range all {
		a.printf("%s\n", n.Provider)
	}
	return nil
}

func (a *app) viewRecent(ctx context.Context, svc wnet.Lister) error {
	all, err := svc.Enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_RECENT})
	if err != nil {
		return err
	}
	for _, r := range all {
		a.printf("%s\n", r.RemoteName)
	}
	return nil
}

// viewServers merges the servers of the neighbourhood with those of the session's connections.
func (a *app) viewServers(ctx context.Context, svc wnet.Lister) error {
	found, err := svc.Enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_CONTEXT})
	if err != nil {
		return err
	}
	var servers []wnet.Resource
	seen := map[string]bool{}
	add := func(r wnet.Resource) {
		if k := serverKey(r.RemoteName); r.RemoteName != "" && !seen[k] {
			seen[k] = true
			servers = append(servers, r)
		}
	}
	for _, r := range found {
		if r.DisplayType == win32.RESOURCEDISPLAYTYPE_SERVER {
			add(r)
		}
	}
	connections, err := svc.Connections(ctx)
	if err != nil {
		return err
	}
	for _, c := range connections {
		if n, err := wnet.ParseServerName(c.RemoteName); err == nil {
			n.Share, n.Path, n.Rooted = "", "", false
			add(wnet.Resource{RemoteName: n.String(), Comment: c.Provider})
		}
	}
	io.WriteString(a.stdout, netuse.Servers(servers))
	return nil
}

func serverKey(name string) string {
	n, err := wnet.ParseServerName(name)
	if err != nil {
		return name
	}
	return n.ServerKey()
}
