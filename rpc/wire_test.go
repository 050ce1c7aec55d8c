package rpc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/servicetest"
	"github.com/openwnet/wnet/win32"
)

// TestSuiteOverSocket runs the Service suite through a real socket.
func TestSuiteOverSocket(t *testing.T) {
	servicetest.RunFake(t, func(t *testing.T, f *servicetest.Fake) wnet.Service {
		return serve(t, f, nil).client(t, wnet.Secret{})
	})
}

// mirror records the last request and gives set answers.
type mirror struct {
	got     any
	answer  reflect.Value // what the method gives besides its error
	err     error
	session wnet.Session
	token   wnet.Secret
}

var (
	_ wnet.Service  = (*mirror)(nil)
	_ wnet.Sessions = (*mirror)(nil)
)

func give[T any](m *mirror, got any) (T, error) {
	m.got = got
	v, _ := m.answer.Interface().(T)
	return v, m.err
}

func (m *mirror) AddConnection(_ context.Context, r wnet.AddRequest) error { m.got = r; return m.err }
func (m *mirror) UseConnection(_ context.Context, r wnet.UseRequest) (wnet.UseResult, error) {
	return give[wnet.UseResult](m, r)
}
func (m *mirror) CancelConnection(_ context.Context, r wnet.CancelRequest) (wnet.CancelResult, error) {
	return give[wnet.CancelResult](m, r)
}
func (m *mirror) RestoreConnection(_ context.Context, d string) error { m.got = d; return m.err }
func (m *mirror) GetConnection(_ context.Context, d string) (string, error) {
	return give[string](m, d)
}
func (m *mirror) GetUser(_ context.Context, n string) (string, error) { return give[string](m, n) }
func (m *mirror) GetUniversalName(_ context.Context, p string, level uint32) (wnet.UniversalName, error) {
	return give[wnet.UniversalName](m, universalArgs{p, level})
}
func (m *mirror) Enum(_ context.Context, r wnet.EnumRequest) ([]wnet.Resource, error) {
	return give[[]wnet.Resource](m, r)
}
func (m *mirror) Connections(context.Context) ([]wnet.Connection, error) {
	return give[[]wnet.Connection](m, nil)
}
func (m *mirror) ClearConnections(context.Context) error { m.got = "clear"; return m.err }
func (m *mirror) GetResourceInformation(_ context.Context, r wnet.Resource) (wnet.ResourceInfo, error) {
	return give[wnet.ResourceInfo](m, r)
}
func (m *mirror) GetResourceParent(_ context.Context, r wnet.Resource) (wnet.Resource, error) {
	return give[wnet.Resource](m, r)
}
func (m *mirror) GetProviderName(_ context.Context, netType uint32) (string, error) {
	return give[string](m, netType)
}
func (m *mirror) GetNetworkInformation(_ context.Context, provider string) (wnet.NetworkInfo, error) {
	return give[wnet.NetworkInfo](m, provider)
}
func (m *mirror) GetConnectionPerformance(_ context.Context, r wnet.Resource) (wnet.Performance, error) {
	return give[wnet.Performance](m, r)
}
func (m *mirror) FormatNetworkName(_ context.Context, r wnet.FormatRequest) (string, error) {
	return give[string](m, r)
}
func (m *mirror) CachePassword(_ context.Context, c wnet.CachedPassword) error {
	m.got = c
	return m.err
}
func (m *mirror) GetCachedPassword(_ context.Context, resource []byte, typ uint32) (wnet.Secret, error) {
	return give[wnet.Secret](m, cacheArgs{string(resource), typ})
}
func (m *mirror) RemoveCachedPassword(_ context.Context, resource []byte, typ uint32) error {
	m.got = cacheArgs{string(resource), typ}
	return m.err
}
func (m *mirror) EnumCachedPasswords(_ context.Context, prefix []byte, typ uint32) ([]wnet.CachedPassword, error) {
	return give[[]wnet.CachedPassword](m, cacheArgs{string(prefix), typ})
}
func (m *mirror) SaveConnections(context.Context) (bool, error)       { return give[bool](m, nil) }
func (m *mirror) SetSaveConnections(_ context.Context, on bool) error { m.got = on; return m.err }
func (m *mirror) Sessions(context.Context) ([]wnet.Session, error) {
	return give[[]wnet.Session](m, nil)
}
func (m *mirror) EndSession(_ context.Context, l wnet.LUID) error { m.got = l; return m.err }
func (m *mirror) CreateSession(_ context.Context, anchor int) (wnet.Session, wnet.Secret, error) {
	m.got = anchor
	return m.session, m.token, m.err
}

