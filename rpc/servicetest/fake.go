package servicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Fake is a small wnet.Service: it keeps a table and reaches nothing. Every server's share connects but those named "missing".
type Fake struct {
	mu   sync.Mutex // guards all below
	live []wnet.Connection
	kept []wnet.Connection // remembered
	save bool
	last []string // recent names, the latest first

	cache map[string]wnet.CachedPassword // by type and resource
}

var _ wnet.Service = (*Fake)(nil)

const fakeProvider = "Fake Network"

// NewFake returns an empty session.
func NewFake() *Fake { return &Fake{save: true, cache: map[string]wnet.CachedPassword{}} }

// FakeTarget wraps s, which is a Fake or speaks to one, for Run.
func FakeTarget(s wnet.Service) Target {
	return Target{Service: s, Missing: `\\fake\missing`, Remote: func(n int) string { return fmt.Sprintf(`\\fake\share%d`, n) }}
}

// RunFake runs the suite over the Service that reach makes of a fresh Fake.
func RunFake(t *testing.T, reach func(t *testing.T, f *Fake) wnet.Service) {
	Run(t, func(t *testing.T) Target { return FakeTarget(reach(t, NewFake())) })
}

func fail(op, name string, code win32.Code) error {
	return &wnet.Error{Op: op, Name: name, Code: code, Err: errors.New("says the fake")}
}

// AddConnection implements wnet.Connector.
func (f *Fake) AddConnection(ctx context.Context, r wnet.AddRequest) error {
	_, err := f.connect(ctx, "AddConnection", r, nil)
	return err
}

// UseConnection implements wnet.Connector.
func (f *Fake) UseConnection(ctx context.Context, r wnet.UseRequest) (wnet.UseResult, error) {
	return f.connect(ctx, "UseConnection", r.AddRequest, r.Access)
}

func (f *Fake) connect(ctx context.Context, op string, r wnet.AddRequest, access *wnet.AccessBuffer) (wnet.UseResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var res wnet.UseResult
	if r.Auth.Present() {
		if r.User != "" || r.Password.Present() {
			return res, fail(op, r.LocalName, win32.ERROR_INVALID_PARAMETER)
		}
		if _, _, err := wnet.ParseAuth(r.Auth); err != nil {
			return res, wnet.AsError(op, r.LocalName, err)
		}
	}
	if _, err := wnet.ParseUseOptions(r.OptionsBlob); err != nil {
		return res, wnet.AsError(op, r.LocalName, err)
	}
	dev, devErr := wnet.ParseDevice(r.LocalName)
	name, nameErr := wnet.ParseRemoteName(r.RemoteName)
	switch {
	case ctx.Err() != nil:
		return res, wnet.AsError(op, r.LocalName, ctx.Err())
	case r.Type != win32.RESOURCETYPE_DISK && r.Type != win32.RESOURCETYPE_PRINT && r.Type != win32.RESOURCETYPE_ANY, r.Flags >= 1<<20:
		return res, fail(op, r.LocalName, win32.ERROR_INVALID_PARAMETER)
	case access != nil && access.Size == 0:
		return res, fail(op, r.LocalName, win32.ERROR_INVALID_PARAMETER)
	case r.Provider != "" && r.Provider != fakeProvider:
		return res, fail(op, r.Provider, win32.ERROR_BAD_PROVIDER)
	case r.LocalName != "" && devErr != nil:
		return res, wnet.AsError(op, r.LocalName, devErr)
	case nameErr != nil:
		return res, wnet.AsError(op, r.RemoteName, nameErr)
	case name.Share == "missing":
		return res, fail(op, r.RemoteName, win32.ERROR_BAD_NET_NAME)
	}
	if r.Flags&win32.CONNECT_REDIRECT != 0 && r.LocalName == "" {
		for _, d := range wnet.Drives(false) {
			if dev == "" && f.find(string(d)) < 0 {
				dev = d
			}
		}
	}
	if dev != "" && f.find(string(dev)) >= 0 {
		return res, fail(op, string(dev), win32.ERROR_ALREADY_ASSIGNED)
	}
	res = wnet.UseResult{AccessName: name.String()}
	if dev != "" {
		res = wnet.UseResult{AccessName: string(dev), Result: win32.CONNECT_LOCALDRIVE}
	}
	if n := uint32(len(res.AccessName)) + 1; access != nil && access.Size < n {
		return wnet.UseResult{Needed: n}, fail(op, string(dev), win32.ERROR_MORE_DATA)
	}
	c := wnet.Connection{Device: string(dev), RemoteName: name.String(), Type: r.Type, Provider: fakeProvider, User: r.User, Connected: true,
		Status: wnet.Status{State: wnet.StateOK, Since: time.Now()}}
	f.live = append(f.live, c)
	if r.Flags&win32.CONNECT_UPDATE_PROFILE != 0 && dev != "" {
		f.kept = append(f.kept, c)
	}
	if r.Flags&win32.CONNECT_UPDATE_RECENT != 0 && dev != "" {
		f.last = append([]string{name.String()}, slices.DeleteFunc(f.last, func(s string) bool { return s == name.String() })...)
		f.last = f.last[:min(len(f.last), 10)]
	}
	return res, nil
}

// find gives the index of device's live connection, -1 if there is none.
func (f *Fake) find(device string) int {
	return slices.IndexFunc(f.live, func(c wnet.Connection) bool { return c.Device != "" && strings.EqualFold(c.Device, device) })
}

