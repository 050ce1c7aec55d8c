package sftp_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/sftp"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

// wantCode connects and wants the code; the error is returned for more.
func wantCode(t *testing.T, cfg sftp.Config, req wnet.Request, code win32.Code) *wnet.Error {
	t.Helper()
	c, err := sftp.New(cfg).Connect(testContext(t), req)
	if err == nil {
		c.Close()
		t.Fatalf("connected, want %s", code.Name())
	}
	e, ok := err.(*wnet.Error)
	if !ok || e.Code != code {
		t.Fatalf("got %v (%s), want %s", err, wnet.CodeOf(err).Name(), code.Name())
	}
	if e.Provider != sftp.Name || e.Name == "" || e.Err == nil {
		t.Errorf("the error has no provider, name or cause: %+v", e)
	}
	return e
}

func wantConn(t *testing.T, cfg sftp.Config, req wnet.Request) wnet.Conn {
	t.Helper()
	c, err := sftp.New(cfg).Connect(testContext(t), req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// newKey makes a key pair, encrypted if passphrase is not "".
func newKey(t *testing.T, file, passphrase string) (private ed25519.PrivateKey, public string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, string(pem.EncodeToMemory(block)))
	if passphrase != "" {
		sshKeygen(t, "-q", "-p", "-a", "1", "-P", "", "-N", passphrase, "-f", file) // -a 1: the usual rounds take seconds under -race
	}
	return key, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

func authorize(t *testing.T, s *rig.SSHServer, public string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Dir, "authorized_keys"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, public); err != nil {
		t.Fatal(err)
	}
}

func TestKeysOnly(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{HostKeys: []string{"ed25519"}})
	none := config(t, s)
	none.IdentityFiles = []string{}
	e := wantCode(t, none, request(s), win32.ERROR_ACCESS_DENIED)
	if !strings.Contains(e.Hint, "authorized_keys") {
		t.Errorf("the hint does not say what to do: %q", e.Hint)
	}
	// A password does not help there, and is still what was refused.
	req := request(s)
	req.Password = wnet.NewSecret("s3cret")
	e = wantCode(t, none, req, win32.ERROR_LOGON_FAILURE)
	if strings.Contains(fmt.Sprintf("%+v %v", e, e), "s3cret") {
		t.Errorf("the error tells the password: %v", e)
	}

	c := wantConn(t, config(t, s), request(s))
	if c.User() != s.User || c.Type() != win32.RESOURCETYPE_DISK {
		t.Errorf("got user %q and type %d", c.User(), c.Type())
	}
}

func TestPassword(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{Password: true, HostKeys: []string{"ed25519"}})
	cfg := config(t, s)
	cfg.IdentityFiles = []string{}
	req := request(s)
	wantCode(t, cfg, req, win32.ERROR_INVALID_PASSWORD)
	req.Password = wnet.NewSecret("")
	wantCode(t, cfg, req, win32.ERROR_LOGON_FAILURE)
	req.Password = wnet.NewSecret(s.Password)
	wantConn(t, cfg, req)
	// The user of the request counts where the name has none.
	req.Remote.User, req.User = "", s.User
	if c := wantConn(t, cfg, req); c.User() != s.User {
		t.Errorf("got user %q, want %q", c.User(), s.User)
	}
}

func TestKeyboardInteractive(t *testing.T) {
	s := fakeServer(t, fakeOptions{config: func(c *ssh.ServerConfig) {
		c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			if a, err := ask("", "", []string{"Password:"}, []bool{false}); err != nil || len(a) != 1 || a[0] != "pw" {
				return nil, fmt.Errorf("wrong: %v", err)
			}
			return nil, nil
		}
	}})
	req := s.request()
	wantCode(t, s.config(t), req, win32.ERROR_INVALID_PASSWORD)
	req.Password = wnet.NewSecret("no")
	wantCode(t, s.config(t), req, win32.ERROR_LOGON_FAILURE)
	req.Password = wnet.NewSecret("pw")
	wantConn(t, s.config(t), req)
}

// A second question is about another secret, and the password is no answer to it.
func TestKeyboardInteractiveTwoFactors(t *testing.T) {
	second := make(chan []string, 10)
	s := fakeServer(t, fakeOptions{config: func(c *ssh.ServerConfig) {
		c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			if _, err := ask("", "", []string{"Password:"}, []bool{false}); err != nil {
				return nil, err
			}
			a, err := ask("", "", []string{"Code:"}, []bool{false})
			second <- a
			return nil, fmt.Errorf("wrong: %v", err)
		}
	}})
	req := s.request()
	req.Password = wnet.NewSecret("pw")
	wantCode(t, s.config(t), req, win32.ERROR_LOGON_FAILURE)
	select {
	case a := <-second:
		if len(a) > 0 {
			t.Errorf("the second question was answered: %q", a)
		}
	default:
	}
}

func TestEncryptedKey(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{Password: true, HostKeys: []string{"ed25519"}})
	cfg := config(t, s)
	file := filepath.Join(t.TempDir(), "id")
	_, pub := newKey(t, file, "passphrase")
	authorize(t, s, pub)
	cfg.IdentityFiles = []string{file}
	req := request(s)
	wantCode(t, cfg, req, win32.ERROR_INVALID_PASSWORD)
	req.Password = wnet.NewSecret("wrong")
	e := wantCode(t, cfg, req, win32.ERROR_LOGON_FAILURE)
	if !strings.Contains(e.Hint, file) {
		t.Errorf("the hint does not name the encrypted file: %q", e.Hint)
	}
	before := strings.Count(s.Log(), "password")
	req.Password = wnet.NewSecret("passphrase")
	wantConn(t, cfg, req)
	if strings.Count(s.Log(), "password") != before {
		t.Errorf("the passphrase of a key was sent to the server:\n%s", s.Log())
	}
}

