package discover

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
)

// What of DNS is spoken here (RFC 1035, RFC 2782). golang.org/x/net/dns/dnsmessage refuses whole messages in which a label has a dot, as
// the name that a person gave a server may have.
const (
	typeA    = 1
	typePTR  = 12
	typeAAAA = 28
	typeSRV  = 33
)

// name is a domain name, one label an element, without the root.
type name []string

// dotted writes a name with dots, those inside labels escaped.
func (n name) dotted() string {
	parts := make([]string, len(n))
	for i, l := range n {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(l, `\`, `\\`), ".", `\.`)
	}
	return strings.Join(parts, ".")
}

// key is equal for names that are the same: case does not count.
func (n name) key() string { return strings.ToLower(n.dotted()) }

func parseName(s string) name { return name(strings.Split(s, ".")) }

// record is one answer.
type record struct {
	owner name
	kind  uint16
	to    name       // of PTR and SRV
	port  int        // of SRV
	addr  netip.Addr // of A and AAAA
}

var errDNS = errors.New("not a DNS message")

// query builds a message that asks for one name's records of one type.
func query(n name, kind uint16) []byte {
	b := make([]byte, 12, 512)
	b[5] = 1 // question
	for _, l := range n {
		b = append(append(b, byte(min(len(l), 63))), l[:min(len(l), 63)]...)
	}
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, kind)
	return binary.BigEndian.AppendUint16(b, 1) // class IN
}

// answers reads the records of a response. What it does not know is left out; what it can't read ends the message.
func answers(b []byte) ([]record, error) {
	be := binary.BigEndian
	if len(b) < 12 || b[2]&0x80 == 0 {
		return nil, errDNS
	}
	questions := int(be.Uint16(b[4:]))
	count := int(be.Uint16(b[6:])) + int(be.Uint16(b[8:])) + int(be.Uint16(b[10:]))
	at := 12
	for range questions {
		_, next, err := readName(b, at)
		if err != nil || next+4 > len(b) {
			return nil, errDNS
		}
		at = next + 4
	}
	var list []record
	for range count {
		owner, next, err := readName(b, at)
		if err != nil || next+10 > len(b) {
			return list, errDNS
		}
		r := record{owner: owner, kind: be.Uint16(b[next:])}
		class, size := be.Uint16(b[next+2:])&0x7fff, int(be.Uint16(b[next+8:]))
		data := next + 10
		if at = data + size; at > len(b) {
			return list, errDNS
		}
		if class == 1 && r.fill(b, data, size) {
			list = append(list, r)
		}
	}
	return list, nil
}

// fill reads a record's data, which stands in b at data. False for what is not needed or not well formed.
func (r *record) fill(b []byte, data, size int) bool {
	var err error
	switch r.kind {
	case typeA, typeAAAA:
		addr, ok := netip.AddrFromSlice(b[data : data+size])
		r.addr = addr
		return ok && addr.Is4() == (r.kind == typeA)
	case typePTR:
		r.to, _, err = readName(b, data)
		return err == nil
	case typeSRV:
		if size < 7 {
			return false
		}
		r.port = int(binary.BigEndian.Uint16(b[data+4:]))
		r.to, _, err = readName(b, data+6)
		return err == nil
	}
	return false
}

// readName reads a name, which may go on elsewhere in the message. Each jump goes backwards, so that it ends.
func readName(b []byte, at int) (n name, next int, err error) {
	length, limit := 0, at
	for {
		if at >= len(b) {
			return nil, 0, errDNS
		}
		switch c := int(b[at]); {
		case c == 0:
			if next == 0 {
				next = at + 1
			}
			return n, next, nil
		case c&0xc0 == 0xc0:
			if at+2 > len(b) {
				return nil, 0, errDNS
			}
			to := int(binary.BigEndian.Uint16(b[at:]) & 0x3fff)
			if next == 0 {
				next = at + 2
			}
			if to >= limit {
				return nil, 0, errDNS
			}
			at, limit = to, to
		case c < 64:
			if at+1+c > len(b) {
				return nil, 0, errDNS
			}
			if length += c + 1; length > 255 {
				return nil, 0, errDNS
			}
			n = append(n, string(b[at+1:at+1+c]))
			at += 1 + c
		default:
			return nil, 0, errDNS
		}
	}
}
