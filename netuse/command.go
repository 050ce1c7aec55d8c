package netuse

import (
	"strconv"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Action is what a Command asks for.
type Action int

// The actions of `net use`.
const (
	List      Action = iota // list the connections (NU-01)
	Show                    // one device's details (NL-07)
	Connect                 // make a connection (NU-02, NU-03)
	Delete                  // cancel one and forget it (NU-09)
	DeleteAll               // cancel all and forget them (NU-10)
	Home                    // connect to the home folder (NU-08)
	Persist                 // change the setting only (NU-11)
	Help                    // print the syntax
)

// Any is the device name that stands for the next free letter (NU-02), and for all connections where one is deleted (NU-10).
const Any = "*"

// Password tells where a password comes from.
type Password int

// The sources of a password.
const (
	NoPassword       Password = iota // none was given: the default is used
	PasswordLiteral                  // it stands among the arguments (NU-04)
	PasswordAsk                      // "*": ask on the terminal, without echo (NU-04)
	PasswordFromPipe                 // --password-stdin: the first line of standard input
)

// Answer is the answer to every question, given beforehand (NU-13).
type Answer int

// The answers.
const (
	Ask Answer = iota
	Yes        // /Y
	No         // /N
)

// Command is a `net use` command as it was typed, its names normalised.
type Command struct {
	Action Action
	Device string // canonical ("Z:", "LPT1"), Any, or "" for a deviceless connection
	Remote string // in UNC form, "" if none was given
	Server string // the server in Remote as a prompt names it (NU-25)

	User      string // /USER, or the user in an address; "" for the default
	Named     bool   // Remote itself names the user, as SSH's names can: nobody else is meant, and only a password may be asked for
	Password  Password
	Secret    wnet.Secret // with PasswordLiteral
	SecretArg int         // with PasswordLiteral: its index among the arguments of Parse, so that a caller can wipe it there

	Persistent *bool // /PERSISTENT, nil if not given
	Answer     Answer
	Global     bool // /GLOBAL
	SmartCard  bool // /SMARTCARD
	SaveCred   bool // /SAVECRED

	RequireIntegrity bool            // /REQUIREINTEGRITY
	RequirePrivacy   bool            // /REQUIREPRIVACY
	WriteThrough     bool            // /WRITETHROUGH
	Options          wnet.UseOptions // /TRANSPORT, /SKIPCERTCHECK, /REQUESTCOMPRESSION, /TCPPORT

	AcceptHostKey string // --accept-host-key: "any", or the one fingerprint that is accepted; "" to ask
}

// AnyHostKey is Command.AcceptHostKey for a server key that nobody compares.
const AnyHostKey = "any"

// Type is the RESOURCETYPE_* that the device asks for: DISK for a letter, PRINT for a port, ANY without a device (A2-02).
func (c Command) Type() uint32 {
	switch {
	case c.Device == "":
		return win32.RESOURCETYPE_ANY
	case c.Device == Any || wnet.Device(c.Device).Drive():
		return win32.RESOURCETYPE_DISK
	}
	return win32.RESOURCETYPE_PRINT
}

// Flags are the CONNECT_* flags of the command (NU-12). remember adds CONNECT_UPDATE_PROFILE where a device is redirected: a
// connection without one is never remembered (A2-08). CONNECT_CMD_SAVECRED is not among them: it counts only for credentials that
// were prompted for (NU-07).
func (c Command) Flags(remember bool) uint32 {
	var f uint32
	for _, bit := range []struct {
		on   bool
		flag uint32
	}{
		{c.Device == Any, win32.CONNECT_REDIRECT},
		{remember && c.Device != "", win32.CONNECT_UPDATE_PROFILE},
		{c.RequireIntegrity, win32.CONNECT_REQUIRE_INTEGRITY},
		{c.RequirePrivacy, win32.CONNECT_REQUIRE_PRIVACY},
		{c.WriteThrough, win32.CONNECT_WRITE_THROUGH_SEMANTICS},
		{c.Options.RequestCompression == "YES", win32.CONNECT_COMPRESS_NETWORK_TRAFFIC},
		{c.Global, win32.CONNECT_GLOBAL_MAPPING},
	} {
		if bit.on {
			f |= bit.flag
		}
	}
	return f
}

// Check refuses what is good grammar and cannot be served: ERROR_NOT_SUPPORTED with the reason, nil otherwise.
func (c Command) Check() error {
	no := func(what, hint string) error {
		return &wnet.Error{Op: "UseConnection", Name: c.Remote, Code: win32.ERROR_NOT_SUPPORTED, Err: plain(what), Hint: hint}
	}
	switch {
	case c.SmartCard && !bySSH(c.Remote):
		return no("a smart card logs in to SSH servers only, with a key that ssh-agent holds",
			"Leave /SMARTCARD out, and use a user name and a password.")
	case c.Options.Transport == "QUIC":
		return no("SMB over QUIC is not spoken here", "Leave /TRANSPORT:QUIC out to connect over TCP.")
	}
	return nil
}

// bySSH reports whether a name in UNC form is one of SSH's.
func bySSH(remote string) bool {
	n, err := wnet.ParseRemoteName(remote)
	return err == nil && n.Scheme == wnet.SchemeSFTP
}

// At is a Home command's connection to the home folder: what the command with the remote name in place of /HOME would be. The error is that
// of a name that is none.
func (c Command) At(remote string) (Command, error) {
	c.Action = Connect
	p := parser{c: c}
	err := p.remote(remote)
	return p.c, err
}

// plain is an error that is its text.
type plain string

func (p plain) Error() string { return string(p) }

// Args gives arguments that Parse reads back into the same command. A literal password is left out, and the arguments ask for it
// ("*") instead.
func (c Command) Args() []string {
	var a []string
	add := func(on bool, arg string) {
		if on {
			a = append(a, arg)
		}
	}
	if c.Action == Help {
		return []string{"/?"}
	}
	if c.Action == DeleteAll {
		a = append(a, Any)
	}
	add(c.Device != "", c.Device)
	add(c.Remote != "", c.Remote)
	add(c.Password == PasswordAsk || c.Password == PasswordLiteral, "*")
	add(c.User != "", "/USER:"+c.User)
	add(c.Password == PasswordFromPipe, "--password-stdin")
	add(c.Action == Home, "/HOME")
	add(c.Action == Delete || c.Action == DeleteAll, "/DELETE")
	add(c.SmartCard, "/SMARTCARD")
	add(c.SaveCred, "/SAVECRED")
	add(c.RequireIntegrity, "/REQUIREINTEGRITY")
	add(c.RequirePrivacy, "/REQUIREPRIVACY")
	add(c.WriteThrough, "/WRITETHROUGH")
	add(c.Options.Transport != "", "/TRANSPORT:"+c.Options.Transport)
	add(c.Options.SkipCertCheck, "/SKIPCERTCHECK")
	add(c.Options.RequestCompression != "", "/REQUESTCOMPRESSION:"+c.Options.RequestCompression)
	add(c.Options.TCPPort != 0, "/TCPPORT:"+strconv.Itoa(c.Options.TCPPort))
	add(c.Global, "/GLOBAL")
	if c.Persistent != nil {
		a = append(a, "/PERSISTENT:"+yesNo(*c.Persistent))
	}
	add(c.Answer == Yes, "/Y")
	add(c.Answer == No, "/N")
	switch c.AcceptHostKey {
	case "":
	case AnyHostKey:
		a = append(a, "--accept-host-key")
	default:
		a = append(a, "--accept-host-key="+c.AcceptHostKey)
	}
	return a
}

func yesNo(b bool) string {
	if b {
		return "YES"
	}
	return "NO"
}

// Quote writes arguments as a person would type them in a shell: each in single quotes where the shell would change it.
func Quote(args ...string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		plainArg := a != "" && strings.IndexFunc(a, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r))
		}) < 0
		if plainArg {
			quoted[i] = a
		} else {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
