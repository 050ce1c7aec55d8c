package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
)

// listing is what `wnet list --json` prints (doc/cli.md). Version rises if a field changes its meaning or goes; fields may be added.
type listing struct {
	Version         int               `json:"version"`
	SaveConnections bool              `json:"saveConnections"`
	Connections     []wnet.Connection `json:"connections"`
	OtherSessions   []wnet.Session    `json:"otherSessions"` // of the same user, with connections that this session does not see
}

func (a *app) listCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List connections and remembered drives",
		Long: `list shows the connections of your session and the remembered ones that are not connected, with the reason. It asks no server.
With --json it prints one object whose form is stable (doc/cli.md), for programs.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.list(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) list(ctx context.Context, asJSON bool) error {
	svc, done, err := a.service(ctx)
	if err != nil {
		return err
	}
	defer done()
	l := listing{Version: 1, Connections: []wnet.Connection{}, OtherSessions: []wnet.Session{}}
	all, err := svc.Connections(ctx)
	if err != nil && len(all) == 0 {
		return err
	}
	l.Connections = append(l.Connections, all...)
	netuse.Sort(l.Connections)
	var unread error
	if l.SaveConnections, unread = svc.SaveConnections(ctx); unread != nil { // the drives are there all the same
		err = unread
	}
	if sessions, err := svc.Sessions(ctx); err == nil {
		for _, s := range sessions {
			if !s.Current && s.Connections > 0 {
				l.OtherSessions = append(l.OtherSessions, s)
			}
		}
	}
	if asJSON {
		return errors.Join(a.json(l), err)
	}
	io.WriteString(a.stdout, a.people(l))
	return err
}

// json prints a value for programs.
func (a *app) json(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// people prints a listing for people.
func (a *app) people(l listing) string {
	var b strings.Builder
	if len(l.Connections) == 0 {
		b.WriteString("There are no connections. Map a drive with: wnet use Z: //server/share\n")
	} else {
		rows := [][]string{{"DRIVE", "STATUS", "NAME", "NETWORK", "FOLDER", ""}}
		notes := []string{""}
		for _, c := range l.Connections {
			rows = append(rows, []string{c.Device, string(c.Status.State), c.RemoteName, c.Provider, tilde(c.Path), marks(c)})
			notes = append(notes, reason(c))
		}
		b.WriteString(a.table(rows, notes))
	}
	for _, s := range l.OtherSessions {
		fmt.Fprintf(&b, "%s mapped in your other session %s (%s), not visible here; the folder is %s\n",
			count(s.Connections, "connection"), s.Name, s.LUID, tilde(s.Folder))
	}
	return b.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// marks says what else counts for a connection.
func marks(c wnet.Connection) string {
	var m []string
	if c.Remembered {
		m = append(m, "remembered")
	}
	if c.Global {
		m = append(m, "global")
	}
	if c.Opens > 0 {
		m = append(m, count(c.Opens, "open file"))
	}
	return strings.Join(m, ", ")
}

// reason says why a connection is not OK, since when, and what to do.
func reason(c wnet.Connection) string {
	if c.Status.State == wnet.StateOK || c.Status.Reason == "" && c.Status.Code == 0 {
		return ""
	}
	text := c.Status.Reason
	if text == "" {
		text = c.Status.Code.Error()
	}
	if !c.Status.Since.IsZero() && !strings.Contains(text, " since ") {
		text = "since " + c.Status.Since.Local().Format(sinceFormat(c.Status.Since)) + ": " + text
	}
	if wantsLogin(c.Status.Code) {
		return strings.TrimSuffix(text, ".") + ". Log in again with: " + mapAgain(c)
	}
	if !c.Connected && c.Device != "" && !strings.Contains(text, "wnet ") {
		text = strings.TrimSuffix(text, ".") + ". Connect it with: wnet restore " + c.Device
	}
	return text
}

// mapAgain is the command that connects a drive anew and asks for its password, and for the user where none is known.
func mapAgain(c wnet.Connection) string {
	again := netuse.Command{Action: netuse.Connect, Device: c.Device, Remote: c.RemoteName, User: c.User, Global: c.Global, Options: c.Options,
		SmartCard: c.Options.SmartCard}
	if c.User != "" && !c.Options.SmartCard {
		again.Password = netuse.PasswordAsk
	}
	return "wnet use " + netuse.Quote(again.Args()...)
}

func sinceFormat(t time.Time) string {
	if time.Since(t) < 18*time.Hour {
		return "15:04"
	}
	return "2006-01-02 15:04"
}

// table lines up rows, the first of which is a heading; a note stands indented below its row. Colour is for a terminal only.
func (a *app) table(rows [][]string, notes []string) string {
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	colour := a.colour()
	var b strings.Builder
	for i, r := range rows {
		var line strings.Builder
		for j, cell := range r {
			if width[j] == 0 {
				continue
			}
			pad := strings.Repeat(" ", width[j]-utf8.RuneCountInString(cell)+2)
			if colour {
				cell = paint(i, cell)
			}
			line.WriteString(cell + pad)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		if i < len(notes) && notes[i] != "" {
			b.WriteString("       " + notes[i] + "\n")
		}
	}
	return b.String()
}

// colour says whether standard output may have colours: a terminal, and no wish against it (no-color.org).
func (a *app) colour() bool {
	return a.outTerm && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func paint(row int, cell string) string {
	switch {
	case row == 0:
		return "\x1b[1m" + cell + "\x1b[0m"
	case cell == string(wnet.StateOK):
		return "\x1b[32m" + cell + "\x1b[0m"
	case cell == string(wnet.StateUnavailable) || cell == string(wnet.StateNetworkError):
		return "\x1b[31m" + cell + "\x1b[0m"
	case cell == string(wnet.StateDisconnected) || cell == string(wnet.StateReconnecting):
		return "\x1b[33m" + cell + "\x1b[0m"
	}
	return cell
}
