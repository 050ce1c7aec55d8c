package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/openwnet/wnet"
)

// sessionVariable is where a process of a session that CreateSession made shows its token.
const sessionVariable = "WNET_SESSION"

func (a *app) sessionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session",
		Short: "List logon sessions, or run a program in one of its own",
		Long: `Drives belong to a logon session: what one session maps, another does not see. session lists yours, and runs programs in a new one
that starts without any drive.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List your logon sessions", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sessionList(cmd.Context(), asJSON) },
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	run := &cobra.Command{
		Use:   "run -- COMMAND [ARG...]",
		Short: "Run a program in a session of its own",
		Long: `run makes a new session with an empty set of drives and becomes COMMAND in it. The session ends, and its drives with it, when
COMMAND and everything that it started have ended.`,
		Example: "  wnet session run -- bash",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.sessionRun(cmd.Context(), args) },
	}
	run.Flags().SetInterspersed(false)
	end := &cobra.Command{
		Use:   "end SESSION",
		Short: "End a session that run made, and cancel its drives with force",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			luid, err := wnet.ParseLUID(args[0])
			if err != nil {
				return err
			}
			svc, done, err := a.service(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if err := svc.EndSession(cmd.Context(), luid); err != nil {
				return err
			}
			a.printf("The session %s is ended.\n", luid)
			return nil
		},
	}
	cmd.AddCommand(list, run, end)
	return cmd
}

// sessionListing is what `wnet session list --json` prints (doc/cli.md).
type sessionListing struct {
	Version  int            `json:"version"`
	Sessions []wnet.Session `json:"sessions"`
}

func (a *app) sessionList(ctx context.Context, asJSON bool) error {
	svc, done, err := a.service(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := svc.Sessions(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return a.json(sessionListing{1, append([]wnet.Session{}, all...)})
	}
	rows := [][]string{{"", "SESSION", "KIND", "NAME", "DRIVES", "SINCE", "FOLDER"}}
	for _, s := range all {
		mark := ""
		if s.Current {
			mark = "*"
		}
		rows = append(rows, []string{mark, s.LUID.String(), s.Kind, s.Name, count(s.Connections, "connection"),
			s.Since.Local().Format("2006-01-02 15:04"), tilde(s.Folder)})
	}
	a.printf("%s", a.table(rows, nil))
	return nil
}

// sessionRun becomes the command: it keeps wnet's process number, which anchors the session, so that signals and the exit status are
// the command's own without anybody in between.
func (a *app) sessionRun(ctx context.Context, args []string) error {
	path, err := exec.LookPath(args[0])
	if err != nil {
		a.notef("wnet: %s can't be run: %v\n", args[0], err)
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			return statusError(127)
		}
		return statusError(126) // it is there: a folder, or not executable
	}
	svc, done, err := a.service(ctx)
	if err != nil {
		return err
	}
	s, token, err := svc.CreateSession(ctx, os.Getpid())
	if err != nil {
		done()
		return err
	}
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, sessionVariable+"=") {
			env = append(env, v)
		}
	}
	err = syscall.Exec(path, args, append(env, sessionVariable+"="+token.Reveal()))
	a.notef("wnet: %s can't be run: %v\n", path, err)
	if err := svc.EndSession(ctx, s.LUID); err != nil {
		a.fail(err)
	}
	done()
	return statusError(126)
}
