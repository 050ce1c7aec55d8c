// Package servicetest is the conformance suite of wnet.Service. It runs over whatever is one: the router in process, the client of a
// daemon, a fake. What it demands is what a caller may rely on wherever the Service comes from.
package servicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Target is one fresh Service of a session without any connection, live or remembered.
type Target struct {
	Service wnet.Service
	// Remote gives the n-th of at least 300 remote names that connect, without a user or a password, each in the form of
	// wnet.RemoteName.String.
	Remote func(n int) string
	// Missing is a remote name of which every provider knows that it can't be connected.
	Missing string
}

// Check is one rule. Run returns nil, or what was got and what the rule wants.
type Check struct {
	Name string
	Rule string // the contract row, or the method whose documentation says it
	Run  func(ctx context.Context, t Target) error
}

// Run runs every check, each on a Target of its own. Teardown is fresh's, by t.Cleanup.
func Run(t *testing.T, fresh func(t *testing.T) Target) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			target := fresh(t)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := c.Run(ctx, target); err != nil {
				t.Errorf("%v (%s)", err, c.Rule)
			}
		})
	}
}

// Checks returns the rules, in no order that matters.
func Checks() []Check {
	return []Check{
		{"add get list cancel", "A2-10, GC-02, CC-10, CC-28", addGetListCancel},
		{"errors are whole", "wnet.Service: every error is an *Error", errorsAreWhole},
		{"add refuses", "A2-14, A2-15, A2-17, A2-25", addRefuses},
		{"a missing resource changes nothing", "winnetwk.md §23.6", missingResource},
		{"a device in use", "A2-12", deviceInUse},
		{"cancel refuses", "CC-05, CC-15", cancelRefuses},
		{"a device is not its remote name", "CC-02, CC-03", deviceOrRemote},
		{"one of many cancels succeeds", "DESIGN §6.6", oneCancelWins},
		{"letters are chosen", "UC-03, UC-04, UC-06, A2-44", lettersChosen},
		{"the access buffer", "UC-05, UC-08", accessBuffer},
		{"remembered", "C2-12, C2-13, GC-06, RC-02", remembered},
		{"universal names", "UN-02, UN-05, UN-06", universalNames},
		{"the user of nothing", "GU-01, GU-04", users},
		{"a cancelled context", "wnet.Service: if any error is returned, nothing was changed", cancelledContext},
		{"many connections", "ER-01", many},
		{"unicode", "wnet.Error.Name", unicodeNames},
		{"settings", "NU-11", settings},
		{"all connections go at once", "wnet.Connector.ClearConnections", cleared},
		{"logins and options as blobs", "A4-01, A4-02", blobs},
		{"recent names", "OE-01, §4.1 CONNECT_UPDATE_RECENT", recentNames},
		{"the neighbourhood", "OE-06", neighbourhood},
		{"what a resource is", "RI-01, RI-02, RI-03, RI-05", resourceInformation},
		{"what holds a resource", "RP-01, RP-02, RP-03, RP-04", resourceParent},
		{"the networks", "PN-01, PN-02, NI-02, NI-03, NI-04", networks},
		{"how fast a connection is", "MP-01, MP-03", performance},
		{"names for a person", "NP-16", formatted},
		{"the password cache", "wnet.PasswordCache", passwordCache},
	}
}

// wantCode wants err to be an *Error with one of codes.
func wantCode(what string, err error, codes ...win32.Code) error {
	var e *wnet.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: got %v, want an *Error with %v", what, err, codes)
	}
	if len(codes) > 0 && !slices.Contains(codes, e.Code) {
		return fmt.Errorf("%s: got code %d (%v), want one of %d", what, e.Code, err, codes)
	}
	if e.Code == 0 || e.Op == "" {
		return fmt.Errorf("%s: got code %d and op %q, want both set", what, e.Code, e.Op)
	}
	if !errors.Is(err, e.Code) {
		return fmt.Errorf("%s: errors.Is does not find code %d", what, e.Code)
	}
	return nil
}

