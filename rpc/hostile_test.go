package rpc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/servicetest"
	"github.com/openwnet/wnet/win32"
)

// wantUsable wants the server to answer a good peer.
func wantUsable(t *testing.T, r *room) {
	t.Helper()
	if _, err := r.client(t, wnet.Secret{}).GetConnection(t.Context(), "Z:"); !errors.Is(err, win32.ERROR_NOT_CONNECTED) {
		t.Errorf("a good peer: got %v", err)
	}
}

// TestRubbish: what is no request at all, or not for us, is answered or cut off, and harms nobody.
func TestRubbish(t *testing.T) {
	r := serve(t, servicetest.NewFake(), func(l *Limits) { l.Header, l.Body, l.Write = 300*time.Millisecond, 300*time.Millisecond, time.Second })
	big := strings.Repeat("x", 2<<20)
	for name, c := range map[string]struct {
		send string
		want string // the status, "" for a connection that is closed without one
	}{
		"zeros":                  {strings.Repeat("\x00", 4096), ""},
		"TLS":                    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"},
		"nothing":                {"", ""},
		"half a header":          {"POST /wnet.v1.Wnet/Version HTTP/1.1\r\nHost: w", ""},
		"half a body":            {"POST /wnet.v1.Wnet/Version HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{", ""},
		"a huge header":          {"POST / HTTP/1.1\r\nHost: w\r\nX: " + big + "\r\n\r\n", "431"},
		"a huge body":            {post("GetConnection", "application/json", `{"device":"`+big+`"}`), "400"},
		"a huge body in chunks":  {"POST /wnet.v1.Wnet/Version HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + big + "\r\n0\r\n\r\n", "400"},
		"no JSON":                {post("GetConnection", "application/json", `{"device":`), "400"},
		"a number for a string":  {post("GetConnection", "application/json", `{"device":7}`), "400"},
		"deep JSON":              {post("GetConnection", "application/json", strings.Repeat(`{"x":[`, 100_000)), "400"},
		"no protobuf":            {post("GetConnection", "application/proto", "\xff\xff\xff"), "400"},
		"bytes that are no text": {post("GetConnection", "application/json", "{\"device\":\"\xff\"}"), "400"},
		"another type":           {post("GetConnection", "text/plain", "{}"), "415"},
		"gRPC":                   {post("GetConnection", "application/grpc-web+proto", "{}"), "415"},
		"a zipped body":          {post("GetConnection", "application/json", "{}", "Content-Encoding: gzip"), "501"},
		"an unknown method":      {post("Explode", "application/json", "{}"), "404"},
		"another path":           {"GET /etc/passwd HTTP/1.1\r\nHost: w\r\n\r\n", "404"},
		"GET":                    {"GET /wnet.v1.Wnet/Version HTTP/1.1\r\nHost: w\r\n\r\n", "415"},
		"two lengths":            {"POST / HTTP/1.1\r\nHost: w\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "400"},
		"HTTP/2":                 {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			conn := r.raw(t)
			go func() {
				io.WriteString(conn, c.send) // the server may close before it has all
			}()
			conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			line, err := bufio.NewReader(conn).ReadString('\n')
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("the server holds the connection")
			}
			if f := strings.Fields(line); c.want != "" && (len(f) < 2 || f[1] != c.want) || c.want == "" && len(f) > 1 && f[1] == "200" {
				t.Errorf("got %q, %v, want %q", line, err, c.want)
			}
		})
	}
	wantUsable(t, r)
	if r.panics.Load() != 0 {
		t.Error("the server panicked")
	}
}

// TestSilentPeersHoldNothing: peers that connect and say nothing, or read nothing, are gone after a bounded time.
func TestSilentPeersHoldNothing(t *testing.T) {
	before := openFiles(t)
	r := serve(t, servicetest.NewFake(), func(l *Limits) { l.Header, l.Idle = 200*time.Millisecond, 200*time.Millisecond })
	for range 50 {
		r.raw(t)
		fmt.Fprint(r.raw(t), post("Version", "application/json", "{}")) // then it is idle, and reads nothing
	}
	eventually(t, "all peers are there", func() bool { return r.peers() > 0 })
	eventually(t, "all peers are gone", func() bool { return r.peers() == 0 })
	if got := openFiles(t); got > before+110 { // the test's own ends, the listener
		t.Errorf("got %d descriptors, had %d", got, before)
	}
	wantUsable(t, r)
}

