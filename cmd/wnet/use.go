package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

func (a *app) useCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "use [DEVICE | '*'] [//SERVER/SHARE [PASSWORD | '*']] [OPTION...]",
		Short: "Connect, list and delete drives, as net use does",
		Long: `use takes the command line of "net use" and prints what "net use" prints, always in English. Options stand anywhere, in
any case, as /NAME:VALUE or --name=VALUE, and may be cut short where they stay unique (/d, /u:anna, /p:yes).

  wnet use                                 list the connections
  wnet use Z: //nas/media                  map a drive
  wnet use '*' smb://nas:4455/media        map the next free letter, on another port
  wnet use Z: sftp://anna@nas/srv /p:yes   remember it, and what is mapped later
  wnet use Z: //nas/media /user:anna '*'   ask for anna's password
  wnet use Z:                              what Z: is
  wnet use Z: /delete                      give it up and forget it
  wnet use '*' /delete                     give up all

Write '*' in quotes: a shell puts file names in its place. Write //server/share, or '\\server\share' in single quotes: a shell
takes backslashes away.

` + netuse.Syntax + `wnet's own options:
  --password-stdin                the password is the first line of standard input
  --accept-host-key[=SHA256:...]  trust a server key that is not known yet: any, or only this one`,
		Example:            "  wnet use Z: //nas/media /persistent:yes",
		DisableFlagParsing: true, DisableFlagsInUseLine: true,
		ValidArgsFunction: a.completeUse,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.netUse = true
			if err := a.leave(); err != nil {
				return err
			}
			return a.use(cmd.Context(), args)
		},
	}
}

// use runs one `net use` command.
func (a *app) use(ctx context.Context, args []string) error {
	own := make([]string, len(args)) // the arguments themselves may be wiped
	for i, arg := range args {
		own[i] = strings.Clone(arg)
	}
	c, err := netuse.Parse(own)
	if err != nil {
		return err
	}
	if c.Action == netuse.Help {
		io.WriteString(a.stdout, netuse.Syntax)
		return nil
	}
	if c.Password == netuse.PasswordLiteral && !c.Secret.Equal(wnet.NewSecret("")) {
		scrub(args[c.SecretArg])
		a.notef("Warning: a password on the command line can be seen by others and is kept in the shell's history. " +
			"Write '*' to be asked for it, or use --password-stdin.\n")
	}
	if err := c.Check(); err != nil {
		return err
	}
	svc, done, err := a.service(ctx)
	if err != nil {
		return err
	}
	defer done()
	switch c.Action {
	case netuse.List:
		return a.useList(ctx, svc)
	case netuse.Show:
		return a.useShow(ctx, svc, c)
	case netuse.Persist:
		if err := svc.SetSaveConnections(ctx, *c.Persistent); err != nil {
			return err
		}
		io.WriteString(a.stdout, netuse.Success)
		return nil
	case netuse.Delete:
		return a.useDelete(ctx, svc, c)
	case netuse.DeleteAll:
		return a.useDeleteAll(ctx, svc, c)
	}
	if c.Action == netuse.Home {
		home, err := homeFolder(ctx, svc)
		if err != nil {
			return err
		}
		if c, err = c.At(home); err != nil {
			return err
		}
	}
	return a.useConnect(ctx, svc, c)
}

// homeFolder is the person's home folder on the network (NU-08): what the daemon knows, else what this program's environment says, as a
// daemon that the system started does not have the person's.
func homeFolder(ctx context.Context, svc backend) (string, error) {
	t, ok := svc.(wnet.HomeTeller)
	if !ok {
		return "", &wnet.Error{Op: "HomeDirectory", Code: win32.ERROR_NOT_SUPPORTED}
	}
	home, err := t.HomeDirectory(ctx)
	if wnet.CodeOf(err) == win32.ERROR_PATH_NOT_FOUND {
		if own := os.Getenv("HOMESHARE"); own != "" {
			return own, nil
		}
	}
	return home, err
}

func (a *app) useList(ctx context.Context, svc backend) error {
	all, err := svc.Connections(ctx)
	if err != nil && len(all) == 0 {
		return err
	}
	remembered, unread := svc.SaveConnections(ctx)
	if unread != nil { // the drives are there all the same
		remembered, err = false, unread
	}
	netuse.Sort(all)
	text := netuse.Listing(remembered, all)
	if err != nil {
		text = strings.TrimSuffix(text, netuse.Success)
	}
	io.WriteString(a.stdout, text)
	return err
}

