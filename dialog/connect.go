package dialog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

// ConnectRequest is CONNECTDLGSTRUCT (structs.md).
type ConnectRequest struct {
	Type       uint32 // must be RESOURCETYPE_DISK (DG-01)
	RemoteName string // what the dialog begins with, "" for nothing
	Flags      uint32 // CONNDLG_*
}

// Connected is what a dialog has connected.
type Connected struct {
	Device     string // "" for a deviceless connection
	RemoteName string
}

// DevNum is dwDevNum: 1 for A:, 2 for B:, and -1 without a drive (DG-03).
func (c Connected) DevNum() int32 {
	if len(c.Device) == 2 {
		return int32(c.Device[0]-'A') + 1
	}
	return -1
}

// check tests the request as DG-01 and DG-02 say.
func (r ConnectRequest) check() error {
	const known = win32.CONNDLG_RO_PATH | win32.CONNDLG_CONN_POINT | win32.CONNDLG_USE_MRU | win32.CONNDLG_HIDE_BOX |
		win32.CONNDLG_PERSIST | win32.CONNDLG_NOT_PERSIST
	both := func(flags uint32) bool { return r.Flags&flags == flags }
	switch {
	case r.Type != win32.RESOURCETYPE_DISK:
		return &wnet.Error{Code: win32.ERROR_BAD_DEV_TYPE, Err: errors.New("the dialog connects drives only")}
	case r.Flags&^uint32(known) != 0,
		both(win32.CONNDLG_RO_PATH | win32.CONNDLG_USE_MRU), both(win32.CONNDLG_PERSIST | win32.CONNDLG_NOT_PERSIST),
		r.Flags&win32.CONNDLG_RO_PATH != 0 && r.RemoteName == "":
		return &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("the dialog's flags contradict each other, or want a remote name")}
	}
	return nil
}

// noDevice is the option for a deviceless connection.
const noDevice = "none, I use the network name"

// connecting is one run of the dialog.
type connecting struct {
	svc    Service
	screen Screen
	fixed  bool // the remote name can't be changed

	device   Choice
	folder   Text
	remember *Switch // nil if it is not shown
	keep     bool    // what counts where it is not shown
	other    Switch  // log in as somebody else
	user     Text
	password Secret
	save     Switch
	hostKey  string
}

// Connect is WNetConnectionDialog1. It ends when a connection is made, when the person closes it (ErrClosed), or at once for a request that is
// wrong: ERROR_BAD_DEV_TYPE, ERROR_INVALID_PARAMETER. What else goes wrong is shown, and the person tries again (DG-01).
func Connect(ctx context.Context, svc Service, screen Screen, req ConnectRequest) (Connected, error) {
	if err := req.check(); err != nil {
		return Connected{}, wnet.AsError("ConnectionDialog", req.RemoteName, err)
	}
	used, err := svc.Connections(ctx)
	if err != nil {
		return Connected{}, wnet.AsError("ConnectionDialog", req.RemoteName, err)
	}
	keep, err := svc.SaveConnections(ctx) // the last choice (DG-02)
	if err != nil {
		return Connected{}, wnet.AsError("ConnectionDialog", req.RemoteName, err)
	}
	switch {
	case req.Flags&win32.CONNDLG_PERSIST != 0:
		keep = true
	case req.Flags&win32.CONNDLG_NOT_PERSIST != 0:
		keep = false
	}
	d := &connecting{svc: svc, screen: screen, keep: keep,
		device: Choice{Label: "Drive", Options: append(freeLetters(used), noDevice)},
		folder: Text{Label: "Folder", Value: req.RemoteName, Help: `as in \\server\share or sftp://server/path; leave it empty to browse the network`,
			Check: checkName},
		other:    Switch{Label: "Log in with another user name?"},
		user:     Text{Label: "User name", Check: checkUser},
		password: Secret{Label: "Password"},
		save:     Switch{Label: "Save the password?"},
	}
	// RO_PATH without a name was refused above; neither flag and no name is meant to be RO_PATH by the page, which leaves nothing to
	// connect: the person types one (DG-02).
	d.fixed = req.Flags&win32.CONNDLG_RO_PATH != 0
	if req.Flags&win32.CONNDLG_HIDE_BOX == 0 {
		d.remember = &Switch{Label: "Reconnect at login?", On: keep}
	}
	if req.Flags&win32.CONNDLG_USE_MRU != 0 {
		d.folder.Suggest = recent(ctx, svc)
		if d.folder.Value == "" && len(d.folder.Suggest) > 0 {
			d.folder.Value = d.folder.Suggest[0]
		}
	}
	return d.run(ctx)
}

// freeLetters are the drives that a person may pick, Z: first.
func freeLetters(used []wnet.Connection) (free []string) {
	taken := map[string]bool{}
	for _, c := range used {
		taken[c.Device] = true
	}
	for _, l := range wnet.Drives(false) {
		if !taken[string(l)] {
			free = append(free, string(l))
		}
	}
	return free
}

// recent are the names connected to last. Without any, or where they can't be told, the person types a name.
func recent(ctx context.Context, svc wnet.Lister) (names []string) {
	list, _ := svc.Enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_RECENT, Type: win32.RESOURCETYPE_DISK})
	for _, r := range list {
		names = append(names, r.RemoteName)
	}
	return names
}

// checkName tells what is wrong with a name before any server is asked. An empty one browses.
func checkName(s string) error {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	_, err := wnet.ParseRemoteName(s)
	if err == nil {
		return nil
	}
	return errors.New(because(err))
}

