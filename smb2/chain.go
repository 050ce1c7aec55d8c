package smb2

import (
	"context"

	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
)

// Open says how a file is opened. The zero value of Share is wire.ShareAll: others may read, write, rename and remove it.
type Open struct {
	Access      uint32
	Share       uint32
	Exclusive   bool // Share is meant as it is, 0 included
	Disposition uint32
	Options     uint32  // wire.OptDirectory, …
	Attributes  uint32  // of a new file
	Stream      string  // of the file, "" for its own data
	Mode        *uint32 // of a new file, with the POSIX extensions
	Lease       *Lease  // asked for; see Client.NewLease
	Durable     bool    // the handle is to outlive a lost connection, and asks for a lease if it has none
	Contexts    []wire.CreateContext
}

func (o *Open) request(name string) *wire.CreateRequest {
	r := &wire.CreateRequest{Access: o.Access, Share: o.Share, Disposition: o.Disposition, Options: o.Options, Attributes: o.Attributes, Name: name,
		Contexts: o.Contexts[:len(o.Contexts):len(o.Contexts)]}
	if r.Share == 0 && !o.Exclusive {
		r.Share = wire.ShareAll
	}
	if o.Stream != "" {
		r.Name += ":" + o.Stream
	}
	if o.Mode != nil {
		r.Contexts = append(r.Contexts, wire.PosixMode(*o.Mode))
	}
	return r
}

// Chain is what is done to one file in one exchange with the server: open, steps, close, all as one compound. If opening fails nothing else
// happens; if a step fails the others still do.
type Chain struct {
	t    *Tree
	name string
	open Open
	make []func() *conn.Request // one request a step: made anew when the chain is sent again
	done []func(*conn.Request) error
	safe bool

	Attr   Attr   // as the file was when it was opened
	Action uint32 // what opening did: wire.ActionOpened, …
	After  *Attr  // as it was when it was closed; nil if the server does not say
}

// Chain begins a chain on a file. It is sent by Do.
func (t *Tree) Chain(name string, o Open) *Chain {
	return &Chain{t: t, name: name, open: o, safe: o.Disposition == wire.Open && o.Options&wire.OptDeleteOnClose == 0}
}

func (c *Chain) step(r func() *conn.Request, done func(*conn.Request) error) *Chain {
	c.make, c.done = append(c.make, r), append(c.done, done)
	return c
}

// Query asks for information; got is called with it. limit is how long it may be; what is longer is cut off.
func (c *Chain) Query(kind, class uint8, limit int, got func([]byte) error) *Chain {
	return c.step(func() *conn.Request {
		return &conn.Request{Command: wire.CmdQueryInfo, Payload: limit,
			Body: &wire.QueryInfoRequest{Type: kind, Class: class, Max: uint32(limit), File: wire.RelatedFile()}}
	}, func(r *conn.Request) error {
		if err := ok(r); err != nil {
			return err
		}
		b, err := wire.DecodeOutput(r.Msg)
		if err != nil {
			return err
		}
		return got(b)
	})
}

// Set changes information. It counts as safe to be done twice.
func (c *Chain) Set(kind, class uint8, data []byte) *Chain {
	return c.step(func() *conn.Request {
		return &conn.Request{Command: wire.CmdSetInfo, Payload: len(data),
			Body: &wire.SetInfoRequest{Type: kind, Class: class, Data: data, File: wire.RelatedFile()}}
	}, ok)
}

// Once says that a step is not safe to be done twice, so that the chain is not sent again after a connection was lost.
func (c *Chain) Once() *Chain {
	c.safe = false
	return c
}

// Read reads up to len(p) bytes, at most a chunk of the Client's; n gets how many.
func (c *Chain) Read(p []byte, off int64, n *int) *Chain {
	return c.step(func() *conn.Request {
		return &conn.Request{Command: wire.CmdRead, Payload: len(p), Into: p,
			Body: &wire.ReadRequest{Length: uint32(len(p)), Offset: uint64(off), File: wire.RelatedFile()}}
	}, func(r *conn.Request) error {
		if *n = r.N; r.Status == wire.StatusEndOfFile {
			return nil
		}
		return ok(r)
	})
}

