package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

const media = `\\nas\media`

// TestUseListAndShow lists, and describes one device.
//
// Rows: NU-01, NU-21, NU-27, NU-29, NL-07.
func TestUseListAndShow(t *testing.T) {
	e := env{fake: &fake{save: true}}
	e.run(t, "use").want(t, "NU-01, NU-21", 0, "New connections will be remembered.\n\nThere are no entries in the list.\n\n")
	e.connections = []wnet.Connection{drive("Z:", media), drive("", `\\nas\x`), drive("D:", `\\nas\y`)}
	e.run(t, "use").want(t, "NU-01", 0, netuse.Listing(true, []wnet.Connection{e.connections[2], e.connections[0], e.connections[1]}))
	e.run(t, "use", "z:").want(t, "NL-07", 0, netuse.Detail(e.connections[0]))
	e.run(t, "use", "S:").want(t, "NU-27", 2, "", "The network connection could not be found.\n\nMore help is available by typing NET HELPMSG 2250.\n\n")
	e.run(t, "use", "/?").want(t, "NU-29", 0, netuse.Syntax)
	e.run(t, "use", "--help").want(t, "NU-29", 0, netuse.Syntax)
	e.saveErr = &wnet.Error{Code: win32.ERROR_BAD_PROFILE, Err: errors.New("line 3, column 4")}
	list := netuse.Listing(false, []wnet.Connection{e.connections[2], e.connections[0], e.connections[1]})
	e.run(t, "use").want(t, "NU-01, no success beside a failure (NU-22)", 2, strings.TrimSuffix(list, netuse.Success),
		"System error 1206 has occurred.", "Line 3, column 4")
	e.run(t, "use", "z:").want(t, "NL-07", 0, netuse.Detail(e.connections[0]))
	e.run(t, "use", "S:").want(t, "NU-27", 2, "", "System error 1206 has occurred.")
	r := e.run(t, "list", "--json")
	if r.want(t, "list", 2, r.out, "System error 1206 has occurred."); strings.Count(r.out, `"remoteName"`) != 3 {
		t.Errorf("drives are hidden by a broken profile: %s", r.out)
	}
	e.connections = nil
	e.run(t, "use").want(t, "NU-01", 2, "", "System error 1206 has occurred.")
	e.run(t, "list").want(t, "list", 2, "", "System error 1206 has occurred.")
}

// TestUseSyntax refuses what is not understood or not served, and reaches no service with it.
//
// Rows: NU-06, NU-08, NU-26, NU-28, NU-29.
func TestUseSyntax(t *testing.T) {
	e := env{fake: &fake{}}
	e.run(t, "use", "/frobnicate").want(t, "NU-28", 1, "", "The option /frobnicate is unknown.\n\nThe syntax of this command is:\n\nNET USE\n")
	e.run(t, "use", "Z:", media, "/delete", "/user:x").want(t, "NU-29", 1, "", "The syntax of this command is:",
		"More help is available by typing NET HELPMSG 3506.\n\nWhy: /USER does not go with /DELETE.\n")
	e.run(t, "use", "Z:", media, "/smartcard").want(t, "NU-06", 2, "",
		"System error 50 has occurred.\n\nThe request is not supported.\n\nWhy: A smart card logs in to SSH servers only")
	e.run(t, "use", "Z:", media, "/transport:quic").want(t, "NU-12", 2, "", "System error 50 has occurred.", "QUIC")
	e.run(t, "use", "Z:", `\nasmedia`).want(t, "A2-15", 2, "", "System error 67 has occurred.", "single quotes")
	e.run(t, "frobnicate").want(t, "NU-26", 1, "", `unknown command "frobnicate"`)
	e.run(t, "list", "--frobnicate").want(t, "NU-26", 1, "", "wnet list: unknown flag", "wnet list --help")
	e.run(t, "cancel").want(t, "NU-26", 1, "", "wnet cancel: requires at least 1 arg")
	if len(e.added)+len(e.used)+len(e.cancels) > 0 {
		t.Error("a command that is not understood reached the service")
	}
}

