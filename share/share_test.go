package share_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/share"
	"github.com/openwnet/wnet/win32"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, []byte(text), 0o644))
}

// serve serves a new folder, with what cfg says besides.
func serve(t *testing.T, cfg share.Config) (*share.Server, string) {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	cfg.User = "anna"
	if !cfg.Password.Present() && cfg.AuthorizedKeys == nil {
		cfg.Password = wnet.NewSecret("right")
	}
	if cfg.FailureDelay == 0 {
		cfg.FailureDelay = time.Millisecond
	}
	s, err := share.Serve(t.Context(), cfg)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s, cfg.Dir
}

func login(s *share.Server, user string, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", s.Addr().String(), &ssh.ClientConfig{
		User: user, Auth: auth, Timeout: 20 * time.Second,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if ssh.FingerprintSHA256(key) != s.HostKey() {
				return errors.New("another key than HostKey says")
			}
			return nil
		},
	})
}

// client is pkg/sftp's client: another hand than that which wrote the server.
func client(t *testing.T, s *share.Server) *sftp.Client {
	t.Helper()
	conn, err := login(s, "anna", ssh.Password("right"))
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	c, err := sftp.NewClient(conn)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestLogin(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	must(t, err)
	sshPub, err := ssh.NewPublicKey(pub)
	must(t, err)
	_, key2, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	stranger, err := ssh.NewSignerFromKey(key2)
	must(t, err)

	both, _ := serve(t, share.Config{Password: wnet.NewSecret("right"), AuthorizedKeys: []ssh.PublicKey{sshPub}})
	keysOnly, _ := serve(t, share.Config{AuthorizedKeys: []ssh.PublicKey{sshPub}})
	answer := func(_, _ string, q []string, _ []bool) ([]string, error) { return make([]string, len(q)), nil }
	right := func(_, _ string, q []string, _ []bool) ([]string, error) {
		a := make([]string, len(q))
		for i := range a {
			a[i] = "right"
		}
		return a, nil
	}
	for _, c := range []struct {
		name string
		s    *share.Server
		user string
		auth ssh.AuthMethod
		ok   bool
	}{
		{"password", both, "anna", ssh.Password("right"), true},
		{"keyboard-interactive", both, "anna", ssh.KeyboardInteractive(right), true},
		{"key", both, "anna", ssh.PublicKeys(signer), true},
		{"key, no passwords", keysOnly, "anna", ssh.PublicKeys(signer), true},
		{"wrong password", both, "anna", ssh.Password("wrong"), false},
		{"empty password", both, "anna", ssh.Password(""), false},
		{"empty answer", both, "anna", ssh.KeyboardInteractive(answer), false},
		{"another user", both, "eve", ssh.Password("right"), false},
		{"another user's key", both, "eve", ssh.PublicKeys(signer), false},
		{"unknown key", both, "anna", ssh.PublicKeys(stranger), false},
		{"password where keys are wanted", keysOnly, "anna", ssh.Password("right"), false},
		{"empty password where keys are wanted", keysOnly, "anna", ssh.Password(""), false},
	} {
		conn, err := login(c.s, c.user, c.auth)
		if err == nil {
			conn.Close()
		}
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if conn, err := login(both, "anna"); err == nil {
		conn.Close()
		t.Error("logged in with nothing")
	}
}

func TestServeRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "x")
	shown := filepath.Join(dir, "key")
	write(t, shown, "x")
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer busy.Close()
	pw := wnet.NewSecret("pw")
	for _, c := range []struct {
		cfg  share.Config
		code win32.Code
	}{
		{share.Config{Dir: dir}, win32.ERROR_INVALID_PARAMETER},
		{share.Config{Dir: dir, Password: wnet.NewSecret("")}, win32.ERROR_INVALID_PARAMETER},
		{share.Config{Dir: dir + "/none", Password: pw}, win32.ERROR_PATH_NOT_FOUND},
		{share.Config{Dir: file, Password: pw}, win32.ERROR_PATH_NOT_FOUND},
		{share.Config{Dir: dir, Password: pw, HostKey: shown}, win32.ERROR_ACCESS_DENIED},
		{share.Config{Dir: dir, Password: pw, HostKey: dir}, win32.ERROR_ACCESS_DENIED},
		{share.Config{Dir: dir, Password: pw, Listen: busy.Addr().String()}, win32.ERROR_BUSY},
		{share.Config{Dir: dir, Password: pw, Listen: "nonsense"}, win32.ERROR_INVALID_PARAMETER},
		{share.Config{Dir: dir, Password: pw, Listen: "127.0.0.1:many"}, win32.ERROR_INVALID_PARAMETER},
		{share.Config{Dir: dir, Password: pw, Listen: "nohost.invalid:0"}, win32.ERROR_BAD_NETPATH},
		{share.Config{Dir: dir, Password: pw, Listen: "192.0.2.1:0"}, win32.ERROR_BAD_NETPATH},
	} {
		s, err := share.Serve(t.Context(), c.cfg)
		if err == nil {
			s.Close()
		}
		if wnet.CodeOf(err) != c.code {
			t.Errorf("%+v: got %v (%s), want %s", c.cfg, err, wnet.CodeOf(err).Name(), c.code.Name())
		}
	}
}

