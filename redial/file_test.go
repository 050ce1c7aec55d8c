package redial_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/redial"
	"github.com/openwnet/wnet/win32"
)

const readWrite = wnet.OpenRead | wnet.OpenWrite

// bothWays runs a test on a server with numbers for files and on one without.
func bothWays(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Run("numbered", func(t *testing.T) { test(t, newRig(t, nil)) })
	t.Run("numberless", func(t *testing.T) {
		test(t, newRig(t, func(r *rig, _ *redial.Config) {
			r.wrap = func(c wnet.Conn) wnet.Conn { return plainConn{c, numberless{c.FS()}} }
		}))
	})
}

func TestFileSurvives(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		r.write("file", "content")
		f := r.open("file", readWrite)
		for range 3 {
			r.lose()
			r.now.pass(time.Minute)
			r.wantText(f, "content")
		}
		// What was written and synced is as good as clean.
		_, err := f.WriteAt(t.Context(), []byte("CON"), 0)
		r.must(err)
		r.must(f.Sync(t.Context()))
		r.lose()
		r.now.pass(time.Minute)
		r.wantText(f, "CONtent")
		_, err = f.WriteAt(t.Context(), []byte("TENT"), 3)
		r.must(err)
		r.must(f.Sync(t.Context()))
		r.lose()
		r.must(f.Sync(t.Context()))
		r.must(f.Close(t.Context()))
		if got := r.read("file"); got != "CONTENT" {
			t.Errorf("the file reads %q", got)
		}
		r.wantNoOpens()
	})
}

// TestNewFileSurvives makes the file itself, with flags that must not be used twice.
func TestNewFileSurvives(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		f := r.open("file", readWrite|wnet.OpenCreate|wnet.OpenExcl|wnet.OpenTruncate)
		_, err := f.WriteAt(t.Context(), []byte("content"), 0)
		r.must(err)
		r.must(f.Sync(t.Context()))
		r.lose()
		r.wantText(f, "content")
		r.must(f.Close(t.Context()))
		r.wantNoOpens()
	})
}

