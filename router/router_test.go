package router_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/credential"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/router"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/win32"
)

var bg = context.Background()

// world is a router over two memory networks, with a session. Nothing is shown to the kernel unless a mounter is given.
type world struct {
	t     testing.TB
	dir   string
	one   *mem.Provider // \\srv: data (anyone), closed (anna only), lp (a printer)
	two   *mem.Provider // \\two
	creds credential.Store
	r     *router.Router
	m     *session.Manager
	s     *session.Session
	svc   wnet.Service
	cfg   router.Config
}

func newWorld(t testing.TB, change ...func(*router.Config)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), creds: credential.NewMemory()}
	w.one = mem.New(mem.Options{Name: "One Network"})
	w.two = mem.New(mem.Options{Name: "Two Network"})
	w.one.AddShare("srv", "data", mem.ShareOptions{})
	w.one.AddShare("srv", "more", mem.ShareOptions{})
	w.one.AddShare("srv", "lp", mem.ShareOptions{Type: win32.RESOURCETYPE_PRINT})
	w.one.AddShare("locked", "data", mem.ShareOptions{Users: map[string]string{"anna": "right", "bert": "right"}})
	w.one.AddShare("locked", "more", mem.ShareOptions{Users: map[string]string{"anna": "right", "bert": "right"}})
	w.two.AddShare("two", "data", mem.ShareOptions{})
	w.cfg = router.Config{
		Providers: []wnet.Provider{w.one, w.two}, Profile: profile.Open(w.profile()), Credentials: w.creds,
		Journal: filepath.Join(w.dir, "journal"),
	}
	for _, f := range change {
		f(&w.cfg)
	}
	w.open()
	t.Cleanup(func() { w.close() })
	return w
}

// open starts a router over the world, as a daemon does.
func (w *world) open() {
	w.t.Helper()
	var err error
	w.m, err = session.New(session.Config{UID: os.Getuid(), Root: filepath.Join(w.dir, "wnet"), State: filepath.Join(w.dir, "sessions")})
	if err != nil {
		w.t.Fatal(err)
	}
	w.cfg.Sessions = w.m
	if w.r, err = router.New(w.cfg); err != nil {
		w.t.Fatal(err)
	}
	w.s = w.m.Default()
	w.svc = w.r.Session(w.s)
}

func (w *world) close() {
	if w.r != nil {
		if err := w.r.Close(bg); err != nil {
			w.t.Error(err)
		}
		w.r = nil
	}
}

func (w *world) profile() string { return filepath.Join(w.dir, "profile.toml") }

