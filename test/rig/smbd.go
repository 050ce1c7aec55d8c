package rig

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SMBUser is an account of a test server. It exists in Samba only: each is mapped to a system account of its own that every
// machine has, and files are made as root.
type SMBUser struct {
	Name, Password string
	Disabled       bool // the account is disabled
}

// SMBOptions say what Smbd starts. The zero value is a server with one user and the shares "data" and "ro".
type SMBOptions struct {
	Users  []SMBUser           // besides the server's own user
	Shares map[string][]string // more shares: name and lines of smb.conf; without a path they get a folder of their own
	Global []string            // more lines of smb.conf's [global], such as "server signing = mandatory"; they come last and win
	Data   []string            // more lines for the share "data"
	KDC    *KDCServer          // tickets of this KDC for cifs/ServiceHost are taken too
}

// ServiceHost is the name of a server whose smbd knows a KDC: tickets are for names, not for addresses.
const ServiceHost = "nas.rig.test"

// SMBServer is a running smbd.
type SMBServer struct {
	t     testing.TB
	dir   string
	port  int
	users []SMBUser
	env   []string
	roots map[string]string
	cmd   *exec.Cmd
	done  chan struct{}
}

// smbAccounts are the system accounts that test users are mapped to: Debian's fixed ones.
var smbAccounts = []string{"games", "man", "lp", "mail", "news", "uucp", "proxy", "backup", "list", "irc"}

// Smbd starts a real smbd (root is needed, and Debian's samba) on a loopback port of its own. It is stopped, and everything it left
// removed, when the test ends.
func Smbd(t testing.TB, opts SMBOptions) *SMBServer {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("rig: smbd needs root")
	}
	for _, tool := range []string{"smbd", "pdbedit"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("rig: %s is missing: apt-get install samba", tool)
		}
	}
	// Not t.TempDir: sockets live below, and their paths may not be longer than 107 bytes.
	dir, err := os.MkdirTemp("", "smbd")
	if err != nil {
		t.Fatal(err)
	}
	s := &SMBServer{t: t, dir: dir, roots: map[string]string{}}
	s.users = append([]SMBUser{{Name: "anna", Password: "Sesam öffne 1!"}}, opts.Users...)
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			if b, err := os.ReadFile(filepath.Join(dir, "log.smbd")); err == nil && len(b) > 0 {
				t.Logf("smbd's log, at most its last 4000 bytes:\n%s", b[max(0, len(b)-4000):])
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("rig: %v", err)
		}
	})
	s.write(opts)
	// Another process may take the free port before smbd does.
	for try := 1; ; try++ {
		s.port = FreePort(t)
		err := s.start()
		if err == nil {
			return s
		}
		if try == 3 {
			t.Fatal(err)
		}
	}
}

func (s *SMBServer) write(opts SMBOptions) {
	s.t.Helper()
	must := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatalf("rig: smbd: %v", err)
		}
	}
	must(os.Chmod(s.dir, 0o755))
	for _, d := range []string{"private", "lock", "pid", "state", "cache", "ncalrpc", "bind"} {
		must(os.Mkdir(filepath.Join(s.dir, d), 0o755))
	}
	must(os.Chmod(filepath.Join(s.dir, "private"), 0o700))
	if len(s.users) > len(smbAccounts) {
		s.t.Fatalf("rig: at most %d users", len(smbAccounts))
	}
	var names strings.Builder
	for i, u := range s.users {
		// The second form is what a Kerberos principal is looked up as.
		fmt.Fprintf(&names, "%s = %s RIG\\%s %s\\%s\n", smbAccounts[i], u.Name, u.Name, Realm, u.Name)
	}
	must(os.WriteFile(filepath.Join(s.dir, "users.map"), []byte(names.String()), 0o644))

	shares := map[string][]string{
		"data": append([]string{"read only = no"}, opts.Data...),
		"ro":   {"read only = yes"},
	}
	for name, lines := range opts.Shares {
		shares[name] = lines
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, `[global]
	server role = standalone server
	workgroup = RIG
	netbios name = RIG
	interfaces = 127.0.0.1/8
	bind interfaces only = yes
	disable netbios = yes
	dns proxy = no
	private dir = %[1]s/private
	lock directory = %[1]s/lock
	pid directory = %[1]s/pid
	state directory = %[1]s/state
	cache directory = %[1]s/cache
	ncalrpc dir = %[1]s/ncalrpc
	binddns dir = %[1]s/bind
	log file = %[1]s/log.smbd
	max log size = 1000
	log level = 1
	passdb backend = tdbsam:%[1]s/private/passdb.tdb
	username map = %[1]s/users.map
	map to guest = never
	load printers = no
	printing = bsd
	printcap name = /dev/null
	disable spoolss = yes
	unix extensions = no
	max open files = 16384
`, s.dir)
	if opts.KDC != nil {
		keytab := opts.KDC.Keytab("cifs/" + ServiceHost)
		s.env = opts.KDC.Env()
		fmt.Fprintf(&conf, "\trealm = %s\n\tkerberos method = dedicated keytab\n\tdedicated keytab file = FILE:%s\n", Realm, keytab)
	}
	for _, l := range opts.Global {
		fmt.Fprintf(&conf, "\t%s\n", l)
	}
	var order []string
	for name := range shares {
		order = append(order, name)
	}
	sort.Strings(order)
	for _, name := range order {
		lines := shares[name]
		root := filepath.Join(s.dir, "share-"+name)
		for _, l := range lines {
			if k, v, ok := strings.Cut(l, "="); ok && strings.TrimSpace(k) == "path" {
				root = strings.TrimSpace(v)
			}
		}
		must(os.MkdirAll(root, 0o755))
		s.roots[name] = root
		fmt.Fprintf(&conf, "[%s]\n\tpath = %s\n\tforce user = root\n\tcreate mask = 0777\n\tdirectory mask = 0777\n", name, root)
		for _, l := range lines {
			fmt.Fprintf(&conf, "\t%s\n", l)
		}
	}
	must(os.WriteFile(s.conf(), []byte(conf.String()), 0o644))
	for i, u := range s.users {
		s.tool(u.Password+"\n"+u.Password+"\n", "pdbedit", "-s", s.conf(), "-a", "-t", "-u", smbAccounts[i])
		if u.Disabled {
			s.tool("", "pdbedit", "-s", s.conf(), "-r", "-u", smbAccounts[i], "-c", "[D]")
		}
	}
}

