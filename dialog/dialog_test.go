package dialog

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

var _ Service = (*fake)(nil)

// fake is a Service that keeps what it was asked. What it embeds, no dialog calls.
type fake struct {
	wnet.Connector
	wnet.Lister
	list    []wnet.Connection
	save    bool
	add     func(wnet.AddRequest) error
	cancel  func(wnet.CancelRequest) error
	enum    func(wnet.EnumRequest) ([]wnet.Resource, error)
	added   []wnet.AddRequest
	cancels []wnet.CancelRequest
}

func (f *fake) AddConnection(_ context.Context, r wnet.AddRequest) error {
	f.added = append(f.added, r)
	if f.add == nil {
		return nil
	}
	return f.add(r)
}

func (f *fake) CancelConnection(_ context.Context, r wnet.CancelRequest) (wnet.CancelResult, error) {
	f.cancels = append(f.cancels, r)
	if f.cancel == nil {
		return wnet.CancelResult{}, nil
	}
	return wnet.CancelResult{}, f.cancel(r)
}

func (f *fake) Enum(_ context.Context, r wnet.EnumRequest) ([]wnet.Resource, error) {
	if f.enum == nil {
		return nil, nil
	}
	return f.enum(r)
}
func (f *fake) Connections(context.Context) ([]wnet.Connection, error) { return f.list, nil }
func (f *fake) SaveConnections(context.Context) (bool, error)          { return f.save, nil }
func (f *fake) SetSaveConnections(_ context.Context, on bool) error    { f.save = on; return nil }

var _ Screen = (*script)(nil)

// script answers form after form. A form more than it has answers for fails the test.
type script struct {
	t       *testing.T
	answers []func(*Form) error
	said    []string
}

func (s *script) Ask(_ context.Context, f *Form) error {
	s.t.Helper()
	if len(s.answers) == 0 {
		s.t.Fatalf("an unexpected form: %s\n%s", f.Title, f.Note)
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	return answer(f)
}

func (s *script) Wait(ctx context.Context, _ string, do func(context.Context) error) error {
	return do(ctx)
}
func (s *script) Say(text string) { s.said = append(s.said, text) }

func (s *script) done() {
	s.t.Helper()
	if len(s.answers) != 0 {
		s.t.Errorf("%d forms did not come", len(s.answers))
	}
}

// fill sets fields by their labels: a string, an int for a choice, or a bool.
func fill(t *testing.T, values map[string]any) func(*Form) error {
	return func(f *Form) error {
		left := len(values)
		for _, field := range f.Fields {
			v, ok := values[field.label()]
			if !ok {
				continue
			}
			left--
			switch q := field.(type) {
			case *Choice:
				if q.At = slices.IndexFunc(q.Options, func(o string) bool { return strings.HasPrefix(o, v.(string)) }); q.At < 0 {
					t.Fatalf("no %q among %q", v, q.Options)
				}
			case *Text:
				q.Value = v.(string)
				if q.Check != nil && q.Check(q.Value) != nil {
					t.Fatalf("%q is refused: %v", q.Value, q.Check(q.Value))
				}
			case *Secret:
				q.Value = wnet.NewSecret(v.(string))
			case *Switch:
				q.On = v.(bool)
			}
		}
		if left != 0 {
			t.Errorf("%q has no fields for all of %v", f.Title, values)
		}
		return nil
	}
}

func has(f *Form, label string) bool {
	return slices.ContainsFunc(f.Fields, func(x Field) bool { return x.label() == label })
}

func closes(*Form) error { return ErrClosed }

const media = `\\nas\media`

func disk(flags uint32, name string) ConnectRequest {
	return ConnectRequest{Type: win32.RESOURCETYPE_DISK, Flags: flags, RemoteName: name}
}

// TestConnectRetries: a wrong password is asked for again, and closing a form ends with ErrClosed and no connection.
//
// Rows: DG-01, DG-03.
func TestConnectRetries(t *testing.T) {
	f := &fake{}
	f.add = func(r wnet.AddRequest) error {
		if r.Password.Reveal() != "right" {
			return &wnet.Error{Code: win32.ERROR_INVALID_PASSWORD}
		}
		return nil
	}
	login := func(password string) func(*Form) error {
		return fill(t, map[string]any{"User name": "anna", "Password": password})
	}
	s := &script{t: t, answers: []func(*Form) error{fill(t, map[string]any{"Drive": "Y:", "Folder": media}), login("wrong"), login("right")}}
	got, err := Connect(t.Context(), f, s, disk(0, ""))
	if err != nil || got.Device != "Y:" || got.DevNum() != 25 || len(f.added) != 3 || f.added[2].User != "anna" {
		t.Errorf("%+v, %v, asked %d times", got, err, len(f.added))
	}
	s.done()
	s = &script{t: t, answers: []func(*Form) error{fill(t, map[string]any{"Folder": media}), closes}}
	if _, err := Connect(t.Context(), f, s, disk(0, "")); !errors.Is(err, ErrClosed) {
		t.Errorf("closed at the login: %v", err)
	}
	f = &fake{}
	s = &script{t: t, answers: []func(*Form) error{closes}}
	if _, err := Connect(t.Context(), f, s, disk(0, "")); !errors.Is(err, ErrClosed) || len(f.added) != 0 {
		t.Errorf("closed: %v, %v", err, f.added)
	}
}

// TestConnectRefuses: requests that are wrong show no form.
//
// Rows: DG-01, DG-02.
func TestConnectRefuses(t *testing.T) {
	for _, c := range []struct {
		req  ConnectRequest
		want win32.Code
	}{
		{ConnectRequest{Type: win32.RESOURCETYPE_PRINT}, win32.ERROR_BAD_DEV_TYPE},
		{ConnectRequest{}, win32.ERROR_BAD_DEV_TYPE},
		{disk(win32.CONNDLG_RO_PATH|win32.CONNDLG_USE_MRU, media), win32.ERROR_INVALID_PARAMETER},
		{disk(win32.CONNDLG_PERSIST|win32.CONNDLG_NOT_PERSIST, media), win32.ERROR_INVALID_PARAMETER},
		{disk(win32.CONNDLG_RO_PATH, ""), win32.ERROR_INVALID_PARAMETER},
	} {
		if _, err := Connect(t.Context(), &fake{}, &script{t: t}, c.req); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %d", c.req, err, uint32(c.want))
		}
	}
}

