package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"github.com/openwnet/wnet"
)

const stateVersion = 1

// state is the State file. Of a token it holds the hash alone.
type state struct {
	Version int          `json:"version"`
	Boot    string       `json:"boot"`
	UID     int          `json:"uid"`
	Last    wnet.LUID    `json:"last"`
	Default savedSession `json:"default"`
	Shared  *savedLogon  `json:"shared,omitempty"`
	Logons  []savedLogon `json:"logons"`
}

type savedSession struct {
	LUID  wnet.LUID `json:"luid"`
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
}

type savedLogon struct {
	Kind    string       `json:"kind"`
	ID      string       `json:"id"`
	Anchor  process      `json:"anchor,omitzero"`
	Session savedSession `json:"session,omitzero"`
}

// load takes over the sessions of the State file: all of them or none. What has ended meanwhile, Run finds out. Only New calls it.
func (m *Manager) load() error {
	text, err := os.ReadFile(m.cfg.State)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var st state
	if err := json.Unmarshal(text, &st); err != nil {
		return err
	}
	if st.Version != stateVersion {
		return fmt.Errorf("version %d is not known", st.Version)
	}
	if st.Boot != m.boot || m.boot == "" {
		return nil // of another boot: LUIDs start anew, tokens and logons are gone
	}
	if st.UID != m.cfg.UID {
		return fmt.Errorf("it belongs to uid %d", st.UID)
	}
	if err := st.check(); err != nil {
		return err
	}
	m.last = st.Last
	m.def = m.restore(KindDefault, st.Default, m.cfg.Root)
	if l := st.Shared; l != nil {
		m.shared = m.keep(*l, m.def)
	}
	for _, l := range st.Logons {
		m.keep(l, m.restore(l.Kind, l.Session, m.folder(l.Session.LUID)))
	}
	return nil
}

func (m *Manager) restore(kind string, s savedSession, folder string) *Session {
	r := &Session{m: m, luid: s.LUID, kind: kind, name: s.Name, folder: folder, since: s.Since}
	m.byLUID[r.luid] = r
	return r
}

func (m *Manager) keep(s savedLogon, to *Session) *logon {
	l := &logon{key: logonKey(s.Kind, s.ID), kind: s.Kind, id: s.ID, session: to, anchor: s.Anchor}
	m.logons[l.key] = l
	return l
}

// check refuses what could not have been written here.
func (st *state) check() error {
	seen := map[wnet.LUID]bool{}
	keys := map[string]bool{}
	luid := func(l wnet.LUID) error {
		if l < 1<<16 || l > st.Last || seen[l] {
			return fmt.Errorf("%s is no session's LUID", l)
		}
		seen[l] = true
		return nil
	}
	logon := func(l savedLogon, kinds ...string) error {
		for _, k := range kinds {
			if l.Kind == k && logindID(l.ID) && !keys[logonKey(l.Kind, l.ID)] {
				keys[logonKey(l.Kind, l.ID)] = true
				return nil
			}
		}
		return fmt.Errorf("%q is no logon", logonKey(l.Kind, l.ID))
	}
	err := luid(st.Default.LUID)
	if st.Shared != nil && err == nil {
		err = logon(*st.Shared, KindLogind, KindAudit)
	}
	for _, l := range st.Logons {
		if err == nil {
			err = luid(l.Session.LUID)
		}
		if err == nil {
			err = logon(l, KindLogind, KindAudit, KindToken)
		}
	}
	return err
}

// save brings the State file up to date, in one step and for this user's eyes alone. A session is not refused because the disk is full:
// a failure is logged, and costs the sessions at the next restart. Calls at the same time share one writing.
func (m *Manager) save() {
	if m.cfg.State == "" {
		return
	}
	m.saving.Lock()
	defer m.saving.Unlock()
	st, version := m.snapshot()
	if version == m.saved && version != 0 {
		return
	}
	err := write(m.cfg.State, st)
	if err != nil {
		m.log.Warn("the sessions can't be saved, a restart of the daemon will lose them", "file", m.cfg.State, "err", err)
		return
	}
	m.saved = version
}

func write(path string, st state) error {
	text, err := json.MarshalIndent(st, "", "\t")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	defer f.Cleanup() // nothing after the replacement
	if _, err := f.Write(append(text, '\n')); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

func (m *Manager) snapshot() (state, uint64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	st := state{Version: stateVersion, Boot: m.boot, UID: m.cfg.UID, Last: m.last, Default: m.def.saved()}
	for _, l := range m.logons {
		s := savedLogon{Kind: l.kind, ID: l.id, Anchor: l.anchor}
		if l == m.shared {
			st.Shared = &s
			continue
		}
		s.Session = l.session.saved()
		st.Logons = append(st.Logons, s)
	}
	return st, m.version
}

func (s *Session) saved() savedSession {
	return savedSession{LUID: s.luid, Name: s.name, Since: s.since}
}
