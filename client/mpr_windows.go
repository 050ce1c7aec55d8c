package client

import (
	"errors"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// mpr is the system's Multiple Provider Router.
type mpr struct{ dll *windows.LazyDLL }

// code calls a function of mpr.dll and returns what it returns. A function that this system's mpr.dll lacks is ERROR_NOT_SUPPORTED. For
// ERROR_EXTENDED_ERROR the provider's own number and text are fetched, which wait with the thread that made the call (LE-01).
//
//go:uintptrescapes
func (m mpr) code(name string, args ...uintptr) error {
	p := m.dll.NewProc(name)
	if err := p.Find(); err != nil {
		return &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED, Err: err}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, _, _ := p.Call(args...)
	switch c := win32.Code(r); c {
	case win32.NO_ERROR:
		return nil
	case win32.ERROR_EXTENDED_ERROR:
		return m.lastError()
	default:
		return &wnet.Error{Code: c}
	}
}

// lastError is WNetGetLastError. The caller holds the thread.
func (m mpr) lastError() error {
	e := &wnet.Error{Code: win32.ERROR_EXTENDED_ERROR}
	var native uint32
	text, provider := make([]uint16, 256), make([]uint16, 256) // LE-03
	r, _, _ := m.dll.NewProc("WNetGetLastErrorW").Call(uintptr(unsafe.Pointer(&native)), uintptr(unsafe.Pointer(&text[0])),
		uintptr(len(text)), uintptr(unsafe.Pointer(&provider[0])), uintptr(len(provider)))
	if r == 0 {
		e.Native, e.NativeText, e.Provider = native, windows.UTF16ToString(text), windows.UTF16ToString(provider)
	}
	return e
}

// grow calls f with a buffer of size units and again with a larger one while it answers ERROR_MORE_DATA with the size that it needs (G-07).
// What f says of the size is what counts, so that a resource that becomes longer meanwhile is no error.
func grow[T any](size uint32, f func(buf *T, size *uint32) error) ([]T, error) {
	for {
		buf, need := make([]T, size), size
		err := f(&buf[0], &need)
		if errors.Is(err, win32.ERROR_MORE_DATA) && need > size {
			size = need
			continue
		}
		return buf, err
	}
}

// packed is a buffer that mpr.dll fills with structures at its head and the strings they point to behind them (G-08). Go's collector must
// not take what is in it for pointers.
type packed []uint64

const unit = uint32(unsafe.Sizeof(uint64(0)))

// fill calls f with a buffer of at least size bytes, as grow does.
func fill(size uint32, f func(buf unsafe.Pointer, bytes *uint32) error) (packed, error) {
	return grow(size/unit, func(buf *uint64, units *uint32) error {
		bytes := *units * unit
		err := f(unsafe.Pointer(buf), &bytes)
		*units = bytes/unit + 1
		return err
	})
}

// text is the string at an address inside the buffer, "" for NULL and for an address outside.
func (b packed) text(address uintptr) string {
	all := unsafe.Slice((*uint16)(unsafe.Pointer(&b[0])), len(b)*int(unit)/2)
	at := (address - uintptr(unsafe.Pointer(&b[0]))) / 2
	if address == 0 || at >= uintptr(len(all)) {
		return ""
	}
	return windows.UTF16ToString(all[at:])
}

// netResource is NETRESOURCEW (structs.md) as a caller passes it.
type netResource struct {
	Scope, Type, DisplayType, Usage          uint32
	LocalName, RemoteName, Comment, Provider *uint16
}

// foundResource is NETRESOURCEW as mpr.dll leaves it in a buffer.
type foundResource struct {
	Scope, Type, DisplayType, Usage          uint32
	LocalName, RemoteName, Comment, Provider uintptr
}

// resources are the first n structures of the buffer.
func (b packed) resources(n uint32) (all []wnet.Resource) {
	n = min(n, uint32(len(b))*unit/uint32(unsafe.Sizeof(foundResource{})))
	for _, r := range unsafe.Slice((*foundResource)(unsafe.Pointer(&b[0])), n) {
		all = append(all, wnet.Resource{Scope: r.Scope, Type: r.Type, DisplayType: r.DisplayType, Usage: r.Usage,
			LocalName: b.text(r.LocalName), RemoteName: b.text(r.RemoteName), Comment: b.text(r.Comment), Provider: b.text(r.Provider)})
	}
	return all
}

// lower makes a resource for mpr.dll. Empty names are NULL.
func lower(r wnet.Resource) (n netResource, err error) {
	n = netResource{Scope: r.Scope, Type: r.Type, DisplayType: r.DisplayType, Usage: r.Usage}
	if n.LocalName, err = wide(r.LocalName); err == nil {
		n.RemoteName, err = wide(remote(r.RemoteName))
	}
	if err == nil {
		n.Provider, err = wide(r.Provider)
	}
	return n, err
}

// wide makes a string for a W function, NULL for "". A NUL inside is ERROR_INVALID_PARAMETER: nothing behind it would be seen.
func wide(s string) (*uint16, error) {
	if s == "" {
		return nil, nil
	}
	return always(s)
}

// always is wide without NULL.
func always(s string) (*uint16, error) {
	p, err := windows.UTF16PtrFromString(s)
	if err != nil {
		return nil, &wnet.Error{Name: s, Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("there is a NUL in the text")}
	}
	return p, nil
}

// remote brings the slashes of //server/share into Windows' form and leaves every other form to the provider.
func remote(s string) string {
	if strings.HasPrefix(s, "//") {
		return strings.ReplaceAll(s, "/", `\`)
	}
	return s
}

// password makes a secret's text for a W function: NULL where it is absent, which is the default, and not "", which is none (A2-06). done
// wipes it.
func password(s wnet.Secret) (p *uint16, done func(), err error) {
	if !s.Present() {
		return nil, func() {}, nil
	}
	text, err := windows.UTF16FromString(s.Reveal())
	if err != nil {
		return nil, func() {}, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("there is a NUL in the password")}
	}
	return &text[0], func() { clear(text) }, nil
}
