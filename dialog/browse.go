package dialog

import (
	"context"
	"errors"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

const (
	typeName = "type a name"
	goBack   = "back"
)

// browse goes from the networks to a server and to one of its shares. The name is "" where the person would rather type one; why says what
// went wrong, where something did.
func browse(ctx context.Context, svc Service, screen Screen) (name, why string, err error) {
	networks, err := list(ctx, svc, screen, "Looking for networks", wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET})
	if err != nil {
		return "", explain(err), closed(err)
	}
	for {
		at, err := pick(ctx, screen, "Which network?", why, networks, func(r wnet.Resource) string { return r.Provider }, typeName)
		if err != nil || at < 0 {
			return "", "", err
		}
		if name, why, err = servers(ctx, svc, screen, networks[at]); err != nil || name != "" {
			return name, "", err
		}
	}
}

// servers picks one of a network's servers and then one of its shares.
func servers(ctx context.Context, svc Service, screen Screen, network wnet.Resource) (name, why string, err error) {
	found, err := list(ctx, svc, screen, "Looking for servers", wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET, Container: &network})
	if err != nil {
		return "", explain(err), closed(err)
	}
	for {
		at, err := pick(ctx, screen, "Which server of the "+network.Provider+"?", why, found, named, "another server", goBack)
		switch {
		case err != nil:
			return "", "", err
		case at == -2:
			return "", "", nil
		}
		server := wnet.Resource{Usage: win32.RESOURCEUSAGE_CONTAINER, Provider: network.Provider}
		if at >= 0 {
			server = found[at]
		} else {
			other := &Text{Label: "Server", Help: "its name or address", Check: func(s string) error {
				if _, err := wnet.ParseServerName(`\\` + trimSlashes(s)); err != nil {
					return errors.New(because(err))
				}
				return nil
			}}
			if err := screen.Ask(ctx, &Form{Title: "Which server?", Fields: []Field{other}}); err != nil {
				return "", "", err
			}
			server.RemoteName = `\\` + trimSlashes(other.Value)
		}
		if name, why, err = shares(ctx, svc, screen, server); err != nil || name != "" {
			return name, "", err
		}
	}
}

// shares picks one of a server's shares. A server that wants to know who asks is told.
func shares(ctx context.Context, svc Service, screen Screen, container wnet.Resource) (name, why string, err error) {
	req := wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET, Type: win32.RESOURCETYPE_DISK, Container: &container}
	for {
		found, err := list(ctx, svc, screen, "Asking "+container.RemoteName, req)
		if err != nil && wantsLogin(wnet.CodeOf(err)) {
			user, password := &Text{Label: "User name", Check: checkUser, Value: req.User}, &Secret{Label: "Password"}
			login := &Form{Title: "Log in to " + server(container.RemoteName), Note: explain(err), Fields: []Field{user, password}}
			if err := screen.Ask(ctx, login); err != nil {
				return "", "", err
			}
			req.User, req.Password = user.Value, password.Value
			continue
		}
		if err != nil {
			return "", explain(err), closed(err)
		}
		at, err := pick(ctx, screen, "Which folder of "+container.RemoteName+"?", "", found, named, goBack)
		if err != nil || at < 0 {
			return "", "", err
		}
		return found[at].RemoteName, "", nil
	}
}

// list enumerates while the person waits.
func list(ctx context.Context, svc Service, screen Screen, what string, req wnet.EnumRequest) (found []wnet.Resource, err error) {
	err = screen.Wait(ctx, what, func(ctx context.Context) (err error) {
		found, err = svc.Enum(ctx, req)
		return err
	})
	return found, err
}

// pick shows resources and, behind them, further options. It gives the index of a resource, or -1, -2 … for the options.
func pick(ctx context.Context, screen Screen, title, note string, list []wnet.Resource, name func(wnet.Resource) string, more ...string) (int, error) {
	c := &Choice{Label: title}
	for _, r := range list {
		c.Options = append(c.Options, name(r))
	}
	c.Options = append(c.Options, more...)
	if err := screen.Ask(ctx, &Form{Title: "Browse the network", Note: note, Fields: []Field{c}}); err != nil {
		return 0, err
	}
	if c.At >= len(list) {
		return -1 - (c.At - len(list)), nil
	}
	return c.At, nil
}

// named is a resource for a person: its name, and what its owner says of it.
func named(r wnet.Resource) string {
	if r.Comment == "" {
		return r.RemoteName
	}
	return r.RemoteName + "  " + r.Comment
}

func trimSlashes(s string) string {
	for len(s) > 0 && (s[0] == '/' || s[0] == '\\' || s[0] == ' ') {
		s = s[1:]
	}
	return s
}

// closed passes on the end of the dialog, and nothing that the person can mend.
func closed(err error) error {
	if errors.Is(err, ErrClosed) || errors.Is(err, win32.ERROR_CANCELLED) {
		return err
	}
	return nil
}
