package discover

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// wsdGroup is where WS-Discovery is asked (WS-Discovery 2005/04, 2.4).
var wsdGroup = group{netip.MustParseAddr("239.255.255.250"), netip.MustParseAddr("ff02::c"), 3702}

const (
	actionProbe   = "http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe"
	actionResolve = "http://schemas.xmlsoap.org/ws/2005/04/discovery/Resolve"
	actionGet     = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"

	everybody = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
)

// envelope writes a SOAP message.
func envelope(to, action, body string) []byte {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	id := fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	return []byte(`<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"` +
		` xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:wsd="http://schemas.xmlsoap.org/ws/2005/04/discovery"` +
		` xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof"><soap:Header><wsa:To>` + escaped(to) + `</wsa:To><wsa:Action>` + action +
		`</wsa:Action><wsa:MessageID>` + id + `</wsa:MessageID><wsa:ReplyTo><wsa:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous` +
		`</wsa:Address></wsa:ReplyTo></soap:Header><soap:Body>` + body + `</soap:Body></soap:Envelope>`)
}

func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}

// match is a ProbeMatch or a ResolveMatch.
type match struct {
	Endpoint string `xml:"EndpointReference>Address"`
	Types    string `xml:"Types"`
	XAddrs   string `xml:"XAddrs"`
}

// matches reads an answer to Probe or Resolve.
func matches(b []byte) []match {
	var m struct {
		Probe   []match `xml:"Body>ProbeMatches>ProbeMatch"`
		Resolve []match `xml:"Body>ResolveMatches>ResolveMatch"`
	}
	if xml.Unmarshal(b, &m) != nil {
		return nil
	}
	return append(m.Probe, m.Resolve...)
}

// computer reads the answer to Get: the name and the workgroup that a computer publishes, as "NAS/Workgroup:OFFICE". "" for what is no
// computer, such as a printer.
func computer(b []byte) (host, group string) {
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		t, err := d.Token()
		if err != nil {
			return "", ""
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != "Computer" || start.Name.Space != "http://schemas.microsoft.com/windows/pub/2005/07" {
			continue
		}
		var text string
		if d.DecodeElement(&text, &start) != nil {
			return "", ""
		}
		host, rest, _ := strings.Cut(strings.TrimSpace(text), "/")
		host, _, _ = strings.Cut(host, `\`) // in a domain: NAS\Domain:OFFICE
		if _, g, ok := strings.Cut(rest, ":"); ok {
			group = g
		}
		return shown(host), shown(group)
	}
}

// computers asks who is there, where each is, and what its name is.
func (f *Finder) computers(ctx context.Context) []Server {
	s := open(ctx, wsdGroup)
	asking, stop := context.WithTimeout(ctx, f.cfg.Wait*3/4) // the rest is for names
	defer stop()
	probe := envelope(everybody, actionProbe, "<wsd:Probe><wsd:Types>wsdp:Device</wsd:Types></wsd:Probe>")
	again := time.NewTicker(f.cfg.Wait / 4)
	defer again.Stop()
	var mu sync.Mutex           // guards list
	list := map[string]Server{} // by endpoint: a machine with several addresses is one
	var wg sync.WaitGroup
	resolved, got := map[string]bool{}, map[string]bool{}
	s.send(probe)
	for ch, open := s.receive(asking), true; open; {
		var p packet
		select {
		case p, open = <-ch:
		case <-again.C:
			if asking.Err() == nil {
				s.send(probe)
			}
		}
		for _, m := range matches(p.data) {
			if len(resolved)+len(got) >= 2*most || m.Endpoint == "" || len(m.Endpoint) > 512 {
				continue
			}
			at := ownAddress(m.XAddrs, p.from)
			switch {
			case at == "" && !resolved[m.Endpoint]:
				resolved[m.Endpoint] = true
				s.send(envelope(everybody, actionResolve, "<wsd:Resolve><wsa:EndpointReference><wsa:Address>"+escaped(m.Endpoint)+
					"</wsa:Address></wsa:EndpointReference></wsd:Resolve>"))
			case at != "" && !got[m.Endpoint+p.from.String()]:
				got[m.Endpoint+p.from.String()] = true
				wg.Go(func() {
					host, workgroup := f.get(ctx, at, m.Endpoint)
					s := Server{Name: f.reachable(ctx, host, p.from), Host: host, Comment: host}
					if host == "" || s.Name == "" {
						return
					}
					if workgroup != "" {
						s.Comment += " (" + workgroup + ")"
					}
					mu.Lock()
					defer mu.Unlock()
					if old, have := list[m.Endpoint]; !have || old.Name != host {
						list[m.Endpoint] = s
					}
				})
			}
		}
	}
	wg.Wait()
	return sorted(slices.Collect(maps.Values(list)))
}

// ownAddress picks of the addresses that a machine names one that is its own, "" if none is: nobody sends us elsewhere.
func ownAddress(xaddrs string, from netip.Addr) string {
	for _, x := range strings.Fields(xaddrs) {
		u, err := url.Parse(x)
		if err != nil || u.Scheme != "http" || u.User != nil || len(x) > 512 {
			continue
		}
		a, err := netip.ParseAddr(u.Hostname())
		if err != nil || a.WithZone("") != from.WithZone("") {
			continue
		}
		if from.Zone() != "" { // a link-local address needs the interface that the answer came by
			u.Host = net.JoinHostPort(from.String(), u.Port())
		}
		return u.String()
	}
	return ""
}

// get asks a machine for its metadata.
func (f *Finder) get(ctx context.Context, at, endpoint string) (host, group string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(envelope(endpoint, actionGet, "")))
	if err != nil {
		return "", ""
	}
	req.Header.Set("Content-Type", "application/soap+xml")
	c := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: nil},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := c.Do(req)
	if err != nil {
		f.log.Debug("a computer that answered to WS-Discovery does not tell its name", "address", at, "err", err)
		return "", ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil || res.StatusCode != http.StatusOK {
		return "", ""
	}
	return computer(b)
}

// reachable gives the name if this machine's resolver knows it as the one that answered, else the address; "" for one that means nothing
// without its interface.
func (f *Finder) reachable(ctx context.Context, host string, from netip.Addr) string {
	if host == "" {
		return ""
	}
	bounded, cancel := context.WithTimeout(ctx, f.cfg.Wait/4)
	defer cancel()
	if addrs, err := net.DefaultResolver.LookupNetIP(bounded, "ip", host); err == nil {
		for _, a := range addrs {
			if a.Unmap().WithZone("") == from.WithZone("") {
				return host
			}
		}
	}
	if from.Is6() && from.IsLinkLocalUnicast() {
		return ""
	}
	return from.WithZone("").String()
}
