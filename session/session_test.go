package session_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/win32"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func resolve(t *testing.T, m *session.Manager, pid int) *session.Session {
	t.Helper()
	s, err := m.Resolve(session.Peer{UID: anna, PID: pid}, wnet.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Which session a process belongs to. "4" and "7" are logons of Anna's, 4 shares the default session.
//
// Rows: DD-01, DD-06, DD-08.
func TestResolve(t *testing.T) {
	const manager = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope\n"
	const known = "known to logind: " // the user, and it writes so
	for name, c := range map[string]struct {
		p    proc
		want string
	}{
		known + "cron":  {proc{groups: "0::/system.slice/cron.service\n", audit: "9", loginuid: "1000"}, "default"},
		known + "logon": {proc{groups: scope("7"), audit: "3", loginuid: "1000"}, "logind 7"},

		"logind, shared":       {proc{groups: scope("4")}, "default"},
		"logind, second":       {proc{groups: scope("7")}, "logind 7"},
		"below the scope":      {proc{groups: "0::/user.slice/user-1000.slice/session-7.scope/sub/x.service\n"}, "logind 7"},
		"cgroup 1":             {proc{groups: "5:cpu:/\n1:name=systemd:/user.slice/user-1000.slice/session-7.scope\n0::/\n"}, "logind 7"},
		"elogind":              {proc{groups: "1:name=elogind:/7\n"}, "logind 7"},
		"logind before audit":  {proc{groups: scope("7"), audit: "3", loginuid: "1000"}, "logind 7"},
		"audit":                {proc{audit: "3", loginuid: "1000"}, "audit 3"},
		"audit in a service":   {proc{groups: "0::/system.slice/ssh.service\n", audit: "3", loginuid: "1000"}, "audit 3"},
		"audit of another":     {proc{audit: "3", loginuid: "0"}, "default"},
		"no logon":             {proc{}, "default"},
		"user unit":            {proc{groups: manager, audit: "3", loginuid: "1000"}, "default"},
		"container":            {proc{groups: "0::/system.slice/docker-0123.scope\n"}, "default"},
		"cron":                 {proc{groups: "0::/system.slice/cron.service\n"}, "default"},
		"cron with pam":        {proc{groups: scope("c1"), audit: "9", loginuid: "1000"}, "default"},
		"logind of another":    {proc{groups: scope("b1"), audit: "8", loginuid: "1001"}, "default"},
		"logged out":           {proc{groups: scope("99"), audit: "99", loginuid: "1000"}, "default"},
		"closing":              {proc{groups: scope("cl"), audit: "98", loginuid: "1000"}, "default"},
		"a name that climbs":   {proc{groups: "0::/session-../../x.scope\n"}, "default"},
		"rubbish in proc":      {proc{groups: "\x00::\n::\n", audit: "x/y", loginuid: "1000"}, "default"},
		"set-uid program":      {proc{uid: bert, euid: anna, groups: scope("7")}, "logind 7"},
		"anna runs for others": {proc{uid: anna, euid: 1, groups: scope("7")}, "logind 7"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.logind("4", anna, "STATE=active\nCLASS=user\n")
			w.logind("7", anna, "STATE=online\nCLASS=user\n")
			w.logind("c1", anna, "STATE=active\nCLASS=background\n")
			w.logind("b1", bert, "STATE=active\nCLASS=user\n")
			w.logind("cl", anna, "STATE=closing\nCLASS=user\n")
			if strings.HasPrefix(name, known) {
				w.write("run/systemd/users/1000", "NAME=anna\nSTATE=active\n")
			}
			m := w.manager()
			if s := resolve(t, m, w.start(50, proc{uid: anna, groups: scope("4")})); s != m.Default() {
				t.Fatal("the first logon does not share the default session")
			}
			if c.p.uid == 0 {
				c.p.uid = anna
			}
			s := resolve(t, m, w.start(51, c.p))
			if got := s.Kind() == "default"; got != (c.want == "default") || !got && s.Name() != c.want {
				t.Errorf("got %s %q, want %s", s.Kind(), s.Name(), c.want)
			}
			if again := resolve(t, m, w.start(52, c.p)); again != s {
				t.Error("a second process of the same kind is elsewhere")
			}
			if !s.Restores() || s.Since().IsZero() {
				t.Errorf("%+v", s)
			}
		})
	}
}