func (w *world) add(local, remote string, flags uint32) {
	w.t.Helper()
	if err := w.svc.AddConnection(bg, wnet.AddRequest{LocalName: local, RemoteName: remote, Type: win32.RESOURCETYPE_DISK, Flags: flags}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) code(want win32.Code, err error) {
	w.t.Helper()
	if got := wnet.CodeOf(err); got != want {
		w.t.Errorf("got %d (%v), want %d", got, err, want)
	}
}

func (w *world) addCode(want win32.Code, req wnet.AddRequest) {
	w.t.Helper()
	w.code(want, w.svc.AddConnection(bg, req))
}

func disk(local, remote string) wnet.AddRequest {
	return wnet.AddRequest{LocalName: local, RemoteName: remote, Type: win32.RESOURCETYPE_DISK}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each documented error of an add, alone and in the order of the tests where two faults meet (unsourced: the order).
//
// Rows: A2-02, A2-03, A2-04, A2-05, A2-10, A2-12, A2-13, A2-14, A2-15, A2-17, A2-18, A2-22, A2-24, A2-25, A2-46, A1-03,
// A3-01, A3-03, A4-03, PP-01, PP-03, PP-06.
func TestAddCodesAndTheirOrder(t *testing.T) {
	w := newWorld(t)
	w.add("Z:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	w.add("Y:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Y:"}); err != nil {
		t.Fatal(err)
	}
	long := `\\srv\` + strings.Repeat("x", 300)
	for _, c := range []struct {
		name string
		want win32.Code
		req  wnet.AddRequest
	}{
		{"unknown type before all", win32.ERROR_INVALID_PARAMETER, wnet.AddRequest{Type: 7, LocalName: "??", Provider: "none"}},
		{"reserved type", win32.ERROR_INVALID_PARAMETER, wnet.AddRequest{Type: win32.RESOURCETYPE_RESERVED, RemoteName: `\\srv\data`}},
		{"unknown flag", win32.ERROR_INVALID_PARAMETER, wnet.AddRequest{RemoteName: `\\srv\data`, Flags: 0x80000}},
		{"provider before device", win32.ERROR_BAD_PROVIDER, wnet.AddRequest{LocalName: "??", Provider: "none", RemoteName: `\\srv\data`}},
		{"device syntax", win32.ERROR_BAD_DEVICE, disk("ZZ:", `\\srv\data`)},
		{"device without colon", win32.ERROR_BAD_DEVICE, disk("Q", `\\srv\data`)},
		{"in use before the name", win32.ERROR_ALREADY_ASSIGNED, disk("z:", `nonsense`)},
		{"in use", win32.ERROR_ALREADY_ASSIGNED, disk("Z:", `\\srv\data`)},
		{"remembered for another before providers", win32.ERROR_DEVICE_ALREADY_REMEMBERED, disk("Y:", `\\srv\missing`)},
		{"redirect without a name", win32.ERROR_INVALID_ADDRESS,
			wnet.AddRequest{RemoteName: `\\srv\data`, Type: win32.RESOURCETYPE_DISK, Flags: win32.CONNECT_REDIRECT}},
		{"empty name", win32.ERROR_BAD_NET_NAME, disk("X:", "")},
		{"no name", win32.ERROR_BAD_NET_NAME, disk("X:", "srv")},
		{"too long", win32.ERROR_BAD_NET_NAME, disk("X:", long)},
		{"missing share", win32.ERROR_BAD_NET_NAME, disk("X:", `\\srv\missing`)},
		{"letter to a printer", win32.ERROR_BAD_DEV_TYPE, disk("X:", `\\srv\lp`)},
		{"port to a disk", win32.ERROR_BAD_DEV_TYPE, wnet.AddRequest{LocalName: "LPT1", RemoteName: `\\srv\data`, Type: win32.RESOURCETYPE_PRINT}},
		{"bad user", win32.ERROR_BAD_USERNAME, wnet.AddRequest{RemoteName: `\\srv\data`, User: "a/b"}},
	} {
		if got := wnet.CodeOf(w.svc.AddConnection(bg, c.req)); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
	w.addCode(win32.NO_ERROR, disk("Y:", `\\SRV\Data\`)) // the same name is no conflict with what is remembered
	w.addCode(win32.NO_ERROR, wnet.AddRequest{LocalName: "lpt1:", RemoteName: `\\srv\lp`, Type: win32.RESOURCETYPE_ANY})
	w.addCode(win32.NO_ERROR, wnet.AddRequest{LocalName: "Q:", RemoteName: `\\srv\data`, Type: win32.RESOURCETYPE_ANY})
	w.addCode(win32.NO_ERROR, wnet.AddRequest{RemoteName: `\\srv\data`})
	if n := len(mustList(t, w.svc)); n != 5 {
		t.Errorf("%d connections, want 5: an error changed something", n)
	}
}

func mustList(t testing.TB, s wnet.Service) []wnet.Connection {
	t.Helper()
	list, err := s.Connections(bg)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Only the four members of NETRESOURCE that count reach the router: its request has no others.
//
// Rows: A2-01.
func TestOnlyFourMembersCount(t *testing.T) {
	w := newWorld(t)
	req := wnet.AddRequest{Type: win32.RESOURCETYPE_DISK, LocalName: "Z:", RemoteName: `\\srv\data`, Provider: "one network"}
	w.addCode(win32.NO_ERROR, req)
}

// Logins: no password means the default one, "" none, a wrong one is refused and nothing is changed.
//
// Rows: A2-06, A2-07, A2-26, A2-27, UC-30.
func TestLogins(t *testing.T) {
	w := newWorld(t)
	req := disk("Z:", `\\locked\data`)
	req.User, req.Password = "anna", wnet.NewSecret("wrong")
	w.addCode(win32.ERROR_INVALID_PASSWORD, req)
	_, err := w.svc.UseConnection(bg, wnet.UseRequest{AddRequest: req})
	w.code(win32.ERROR_INVALID_PASSWORD, err)
	req.Password = wnet.NewSecret("")
	w.addCode(win32.ERROR_INVALID_PASSWORD, req)
	req.User, req.Password = "nobody", wnet.NewSecret("right")
	w.addCode(win32.ERROR_LOGON_FAILURE, req)
	if err := w.creds.Put(bg, credential.Credential{Target: "//locked", User: "anna", Password: wnet.NewSecret("right")}); err != nil {
		t.Fatal(err)
	}
	req.User, req.Password = "", wnet.Secret{}
	w.addCode(win32.NO_ERROR, req) // the default login is the stored one
	if u, err := w.svc.GetUser(bg, "Z:"); err != nil || u != "anna" {
		t.Errorf("user %q %v", u, err)
	}
}

// One user name a server and session; the server's other name is another server; the defaults do not take an explicit login over.
//
// Rows: A2-30, A2-40, A2-41, A2-42.
func TestOneUserPerServer(t *testing.T) {
	w := newWorld(t)
	as := func(local, remote, user string) wnet.AddRequest {
		r := disk(local, remote)
		if user != "" {
			r.User, r.Password = user, wnet.NewSecret("right")
		}
		return r
	}
	w.addCode(win32.NO_ERROR, as("Z:", `\\locked\data`, "anna"))
	w.addCode(win32.ERROR_SESSION_CREDENTIAL_CONFLICT, as("Y:", `\\LOCKED\more`, "bert"))
	w.addCode(win32.NO_ERROR, as("Y:", `\\locked\more`, "ANNA"))
	w.addCode(win32.ERROR_INVALID_PASSWORD, as("X:", `\\locked\more`, ""))
	w.one.AddShare("alias", "data", mem.ShareOptions{Users: map[string]string{"bert": "right"}})
	w.addCode(win32.NO_ERROR, as("X:", `\\alias\data`, "bert"))
	w.addCode(win32.NO_ERROR, as("W:", `\\srv\data`, ""))
	w.addCode(win32.NO_ERROR, as("V:", `\\srv\more`, ""))
	other, _, err := w.m.Create("other", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	w.code(win32.NO_ERROR, w.r.Session(other).AddConnection(bg, as("Z:", `\\locked\data`, "bert")))
}

// Providers are asked in order, the profile's first; the first significant error is the answer if none accepts; a named provider is
// asked alone and its error comes as it is; provider-specific errors keep number and text.
//
// Rows: A2-11, A2-23, A2-28, UC-21, UC-24, UC-25, UC-27, UC-33, CC-30, G-03.
func TestRouting(t *testing.T) {
	w := newWorld(t)
	both := func(p *mem.Provider) { p.AddShare("both", "data", mem.ShareOptions{}) }
	both(w.one)
	both(w.two)
	w.add("Z:", `\\both\data`, 0)
	if c := mustList(t, w.svc)[0]; c.Provider != "One Network" {
		t.Errorf("asked first: %s", c.Provider)
	}
	tx, err := w.cfg.Profile.Begin(bg)
	if err != nil {
		t.Fatal(err)
	}
	tx.SetProviderOrder([]string{"no such network", "two network"})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	w.add("Y:", `\\both\data`, 0)
	if c := mustList(t, w.svc)[0]; c.Provider != "Two Network" {
		t.Errorf("asked first after the change: %s", c.Provider)
	}
	denied := &wnet.Error{Code: win32.ERROR_ACCESS_DENIED}
	w.two.SetFault(func(_ context.Context, c mem.Call) error {
		if c.Op == "Connect" {
			return denied
		}
		return nil
	})
	w.add("X:", `\\both\data`, 0) // the significant error is passed over, for another accepts
	w.one.SetDown("both", true)
	w.addCode(win32.ERROR_ACCESS_DENIED, disk("W:", `\\both\data`))
	_, err = w.svc.UseConnection(bg, wnet.UseRequest{AddRequest: disk("W:", `\\both\data`)})
	w.code(win32.ERROR_ACCESS_DENIED, err)
	named := disk("W:", `\\both\data`)
	named.Provider = "One Network"
	w.addCode(win32.ERROR_BAD_NETPATH, named)
	named.Provider = "Three Network"
	_, err = w.svc.UseConnection(bg, wnet.UseRequest{AddRequest: named})
	w.code(win32.ERROR_BAD_PROVIDER, err)
	w.addCode(win32.ERROR_NO_NET_OR_BAD_PATH, disk("W:", `\\nobody\data`))
	_, err = w.svc.UseConnection(bg, wnet.UseRequest{AddRequest: disk("W:", `\\nobody\data`)})
	w.code(win32.ERROR_NO_NET_OR_BAD_PATH, err)
	_, err = w.svc.UseConnection(bg, wnet.UseRequest{AddRequest: disk("W:", `\\srv\missing`)})
	w.code(win32.ERROR_BAD_NET_NAME, err)
	w.one.SetFault(func(_ context.Context, c mem.Call) error {
		return &wnet.Error{Code: win32.ERROR_EXTENDED_ERROR, Native: 4711, NativeText: "the flux is low"}
	})
	for _, err := range []error{
		w.svc.AddConnection(bg, disk("W:", `\\srv\data`)),
		func() error {
			_, err := w.svc.UseConnection(bg, wnet.UseRequest{AddRequest: disk("W:", `\\srv\data`)})
			return err
		}(),
	} {
		var e *wnet.Error
		if !errors.As(err, &e) || e.Code != win32.ERROR_EXTENDED_ERROR || e.Native != 4711 || e.NativeText != "the flux is low" || e.Provider != "One Network" {
			t.Errorf("got %+v", e)
		}
	}
}

// Without a provider every call answers that there is no network.
//
// Rows: A2-29, UC-34, GC-07.
func TestNoNetwork(t *testing.T) {
	w := newWorld(t, func(c *router.Config) { c.Providers = nil })
	w.addCode(win32.ERROR_NO_NETWORK, disk("Z:", `\\srv\data`))
	_, err := w.svc.UseConnection(bg, wnet.UseRequest{AddRequest: disk("Z:", `\\srv\data`)})
	w.code(win32.ERROR_NO_NETWORK, err)
	_, err = w.svc.GetConnection(bg, "Z:")
	w.code(win32.ERROR_NO_NETWORK, err)
	_, err = w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Z:"})
	w.code(win32.ERROR_NO_NETWORK, err)
}

// A router that stops answers that it is busy, and the caller may try again.
//
// Rows: A2-19, GC-09, G-13.
func TestStoppingRouterIsBusy(t *testing.T) {
	w := newWorld(t)
	w.add("Z:", `\\srv\data`, 0)
	w.close()
	w.addCode(win32.ERROR_BUSY, disk("Y:", `\\srv\data`))
	_, err := w.svc.GetConnection(bg, "Z:")
	w.code(win32.ERROR_BUSY, err)
	_, err = w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Z:"})
	w.code(win32.ERROR_BUSY, err)
}

// A caller that gives up is told so, and nothing is left of its attempt.
//
// Rows: A2-20, UC-26.
func TestCancelledCaller(t *testing.T) {
	w := newWorld(t)
	reached := make(chan struct{}, 2)
	w.one.SetFault(func(ctx context.Context, c mem.Call) error {
		reached <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	for _, try := range []func(context.Context) error{
		func(ctx context.Context) error { return w.svc.AddConnection(ctx, disk("Z:", `\\srv\data`)) },
		func(ctx context.Context) error {
			_, err := w.svc.UseConnection(ctx, wnet.UseRequest{AddRequest: disk("Z:", `\\srv\data`)})
			return err
		},
	} {
		ctx, cancel := context.WithCancel(bg)
		go func() { <-reached; cancel() }()
		w.code(win32.ERROR_CANCELLED, try(ctx))
	}
	w.one.SetFault(nil)
	w.add("Z:", `\\srv\data`, 0)
}

// A server that never answers is reported within the bound, as a path that was not found.
func TestSilentServerIsBounded(t *testing.T) {
	w := newWorld(t, func(c *router.Config) { c.ConnectTimeout = 50 * time.Millisecond })
	w.one.SetFault(func(ctx context.Context, _ mem.Call) error { <-ctx.Done(); return ctx.Err() })
	err := w.svc.AddConnection(bg, disk("Z:", `\\srv\data`))
	w.code(win32.ERROR_BAD_NETPATH, err)
}

// WNetUseConnection's parameters and results.
//
// Rows: UC-01, UC-02, UC-03, UC-04, UC-05, UC-06, UC-07, UC-08, UC-09, UC-10, UC-20, UC-22, UC-23, UC-29, UC-31.
func TestUseConnection(t *testing.T) {
	w := newWorld(t)
	use := func(local, remote string, typ, flags uint32, size *uint32) (wnet.UseResult, error) {
		r := wnet.UseRequest{AddRequest: wnet.AddRequest{LocalName: local, RemoteName: remote, Type: typ, Flags: flags}}
		if size != nil {
			r.Access = &wnet.AccessBuffer{Size: *size}
		}
		return w.svc.UseConnection(bg, r)
	}
	n := func(v uint32) *uint32 { return &v }
	const d, redirect = win32.RESOURCETYPE_DISK, win32.CONNECT_REDIRECT
	for _, c := range []struct {
		name          string
		local, remote string
		typ, flags    uint32
		size          *uint32
		want          win32.Code
		needed        uint32
	}{
		{"no remote name", "", "", d, 0, nil, win32.ERROR_INVALID_PARAMETER, 0},
		{"empty buffer", "J:", `\\srv\data`, d, 0, n(0), win32.ERROR_INVALID_PARAMETER, 0},
		{"any type, device to choose", "", `\\srv\data`, win32.RESOURCETYPE_ANY, redirect, nil, win32.ERROR_INVALID_PARAMETER, 0},
		{"bad device", "J", `\\srv\data`, d, 0, nil, win32.ERROR_BAD_DEVICE, 0},
		{"one character", "J:", `\\srv\data`, d, 0, n(1), win32.ERROR_MORE_DATA, 3},
		{"deviceless, small", "", `\\srv\data`, d, 0, n(10), win32.ERROR_MORE_DATA, 11},
		{"chosen, small", "", `\\srv\data`, d, redirect, n(2), win32.ERROR_MORE_DATA, 3},
	} {
		res, err := use(c.local, c.remote, c.typ, c.flags, c.size)
		if wnet.CodeOf(err) != c.want || res.Needed != c.needed {
			t.Errorf("%s: %d needed %d, want %d needed %d", c.name, wnet.CodeOf(err), res.Needed, c.want, c.needed)
		}
	}
	if list := mustList(t, w.svc); len(list) != 0 {
		t.Fatalf("an error connected something: %+v", list)
	}
	for _, c := range []struct {
		name          string
		local, remote string
		typ, flags    uint32
		size          *uint32
		access        string
		result        uint32
	}{
		{"given", "J:", `\\srv\data`, d, 0, n(4), "J:", win32.CONNECT_LOCALDRIVE},
		{"given, any type, needless redirect", "k:", `\\srv\data`, win32.RESOURCETYPE_ANY, redirect, n(3), "K:", win32.CONNECT_LOCALDRIVE},
		{"deviceless", "", `\\srv\data\`, d, 0, n(11), `\\srv\data`, 0},
		{"chosen", "", `\\srv\data`, d, redirect, nil, "Z:", win32.CONNECT_LOCALDRIVE},
		{"chosen port", "", `\\srv\lp`, win32.RESOURCETYPE_PRINT, redirect, nil, "LPT1", win32.CONNECT_LOCALDRIVE},
	} {
		res, err := use(c.local, c.remote, c.typ, c.flags, c.size)
		if err != nil || res.AccessName != c.access || res.Result != c.result {
			t.Errorf("%s: %+v %v", c.name, res, err)
		}
	}
	_, err := use("J:", `\\srv\more`, d, 0, nil)
	w.code(win32.ERROR_ALREADY_ASSIGNED, err)
}

// Letters are chosen from Z: down to C:, for the global namespace from C: up; a remembered one is not free; when none is left the
// answer is that there are no more.
//
// Rows: A2-44, UC-32, DD-10.
func TestAutomaticLetters(t *testing.T) {
	w := newWorld(t)
	w.add("Y:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Y:"}); err != nil {
		t.Fatal(err)
	}
	req := wnet.UseRequest{AddRequest: disk("", `\\srv\more`)}
	req.Flags = win32.CONNECT_REDIRECT
	global := req
	global.Flags |= win32.CONNECT_GLOBAL_MAPPING
	if res, err := w.svc.UseConnection(bg, global); err != nil || res.AccessName != "C:" {
		t.Fatalf("global: %+v %v", res, err)
	}
	want := "ZXWVUTSRQPONMLKJIHGFED"
	for i := range want {
		res, err := w.svc.UseConnection(bg, req)
		if err != nil || res.AccessName != want[i:i+1]+":" {
			t.Fatalf("%d: %+v %v", i, res, err)
		}
	}
	_, err := w.svc.UseConnection(bg, req)
	w.code(win32.ERROR_NO_MORE_ITEMS, err)
}

// The profile gets the facts of netuse.md §4, no password, and only what redirects a device and was successful.
//
// Rows: A2-08, A2-45.
func TestRemembering(t *testing.T) {
	w := newWorld(t)
	const update = win32.CONNECT_UPDATE_PROFILE
	req := disk("Z:", `\\locked\data`)
	req.User, req.Password, req.Flags = "anna", wnet.NewSecret("wrong"), update
	w.addCode(win32.ERROR_INVALID_PASSWORD, req)
	w.add("", `\\srv\data`, update)
	w.add("T:", `\\srv\data`, 0)
	if p, err := w.cfg.Profile.Load(bg); err != nil || len(p.Entries) != 0 {
		t.Fatalf("a failed, a deviceless or an unflagged one was remembered: %+v %v", p, err)
	}
	req.Password = wnet.NewSecret("right")
	w.addCode(win32.NO_ERROR, req)
	p, err := w.cfg.Profile.Load(bg)
	if err != nil {
		t.Fatal(err)
	}
	want := profile.Entry{Device: "Z:", RemotePath: `\\locked\data`, UserName: "anna", ProviderName: "One Network",
		ProviderType: win32.WNNC_NET_EXTENDNET, ConnectionType: win32.RESOURCETYPE_DISK, DeferFlags: 1}
	if got := p.Entries["Z:"]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	text, err := os.ReadFile(w.profile())
	if err != nil || strings.Contains(string(text), "right") {
		t.Errorf("the profile holds the password or is missing: %s %v", text, err)
	}
}

// Names: of devices, of users, of paths.
//
// Rows: GC-01, GC-02, GC-03, GC-04, GC-11, GU-01, GU-02, GU-04, UN-01, UN-02, UN-05, UN-06, UN-08.
func TestNames(t *testing.T) {
	w := newWorld(t)
	w.add("Z:", `\\Srv\Data\`, 0)
	w.add("", `\\srv\data`, 0)
	w.add("Y:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Y:"}); err != nil {
		t.Fatal(err)
	}
	for device, want := range map[string]win32.Code{"z:": 0, "Y:": win32.ERROR_CONNECTION_UNAVAIL, "X:": win32.ERROR_NOT_CONNECTED,
		"LPT1": win32.ERROR_NOT_CONNECTED, "Z": win32.ERROR_BAD_DEVICE, `Z:\`: win32.ERROR_BAD_DEVICE, "": win32.ERROR_BAD_DEVICE} {
		name, err := w.svc.GetConnection(bg, device)
		w.code(want, err)
		if want == 0 && name != `\\Srv\Data` {
			t.Errorf("%s is %q", device, name)
		}
	}
	me, err := w.svc.GetUser(bg, "")
	if err != nil || me == "" {
		t.Fatalf("%q %v", me, err)
	}
	for name, want := range map[string]win32.Code{"Z:": 0, `\\SRV\data`: 0, "One Network": 0, "Y:": win32.ERROR_NOT_CONNECTED,
		`\\srv\more`: win32.ERROR_NOT_CONNECTED, "nonsense": win32.ERROR_NOT_CONNECTED} {
		_, err := w.svc.GetUser(bg, name)
		w.code(want, err)
	}
	for _, c := range []struct {
		path  string
		level uint32
		want  wnet.UniversalName
		code  win32.Code
	}{
		{`Z:\dir\no such file`, 1, wnet.UniversalName{Universal: `\\Srv\Data\dir\no such file`}, 0},
		{`z:/dir/f`, 2, wnet.UniversalName{Universal: `\\Srv\Data\dir\f`, Connection: `\\Srv\Data`, Remaining: `\dir\f`}, 0},
		{`Z:`, 2, wnet.UniversalName{Universal: `\\Srv\Data`, Connection: `\\Srv\Data`, Remaining: `\`}, 0},
		{`Z:\f`, 3, wnet.UniversalName{}, win32.ERROR_INVALID_LEVEL},
		{`Y:\f`, 1, wnet.UniversalName{}, win32.ERROR_CONNECTION_UNAVAIL},
		{`X:\f`, 1, wnet.UniversalName{}, win32.ERROR_NOT_CONNECTED},
		{`\\srv\data\f`, 1, wnet.UniversalName{}, win32.ERROR_BAD_DEVICE},
		{`f`, 1, wnet.UniversalName{}, win32.ERROR_BAD_DEVICE},
		{`Z:f`, 1, wnet.UniversalName{}, win32.ERROR_BAD_DEVICE},
	} {
		got, err := w.svc.GetUniversalName(bg, c.path, c.level)
		w.code(c.code, err)
		if c.code == 0 && got != c.want {
			t.Errorf("%s: %+v", c.path, got)
		}
	}
}

// Sessions: own names first, then global ones; another session sees neither the letters nor the deviceless connections.
//
// Rows: DD-06, DD-11, DD-20, DD-21, DD-22, DD-04, DD-07, G-10, G-11.
func TestNamespaces(t *testing.T) {
	w := newWorld(t)
	other, _, err := w.m.Create("other", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	o := w.r.Session(other)
	w.add("Z:", `\\srv\data`, 0)
	if _, err := o.GetConnection(bg, "Z:"); wnet.CodeOf(err) != win32.ERROR_NOT_CONNECTED {
		t.Errorf("the other session sees Z: %v", err)
	}
	// The global letter comes later than the first session's own, which hides it there and there alone.
	w.code(win32.NO_ERROR, o.AddConnection(bg, func() wnet.AddRequest {
		r := disk("Z:", `\\two\data`)
		r.Flags = win32.CONNECT_GLOBAL_MAPPING
		return r
	}()))
	name := func(s wnet.Service) string { n, _ := s.GetConnection(bg, "Z:"); return n }
	if name(w.svc) != `\\srv\data` || name(o) != `\\two\data` {
		t.Errorf("own %q, other %q", name(w.svc), name(o))
	}
	w.code(win32.ERROR_ALREADY_ASSIGNED, o.AddConnection(bg, disk("Z:", `\\srv\more`)))
	if list := mustList(t, w.svc); len(list) != 1 || list[0].Global {
		t.Errorf("the first session lists %+v", list)
	}
	if list := mustList(t, o); len(list) != 1 || !list[0].Global {
		t.Errorf("the other session lists %+v", list)
	}
	// Neither may take the global one away as if it were its own; asked for by its scope, it goes, and is uncovered before that.
	_, err = o.CancelConnection(bg, wnet.CancelRequest{Name: "Z:", Force: true})
	w.code(win32.ERROR_NOT_CONNECTED, err)
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Z:"}); err != nil {
		t.Fatal(err)
	}
	if name(w.svc) != `\\two\data` {
		t.Errorf("the global name is not uncovered: %q", name(w.svc))
	}
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Z:", Flags: win32.CONNECT_GLOBAL_MAPPING}); err != nil {
		t.Fatal(err)
	}
	if name(w.svc) != "" || name(o) != "" {
		t.Errorf("left: %q %q", name(w.svc), name(o))
	}
}

// A session that is over leaves nothing; what is remembered stays remembered.
//
// Rows: DD-05.
func TestEndOfSession(t *testing.T) {
	w := newWorld(t)
	other, _, err := w.m.Create("other", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	o := w.r.Session(other)
	r := disk("Q:", `\\srv\data`)
	r.Flags = win32.CONNECT_UPDATE_PROFILE
	w.code(win32.NO_ERROR, o.AddConnection(bg, r))
	w.code(win32.NO_ERROR, o.AddConnection(bg, disk("", `\\srv\more`)))
	share := w.one.Share("srv", "data")
	w.r.EndSession(other)
	if n := w.r.Count(other.LUID()); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	for end := time.Now().Add(5 * time.Second); share.Connections() > 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if n := share.Connections(); n != 0 {
		t.Errorf("%d connections to the server are left", n)
	}
	if p, err := w.cfg.Profile.Load(bg); err != nil || len(p.Entries) != 1 {
		t.Errorf("the profile: %+v %v", p, err)
	}
}

// A daemon that was killed loses no connection; one that stopped in order brings back the remembered ones alone. No password is in
// the journal.
func TestJournalAndRestore(t *testing.T) {
	w := newWorld(t)
	w.add("Z:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	w.add("Y:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	w.add("X:", `\\srv\more`, 0)
	w.add("", `\\srv\data`, 0)
	locked := disk("W:", `\\locked\data`)
	locked.User, locked.Password = "anna", wnet.NewSecret("right")
	w.addCode(win32.NO_ERROR, locked)
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Y:"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(w.cfg.Journal)
	if err != nil || strings.Contains(string(text), "right") {
		t.Fatalf("the journal holds the password or is missing: %v", err)
	}
	killed := w.r
	t.Cleanup(func() { killed.Close(bg) })
	if err := os.WriteFile(w.cfg.Journal+".copy", append(text, []byte(`{"op":"add","id":99,"dev`)...), 0o600); err != nil {
		t.Fatal(err)
	}
	w.cfg.Journal += ".copy"
	w.open()
	if err := w.r.Start(bg); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, c := range mustList(t, w.svc) {
		if c.Connected {
			got[c.Device+" "+c.RemoteName] = true
		}
	}
	want := []string{`Z: \\srv\data`, `X: \\srv\more`, ` \\srv\data`, `W: \\locked\data`}
	if len(got) != len(want) {
		t.Errorf("back are %v", got)
	}
	for _, k := range want {
		if !got[k] {
			t.Errorf("%q did not come back", k)
		}
	}
	w.close()
	w.open()
	if err := w.r.Start(bg); err != nil {
		t.Fatal(err)
	}
	var devices []string
	for _, c := range mustList(t, w.svc) {
		if c.Connected {
			devices = append(devices, c.Device)
		}
	}
	if strings.Join(devices, " ") != "Y: Z:" {
		t.Errorf("a new logon has %v", devices)
	}
}

// A hundred adds of one letter at once: one gets it.
func TestHundredAddsAtOnce(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	codes := make([]win32.Code, 100)
	for i := range codes {
		wg.Add(1)
		go func() {
			defer wg.Done()
			codes[i] = wnet.CodeOf(w.svc.AddConnection(bg, disk("Z:", `\\srv\data`)))
		}()
	}
	wg.Wait()
	won := 0
	for _, c := range codes {
		switch c {
		case win32.NO_ERROR:
			won++
		case win32.ERROR_ALREADY_ASSIGNED:
		default:
			t.Errorf("got %d", c)
		}
	}
	if won != 1 {
		t.Errorf("%d got it", won)
	}
}

// A remembered drive whose password is missing is mended by using it again with the password.
func TestUnavailableDriveIsMended(t *testing.T) {
	w := newWorld(t)
	r := disk("Z:", `\\locked\data`)
	r.User, r.Password, r.Flags = "anna", wnet.NewSecret("right"), win32.CONNECT_UPDATE_PROFILE
	w.addCode(win32.NO_ERROR, r)
	w.close()
	w.open()
	if err := w.r.Start(bg); err != nil {
		t.Fatal(err)
	}
	w.code(win32.ERROR_INVALID_PASSWORD, w.svc.RestoreConnection(bg, "Z:"))
	if c := mustList(t, w.svc)[0]; c.Status.State == wnet.StateOK || c.Status.Reason == "" {
		t.Errorf("listed as %+v", c.Status)
	}
	r.Password = wnet.NewSecret("wrong")
	w.addCode(win32.ERROR_INVALID_PASSWORD, r)
	r.Password = wnet.NewSecret("right")
	w.addCode(win32.NO_ERROR, r)
	if c := mustList(t, w.svc)[0]; c.Status.State != wnet.StateOK {
		t.Errorf("listed as %+v", c.Status)
	}
}

// Enumeration's arguments, and the network's two levels. What is only remembered is not among the connected, nor what another session has.
//
// Rows: OE-02, OE-07, OE-08, ER-08.
func TestEnum(t *testing.T) {
	w := newWorld(t)
	w.add("Z:", `\\srv\data`, win32.CONNECT_UPDATE_PROFILE)
	w.addCode(win32.NO_ERROR, wnet.AddRequest{LocalName: "LPT2", RemoteName: `\\srv\lp`, Type: win32.RESOURCETYPE_PRINT})
	for want, req := range map[win32.Code]wnet.EnumRequest{
		win32.ERROR_INVALID_PARAMETER: {Scope: 9},
		win32.ERROR_NOT_CONTAINER:     {Scope: win32.RESOURCE_GLOBALNET, Container: &wnet.Resource{RemoteName: `\\srv`}},
	} {
		_, err := w.svc.Enum(bg, req)
		w.code(want, err)
	}
	for typ, want := range map[uint32]win32.Code{win32.RESOURCETYPE_DISK | win32.RESOURCETYPE_PRINT: 0, win32.RESOURCETYPE_ANY: 0,
		4: win32.ERROR_INVALID_PARAMETER, win32.RESOURCETYPE_RESERVED | win32.RESOURCETYPE_DISK: win32.ERROR_INVALID_PARAMETER} {
		_, err := w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED, Type: typ})
		w.code(want, err)
	}
	_, err := w.svc.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED, Container: &wnet.Resource{}})
	w.code(win32.ERROR_INVALID_PARAMETER, err)
	names := func(req wnet.EnumRequest) string {
		list, err := w.svc.Enum(bg, req)
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, x := range list {
			s = append(s, x.LocalName+x.RemoteName+x.Provider)
		}
		return strings.Join(s, " ")
	}
	if got := names(wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED, Type: win32.RESOURCETYPE_PRINT}); got != `LPT2\\srv\lpOne Network` {
		t.Errorf("printers: %s", got)
	}
	if got := names(wnet.EnumRequest{Scope: win32.RESOURCE_REMEMBERED}); got != `Z:\\srv\dataOne Network` {
		t.Errorf("remembered: %s", got)
	}
	if got := names(wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET}); got != `One Network Two Network` {
		t.Errorf("root: %s", got)
	}
	if _, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: "Z:"}); err != nil {
		t.Fatal(err)
	}
	if got := names(wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED}); got != `LPT2\\srv\lpOne Network` {
		t.Errorf("connected, once Z: is only remembered: %s", got)
	}
	other, _, err := w.m.Create("other", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if list, err := w.r.Session(other).Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED}); err != nil || len(list) != 0 {
		t.Errorf("another session sees %+v, %v", list, err)
	}
	shares := wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET, Container: &wnet.Resource{RemoteName: `\\srv`, Usage: win32.RESOURCEUSAGE_CONTAINER}}
	w.one.AddShare("srv", "secret$", mem.ShareOptions{})
	if got := names(shares); !strings.Contains(got, `\\srv\data`) || !strings.Contains(got, `\\srv\lp`) || strings.Contains(got, "$") {
		t.Errorf("shares: %s", got)
	}
	shares.Hidden = true
	if got := names(shares); !strings.Contains(got, `\\srv\secret$`) {
		t.Errorf("all shares: %s", got)
	}
}
