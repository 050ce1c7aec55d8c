package dfs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
	"unicode/utf16"
)

// answer is a server's referral of version 4 for a path of which it covers prefix.
func answer(prefix string, root bool, flags uint32, ttl uint32, targets ...string) []byte {
	n := len(targets)
	b := le.AppendUint16(nil, uint16(2*len(utf16.Encode([]rune(prefix)))))
	b = le.AppendUint16(b, uint16(n))
	b = le.AppendUint32(b, flags)
	var names []byte
	name := func(s string) (at int) {
		at = len(names)
		for _, c := range utf16.Encode([]rune(s)) {
			names = le.AppendUint16(names, c)
		}
		names = append(names, 0, 0)
		return at
	}
	dfsPath := name(prefix)
	for i, t := range targets {
		left := (n - i) * 34
		kind := uint16(0)
		if root {
			kind = 1
		}
		b = le.AppendUint16(le.AppendUint16(le.AppendUint16(le.AppendUint16(b, 4), 34), kind), 0)
		b = le.AppendUint32(b, ttl)
		b = le.AppendUint16(b, uint16(left+dfsPath))
		b = le.AppendUint16(b, uint16(left+dfsPath))
		b = le.AppendUint16(b, uint16(left+name(t)))
		b = append(b, make([]byte, 16)...)
	}
	return append(b, names...)
}

// asker answers from a table of `server path`.
type asker map[string][]byte

func (a asker) Referral(_ context.Context, server, path string) ([]byte, error) {
	if b, ok := a[server+" "+path]; ok {
		return b, nil
	}
	return nil, io.EOF
}

func targets(t *testing.T, r *Resolver, path string, want ...string) {
	t.Helper()
	got, err := r.Targets(path)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %q %v, want %q", path, got, err, want)
	}
}

// A domain's root leads to a server's, its link to two others, and all of it lives as long as the servers say.
func TestResolve(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := New(func() time.Time { return now })
	a := asker{
		`example.org \example.org\root\Link\a b\c`: answer(`\example.org\root`, true, 5, 600, `\dc1\root`, `\dc2\root`),
		`dc1 \dc1\root\Link\a b\c`:                 answer(`\dc1\root\Link`, false, 6, 60, `\one\data`, `\two\data\sub`),
	}
	path := `\\example.org\root\Link\a b\c`
	targets(t, r, path, `\example.org\root\Link\a b\c`)
	if ref, err := r.Learn(t.Context(), a, "", path); err != nil || !ref.Root || ref.Storage || !ref.Back || ref.TTL != 10*time.Minute {
		t.Fatalf("%+v %v", ref, err)
	}
	targets(t, r, path, `\dc1\root\Link\a b\c`, `\dc2\root\Link\a b\c`)
	if ref, err := r.Learn(t.Context(), a, "", `\dc1\root\Link\a b\c`); err != nil || ref.Root || !ref.Storage {
		t.Fatalf("%+v %v", ref, err)
	}
	targets(t, r, `//EXAMPLE.org/ROOT/link/a b/c`, `\one\data\a b\c`, `\two\data\sub\a b\c`, `\dc2\root\link\a b\c`)
	targets(t, r, `\example.org\root\Linked`, `\dc1\root\Linked`, `\dc2\root\Linked`)

	// What fails comes last, and first again after a while, or when a new referral comes that has it no more.
	r.Failed(`\ONE\data\a b\c`)
	targets(t, r, path, `\two\data\sub\a b\c`, `\one\data\a b\c`, `\dc2\root\Link\a b\c`)
	r.Failed(`\two\data\sub`)
	targets(t, r, path, `\one\data\a b\c`, `\two\data\sub\a b\c`, `\dc2\root\Link\a b\c`)
	if _, err := r.Learn(t.Context(), a, "", `\dc1\root\Link\a b\c`); err != nil {
		t.Fatal(err)
	}
	r.Failed(`\one\data`)
	targets(t, r, path, `\two\data\sub\a b\c`, `\one\data\a b\c`, `\dc2\root\Link\a b\c`)

	now = now.Add(61 * time.Second)
	targets(t, r, path, `\dc1\root\Link\a b\c`, `\dc2\root\Link\a b\c`)
	now = now.Add(10 * time.Minute)
	targets(t, r, path, `\example.org\root\Link\a b\c`)

	if _, err := r.Learn(t.Context(), a, "", path); err != nil {
		t.Fatal(err)
	}
	r.Forget(path)
	targets(t, r, path, `\example.org\root\Link\a b\c`)
	if _, err := r.Learn(t.Context(), a, "", `\nobody\x`); err != io.EOF {
		t.Error(err)
	}
}

