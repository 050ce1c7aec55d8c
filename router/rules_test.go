package router_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/credential"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/win32"
)

// Rules: who is asked in which order, and whose error is the answer.
//
// Rows: A2-05, A2-15, A2-28, CC-30, R-03, R-04, R-05, R-06, R-08, R-09, G-09, PP-04, PP-05.
func TestRoutingRules(t *testing.T) {
	const (
		ok       = win32.NO_ERROR
		path     = win32.ERROR_BAD_NETPATH
		name     = win32.ERROR_BAD_NET_NAME
		value    = win32.ERROR_INVALID_PARAMETER
		level    = win32.ERROR_INVALID_LEVEL
		unable   = win32.ERROR_NOT_SUPPORTED
		none     = win32.ERROR_NO_NETWORK
		no       = win32.ERROR_NOT_CONNECTED
		denied   = win32.ERROR_ACCESS_DENIED
		password = win32.ERROR_INVALID_PASSWORD
		busy     = win32.ERROR_BUSY
	)
	for _, c := range []struct {
		one, two win32.Code
		named    string
		want     win32.Code
		asked    string
	}{
		{ok, ok, "", ok, "1"},
		{denied, ok, "", ok, "12"}, // a significant error is passed over where another one accepts
		{path, denied, "", denied, "12"},
		{name, denied, "", denied, "12"},
		{value, denied, "", denied, "12"},
		{level, denied, "", denied, "12"},
		{unable, denied, "", denied, "12"},
		{none, denied, "", denied, "12"},
		{no, denied, "", denied, "12"},
		{denied, path, "", denied, "12"}, // and no insignificant one replaces it
		{denied, password, "", denied, "12"},
		{password, denied, "", password, "12"},
		{busy, path, "", busy, "12"},
		{busy, password, "", busy, "12"},
		{path, path, "", path, "12"},
		{path, name, "", path, "12"},
		{name, path, "", name, "12"},
		{value, level, "", name, "12"}, // the name has owners, and none of them accepts it
		{none, none, "", win32.ERROR_NO_NET_OR_BAD_PATH, "12"},
		{none, path, "", path, "12"},
		{value, ok, "One Network", value, "1"}, // a named one alone, its error as it is
		{no, ok, "one network", no, "1"},
		{ok, denied, "TWO NETWORK", denied, "2"},
		{denied, ok, "two network", ok, "2"},
	} {
		w := newWorld(t)
		w.one.AddShare("both", "data", mem.ShareOptions{})
		w.two.AddShare("both", "data", mem.ShareOptions{})
		asked := ""
		for i, p := range []*mem.Provider{w.one, w.two} {
			p.SetFault(func(_ context.Context, call mem.Call) error {
				if call.Op != "Connect" {
					return nil
				}
				asked += string(rune('1' + i))
				if code := []win32.Code{c.one, c.two}[i]; code != ok {
					return &wnet.Error{Code: code}
				}
				return nil
			})
		}
		req := disk("Z:", `\\both\data`)
		req.Provider = c.named
		if got := wnet.CodeOf(w.svc.AddConnection(bg, req)); got != c.want || asked != c.asked {
			t.Errorf("%d and %d, %q named: got %d, asked %s; want %d, asked %s", c.one, c.two, c.named, got, asked, c.want, c.asked)
		}
		if n := len(mustList(t, w.svc)); (n == 1) != (c.want == ok) {
			t.Errorf("%d and %d: %d connections", c.one, c.two, n)
		}
		w.close()
	}
}

// A password is saved for a connection that was made, and only where all three flags ask for it.
//
// Rows: A2-08.
func TestSavedPasswordNeedsAllFlags(t *testing.T) {
	const all = win32.CONNECT_INTERACTIVE | win32.CONNECT_COMMANDLINE | win32.CONNECT_CMD_SAVECRED
	for flags, saved := range map[uint32]bool{all: true, all &^ win32.CONNECT_INTERACTIVE: false, all &^ win32.CONNECT_COMMANDLINE: false,
		all &^ win32.CONNECT_CMD_SAVECRED: false, 0: false} {
		w := newWorld(t)
		req := disk("Z:", `\\locked\data`)
		req.User, req.Password, req.Flags = "anna", wnet.NewSecret("wrong"), flags
		w.addCode(win32.ERROR_INVALID_PASSWORD, req)
		if _, err := w.creds.Get(bg, "//locked", "anna"); err == nil {
			t.Errorf("flags %#x: a wrong password was saved", flags)
		}
		req.Password = wnet.NewSecret("right")
		w.addCode(win32.NO_ERROR, req)
		var c credential.Credential
		if c, _ = w.creds.Get(bg, "//locked", "anna"); (c.Password.Present() && c.Password.Reveal() == "right") != saved {
			t.Errorf("flags %#x: saved %v", flags, !saved)
		}
	}
}

