package session

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"
)

const (
	pollEvery = 30 * time.Second // the net under all events
	// grace is how long no process may be found before a session is over. One look can miss a process: its environment is empty for
	// an instant while it executes a new program.
	grace      = 200 * time.Millisecond
	retryAfter = grace / 2
)

// watch waits for one process to exit.
type watch struct {
	pid int
	fd  *os.File // a pidfd, known to Go's poller: waiting costs a goroutine and no thread
}

func (w *watch) stop() { w.fd.Close() }

// wait returns when the process has exited or stop was called.
func (w *watch) wait() {
	c, err := w.fd.SyscallConn()
	if err == nil {
		_ = c.Read(func(fd uintptr) bool { return exited(int(fd)) })
	}
	w.fd.Close()
}

func exited(pidfd int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// Run watches the references of all sessions until ctx ends, and calls ended in a goroutine of its own for every session that is over:
// once, also for those that End ended, and those that a restart found over. It returns when these calls have returned. Run once.
func (m *Manager) Run(ctx context.Context, ended func(*Session)) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer m.unwatch()

	var events <-chan fsnotify.Event
	if n, err := fsnotify.NewWatcher(); err == nil {
		defer n.Close()
		if err := n.Add(m.logindFolder()); err == nil {
			events = n.Events
			wg.Go(func() {
				for range n.Errors { // an overflow: look at everything
					m.poke()
				}
			})
		}
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		again := m.sweep(&wg)
		for _, s := range m.takeOver() {
			wg.Go(func() { ended(s) })
		}
		var retry <-chan time.Time
		if again {
			retry = time.After(retryAfter)
		}
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
		case <-retry:
		case <-poll.C:
		case <-events:
		}
	}
}

func (m *Manager) takeOver() []*Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	over := m.over
	m.over = nil
	return over
}

// unwatch ends the waiting for processes when Run ends.
func (m *Manager) unwatch() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.logons {
		if l.watch != nil {
			l.watch.stop()
			l.watch = nil
		}
	}
}

// sweep looks once whether the logons that nothing is waited for still live, drops those that do not, and starts to wait for a
// process of the others. again asks for another look soon.
func (m *Manager) sweep(wg *sync.WaitGroup) (again bool) {
	m.mu.RLock()
	var logind []*logon
	open := map[string]*logon{} // by key: a process is needed
	anchors := map[string]process{}
	for key, l := range m.logons {
		switch {
		case l.kind == KindLogind:
			logind = append(logind, l)
		case l.watch == nil:
			open[key] = l
			if l.anchor.PID != 0 {
				anchors[key] = l.anchor
			}
		}
	}
	m.mu.RUnlock()

	changed := false
	for _, l := range logind {
		if !m.logindLives(l.id) {
			m.mu.Lock()
			if m.logons[l.key] == l {
				m.log.Debug("a logon has ended", "logon", l.kind+" "+l.id)
				m.drop(l)
				changed = true
			}
			m.mu.Unlock()
		}
	}
	for key, p := range anchors {
		if m.attach(wg, open[key], p.PID, func() bool { return m.proc.same(p) }) {
			delete(open, key)
		}
	}
	if len(open) > 0 {
		ended, retry := m.search(wg, open)
		changed, again = changed || ended, retry
	}
	if changed {
		m.save()
	}
	return again
}

// search looks through all processes for one of each logon.
func (m *Manager) search(wg *sync.WaitGroup, open map[string]*logon) (ended, again bool) {
	tokens, audits := false, false
	for _, l := range open {
		tokens = tokens || l.kind == KindToken
		audits = audits || l.kind == KindAudit
	}
	found := map[string]bool{}
	for _, pid := range m.proc.pids() {
		for _, key := range m.keys(pid, tokens, audits) {
			l := open[key]
			if l == nil || found[key] {
				continue
			}
			found[key] = m.attach(wg, l, pid, func() bool {
				for _, again := range m.keys(pid, l.kind == KindToken, l.kind == KindAudit) {
					if again == key {
						_, err := m.proc.started(pid)
						return err == nil && m.proc.belongs(pid, m.cfg.UID) == nil
					}
				}
				return false
			})
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, l := range open {
		if found[key] || m.logons[key] != l {
			continue
		}
		now := time.Now()
		if l.lost.IsZero() {
			l.lost = now
		}
		if now.Sub(l.lost) < grace {
			again = true
			continue
		}
		m.log.Debug("no process refers to a session any more", "luid", l.session.luid.String(), "kind", l.kind)
		m.drop(l)
		ended = true
	}
	return ended, again
}

// keys are the logons that a process refers to.
func (m *Manager) keys(pid int, tokens, audits bool) []string {
	var keys []string
	if tokens {
		if hash := m.proc.token(pid); hash != "" {
			keys = append(keys, logonKey(KindToken, hash))
		}
	}
	if audits {
		if id := m.proc.audit(pid, m.cfg.UID); id != "" {
			keys = append(keys, logonKey(KindAudit, id))
		}
	}
	return keys
}

// attach waits for the process from now on if it is (still) the one that is meant, which is asked after the pidfd was taken: the
// number can't mean another process then. Where there are no pidfds, or /proc is a test's, every sweep asks anew.
func (m *Manager) attach(wg *sync.WaitGroup, l *logon, pid int, meant func() bool) bool {
	fd := -1
	if m.proc.real() {
		if n, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK); err == nil {
			fd = n
		} else if err == unix.ESRCH {
			return false
		}
	}
	if !meant() {
		if fd >= 0 {
			unix.Close(fd)
		}
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l.lost = time.Time{}
	if fd < 0 {
		return true
	}
	w := &watch{pid, os.NewFile(uintptr(fd), "pidfd")}
	if m.logons[l.key] != l || l.watch != nil { // ended meanwhile
		w.stop()
		return true
	}
	l.watch = w
	wg.Go(func() {
		w.wait()
		m.mu.Lock()
		if l.watch == w {
			l.watch = nil
		}
		m.mu.Unlock()
		m.poke()
	})
	return true
}
