package smb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/test/rig"
)

// onServer gives the names in a folder behind the server's back.
func onServer(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	ok(t, err)
	var all []string
	for _, e := range list {
		all = append(all, e.Name())
	}
	return all
}

func TestRemoveWhileOpen(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	c := connect(t, New(Config{}), request(srv, "data"))
	f := open(t, c, "f", create)
	write(t, f, "first")
	g := open(t, c, "F", wnet.OpenRead) // the same file to the server
	ok(t, c.Remove(t.Context(), "f", false))
	names(t, c, ".")
	left := onServer(t, srv.Root("data"))
	if len(left) != 1 || !hidden(left[0]) {
		t.Fatalf("on the server: %q, want one hidden name", left)
	}
	_, err := c.Stat(t.Context(), left[0])
	wantErr(t, err, fs.ErrNotExist)
	put(t, c, "f", "second")
	write(t, f, "FIRST")
	holds(t, g, "FIRST")
	has(t, c, "f", "second")
	closing(t, f)
	holds(t, g, "FIRST")
	closing(t, g)
	if left := onServer(t, srv.Root("data")); len(left) != 1 || left[0] != "f" {
		t.Errorf("on the server after the last Close: %q, want f", left)
	}

	// A folder can be removed while a file that was in it is open, and so can the one above it.
	ok(t, c.Mkdir(t.Context(), "d", 0o755))
	ok(t, c.Mkdir(t.Context(), "d/e", 0o755))
	f = open(t, c, "d/e/f", create)
	write(t, f, "text")
	ok(t, c.Remove(t.Context(), "d/e/f", false))
	names(t, c, "d/e")
	ok(t, c.Remove(t.Context(), "d/e", true))
	ok(t, c.Rename(t.Context(), "d", "D2"))
	holds(t, f, "text")
	ok(t, c.Remove(t.Context(), "D2", true))
	names(t, c, ".", "f")
	holds(t, f, "text")
	if a, err := f.Stat(t.Context()); err != nil || a.Size != 4 || a.Name != "f" {
		t.Errorf("Stat: got %+v, %v", a, err)
	}
	closing(t, f)
	if left := onServer(t, srv.Root("data")); len(left) != 1 {
		t.Errorf("on the server after the last Close: %q, want f alone", left)
	}

	// Giving the connection up clears away too.
	f = open(t, c, "f", wnet.OpenRead)
	ok(t, c.Remove(t.Context(), "f", false))
	c.Close()
	until(t, "the removed file goes", func() bool { return len(onServer(t, srv.Root("data"))) == 0 })
	closeLost(t, f)
}

// closeLost closes a File whose connection is over.
func closeLost(t *testing.T, f wnet.File) {
	t.Helper()
	var e *wnet.Error
	if err := f.Close(t.Context()); !errors.As(err, &e) {
		t.Errorf("Close on a lost connection: %v", err)
	}
}

// TestLeftovers: what a crash has left keeps its folder for a day, and no longer.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	c := connect(t, New(Config{}), request(srv, "data"))
	ok(t, c.Mkdir(t.Context(), "d", 0o755))
	left := filepath.Join(srv.Root("data"), "d", removedPrefix+"0123456789abcdef")
	ok(t, os.WriteFile(left, nil, 0o600))
	names(t, c, "d")
	wantErr(t, c.Remove(t.Context(), "d", true), syscall.ENOTEMPTY)
	// What only looks like it is a file like others.
	put(t, c, "d/"+removedPrefix+"0123456789abcdeg", "text")
	names(t, c, "d", removedPrefix+"0123456789abcdeg")
	_, err := c.Open(t.Context(), "d/"+removedPrefix+"0123456789abcdef", create, 0o644)
	wantErr(t, err, fs.ErrNotExist)
}

func TestRenameOpen(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	c := connect(t, New(Config{}), request(srv, "data"))
	ok(t, c.Mkdir(t.Context(), "d", 0o755))
	f := open(t, c, "d/f", create)
	closing(t, f)
	if _, err := f.(*file).handle(); err != syscall.EBADF { // nobody may open it again, or it stays open for ever
		t.Errorf("the handle of a closed File: %v", err)
	}
	f = open(t, c, "d/f", create)
	write(t, f, "text")
	for _, step := range [][2]string{{"d/f", "d/g"}, {"d/g", "d/G"}, {"d", "e"}, {"e", "E"}, {"E/G", "h"}} {
		ok(t, c.Rename(t.Context(), step[0], step[1]))
		holds(t, f, "text")
		write(t, f, "TEXT")
		write(t, f, "text")
	}
	closing(t, f)
	names(t, c, ".", "E", "h")
	has(t, c, "h", "text")

	// A failed rename leaves everything as it was.
	f, g := open(t, c, "h", wnet.OpenRead), open(t, c, "i", create)
	write(t, g, "other")
	wantErr(t, c.Rename(t.Context(), "h", "nowhere/h"), fs.ErrNotExist)
	wantErr(t, c.Rename(t.Context(), "missing", "i"), fs.ErrNotExist)
	holds(t, f, "text")
	holds(t, g, "other")
	names(t, c, ".", "E", "h", "i")
	// Over an open file, whose File keeps what it had.
	ok(t, c.Rename(t.Context(), "h", "i"))
	holds(t, f, "text")
	holds(t, g, "other")
	names(t, c, ".", "E", "i")
	has(t, c, "i", "text")
	closing(t, f)
	closing(t, g)
	if left := onServer(t, srv.Root("data")); len(left) != 2 {
		t.Errorf("on the server: %q, want E and i", left)
	}
}

