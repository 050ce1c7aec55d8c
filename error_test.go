package wnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/openwnet/wnet/win32"
)

// A chain is asked for its code and for every cause.
func TestErrorUnwraps(t *testing.T) {
	cause := &fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}
	err := fmt.Errorf("outer: %w", &Error{Op: "CancelConnection", Name: "Z:", Code: win32.ERROR_OPEN_FILES, Err: fmt.Errorf("inner: %w", cause)})
	for _, want := range []error{win32.ERROR_OPEN_FILES, fs.ErrNotExist, syscall.ENOENT, cause} {
		if !errors.Is(err, want) {
			t.Errorf("%v is not found", want)
		}
	}
	for _, other := range []error{win32.ERROR_DEVICE_IN_USE, fs.ErrExist, syscall.EACCES, io.EOF} {
		if errors.Is(err, other) {
			t.Errorf("%v is found", other)
		}
	}
	var p *fs.PathError
	var c win32.Code
	if !errors.As(err, &p) || p != cause || !errors.As(err, &c) || c != win32.ERROR_OPEN_FILES {
		t.Errorf("As: %v %v", p, c)
	}
	if !errors.Is(&Error{Code: win32.ERROR_BUSY}, win32.ERROR_BUSY) {
		t.Error("no cause: the code is not found")
	}
}

// The message is Windows' text, then the cause, on one line.
func TestErrorText(t *testing.T) {
	for want, e := range map[string]*Error{
		"Access is denied": {Code: win32.ERROR_ACCESS_DENIED},
		"Z:: The device is in use by an active process and cannot be disconnected": {Name: "Z:", Code: win32.ERROR_DEVICE_IN_USE, Hint: "not here"},
		`\\s\x: The network path was not found: no route`:                          {Name: `\\s\x`, Code: win32.ERROR_BAD_NETPATH, Err: errors.New("no route")},
		"An extended error has occurred: server said 7":                            {Code: win32.ERROR_EXTENDED_ERROR, Native: 7, NativeText: "server said 7"},
	} {
		if e.Error() != want {
			t.Errorf("got %q, want %q", e.Error(), want)
		}
	}
}

func TestCodeOf(t *testing.T) {
	for want, errs := range map[win32.Code][]error{
		win32.NO_ERROR: {nil},
		win32.ERROR_BUSY: {win32.ERROR_BUSY, fmt.Errorf("x: %w", win32.ERROR_BUSY), &Error{Code: win32.ERROR_BUSY},
			// The outermost decides: an edge has translated the inner one.
			&Error{Code: win32.ERROR_BUSY, Err: &Error{Code: win32.ERROR_NOT_CONNECTED}},
			&Error{Code: win32.ERROR_BUSY, Err: context.Canceled},
			fmt.Errorf("x: %w", &Error{Code: win32.ERROR_BUSY, Err: win32.ERROR_NOT_CONNECTED}), errors.Join(io.EOF, win32.ERROR_BUSY)},
		win32.ERROR_CANCELLED:      {context.Canceled, fmt.Errorf("x: %w", context.Canceled)},
		win32.ERROR_EXTENDED_ERROR: {io.EOF, syscall.EACCES, context.DeadlineExceeded},
	} {
		for _, err := range errs {
			if got := CodeOf(err); got != want {
				t.Errorf("%v: %d, want %d", err, got, want)
			}
		}
	}
}

func TestAsError(t *testing.T) {
	if err := AsError("Op", "Z:", nil); err != nil {
		t.Errorf("nil: %v", err)
	}
	as := func(err error) *Error {
		t.Helper()
		e, ok := AsError("Op", "Z:", err).(*Error)
		if !ok || e.Op == "" || e.Name == "" || e.Code == 0 {
			t.Fatalf("%v became %+v", err, e)
		}
		return e
	}
	// What is missing is filled in, on a copy; what is there stays, wherever in the chain.
	orig := &Error{Code: win32.ERROR_BUSY, Provider: "p", Hint: "h", Holders: []Holder{{PID: 1}}, HostKey: "k", Err: io.EOF}
	if e := as(fmt.Errorf("x: %w", orig)); e == orig || orig.Op != "" || e.Op != "Op" || e.Name != "Z:" || e.Provider != "p" || e.Hint != "h" ||
		len(e.Holders) != 1 || e.HostKey != "k" || !errors.Is(e, io.EOF) {
		t.Errorf("%+v from %+v", e, orig)
	}
	if e := as(&Error{Op: "Mount", Name: "Y:", Code: win32.ERROR_BUSY}); e.Op != "Mount" || e.Name != "Y:" {
		t.Errorf("%+v", e)
	}
	// A bare code is the whole error; one in a chain keeps the chain's words.
	if e := as(win32.ERROR_BUSY); e.Code != win32.ERROR_BUSY || e.Err != nil {
		t.Errorf("%+v", e)
	}
	if e := as(fmt.Errorf("what happened: %w", win32.ERROR_BUSY)); e.Code != win32.ERROR_BUSY || e.Err == nil || !strings.Contains(e.Error(), "what happened") {
		t.Errorf("%+v", e)
	}
	if e := as(context.Canceled); e.Code != win32.ERROR_CANCELLED || !errors.Is(e, context.Canceled) {
		t.Errorf("%+v", e)
	}
	// Anything else is an extended error with its words (G-03).
	if e := as(syscall.EACCES); e.Code != win32.ERROR_EXTENDED_ERROR || e.Native == 0 || e.NativeText != syscall.EACCES.Error() {
		t.Errorf("%+v", e)
	}
}

func TestHolder(t *testing.T) {
	vim := Holder{PID: 4711, Program: "vim", User: "anna", File: "notes.txt"}
	for u, want := range map[Use]string{
		UseRead: "vim (pid 4711, user anna) has notes.txt open for reading", UseWrite: "vim (pid 4711, user anna) has notes.txt open for writing",
		UseReadWrite: "vim (pid 4711, user anna) has notes.txt open for reading and writing",
		UseFolder:    "vim (pid 4711, user anna) has the folder notes.txt open",
		UseCwd:       "vim (pid 4711, user anna) has its working directory in notes.txt",
		UseRoot:      "vim (pid 4711, user anna) has its root directory in notes.txt",
		UseMap:       "vim (pid 4711, user anna) has notes.txt mapped into memory", UseExe: "vim (pid 4711, user anna) runs from notes.txt",
	} {
		vim.Use = u
		if vim.String() != want {
			t.Errorf("got %q, want %q", vim, want)
		}
		// CC-24: open files are 2401, the rest 2404.
		if open := u == UseRead || u == UseWrite || u == UseReadWrite || u == UseFolder; u.Open() != open {
			t.Errorf("%s: Open is %v", u, u.Open())
		}
	}
	if s := (Holder{File: ".", Use: UseFolder}).String(); s != "a process that can't be seen from here has the top folder open" {
		t.Errorf("%q", s)
	}
}
