package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// The kinds of a session: what it was resolved from.
const (
	KindDefault = "default" // callers outside any logon session, and the logon that shares it
	KindLogind  = "logind"
	KindAudit   = "audit"
	KindToken   = "token"
)

// EnvToken is the environment variable in which a token session's processes show their token.
const EnvToken = "WNET_SESSION"

// Peer is a caller as the socket tells it (SO_PEERCRED). PID is 0 for a process of another pid namespace.
type Peer struct{ UID, PID int }

// Config says whom a Manager serves and where it looks.
type Config struct {
	UID    int    // the only user that is served
	Root   string // absolute path of the folder under which drives appear
	State  string // file that keeps the sessions across a daemon's restart, best on a file system that a boot empties; "" for none
	Proc   string // "" for /proc
	Run    string // "" for /run, where logind keeps systemd/sessions
	Logger *slog.Logger
}

// Manager has all sessions of one user and the global namespace. Its methods, and those of its Sessions, may be called from many
// goroutines at once; none but Create, End and Resolve of a new logon do I/O besides reading /proc.
type Manager struct {
	cfg  Config
	log  *slog.Logger
	proc proc
	boot string        // this boot's id, to which a State file belongs
	wake chan struct{} // asks Run to look at the references soon; holds one request

	mu      sync.RWMutex // guards all below, and what Sessions and logons hold
	last    wnet.LUID    // the newest LUID
	def     *Session
	shared  *logon // the logind or audit logon that shares the default session, nil for none
	byLUID  map[wnet.LUID]*Session
	logons  map[string]*logon // by key
	global  names
	over    []*Session // ended, and not yet told to Run's callback
	version uint64     // grows with every change that the State file has to show

	saving sync.Mutex // guards saved and the State file; taken before mu
	saved  uint64     // the version in the State file
}

// Session is one logon session: a LUID and a device namespace.
type Session struct {
	m      *Manager
	luid   wnet.LUID
	kind   string
	name   string
	folder string
	since  time.Time

	ended atomic.Bool // set under m.mu
	local names       // written under m.mu
}

// logon is a reference to a session: what keeps it alive. Every session but the default one has exactly one.
type logon struct {
	key     string // kind and number, or kind and hash of the token
	kind    string
	id      string // the logind or audit session's number, the token's hash
	session *Session
	anchor  process // token: the process whose life counts whatever its environment; zero when it has exited

	watch *watch    // the process that is being waited for, nil if none; guarded by Manager.mu
	lost  time.Time // when a look first found no process, zero if the last one found one; guarded by Manager.mu
}

func logonKey(kind, id string) string { return kind + ":" + id }

// New returns a Manager with the default session and the sessions that cfg.State has kept since the boot. A State file that can't be
// used is logged and left behind. Errors: ERROR_INVALID_PARAMETER for a Root that is not absolute.
func New(cfg Config) (*Manager, error) {
	if !filepath.IsAbs(cfg.Root) {
		return nil, &wnet.Error{Name: cfg.Root, Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("the folder for drives must be an absolute path")}
	}
	if cfg.Proc == "" {
		cfg.Proc = "/proc"
	}
	if cfg.Run == "" {
		cfg.Run = "/run"
	}
	m := &Manager{
		cfg: cfg, log: cfg.Logger, proc: proc(cfg.Proc),
		wake:   make(chan struct{}, 1),
		byLUID: map[wnet.LUID]*Session{}, logons: map[string]*logon{},
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	m.boot = m.proc.bootID()
	if cfg.State != "" {
		if err := m.load(); err != nil {
			m.log.Warn("the sessions of before can't be read, starting afresh", "file", cfg.State, "err", err)
		}
	}
	if m.def == nil {
		m.def = m.add(KindDefault, "uid "+strconv.Itoa(cfg.UID), cfg.Root)
	}
	m.save()
	return m, nil
}

// add makes a session. The caller holds mu, or is New.
func (m *Manager) add(kind, name, folder string) *Session {
	s := &Session{m: m, luid: m.newLUID(), kind: kind, name: name, folder: folder, since: time.Now()}
	if folder == "" {
		s.folder = m.folder(s.luid)
	}
	m.byLUID[s.luid] = s
	m.version++
	return s
}

func (m *Manager) folder(luid wnet.LUID) string {
	return filepath.Join(m.cfg.Root, "sessions", luid.String())
}

// newLUID counts in steps of 100 ns since the boot, so that LUIDs are unique for the boot and in order of age, also where no State file
// remembers the newest. The low numbers, Windows' fixed ones among them (dosdevices.md §6), are never given.
func (m *Manager) newLUID() wnet.LUID {
	var t unix.Timespec
	luid := wnet.LUID(1 << 16)
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) == nil {
		luid += wnet.LUID(t.Nano() / 100)
	}
	m.last = max(m.last+1, luid)
	return m.last
}

