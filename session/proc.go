package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// proc is the folder /proc, or a test's own.
type proc string

// process names one process for good: a number alone may be given to another one later.
type process struct {
	PID   int    `json:"pid"`
	Start string `json:"start"` // when it started, in the kernel's ticks
}

func (p proc) real() bool { return p == "/proc" }

func (p proc) file(pid int, name string) string {
	return filepath.Join(string(p), strconv.Itoa(pid), name)
}

func (p proc) read(pid int, name string) (string, error) {
	b, err := os.ReadFile(p.file(pid, name))
	return strings.TrimSpace(string(b)), err
}

func (p proc) bootID() string {
	b, _ := os.ReadFile(filepath.Join(string(p), "sys/kernel/random/boot_id"))
	return strings.TrimSpace(string(b))
}

// pids lists the processes.
func (p proc) pids() []int {
	names, err := readNames(string(p))
	if err != nil {
		return nil
	}
	var all []int
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil && pid > 0 {
			all = append(all, pid)
		}
	}
	return all
}

// readNames lists a folder without asking about each entry, as os.ReadDir would.
func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

var (
	errGone  = errors.New("the process has exited")
	errOther = errors.New("the process belongs to another user")
)

// belongs checks that the process is there and that its real or effective user is uid. The owner of /proc/PID won't do: it is root
// for a process that does not let itself be dumped.
func (p proc) belongs(pid, uid int) error {
	status, err := p.read(pid, "status")
	if err != nil {
		return errGone
	}
	for line := range strings.Lines(status) {
		rest, ok := strings.CutPrefix(line, "Uid:")
		if !ok {
			continue
		}
		want := strconv.Itoa(uid)
		if f := strings.Fields(rest); len(f) >= 2 && (f[0] == want || f[1] == want) {
			return nil
		}
		return errOther
	}
	return errGone
}

// started tells when the process started; errGone if it has exited, also if nobody has taken its exit status yet.
func (p proc) started(pid int) (string, error) {
	stat, err := p.read(pid, "stat")
	if err != nil {
		return "", errGone
	}
	// "pid (name) state ppid …": the name may hold anything, a bracket too.
	i := strings.LastIndexByte(stat, ')')
	if i < 0 {
		return "", errGone
	}
	f := strings.Fields(stat[i+1:])
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return "", errGone
	}
	return f[19], nil
}

// identify names the living process pid of the user uid.
func (p proc) identify(pid, uid int) (process, error) {
	if pid <= 0 {
		return process{}, fmt.Errorf("%d is no process", pid)
	}
	start, err := p.started(pid)
	if err != nil {
		return process{}, err
	}
	if err := p.belongs(pid, uid); err != nil {
		return process{}, err
	}
	return process{pid, start}, nil
}

// same reports whether the process is still there.
func (p proc) same(q process) bool {
	start, err := p.started(q.PID)
	return err == nil && start == q.Start
}

// unset is the audit session, and the login user, of a process that has none.
const unset = "4294967295"

// audit returns the number of the process's audit session if it is a logon of the user uid, else "".
func (p proc) audit(pid, uid int) string {
	id, err := p.read(pid, "sessionid")
	if err != nil || id == "" || id == unset {
		return ""
	}
	if _, err := strconv.ParseUint(id, 10, 32); err != nil {
		return ""
	}
	if login, err := p.read(pid, "loginuid"); err != nil || login != strconv.Itoa(uid) {
		return "" // su or sudo: the logon is another user's
	}
	return id
}

// token returns the hash of the token in the process's environment, "" if there is none or it can't be seen.
func (p proc) token(pid int) string {
	env, err := os.ReadFile(p.file(pid, "environ"))
	if err != nil {
		return ""
	}
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if t, ok := bytes.CutPrefix(v, []byte(EnvToken+"=")); ok {
			return hashToken(string(t))
		}
	}
	return ""
}
