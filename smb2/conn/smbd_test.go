package conn_test

import (
	"errors"
	"net"
	"testing"

	"github.com/openwnet/wnet/smb2/auth"
	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
	"github.com/openwnet/wnet/test/rig"
)

// A session gets a second channel, goes on when the first one is gone, and is proved again on demand.
func TestBind(t *testing.T) {
	for _, global := range [][]string{nil, {"server signing = mandatory"}, {"server smb encrypt = desired"}, {"server max protocol = SMB3_00", "server signing = mandatory"}} {
		t.Run(append(global, "default")[0], func(t *testing.T) {
			s := rig.Smbd(t, rig.SMBOptions{Global: append(global, "server multi channel support = yes")})
			cred, err := auth.Password(s.User(), auth.NewSecret(s.Password()), auth.Options{})
			if err != nil {
				t.Fatal(err)
			}
			guid := conn.NewGUID()
			open := func() (*conn.Conn, conn.Authenticator) {
				t.Helper()
				nc, err := net.Dial("tcp", s.Addr())
				if err != nil {
					t.Fatal(err)
				}
				c, err := conn.New(t.Context(), nc, conn.Config{Server: s.Host(), ClientGUID: guid})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				a, err := cred.Authenticator(s.Host(), c.Hint())
				if err != nil {
					t.Fatal(err)
				}
				return c, a
			}
			one, a := open()
			first, err := one.Login(t.Context(), a, cred.Kind(), 0)
			if err != nil {
				t.Fatal(err)
			}
			r := &conn.Request{Command: wire.CmdTreeConnect, Body: &wire.TreeConnectRequest{Path: `\\` + s.Host() + `\data`}, Signed: true}
			if err := first.Do(t.Context(), r); err != nil || r.Status != wire.StatusOK {
				t.Fatal(err, r.Status)
			}
			var h wire.Header
			if err := h.Decode(r.Msg); err != nil {
				t.Fatal(err)
			}
			if err := first.Validate(t.Context(), h.TreeID, false); err != nil {
				t.Fatal(err)
			}
			two, b := open()
			second, err := two.Bind(t.Context(), first, b)
			if err != nil {
				t.Fatal(err)
			}
			create := func() *conn.Request {
				return &conn.Request{Command: wire.CmdCreate, Tree: h.TreeID,
					Body: &wire.CreateRequest{Access: wire.GenericRead, Share: wire.ShareAll, Disposition: wire.OpenIf, Name: "f"}}
			}
			again, err := cred.Authenticator(s.Host(), one.Hint())
			if err != nil {
				t.Fatal(err)
			}
			if err := first.Reauthenticate(t.Context(), again); err != nil {
				t.Errorf("proved again: %v", err)
			}
			for _, c := range []*conn.Session{first, second} {
				if r := create(); c.Do(t.Context(), r) != nil || r.Status != wire.StatusOK {
					t.Fatal(r.Status)
				}
			}
			one.Close()
			if r := create(); second.Do(t.Context(), r) != nil || r.Status != wire.StatusOK {
				t.Error(r.Status)
			}
			if err := first.Do(t.Context(), create()); !errors.Is(err, conn.ErrClosed) {
				t.Errorf("on the closed one: %v", err)
			} else if lost, sent := conn.Lost(err); !lost || sent {
				t.Errorf("lost %v, sent %v", lost, sent)
			}
		})
	}
}
