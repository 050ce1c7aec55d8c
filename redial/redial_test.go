package redial_test

import (
	"context"
	"errors"
	"strings"
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

func TestDeferred(t *testing.T) {
	r := newRig(t, nil)
	r.wantState(wnet.StateDisconnected, 0)
	r.wantDials(0)
	if r.c.User() != "anna" || r.c.Type() != win32.RESOURCETYPE_DISK {
		t.Errorf("user %q, type %d", r.c.User(), r.c.Type())
	}
	// Many first users, one connection.
	gate := make(chan struct{})
	r.p.SetFault(func(ctx context.Context, call mem.Call) error {
		if call.Op == "Connect" {
			<-gate
		}
		return nil
	})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := r.stat(); err != nil {
				t.Error(err)
			}
		})
	}
	r.awaitState(wnet.StateConnecting)
	close(gate)
	wg.Wait()
	r.wantDials(1)
	r.wantState(wnet.StateOK, 0)
	if r.fs != r.c.FS() {
		t.Error("FS has become another value")
	}
}

func TestFirst(t *testing.T) {
	r := newRig(t, func(r *rig, cfg *redial.Config) {
		first, err := r.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cfg.First, cfg.User = first, "nobody"
	})
	r.wantState(wnet.StateOK, 0)
	r.must(r.stat())
	r.wantDials(1)
	if r.c.User() != "anna" {
		t.Errorf("User = %q", r.c.User())
	}
}

func TestPrinterHasNoFiles(t *testing.T) {
	c := redial.New(redial.Config{Type: win32.RESOURCETYPE_PRINT})
	defer c.Close()
	if c.FS() != nil {
		t.Error("a printer has a file system")
	}
}

func TestComesBack(t *testing.T) {
	r := newRig(t, nil)
	r.must(r.stat())
	for i := range 5 {
		r.now.pass(time.Minute)
		r.lose()
		s := r.wantState(wnet.StateDisconnected, win32.ERROR_NETNAME_DELETED)
		if !strings.Contains(s.Reason, "lost at") {
			t.Errorf("Reason = %q", s.Reason)
		}
		r.now.pass(time.Minute)
		r.must(r.stat())
		r.wantDials(int32(i + 2))
		r.wantState(wnet.StateOK, 0)
	}
	select {
	case <-r.c.Lost():
		t.Error("Lost is closed")
	default:
	}
}

