package smb2

import (
	"context"
	"sync"

	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
)

// ReadAt reads up to len(p) bytes at off, in several requests at once if they are many. Fewer than asked with a nil error only at the end
// of the file. (Not io.ReaderAt: no io.EOF.)
func (f *File) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	n, err := f.split(ctx, p, off, f.read)
	return n, wrap("read", f.name, err)
}

// WriteAt writes all of p at off, in several requests at once if they are many. n < len(p) comes with an error; parts after n may have been
// written.
func (f *File) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	f.changed()
	n, err := f.split(ctx, p, off, f.write)
	return n, wrap("write", f.name, err)
}

// split does one in chunks, several at once, and gives how many bytes were done from the beginning on without a gap.
func (f *File) split(ctx context.Context, p []byte, off int64, one func(context.Context, []byte, int64) (int, error)) (int, error) {
	chunk := f.chunk()
	if len(p) <= chunk {
		return one(ctx, p, off)
	}
	var mu sync.Mutex // guards done, first and next
	done, next := len(p), 0
	var first error
	work := func() {
		for {
			mu.Lock()
			at := next
			if at >= done {
				mu.Unlock()
				return
			}
			next += chunk
			mu.Unlock()
			part := p[at:min(at+chunk, len(p))]
			n, err := one(ctx, part, off+int64(at))
			mu.Lock()
			if (err != nil || n < len(part)) && at+n < done {
				done, first = at+n, err
			}
			mu.Unlock()
		}
	}
	var wg sync.WaitGroup
	for range min(f.t.c.opt.Ahead, (len(p)-1)/chunk+1) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return done, first
}

// chunk is how much one request carries.
func (f *File) chunk() int {
	f.mu.Lock()
	c := f.a.l.conn
	f.mu.Unlock()
	i := c.Info()
	return int(c.MaxIO(min(f.t.c.opt.Chunk, i.MaxRead, i.MaxWrite)))
}

func (f *File) read(ctx context.Context, p []byte, off int64) (n int, err error) {
	err = f.do(ctx, true, func(a *at, id wire.FileID) error {
		r := &conn.Request{Command: wire.CmdRead, Payload: len(p), Into: p,
			Body: &wire.ReadRequest{Length: uint32(len(p)), Offset: uint64(off), File: id}}
		if err := a.send(ctx, r); err != nil {
			return err
		}
		n = r.N
		if r.Status == wire.StatusEndOfFile {
			return nil
		}
		return ok(r)
	})
	return n, err
}

func (f *File) write(ctx context.Context, p []byte, off int64) (n int, err error) {
	err = f.do(ctx, true, func(a *at, id wire.FileID) error {
		r := &conn.Request{Command: wire.CmdWrite, Payload: len(p), Tail: p,
			Body: &wire.WriteRequest{Length: uint32(len(p)), Offset: uint64(off), File: id}}
		if err := a.send(ctx, r); err != nil {
			return err
		}
		if err := ok(r); err != nil {
			return err
		}
		m, err := wire.DecodeWrite(r.Msg)
		switch {
		case err != nil:
			return err
		case int(m) > len(p) || m == 0 && len(p) > 0:
			return wire.ErrMalformed
		}
		n = int(m)
		return nil
	})
	if err == nil && n < len(p) {
		m, err := f.write(ctx, p[n:], off+int64(n))
		return n + m, err
	}
	return n, err
}

// Transceive writes a message to a pipe and gives the answer, at most limit bytes of it; Read gives the rest of one that is longer.
func (f *File) Transceive(ctx context.Context, in []byte, limit int) ([]byte, error) {
	out, err := f.Ioctl(ctx, wire.FsctlPipeTransceive, in, limit)
	if is(err, wire.StatusBufferOverflow) {
		err = nil
	}
	return out, err
}

// Read gives the next bytes of a pipe, at most limit, waiting for at least one.
func (f *File) Read(ctx context.Context, limit int) (out []byte, err error) {
	p := make([]byte, min(limit, f.chunk()))
	n := 0
	err = f.do(ctx, false, func(a *at, id wire.FileID) error {
		r := &conn.Request{Command: wire.CmdRead, Payload: len(p), Waits: true, Body: &wire.ReadRequest{Length: uint32(len(p)), Minimum: 1, File: id}}
		if err := a.send(ctx, r); err != nil {
			return err
		}
		if err := ok(r); err != nil {
			return err
		}
		data, err := wire.DecodeRead(r.Msg)
		if err == nil && len(data) > len(p) {
			err = wire.ErrMalformed
		}
		n = copy(p, data)
		return err
	})
	return p[:n], wrap("read", f.name, err)
}

// Write writes a message to a pipe.
func (f *File) Write(ctx context.Context, in []byte) error {
	_, err := f.WriteAt(ctx, in, 0)
	return err
}
