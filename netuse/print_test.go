package netuse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

func golden(t *testing.T, id, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s\n--- got\n%s\n--- want\n%s", id, strings.ReplaceAll(got, " ", "·"), strings.ReplaceAll(want, " ", "·"))
	}
}

func conn(device, remote string, state wnet.State) wnet.Connection {
	return wnet.Connection{Device: device, RemoteName: remote, Type: win32.RESOURCETYPE_DISK, Provider: LanMan,
		Status: wnet.Status{State: state}, Connected: state == wnet.StateOK}
}

// TestListing holds the listing, column by column.
//
// Rows: NL-01, NL-02, NL-03, NL-04, NL-06, NU-20, NU-21.
func TestListing(t *testing.T) {
	golden(t, "NU-20, NU-21", Listing(true, nil), "New connections will be remembered.\n\nThere are no entries in the list.\n\n")
	golden(t, "NU-20, NU-21", Listing(false, nil), "New connections will not be remembered.\n\nThere are no entries in the list.\n\n")
	sftp := conn("", `\\sshfs\anna@nas\docs`, wnet.StateOK)
	sftp.Provider = "SFTP Network"
	none := conn("Q:", `\\nas\x`, "")
	none.Provider = ""
	golden(t, "NL-01 to NL-04", Listing(true, []wnet.Connection{
		conn("Z:", `\\server\share`, wnet.StateOK),
		conn("X:", `\\server2\share`, wnet.StateDisconnected),
		conn("Y:", `\\server\a-25-characters-`, wnet.StateUnavailable),
		conn("W:", `\\server\a-26-characters--`, wnet.StateReconnecting),
		conn("LPT1", `\\server\Größe`, wnet.StateNetworkError),
		sftp, none,
	}), `New connections will be remembered.


Status       Local     Remote                    Network

-------------------------------------------------------------------------------
OK           Z:        \\server\share            Microsoft Windows Network
Disconnected X:        \\server2\share           Microsoft Windows Network
Unavailable  Y:        \\server\a-25-characters- Microsoft Windows Network
Reconnecting W:        \\server\a-26-characters--
                                                Microsoft Windows Network
Network errorLPT1      \\server\Größe            Microsoft Windows Network
OK                     \\sshfs\anna@nas\docs     SFTP Network
             Q:        \\nas\x
The command completed successfully.

`)
}

// TestDetail holds `net use Z:`.
//
// Rows: NL-07.
func TestDetail(t *testing.T) {
	c := conn("Z:", `\\server\share`, wnet.StateOK)
	c.Opens, c.Uses = 3, 1
	golden(t, "NL-07", Detail(c), `Local name        Z:
Remote name       \\server\share
Resource type     Disk
Status            OK
# Opens           3
# Connections     1
The command completed successfully.

`)
	c.Provider, c.Type = "Web Client Network", win32.RESOURCETYPE_PRINT
	golden(t, "NL-07", Detail(c), `Local name        Z:
Remote name       \\server\share
Resource type     Print
The command completed successfully.

`)
}

// TestDeleting holds what is printed around deleting and connecting.
//
// Rows: NU-22, NU-23, NU-24, NU-25, NU-30, NU-31.
func TestDeleting(t *testing.T) {
	golden(t, "NU-30", DeletingAll([]wnet.Connection{conn("Z:", `\\server\share`, wnet.StateOK), conn("", `\\server\IPC$`, wnet.StateOK)})+
		AskContinue, `You have these remote connections:

    Z:              \\server\share
                    \\server\IPC$
Continuing will cancel the connections.

Do you want to continue this operation? (Y/N) [N]: `)
	golden(t, "NU-31", OpenFiles("Z:")+AskForce,
		`There are open files and/or incomplete directory searches pending on the connection to Z:.

Is it OK to continue disconnecting and force them closed? (Y/N) [N]: `)
	golden(t, "NU-23", Deleted("Z:"), "Z: was deleted successfully.\n\n")
	golden(t, "NU-24", Connected("Z:", `\\server\share`)+Success,
		"Drive Z: is now connected to \\\\server\\share.\n\nThe command completed successfully.\n\n")
	golden(t, "NU-25", AskUser("nas")+AskPassword("nas"), "Enter the user name for 'nas': Enter the password for 'nas': ")
}