// wantCount wants the session to have live connections and remembered ones (those that are not live).
func wantCount(ctx context.Context, t Target, live, remembered int) error {
	list, err := t.Service.Connections(ctx)
	if err != nil {
		return fmt.Errorf("Connections: %w", err)
	}
	for _, c := range list {
		if c.Connected {
			live--
		} else {
			remembered--
		}
	}
	if live != 0 || remembered != 0 {
		return fmt.Errorf("Connections: got %d too few live and %d too few remembered: %+v", live, remembered, list)
	}
	return nil
}

func add(ctx context.Context, t Target, local string, n int, flags uint32) error {
	err := t.Service.AddConnection(ctx, wnet.AddRequest{LocalName: local, RemoteName: t.Remote(n), Type: win32.RESOURCETYPE_DISK, Flags: flags})
	if err != nil {
		return fmt.Errorf("AddConnection %q %s: %w", local, t.Remote(n), err)
	}
	return nil
}

func cancel(ctx context.Context, t Target, name string, flags uint32) error {
	if _, err := t.Service.CancelConnection(ctx, wnet.CancelRequest{Name: name, Flags: flags}); err != nil {
		return fmt.Errorf("CancelConnection %q: %w", name, err)
	}
	return nil
}

func addGetListCancel(ctx context.Context, t Target) error {
	if err := add(ctx, t, "z:", 0, 0); err != nil {
		return err
	}
	got, err := t.Service.GetConnection(ctx, "Z:")
	if err != nil || got != t.Remote(0) {
		return fmt.Errorf("GetConnection Z: got %q, %v, want %q", got, err, t.Remote(0))
	}
	list, err := t.Service.Connections(ctx)
	if err != nil || len(list) != 1 {
		return fmt.Errorf("Connections: got %+v, %v, want one", list, err)
	}
	if c := list[0]; c.Device != "Z:" || c.RemoteName != t.Remote(0) || !c.Connected || c.Remembered || c.Provider == "" {
		return fmt.Errorf("Connections: got %+v", c)
	}
	all, err := t.Service.Enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED, Type: win32.RESOURCETYPE_DISK})
	if err != nil || len(all) != 1 || all[0].LocalName != "Z:" || all[0].RemoteName != t.Remote(0) {
		return fmt.Errorf("Enum of connected: got %+v, %v", all, err)
	}
	if err := cancel(ctx, t, "Z:", 0); err != nil {
		return err
	}
	if _, err = t.Service.GetConnection(ctx, "Z:"); err == nil {
		return errors.New("GetConnection after the cancel: got success")
	}
	return errors.Join(wantCode("GetConnection after the cancel", err, win32.ERROR_NOT_CONNECTED), wantCount(ctx, t, 0, 0))
}

func errorsAreWhole(ctx context.Context, t Target) error {
	s := t.Service
	_, e1 := s.CancelConnection(ctx, wnet.CancelRequest{Name: "Q:"})
	_, e2 := s.GetConnection(ctx, "nonsense")
	_, e3 := s.GetUser(ctx, "Q:")
	_, e4 := s.GetUniversalName(ctx, `Q:\f`, win32.UNIVERSAL_NAME_INFO_LEVEL)
	_, e5 := s.UseConnection(ctx, wnet.UseRequest{AddRequest: wnet.AddRequest{LocalName: "1:", RemoteName: t.Remote(0), Type: win32.RESOURCETYPE_DISK}})
	e6 := s.AddConnection(ctx, wnet.AddRequest{Type: win32.RESOURCETYPE_DISK})
	e7 := s.RestoreConnection(ctx, "nonsense")
	_, e8 := s.Enum(ctx, wnet.EnumRequest{Scope: 99})
	var all error
	for i, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8} {
		all = errors.Join(all, wantCode(fmt.Sprintf("error %d", i+1), err))
	}
	return all
}