func TestHostKeyStays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "host_key")
	a, _ := serve(t, share.Config{HostKey: file})
	fi, err := os.Stat(file)
	must(t, err)
	if fi.Mode().Perm() != 0o600 {
		t.Errorf("the key has the mode %v", fi.Mode())
	}
	b, _ := serve(t, share.Config{HostKey: file})
	c, _ := serve(t, share.Config{})
	if a.HostKey() != b.HostKey() || a.HostKey() == c.HostKey() {
		t.Errorf("got %s, %s and %s", a.HostKey(), b.HostKey(), c.HostKey())
	}
	if out, err := exec.Command("ssh-keygen", "-lf", file).CombinedOutput(); err != nil || !strings.Contains(string(out), a.HostKey()) {
		t.Errorf("ssh-keygen: %v: %s", err, out)
	}
	if list, _ := os.ReadDir(filepath.Dir(file)); len(list) != 1 {
		t.Errorf("something was left behind: %v", list)
	}
}

// OpenSSH's own client takes the server for one of its kind.
func TestOpenSSHClient(t *testing.T) {
	home := t.TempDir()
	id := filepath.Join(home, "id")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", id).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	keys, err := share.ReadAuthorizedKeys(id + ".pub")
	must(t, err)
	s, dir := serve(t, share.Config{AuthorizedKeys: keys})
	write(t, filepath.Join(home, "known_hosts"), s.KnownHostsLine("")+"\n")
	write(t, filepath.Join(home, "up"), strings.Repeat("content\n", 100000))
	batch := filepath.Join(home, "batch")
	write(t, batch, fmt.Sprintf(`mkdir d
put -pf %[1]s/up d/file
ls -l d
symlink file d/link
ln d/file d/hard
chmod 640 d/file
rename d/file d/renamed
get -p d/renamed %[1]s/down
df d
rm d/hard
pwd
`, home))
	cmd := exec.CommandContext(t.Context(), "sftp", "-F", "none", "-o", "IdentityFile="+id, "-o", "IdentitiesOnly=yes", "-o",
		"StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile="+filepath.Join(home, "known_hosts"), "-P", fmt.Sprint(s.Port()), "-b", batch,
		"anna@127.0.0.1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("sftp: %v: %s", err, out)
	}
	up, _ := os.ReadFile(filepath.Join(home, "up"))
	down, _ := os.ReadFile(filepath.Join(home, "down"))
	there, _ := os.ReadFile(filepath.Join(dir, "d", "renamed"))
	if !bytes.Equal(up, down) || !bytes.Equal(up, there) {
		t.Errorf("the content changed on the way")
	}
	if fi, err := os.Stat(filepath.Join(dir, "d", "renamed")); err != nil || fi.Mode().Perm() != 0o640 {
		t.Errorf("got %v, %v", fi, err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "d", "link")); err != nil || target != "file" {
		t.Errorf("got %q, %v", target, err)
	}
	if !strings.Contains(string(out), "800000") || !strings.Contains(string(out), "Remote working directory: /\n") {
		t.Errorf("got %s", out)
	}
}

