package auth_test

import (
	"testing"

	"github.com/openwnet/wnet/smb2/auth"
	"github.com/openwnet/wnet/test/rig"
)

// login logs in on a connection of its own. A session with a key is proved by a signed TREE_CONNECT.
func login(t *testing.T, s *rig.SMBServer, cred *auth.Credential, server string) (status uint32, flags uint16, report auth.Report, err error) {
	t.Helper()
	return loginAt(t, s.Addr(), cred, server)
}

func loginAt(t *testing.T, addr string, cred *auth.Credential, server string) (status uint32, flags uint16, report auth.Report, err error) {
	t.Helper()
	w := rig.DialRaw(t, addr)
	a, err := cred.Authenticator(server, w.Hint)
	if err != nil {
		return 0, 0, auth.Report{}, err
	}
	status, flags, err = w.Login(a)
	if err == nil && status == 0 && a.SessionKey() != nil {
		if s := w.Tree(`\\x\IPC$`); s != 0 {
			t.Fatalf("TREE_CONNECT: %#x", s)
		}
	}
	return status, flags, a.(*auth.Login).Report(), err
}
