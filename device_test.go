package wnet

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/openwnet/wnet/win32"
)

// Devices in any case, without a trailing backslash; a printer port with a colon or without (G-05), canonically without one.
//
// Rows: A2-14, DD-30.
func TestParseDevice(t *testing.T) {
	for in, want := range map[string]Device{
		"Z:": "Z:", "z:": "Z:", "a:": "A:", "LPT1": "LPT1", "lpt9": "LPT9", "Lpt3:": "LPT3",
	} {
		d, err := ParseDevice(in)
		if err != nil || d != want {
			t.Errorf("%q: %q %v, want %q", in, d, err, want)
		}
		if again, err := ParseDevice(string(d)); err != nil || again != d {
			t.Errorf("%q is not canonical: %q %v", d, again, err)
		}
	}
	for _, in := range []string{"", ":", "Z", "ZZ:", "1:", "Ä:", "ſ:", "Z:\\", "Z::", " Z:", "Z: ", "LPT", "LPT0", "LPT10", "LPT1::", "LPT:", "COM1", "PRN", "*",
		`\\server\share`, "Z:\x00", "\u202aZ:"} {
		d, err := ParseDevice(in)
		var e *Error
		if d != "" || !errors.Is(err, win32.ERROR_BAD_DEVICE) || !errors.As(err, &e) || e.Hint == "" {
			t.Errorf("%q: %q %v", in, d, err)
		}
	}
}

func TestDevice(t *testing.T) {
	if d := Device("Z:"); !d.Drive() || d.Key() != "Z" {
		t.Errorf("%v %q", d.Drive(), d.Key())
	}
	if d := Device("LPT1"); d.Drive() || d.Key() != "LPT1" {
		t.Errorf("%v %q", d.Drive(), d.Key())
	}
	if Device("").Drive() {
		t.Error("none is a drive")
	}
}

// Z: down to C: for a session, C: up to Z: for the global namespace.
//
// Rows: DD-10, A2-44.
func TestFreeOrder(t *testing.T) {
	local, global := Drives(false), Drives(true)
	if len(local) != 24 || len(global) != 24 || local[0] != "Z:" || local[23] != "C:" {
		t.Fatalf("local %v", local)
	}
	for i := range local {
		if local[i] != global[23-i] {
			t.Errorf("global %v", global)
		}
	}
	if p := Ports(); len(p) != 9 || p[0] != "LPT1" || p[8] != "LPT9" {
		t.Errorf("ports %v", p)
	}
	for _, d := range append(local, Ports()...) {
		if got, err := ParseDevice(string(d)); err != nil || got != d {
			t.Errorf("%s: %v", d, err)
		}
	}
}

func TestLUID(t *testing.T) {
	for l, s := range map[LUID]string{
		0: "00000000-00000000", LUIDSystem: "00000000-000003e7", 0x1234_89abcdef: "00001234-89abcdef", 1<<64 - 1: "ffffffff-ffffffff",
	} {
		if l.String() != s {
			t.Errorf("%d: %s, want %s", uint64(l), l, s)
		}
		b, err := json.Marshal(map[string]LUID{"l": l})
		var back map[string]LUID
		if err != nil || json.Unmarshal(b, &back) != nil || back["l"] != l || string(b) != `{"l":"`+s+`"}` {
			t.Errorf("%s: %s %v %v", s, b, back, err)
		}
	}
	for in, want := range map[string]LUID{"3e7": 0x3e7, "0x3e7": 0x3e7, "0x3E7": 0x3e7, "1-2": 1<<32 | 2, "FFFFFFFF-0": 0xffffffff << 32} {
		if l, err := ParseLUID(in); err != nil || l != want {
			t.Errorf("%q: %s %v", in, l, err)
		}
	}
	for _, in := range []string{"", "-", "1-", "-1", "x", "1-2-3", "100000000", "0-100000000", " 1", "+1", "1_0", "0x0x1"} {
		l := LUID(7)
		if err := l.UnmarshalText([]byte(in)); !errors.Is(err, win32.ERROR_INVALID_PARAMETER) || l != 7 {
			t.Errorf("%q: %s %v", in, l, err)
		}
	}
}
