package router_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/credential"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/router"
	"github.com/openwnet/wnet/win32"
)

// A session that ends while a connection is being made for it: the late connection is refused, and nothing of it is left.
//
// Rows: DD-05.
func TestSessionEndsDuringAnAdd(t *testing.T) {
	for _, device := range []string{"Q:", ""} {
		t.Run("device "+device, func(t *testing.T) {
			w := newWorld(t)
			other, _, err := w.m.Create("other", os.Getpid())
			if err != nil {
				t.Fatal(err)
			}
			reached, goOn := make(chan struct{}), make(chan struct{})
			w.one.SetFault(func(_ context.Context, c mem.Call) error {
				if c.Op == "Connect" {
					close(reached)
					<-goOn
				}
				return nil
			})
			done := make(chan error, 1)
			go func() { done <- w.r.Session(other).AddConnection(bg, disk(device, `\\srv\data`)) }()
			<-reached
			if err := w.m.End(other.LUID()); err != nil {
				t.Fatal(err)
			}
			w.r.EndSession(other)
			close(goOn)
			w.code(win32.ERROR_NO_SUCH_LOGON_SESSION, <-done)
			if n := w.r.Count(other.LUID()); n != 0 {
				t.Errorf("%d connections of the dead session", n)
			}
		})
	}
}

// together makes the next n attempts to connect wait for one another.
func (w *world) together(n int) {
	var wg sync.WaitGroup
	wg.Add(n)
	w.one.SetFault(func(_ context.Context, c mem.Call) error {
		if c.Op == "Connect" {
			wg.Done()
			wg.Wait()
		}
		return nil
	})
}

// Deviceless adds of one name at once: one connection, counted as often as it was added, also by the next daemon.
func TestDevicelessAddsAtOnce(t *testing.T) {
	w := newWorld(t)
	const n = 20
	w.together(n)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { w.code(win32.NO_ERROR, w.svc.AddConnection(bg, disk("", `\\srv\data`))) })
	}
	wg.Wait()
	w.one.SetFault(nil)
	if list := mustList(t, w.svc); len(list) != 1 {
		t.Fatalf("%d connections", len(list))
	}
	down := func() error {
		_, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: `\\srv\data`, Flags: win32.CONNECT_REFCOUNT})
		return err
	}
	w.code(win32.NO_ERROR, down())
	text, err := os.ReadFile(w.cfg.Journal)
	if err != nil {
		t.Fatal(err)
	}
	w.close()
	if err := os.WriteFile(w.cfg.Journal, text, 0o600); err != nil { // as if the daemon had been killed
		t.Fatal(err)
	}
	w.open()
	if err := w.r.Start(bg); err != nil {
		t.Fatal(err)
	}
	for i := range n - 1 {
		if err := down(); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	w.code(win32.ERROR_NOT_CONNECTED, down())
}

// Two users for one server at once: one of them gets it.
//
// Rows: A2-41.
func TestTwoUsersAtOnce(t *testing.T) {
	w := newWorld(t)
	w.together(2)
	var wg sync.WaitGroup
	codes := make([]win32.Code, 2)
	for i, user := range []string{"anna", "bert"} {
		wg.Go(func() {
			r := disk([]string{"Y:", "Z:"}[i], `\\locked\data`)
			r.User, r.Password = user, wnet.NewSecret("right")
			codes[i] = wnet.CodeOf(w.svc.AddConnection(bg, r))
		})
	}
	wg.Wait()
	if codes[0]+codes[1] != win32.ERROR_SESSION_CREDENTIAL_CONFLICT || len(mustList(t, w.svc)) != 1 {
		t.Fatalf("got %d", codes)
	}
}

// Many remembered drives of one server whose saved password is wrong by now: the server is asked once, and not by each drive, for that
// would lock the account. A new password is tried at once.
func TestWrongPasswordIsTriedOnce(t *testing.T) {
	w := newWorld(t)
	save := func(password string) {
		if err := w.creds.Put(bg, credential.Credential{Target: "//locked", User: "anna", Password: wnet.NewSecret(password)}); err != nil {
			t.Fatal(err)
		}
	}
	save("right")
	drives := []string{"R:", "S:", "T:", "U:", "V:", "W:", "X:", "Y:", "Z:"}
	for _, d := range drives {
		w.add(d, `\\locked\data`, win32.CONNECT_UPDATE_PROFILE)
	}
	w.close()
	save("wrong")
	var tries atomic.Int32
	w.one.SetFault(func(_ context.Context, c mem.Call) error {
		if c.Op == "Connect" {
			tries.Add(1)
			runtime.Gosched()
		}
		return nil
	})
	w.open()
	if err := w.r.Start(bg); err != nil {
		t.Fatal(err)
	}
	all := func(want wnet.State) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			n := 0
			for _, c := range mustList(t, w.svc) {
				if c.Status.State == want {
					n++
				}
			}
			if n == len(drives) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d drives are %v", n, want)
			}
		}
	}
	all(wnet.StateUnavailable)
	if n := tries.Load(); n != 1 {
		t.Errorf("the wrong password was tried %d times", n)
	}
	w.code(win32.ERROR_INVALID_PASSWORD, w.svc.RestoreConnection(bg, ""))
	if n := tries.Load(); n != 2 {
		t.Errorf("a person's one retry made %d tries", n-1)
	}
	// A command for one drive is tried at once, whichever drive the refusal came from.
	for i, d := range drives[:3] {
		w.code(win32.ERROR_INVALID_PASSWORD, w.svc.RestoreConnection(bg, drives[3+i]))
		w.addCode(win32.ERROR_INVALID_PASSWORD, disk(d, `\\locked\data`))
		if n := int(tries.Load()); n != 2+2*(i+1) {
			t.Errorf("restore of %s and use of %s made %d tries in all", drives[3+i], d, n-2-2*i)
		}
	}
	save("right")
	w.code(win32.NO_ERROR, w.svc.RestoreConnection(bg, ""))
	all(wnet.StateOK)
}

