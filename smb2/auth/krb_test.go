package auth

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// A clock that is off is told with the direction and the amount.
func TestClockSkew(t *testing.T) {
	for _, c := range []struct {
		kdc  time.Duration
		want string
	}{{-10 * time.Minute, "ahead"}, {10 * time.Minute, "behind"}} {
		err := krbFailure(&messages.KRBError{ErrorCode: errorcode.KRB_AP_ERR_SKEW, STime: time.Now().Add(c.kdc)}, "anna@X")
		if !errors.Is(err, ClockSkew) || !strings.Contains(err.Error(), "10m0s "+c.want) {
			t.Error(err)
		}
	}
}

// A KDC cannot have a key made that is cheap to guess or takes for ever to make.
func TestRounds(t *testing.T) {
	for rounds, want := range map[uint32]error{0: Weak, 1: Weak, 4095: Weak, 4096: nil, 1<<20 + 1: Weak, 1<<32 - 1: Weak} {
		_, err := passwordKey{NewSecret("x")}.key(etypeID.AES256_CTS_HMAC_SHA1_96, "salt", binary.BigEndian.AppendUint32(nil, rounds))
		if !errors.Is(err, want) {
			t.Errorf("%d rounds: %v, want %v", rounds, err, want)
		}
	}
}

// apRep is a server's proof for what k sent, with a change.
func apRep(t *testing.T, k *kerberos, change func(*messages.EncAPRepPart, *types.EncryptionKey)) []byte {
	t.Helper()
	enc := messages.EncAPRepPart{CTime: k.sent.CTime, Cusec: k.sent.Cusec, Subkey: types.EncryptionKey{KeyType: 18, KeyValue: make([]byte, 32)}}
	key := k.ticket.key
	change(&enc, &key)
	return frame(tokenAPRep, marshalAPRep(t, enc, key))
}

// The server's proof counts only with our time, in the ticket's key.
func TestMutualAuthentication(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*messages.EncAPRepPart, *types.EncryptionKey)
		cause  Cause
	}{
		"good":         {func(*messages.EncAPRepPart, *types.EncryptionKey) {}, 0},
		"no subkey":    {func(e *messages.EncAPRepPart, _ *types.EncryptionKey) { e.Subkey = types.EncryptionKey{} }, 0},
		"another time": {func(e *messages.EncAPRepPart, _ *types.EncryptionKey) { e.CTime = e.CTime.Add(time.Second) }, NotProved},
		"another part": {func(e *messages.EncAPRepPart, _ *types.EncryptionKey) { e.Cusec++ }, NotProved},
		"another key":  {func(_ *messages.EncAPRepPart, k *types.EncryptionKey) { k.KeyValue = []byte(strings.Repeat("x", 32)) }, NotProved},
		"a short key":  {func(e *messages.EncAPRepPart, _ *types.EncryptionKey) { e.Subkey.KeyValue = e.Subkey.KeyValue[:5] }, Weak},
	} {
		k := &kerberos{realm: "X", client: types.NewPrincipalName(1, "anna"), worked: func() {}}
		k.ticket.key = types.EncryptionKey{KeyType: 18, KeyValue: make([]byte, 32)}
		k.ticket.SName = types.NewPrincipalName(2, "cifs/nas")
		if _, _, err := k.step(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		_, done, err := k.step(t.Context(), apRep(t, k, c.change))
		var cause Cause
		errors.As(err, &cause)
		if cause != c.cause || done != (c.cause == 0) {
			t.Errorf("%s: %v %v, want cause %d", name, done, err, c.cause)
		}
	}
}