func (a *app) useShow(ctx context.Context, svc backend, c netuse.Command) error {
	found, err := find(ctx, svc, c.Device)
	if err != nil {
		return err
	}
	io.WriteString(a.stdout, netuse.Detail(found))
	return nil
}

// find gives the connection of a device, remembered ones included. ERROR_NOT_CONNECTED if there is none.
func find(ctx context.Context, svc wnet.Lister, device string) (wnet.Connection, error) {
	all, err := svc.Connections(ctx)
	for _, c := range all {
		if c.Device == device {
			return c, nil
		}
	}
	if err != nil {
		return wnet.Connection{}, err
	}
	return wnet.Connection{}, &wnet.Error{Op: "GetConnection", Name: device, Code: win32.ERROR_NOT_CONNECTED}
}

// useConnect makes a connection (NU-02 to NU-07, NU-11, NU-12).
func (a *app) useConnect(ctx context.Context, svc backend, c netuse.Command) error {
	setting, settingErr := false, error(nil)
	if c.Device != "" || c.Persistent != nil {
		setting, settingErr = svc.SaveConnections(ctx)
	}
	remember := setting
	switch {
	case c.Persistent != nil:
		remember = *c.Persistent
	case settingErr != nil:
		return settingErr
	}
	l := login{User: c.User, Named: c.Named, Password: c.Secret}
	var err error
	switch c.Password {
	case netuse.PasswordAsk:
		l.Password, err = a.askPassword(ctx, c.Server)
		l.Prompted = true
	case netuse.PasswordFromPipe:
		l.Password, err = a.passwordFromPipe(ctx)
		l.Prompted = true // the pipe answers the prompt
	}
	if err != nil {
		return err
	}
	device := c.Device
	err = a.authenticate(ctx, c.Server, c.AcceptHostKey, l, func(l login) error {
		req := wnet.AddRequest{Type: c.Type(), LocalName: c.Device, RemoteName: c.Remote, User: l.User, Password: l.Password,
			Flags: c.Flags(remember), Options: c.Options}
		req.Options.HostKey, req.Options.SmartCard = l.HostKey, c.SmartCard
		if c.SaveCred && l.Prompted {
			req.Flags |= win32.CONNECT_INTERACTIVE | win32.CONNECT_COMMANDLINE | win32.CONNECT_CMD_SAVECRED
		}
		if c.Device != netuse.Any {
			return svc.AddConnection(ctx, req)
		}
		req.LocalName = ""
		got, err := svc.UseConnection(ctx, wnet.UseRequest{AddRequest: req})
		device = got.AccessName
		return err
	})
	if err != nil {
		return err
	}
	if c.Persistent != nil && (settingErr != nil || setting != *c.Persistent) {
		if err := svc.SetSaveConnections(ctx, *c.Persistent); err != nil {
			a.notef("The connection is made, but /PERSISTENT could not be kept for later ones.\n%s", netuse.Explain(err))
		}
	}
	if c.Device == netuse.Any {
		io.WriteString(a.stdout, netuse.Connected(device, c.Remote))
	}
	io.WriteString(a.stdout, netuse.Success)
	if a.errTerm {
		a.tellPath(ctx, svc, device)
	}
	return nil
}

// tellPath says where a drive is; a person at a terminal wants to go there.
func (a *app) tellPath(ctx context.Context, svc wnet.Lister, device string) {
	if device == "" {
		return
	}
	if c, err := find(ctx, svc, device); err == nil && c.Path != "" {
		a.notef("%s is at %s\n", device, tilde(c.Path))
	}
}

// tilde shortens a path in the person's home folder as a shell would.
func tilde(path string) string {
	home, err := os.UserHomeDir()
	if err == nil && home != "/" && strings.HasPrefix(path, home+"/") {
		return "~" + path[len(home):]
	}
	return path
}