// TestConnectFlags: what the flags show and propose. That HIDE_BOX hides the box is unsourced.
//
// Rows: DG-02, DG-03.
func TestConnectFlags(t *testing.T) {
	const box = "Reconnect at login?"
	for _, c := range []struct {
		flags          uint32
		saved          bool // the last choice
		box, keep, fix bool
	}{
		{flags: 0, saved: true, box: true, keep: true},
		{flags: 0, saved: false, box: true, keep: false},
		{flags: win32.CONNDLG_PERSIST, box: true, keep: true},
		{flags: win32.CONNDLG_NOT_PERSIST, saved: true, box: true},
		{flags: win32.CONNDLG_HIDE_BOX | win32.CONNDLG_PERSIST, keep: true},
		{flags: win32.CONNDLG_RO_PATH, box: true, fix: true},
	} {
		f := &fake{save: c.saved}
		s := &script{t: t, answers: []func(*Form) error{func(form *Form) error {
			if has(form, box) != c.box || has(form, "Folder") == c.fix {
				t.Errorf("%#x: the form has %+v", c.flags, form.Fields)
			}
			return nil
		}}}
		if _, err := Connect(t.Context(), f, s, disk(c.flags, media)); err != nil {
			t.Fatal(err)
		}
		if kept := f.added[0].Flags&win32.CONNECT_UPDATE_PROFILE != 0; kept != c.keep || f.added[0].RemoteName != media {
			t.Errorf("%#x: %+v, want it remembered: %v", c.flags, f.added[0], c.keep)
		}
	}
	f := &fake{enum: func(r wnet.EnumRequest) ([]wnet.Resource, error) {
		return []wnet.Resource{{RemoteName: `\\nas\last`}}, nil
	}}
	s := &script{t: t, answers: []func(*Form) error{fill(t, map[string]any{"Drive": "none", "Reconnect at login?": true})}}
	got, err := Connect(t.Context(), f, s, disk(win32.CONNDLG_USE_MRU, ""))
	if err != nil || got.RemoteName != `\\nas\last` || got.DevNum() != -1 || !f.save {
		t.Errorf("the latest name: %+v, %v, the choice kept %v", got, err, f.save)
	}
}

// TestBrowse: from the networks to a share, by way of a server that wants a login.
//
// Rows: DG-01.
func TestBrowse(t *testing.T) {
	f := &fake{enum: func(r wnet.EnumRequest) ([]wnet.Resource, error) {
		switch {
		case r.Container == nil:
			return []wnet.Resource{{Provider: "Net A"}, {Provider: "Net B"}}, nil
		case r.Container.RemoteName == "":
			return []wnet.Resource{{RemoteName: `\\nas`, Provider: r.Container.Provider}}, nil
		case r.User != "anna":
			return nil, &wnet.Error{Code: win32.ERROR_ACCESS_DENIED}
		}
		return []wnet.Resource{{RemoteName: media, Comment: "films"}}, nil
	}}
	s := &script{t: t, answers: []func(*Form) error{
		fill(t, map[string]any{"Folder": ""}),
		fill(t, map[string]any{"Which network?": "Net B"}),
		fill(t, map[string]any{"Which server of the Net B?": `\\nas`}),
		fill(t, map[string]any{"User name": "anna", "Password": "x"}),
		fill(t, map[string]any{`Which folder of \\nas?`: media}),
		fill(t, nil), // the main form again, with the name
	}}
	if got, err := Connect(t.Context(), f, s, disk(0, "")); err != nil || got.RemoteName != media {
		t.Errorf("%+v, %v", got, err)
	}
	s.done()
}

