package auth_test

import (
	"errors"
	"testing"

	"github.com/openwnet/wnet/smb2/auth"
	"github.com/openwnet/wnet/test/rig"
)

// Logins to a domain controller: Kerberos with the forms that people know names by, NTLM by address, and its refusals.
func TestActiveDirectory(t *testing.T) {
	ad := rig.AD(t)
	ad.AddUser("anna", "Sesam-öffne-1!")
	ad.AddUser("shut", "Sesam-öffne-1!")
	ad.Tool("user", "disable", "shut")
	o := auth.Options{ConfigFile: ad.Config()}
	for _, c := range []struct {
		name, password, server, mechanism string
		cause                             auth.Cause
		status                            uint32
	}{
		{"anna", "Sesam-öffne-1!", rig.ADHost, "Kerberos", 0, 0},
		{"ANNA@ad.rig.test", "Sesam-öffne-1!", "dc1", "Kerberos", 0, 0},
		{`AD\anna`, "Sesam-öffne-1!", rig.ADHost, "Kerberos", 0, 0},
		{`AD\anna`, "Sesam-öffne-1!", "127.0.0.1", "NTLM", 0, 0},
		{"anna@ad.rig.test", "Sesam-öffne-1!", "127.0.0.1", "NTLM", 0, 0},
		{"anna", "wrong", rig.ADHost, "", auth.WrongPassword, 0},
		{"anna", "wrong", "127.0.0.1", "NTLM", 0, rig.StatusLogonFailure},
		{"shut", "Sesam-öffne-1!", rig.ADHost, "", auth.AccountClosed, 0},
		{"nobody", "Sesam-öffne-1!", rig.ADHost, "NTLM", 0, rig.StatusLogonFailure},
		{"anna", "Sesam-öffne-1!", "elsewhere.ad.rig.test", "NTLM", 0, 0}, // by a name that the domain does not know
	} {
		cred, err := password(c.name, c.password, o)
		if err != nil {
			t.Fatal(err)
		}
		status, flags, report, err := loginAt(t, ad.Addr(), cred, c.server)
		var cause auth.Cause
		errors.As(err, &cause)
		if cause != c.cause || status != c.status || flags != 0 || report.Mechanism != c.mechanism {
			t.Errorf("%s at %s: %#x, flags %#x, %+v, %v", c.name, c.server, status, flags, report, err)
		}
	}
}
