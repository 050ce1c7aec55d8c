package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

var _ backend = (*fake)(nil)

// fake is a Service whose answers a test sets, and which keeps what it was asked.
type fake struct {
	wnet.Informer      // nil: no command asks
	wnet.PasswordCache // nil: no command asks

	connections []wnet.Connection
	sessions    []wnet.Session
	save        bool
	saveErr     error
	add         func(wnet.AddRequest) error
	use         func(wnet.UseRequest) (wnet.UseResult, error)
	cancel      func(wnet.CancelRequest) (wnet.CancelResult, error)
	enum        func(wnet.EnumRequest) ([]wnet.Resource, error)

	added    []wnet.AddRequest
	used     []wnet.UseRequest
	cancels  []wnet.CancelRequest
	restored []string
	restore  error
	ended    []wnet.LUID
	home     string
	logins   []wnet.SavedLogin
	forgot   []wnet.SavedLogin
}

func (f *fake) HomeDirectory(context.Context) (string, error) {
	if f.home == "" {
		return "", &wnet.Error{Op: "HomeDirectory", Code: win32.ERROR_PATH_NOT_FOUND, Err: errors.New("no home folder is set")}
	}
	return f.home, nil
}

func (f *fake) SavedLogins(context.Context) ([]wnet.SavedLogin, error) { return f.logins, nil }

func (f *fake) ForgetLogin(_ context.Context, target, user string) error {
	f.forgot = append(f.forgot, wnet.SavedLogin{Target: target, User: user})
	return nil
}

func (f *fake) AddConnection(_ context.Context, req wnet.AddRequest) error {
	f.added = append(f.added, req)
	if f.add != nil {
		return f.add(req)
	}
	return nil
}

func (f *fake) UseConnection(_ context.Context, req wnet.UseRequest) (wnet.UseResult, error) {
	f.used = append(f.used, req)
	if f.use != nil {
		return f.use(req)
	}
	return wnet.UseResult{AccessName: "Z:", Result: win32.CONNECT_LOCALDRIVE}, nil
}

func (f *fake) CancelConnection(_ context.Context, req wnet.CancelRequest) (wnet.CancelResult, error) {
	f.cancels = append(f.cancels, req)
	if f.cancel != nil {
		return f.cancel(req)
	}
	return wnet.CancelResult{}, nil
}

func (f *fake) RestoreConnection(_ context.Context, device string) error {
	f.restored = append(f.restored, device)
	return f.restore
}

func (f *fake) ClearConnections(context.Context) error { return errors.ErrUnsupported }
func (f *fake) GetConnection(context.Context, string) (string, error) {
	return "", errors.ErrUnsupported
}
func (f *fake) GetUser(context.Context, string) (string, error) { return "", errors.ErrUnsupported }
func (f *fake) GetUniversalName(context.Context, string, uint32) (wnet.UniversalName, error) {
	return wnet.UniversalName{}, errors.ErrUnsupported
}

func (f *fake) Enum(_ context.Context, req wnet.EnumRequest) ([]wnet.Resource, error) {
	if f.enum != nil {
		return f.enum(req)
	}
	return nil, nil
}

func (f *fake) Connections(context.Context) ([]wnet.Connection, error) {
	return append([]wnet.Connection(nil), f.connections...), f.saveErr
}

func (f *fake) SaveConnections(context.Context) (bool, error) { return f.save, f.saveErr }

func (f *fake) SetSaveConnections(_ context.Context, on bool) error {
	f.save = on
	return nil
}

func (f *fake) Sessions(context.Context) ([]wnet.Session, error) { return f.sessions, nil }

func (f *fake) CreateSession(context.Context, int) (wnet.Session, wnet.Secret, error) {
	return wnet.Session{LUID: 0x1234}, wnet.NewSecret("token"), nil
}

func (f *fake) EndSession(_ context.Context, l wnet.LUID) error {
	f.ended = append(f.ended, l)
	return nil
}

// Run, Status and Stop make fake a daemonControl.
func (f *fake) Run(context.Context) error { return nil }
func (f *fake) Status(context.Context) (*daemonStatus, error) {
	return &daemonStatus{"v1", 1, 4711}, nil
}
func (f *fake) Stop(context.Context) (bool, error) { return false, nil }

// typist is a terminal at which somebody has the answers ready.
type typist struct {
	answers []string
	asked   []string
}

func (t *typist) Line(_ context.Context, prompt string) (string, error) {
	t.asked = append(t.asked, prompt)
	if len(t.answers) == 0 {
		return "", cancelled()
	}
	s := t.answers[0]
	t.answers = t.answers[1:]
	return s, nil
}

func (t *typist) Secret(ctx context.Context, prompt string) (wnet.Secret, error) {
	s, err := t.Line(ctx, prompt)
	if err != nil {
		return wnet.Secret{}, err
	}
	return wnet.NewSecret(s), nil
}

func (t *typist) Close() error { return nil }

func (t *typist) Print(text string) error {
	t.asked = append(t.asked, text)
	return nil
}

// result is what a command did.
type result struct {
	out, err string
	code     int
}

// env is a command line over a fake service. Without a typist nobody sits at a terminal.
type env struct {
	*fake
	typist *typist
	stdin  string
	terms  bool // standard error is a terminal
}

func (e env) run(t *testing.T, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{stdin: bufio.NewReader(strings.NewReader(e.stdin)), stdout: &out, stderr: &errs, errTerm: e.terms, daemon: e.fake,
		leave:  func() error { return nil },
		inTerm: e.typist != nil,
		tty: func() (terminal, error) {
			if e.typist == nil {
				return nil, os.ErrNotExist
			}
			return e.typist, nil
		},
		dial: func(context.Context, bool) (backend, func(), error) { return e.fake, func() {}, nil },
	}
	code := a.run(context.Background(), args)
	return result{out.String(), errs.String(), code}
}

// want compares what a command did. Of standard error every part must be there.
func (r result) want(t *testing.T, id string, code int, out string, errs ...string) {
	t.Helper()
	if r.code != code || r.out != out {
		t.Errorf("%s: exit %d\n--- stdout\n%s--- stderr\n%s--- want exit %d\n%s", id, r.code, r.out, r.err, code, out)
	}
	if len(errs) == 0 && r.err != "" {
		t.Errorf("%s: stderr should be empty: %s", id, r.err)
	}
	for _, e := range errs {
		if !strings.Contains(r.err, e) {
			t.Errorf("%s: stderr lacks %q:\n%s", id, e, r.err)
		}
	}
}

func drive(device, remote string) wnet.Connection {
	return wnet.Connection{Device: device, RemoteName: remote, Type: win32.RESOURCETYPE_DISK, Provider: netuse.LanMan, Connected: true,
		Uses: 1, Status: wnet.Status{State: wnet.StateOK}, Path: "/home/x/wnet/" + strings.TrimSuffix(device, ":")}
}

func openFiles(name string) error {
	return &wnet.Error{Op: "CancelConnection", Name: name, Code: win32.ERROR_OPEN_FILES, Holders: []wnet.Holder{
		{PID: 4711, Program: "vim", User: "anna", File: "notes.txt", Use: wnet.UseWrite}}}
}