// krb5.conf with what it includes, and AES alone where it names nothing.
func TestConfig(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("d/realm.conf", "[realms]\nA.TEST = {\n kdc = tcp/k.a.test:99\n kdc = l.a.test\n}\n")
	write("d/.hidden", "garbage =\n[realms\n")
	write("more", "[domain_realm]\n.b.test = B.TEST\n")
	main := write("krb5.conf", "include "+dir+"/more\nincludedir "+dir+"/d\nincludedir /nowhere\n[libdefaults]\ndefault_realm = A.TEST\n"+
		"default_ccache_name = FILE:/run/cc_%{uid}\ndns_lookup_kdc = no\n")
	c, err := loadConfig(main)
	if err != nil {
		t.Fatal(err)
	}
	kdcs, err := c.kdcs(t.Context(), "A.TEST")
	if err != nil || !slices.Equal(kdcs, []string{"k.a.test:99", "l.a.test:88"}) {
		t.Errorf("%v %v", kdcs, err)
	}
	if c.realmOf("NAS.b.test") != "B.TEST" || c.lookup || !slices.Equal(c.LibDefaults.DefaultTktEnctypeIDs, etypes[:]) {
		t.Errorf("%q %v %v", c.realmOf("NAS.b.test"), c.lookup, c.LibDefaults.DefaultTktEnctypeIDs)
	}
	t.Setenv("KRB5CCNAME", "")
	if n := defaultCache(c); !strings.HasPrefix(n, "FILE:/run/cc_") || strings.Contains(n, "%") {
		t.Error(n)
	}
	if _, err := c.kdcs(t.Context(), "B.TEST"); !errors.Is(err, NoKDC) {
		t.Error(err)
	}
	loop := filepath.Join(dir, "loop")
	write("loop", "include "+loop+"\n")
	if _, err := loadConfig(loop); !errors.Is(err, Misconfigured) {
		t.Error(err)
	}
	if c, err := loadConfig(dir + "/none"); err != nil || !c.lookup {
		t.Error(err)
	}
}

// sampleCache is a cache with one ticket, as kinit writes it.
func sampleCache(t testing.TB) []byte {
	principal := func(b []byte, kind uint32, realm string, parts ...string) []byte {
		b = binary.BigEndian.AppendUint32(b, kind)
		b = binary.BigEndian.AppendUint32(b, uint32(len(parts)))
		for _, s := range append([]string{realm}, parts...) {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
		}
		return b
	}
	tkt := messages.Ticket{TktVNO: 5, Realm: "X", SName: types.NewPrincipalName(2, "krbtgt/X"), EncPart: types.EncryptedData{EType: 18, Cipher: []byte("c")}}
	raw, err := tkt.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b := []byte{5, 4, 0, 12, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}
	b = principal(b, 1, "X", "anna")
	b = principal(b, 1, "X", "anna")
	b = principal(b, 2, "X", "krbtgt", "X")
	b = append(b, 0, 18, 0, 0, 0, 2, 'k', 'y')
	b = append(b, 0, 0, 0, 1, 0, 0, 0, 2, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(raw))), raw...)
	return append(b, 0, 0, 0, 0)
}

func TestCache(t *testing.T) {
	whole := sampleCache(t)
	c, err := parseCache(whole)
	if err != nil {
		t.Fatal(err)
	}
	if tgt := c.tickets["krbtgt/X@X"]; c.realm != "X" || string(tgt.key.KeyValue) != "ky" || !tgt.valid(time.Now()) || tgt.start.Unix() != 2 {
		t.Errorf("%+v", c)
	}
	for n := range whole {
		if c, err := parseCache(whole[:n]); err == nil && len(c.tickets) > 0 {
			t.Errorf("cut off after %d bytes: accepted", n)
		}
	}
	for name, want := range map[string]string{"FILE:/a": "/a", "/a:b": "/a:b", "DIR::/d/t": "/d/t", "DIR:/nowhere": "/nowhere/tkt"} {
		if got, err := cacheFile(name); err != nil || got != want {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
}

func FuzzCache(f *testing.F) {
	f.Add(sampleCache(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := parseCache(b); err == nil && len(c.name.NameString) == 0 {
			t.Fatal("nobody's cache")
		}
	})
}

// What a server may send in Kerberos' frame.
func FuzzKerberos(f *testing.F) {
	f.Add(frame(tokenAPRep, []byte{0x6f, 0}))
	f.Add(frame(tokenError, []byte{0x7e, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		k := &kerberos{state: 1, worked: func() {}}
		k.ticket.key = types.EncryptionKey{KeyType: 18, KeyValue: make([]byte, 32)}
		if _, done, err := k.step(t.Context(), b); done || err == nil {
			t.Fatal("accepted")
		}
		decrypt(types.EncryptedData{EType: 18, Cipher: b}, k.ticket.key, keyusage.AP_REP_ENCPART)
		decrypt(types.EncryptedData{EType: 23, Cipher: b}, types.EncryptionKey{KeyType: 23, KeyValue: make([]byte, 16)}, keyusage.AP_REP_ENCPART)
	})
}

func marshalAPRep(t *testing.T, enc messages.EncAPRepPart, key types.EncryptionKey) []byte {
	t.Helper()
	sealed, err := crypto.GetEncryptedData(appTag(t, 27, enc), key, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		t.Fatal(err)
	}
	return appTag(t, 15, messages.APRep{PVNO: 5, MsgType: 15, EncPart: sealed})
}

func appTag(t *testing.T, tag int, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return asn1tools.AddASNAppTag(b, tag)
}
