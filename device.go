package wnet

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/openwnet/wnet/win32"
)

// Device is a device's canonical name: "A:" to "Z:" or "LPT1" to "LPT9". The zero Device is none.
type Device string

// ParseDevice reads a device name in any case, "LPT1:" with a colon too (G-05). Anything else is ERROR_BAD_DEVICE (A2-14).
func ParseDevice(s string) (Device, error) {
	u := strings.Map(func(r rune) rune { // not strings.ToUpper, to which ſ is an S
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, s)
	if len(u) == 2 && u[1] == ':' && u[0] >= 'A' && u[0] <= 'Z' {
		return Device(u), nil
	}
	if n := strings.TrimSuffix(u, ":"); len(n) == 4 && n[:3] == "LPT" && n[3] >= '1' && n[3] <= '9' {
		return Device(n), nil
	}
	return "", &Error{Name: s, Code: win32.ERROR_BAD_DEVICE, Hint: "Devices are A: to Z: and LPT1 to LPT9."}
}

// Drive reports whether the device is a drive letter, as against a printer port.
func (d Device) Drive() bool { return len(d) == 2 }

// Key is the name without a colon, as a profile and a folder name it: "Z", "LPT1".
func (d Device) Key() string { return strings.TrimSuffix(string(d), ":") }

// Drives returns the letters in the order in which a free one is picked: Z: down to C: for a session (A2-44), C: up to Z: for the
// global namespace (DD-10).
func Drives(global bool) []Device {
	var all []Device
	for c := byte('C'); c <= 'Z'; c++ {
		letter := c
		if !global {
			letter = 'Z' - (c - 'C')
		}
		all = append(all, Device([]byte{letter, ':'}))
	}
	return all
}

// Ports returns the printer ports in the order in which a free one is picked.
func Ports() []Device {
	var all []Device
	for n := 1; n <= 9; n++ {
		all = append(all, Device("LPT"+strconv.Itoa(n)))
	}
	return all
}

// LUID identifies a logon session (DD-01). Its low and high parts are those of Windows' struct.
type LUID uint64

// LUID values that Windows gives to fixed sessions (dosdevices.md §6).
const (
	LUIDSystem LUID = 0x3E7 // the owner of the global namespace (DD-04)
)

// String gives "high-low" in hexadecimal, as in the object manager's folder names.
func (l LUID) String() string { return fmt.Sprintf("%08x-%08x", uint32(l>>32), uint32(l)) }

// MarshalText gives the form of String.
func (l LUID) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the form of String.
func (l *LUID) UnmarshalText(b []byte) error {
	v, err := ParseLUID(string(b))
	if err == nil {
		*l = v
	}
	return err
}

// ParseLUID reads the form of LUID.String, or a plain hexadecimal low part. ERROR_INVALID_PARAMETER otherwise.
func ParseLUID(s string) (LUID, error) {
	hi, lo, ok := strings.Cut(s, "-")
	if !ok {
		hi, lo = "0", strings.TrimPrefix(s, "0x")
	}
	h, err1 := strconv.ParseUint(hi, 16, 32)
	l, err2 := strconv.ParseUint(lo, 16, 32)
	if err1 != nil || err2 != nil {
		return 0, &Error{Name: s, Code: win32.ERROR_INVALID_PARAMETER, Hint: "A session is written as `wnet session list` prints it."}
	}
	return LUID(h<<32 | l), nil
}
