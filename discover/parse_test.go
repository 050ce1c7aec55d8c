package discover

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// message builds a response of whole records.
func message(records ...[]byte) []byte {
	b := make([]byte, 12)
	b[2] = 0x84
	binary.BigEndian.PutUint16(b[6:], uint16(len(records)))
	for _, r := range records {
		b = append(b, r...)
	}
	return b
}

func wire(n name) []byte {
	var b []byte
	for _, l := range n {
		b = append(append(b, byte(len(l))), l...)
	}
	return append(b, 0)
}

func rr(owner name, kind uint16, data []byte) []byte {
	b := wire(owner)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = append(b, 0x80, 1, 0, 0, 0, 10)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
}

func TestTake(t *testing.T) {
	smb := parseName("_smb._tcp.local")
	instance := append(name{"Büro v2.0"}, smb...)
	host := parseName("nas.local")
	b := message(rr(smb, typePTR, wire(instance)), rr(instance, 16, []byte{0}), rr(instance, typeSRV, append([]byte{0, 0, 0, 0, 1, 189}, wire(host)...)),
		rr(host, typeA, []byte{192, 0, 2, 7}), rr(host, typeAAAA, netip.MustParseAddr("2001:db8::7").AsSlice()),
		rr(parseName("_ipp._tcp.local"), typePTR, wire(append(name{"printer"}, "_ipp", "_tcp", "local"))))
	all := newFound()
	all.take(b, smb.key())
	got := New(Config{}).named(all)
	if want := fmt.Sprint([]Server{{"nas.local", "nas", 445, "Büro v2.0"}}); fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if a := all.addrs["nas.local"]; len(a) != 2 || a[0].String() != "192.0.2.7" {
		t.Errorf("got the addresses %v", a)
	}
	for cut := range b {
		newFound().take(b[:cut], smb.key()) // must not panic
	}
}

// A link-local address leads nowhere: it is no answer, and another one may come.
func TestUsable(t *testing.T) {
	addr := netip.MustParseAddr
	got := usable([]netip.Addr{addr("fe80::1"), addr("2001:db8::7"), addr("192.0.2.7")})
	if fmt.Sprint(got) != "[192.0.2.7 2001:db8::7]" || len(usable([]netip.Addr{addr("fe80::1")})) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestReadName(t *testing.T) {
	head := make([]byte, 12)
	for what, c := range map[string]struct {
		tail string
		at   int
		want string
	}{
		"a pointer back":       {"\x03nas\x05local\x00\x02fs\xc0\x0c", 12 + 11, "fs.nas.local"},
		"a pointer to itself":  {"\xc0\x0c", 12, ""},
		"two that chase":       {"\xc0\x0e\xc0\x0c", 12, ""},
		"a pointer forward":    {"\xc0\x0e\x03nas\x00", 12, ""},
		"a label past the end": {"\x3fnas", 12, ""},
		"an unknown label":     {"\x80nas\x00", 12, ""},
		"too long":             {strings.Repeat("\x3f"+strings.Repeat("x", 63), 5) + "\x00", 12, ""},
	} {
		n, _, err := readName(append(head[:12:12], c.tail...), c.at)
		if n := n.dotted(); err == nil && n != c.want || err != nil && c.want != "" {
			t.Errorf("%s: got %q, %v, want %q", what, n, err, c.want)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(message(rr(parseName("_smb._tcp.local"), typePTR, wire(parseName("x._smb._tcp.local")))))
	f.Add(message(rr(parseName("nas.local"), typeA, []byte{192, 0, 2, 7})))
	f.Fuzz(func(t *testing.T, b []byte) {
		all := newFound()
		all.take(b, "_smb._tcp.local")
		for _, s := range New(Config{}).named(all) {
			if strings.ContainsAny(s.Name, "\\/ \x00\n") || strings.ContainsAny(s.Comment, "\n\r\x1b") {
				t.Errorf("got %+v", s)
			}
		}
	})
}

const probeMatch = `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Body><d:%[1]sMatches><d:%[1]sMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address>
 </a:EndpointReference><d:Types>wsdp:Device pub:Computer</d:Types><d:XAddrs>%[2]s</d:XAddrs></d:%[1]sMatch></d:%[1]sMatches></s:Body></s:Envelope>`

func TestMatches(t *testing.T) {
	for _, kind := range []string{"Probe", "Resolve"} {
		m := matches([]byte(fmt.Sprintf(probeMatch, kind, "http://192.0.2.7:5357/x")))
		if len(m) != 1 || m[0].Endpoint != "urn:uuid:1" || m[0].XAddrs != "http://192.0.2.7:5357/x" {
			t.Errorf("%s: got %+v", kind, m)
		}
	}
	if m := matches([]byte("<x>")); m != nil {
		t.Errorf("got %+v of what is no message", m)
	}
}

// Nobody makes us ask another machine than the one that answered, nor anything but HTTP.
func TestOwnAddress(t *testing.T) {
	from := netip.MustParseAddr("192.0.2.7")
	for x, want := range map[string]string{
		"http://192.0.2.7:5357/x":                  "http://192.0.2.7:5357/x",
		"http://198.51.100.1/x http://192.0.2.7/y": "http://192.0.2.7/y",
		"http://127.0.0.1:631/":                    "",
		"https://192.0.2.7/":                       "",
		"http://user@192.0.2.7/":                   "",
		"http://intranet/":                         "",
		"file:///etc/passwd":                       "",
		"":                                         "",
		"http://192.0.2.7/" + strings.Repeat("x", 1000):            "",
		"http://[::ffff:192.0.2.7]:5357/ http://192.0.2.7.evil.x/": "",
	} {
		if got := ownAddress(x, from); got != want {
			t.Errorf("%.60q: got %q, want %q", x, got, want)
		}
	}
	if got := ownAddress("http://[fe80::1]:5357/x", netip.MustParseAddr("fe80::1%eth0")); got != "http://[fe80::1%25eth0]:5357/x" {
		t.Errorf("got %q for a link-local address", got)
	}
}

func TestComputer(t *testing.T) {
	const doc = `<a xmlns:pub="http://schemas.microsoft.com/windows/pub/2005/07"><pub:Computer>%s</pub:Computer></a>`
	for text, want := range map[string]string{
		"NAS/Workgroup:OFFICE":    "NAS OFFICE",
		`NAS\Domain:OFFICE`:       "NAS ",
		"NAS":                     "NAS ",
		"":                        " ",
		"\x1b[31mNAS/Workgroup:X": " ",
	} {
		host, group := computer([]byte(fmt.Sprintf(doc, text)))
		if got := host + " " + group; got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if host, _ := computer([]byte(`<Computer>NAS</Computer>`)); host != "" {
		t.Errorf("got %q of another namespace", host)
	}
}

func FuzzWSD(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(probeMatch, "Probe", "http://192.0.2.7:5357/x")))
	f.Add([]byte(`<a xmlns:pub="http://schemas.microsoft.com/windows/pub/2005/07"><pub:Computer>NAS/Workgroup:X</pub:Computer></a>`))
	from := netip.MustParseAddr("192.0.2.7")
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range matches(b) {
			if at := ownAddress(m.XAddrs, from); at != "" && !strings.HasPrefix(at, "http://192.0.2.7") {
				t.Errorf("would ask %q", at)
			}
		}
		computer(b)
	})
}

