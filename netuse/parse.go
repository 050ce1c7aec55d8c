package netuse

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// SyntaxError is a command that is not in the grammar: exit status 1 (NU-26).
type SyntaxError struct {
	Option string // the option that is not known, as typed (NU-28); "" for a wrong syntax (NU-29)
	Why    string // what is wrong, in plain words: wnet's own help
	View   bool   // the command was `net view`
}

// Error gives what is wrong in one line.
func (e *SyntaxError) Error() string {
	if e.Option != "" {
		return "the option " + e.Option + " is unknown: " + e.Why
	}
	return e.Why
}

func syntax(format string, args ...any) error { return &SyntaxError{Why: fmt.Sprintf(format, args...)} }

// option is one row of the grammar. An option's name may be cut short as long as it stays unique (NU-14); own options are wnet's and
// are spelled out.
type option struct {
	name  string // upper case, without hyphens
	own   bool
	value value
	set   func(p *parser, value string) error
}

type value int

const (
	noValue value = iota
	needsValue
	mayHaveValue
)

func flag(field func(*parser) *bool) func(*parser, string) error {
	return func(p *parser, _ string) error { *field(p) = true; return nil }
}

// options returns the grammar's options (netuse.md §1) and wnet's own.
func options() []option {
	return []option{
		{name: "USER", value: needsValue, set: (*parser).setUser},
		{name: "SMARTCARD", set: flag(func(p *parser) *bool { return &p.c.SmartCard })},
		{name: "SAVECRED", set: flag(func(p *parser) *bool { return &p.c.SaveCred })},
		{name: "REQUIREINTEGRITY", set: flag(func(p *parser) *bool { return &p.c.RequireIntegrity })},
		{name: "REQUIREPRIVACY", set: flag(func(p *parser) *bool { return &p.c.RequirePrivacy })},
		{name: "WRITETHROUGH", set: flag(func(p *parser) *bool { return &p.c.WriteThrough })},
		{name: "TRANSPORT", value: needsValue, set: (*parser).setTransport},
		{name: "SKIPCERTCHECK", set: flag(func(p *parser) *bool { return &p.c.Options.SkipCertCheck })},
		{name: "REQUESTCOMPRESSION", value: needsValue, set: (*parser).setCompression},
		{name: "GLOBAL", set: flag(func(p *parser) *bool { return &p.c.Global })},
		{name: "DELETE", set: flag(func(p *parser) *bool { return &p.delete })},
		{name: "HOME", set: flag(func(p *parser) *bool { return &p.home })},
		{name: "PERSISTENT", value: needsValue, set: (*parser).setPersistent},
		{name: "TCPPORT", value: needsValue, set: (*parser).setPort},
		{name: "YES", set: func(p *parser, _ string) error { return p.setAnswer(Yes) }},
		{name: "NO", set: func(p *parser, _ string) error { return p.setAnswer(No) }},
		{name: "HELP", own: true, set: flag(func(p *parser) *bool { return &p.help })},
		{name: "?", own: true, set: flag(func(p *parser) *bool { return &p.help })},
		{name: "PASSWORDSTDIN", own: true, set: flag(func(p *parser) *bool { return &p.stdin })},
		{name: "ACCEPTHOSTKEY", own: true, value: mayHaveValue, set: (*parser).setHostKey},
	}
}

// OptionNames returns the options as a person types them, for completion. An option that takes a value ends in a colon.
func OptionNames() []string {
	var names []string
	for _, o := range options() {
		switch {
		case o.name == "?":
		case o.name == "PASSWORDSTDIN":
			names = append(names, "--password-stdin")
		case o.name == "ACCEPTHOSTKEY":
			names = append(names, "--accept-host-key")
		case o.value == needsValue:
			names = append(names, "/"+o.name+":")
		default:
			names = append(names, "/"+o.name)
		}
	}
	return names
}

type parser struct {
	c     Command
	words []word
	given map[string]string // option → value, to refuse two that differ

	delete, home, help, stdin bool
	userGiven                 bool
}

// word is an argument that is no option, and where it stood.
type word struct {
	text string
	arg  int
}