// TestUnsavedFails never goes on with a file that may lack data.
func TestUnsavedFails(t *testing.T) {
	for name, change := range map[string]func(ctx context.Context, f wnet.File) error{
		"write":    func(ctx context.Context, f wnet.File) error { _, err := f.WriteAt(ctx, []byte("x"), 0); return err },
		"truncate": func(ctx context.Context, f wnet.File) error { return f.Truncate(ctx, 3) },
		"resize": func(ctx context.Context, f wnet.File) error {
			_, err := f.(wnet.FileAttrSetter).SetAttr(ctx, wnet.AttrChange{Size: new(int64)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			r := newRig(t, nil)
			r.write("file", "content")
			f, clean := r.open("file", readWrite), r.open("file", readWrite)
			r.must(change(ctx, f))
			r.lose()
			r.must(r.stat()) // the connection is back, but for f it is too late
			for range 2 {
				r.want(change(ctx, f), syscall.EIO)
				r.want(f.Sync(ctx), syscall.EIO)
			}
			_, err := r.text(f)
			r.want(err, syscall.EIO)
			r.want(f.Close(ctx), syscall.EIO)
			_, err = r.text(clean)
			r.must(err)
			r.must(clean.Close(ctx))

			// Cut off in the middle, and seen first by Sync, or by Close.
			r.now.pass(time.Minute)
			f = r.open("file", readWrite)
			r.must(change(ctx, f))
			r.cut("Sync")
			r.want(f.Sync(ctx), syscall.EIO)
			r.want(f.Close(ctx), syscall.EIO)
			f = r.open("file", readWrite)
			r.must(change(ctx, f))
			r.cut("Close")
			r.want(f.Close(ctx), syscall.EIO)
			f = r.open("file", readWrite)
			r.must(change(ctx, f))
			r.lose()
			r.want(f.Close(ctx), syscall.EIO)
			r.p.SetFault(nil)
			r.wantNoOpens()
		})
	}
	t.Run("write cut off", func(t *testing.T) {
		r := newRig(t, nil)
		r.write("file", "content")
		f := r.open("file", readWrite)
		r.cut("WriteAt")
		_, err := f.WriteAt(t.Context(), []byte("x"), 0)
		r.want(err, syscall.EIO)
		_, err = f.WriteAt(t.Context(), []byte("x"), 0)
		r.want(err, syscall.EIO)
		r.want(f.Close(t.Context()), syscall.EIO)
		r.wantNoOpens()
	})
	t.Run("closed below", func(t *testing.T) {
		r := newRig(t, nil)
		r.write("file", "content")
		f, clean := r.open("file", readWrite), r.open("file", readWrite)
		_, err := f.WriteAt(t.Context(), []byte("x"), 0)
		r.must(err)
		r.must(r.c.Close())
		r.want(f.Close(t.Context()), syscall.EIO)
		_, err = r.text(clean)
		r.want(err, win32.ERROR_NETNAME_DELETED)
		r.must(clean.Close(t.Context()))
		r.wantNoOpens()
	})
}

// TestSyncCoversOnlyWhatWasBefore has a write go on while a Sync is answered.
func TestSyncCoversOnlyWhatWasBefore(t *testing.T) {
	r := newRig(t, nil)
	r.write("file", "content")
	f := r.open("file", readWrite)
	inSync, goOn := make(chan struct{}), make(chan struct{})
	r.p.SetFault(func(_ context.Context, call mem.Call) error {
		if call.Op == "Sync" {
			close(inSync)
			<-goOn
		}
		return nil
	})
	synced := make(chan error)
	go func() { synced <- f.Sync(t.Context()) }()
	<-inSync
	_, err := f.WriteAt(t.Context(), []byte("x"), 0)
	r.must(err)
	close(goOn)
	r.must(<-synced)
	r.lose()
	r.want(f.Close(t.Context()), syscall.EIO)
}

// TestNeverAnotherFile puts another file under the name in every way, and wants the open file to know.
func TestNeverAnotherFile(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		do    func(r *rig) // with "file" open, and "other" and "dir" there
		reads string       // what the file reads after a loss; "" for stale
	}{
		"nothing": {func(r *rig) {}, "content"},
		"gone":    {func(r *rig) { r.must(r.share.FS().Remove(ctx, "dir/file", false)) }, ""},
		"folder instead": {func(r *rig) {
			r.must(r.share.FS().Remove(ctx, "dir/file", false))
			r.must(r.share.FS().Mkdir(ctx, "dir/file", 0o755))
		}, ""},
		"replaced by others": {func(r *rig) {
			r.write("new", "another")
			r.must(r.share.FS().Rename(ctx, "new", "dir/file"))
		}, ""},
		"removed here": {func(r *rig) { r.must(r.fs.Remove(ctx, "dir/file", false)) }, ""},
		"removed here and made by others": {func(r *rig) {
			r.must(r.fs.Remove(ctx, "dir/file", false))
			r.write("dir/file", "another")
		}, ""},
		"replaced here":         {func(r *rig) { r.must(r.fs.Rename(ctx, "other", "dir/file")) }, ""},
		"renamed here":          {func(r *rig) { r.must(r.fs.Rename(ctx, "dir/file", "moved")) }, "content"},
		"renamed over another":  {func(r *rig) { r.must(r.fs.Rename(ctx, "dir/file", "other")) }, "content"},
		"renamed in case only":  {func(r *rig) { r.must(r.fs.Rename(ctx, "dir/file", "dir/FILE")) }, "content"},
		"renamed onto itself":   {func(r *rig) { r.must(r.fs.Rename(ctx, "dir/file", "dir/file")) }, "content"},
		"folder renamed here":   {func(r *rig) { r.must(r.fs.Rename(ctx, "dir", "folder")) }, "content"},
		"a like name renamed":   {func(r *rig) { r.write("di", "x"); r.must(r.fs.Rename(ctx, "di", "d")) }, "content"},
		"rename that fails":     {func(r *rig) { r.want(r.fs.Rename(ctx, "dir/file", "no/where"), syscall.ENOENT) }, "content"},
		"removal that fails":    {func(r *rig) { r.want(r.fs.Remove(ctx, "dir/file", true), syscall.ENOTDIR) }, "content"},
		"renamed to and fro":    {func(r *rig) { r.must(r.fs.Rename(ctx, "dir/file", "a")); r.must(r.fs.Rename(ctx, "a", "dir/file")) }, "content"},
		"swapped with another":  {func(r *rig) { r.must(r.fs.Rename(ctx, "dir/file", "a")); r.must(r.fs.Rename(ctx, "other", "dir/file")) }, "content"},
		"rename seen by nobody": {func(r *rig) { r.must(r.share.FS().Rename(ctx, "dir/file", "moved")) }, ""},
		"perhaps replaced": {func(r *rig) {
			// The server does it, and the answer gets lost.
			r.p.SetFault(func(fctx context.Context, call mem.Call) error {
				if call.Op == "Rename" {
					r.must(r.share.FS().Rename(ctx, "other", "dir/file"))
					r.share.Sever()
				}
				return fctx.Err()
			})
			r.want(r.fs.Rename(ctx, "other", "dir/file"), win32.ERROR_NETNAME_DELETED)
			r.p.SetFault(nil)
			r.must(r.stat())
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, r *rig) {
				r.must(r.share.FS().Mkdir(ctx, "dir", 0o755))
				r.write("dir/file", "content")
				r.write("other", "another")
				same := time.Now()
				for _, n := range []string{"dir/file", "other"} { // alike but for their numbers
					_, err := r.share.FS().(wnet.AttrSetter).SetAttr(ctx, n, wnet.AttrChange{ModTime: &same})
					r.must(err)
				}
				f := r.open("dir/file", readWrite)
				r.wantText(f, "content")
				c.do(r)
				if r.dials.Load() == 1 {
					r.wantText(f, "content") // as long as the connection lasts, POSIX holds
					r.lose()
				}
				if c.reads == "" {
					r.wantStale(f)
				} else {
					r.wantText(f, c.reads)
					r.must(f.Close(ctx))
				}
				r.wantNoOpens()
			})
		})
	}
}

