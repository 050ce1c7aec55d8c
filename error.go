package wnet

import (
	"context"
	"errors"
	"strings"

	"github.com/openwnet/wnet/win32"
)

// Error is what every Service method and every Provider returns on failure. It unwraps to its code and to its cause, so
// errors.Is finds win32.ERROR_OPEN_FILES, fs.ErrNotExist and an errno alike.
type Error struct {
	Op       string     // what was asked, a method's name such as "CancelConnection"
	Name     string     // the device or remote name it was asked of, "" if none
	Provider string     // the provider that answered, "" if the router did
	Code     win32.Code // what the caller decides by; never 0
	Err      error      // the cause, nil if the code says all
	Hint     string     // what the person can do now, a whole sentence, "" if nothing can be said

	// Native and NativeText are the provider's own number and text behind ERROR_EXTENDED_ERROR (G-03, LE-02).
	Native     uint32
	NativeText string

	// Holders names the programs that keep a connection from being given up (CC-13, CC-16).
	Holders []Holder

	// HostKey is the fingerprint ("SHA256:…") of a server key that is not known yet, set only where accepting it is possible:
	// ask the person, then try again with UseOptions.HostKey set to it.
	HostKey string
}

// Error gives Windows' text, then the cause, in one line. The hint and the holders are for a longer message.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Name != "" {
		b.WriteString(e.Name)
		b.WriteString(": ")
	}
	b.WriteString(strings.TrimSuffix(e.Code.Error(), "."))
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	if e.NativeText != "" {
		b.WriteString(": ")
		b.WriteString(e.NativeText)
	}
	return b.String()
}

// Unwrap returns the code and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.Err}
}

// CodeOf returns the code that a caller of WNet gets for err: 0 for nil, the outermost *Error's code or a bare win32.Code if the
// chain has one, ERROR_CANCELLED for a context that was cancelled, ERROR_EXTENDED_ERROR for anything else.
func CodeOf(err error) win32.Code {
	var e *Error
	var c win32.Code
	switch {
	case err == nil:
		return win32.NO_ERROR
	case errors.As(err, &e):
		return e.Code
	case errors.As(err, &c):
		return c
	case errors.Is(err, context.Canceled):
		return win32.ERROR_CANCELLED
	default:
		return win32.ERROR_EXTENDED_ERROR
	}
}

// AsError returns err as an *Error with op and name filled in where they are missing, nil for nil. It does not change err. An
// error without a code becomes ERROR_EXTENDED_ERROR with its text as NativeText (G-03).
func AsError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		c := *e
		if c.Op == "" {
			c.Op = op
		}
		if c.Name == "" {
			c.Name = name
		}
		return &c
	}
	e = &Error{Op: op, Name: name, Code: CodeOf(err)}
	var c win32.Code
	switch {
	case errors.As(err, &c) && err == error(c):
	case e.Code == win32.ERROR_EXTENDED_ERROR:
		e.Native, e.NativeText = uint32(win32.ERROR_GEN_FAILURE), err.Error()
	default:
		e.Err = err
	}
	return e
}