// What strangers say is bounded and shown without control characters; the same machine is listed once.
func TestSortedAndMerged(t *testing.T) {
	var many []Server
	for i := range 1000 {
		many = append(many, Server{Name: fmt.Sprintf("nas%d.local", i)})
	}
	if n := len(sorted(many)); n != most {
		t.Errorf("got %d, want %d", n, most)
	}
	got := sorted([]Server{{Name: "b.local", Comment: "x\x1b[2J\n" + strings.Repeat("y", 200)}, {Name: `a\b`}, {Name: ""}, {Name: "B.local"},
		{Name: "c.local", Port: 70000}, {Name: "a.local", Comment: "A.LOCAL"}})
	if len(got) != 2 || got[0] != (Server{Name: "a.local"}) || len(got[1].Comment) != 120 || strings.ContainsRune(got[1].Comment, '\x1b') {
		t.Errorf("got %+v", got)
	}
	merged := Merge([]Server{{Name: "nas.local", Host: "nas"}}, []Server{{Name: "192.0.2.7", Host: "NAS"}, {Name: "192.0.2.8", Host: "PC"}})
	if len(merged) != 2 || merged[0].Name != "192.0.2.8" {
		t.Errorf("got %v", merged)
	}
}

// Several who ask at once share one question, its answer is used again, and who leaves takes nothing with them.
func TestAsk(t *testing.T) {
	f := New(Config{Keep: time.Hour})
	asked, release := make(chan struct{}, 10), make(chan struct{})
	question := func(_ context.Context, r *round) {
		asked <- struct{}{}
		<-release
		r.servers = []Server{{Name: "nas"}}
	}
	gone, leave := context.WithCancel(t.Context())
	result := make(chan error)
	go func() { _, err := f.ask(gone, "x", question); result <- err }()
	<-asked
	leave()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for range 3 {
		go func() { _, err := f.ask(t.Context(), "x", question); result <- err }()
	}
	close(release)
	for range 3 {
		if err := <-result; err != nil {
			t.Error(err)
		}
	}
	if r, err := f.ask(t.Context(), "x", question); err != nil || len(r.servers) != 1 || len(asked) != 0 {
		t.Errorf("got %v, asked again %d times", err, len(asked))
	}
}