func checkUser(s string) error {
	if _, err := wnet.Clean("user name", s); err != nil {
		return errors.New(because(err))
	}
	if strings.TrimSpace(s) == "" {
		return errors.New("a user name is needed")
	}
	return nil
}

func (d *connecting) run(ctx context.Context) (Connected, error) {
	for note := ""; ; {
		if err := d.ask(ctx, note); err != nil {
			return Connected{}, err
		}
		if strings.TrimSpace(d.folder.Value) == "" {
			name, why, err := browse(ctx, d.svc, d.screen)
			if err != nil {
				return Connected{}, err
			}
			d.folder.Value, note = name, why
			continue
		}
		if d.other.On {
			if err := d.login(ctx, ""); err != nil {
				return Connected{}, err
			}
		}
		done, err := d.connect(ctx)
		if err == nil {
			d.keepChoice(ctx)
			return done, nil
		}
		if errors.Is(err, ErrClosed) || ctx.Err() != nil {
			return Connected{}, err
		}
		note = explain(err)
	}
}

// ask shows the main form.
func (d *connecting) ask(ctx context.Context, note string) error {
	f := &Form{Title: "Connect to a network folder", Note: note, Fields: []Field{&d.device}}
	if d.fixed {
		f.Title = "Connect to " + d.folder.Value
	} else {
		f.Fields = append(f.Fields, &d.folder)
	}
	if d.remember != nil {
		f.Fields = append(f.Fields, d.remember)
	}
	f.Fields = append(f.Fields, &d.other)
	return d.screen.Ask(ctx, f)
}

// login asks for user name and password.
func (d *connecting) login(ctx context.Context, note string) error {
	if n, err := wnet.ParseRemoteName(d.folder.Value); err == nil && d.user.Value == "" {
		d.user.Value = n.User
	}
	return d.screen.Ask(ctx, &Form{Title: "Log in to " + server(d.folder.Value), Note: note, Fields: []Field{&d.user, &d.password, &d.save}})
}

// connect makes the connection, and asks again for what the server refuses: a login that is wrong is typed again (DG-01), a key that is not
// known yet is trusted or not.
func (d *connecting) connect(ctx context.Context) (Connected, error) {
	for {
		req := d.request()
		name := req.RemoteName
		if req.LocalName != "" {
			name = req.LocalName + " to " + name
		}
		err := d.screen.Wait(ctx, "Connecting "+name, func(ctx context.Context) error { return d.svc.AddConnection(ctx, req) })
		var e *wnet.Error
		switch {
		case err == nil:
			return Connected{Device: req.LocalName, RemoteName: req.RemoteName}, nil
		case !errors.As(err, &e):
			return Connected{}, err
		case e.HostKey != "" && d.hostKey == "":
			trust := &Switch{Label: "Trust this server?"}
			err := d.screen.Ask(ctx, &Form{Title: "The server is not known yet", Fields: []Field{trust},
				Note: fmt.Sprintf("The key of %s is %s. Compare it with what the server's owner tells you.", server(req.RemoteName), e.HostKey)})
			if err != nil {
				return Connected{}, err
			}
			if !trust.On {
				return Connected{}, e
			}
			d.hostKey = e.HostKey
		case wantsLogin(e.Code):
			d.other.On = true
			if err := d.login(ctx, explain(e)); err != nil {
				return Connected{}, err
			}
		default:
			return Connected{}, err
		}
	}
}

func wantsLogin(c win32.Code) bool {
	return c == win32.ERROR_INVALID_PASSWORD || c == win32.ERROR_LOGON_FAILURE || c == win32.ERROR_ACCESS_DENIED || c == win32.ERROR_BAD_USERNAME
}

func (d *connecting) request() wnet.AddRequest {
	req := wnet.AddRequest{Type: win32.RESOURCETYPE_DISK, RemoteName: strings.TrimSpace(d.folder.Value), Flags: win32.CONNECT_UPDATE_RECENT,
		Options: wnet.UseOptions{HostKey: d.hostKey}}
	if at := d.device.Options[d.device.At]; at != noDevice {
		req.LocalName = at
	}
	if d.remember != nil {
		d.keep = d.remember.On
	}
	if d.keep && req.LocalName != "" {
		req.Flags |= win32.CONNECT_UPDATE_PROFILE
	}
	if d.other.On {
		req.User, req.Password = d.user.Value, d.password.Value
		if d.save.On {
			req.Flags |= win32.CONNECT_INTERACTIVE | win32.CONNECT_COMMANDLINE | win32.CONNECT_CMD_SAVECRED
		}
	}
	return req
}

// keepChoice makes what the person chose the next dialog's proposal (DG-02). The connection is made whatever becomes of it.
func (d *connecting) keepChoice(ctx context.Context) {
	if d.remember == nil {
		return
	}
	if err := d.svc.SetSaveConnections(ctx, d.remember.On); err != nil {
		d.screen.Say("The choice to reconnect at login could not be kept for the next time.\n" + explain(err))
	}
}

// server is the server of a name that a person typed, for a title.
func server(name string) string {
	n, err := wnet.ParseServerName(name)
	if err != nil {
		return name
	}
	return n.Server
}

// explain says what an error is to a person: Windows' text, then the cause, then what to do.
func explain(err error) string {
	code := wnet.CodeOf(err)
	return strings.TrimSpace(fmt.Sprintf("%s (system error %d)\n%s", code.Error(), uint32(code), netuse.Explain(err)))
}

// because is the cause of an error in one line.
func because(err error) string {
	var e *wnet.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := strings.TrimSuffix(e.Code.Error(), ".")
	if e.Err != nil {
		text = e.Err.Error()
	}
	if e.Hint != "" {
		text += ". " + e.Hint
	}
	return text
}