// TestCaseSensitive: where the server tells A from a, so do we, also for open files.
func TestCaseSensitive(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{Data: []string{"case sensitive = yes"}})
	c := connect(t, New(Config{}), request(srv, "data"))
	put(t, c, "a", "lower")
	put(t, c, "A", "upper")
	f, g := open(t, c, "a", wnet.OpenRead), open(t, c, "A", wnet.OpenRead)
	ok(t, c.Rename(t.Context(), "a", "b"))
	holds(t, f, "lower")
	holds(t, g, "upper")
	ok(t, c.Remove(t.Context(), "A", false))
	ok(t, c.Rename(t.Context(), "b", "A"))
	holds(t, f, "lower")
	holds(t, g, "upper")
	put(t, c, "a", "third")
	ok(t, c.Rename(t.Context(), "a", "A"))
	has(t, c, "A", "third")
	holds(t, f, "lower")
	closing(t, f)
	closing(t, g)
	names(t, c, ".", "A")
	if left := onServer(t, srv.Root("data")); len(left) != 1 {
		t.Errorf("on the server: %q, want A", left)
	}
}

func TestOtherClients(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{Data: []string{"strict rename = yes"}}) // as Windows has it
	c, other := connect(t, New(Config{}), request(srv, "data")), connect(t, New(Config{}), request(srv, "data"))
	ok(t, c.Mkdir(t.Context(), "d", 0o755))
	put(t, c, "d/f", "theirs")
	put(t, c, "g", "ours")
	f := open(t, other, "d/f", wnet.OpenRead)
	wantErr(t, c.Rename(t.Context(), "d", "e"), syscall.EACCES)
	ok(t, c.Rename(t.Context(), "d/f", "d/h"))
	holds(t, f, "theirs")
	names(t, c, "d", "h")
	names(t, c, ".", "d", "g")
	has(t, c, "g", "ours")
	ok(t, c.Rename(t.Context(), "d/h", "d/f"))
	ok(t, c.Rename(t.Context(), "g", "d/f")) // over what another client has open: Samba lets us, as POSIX would
	holds(t, f, "theirs")
	closing(t, f)
	has(t, other, "d/f", "ours")

	// What is removed while another client has it open goes with its last handle.
	f = open(t, other, "d/f", wnet.OpenRead)
	ok(t, c.Remove(t.Context(), "d/f", false))
	holds(t, f, "ours")
	closing(t, f)
	names(t, c, "d")
	put(t, c, "d/f", "ours")

	// What another client takes away while our handle is parked is stale, no other file.
	g := open(t, c, "d/f", wnet.OpenRead)
	ok(t, c.Rename(t.Context(), "d/f", "d/k"))
	ok(t, other.Remove(t.Context(), "d/k", false))
	_, err := g.ReadAt(t.Context(), make([]byte, 1), 0)
	wantErr(t, err, syscall.ESTALE)
	closing(t, g)
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	ok(t, os.WriteFile(filepath.Join(srv.Root("ro"), "f"), []byte("text"), 0o644))
	c := connect(t, New(Config{}), request(srv, "ro"))
	has(t, c, "f", "text")
	for _, flag := range []wnet.OpenFlag{create, wnet.OpenWrite, wnet.OpenRead | wnet.OpenWrite} {
		if _, err := c.Open(t.Context(), "f", flag, 0o644); !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
			t.Errorf("Open to write: %v", err)
		}
	}
	f := open(t, c, "f", wnet.OpenRead|wnet.OpenCreate)
	holds(t, f, "text")
	closing(t, f)
	for what, err := range map[string]error{
		"Mkdir": c.Mkdir(t.Context(), "d", 0o755), "Remove": c.Remove(t.Context(), "f", false), "Rename": c.Rename(t.Context(), "f", "g"),
	} {
		if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v", what, err)
		}
	}

	c = connect(t, New(Config{}), request(srv, "data"))
	f, err := c.Open(t.Context(), "g", create|wnet.OpenExcl, 0o444)
	ok(t, err)
	write(t, f, "kept") // POSIX: the mode counts for later opens only
	closing(t, f)
	if a, err := c.Stat(t.Context(), "g"); err != nil || a.Mode != 0o444 {
		t.Errorf("got %v, %v, want a read-only file", a.Mode, err)
	}
	put(t, c, "new", "new")
	ok(t, c.Rename(t.Context(), "new", "g")) // which the server alone would refuse
	has(t, c, "g", "new")
	mode := fs.FileMode(0o400)
	a, err := c.SetAttr(t.Context(), "g", wnet.AttrChange{Mode: &mode})
	if err != nil || a.Mode != 0o444 {
		t.Errorf("got %v, %v", a.Mode, err)
	}
	_, err = c.Open(t.Context(), "g", wnet.OpenWrite, 0)
	wantErr(t, err, fs.ErrPermission)
	ok(t, c.Remove(t.Context(), "g", false))
	names(t, c, ".")
}

