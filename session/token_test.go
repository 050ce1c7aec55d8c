package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/win32"
)

// program is a real process that lives until its input is closed.
type program struct {
	*exec.Cmd
	in io.WriteCloser
}

func start(t *testing.T, token string, argv ...string) program {
	t.Helper()
	c := exec.Command(argv[0], argv[1:]...)
	c.Env = []string{"PATH=" + os.Getenv("PATH")}
	if token != "" {
		c.Env = append(c.Env, session.EnvToken+"="+token)
	}
	in, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p := program{c, in}
	t.Cleanup(p.end)
	return p
}

func (p program) end() { p.in.Close(); p.Wait() }

// real is a Manager of this machine, for the user that runs the test.
func real(t *testing.T, state string) *session.Manager {
	t.Helper()
	m, err := session.New(session.Config{UID: os.Getuid(), Root: filepath.Join(t.TempDir(), "wnet"), State: state, Run: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func create(t *testing.T, m *session.Manager, anchor int) (*session.Session, wnet.Secret) {
	t.Helper()
	s, token, err := m.Create("job", anchor)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(token.Reveal()); n < 32 || s.Kind() != session.KindToken || s.Name() != "job" || s.Restores() || len(s.Devices()) != 0 {
		t.Errorf("made: %s %s, token of %d digits", s.Kind(), s.Name(), n)
	}
	return s, token
}

// DD-05, CC-31: a token session lives while its anchor lives, then while any process has the token in its environment, one after the
// other, whatever programs they execute meanwhile.
//
// Rows: DD-05, CC-31.
func TestTokenSessionLives(t *testing.T) {
	m := real(t, "")
	over, _ := running(t, m)
	anchor := start(t, "", "cat")
	s, token := create(t, m, anchor.Process.Pid)
	if got, err := m.Resolve(session.Peer{UID: os.Getuid(), PID: os.Getpid()}, token); got != s || err != nil {
		t.Errorf("Resolve: %v %v", got, err)
	}
	until(t, "the anchor is watched", func() bool { return m.Watched(s) == anchor.Process.Pid })

	first := start(t, token.Reveal(), "sh", "-c", "cat; exec cat")
	anchor.end()
	// The shell and its cat carry the token.
	until(t, "a member is watched", func() bool { w := m.Watched(s); return w != 0 && w != anchor.Process.Pid })
	// Hand over: the new member is there before the old one goes.
	second := start(t, token.Reveal(), "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do read x || exec cat; done; exec cat")
	first.end()
	until(t, "the second member is watched", func() bool { return m.Watched(s) == second.Process.Pid })
	m.Poke()
	select {
	case s := <-over:
		t.Fatalf("%s has ended before its last process", s.Name())
	default:
	}
	if _, ok := m.Find(s.LUID()); !ok {
		t.Fatal("the session is gone")
	}
	second.end()
	ends(t, over, s)
	if _, err := m.Resolve(session.Peer{UID: os.Getuid(), PID: os.Getpid()}, token); !errors.Is(err, win32.ERROR_NO_SUCH_LOGON_SESSION) {
		t.Errorf("its token still leads somewhere: %v", err)
	}
}

// An anchor that has exited counts no more, also while nobody has taken its exit status.
func TestZombieAnchor(t *testing.T) {
	m := real(t, "")
	over, _ := running(t, m)
	anchor := start(t, "", "cat")
	s, _ := create(t, m, anchor.Process.Pid)
	anchor.in.Close()
	ends(t, over, s)
	zombie := start(t, "", "true")
	until(t, "true has exited", func() bool {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", zombie.Process.Pid))
		return bytes.Contains(stat, []byte(") Z "))
	})
	for _, pid := range []int{zombie.Process.Pid, 0, -1, 1 << 30} {
		if _, _, err := m.Create("x", pid); !errors.Is(err, win32.ERROR_INVALID_PARAMETER) {
			t.Errorf("anchor %d: %v", pid, err)
		}
	}
	if _, _, err := m.Create("a\u202eb", os.Getpid()); !errors.Is(err, win32.ERROR_INVALID_NAME) {
		t.Errorf("an unclean name: %v", err)
	}
}

// A token in the environment of another user's process keeps nothing alive.
func TestTokenOfAnotherUser(t *testing.T) {
	w := newWorld(t)
	w.start(50, proc{uid: anna})
	m := w.manager()
	over, _ := running(t, m)
	s, token, err := m.Create("x", 50)
	if err != nil {
		t.Fatal(err)
	}
	w.start(51, proc{uid: anna, env: "A=b\x00" + session.EnvToken + "=" + token.Reveal() + "\x00C=d"})
	w.start(60, proc{uid: bert, env: session.EnvToken + "=" + token.Reveal()})
	w.start(50, proc{uid: anna, start: 1}) // the anchor's number, another process
	m.Poke()
	w.start(51, proc{uid: anna, state: "Z", env: session.EnvToken + "=" + token.Reveal()})
	m.Poke()
	ends(t, over, s)
}

// End ends token sessions alone, once.
func TestEnd(t *testing.T) {
	m := real(t, "")
	anchor := start(t, "", "cat")
	early, _ := create(t, m, anchor.Process.Pid) // ended before anybody watches: told all the same
	if err := m.End(early.LUID()); err != nil {
		t.Fatal(err)
	}
	over, _ := running(t, m)
	ends(t, over, early)
	s, token := create(t, m, anchor.Process.Pid)
	until(t, "the anchor is watched", func() bool { return m.Watched(s) != 0 })
	var wg sync.WaitGroup
	var mu sync.Mutex
	ended := 0
	for range 20 {
		wg.Go(func() {
			err := m.End(s.LUID())
			if err == nil {
				mu.Lock()
				ended++
				mu.Unlock()
			} else if !errors.Is(err, win32.ERROR_NO_SUCH_LOGON_SESSION) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ended != 1 {
		t.Errorf("%d of 20 ended it", ended)
	}
	ends(t, over, s)
	if _, err := m.Resolve(session.Peer{UID: os.Getuid(), PID: os.Getpid()}, token); !errors.Is(err, win32.ERROR_NO_SUCH_LOGON_SESSION) {
		t.Errorf("the token: %v", err)
	}
	if err := m.End(m.Default().LUID()); !errors.Is(err, win32.ERROR_NOT_SUPPORTED) {
		t.Errorf("the default session: %v", err)
	}
	if err := m.End(1); !errors.Is(err, win32.ERROR_NO_SUCH_LOGON_SESSION) {
		t.Errorf("none: %v", err)
	}
	m.Poke()
	anchor.end()
	select {
	case s := <-over:
		t.Errorf("told twice: %s", s.Name())
	default:
	}
}

// Many sessions end when their processes do: each is told once.
func TestManySessionsEnd(t *testing.T) {
	m := real(t, "")
	over, _ := running(t, m)
	const n = 40
	var programs []program
	want := map[*session.Session]bool{}
	for range n {
		p := start(t, "", "cat")
		s, _ := create(t, m, p.Process.Pid)
		programs, want[s] = append(programs, p), true
	}
	for _, p := range programs {
		p.end()
	}
	for range n {
		s := <-over
		if !want[s] {
			t.Fatalf("%s was told twice", s.LUID())
		}
		delete(want, s)
	}
	if len(m.List()) != 1 {
		t.Errorf("left: %v", m.List())
	}
}

// A daemon that is killed and started again knows its sessions; those that ended meanwhile are told.
func TestRestart(t *testing.T) {
	state := filepath.Join(t.TempDir(), "run", "sessions.json")
	m := real(t, state)
	_, stop := running(t, m)
	anchor, other := start(t, "", "cat"), start(t, "", "cat")
	s, token := create(t, m, anchor.Process.Pid)
	gone, goneToken := create(t, m, other.Process.Pid)
	ended, endedToken := create(t, m, anchor.Process.Pid)
	member := start(t, token.Reveal(), "cat")
	if err := m.End(ended.LUID()); err != nil {
		t.Fatal(err)
	}
	stop()
	text, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []wnet.Secret{token, goneToken, endedToken} {
		if strings.Contains(string(text), secret.Reveal()) {
			t.Error("the State file holds a token")
		}
	}
	if fi, err := os.Stat(state); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the State file: %v %v", fi.Mode(), err)
	}
	if err := os.Chmod(state, 0o644); err != nil { // mended by the next writing
		t.Fatal(err)
	}
	other.end()

	m2 := real(t, state)
	if m2.Default().LUID() != m.Default().LUID() {
		t.Errorf("the default session was %s, is %s", m.Default().LUID(), m2.Default().LUID())
	}
	peer := session.Peer{UID: os.Getuid(), PID: os.Getpid()}
	again, err := m2.Resolve(peer, token)
	if err != nil || again.LUID() != s.LUID() || again.Name() != "job" || again.Kind() != session.KindToken || !again.Since().Equal(s.Since()) {
		t.Fatalf("Resolve: %+v %v", again, err)
	}
	if _, err := m2.Resolve(peer, endedToken); !errors.Is(err, win32.ERROR_NO_SUCH_LOGON_SESSION) {
		t.Errorf("an ended session is back: %v", err)
	}
	over, _ := running(t, m2)
	lost, ok := <-over
	if !ok || lost.LUID() != gone.LUID() {
		t.Errorf("told %v, want %s", lost, gone.LUID())
	}
	until(t, "the anchor is watched", func() bool { return m2.Watched(again) == anchor.Process.Pid })
	anchor.end()
	until(t, "the member is watched", func() bool { return m2.Watched(again) == member.Process.Pid })
	member.end()
	ends(t, over, again)
	if fi, err := os.Stat(state); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the State file: %v %v", fi.Mode(), err)
	}
}

// Logons keep their LUIDs and their place over a restart; another boot forgets all, and rubbish is reported and replaced.
func TestState(t *testing.T) {
	w := newWorld(t)
	w.conf.State = filepath.Join(w.dir, "state")
	var log bytes.Buffer
	w.conf.Logger = slog.New(slog.NewTextHandler(&log, nil))
	for id, pid := range map[string]int{"4": 54, "5": 55} {
		w.logind(id, anna, "STATE=active\nCLASS=user\n")
		w.start(pid, proc{uid: anna, groups: scope(id)})
	}
	m := w.manager()
	shared, own := resolve(t, m, 54), resolve(t, m, 55)
	m = w.manager()
	if s := resolve(t, m, 55); s.LUID() != own.LUID() || s.Folder() != own.Folder() || s.Name() != "logind 5" {
		t.Errorf("the second logon is %s now, was %s", s.LUID(), own.LUID())
	}
	if s := resolve(t, m, 54); s != m.Default() || s.LUID() != shared.LUID() {
		t.Error("the first logon has moved")
	}
	good, err := os.ReadFile(w.conf.State)
	if err != nil {
		t.Fatal(err)
	}
	// A logon that ended while no daemon ran leaves its place to the next.
	w.logout("4")
	m = w.manager()
	_, stop := running(t, m)
	until(t, "the default session is free", func() bool { return m.Default().Name() == "uid 1000" })
	stop() // it would write the State file that follows

	for name, text := range map[string]string{
		"empty":      "",
		"cut":        string(good[:len(good)/2]),
		"not json":   "hello",
		"version":    strings.Replace(string(good), `"version": 1`, `"version": 99`, 1),
		"other user": strings.Replace(string(good), `"uid": 1000`, `"uid": 1001`, 1),
		"no default": strings.Replace(string(good), m.Default().LUID().String(), "00000000-00000000", 1),
		"same twice": strings.ReplaceAll(string(good), own.LUID().String(), m.Default().LUID().String()),
		"kind":       strings.Replace(string(good), `"kind": "logind"`, `"kind": "king"`, 1),
		"id climbs":  strings.Replace(string(good), `"id": "5"`, `"id": "../5"`, 1),
		"id twice":   strings.Replace(string(good), `"id": "5"`, `"id": "4"`, 1),
		"reserved":   strings.ReplaceAll(string(good), own.LUID().String(), "00000000-000003e7"),
		"not given":  strings.ReplaceAll(string(good), shared.LUID().String(), "7fffffff-ffffffff"),
	} {
		if name != "empty" && text == string(good) {
			t.Errorf("%s: the test changes nothing", name)
		}
		if err := os.WriteFile(w.conf.State, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		m := w.manager()
		if len(m.List()) != 1 || m.Default().LUID() == shared.LUID() || m.Default().Name() != "uid 1000" {
			t.Errorf("%s: %v", name, m.List())
		}
		if !strings.Contains(log.String(), "starting afresh") {
			t.Errorf("%s: not reported: %s", name, &log)
		}
		log.Reset()
		if again := w.manager(); again.Default().LUID() != m.Default().LUID() || log.Len() > 0 {
			t.Errorf("%s: not replaced: %s", name, &log)
		}
	}
	// Another boot: silence, and all anew.
	if err := os.WriteFile(w.conf.State, good, 0o600); err != nil {
		t.Fatal(err)
	}
	w.write("proc/sys/kernel/random/boot_id", "boot-2\n")
	log.Reset()
	if m := w.manager(); len(m.List()) != 1 || m.Default().LUID() == shared.LUID() || log.Len() > 0 {
		t.Errorf("another boot: %v %s", m.List(), &log)
	}
	// A State file that can't be written costs a warning.
	w.conf.State = filepath.Join(w.conf.State, "below-a-file")
	w.manager()
	if !strings.Contains(log.String(), "can't be saved") {
		t.Errorf("unwritable: %s", &log)
	}
}

// Sessions come, work and go from many goroutines, while Run watches and the State file is written.
func TestConcurrent(t *testing.T) {
	w := newWorld(t)
	w.conf.State = filepath.Join(w.dir, "state")
	m := w.manager()
	over, stop := running(t, m)
	for i := range 8 {
		id := fmt.Sprint(i)
		w.logind(id, anna, "STATE=active\nCLASS=user\n")
		w.start(100+i, proc{uid: anna, groups: scope(id)})
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 10 {
				if s := resolve(t, m, 100+(g+i)%8); s.Over() {
					t.Error("a living logon's session is over")
				}
				s, token, err := m.Create("x", 100+g)
				if err != nil {
					t.Error(err)
					return
				}
				for n, d := range wnet.Drives(false) {
					if err := s.Define(d, session.ID(n)); err != nil {
						t.Error(err)
					}
				}
				if got, err := m.Resolve(session.Peer{UID: anna, PID: 100 + g}, token); got != s || err != nil {
					t.Errorf("%v %v", got, err)
				}
				m.List()
				if len(s.Devices()) != 24 {
					t.Errorf("%v", s.Devices())
				}
				if err := m.End(s.LUID()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for range 80 {
		<-over
	}
	if n := len(m.List()); n != 8 {
		t.Errorf("%d sessions are left, want one a logon", n)
	}
	stop()
	again := w.manager()
	for _, s := range m.List() {
		if _, ok := again.Find(s.LUID()); !ok {
			t.Errorf("%s is not in the State file", s.Name())
		}
	}
}

// The cost of a look-up does not grow with the number of sessions.
func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, err := session.New(session.Config{UID: os.Getuid(), Root: "/x"})
			if err != nil {
				b.Fatal(err)
			}
			var all []*session.Session
			for range n {
				s, _, err := m.Create("", os.Getpid())
				if err != nil {
					b.Fatal(err)
				}
				for i, d := range wnet.Drives(false)[:10] {
					if err := s.Define(d, session.ID(i)); err != nil {
						b.Fatal(err)
					}
				}
				all = append(all, s)
			}
			i := 0
			for b.Loop() {
				i++
				all[i%n].Lookup("Z:")
			}
		})
	}
}

// A process that executes a new program has no environment for an instant: one look that does not find it ends nothing.
func TestOneLookIsNoEnd(t *testing.T) {
	w := newWorld(t)
	m := w.manager()
	w.start(50, proc{uid: anna})
	s, token, err := m.Create("x", 50)
	if err != nil {
		t.Fatal(err)
	}
	env := session.EnvToken + "=" + token.Reveal()
	w.exit(50)
	for range 3 {
		w.start(51, proc{uid: anna, env: env})
		if m.Look() {
			t.Error("looking again for a process that is there")
		}
		w.start(51, proc{uid: anna})
		if !m.Look() || s.Over() {
			t.Error("one look has ended the session")
		}
	}
	until(t, "the session is over", func() bool { m.Look(); return s.Over() })
}
