package redial_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/redial"
)

var exclusive = wnet.Lock{Kind: wnet.LockExclusive, First: 2, Last: 7, Owner: 5}

// lockedFile opens a file on the rig's Conn and locks part of it.
func lockedFile(r *rig) wnet.File {
	put(r, "f", "0123456789")
	f, err := r.fs.Open(r.Context(), "f", wnet.OpenRead|wnet.OpenWrite, 0)
	if err != nil {
		r.Fatal(err)
	}
	if err := f.(wnet.FileLocker).Lock(r.Context(), exclusive, false); err != nil {
		r.Fatal(err)
	}
	return f
}

func put(r *rig, name, text string) {
	r.Helper()
	f, err := r.share.FS().Open(r.Context(), name, wnet.OpenWrite|wnet.OpenCreate|wnet.OpenTruncate, 0o644)
	if err != nil {
		r.Fatal(err)
	}
	if _, err := f.WriteAt(r.Context(), []byte(text), 0); err != nil {
		r.Fatal(err)
	}
	f.Close(r.Context())
}

// rival tries to lock what the Conn's file has, as another client.
func (r *rig) rival() (wnet.File, error) {
	f, err := r.share.FS().Open(r.Context(), "f", wnet.OpenRead|wnet.OpenWrite, 0)
	if err != nil {
		r.Fatal(err)
	}
	return f, f.(wnet.FileLocker).Lock(r.Context(), exclusive, false)
}

// TestLockReclaimed: locks come back with the connection, before anybody uses the file.
func TestLockReclaimed(t *testing.T) {
	r := newRig(t, nil)
	f := lockedFile(r)
	defer f.Close(t.Context())
	r.share.Sever()
	r.await("the lock is taken again", func() bool {
		g, err := r.share.FS().Open(t.Context(), "f", wnet.OpenRead, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close(context.Background())
		held, err := g.(wnet.FileLocker).TestLock(t.Context(), exclusive) // not Lock: it would be the one that comes in between
		return err == nil && held.Kind == wnet.LockExclusive
	})
	if _, err := f.ReadAt(t.Context(), make([]byte, 4), 0); err != nil && !errors.Is(err, syscall.EIO) {
		t.Errorf("ReadAt after the connection was lost: %v", err)
	}
	gone := exclusive
	gone.Kind = wnet.LockNone
	if err := f.(wnet.FileLocker).Lock(t.Context(), gone, false); err != nil {
		t.Errorf("giving back: %v", err)
	}
	g, err := r.rival()
	if err != nil {
		t.Fatalf("what was given back is locked: %v", err)
	}
	g.Close(t.Context())
}

// TestLockLost: a file whose lock somebody else has by then, or that was changed without it, fails for good.
func TestLockLost(t *testing.T) {
	for what, meanwhile := range map[string]func(r *rig){
		"locked": func(r *rig) {
			g, err := r.rival()
			if err != nil {
				r.Fatal(err)
			}
			r.Cleanup(func() { g.Close(context.Background()) })
		},
		"changed": func(r *rig) { put(r, "f", "something else") },
	} {
		t.Run(what, func(t *testing.T) {
			r := newRig(t, nil)
			f := lockedFile(r)
			defer f.Close(context.Background())
			r.p.SetDown("nas", true)
			meanwhile(r)
			r.p.SetDown("nas", false)
			r.await("the server is back", func() bool { return r.c.Connect(t.Context()) == nil })
			for range 2 {
				_, err := f.WriteAt(t.Context(), []byte("x"), 3)
				if !errors.Is(err, syscall.EIO) {
					t.Fatalf("WriteAt without the lock: got %v, want EIO", err)
				}
			}
		})
	}
}

// TestLockWaits: a lock that waits is not bound by the time that an operation may take, and ends with its context.
func TestLockWaits(t *testing.T) {
	r := newRig(t, func(_ *rig, cfg *redial.Config) { cfg.OpTimeout = 300 * time.Millisecond })
	g := lockedFile(r)
	defer g.Close(t.Context())
	f, err := r.fs.Open(t.Context(), "f", wnet.OpenRead|wnet.OpenWrite, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close(t.Context())
	other := exclusive
	other.Owner = 6
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.(wnet.FileLocker).Lock(ctx, other, true) }()
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
	go func() { done <- f.(wnet.FileLocker).Lock(t.Context(), other, true) }()
	select {
	case err := <-done:
		t.Fatalf("got %v, want it to wait", err)
	case <-time.After(2 * 300 * time.Millisecond): // longer than an operation may take
	}
	exclusive := exclusive
	exclusive.Kind = wnet.LockNone
	if err := g.(wnet.FileLocker).Lock(t.Context(), exclusive, false); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("got %v, want the lock", err)
	}
}