// TestTimesStay: a time that was set while a writer is open outlives the writer.
func TestTimesStay(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	c := connect(t, New(Config{}), request(srv, "data"))
	when := time.Date(2001, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	f := open(t, c, "f", create)
	write(t, f, "text")
	_, err := f.(wnet.FileAttrSetter).SetAttr(t.Context(), wnet.AttrChange{ModTime: &when})
	ok(t, err)
	closing(t, f)
	g := open(t, c, "g", create)
	write(t, g, "text")
	_, err = c.SetAttr(t.Context(), "g", wnet.AttrChange{ModTime: &when})
	ok(t, err)
	holds(t, g, "text")
	closing(t, g)
	for _, name := range []string{"f", "g"} {
		a, err := c.Stat(t.Context(), name)
		ok(t, err)
		if !a.ModTime.Equal(when) {
			t.Errorf("%s: ModTime %v, want %v", name, a.ModTime, when)
		}
	}
	for _, when := range []time.Time{time.Unix(0, 0), time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if a, err := c.SetAttr(t.Context(), "f", wnet.AttrChange{ModTime: &when}); err != nil || !a.ModTime.Equal(when) {
			t.Errorf("ModTime: got %v, %v, want %v", a.ModTime, err, when)
		}
	}
	early := time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err = c.SetAttr(t.Context(), "f", wnet.AttrChange{ModTime: &early})
	wantErr(t, err, syscall.EINVAL)
}

func TestReservedNames(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	c := connect(t, New(Config{}), request(srv, "data"))
	all := []string{"a:b", "what?", "a*", `say "x"`, "<in>", "a|b", `back\slash`, "dot.", "blank ", " blank", "tab\there", "...", "ünïcödé", "🦀"}
	for _, name := range all {
		ok(t, c.Mkdir(t.Context(), name, 0o755))
		put(t, c, name+"/"+name, name)
		has(t, c, name+"/"+name, name)
		names(t, c, name, name)
	}
	names(t, c, ".", all...)
	for name, want := range map[string]error{
		"a\xffb": syscall.EILSEQ, "../x": syscall.EINVAL, "/x": syscall.EINVAL, "a//b": syscall.EINVAL, "a\x00b": syscall.EINVAL,
		strings.Repeat("n", 256): syscall.ENAMETOOLONG, strings.Repeat("🦀", 128): syscall.ENAMETOOLONG,
	} {
		_, err := c.Stat(t.Context(), name)
		wantErr(t, err, want)
	}
	for _, bad := range []string{"", ".", "..", "a/b", `a\b`, "a\x00"} {
		if n, ok := listedName(bad); ok {
			t.Errorf("the server's name %q is taken as %q", bad, n)
		}
	}
}

// TestOwnRequestsMeet: our own handles, open for one request, never make another one of ours fail.
func TestOwnRequestsMeet(t *testing.T) {
	t.Parallel()
	srv := rig.Smbd(t, rig.SMBOptions{})
	c := connect(t, New(Config{}), request(srv, "data"))
	ok(t, c.Mkdir(t.Context(), "d", 0o755))
	put(t, c, "d/f", "text")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	report := func(what string, err error) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
	}
	loop := func(what string, fn func() error) {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					report(what, fn())
				}
			}
		})
	}
	for _, dir := range []string{"d", "e"} {
		loop("Stat", func() error { _, err := c.Stat(t.Context(), dir+"/f"); return err })
		loop("ReadDir", func() error { _, err := c.ReadDir(t.Context(), dir); return err })
		loop("reading", func() error {
			f, err := c.Open(t.Context(), dir+"/f", wnet.OpenRead, 0)
			if err != nil {
				return err
			}
			p := make([]byte, 4)
			if n, err := f.ReadAt(t.Context(), p, 0); err != nil || string(p[:n]) != "text" {
				return fmt.Errorf("read %q, %v", p[:n], err)
			}
			return f.Close(t.Context())
		})
	}
	for i := range 60 {
		from, to := "d", "e"
		if i%2 == 1 {
			from, to = to, from
		}
		if err := c.Rename(t.Context(), from, to); err != nil {
			t.Errorf("Rename: %v", err)
		}
		tmp := to + "/tmp"
		f, err := c.Open(t.Context(), tmp, create, 0o644)
		if err != nil {
			t.Errorf("Open: %v", err)
			break
		}
		write(t, f, "text")
		if err := c.Rename(t.Context(), tmp, to+"/f"); err != nil {
			t.Errorf("Rename over: %v", err)
		}
		closing(t, f)
	}
	close(stop)
	wg.Wait()
	names(t, c, "d", "f")
	if left := onServer(t, filepath.Join(srv.Root("data"), "d")); len(left) != 1 {
		t.Errorf("on the server: %q, want f", left)
	}
}