// DD-03, CC-26: another user is refused, with a token too; so is a process that is not the one that called.
//
// Rows: DD-03, CC-26.
func TestResolveRefuses(t *testing.T) {
	w := newWorld(t)
	m := w.manager()
	w.start(50, proc{uid: anna})
	w.start(60, proc{uid: bert})
	_, token, err := m.Create("x", 50)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		peer  session.Peer
		token wnet.Secret
		code  win32.Code
	}{
		"other user":        {session.Peer{UID: bert, PID: 60}, wnet.Secret{}, win32.ERROR_ACCESS_DENIED},
		"root":              {session.Peer{UID: 0, PID: 1}, wnet.Secret{}, win32.ERROR_ACCESS_DENIED},
		"other, with token": {session.Peer{UID: bert, PID: 60}, token, win32.ERROR_ACCESS_DENIED},
		"exited":            {session.Peer{UID: anna, PID: 51}, wnet.Secret{}, win32.ERROR_NO_SUCH_LOGON_SESSION},
		"number reused":     {session.Peer{UID: anna, PID: 60}, wnet.Secret{}, win32.ERROR_NO_SUCH_LOGON_SESSION},
		"unknown token":     {session.Peer{UID: anna, PID: 50}, wnet.NewSecret("0123"), win32.ERROR_NO_SUCH_LOGON_SESSION},
		"empty token":       {session.Peer{UID: anna, PID: 50}, wnet.NewSecret(""), win32.ERROR_NO_SUCH_LOGON_SESSION},
	} {
		if s, err := m.Resolve(c.peer, c.token); !errors.Is(err, c.code) || s != nil {
			t.Errorf("%s: %v %v, want %v", name, s, err, c.code)
		}
	}
	if s, err := m.Resolve(session.Peer{UID: anna, PID: 0}, wnet.Secret{}); err != nil || s != m.Default() {
		t.Errorf("a process of another pid namespace: %v %v", s, err)
	}
	if _, err := session.New(session.Config{Root: "wnet"}); !errors.Is(err, win32.ERROR_INVALID_PARAMETER) {
		t.Errorf("a relative root: %v", err)
	}
}

// A person with one logon finds ~/wnet/Z; a simultaneous one is separate; after the first has ended the next new one may share.
//
// Rows: DD-05, DD-08.
func TestSharing(t *testing.T) {
	w := newWorld(t)
	m := w.manager()
	over, _ := running(t, m)
	def := m.Default()
	if def.Folder() != "/home/anna/wnet" || def.Kind() != session.KindDefault || def.Name() != "uid 1000" {
		t.Errorf("the default session: %s %s %s", def.Folder(), def.Kind(), def.Name())
	}
	for id, pid := range map[string]int{"4": 54, "5": 55, "6": 56} {
		w.logind(id, anna, "STATE=active\nCLASS=user\n")
		w.start(pid, proc{uid: anna, groups: scope(id)})
	}
	if resolve(t, m, 54) != def || def.Name() != "uid 1000, logind 4" {
		t.Errorf("the first logon: %s", def.Name())
	}
	five := resolve(t, m, 55)
	if five == def || five.LUID() == def.LUID() || five.Folder() != filepath.Join("/home/anna/wnet/sessions", five.LUID().String()) {
		t.Errorf("the second logon: %+v", five)
	}
	w.logout("4")
	until(t, "the default session is free", func() bool { return def.Name() == "uid 1000" })
	if resolve(t, m, 55) != five {
		t.Error("a living logon has moved")
	}
	if resolve(t, m, 56) != def {
		t.Error("the next logon does not share")
	}
	w.logind("5", anna, "STATE=closing\nCLASS=user\n")
	ends(t, over, five)
	if _, ok := m.Find(five.LUID()); ok {
		t.Error("an ended session is still found")
	}
	if l := m.List(); len(l) != 1 || l[0] != def {
		t.Errorf("List: %v", l)
	}
	// The same number again is another logon.
	w.logind("5", anna, "STATE=active\nCLASS=user\n")
	if s := resolve(t, m, 55); s == five || s.LUID() == five.LUID() {
		t.Error("an ended session came back")
	}
}

// An audit session lives while one of the user's processes has its number.
//
// Rows: DD-05.
func TestAuditSessionEnds(t *testing.T) {
	w := newWorld(t)
	m := w.manager()
	over, _ := running(t, m)
	first := proc{uid: anna, audit: "2", loginuid: "1000"}
	second := proc{uid: anna, audit: "3", loginuid: "1000"}
	w.start(52, first)
	if resolve(t, m, 52) != m.Default() {
		t.Error("the first audit logon does not share")
	}
	w.start(53, second)
	w.start(54, second)
	s := resolve(t, m, 53)
	if s.Kind() != session.KindAudit || s.Name() != "audit 3" {
		t.Errorf("%s %s", s.Kind(), s.Name())
	}
	w.exit(53)
	m.Poke()
	w.start(60, proc{uid: bert, audit: "3", loginuid: "1001"}) // another user's counts nothing
	if again := resolve(t, m, 54); again != s {
		t.Error("the session has changed")
	}
	w.exit(54)
	m.Poke()
	ends(t, over, s)
	w.exit(52)
	m.Poke()
	until(t, "the default session is free", func() bool { return m.Default().Name() == "uid 1000" })
}

