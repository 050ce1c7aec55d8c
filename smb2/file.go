package smb2

import (
	"context"
	"errors"
	"sync"

	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
)

// File is an open file, folder or pipe. It may be used from many goroutines at once, and is closed once.
//
// After a lost connection the File comes back with the next request: by its durable handle if the server kept that, so that nothing
// happened; else it is opened again by its name, if that is still the same file, not changed meanwhile by anybody else as far as its id,
// size and times tell, and its locks are taken again. Otherwise every request fails with ErrChanged or ErrLockLost: old and new content are
// never mixed.
type File struct {
	t    *Tree
	open Open
	own  bool // the lease is nobody else's

	mu     sync.Mutex // guards all below
	name   string     // as the server has it
	a      *at        // what id is on
	id     wire.FileID
	create [16]byte // of the durable handle, version 2
	durable,
	durable2 bool
	attr   Attr // as last seen
	wrote  bool // we changed it since
	locks  []wire.LockElement
	lost   error         // why it never comes back
	busy   chan struct{} // closed when somebody has finished opening it again
	closed bool
	action uint32
}

// Open opens or makes a file.
func (t *Tree) Open(ctx context.Context, name string, o Open) (*File, error) {
	f, err := t.openFile(ctx, name, o)
	return f, wrap("open", name, err)
}

