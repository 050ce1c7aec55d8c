package rpc

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet/rpc/servicetest"
)

// open serves a Channel beside r's socket.
func (r *room) open(t testing.TB) (c *Channel, port, token string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "default")
	c, err := ListenChannel(path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.ServeChannel(c) }()
	t.Cleanup(func() {
		c.Close()
		if err := <-done; err != nil {
			t.Errorf("ServeChannel: %v", err)
		}
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("the file is still there: %v", err)
		}
	})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if fi, _ := os.Stat(path); fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", fi.Mode())
	}
	f := strings.Split(string(text), "\n")
	if len(f) != 3 || f[2] != "" {
		t.Fatalf("got %q", text)
	}
	return c, f[0], f[1]
}

// say sends text to the channel and returns the answer's status and body; status 0 for a connection that was closed without an answer.
func say(t testing.TB, port, text string) (status int, code, body string) {
	t.Helper()
	conn, err := net.Dial("tcp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	go io.WriteString(conn, text) // the server may close before it has all
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		if os.IsTimeout(err) {
			t.Fatal("the server holds the connection")
		}
		return 0, "", ""
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, res.Header.Get(codeHeader), string(b)
}

// TestChannel: who shows the token is served as the user, in the session that it names, and everybody else is refused by the header alone.
func TestChannel(t *testing.T) {
	r := serve(t, servicetest.NewFake(), nil)
	c, port, token := r.open(t)
	request := func(host string, headers ...string) string {
		s := post("GetConnection", "application/json", `{"device":"Z:"}`, headers...)
		return strings.Replace(s, "Host: wnet", "Host: "+host, 1)
	}
	here, good := "127.0.0.1:"+port, "Wnet-Channel: "+token
	if status, code, _ := say(t, port, request(here, good, "Wnet-Session: abc")); status == 200 || code != "2250" {
		t.Errorf("a good caller: got %d, %s", status, code)
	}
	if got := r.backend.last(); got.UID != os.Getuid() || got.PID != 0 || got.Token.Reveal() != "abc" {
		t.Errorf("the caller: got %+v", got)
	}
	if status, code, _ := say(t, port, request("localhost:"+port, good)); code != "2250" {
		t.Errorf("localhost: got %d, %s", status, code)
	}
	seen := len(r.backend.seen)
	wrong := strings.Repeat("0", len(token))
	for name, text := range map[string]string{
		"no token":               request(here),
		"a wrong token":          request(here, "Wnet-Channel: "+wrong),
		"half a token":           request(here, "Wnet-Channel: "+token[:32]),
		"a longer token":         request(here, good+"0"),
		"an empty token":         request(here, "Wnet-Channel: "),
		"two tokens":             request(here, good, "Wnet-Channel: "+wrong),
		"the session's token":    request(here, "Wnet-Session: "+token),
		"another host":           request("evil.example:"+port, good),
		"a rebound host":         request("127.0.0.1.evil.example:"+port, good),
		"no port":                request("127.0.0.1", good),
		"another port":           request("127.0.0.1:1", good),
		"IPv6":                   request("[::1]:"+port, good),
		"no host":                strings.Replace(request("", good), "Host: \r\n", "", 1),
		"a web page":             request(here, good, "Origin: http://evil.example"),
		"a sandboxed page":       request(here, good, "Origin: null"),
		"a page of this machine": request(here, good, "Origin: http://"+here),
		"a browser":              request(here, good, "Sec-Fetch-Site: none"),
		"a link":                 request(here, good, "Referer: http://evil.example/"),
		"a form":                 strings.Replace(request(here, good), "application/json", "text/plain", 1),
		"protobuf":               strings.Replace(request(here, good), "application/json", "application/proto", 1),
		"a question first":       "OPTIONS /wnet.v1.Wnet/GetConnection HTTP/1.1\r\nHost: " + here + "\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n",
		"GET":                    "GET /wnet.v1.Wnet/Version HTTP/1.1\r\nHost: " + here + "\r\n" + good + "\r\nContent-Type: application/json\r\n\r\n",
		"a body that never is":   "POST /wnet.v1.Wnet/Version HTTP/1.1\r\nHost: " + here + "\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n",
		"a body that has no end": "POST /wnet.v1.Wnet/Version HTTP/1.1\r\nHost: " + here + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
		"garbage":                "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"HTTP/2":                 "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		status, code, body := say(t, port, text)
		if status == 200 || status >= 500 || status == 403 && code != "5" || strings.Contains(body, token) {
			t.Errorf("%s: got %d, %s, %s", name, status, code, body)
		}
	}
	if n := len(r.backend.seen); n != seen || r.total.Load() != 2 {
		t.Errorf("%d refused requests reached the backend, of %d calls", n-seen, r.total.Load())
	}
	// What holds on the unix socket does not change: no token, any host.
	conn := r.raw(t)
	fmt.Fprint(conn, post("GetConnection", "application/json", `{"device":"Z:"}`))
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.Header.Get(codeHeader) != "2250" {
		t.Errorf("the socket: got %v, %v", res, err)
	}
	// A connection that was let in gets no more answers when the channel is closed.
	open, err := net.Dial("tcp4", here)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	open.SetDeadline(time.Now().Add(20 * time.Second))
	answers := bufio.NewReader(open)
	for _, want := range []string{"2250", "5"} {
		fmt.Fprint(open, request(here, good))
		res, err := http.ReadResponse(answers, nil)
		if err != nil || res.Header.Get(codeHeader) != want {
			t.Fatalf("want %s: got %v, %v", want, res, err)
		}
		io.Copy(io.Discard, res.Body)
		c.Close()
	}
}

// TestChannelLimits: what holds no place on the socket for long holds none on the channel.
func TestChannelLimits(t *testing.T) {
	r := serve(t, servicetest.NewFake(), func(l *Limits) {
		l.Header, l.Idle, l.Body, l.Write, l.Peers = 200*time.Millisecond, 200*time.Millisecond, 200*time.Millisecond, time.Second, 8
	})
	_, port, token := r.open(t)
	for range 8 {
		conn, err := net.Dial("tcp4", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "POST /wnet.v1.Wnet/Version HTTP/1.1\r\nHost: ")
	}
	// The socket has places of its own.
	wantUsable(t, r)
	big := strings.Repeat("x", 2<<20)
	host := "127.0.0.1:" + port
	for name, text := range map[string]string{
		"a huge header": "POST / HTTP/1.1\r\nHost: " + host + "\r\nX: " + big + "\r\n\r\n",
		"a huge body":   strings.Replace(post("GetConnection", "application/json", `{"device":"`+big+`"}`, "Wnet-Channel: "+token), "Host: wnet", "Host: "+host, 1),
		"half a body":   "POST /wnet.v1.Wnet/Version HTTP/1.1\r\nHost: " + host + "\r\nWnet-Channel: " + token + "\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
		"nothing":       "",
	} {
		if status, _, _ := say(t, port, text); status == 200 {
			t.Errorf("%s: got %d", name, status)
		}
	}
	eventually(t, "all peers are gone", func() bool { return r.peers() == 0 })
	if r.panics.Load() != 0 {
		t.Error("the server panicked")
	}
}

// TestChannelRefusesOtherUsers: another user of this machine is turned away before the request is read, with the right token too, and
// holds no place.
func TestChannelRefusesOtherUsers(t *testing.T) {
	if host := os.Getenv("WNET_TEST_CHANNEL"); host != "" {
		port, token, _ := strings.Cut(host, " ")
		status, _, _ := say(t, port, strings.Replace(post("Version", "application/json", "{}", "Wnet-Channel: "+token), "Host: wnet", "Host: 127.0.0.1:"+port, 1))
		fmt.Println("status:", status)
		return
	}
	if os.Getuid() != 0 {
		t.Fatal("this test needs root to become another user")
	}
	r := serve(t, servicetest.NewFake(), nil)
	_, port, token := r.open(t)
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	bin := filepath.Join(dir, "peer.test")
	if b, err := os.ReadFile("/proc/self/exe"); err != nil || os.WriteFile(bin, b, 0o755) != nil {
		t.Fatal(err)
	}
	for uid, want := range map[uint32]string{65534: "status: 0\n", 0: "status: 200\n"} {
		cmd := exec.Command(bin, "-test.run=^TestChannelRefusesOtherUsers$")
		cmd.Dir = "/"
		cmd.Env = append(os.Environ(), "WNET_TEST_CHANNEL="+port+" "+token)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("uid %d: got %s, %v, want %s", uid, out, err, want)
		}
	}
	if r.refused.Load() != 1 || r.total.Load() != 1 {
		t.Errorf("%d peers were refused, %d calls answered", r.refused.Load(), r.total.Load())
	}
	// A kernel that does not tell leaves it to the token, which must be enough.
	if _, err := tcpPeerUID(r.raw(t)); err == nil {
		t.Error("the user of a unix socket's peer can't be told this way")
	}
}

