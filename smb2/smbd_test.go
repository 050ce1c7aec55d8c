package smb2_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet/smb2"
	"github.com/openwnet/wnet/smb2/auth"
	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
	"github.com/openwnet/wnet/test/rig"
)

// options are those of a client of the server, as its own user.
func options(t testing.TB, s *rig.SMBServer) smb2.Options {
	t.Helper()
	cred, err := auth.Password(s.User(), auth.NewSecret(s.Password()), auth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return smb2.Options{Server: s.Host(), Credential: cred, Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", s.Addr())
	}}
}

func dial(t testing.TB, o smb2.Options) *smb2.Client {
	t.Helper()
	c, err := smb2.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func tree(t testing.TB, c *smb2.Client, share string) *smb2.Tree {
	t.Helper()
	tr, err := c.Tree(t.Context(), share)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// random is n bytes that no two places have alike.
func random(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// Each configuration of a server, and what is to be seen of it. The same work goes through all of them.
func TestMatrix(t *testing.T) {
	for _, m := range []struct {
		name   string
		global []string
		data   []string
		policy smb2.Policy
		check  func(smb2.ServerInfo) error
	}{
		{name: "default", check: func(i smb2.ServerInfo) error { return want(i.Dialect, wire.Dialect311, i.Signed, false) }},
		{name: "2.0.2", global: []string{"server max protocol = SMB2_02"}, check: func(i smb2.ServerInfo) error { return want(i.Dialect, wire.Dialect202) }},
		{name: "2.1", global: []string{"server max protocol = SMB2_10"}, check: func(i smb2.ServerInfo) error { return want(i.Dialect, wire.Dialect210) }},
		{name: "3.0", global: []string{"server max protocol = SMB3_00"}, check: func(i smb2.ServerInfo) error { return want(i.Dialect, wire.Dialect300) }},
		{name: "3.0.2", global: []string{"server max protocol = SMB3_02"}, check: func(i smb2.ServerInfo) error { return want(i.Dialect, wire.Dialect302) }},
		{name: "2.0.2 pinned here", policy: smb2.Policy{MaxDialect: wire.Dialect202}, check: func(i smb2.ServerInfo) error { return want(i.Dialect, wire.Dialect202) }},
		{name: "3.0.2 pinned here", policy: smb2.Policy{MinDialect: wire.Dialect302, MaxDialect: wire.Dialect302},
			check: func(i smb2.ServerInfo) error { return want(i.Dialect, wire.Dialect302) }},
		{name: "GMAC", global: []string{"server signing = mandatory"},
			check: func(i smb2.ServerInfo) error { return want(i.Signed, true, i.Signing, wire.AESGMAC) }},
		{name: "CMAC", global: []string{"server signing = mandatory", "server smb3 signing algorithms = AES-128-CMAC"},
			check: func(i smb2.ServerInfo) error { return want(i.Signed, true, i.Signing, wire.AESCMAC) }},
		{name: "HMAC", global: []string{"server signing = mandatory", "server smb3 signing algorithms = HMAC-SHA256"},
			check: func(i smb2.ServerInfo) error { return want(i.Signed, true, i.Signing, wire.HMACSHA256) }},
		{name: "2.1 signed", global: []string{"server signing = mandatory", "server max protocol = SMB2_10"},
			check: func(i smb2.ServerInfo) error { return want(i.Signed, true, i.Signing, wire.HMACSHA256) }},
		{name: "3.0 signed", global: []string{"server signing = mandatory", "server max protocol = SMB3_00"},
			check: func(i smb2.ServerInfo) error { return want(i.Signed, true, i.Signing, wire.AESCMAC) }},
		{name: "integrity", policy: smb2.Policy{RequireIntegrity: true}, check: func(i smb2.ServerInfo) error { return want(i.Signed, true) }},
		{name: "encryption wanted", global: []string{"server smb encrypt = desired"},
			check: func(i smb2.ServerInfo) error { return want(i.Encrypted, true, i.Cipher, wire.AES128GCM) }},
		{name: "privacy", policy: smb2.Policy{RequirePrivacy: true}, check: func(i smb2.ServerInfo) error { return want(i.Encrypted, true) }},
		{name: "3.0 privacy", global: []string{"server max protocol = SMB3_00"}, policy: smb2.Policy{RequirePrivacy: true},
			check: func(i smb2.ServerInfo) error { return want(i.Encrypted, true, i.Cipher, wire.AES128CCM) }},
		{name: "share encrypted", data: []string{"smb encrypt = required"}},
		{name: "AES-128-GCM", global: cipher("AES-128-GCM"), check: sealed(wire.AES128GCM)},
		{name: "AES-256-GCM", global: cipher("AES-256-GCM"), check: sealed(wire.AES256GCM)},
		{name: "AES-128-CCM", global: cipher("AES-128-CCM"), check: sealed(wire.AES128CCM)},
		{name: "AES-256-CCM", global: cipher("AES-256-CCM"), check: sealed(wire.AES256CCM)},
		{name: "no leases", global: []string{"smb2 leases = no"}},
		{name: "no oplocks", data: []string{"oplocks = no", "level2 oplocks = no"}},
		{name: "few credits", global: []string{"smb2 max credits = 3"}},
		{name: "small requests", global: []string{"smb2 max read = 65536", "smb2 max write = 65536", "smb2 max trans = 65536"}},
		{name: "case sensitive", data: []string{"case sensitive = yes"}},
	} {
		t.Run(m.name, func(t *testing.T) {
			s := rig.Smbd(t, rig.SMBOptions{Global: m.global, Data: m.data})
			o := options(t, s)
			o.Policy = m.policy
			c := dial(t, o)
			if m.check != nil {
				if err := m.check(c.Info()); err != nil {
					t.Errorf("%v: %+v", err, c.Info())
				}
			}
			work(t, tree(t, c, "data"), s.Root("data"))
		})
	}
}

func cipher(name string) []string {
	return []string{"server smb encrypt = required", "server smb3 encryption algorithms = " + name}
}

func sealed(c wire.Cipher) func(smb2.ServerInfo) error {
	return func(i smb2.ServerInfo) error { return want(i.Encrypted, true, i.Cipher, c) }
}

// want compares pairs.
func want(pairs ...any) error {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] != pairs[i+1] {
			return fmt.Errorf("got %v, want %v", pairs[i], pairs[i+1])
		}
	}
	return nil
}

// work does what programs do on a share, and looks at the server's folder for what came of it.
func work(t *testing.T, tr *smb2.Tree, root string) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	content := random(5<<20 + 12345)
	f, err := tr.Open(ctx, "big.bin", smb2.Open{Access: wire.GenericRead | wire.GenericWrite | wire.Delete, Disposition: wire.Create, Durable: true})
	must(err)
	n, err := f.WriteAt(ctx, content, 0)
	must(err)
	must(f.Flush(ctx))
	if b, err := os.ReadFile(filepath.Join(root, "big.bin")); err != nil || n != len(content) || !bytes.Equal(b, content) {
		t.Fatalf("wrote %d; %d bytes differ, %v", n, len(b), err)
	}
	got := make([]byte, len(content)+1000)
	n, err = f.ReadAt(ctx, got, 0)
	if err != nil || !bytes.Equal(got[:n], content) {
		t.Fatalf("read %d, %v", n, err)
	}
	if n, err := f.ReadAt(ctx, got[:100], int64(len(content))); n != 0 || err != nil {
		t.Fatalf("past the end: %d, %v", n, err)
	}
	must(f.Truncate(ctx, 10))
	if a, err := f.Stat(ctx); err != nil || a.Size != 10 || a.IsDir() {
		t.Fatalf("stat: %+v, %v", a, err)
	}
	// An open file is renamed and removed.
	must(tr.Rename(ctx, "big.bin", "big2.bin", false))
	must(tr.Remove(ctx, "big2.bin", false))
	must(f.Close(ctx))
	if _, err := tr.Stat(ctx, "big2.bin"); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, syscall.ENOENT) {
		t.Fatalf("removed: %v", err)
	}

	_, err = tr.Mkdir(ctx, "d")
	must(err)
	var names []string
	for i := range 300 {
		name := fmt.Sprintf("d/file %03d ä", i)
		names = append(names, name[2:])
		_, err := tr.WriteFile(ctx, name, []byte(name), wire.Create)
		must(err)
	}
	list, err := tr.ReadDir(ctx, "d")
	must(err)
	if len(list) != len(names) {
		t.Fatalf("%d entries", len(list))
	}
	for _, e := range list {
		if e.Size != int64(len("d/"+e.Name)) || e.ID == 0 || e.Written.IsZero() || e.IsDir() {
			t.Fatalf("%+v", e)
		}
	}
	p, a, err := tr.ReadFile(ctx, "d/"+names[7], 4096)
	if must(err); string(p) != "d/"+names[7] || a.Size != int64(len(p)) {
		t.Fatalf("%q, %+v", p, a)
	}
	if _, err := tr.WriteFile(ctx, "d/"+names[7], nil, wire.Create); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("created twice: %v", err)
	}
	if err := tr.Remove(ctx, "d", true); !errors.Is(err, syscall.ENOTEMPTY) {
		t.Fatalf("a full folder: %v", err)
	}
	must(tr.Rename(ctx, "d/"+names[0], "d/"+names[1], true))
	when := time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
	must(tr.SetAttr(ctx, "d/"+names[1], smb2.Change{Written: when}))
	st, err := tr.Stat(ctx, "d/"+names[1])
	if must(err); !st.Written.Equal(when) || st.Links != 1 {
		t.Fatalf("%+v", st)
	}
	odd := `d/a:b*c?<>|"\.` + "\x01 "
	_, err = tr.WriteFile(ctx, odd, []byte("odd"), wire.Create)
	must(err)
	if list, err = tr.ReadDir(ctx, "d"); err != nil || !has(list, odd[2:]) {
		t.Fatalf("%v, %q is not listed", err, odd[2:])
	}
	must(tr.Remove(ctx, odd, false))
	if total, free, avail, err := tr.Size(ctx); err != nil || total == 0 || free > total || avail > total {
		t.Fatalf("%d %d %d %v", total, free, avail, err)
	}
	lock(t, tr)
}

