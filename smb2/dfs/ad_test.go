package dfs_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/openwnet/wnet/smb2/auth"
	"github.com/openwnet/wnet/smb2/dfs"
	"github.com/openwnet/wnet/test/rig"
)

// domain asks the one controller of a domain, by whatever name it is asked for.
type domain struct {
	t  *testing.T
	ad *rig.ADServer
}

func (d domain) login() *rig.RawSMB {
	d.t.Helper()
	cred, err := auth.Password("anna", auth.NewSecret("Sesam-öffne-1!"), auth.Options{ConfigFile: d.ad.Config(), Mechanisms: auth.KerberosOnly})
	if err != nil {
		d.t.Fatal(err)
	}
	w := rig.DialRaw(d.t, d.ad.Addr())
	a, err := cred.Authenticator(rig.ADHost, w.Hint)
	if err != nil {
		d.t.Fatal(err)
	}
	if status, _, err := w.Login(a); status != 0 || err != nil {
		d.t.Fatalf("%#x %v", status, err)
	}
	return w
}

func (d domain) Referral(_ context.Context, server, path string) ([]byte, error) {
	w := d.login()
	if status := w.Tree(`\\` + server + `\IPC$`); status != 0 {
		return nil, fmt.Errorf("IPC$: %#x", status)
	}
	out, status := w.Ioctl(dfs.Control, [16]byte(slices.Repeat([]byte{0xff}, 16)), dfs.FormatRequest(path), dfs.MaxReferral)
	if status != 0 {
		return nil, fmt.Errorf("status %#x", status)
	}
	return out, nil
}

// A root of a domain, \\domain\sysvol, leads to the controller's share of that name, which can be opened.
func TestDomainRoot(t *testing.T) {
	ad := rig.AD(t)
	ad.AddUser("anna", "Sesam-öffne-1!")
	d, r := domain{t, ad}, dfs.New(nil)
	root := `\` + strings.ToLower(rig.ADRealm) + `\sysvol`
	if ref, err := r.Learn(t.Context(), d, "", root); err != nil || len(ref.Targets) != 1 {
		t.Fatalf("%+v %v", ref, err)
	}
	places, err := r.Targets(root + `\` + strings.ToLower(rig.ADRealm))
	want := `\` + rig.ADHost + `\sysvol\` + strings.ToLower(rig.ADRealm)
	if err != nil || len(places) != 1 || !strings.EqualFold(places[0], want) {
		t.Fatalf("%q %v, want %s", places, err, want)
	}
	server, share, _ := dfs.Split(places[0])
	if status := d.login().Tree(`\\` + server + `\` + share); status != 0 {
		t.Errorf("%s: %#x", places[0], status)
	}
}