// TestLeasesEnd: promises are passed on, and end with the connection that gave them.
func TestLeasesEnd(t *testing.T) {
	r := newRig(t, func(r *rig, _ *redial.Config) {
		r.share = r.p.AddShare("nas", "media", mem.ShareOptions{Leases: true})
	})
	put(r, "f", "text")
	breaks := make(chan wnet.Break, 100)
	l := r.fs.(wnet.Leaser)
	stop := l.OnBreak(func(b wnet.Break) { breaks <- b })
	defer stop()
	a, err := r.fs.Stat(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Lease("f"); got&wnet.LeaseAttr == 0 {
		t.Fatalf("got the promises %v, want attributes", got)
	}
	put(r, "f", "other")
	for b := range breaks {
		if b.ID == a.ID && b.Lease&wnet.LeaseAttr != 0 {
			break
		}
	}
	if _, err := r.fs.Stat(t.Context(), "f"); err != nil {
		t.Fatal(err)
	}
	r.share.Sever()
	for b := range breaks {
		if b.All {
			break
		}
	}
	if got := l.Lease("f"); got != 0 {
		t.Errorf("got the promises %v of a connection that is lost, want none", got)
	}
}

// TestMorePassed: what the real file system has besides is there, and ENOTSUP where it has not.
func TestMorePassed(t *testing.T) {
	try := func(t *testing.T, r *rig, want error) {
		put(r, "f", "0123456789")
		check := func(what string, err error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", what, err, want)
			}
		}
		ctx := t.Context()
		f, err := r.fs.Open(ctx, "f", wnet.OpenRead|wnet.OpenWrite, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close(context.Background())
		p, _, err := r.fs.(wnet.WholeReader).ReadWhole(ctx, "f", 100)
		if check("ReadWhole", err); want == nil && string(p) != "0123456789" {
			t.Errorf("ReadWhole gives %q", p)
		}
		x := r.fs.(wnet.Xattrer)
		check("SetXattr", x.SetXattr(ctx, "f", "user.a", []byte("1"), 0))
		_, err = x.GetXattr(ctx, "f", "user.a")
		check("GetXattr", err)
		_, err = x.ListXattr(ctx, "f")
		check("ListXattr", err)
		check("RemoveXattr", x.RemoveXattr(ctx, "f", "user.a"))
		check("Lock", f.(wnet.FileLocker).Lock(ctx, wnet.Lock{Kind: wnet.LockShared, Last: math.MaxInt64}, false))
		_, err = f.(wnet.FileLocker).TestLock(ctx, wnet.Lock{Kind: wnet.LockShared})
		check("TestLock", err)
		_, err = f.(wnet.FileCopier).CopyFrom(ctx, f, 0, 20, 5)
		check("CopyFrom", err)
		check("Allocate", f.(wnet.FileAllocator).Allocate(ctx, 0, 100, wnet.AllocExtend))
		_, err = f.(wnet.FileSeeker).NextData(ctx, 0)
		check("NextData", err)
		_, err = f.(wnet.FileSeeker).NextHole(ctx, 0)
		check("NextHole", err)
	}
	t.Run("all", func(t *testing.T) { try(t, newRig(t, nil), nil) })
	t.Run("none", func(t *testing.T) {
		r := newRig(t, func(r *rig, _ *redial.Config) { r.wrap = func(c wnet.Conn) wnet.Conn { return bareConn{c} } })
		try(t, r, syscall.ENOTSUP)
		if r.fs.(wnet.Locker).Locking() {
			t.Error("a file system without locks says that it has them")
		}
	})
}

// bareConn is a connection whose file system has nothing optional.
type bareConn struct{ wnet.Conn }

func (c bareConn) FS() wnet.FileSystem { return bareFS{c.Conn.FS()} }

type bareFS struct{ wnet.FileSystem }

func (f bareFS) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
	g, err := f.FileSystem.Open(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return struct{ wnet.File }{g}, nil
}
