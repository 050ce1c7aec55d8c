package providertest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/win32"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// target is a fresh mem with what breaks it.
func target(breaks func(p *hooked, tg *Target)) Target {
	p := &hooked{Provider: mem.New(mem.Options{Suffix: ".mem"})}
	share := p.AddShare("srv", "data", mem.ShareOptions{Users: map[string]string{"anna": "right-password"}, Leases: true})
	p.AddShare("srv", "admin$", mem.ShareOptions{})
	p.AddShare("srv", "lp", mem.ShareOptions{Type: win32.RESOURCETYPE_PRINT})
	tg := Target{
		Provider: p,
		Share:    share.Name(),
		Missing:  wnet.RemoteName{Server: "srv", Share: "none"},
		Foreign:  []wnet.RemoteName{{Server: "other", Share: "data"}},
		Good:     Credentials{User: "anna", Password: wnet.NewSecret("right-password")},
		Bad:      Credentials{User: "anna", Password: wnet.NewSecret("wrong-password")},
		Unknown:  Credentials{User: "eve", Password: wnet.NewSecret("right-password")},
		Dead:     wnet.RemoteName{Server: "nowhere.mem", Share: "data"},
		Stop:     func() { p.SetStarted(false) },
		Stall:    p.Stall,
		Sever:    func() { p.Sever("srv") },
	}
	if breaks != nil {
		breaks(p, &tg)
	}
	return tg
}

// TestBroken: each check rejects every provider that breaks its rule, and has at least one.
func TestBroken(t *testing.T) {
	all := breakers()
	known := map[string]bool{}
	for _, c := range Checks() {
		if known[c.Name] {
			t.Errorf("two checks are called %q", c.Name)
		}
		known[c.Name] = true
		if c.Rule == "" || !strings.HasSuffix(c.Rule, ".") {
			t.Errorf("%s: got the rule %q, want a sentence", c.Name, c.Rule)
		}
		if len(all[c.Name]) == 0 {
			t.Errorf("%s has no broken provider, want one that it rejects: who would notice if it checked nothing?", c.Name)
		}
		for i, b := range all[c.Name] {
			t.Run(c.Name+"/"+string(rune('a'+i)), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				tg := target(b)
				tg.hurry = time.Second
				err := Judge(ctx, c, tg)
				switch {
				case err == nil:
					t.Errorf("got the broken provider through, want it rejected\nrule: %s", c.Rule)
				case errors.Is(err, errPanic) || !strings.Contains(err.Error(), "want"):
					t.Errorf("got %v, want a failure that says what was wanted", err)
				default:
					t.Log(err)
				}
			})
		}
	}
	for name := range all {
		if !known[name] {
			t.Errorf("a broken provider is for %q, which is no check", name)
		}
	}
}

// TestUnbroken: what carries the breakers passes every check as long as nothing is broken.
func TestUnbroken(t *testing.T) {
	t.Setenv("WNET_MUST_RUN", "*")
	Run(t, func(*testing.T) Target { return target(nil) })
}
