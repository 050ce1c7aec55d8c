package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/dialog"
	"github.com/openwnet/wnet/win32"
)

func (a *app) connectCommand() *cobra.Command {
	var called bool
	cmd := &cobra.Command{
		Use:   "connect [//SERVER/SHARE]",
		Short: "Connect a network folder, step by step",
		Long: `connect is the dialog for a network drive: pick a letter, type the folder's name or browse the network for it, say whether to reconnect
at login, and log in. What goes wrong is shown, and you try again. Escape closes it, and nothing is changed.

On a terminal that can't be drawn on (TERM=dumb), and with WNET_PLAIN=1 in the environment, the questions come line by line.`,
		Example: "  wnet connect\n  wnet connect //nas/media",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := dialogRequest{Type: win32.RESOURCETYPE_DISK, Flags: win32.CONNDLG_USE_MRU}
			if len(args) == 1 {
				req.RemoteName = args[0]
			}
			return a.runDialog(cmd.Context(), called, req, a.connectDialog)
		},
	}
	cmd.Flags().BoolVar(&called, "dialog", false, "")
	cmd.Flags().MarkHidden("dialog") // for libmpr's WNetConnectionDialog
	return cmd
}

func (a *app) disconnectCommand() *cobra.Command {
	var called bool
	cmd := &cobra.Command{
		Use:   "disconnect [NAME]",
		Short: "Give up a connection, step by step",
		Long: `disconnect is the dialog for giving up a connection: pick it, or name it. Where files are open it says which programs have them, and
asks before it cuts them off. A drive is forgotten too. "wnet cancel" is the same without questions.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.leave(); err != nil {
				return err
			}
			req := dialogRequest{Type: win32.RESOURCETYPE_DISK}
			if len(args) == 1 {
				name, err := cancelName(args[0])
				if err != nil {
					return err
				}
				req.Flags = win32.DISC_NO_FORCE
				if wnet.IsRemoteForm(name) {
					req.RemoteName = name
				} else {
					req.LocalName, req.Flags = name, req.Flags|win32.DISC_UPDATE_PROFILE
				}
			}
			return a.runDialog(cmd.Context(), called, req, a.disconnectDialog)
		},
	}
	cmd.Flags().BoolVar(&called, "dialog", false, "")
	cmd.Flags().MarkHidden("dialog") // for libmpr's WNetDisconnectDialog
	return cmd
}

// dialogRequest is what libmpr asks for, as JSON on descriptor 3: the members of CONNECTDLGSTRUCT and DISCDLGSTRUCT.
type dialogRequest struct {
	Type       uint32 `json:"type"`
	Flags      uint32 `json:"flags"`
	LocalName  string `json:"localName"`
	RemoteName string `json:"remoteName"`
}

// dialogResult is what it gets on descriptor 4.
type dialogResult struct {
	Code   uint32 `json:"code"`             // what the WNet function returns
	Device string `json:"device,omitempty"` // what was connected
	DevNum int32  `json:"devNum,omitempty"` // 1 for A:, -1 without a drive

	// What WNetGetLastError tells.
	Native     uint32 `json:"native,omitempty"`
	NativeText string `json:"nativeText,omitempty"`
	Provider   string `json:"provider,omitempty"`
}

// maxRequest bounds what is read from descriptor 3.
const maxRequest = 64 << 10

// runDialog runs a dialog for the person who typed the command, or for the program that called libmpr.
func (a *app) runDialog(ctx context.Context, called bool, req dialogRequest, run func(context.Context, dialogRequest) (dialogResult, error)) error {
	if !called {
		_, err := run(ctx, req)
		if errors.Is(err, dialog.ErrClosed) {
			return cancelled()
		}
		return err
	}
	in, out := os.NewFile(3, "request"), os.NewFile(4, "result")
	req = dialogRequest{}
	if err := json.NewDecoder(io.LimitReader(in, maxRequest)).Decode(&req); err != nil {
		return &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("descriptor 3 has no request: --dialog is for libmpr")}
	}
	res, err := run(ctx, req)
	var e *wnet.Error
	switch {
	case errors.Is(err, dialog.ErrClosed), errors.Is(err, context.Canceled):
		res.Code = dialog.Closed
	case errors.As(err, &e):
		res.Code, res.Native, res.NativeText, res.Provider = uint32(e.Code), e.Native, e.NativeText, e.Provider
	case err != nil:
		res.Code = uint32(wnet.CodeOf(err))
	}
	return json.NewEncoder(out).Encode(res)
}

// screen is where the person sits: drawn, or line by line. ERROR_NOT_SUPPORTED without a terminal.
func (a *app) screen() (s dialog.Screen, close func(), err error) {
	t, err := a.tty()
	if err != nil {
		return nil, nil, &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("a dialog needs a terminal"),
			Hint: "Without one, `wnet use` and `wnet cancel` do the same."}
	}
	f, drawable := t.(*ttyTerminal)
	if term := os.Getenv("TERM"); !drawable || term == "" || term == "dumb" || os.Getenv("WNET_PLAIN") != "" {
		return dialog.Lines{Terminal: t}, func() { t.Close() }, nil
	}
	return dialog.Full{In: f.f, Out: f.f}, func() { t.Close() }, nil
}

func (a *app) connectDialog(ctx context.Context, req dialogRequest) (res dialogResult, err error) {
	screen, end, err := a.screen()
	if err != nil {
		return res, err
	}
	defer end()
	svc, done, err := a.service(ctx)
	if err != nil {
		return res, err
	}
	defer done()
	got, err := dialog.Connect(ctx, svc, screen, dialog.ConnectRequest{Type: req.Type, RemoteName: req.RemoteName, Flags: req.Flags})
	if err != nil {
		return res, err
	}
	name := got.Device
	if name == "" {
		name = got.RemoteName
	}
	screen.Say(name + " is connected.")
	a.tellPath(ctx, svc, got.Device)
	return dialogResult{Device: got.Device, DevNum: got.DevNum()}, nil
}

func (a *app) disconnectDialog(ctx context.Context, req dialogRequest) (res dialogResult, err error) {
	screen, end, err := a.screen()
	if err != nil {
		return res, err
	}
	defer end()
	svc, done, err := a.service(ctx)
	if err != nil {
		return res, err
	}
	defer done()
	name, err := dialog.Disconnect(ctx, svc, screen, dialog.DisconnectRequest{Type: req.Type, LocalName: req.LocalName,
		RemoteName: req.RemoteName, Flags: req.Flags})
	if err == nil {
		screen.Say(name + " is disconnected.")
	}
	return res, err
}