// TestPeerThatReadsNothing: an answer nobody takes ends with its time.
func TestPeerThatReadsNothing(t *testing.T) {
	list := make([]wnet.Resource, 50_000)
	for i := range list {
		list[i].Comment = strings.Repeat("c", 100)
	}
	f := &bigFake{Service: servicetest.NewFake(), list: list}
	r := serve(t, f, func(l *Limits) { l.Write = 200 * time.Millisecond })
	fmt.Fprint(r.raw(t), post("Enum", "application/json", "{}"))
	eventually(t, "the peer is there", func() bool { return r.peers() == 1 })
	eventually(t, "the peer is gone", func() bool { return r.peers() == 0 })
	wantUsable(t, r)
}

type bigFake struct {
	wnet.Service
	list []wnet.Resource
}

func (f *bigFake) Enum(context.Context, wnet.EnumRequest) ([]wnet.Resource, error) {
	return f.list, nil
}

// TestPeerLimit: at the limit, an idle connection gives way; a call under way does not.
func TestPeerLimit(t *testing.T) {
	s := newSlow()
	r := serve(t, s, func(l *Limits) { l.Peers = 3 })
	c := r.client(t, wnet.Secret{})
	got := make(chan error, 1)
	go func() { got <- c.AddConnection(t.Context(), wnet.AddRequest{}) }()
	<-s.began
	for range 20 { // each stays open and idle
		conn := r.raw(t)
		fmt.Fprint(conn, post("Version", "application/json", "{}"))
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != 200 {
			t.Fatalf("got %v, %v", res, err)
		}
	}
	if n := r.peers(); n > 3 {
		t.Errorf("got %d peers, want at most 3", n)
	}
	close(s.let)
	if err := <-got; err != nil {
		t.Errorf("the call under way: got %v", err)
	}
}

// faulty is a Service with a bug.
type faulty struct{ wnet.Service }

func (faulty) AddConnection(_ context.Context, r wnet.AddRequest) error {
	none := r.RemoteName[:0]
	_ = none[len(r.RemoteName)] // past the end
	return nil
}

// TestPanic: a fault ends its call with ERROR_GEN_FAILURE and a log line, and nothing else; the password is not in the log.
func TestPanic(t *testing.T) {
	r := serve(t, faulty{servicetest.NewFake()}, nil)
	c := r.client(t, wnet.Secret{})
	err := c.AddConnection(t.Context(), wnet.AddRequest{RemoteName: "x", Password: wnet.NewSecret("sesame")})
	var e *wnet.Error
	if !errors.As(err, &e) || e.Code != win32.ERROR_GEN_FAILURE || e.Op != "AddConnection" {
		t.Errorf("got %#v", err)
	}
	log := r.log.String()
	if !strings.Contains(log, "index out of range") || !strings.Contains(log, "hostile_test.go") {
		t.Errorf("the log does not tell: %s", log)
	}
	if strings.Contains(log, "sesame") {
		t.Error("the password was logged")
	}
	if h, err := c.Health(t.Context()); err != nil || h.Panics != 1 || h.Failed != 1 {
		t.Errorf("Health: got %+v, %v", h, err)
	}
	wantUsable(t, r)
}