// FuzzChannel gives any request to the channel: without the token nothing reaches the backend, and nothing panics.
func FuzzChannel(f *testing.F) {
	r := serve(f, &fakeBoth{servicetest.NewFake(), &mirror{}}, nil)
	c, port, token := r.open(f)
	for _, h := range []string{"", "Wnet-Channel: x", "Origin: null", "wnet-channel: " + strings.Repeat("0", 64)} {
		f.Add([]byte(strings.Replace(post("Version", "application/json", "{}", h), "Host: wnet", "Host: 127.0.0.1:"+port, 1)))
	}
	f.Add([]byte("OPTIONS * HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
		if err != nil || bytes.Contains(text, []byte(token)) {
			return
		}
		before := r.total.Load()
		w := &recorder{header: http.Header{}}
		r.http.Handler.ServeHTTP(w, req.WithContext(context.WithValue(t.Context(), peerKey{}, Peer{channel: c})))
		if r.total.Load() != before || w.status == 200 || r.panics.Load() != 0 {
			t.Errorf("status %d, %d calls, %d panics", w.status, r.total.Load()-before, r.panics.Load())
		}
	})
}

// TestListenChannel: a file that can't be written leaves no listener, and a channel does not remove its successor's file.
func TestListenChannel(t *testing.T) {
	before := openFiles(t)
	if _, err := ListenChannel(filepath.Join(t.TempDir(), "none", "default")); err == nil {
		t.Error("no folder, and no error")
	}
	if n := openFiles(t); n != before {
		t.Errorf("%d descriptors, had %d", n, before)
	}
	path := filepath.Join(t.TempDir(), "default")
	first, err := ListenChannel(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ListenChannel(path)
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the second one's file: %v", err)
	}
	if first.token == second.token || len(first.token) != 64 {
		t.Error("the tokens are not fresh")
	}
	second.Close()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}
