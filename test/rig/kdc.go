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

// KDCServer is a running KDC of MIT Kerberos with a realm of its own.
type KDCServer struct {
	t    testing.TB
	dir  string
	port int
	cmd  *exec.Cmd
	done chan struct{}
}

// Realm is the realm of every test KDC.
const Realm = "RIG.TEST"

// KDC starts a KDC (Debian's krb5-kdc and krb5-admin-server) on a loopback port of its own, with an empty realm. It is stopped, and what it
// left removed, when the test ends.
func KDC(t testing.TB) *KDCServer {
	t.Helper()
	for _, tool := range []string{"krb5kdc", "kdb5_util", "kadmin.local", "kinit"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("rig: %s is missing: apt-get install krb5-kdc krb5-admin-server krb5-user", tool)
		}
	}
	dir, err := os.MkdirTemp("", "kdc")
	if err != nil {
		t.Fatal(err)
	}
	k := &KDCServer{t: t, dir: dir}
	t.Cleanup(func() {
		k.Stop()
		if t.Failed() {
			if b, err := os.ReadFile(filepath.Join(dir, "kdc.log")); err == nil && len(b) > 0 {
				t.Logf("the KDC's log, at most its last 4000 bytes:\n%s", b[max(0, len(b)-4000):])
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("rig: %v", err)
		}
	})
	for try := 1; ; try++ {
		k.port = FreePort(t)
		k.write()
		if try == 1 {
			k.run("master\nmaster\n", "kdb5_util", "create", "-s", "-r", Realm)
		}
		if err = k.start(); err == nil {
			return k
		}
		if try == 3 {
			t.Fatal(err)
		}
	}
}

func (k *KDCServer) write() {
	k.t.Helper()
	for name, text := range map[string]string{
		"krb5.conf": fmt.Sprintf(`[libdefaults]
	default_realm = %[1]s
	dns_lookup_kdc = false
	dns_lookup_realm = false
	rdns = false
	dns_canonicalize_hostname = false
[realms]
	%[1]s = {
		kdc = 127.0.0.1:%[2]d
	}
[logging]
	kdc = FILE:%[3]s/kdc.log
`, Realm, k.port, k.dir),
		"kdc.conf": fmt.Sprintf(`[kdcdefaults]
	kdc_listen = 127.0.0.1:%[2]d
	kdc_tcp_listen = 127.0.0.1:%[2]d
[realms]
	%[1]s = {
		database_name = %[3]s/principal
		key_stash_file = %[3]s/stash
		acl_file = %[3]s/acl
		max_renewable_life = 7d
		default_principal_flags = +preauth
		disable_pac = true
	}
`, Realm, k.port, k.dir),
	} {
		if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o644); err != nil {
			k.t.Fatal(err)
		}
	}
}

// Env is the environment by which programs find this KDC.
func (k *KDCServer) Env() []string {
	return append(os.Environ(), "KRB5_CONFIG="+k.Config(), "KRB5_KDC_PROFILE="+filepath.Join(k.dir, "kdc.conf"), "KRB5_TRACE=")
}

// Config is the client's configuration, a krb5.conf.
func (k *KDCServer) Config() string { return filepath.Join(k.dir, "krb5.conf") }

// run runs one of Kerberos' programs; what it asks for goes in by the pipe.
func (k *KDCServer) run(stdin, name string, args ...string) {
	k.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Env = strings.NewReader(stdin), k.Env()
	if out, err := cmd.CombinedOutput(); err != nil {
		k.t.Fatalf("rig: %s: %v\n%s", name, err, out)
	}
}

// Admin runs kadmin.local's commands, one a line. A command that fails fails the test.
func (k *KDCServer) Admin(lines ...string) {
	k.t.Helper()
	cmd := exec.Command("kadmin.local", "-r", Realm)
	cmd.Stdin, cmd.Env = strings.NewReader(strings.Join(lines, "\n")+"\n"), k.Env()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	for l := range strings.Lines(stderr.String()) {
		if !strings.Contains(l, "no policy specified") && !strings.HasPrefix(l, "No policy specified") {
			k.t.Fatalf("rig: kadmin.local: %v\n%s%s", err, out, &stderr)
		}
	}
	if err != nil {
		k.t.Fatalf("rig: kadmin.local: %v\n%s", err, out)
	}
}

// AddUser adds a user with a password. Options are kadmin's, such as "-pwexpire yesterday".
func (k *KDCServer) AddUser(name, password string, options ...string) {
	k.t.Helper()
	k.Admin(strings.Join(append(append([]string{"addprinc"}, options...), name), " "), password, password)
}

// Keytab gives a keytab file with new keys of a principal. A service that is not there is made.
func (k *KDCServer) Keytab(principal string) string {
	k.t.Helper()
	file := filepath.Join(k.dir, strings.NewReplacer("/", "-", ".", "-").Replace(principal)+".keytab")
	if strings.Contains(principal, "/") {
		k.Admin("addprinc -randkey " + principal)
	}
	k.Admin("ktadd -k " + file + " " + principal)
	if err := os.Chmod(file, 0o600); err != nil {
		k.t.Fatal(err)
	}
	return file
}

// Kinit gets a user's ticket into a cache, "FILE:…", by password. Options are kinit's, such as "-l", "5s".
func (k *KDCServer) Kinit(cache, user, password string, options ...string) {
	k.t.Helper()
	k.run(password+"\n", "kinit", append(append([]string{"-c", cache}, options...), user)...)
}

func (k *KDCServer) start() error {
	out := new(bytes.Buffer)
	cmd := exec.Command("krb5kdc", "-n", "-r", Realm, "-P", filepath.Join(k.dir, "pid"))
	cmd.Env, cmd.Stdout, cmd.Stderr = k.Env(), out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("rig: krb5kdc: %w", err)
	}
	done := make(chan struct{})
	go func() { cmd.Wait(); close(done) }()
	k.cmd, k.done = cmd, done
	for deadline := time.Now().Add(30 * time.Second); ; {
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", k.port), time.Second)
		if err == nil {
			c.Close()
			return nil
		}
		select {
		case <-done:
			k.cmd = nil
			return fmt.Errorf("rig: krb5kdc ended: %s", out)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			k.Stop()
			return fmt.Errorf("rig: krb5kdc does not listen: %w", err)
		}
	}
}

// Stop ends the KDC. A stopped one stays as it is.
func (k *KDCServer) Stop() {
	if k.cmd == nil {
		return
	}
	k.cmd.Process.Kill()
	<-k.done
	k.cmd = nil
}
