package session_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/openwnet/wnet/session"
)

const (
	anna = 1000
	bert = 1001
)

// world is a made-up machine: a /proc and a /run in which tests put processes and logons.
type world struct {
	t    *testing.T
	dir  string
	conf session.Config
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.conf = session.Config{UID: anna, Root: "/home/anna/wnet", Proc: filepath.Join(w.dir, "proc"), Run: filepath.Join(w.dir, "run")}
	w.write("proc/sys/kernel/random/boot_id", "boot-1\n")
	w.mkdir("run/systemd/sessions")
	return w
}

func (w *world) mkdir(name string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Join(w.dir, name), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

// write replaces a file in one step, as the kernel and logind do.
func (w *world) write(name, text string) {
	w.t.Helper()
	w.mkdir(filepath.Dir(name))
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(name string) {
	w.t.Helper()
	if err := os.RemoveAll(filepath.Join(w.dir, name)); err != nil {
		w.t.Fatal(err)
	}
}

// proc is a process; the zero values stand for a process outside any logon.
type proc struct {
	uid, euid       int // euid 0: as uid
	groups          string
	audit, loginuid string
	env             string
	state           string
	start           int
}

const none = "4294967295"

func (w *world) start(pid int, p proc) int {
	w.t.Helper()
	if p.euid == 0 {
		p.euid = p.uid
	}
	for s, d := range map[*string]string{&p.groups: "0::/\n", &p.audit: none, &p.loginuid: none, &p.state: "S"} {
		if *s == "" {
			*s = d
		}
	}
	dir := "proc/" + strconv.Itoa(pid) + "/"
	w.write(dir+"status", fmt.Sprintf("Name:\tx\nUid:\t%d\t%d\t%d\t%d\n", p.uid, p.euid, p.euid, p.euid))
	w.write(dir+"stat", fmt.Sprintf("%d (a ) b) %s 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", pid, p.state, 100+p.start))
	w.write(dir+"cgroup", p.groups)
	w.write(dir+"sessionid", p.audit)
	w.write(dir+"loginuid", p.loginuid)
	w.write(dir+"environ", p.env)
	return pid
}

func (w *world) exit(pid int) { w.t.Helper(); w.remove("proc/" + strconv.Itoa(pid)) }

// logind makes a logon session, or changes it.
func (w *world) logind(id string, uid int, more string) {
	w.t.Helper()
	w.write("run/systemd/sessions/"+id, fmt.Sprintf("# This is private data. Do not parse.\nUID=%d\nUSER=x\n%s", uid, more))
}

func (w *world) logout(id string) { w.t.Helper(); w.remove("run/systemd/sessions/" + id) }

func scope(id string) string { return "0::/user.slice/user-1000.slice/session-" + id + ".scope\n" }

func (w *world) manager() *session.Manager {
	w.t.Helper()
	m, err := session.New(w.conf)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// running runs a Manager until the test, or stop, ends it; ended sessions come on the channel.
func running(t *testing.T, m *session.Manager) (over <-chan *session.Session, stop func()) {
	t.Helper()
	c := make(chan *session.Session, 2000)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Run(ctx, func(s *session.Session) { c <- s })
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return c, stop
}

// ends waits for the session's end.
func ends(t *testing.T, over <-chan *session.Session, s *session.Session) {
	t.Helper()
	select {
	case got := <-over:
		if got != s {
			t.Fatalf("%s %s has ended, want %s %s", got.Kind(), got.Name(), s.Kind(), s.Name())
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%s %s has not ended", s.Kind(), s.Name())
	}
	if !s.Over() {
		t.Error("an ended session is not over")
	}
}

// until waits for something that no event tells of.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not reached: %s", what)
		}
	}
}