func (s *SMBServer) conf() string { return filepath.Join(s.dir, "smb.conf") }

// tool runs one of Samba's tools; a password goes in by the pipe, not by the arguments.
func (s *SMBServer) tool(stdin, name string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("rig: %s: %v\n%s", name, err, out)
	}
}

// Start starts a stopped server again, on the same port and with the same files. It returns when the server accepts connections.
func (s *SMBServer) Start() {
	s.t.Helper()
	if s.cmd != nil {
		s.t.Fatal("rig: smbd runs already")
	}
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *SMBServer) start() error {
	out := new(bytes.Buffer)
	cmd := exec.Command("smbd", "--foreground", "--no-process-group", "--debug-stdout", "-p", strconv.Itoa(s.port), "-s", s.conf(), "-l", s.dir)
	cmd.Stdout, cmd.Stderr, cmd.Env = out, out, s.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("rig: smbd: %w", err)
	}
	done := make(chan struct{})
	go func() { cmd.Wait(); close(done) }()
	s.cmd, s.done = cmd, done
	for deadline := time.Now().Add(30 * time.Second); ; {
		c, err := net.DialTimeout("tcp", s.Addr(), time.Second)
		if err == nil {
			c.Close()
			return nil
		}
		select {
		case <-done:
			s.cmd = nil
			return fmt.Errorf("rig: smbd ended: %s", out)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.Stop()
			return fmt.Errorf("rig: smbd does not listen: %w", err)
		}
	}
}

// Stop kills the server and all its processes, as a power cut would, and returns when they are gone. A stopped server stays as it
// is.
func (s *SMBServer) Stop() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	// The main process first, so that it starts no new ones. Frozen processes die of SIGKILL too.
	s.cmd.Process.Kill()
	<-s.done
	s.cmd = nil
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		pids := s.processes()
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if time.Now().After(deadline) {
			s.t.Errorf("rig: smbd's processes %v do not end", pids)
			return
		}
	}
}

// Freeze stops every process of the server in its tracks: connections stay, new ones are accepted by the kernel alone, and nothing
// is answered.
func (s *SMBServer) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *SMBServer) Thaw() { s.signal(syscall.SIGCONT) }

func (s *SMBServer) signal(sig syscall.Signal) {
	s.t.Helper()
	// Twice: a process may have started another one while the first round went through them.
	for range 2 {
		for _, pid := range s.processes() {
			if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
				s.t.Fatalf("rig: %v", err)
			}
		}
	}
}

// KillSessions ends every connection to the server: the processes that serve them are killed, the server goes on.
func (s *SMBServer) KillSessions() {
	s.t.Helper()
	inodes := s.established()
	for _, pid := range s.processes() {
		if pid == s.cmd.Process.Pid {
			continue
		}
		fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		for _, fd := range fds {
			if l, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name())); err == nil && inodes[l] {
				syscall.Kill(pid, syscall.SIGKILL)
				break
			}
		}
	}
}

// established gives the sockets of the server's connections in the form of /proc/PID/fd.
func (s *SMBServer) established() map[string]bool {
	s.t.Helper()
	b, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		s.t.Fatal(err)
	}
	local := fmt.Sprintf(":%04X", s.port)
	found := map[string]bool{}
	for _, line := range strings.Split(string(b), "\n") {
		// sl local remote state tx:rx tr:when retrnsmt uid timeout inode; state 01 is ESTABLISHED.
		f := strings.Fields(line)
		if len(f) > 9 && strings.HasSuffix(f[1], local) && f[3] == "01" {
			found["socket:["+f[9]+"]"] = true
		}
	}
	return found
}

// Sessions is the number of connections that the server has open.
func (s *SMBServer) Sessions() int { return len(s.established()) }

// processes are all of this server's processes: those whose command line names its smb.conf.
func (s *SMBServer) processes() []int {
	s.t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		s.t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		b, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err != nil || !bytes.Contains(b, []byte(s.conf()+"\x00")) {
			continue
		}
		pids = append(pids, pid)
	}
	return pids
}

// Host is the server's address.
func (s *SMBServer) Host() string { return "127.0.0.1" }

// Port is the server's TCP port.
func (s *SMBServer) Port() int { return s.port }

// Addr is host and port as net.Dial takes them.
func (s *SMBServer) Addr() string { return net.JoinHostPort(s.Host(), strconv.Itoa(s.port)) }

// User is the name of an account that may do everything.
func (s *SMBServer) User() string { return s.users[0].Name }

// Password is that account's password.
func (s *SMBServer) Password() string { return s.users[0].Password }

// Root is the folder behind a share. The test owns it, and may put files there past the server.
func (s *SMBServer) Root(share string) string {
	s.t.Helper()
	r, ok := s.roots[share]
	if !ok {
		s.t.Fatalf("rig: no share %q", share)
	}
	return r
}