// Nothing outside of the folder is to be had, by whatever name.
func TestConfined(t *testing.T) {
	top := t.TempDir()
	write(t, filepath.Join(top, "secret"), "secret")
	write(t, filepath.Join(top, "shared", "d", "file"), "inside")
	dir := filepath.Join(top, "shared")
	must(t, os.Symlink("../secret", filepath.Join(dir, "rel")))
	must(t, os.Symlink(filepath.Join(top, "secret"), filepath.Join(dir, "abs")))
	must(t, os.Symlink("..", filepath.Join(dir, "up")))
	must(t, os.Symlink("d", filepath.Join(dir, "in")))
	must(t, os.Symlink(filepath.Join(dir, "d", "file"), filepath.Join(dir, "own")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "etc")))
	s, _ := serve(t, share.Config{Dir: dir})
	c := client(t, s)
	for _, name := range []string{"rel", "abs", "up/secret", "etc", "../secret", "/../../secret", "d/../../secret", "up/shared/../secret"} {
		if f, err := c.Open(name); err == nil {
			b, _ := io.ReadAll(f)
			t.Errorf("open %s: got %q", name, b)
		}
		if fi, err := c.Stat(name); err == nil {
			t.Errorf("stat %s: got %v", name, fi)
		}
		for what, err := range map[string]error{
			"chmod":    c.Chmod(name, 0o777),
			"truncate": c.Truncate(name, 0),
			"chtimes":  c.Chtimes(name, time.Unix(0, 0), time.Unix(0, 0)),
			"create":   func() error { _, err := c.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC); return err }(),
			"rename":   c.PosixRename("d/file", name+"/x"),
			"link":     c.Link(name, "stolen-"+filepath.Base(name)+"/x"),
			"mkdir":    c.Mkdir("up/made"),
			"remove":   c.Remove("up/secret"),
			"rmdir":    c.RemoveDirectory("up/shared"),
			"symlink":  c.Symlink("x", "up/made"),
		} {
			// "../secret" is "/secret" in the client's eyes, which may be created: that is inside.
			if err == nil && !(what == "create" && strings.Contains(name, "..") && !strings.HasPrefix(name, "up")) {
				t.Errorf("%s %s: done", what, name)
			}
		}
		c.Remove("/secret")
	}
	if b, err := os.ReadFile(filepath.Join(top, "secret")); err != nil || string(b) != "secret" {
		t.Errorf("what is outside was changed: %q, %v", b, err)
	}
	if list, _ := os.ReadDir(top); len(list) != 2 {
		t.Errorf("something was made outside: %v", list)
	}
	// Links inside work, and one that is absolute on the server is shown as one that works elsewhere too.
	if b, err := c.Stat("in/file"); err != nil || b.Size() != 6 {
		t.Errorf("got %v, %v", b, err)
	}
	for name, want := range map[string]string{"own": "d/file", "rel": "../secret", "etc": "/etc/passwd"} {
		if got, err := c.ReadLink(name); err != nil || got != want {
			t.Errorf("readlink %s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestReadOnly(t *testing.T) {
	s, dir := serve(t, share.Config{ReadOnly: true})
	write(t, filepath.Join(dir, "f"), "text")
	c := client(t, s)
	f, err := c.Open("f")
	must(t, err)
	if b, err := io.ReadAll(f); err != nil || string(b) != "text" {
		t.Errorf("got %q, %v", b, err)
	}
	open := func(mode int) error { _, err := c.OpenFile("f", mode); return err }
	for what, err := range map[string]error{
		"write": open(os.O_RDWR), "truncate on open": open(os.O_WRONLY | os.O_TRUNC), "create": open(os.O_WRONLY | os.O_CREATE),
		"append": open(os.O_WRONLY | os.O_APPEND), "fchmod": f.Chmod(0o600), "ftruncate": f.Truncate(0), "mkdir": c.Mkdir("d"),
		"remove": c.Remove("f"), "rename": c.Rename("f", "g"), "posix-rename": c.PosixRename("f", "g"), "link": c.Link("f", "g"),
		"symlink": c.Symlink("f", "g"), "chmod": c.Chmod("f", 0o600), "setstat": c.Truncate("f", 0),
	} {
		if !errors.Is(err, os.ErrPermission) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("got %v", list)
	}
}

func TestHandles(t *testing.T) {
	s, dir := serve(t, share.Config{})
	c := client(t, s)
	f, err := c.OpenFile("f", os.O_RDWR|os.O_CREATE|os.O_EXCL)
	must(t, err)
	if _, err := c.OpenFile("f", os.O_RDWR|os.O_CREATE|os.O_EXCL); err == nil {
		t.Error("an exclusive open of what is there worked")
	}
	_, err = f.WriteAt([]byte("end"), 1<<20) // a gap before it
	must(t, err)
	must(t, f.Sync())
	must(t, c.PosixRename("f", "g"))
	write(t, filepath.Join(dir, "f"), "another")
	if fi, err := f.Stat(); err != nil || fi.Size() != 1<<20+3 {
		t.Errorf("after the rename: got %v, %v", fi, err)
	}
	must(t, c.Remove("g"))
	if fi, err := f.Stat(); err != nil || fi.Size() != 1<<20+3 {
		t.Errorf("after the removal: got %v, %v", fi, err)
	}
	must(t, f.Chmod(0o600))
	must(t, f.Truncate(4))
	p := make([]byte, 10)
	if n, err := f.ReadAt(p, 0); n != 4 || err != io.EOF || !bytes.Equal(p[:4], make([]byte, 4)) {
		t.Errorf("got %d, %v, %q", n, err, p)
	}
	must(t, f.Close())

	a, err := c.OpenFile("f", os.O_WRONLY|os.O_APPEND)
	must(t, err)
	if _, err := a.WriteAt([]byte("+"), 0); err != nil {
		t.Error(err)
	}
	must(t, a.Close())
	if b, _ := os.ReadFile(filepath.Join(dir, "f")); string(b) != "another+" {
		t.Errorf("after an append: %q", b)
	}
	if _, err := c.OpenFile("/", os.O_RDONLY); err == nil {
		t.Error("a folder was opened as a file")
	}
	must(t, exec.Command("mkfifo", filepath.Join(dir, "pipe")).Run())
	if _, err := c.OpenFile("pipe", os.O_RDONLY); err == nil {
		t.Error("a pipe was opened as a file")
	}
	if err := c.Rename("f", "pipe"); err == nil {
		t.Error("the plain rename replaced what was there")
	}
}

func TestLimits(t *testing.T) {
	s, _ := serve(t, share.Config{MaxConns: 2, LoginGrace: 300 * time.Millisecond, KeepAlive: 200 * time.Millisecond})
	eof := func(c net.Conn) {
		t.Helper()
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the server keeps the connection")
		}
		c.Close()
	}
	// Those that say nothing hold their places for LoginGrace; a third is sent away at once.
	var held []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", s.Addr().String())
		must(t, err)
		held = append(held, c)
	}
	for _, c := range held {
		eof(c)
	}
	// A login without a session is no reason to stay either.
	conn, err := login(s, "anna", ssh.Password("right"))
	must(t, err)
	conn.Wait()
	// A client that answers stays, however long it does nothing; one that does not is dropped.
	for _, answers := range []bool{true, false} {
		tcp, err := net.Dial("tcp", s.Addr().String())
		must(t, err)
		conn, chans, reqs, err := ssh.NewClientConn(tcp, s.Addr().String(), &ssh.ClientConfig{
			User: "anna", Auth: []ssh.AuthMethod{ssh.Password("right")}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		})
		must(t, err)
		asked := make(chan struct{}, 100)
		go func() {
			for r := range reqs {
				asked <- struct{}{}
				if answers {
					r.Reply(false, nil)
				}
			}
		}()
		none := make(chan *ssh.Request)
		close(none)
		c, err := sftp.NewClient(ssh.NewClient(conn, chans, none))
		must(t, err)
		if answers {
			for range 4 {
				<-asked
			}
			if _, err := c.Stat("."); err != nil {
				t.Errorf("a quiet client was dropped: %v", err)
			}
		} else {
			c.Wait()
		}
		c.Close()
		conn.Close()
	}
}

