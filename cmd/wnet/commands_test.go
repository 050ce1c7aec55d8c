package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

func lost() wnet.Connection {
	c := drive("Y:", `\\old\share`)
	c.Connected, c.Remembered, c.Path = false, true, ""
	c.Status = wnet.Status{State: wnet.StateUnavailable, Since: time.Now(), Reason: "the server does not answer", Code: win32.ERROR_BAD_NETPATH}
	return c
}

func TestList(t *testing.T) {
	t.Setenv("HOME", "/home/x")
	e := env{fake: &fake{}}
	e.run(t, "list").want(t, "empty", 0, "There are no connections. Map a drive with: wnet use Z: //server/share\n")
	e.connections = []wnet.Connection{drive("Z:", media), lost(), drive("", `\\nas\x`)}
	e.connections[2].Path = "/home/x/wnet/unc/nas/x"
	e.connections[0].Opens = 1
	e.sessions = []wnet.Session{{LUID: 1, Current: true, Connections: 3}, {LUID: 2, Connections: 0}, {LUID: 3, Name: "logind 4", Connections: 2,
		Folder: "/home/x/wnet/sessions/3"}}
	since := e.connections[1].Status.Since.Local().Format("15:04")
	e.run(t, "list").want(t, "people", 0, `DRIVE  STATUS       NAME         NETWORK                    FOLDER
Y:     Unavailable  \\old\share  Microsoft Windows Network                    remembered
       since `+since+`: the server does not answer. Connect it with: wnet restore Y:
Z:     OK           \\nas\media  Microsoft Windows Network  ~/wnet/Z          1 open file
       OK           \\nas\x      Microsoft Windows Network  ~/wnet/unc/nas/x
2 connections mapped in your other session logind 4 (00000000-00000003), not visible here; the folder is ~/wnet/sessions/3
`)
	e.connections[1].Status.Reason = "no connection since 09:14:55: nothing listens"
	if out := e.run(t, "list").out; strings.Count(out, "since") != 1 {
		t.Errorf("says since when more than once:\n%s", out)
	}
	e.connections[1].Status.Reason = "the server does not answer"
	r := e.run(t, "list", "--json")
	var got listing
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatalf("%v: %s", err, r.out)
	}
	if got.Version != 1 || len(got.Connections) != 3 || got.Connections[0].Status.Reason != "the server does not answer" ||
		len(got.OtherSessions) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestJSON pins the documented form (doc/cli.md): a name that changes or goes breaks programs.
func TestJSON(t *testing.T) {
	e := env{fake: &fake{connections: []wnet.Connection{lost()}, save: true}}
	keys := func(args ...string) map[string]any {
		var m map[string]any
		if r := e.run(t, args...); r.code != 0 || json.Unmarshal([]byte(r.out), &m) != nil {
			t.Fatalf("%q: %+v", args, r)
		}
		return m
	}
	m := keys("list", "--json")
	c := m["connections"].([]any)[0].(map[string]any)
	for _, k := range []string{"device", "remoteName", "type", "provider", "status", "opens", "uses", "connected", "remembered", "global"} {
		if _, ok := c[k]; !ok {
			t.Errorf("a connection lacks %q: %v", k, c)
		}
	}
	s := c["status"].(map[string]any)
	if s["state"] != "Unavailable" || s["code"] != 53.0 || s["reason"] == "" || s["since"] == "" {
		t.Errorf("status %v", s)
	}
	e.connections = nil
	if r := e.run(t, "list", "--json"); !strings.Contains(r.out, `"connections": []`) || !strings.Contains(r.out, `"otherSessions": []`) {
		t.Errorf("an empty list is null: %s", r.out)
	}
	if v := keys("version", "--json"); v["daemon"].(map[string]any)["pid"] != 4711.0 {
		t.Errorf("version %v", v)
	}
	if v := keys("session", "list", "--json"); !reflect.DeepEqual(v["sessions"], []any{}) {
		t.Errorf("sessions %v", v)
	}
}

