package discover

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

// mdns is where multicast DNS is asked (RFC 6762, 3). A question that comes from another port than this is answered to that port alone
// (6.7), so that nothing needs to share the port with an avahi that runs here.
var mdnsGroup = group{netip.MustParseAddr("224.0.0.251"), netip.MustParseAddr("ff02::fb"), 5353}

// found gathers what the answers say.
type found struct {
	instances map[string]name   // that the service has, by key
	srv       map[string]record // by instance's key
	addrs     map[string][]netip.Addr
}

func newFound() *found {
	return &found{instances: map[string]name{}, srv: map[string]record{}, addrs: map[string][]netip.Addr{}}
}

// take reads one message. service is the name whose PTR records count.
func (f *found) take(b []byte, service string) {
	list, _ := answers(b) // what could be read of it
	for _, r := range list {
		key := r.owner.key()
		switch r.kind {
		case typePTR:
			if key == service && len(f.instances) < most && len(r.to) > 1 {
				f.instances[r.to.key()] = r.to
			}
		case typeSRV:
			if len(f.srv) < most {
				f.srv[key] = r
			}
		case typeA, typeAAAA:
			if a := f.addrs[key]; len(f.addrs) < most && len(a) < 8 && !slices.Contains(a, r.addr) {
				f.addrs[key] = append(a, r.addr)
			}
		}
	}
}

// browse asks for a service's instances, and where the answer leaves it out for where they are.
func (f *Finder) browse(ctx context.Context, service string) []Server {
	s := open(ctx, mdnsGroup)
	full := append(parseName(service), "local")
	all, asked := newFound(), map[string]bool{}
	question := query(full, typePTR)
	again := time.NewTicker(f.cfg.Wait / 3) // a packet may be lost
	defer again.Stop()
	s.send(question)
	for ch := s.receive(ctx); ; {
		select {
		case p, ok := <-ch:
			if !ok {
				return f.named(all)
			}
			all.take(p.data, full.key())
			for key, n := range all.instances {
				if _, have := all.srv[key]; !have && !asked[key] {
					asked[key] = true
					s.send(query(n, typeSRV))
				}
			}
		case <-again.C:
			if ctx.Err() == nil {
				s.send(question)
			}
		}
	}
}

// named makes servers of the instances whose host is known.
func (f *Finder) named(all *found) []Server {
	var list []Server
	for key, n := range all.instances {
		srv, ok := all.srv[key]
		if !ok || len(srv.to) == 0 {
			continue
		}
		list = append(list, Server{Name: srv.to.dotted(), Host: srv.to[0], Port: srv.port, Comment: n[0]})
	}
	return sorted(list)
}

// lookup asks for a .local name's addresses, and returns with the first answer.
func (f *Finder) lookup(ctx context.Context, host string) []netip.Addr {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := open(ctx, mdnsGroup)
	n := parseName(host)
	ask := func() { // one question a message, as a simple resolver would: what answers that is known to work
		s.send(query(n, typeA))
		s.send(query(n, typeAAAA))
	}
	all := newFound()
	again := time.NewTicker(f.cfg.Wait / 4)
	defer again.Stop()
	ask()
	ch := s.receive(ctx)
	for {
		select {
		case p, ok := <-ch:
			if !ok {
				return nil
			}
			all.take(p.data, "")
			if a := usable(all.addrs[n.key()]); len(a) > 0 {
				cancel()
				for range ch { // until the sockets are closed
				}
				return a
			}
		case <-again.C:
			ask()
		}
	}
}

// usable leaves out link-local IPv6 addresses, which mean nothing without their interface, and puts IPv4 first.
func usable(all []netip.Addr) []netip.Addr {
	a := slices.DeleteFunc(slices.Clone(all), func(a netip.Addr) bool { return a.IsLinkLocalUnicast() && a.Is6() })
	slices.SortStableFunc(a, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return a
}
