package auth

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Keytab logs in by a key from a keytab file, which is read at each login to a KDC. The name is user@REALM or user; "" is the first in the
// file. It is Kerberos alone.
func Keytab(name, file string, o Options) (*Credential, error) {
	c := newCredential(userKind, o)
	c.keytab = file
	return c, c.optionalName(name)
}

// Tickets logs in by a ticket cache that kinit or the login made: "FILE:/path", a path, "DIR:/path"; "" is what KRB5CCNAME or krb5.conf name. It
// is read at each login, so a cache that was renewed or replaced meanwhile counts as it is then. With a name the tickets have to be that
// user's. It is Kerberos alone.
func Tickets(name, cache string, o Options) (*Credential, error) {
	c := newCredential(userKind, o)
	c.tickets, c.cached = cache, true
	return c, c.optionalName(name)
}

func (c *Credential) optionalName(name string) (err error) {
	if name != "" {
		c.who, err = parseName(name)
	}
	return err
}

// givesWay reports whether an error of Kerberos says that there is none for this user or server, so that NTLM may be used instead.
func givesWay(err error) bool {
	var c Cause
	return errors.As(err, &c) && (c == NoKDC || c == UnknownService || c == UnknownUser || c == Misconfigured)
}

// kerberos gets a ticket for a server, from what is known or from a KDC.
func (c *Credential) kerberos(ctx context.Context, server string) (*kerberos, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r, err := c.client()
	if err != nil {
		return nil, err
	}
	id := strings.ToLower(server)
	t, ok := r.services[id]
	if !ok || !t.valid(time.Now()) {
		if t, ok = r.tgts[r.realm]; !ok || !t.valid(time.Now()) {
			switch {
			case r.secret != nil:
				err = r.logIn(ctx)
			case ok:
				err = fail(TicketExpired, "%s, valid until %s", r.who(), t.end.Format(time.DateTime))
			default:
				err = fail(NoTicket, "the cache has no ticket-granting ticket of %s", r.who())
			}
			if err != nil {
				return nil, err
			}
		}
		if t, err = r.service(ctx, "cifs", server); err != nil {
			return nil, err
		}
	}
	// The ticket comes back when it has worked. A server that was given a new key refuses the old ticket without a word to us.
	delete(r.services, id)
	return &kerberos{realm: r.realm, client: r.name, ticket: t, worked: func() {
		c.turn <- struct{}{}
		r.services[id] = t
		<-c.turn
	}}, nil
}

// client gives what is known of the user in the realm, made anew where it has to be. The caller has c's turn.
func (c *Credential) client() (*realmClient, error) {
	cfg, err := loadConfig(c.configFile())
	if err != nil {
		return nil, err
	}
	if c.krb != nil && !c.cached && c.keytab == "" && c.krb.realm == c.realm(cfg) {
		c.krb.cfg = cfg
		return c.krb, nil
	}
	r := &realmClient{cfg: cfg, realm: c.realm(cfg), tgts: map[string]ticket{}, services: map[string]ticket{}}
	r.name = types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, c.who.user)
	switch {
	case c.cached:
		return c.fromCache(r)
	case c.keytab != "":
		err = c.fromKeytab(r)
	default:
		r.secret = passwordKey{c.password}
	}
	if err != nil {
		return nil, err
	}
	if r.realm == "" {
		return nil, fail(Misconfigured, "%s has no realm: neither the name nor krb5.conf (default_realm) gives one", c)
	}
	if old := c.krb; old != nil && old.realm == r.realm && old.name.Equal(r.name) {
		r.tgts, r.services = old.tgts, old.services
	}
	c.krb = r
	return r, nil
}

// realm gives the realm of the user's name, "" if nothing tells.
func (c *Credential) realm(cfg *krbConfig) string {
	standard := cfg.LibDefaults.DefaultRealm
	if c.o.Realm != "" {
		standard = c.o.Realm
	}
	named := c.who.suffix + c.who.domain
	if named == "" || named == "." {
		return standard
	}
	// The domain's short name, where krb5.conf says which realm is this machine's.
	if first, _, _ := strings.Cut(standard, "."); strings.EqualFold(first, named) {
		return standard
	}
	// Realms are in capitals by convention; one that is written otherwise in krb5.conf is meant as it is written.
	for _, r := range cfg.Realms {
		if strings.EqualFold(r.Realm, named) {
			return r.Realm
		}
	}
	return strings.ToUpper(named)
}

// fromCache fills r from the ticket cache, keeping the service tickets that were got with it before.
func (c *Credential) fromCache(r *realmClient) (*realmClient, error) {
	name := c.tickets
	if name == "" {
		name = defaultCache(r.cfg)
	}
	all, err := loadCache(name)
	if err != nil {
		return nil, err
	}
	if c.who.user != "" && (all.name.PrincipalNameString() != c.who.user || r.realm != "" && r.realm != all.realm) {
		return nil, fail(NoTicket, "the cache has those of %s@%s, not of %s", all.name.PrincipalNameString(), all.realm, c)
	}
	r.name, r.realm = all.name, all.realm
	if c.krb != nil && c.krb.realm == r.realm && c.krb.name.Equal(r.name) {
		r.services = c.krb.services
	}
	for id, t := range all.tickets {
		service, _, _ := strings.Cut(id, "@")
		class, host, _ := strings.Cut(service, "/")
		switch {
		case id == "krbtgt/"+r.realm+"@"+r.realm:
			r.tgts[r.realm] = t
		case class == "cifs" && t.valid(time.Now()):
			if _, ok := r.services[strings.ToLower(host)]; !ok {
				r.services[strings.ToLower(host)] = t
			}
		}
	}
	c.krb = r
	return r, nil
}

// keytabKey is the key source of a keytab.
type keytabKey struct {
	all   *keytab.Keytab
	name  types.PrincipalName
	realm string
}

func (k keytabKey) etypes(all []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(all), func(e int32) bool {
		_, err := k.key(e, "", nil)
		return err != nil
	})
}

func (k keytabKey) key(etype int32, _ string, _ []byte) (types.EncryptionKey, error) {
	key, _, err := k.all.GetEncryptionKey(k.name, k.realm, 0, etype)
	if err != nil {
		return key, fail(Misconfigured, "the keytab has no key of encryption %d for %s", etype, k.name.PrincipalNameString())
	}
	return key, nil
}

func (c *Credential) fromKeytab(r *realmClient) error {
	b, err := os.ReadFile(c.keytab)
	if err != nil {
		return &Error{Cause: Misconfigured, Detail: "the keytab", Err: err}
	}
	all := keytab.New()
	// The library's error quotes the file, keys and all.
	if len(b) < 2 || all.Unmarshal(b) != nil || len(all.Entries) == 0 {
		return fail(Misconfigured, "%s is no keytab, or an empty one", c.keytab)
	}
	if c.who.user == "" {
		p := all.Entries[0].Principal
		r.name = types.PrincipalName{NameType: nametype.KRB_NT_PRINCIPAL, NameString: p.Components}
		r.realm = p.Realm
	}
	if len(r.name.NameString) == 0 {
		return fail(Misconfigured, "%s is no keytab", c.keytab)
	}
	r.secret = keytabKey{all, r.name, r.realm}
	return nil
}