type cacheArgs struct {
	resource string
	typ      uint32
}

type universalArgs struct {
	path  string
	level uint32
}

// fill sets every field below v to a value of its own, so that a field left out or swapped on the wire shows.
func fill(v reflect.Value, n *int) {
	*n++
	switch x := v.Addr().Interface().(type) {
	case *wnet.Secret:
		*x = wnet.NewSecret(fmt.Sprintf("sésame-%d", *n))
		return
	case *time.Time:
		*x = time.Unix(1700000000+int64(*n), int64(*n)*1001).UTC()
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("wört-%d-日本-𝄞", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n) + 1000)
	case reflect.Uint8:
		v.SetUint(uint64(*n) & 0xff)
	case reflect.Uint16:
		v.SetUint(uint64(*n) + 1000)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n) + 1000)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic("fill: a kind that the contract did not have: " + v.Type().String())
	}
}

// TestEveryFieldRoundTrips calls each method with every field set, and with none, and compares both ends by reflection.
func TestEveryFieldRoundTrips(t *testing.T) {
	m := &mirror{}
	c := serve(t, m, nil).client(t, wnet.Secret{})
	ctx := t.Context()
	same := func(t *testing.T, what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %#v\nwant %#v", what, got, want)
		}
	}
	for _, full := range []bool{true, false} {
		t.Run(fmt.Sprintf("filled=%v", full), func(t *testing.T) {
			begin := 0
			set := func(v any) { // a pointer
				if full {
					fill(reflect.ValueOf(v).Elem(), &begin)
				}
			}
			for _, method := range []string{"UseConnection", "CancelConnection", "GetConnection", "GetUser", "GetUniversalName", "Enum",
				"Connections", "SaveConnections", "Sessions"} {
				f := reflect.ValueOf(c).MethodByName(method)
				args := []reflect.Value{reflect.ValueOf(ctx)}
				var sent []any
				for i := 1; i < f.Type().NumIn(); i++ {
					p := reflect.New(f.Type().In(i))
					set(p.Interface())
					args, sent = append(args, p.Elem()), append(sent, p.Elem().Interface())
				}
				answer := reflect.New(f.Type().Out(0))
				set(answer.Interface())
				m.got, m.answer = nil, answer.Elem()
				out := f.Call(args)
				if !out[1].IsNil() {
					t.Errorf("%s: %v", method, out[1])
				}
				same(t, method+" answer", out[0].Interface(), answer.Elem().Interface())
				switch len(sent) {
				case 1:
					same(t, method+" request", m.got, sent[0])
				case 2:
					same(t, method+" request", m.got, universalArgs{sent[0].(string), sent[1].(uint32)})
				}
			}
			var add wnet.AddRequest
			set(&add)
			if err := c.AddConnection(ctx, add); err != nil {
				t.Error(err)
			}
			same(t, "AddConnection", m.got, add)
			var device string
			set(&device)
			if err := c.RestoreConnection(ctx, device); err != nil {
				t.Error(err)
			}
			same(t, "RestoreConnection", m.got, device)
			if err := c.SetSaveConnections(ctx, full); err != nil {
				t.Error(err)
			}
			same(t, "SetSaveConnections", m.got, full)
			var luid wnet.LUID
			set(&luid)
			if err := c.EndSession(ctx, luid); err != nil {
				t.Error(err)
			}
			same(t, "EndSession", m.got, luid)
			m.session, m.token = wnet.Session{}, wnet.NewSecret("")
			set(&m.session)
			if full {
				m.token = wnet.NewSecret("token")
			}
			s, token, err := c.CreateSession(ctx, 4711)
			if err != nil {
				t.Error(err)
			}
			same(t, "CreateSession", []any{m.got, s, token}, []any{4711, m.session, m.token})
		})
	}
}

