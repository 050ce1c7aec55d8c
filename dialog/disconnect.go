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

// DisconnectRequest is DISCDLGSTRUCT (structs.md). Without a name it is WNetDisconnectDialog: the person picks the connection.
type DisconnectRequest struct {
	Type       uint32 // RESOURCETYPE_DISK or RESOURCETYPE_PRINT, where the person picks (DG-04)
	LocalName  string // wins over RemoteName
	RemoteName string
	Flags      uint32 // DISC_*
}

// Disconnect is WNetDisconnectDialog1, and WNetDisconnectDialog where the request has no name: there, the drive is forgotten too and force
// is the person's to give. It returns the name that is gone.
//
// Errors: ErrClosed if the person closed the dialog; ERROR_CANCELLED if the answer was not to disconnect; ERROR_INVALID_PARAMETER for
// DISC_UPDATE_PROFILE without a device (DG-06; the code is unsourced); ERROR_OPEN_FILES where force did not help; any other error is shown
// to the person and returned (DG-05).
func Disconnect(ctx context.Context, svc Service, screen Screen, req DisconnectRequest) (string, error) {
	name := req.LocalName
	if name == "" {
		name = req.RemoteName
	}
	if err := req.check(); err != nil {
		return "", wnet.AsError("DisconnectDialog", name, err)
	}
	if name == "" {
		var err error
		if name, err = choose(ctx, svc, screen, req.Type); err != nil {
			return "", err
		}
		req.Flags = win32.DISC_NO_FORCE
		if !wnet.IsRemoteForm(name) {
			req.Flags |= win32.DISC_UPDATE_PROFILE
		}
	}
	err := disconnect(ctx, svc, screen, name, req.Flags)
	var e *wnet.Error
	if errors.As(err, &e) && e.Code != win32.ERROR_CANCELLED {
		screen.Say(name + " is not disconnected. " + explain(err))
	}
	if err != nil && !errors.Is(err, ErrClosed) {
		return "", wnet.AsError("DisconnectDialog", name, err)
	}
	return name, err
}

func (r DisconnectRequest) check() error {
	switch {
	case r.Flags&^uint32(win32.DISC_UPDATE_PROFILE|win32.DISC_NO_FORCE) != 0:
		return &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("there is no such flag")}
	case r.Flags&win32.DISC_UPDATE_PROFILE != 0 && r.LocalName == "":
		return &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("only a device can be forgotten")}
	case r.LocalName == "" && r.RemoteName == "" && r.Type != win32.RESOURCETYPE_DISK && r.Type != win32.RESOURCETYPE_PRINT:
		return &wnet.Error{Code: win32.ERROR_BAD_DEV_TYPE, Err: errors.New("the dialog disconnects drives or printers")}
	}
	return nil
}

// choose lets the person pick a connection.
func choose(ctx context.Context, svc Service, screen Screen, typ uint32) (string, error) {
	all, err := svc.Connections(ctx)
	if err != nil && len(all) == 0 {
		return "", wnet.AsError("DisconnectDialog", "", err)
	}
	var names []string
	c := &Choice{Label: "Which connection?"}
	for _, x := range all {
		if x.Type != win32.RESOURCETYPE_ANY && x.Type != typ {
			continue
		}
		name, line := x.Device, x.Device+"  "+x.RemoteName
		if name == "" {
			name, line = x.RemoteName, x.RemoteName
		}
		if !x.Connected {
			line += " (remembered)"
		}
		names, c.Options = append(names, name), append(c.Options, line)
	}
	if len(names) == 0 {
		screen.Say("There is nothing to disconnect.")
		return "", ErrClosed
	}
	err = screen.Ask(ctx, &Form{Title: "Disconnect", Fields: []Field{c}})
	if err != nil {
		return "", err
	}
	return names[c.At], nil
}

// disconnect cancels: with DISC_NO_FORCE first without force, and with it if the person says so (DG-06).
func disconnect(ctx context.Context, svc Service, screen Screen, name string, flags uint32) error {
	req := wnet.CancelRequest{Name: name, Force: flags&win32.DISC_NO_FORCE == 0}
	if flags&win32.DISC_UPDATE_PROFILE != 0 {
		req.Flags = win32.CONNECT_UPDATE_PROFILE
	}
	for {
		var res wnet.CancelResult
		err := screen.Wait(ctx, "Disconnecting "+name, func(ctx context.Context) (err error) {
			res, err = svc.CancelConnection(ctx, req)
			return err
		})
		var e *wnet.Error
		switch {
		case err == nil:
			for _, path := range res.Aside {
				screen.Say("What could not be written to the server is kept in " + path)
			}
			for _, file := range res.Lost {
				screen.Say("Data written to " + file + " is lost: it reached neither the server nor a file here.")
			}
			return nil
		case req.Force || !errors.As(err, &e) || e.Code != win32.ERROR_OPEN_FILES:
			return err
		}
		force := &Switch{Label: "Disconnect all the same? What is not saved may be lost."}
		if err := screen.Ask(ctx, &Form{Title: "Disconnect " + name, Note: holders(name, e), Fields: []Field{force}}); err != nil {
			return err
		}
		if !force.On {
			return &wnet.Error{Name: name, Code: win32.ERROR_CANCELLED}
		}
		req.Force = true
	}
}

// holders says who is in the way (NU-31).
func holders(name string, e *wnet.Error) string {
	lines := []string{strings.TrimSpace(netuse.OpenFiles(name))}
	for _, h := range e.Holders {
		lines = append(lines, fmt.Sprint(h))
	}
	return strings.Join(lines, "\n")
}
