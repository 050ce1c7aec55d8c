package rig

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// SSHOptions are a test sshd's settings. The zero value is a server that takes the test's key and nothing else.
type SSHOptions struct {
	// Password makes a throw-away system account with a password (root only), deleted when the test ends. The server then offers
	// publickey, password and keyboard-interactive to it.
	Password bool
	// HostKeys are the types of the server's own keys, "ed25519", "ecdsa" and "rsa"; none means all three.
	HostKeys []string
	// Extra are lines for sshd_config.
	Extra []string
}

// SSHServer is a real OpenSSH sshd on a loopback port.
type SSHServer struct {
	Host         string // 127.0.0.1
	Port         int
	User         string // the account that the key opens
	Password     string // its password, "" without SSHOptions.Password
	IdentityFile string // private key that the server takes, not encrypted
	KnownHosts   string // known_hosts file with the server's keys
	Root         string // empty folder, owned by User
	Dir          string // the server's own folder: ssh_host_*_key(.pub), sshd_config, authorized_keys, sshd.log

	t testing.TB

	mu    sync.Mutex // guards what follows
	proc  *exec.Cmd  // nil while stopped
	guard *guard     // nil while not frozen
}

// Sshd starts a server. It ends, with all its sessions, when the test does.
func Sshd(t testing.TB, opt SSHOptions) *SSHServer {
	t.Helper()
	dir := t.TempDir()
	s := &SSHServer{Host: "127.0.0.1", Dir: dir, t: t}
	s.Root = filepath.Join(dir, "root")
	s.must(os.Mkdir(s.Root, 0o755))
	// sshd drops to the account before it opens the folder, and test folders are private to the tester.
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		s.must(os.Chmod(d, 0o755))
	}
	if os.Getuid() == 0 {
		s.must(os.MkdirAll("/run/sshd", 0o755)) // sshd will not start without its empty folder
	}
	s.account(opt.Password)

	types := opt.HostKeys
	if len(types) == 0 {
		types = []string{"ed25519", "ecdsa", "rsa"}
	}
	var known, conf bytes.Buffer
	s.Port = FreePort(t)
	fmt.Fprintf(&conf, "ListenAddress 127.0.0.1:%d\nPidFile none\nUsePAM no\nStrictModes no\nUseDNS no\n", s.Port)
	fmt.Fprintf(&conf, "PermitRootLogin yes\nAuthorizedKeysFile %s\nLogLevel VERBOSE\n", filepath.Join(dir, "authorized_keys"))
	fmt.Fprintf(&conf, "PasswordAuthentication %s\nKbdInteractiveAuthentication %[1]s\n", yesNo(opt.Password))
	fmt.Fprintf(&conf, "Subsystem sftp internal-sftp\nMaxStartups 100\nMaxSessions 100\nPerSourceMaxStartups none\n")
	for _, kind := range types {
		file := filepath.Join(dir, "ssh_host_"+kind+"_key")
		pub := s.keygen(kind, file)
		fmt.Fprintf(&conf, "HostKey %s\n", file)
		fmt.Fprintf(&known, "[%s]:%d %s\n", s.Host, s.Port, pub)
	}
	for _, line := range opt.Extra {
		fmt.Fprintln(&conf, line)
	}
	s.KnownHosts = filepath.Join(dir, "known_hosts")
	s.must(os.WriteFile(s.KnownHosts, known.Bytes(), 0o600))
	s.must(os.WriteFile(filepath.Join(dir, "sshd_config"), conf.Bytes(), 0o600))
	s.IdentityFile = filepath.Join(dir, "id_ed25519")
	pub := s.keygen("ed25519", s.IdentityFile)
	s.must(os.WriteFile(filepath.Join(dir, "authorized_keys"), []byte(pub+"\n"), 0o644))

	t.Cleanup(s.Stop)
	s.Start()
	return s
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (s *SSHServer) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("rig: sshd: %v", err)
	}
}

