package smb

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

// A ticket is enough, and a password gets one; without either the password is asked for.
func TestKerberos(t *testing.T) {
	kdc := rig.KDC(t)
	kdc.AddUser("anna", "realm's")
	srv := rig.Smbd(t, rig.SMBOptions{KDC: kdc}) // whose own anna has another password
	cache := filepath.Join(t.TempDir(), "cc")
	t.Setenv("KRB5_CONFIG", kdc.Config())
	t.Setenv("KRB5CCNAME", "FILE:"+cache)
	p := New(Config{Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, srv.Addr())
	}})
	req := wnet.Request{Remote: wnet.RemoteName{Server: rig.ServiceHost, Share: "data"}, Type: win32.RESOURCETYPE_DISK}
	wantText(t, refused(t, p, req, win32.ERROR_INVALID_PASSWORD), "password")

	byPassword := req
	byPassword.User, byPassword.Password = "anna", wnet.NewSecret("realm's")
	put(t, connect(t, p, byPassword), "file", "by password")
	byPassword.Password = wnet.NewSecret(srv.Password()) // right for the server itself, and wrong for the realm: no NTLM in its place
	wantText(t, refused(t, p, byPassword, win32.ERROR_LOGON_FAILURE), "password is wrong")

	kdc.Kinit("FILE:"+cache, "anna", "realm's")
	has(t, connect(t, p, req), "file", "by password")
	for user, want := range map[string]win32.Code{"anna": win32.NO_ERROR, "anna@RIG.TEST": win32.NO_ERROR, "berta": win32.ERROR_INVALID_PASSWORD} {
		req.User = user
		if want != win32.NO_ERROR {
			refused(t, p, req, want)
			continue
		}
		req.Flags = win32.CONNECT_REQUIRE_PRIVACY
		has(t, connect(t, p, req), "file", "by password")
	}
}