// The profile says of each connection whether it can come back by itself: 4 with the default or a saved login, 1 without.
func TestDeferFlags(t *testing.T) {
	const saving = win32.CONNECT_INTERACTIVE | win32.CONNECT_COMMANDLINE | win32.CONNECT_CMD_SAVECRED
	for _, c := range []struct {
		what  string
		saved string // in the credential store beforehand
		given string
		flags uint32
		want  uint32
	}{
		{"not saved", "", "right", 0, 1},
		{"saved by this call", "", "right", saving, 4},
		{"saved before and typed again", "right", "right", 0, 4},
		{"saved before, and another one typed", "old", "right", 0, 1},
		{"saved before and not typed", "right", "", 0, 4},
	} {
		w := newWorld(t)
		if c.saved != "" {
			if err := w.creds.Put(bg, credential.Credential{Target: "//locked", User: "anna", Password: wnet.NewSecret(c.saved)}); err != nil {
				t.Fatal(err)
			}
		}
		req := disk("Z:", `\\locked\data`)
		req.User, req.Flags = "anna", c.flags|win32.CONNECT_UPDATE_PROFILE
		if c.given != "" {
			req.Password = wnet.NewSecret(c.given)
		}
		w.addCode(win32.NO_ERROR, req)
		p, err := w.cfg.Profile.Load(bg)
		if got := p.Entries["Z:"].DeferFlags; err != nil || got != c.want {
			t.Errorf("%s: got %d %v, want %d", c.what, got, err, c.want)
		}
	}
}

// A login that was given in words is not taken over by a later connection that gives none, even where the server would take anybody.
//
// Rows: A2-42.
func TestExplicitLoginIsNotTakenOver(t *testing.T) {
	w := newWorld(t)
	req := disk("Z:", `\\srv\data`)
	req.User, req.Password = "anna", wnet.NewSecret("any")
	w.addCode(win32.NO_ERROR, req)
	w.addCode(win32.ERROR_INVALID_PASSWORD, disk("Y:", `\\srv\more`))
	w.addCode(win32.ERROR_INVALID_PASSWORD, disk("", `\\srv\data`))
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Z:"}); err != nil {
		t.Fatal(err)
	}
	w.addCode(win32.NO_ERROR, disk("Y:", `\\srv\more`))
}

// A global device is nobody's remembered one: it is not written to the profile, and does not mind what is there for the letter.
//
// Rows: A2-22, A2-45, DD-07.
func TestGlobalIsNotRemembered(t *testing.T) {
	w := newWorld(t)
	w.add("Z:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Z:"}); err != nil {
		t.Fatal(err)
	}
	w.addCode(win32.ERROR_DEVICE_ALREADY_REMEMBERED, disk("Z:", `\\srv\more`))
	w.add("Z:", `\\srv\data`, win32.CONNECT_GLOBAL_MAPPING|win32.CONNECT_UPDATE_PROFILE)
	w.add("Y:", `\\srv\more`, win32.CONNECT_GLOBAL_MAPPING|win32.CONNECT_UPDATE_PROFILE)
	p, err := w.cfg.Profile.Load(bg)
	if err != nil || len(p.Entries) != 1 || p.Entries["Z:"].RemotePath != `\\srv\data` {
		t.Errorf("the profile: %+v %v", p.Entries, err)
	}
	list := mustList(t, w.svc)
	if len(list) != 2 || !list[0].Global || !list[1].Global || list[0].Remembered || list[1].Remembered {
		t.Errorf("listed: %+v", list)
	}
}

