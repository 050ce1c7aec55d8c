package netuse

import (
	"strings"

	"github.com/openwnet/wnet"
)

// ViewCommand is a `net view` command as it was typed.
type ViewCommand struct {
	Server string // as typed, "" for a list of servers
	All    bool   // /ALL: hidden shares too
}

// ParseView reads the words of `net view`: a server, and options with a slash. Errors: *SyntaxError.
func ParseView(args []string) (ViewCommand, error) {
	var c ViewCommand
	for _, a := range args {
		up := strings.ToUpper(a)
		switch {
		case !strings.HasPrefix(a, "/") || wnet.IsRemoteForm(a):
			if c.Server != "" {
				return c, &SyntaxError{Why: "there is more than one server", View: true}
			}
			c.Server = a
		case up == "/Y" || up == "/YES" || up == "/N" || up == "/NO": // nothing is asked (NU-13)
		case len(up) > 1 && strings.HasPrefix("/ALL", up):
			c.All = true
		default:
			return c, &SyntaxError{Option: a, Why: "net view knows no such option", View: true}
		}
	}
	if c.All && c.Server == "" {
		return c, &SyntaxError{Why: "/ALL needs a server", View: true}
	}
	return c, nil
}