// TestUseHome connects to the home folder that the daemon knows, else to the one in the environment, as any other name.
//
// Rows: NU-08.
func TestUseHome(t *testing.T) {
	t.Setenv("HOMESHARE", "")
	e := env{fake: &fake{}, stdin: "secret\n"}
	e.run(t, "use", "H:", "/home").want(t, "none is set", 2, "", "System error 3 has occurred.", "No home folder is set.")
	t.Setenv("HOMESHARE", `\\old\anna`)
	e.run(t, "use", "H:", "/home").want(t, "environment", 0, netuse.Success)
	e.home = `\\nas\anna`
	e.run(t, "use", "H:", "/home", "--password-stdin").want(t, "daemon", 0, netuse.Success)
	e.run(t, "use", "*", "/home").want(t, "any", 0, "Drive Z: is now connected to \\\\nas\\anna.\n\n"+netuse.Success)
	if len(e.added) != 2 || e.added[0].RemoteName != `\\old\anna` || e.added[1].RemoteName != `\\nas\anna` || e.added[1].LocalName != "H:" ||
		!e.added[1].Password.Equal(wnet.NewSecret("secret")) || len(e.used) != 1 || e.used[0].RemoteName != `\\nas\anna` {
		t.Errorf("added %+v, used %+v", e.added, e.used)
	}
}

// TestUseConnect connects, and remembers what it should.
//
// Rows: NU-02, NU-03, NU-11, NU-12, NU-22, NU-24, NU-26.
func TestUseConnect(t *testing.T) {
	e := env{fake: &fake{save: true}}
	e.run(t, "use", "Z:", "//nas/media").want(t, "NU-22", 0, "The command completed successfully.\n\n")
	if r := e.added[0]; r.Type != win32.RESOURCETYPE_DISK || r.LocalName != "Z:" || r.RemoteName != media ||
		r.Flags != win32.CONNECT_UPDATE_PROFILE || r.Password.Present() || r.User != "" {
		t.Errorf("NU-02: %+v", r)
	}
	e.run(t, "use", "//nas/media").want(t, "NU-03", 0, netuse.Success)
	if r := e.added[1]; r.LocalName != "" || r.Type != win32.RESOURCETYPE_ANY || r.Flags != 0 {
		t.Errorf("NU-03: %+v", r)
	}
	e.run(t, "use", "*", "//nas/media", "/p:no").want(t, "NU-24", 0,
		"Drive Z: is now connected to \\\\nas\\media.\n\nThe command completed successfully.\n\n")
	if r := e.used[0]; r.LocalName != "" || r.Type != win32.RESOURCETYPE_DISK || r.Flags != win32.CONNECT_REDIRECT {
		t.Errorf("NU-02 *: %+v", r)
	}
	if e.save {
		t.Error("NU-11: /persistent:no did not change the setting")
	}
	e.run(t, "use", "Y:", "//nas/media").want(t, "NU-11", 0, netuse.Success)
	if e.added[2].Flags != 0 {
		t.Errorf("NU-11: remembered against the setting: %+v", e.added[2])
	}
	e.run(t, "use", "/persistent:yes").want(t, "NU-11", 0, netuse.Success)
	if !e.save || len(e.added) != 3 {
		t.Error("NU-11: /persistent:yes alone did not change the setting, or did more")
	}
	e.run(t, "use", "Z:", "smb://nas:4455/media", "/requireintegrity", "/writethrough").want(t, "NU-12", 0, netuse.Success)
	if r := e.added[3]; r.Options.TCPPort != 4455 || r.Flags != win32.CONNECT_UPDATE_PROFILE|win32.CONNECT_REQUIRE_INTEGRITY|win32.CONNECT_WRITE_THROUGH_SEMANTICS {
		t.Errorf("NU-12: %+v", r)
	}
	e.add = func(wnet.AddRequest) error { return &wnet.Error{Code: win32.ERROR_ALREADY_ASSIGNED, Name: "Z:"} }
	e.run(t, "use", "Z:", media, "/p:no").want(t, "NU-26", 2, "",
		"System error 85 has occurred.\n\nThe local device name is already in use.\n\nWhat to do: ")
	if !e.save {
		t.Error("NU-11: a connection that failed changed the setting")
	}
}