// TestFailure holds what is printed for an error, and its exit status.
//
// Rows: NU-26, NU-27, NU-28, NU-29.
func TestFailure(t *testing.T) {
	golden(t, "NU-26", Failure(&wnet.Error{Code: win32.ERROR_ALREADY_ASSIGNED}),
		"System error 85 has occurred.\n\nThe local device name is already in use.\n\n")
	golden(t, "NU-27", Failure(&wnet.Error{Code: win32.ERROR_NOT_CONNECTED}),
		"The network connection could not be found.\n\nMore help is available by typing NET HELPMSG 2250.\n\n")
	golden(t, "NU-28", Failure(&SyntaxError{Option: "/X"}), "The option /X is unknown.\n\n"+Syntax+MoreHelp)
	golden(t, "NU-29", Failure(&SyntaxError{Why: "x"})[:len("The syntax of this command is:\n\nNET USE\n[devicename | *]")],
		"The syntax of this command is:\n\nNET USE\n[devicename | *]")
	if !strings.HasSuffix(Failure(&SyntaxError{}), "More help is available by typing NET HELPMSG 3506.\n\n") {
		t.Error("NU-29: the syntax ends without more help")
	}
	for _, tt := range []struct {
		err  error
		want int
	}{{nil, 0}, {&SyntaxError{}, 1}, {&wnet.Error{Code: 5}, 2}, {win32.ERROR_BUSY, 2}, {errors.New("x"), 2}} {
		if got := Status(tt.err); got != tt.want {
			t.Errorf("NU-26: status of %v is %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestExplain(t *testing.T) {
	golden(t, "holders", Explain(&wnet.Error{Code: win32.ERROR_OPEN_FILES, Name: "Z:", Hint: "Close it.", Holders: []wnet.Holder{
		{PID: 4711, Program: "vim", User: "anna", File: "notes.txt", Use: wnet.UseWrite},
		{PID: 4712, Program: "bash", User: "anna", File: ".", Use: wnet.UseCwd},
	}}), `vim (pid 4711, user anna) has notes.txt open for writing
bash (pid 4712, user anna) has its working directory in the top folder
What to do: Close it.
`)
	golden(t, "cause", Explain(&wnet.Error{Code: win32.ERROR_BAD_NETPATH, Err: errors.New("port 445 is closed")}),
		"Why: Port 445 is closed.\nWhat to do: "+DefaultHint(win32.ERROR_BAD_NETPATH)+"\n")
	golden(t, "late", Explain(&wnet.Error{Code: win32.ERROR_BAD_NETPATH, Hint: "Wait.",
		Err: fmt.Errorf("the server did not answer in time: %w", context.DeadlineExceeded)}),
		"Why: The server did not answer in time.\nWhat to do: Wait.\n")
	golden(t, "given up", Explain(&wnet.Error{Code: win32.ERROR_CANCELLED, Err: errors.New("context canceled")}), "")
	golden(t, "extended", Explain(&wnet.Error{Code: win32.ERROR_EXTENDED_ERROR, Provider: "SFTP", Native: 4, NativeText: "Failure"}),
		"Why: SFTP answered 4: Failure.\n")
	golden(t, "syntax", Explain(&SyntaxError{Why: "it may mean /A or /B"}), "Why: It may mean /A or /B.\n")
	golden(t, "nothing", Explain(nil), "")
}

// TestView holds `net view`.
//
// Rows: NL-08, NL-09.
func TestView(t *testing.T) {
	shares := []wnet.Resource{
		{RemoteName: `\\nas\media`, Type: win32.RESOURCETYPE_DISK, Comment: "Films"},
		{RemoteName: `\\nas\laser`, Type: win32.RESOURCETYPE_PRINT},
		{RemoteName: `\\nas\IPC$`, Type: win32.RESOURCETYPE_UNKNOWN, Comment: "Remote IPC"},
		{RemoteName: `\\nas\Docs`, Type: win32.RESOURCETYPE_DISK},
	}
	up := conn("", `\\NAS\docs`, wnet.StateOK)
	golden(t, "NL-08", Shares(`\\nas`, "", shares[:1], []wnet.Connection{conn("Z:", `\\nas\MEDIA`, wnet.StateOK), up}, false),
		`Shared resources at \\nas

(null)

Share name  Type  Used as  Comment

-------------------------------------------------------------------------------
media       Disk  Z:       Films
The command completed successfully.

`)
	golden(t, "NL-08 /ALL", Shares(`\\nas`, "Samba", shares, []wnet.Connection{up}, true),
		`Shared resources at \\nas

Samba

Share name  Type   Used as  Comment

-------------------------------------------------------------------------------
Docs        Disk   (UNC)
IPC$        IPC             Remote IPC
laser       Print
media       Disk            Films
The command completed successfully.

`)
	golden(t, "NL-08", Shares(`\\nas`, "", nil, nil, false), Empty)
	golden(t, "NL-09", Servers([]wnet.Resource{{RemoteName: `\\SRV2`}, {RemoteName: `\\NAS`, Comment: "Samba"}}),
		`Server Name            Remark

-------------------------------------------------------------------------------
\\NAS                  Samba
\\SRV2
The command completed successfully.

`)
	golden(t, "NL-09", Servers(nil), Empty)
}

func TestServer(t *testing.T) {
	for in, want := range map[string]struct {
		name string
		port int
		user string
	}{
		`\\nas`:                 {`\\nas`, 0, ""},
		`\\nas\`:                {`\\nas`, 0, ""},
		`//nas/media`:           {`\\nas`, 0, ""},
		`nas`:                   {`\\nas`, 0, ""},
		`\nas`:                  {`\\nas`, 0, ""},
		`smb://anna@nas:4455/`:  {`\\nas`, 4455, "anna"},
		`sftp://anna@nas:2222/`: {`\\sshfs.r\anna@nas!2222`, 0, ""},
	} {
		c, port, user, err := Server(in)
		if err != nil || c.RemoteName != want.name || port != want.port || user != want.user || c.Usage != win32.RESOURCEUSAGE_CONTAINER {
			t.Errorf("%s: %q %d %q %v, want %v", in, c.RemoteName, port, user, err, want)
		}
	}
	if _, _, _, err := Server(""); !errors.Is(err, win32.ERROR_BAD_NET_NAME) {
		t.Errorf("no server: %v", err)
	}
}

func TestSort(t *testing.T) {
	all := []wnet.Connection{conn("", `\\b\x`, ""), conn("LPT1", `\\a\x`, ""), conn("", `\\A\x`, ""), conn("Z:", `\\a\x`, ""), conn("D:", `\\a\x`, "")}
	Sort(all)
	var got []string
	for _, c := range all {
		got = append(got, c.Device+c.RemoteName)
	}
	if s := strings.Join(got, " "); s != `D:\\a\x Z:\\a\x LPT1\\a\x \\A\x \\b\x` {
		t.Error(s)
	}
}

func TestParseView(t *testing.T) {
	for args, want := range map[string]ViewCommand{
		"":              {},
		"/y":            {},
		`\\nas`:         {Server: `\\nas`},
		"//nas /all":    {Server: "//nas", All: true},
		"/A nas /n":     {Server: "nas", All: true},
		"smb://nas:445": {Server: "smb://nas:445"},
	} {
		if got, err := ParseView(strings.Fields(args)); err != nil || got != want {
			t.Errorf("%q: %+v %v", args, got, err)
		}
	}
	for args, option := range map[string]string{"/x": "/x", "a b": "", "/all": "", "/": "/"} {
		_, err := ParseView(strings.Fields(args))
		var s *SyntaxError
		if !errors.As(err, &s) || s.Option != option || !strings.Contains(Failure(err), "NET VIEW") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