// Servers that differ in the port alone are two: a deviceless connection joins only its own, and a cancel that names the port gives up no
// other.
//
// Rows: CC-03, A2-41.
func TestPortsAreDifferentServers(t *testing.T) {
	w := newWorld(t)
	with := disk("", `\\srv\data`)
	with.Options.TCPPort = 4455
	w.addCode(win32.NO_ERROR, with)
	w.addCode(win32.NO_ERROR, disk("", `\\srv\data`))
	w.addCode(win32.NO_ERROR, with)
	list := mustList(t, w.svc)
	if len(list) != 2 || list[0].Options.TCPPort+list[1].Options.TCPPort != 4455 {
		t.Fatalf("connections: %+v", list)
	}
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: `smb://srv:4455/data`}); err != nil {
		t.Fatal(err)
	}
	if list = mustList(t, w.svc); len(list) != 1 || list[0].Options.TCPPort != 0 {
		t.Errorf("after the cancel: %+v", list)
	}
}

// A session of `wnet session run` begins empty: remembered drives do not come back in it by themselves, and are listed as not connected.
//
// Rows: CC-31, DD-08.
func TestTokenSessionBeginsEmpty(t *testing.T) {
	w := newWorld(t)
	w.add("Z:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	s, _, err := w.m.Create("", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	svc := w.r.Session(s)
	if list := mustList(t, svc); len(list) != 1 || list[0].Connected || !list[0].Remembered || list[0].Status.Reason == "" {
		t.Errorf("listed: %+v", list)
	}
	w.code(win32.NO_ERROR, svc.RestoreConnection(bg, "Z:"))
	if list := mustList(t, svc); len(list) != 1 || !list[0].Connected {
		t.Errorf("after restore: %+v", list)
	}
}

// A daemon that is killed again and again loses nothing, whatever numbers its connections had.
func TestKilledAgainAndAgain(t *testing.T) {
	w := newWorld(t)
	for _, d := range []string{"X:", "Y:", "Z:"} {
		w.add(d, `\\srv\data`, 0)
	}
	for round := range 4 {
		text, err := os.ReadFile(w.cfg.Journal)
		if err != nil {
			t.Fatal(err)
		}
		w.close()
		if err := os.WriteFile(w.cfg.Journal, text, 0o600); err != nil { // as if it had been killed
			t.Fatal(err)
		}
		w.open()
		if err := w.r.Start(bg); err != nil {
			t.Fatal(err)
		}
		w.add(string(rune('M'+round))+":", `\\srv\more`, 0)
		if n := len(mustList(t, w.svc)); n != 4+round {
			t.Fatalf("round %d: %d connections", round, n)
		}
	}
}

// A connection is listed as remembered where the profile has its device for its remote name, and not for another one that a person wrote
// there.
func TestListTellsWhatIsRemembered(t *testing.T) {
	w := newWorld(t)
	w.add("Z:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	if !mustList(t, w.svc)[0].Remembered {
		t.Error("not listed as remembered")
	}
	text, err := os.ReadFile(w.profile())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.profile(), bytes.ReplaceAll(text, []byte(`srv\data`), []byte(`srv\more`)), 0o600); err != nil {
		t.Fatal(err)
	}
	if list := mustList(t, w.svc); len(list) != 1 || list[0].Remembered {
		t.Errorf("listed: %+v", list)
	}
}

// A wrong password is refused, whatever connection is there by the right one, and a drive that could not be mended with it keeps its
// own login.
//
// Rows: A2-26.
func TestWrongPasswordChangesNothing(t *testing.T) {
	w := newWorld(t)
	as := func(device, password string) wnet.AddRequest {
		r := disk(device, `\\locked\data`)
		r.User, r.Password, r.Flags = "anna", wnet.NewSecret(password), win32.CONNECT_UPDATE_PROFILE
		return r
	}
	w.addCode(win32.NO_ERROR, as("", "right"))
	w.addCode(win32.ERROR_INVALID_PASSWORD, as("", "wrong"))
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: `\\locked\data`, Flags: win32.CONNECT_REFCOUNT}); err != nil {
		t.Fatal(err)
	}
	if list := mustList(t, w.svc); len(list) != 0 {
		t.Errorf("the refused one counts: %+v", list)
	}
	w.addCode(win32.NO_ERROR, as("Z:", "right"))
	w.close()
	w.open() // without the password
	if err := w.r.Start(bg); err != nil {
		t.Fatal(err)
	}
	w.addCode(win32.ERROR_INVALID_PASSWORD, as("Z:", "wrong"))
	if err := w.creds.Put(bg, credential.Credential{Target: "//locked", User: "anna", Password: wnet.NewSecret("right")}); err != nil {
		t.Fatal(err)
	}
	w.code(win32.NO_ERROR, w.svc.RestoreConnection(bg, "Z:"))
}

