package sftp_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/openwnet/wnet/provider/sftp"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

// hostLine is the known_hosts line of one of the server's keys.
func hostLine(t *testing.T, s *rig.SSHServer, kind string) string {
	t.Helper()
	pub := strings.TrimSpace(readFile(t, filepath.Join(s.Dir, "ssh_host_"+kind+"_key.pub")))
	return fmt.Sprintf("[%s]:%d %s\n", s.Host, s.Port, pub)
}

func fingerprint(t *testing.T, s *rig.SSHServer, kind string) string {
	t.Helper()
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(readFile(t, filepath.Join(s.Dir, "ssh_host_"+kind+"_key.pub"))))
	if err != nil {
		t.Fatal(err)
	}
	return ssh.FingerprintSHA256(key)
}

func sshKeygen(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen %v: %v: %s", args, err, out)
	}
}

func TestHostKeys(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{})
	_, other := newKey(t, filepath.Join(t.TempDir(), "other"), "")
	addr := fmt.Sprintf("[%s]:%d ", s.Host, s.Port)
	ed, rsa, ecdsa := hostLine(t, s, "ed25519"), hostLine(t, s, "rsa"), hostLine(t, s, "ecdsa")

	hashed := writeFile(t, filepath.Join(t.TempDir(), "hashed"), ed)
	sshKeygen(t, "-q", "-H", "-f", hashed)

	for _, c := range []struct {
		name, known string
		ok          bool
		ask         bool   // the person may accept
		hint        string // regular expression, with FILE for the file
	}{
		{name: "ed25519", known: ed, ok: true},
		{name: "rsa only", known: rsa, ok: true},
		{name: "ecdsa only", known: ecdsa, ok: true},
		{name: "hashed", known: readFile(t, hashed), ok: true},
		{name: "several names", known: "nas,*.lan," + rsa, ok: true},
		{name: "a line that nobody understands before", known: "nas ssh-future AAAA\n" + ed, ok: true},
		{name: "empty", known: "", ask: true},
		{name: "another port", known: strings.Replace(ed, "]:", "]:1", 1), ask: true},
		{name: "without the port", known: s.Host + strings.TrimPrefix(ed, strings.TrimSpace(addr)), ask: true},
		{name: "negated", known: "*,!" + ed, ask: true},
		{name: "an authority only, and no certificate", known: "@cert-authority " + addr + other + "\n", ask: true},
		{name: "changed", known: "# mine\n" + addr + other + "\n", hint: `FILE line 2`},
		{name: "changed, after a line that nobody understands", known: "nas ssh-future AAAA\n\n" + addr + other + "\n", hint: `FILE line 3`},
		{name: "revoked", known: ed + "@revoked * " + strings.TrimPrefix(ed, addr), hint: `revoked in FILE line 2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := writeFile(t, filepath.Join(t.TempDir(), "known_hosts"), c.known)
			cfg := config(t, s)
			cfg.KnownHosts = []string{file}
			if c.ok {
				wantConn(t, cfg, request(s))
				return
			}
			e := wantCode(t, cfg, request(s), win32.ERROR_MUTUAL_AUTH_FAILED)
			if c.ask && e.HostKey != fingerprint(t, s, "ed25519") || !c.ask && e.HostKey != "" {
				t.Errorf("got the fingerprint %q, ask %v", e.HostKey, c.ask)
			}
			want := strings.ReplaceAll(c.hint, "FILE", regexp.QuoteMeta(file))
			if !regexp.MustCompile(want).MatchString(e.Hint) {
				t.Errorf("got the hint %q, want %q", e.Hint, want)
			}
			// Accepting helps where it was offered, and nowhere else.
			req := request(s)
			req.Options.HostKey = fingerprint(t, s, "ed25519")
			if !c.ask {
				wantCode(t, cfg, req, win32.ERROR_MUTUAL_AUTH_FAILED)
				if readFile(t, file) != c.known {
					t.Errorf("the known hosts were changed:\n%s", readFile(t, file))
				}
			} else if c.name != "negated" {
				wantConn(t, cfg, req)
				wantConn(t, cfg, request(s))
			}
		})
	}
}

func TestAcceptHostKey(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{HostKeys: []string{"ed25519", "rsa"}})
	cfg := config(t, s)
	cfg.KnownHosts = nil // the default, in a home without .ssh
	file := filepath.Join(cfg.Home, ".ssh", "known_hosts")
	req := request(s)
	fp := wantCode(t, cfg, req, win32.ERROR_MUTUAL_AUTH_FAILED).HostKey
	req.Options.HostKey = "SHA256:AAAA"
	if e := wantCode(t, cfg, req, win32.ERROR_MUTUAL_AUTH_FAILED); e.HostKey != fp {
		t.Errorf("got the fingerprint %q, want the server's, %q", e.HostKey, fp)
	}
	if _, err := os.Stat(filepath.Dir(file)); !os.IsNotExist(err) {
		t.Errorf("something was written before a key was accepted: %v", err)
	}
	req.Options.HostKey = fp
	wantConn(t, cfg, req)
	wantConn(t, cfg, req) // accepted again: nothing twice
	if got, want := readFile(t, file), hostLine(t, s, "ed25519"); strings.Fields(got)[2] != strings.Fields(want)[2] ||
		strings.Count(got, "\n") != 1 {
		t.Errorf("got %q, want %q", got, want)
	}
	for f, mode := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		if fi, err := os.Stat(f); err != nil || fi.Mode().Perm() != mode {
			t.Errorf("%s: got %v, %v, want %04o", f, fi.Mode(), err, mode)
		}
	}
	wantConn(t, cfg, request(s))
	// ssh(1) reads it too.
	out, err := exec.Command("ssh-keygen", "-F", fmt.Sprintf("[%s]:%d", s.Host, s.Port), "-f", file).CombinedOutput()
	if err != nil {
		t.Errorf("ssh-keygen does not find the host: %v: %s", err, out)
	}

	// A last line without an end stays a line of its own, and hidden names stay hidden.
	writeFile(t, file, "# end")
	writeFile(t, filepath.Join(cfg.Home, ".ssh", "config"), "HashKnownHosts yes\n")
	wantConn(t, cfg, req)
	if got := readFile(t, file); !strings.HasPrefix(got, "# end\n|1|") || strings.Contains(got, s.Host) {
		t.Errorf("got %q", got)
	}
	wantConn(t, cfg, request(s))
}

func TestHostCertificate(t *testing.T) {
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca")
	newKey(t, ca, "")
	s := rig.Sshd(t, rig.SSHOptions{HostKeys: []string{"ed25519"}})
	key := filepath.Join(s.Dir, "ssh_host_ed25519_key")
	certify := func(args ...string) {
		t.Helper()
		sshKeygen(t, append(append([]string{"-q", "-s", ca, "-I", "test", "-h"}, args...), key+".pub")...)
		s.Stop()
		s.Start()
	}
	conf := filepath.Join(s.Dir, "sshd_config")
	writeFile(t, conf, readFile(t, conf)+"HostCertificate "+key+"-cert.pub\n")
	pub := string(readPublic(t, ca))
	cfg := config(t, s)
	cfg.KnownHosts = []string{writeFile(t, filepath.Join(dir, "known_hosts"),
		fmt.Sprintf("@cert-authority [%s]:* %s\n@cert-authority [%s]:%d %s\n", s.Host, pub, s.Host, s.Port, pub))}

	certify("-n", s.Host)
	wantConn(t, cfg, request(s))
	certify("-n", "elsewhere")
	if e := wantCode(t, cfg, request(s), win32.ERROR_MUTUAL_AUTH_FAILED); e.HostKey != "" {
		t.Errorf("a certificate for another host may be accepted: %+v", e)
	}
	certify("-n", s.Host, "-V", "20200101:20200102")
	wantCode(t, cfg, request(s), win32.ERROR_MUTUAL_AUTH_FAILED)
}

func readPublic(t *testing.T, file string) string {
	t.Helper()
	key, err := ssh.ParsePrivateKey([]byte(readFile(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey())))
}

// No password goes to a server that is not the known one.
func TestNoPasswordBeforeHostKey(t *testing.T) {
	asked := false
	s := fakeServer(t, fakeOptions{config: func(c *ssh.ServerConfig) {
		c.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
			asked = true
			return nil, nil
		}
	}})
	cfg := sftp.Config{Home: t.TempDir(), KnownHosts: []string{filepath.Join(t.TempDir(), "none")}}
	wantCode(t, cfg, s.request(), win32.ERROR_MUTUAL_AUTH_FAILED)
	s.listener.Close()
	if asked {
		t.Error("the server was shown a password before its key was known")
	}
}