func addRefuses(ctx context.Context, t Target) error {
	ok := wnet.AddRequest{LocalName: "Z:", RemoteName: t.Remote(0), Type: win32.RESOURCETYPE_DISK}
	for _, c := range []struct {
		what   string
		change func(*wnet.AddRequest)
		code   win32.Code
	}{
		{"an empty remote name", func(r *wnet.AddRequest) { r.RemoteName = "" }, win32.ERROR_BAD_NET_NAME},
		{"a bad device", func(r *wnet.AddRequest) { r.LocalName = "ZZ:" }, win32.ERROR_BAD_DEVICE},
		{"an unknown provider", func(r *wnet.AddRequest) { r.Provider = "No Such Network" }, win32.ERROR_BAD_PROVIDER},
		{"an unknown type", func(r *wnet.AddRequest) { r.Type = 7 }, win32.ERROR_INVALID_PARAMETER},
		{"an unknown flag", func(r *wnet.AddRequest) { r.Flags = 0x40000000 }, win32.ERROR_INVALID_PARAMETER},
	} {
		req := ok
		c.change(&req)
		if err := wantCode(c.what, t.Service.AddConnection(ctx, req), c.code); err != nil {
			return err
		}
	}
	return wantCount(ctx, t, 0, 0)
}

func missingResource(ctx context.Context, t Target) error {
	err := t.Service.AddConnection(ctx, wnet.AddRequest{LocalName: "Z:", RemoteName: t.Missing, Type: win32.RESOURCETYPE_DISK,
		Flags: win32.CONNECT_UPDATE_PROFILE})
	err = wantCode("a missing resource", err, win32.ERROR_BAD_NET_NAME, win32.ERROR_BAD_NETPATH, win32.ERROR_NO_NET_OR_BAD_PATH)
	return errors.Join(err, wantCount(ctx, t, 0, 0))
}

func deviceInUse(ctx context.Context, t Target) error {
	if err := add(ctx, t, "Z:", 0, 0); err != nil {
		return err
	}
	err := t.Service.AddConnection(ctx, wnet.AddRequest{LocalName: "Z:", RemoteName: t.Remote(1), Type: win32.RESOURCETYPE_DISK})
	return errors.Join(wantCode("Z: a second time", err, win32.ERROR_ALREADY_ASSIGNED), wantCount(ctx, t, 1, 0))
}

func cancelRefuses(ctx context.Context, t Target) error {
	if err := add(ctx, t, "Z:", 0, 0); err != nil {
		return err
	}
	for name, codes := range map[string][]win32.Code{"": nil, "Q:": {win32.ERROR_NOT_CONNECTED}, t.Remote(1): {win32.ERROR_NOT_CONNECTED}} {
		for _, force := range []bool{false, true} {
			_, err := t.Service.CancelConnection(ctx, wnet.CancelRequest{Name: name, Flags: win32.CONNECT_UPDATE_PROFILE, Force: force})
			if err := wantCode(fmt.Sprintf("cancel %q", name), err, codes...); err != nil {
				return err
			}
		}
	}
	return wantCount(ctx, t, 1, 0)
}

func deviceOrRemote(ctx context.Context, t Target) error {
	if err := errors.Join(add(ctx, t, "Z:", 0, 0), add(ctx, t, "", 0, 0)); err != nil {
		return err
	}
	if err := cancel(ctx, t, t.Remote(0), 0); err != nil {
		return err
	}
	if err := wantCount(ctx, t, 1, 0); err != nil {
		return err
	}
	_, err := t.Service.CancelConnection(ctx, wnet.CancelRequest{Name: t.Remote(0)})
	if err := wantCode("the remote name again", err, win32.ERROR_NOT_CONNECTED); err != nil {
		return err
	}
	if err := errors.Join(add(ctx, t, "", 0, 0), cancel(ctx, t, "Z:", 0)); err != nil {
		return err
	}
	return wantCount(ctx, t, 1, 0)
}

func oneCancelWins(ctx context.Context, t Target) error {
	if err := add(ctx, t, "Z:", 0, 0); err != nil {
		return err
	}
	const n = 100
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = t.Service.CancelConnection(ctx, wnet.CancelRequest{Name: "Z:"}) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if err := wantCode("a late cancel", err, win32.ERROR_NOT_CONNECTED); err != nil {
			return err
		}
	}
	if won != 1 {
		return fmt.Errorf("%d of %d cancels at once succeeded, want 1", won, n)
	}
	return wantCount(ctx, t, 0, 0)
}