// account finds or makes the account that the tests log in with.
func (s *SSHServer) account(password bool) {
	if !password {
		u, err := user.Current()
		s.must(err)
		s.User = u.Username
		return
	}
	if os.Getuid() != 0 {
		s.t.Fatal("rig: sshd: an account with a password can only be made by root")
	}
	var b [6]byte
	_, err := rand.Read(b[:])
	s.must(err)
	s.User, s.Password = "wnet-"+hex.EncodeToString(b[:4]), "pw-"+hex.EncodeToString(b[:])
	// useradd locks /etc/passwd and gives up at once if another test has the lock.
	retry := func(name string, stdin string, args ...string) error {
		var out []byte
		var err error
		for range 50 {
			cmd := exec.Command(name, args...)
			cmd.Stdin = strings.NewReader(stdin)
			if out, err = cmd.CombinedOutput(); err == nil {
				return nil
			}
			time.Sleep(100 * time.Millisecond)
		}
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	s.t.Cleanup(func() {
		if err := retry("userdel", "", s.User); err != nil {
			s.t.Errorf("rig: sshd: %v", err)
		}
	})
	s.must(retry("useradd", "", "--no-create-home", "--home-dir", s.Root, "--shell", "/bin/sh", "--no-log-init", s.User))
	// The cheapest hash: the default one takes a tenth of a second at every login.
	s.must(retry("chpasswd", s.User+":"+s.Password+"\n", "-c", "SHA256", "-s", "1000"))
	u, err := user.Lookup(s.User)
	s.must(err)
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	s.must(os.Chown(s.Root, uid, gid))
}

// keygen makes a key pair and returns the public line without its comment.
func (s *SSHServer) keygen(kind, file string) string {
	s.t.Helper()
	out, err := exec.Command("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", file).CombinedOutput()
	if err != nil {
		s.t.Fatalf("rig: ssh-keygen: %v: %s", err, out)
	}
	pub, err := os.ReadFile(file + ".pub")
	s.must(err)
	return strings.TrimSpace(string(pub))
}

// Addr is "host:port".
func (s *SSHServer) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Start runs the server, on the same port as before. It returns when it listens. A server that runs is left as it is.
func (s *SSHServer) Start() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		return
	}
	log := filepath.Join(s.Dir, "sshd.log")
	// sshd re-executes itself by its absolute path.
	path, err := exec.LookPath("sshd")
	if err != nil {
		path = "/usr/sbin/sshd"
	}
	cmd := exec.Command(path, "-D", "-f", filepath.Join(s.Dir, "sshd_config"), "-E", log)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.must(cmd.Start())
	s.proc = cmd
	deadline := time.Now().Add(20 * time.Second)
	for {
		c, err := net.DialTimeout("tcp", s.Addr(), time.Second)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log)
			s.t.Fatalf("rig: sshd does not listen: %v\n%s", err, text)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Stop kills the server and every session of it, as a power cut would. Start brings it back.
func (s *SSHServer) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return
	}
	// The listener goes first, so that no session is made while the others are ended.
	pids := descendants(s.proc.Process.Pid)
	s.proc.Process.Kill()
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	s.proc.Wait()
	s.proc = nil
	if s.guard != nil {
		s.guard.dismiss()
		s.guard = nil
	}
	deadline := time.Now().Add(10 * time.Second)
	for _, pid := range pids {
		for alive(pid) && time.Now().Before(deadline) {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// Freeze stops the listener and every session (SIGSTOP), as a server that hangs: the kernel still takes connections and data for it,
// and nothing answers. Thaw wakes them.
func (s *SSHServer) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil || s.guard != nil {
		return
	}
	pids := append([]int{s.proc.Process.Pid}, descendants(s.proc.Process.Pid)...)
	s.guard = newGuard(s.t, pids)
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGSTOP)
	}
}

// Thaw ends Freeze.
func (s *SSHServer) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil || s.guard == nil {
		return
	}
	s.guard.dismiss()
	s.guard = nil
	for _, pid := range append([]int{s.proc.Process.Pid}, descendants(s.proc.Process.Pid)...) {
		syscall.Kill(pid, syscall.SIGCONT)
	}
}

// guard is a process that kills stopped processes if the tests die before they wake them: a stopped process does not notice anything.
type guard struct {
	cmd  *exec.Cmd
	wake io.WriteCloser
}

func newGuard(t testing.TB, pids []int) *guard {
	t.Helper()
	args := []string{"-c", `read x || kill -KILL "$@"`, "guard"}
	for _, pid := range pids {
		args = append(args, strconv.Itoa(pid))
	}
	g := &guard{cmd: exec.Command("sh", args...)}
	var err error
	if g.wake, err = g.cmd.StdinPipe(); err == nil {
		err = g.cmd.Start()
	}
	if err != nil {
		t.Fatalf("rig: sshd: %v", err)
	}
	return g
}

// dismiss ends the guard without harm.
func (g *guard) dismiss() {
	io.WriteString(g.wake, "\n")
	g.wake.Close()
	g.cmd.Wait()
}

// KillSessions ends the sessions and leaves the listener.
func (s *SSHServer) KillSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		for _, pid := range descendants(s.proc.Process.Pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// Log is what sshd wrote so far.
func (s *SSHServer) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.Dir, "sshd.log"))
	return string(b)
}

func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	_, state, err := parent(pid)
	return err == nil && state != 'Z'
}

// parent reads a process's parent and state.
func parent(pid int) (ppid int, state byte, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The program's name stands in parentheses and may hold anything.
	rest := b[bytes.LastIndexByte(b, ')')+1:]
	_, err = fmt.Sscanf(string(rest), " %c %d", &state, &ppid)
	return ppid, state, err
}

// descendants lists the living processes below pid.
func descendants(pid int) []int {
	children := map[int][]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		p, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if pp, state, err := parent(p); err == nil && state != 'Z' {
			children[pp] = append(children[pp], p)
		}
	}
	var all []int
	for todo := []int{pid}; len(todo) > 0; todo = todo[1:] {
		all = append(all, children[todo[0]]...)
		todo = append(todo, children[todo[0]]...)
	}
	return all
}