// TestCutAtEveryStep cuts the connection in the middle of each operation: what only asks is asked again, the rest says what happened.
func TestCutAtEveryStep(t *testing.T) {
	for _, c := range []struct {
		op   string
		asks bool
		call func(ctx context.Context, r *rig, f wnet.File) error
	}{
		{"Stat", true, func(ctx context.Context, r *rig, _ wnet.File) error { _, err := r.fs.Stat(ctx, "file"); return err }},
		{"ReadDir", true, func(ctx context.Context, r *rig, _ wnet.File) error {
			all, err := r.fs.ReadDir(ctx, ".")
			if err == nil && len(all) != 2 {
				return errors.New("not all files")
			}
			return err
		}},
		{"Statfs", true, func(ctx context.Context, r *rig, _ wnet.File) error {
			_, err := r.fs.(wnet.Statfser).Statfs(ctx)
			return err
		}},
		{"Readlink", true, func(ctx context.Context, r *rig, _ wnet.File) error {
			_, err := r.fs.(wnet.Symlinker).Readlink(ctx, "link")
			return err
		}},
		{"Open", true, func(ctx context.Context, r *rig, _ wnet.File) error { return openClose(ctx, r, wnet.OpenRead) }},
		{"Open", false, func(ctx context.Context, r *rig, _ wnet.File) error {
			return openClose(ctx, r, wnet.OpenWrite|wnet.OpenTruncate)
		}},
		{"Open", false, func(ctx context.Context, r *rig, _ wnet.File) error {
			return openClose(ctx, r, wnet.OpenRead|wnet.OpenCreate)
		}},
		{"Mkdir", false, func(ctx context.Context, r *rig, _ wnet.File) error { return r.fs.Mkdir(ctx, "new", 0o755) }},
		{"Remove", false, func(ctx context.Context, r *rig, _ wnet.File) error { return r.fs.Remove(ctx, "file", false) }},
		{"Rename", false, func(ctx context.Context, r *rig, _ wnet.File) error { return r.fs.Rename(ctx, "file", "other") }},
		{"SetAttr", false, func(ctx context.Context, r *rig, _ wnet.File) error {
			_, err := r.fs.(wnet.AttrSetter).SetAttr(ctx, "file", wnet.AttrChange{Size: new(int64)})
			return err
		}},
		{"Symlink", false, func(ctx context.Context, r *rig, _ wnet.File) error {
			return r.fs.(wnet.Symlinker).Symlink(ctx, "file", "other")
		}},
		{"Link", false, func(ctx context.Context, r *rig, _ wnet.File) error {
			return r.fs.(wnet.Linker).Link(ctx, "file", "other")
		}},
		{"ReadAt", true, func(ctx context.Context, r *rig, f wnet.File) error {
			text, err := r.text(f)
			if err == nil && text != "content" {
				return errors.New("another content")
			}
			return err
		}},
		{"FileStat", true, func(ctx context.Context, r *rig, f wnet.File) error { _, err := f.Stat(ctx); return err }},
		{"Sync", true, func(ctx context.Context, r *rig, f wnet.File) error { return f.Sync(ctx) }},
		{"FileSetAttr", false, func(ctx context.Context, r *rig, f wnet.File) error {
			_, err := f.(wnet.FileAttrSetter).SetAttr(ctx, wnet.AttrChange{ModTime: new(time.Time)})
			return err
		}},
	} {
		t.Run(c.op, func(t *testing.T) {
			r := newRig(t, nil)
			r.write("file", "content")
			r.must(r.share.FS().(wnet.Symlinker).Symlink(t.Context(), "file", "link"))
			f := r.open("file", wnet.OpenRead|wnet.OpenWrite)
			r.cut(c.op)
			err := c.call(t.Context(), r, f)
			if c.asks {
				r.must(err)
			} else {
				r.want(err, win32.ERROR_NETNAME_DELETED)
			}
			if again := c.call(t.Context(), r, f); again != nil && errors.Is(again, win32.ERROR_NETNAME_DELETED) {
				t.Errorf("the next call fails too: %v", again)
			}
			r.must(f.Close(t.Context())) // it is clean whatever happened
			r.wantNoOpens()
		})
	}
}

func openClose(ctx context.Context, r *rig, flag wnet.OpenFlag) error {
	f, err := r.fs.Open(ctx, "file", flag, 0o644)
	if err == nil {
		err = f.Close(ctx)
	}
	return err
}

// TestBreaker has the server down: one attempt, then the same answer at once until the back-off has passed.
func TestBreaker(t *testing.T) {
	r := newRig(t, nil)
	r.must(r.stat())
	began := r.now.Now()
	r.p.SetDown("nas", true)
	r.wantState(wnet.StateDisconnected, win32.ERROR_NETNAME_DELETED)
	wait := time.Second
	for i := range int32(8) {
		for range 3 {
			r.want(r.stat(), win32.ERROR_BAD_NETPATH, syscall.EHOSTDOWN)
			r.wantDials(i + 2)
		}
		s := r.wantState(wnet.StateUnavailable, win32.ERROR_BAD_NETPATH)
		if !s.Since.Equal(began) || !strings.Contains(s.Reason, "no connection since") || !strings.Contains(s.Reason, "network path") {
			t.Errorf("since %v, reason %q", s.Since, s.Reason)
		}
		r.now.pass(wait - time.Millisecond)
		r.want(r.stat(), win32.ERROR_BAD_NETPATH)
		r.wantDials(i + 2)
		r.now.pass(time.Millisecond)
		wait = min(2*wait, 30*time.Second)
	}
	r.p.SetDown("nas", false)
	r.must(r.stat())
	r.wantState(wnet.StateOK, 0)

	// After a success the back-off begins anew.
	r.p.SetDown("nas", true)
	r.now.pass(time.Hour)
	r.want(r.stat(), win32.ERROR_BAD_NETPATH)
	r.now.pass(time.Second)
	r.p.SetDown("nas", false)
	r.must(r.stat())

	// Connect waits for no back-off.
	r.p.SetDown("nas", true)
	r.now.pass(time.Hour)
	r.want(r.stat(), win32.ERROR_BAD_NETPATH)
	n := r.dials.Load()
	r.want(r.c.Connect(t.Context()), win32.ERROR_BAD_NETPATH)
	r.wantDials(n + 1)
	r.p.SetDown("nas", false)
	r.must(r.c.Connect(t.Context()))
	r.must(r.c.Connect(t.Context()))
	r.wantDials(n + 2)
}

