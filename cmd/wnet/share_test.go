package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// sharing runs `wnet share` until the test ends and gives what it printed up to the command that maps the share.
func sharing(t *testing.T, stdin string, typist *typist, args ...string) string {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_STATE_HOME", "")
	r, w := io.Pipe()
	var errs bytes.Buffer
	a := &app{stdin: bufio.NewReader(strings.NewReader(stdin)), stdout: w, stderr: &errs, daemon: &fake{}, tty: func() (terminal, error) {
		if typist == nil {
			return nil, os.ErrNotExist
		}
		return typist, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- a.run(ctx, append([]string{"share"}, args...))
		w.Close()
	}()
	var out strings.Builder
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		out.WriteString(line)
		if err != nil {
			t.Fatalf("share ended with %d: %s%s", <-ended, out.String(), errs.String())
		}
		if strings.HasPrefix(line, "  wnet use") {
			break
		}
	}
	go io.Copy(io.Discard, lines)
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("exit %d: %s", code, errs.String())
		}
	})
	return out.String()
}

// login logs in to what the printed command names, and gives its error.
func loginTo(t *testing.T, out string, auth ssh.AuthMethod) error {
	t.Helper()
	m := regexp.MustCompile(`wnet use Z: sftp://(\w+)@(127\.0\.0\.1:\d+)/ ('\*' )?--accept-host-key=(SHA256:\S+)\n`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no command that maps it: %s", out)
	}
	c, err := ssh.Dial("tcp", m[2], &ssh.ClientConfig{User: m[1], Auth: []ssh.AuthMethod{auth}, Timeout: 10 * time.Second,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if got := ssh.FingerprintSHA256(key); got != m[4] {
				t.Errorf("the server's key is %s, the command says %s", got, m[4])
			}
			return nil
		}})
	if err == nil {
		c.Close()
	}
	return err
}

func TestShareByPassword(t *testing.T) {
	out := sharing(t, "sesame\n", nil, t.TempDir(), "--user", "anna", "--password-stdin")
	if strings.Contains(out, "sesame") {
		t.Error("the password is printed")
	}
	if err := loginTo(t, out, ssh.Password("sesame")); err != nil {
		t.Error(err)
	}
}

// TestShareNewPassword: a password that wnet makes is shown on the terminal, and nowhere else.
func TestShareNewPassword(t *testing.T) {
	at := &typist{}
	out := sharing(t, "", at, t.TempDir(), "--user", "anna")
	if len(at.asked) != 1 {
		t.Fatalf("shown: %q", at.asked)
	}
	password := strings.TrimSpace(strings.TrimPrefix(at.asked[0], "The password, shown only now: "))
	if strings.Contains(out, password) {
		t.Error("the password is on standard output")
	}
	if err := loginTo(t, out, ssh.Password(password)); err != nil {
		t.Error(err)
	}
}

func TestShareByKey(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "authorized_keys")
	if err := os.WriteFile(file, append([]byte("# mine\n\n"), ssh.MarshalAuthorizedKey(signer.PublicKey())...), 0o600); err != nil {
		t.Fatal(err)
	}
	out := sharing(t, "", nil, t.TempDir(), "--user", "anna", "--authorized-keys", file)
	if strings.Contains(out, "'*'") {
		t.Errorf("the command asks for a password that there is not: %s", out)
	}
	if err := loginTo(t, out, ssh.PublicKeys(signer)); err != nil {
		t.Error(err)
	}
}

func TestShareRefused(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	bad := filepath.Join(t.TempDir(), "keys")
	os.WriteFile(bad, []byte("nonsense\n"), 0o600)
	e := env{fake: &fake{}}
	e.run(t, "share", t.TempDir()).want(t, "no terminal", 2, "", "System error 87", "--password-stdin")
	e.run(t, "share", t.TempDir(), "--authorized-keys", bad).want(t, "bad key", 2, "", "System error 87", "Line 1 of")
	e.run(t, "share", t.TempDir(), "--authorized-keys", bad+"x").want(t, "no keys", 2, "", "System error 2 ")
	e.stdin = "pw\n"
	e.run(t, "share", "/no/such/folder", "--password-stdin").want(t, "no folder", 2, "", "System error 3 ")
}

func TestListenAddress(t *testing.T) {
	for in, want := range map[string]string{"": "", "10.0.0.1": "10.0.0.1:0", ":2222": ":2222", "nas:22": "nas:22", "::1": "[::1]:0", "[::1]:22": "[::1]:22"} {
		if got := listenAddress(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := shareURL("anna", &net.TCPAddr{IP: net.IPv6loopback, Port: 22}); got != "sftp://anna@[::1]:22/" {
		t.Error(got)
	}
}
