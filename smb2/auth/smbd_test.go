package auth_test

import (
	"testing"

	"github.com/openwnet/wnet/smb2/auth"
	"github.com/openwnet/wnet/test/rig"
)

// NTLMv2 in SPNEGO against a real server which takes nothing else, and which signs: the key is the right one.
func TestNTLMWithSmbd(t *testing.T) {
	s := rig.Smbd(t, rig.SMBOptions{
		Users:  []rig.SMBUser{{Name: "jörg", Password: "пароль 密码 🔑"}, {Name: "gone", Password: "x", Disabled: true}, {Name: "blank", Password: ""}},
		Global: []string{"server signing = mandatory", "ntlm auth = ntlmv2-only", "null passwords = yes"},
	})
	for _, c := range []struct {
		name, password string
		status         uint32
	}{
		{s.User(), s.Password(), 0},
		{"ANNA", s.Password(), 0},
		{`RIG\anna`, s.Password(), 0},
		{`.\anna`, s.Password(), 0},
		{`ELSEWHERE\anna`, s.Password(), 0}, // a server without a domain does not look at it
		{"jörg", "пароль 密码 🔑", 0},
		{"JÖRG", "пароль 密码 🔑", 0},
		{"jörg", "пароль 密码 🗝", rig.StatusLogonFailure},
		{s.User(), s.Password() + " ", rig.StatusLogonFailure},
		{s.User(), "", rig.StatusLogonFailure},
		{"nobody-has-this-name", s.Password(), rig.StatusLogonFailure},
		{"gone", "x", rig.StatusAccountDisabled},
	} {
		cred, err := auth.Password(c.name, auth.NewSecret(c.password), auth.Options{})
		if err != nil {
			t.Fatal(err)
		}
		status, flags, report, err := login(t, s, cred, "127.0.0.1")
		if err != nil || status != c.status || flags != 0 {
			t.Errorf("%s: status %#x, flags %#x, %v; want %#x", c.name, status, flags, err, c.status)
		}
		if report.Mechanism != "NTLM" || report.Instead != nil {
			t.Errorf("%s: %+v", c.name, report)
		}
	}
}

// A guest and nobody get in where the server lets them, as what they are, and have no key.
func TestGuestAndAnonymousWithSmbd(t *testing.T) {
	s := rig.Smbd(t, rig.SMBOptions{Global: []string{"map to guest = bad user", "guest account = nobody"}})
	const isGuest, isNull = 1, 2 // Samba 4.17 does not set the latter
	for _, c := range []struct {
		cred  *auth.Credential
		flags uint16
	}{{auth.Guest("stranger"), isGuest}, {auth.Anonymous(), 0}} {
		status, flags, _, err := login(t, s, c.cred, "127.0.0.1")
		if err != nil || status != 0 || flags&^isNull != c.flags {
			t.Errorf("%s: status %#x, flags %#x, %v; want flags %d", c.cred, status, flags, err, c.flags)
		}
	}
}