func (f *Fake) findKept(device string) int {
	return slices.IndexFunc(f.kept, func(c wnet.Connection) bool { return strings.EqualFold(c.Device, device) })
}

// CancelConnection implements wnet.Connector.
func (f *Fake) CancelConnection(_ context.Context, r wnet.CancelRequest) (wnet.CancelResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found := false
	f.live = slices.DeleteFunc(f.live, func(c wnet.Connection) bool {
		gone := c.Device == "" && c.RemoteName == r.Name || c.Device != "" && strings.EqualFold(c.Device, r.Name)
		found = found || gone
		return gone
	})
	if i := f.findKept(r.Name); i >= 0 && r.Flags&win32.CONNECT_UPDATE_PROFILE != 0 {
		f.kept, found = slices.Delete(f.kept, i, i+1), true
	}
	if !found {
		return wnet.CancelResult{}, fail("CancelConnection", r.Name, win32.ERROR_NOT_CONNECTED)
	}
	return wnet.CancelResult{}, nil
}

// RestoreConnection implements wnet.Connector.
func (f *Fake) RestoreConnection(_ context.Context, device string) error {
	if _, err := wnet.ParseDevice(device); device != "" && err != nil {
		return wnet.AsError("RestoreConnection", device, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.kept {
		if (device == "" || strings.EqualFold(device, c.Device)) && f.find(c.Device) < 0 {
			f.live = append(f.live, c)
		}
	}
	return nil
}

// GetConnection implements wnet.Inquirer.
func (f *Fake) GetConnection(_ context.Context, device string) (string, error) {
	if _, err := wnet.ParseDevice(device); err != nil {
		return "", wnet.AsError("GetConnection", device, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := f.find(device); i >= 0 {
		return f.live[i].RemoteName, nil
	}
	if i := f.findKept(device); i >= 0 {
		return f.kept[i].RemoteName, fail("GetConnection", device, win32.ERROR_CONNECTION_UNAVAIL)
	}
	return "", fail("GetConnection", device, win32.ERROR_NOT_CONNECTED)
}

// GetUser implements wnet.Inquirer.
func (f *Fake) GetUser(_ context.Context, name string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := f.find(name); name == "" {
		return "anna", nil
	} else if i >= 0 {
		return f.live[i].User, nil
	}
	return "", fail("GetUser", name, win32.ERROR_NOT_CONNECTED)
}

// GetUniversalName implements wnet.Inquirer.
func (f *Fake) GetUniversalName(_ context.Context, path string, level uint32) (wnet.UniversalName, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	device, rest := path[:min(2, len(path))], path[min(2, len(path)):]
	i := f.find(device)
	switch {
	case level != win32.UNIVERSAL_NAME_INFO_LEVEL && level != win32.REMOTE_NAME_INFO_LEVEL:
		return wnet.UniversalName{}, fail("GetUniversalName", path, win32.ERROR_INVALID_LEVEL)
	case i < 0:
		return wnet.UniversalName{}, fail("GetUniversalName", path, win32.ERROR_NOT_CONNECTED)
	}
	n := wnet.UniversalName{Universal: f.live[i].RemoteName + rest}
	if level == win32.REMOTE_NAME_INFO_LEVEL {
		n.Connection, n.Remaining = f.live[i].RemoteName, rest
	}
	return n, nil
}

// Enum implements wnet.Lister.
func (f *Fake) Enum(_ context.Context, r wnet.EnumRequest) ([]wnet.Resource, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.live
	switch r.Scope {
	case win32.RESOURCE_CONNECTED:
	case win32.RESOURCE_REMEMBERED:
		list = f.kept
	case win32.RESOURCE_RECENT:
		list = nil
		for _, n := range f.last {
			list = append(list, wnet.Connection{RemoteName: n, Type: win32.RESOURCETYPE_DISK, Provider: fakeProvider})
		}
	case win32.RESOURCE_CONTEXT:
		root := wnet.Resource{Scope: win32.RESOURCE_GLOBALNET, DisplayType: win32.RESOURCEDISPLAYTYPE_ROOT,
			Usage: win32.RESOURCEUSAGE_CONTAINER, Comment: "all"}
		server := fakeResource(wnet.RemoteName{Server: "fake"})
		server.Scope = r.Scope
		return []wnet.Resource{root, server}, nil
	default:
		return nil, fail("Enum", "", win32.ERROR_INVALID_PARAMETER)
	}
	var all []wnet.Resource
	for _, c := range list {
		all = append(all, wnet.Resource{Scope: r.Scope, Type: c.Type, LocalName: c.Device, RemoteName: c.RemoteName, Provider: c.Provider})
	}
	return all, nil
}

// Connections implements wnet.Lister.
func (f *Fake) Connections(context.Context) ([]wnet.Connection, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Clone(f.live)
	for _, c := range f.kept {
		if f.find(c.Device) < 0 {
			c.Connected, c.Remembered, c.Status = false, true, wnet.Status{State: wnet.StateUnavailable}
			all = append(all, c)
		}
	}
	return all, nil
}

// SaveConnections implements wnet.Settings.
func (f *Fake) SaveConnections(context.Context) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.save, nil
}

// SetSaveConnections implements wnet.Settings.
func (f *Fake) SetSaveConnections(_ context.Context, on bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.save = on
	return nil
}