// TestUsePath: at a terminal a person learns where the drive is, and standard output stays as it is.
func TestUsePath(t *testing.T) {
	t.Setenv("HOME", "/home/x")
	e := env{fake: &fake{connections: []wnet.Connection{drive("Z:", media)}}, terms: true}
	e.run(t, "use", "*", media).want(t, "path", 0, netuse.Connected("Z:", media)+netuse.Success, "Z: is at ~/wnet/Z\n")
}

// TestUsePassword takes the password from where it is said to be.
//
// Rows: NU-04, NU-05.
func TestUsePassword(t *testing.T) {
	e := env{fake: &fake{}, stdin: "s\u00e9same \r\nmore\n"}
	e.run(t, "use", "Z:", media, "--password-stdin", "/user:bob").want(t, "stdin", 0, netuse.Success, "carriage return")
	if r := e.added[0]; r.Password.Reveal() != "s\u00e9same " || r.User != "bob" {
		t.Errorf("password %q user %q", r.Password.Reveal(), r.User)
	}
	e.run(t, "use", "Z:", media, "hunter2").want(t, "NU-04", 0, netuse.Success, "Warning: a password on the command line")
	if r := e.added[1]; r.Password.Reveal() != "hunter2" {
		t.Errorf("password %q", r.Password.Reveal())
	}
	e.run(t, "use", "Z:", media, "").want(t, "A2-06", 0, netuse.Success)
	if r := e.added[2]; !r.Password.Present() || r.Password.Reveal() != "" {
		t.Error("an empty password is not no password")
	}
	e.run(t, "use", "Z:", media, "*").want(t, "NU-04", 2, "", "System error 1223", "--password-stdin")
	e.typist = &typist{answers: []string{"s3cret"}}
	e.run(t, "use", "Z:", media, "*").want(t, "NU-04", 0, netuse.Success)
	if r := e.added[3]; r.Password.Reveal() != "s3cret" || e.typist.asked[0] != "Enter the password for 'nas': " {
		t.Errorf("password %q, asked %q", r.Password.Reveal(), e.typist.asked)
	}
}

// TestUseLogin: a server that wants a name and a password gets them from a person, three times at most (NU-25).
//
// Rows: NU-07, NU-25.
func TestUseLogin(t *testing.T) {
	needs := func(user, pw string) func(wnet.AddRequest) error {
		return func(r wnet.AddRequest) error {
			if r.User == user && r.Password.Reveal() == pw {
				return nil
			}
			return &wnet.Error{Code: win32.ERROR_LOGON_FAILURE}
		}
	}
	f := &fake{add: needs("anna", "right")}
	e := env{fake: f}
	e.run(t, "use", "Z:", media).want(t, "no terminal", 2, "", "System error 1326 has occurred.")
	if len(f.added) != 1 {
		t.Errorf("%d attempts without a terminal", len(f.added))
	}
	e.typist = &typist{answers: []string{"bob", "wrong", "anna", "right"}}
	e.run(t, "use", "Z:", media, "/savecred").want(t, "NU-25", 0, netuse.Success)
	if got := strings.Join(e.typist.asked, ""); got != strings.Repeat("Enter the user name for 'nas': Enter the password for 'nas': ", 2) {
		t.Errorf("NU-25: %q", got)
	}
	const saving = win32.CONNECT_INTERACTIVE | win32.CONNECT_COMMANDLINE | win32.CONNECT_CMD_SAVECRED
	if n := len(f.added); f.added[1].Flags&saving != 0 || f.added[n-1].Flags&saving != saving {
		t.Errorf("NU-07: flags %#x then %#x", f.added[1].Flags, f.added[n-1].Flags)
	}
	f.added = nil
	e.typist = &typist{answers: []string{"1", "2", "3", "4"}}
	e.run(t, "use", "Z:", media, "/user:anna").want(t, "NU-25", 2, "", "System error 1326")
	if len(f.added) != 4 || len(e.typist.answers) != 1 {
		t.Errorf("%d attempts, %d answers left", len(f.added), len(e.typist.answers))
	}
	f.added = nil
	e.run(t, "use", "Z:", media, "/user:anna", "wrong").want(t, "NU-25", 2, "", "System error 1326")
	if len(f.added) != 1 {
		t.Error("a password was given and another one asked for")
	}
	e.typist = &typist{}
	e.run(t, "use", "Z:", media).want(t, "NU-25", 2, "", "System error 1223")
	f.added, f.add = nil, needs("anna", "right")
	e.typist = &typist{answers: []string{"anna", "right"}}
	e.run(t, "use", "Z:", media).want(t, "NU-07", 0, netuse.Success)
	if f.added[1].Flags&saving != 0 {
		t.Error("NU-07: credentials are saved without /SAVECRED")
	}
	// SSH's names say who the user is, and another answer would change nothing.
	f.added, f.add = nil, needs("", "right")
	e.typist = &typist{answers: []string{"right"}}
	e.run(t, "use", "Z:", "sftp://anna@nas/srv").want(t, "a name that names the user", 0, netuse.Success)
	if got := strings.Join(e.typist.asked, ""); got != "Enter the password for 'nas': " {
		t.Errorf("asked %q", got)
	}
}

