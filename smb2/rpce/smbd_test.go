package rpce_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/openwnet/wnet/smb2/auth"
	"github.com/openwnet/wnet/smb2/rpce"
	"github.com/openwnet/wnet/test/rig"
)

// pipe is a named pipe of a real server.
type pipe struct {
	w    *rig.RawSMB
	file [16]byte
}

func (p pipe) Transceive(_ context.Context, in []byte, max int) ([]byte, error) {
	out, status := p.w.Ioctl(0x0011c017, p.file, in, max)
	return out, wrong(status)
}

func (p pipe) Read(_ context.Context, max int) ([]byte, error) {
	out, status := p.w.Read(p.file, max)
	return out, wrong(status)
}

func (p pipe) Write(_ context.Context, in []byte) error { return wrong(p.w.Write(p.file, in)) }

func wrong(status uint32) error {
	if status != 0 && status != rig.StatusBufferOverflow {
		return fmt.Errorf("status %#x", status)
	}
	return nil
}

// open opens a pipe of IPC$.
func open(t *testing.T, s *rig.SMBServer, name string) pipe {
	t.Helper()
	cred, err := auth.Password(s.User(), auth.NewSecret(s.Password()), auth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := rig.DialRaw(t, s.Addr())
	a, err := cred.Authenticator("127.0.0.1", w.Hint)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, err := w.Login(a); status != 0 || err != nil {
		t.Fatalf("%#x %v", status, err)
	}
	if status := w.Tree(`\\127.0.0.1\IPC$`); status != 0 {
		t.Fatalf("IPC$: %#x", status)
	}
	file, status := w.Create(name, false)
	if status != 0 {
		t.Fatalf("%s: %#x", name, status)
	}
	return pipe{w, file}
}

// The shares of a real server: types, comments in any script, hidden and special ones, and more than fit into one fragment; and what the
// server says of itself.
func TestServerService(t *testing.T) {
	shares := map[string][]string{"Müller": {"comment = Größe 大きさ"}, "hidden$": {"comment = not listed by Windows"}, "secret": {"browseable = no"},
		"lp": {"printable = yes", "comment = paper"}}
	for i := range 150 {
		shares[fmt.Sprintf("many%03d", i)] = []string{"comment = " + strings.Repeat("c", 40)}
	}
	s := rig.Smbd(t, rig.SMBOptions{Shares: shares, Global: []string{"server string = Test bench – Prüfstand"}})
	c, err := rpce.Bind(t.Context(), open(t, s, rpce.ServerServicePipe), rpce.ServerService())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the pipe can be used again
		all, err := rpce.Shares(t.Context(), c, "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]rpce.Share{}
		for _, sh := range all {
			found[sh.Name] = sh
		}
		for _, want := range []rpce.Share{
			{Name: "data"}, {Name: "Müller", Comment: "Größe 大きさ"}, {Name: "hidden$", Comment: "not listed by Windows"},
			{Name: "lp", Comment: "paper", Kind: rpce.PrintShare}, {Name: "many149", Comment: strings.Repeat("c", 40)},
			{Name: "IPC$", Comment: "IPC Service (Test bench – Prüfstand)", Kind: rpce.PipeShare, Special: true},
		} {
			// Samba 4.17 does not call IPC$ special, Windows does.
			if got := found[want.Name]; got != want && want.Name != "IPC$" || got.Kind != want.Kind {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		if len(all) < 155 || found["secret"].Name != "" {
			t.Errorf("%d shares, %+v", len(all), found["secret"])
		}
		info, err := rpce.Info(t.Context(), c, "127.0.0.1")
		if err != nil || info.Name != "RIG" || info.Comment != "Test bench – Prüfstand" || info.Platform != 500 || info.Type&2 == 0 || info.Major == 0 {
			t.Errorf("%+v %v", info, err)
		}
	}
	if _, err := c.Call(t.Context(), 999, nil); !errors.As(err, new(rpce.Fault)) {
		t.Errorf("a procedure that there is not: %v, want a fault", err)
	}
	// An interface that the pipe does not have.
	other := rpce.ServerService()
	other.UUID[0]++
	if _, err := rpce.Bind(t.Context(), open(t, s, rpce.ServerServicePipe), other); !errors.As(err, new(rpce.Rejected)) {
		t.Errorf("%v, want Rejected", err)
	}
}
