package session

import "sync"

// Poke asks Run for a look, as a test's /proc has no events.
func (m *Manager) Poke() { m.poke() }

// Watched is the process that Run waits for on behalf of a token session, 0 for none.
func (m *Manager) Watched(s *Session) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, l := range m.logons {
		if l.session == s && l.watch != nil {
			return l.watch.pid
		}
	}
	return 0
}

// Look looks at the references once, as Run does; a test's /proc leaves nothing to wait for.
func (m *Manager) Look() (again bool) {
	var wg sync.WaitGroup
	defer wg.Wait()
	return m.sweep(&wg)
}