func TestUseHostKey(t *testing.T) {
	f := &fake{add: func(r wnet.AddRequest) error {
		if r.Options.HostKey == "SHA256:abc" {
			return nil
		}
		return &wnet.Error{Code: win32.ERROR_MUTUAL_AUTH_FAILED, HostKey: "SHA256:abc"}
	}}
	e := env{fake: f}
	const server = "sftp://anna@nas/srv"
	e.run(t, "use", "Z:", server).want(t, "no terminal", 2, "", "System error 1397 has occurred.")
	e.run(t, "use", "Z:", server, "--accept-host-key").want(t, "any", 0, netuse.Success, "SHA256:abc")
	e.run(t, "use", "Z:", server, "--accept-host-key=SHA256:abc").want(t, "that", 0, netuse.Success, "SHA256:abc")
	e.run(t, "use", "Z:", server, "--accept-host-key=SHA256:x").want(t, "another", 2, "", "System error 1397", "not the one given")
	e.typist = &typist{answers: []string{"y", "", "no"}}
	e.run(t, "use", "Z:", server).want(t, "yes", 0, netuse.Success)
	if want := "The server 'nas' is not known yet. Its key is\n  SHA256:abc\nTrust this server? (Y/N) [N]: "; e.typist.asked[0] != want {
		t.Errorf("asked %q", e.typist.asked[0])
	}
	e.run(t, "use", "Z:", server).want(t, "default", 2, "", "System error 1397")
	e.run(t, "use", "Z:", server).want(t, "no", 2, "", "System error 1397")
}