func lettersChosen(ctx context.Context, t Target) error {
	for i, want := range []string{"Z:", "Y:"} {
		res, err := t.Service.UseConnection(ctx, wnet.UseRequest{AddRequest: wnet.AddRequest{RemoteName: t.Remote(i),
			Type: win32.RESOURCETYPE_DISK, Flags: win32.CONNECT_REDIRECT}})
		if err != nil || res.AccessName != want || res.Result&win32.CONNECT_LOCALDRIVE == 0 {
			return fmt.Errorf("UseConnection with CONNECT_REDIRECT: got %+v, %v, want %s", res, err, want)
		}
	}
	res, err := t.Service.UseConnection(ctx, wnet.UseRequest{AddRequest: wnet.AddRequest{RemoteName: t.Remote(2), Type: win32.RESOURCETYPE_DISK}})
	if err != nil || res.AccessName != t.Remote(2) || res.Result&win32.CONNECT_LOCALDRIVE != 0 {
		return fmt.Errorf("UseConnection without a device: got %+v, %v, want %s", res, err, t.Remote(2))
	}
	return wantCount(ctx, t, 3, 0)
}

func accessBuffer(ctx context.Context, t Target) error {
	use := func(size uint32) (wnet.UseResult, error) {
		return t.Service.UseConnection(ctx, wnet.UseRequest{AddRequest: wnet.AddRequest{LocalName: "Z:", RemoteName: t.Remote(0),
			Type: win32.RESOURCETYPE_DISK}, Access: &wnet.AccessBuffer{Size: size}})
	}
	_, err := use(0)
	if err := wantCode("a buffer of 0", err, win32.ERROR_INVALID_PARAMETER); err != nil {
		return err
	}
	res, err := use(1)
	if err := wantCode("a buffer of 1", err, win32.ERROR_MORE_DATA); err != nil {
		return err
	}
	if res.Needed < 3 {
		return fmt.Errorf("a buffer of 1: got %d as the size needed, want 3 for \"Z:\" and NUL", res.Needed)
	}
	if err := wantCount(ctx, t, 0, 0); err != nil {
		return err
	}
	res, err = use(res.Needed)
	if err != nil || res.AccessName != "Z:" {
		return fmt.Errorf("a buffer of the size needed: got %+v, %v", res, err)
	}
	return wantCount(ctx, t, 1, 0)
}

func remembered(ctx context.Context, t Target) error {
	if err := errors.Join(add(ctx, t, "Z:", 0, win32.CONNECT_UPDATE_PROFILE), cancel(ctx, t, "Z:", 0)); err != nil {
		return err
	}
	if err := wantCount(ctx, t, 0, 1); err != nil {
		return err
	}
	got, err := t.Service.GetConnection(ctx, "Z:")
	if err := wantCode("GetConnection of a remembered device", err, win32.ERROR_CONNECTION_UNAVAIL); err != nil {
		return err
	}
	if got != t.Remote(0) {
		return fmt.Errorf("GetConnection of a remembered device: got %q beside the error, want %q", got, t.Remote(0))
	}
	if err := t.Service.RestoreConnection(ctx, ""); err != nil {
		return fmt.Errorf("RestoreConnection: %w", err)
	}
	if err := wantCount(ctx, t, 1, 0); err != nil {
		return err
	}
	if err := errors.Join(cancel(ctx, t, "Z:", 0), cancel(ctx, t, "Z:", win32.CONNECT_UPDATE_PROFILE)); err != nil {
		return err
	}
	_, err = t.Service.GetConnection(ctx, "Z:")
	return errors.Join(wantCode("GetConnection of a forgotten device", err, win32.ERROR_NOT_CONNECTED), wantCount(ctx, t, 0, 0))
}