// TestInformersRoundTrip sends each question about resources and networks, and the password cache's, with all that it reads, and compares
// what arrives and what comes back.
func TestInformersRoundTrip(t *testing.T) {
	m := &mirror{}
	c := serve(t, m, nil).client(t, wnet.Secret{})
	res := wnet.Resource{RemoteName: `\\nas\日本`, Provider: "Nét", Type: 2}
	live := wnet.Resource{LocalName: "Z:", RemoteName: `\\nas\x`, Provider: "Nét"}
	format := wnet.FormatRequest{Provider: "Nét", RemoteName: `\\nas\x`, Flags: 3, LineChars: 40}
	cached := wnet.CachedPassword{Resource: []byte("\xff\x00"), Password: wnet.NewSecret("\x00\xfe"), Type: 7}
	n := 0
	for _, q := range []struct {
		what    string
		answer  any // a pointer, filled
		call    func(ctx context.Context) (any, error)
		arrives any
	}{
		{"GetResourceInformation", &wnet.ResourceInfo{}, func(ctx context.Context) (any, error) { return c.GetResourceInformation(ctx, res) }, res},
		{"GetResourceParent", &wnet.Resource{}, func(ctx context.Context) (any, error) { return c.GetResourceParent(ctx, res) }, res},
		{"GetProviderName", new(string), func(ctx context.Context) (any, error) { return c.GetProviderName(ctx, 0x20000) }, uint32(0x20000)},
		{"GetNetworkInformation", &wnet.NetworkInfo{}, func(ctx context.Context) (any, error) { return c.GetNetworkInformation(ctx, "Nét") }, "Nét"},
		{"GetConnectionPerformance", &wnet.Performance{}, func(ctx context.Context) (any, error) { return c.GetConnectionPerformance(ctx, live) }, live},
		{"FormatNetworkName", new(string), func(ctx context.Context) (any, error) { return c.FormatNetworkName(ctx, format) }, format},
		{"ClearConnections", new(string), func(ctx context.Context) (any, error) { return "", c.ClearConnections(ctx) }, "clear"},
		{"CachePassword", new(string), func(ctx context.Context) (any, error) { return "", c.CachePassword(ctx, cached) }, cached},
		{"GetCachedPassword", &wnet.Secret{}, func(ctx context.Context) (any, error) { return c.GetCachedPassword(ctx, []byte{0, 255}, 7) },
			cacheArgs{"\x00\xff", 7}},
		{"RemoveCachedPassword", new(string), func(ctx context.Context) (any, error) { return "", c.RemoveCachedPassword(ctx, []byte{0, 255}, 7) },
			cacheArgs{"\x00\xff", 7}},
		{"EnumCachedPasswords", &[]wnet.CachedPassword{}, func(ctx context.Context) (any, error) { return c.EnumCachedPasswords(ctx, []byte{0, 255}, 7) },
			cacheArgs{"\x00\xff", 7}},
	} {
		v := reflect.ValueOf(q.answer).Elem()
		if _, text := q.answer.(*string); !text || q.what == "GetProviderName" || q.what == "FormatNetworkName" {
			fill(v, &n)
		}
		m.got, m.answer = nil, v
		got, err := q.call(t.Context())
		if want := m.answer.Interface(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, %v, want %#v", q.what, got, err, want)
		}
		if !reflect.DeepEqual(m.got, q.arrives) {
			t.Errorf("%s: what arrives is %#v, want %#v", q.what, m.got, q.arrives)
		}
	}
}

