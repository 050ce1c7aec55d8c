package providertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// env is a check at work. Its methods give up the check at the first thing that is not as it should be, by a panic that body catches:
// checks then read as a list of what has to hold.
type env struct {
	ctx  context.Context
	tg   Target
	conn wnet.Conn
	fs   wnet.FileSystem
}

// broken is the panic that ends a check.
type broken struct{ err error }

// body makes a check's Run from a function that needs the target only.
func body(f func(e *env)) func(context.Context, Target) error {
	return func(ctx context.Context, tg Target) (err error) {
		e := &env{ctx: ctx, tg: tg}
		defer func() {
			switch r := recover().(type) {
			case nil:
			case broken:
				err = r.err
			default:
				panic(r)
			}
			if e.conn != nil {
				e.conn.Close()
			}
		}()
		f(e)
		return nil
	}
}

// connected makes a check's Run from a function that needs a connection to the share.
func connected(f func(e *env)) func(context.Context, Target) error {
	return body(func(e *env) {
		e.conn = e.connect()
		e.fs = e.conn.FS()
		f(e)
	})
}

func (e *env) fail(format string, args ...any) { panic(broken{fmt.Errorf(format, args...)}) }

// ok wants no error.
func (e *env) ok(what string, err error) {
	if err != nil {
		e.fail("%s: got %w, want success", what, err)
	}
}

// eq wants two values to be equal.
func eq[T comparable](e *env, what string, got, want T) {
	if got == want {
		return
	}
	if text, ok := any(got).(string); ok {
		e.fail("%s: got %s, want %s", what, short(text), short(any(want).(string)))
	}
	e.fail("%s: got %v, want %v", what, got, want)
}

// errno wants an error that unwraps to one of the numbers.
func (e *env) errno(what string, err error, want ...syscall.Errno) {
	for _, w := range want {
		if errors.Is(err, w) {
			return
		}
	}
	names := make([]any, len(want))
	for i, w := range want {
		names[i] = fmt.Sprintf("%q (%d)", w.Error(), int(w))
	}
	e.fail("%s: got %w, want the errno %v", what, orSuccess(err), names)
}

// code wants an *wnet.Error with one of the codes.
func (e *env) code(what string, err error, want ...win32.Code) {
	var we *wnet.Error
	if errors.As(err, &we) && slices.Contains(want, we.Code) {
		return
	}
	names := make([]string, len(want))
	for i, w := range want {
		names[i] = fmt.Sprintf("%s (%d)", w.Name(), w)
	}
	if err != nil && we == nil {
		e.fail("%s: got %T (%w), want a *wnet.Error with %v", what, err, err, names)
	}
	e.fail("%s: got %w (%d), want %v", what, orSuccess(err), wnet.CodeOf(err), names)
}

// ended wants the error of a context that was cancelled.
func (e *env) ended(what string, err error) {
	if !errors.Is(err, context.Canceled) {
		e.fail("%s: got %w, want an error that unwraps to context.Canceled", what, orSuccess(err))
	}
}

func orSuccess(err error) error {
	if err == nil {
		return errors.New("success")
	}
	return err
}

// soon wants f to come back, whatever the server does.
func (e *env) soon(what string, f func()) {
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		f()
	}()
	e.wait(what, done)
}

// wait waits for what f panicked with, nil if it did not.
func (e *env) wait(what string, done <-chan any) {
	t := time.NewTimer(e.tg.patience())
	defer t.Stop()
	select {
	case r := <-done:
		if r != nil {
			panic(r)
		}
	case <-t.C:
		e.fail("%s: got no answer within %v, want one soon", what, e.tg.patience())
	}
}

// all runs f n times at once and waits for all.
func (e *env) all(n int, f func(i int)) {
	var wg sync.WaitGroup
	panics := make([]any, n)
	for i := range n {
		wg.Go(func() {
			defer func() { panics[i] = recover() }()
			f(i)
		})
	}
	wg.Wait()
	for _, r := range panics {
		if r != nil {
			panic(r)
		}
	}
}

// connect makes one more connection to the share; the caller closes it.
func (e *env) connect() wnet.Conn { return e.connectTo(e.tg.Share) }

func (e *env) connectTo(name wnet.RemoteName) wnet.Conn {
	c, err := e.tg.Provider.Connect(e.ctx, e.tg.request(name))
	e.ok("Connect to "+name.String(), err)
	if c == nil || c.FS() == nil {
		e.fail("Connect to %s: got no connection with a file system, want one", name)
	}
	return c
}

