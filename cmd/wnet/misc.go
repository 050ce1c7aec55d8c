package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

// versions is what `wnet version --json` prints (doc/cli.md).
type versions struct {
	Version string        `json:"version"`
	Commit  string        `json:"commit,omitempty"`
	Go      string        `json:"go"`
	Daemon  *daemonStatus `json:"daemon"` // null if none is running
}

// daemonStatus is what a running daemon says of itself.
type daemonStatus struct {
	Version  string `json:"version"`
	Protocol int    `json:"protocol"`
	PID      int    `json:"pid"`
}

func ownVersion() versions {
	v := versions{Version: "unknown", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Version = info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	return v
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version of wnet and of the daemon that runs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := ownVersion()
			ctx, cancel := context.WithTimeout(cmd.Context(), 5*time.Second)
			defer cancel()
			var err error
			if v.Daemon, err = a.daemon.Status(ctx); err != nil { // the version is what was asked for
				a.notef("%s", netuse.Explain(err))
			}
			if asJSON {
				return a.json(v)
			}
			a.printf("wnet %s %s\n", v.Version, v.Go)
			if v.Daemon == nil {
				a.printf("no daemon is running\n")
			} else {
				a.printf("daemon %s, protocol %d, pid %d\n", v.Daemon.Version, v.Daemon.Protocol, v.Daemon.PID)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) helpmsgCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "helpmsg NUMBER",
		Short: "Explain a system error",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.ParseUint(args[0], 10, 32)
			code := win32.Code(n)
			switch {
			case err == nil && n == 3506: // what a syntax error points to (NU-29)
				a.printf("\n%s", netuse.Syntax)
			case err != nil || !code.Known():
				a.notef("wnet: %s is no number of an error that wnet knows.\n", args[0])
				return statusError(netuse.ExitSyntax)
			default:
				a.printf("\n%s\n\n", code.Error())
				if hint := netuse.DefaultHint(code); hint != "" {
					a.printf("%s\n\n", hint)
				}
			}
			return nil
		},
	}
}

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write the manual pages into a folder", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			manTexts(root)
			date := sourceDate()
			header := &doc.GenManHeader{Section: "1", Source: "wnet", Manual: "wnet", Date: &date}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return err
			}
			pages, err := filepath.Glob(filepath.Join(args[0], "wnet*.1"))
			if err == nil {
				a.printf("%d manual pages are in %s\n", len(pages), args[0])
			}
			return err
		},
	}
}

// manTexts makes the texts of a command and its subcommands fit for cobra's generator, which reads them as Markdown: what is laid out
// in lines becomes a block that stays as it is, and elsewhere no character has a meaning of its own.
func manTexts(cmd *cobra.Command) {
	plain := strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, "`", "\\`")
	paragraphs := strings.Split(strings.TrimRight(cmd.Long, "\n"), "\n\n")
	for i, p := range paragraphs {
		if strings.HasPrefix(p, " ") || strings.Contains(p, "\n ") {
			paragraphs[i] = "    " + strings.ReplaceAll(p, "\n", "\n    ")
		} else {
			paragraphs[i] = plain.Replace(p)
		}
	}
	cmd.Long = strings.Join(paragraphs, "\n\n")
	cmd.Use = strings.NewReplacer(`\`, `\\`, "*", `\*`).Replace(cmd.Use)
	for _, sub := range cmd.Commands() {
		manTexts(sub)
	}
}

// sourceDate is when the source was last changed, so that the same source gives the same pages.
func sourceDate() time.Time {
	if n, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(n, 0).UTC()
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
				return t
			}
		}
	}
	return time.Unix(0, 0).UTC()
}