// TestPasswordNullAndEmpty: A2-06 tells NULL from "".
func TestPasswordNullAndEmpty(t *testing.T) {
	m := &mirror{}
	c := serve(t, m, nil).client(t, wnet.Secret{})
	for _, p := range []wnet.Secret{{}, wnet.NewSecret(""), wnet.NewSecret("x")} {
		if err := c.AddConnection(t.Context(), wnet.AddRequest{Password: p}); err != nil {
			t.Fatal(err)
		}
		if got := m.got.(wnet.AddRequest).Password; !got.Equal(p) {
			t.Errorf("got present=%v, want present=%v", got.Present(), p.Present())
		}
	}
}

// TestErrorsCrossWhole sends an error with every field set, and the result that came with it.
func TestErrorsCrossWhole(t *testing.T) {
	var n int
	want := wnet.Error{Err: fmt.Errorf("reading the profile: %w", &fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES})}
	for v, i := reflect.ValueOf(&want).Elem(), 0; i < v.NumField(); i++ {
		if v.Type().Field(i).Name != "Err" {
			fill(v.Field(i), &n)
		}
	}
	want.Code = win32.ERROR_OPEN_FILES
	m := &mirror{err: &want, answer: reflect.ValueOf(wnet.CancelResult{Aside: []string{"/kept/a", "/kept/b"}, Lost: []string{"sub/gone"}})}
	c := serve(t, m, nil).client(t, wnet.Secret{})
	res, err := c.CancelConnection(t.Context(), wnet.CancelRequest{Name: "Z:"})
	var e *wnet.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	got := *e
	got.Err = want.Err
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %#v\nwant %#v", got, want)
	}
	if e.Error() != want.Error() {
		t.Errorf("text: got %q, want %q", e.Error(), want.Error())
	}
	for _, target := range []error{win32.ERROR_OPEN_FILES, fs.ErrPermission, syscall.EACCES} {
		if !errors.Is(err, target) {
			t.Errorf("errors.Is does not find %v", target)
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, win32.ERROR_NOT_CONNECTED) {
		t.Error("errors.Is finds what is not there")
	}
	if len(res.Aside) != 2 || res.Aside[1] != "/kept/b" {
		t.Errorf("the result beside the error: got %+v", res)
	}
}

// TestErrorCodes: every code of the contract survives, and so do errors without one.
func TestErrorCodes(t *testing.T) {
	m := &mirror{answer: reflect.ValueOf("")}
	c := serve(t, m, nil).client(t, wnet.Secret{})
	for _, code := range win32.Codes() {
		if code == 0 {
			continue
		}
		m.err = code
		_, err := c.GetConnection(t.Context(), "Z:")
		var e *wnet.Error
		if !errors.As(err, &e) || e.Code != code || e.Op != "GetConnection" || e.Name != "Z:" || e.Err != nil {
			t.Errorf("%d: got %#v", code, err)
		}
	}
	m.err = errors.New("the moon is full")
	_, err := c.GetConnection(t.Context(), "Z:")
	var e *wnet.Error
	if !errors.As(err, &e) || e.Code != win32.ERROR_EXTENDED_ERROR || e.NativeText != "the moon is full" {
		t.Errorf("an error without a code: got %#v", err)
	}
	m.err = &wnet.Error{Code: win32.ERROR_BUSY, Err: fmt.Errorf("x: %w", context.DeadlineExceeded)}
	if _, err = c.GetConnection(t.Context(), "Z:"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, win32.ERROR_BUSY) {
		t.Errorf("a deadline as the cause: got %v", err)
	}
}