// The rules of dosdevices.md that have a meaning here.
//
// Rows: DD-02, DD-03, DD-07, DD-08, DD-11, DD-20, DD-21, DD-22, CC-26, CC-31.
func TestNamespaces(t *testing.T) {
	w := newWorld(t)
	m := w.manager()
	w.start(50, proc{uid: anna})
	a := m.Default()
	b, _, err := m.Create("b", 50)
	if err != nil {
		t.Fatal(err)
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	fails := func(err error, code win32.Code) {
		t.Helper()
		if !errors.Is(err, code) {
			t.Errorf("got %v, want %v", err, code)
		}
	}
	show := func(s *session.Session) string {
		var all []string
		for _, e := range s.Devices() {
			g := ""
			if e.Global {
				g = "g"
			}
			all = append(all, fmt.Sprintf("%s=%d%s", e.Device, e.ID, g))
		}
		return strings.Join(all, " ")
	}
	see := func(s *session.Session, want string) {
		t.Helper()
		if got := show(s); got != want {
			t.Errorf("%s sees %q, want %q", s.Name(), got, want)
		}
		for _, e := range s.Devices() {
			if l := s.Lookup(e.Device); l == nil || *l != e {
				t.Errorf("%s: Lookup %s is %v, listed %v", s.Name(), e.Device, l, e)
			}
		}
	}
	// DD-02, DD-03, DD-08, CC-31: each sees its own.
	ok(a.Define("Z:", 1))
	ok(b.Define("Z:", 2))
	ok(b.Define("LPT1", 3))
	ok(b.Define("M:", 4))
	see(a, "Z:=1")
	see(b, "M:=4 Z:=2 LPT1=3")
	fails(a.Define("Z:", 9), win32.ERROR_ALREADY_ASSIGNED)
	fails(a.Define("", 9), win32.ERROR_BAD_DEVICE)
	if a.Lookup("M:") != nil {
		t.Error("another session's name was found (CC-26)")
	}
	if a.Remove("M:", 4) || a.Remove("Z:", 2) {
		t.Error("removed what it does not have")
	}
	// DD-07, DD-11, DD-20, DD-21: a global name shows everywhere but where an own one hides it.
	ok(m.DefineGlobal("Z:", 7))
	ok(m.DefineGlobal("C:", 8))
	fails(m.DefineGlobal("C:", 9), win32.ERROR_ALREADY_ASSIGNED)
	fails(m.DefineGlobal("", 9), win32.ERROR_BAD_DEVICE)
	see(a, "C:=8g Z:=1")
	see(b, "C:=8g M:=4 Z:=2 LPT1=3")
	if g := m.Globals(); len(g) != 2 || g[0].Device != "C:" || !g[0].Global || g[1].ID != 7 {
		t.Errorf("Globals: %v", g)
	}
	// DD-22: not what is global already.
	fails(a.Define("C:", 9), win32.ERROR_ALREADY_ASSIGNED)
	if !a.Remove("Z:", 1) || a.Remove("Z:", 1) {
		t.Error("Remove of an own name")
	}
	see(a, "C:=8g Z:=7g")
	if a.Remove("Z:", 7) {
		t.Error("a session removed a global name")
	}
	fails(a.Define("Z:", 9), win32.ERROR_ALREADY_ASSIGNED)
	if m.RemoveGlobal("Z:", 2) || !m.RemoveGlobal("Z:", 7) || m.RemoveGlobal("Z:", 7) {
		t.Error("RemoveGlobal")
	}
	ok(a.Define("Z:", 10))
	see(a, "C:=8g Z:=10")
	// DD-05: an ended session takes no more, and what it had can be given up.
	if err := m.End(b.LUID()); err != nil {
		t.Fatal(err)
	}
	fails(b.Define("Q:", 11), win32.ERROR_NO_SUCH_LOGON_SESSION)
	if !b.Remove("Z:", 2) || !b.Over() || a.Over() {
		t.Error("after the end")
	}
}

// Of many callers that define one name, in its own session or globally, exactly one gets it.
func TestDefineRace(t *testing.T) {
	w := newWorld(t)
	m := w.manager()
	for round := range 50 {
		var own, global atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				if m.Default().Define("Z:", session.ID(i)) == nil {
					own.Add(1)
				}
			})
			wg.Go(func() {
				if m.DefineGlobal("Z:", session.ID(i)) == nil {
					global.Add(1)
				}
			})
			wg.Go(func() { m.Default().Lookup("Z:"); m.Default().Devices(); m.Globals() })
		}
		wg.Wait()
		if own.Load() > 1 || global.Load() != 1 {
			t.Fatalf("round %d: %d own, %d global", round, own.Load(), global.Load())
		}
		if e := m.Default().Lookup("Z:"); e != nil && !e.Global {
			m.Default().Remove("Z:", e.ID)
		}
		m.RemoveGlobal("Z:", m.Globals()[0].ID)
	}
}

// LUIDs are unique and grow, also where a Manager knows nothing of the one before, and stay off Windows' fixed ones.
//
// Rows: DD-01.
func TestLUIDs(t *testing.T) {
	w := newWorld(t)
	w.start(50, proc{uid: anna})
	seen := map[wnet.LUID]bool{}
	var last wnet.LUID
	for range 5 {
		m := w.manager()
		for range 100 {
			if _, _, err := m.Create("", 50); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range m.List() {
			if l := s.LUID(); seen[l] || l <= last || l < 0x10000 {
				t.Fatalf("%s after %s", l, last)
			}
			last = s.LUID()
			seen[last] = true
		}
	}
}
