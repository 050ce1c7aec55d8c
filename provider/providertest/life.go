package providertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// lifeChecks are about how connections and calls end.
func lifeChecks() []Check {
	return []Check{
		{"life/close-twice", "Close may be called more than once and from any goroutine.", "", connected(closeTwice)},
		{"life/after-close", "After Close every call fails with an error that has a code.", "", connected(afterClose)},
		{"life/independent", "Closing one connection leaves the others as they are.", "", connected(independent)},
		{"life/cancelled", "A call whose context has ended fails with the context's error and changes nothing.", "", connected(callsCancelled)},
		{"life/stalled-connect", "Connect ends soon after its context does, though the server does not answer.", "Target.Stall", body(stalledConnect)},
		{"life/stalled-calls", "A call ends soon after its context does, though the server does not answer.", "Target.Stall",
			connected(stalledCalls)},
		{"life/stalled-close", "Close waits for no dead server, and ends what is under way.", "Target.Stall", connected(stalledClose)},
		{"life/severed", "A connection that the server cuts is lost: Lost is closed, calls are ERROR_NETNAME_DELETED.", "Target.Sever",
			connected(severed)},
		{"life/again", "After a connection was lost, a new one works.", "Target.Sever", connected(again)},
	}
}

func closeTwice(e *env) {
	e.soon("Close, four times at once", func() {
		e.all(4, func(int) { e.ok("Close", e.conn.Close()) })
	})
	e.soon("Close once more", func() { e.ok("Close once more", e.conn.Close()) })
}

// calls is every method of a FileSystem and a File that has to heed contexts and lost connections. The file "f" is there.
func calls(fsys wnet.FileSystem, f wnet.File) map[string]func(ctx context.Context) error {
	all := map[string]func(ctx context.Context) error{
		"Stat":    func(ctx context.Context) error { _, err := fsys.Stat(ctx, "f"); return err },
		"ReadDir": func(ctx context.Context) error { _, err := fsys.ReadDir(ctx, "."); return err },
		"Open": func(ctx context.Context) error {
			g, err := fsys.Open(ctx, "f", reading, 0)
			if err == nil {
				g.Close(ctx)
			}
			return err
		},
		"Mkdir":         func(ctx context.Context) error { return fsys.Mkdir(ctx, "made", 0o755) },
		"Remove":        func(ctx context.Context) error { return fsys.Remove(ctx, "f", false) },
		"Rename":        func(ctx context.Context) error { return fsys.Rename(ctx, "f", "renamed") },
		"File.ReadAt":   func(ctx context.Context) error { _, err := f.ReadAt(ctx, make([]byte, 4), 0); return err },
		"File.WriteAt":  func(ctx context.Context) error { _, err := f.WriteAt(ctx, []byte("new!"), 0); return err },
		"File.Truncate": func(ctx context.Context) error { return f.Truncate(ctx, 1) },
		"File.Stat":     func(ctx context.Context) error { _, err := f.Stat(ctx); return err },
		"File.Sync":     func(ctx context.Context) error { return f.Sync(ctx) },
	}
	if s, ok := fsys.(wnet.AttrSetter); ok {
		mode := fs.FileMode(0o600)
		all["SetAttr"] = func(ctx context.Context) error {
			_, err := s.SetAttr(ctx, "f", wnet.AttrChange{Mode: &mode})
			return err
		}
	}
	if s, ok := fsys.(wnet.Symlinker); ok {
		all["Symlink"] = func(ctx context.Context) error { return s.Symlink(ctx, "f", "symlinked") }
	}
	if s, ok := fsys.(wnet.Linker); ok {
		all["Link"] = func(ctx context.Context) error { return s.Link(ctx, "f", "linked") }
	}
	if s, ok := fsys.(wnet.Statfser); ok {
		all["Statfs"] = func(ctx context.Context) error { _, err := s.Statfs(ctx); return err }
	}
	return all
}

func afterClose(e *env) {
	e.put("f", "text")
	f := e.open("f", both)
	e.ok("Close", e.conn.Close())
	for name, call := range calls(e.fs, f) {
		e.soon(name+" after Close", func() { e.dead(name+" after Close", call(e.ctx)) })
	}
	e.soon("Close of a file after that of its connection", func() { f.Close(e.ctx) })
}