func has(list []smb2.Attr, name string) bool {
	for _, a := range list {
		if a.Name == name {
			return true
		}
	}
	return false
}

// lock: ranges that two Files want, and a waiting lock that is given up.
func lock(t *testing.T, tr *smb2.Tree) {
	t.Helper()
	ctx := t.Context()
	o := smb2.Open{Access: wire.GenericRead | wire.GenericWrite, Disposition: wire.OpenIf}
	var f [2]*smb2.File
	for i := range f {
		var err error
		if f[i], err = tr.Open(ctx, "locked", o); err != nil {
			t.Fatal(err)
		}
		defer f[i].Close(context.Background())
	}
	if err := f[0].Lock(ctx, 10, 10, true, false); err != nil {
		t.Fatal(err)
	}
	if err := f[1].Lock(ctx, 15, 1, false, false); smb2.StatusOf(err) != wire.StatusLockNotGranted {
		t.Fatalf("locked twice: %v", err)
	}
	short, cancel := context.WithCancel(ctx)
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := f[1].Lock(short, 15, 1, true, true); !errors.Is(err, context.Canceled) {
		t.Fatalf("a lock given up: %v", err)
	}
	done := make(chan error)
	go func() { done <- f[1].Lock(ctx, 15, 1, true, true) }()
	if err := f[0].Unlock(ctx, 10, 10); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("a waiting lock: %v", err)
	}
}