func TestFailureDelay(t *testing.T) {
	s, _ := serve(t, share.Config{FailureDelay: 100 * time.Millisecond})
	begin := time.Now()
	tries := 0
	login(s, "anna", ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
		tries++
		return fmt.Sprint("guess", tries), nil
	}), 100))
	if tries > 10 {
		t.Errorf("a connection had %d guesses", tries)
	}
	if took := time.Since(begin); took < time.Duration(tries)*100*time.Millisecond {
		t.Errorf("%d guesses took %v", tries, took)
	}
}

// Only SFTP is served, and a client that breaks the protocol loses its session and nobody else's.
func TestOnlySFTP(t *testing.T) {
	s, _ := serve(t, share.Config{})
	c := client(t, s)
	conn, err := login(s, "anna", ssh.Password("right"))
	must(t, err)
	defer conn.Close()
	session, err := conn.NewSession()
	must(t, err)
	if err := session.Run("id"); err == nil {
		t.Error("a command was run")
	}
	if _, err := conn.Dial("tcp", s.Addr().String()); err == nil {
		t.Error("a port was forwarded")
	}
	for _, rubbish := range []string{
		"\x00", "\x00\x00\x00\x00", "\xff\xff\xff\xff\x01", "\x00\x00\x00\x05\x03\x00\x00\x00\x01", "rubbish, and more of it",
		"\x00\x00\x00\x05\x01\x00\x00\x00\x03\x00\x00\x00\x01\x05",
	} {
		session, err := conn.NewSession()
		must(t, err)
		in, err := session.StdinPipe()
		must(t, err)
		must(t, session.RequestSubsystem("sftp"))
		io.WriteString(in, rubbish)
		in.Close()
		session.Wait()
	}
	// Requests that are cut in their middle are answered as such.
	session, err = conn.NewSession()
	must(t, err)
	in, err := session.StdinPipe()
	must(t, err)
	out, err := session.StdoutPipe()
	must(t, err)
	must(t, session.RequestSubsystem("sftp"))
	io.WriteString(in, "\x00\x00\x00\x05\x01\x00\x00\x00\x03")
	for kind := range byte(255) {
		if kind != 1 {
			in.Write([]byte{0, 0, 0, 9, kind, 0, 0, 0, kind, 0x7f, 0xff, 0xff, 0xff})
		}
	}
	in.Close()
	if b, err := io.ReadAll(out); err != nil || len(b) < 254*17 {
		t.Errorf("got %d bytes, %v", len(b), err)
	}
	if _, err := c.Stat("."); err != nil {
		t.Errorf("another client suffered: %v", err)
	}
}