// TestText: what is no UTF-8 is refused in a request and made harmless in an answer.
func TestText(t *testing.T) {
	m := &mirror{answer: reflect.ValueOf("\xff")}
	c := serve(t, m, nil).client(t, wnet.Secret{})
	err := c.AddConnection(t.Context(), wnet.AddRequest{RemoteName: "\\\\s\\\xff"})
	if !errors.Is(err, win32.ERROR_INVALID_NAME) || m.got != nil {
		t.Errorf("a bad name: got %v", err)
	}
	err = c.AddConnection(t.Context(), wnet.AddRequest{Password: wnet.NewSecret("hush\xff")})
	if !errors.Is(err, win32.ERROR_INVALID_PASSWORD) || strings.Contains(err.Error(), "hush") {
		t.Errorf("a bad password: got %v", err)
	}
	if user, err := c.GetUser(t.Context(), ""); err != nil || user != "\uFFFD" {
		t.Errorf("a bad answer: got %q, %v", user, err)
	}
	m.err = &wnet.Error{Code: win32.ERROR_OPEN_FILES, Err: errors.New("\xfe"), Holders: []wnet.Holder{{File: "a\xffb"}}}
	var e *wnet.Error
	if _, err := c.GetUser(t.Context(), ""); !errors.As(err, &e) || len(e.Holders) != 1 || e.Holders[0].File != "a\uFFFDb" {
		t.Errorf("a bad holder: got %#v", err)
	}
}

// TestBigList sends a list of 100,000 entries.
func TestBigList(t *testing.T) {
	list := make([]wnet.Resource, 100_000)
	for i := range list {
		list[i] = wnet.Resource{Scope: 1, RemoteName: fmt.Sprintf(`\\server\share-%d`, i), Comment: strings.Repeat("ü", 50)}
	}
	m := &mirror{answer: reflect.ValueOf(list)}
	c := serve(t, m, nil).client(t, wnet.Secret{})
	got, err := c.Enum(t.Context(), wnet.EnumRequest{})
	if err != nil || !reflect.DeepEqual(got, list) {
		t.Fatalf("got %d entries, %v", len(got), err)
	}
}

// slow is a Service whose AddConnection waits for its context, or for let.
type slow struct {
	wnet.Service
	began chan struct{}
	ended chan error
	let   chan struct{}
	count atomic.Int32
}

func newSlow() *slow {
	return &slow{Service: servicetest.NewFake(), began: make(chan struct{}, 100), ended: make(chan error, 100), let: make(chan struct{})}
}

func (s *slow) AddConnection(ctx context.Context, _ wnet.AddRequest) error {
	s.began <- struct{}{}
	s.count.Add(1)
	select {
	case <-s.let:
		return nil
	case <-ctx.Done():
		s.ended <- ctx.Err()
		return ctx.Err()
	}
}

// TestContextCancels: the end of the client's context ends the call on the server too, and so does the client's death.
func TestContextCancels(t *testing.T) {
	s := newSlow()
	r := serve(t, s, func(l *Limits) { l.Body = 50 * time.Millisecond }) // a call outlives the time for its body
	c := r.client(t, wnet.Secret{})
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error, 1)
	go func() { got <- c.AddConnection(ctx, wnet.AddRequest{}) }()
	<-s.began
	select {
	case <-s.ended:
		t.Fatal("the call ended before its context")
	case <-time.After(200 * time.Millisecond):
	}
	cancel()
	if err := <-got; !errors.Is(err, win32.ERROR_CANCELLED) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := <-s.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the server's context: got %v", err)
	}

	// On a busy machine a short deadline may pass before the call is there.
	for reached, within := false, 20*time.Millisecond; !reached; within *= 2 {
		ctx, cancel = context.WithTimeout(t.Context(), within)
		if err := c.AddConnection(ctx, wnet.AddRequest{}); !errors.Is(err, win32.ERROR_CANCELLED) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a deadline: got %v", err)
		}
		cancel()
		select {
		case <-s.began:
			reached = true
			<-s.ended
		default:
		}
	}

	conn := r.raw(t)
	fmt.Fprint(conn, post("AddConnection", "application/json", `{"remoteName":"x"}`))
	<-s.began
	conn.Close()
	<-s.ended
}

