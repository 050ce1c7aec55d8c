package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

func (a *app) cancelCommand() *cobra.Command {
	var force, keep bool
	cmd := &cobra.Command{
		Use:   "cancel NAME...",
		Short: "Give up connections",
		Long: `cancel gives up each NAME: a device (Z:) means that drive, a remote name (//nas/media) means the connections to it without a
device. The drive is forgotten too, unless --keep is given.

While files are open it fails with system error 2401, while a program stands in the folder with 2404, names the programs, and changes
nothing. With --force the drive goes whatever is open; what was written is brought to the server within a bound, and what could not
be is kept in files that are named.`,
		Example:           "  wnet cancel Z:\n  wnet cancel --force Z: Y:",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.leave(); err != nil {
				return err
			}
			return a.cancel(cmd.Context(), args, force, keep)
		},
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "cancel even if files are open")
	cmd.Flags().BoolVarP(&keep, "keep", "k", false, "keep the drive remembered, so that it comes back")
	return cmd
}

func (a *app) cancel(ctx context.Context, names []string, force, keep bool) error {
	svc, done, err := a.service(ctx)
	if err != nil {
		return err
	}
	defer done()
	req := wnet.CancelRequest{Flags: win32.CONNECT_UPDATE_PROFILE, Force: force}
	if keep {
		req.Flags = 0
	}
	status := netuse.ExitOK
	for _, arg := range names {
		if req.Name, err = cancelName(arg); err == nil {
			var res wnet.CancelResult
			if res, err = svc.CancelConnection(ctx, req); err == nil {
				a.tellAside(req.Name, res)
				a.printf("%s is cancelled.\n", req.Name)
				continue
			}
		}
		if len(names) == 1 {
			return err
		}
		a.notef("%s is not cancelled.\n", arg)
		status = a.fail(err)
		if ctx.Err() != nil {
			break
		}
	}
	if status != netuse.ExitOK {
		return statusError(status)
	}
	return nil
}

// cancelName normalises a device or a remote name. What is neither is the service's to refuse (ERROR_NOT_CONNECTED, CC-15).
func cancelName(s string) (string, error) {
	clean, err := wnet.Clean("name", s)
	if err != nil {
		return "", err
	}
	if wnet.IsRemoteForm(clean) {
		n, err := wnet.ParseRemoteName(clean)
		if errors.Is(err, win32.ERROR_BAD_NET_NAME) {
			return clean, nil
		}
		return n.String(), err
	}
	if d, err := netuse.Device(clean); err == nil {
		return string(d), nil
	}
	return clean, nil
}

func (a *app) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "restore [DEVICE]",
		Short: "Connect remembered drives again",
		Long: `restore connects a remembered drive that is not connected, or all of them. Remembered drives come back by themselves when the
daemon starts; restore is for not waiting until the next attempt.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeRemembered,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			device := ""
			if len(args) == 1 {
				d, err := netuse.Device(args[0])
				if err != nil {
					return err
				}
				device = string(d)
			}
			svc, done, err := a.service(ctx)
			if err != nil {
				return err
			}
			defer done()
			if err := svc.RestoreConnection(ctx, device); err != nil {
				var e *wnet.Error
				if c, lost := find(ctx, svc, device); lost == nil && errors.As(err, &e) && wantsLogin(e.Code) {
					e.Hint = "Log in again with: " + mapAgain(c)
				}
				return err
			}
			if device != "" {
				a.printf("%s is connected.\n", device)
				return nil
			}
			all, err := svc.Connections(ctx)
			if err == nil && !slices.ContainsFunc(all, func(c wnet.Connection) bool { return c.Remembered }) {
				a.printf("No drive is remembered.\n")
			} else if err == nil {
				a.printf("All remembered drives are connected.\n")
			}
			return err
		},
	}
}