func TestCredentials(t *testing.T) {
	e := env{fake: &fake{}}
	e.run(t, "credential", "list").want(t, "none", 0, "No password is saved. /savecred saves one: wnet use Z: //server/share /savecred\n")
	if r := e.run(t, "credential", "list", "--json"); !strings.Contains(r.out, `"credentials": []`) {
		t.Errorf("an empty list is null: %s", r.out)
	}
	e.logins = []wnet.SavedLogin{{Target: "//nas", User: "anna"}, {Target: "sftp://srv", User: "bert"}}
	e.run(t, "credential", "list").want(t, "list", 0, "SERVER      USER\n//nas       anna\nsftp://srv  bert\n")
	var got loginListing
	if r := e.run(t, "credential", "list", "--json"); json.Unmarshal([]byte(r.out), &got) != nil || got.Version != 1 ||
		!reflect.DeepEqual(got.Credentials, e.logins) {
		t.Errorf("%+v", r)
	}
	e.run(t, "credential", "delete", "nas").want(t, "delete", 0, "What was saved for nas is forgotten.\n")
	e.run(t, "credential", "delete", "//nas", "--user", "anna").want(t, "delete", 0, "What was saved for anna at //nas is forgotten.\n")
	if want := []wnet.SavedLogin{{Target: "nas"}, {Target: "//nas", User: "anna"}}; !reflect.DeepEqual(e.forgot, want) {
		t.Errorf("%+v", e.forgot)
	}
	e.run(t, "credential", "delete").want(t, "NU-26", 1, "", "accepts 1 arg")
	if r := e.run(t, "__complete", "credential", "delete", "sf"); !strings.HasPrefix(r.out, "sftp://srv\tbert\n") {
		t.Errorf("completion: %q", r.out)
	}
}

