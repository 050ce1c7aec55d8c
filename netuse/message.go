package netuse

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Success ends a command that worked, with its blank line (NU-22).
const Success = "The command completed successfully.\n\n"

// Empty is printed where a list has no rows (NU-21).
const Empty = "There are no entries in the list.\n\n"

// Exit statuses (NU-26).
const (
	ExitOK     = 0
	ExitSyntax = 1 // the command is not in the grammar
	ExitSystem = 2 // a system error
)

// Deleted says that a device or a deviceless connection is gone (NU-23).
func Deleted(name string) string { return name + " was deleted successfully.\n\n" }

// Connected says which device `*` became (NU-24). NU-22 follows it.
func Connected(device, remote string) string {
	return fmt.Sprintf("Drive %s is now connected to %s.\n\n", device, remote)
}

// AskUser and AskPassword are the prompts for credentials (NU-25), without a newline.
func AskUser(server string) string     { return "Enter the user name for '" + server + "': " }
func AskPassword(server string) string { return "Enter the password for '" + server + "': " }

// AskContinue is the question of `net use * /delete` (NU-30).
const AskContinue = "Do you want to continue this operation? (Y/N) [N]: "

// OpenFiles says what stands in the way of a cancel (NU-31): name is the device, or the remote name without one.
func OpenFiles(name string) string {
	return "There are open files and/or incomplete directory searches pending on the connection to " + name + ".\n\n"
}

// AskForce is the question after OpenFiles (NU-31).
const AskForce = "Is it OK to continue disconnecting and force them closed? (Y/N) [N]: "

// AskTrust is wnet's question about a server key that is not known yet.
func AskTrust(server, fingerprint string) string {
	return fmt.Sprintf("The server '%s' is not known yet. Its key is\n  %s\nTrust this server? (Y/N) [N]: ", server, fingerprint)
}

// NotFound is `net use` for a device that is not connected (NU-27): net's own text for ERROR_NOT_CONNECTED.
const NotFound = "The network connection could not be found.\n\nMore help is available by typing NET HELPMSG 2250.\n\n"

// Syntax is the grammar (netuse.md §1, NU-29), and /TCPPORT of later versions, which wnet takes too.
const Syntax = `The syntax of this command is:

NET USE
[devicename | *] [\\computername\sharename[\volume] [password | *]]
        [/USER:[domainname\]username]
        [/USER:[dotted domain name\]username]
        [/USER:[username@dotted domain name]
        [/SMARTCARD] [/SAVECRED]
        [/REQUIREINTEGRITY] [/REQUIREPRIVACY] [/WRITETHROUGH]
        [/TRANSPORT:{TCP | QUIC} [/SKIPCERTCHECK]] [/TCPPORT:port]
        [/REQUESTCOMPRESSION:{YES | NO}] [/GLOBAL]
        [[/DELETE] [/GLOBAL]]
NET USE {devicename | *} [password | *] /HOME
NET USE [/PERSISTENT:{YES | NO}]

`

// ViewSyntax is what wnet takes of `net view`.
const ViewSyntax = `The syntax of this command is:

NET VIEW
[\\computername [/ALL]]

`

// MoreHelp ends the syntax after an error (NU-29).
const MoreHelp = "More help is available by typing NET HELPMSG 3506.\n\n"

// Failure is what `net use` prints for an error, without wnet's own help: the unknown option (NU-28), the syntax (NU-29), net's own
// text for an unknown connection (NU-27), or the system error with its official text (NU-26). "" for nil.
func Failure(err error) string {
	var s *SyntaxError
	if errors.As(err, &s) {
		text := Syntax + MoreHelp
		if s.View {
			text = ViewSyntax + MoreHelp
		}
		if s.Option != "" {
			text = "The option " + s.Option + " is unknown.\n\n" + text
		}
		return text
	}
	switch {
	case err == nil:
		return ""
	case wnet.CodeOf(err) == win32.ERROR_NOT_CONNECTED:
		return NotFound
	}
	return SystemError(wnet.CodeOf(err))
}

// SystemError is a failure by its code (NU-26).
func SystemError(code win32.Code) string {
	return fmt.Sprintf("System error %d has occurred.\n\n%s\n\n", uint32(code), code.Error())
}

// Status is the exit status for an error (NU-26).
func Status(err error) int {
	var s *SyntaxError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &s):
		return ExitSyntax
	}
	return ExitSystem
}