// A name that a person wrote into the profile is shown as every other name is.
func TestRememberedNameIsNormalised(t *testing.T) {
	w := newWorld(t)
	if err := os.WriteFile(w.profile(), []byte("[Network.P]\nRemotePath = '//srv/data/'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := mustList(t, w.svc)
	if len(list) != 1 || list[0].RemoteName != `\\srv\data` {
		t.Errorf("Connections: %+v", list)
	}
	all, err := w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_REMEMBERED})
	if err != nil || len(all) != 1 || all[0].RemoteName != `\\srv\data` {
		t.Errorf("Enum: %+v %v", all, err)
	}
	if name, err := w.svc.GetConnection(bg, "P:"); name != `\\srv\data` || err != nil && wnet.CodeOf(err) != win32.ERROR_CONNECTION_UNAVAIL {
		t.Errorf("GetConnection: %q %v", name, err)
	}
}

// Where the caller's own system has a drive at a letter, a connection there would not be seen: the letter counts as in use, and is not picked.
//
// Rows: A1-03 A2-12 A2-44
func TestTakenLetters(t *testing.T) {
	w := newWorld(t)
	req := disk("Z:", `\\srv\data`)
	req.Taken = 1<<25 | 1<<2 // Z: and C:, as in Wine
	w.code(win32.ERROR_ALREADY_ASSIGNED, w.svc.AddConnection(bg, req))
	req.LocalName, req.Flags = "", win32.CONNECT_REDIRECT
	got, err := w.svc.UseConnection(bg, wnet.UseRequest{AddRequest: req})
	if err != nil || got.AccessName != "Y:" {
		t.Errorf("got %+v, %v, want Y:", got, err)
	}
	req = disk("Z:", `\\srv\data`)
	if err := w.svc.AddConnection(bg, req); err != nil {
		t.Error(err)
	}
}

// A saved login is forgotten by every name that a person has for the server: as it is listed, alone, as an address, or by a share on it.
func TestForgetLoginByAnyName(t *testing.T) {
	w := newWorld(t)
	k := w.svc.(wnet.LoginKeeper)
	for saved, names := range map[string][]string{
		"//nas":               {"//nas", `\\nas`, "nas", "NAS", "smb://nas", `\\nas\media`, "//nas/media/films"},
		"sftp//nas!0/":        {"sftp//nas!0/", "sftp://nas/", "sftp://nas/srv"},
		"sftp//nas!2222/anna": {"sftp://anna@nas:2222/"},
	} {
		for _, name := range names {
			if err := w.creds.Put(bg, credential.Credential{Target: saved, User: "anna", Password: wnet.NewSecret("x")}); err != nil {
				t.Fatal(err)
			}
			if err := k.ForgetLogin(bg, name, ""); err != nil {
				t.Errorf("%s by %s: %v", saved, name, err)
			}
			w.creds.Delete(bg, saved, "")
		}
	}
	w.code(win32.ERROR_FILE_NOT_FOUND, k.ForgetLogin(bg, "other", ""))
}

// A restore that fails says which device failed with what, also where several do, and the list keeps the reason until the device is there.
//
// Rows: RC-02 RC-03
func TestFailedRestoreIsKept(t *testing.T) {
	w := newWorld(t)
	for _, d := range []string{"Y:", "Z:"} {
		w.add(d, `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
		if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: d}); err != nil {
			t.Fatal(err)
		}
	}
	list := func() map[string]wnet.Status {
		all, err := w.svc.Connections(bg)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]wnet.Status{}
		for _, c := range all {
			got[c.Device] = c.Status
		}
		return got
	}
	w.one.SetDown("srv", true)
	err := w.svc.RestoreConnection(bg, "")
	w.code(win32.ERROR_BAD_NETPATH, err)
	for _, d := range []string{"Y:", "Z:"} {
		if !strings.Contains(err.Error(), d) {
			t.Errorf("%s is not named: %v", d, err)
		}
		if s := list()[d]; s.Code != win32.ERROR_BAD_NETPATH || s.Since.IsZero() || s.Reason == "" {
			t.Errorf("%s: got %+v", d, s)
		}
	}
	w.one.SetDown("srv", false)
	if err := w.svc.RestoreConnection(bg, "Y:"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Y:"}); err != nil {
		t.Fatal(err)
	}
	if s := list()["Y:"]; s.Code != 0 {
		t.Errorf("after a success: got %+v", s)
	}
}
