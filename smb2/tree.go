package smb2

import (
	"context"
	"errors"
	"sync"

	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
)

// Tree is a share. It may be used from many goroutines at once.
//
// Names are slash-separated and unrooted, valid by fs.ValidPath, "." for the top; see Mapping for characters that Windows reserves.
// No method follows a symbolic link in the last part of a name unless it says so. A link in the way of a name is StatusStoppedOnLink.
type Tree struct {
	c     *Client
	share string

	mu    sync.Mutex // guards all below
	at    *at
	busy  chan struct{} // closed when somebody has finished connecting; nil if nobody is
	ended bool
	fsinf *wire.FsAttributes
}

// at is a tree on one link.
type at struct {
	l       *link
	unc     string // server\share, which names in a DFS share begin with
	id      uint32
	info    wire.TreeConnectResponse
	encrypt bool
}

// Tree connects to a share.
func (c *Client) Tree(ctx context.Context, share string) (*Tree, error) {
	t := &Tree{c: c, share: share}
	err := t.do(ctx, true, func(*at) error { return nil })
	if err != nil {
		return nil, wrap("connect", `\\`+c.opt.Server+`\`+share, err)
	}
	return t, nil
}

// Client is whose tree it is.
func (t *Tree) Client() *Client { return t.c }

// Share is the share's name.
func (t *Tree) Share() string { return t.share }

// Info describes the share: its type (wire.ShareDisk, …), flags, and what the user may do.
func (t *Tree) Info() wire.TreeConnectResponse {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at.info
}

// on gives the tree on a living link.
func (t *Tree) on(ctx context.Context) (*at, error) {
	for {
		l, err := t.c.current(ctx)
		if err != nil {
			return nil, err
		}
		t.mu.Lock()
		if t.ended {
			t.mu.Unlock()
			return nil, ErrClosed
		}
		if t.at != nil && t.at.l == l {
			defer t.mu.Unlock()
			return t.at, nil
		}
		if busy := t.busy; busy != nil {
			t.mu.Unlock()
			select {
			case <-busy:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		t.busy = make(chan struct{})
		t.mu.Unlock()
		a, err := t.connect(ctx, l)
		t.mu.Lock()
		if err == nil {
			t.at = a
		}
		close(t.busy)
		t.busy = nil
		t.mu.Unlock()
		return a, err
	}
}

func (t *Tree) connect(ctx context.Context, l *link) (*at, error) {
	path := `\\` + t.c.opt.Server + `\` + t.share
	r := &conn.Request{Command: wire.CmdTreeConnect, Body: &wire.TreeConnectRequest{Path: path}, Signed: true}
	if err := l.sess.Do(ctx, r); err != nil {
		return nil, err
	}
	if err := ok(r); err != nil {
		return nil, err
	}
	a := &at{l: l, unc: path[2:]}
	var h wire.Header
	if err := errors.Join(h.Decode(r.Msg), a.info.Decode(r.Msg)); err != nil {
		return nil, err
	}
	a.id, a.encrypt = h.TreeID, a.info.Flags&wire.ShareFlagEncrypt != 0
	if a.encrypt && !l.sess.CanEncrypt() {
		return nil, &conn.PolicyError{Rule: "Ciphers", Why: "the share wants encryption, which was not negotiated"}
	}
	return a, l.sess.Validate(ctx, a.id, a.encrypt)
}

// dfs reports whether names on the tree are those of DFS ([MS-SMB2] 3.2.4.3).
func (a *at) dfs() bool { return a.info.Capabilities&wire.ShareCapDFS != 0 }

// path gives a name as CREATE has it.
func (a *at) path(name string) string {
	switch {
	case !a.dfs():
		return name
	case name == "":
		return a.unc
	}
	return a.unc + `\` + name
}

// send sends requests on the tree.
func (a *at) send(ctx context.Context, reqs ...*conn.Request) error {
	for _, r := range reqs {
		r.Tree, r.Encrypt = a.id, a.encrypt
	}
	if err := a.l.sess.Do(ctx, reqs...); err != nil {
		return err
	}
	switch reqs[0].Status {
	case wire.StatusSessionExpired, wire.StatusSessionDeleted, wire.StatusNameDeleted:
		return reqs[0].Status
	}
	return nil
}

// do calls f with the tree on a living link. It calls f again, with another link, if the first was lost and nothing was sent on it or
// doing it twice does no harm (safe); and if the server had forgotten the session or the tree, so that nothing was done.
func (t *Tree) do(ctx context.Context, safe bool, f func(*at) error) error {
	for try := 1; ; try++ {
		a, err := t.on(ctx)
		if err == nil {
			err = f(a)
		}
		if err == nil || try == 4 || ctx.Err() != nil {
			return err
		}
		lost, sent := conn.Lost(err)
		switch {
		case a == nil && !lost:
			return err
		case lost && a == nil:
			return err // it cannot be reached
		case lost && (!sent || safe) && !t.c.opt.Once:
		case is(err, wire.StatusSessionExpired):
			if e := t.c.renew(ctx, a.l); e != nil {
				return errors.Join(err, e)
			}
		case is(err, wire.StatusSessionDeleted, wire.StatusNameDeleted) && !t.c.opt.Once && try == 1:
			t.forget(a, err)
		default:
			return err
		}
	}
}

// forget drops a tree, or a link, that the server does not know any more.
func (t *Tree) forget(a *at, err error) {
	if is(err, wire.StatusSessionDeleted) {
		a.l.conn.Close()
		return
	}
	t.mu.Lock()
	if t.at == a {
		t.at = nil
	}
	t.mu.Unlock()
}

// Disconnect gives the share back. Files that are open on it are gone.
func (t *Tree) Disconnect(ctx context.Context) error {
	t.mu.Lock()
	a := t.at
	was := t.ended
	t.ended = true
	t.mu.Unlock()
	if was || a == nil || a.l.conn.Err() != nil {
		return nil
	}
	r := &conn.Request{Command: wire.CmdTreeDisconnect, Body: wire.Empty{}}
	if err := a.send(ctx, r); err != nil {
		return wrap("disconnect", t.share, err)
	}
	return wrap("disconnect", t.share, ok(r))
}

// Ioctl passes a control code that is about no file on to the server, such as wire.FsctlDFSReferrals (on the share IPC$). The answer has
// at most limit bytes; one that did not fit is StatusBufferOverflow together with what fits.
func (t *Tree) Ioctl(ctx context.Context, code uint32, in []byte, limit int) (out []byte, err error) {
	err = t.do(ctx, true, func(a *at) error {
		out, err = ioctl(ctx, a, wire.NoFile(), code, in, limit, false)
		return err
	})
	return out, wrap("control", t.share, err)
}

// ioctl sends an IOCTL about a file.
func ioctl(ctx context.Context, a *at, id wire.FileID, code uint32, in []byte, limit int, waits bool) ([]byte, error) {
	limit = min(limit, int(a.l.conn.Info().MaxTransact))
	r := &conn.Request{Command: wire.CmdIoctl, Body: &wire.IoctlRequest{Code: code, File: id, Input: in, MaxOutput: uint32(limit)},
		Payload: max(len(in), limit), Waits: waits}
	if err := a.send(ctx, r); err != nil {
		return nil, err
	}
	if r.Status != wire.StatusOK && r.Status != wire.StatusBufferOverflow && !(r.Status == wire.StatusInvalidParam && copying(code)) {
		return nil, r.Status
	}
	got, out, err := wire.DecodeIoctl(r.Msg)
	switch {
	case err != nil && r.Status != wire.StatusOK:
		return nil, r.Status // an error's answer without the limits of a copy
	case err != nil:
		return nil, err
	case got != code || len(out) > limit:
		return nil, wire.ErrMalformed
	case r.Status != wire.StatusOK:
		return out, r.Status
	}
	return out, nil
}

func copying(code uint32) bool {
	return code == wire.FsctlCopyChunk || code == wire.FsctlCopyChunkWrite
}