// Explain is wnet's own help after Failure: who holds the connection, one a line, the cause and what to do. It ends in a newline, and is
// "" where there is nothing to add.
func Explain(err error) string {
	var b strings.Builder
	var s *SyntaxError
	if errors.As(err, &s) {
		return "Why: " + sentence(s.Why) + "\n"
	}
	var e *wnet.Error
	if !errors.As(err, &e) {
		if err != nil && wnet.CodeOf(err) == win32.ERROR_EXTENDED_ERROR {
			return "Why: " + sentence(err.Error()) + "\n"
		}
		return ""
	}
	for _, h := range e.Holders {
		b.WriteString(h.String() + "\n")
	}
	if e.Err != nil {
		if why := cause(e.Err.Error()); why != "" {
			b.WriteString("Why: " + sentence(why) + "\n")
		}
	}
	if e.NativeText != "" {
		who := e.Provider
		if who == "" {
			who = "The provider"
		}
		fmt.Fprintf(&b, "Why: %s answered %d: %s\n", who, e.Native, sentence(e.NativeText))
	}
	hint := e.Hint
	if hint == "" {
		hint = DefaultHint(e.Code)
	}
	if hint != "" {
		b.WriteString("What to do: " + hint + "\n")
	}
	return b.String()
}

// cause is a cause without Go's words for a call that took too long or was given up, which tell a person nothing more.
func cause(s string) string {
	for _, own := range []string{context.DeadlineExceeded.Error(), context.Canceled.Error()} {
		if s == own {
			return ""
		}
		s = strings.TrimSuffix(s, ": "+own)
	}
	return s
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	if c := s[0]; c >= 'a' && c <= 'z' && !strings.HasPrefix(s, "wnet") {
		s = string(c-32) + s[1:]
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

// DefaultHint is what a person can do about a code when the error itself has no better advice, "" where nothing can be said.
func DefaultHint(code win32.Code) string {
	switch code {
	case win32.ERROR_ACCESS_DENIED:
		return "Check the user name and its rights on the server; /USER:name * asks for a password."
	case win32.ERROR_INVALID_PASSWORD, win32.ERROR_LOGON_FAILURE:
		return "Type the password again: wnet use … /USER:name * asks for it."
	case win32.ERROR_BAD_NETPATH, win32.ERROR_REM_NOT_LIST:
		return "Check the server's name and that it is switched on and reachable."
	case win32.ERROR_BAD_NET_NAME:
		return "Check the share's name; wnet view //server lists what the server has."
	case win32.ERROR_ALREADY_ASSIGNED:
		return "Take another letter, '*' for the next free one, or give it up first: wnet cancel LETTER"
	case win32.ERROR_BAD_DEVICE:
		return "Devices are A: to Z: and LPT1 to LPT9."
	case win32.ERROR_BAD_DEV_TYPE:
		return "A letter is for a folder, LPT1 to LPT9 are for a printer."
	case win32.ERROR_DEVICE_ALREADY_REMEMBERED:
		return "Forget the remembered connection first: wnet use LETTER /delete"
	case win32.ERROR_CONNECTION_UNAVAIL:
		return "Connect it again: wnet restore LETTER"
	case win32.ERROR_NO_NET_OR_BAD_PATH:
		return "Check the spelling: //server/share, smb://server/share or sftp://user@server/path."
	case win32.ERROR_CANNOT_OPEN_PROFILE:
		return "Check that wnet's profile.toml can be read and written. Nothing was changed."
	case win32.ERROR_BAD_PROFILE:
		return "Mend wnet's profile.toml or move it away. Nothing was changed."
	case win32.ERROR_SESSION_CREDENTIAL_CONFLICT:
		return "Give up the other connections to this server first, or use the same user name."
	case win32.ERROR_NO_MORE_ITEMS, win32.ERROR_NO_MORE_DEVICES:
		return "Every letter is in use: give one up."
	case win32.ERROR_OPEN_FILES, win32.ERROR_ACTIVE_CONNECTIONS:
		return "Close these files, or force it: wnet cancel NAME --force"
	case win32.ERROR_DEVICE_IN_USE:
		return "Leave the folder in these programs, or force it: wnet cancel NAME --force"
	case win32.ERROR_NOT_CONNECTED:
		return "wnet use lists the connections of this session."
	case win32.ERROR_BAD_PROVIDER:
		return "wnet view --networks lists the networks that there are."
	}
	return ""
}
