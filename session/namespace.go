package session

import (
	"errors"
	"sort"
	"sync/atomic"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// ID is a connection's number in the router; a namespace knows no more of a connection.
type ID uint64

// Entry is one name of a namespace and the connection behind it.
type Entry struct {
	ID     ID
	Behind any // what Bind was given with the name, of the router's own type; nil while the name is only reserved
	Device wnet.Device
	Global bool // the name is in the global namespace
}

// names is one namespace: a place for each device there can be, so that a look-up takes no lock and touches one cache line of its own
// however many sessions there are. Manager.mu guards the writing; an Entry in it is never changed.
type names [26 + 9]atomic.Pointer[Entry]

// at is the place of a canonical name: the letters, then LPT1 to LPT9.
func (n *names) at(d wnet.Device) *atomic.Pointer[Entry] {
	switch {
	case len(d) == 2 && 'A' <= d[0] && d[0] <= 'Z':
		return &n[d[0]-'A']
	case len(d) == 4 && '1' <= d[3] && d[3] <= '9':
		return &n[26+d[3]-'1']
	}
	return new(atomic.Pointer[Entry]) // no device: never found
}

// remove takes a name out if it stands for the connection. The caller holds Manager.mu.
func (n *names) remove(d wnet.Device, id ID) bool {
	p := n.at(d)
	if e := p.Load(); e == nil || e.ID != id {
		return false
	}
	p.Store(nil)
	return true
}

// bind puts the caller's Entry in the place of the reservation with the same number. The caller holds Manager.mu.
func (n *names) bind(e *Entry) bool {
	p := n.at(e.Device)
	if have := p.Load(); have == nil || have.ID != e.ID {
		return false
	}
	p.Store(e)
	return true
}

// LUID identifies the session (DD-01). It is unique for the boot.
func (s *Session) LUID() wnet.LUID { return s.luid }

// Kind is KindDefault, KindLogind, KindAudit or KindToken.
func (s *Session) Kind() string { return s.kind }

// Name says what the session was resolved from, such as "logind 4"; a token session has the name that it was made with.
func (s *Session) Name() string {
	if s.kind != KindDefault {
		return s.name
	}
	s.m.mu.RLock()
	defer s.m.mu.RUnlock()
	if l := s.m.shared; l != nil {
		return s.name + ", " + l.kind + " " + l.id
	}
	return s.name
}

// Folder is the absolute path under which the session's drives appear: the root for the default session, sessions/LUID below it for
// the others. The session does not make it.
func (s *Session) Folder() string { return s.folder }

// Since is when the session was first seen.
func (s *Session) Since() time.Time { return s.since }

// Restores reports whether remembered drives come back in this session. They do not in a token session, which begins empty (CC-31).
func (s *Session) Restores() bool { return s.kind != KindToken }

// Over reports whether the session has ended. It takes no new devices then; those it has are still found, so that they can be given
// up.
func (s *Session) Over() bool { return s.ended.Load() }

func assigned(d wnet.Device, where string) error {
	return &wnet.Error{Name: string(d), Code: win32.ERROR_ALREADY_ASSIGNED, Err: errors.New(where)}
}

// Define puts a name into the session's own namespace.
//
// Errors: ERROR_ALREADY_ASSIGNED if the name is there or in the global one (DD-22), ERROR_NO_SUCH_LOGON_SESSION if the session is
// over, ERROR_BAD_DEVICE for the zero Device.
func (s *Session) Define(d wnet.Device, id ID) error {
	if d == "" {
		return &wnet.Error{Code: win32.ERROR_BAD_DEVICE}
	}
	m := s.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.ended.Load() {
		return &wnet.Error{Name: string(d), Code: win32.ERROR_NO_SUCH_LOGON_SESSION, Err: errors.New("the session has just ended")}
	}
	if s.local.at(d).Load() != nil {
		return assigned(d, "this session uses it")
	}
	if m.global.at(d).Load() != nil {
		return assigned(d, "it is a global device, which every session sees")
	}
	s.local.at(d).Store(&Entry{Device: d, ID: id})
	return nil
}

// Bind says what a name that Define has put in stands for: Lookup finds e itself from now on. e names the device and the number; it must
// not change any more. False if the name is not there or stands for another connection.
func (s *Session) Bind(e *Entry) bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.local.bind(e)
}

// Remove takes a name out of the session's own namespace; false if it is not there or stands for another connection. A global name
// of the same letter shows again (DD-11).
func (s *Session) Remove(d wnet.Device, id ID) bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.local.remove(d, id)
}

// Lookup finds a name: in the session's own namespace first, then in the global one (DD-20); nil if it is in neither. It takes no lock. The
// Entry is not to be changed.
func (s *Session) Lookup(d wnet.Device) *Entry {
	if e := s.local.at(d).Load(); e != nil {
		return e
	}
	// A name cannot move from here to there unseen: Define refuses a name that is global.
	return s.m.global.at(d).Load()
}

// Devices lists what the session sees: its own names and the global ones that they do not hide (DD-21), drives first, each in
// alphabetical order. The caller owns the slice.
func (s *Session) Devices() []Entry {
	s.m.mu.RLock()
	defer s.m.mu.RUnlock()
	var all []Entry
	for i := range s.local {
		if e := s.local[i].Load(); e != nil {
			all = append(all, *e)
		} else if e := s.m.global[i].Load(); e != nil {
			all = append(all, *e)
		}
	}
	return sorted(all)
}

func sorted(all []Entry) []Entry {
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i].Device, all[j].Device
		if a.Drive() != b.Drive() {
			return a.Drive()
		}
		return a < b
	})
	return all
}

// DefineGlobal puts a name into the global namespace (DD-04, DD-07): every session sees it unless a name of its own hides it (DD-11).
// Errors: ERROR_ALREADY_ASSIGNED if it is there, ERROR_BAD_DEVICE for the zero Device.
func (m *Manager) DefineGlobal(d wnet.Device, id ID) error {
	if d == "" {
		return &wnet.Error{Code: win32.ERROR_BAD_DEVICE}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.global.at(d).Load() != nil {
		return assigned(d, "it is a global device already")
	}
	m.global.at(d).Store(&Entry{Device: d, ID: id, Global: true})
	return nil
}

// BindGlobal is Bind for a global name.
func (m *Manager) BindGlobal(e *Entry) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.global.bind(e)
}

// RemoveGlobal takes a name out of the global namespace; false if it is not there or stands for another connection.
func (m *Manager) RemoveGlobal(d wnet.Device, id ID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.global.remove(d, id)
}

// Globals lists the global namespace, in the order of Devices: all that LocalSystem sees (DD-21). The caller owns the slice.
func (m *Manager) Globals() []Entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []Entry
	for i := range m.global {
		if e := m.global[i].Load(); e != nil {
			all = append(all, *e)
		}
	}
	return sorted(all)
}
