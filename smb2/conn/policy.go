package conn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openwnet/wnet/smb2/wire"
)

// Policy is what a client demands of a server. The zero value takes what the server requires and no less than the protocol does: dialects
// from 2.0.2 on, signed if either side requires it, encrypted where the server asks for it.
type Policy struct {
	RequireIntegrity bool         // every message signed or encrypted; guests, who have no key, are refused
	RequirePrivacy   bool         // every message after the log-on encrypted
	MinDialect       wire.Dialect // 0: 2.0.2
	MaxDialect       wire.Dialect // 0: 3.1.1
	Ciphers          []wire.Cipher
	Signings         []wire.Signing
}

// Ciphers that are offered if a Policy names none, the best first, and signing algorithms.
func defaultCiphers() []wire.Cipher {
	return []wire.Cipher{wire.AES128GCM, wire.AES256GCM, wire.AES128CCM, wire.AES256CCM}
}

func defaultSignings() []wire.Signing {
	return []wire.Signing{wire.AESGMAC, wire.AESCMAC, wire.HMACSHA256}
}

// dialects lists what may be offered.
func (p *Policy) dialects() (list []wire.Dialect, err error) {
	for _, d := range []wire.Dialect{wire.Dialect202, wire.Dialect210, wire.Dialect300, wire.Dialect302, wire.Dialect311} {
		if d >= p.MinDialect && (p.MaxDialect == 0 || d <= p.MaxDialect) && (!p.RequirePrivacy || d >= wire.Dialect300) {
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		return nil, &PolicyError{"MinDialect", fmt.Sprintf("no dialect is left between %v and %v", p.MinDialect, p.MaxDialect)}
	}
	return list, nil
}

func (p *Policy) ciphers() []wire.Cipher {
	if len(p.Ciphers) > 0 {
		return p.Ciphers
	}
	return defaultCiphers()
}

func (p *Policy) signings() []wire.Signing {
	if len(p.Signings) > 0 {
		return p.Signings
	}
	return defaultSignings()
}

// legacyCipher gives the cipher of 3.0 and 3.0.2, which is not negotiated.
func (p *Policy) legacyCipher() wire.Cipher {
	if slices.Contains(p.ciphers(), wire.AES128CCM) {
		return wire.AES128CCM
	}
	return 0
}

func names[T fmt.Stringer](list []T) string {
	var out []string
	for _, v := range list {
		out = append(out, v.String())
	}
	return strings.Join(out, ", ")
}
