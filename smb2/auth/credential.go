package auth

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// The kinds of credentials, as smb2.CredentialKind counts them.
const (
	userKind = iota
	guestKind
	anonymousKind
)

// Mechanisms narrows down which mechanisms may be used.
type Mechanisms uint8

// What may be used.
const (
	Any          Mechanisms = iota // Kerberos where there is one, NTLM otherwise
	KerberosOnly                   // never NTLM
	NTLMOnly                       // no KDC is asked
)

// Options are what a credential may be told besides who it is. The zero value is good.
type Options struct {
	Mechanisms  Mechanisms
	Workstation string // this machine's name for the server's log; "" gives none
	ConfigFile  string // krb5.conf; "" is the first of KRB5_CONFIG, or /etc/krb5.conf
	Realm       string // the realm of a name that has none; "" is krb5.conf's default_realm
}

// authenticator is smb2.Authenticator, which is an alias of just this.
type authenticator = interface {
	Step(ctx context.Context, in []byte) (out []byte, done bool, err error)
	SessionKey() []byte
}

// Credential is who to be. It satisfies smb2.Credential, may be used by many goroutines at once, and keeps the Kerberos tickets that it
// got, so that further logins ask no KDC. It must not be copied.
type Credential struct {
	kind     uint8
	who      identity
	password Secret
	keytab   string // a file's name
	tickets  string // a ticket cache's name, "" for the environment's
	cached   bool   // tickets come from a cache
	o        Options

	turn chan struct{} // guards krb and what is in it, by holding one: one login asks the KDC, the others wait for its ticket
	krb  *realmClient
}

func newCredential(kind uint8, o Options) *Credential {
	return &Credential{kind: kind, o: o, turn: make(chan struct{}, 1)}
}

// Password logs in by name and password. The name may be DOMAIN\user, user@domain or a bare name; an absent password fails with NoPassword
// when it is needed. With Kerberos, user@domain and DOMAIN\user are in the realm of the domain's name in capitals where krb5.conf or
// DNS know its KDC.
func Password(name string, password Secret, o Options) (*Credential, error) {
	who, err := parseName(name)
	if err != nil {
		return nil, err
	}
	c := newCredential(userKind, o)
	c.who, c.password = who, password
	return c, nil
}

// Guest logs in as whoever the server takes for a guest. The session has no key: what it carries is open to anybody on the way.
func Guest(name string) *Credential {
	who, err := parseName(name)
	if err != nil {
		who = identity{user: "guest"}
	}
	c := newCredential(guestKind, Options{})
	c.who, c.password = who, NewSecret("")
	return c
}

// Anonymous logs in as nobody. The session has no key.
func Anonymous() *Credential { return newCredential(anonymousKind, Options{}) }

// Kind says what it logs in as: smb2.UserCredential, GuestCredential or AnonymousCredential.
func (c *Credential) Kind() uint8 { return c.kind }

// String names who it is, without any secret.
func (c *Credential) String() string {
	switch {
	case c.kind == anonymousKind:
		return "anonymous"
	case c.who.domain != "":
		return c.who.domain + `\` + c.who.user
	case c.who.suffix != "":
		return c.who.user + "@" + c.who.suffix
	}
	return c.who.user
}

// GoString is String: a credential shows no more of itself.
func (c *Credential) GoString() string { return c.String() }

// Authenticator begins a login to a server: see smb2.Credential. What it returns is a *Login. It fails with BadToken if the hint cannot be
// read and with Weak if nothing in it can be used.
func (c *Credential) Authenticator(server string, hint []byte) (authenticator, error) {
	var hinted []string // nil if there is no hint
	if len(hint) > 0 {
		var err error
		if hinted, err = parseHint(hint); err != nil {
			return nil, err
		}
	}
	kerberos, plain := c.mayKerberos(server, hinted), c.mayNTLM(hinted)
	if !kerberos && !plain {
		return nil, c.nothing(server, hinted)
	}
	l := &Login{}
	l.choose = func(ctx context.Context) (mechanism, error) {
		if kerberos {
			m, err := c.kerberos(ctx, server)
			if err == nil {
				l.report = Report{Mechanism: "Kerberos", User: m.name()}
				return m, nil
			}
			if !plain || !givesWay(err) {
				return nil, err
			}
			l.report.Instead = err
		}
		user, domain := c.who.ntlm()
		l.report.Mechanism, l.report.User = "NTLM", c.String()
		return &ntlm{user: user, domain: domain, workstation: c.o.Workstation, password: c.password, anonymous: c.kind == anonymousKind,
			guest: c.kind == guestKind, target: "cifs/" + server, now: time.Now}, nil
	}
	return l, nil
}

// mayNTLM reports whether NTLM comes into question.
func (c *Credential) mayNTLM(hinted []string) bool {
	return c.o.Mechanisms != KerberosOnly && c.keytab == "" && !c.cached && (hinted == nil || slices.Contains(hinted, oidNTLM))
}

// mayKerberos reports whether Kerberos comes into question. A server that is named by its address has no name there.
func (c *Credential) mayKerberos(server string, hinted []string) bool {
	return c.kind == userKind && c.o.Mechanisms != NTLMOnly && !isAddress(server) && (c.password.Present() || c.keytab != "" || c.cached) &&
		(hinted == nil || slices.Contains(hinted, oidKerberos) || slices.Contains(hinted, oidMSKerberos))
}

// nothing says why no mechanism is left.
func (c *Credential) nothing(server string, hinted []string) error {
	needsKerberos := c.o.Mechanisms == KerberosOnly || c.keytab != "" || c.cached
	switch {
	case needsKerberos && isAddress(server):
		return fail(UnknownService, "Kerberos needs the server's name, and %s is an address", server)
	case needsKerberos && c.kind == userKind && c.keytab == "" && !c.cached && !c.password.Present():
		return fail(NoPassword, "")
	case needsKerberos:
		return fail(Weak, "it does not offer Kerberos (it has %s)", strings.Join(hinted, " "))
	}
	return fail(Weak, "it does not offer NTLM (it has %s)", strings.Join(hinted, " "))
}

func isAddress(server string) bool {
	host, _, _ := strings.Cut(strings.Trim(server, "[]"), "%")
	return net.ParseIP(host) != nil
}

func (c *Credential) configFile() string {
	if c.o.ConfigFile != "" {
		return c.o.ConfigFile
	}
	if list := os.Getenv("KRB5_CONFIG"); list != "" {
		first, _, _ := strings.Cut(list, ":")
		return first
	}
	return "/etc/krb5.conf"
}
