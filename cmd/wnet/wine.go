package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/paths"
	"github.com/openwnet/wnet/win32"
	"github.com/openwnet/wnet/wine"
)

func (a *app) wineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wine",
		Short: "Show your drives to Windows programs in Wine",
		Long: `Windows programs in a prefix of Wine that wnet is installed in see your drives as network drives, under the same letters and as
\\server\share, while Wine runs too; and what they map is a drive of yours. The prefix is the one of --prefix, else WINEPREFIX, else ~/.wine.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var prefix, loader string
	var take []string
	var asJSON bool
	install := &cobra.Command{
		Use: "install", Short: "Put wnet into a prefix of Wine", Args: cobra.NoArgs,
		Example: "  wnet wine install\n  wnet wine install --prefix ~/games --take Z",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.wineInstall(cmd.Context(), prefix, loader, take)
		},
	}
	install.Flags().StringVar(&loader, "wine", "", "the Wine to use with the prefix (default: wine in PATH)")
	install.Flags().StringSliceVar(&take, "take", nil, "letters of the prefix's own that your drives may take while they are mapped, such as Z")
	remove := &cobra.Command{
		Use: "remove", Short: "Take wnet out of a prefix, and leave it as it was", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.wineRemove(cmd.Context(), prefix) },
	}
	status := &cobra.Command{
		Use: "status", Short: "Tell how the prefixes stand", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.wineStatus(cmd.Context(), prefix, asJSON) },
	}
	status.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	for _, c := range []*cobra.Command{install, remove, status} {
		c.Flags().StringVar(&prefix, "prefix", "", "the prefix (default: WINEPREFIX, else ~/.wine; status: all that are listed)")
	}
	cmd.AddCommand(install, remove, status)
	return cmd
}

// wineList gives the list of prefixes and wnet's places.
func wineList() (*wine.List, paths.Paths, error) {
	p, err := paths.Find()
	return wine.OpenList(filepath.Join(p.ConfigDir, wine.ListFile)), p, err
}

func library() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	return wine.Library(program)
}

func (a *app) wineInstall(ctx context.Context, path, loader string, take []string) error {
	list, places, err := wineList()
	if err != nil {
		return err
	}
	if path == "" {
		path = wine.DefaultPrefix()
	}
	p := wine.Prefix{}
	for _, t := range take {
		d, err := wnet.ParseDevice(strings.TrimSuffix(t, ":") + ":")
		if err != nil || !d.Drive() || d == "C:" {
			return &wnet.Error{Op: "Wine", Name: t, Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("--take wants a letter, and not C")}
		}
		p.Take = append(p.Take, d.Key())
	}
	if p.Path, _, err = wine.Check(path); err != nil {
		return err
	}
	if p.Wine, err = wine.FindWine(loader); err != nil {
		return err
	}
	files, err := library()
	if err != nil {
		return err
	}
	if err := wine.Install(ctx, p, files, places.Channel()); err != nil {
		return err
	}
	if err := list.Add(p); err != nil {
		return err
	}
	a.printf("wnet is installed in %s.\n", tilde(p.Path))
	_, done, err := a.service(ctx) // the daemon keeps the prefix in step from now on
	if err != nil {
		return err
	}
	done()
	if p.Running(ctx) {
		a.printf("Programs that run in it now keep Wine's own mpr.dll until they are started again.\n")
	}
	return nil
}

func (a *app) wineRemove(ctx context.Context, path string) error {
	list, _, err := wineList()
	if err != nil {
		return err
	}
	if path == "" {
		path = wine.DefaultPrefix()
	}
	all, err := list.Load()
	if err != nil {
		return err
	}
	clean, _, err := wine.Check(path)
	if err != nil {
		// A prefix that was deleted leaves only its line in the list.
		if abs, aerr := filepath.Abs(path); aerr == nil && errors.Is(err, win32.ERROR_PATH_NOT_FOUND) {
			for _, p := range all {
				if p.Path == abs {
					a.printf("%s is no prefix any more; it is off the list.\n", tilde(abs))
					return list.Remove(abs)
				}
			}
		}
		return err
	}
	p := wine.Prefix{Path: clean}
	for _, have := range all {
		if have.Path == clean {
			p = have
		}
	}
	if p.Wine == "" {
		if p.Wine, err = wine.FindWine(""); err != nil {
			return err
		}
	}
	files, err := library()
	if err != nil {
		return err
	}
	if err := list.Remove(clean); err != nil {
		return err
	}
	if err := wine.Remove(ctx, p, files); err != nil {
		return errors.Join(err, list.Add(p))
	}
	a.printf("wnet is removed from %s.\n", tilde(clean))
	return nil
}

// wineListing is what `wnet wine status --json` prints (doc/cli.md).
type wineListing struct {
	Version  int           `json:"version"`
	Daemon   bool          `json:"daemon"` // it runs, and keeps the listed prefixes in step
	Prefixes []wine.Status `json:"prefixes"`
}

func (a *app) wineStatus(ctx context.Context, path string, asJSON bool) error {
	list, _, err := wineList()
	if err != nil {
		return err
	}
	all, err := list.Load()
	if err != nil {
		return err
	}
	out := wineListing{Version: 1, Prefixes: []wine.Status{}}
	drives, err := a.wineDrives(ctx)
	switch {
	case err == nil:
		out.Daemon = true
	case !errors.Is(err, win32.ERROR_NO_NETWORK):
		return err
	}
	files, _ := library()
	if path != "" {
		clean, _, err := wine.Check(path)
		if err != nil {
			return err
		}
		p, listed := wine.Prefix{Path: clean}, false
		for _, have := range all {
			if have.Path == clean {
				p, listed = have, true
			}
		}
		if !listed {
			p.Wine, _ = wine.FindWine("")
		}
		out.Prefixes = append(out.Prefixes, wine.Look(ctx, p, listed, drives, files))
	} else {
		for _, p := range all {
			out.Prefixes = append(out.Prefixes, wine.Look(ctx, p, true, drives, files))
		}
	}
	if asJSON {
		return a.json(out)
	}
	if len(out.Prefixes) == 0 {
		a.printf("wnet is in no prefix of Wine. To install it: wnet wine install\n")
		return nil
	}
	if !out.Daemon {
		a.printf("The daemon does not run, so there are no drives. Any `wnet use` starts it.\n")
	}
	for _, s := range out.Prefixes {
		a.wineTell(s)
	}
	return nil
}

// wineDrives gives the drives that Wine is to show; ERROR_NO_NETWORK if the daemon does not run, which is not started for that.
func (a *app) wineDrives(ctx context.Context) ([]wine.Drive, error) {
	svc, done, err := a.dial(ctx, false)
	if err != nil {
		return nil, err
	}
	defer done()
	all, err := svc.Connections(ctx)
	if err != nil && len(all) == 0 {
		return nil, err
	}
	var drives []wine.Drive
	for _, c := range all {
		if !c.Connected || c.Path == "" {
			continue
		}
		d := wine.Drive{Remote: c.RemoteName, Path: c.Path}
		if dev := wnet.Device(c.Device); dev.Drive() {
			d.Letter = dev.Key()
		}
		drives = append(drives, d)
	}
	return drives, nil
}

// wineTell prints one prefix.
func (a *app) wineTell(s wine.Status) {
	state := "in step"
	if !s.InStep {
		state = "not in step"
	}
	if s.Running {
		state += ", Wine runs"
	}
	a.printf("%s (%s): %s\n", tilde(s.Path), s.Arch, state)
	if s.Problem != "" {
		a.printf("  %s\n", s.Problem)
		return
	}
	if !s.Listed {
		a.printf("  wnet is not installed here.\n")
	}
	for _, f := range s.Files {
		switch f.State {
		case "outdated":
			a.printf("  %s is of another version of wnet. To mend it: wnet wine install --prefix %s\n", f.Name, s.Path)
		case "foreign":
			if s.Listed {
				a.printf("  %s is not wnet's. To mend it: wnet wine install --prefix %s\n", f.Name, s.Path)
			}
		}
	}
	for _, d := range s.Drives {
		name := d.Remote
		if d.Letter != "" {
			name = d.Letter + ": " + d.Remote
		}
		switch d.State {
		case "own":
			a.printf("  %s  not shown: the prefix has its own there (%s)\n", name, d.Target)
			if d.Letter != "" {
				a.printf("    To let wnet take the letter while you use it: wnet wine install --prefix %s --take %s\n", s.Path, d.Letter)
			}
		default:
			a.printf("  %s  %s\n", name, d.State)
		}
	}
	for _, n := range s.Network {
		if n.State == "refused" {
			a.printf("  HKCU\\Network\\%s names %s, which wnet does not understand\n", n.Letter, n.Remote)
		}
	}
}