// TestAnotherUserIsRefused connects as another uid, in a process of its own.
func TestAnotherUserIsRefused(t *testing.T) {
	if socket := os.Getenv("WNET_TEST_PEER"); socket != "" {
		c := NewClient(func(ctx context.Context) (net.Conn, error) { return net.Dial("unix", socket) }, wnet.Secret{})
		_, err := c.Version(context.Background())
		fmt.Println("peer:", err)
		c.Close()
		return
	}
	if os.Getuid() != 0 {
		t.Fatal("this test needs root to become another user")
	}
	r := serve(t, servicetest.NewFake(), nil)
	for dir := filepath.Dir(r.socket); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755) // let the peer get to the socket: what is tested is the look at who it is
	}
	os.Chmod(r.socket, 0o666)
	peer := func(uid uint32) string {
		bin := filepath.Join(filepath.Dir(r.socket), "peer.test")
		if b, err := os.ReadFile("/proc/self/exe"); err != nil || os.WriteFile(bin, b, 0o755) != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(bin, "-test.run=^TestAnotherUserIsRefused$")
		cmd.Dir = "/"
		cmd.Env = append(os.Environ(), "WNET_TEST_PEER="+r.socket)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, _ := cmd.CombinedOutput()
		os.Remove(bin)
		return string(out)
	}
	if out := peer(65534); !strings.Contains(out, "peer: ") || strings.Contains(out, "peer: <nil>") {
		t.Errorf("uid 65534: got %s", out)
	}
	if n := r.refused.Load(); n == 0 {
		t.Error("no peer was counted as refused")
	}
	if r.total.Load() != 0 {
		t.Error("the refused peer's request was read")
	}
	if out := peer(0); !strings.Contains(out, "peer: <nil>") {
		t.Errorf("our own uid: got %s", out)
	}
	// Root is refused too where the daemon's own user is another.
	r2 := NewServer(&backend{}, nil)
	r2.uid = 65534
	l, err := Listen(filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- r2.Serve(l) }()
	c := NewClient(func(ctx context.Context) (net.Conn, error) { return DialSocket(ctx, l.Addr().String()) }, wnet.Secret{})
	if _, err := c.Version(t.Context()); !errors.Is(err, win32.ERROR_UNEXP_NET_ERR) {
		t.Errorf("root at another user's daemon: got %v", err)
	}
	r2.Close()
	<-done
}

// TestOtherProtocol: a peer of another major version is told so, whichever side is newer.
func TestOtherProtocol(t *testing.T) {
	r := serve(t, servicetest.NewFake(), nil)
	for name, send := range map[string]string{
		"a newer path":   strings.Replace(post("GetConnection", "application/json", "{}"), "wnet.v1", "wnet.v2", 1),
		"a newer header": post("GetConnection", "application/json", `{"device":"Z:"}`, "Wnet-Protocol: 2"),
	} {
		conn := r.raw(t)
		fmt.Fprint(conn, send)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if res.Header.Get("Wnet-Code") != "50" || !bytes.Contains(body, []byte("protocol 2")) || !bytes.Contains(body, []byte("speaks protocol 1")) {
			t.Errorf("%s: got %v %s", name, res.Header, body)
		}
	}
	// An older server: it knows neither the call nor how to say so.
	c := NewClient(func(ctx context.Context) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			http.ReadRequest(bufio.NewReader(theirs))
			io.WriteString(theirs, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}()
		return ours, nil
	}, wnet.Secret{})
	if _, err := c.Sessions(t.Context()); !errors.Is(err, win32.ERROR_NOT_SUPPORTED) {
		t.Errorf("an older server: got %v", err)
	}
}

// curl runs the line of doc/rpc.md, with the socket's path as doc/rpc.md has it.
func curl(t *testing.T, r *room, line string) (body []byte, exit int) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "wnet"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(r.socket, filepath.Join(dir, "wnet", "wnet.sock")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", line+" -s")
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
	body, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return body, cmd.ProcessState.ExitCode()
}

// TestCurl runs every curl line of doc/rpc.md as it stands there, and checks NULL against "" (CC-05).
func TestCurl(t *testing.T) {
	doc, err := os.ReadFile("../doc/rpc.md")
	if err != nil {
		t.Fatal(err)
	}
	const brief = `curl --unix-socket $XDG_RUNTIME_DIR/wnet/wnet.sock -H 'Content-Type: application/json' -d '{"name":"Z:"}' http://wnet/wnet.v1.Wnet/CancelConnection`
	f := servicetest.NewFake()
	r := serve(t, f, nil)
	found := false
	for _, line := range strings.Split(string(doc), "\n") {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "curl ") || strings.Contains(line, "Shutdown") {
			continue
		}
		body, exit := curl(t, r, line)
		if !json.Valid(body) || exit != 0 || bytes.Contains(body, []byte(`"code"`)) && !strings.Contains(line, "#") {
			t.Errorf("%s\ngot %s, exit %d", line, body, exit)
		}
		found = found || line == brief
	}
	if !found {
		t.Errorf("doc/rpc.md does not show\n%s", brief)
	}
	if _, err := f.GetConnection(t.Context(), "Z:"); !errors.Is(err, win32.ERROR_NOT_CONNECTED) {
		t.Errorf("after the line of the documentation: got %v", err)
	}
	for send, want := range map[string]string{`{}`: "87", `{"name":""}`: "2250", `{"name":"Z:"}`: "2250"} {
		body, _ := curl(t, r, strings.Replace(brief, `{"name":"Z:"}`, send, 1)+" -i")
		if !bytes.Contains(body, []byte("Wnet-Code: "+want+"\r\n")) || !bytes.Contains(body, []byte(`"type":"wnet.v1.Error"`)) {
			t.Errorf("%s: got %s", send, body)
		}
	}
}

