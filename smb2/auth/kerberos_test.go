package auth_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/openwnet/wnet/smb2/auth"
	"github.com/openwnet/wnet/test/rig"
)

// Kerberos by password, keytab and ticket cache against a real KDC and a real server, which sign with the key that came of it.
func TestKerberosWithSmbd(t *testing.T) {
	kdc := rig.KDC(t)
	kdc.AddUser("anna", "Kerberos öffne 2!")
	s := rig.Smbd(t, rig.SMBOptions{KDC: kdc, Global: []string{"server signing = mandatory"}})
	ccache := "FILE:" + filepath.Join(t.TempDir(), "cc")
	kdc.Kinit(ccache, "anna", "Kerberos öffne 2!")
	o := auth.Options{ConfigFile: kdc.Config()}

	password, err := auth.Password("anna", auth.NewSecret("Kerberos öffne 2!"), o)
	if err != nil {
		t.Fatal(err)
	}
	qualified, err := auth.Password("anna@rig.test", auth.NewSecret("Kerberos öffne 2!"), auth.Options{ConfigFile: kdc.Config(), Mechanisms: auth.KerberosOnly})
	if err != nil {
		t.Fatal(err)
	}
	short, err := auth.Password(`RIG\anna`, auth.NewSecret("Kerberos öffne 2!"), o)
	if err != nil {
		t.Fatal(err)
	}
	tickets, err := auth.Tickets("", ccache, o)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*auth.Credential{"password": password, "with a realm": qualified, "with a short domain": short, "ticket cache": tickets} {
		for range 2 { // the second time with the ticket of the first
			status, flags, report, err := login(t, s, c, rig.ServiceHost)
			if err != nil || status != 0 || flags != 0 || report != (auth.Report{Mechanism: "Kerberos", User: "anna@RIG.TEST"}) {
				t.Errorf("%s: status %#x, flags %#x, %+v, %v", name, status, flags, report, err)
			}
		}
	}
	// ktadd gives the user a new key, which the passwords above are not.
	keytab, err := auth.Keytab("anna", kdc.Keytab("anna"), o)
	if err != nil {
		t.Fatal(err)
	}
	status, _, report, err := login(t, s, keytab, rig.ServiceHost)
	if err != nil || status != 0 || report.Mechanism != "Kerberos" {
		t.Errorf("keytab: status %#x, %+v, %v", status, report, err)
	}
}