// The kernel keeps a password as long as a connection uses it: another login replaces it, and the last cancel ends it.
func TestKeptPasswordsEnd(t *testing.T) {
	kernel := credential.NewKernel(t.TempDir())
	w := newWorld(t, func(c *router.Config) { c.Kept = kernel })
	as := func(device, user string) wnet.AddRequest {
		r := disk(device, `\\locked\data`)
		r.User, r.Password = user, wnet.NewSecret("right")
		return r
	}
	held := func(user string) bool { return kernel.Recall(bg, "//locked", user).Present() }
	w.addCode(win32.NO_ERROR, as("Z:", "anna"))
	w.addCode(win32.NO_ERROR, as("Y:", "ANNA"))
	if !held("anna") {
		t.Fatal("not kept")
	}
	cancel := func(device string) {
		_, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: device})
		w.code(win32.NO_ERROR, err)
	}
	cancel("Y:")
	if !held("anna") {
		t.Error("forgotten while Z: uses it")
	}
	w.one.SetDown("locked", true)
	for c := mustList(t, w.svc)[0]; c.Status.State == wnet.StateOK; c = mustList(t, w.svc)[0] {
		runtime.Gosched()
	}
	w.one.SetDown("locked", false)
	w.addCode(win32.NO_ERROR, as("Z:", "bert"))
	if held("anna") || !held("bert") {
		t.Errorf("after the change of user: anna's kept %v, bert's %v", held("anna"), held("bert"))
	}
	cancel("Z:")
	if held("anna") || held("bert") {
		t.Errorf("at the end: anna's kept %v, bert's %v", held("anna"), held("bert"))
	}
}

// A session that is over leaves no folder behind.
//
// Rows: DD-05.
func TestSessionLeavesNoFolder(t *testing.T) {
	w := newWorld(t)
	s, _, err := w.m.Create("", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.Folder()+"/unc/srv", 0o700); err != nil { // as a mount leaves it
		t.Fatal(err)
	}
	w.r.EndSession(s)
	if _, err := os.Stat(s.Folder()); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// A daemon that stops leaves no folder of a session behind: the session may end before there is a daemon again. One with something in it
// stays.
func TestStopLeavesNoFolder(t *testing.T) {
	w := newWorld(t)
	s, _, err := w.m.Create("", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	sessions := filepath.Dir(s.Folder())
	for _, dir := range []string{s.Folder() + "/unc/srv", sessions + "/00000000-0000eeee/mine"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.r.Close(bg); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(sessions)
	if err != nil || len(left) != 1 || left[0].Name() != "00000000-0000eeee" {
		t.Errorf("left are %v, %v", left, err)
	}
}

// Asking for a device's name waits for no lock of the tables, so that it costs the same however many connections there are and whatever
// others do. The first call of a session may: it makes the session's table.
func TestLookUpTakesNoLock(t *testing.T) {
	w := newWorld(t)
	w.add("Z:", `\\srv\data`, 0)
	w.r.Locked(func() {
		answer := make(chan string, 1)
		go func() {
			name, _ := w.svc.GetConnection(bg, "Z:")
			answer <- name
		}()
		select {
		case name := <-answer:
			if name != `\\srv\data` {
				t.Errorf("got %q", name)
			}
		case <-time.After(20 * time.Second):
			t.Error("GetConnection waits for the tables' lock")
		}
	})
}

// held mounts what is unmounted only when the test lets it.
type held struct {
	wnet.Mounter
	entered, release chan struct{}
}

type heldMount struct {
	wnet.Mount
	by held
}

func (h held) Mount(ctx context.Context, name string, fsys wnet.FileSystem, o wnet.MountOptions) (wnet.Mount, error) {
	m, err := h.Mounter.Mount(ctx, name, fsys, o)
	if err != nil {
		return nil, err
	}
	return heldMount{m, h}, nil
}

func (m heldMount) Unmount(context.Context) error {
	m.by.entered <- struct{}{}
	<-m.by.release
	return &wnet.Error{Code: win32.ERROR_OPEN_FILES}
}

// A caller that gives up while another one's connection to the same name is just being cancelled makes none of its own over that mount.
func TestGivingUpWhileAnotherIsCancelled(t *testing.T) {
	h := held{&points{busy: map[string]bool{}}, make(chan struct{}, 1), make(chan struct{})}
	w := newWorld(t, func(c *router.Config) { c.Mounter = h })
	asked, let := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	w.one.SetFault(func(_ context.Context, c mem.Call) error {
		if calls.Add(1) == 1 {
			close(asked)
			<-let
		}
		return nil
	})
	ctx, giveUp := context.WithCancel(bg)
	defer giveUp()
	added, cancelled := make(chan error, 1), make(chan error, 1)
	go func() { added <- w.svc.AddConnection(ctx, disk("", `\\srv\data`)) }()
	<-asked
	w.add("", `\\srv\data`, 0)
	go func() {
		_, err := w.svc.CancelConnection(bg, wnet.CancelRequest{Name: `\\srv\data`})
		cancelled <- err
	}()
	<-h.entered
	close(let)
	time.AfterFunc(50*time.Millisecond, giveUp) // once it waits for the other one
	w.code(win32.ERROR_CANCELLED, <-added)
	close(h.release)
	w.code(win32.ERROR_OPEN_FILES, <-cancelled)
}
