package servicetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

func TestFake(t *testing.T) {
	RunFake(t, func(_ *testing.T, f *Fake) wnet.Service { return f })
}

// broken is a Fake of which one method breaks a rule.
type broken struct {
	*Fake
	add       func(f *Fake, ctx context.Context, r wnet.AddRequest) error
	use       func(f *Fake, ctx context.Context, r wnet.UseRequest) (wnet.UseResult, error)
	cancel    func(f *Fake, ctx context.Context, r wnet.CancelRequest) (wnet.CancelResult, error)
	get       func(f *Fake, ctx context.Context, device string) (string, error)
	user      func(name string) (string, error)
	universal func(f *Fake, path string, level uint32) (wnet.UniversalName, error)
	enum      func(f *Fake, r wnet.EnumRequest) ([]wnet.Resource, error)
	set       func(on bool) error
	clear     func(f *Fake) error
	info      func(f *Fake, r wnet.Resource) (wnet.ResourceInfo, error)
	parent    func(f *Fake, r wnet.Resource) (wnet.Resource, error)
	network   func(f *Fake, provider string) (wnet.NetworkInfo, error)
	perform   func(f *Fake, r wnet.Resource) (wnet.Performance, error)
	format    func(f *Fake, r wnet.FormatRequest) (string, error)
	cached    func(f *Fake, resource []byte, typ uint32) (wnet.Secret, error)
}

func (b *broken) ClearConnections(ctx context.Context) error {
	if b.clear != nil {
		return b.clear(b.Fake)
	}
	return b.Fake.ClearConnections(ctx)
}

func (b *broken) GetResourceInformation(ctx context.Context, r wnet.Resource) (wnet.ResourceInfo, error) {
	if b.info != nil {
		return b.info(b.Fake, r)
	}
	return b.Fake.GetResourceInformation(ctx, r)
}

func (b *broken) GetResourceParent(ctx context.Context, r wnet.Resource) (wnet.Resource, error) {
	if b.parent != nil {
		return b.parent(b.Fake, r)
	}
	return b.Fake.GetResourceParent(ctx, r)
}

func (b *broken) GetNetworkInformation(ctx context.Context, provider string) (wnet.NetworkInfo, error) {
	if b.network != nil {
		return b.network(b.Fake, provider)
	}
	return b.Fake.GetNetworkInformation(ctx, provider)
}

func (b *broken) GetConnectionPerformance(ctx context.Context, r wnet.Resource) (wnet.Performance, error) {
	if b.perform != nil {
		return b.perform(b.Fake, r)
	}
	return b.Fake.GetConnectionPerformance(ctx, r)
}

func (b *broken) FormatNetworkName(ctx context.Context, r wnet.FormatRequest) (string, error) {
	if b.format != nil {
		return b.format(b.Fake, r)
	}
	return b.Fake.FormatNetworkName(ctx, r)
}

func (b *broken) GetCachedPassword(ctx context.Context, resource []byte, typ uint32) (wnet.Secret, error) {
	if b.cached != nil {
		return b.cached(b.Fake, resource, typ)
	}
	return b.Fake.GetCachedPassword(ctx, resource, typ)
}

func (b *broken) AddConnection(ctx context.Context, r wnet.AddRequest) error {
	if b.add != nil {
		return b.add(b.Fake, ctx, r)
	}
	return b.Fake.AddConnection(ctx, r)
}

func (b *broken) UseConnection(ctx context.Context, r wnet.UseRequest) (wnet.UseResult, error) {
	if b.use != nil {
		return b.use(b.Fake, ctx, r)
	}
	return b.Fake.UseConnection(ctx, r)
}

func (b *broken) CancelConnection(ctx context.Context, r wnet.CancelRequest) (wnet.CancelResult, error) {
	if b.cancel != nil {
		return b.cancel(b.Fake, ctx, r)
	}
	return b.Fake.CancelConnection(ctx, r)
}

func (b *broken) GetConnection(ctx context.Context, device string) (string, error) {
	if b.get != nil {
		return b.get(b.Fake, ctx, device)
	}
	return b.Fake.GetConnection(ctx, device)
}

func (b *broken) GetUser(ctx context.Context, name string) (string, error) {
	if b.user != nil {
		return b.user(name)
	}
	return b.Fake.GetUser(ctx, name)
}

func (b *broken) GetUniversalName(ctx context.Context, path string, level uint32) (wnet.UniversalName, error) {
	if b.universal != nil {
		return b.universal(b.Fake, path, level)
	}
	return b.Fake.GetUniversalName(ctx, path, level)
}

func (b *broken) Enum(ctx context.Context, r wnet.EnumRequest) ([]wnet.Resource, error) {
	if b.enum != nil {
		return b.enum(b.Fake, r)
	}
	return b.Fake.Enum(ctx, r)
}

func (b *broken) SetSaveConnections(ctx context.Context, on bool) error {
	if b.set != nil {
		return b.set(on)
	}
	return b.Fake.SetSaveConnections(ctx, on)
}

