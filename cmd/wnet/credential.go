package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

func (a *app) credentialCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "credential",
		Short: "Show and forget saved passwords",
		Long: `credential lists the logins that /savecred saved, and forgets them, as cmdkey does on Windows. It shows servers and user names, never
a password. They rest in the Secret Service (GNOME Keyring, KWallet, KeePassXC), or in a sealed file where there is none.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List servers and user names with a saved password", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.credentialList(cmd.Context(), asJSON) },
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	var user string
	remove := &cobra.Command{
		Use: "delete SERVER", Aliases: []string{"rm"}, Short: "Forget the passwords that are saved for a server",
		Long: `delete forgets the passwords that are saved for SERVER: as list shows it, its name alone, or any name of a share on it. Drives that
are connected stay so.`,
		Example:           "  wnet credential delete nas\n  wnet credential delete sftp://nas --user anna",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeLogins,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.credentialDelete(cmd.Context(), args[0], user)
		},
	}
	remove.Flags().StringVar(&user, "user", "", "forget this user's only")
	cmd.AddCommand(list, remove)
	return cmd
}

// loginListing is what `wnet credential list --json` prints (doc/cli.md).
type loginListing struct {
	Version     int               `json:"version"`
	Credentials []wnet.SavedLogin `json:"credentials"`
}

// keeper is the daemon's part that knows the saved logins.
func keeper(svc backend) (wnet.LoginKeeper, error) {
	if k, ok := svc.(wnet.LoginKeeper); ok {
		return k, nil
	}
	return nil, &wnet.Error{Op: "SavedLogins", Code: win32.ERROR_NOT_SUPPORTED}
}

func (a *app) credentialList(ctx context.Context, asJSON bool) error {
	svc, done, err := a.service(ctx)
	if err != nil {
		return err
	}
	defer done()
	k, err := keeper(svc)
	if err != nil {
		return err
	}
	all, err := k.SavedLogins(ctx)
	switch {
	case err != nil && len(all) == 0:
		return err
	case asJSON:
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		if e := enc.Encode(loginListing{Version: 1, Credentials: append([]wnet.SavedLogin{}, all...)}); e != nil {
			return e
		}
	case len(all) == 0:
		a.printf("No password is saved. /savecred saves one: wnet use Z: //server/share /savecred\n")
	default:
		w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "SERVER\tUSER")
		for _, l := range all {
			fmt.Fprintf(w, "%s\t%s\n", l.Target, l.User)
		}
		w.Flush()
	}
	return err
}

func (a *app) credentialDelete(ctx context.Context, target, user string) error {
	target, err := wnet.Clean("server", target)
	if err != nil {
		return err
	}
	svc, done, err := a.service(ctx)
	if err != nil {
		return err
	}
	defer done()
	k, err := keeper(svc)
	if err != nil {
		return err
	}
	if err := k.ForgetLogin(ctx, target, user); err != nil {
		return err
	}
	who := ""
	if user != "" {
		who = user + " at "
	}
	a.printf("What was saved for %s%s is forgotten.\n", who, target)
	return nil
}

// completeLogins completes what can be forgotten.
func (a *app) completeLogins(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	const here = cobra.ShellCompDirectiveNoFileComp
	ctx, cancel := context.WithTimeout(contextOf(cmd), completionTime)
	defer cancel()
	svc, done, err := a.dial(ctx, false)
	if err != nil {
		return nil, here
	}
	defer done()
	k, err := keeper(svc)
	if err != nil {
		return nil, here
	}
	all, _ := k.SavedLogins(ctx)
	var list []string
	if len(args) > 0 {
		return nil, here
	}
	for _, l := range all {
		list = append(list, l.Target+"\t"+l.User)
	}
	return matching(list, typed), here
}