// Resolve returns the session of a caller (the rules are in the package's doc). A token that is present decides alone.
//
// Errors: ERROR_ACCESS_DENIED for another user (DD-03), ERROR_NO_SUCH_LOGON_SESSION for a token that leads nowhere, and for a process
// that has exited or whose number belongs to another user by now.
func (m *Manager) Resolve(peer Peer, token wnet.Secret) (*Session, error) {
	if peer.UID != m.cfg.UID {
		return nil, &wnet.Error{Code: win32.ERROR_ACCESS_DENIED, Err: fmt.Errorf("drives of uid %d are not for uid %d", m.cfg.UID, peer.UID),
			Hint: "Every user has a wnet daemon of their own; call that one."}
	}
	if token.Present() {
		m.mu.RLock()
		defer m.mu.RUnlock()
		if l := m.logons[logonKey(KindToken, hashToken(token.Reveal()))]; l != nil {
			return l.session, nil
		}
		return nil, &wnet.Error{Code: win32.ERROR_NO_SUCH_LOGON_SESSION, Err: errors.New("the token in " + EnvToken + " belongs to no session"),
			Hint: "Its session has ended. Unset " + EnvToken + ", or start a new one with `wnet session run`."}
	}
	kind, id, err := m.origin(peer.PID)
	if err != nil {
		return nil, &wnet.Error{Code: win32.ERROR_NO_SUCH_LOGON_SESSION, Err: err}
	}
	if kind == KindDefault {
		return m.def, nil
	}
	s, fresh := m.logon(kind, id)
	if fresh {
		m.save()
		m.poke()
	}
	return s, nil
}

// logon finds or makes the session of a logind or audit session.
func (m *Manager) logon(kind, id string) (s *Session, fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := logonKey(kind, id)
	if l := m.logons[key]; l != nil {
		l.lost = time.Time{} // a process has just been seen
		return l.session, false
	}
	l := &logon{key: key, kind: kind, id: id}
	if m.shared == nil {
		m.shared, l.session = l, m.def
	} else {
		l.session = m.add(kind, kind+" "+id, "")
	}
	m.logons[key] = l
	m.version++
	return l.session, true
}

// Default returns the session of callers outside any logon session.
func (m *Manager) Default() *Session { return m.def }

// Create makes a token session with an empty namespace (CC-31) and returns the token that its processes are to show in EnvToken. It is
// over when the process anchor has exited and no process of the user has the token in its environment, or by End. name is for
// people, "" for none.
//
// Errors: ERROR_INVALID_PARAMETER if there is no process anchor of this user, ERROR_INVALID_NAME for a name with invisible characters.
func (m *Manager) Create(name string, anchor int) (*Session, wnet.Secret, error) {
	name, err := wnet.Clean("session name", name)
	if err != nil {
		return nil, wnet.Secret{}, err
	}
	if name == "" {
		name = KindToken
	}
	p, err := m.proc.identify(anchor, m.cfg.UID)
	if err != nil {
		return nil, wnet.Secret{}, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: fmt.Errorf("the session's process: %w", err)}
	}
	var raw [32]byte
	rand.Read(raw[:]) // never fails
	token := hex.EncodeToString(raw[:])
	id := hashToken(token)

	m.mu.Lock()
	s := m.add(KindToken, name, "")
	key := logonKey(KindToken, id)
	m.logons[key] = &logon{key: key, kind: KindToken, id: id, session: s, anchor: p}
	m.mu.Unlock()
	m.save()
	m.poke()
	return s, wnet.NewSecret(token), nil
}

// hashToken is what is kept of a token.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// End ends a token session, whoever still refers to it: its token leads nowhere from now on, and Run's callback is called.
//
// Errors: ERROR_NO_SUCH_LOGON_SESSION if there is none with this LUID, ERROR_NOT_SUPPORTED for a session of another kind.
func (m *Manager) End(luid wnet.LUID) error {
	m.mu.Lock()
	s := m.byLUID[luid]
	switch {
	case s == nil:
		m.mu.Unlock()
		return &wnet.Error{Name: luid.String(), Code: win32.ERROR_NO_SUCH_LOGON_SESSION, Hint: "`wnet session list` shows the sessions."}
	case s.kind != KindToken:
		m.mu.Unlock()
		return &wnet.Error{Name: luid.String(), Code: win32.ERROR_NOT_SUPPORTED,
			Err: fmt.Errorf("a %s session ends with its logon", s.kind), Hint: "Only a session of `wnet session run` can be ended."}
	}
	for _, l := range m.logons {
		if l.session == s {
			m.drop(l)
			break
		}
	}
	m.mu.Unlock()
	m.save()
	m.poke()
	return nil
}

// drop takes a reference away, and with it its session unless that is the default one. The caller holds mu.
func (m *Manager) drop(l *logon) {
	delete(m.logons, l.key)
	m.version++
	if l.watch != nil {
		l.watch.stop()
		l.watch = nil
	}
	if l == m.shared {
		m.shared = nil
		return
	}
	delete(m.byLUID, l.session.luid)
	l.session.ended.Store(true)
	m.over = append(m.over, l.session)
}

// List returns the living sessions, the oldest first. The caller owns the slice.
func (m *Manager) List() []*Session {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := make([]*Session, 0, len(m.byLUID))
	for _, s := range m.byLUID {
		all = append(all, s)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].luid < all[j].luid }) // LUIDs are given in order of age
	return all
}

// Find returns the living session with this LUID.
func (m *Manager) Find(luid wnet.LUID) (*Session, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.byLUID[luid]
	return s, ok
}

// poke makes Run look at the references now.
func (m *Manager) poke() {
	select {
	case m.wake <- struct{}{}:
	default: // a look is due already
	}
}