// TestChangedByOthers is no other file where the server has numbers; where it has none nobody can tell.
func TestChangedByOthers(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		r.write("file", "content")
		f := r.open("file", wnet.OpenRead)
		a, err := f.Stat(t.Context())
		r.must(err)
		r.lose()
		r.write("file", "longer content")
		if a.ID != 0 {
			r.wantText(f, "longer content")
			r.must(f.Close(t.Context()))
		} else {
			r.wantStale(f)
		}
		r.wantNoOpens()
	})
}

// TestOwnDoings changes the file by its name and through another File: that makes it no other file.
func TestOwnDoings(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		ctx := t.Context()
		r.write("file", "content")
		f, g := r.open("file", wnet.OpenRead), r.open("file", readWrite)
		_, err := g.WriteAt(ctx, []byte("longer content"), 0)
		r.must(err)
		r.must(g.Sync(ctx))
		r.lose()
		r.wantText(f, "longer content")
		if s, ok := r.fs.(wnet.AttrSetter); ok {
			size := int64(6)
			if _, err := s.SetAttr(ctx, "file", wnet.AttrChange{Size: &size}); !errors.Is(err, syscall.ENOTSUP) {
				r.must(err)
				r.lose()
				r.wantText(f, "longer")
			}
		}
		r.must(f.Close(ctx))
		r.must(g.Close(ctx))
		r.wantNoOpens()
	})
}