// Each thing that can be wrong is told apart, and what is no answer to a wrong password is never NTLM.
func TestKerberosCauses(t *testing.T) {
	kdc := rig.KDC(t)
	kdc.AddUser("anna", "good")
	kdc.AddUser("late", "good", "-pwexpire", "yesterday")
	kdc.AddUser("shut", "good")
	kdc.Admin("modprinc -allow_tix shut", "addprinc -randkey cifs/other.rig.test")
	s := rig.Smbd(t, rig.SMBOptions{KDC: kdc, Users: []rig.SMBUser{{Name: "berta", Password: "local"}}})
	dir := t.TempDir()
	kdc.Kinit("FILE:"+dir+"/short", "anna", "good", "-l", "5s") // within the time that a ticket has to be good for
	other := filepath.Join(dir, "other.conf")
	conf, err := os.ReadFile(kdc.Config())
	if err != nil {
		t.Fatal(err)
	}
	nobody := regexp.MustCompile(`kdc = 127.*`).ReplaceAll(conf, fmt.Appendf(nil, "kdc = 127.0.0.1:%d", rig.FreePort(t)))
	if err := os.WriteFile(other, nobody, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/junk", []byte{5, 4, 0, 200}, 0o600); err != nil {
		t.Fatal(err)
	}
	only := func(file string) auth.Options { return auth.Options{ConfigFile: file, Mechanisms: auth.KerberosOnly} }
	any := auth.Options{ConfigFile: kdc.Config()}
	for name, c := range map[string]struct {
		make   func(string, string, auth.Options) (*auth.Credential, error)
		who    string
		what   string
		o      auth.Options
		server string
		cause  auth.Cause // 0: gets in, by NTLM
		why    auth.Cause // of Report.Instead
	}{
		"unknown user":               {password, "nobody", "x", only(kdc.Config()), rig.ServiceHost, auth.UnknownUser, 0},
		"wrong password":             {password, "anna", "bad", only(kdc.Config()), rig.ServiceHost, auth.WrongPassword, 0},
		"wrong password, NTLM free":  {password, "anna", "bad", any, rig.ServiceHost, auth.WrongPassword, 0},
		"expired password":           {password, "late", "good", any, rig.ServiceHost, auth.PasswordExpired, 0},
		"closed account":             {password, "shut", "good", any, rig.ServiceHost, auth.AccountClosed, 0},
		"unknown server":             {password, "anna", "good", only(kdc.Config()), "fileserver.rig.test", auth.UnknownService, 0},
		"no KDC":                     {password, "anna", "good", only(other), rig.ServiceHost, auth.NoKDC, 0},
		"no realm":                   {password, "anna", "good", only(dir + "/none"), rig.ServiceHost, auth.Misconfigured, 0},
		"a ticket of another server": {password, "anna", "good", any, "other.rig.test", auth.Refused, 0},
		"no cache":                   {auth.Tickets, "", dir + "/none", any, rig.ServiceHost, auth.NoTicket, 0},
		"a damaged cache":            {auth.Tickets, "", dir + "/junk", any, rig.ServiceHost, auth.NoTicket, 0},
		"a cache in the kernel":      {auth.Tickets, "", "KEYRING:session", any, rig.ServiceHost, auth.NoTicket, 0},
		"somebody else's cache":      {auth.Tickets, "berta", dir + "/short", any, rig.ServiceHost, auth.NoTicket, 0},
		"an expired ticket":          {auth.Tickets, "", dir + "/short", any, rig.ServiceHost, auth.TicketExpired, 0},
		"no keytab":                  {auth.Keytab, "anna", dir + "/none", any, rig.ServiceHost, auth.Misconfigured, 0},
		"a user of the server's":     {password, "berta", "local", any, rig.ServiceHost, 0, auth.UnknownUser},
		"a realm without a KDC":      {password, `RIG2\berta`, "local", any, rig.ServiceHost, 0, auth.NoKDC},
		"a KDC that is away":         {password, "berta", "local", auth.Options{ConfigFile: other}, rig.ServiceHost, 0, auth.NoKDC},
	} {
		cred, err := c.make(c.who, c.what, c.o)
		if err != nil {
			t.Fatal(name, err)
		}
		status, _, report, err := login(t, s, cred, c.server)
		var cause auth.Cause
		errors.As(err, &cause)
		// A ticket that the server cannot open is refused by its status where it sends no Kerberos error.
		if cause != c.cause && !(c.cause == auth.Refused && status == rig.StatusLogonFailure) || c.cause == 0 && (err != nil || status != 0) {
			t.Errorf("%s: status %#x, %v; want cause %d (%v)", name, status, err, c.cause, c.cause)
		}
		if err != nil && (strings.Contains(err.Error(), "good") || strings.Contains(err.Error(), "local")) {
			t.Errorf("%s: %v holds the password", name, err)
		}
		if got := auth.Cause(0); c.cause == 0 && (!errors.As(report.Instead, &got) || got != c.why || report.Mechanism != "NTLM") {
			t.Errorf("%s: %+v, want NTLM for want of %d", name, report, c.why)
		}
	}
}

func password(name, word string, o auth.Options) (*auth.Credential, error) {
	return auth.Password(name, auth.NewSecret(word), o)
}

// A cache that was renewed while the program runs counts as it is at the next login.
func TestKerberosRenewedCache(t *testing.T) {
	kdc := rig.KDC(t)
	kdc.AddUser("anna", "good")
	s := rig.Smbd(t, rig.SMBOptions{KDC: kdc})
	cache := filepath.Join(t.TempDir(), "cc")
	t.Setenv("KRB5CCNAME", "FILE:"+cache)
	cred, err := auth.Tickets("anna", "", auth.Options{ConfigFile: kdc.Config()})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		life  string
		cause auth.Cause
	}{{"", auth.NoTicket}, {"5s", auth.TicketExpired}, {"1h", 0}} {
		if c.life != "" {
			kdc.Kinit("FILE:"+cache, "anna", "good", "-l", c.life)
		}
		status, _, _, err := login(t, s, cred, rig.ServiceHost)
		var cause auth.Cause
		errors.As(err, &cause)
		if cause != c.cause || status != 0 {
			t.Errorf("%d: %#x, %v; want cause %d", i, status, err, c.cause)
		}
	}
}