// TestPasswordNotTriedAgain keeps an account from being locked.
func TestPasswordNotTriedAgain(t *testing.T) {
	wrong := "wrong"
	r := newRig(t, func(r *rig, cfg *redial.Config) { r.pass.Store(&wrong) })
	for range 3 {
		r.want(r.stat(), win32.ERROR_INVALID_PASSWORD, syscall.EACCES)
		r.now.pass(24 * time.Hour)
	}
	r.c.Warm()
	for range 50 { // time for a loop that should not be there
		time.Sleep(time.Millisecond)
		r.want(r.stat(), win32.ERROR_INVALID_PASSWORD)
	}
	r.wantDials(1)
	if s := r.wantState(wnet.StateUnavailable, win32.ERROR_INVALID_PASSWORD); !strings.Contains(s.Reason, "not tried again") {
		t.Errorf("Reason = %q", s.Reason)
	}
	var e *wnet.Error
	if err := r.c.Connect(t.Context()); !errors.As(err, &e) || e.Code != win32.ERROR_INVALID_PASSWORD || e.Provider != mem.ProviderName {
		t.Errorf("Connect: %v, want the provider's own error", err)
	}
	r.wantDials(2)
	right := "right"
	r.pass.Store(&right)
	r.must(r.c.Connect(t.Context()))
	r.must(r.stat())
	r.wantDials(3)
}

// TestMendedMeanwhile calls Connect while an attempt with the old password is under way.
func TestMendedMeanwhile(t *testing.T) {
	wrong, right := "wrong", "right"
	r := newRig(t, func(r *rig, cfg *redial.Config) { r.pass.Store(&wrong) })
	reached, goOn := make(chan struct{}, 2), make(chan struct{})
	r.p.SetFault(func(_ context.Context, call mem.Call) error {
		if call.Op == "Connect" {
			reached <- struct{}{}
			<-goOn
		}
		return nil
	})
	errs := make(chan error, 2)
	go func() { errs <- r.stat() }()
	<-reached
	r.pass.Store(&right)
	called := make(chan struct{})
	go func() { close(called); errs <- r.c.Connect(t.Context()) }()
	<-called
	close(goOn)
	var failed int
	for range 2 {
		if err := <-errs; err != nil {
			r.want(err, win32.ERROR_INVALID_PASSWORD, syscall.EACCES) // the Stat's
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d failed, want the Stat alone", failed)
	}
	r.wantState(wnet.StateOK, 0)
}

// TestFrozen has a server that accepts everything and answers nothing.
func TestFrozen(t *testing.T) {
	r := newRig(t, func(r *rig, cfg *redial.Config) {
		cfg.OpTimeout, cfg.ConnectTimeout = 50*time.Millisecond, 50*time.Millisecond
	})
	r.must(r.stat())
	r.p.SetFault(func(ctx context.Context, _ mem.Call) error { <-ctx.Done(); return ctx.Err() })
	r.want(r.stat(), syscall.ETIMEDOUT)
	r.wantState(wnet.StateOK, 0) // one may be chance
	r.want(r.stat(), syscall.ETIMEDOUT)
	r.wantState(wnet.StateUnavailable, win32.ERROR_UNEXP_NET_ERR)
	for range 100 { // at once
		r.want(r.stat(), syscall.EHOSTDOWN)
	}
	r.wantDials(1)
	r.now.pass(time.Second)
	r.want(r.stat(), syscall.EHOSTDOWN, win32.ERROR_BAD_NETPATH) // tried, in vain
	r.wantDials(2)
	r.want(r.stat(), syscall.EHOSTDOWN)
	r.wantDials(2)
	r.now.pass(time.Minute)
	r.p.SetFault(nil)
	r.must(r.stat())
	r.wantState(wnet.StateOK, 0)
}

// TestFrozenForMany ends what waits when others have found the server dead.
func TestFrozenForMany(t *testing.T) {
	r := newRig(t, func(r *rig, cfg *redial.Config) { cfg.OpTimeout = time.Hour })
	r.must(r.stat())
	var waiting atomic.Int32
	r.p.SetFault(func(ctx context.Context, _ mem.Call) error { waiting.Add(1); <-ctx.Done(); return ctx.Err() })
	errs := make(chan error, 10)
	for range 10 {
		go func() { errs <- r.fs.Mkdir(t.Context(), "new", 0o755) }()
	}
	r.await("all wait", func() bool { return waiting.Load() == 10 })
	r.lose()
	for range 10 {
		r.want(<-errs, win32.ERROR_NETNAME_DELETED)
	}
}

// TestCallerWithDeadline finds the server dead for a caller whose own deadline is shorter than the Conn's.
func TestCallerWithDeadline(t *testing.T) {
	r := newRig(t, func(r *rig, cfg *redial.Config) { cfg.OpTimeout = 100 * time.Millisecond })
	r.must(r.stat())
	r.p.SetFault(func(ctx context.Context, _ mem.Call) error { <-ctx.Done(); return ctx.Err() })
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := r.fs.Stat(ctx, "."); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		cancel()
	}
	r.wantState(wnet.StateUnavailable, win32.ERROR_UNEXP_NET_ERR)

}