// TestServerAway keeps a clean file through a time without a server.
func TestServerAway(t *testing.T) {
	r := newRig(t, nil)
	r.write("file", "content")
	f := r.open("file", readWrite)
	r.p.SetDown("nas", true)
	for range 2 {
		_, err := r.text(f)
		r.want(err, win32.ERROR_BAD_NETPATH, syscall.EHOSTDOWN)
	}
	r.p.SetDown("nas", false)
	r.now.pass(time.Minute)
	r.wantText(f, "content")
	r.must(f.Close(t.Context()))
	r.want(f.Close(t.Context()), syscall.EBADF)
	_, err := r.text(f)
	r.want(err, syscall.EBADF)
	r.wantNoOpens()
}

// TestRenameMeanwhile opens again while a rename is under way, which decides where.
func TestRenameMeanwhile(t *testing.T) {
	r := newRig(t, nil)
	r.write("file", "content")
	r.write("other", "another")
	f := r.open("file", wnet.OpenRead)
	r.wantText(f, "content")
	r.lose()
	r.must(r.stat())
	inRename, goOn := make(chan struct{}), make(chan struct{})
	r.p.SetFault(func(_ context.Context, call mem.Call) error {
		if call.Op == "Rename" {
			close(inRename)
			<-goOn
		}
		return nil
	})
	renamed, read := make(chan error), make(chan string)
	go func() { renamed <- r.fs.Rename(t.Context(), "file", "other") }()
	<-inRename
	go func() { text, err := r.text(f); read <- fmt.Sprint(text, err) }()
	close(goOn)
	r.must(<-renamed)
	if got := <-read; got != "content<nil>" {
		t.Errorf("the file reads %q", got)
	}
	r.must(f.Close(t.Context()))
	r.wantNoOpens()
}

// TestRenameJustBefore has the file renamed here, and another put in its place, after it was decided where to open it again.
func TestRenameJustBefore(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		r.write("file", "content")
		f := r.open("file", wnet.OpenRead)
		r.wantText(f, "content")
		r.lose()
		r.must(r.stat())
		inOpen, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		r.p.SetFault(func(_ context.Context, call mem.Call) error {
			if call.Op == "Open" {
				once.Do(func() {
					close(inOpen)
					<-goOn
				})
			}
			return nil
		})
		read := make(chan string)
		go func() { text, err := r.text(f); read <- fmt.Sprint(text, err) }()
		<-inOpen
		r.must(r.fs.Rename(t.Context(), "file", "moved"))
		r.write("file", "another")
		close(goOn)
		if got := <-read; got != "content<nil>" {
			t.Errorf("the file reads %q", got)
		}
		r.must(f.Close(t.Context()))
		r.wantNoOpens()
	})
}

// TestRenameWhileOpened has the file renamed, and a like one put in its place, while the server is asked to open it: which of the two it
// is, nobody knows, so that a server without numbers can't give it back.
func TestRenameWhileOpened(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		at := time.Now()
		put := func(text string) {
			r.write("file", text)
			_, err := r.share.FS().(wnet.AttrSetter).SetAttr(t.Context(), "file", wnet.AttrChange{ModTime: &at})
			r.must(err)
		}
		put("content")
		inOpen, goOn := make(chan struct{}), make(chan struct{})
		r.p.SetFault(func(_ context.Context, call mem.Call) error {
			if call.Op == "Open" {
				close(inOpen)
				<-goOn
			}
			return nil
		})
		opened := make(chan wnet.File)
		go func() { opened <- r.open("file", wnet.OpenRead) }()
		<-inOpen
		r.must(r.fs.Rename(t.Context(), "file", "moved"))
		put("another")
		close(goOn)
		f := <-opened
		r.p.SetFault(nil)
		r.wantText(f, "another")
		r.lose()
		r.wantStale(f)
		r.wantNoOpens()
	})
}

