package auth

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
)

// etypes are what is asked for where krb5.conf names none: AES alone.
var etypes = [...]int32{etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96, etypeID.AES256_CTS_HMAC_SHA384_192,
	etypeID.AES128_CTS_HMAC_SHA256_128}

// krbConfig is krb5.conf as far as a client needs it.
type krbConfig struct {
	*config.Config
	lookup    bool   // KDCs that are not listed are looked for in the DNS
	cacheName string // default_ccache_name
}

// loadConfig reads krb5.conf. A file that is not there is an empty one.
func loadConfig(file string) (*krbConfig, error) {
	var text strings.Builder
	if err := readConfig(&text, file, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{Cause: Misconfigured, Detail: "krb5.conf", Err: err}
	}
	c := &krbConfig{lookup: true}
	var err error
	// Directives that the library does not know of come as an error together with a good result.
	if c.Config, err = config.NewFromString(text.String()); c.Config == nil {
		return nil, &Error{Cause: Misconfigured, Detail: file, Err: err}
	}
	section := ""
	for line := range strings.Lines(text.String()) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section != "[libdefaults]" {
			continue
		}
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "dns_lookup_kdc":
			c.lookup = c.LibDefaults.DNSLookupKDC
		case "default_ccache_name":
			c.cacheName = value
		}
	}
	none := config.New().LibDefaults
	for _, l := range []struct {
		names *[]string
		none  []string
		ids   *[]int32
	}{
		{&c.LibDefaults.DefaultTktEnctypes, none.DefaultTktEnctypes, &c.LibDefaults.DefaultTktEnctypeIDs},
		{&c.LibDefaults.DefaultTGSEnctypes, none.DefaultTGSEnctypes, &c.LibDefaults.DefaultTGSEnctypeIDs},
	} {
		switch {
		case !slices.Equal(*l.names, l.none):
		case !slices.Equal(c.LibDefaults.PermittedEnctypes, none.PermittedEnctypes):
			*l.ids = c.LibDefaults.PermittedEnctypeIDs
		default:
			*l.ids = etypes[:]
		}
		if len(*l.ids) == 0 {
			return nil, fail(Misconfigured, "%s allows no kind of encryption that is known here", file)
		}
	}
	return c, nil
}

// readConfig puts a file's text into b with what it includes, which the library does not do.
func readConfig(b *strings.Builder, file string, depth int) error {
	if depth > 8 {
		return errors.New("files include each other without end: " + file)
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); ; {
		if !lines.Scan() {
			return lines.Err()
		}
		word, arg, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		arg = strings.TrimSpace(arg)
		switch word {
		case "include":
			if err := readConfig(b, arg, depth+1); err != nil {
				return err
			}
		case "includedir":
			// Names of letters, digits, dashes and underlines, or ending in .conf, as MIT Kerberos has it; a folder may be missing.
			entries, _ := os.ReadDir(arg)
			for _, e := range entries {
				if n := e.Name(); !e.IsDir() && !strings.HasPrefix(n, ".") && (strings.HasSuffix(n, ".conf") || !strings.ContainsFunc(n, notPlain)) {
					if err := readConfig(b, filepath.Join(arg, n), depth+1); err != nil {
						return err
					}
				}
			}
		default:
			b.WriteString(lines.Text() + "\n")
		}
	}
}

func notPlain(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// kdcs gives a realm's KDCs as host:port, the first to be asked first.
func (c *krbConfig) kdcs(ctx context.Context, realm string) ([]string, error) {
	for _, r := range c.Realms {
		if r.Realm == realm && len(r.KDC) > 0 {
			var all []string
			for _, k := range r.KDC {
				all = append(all, strings.TrimPrefix(strings.TrimPrefix(k, "tcp/"), "udp/"))
			}
			return all, nil
		}
	}
	if !c.lookup || !strings.Contains(realm, ".") {
		return nil, fail(NoKDC, "krb5.conf names none for the realm %s", realm)
	}
	_, records, err := net.DefaultResolver.LookupSRV(ctx, "kerberos", "tcp", realm)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var all []string
	for _, r := range records {
		if host := strings.TrimSuffix(r.Target, "."); host != "" {
			all = append(all, net.JoinHostPort(host, strconv.Itoa(int(r.Port))))
		}
	}
	if len(all) == 0 {
		return nil, &Error{Cause: NoKDC, Detail: "neither krb5.conf nor the DNS names one for the realm " + realm, Err: err}
	}
	return all, nil
}

// realmOf gives the realm of a server by krb5.conf's domain_realm, "" if that has none.
func (c *krbConfig) realmOf(server string) string { return c.ResolveRealm(strings.ToLower(server)) }