// TestImpatient has callers who lose patience at once, or are interrupted. That says nothing about the server.
func TestImpatient(t *testing.T) {
	r := newRig(t, nil)
	r.must(r.stat())
	r.p.SetFault(func(ctx context.Context, _ mem.Call) error { <-ctx.Done(); return ctx.Err() })
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := r.fs.Stat(ctx, "."); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		cancel()
	}
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		r.p.SetFault(func(ctx context.Context, _ mem.Call) error { cancel(); <-ctx.Done(); return ctx.Err() })
		if _, err := r.fs.Stat(ctx, "."); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	r.wantState(wnet.StateOK, 0)
}

// TestLossEndsWhatWaits has one operation find the connection lost, whose provider takes its time to close it: the others wait no longer.
func TestLossEndsWhatWaits(t *testing.T) {
	gate := make(chan struct{})
	r := newRig(t, func(r *rig, cfg *redial.Config) {
		cfg.OpTimeout = time.Hour
		r.wrap = func(c wnet.Conn) wnet.Conn { return slowConn{c, gate} }
	})
	defer close(gate)
	r.must(r.stat())
	waiting := make(chan struct{})
	r.p.SetFault(func(ctx context.Context, call mem.Call) error {
		switch {
		case call.Op == "Mkdir":
			close(waiting)
			<-ctx.Done()
			return ctx.Err()
		case call.Op == "Stat" && r.dials.Load() == 1:
			return &wnet.Error{Code: win32.ERROR_NETNAME_DELETED}
		}
		return nil
	})
	made := make(chan error)
	go func() { made <- r.fs.Mkdir(t.Context(), "new", 0o755) }()
	<-waiting
	r.must(r.stat())
	r.want(<-made, win32.ERROR_NETNAME_DELETED)
}