// A root that is its own target is one, and referrals that lead in circles are an error and no endless loop.
func TestCircles(t *testing.T) {
	r := New(nil)
	a := asker{
		`nas \nas\dfs`:   answer(`\nas\dfs`, true, 7, 600, `\NAS\dfs`, `\nas2\dfs`),
		`a \a\x`:         answer(`\a\x`, false, 2, 600, `\b\y`),
		`b \b\y`:         answer(`\b\y`, false, 2, 600, `\a\x\deeper`),
		`many \many\x`:   answer(`\many\x`, false, 2, 600, `\many\x\a`, `\many\x\b`, `\many\x\c`, `\many\x\d`),
		`loose \loose\x`: answer(`\loose\x`, false, 2, 600, `\a\x`, `\fine\z`),
	}
	for _, p := range []string{`\nas\dfs`, `\a\x`, `\b\y`, `\loose\x`} {
		if _, err := r.Learn(t.Context(), a, "", p); err != nil {
			t.Fatal(err)
		}
	}
	targets(t, r, `\nas\dfs\f`, `\nas\dfs\f`, `\nas2\dfs\f`)
	targets(t, r, `\loose\x\f`, `\fine\z\f`)
	if _, err := r.Targets(`\a\x\f`); !errors.Is(err, ErrLoop) {
		t.Error(err)
	}
	if _, err := r.Learn(t.Context(), a, "", `\many\x`); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Targets(`\many\x\f`); !errors.Is(err, ErrLoop) {
		t.Error(err)
	}
	for _, p := range []string{``, `\`, `\nas`, `\nas\..`, `\nas\x\\y`, `nas\x\.`, "\\nas\\x\xff"} {
		if _, err := r.Targets(p); err == nil {
			t.Errorf("%q is taken for a path", p)
		}
	}
}

// Referrals that break the rules.
func TestMalformed(t *testing.T) {
	good := answer(`\nas\dfs\link`, false, 2, 60, `\one\data`)
	change := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	const path = `\nas\dfs\link\f`
	if _, err := ParseReferral(path, good); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"empty": {}, "no targets": change(2, 0), "more targets": change(2, 2), "odd": change(0, 25), "nothing of the path": change(0, 0),
		"more than the path": change(0, 200), "half a name": change(0, 24), "a server alone": change(0, 8), "version 1": change(8, 1), "size": change(10, 17),
		"size behind the end": change(10, 255), "domain names": change(14, 2), "name inside": change(24, 4), "name outside": change(24, 255, 255),
		"no end": good[:len(good)-2], "a target that leads out": answer(`\nas\dfs\link`, false, 2, 60, `\one\data\..\other`),
		"a target without a share": answer(`\nas\dfs\link`, false, 2, 60, `\one`),
	} {
		if r, err := ParseReferral(path, b); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
}

func FuzzReferral(f *testing.F) {
	f.Add(`\nas\dfs\link\f`, answer(`\nas\dfs\link`, false, 6, 60, `\one\data`, `\two\data`))
	f.Fuzz(func(t *testing.T, path string, b []byte) {
		ref, err := ParseReferral(path, b)
		if err != nil {
			return
		}
		if len(ref.Targets) == 0 || len(ref.Prefix) > len(path) {
			t.Fatalf("%+v", ref)
		}
		r := New(nil)
		if _, err := r.Learn(t.Context(), raw(b), "", path); err != nil {
			return
		}
		r.Targets(path)
		r.Failed(ref.Targets[0])
	})
}

type raw []byte

func (r raw) Referral(context.Context, string, string) ([]byte, error) { return r, nil }