func TestCancel(t *testing.T) {
	f := &fake{}
	e := env{fake: f}
	e.run(t, "cancel", "z:", `\\NAS\Media\`).want(t, "both", 0, "Z: is cancelled.\n\\\\NAS\\Media is cancelled.\n")
	e.run(t, "cancel", "lpt1:", "--force", "--keep").want(t, "force", 0, "LPT1 is cancelled.\n")
	if want := []wnet.CancelRequest{{Name: "Z:", Flags: 1}, {Name: `\\NAS\Media`, Flags: 1}, {Name: "LPT1", Force: true}}; !reflect.DeepEqual(f.cancels, want) {
		t.Errorf("%+v", f.cancels)
	}
	f.cancel = func(r wnet.CancelRequest) (wnet.CancelResult, error) {
		if !r.Force {
			return wnet.CancelResult{}, openFiles(r.Name)
		}
		return wnet.CancelResult{Aside: []string{"/kept/a", "/kept/b"}, Lost: []string{"sub/gone"}}, nil
	}
	e.run(t, "cancel", "Z:").want(t, "CC-16", 2, "", "System error 2401 has occurred.\n\nThis network connection has files open or requests pending.\n\n"+
		"vim (pid 4711, user anna) has notes.txt open for writing\nWhat to do: ")
	e.run(t, "cancel", "Z:", "-f").want(t, "aside", 0, "Z: is cancelled.\n", "  /kept/a\n  /kept/b\nSome of what was written to these files of Z: is lost", "Is the disk full?\n  sub/gone\n")
	f.cancel = func(r wnet.CancelRequest) (wnet.CancelResult, error) {
		if r.Name == "Z:" {
			return wnet.CancelResult{}, nil
		}
		return wnet.CancelResult{}, &wnet.Error{Code: win32.ERROR_NOT_CONNECTED}
	}
	e.run(t, "cancel", "nonsense").want(t, "CC-15", 2, "", "System error 2250 has occurred.\n\nThis network connection does not exist.\n")
	e.run(t, "cancel", "Y:", "Z:").want(t, "one fails", 2, "Z: is cancelled.\n", "Y: is not cancelled.\nSystem error 2250 has occurred.")
	e.run(t, "cancel", "//nas").want(t, "CC-15", 2, "", "System error 2250")
}

func TestRestoreAndMisc(t *testing.T) {
	e := env{fake: &fake{}}
	e.run(t, "restore").want(t, "RC-02", 0, "No drive is remembered.\n")
	kept := drive("Z:", media)
	kept.Remembered = true
	e.connections = []wnet.Connection{kept}
	e.run(t, "restore").want(t, "RC-02", 0, "All remembered drives are connected.\n")
	e.run(t, "restore", "z:").want(t, "RC-02", 0, "Z: is connected.\n")
	e.run(t, "restore", "nas").want(t, "RC-03", 2, "", "System error 1200")
	if !reflect.DeepEqual(e.restored, []string{"", "", "Z:"}) {
		t.Error(e.restored)
	}
	// A drive that waits for its password: what mends it is said in full, ready to be typed.
	locked := lost()
	locked.User, locked.Options.TCPPort = "anna", 4455
	locked.Status.Reason, locked.Status.Code = "no password was given.", win32.ERROR_INVALID_PASSWORD
	e.connections, e.restore = []wnet.Connection{locked}, &wnet.Error{Code: win32.ERROR_INVALID_PASSWORD}
	again := `Log in again with: wnet use Y: '\\old\share' '*' /USER:anna /TCPPORT:4455` + "\n"
	e.run(t, "restore", "Y:").want(t, "RC-03", 2, "", "System error 86", again)
	if out := e.run(t, "list").out; !strings.Contains(out, "no password was given. "+again) {
		t.Errorf("a missing password: %s", out)
	}
	e.run(t, "stop").want(t, "stop", 0, "No daemon was running.\n")
	e.run(t, "helpmsg", "2250").want(t, "NU-27", 0, "\nThis network connection does not exist.\n\n"+netuse.DefaultHint(2250)+"\n\n")
	e.run(t, "helpmsg", "3506").want(t, "NU-29", 0, "\n"+netuse.Syntax)
	e.run(t, "helpmsg", "x").want(t, "helpmsg", 1, "", "no number")
	e.run(t, "session", "end", "00000000-00001234").want(t, "end", 0, "The session 00000000-00001234 is ended.\n")
	e.run(t, "session", "end", "nonsense").want(t, "end", 2, "", "System error 87")
	e.run(t, "session", "run", "--", "/no/such/program", "--flag").want(t, "run", 127, "", "can't be run")
	e.run(t, "session", "run", "--", "wnet-no-such-program").want(t, "run", 127, "", "can't be run")
	e.run(t, "session", "run", "--", t.TempDir()).want(t, "run", 126, "", "can't be run")
	if !reflect.DeepEqual(e.ended, []wnet.LUID{0x1234}) {
		t.Error(e.ended)
	}
}

// TestView lists servers, networks and shares.
//
// Rows: NL-08, NL-09.
func TestView(t *testing.T) {
	e := env{fake: &fake{connections: []wnet.Connection{drive("Z:", `\\nas\media`)}}}
	e.enum = func(r wnet.EnumRequest) ([]wnet.Resource, error) {
		switch {
		case r.Scope == win32.RESOURCE_CONTEXT:
			return []wnet.Resource{{DisplayType: win32.RESOURCEDISPLAYTYPE_ROOT, Comment: "Entire Network"},
				{RemoteName: `\\NAS`, Comment: "Samba", DisplayType: win32.RESOURCEDISPLAYTYPE_SERVER},
				{RemoteName: `\\srv`, DisplayType: win32.RESOURCEDISPLAYTYPE_SERVER}}, nil
		case r.Scope == win32.RESOURCE_RECENT:
			return []wnet.Resource{{RemoteName: `\\nas\new`}, {RemoteName: `\\nas\old`}}, nil
		case r.Container == nil:
			return []wnet.Resource{{Provider: netuse.LanMan}, {Provider: "Other"}}, nil
		case r.User != "anna" || r.Password.Reveal() != "pw":
			return nil, &wnet.Error{Code: win32.ERROR_ACCESS_DENIED}
		case r.Options.TCPPort != 4455 || r.Container.RemoteName != `\\nas`:
			return nil, &wnet.Error{Code: win32.ERROR_BAD_NETPATH}
		}
		return []wnet.Resource{{RemoteName: `\\nas\media`, Type: win32.RESOURCETYPE_DISK}, {RemoteName: `\\nas\c$`, Type: win32.RESOURCETYPE_DISK}}, nil
	}
	const rule = "-------------------------------------------------------------------------------\n"
	e.run(t, "view").want(t, "NL-09", 0, "Server Name            Remark\n\n"+rule+"\\\\NAS                  Samba\n\\\\srv\n"+netuse.Success)
	e.run(t, "view", "--networks").want(t, "networks", 0, "Microsoft Windows Network\nOther\n")
	e.run(t, "view", "--recent").want(t, "recent", 0, "\\\\nas\\new\n\\\\nas\\old\n")
	e.run(t, "view", "smb://nas:4455").want(t, "NL-08", 2, "", "System error 5 has occurred.")
	e.typist = &typist{answers: []string{"anna", "pw"}}
	e.run(t, "view", "smb://nas:4455").want(t, "NL-08", 0, `Shared resources at \\nas

(null)

Share name  Type  Used as  Comment

`+rule+`media       Disk  Z:
The command completed successfully.

`)
	e.typist, e.stdin = nil, "pw\n"
	r := e.run(t, "view", "smb://anna@nas:4455", "/all", "--password-stdin")
	if !strings.Contains(r.out, "\nc$          Disk\n") {
		t.Errorf("NL-08 /ALL: %+v", r)
	}
	e.run(t, "view", "//nas", "/frob").want(t, "NU-28", 1, "", "The option /frob is unknown.", "NET VIEW")
}

func TestCompletion(t *testing.T) {
	e := env{fake: &fake{connections: []wnet.Connection{drive("Z:", media), lost(), drive("", `\\nas\x`)}}}
	complete := func(args ...string) string {
		r := e.run(t, append([]string{"__complete"}, args...)...)
		return r.out
	}
	for _, tt := range []struct{ args, has, hasNot string }{
		{"use|Z", "Z:\t" + media, "Y:"},
		{"use|z", "z:\t" + media, "Z:"}, // a shell drops what does not begin with what was typed
		{"use|", "X:\tfree", "LPT"},
		{"use|X:|", "//nas/media\tMicrosoft Windows Network", "Z:"},
		{"use|X:|//old", "//old/share", "//nas"},
		{"use|X:|/P", "/PERSISTENT:", "/DELETE"},
		{"use|X:|/d", "/delete", "/PERSISTENT"},
		{"use|X:|/per", "/persistent:", "/PER"},
		{"use|--p", "--password-stdin", "/PERSISTENT"},
		{"cancel|", "//nas/x", "X:"},
		{"cancel|y", `y:` + "\t" + `\\old\share`, "Z:"},
		{"restore|", "Y:", "Z:"},
		{"se", "session", "share"},
	} {
		if out := complete(strings.Split(tt.args, "|")...); !strings.Contains(out, tt.has) || strings.Contains(out, tt.hasNot) {
			t.Errorf("%s: %s", tt.args, out)
		}
	}
	if r := e.run(t, "completion", "bash"); r.code != 0 || !strings.Contains(r.out, "wnet") {
		t.Errorf("completion: %+v", r)
	}
}

func TestMan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	e := env{fake: &fake{}}
	if r := e.run(t, "man", dir); r.code != 0 {
		t.Fatal(r)
	}
	for page, has := range map[string]string{"wnet.1": "wnet-use(1)", "wnet-use.1": "        [[/DELETE] [/GLOBAL]]\nNET USE {devicename | *} [password | *] /HOME\n", "wnet-cancel.1": "2401", "wnet-session-run.1": "WNET-SESSION-RUN"} {
		b, err := os.ReadFile(filepath.Join(dir, page))
		if err != nil || !strings.Contains(strings.ReplaceAll(string(b), `\-`, "-"), has) {
			t.Errorf("%s: %v lacks %q:\n%s", page, err, has, b)
		}
	}
}

// TestPlainError: an error without a code is told as it is, and is a failure.
func TestPlainError(t *testing.T) {
	e := env{fake: &fake{cancel: func(wnet.CancelRequest) (wnet.CancelResult, error) { return wnet.CancelResult{}, errors.New("odd") }}}
	e.run(t, "cancel", "Z:").want(t, "plain", 2, "", "wnet: odd\n")
	e.run(t, "use", "Z:", "/d").want(t, "plain", 2, "", "System error 1208 has occurred.", "Why: Odd.")
}