// TestImpatientFirst leaves the attempt to those who come later.
func TestImpatientFirst(t *testing.T) {
	r := newRig(t, nil)
	gate := make(chan struct{})
	r.p.SetFault(func(ctx context.Context, call mem.Call) error {
		select {
		case <-gate:
		case <-ctx.Done():
		}
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { _, err := r.fs.Stat(ctx, "."); gone <- err }()
	r.awaitState(wnet.StateConnecting)
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := r.c.Connect(ctx); wnet.CodeOf(err) != win32.ERROR_CANCELLED {
		t.Fatalf("Connect of a context that has ended: %v", err)
	}
	close(gate)
	r.must(r.stat())
	r.wantDials(1)
}

// TestDeafProvider has a provider that heeds no context.
func TestDeafProvider(t *testing.T) {
	gate := make(chan struct{})
	r := newRig(t, func(r *rig, cfg *redial.Config) {
		cfg.ConnectTimeout = 20 * time.Millisecond
		cfg.Connect = func(context.Context) (wnet.Conn, error) { <-gate; return r.connect(context.Background()) }
	})
	r.want(r.stat(), win32.ERROR_BAD_NETPATH, syscall.EHOSTDOWN)
	close(gate)
	r.await("the late connection", func() bool { return r.dials.Load() == 1 && r.share.Connections() == 0 })
	r.now.pass(time.Minute)
	r.must(r.stat())
}

func TestClose(t *testing.T) {
	for name, under := range map[string]string{"while connecting": "Connect", "while working": "Stat"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			reached := make(chan struct{}, 10)
			r.p.SetFault(func(ctx context.Context, call mem.Call) error {
				if call.Op == under {
					reached <- struct{}{}
					<-ctx.Done()
				}
				return ctx.Err()
			})
			errs := make(chan error, 2)
			go func() { errs <- r.stat() }()
			<-reached
			go func() { errs <- r.c.Connect(t.Context()) }()
			if under != "Connect" {
				r.must(<-errs) // it is connected
			}
			r.must(r.c.Close())
			r.want(<-errs, win32.ERROR_NETNAME_DELETED)
			if under == "Connect" {
				r.want(<-errs, win32.ERROR_NETNAME_DELETED)
			}
			r.must(r.c.Close())
			<-r.c.Lost()
			r.want(r.stat(), win32.ERROR_NETNAME_DELETED)
			r.want(r.c.Connect(t.Context()), win32.ERROR_NETNAME_DELETED)
			r.c.Warm()
			r.wantState(wnet.StateDisconnected, win32.ERROR_NETNAME_DELETED)
			r.wantDials(1)
		})
	}
}

// TestClosedTooLate closes while the provider, past heeding its context, just succeeds.
func TestClosedTooLate(t *testing.T) {
	gate, reached := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(r *rig, cfg *redial.Config) {
		cfg.Connect = func(context.Context) (wnet.Conn, error) {
			close(reached)
			<-gate
			return r.connect(context.Background())
		}
	})
	errs := make(chan error)
	go func() { errs <- r.stat() }()
	<-reached
	r.must(r.c.Close())
	r.want(<-errs, win32.ERROR_NETNAME_DELETED)
	close(gate)
	r.await("the late connection", func() bool { return r.dials.Load() == 1 && r.share.Connections() == 0 })
}

// slowConn takes its time to close.
type slowConn struct {
	wnet.Conn
	gate chan struct{}
}

func (c slowConn) Close() error { <-c.gate; return c.Conn.Close() }

func TestCloseWaitsForNobody(t *testing.T) {
	gate := make(chan struct{})
	r := newRig(t, func(r *rig, _ *redial.Config) {
		r.wrap = func(c wnet.Conn) wnet.Conn { return slowConn{c, gate} }
	})
	defer close(gate)
	r.must(r.stat())
	r.must(r.c.Close())
}

func TestWarm(t *testing.T) {
	r := newRig(t, func(r *rig, cfg *redial.Config) {
		cfg.Now, cfg.BackoffMin, cfg.BackoffMax = nil, time.Millisecond, 5*time.Millisecond
	})
	r.p.SetDown("nas", true)
	for range 10 {
		r.c.Warm()
	}
	r.await("some attempts", func() bool { return r.dials.Load() > 5 })
	if err := r.stat(); err != nil {
		r.want(err, win32.ERROR_BAD_NETPATH)
	}
	r.p.SetDown("nas", false)
	r.awaitState(wnet.StateOK)
	n := r.dials.Load()
	r.must(r.stat())
	r.wantDials(n)

	// After a loss it does not run by itself, and Close ends it.
	r.p.SetDown("nas", true)
	r.awaitState(wnet.StateDisconnected)
	r.c.Warm()
	r.await("more attempts", func() bool { return r.dials.Load() > n+2 })
}