// TestDisconnect: force at once, or after the question; every end has its code. The code for DISC_UPDATE_PROFILE without a device is unsourced.
//
// Rows: DG-05, DG-06.
func TestDisconnect(t *testing.T) {
	open := func(r wnet.CancelRequest) error {
		if r.Force {
			return nil
		}
		return &wnet.Error{Code: win32.ERROR_OPEN_FILES, Name: r.Name, Holders: []wnet.Holder{{PID: 4711}}}
	}
	yes := func(form *Form) error {
		if !strings.Contains(form.Note, "4711") {
			t.Errorf("the holders are not named: %q", form.Note)
		}
		form.Fields[0].(*Switch).On = true
		return nil
	}
	const ask, forget = win32.DISC_NO_FORCE, win32.DISC_UPDATE_PROFILE
	z := DisconnectRequest{LocalName: "Z:", RemoteName: `\\not\used`, Flags: ask | forget}
	for _, c := range []struct {
		name    string
		req     DisconnectRequest
		cancel  func(wnet.CancelRequest) error
		answers []func(*Form) error
		want    error
		calls   []wnet.CancelRequest
		said    bool
	}{
		{"nothing open", z, nil, nil, nil, []wnet.CancelRequest{{Name: "Z:", Flags: win32.CONNECT_UPDATE_PROFILE}}, false},
		{"yes", DisconnectRequest{RemoteName: media, Flags: ask}, open, []func(*Form) error{yes}, nil,
			[]wnet.CancelRequest{{Name: media}, {Name: media, Force: true}}, false},
		{"no", z, open, []func(*Form) error{fill(t, nil)}, win32.ERROR_CANCELLED,
			[]wnet.CancelRequest{{Name: "Z:", Flags: win32.CONNECT_UPDATE_PROFILE}}, false},
		{"closed", z, open, []func(*Form) error{closes}, ErrClosed, []wnet.CancelRequest{{Name: "Z:", Flags: win32.CONNECT_UPDATE_PROFILE}}, false},
		{"force at once", DisconnectRequest{LocalName: "Z:"}, open, nil, nil, []wnet.CancelRequest{{Name: "Z:", Force: true}}, false},
		{"in use although forced", DisconnectRequest{LocalName: "Z:"},
			func(wnet.CancelRequest) error { return &wnet.Error{Code: win32.ERROR_OPEN_FILES} }, nil, win32.ERROR_OPEN_FILES, []wnet.CancelRequest{{Name: "Z:", Force: true}}, true},
		{"another error is shown", z, func(wnet.CancelRequest) error { return &wnet.Error{Code: win32.ERROR_NOT_CONNECTED} }, nil,
			win32.ERROR_NOT_CONNECTED, []wnet.CancelRequest{{Name: "Z:", Flags: win32.CONNECT_UPDATE_PROFILE}}, true},
		{"forget what", DisconnectRequest{RemoteName: media, Flags: forget}, nil, nil, win32.ERROR_INVALID_PARAMETER, nil, false},
	} {
		f, s := &fake{cancel: c.cancel}, &script{t: t, answers: c.answers}
		_, err := Disconnect(t.Context(), f, s, c.req)
		if !errors.Is(err, c.want) || !slices.Equal(f.cancels, c.calls) || (len(s.said) > 0) != c.said {
			t.Errorf("%s: %v, %+v, said %q", c.name, err, f.cancels, s.said)
		}
		s.done()
	}
}

// TestDisconnectPicks: without a name the person picks one; only drives or printers can be asked for.
//
// Rows: DG-04.
func TestDisconnectPicks(t *testing.T) {
	f := &fake{list: []wnet.Connection{{Device: "Y:", RemoteName: media, Type: win32.RESOURCETYPE_DISK, Connected: true},
		{RemoteName: `\\nas\b`, Connected: true}}}
	s := &script{t: t, answers: []func(*Form) error{fill(t, map[string]any{"Which connection?": "Y:"})}}
	if name, err := Disconnect(t.Context(), f, s, DisconnectRequest{Type: win32.RESOURCETYPE_DISK}); name != "Y:" || err != nil ||
		!slices.Equal(f.cancels, []wnet.CancelRequest{{Name: "Y:", Flags: win32.CONNECT_UPDATE_PROFILE}}) {
		t.Errorf("%q, %v, %+v", name, err, f.cancels)
	}
	s = &script{t: t, answers: []func(*Form) error{closes}}
	if _, err := Disconnect(t.Context(), f, s, DisconnectRequest{Type: win32.RESOURCETYPE_DISK}); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := Disconnect(t.Context(), f, s, DisconnectRequest{Type: 7}); !errors.Is(err, win32.ERROR_BAD_DEV_TYPE) {
		t.Errorf("type 7: %v", err)
	}
}