// TestUseDelete deletes one connection, and asks where files are open.
//
// Rows: NU-09, NU-13, NU-23, NU-27, NU-31.
func TestUseDelete(t *testing.T) {
	f := &fake{connections: []wnet.Connection{drive("Z:", media)}}
	e := env{fake: f}
	e.run(t, "use", `Z:\`, "/delete").want(t, "NU-23", 0, "Z: was deleted successfully.\n\n")
	if c := f.cancels[0]; c != (wnet.CancelRequest{Name: "Z:", Flags: win32.CONNECT_UPDATE_PROFILE}) {
		t.Errorf("NU-09: %+v", c)
	}
	e.run(t, "use", "//nas/media/", "/d").want(t, "NU-23", 0, "\\\\nas\\media was deleted successfully.\n\n")
	e.run(t, "use", "Z:", `\\NAS\Media`, "/d").want(t, "NU-23", 0, "Z: was deleted successfully.\n\n")
	e.run(t, "use", "Z:", `\\nas\other`, "/d").want(t, "NU-27", 2, "", netuse.NotFound, `not \\nas\other`)
	if len(f.cancels) != 3 {
		t.Errorf("%d cancels", len(f.cancels))
	}
	f.cancel = func(r wnet.CancelRequest) (wnet.CancelResult, error) {
		if !r.Force {
			return wnet.CancelResult{}, openFiles(r.Name)
		}
		return wnet.CancelResult{Aside: []string{"/kept/notes.txt"}}, nil
	}
	question := netuse.OpenFiles("Z:") + netuse.AskForce + "\n"
	const holder = "vim (pid 4711, user anna) has notes.txt open for writing\n"
	e.run(t, "use", "Z:", "/delete").want(t, "NU-31 end of input", 2, question, holder)
	e.stdin = "n\n"
	e.run(t, "use", "Z:", "/delete").want(t, "NU-31 no", 2, question, holder)
	e.stdin = "y\n"
	e.run(t, "use", "Z:", "/delete").want(t, "NU-31 yes", 0, question+"Z: was deleted successfully.\n\n", holder, "/kept/notes.txt")
	e.run(t, "use", "Z:", "/delete", "/y").want(t, "NU-13", 0, netuse.OpenFiles("Z:")+"Z: was deleted successfully.\n\n", holder)
	e.run(t, "use", "Z:", "/delete", "/n").want(t, "NU-13", 2, netuse.OpenFiles("Z:"), holder)
	f.cancel = func(wnet.CancelRequest) (wnet.CancelResult, error) {
		return wnet.CancelResult{}, &wnet.Error{Code: win32.ERROR_NOT_CONNECTED}
	}
	e.run(t, "use", "S:", "/delete").want(t, "NU-27", 2, "", netuse.NotFound)
}

// TestUseDeleteAll deletes all after a question.
//
// Rows: NU-10, NU-13, NU-30, NU-31.
func TestUseDeleteAll(t *testing.T) {
	e := env{fake: &fake{}}
	e.run(t, "use", "*", "/delete").want(t, "NU-21", 0, netuse.Empty)
	global := drive("G:", `\\nas\global`)
	global.Global = true
	e.connections = []wnet.Connection{drive("", media), drive("Z:", media), drive("", `\\NAS\MEDIA`), drive("Y:", media), global}
	list := "You have these remote connections:\n\n" +
		"    Y:              \\\\nas\\media\n    Z:              \\\\nas\\media\n                    \\\\nas\\media\n                    \\\\NAS\\MEDIA\n" +
		"Continuing will cancel the connections.\n\n"
	const question = "Do you want to continue this operation? (Y/N) [N]: \n"
	e.run(t, "use", "*", "/delete").want(t, "NU-30 end of input", 2, list+question, "Nothing was cancelled")
	if len(e.cancels) > 0 {
		t.Fatal("cancelled without an answer")
	}
	e.run(t, "use", "*", "/delete", "/y").want(t, "NU-30 /y", 0, list+netuse.Success)
	var names []string
	for _, c := range e.cancels {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != `Y: Z: \\nas\media` {
		t.Errorf("NU-30: cancelled %s", got)
	}
	e.cancel = func(r wnet.CancelRequest) (wnet.CancelResult, error) {
		switch {
		case r.Name == "Y:" && !r.Force:
			return wnet.CancelResult{}, openFiles("Y:")
		case r.Name == "Z:":
			return wnet.CancelResult{}, &wnet.Error{Code: win32.ERROR_DEVICE_IN_USE, Holders: []wnet.Holder{{PID: 1, Program: "sh", User: "x", File: ".", Use: wnet.UseCwd}}}
		}
		return wnet.CancelResult{}, &wnet.Error{Code: win32.ERROR_NOT_CONNECTED}
	}
	e.stdin, e.cancels = "y\ny\n", nil
	e.run(t, "use", "*", "/delete").want(t, "NU-31", 2, list+question+netuse.OpenFiles("Y:")+netuse.AskForce+"\n",
		"Z: is still connected.\nSystem error 2404 has occurred.", "sh (pid 1, user x) has its working directory in the top folder")
	if len(e.cancels) != 4 {
		t.Errorf("NU-31: %+v", e.cancels)
	}
	e.cancel, e.cancels = nil, nil
	defer func() {
		if len(e.cancels) != 1 || e.cancels[0].Flags != win32.CONNECT_UPDATE_PROFILE|win32.CONNECT_GLOBAL_MAPPING {
			t.Errorf("NU-12 /GLOBAL: %+v", e.cancels)
		}
	}()
	e.run(t, "use", "*", "/delete", "/global", "/y").want(t, "NU-12", 0,
		"You have these remote connections:\n\n    G:              \\\\nas\\global\nContinuing will cancel the connections.\n\n"+netuse.Success)
}