// TestFlapping has a server that takes every connection and drops it at once.
func TestFlapping(t *testing.T) {
	r := newRig(t, nil)
	r.p.SetFault(func(ctx context.Context, call mem.Call) error {
		if call.Op == "Stat" {
			r.share.Sever()
		}
		return ctx.Err()
	})
	for range 10 {
		r.want(r.stat(), win32.ERROR_NETNAME_DELETED)
	}
	if n := r.dials.Load(); n > 5 {
		t.Errorf("%d connections were made in no time", n)
	}
	r.wantState(wnet.StateUnavailable, win32.ERROR_NETNAME_DELETED)
	r.p.SetFault(nil)
	r.now.pass(time.Second)
	r.must(r.stat())
	r.now.pass(time.Minute)
	r.lose()
	r.must(r.stat()) // a connection that was good for a while is made again at once
}

// TestIdle has a connection die unnoticed, as while the machine slept. What can't be asked twice is not the first to find out.
func TestIdle(t *testing.T) {
	r := newRig(t, nil)
	dead := func() { // fails on the old connection only
		n := r.dials.Load()
		r.p.SetFault(func(_ context.Context, call mem.Call) error {
			if call.Op != "Connect" && r.dials.Load() == n {
				return &wnet.Error{Code: win32.ERROR_NETNAME_DELETED}
			}
			return nil
		})
	}
	r.must(r.stat())
	r.now.pass(2 * time.Second)
	dead()
	r.want(r.fs.Mkdir(t.Context(), "a", 0o755), win32.ERROR_NETNAME_DELETED)
	r.must(r.fs.Mkdir(t.Context(), "a", 0o755))
	f := r.open("file", wnet.OpenWrite|wnet.OpenCreate)
	_, err := f.Stat(t.Context())
	r.must(err)
	r.now.pass(8 * time.Hour)
	dead()
	_, err = f.WriteAt(t.Context(), []byte("saved"), 0)
	r.must(err)
	r.must(f.Close(t.Context()))
	r.now.pass(8 * time.Hour)
	dead()
	r.must(r.fs.Mkdir(t.Context(), "b", 0o755))
	if got := r.read("file"); got != "saved" {
		t.Errorf("the file reads %q", got)
	}
}

// TestPlain has a file system with none of the optional interfaces.
func TestPlain(t *testing.T) {
	r := newRig(t, func(r *rig, _ *redial.Config) {
		r.wrap = func(c wnet.Conn) wnet.Conn { return plainConn{c, plainFS{c.FS()}} }
	})
	r.write("file", "content")
	ctx, size := t.Context(), int64(3)
	a, err := r.fs.(wnet.AttrSetter).SetAttr(ctx, "file", wnet.AttrChange{Size: &size})
	r.must(err)
	if a.Size != 3 || r.read("file") != "con" {
		t.Errorf("the file has %d bytes, %q", a.Size, r.read("file"))
	}
	_, err = r.fs.(wnet.AttrSetter).SetAttr(ctx, "file", wnet.AttrChange{ModTime: &time.Time{}})
	r.want(err, syscall.ENOTSUP)
	r.want(r.fs.(wnet.Symlinker).Symlink(ctx, "file", "link"), syscall.EPERM)
	_, err = r.fs.(wnet.Symlinker).Readlink(ctx, "file")
	r.want(err, syscall.EINVAL)
	r.want(r.fs.(wnet.Linker).Link(ctx, "file", "link"), syscall.EPERM)
	_, err = r.fs.(wnet.Statfser).Statfs(ctx)
	r.want(err, syscall.ENOTSUP)
	f := r.open("file", wnet.OpenRead)
	if _, ok := f.(wnet.FileAttrSetter); ok {
		t.Error("the file says it can set attributes")
	}
	r.must(f.Close(ctx))
}