// What a policy demands and a server does not have is refused, by name, and never weakened.
func TestPolicy(t *testing.T) {
	s := rig.Smbd(t, rig.SMBOptions{Global: []string{"server max protocol = SMB2_10", "map to guest = bad user"}})
	for _, c := range []struct {
		policy smb2.Policy
		rule   string
	}{
		{smb2.Policy{RequirePrivacy: true}, "MinDialect"},
		{smb2.Policy{MinDialect: wire.Dialect311}, "MinDialect"},
		{smb2.Policy{MinDialect: wire.Dialect311, MaxDialect: wire.Dialect210}, "MinDialect"},
	} {
		o := options(t, s)
		o.Policy = c.policy
		cl, err := smb2.Dial(t.Context(), o)
		var p *conn.PolicyError
		if !errors.As(err, &p) || !strings.HasPrefix(p.Rule, c.rule) {
			t.Errorf("%+v: %v, %v", c.policy, cl, err)
		}
	}
	o := options(t, s)
	var err error
	if o.Credential, err = auth.Password("nobody at all", auth.NewSecret("x"), auth.Options{}); err != nil {
		t.Fatal(err)
	}
	var p *conn.PolicyError
	if _, err = smb2.Dial(t.Context(), o); !errors.As(err, &p) || p.Rule != "Credential" {
		t.Errorf("an unknown user: %v", err)
	}
	o.Credential = auth.Guest("nobody at all")
	if c := dial(t, o); !c.Info().Guest {
		t.Errorf("%+v", c.Info())
	}
	o.Policy.RequireIntegrity = true
	if _, err = smb2.Dial(t.Context(), o); !errors.As(err, &p) || p.Rule != "RequireIntegrity" {
		t.Errorf("a guest with integrity: %v", err)
	}
}