func TestAgent(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{HostKeys: []string{"ed25519"}})
	key, pub := newKey(t, filepath.Join(t.TempDir(), "id"), "")
	authorize(t, s, pub)
	ring := agent.NewKeyring()
	// More keys than a server takes attempts: the one that ssh_config names has to come first.
	home := t.TempDir()
	for i := range 10 {
		other, _ := newKey(t, filepath.Join(home, fmt.Sprint("other", i)), "")
		if err := ring.Add(agent.AddedKey{PrivateKey: other}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	sock := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				agent.ServeAgent(ring, c)
			}()
		}
	}()
	cfg := config(t, s)
	cfg.IdentityFiles = []string{}
	cfg.AgentSocket = func() string { return sock }
	cfg.Home = home
	wantCode(t, cfg, request(s), win32.ERROR_ACCESS_DENIED)
	writeFile(t, filepath.Join(home, ".ssh", "agentkey.pub"), pub+"\n")
	writeFile(t, filepath.Join(home, ".ssh", "config"), "IdentityFile ~/.ssh/agentkey\nIdentitiesOnly yes\n")
	wantConn(t, cfg, request(s))
	card := request(s)
	card.Options.SmartCard = true
	wantConn(t, cfg, card)
	// One that hangs holds nobody up who does not want to wait.
	hung, err := net.Listen("unix", sock+"-hung")
	if err != nil {
		t.Fatal(err)
	}
	defer hung.Close()
	cfg.AgentSocket = func() string { return sock + "-hung" }
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := sftp.New(cfg).Connect(ctx, request(s)); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 20*time.Second {
		t.Errorf("got %v after %v", err, time.Since(begin))
	}
	// An agent that is gone is no reason to fail.
	cfg.AgentSocket = func() string { return sock + "-none" }
	cfg.IdentityFiles = []string{s.IdentityFile}
	wantConn(t, cfg, request(s))
	// Unless the key has to be on a card: no file and no password takes its place (NU-06).
	card.Password = wnet.NewSecret("x")
	if e := wantCode(t, cfg, card, win32.ERROR_ACCESS_DENIED); !strings.Contains(e.Hint, "ssh-add -s") {
		t.Errorf("the hint does not help: %q", e.Hint)
	}
}

func TestSSHConfig(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{HostKeys: []string{"ed25519"}})
	home := t.TempDir()
	conf := filepath.Join(home, ".ssh", "config")
	writeFile(t, conf, fmt.Sprintf(`Host nas
  HostName %s
  Port %d
  User %s
  IdentityFile "%s"
  UserKnownHostsFile %s
Host far
  ProxyJump gate
`, s.Host, s.Port, s.User, s.IdentityFile, s.KnownHosts))
	name, err := wnet.ParseRemoteName("sftp://nas" + s.Root)
	if err != nil {
		t.Fatal(err)
	}
	c := wantConn(t, sftp.Config{Home: home}, wnet.Request{Remote: name})
	if c.User() != s.User {
		t.Errorf("got user %q, want %q", c.User(), s.User)
	}
	far, _ := wnet.ParseRemoteName("sftp://far/x")
	if e := wantCode(t, sftp.Config{Home: home}, wnet.Request{Remote: far}, win32.ERROR_BAD_NETPATH); !strings.Contains(e.Error(), "ProxyJump") {
		t.Errorf("the error does not name ProxyJump: %v", e)
	}
	// A file that nobody understands must not lock a person out of servers that need nothing from it.
	writeFile(t, conf, "Match exec \"true\"\n  User nobody\n")
	wantConn(t, sftp.Config{Home: home, KnownHosts: []string{s.KnownHosts}, IdentityFiles: []string{s.IdentityFile}}, request(s))
}

func TestPaths(t *testing.T) {
	s := rig.Sshd(t, rig.SSHOptions{HostKeys: []string{"ed25519"}})
	writeFile(t, filepath.Join(s.Root, "dir", "file"), "hello")
	if err := os.Symlink("dir", filepath.Join(s.Root, "link")); err != nil {
		t.Fatal(err)
	}
	cfg := config(t, s)
	with := func(path string) wnet.Request { return wnet.Request{Remote: remote(s, s.Root+path)} }

	wantCode(t, cfg, with("/none"), win32.ERROR_BAD_NET_NAME)
	if e := wantCode(t, cfg, with("/dir/file"), win32.ERROR_BAD_NET_NAME); !strings.Contains(e.Error(), "file, not a folder") {
		t.Errorf("the error does not say that it is a file: %v", e)
	}
	for _, dir := range []string{"/dir", "/link"} {
		list, err := wantConn(t, cfg, with(dir)).FS().ReadDir(testContext(t), ".")
		if err != nil || len(list) != 1 || list[0].Name != "file" {
			t.Errorf("%s: got %v, %v", dir, list, err)
		}
	}
	home := with("")
	home.Remote.Path, home.Remote.Rooted = "", false
	if a, err := wantConn(t, cfg, home).FS().Stat(testContext(t), "."); err != nil || !a.Mode.IsDir() {
		t.Errorf("the login folder: got %v, %v", a, err)
	}
	print := with("/dir")
	print.Type = win32.RESOURCETYPE_PRINT
	wantCode(t, cfg, print, win32.ERROR_BAD_DEV_TYPE)
	print = with("/dir")
	print.Options.Transport = "QUIC"
	wantCode(t, cfg, print, win32.ERROR_NOT_SUPPORTED)
}
