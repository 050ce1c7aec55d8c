package auth

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// ticket is a ticket with what its owner knows of it.
type ticket struct {
	messages.Ticket
	key        types.EncryptionKey
	start, end time.Time
}

// valid reports whether the ticket can be used now, and for a moment longer.
func (t ticket) valid(now time.Time) bool { return now.Add(30 * time.Second).Before(t.end) }

// cache is what a ticket cache holds for one user. Configuration entries are left out, as is what is no ticket.
type cache struct {
	realm   string
	name    types.PrincipalName
	tickets map[string]ticket // by the service's name and realm, such as krbtgt/A@A
}

// cacheFile gives the file of a ticket cache's name: "FILE:/path", "/path", "DIR:/path" or "DIR::/path". The other kinds have no file.
func cacheFile(name string) (string, error) {
	kind, rest, ok := strings.Cut(name, ":")
	switch {
	case !ok || strings.HasPrefix(name, "/"):
		return name, nil
	case kind == "FILE":
		return rest, nil
	case kind == "DIR" && strings.HasPrefix(rest, ":"):
		return rest[1:], nil
	case kind == "DIR":
		b, err := os.ReadFile(filepath.Join(rest, "primary"))
		if errors.Is(err, fs.ErrNotExist) {
			return filepath.Join(rest, "tkt"), nil
		} else if err != nil {
			return "", &Error{Cause: NoTicket, Err: err}
		}
		return filepath.Join(rest, filepath.Base(strings.TrimSpace(string(b)))), nil
	}
	return "", fail(NoTicket, "ticket caches of the kind %s cannot be read, only FILE and DIR", kind)
}

// defaultCache gives the cache's name that the environment and krb5.conf ask for.
func defaultCache(c *krbConfig) string {
	if name := os.Getenv("KRB5CCNAME"); name != "" {
		return name
	}
	uid := strconv.Itoa(os.Getuid())
	if c.cacheName != "" {
		return strings.NewReplacer("%{uid}", uid, "%{euid}", uid, "%{USERID}", uid, "%{TEMP}", os.TempDir()).Replace(c.cacheName)
	}
	return "FILE:/tmp/krb5cc_" + uid
}

const maxCache = 16 << 20 // more than any has

func loadCache(name string) (*cache, error) {
	file, err := cacheFile(name)
	if err != nil {
		return nil, err
	}
	st, err := os.Stat(file)
	if err == nil && (!st.Mode().IsRegular() || st.Size() > maxCache) {
		return nil, fail(NoTicket, "%s is no ticket cache", file)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, &Error{Cause: NoTicket, Err: err}
	}
	c, err := parseCache(b)
	if err != nil {
		return nil, &Error{Cause: NoTicket, Detail: file, Err: err}
	}
	return c, nil
}

var errCache = errors.New("the ticket cache is damaged, or of a kind that is not known")

// reader takes bytes off the front; after the first thing that is not there it gives zeros, and bad is set.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) bytes(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uint8() uint8 {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) data() []byte    { return r.bytes(r.uint32()) }
func (r *reader) time() time.Time { return time.Unix(int64(r.uint32()), 0) }

func (r *reader) principal() (name types.PrincipalName, realm string) {
	name.NameType = int32(r.uint32())
	n := r.uint32()
	realm = string(r.data())
	for range n {
		if r.bad {
			break
		}
		name.NameString = append(name.NameString, string(r.data()))
	}
	return name, realm
}

// parseCache reads a cache's file: format versions 3 and 4, the only ones written in this century
// (https://web.mit.edu/kerberos/krb5-latest/doc/formats/ccache_file_format.html).
func parseCache(b []byte) (*cache, error) {
	r := &reader{b: b}
	version := r.uint16()
	switch version {
	case 0x0503:
	case 0x0504:
		r.bytes(uint32(r.uint16()))
	default:
		return nil, errCache
	}
	c := &cache{tickets: map[string]ticket{}}
	c.name, c.realm = r.principal()
	if r.bad || len(c.name.NameString) == 0 {
		return nil, errCache
	}
	for len(r.b) > 0 {
		client, clientRealm := r.principal()
		server, serverRealm := r.principal()
		var t ticket
		t.key.KeyType = int32(r.uint16())
		if version == 0x0503 {
			r.uint16() // once more
		}
		t.key.KeyValue = r.data()
		authTime := r.time()
		t.start, t.end = r.time(), r.time()
		if t.start.Unix() == 0 {
			t.start = authTime
		}
		r.time()   // renewable until
		r.uint8()  // is it encrypted in another ticket's key?
		r.uint32() // flags
		for range 2 {
			for range r.uint32() { // addresses, authorization data
				r.uint16()
				r.data()
				if r.bad {
					return nil, errCache
				}
			}
		}
		raw := r.data()
		r.data() // second ticket
		if r.bad {
			return nil, errCache
		}
		if serverRealm == "X-CACHECONF:" || clientRealm != c.realm || !client.Equal(c.name) {
			continue
		}
		if t.Unmarshal(raw) != nil || len(t.SName.NameString) == 0 {
			continue
		}
		id := server.PrincipalNameString() + "@" + serverRealm
		if old, ok := c.tickets[id]; !ok || t.end.After(old.end) {
			c.tickets[id] = t
		}
	}
	return c, nil
}