// A server that has stopped is known as dead after DeadAfter, and then answers at once; a request is given up at any moment; after the
// server goes on, so does the client.
func TestFrozen(t *testing.T) {
	s := rig.Smbd(t, rig.SMBOptions{})
	o := options(t, s)
	o.DeadAfter, o.DialTimeout = time.Second, time.Second
	tr := tree(t, dial(t, o), "data")
	f, err := tr.Open(t.Context(), "f", smb2.Open{Access: wire.GenericRead | wire.GenericWrite, Disposition: wire.Create, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(t.Context(), []byte("before"), 0); err != nil {
		t.Fatal(err)
	}
	s.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.ReadAt(ctx, make([]byte, 10), 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("given up: %v", err)
	}
	big := make([]byte, 64<<20) // more than the sockets take
	ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := f.WriteAt(ctx, big, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a write given up: %v", err)
	}
	if _, err := tr.Stat(t.Context(), "f"); !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("dead: %v", err)
	}
	s.Thaw()
	for {
		if _, err = tr.Stat(t.Context(), "f"); err == nil {
			break
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// After a lost connection the files come back, and one that somebody else changed is reported.
func TestReconnect(t *testing.T) {
	for _, m := range []struct {
		name string
		data []string
	}{{"by name", []string{"durable handles = no"}}, {"durable", []string{"kernel share modes = no", "posix locking = no"}}} {
		t.Run(m.name, func(t *testing.T) {
			s := rig.Smbd(t, rig.SMBOptions{Data: m.data})
			o := options(t, s)
			var last net.Conn
			real := o.Dial
			o.Dial = func(ctx context.Context) (net.Conn, error) {
				c, err := real(ctx)
				last = c
				return c, err
			}
			tr := tree(t, dial(t, o), "data")
			open := func(name string) *smb2.File {
				t.Helper()
				f, err := tr.Open(t.Context(), name, smb2.Open{Access: wire.GenericRead | wire.GenericWrite, Disposition: wire.OpenIf, Durable: true})
				if err != nil {
					t.Fatal(err)
				}
				return f
			}
			f, other := open("f"), open("other")
			durable := m.name == "durable"
			if f.Durable() != durable {
				t.Fatalf("durable: %v", f.Durable())
			}
			if _, err := f.WriteAt(t.Context(), []byte("hello"), 0); err != nil {
				t.Fatal(err)
			}
			if err := f.Lock(t.Context(), 0, 5, true, false); err != nil {
				t.Fatal(err)
			}
			last.Close()
			if !durable {
				if err := os.WriteFile(filepath.Join(s.Root("data"), "other"), []byte("somebody else"), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			p := make([]byte, 5)
			if n, err := f.ReadAt(t.Context(), p, 0); err != nil || string(p[:n]) != "hello" {
				t.Errorf("%q, %v", p[:n], err)
			}
			g := open("f")
			if err := g.Lock(t.Context(), 0, 1, true, false); smb2.StatusOf(err) != wire.StatusLockNotGranted {
				t.Errorf("the lock did not come back: %v", err)
			}
			_, err := other.ReadAt(t.Context(), p, 0)
			if !durable && !errors.Is(err, smb2.ErrChanged) || durable && err != nil {
				t.Errorf("the changed file: %v", err)
			}
		})
	}
}