// useDelete cancels one connection and forgets it (NU-09, NU-23).
func (a *app) useDelete(ctx context.Context, svc backend, c netuse.Command) error {
	name := c.Device
	if name == "" {
		name = c.Remote
	} else if c.Remote != "" {
		// `net use Z: \\server\share /delete` means Z: only if it is that share.
		found, err := find(ctx, svc, c.Device)
		if err != nil {
			return err
		}
		if key(found.RemoteName) != key(c.Remote) {
			return &wnet.Error{Op: "CancelConnection", Name: c.Device, Code: win32.ERROR_NOT_CONNECTED,
				Err: errors.New(c.Device + " is " + found.RemoteName + ", not " + c.Remote)}
		}
	}
	if err := a.cancelAsking(ctx, svc, name, c); err != nil {
		return err
	}
	io.WriteString(a.stdout, netuse.Deleted(name))
	return nil
}

func key(name string) string {
	n, err := wnet.ParseRemoteName(name)
	if err != nil {
		return name
	}
	return n.Key()
}

// cancelAsking cancels without force, and with force where files are open and the person agrees (NU-31).
func (a *app) cancelAsking(ctx context.Context, svc wnet.Connector, name string, c netuse.Command) error {
	req := wnet.CancelRequest{Name: name, Flags: win32.CONNECT_UPDATE_PROFILE}
	if c.Global {
		req.Flags |= win32.CONNECT_GLOBAL_MAPPING
	}
	res, err := svc.CancelConnection(ctx, req)
	if wnet.CodeOf(err) == win32.ERROR_OPEN_FILES {
		io.WriteString(a.stdout, netuse.OpenFiles(name))
		var e *wnet.Error
		if errors.As(err, &e) {
			for _, h := range e.Holders {
				a.notef("%s\n", h)
			}
		}
		if !a.confirm(ctx, netuse.AskForce, c.Answer) {
			a.notef("%s is still connected.\n", name)
			return statusError(netuse.ExitSystem)
		}
		req.Force = true
		res, err = svc.CancelConnection(ctx, req)
	}
	if err != nil {
		return err
	}
	a.tellAside(name, res)
	return nil
}

// tellAside names the files that keep what a forced cancel could not write, and those of which something is lost.
func (a *app) tellAside(name string, res wnet.CancelResult) {
	if len(res.Aside) > 0 {
		a.notef("Not everything that was written to %s reached the server. It is kept here:\n", name)
		for _, f := range res.Aside {
			a.notef("  %s\n", f)
		}
	}
	if len(res.Lost) > 0 {
		a.notef("Some of what was written to these files of %s is lost: it could not be kept either. Is the disk full?\n", name)
		for _, f := range res.Lost {
			a.notef("  %s\n", f)
		}
	}
}

// useDeleteAll cancels all connections of the session and forgets them (NU-10, NU-30). A connection that can't be cancelled does not
// keep the others.
func (a *app) useDeleteAll(ctx context.Context, svc backend, c netuse.Command) error {
	all, err := svc.Connections(ctx)
	if err != nil {
		return err
	}
	var mine []wnet.Connection
	for _, conn := range all {
		if conn.Global == c.Global {
			mine = append(mine, conn)
		}
	}
	if len(mine) == 0 {
		io.WriteString(a.stdout, netuse.Empty)
		return nil
	}
	netuse.Sort(mine)
	io.WriteString(a.stdout, netuse.DeletingAll(mine))
	if !a.confirm(ctx, netuse.AskContinue, c.Answer) {
		a.notef("Nothing was cancelled.\n")
		return statusError(netuse.ExitSystem)
	}
	status := netuse.ExitOK
	deviceless := map[string]bool{} // a cancel by remote name takes every connection to it
	for _, conn := range mine {
		name := conn.Device
		if name == "" {
			if name = conn.RemoteName; deviceless[key(name)] {
				continue
			}
			deviceless[key(name)] = true
		}
		err := a.cancelAsking(ctx, svc, name, c)
		var kept statusError
		switch {
		case err == nil || wnet.CodeOf(err) == win32.ERROR_NOT_CONNECTED: // somebody else was faster
		case errors.As(err, &kept):
			status = int(kept)
		default:
			a.notef("%s is still connected.\n", name)
			status = a.fail(err)
		}
		if ctx.Err() != nil {
			return cancelled()
		}
	}
	if status != netuse.ExitOK {
		return statusError(status)
	}
	io.WriteString(a.stdout, netuse.Success)
	return nil
}