// Parse reads the arguments of `net use`. Options stand anywhere, in any case, spelled /NAME:value or --name=value, and a "--" ends
// them. A word that begins with two slashes or backslashes is a name, never an option.
//
// Errors: *SyntaxError for what is not in the grammar; *wnet.Error for a device or a remote name that is none (ERROR_BAD_DEVICE,
// ERROR_BAD_NET_NAME) or has invisible characters inside (ERROR_INVALID_NAME).
func Parse(args []string) (Command, error) {
	p := &parser{given: map[string]string{}}
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			for j := i + 1; j < len(args); j++ {
				p.words = append(p.words, word{args[j], j})
			}
			i = len(args)
		case a == "-h" || a == "-?":
			p.help = true
		case strings.HasPrefix(a, "--"):
			next := ""
			if i+1 < len(args) {
				next = args[i+1]
			}
			used, err := p.option(a, strings.ReplaceAll(a[2:], "-", ""), a[2:], i+1 < len(args), next)
			if err != nil {
				return Command{}, err
			}
			if used {
				i++
			}
		case strings.HasPrefix(a, "/") && !strings.HasPrefix(a, "//") && !strings.HasPrefix(a, `/\`):
			if _, err := p.option(a, a[1:], a[1:], false, ""); err != nil {
				return Command{}, err
			}
		default:
			p.words = append(p.words, word{a, i})
		}
	}
	if p.help {
		return Command{Action: Help}, nil
	}
	if err := p.finish(); err != nil {
		return Command{}, err
	}
	return p.c, nil
}

// option takes one option. spelled is the text with its value as typed, folded the same without hyphens in the name. hasNext and next
// are the argument after it, which a --name may take as its value; used says that it did.
func (p *parser) option(typed, folded, spelled string, hasNext bool, next string) (used bool, err error) {
	name := folded
	if i := strings.IndexAny(folded, ":="); i >= 0 {
		name = folded[:i]
	}
	_, val, hasVal := cutAny(spelled)
	o, err := find(name)
	if err != nil {
		err.(*SyntaxError).Option = typed
		return false, err
	}
	switch {
	case o.value == noValue && hasVal:
		return false, syntax("%s takes no value", slash(o))
	case o.value == needsValue && !hasVal && hasNext:
		val, used = next, true
	case o.value == needsValue && !hasVal:
		return false, syntax("%s needs a value, such as %s", slash(o), example(o))
	}
	if before, ok := p.given[o.name]; ok && before != val {
		return false, syntax("%s was given twice, with different values", slash(o))
	}
	p.given[o.name] = val
	return used, o.set(p, val)
}

func cutAny(s string) (name, val string, has bool) {
	if i := strings.IndexAny(s, ":="); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func slash(o option) string {
	switch o.name {
	case "PASSWORDSTDIN":
		return "--password-stdin"
	case "ACCEPTHOSTKEY":
		return "--accept-host-key"
	}
	return "/" + o.name
}

func example(o option) string {
	switch o.name {
	case "USER":
		return "/USER:anna"
	case "TRANSPORT":
		return "/TRANSPORT:TCP"
	case "TCPPORT":
		return "/TCPPORT:4455"
	}
	return slash(o) + ":YES"
}

// find knows an option by its whole name or by as much of it as is unique (NU-14).
func find(name string) (option, error) {
	up := strings.ToUpper(name)
	var found []option
	for _, o := range options() {
		if o.name == up {
			return o, nil
		}
		if !o.own && up != "" && strings.HasPrefix(o.name, up) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return option{}, &SyntaxError{Why: "wnet use knows no such option"}
	case 1:
		return found[0], nil
	}
	names := make([]string, len(found))
	for i, o := range found {
		names[i] = slash(o)
	}
	return option{}, &SyntaxError{Why: "it may mean " + strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]}
}

func (p *parser) setUser(v string) error {
	clean, err := wnet.Clean("user name", v)
	if err != nil {
		return err
	}
	p.c.User, p.userGiven = clean, true
	return nil
}

func (p *parser) setTransport(v string) error {
	switch up := strings.ToUpper(v); up {
	case "TCP", "QUIC":
		p.c.Options.Transport = up
		return nil
	}
	return syntax("/TRANSPORT is TCP or QUIC, not %q", v)
}

func (p *parser) setCompression(v string) error {
	on, err := boolean("/REQUESTCOMPRESSION", v)
	if err == nil {
		p.c.Options.RequestCompression = yesNo(on)
	}
	return err
}

func (p *parser) setPersistent(v string) error {
	on, err := boolean("/PERSISTENT", v)
	if err == nil {
		p.c.Persistent = &on
	}
	return err
}

func boolean(option, v string) (bool, error) {
	if up := strings.ToUpper(v); up != "" {
		if strings.HasPrefix("YES", up) {
			return true, nil
		}
		if strings.HasPrefix("NO", up) {
			return false, nil
		}
	}
	return false, syntax("%s is YES or NO, not %q", option, v)
}

func (p *parser) setPort(v string) error {
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil || n == 0 || v[0] == '+' {
		return syntax("/TCPPORT is a number from 1 to 65535, not %q", v)
	}
	p.c.Options.TCPPort = int(n)
	return nil
}

func (p *parser) setAnswer(a Answer) error {
	if p.c.Answer != Ask && p.c.Answer != a {
		return syntax("/Y and /N contradict each other")
	}
	p.c.Answer = a
	return nil
}

func (p *parser) setHostKey(v string) error {
	clean, err := wnet.Clean("fingerprint", v)
	if err != nil {
		return err
	}
	if clean == "" {
		clean = AnyHostKey
	}
	p.c.AcceptHostKey = clean
	return nil
}

// finish reads the words and puts them and the options into one of the forms of the grammar.
func (p *parser) finish() error {
	for i, w := range p.words {
		if i < 2 && strings.HasPrefix(w.text, "-") {
			return &SyntaxError{Option: w.text, Why: "options are written /NAME or --name"}
		}
	}
	if err := p.action(); err != nil {
		return err
	}
	if err := p.contradictions(); err != nil {
		return err
	}
	return p.names()
}

func (p *parser) action() error {
	switch n := len(p.words); {
	case p.home:
		p.c.Action = Home
	case p.delete && n == 0:
		return syntax("/DELETE needs to know what to delete: a device, a remote name, or * for all")
	case p.delete && p.words[0].text == Any:
		p.c.Action = DeleteAll
	case p.delete:
		p.c.Action = Delete
	case n == 0 && p.c.Persistent != nil:
		p.c.Action = Persist
	case n == 0:
		p.c.Action = List
	case n == 1 && !wnet.IsRemoteForm(p.words[0].text):
		p.c.Action = Show
		if p.words[0].text == Any {
			return syntax("* needs a remote name to connect to, or /DELETE")
		}
	default:
		p.c.Action = Connect
	}
	return nil
}

// contradictions refuses options that do not belong to the form (NU-29).
func (p *parser) contradictions() error {
	var allowed string
	switch p.c.Action {
	case Connect:
		allowed = "USER SMARTCARD SAVECRED REQUIREINTEGRITY REQUIREPRIVACY WRITETHROUGH TRANSPORT SKIPCERTCHECK REQUESTCOMPRESSION " +
			"GLOBAL PERSISTENT TCPPORT PASSWORDSTDIN ACCEPTHOSTKEY"
	case Delete, DeleteAll:
		allowed = "DELETE GLOBAL"
	case Home:
		allowed = "HOME PASSWORDSTDIN"
	case Persist:
		allowed = "PERSISTENT"
	}
	allowed += " YES NO"
	for _, o := range options() {
		if _, ok := p.given[o.name]; ok && !contains(strings.Fields(allowed), o.name) {
			return syntax("%s does not go with %s", slash(o), p.form())
		}
	}
	if p.c.Options.SkipCertCheck && p.c.Options.Transport == "" {
		return syntax("/SKIPCERTCHECK goes with /TRANSPORT")
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func (p *parser) form() string {
	switch p.c.Action {
	case List:
		return "a list of all connections; a device or a remote name is missing"
	case Show:
		return "a device alone; the remote name is missing"
	case Delete, DeleteAll:
		return "/DELETE"
	case Home:
		return "/HOME"
	case Persist:
		return "/PERSISTENT alone; a remote name is missing"
	}
	return "a connection"
}

// names reads device, remote name and password out of the words.
func (p *parser) names() error {
	w := p.words
	if p.c.Action == Home && len(w) == 0 {
		return syntax("/HOME needs a device, or * for the next free one")
	}
	if len(w) > 0 && (!wnet.IsRemoteForm(w[0].text) || p.c.Action == Home) {
		if err := p.device(w[0].text); err != nil {
			if len(w) > 2 && !wnet.IsRemoteForm(w[1].text) {
				return syntax("there are more words than a device, a remote name and a password; %s", globbed)
			}
			return err
		}
		w = w[1:]
	}
	if len(w) > 0 && p.c.Action != Home {
		if w[0].text == Any {
			return syntax("a password (*) needs a remote name before it")
		}
		if len(w) > 2 {
			return syntax("there are more words than a device, a remote name and a password; %s", globbed)
		}
		if err := p.remote(w[0].text); err != nil {
			return err
		}
		w = w[1:]
	}
	switch {
	case len(w) > 1:
		return syntax("there are more words than a device and a password; %s", globbed)
	case len(w) == 1 && p.c.Action != Connect && p.c.Action != Home:
		return syntax("a password does not go with %s", p.form())
	case len(w) == 1 && p.stdin:
		return syntax("the password comes either from the command line or from --password-stdin")
	case len(w) == 1 && w[0].text == "*":
		p.c.Password = PasswordAsk
	case len(w) == 1:
		p.c.Password, p.c.Secret, p.c.SecretArg = PasswordLiteral, wnet.NewSecret(w[0].text), w[0].arg
	case p.stdin:
		p.c.Password = PasswordFromPipe
	}
	if p.c.Action == DeleteAll {
		if p.c.Remote != "" {
			return syntax("* /DELETE takes no remote name")
		}
		p.c.Device = ""
	}
	return nil
}

// globbed is what most often lies behind too many words on Linux.
const globbed = `if you typed *, write '*' so that the shell does not put file names in its place`

func (p *parser) device(s string) error {
	if s == Any {
		p.c.Device = Any
		return nil
	}
	d, err := Device(s)
	p.c.Device = string(d)
	return err
}

// Device reads a device name as people type it: in any case, with the trailing slash that a path has ("Z:\"). Errors: ERROR_BAD_DEVICE,
// ERROR_INVALID_NAME for invisible characters inside, ERROR_BAD_NET_NAME for a remote name that a shell has mangled.
func Device(s string) (wnet.Device, error) {
	clean, err := wnet.Clean("device name", s)
	if err != nil {
		return "", err
	}
	d := clean
	if len(d) > 2 && d[1] == ':' {
		d = strings.TrimRight(d, `\/`)
	}
	dev, err := wnet.ParseDevice(d)
	switch {
	case err == nil:
		return dev, nil
	case strings.HasPrefix(clean, `\`):
		return "", eaten(clean)
	}
	e := &wnet.Error{Op: "UseConnection", Name: clean, Code: win32.ERROR_BAD_DEVICE}
	if len(d) == 1 && (d[0]|0x20) >= 'a' && (d[0]|0x20) <= 'z' {
		e.Hint = "Write " + strings.ToUpper(d) + ": with a colon."
	}
	return "", e
}

// eaten is the error for `\\nas\media` after a shell has taken backslashes away.
func eaten(s string) error {
	return &wnet.Error{Op: "UseConnection", Name: s, Code: win32.ERROR_BAD_NET_NAME,
		Err:  errors.New("the name begins with one backslash; the shell takes backslashes away"),
		Hint: `Write //server/share, or '\\server\share' in single quotes.`}
}

func (p *parser) remote(s string) error {
	if strings.HasPrefix(s, `\`) && !wnet.IsRemoteForm(s) {
		return eaten(s)
	}
	n, err := wnet.ParseRemoteName(s)
	if err != nil {
		return wnet.AsError("UseConnection", "", err)
	}
	p.c.Remote, p.c.Server = n.String(), n.Server
	if n.Port != 0 && p.c.Options.TCPPort != 0 && p.c.Options.TCPPort != n.Port {
		return syntax("/TCPPORT:%d contradicts the port in the address", p.c.Options.TCPPort)
	}
	if n.User != "" && p.userGiven && p.c.User != n.User {
		return syntax("/USER contradicts the user in the address")
	}
	if p.c.Action != Connect {
		return nil
	}
	// Windows keeps an SMB port beside the name, in UseOptions; and only SSH's names have a place for a user.
	if n.Scheme == wnet.SchemeUNC && n.Port != 0 {
		p.c.Options.TCPPort = n.Port
	}
	if n.Scheme == wnet.SchemeSFTP {
		p.c.Named = n.User != ""
	} else if n.User != "" {
		p.c.User = n.User
	}
	return nil
}