func universalNames(ctx context.Context, t Target) error {
	if err := add(ctx, t, "Z:", 0, 0); err != nil {
		return err
	}
	got, err := t.Service.GetUniversalName(ctx, `Z:\dir\a file`, win32.REMOTE_NAME_INFO_LEVEL)
	want := wnet.UniversalName{Universal: t.Remote(0) + `\dir\a file`, Connection: t.Remote(0), Remaining: `\dir\a file`}
	if err != nil || got != want {
		return fmt.Errorf("GetUniversalName: got %+v, %v, want %+v", got, err, want)
	}
	got, err = t.Service.GetUniversalName(ctx, `Z:\dir`, win32.UNIVERSAL_NAME_INFO_LEVEL)
	if err != nil || got != (wnet.UniversalName{Universal: t.Remote(0) + `\dir`}) {
		return fmt.Errorf("GetUniversalName, level 1: got %+v, %v", got, err)
	}
	_, e1 := t.Service.GetUniversalName(ctx, `Z:\dir`, 9)
	_, e2 := t.Service.GetUniversalName(ctx, `Q:\dir`, win32.UNIVERSAL_NAME_INFO_LEVEL)
	return errors.Join(wantCode("level 9", e1, win32.ERROR_INVALID_LEVEL), wantCode("a device without connection", e2,
		win32.ERROR_NOT_CONNECTED, win32.ERROR_NO_NET_OR_BAD_PATH))
}

func users(ctx context.Context, t Target) error {
	if user, err := t.Service.GetUser(ctx, ""); err != nil || user == "" {
		return fmt.Errorf("GetUser of the session: got %q, %v", user, err)
	}
	_, err := t.Service.GetUser(ctx, "Q:")
	return wantCode("GetUser of a device without connection", err, win32.ERROR_NOT_CONNECTED)
}

func cancelledContext(ctx context.Context, t Target) error {
	gone, end := context.WithCancel(ctx)
	end()
	if err := t.Service.AddConnection(gone, wnet.AddRequest{LocalName: "Z:", RemoteName: t.Remote(0), Type: win32.RESOURCETYPE_DISK,
		Flags: win32.CONNECT_UPDATE_PROFILE}); err == nil {
		return errors.New("AddConnection with a cancelled context: got success")
	} else if err := wantCode("AddConnection with a cancelled context", err, win32.ERROR_CANCELLED); err != nil {
		return err
	}
	return wantCount(ctx, t, 0, 0)
}

func many(ctx context.Context, t Target) error {
	const n = 300
	for i := range n {
		if err := add(ctx, t, "", i, 0); err != nil {
			return err
		}
	}
	list, err := t.Service.Enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED})
	if err != nil || len(list) != n {
		return fmt.Errorf("Enum: got %d entries, %v, want %d", len(list), err, n)
	}
	if err := wantCount(ctx, t, n, 0); err != nil {
		return err
	}
	for i := range n {
		if err := cancel(ctx, t, t.Remote(i), 0); err != nil {
			return err
		}
	}
	return wantCount(ctx, t, 0, 0)
}

func unicodeNames(ctx context.Context, t Target) error {
	const name = `\\sérveur\общий-日本-𝄞`
	_, err := t.Service.CancelConnection(ctx, wnet.CancelRequest{Name: name})
	if err := wantCode("cancel", err, win32.ERROR_NOT_CONNECTED); err != nil {
		return err
	}
	var e *wnet.Error
	if errors.As(err, &e); e.Name != name {
		return fmt.Errorf("the error's name: got %q, want %q", e.Name, name)
	}
	return nil
}

func settings(ctx context.Context, t Target) error {
	was, err := t.Service.SaveConnections(ctx)
	if err != nil {
		return fmt.Errorf("SaveConnections: %w", err)
	}
	for _, want := range []bool{!was, was} {
		if err := t.Service.SetSaveConnections(ctx, want); err != nil {
			return fmt.Errorf("SetSaveConnections: %w", err)
		}
		if got, err := t.Service.SaveConnections(ctx); err != nil || got != want {
			return fmt.Errorf("SaveConnections: got %v, %v, want %v", got, err, want)
		}
	}
	return nil
}