// Write writes p, at most a chunk of the Client's.
func (c *Chain) Write(p []byte, off int64) *Chain {
	return c.step(func() *conn.Request {
		return &conn.Request{Command: wire.CmdWrite, Payload: len(p), Tail: p,
			Body: &wire.WriteRequest{Length: uint32(len(p)), Offset: uint64(off), File: wire.RelatedFile()}}
	}, func(r *conn.Request) error {
		if err := ok(r); err != nil {
			return err
		}
		n, err := wire.DecodeWrite(r.Msg)
		if err == nil && int(n) != len(p) {
			err = wire.ErrMalformed
		}
		return err
	})
}

// Ioctl passes a control code on; got, if not nil, is called with the answer.
func (c *Chain) Ioctl(code uint32, in []byte, limit int, got func([]byte) error) *Chain {
	return c.step(func() *conn.Request {
		return &conn.Request{Command: wire.CmdIoctl, Payload: max(len(in), limit),
			Body: &wire.IoctlRequest{Code: code, File: wire.RelatedFile(), Input: in, MaxOutput: uint32(limit)}}
	}, func(r *conn.Request) error {
		if err := ok(r); err != nil || got == nil {
			return err
		}
		_, out, err := wire.DecodeIoctl(r.Msg)
		if err != nil {
			return err
		}
		return got(out)
	})
}

// Do sends the chain. Its error is that of opening or, if that went well, of the first step that failed.
func (c *Chain) Do(ctx context.Context) error {
	name, err := c.t.path(c.name)
	if err != nil {
		return err
	}
	return c.t.do(ctx, c.safe, func(a *at) error { return c.send(ctx, a, name) })
}

func (c *Chain) send(ctx context.Context, a *at, name string) error {
	body := c.open.request(a.path(name))
	body.Contexts = append(body.Contexts, wire.CreateContext{Name: wire.CtxOnDiskID})
	reqs := []*conn.Request{{Command: wire.CmdCreate, Body: body, DFS: a.dfs()}}
	for _, m := range c.make {
		r := m()
		r.Related = true
		reqs = append(reqs, r)
	}
	reqs = append(reqs, &conn.Request{Command: wire.CmdClose, Body: &wire.CloseRequest{Attributes: true, File: wire.RelatedFile()}, Related: true})
	if err := a.send(ctx, reqs...); err != nil {
		return err
	}
	if err := opened(reqs[0]); err != nil {
		return err
	}
	var r wire.CreateResponse
	if err := r.Decode(reqs[0].Msg); err != nil {
		return err
	}
	c.Attr, c.Action = created(&r), r.Action
	var first error
	for i, done := range c.done {
		if err := done(reqs[1+i]); err != nil && first == nil {
			first = err
		}
	}
	last := reqs[len(reqs)-1]
	if err := ok(last); err != nil && first == nil {
		first = err
	}
	var end wire.CloseResponse
	if last.Status == wire.StatusOK && end.Decode(last.Msg) == nil && end.HasAttributes {
		after := c.Attr
		after.basic(wire.Basic{Created: end.Created, Accessed: end.Accessed, Written: end.Written, Changed: end.Changed, Attributes: end.Attributes},
			end.Size, end.Allocation)
		c.After = &after
	}
	return first
}

// opened gives the error of a CREATE; of one that a link stopped, with the link.
func opened(r *conn.Request) error {
	if r.Status == wire.StatusStoppedOnLink {
		if data, err := wire.ErrorData(r.Msg); err == nil {
			if l, err := wire.DecodeLinkError(data); err == nil {
				return &LinkError{l}
			}
		}
	}
	return ok(r)
}

// LinkError is what opening fails with when a symbolic link stands in the way, which the client has to follow.
type LinkError struct {
	Link wire.LinkError
}

func (e *LinkError) Error() string { return "a symbolic link to " + e.Link.Target + " is in the way" }

// Unwrap gives StatusStoppedOnLink.
func (e *LinkError) Unwrap() error { return wire.StatusStoppedOnLink }

var _ error = (*LinkError)(nil)