// dead wants an error that has a code, and is not about the context.
func (e *env) dead(what string, err error, want ...win32.Code) {
	var code win32.Code
	if err == nil || !errors.As(err, &code) || e.ctx.Err() != nil {
		e.fail("%s: got %w, want an error with a code", what, orSuccess(err))
	}
	for _, w := range want {
		if !errors.Is(err, w) {
			e.fail("%s: got %w (%d), want %s (%d)", what, err, code, w.Name(), w)
		}
	}
}

func independent(e *env) {
	other := e.connect()
	e.ok("Close of another connection", other.Close())
	e.put("f", "text")
	e.has("f", "text")
	select {
	case <-e.conn.Lost():
		e.fail("Lost: got a closed channel after another connection was closed, want an open one")
	default:
	}
}

func callsCancelled(e *env) {
	e.put("f", "text")
	f := e.open("f", both)
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	for name, call := range calls(e.fs, f) {
		e.soon(name+" with a cancelled context", func() { e.ended(name+" with a cancelled context", call(ctx)) })
	}
	e.close(f)
	e.names(".", "f")
	e.has("f", "text")
}

func stalledConnect(e *env) {
	defer e.tg.Stall()()
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		c, err := e.tg.Provider.Connect(ctx, e.tg.request(e.tg.Share))
		if c != nil {
			c.Close()
		}
		e.ended("Connect to a server that does not answer", err)
	}()
	underWay()
	cancel()
	e.wait("Connect to a server that does not answer, cancelled", done)
}

func stalledCalls(e *env) {
	e.put("f", "text")
	f := e.open("f", both)
	defer e.tg.Stall()()
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	waiting := map[string]chan any{}
	for name, call := range calls(e.fs, f) {
		done := make(chan any, 1)
		waiting[name] = done
		go func() {
			defer func() { done <- recover() }()
			// An answer that needs no server is right too.
			if err := call(ctx); err != nil {
				e.ended(name+" on a server that does not answer", err)
			}
		}()
	}
	underWay()
	cancel()
	for name, done := range waiting {
		e.wait(name+" on a server that does not answer, cancelled", done)
	}
}

// underWay gives calls that were just begun the time to reach the server. Nobody tells when they have; a check that goes on too early
// is only less sharp.
func underWay() { time.Sleep(50 * time.Millisecond) }

func stalledClose(e *env) {
	e.put("f", "text")
	f := e.open("f", both)
	defer e.tg.Stall()()
	const n = 4
	done := make(chan any, n)
	for i := range n {
		go func() {
			var r any
			defer func() { done <- r }()
			defer func() { r = recover() }()
			_, err := f.WriteAt(e.ctx, []byte("late"), int64(4*i))
			e.dead("WriteAt that was under way at Close", err)
		}()
	}
	underWay()
	e.soon("Close while the server does not answer", func() { e.conn.Close() })
	for range n {
		e.wait(fmt.Sprintf("%d calls under way at Close", n), done)
	}
}

func severed(e *env) {
	e.put("f", "text")
	f := e.open("f", both)
	e.tg.Sever()
	e.lost()
	for name, call := range calls(e.fs, f) {
		e.soon(name+" on a lost connection", func() {
			e.dead(name+" on a lost connection", call(e.ctx), win32.ERROR_NETNAME_DELETED)
		})
	}
	e.soon("Close of a file of a lost connection", func() { f.Close(e.ctx) })
	e.soon("Close of a lost connection", func() { e.conn.Close() })
}

// lost waits for Lost to be closed.
func (e *env) lost() {
	t := time.NewTimer(e.tg.patience())
	defer t.Stop()
	select {
	case <-e.conn.Lost():
	case <-t.C:
		e.fail("Lost after the server has cut the connection: got an open channel for %v, want it closed soon", e.tg.patience())
	}
}

func again(e *env) {
	e.put("f", "text")
	e.tg.Sever()
	e.lost()
	c := e.connect()
	defer c.Close()
	e.fs = c.FS()
	e.has("f", "text")
}