func (t *Tree) openFile(ctx context.Context, name string, o Open) (*File, error) {
	path, err := t.path(name)
	if err != nil {
		return nil, err
	}
	f := &File{t: t, open: o, name: path, create: conn.NewGUID()}
	safe := o.Disposition != wire.Create && o.Options&wire.OptDeleteOnClose == 0
	err = t.do(ctx, safe, func(a *at) error {
		if o.Durable && o.Lease == nil && a.l.conn.Info().Capabilities&wire.CapLeasing != 0 && a.l.conn.Info().Dialect >= wire.Dialect210 {
			if f.open.Lease == nil {
				f.open.Lease, f.own = t.c.NewLease(wire.LeaseRead|wire.LeaseHandle, nil), true
			}
		}
		return f.ask(ctx, a, f.open, false)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// ask sends the CREATE that opens the file, or with back asks for its durable handle.
func (f *File) ask(ctx context.Context, a *at, o Open, back bool) error {
	f.mu.Lock()
	name, id := f.name, f.id
	f.mu.Unlock()
	body := o.request(a.path(name))
	info := a.l.conn.Info()
	body.Contexts = append(body.Contexts, wire.CreateContext{Name: wire.CtxOnDiskID})
	v2 := info.Dialect >= wire.Dialect300
	if o.Lease != nil && info.Dialect >= wire.Dialect210 && info.Capabilities&wire.CapLeasing != 0 {
		body.Oplock = wire.OplockLease
		body.Contexts = append(body.Contexts, o.Lease.context(a, v2))
	}
	switch {
	case back && f.durable2:
		body.Contexts = append(body.Contexts, wire.ReconnectV2(id, f.create, false))
	case back:
		body.Contexts = append(body.Contexts, wire.ReconnectV1(id))
	case o.Durable && v2:
		body.Contexts = append(body.Contexts, wire.DurableV2(f.create, 0, false))
	case o.Durable:
		body.Contexts = append(body.Contexts, wire.DurableV1())
	}
	r := &conn.Request{Command: wire.CmdCreate, Body: body, DFS: a.dfs(), Orphan: func(status Status, msg []byte) {
		var late wire.CreateResponse
		if status == wire.StatusOK && late.Decode(msg) == nil { // opened for nobody
			closeID(context.Background(), a, late.File)
		}
	}}
	if err := a.send(ctx, r); err != nil {
		return err
	}
	if err := opened(r); err != nil {
		return err
	}
	var resp wire.CreateResponse
	if err := resp.Decode(r.Msg); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.a, f.id, f.attr, f.wrote, f.action = a, resp.File, created(&resp), false, resp.Action
	if b, ok := resp.Context(wire.CtxLease); ok && o.Lease != nil && resp.Oplock == wire.OplockLease {
		if l, err := wire.DecodeLease(b); err == nil && l.Key == o.Lease.key {
			o.Lease.granted(l, a.l.gen)
		}
	}
	if !back {
		_, f.durable2 = resp.Context(wire.CtxDurableV2)
		_, v1 := resp.Context(wire.CtxDurable)
		f.durable = f.durable2 || v1
	}
	return nil
}

// Attr describes the file as it was when it was opened, or last asked about by Stat.
func (f *File) Attr() Attr {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.attr
}

// Action tells what opening did: wire.ActionOpened, wire.ActionCreated, …
func (f *File) Action() uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.action
}

// Lease is the file's lease, nil if it has none.
func (f *File) Lease() *Lease { return f.open.Lease }

// Durable reports whether the server keeps the handle when the connection is lost.
func (f *File) Durable() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.durable
}

// do calls fn with the file's id on a living link.
func (f *File) do(ctx context.Context, safe bool, fn func(*at, wire.FileID) error) error {
	return f.t.do(ctx, safe, func(a *at) error {
		for {
			f.mu.Lock()
			switch {
			case f.closed:
				f.mu.Unlock()
				return ErrClosed
			case f.lost != nil:
				defer f.mu.Unlock()
				return f.lost
			case f.a == a:
				id := f.id
				f.mu.Unlock()
				return fn(a, id)
			}
			if busy := f.busy; busy != nil {
				f.mu.Unlock()
				select {
				case <-busy:
					continue
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			f.busy = make(chan struct{})
			f.mu.Unlock()
			err := f.reopen(ctx, a)
			f.mu.Lock()
			close(f.busy)
			f.busy = nil
			if errors.Is(err, ErrChanged) || errors.Is(err, ErrLockLost) {
				f.lost = err
			}
			f.mu.Unlock()
			if err != nil {
				return err
			}
		}
	})
}

// reopen brings the file back on another link.
func (f *File) reopen(ctx context.Context, a *at) error {
	f.mu.Lock()
	before, wrote, locks, durable := f.attr, f.wrote, f.locks, f.durable
	f.mu.Unlock()
	if durable {
		err := f.ask(ctx, a, f.open, true)
		if lost, _ := conn.Lost(err); err == nil || lost || ctx.Err() != nil {
			if err == nil {
				f.mu.Lock()
				f.wrote = f.wrote || wrote
				f.mu.Unlock()
			}
			return err
		}
	}
	o := f.open
	o.Disposition = wire.Open
	f.create = conn.NewGUID()
	if err := f.ask(ctx, a, o, false); err != nil {
		if is(err, wire.StatusNotFoundName, wire.StatusNoSuchFile, wire.StatusDeletePending, wire.StatusNotFound) {
			return ErrChanged
		}
		return err
	}
	f.mu.Lock()
	now, id := f.attr, f.id
	f.mu.Unlock()
	same := now.ID == before.ID && now.Created.Equal(before.Created)
	if same && !wrote && now.Attributes&wire.AttrDirectory == 0 {
		same = now.Size == before.Size && now.Written.Equal(before.Written)
	}
	if !same {
		closeID(ctx, a, id)
		return ErrChanged
	}
	if len(locks) > 0 {
		if err := lock(ctx, a, id, locks, false); err != nil {
			closeID(ctx, a, id)
			if lost, _ := conn.Lost(err); lost {
				return err
			}
			return ErrLockLost
		}
	}
	return nil
}

func closeID(ctx context.Context, a *at, id wire.FileID) error {
	r := &conn.Request{Command: wire.CmdClose, Body: &wire.CloseRequest{File: id}}
	if err := a.send(ctx, r); err != nil {
		return err
	}
	return ok(r)
}

// Close closes the file. One whose connection is lost is closed without a word: the server has closed it, or will.
func (f *File) Close(ctx context.Context) error {
	f.mu.Lock()
	a, id, was := f.a, f.id, f.closed
	f.closed = true
	f.mu.Unlock()
	if was {
		return wrap("close", f.name, ErrClosed)
	}
	if f.open.Lease != nil && f.own {
		defer f.open.Lease.Release()
	}
	err := closeID(ctx, a, id)
	if lost, _ := conn.Lost(err); lost {
		err = nil
	}
	return wrap("close", f.name, err)
}

// Flush returns when the server says that all written data is stable.
func (f *File) Flush(ctx context.Context) error {
	return wrap("flush", f.name, f.do(ctx, true, func(a *at, id wire.FileID) error {
		r := &conn.Request{Command: wire.CmdFlush, Body: &wire.FlushRequest{File: id}}
		if err := a.send(ctx, r); err != nil {
			return err
		}
		return ok(r)
	}))
}

// Query asks for information of a class and gives at most limit bytes of it.
func (f *File) Query(ctx context.Context, kind, class uint8, limit int) (out []byte, err error) {
	err = f.do(ctx, true, func(a *at, id wire.FileID) error {
		n := min(limit, int(a.l.conn.Info().MaxTransact))
		r := &conn.Request{Command: wire.CmdQueryInfo, Payload: n, Body: &wire.QueryInfoRequest{Type: kind, Class: class, Max: uint32(n), File: id}}
		if err := a.send(ctx, r); err != nil {
			return err
		}
		if err := ok(r); err != nil {
			return err
		}
		out, err = wire.DecodeOutput(r.Msg)
		return err
	})
	return out, wrap("query", f.name, err)
}

// Set changes information of a class. Doing it twice must do no harm.
func (f *File) Set(ctx context.Context, kind, class uint8, data []byte) error {
	return wrap("set", f.name, f.set(ctx, true, kind, class, data))
}

func (f *File) set(ctx context.Context, safe bool, kind, class uint8, data []byte) error {
	return f.do(ctx, safe, func(a *at, id wire.FileID) error {
		f.changed()
		r := &conn.Request{Command: wire.CmdSetInfo, Payload: len(data), Body: &wire.SetInfoRequest{Type: kind, Class: class, Data: data, File: id}}
		if err := a.send(ctx, r); err != nil {
			return err
		}
		return ok(r)
	})
}

// changed notes that the file's attributes are not those that were last seen any more.
func (f *File) changed() {
	f.mu.Lock()
	f.wrote = true
	f.mu.Unlock()
}

// Stat describes the file, also after it was renamed or removed.
func (f *File) Stat(ctx context.Context) (Attr, error) {
	b, err := f.Query(ctx, wire.InfoFile, wire.ClassAll, 4096)
	if err != nil {
		return Attr{}, err
	}
	i, err := wire.DecodeAll(b)
	if err != nil {
		return Attr{}, wrap("stat", f.name, err)
	}
	a := all(&i)
	f.mu.Lock()
	a.Posix, a.ReparseTag = f.attr.Posix, f.attr.ReparseTag
	if f.attr.ID != 0 {
		a.ID = f.attr.ID
	}
	f.attr, f.wrote = a, false
	f.mu.Unlock()
	return a, nil
}

// Truncate cuts or extends the file with zeros.
func (f *File) Truncate(ctx context.Context, size int64) error {
	return f.Set(ctx, wire.InfoFile, wire.ClassEndOfFile, wire.Uint64(uint64(size)))
}

// SetAttr changes times and attributes.
func (f *File) SetAttr(ctx context.Context, c Change) error {
	return f.Set(ctx, wire.InfoFile, wire.ClassBasic, c.basic())
}

// Ioctl passes a control code about the file on.
func (f *File) Ioctl(ctx context.Context, code uint32, in []byte, limit int) (out []byte, err error) {
	err = f.do(ctx, false, func(a *at, id wire.FileID) error {
		out, err = ioctl(ctx, a, id, code, in, limit, code == wire.FsctlPipeTransceive)
		return err
	})
	return out, wrap("control", f.name, err)
}
