package session

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// origin reads which logon session a process belongs to: KindLogind or KindAudit with its number, or KindDefault. It fails if the
// process has exited or belongs to another user by now: its number may have been given to a process that did not call.
func (m *Manager) origin(pid int) (kind, id string, err error) {
	if pid <= 0 {
		return KindDefault, "", nil // a container's process, whose number means nothing here
	}
	if err := m.proc.belongs(pid, m.cfg.UID); err != nil {
		return "", "", err
	}
	groups, _ := m.proc.read(pid, "cgroup")
	id, manager := scope(groups)
	switch {
	case id != "" && m.logindLives(id):
		return KindLogind, id, nil
	case id != "":
		// What was left behind by a logon, what su and sudo started, and timers' jobs.
		return KindDefault, "", nil
	case manager:
		return KindDefault, "", nil
	}
	if id = m.proc.audit(pid, m.cfg.UID); id != "" && !m.logindKnows() {
		return KindAudit, id, nil
	}
	return KindDefault, "", nil
}

// scope finds the logind session in the text of /proc/PID/cgroup: the X of a session-X.scope, under elogind the group's own name.
// manager tells that the process belongs to a user manager (user@UID.service), which has an audit session of its own that is no
// person's logon.
func scope(groups string) (id string, manager bool) {
	for line := range strings.Lines(groups) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3) // hierarchy:controllers:path
		if len(f) != 3 || f[1] != "" && f[1] != "name=systemd" && f[1] != "name=elogind" {
			continue
		}
		if f[1] == "name=elogind" {
			if part, _, _ := strings.Cut(strings.TrimPrefix(f[2], "/"), "/"); logindID(part) {
				id = part
			}
			continue
		}
		for part := range strings.SplitSeq(f[2], "/") {
			if s, ok := strings.CutPrefix(part, "session-"); ok {
				if s, ok = strings.CutSuffix(s, ".scope"); ok && logindID(s) {
					id = s
				}
			}
			if strings.HasPrefix(part, "user@") && strings.HasSuffix(part, ".service") {
				manager = true
			}
		}
	}
	return id, manager
}

// logindID guards the file name that is made of it.
func logindID(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

func (m *Manager) logindFolder() string { return filepath.Join(m.cfg.Run, "systemd/sessions") }

// logindKnows reports whether the user has a logon of logind's, or lingers. Logons that count have a scope there: what is outside of them and
// has an audit session all the same is a job of cron's, at's or a timer's.
func (m *Manager) logindKnows() bool {
	_, err := os.Stat(filepath.Join(m.cfg.Run, "systemd/users", strconv.Itoa(m.cfg.UID)))
	return err == nil
}

// logindLives reports whether logind has this session, as a person's logon of this user that is not closing.
func (m *Manager) logindLives(id string) bool {
	text, err := os.ReadFile(filepath.Join(m.logindFolder(), id))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch k {
		case "UID":
			if v != strconv.Itoa(m.cfg.UID) {
				return false
			}
		case "STATE":
			if v == "closing" {
				return false
			}
		case "CLASS":
			if !strings.HasPrefix(v, "user") {
				return false // background, manager, greeter, lock-screen
			}
		}
	}
	return true
}