// The listener is closed by whoever is first of StopAccepting and http.Server; the other one finds nothing to complain about.
func TestGateIsClosedTwice(t *testing.T) {
	l, err := Listen(filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(l, new(Server).socketPeer, 1, new(atomic.Uint64), slog.New(slog.DiscardHandler))
	for range 2 {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestShutdownEndsCalls: Shutdown lets calls finish in the time it has, and then ends them.
func TestShutdownEndsCalls(t *testing.T) {
	s := newSlow()
	r := serve(t, s, nil)
	c := r.client(t, wnet.Secret{})
	got := make(chan error, 2)
	go func() { got <- c.AddConnection(t.Context(), wnet.AddRequest{}) }()
	<-s.began
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: got %v", err)
	}
	if err := <-got; !errors.Is(err, win32.ERROR_UNEXP_NET_ERR) && !errors.Is(err, win32.ERROR_CANCELLED) {
		t.Errorf("the call: got %v", err)
	}
	if err := c.AddConnection(t.Context(), wnet.AddRequest{}); !errors.Is(err, win32.ERROR_NO_NETWORK) {
		t.Errorf("a call after: got %v", err)
	}

	s = newSlow()
	r = serve(t, s, nil)
	c = r.client(t, wnet.Secret{})
	go func() { got <- c.AddConnection(t.Context(), wnet.AddRequest{}) }()
	<-s.began
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(t.Context()) }()
	eventually(t, "the server stops accepting", r.stopped)
	close(s.let)
	if err := <-got; err != nil {
		t.Errorf("a call that finishes: got %v", err)
	}
	c.Close()
	if err := <-stopped; err != nil {
		t.Errorf("Shutdown: got %v", err)
	}

	// A peer that says nothing is not waited for.
	r = serve(t, servicetest.NewFake(), nil)
	silent := r.raw(t)
	eventually(t, "the peer is there", func() bool { return r.peers() == 1 })
	if err := r.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: got %v", err)
	}
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("the silent peer got a byte")
	}
}

// TestDaemonCalls: Version, Health, Shutdown, and the caller that the backend is told of.
func TestDaemonCalls(t *testing.T) {
	r := serve(t, servicetest.NewFake(), nil)
	c := r.client(t, wnet.NewSecret("t0ken"))
	v, err := c.Version(t.Context())
	if want := (Version{Version: "1.2.3", Protocol: Protocol, PID: os.Getpid()}); err != nil || v != want {
		t.Errorf("Version: got %+v, %v", v, err)
	}
	if _, err := c.GetConnection(t.Context(), "Z:"); !errors.Is(err, win32.ERROR_NOT_CONNECTED) {
		t.Errorf("got %v", err)
	}
	if got := r.backend.last(); got.UID != os.Getuid() || got.PID != os.Getpid() || !got.Token.Equal(wnet.NewSecret("t0ken")) {
		t.Errorf("caller: got uid %d pid %d token %v", got.UID, got.PID, got.Token.Present())
	}
	h, err := c.Health(t.Context())
	if err != nil || h.Peers != 1 || h.Running != 0 || h.Calls != 3 || h.Failed != 1 || h.Since.IsZero() {
		t.Errorf("Health: got %+v, %v", h, err)
	}
	if err := c.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	<-r.backend.down
	if strings.Contains(r.log.String(), "t0ken") {
		t.Error("the token was logged")
	}
}

// TestNobodyListens: the errors when there is no daemon, on short and on long paths.
func TestNobodyListens(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, strings.Repeat("l", 150))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(long, "none"), filepath.Join(dir, "no", "folder", long)} {
		c := NewClient(func(ctx context.Context) (net.Conn, error) { return DialSocket(ctx, path) }, wnet.Secret{})
		_, err := c.Connections(t.Context())
		var e *wnet.Error
		if !errors.As(err, &e) || e.Code != win32.ERROR_NO_NETWORK || e.Hint == "" || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %#v", err)
		}
	}
	l, err := Listen(filepath.Join(long, "sock"))
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(long, "sock")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", st, err)
	}
	conn, err := DialSocket(t.Context(), filepath.Join(long, "sock"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	l.Close()
	if _, err = DialSocket(t.Context(), filepath.Join(long, "sock")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a stale socket: got %v", err)
	}
}