// TestChecksCanFail gives each check a Service that breaks exactly its rule. A check without one fails the run.
func TestChecksCanFail(t *testing.T) {
	breaks := map[string]broken{
		"add get list cancel": {get: func(f *Fake, ctx context.Context, d string) (string, error) { return `\\fake\other`, nil }},
		"errors are whole": {enum: func(f *Fake, r wnet.EnumRequest) ([]wnet.Resource, error) {
			return nil, errors.New("no code")
		}},
		"add refuses": {add: func(f *Fake, ctx context.Context, r wnet.AddRequest) error {
			r.Flags &= 0xFFFFF
			return f.AddConnection(ctx, r)
		}},
		"a missing resource changes nothing": {add: func(f *Fake, ctx context.Context, r wnet.AddRequest) error {
			f.kept = append(f.kept, wnet.Connection{Device: r.LocalName})
			return f.AddConnection(ctx, r)
		}},
		"a device in use": {add: func(f *Fake, ctx context.Context, r wnet.AddRequest) error {
			f.CancelConnection(ctx, wnet.CancelRequest{Name: r.LocalName})
			return f.AddConnection(ctx, r)
		}},
		"cancel refuses": {cancel: func(f *Fake, ctx context.Context, r wnet.CancelRequest) (wnet.CancelResult, error) {
			if r.Name == "" {
				return wnet.CancelResult{}, nil
			}
			return f.CancelConnection(ctx, r)
		}},
		"a device is not its remote name": {cancel: func(f *Fake, ctx context.Context, r wnet.CancelRequest) (wnet.CancelResult, error) {
			f.live = nil
			return wnet.CancelResult{}, nil
		}},
		"one of many cancels succeeds": {cancel: func(f *Fake, ctx context.Context, r wnet.CancelRequest) (wnet.CancelResult, error) {
			f.CancelConnection(ctx, r)
			return wnet.CancelResult{}, nil
		}},
		"letters are chosen": {use: func(f *Fake, ctx context.Context, r wnet.UseRequest) (wnet.UseResult, error) {
			res, err := f.UseConnection(ctx, r)
			res.Result = 0
			return res, err
		}},
		"the access buffer": {use: func(f *Fake, ctx context.Context, r wnet.UseRequest) (wnet.UseResult, error) {
			_, err := f.UseConnection(ctx, r)
			return wnet.UseResult{}, err
		}},
		"remembered": {get: func(f *Fake, ctx context.Context, d string) (string, error) {
			_, err := f.GetConnection(ctx, d)
			return "", err
		}},
		"universal names": {universal: func(f *Fake, path string, level uint32) (wnet.UniversalName, error) {
			return f.GetUniversalName(context.Background(), path, win32.REMOTE_NAME_INFO_LEVEL)
		}},
		"the user of nothing": {user: func(string) (string, error) { return "anna", nil }},
		"a cancelled context": {add: func(f *Fake, _ context.Context, r wnet.AddRequest) error {
			return f.AddConnection(context.Background(), r)
		}},
		"many connections": {enum: func(f *Fake, r wnet.EnumRequest) ([]wnet.Resource, error) {
			all, err := f.Enum(context.Background(), r)
			return all[:min(len(all), 100)], err
		}},
		"unicode": {cancel: func(f *Fake, ctx context.Context, r wnet.CancelRequest) (wnet.CancelResult, error) {
			return wnet.CancelResult{}, fail("CancelConnection", `\\s?rveur`, win32.ERROR_NOT_CONNECTED)
		}},
		"settings": {set: func(bool) error { return nil }},
		"all connections go at once": {clear: func(f *Fake) error {
			f.kept = nil
			return f.ClearConnections(context.Background())
		}},
		"logins and options as blobs": {add: func(f *Fake, ctx context.Context, r wnet.AddRequest) error {
			r.Auth, r.OptionsBlob = wnet.Secret{}, ""
			return f.AddConnection(ctx, r)
		}},
		"recent names": {add: func(f *Fake, ctx context.Context, r wnet.AddRequest) error {
			err := f.AddConnection(ctx, r)
			slices.Sort(f.last)
			return err
		}},
		"the neighbourhood": {enum: func(f *Fake, r wnet.EnumRequest) ([]wnet.Resource, error) {
			all, err := f.Enum(context.Background(), r)
			return all[1:], err
		}},
		"what a resource is": {info: func(f *Fake, r wnet.Resource) (wnet.ResourceInfo, error) {
			info, err := f.GetResourceInformation(context.Background(), r)
			info.System = strings.ToLower(info.System)
			return info, err
		}},
		"what holds a resource": {parent: func(f *Fake, r wnet.Resource) (wnet.Resource, error) {
			r.Provider = fakeProvider
			return f.GetResourceParent(context.Background(), r)
		}},
		"the networks": {network: func(f *Fake, _ string) (wnet.NetworkInfo, error) {
			return f.GetNetworkInformation(context.Background(), fakeProvider)
		}},
		"how fast a connection is": {perform: func(*Fake, wnet.Resource) (wnet.Performance, error) {
			return wnet.Performance{Delay: 1}, nil
		}},
		"names for a person": {format: func(_ *Fake, r wnet.FormatRequest) (string, error) { return r.RemoteName, nil }},
		"the password cache": {cached: func(f *Fake, resource []byte, typ uint32) (wnet.Secret, error) {
			s, err := f.GetCachedPassword(context.Background(), resource, typ)
			return wnet.NewSecret(strings.ToValidUTF8(s.Reveal(), "?")), err
		}},
	}
	for _, c := range Checks() {
		b, ok := breaks[c.Name]
		if !ok {
			t.Errorf("%s: no Service breaks it", c.Name)
			continue
		}
		b.Fake = NewFake()
		if err := c.Run(t.Context(), FakeTarget(&b)); err == nil {
			t.Errorf("%s: a Service that breaks the rule passes", c.Name)
		}
	}
}
