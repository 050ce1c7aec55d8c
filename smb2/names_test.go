package smb2

import "testing"

func TestMapping(t *testing.T) {
	for _, c := range []struct {
		m        Mapping
		name, on string
	}{
		{MapSFM, ".", ""},
		{MapSFM, "a/b", `a\b`},
		{MapSFM, `a:b/c\d`, "a\uf022b\\c\uf026d"},
		{MapSFM, "end. ", "end.\uf028"},
		{MapSFM, "end./x ", "end\uf029\\x\uf028"},
		{MapSFM, "\x01\"*<>?|", "\uf001\uf020\uf021\uf023\uf024\uf025\uf027"},
		{MapSFU, `a:b\c.`, "a\uf03ab\uf05cc\uf02e"},
		{MapNone, "a:b", "a:b"},
	} {
		got, err := c.m.toServer(c.name)
		if err != nil || got != c.on {
			t.Errorf("%q: %q, %v", c.name, got, err)
		}
	}
	for _, m := range []Mapping{MapSFM, MapSFU} {
		for _, name := range []string{`a:b*c?d"e<f>g|h\i`, "x ", "x.", "\x1f", "ä𝄞"} {
			on, err := m.toServer(name)
			back, ok := m.fromServer(on)
			if err != nil || !ok || back != name {
				t.Errorf("%d: %q became %q and %q", m, name, on, back)
			}
		}
	}
	for _, bad := range []string{"", "/a", "a//b", "../a", "a\xff", "a\x00"} {
		if got, err := MapSFM.toServer(bad); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
	for _, bad := range []string{"", ".", "..", "a/b", "a\x00"} {
		if got, ok := MapSFM.fromServer(bad); ok {
			t.Errorf("%q: %q", bad, got)
		}
	}
}
