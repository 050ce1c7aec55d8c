package rig

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ADServer is a running domain controller of an Active Directory: Samba's, with its own KDC.
type ADServer struct {
	t    testing.TB
	dir  string
	addr string
	cmd  *exec.Cmd
	done chan struct{}
}

// The names of every test domain and of its controller.
const (
	ADRealm  = "AD.RIG.TEST"
	ADDomain = "AD"
	ADHost   = "dc1.ad.rig.test"
)

// AD makes a domain and starts its controller (root is needed, and Debian's samba, samba-ad-provision, samba-dsdb-modules, samba-vfs-modules
// and winbind) on a loopback address of its own: its ports are fixed ones. It has a share "data". It is stopped, and what it left removed,
// when the test ends. It takes about twenty seconds.
func AD(t testing.TB) *ADServer {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("rig: samba needs root")
	}
	for _, tool := range []string{"samba", "samba-tool", "winbindd", "/usr/share/samba/setup/provision.ldif"} {
		if _, err := exec.LookPath(tool); err != nil {
			if _, err := os.Stat(tool); err != nil {
				t.Fatalf("rig: %s is missing: apt-get install samba samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind", tool)
			}
		}
	}
	dir, err := os.MkdirTemp("", "addc")
	if err != nil {
		t.Fatal(err)
	}
	pid := os.Getpid()
	d := &ADServer{t: t, dir: dir, addr: fmt.Sprintf("127.%d.%d.%d", 64+pid>>16&63, pid>>8&255, pid&255)}
	t.Cleanup(func() {
		d.stop()
		if t.Failed() {
			if b, err := os.ReadFile(filepath.Join(dir, "log")); err == nil {
				t.Logf("samba's log, at most its last 4000 bytes:\n%s", b[max(0, len(b)-4000):])
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("rig: %v", err)
		}
	})
	d.run("", "samba-tool", "domain", "provision", "--realm="+ADRealm, "--domain="+ADDomain, "--server-role=dc", "--dns-backend=NONE",
		"--targetdir="+dir, "--host-name=dc1", "--host-ip="+d.addr, "--host-ip6=::1")
	d.write()
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *ADServer) conf() string { return filepath.Join(d.dir, "etc", "smb.conf") }

// Config is a krb5.conf for the domain.
func (d *ADServer) Config() string { return filepath.Join(d.dir, "krb5.conf") }

// Addr is the controller's address and port for SMB.
func (d *ADServer) Addr() string { return net.JoinHostPort(d.addr, "445") }

func (d *ADServer) write() {
	d.t.Helper()
	for _, sub := range []string{"pid", "ncalrpc", "ntp", "share"} {
		if err := os.Mkdir(filepath.Join(d.dir, sub), 0o755); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(d.dir, "share"), 0o777); err != nil {
		d.t.Fatal(err)
	}
	for name, text := range map[string]string{
		d.conf(): fmt.Sprintf(`[global]
	netbios name = DC1
	workgroup = %[3]s
	realm = %[4]s
	server role = active directory domain controller
	server services = s3fs, rpc, ldap, cldap, kdc, winbindd
	interfaces = %[2]s/8
	bind interfaces only = yes
	disable netbios = yes
	smb ports = 445
	host msdfs = yes
	private dir = %[1]s/private
	lock directory = %[1]s
	state directory = %[1]s/state
	cache directory = %[1]s/cache
	binddns dir = %[1]s/bind-dns
	pid directory = %[1]s/pid
	ncalrpc dir = %[1]s/ncalrpc
	ntp signd socket directory = %[1]s/ntp
	tls enabled = no
	log level = 1
	load printers = no
	printcap name = /dev/null
	disable spoolss = yes
[sysvol]
	path = %[1]s/state/sysvol
	read only = no
[data]
	path = %[1]s/share
	read only = no
`, d.dir, d.addr, ADDomain, ADRealm),
		d.Config(): fmt.Sprintf("[libdefaults]\n\tdefault_realm = %[1]s\n\tdns_lookup_kdc = false\n[realms]\n\t%[1]s = {\n\t\tkdc = %[2]s\n\t}\n", ADRealm, d.addr),
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *ADServer) run(stdin, name string, args ...string) {
	d.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal to ask on
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("rig: %s %s: %v\n%s", name, strings.Join(args, " "), err, out[max(0, len(out)-2000):])
	}
}

// AddUser adds a user; the password has to be one that the domain takes, of seven characters of three kinds.
func (d *ADServer) AddUser(name, password string) {
	d.t.Helper()
	d.run(password+"\n"+password+"\n", "samba-tool", "user", "create", name, "-s", d.conf())
}

// Tool runs samba-tool on the domain.
func (d *ADServer) Tool(args ...string) {
	d.t.Helper()
	d.run("", "samba-tool", append(args, "-s", d.conf())...)
}

func (d *ADServer) start() error {
	log, err := os.Create(filepath.Join(d.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	// smbd finds winbindd at a fixed place below /run, whatever its configuration says: so it gets a /run of its own.
	cmd := exec.Command("unshare", "--mount", "sh", "-c", `mount -t tmpfs none /run && mkdir -p /run/samba && exec "$@"`, "sh",
		"samba", "--foreground", "--no-process-group", "--debug-stdout", "--model=single", "-s", d.conf())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("rig: samba: %w", err)
	}
	done := make(chan struct{})
	go func() { cmd.Wait(); close(done) }()
	d.cmd, d.done = cmd, done
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		up := true
		for _, port := range []string{"88", "445"} {
			c, err := net.DialTimeout("tcp", net.JoinHostPort(d.addr, port), time.Second)
			if err == nil {
				c.Close()
			}
			up = up && err == nil
		}
		// Tickets are turned into users by winbindd.
		if _, err := os.Stat(fmt.Sprintf("/proc/%d/root/run/samba/winbindd/pipe", cmd.Process.Pid)); err == nil && up {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("rig: samba ended")
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("rig: samba does not listen")
		}
	}
}

func (d *ADServer) stop() {
	if d.cmd == nil {
		return
	}
	d.cmd.Process.Kill()
	<-d.done
	d.cmd = nil
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		pids := processesNaming(d.conf())
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if time.Now().After(deadline) {
			d.t.Errorf("rig: samba's processes %v do not end", pids)
			return
		}
	}
}

// processesNaming are the processes whose command line has an argument.
func processesNaming(arg string) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscan(e.Name(), &pid); err != nil || pid == os.Getpid() {
			continue
		}
		b, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err == nil && bytes.Contains(b, []byte(arg)) {
			pids = append(pids, pid)
		}
	}
	return pids
}
