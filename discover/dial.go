package discover

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
)

// DialContext is net.Dialer's, for hosts in the domain .local too where this machine's resolver does not know them (libnss-mdns is not
// installed, say): what `wnet view` lists can be connected to.
func (f *Finder) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := f.dial.DialContext(ctx, network, address)
	var dns *net.DNSError
	if err == nil || !errors.As(err, &dns) || ctx.Err() != nil {
		return c, err
	}
	host, port, split := net.SplitHostPort(address)
	if split != nil || !local(host) {
		return nil, err
	}
	for _, a := range f.addresses(ctx, host) {
		if c, failed := f.dial.DialContext(ctx, network, net.JoinHostPort(a.String(), port)); failed == nil {
			return c, nil
		} else {
			err = failed
		}
	}
	return nil, err
}

// local reports whether a name is multicast DNS's own (RFC 6762, 3).
func local(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return strings.HasSuffix(host, ".local") && strings.Count(host, ".") == 1
}

// addresses looks a .local name up.
func (f *Finder) addresses(ctx context.Context, host string) []netip.Addr {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	r, err := f.ask(ctx, "host "+host, func(ctx context.Context, r *round) { r.addrs = f.lookup(ctx, host) })
	if err != nil {
		return nil
	}
	return r.addrs
}