// TestMissingArguments: NULL where WNet wants a string is ERROR_INVALID_PARAMETER, and the service is not asked.
func TestMissingArguments(t *testing.T) {
	m := &mirror{}
	r := serve(t, m, nil)
	for _, method := range []string{"AddConnection", "UseConnection", "CancelConnection", "GetConnection", "GetUniversalName",
		"SetSaveConnections", "CreateSession", "EndSession", "GetNetworkInformation", "FormatNetworkName", "CachePassword", "GetCachedPassword",
		"RemoveCachedPassword"} {
		conn := r.raw(t)
		fmt.Fprint(conn, post(method, "application/json", "{}"))
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.Header.Get(codeHeader) != "87" || m.got != nil {
			t.Errorf("%s: got %v, %v", method, res, err)
		}
	}
}

// FuzzHandler gives any bytes to any method: the server must answer, and not panic.
func FuzzHandler(f *testing.F) {
	r := serve(f, &fakeBoth{servicetest.NewFake(), &mirror{}}, nil)
	h := r.http.Handler
	methods := []string{"AddConnection", "UseConnection", "CancelConnection", "RestoreConnection", "GetConnection", "GetUser",
		"GetUniversalName", "Enum", "Connections", "SetSaveConnections", "EndSession", "Version", "Health",
		"ClearConnections", "GetResourceInformation", "GetResourceParent", "GetProviderName", "GetNetworkInformation", "GetConnectionPerformance",
		"FormatNetworkName", "GetHomeDirectory", "CachePassword", "GetCachedPassword", "RemoveCachedPassword", "EnumCachedPasswords"}
	for i := range methods {
		f.Add(byte(i), true, []byte(`{"name":"Z:","remoteName":"\\\\s\\r","device":"Z:","path":"Z:\\f","luid":"0-1","on":true}`))
		f.Add(byte(i), false, []byte("\x0a\x02Z:\x1a\x05//s/r"))
	}
	f.Add(byte(21), true, []byte(`{"resource":"AP8=","password":"/w==","type":3}`))
	f.Add(byte(0), true, []byte(`{"remoteName":"\\\\fake\\x","auth":"e30=","useOptions":"RGVmQw=="}`))
	f.Add(byte(0), true, []byte(`{"password":null,"options":{"tcpPort":1e9},"flags":-1}`))
	f.Fuzz(func(t *testing.T, which byte, asJSON bool, body []byte) {
		req, err := http.NewRequestWithContext(context.WithValue(t.Context(), peerKey{}, Peer{UID: 1, PID: 2}), "POST",
			"http://wnet/wnet.v1.Wnet/"+methods[int(which)%len(methods)], bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/proto")
		if asJSON {
			req.Header.Set("Content-Type", "application/json")
		}
		w := &recorder{header: http.Header{}}
		h.ServeHTTP(w, req)
		if n := r.panics.Load(); n != 0 {
			t.Errorf("%d panics, status %d", n, w.status)
		}
	})
}

// fakeBoth has sessions too. The alias keeps the field from hiding the method Sessions.
type fakeBoth struct {
	wnet.Service
	sessions
}

type sessions = wnet.Sessions

// recorder is a ResponseWriter that takes deadlines, as a connection's does.
type recorder struct {
	header http.Header
	status int
}

func (w *recorder) Header() http.Header { return w.header }
func (w *recorder) WriteHeader(s int)   { w.status = s }
func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = 200
	}
	return len(p), nil
}
