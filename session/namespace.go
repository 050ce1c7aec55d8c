package session

import (
	"errors"
	"sort"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// ID is a connection's number in the router; a namespace knows no more of a connection.
type ID uint64

// Entry is one name of a namespace and the connection behind it.
type Entry struct {
	Device wnet.Device
	ID     ID
	Global bool // the name is in the global namespace
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
func (s *Session) Over() bool {
	s.m.mu.RLock()
	defer s.m.mu.RUnlock()
	return s.ended
}

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
	if s.ended {
		return &wnet.Error{Name: string(d), Code: win32.ERROR_NO_SUCH_LOGON_SESSION, Err: errors.New("the session has just ended")}
	}
	if _, ok := s.local[d]; ok {
		return assigned(d, "this session uses it")
	}
	if _, ok := m.global[d]; ok {
		return assigned(d, "it is a global device, which every session sees")
	}
	if s.local == nil {
		s.local = map[wnet.Device]ID{}
	}
	s.local[d] = id
	return nil
}

// Remove takes a name out of the session's own namespace; false if it is not there or stands for another connection. A global name
// of the same letter shows again (DD-11).
func (s *Session) Remove(d wnet.Device, id ID) bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if have, ok := s.local[d]; !ok || have != id {
		return false
	}
	delete(s.local, d)
	return true
}

// Lookup finds a name: in the session's own namespace first, then in the global one (DD-20).
func (s *Session) Lookup(d wnet.Device) (Entry, bool) {
	s.m.mu.RLock()
	defer s.m.mu.RUnlock()
	if id, ok := s.local[d]; ok {
		return Entry{Device: d, ID: id}, true
	}
	id, ok := s.m.global[d]
	return Entry{Device: d, ID: id, Global: ok}, ok
}

// Devices lists what the session sees: its own names and the global ones that they do not hide (DD-21), drives first, each in
// alphabetical order. The caller owns the slice.
func (s *Session) Devices() []Entry {
	s.m.mu.RLock()
	defer s.m.mu.RUnlock()
	all := make([]Entry, 0, len(s.local)+len(s.m.global))
	for d, id := range s.local {
		all = append(all, Entry{Device: d, ID: id})
	}
	for d, id := range s.m.global {
		if _, hidden := s.local[d]; !hidden {
			all = append(all, Entry{Device: d, ID: id, Global: true})
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
	if _, ok := m.global[d]; ok {
		return assigned(d, "it is a global device already")
	}
	m.global[d] = id
	return nil
}

// RemoveGlobal takes a name out of the global namespace; false if it is not there or stands for another connection.
func (m *Manager) RemoveGlobal(d wnet.Device, id ID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if have, ok := m.global[d]; !ok || have != id {
		return false
	}
	delete(m.global, d)
	return true
}

// Globals lists the global namespace, in the order of Devices: all that LocalSystem sees (DD-21). The caller owns the slice.
func (m *Manager) Globals() []Entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := make([]Entry, 0, len(m.global))
	for d, id := range m.global {
		all = append(all, Entry{Device: d, ID: id, Global: true})
	}
	return sorted(all)
}
