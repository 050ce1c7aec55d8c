package netuse

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// LanMan is the network whose connections `net use Z:` describes in full (NL-07).
const LanMan = "Microsoft Windows Network"

// Columns of the listing (NL-01, NL-02): where each begins.
const (
	colLocal   = 13
	colRemote  = 23
	colNetwork = 49
	colWrapped = 48 // the network's column on a line of its own
)

var rule = strings.Repeat("-", 79)

// Title says whether new connections will be remembered (NU-20).
func Title(remembered bool) string {
	if remembered {
		return "New connections will be remembered.\n\n"
	}
	return "New connections will not be remembered.\n\n"
}

// Listing is `net use` without arguments (NU-01, NL-01 to NL-06), in the order given.
func Listing(remembered bool, all []wnet.Connection) string {
	var b strings.Builder
	b.WriteString(Title(remembered))
	if len(all) == 0 {
		b.WriteString(Empty)
		return b.String()
	}
	b.WriteString("\n" + columns("Status", colLocal, "Local", colRemote, "Remote", colNetwork, "Network") + "\n\n" + rule + "\n")
	for _, c := range all {
		local := fmt.Sprintf("%-*s%-*s", colLocal, c.Status.State, colRemote-colLocal, c.Device)
		if utf8.RuneCountInString(c.RemoteName) < colNetwork-colRemote {
			b.WriteString(columns(local, colRemote, c.RemoteName, colNetwork, c.Provider) + "\n")
			continue
		}
		b.WriteString(local + c.RemoteName + "\n" + strings.TrimRight(strings.Repeat(" ", colWrapped)+c.Provider, " ") + "\n")
	}
	b.WriteString(Success)
	return b.String()
}

// columns writes text, then each further text at its column, counted in characters; without blanks at the end.
func columns(text string, rest ...any) string {
	for i := 0; i < len(rest); i += 2 {
		if gap := rest[i].(int) - utf8.RuneCountInString(text); gap > 0 {
			text += strings.Repeat(" ", gap)
		}
		text += rest[i+1].(string)
	}
	return strings.TrimRight(text, " ")
}

// Detail is `net use Z:` (NL-07): the connection in full on the Microsoft network, its first three lines on another.
func Detail(c wnet.Connection) string {
	var b strings.Builder
	line := func(label string, value any) {
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-18s%v", label, value), " ") + "\n")
	}
	kind := "Disk"
	if c.Type == win32.RESOURCETYPE_PRINT {
		kind = "Print"
	}
	line("Local name", c.Device)
	line("Remote name", c.RemoteName)
	line("Resource type", kind)
	if c.Provider == LanMan {
		line("Status", c.Status.State)
		line("# Opens", c.Opens)
		line("# Connections", c.Uses)
	}
	b.WriteString(Success)
	return b.String()
}

// DeletingAll lists what `net use * /delete` will cancel (NU-30); AskContinue follows, unless the answer was given beforehand.
func DeletingAll(all []wnet.Connection) string {
	var b strings.Builder
	b.WriteString("You have these remote connections:\n\n")
	for _, c := range all {
		b.WriteString(columns("    "+c.Device, 20, c.RemoteName) + "\n")
	}
	b.WriteString("Continuing will cancel the connections.\n\n")
	return b.String()
}

// Sort puts connections in the order of a listing: by device, letters before ports and connections without a device last, then by
// remote name.
func Sort(all []wnet.Connection) {
	rank := func(c wnet.Connection) string {
		switch {
		case c.Device == "":
			return "2" + strings.ToLower(c.RemoteName)
		case wnet.Device(c.Device).Drive():
			return "0" + c.Device
		}
		return "1" + c.Device
	}
	sort.SliceStable(all, func(i, j int) bool { return rank(all[i]) < rank(all[j]) })
}