const (
	reading = wnet.OpenRead
	writing = wnet.OpenWrite
	both    = wnet.OpenRead | wnet.OpenWrite
	create  = both | wnet.OpenCreate
)

// open opens a file that the check closes itself, or leaves to the end of the connection.
func (e *env) open(name string, flag wnet.OpenFlag) wnet.File {
	f, err := e.fs.Open(e.ctx, name, flag, 0o644)
	e.ok("Open "+name, err)
	return f
}

func (e *env) close(f wnet.File) { e.ok("Close of a file", f.Close(e.ctx)) }

// put makes name a file with that text.
func (e *env) put(name, text string) {
	f := e.open(name, create|wnet.OpenTruncate)
	e.write(f, text, 0)
	e.close(f)
}

func (e *env) write(f wnet.File, text string, off int64) {
	n, err := f.WriteAt(e.ctx, []byte(text), off)
	e.ok("WriteAt", err)
	eq(e, "WriteAt's count", n, len(text))
}

// read reads up to n bytes.
func (e *env) read(f wnet.File, n int, off int64) string {
	p := make([]byte, n)
	got, err := f.ReadAt(e.ctx, p, off)
	e.ok(fmt.Sprintf("ReadAt of %d bytes at %d", n, off), err)
	if got < 0 || got > n {
		e.fail("ReadAt of %d bytes: got the count %d, want 0 to %d", n, got, n)
	}
	return string(p[:got])
}

// holds wants the file to hold that text and nothing more, through a File that is open.
func (e *env) holds(what string, f wnet.File, want string) {
	eq(e, what, e.read(f, len(want)+10, 0), want)
}

// has wants the file of that name to hold the text.
func (e *env) has(name, want string) {
	f := e.open(name, reading)
	e.holds("the content of "+name, f, want)
	e.close(f)
}

// short keeps long contents out of messages.
func short(s string) string {
	if len(s) > 300 {
		h := uint64(14695981039346656037)
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		return fmt.Sprintf("%q… (%d bytes, sum %016x)", s[:20], len(s), h)
	}
	return fmt.Sprintf("%q", s)
}

func (e *env) mkdir(name string) { e.ok("Mkdir "+name, e.fs.Mkdir(e.ctx, name, 0o755)) }

func (e *env) stat(name string) wnet.Attr {
	a, err := e.fs.Stat(e.ctx, name)
	e.ok("Stat "+name, err)
	return a
}

// gone wants that there is nothing of that name.
func (e *env) gone(name string) {
	_, err := e.fs.Stat(e.ctx, name)
	e.errno("Stat "+name+", which is not there", err, syscall.ENOENT)
}

// list gives a folder's entries by name.
func (e *env) list(name string) map[string]wnet.Attr {
	all, err := e.fs.ReadDir(e.ctx, name)
	e.ok("ReadDir "+name, err)
	m := make(map[string]wnet.Attr, len(all))
	for _, a := range all {
		if _, twice := m[a.Name]; twice {
			e.fail("ReadDir %s: got %q twice, want it once", name, a.Name)
		}
		m[a.Name] = a
	}
	return m
}

// names wants a folder to hold exactly these.
func (e *env) names(dir string, want ...string) {
	got := e.list(dir)
	for _, n := range want {
		if _, ok := got[n]; !ok {
			e.fail("ReadDir %s: got %d entries without %s, want that and %d others", dir, len(got), short(n), len(want)-1)
		}
		delete(got, n)
	}
	for n := range got {
		e.fail("ReadDir %s: got %s among %d entries, want only the %d others", dir, short(n), len(want)+len(got), len(want))
	}
}

// same wants two descriptions of one file to agree in all that does not depend on when they were made.
func (e *env) same(what string, got, want wnet.Attr) {
	// A server may give whole seconds in one answer and less in another.
	sec := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return t.Unix()
	}
	eq(e, what+": Name", got.Name, want.Name)
	eq(e, what+": Mode", got.Mode, want.Mode)
	eq(e, what+": ModTime in seconds", sec(got.ModTime), sec(want.ModTime))
	eq(e, what+": ID", got.ID, want.ID)
	if want.Mode.IsRegular() {
		eq(e, what+": Size", got.Size, want.Size)
	}
}

// noise is pseudo-random content, the same for the same seed.
func noise(seed uint64, n int) string {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 'w', 'n', 'e', 't'})
	p := make([]byte, n)
	r.Read(p)
	return string(p)
}

func isDir(a wnet.Attr) bool { return a.Mode.Type() == fs.ModeDir }