// TestStorm reads, writes and renames from many goroutines while the connection is cut all the time. What is read is right, and what
// was closed without an error is there.
func TestStorm(t *testing.T) {
	r := newRig(t, func(r *rig, cfg *redial.Config) {
		cfg.Now, cfg.BackoffMin, cfg.BackoffMax = nil, time.Microsecond, time.Millisecond
	})
	// By calls and not by the clock, so that a slow machine has the same storm.
	r.p.SetFault(func(context.Context, mem.Call) error {
		if rand.IntN(50) == 0 {
			r.share.Sever()
		}
		return nil
	})
	const workers, rounds = 6, 60
	var saved atomic.Int32
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			ctx := t.Context()
			r.write(fmt.Sprintf("const%d", w), fmt.Sprintf("constant of %d", w))
			f, err := r.fs.Open(ctx, fmt.Sprintf("const%d", w), wnet.OpenRead, 0)
			for i := 0; err != nil && i < 1000; i++ {
				f, err = r.fs.Open(ctx, fmt.Sprintf("const%d", w), wnet.OpenRead, 0)
			}
			if err != nil {
				t.Errorf("no way to open a file: %v", err)
				return
			}
			defer f.Close(ctx)
			for i := range rounds {
				if text, err := r.text(f); err == nil && text != fmt.Sprintf("constant of %d", w) {
					t.Errorf("worker %d reads %q", w, text)
				}
				name, text := fmt.Sprintf("file%d.%d", w, i), fmt.Sprintf("round %d of %d", i, w)
				if err := save(ctx, r.fs, name, text); err == nil {
					saved.Add(1)
					if got := r.read(name); got != text {
						t.Errorf("%s was saved as %q and reads %q", name, text, got)
					}
				}
			}
		})
	}
	wg.Wait()
	r.p.SetFault(nil)
	r.wantNoOpens()
	if n, all := saved.Load(), int32(workers*rounds); n == 0 || n == all {
		t.Errorf("%d of %d files were saved: the storm was none, or too much of one", n, all)
	}
}

// TestNoExtraCalls opens after a look, as a mount does, without asking the server for more.
func TestNoExtraCalls(t *testing.T) {
	r := newRig(t, nil)
	r.write("a", "content")
	r.write("b", "content")
	calls := func(do func()) int64 {
		before := r.p.Calls()
		do()
		return r.p.Calls() - before
	}
	r.must(r.stat())
	_, err := r.fs.Stat(t.Context(), "a")
	r.must(err)
	if n := calls(func() { r.must(r.open("a", wnet.OpenRead).Close(t.Context())) }); n != 2 {
		t.Errorf("open and close after Stat: %d calls", n)
	}
	_, err = r.fs.ReadDir(t.Context(), ".")
	r.must(err)
	if n := calls(func() { r.must(r.open("b", wnet.OpenRead).Close(t.Context())) }); n != 2 {
		t.Errorf("open and close after ReadDir: %d calls", n)
	}
	if n := calls(func() { r.must(r.open("c", wnet.OpenWrite|wnet.OpenCreate).Close(t.Context())) }); n != 2 {
		t.Errorf("create and close: %d calls", n)
	}

	// What is renamed or changed here is looked at anew, and what was seen of it is not taken for another file's.
	r.must(r.fs.Rename(t.Context(), "a", "b"))
	var f wnet.File
	if n := calls(func() { f = r.open("b", wnet.OpenRead) }); n != 2 {
		t.Errorf("open after a rename: %d calls, want a look too", n)
	}
	r.lose()
	r.wantText(f, "content")
	r.must(f.Close(t.Context()))
}

// save saves as an editor does: a new file, synced, then put into place.
func save(ctx context.Context, fsys wnet.FileSystem, name, text string) error {
	f, err := fsys.Open(ctx, name+".new", wnet.OpenWrite|wnet.OpenCreate|wnet.OpenTruncate, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(ctx, []byte(text), 0)
	if err == nil {
		err = f.Sync(ctx)
	}
	if e := f.Close(ctx); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return fsys.Rename(ctx, name+".new", name)
}
