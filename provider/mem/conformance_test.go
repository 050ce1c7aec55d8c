package mem_test

import (
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/provider/providertest"
	"github.com/openwnet/wnet/win32"
)

// TestConformance: the reference passes every check and skips none.
// The reference keeps every promise of a provider.
//
// Rows: R-02
func TestConformance(t *testing.T) {
	t.Setenv("WNET_MUST_RUN", "*")
	providertest.Run(t, func(t *testing.T) providertest.Target {
		p := mem.New(mem.Options{Suffix: ".mem"})
		share := p.AddShare("srv", "data", mem.ShareOptions{Users: map[string]string{"anna": "right-password"}, Leases: true})
		p.AddShare("srv", "admin$", mem.ShareOptions{})
		p.AddShare("srv", "lp", mem.ShareOptions{Type: win32.RESOURCETYPE_PRINT, Comment: "a printer"})
		return providertest.Target{
			Provider: p,
			Share:    share.Name(),
			Missing:  wnet.RemoteName{Server: "srv", Share: "none"},
			Foreign:  []wnet.RemoteName{{Server: "other", Share: "data"}, {Scheme: wnet.SchemeSFTP, Server: "srv", Path: "data"}},
			Good:     providertest.Credentials{User: "anna", Password: wnet.NewSecret("right-password")},
			Bad:      providertest.Credentials{User: "anna", Password: wnet.NewSecret("wrong-password")},
			Unknown:  providertest.Credentials{User: "eve", Password: wnet.NewSecret("right-password")},
			Dead:     wnet.RemoteName{Server: "nowhere.mem", Share: "data"},
			Stop:     func() { p.SetStarted(false) },
			Stall:    p.Stall,
			Sever:    func() { p.Sever("srv") },
		}
	})
}