func TestClose(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := share.Serve(ctx, share.Config{Dir: t.TempDir(), User: "anna", Password: wnet.NewSecret("right")})
	must(t, err)
	c := client(t, s)
	idle, err := net.Dial("tcp", s.Addr().String())
	must(t, err)
	defer idle.Close()
	cancel()
	<-s.Done()
	must(t, s.Close())
	must(t, s.Close())
	if _, err := c.Stat("."); err == nil {
		t.Error("the server still answers")
	}
	if conn, err := net.Dial("tcp", s.Addr().String()); err == nil {
		conn.Close()
		t.Error("the server still listens")
	}
}

func TestReadAuthorizedKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	good := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGKs5OFEBwnyvbZf7k3NUNHyHTsNM6DJ/tJCl3Uu1MzS anna@nas\n"
	for text, want := range map[string]int{
		"# mine\n\n" + good + good:            2,
		"":                                    0,
		good + "nonsense\n":                   -1,
		"command=\"/bin/true\" " + good:       -1,
		good + "from=\"10.0.0.1\" " + good[:]: -1,
	} {
		write(t, file, text)
		keys, err := share.ReadAuthorizedKeys(file)
		if want < 0 && err == nil || want >= 0 && (err != nil || len(keys) != want) {
			t.Errorf("%q: got %d keys, %v", text, len(keys), err)
		}
	}
}
