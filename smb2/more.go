package smb2

import (
	"context"
	"strings"
	"syscall"

	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
)

// Rename renames the open file; to is a name in the share. See Tree.Rename. The File needs wire.Delete access.
func (f *File) Rename(ctx context.Context, to string, replace bool) error {
	path, err := f.t.path(to)
	if err != nil {
		return wrap("rename", to, err)
	}
	flags := uint32(0)
	if replace {
		flags = wire.RenameReplace
	}
	i, err := f.t.attributes(ctx)
	if err == nil && i.Flags&wire.FsPosixUnlink != 0 {
		err = f.set(ctx, false, wire.InfoFile, wire.ClassRenameEx, wire.AppendRename(nil, flags|wire.RenamePosix|wire.RenameIgnoreRO, path))
	}
	if err == nil && i.Flags&wire.FsPosixUnlink == 0 || unsupported(err) {
		err = f.set(ctx, false, wire.InfoFile, wire.ClassRename, wire.AppendRename(nil, flags, path))
	}
	if err == nil {
		f.mu.Lock()
		f.name = path
		f.mu.Unlock()
	}
	return wrap("rename", to, err)
}

// Remove takes the open file away; see Tree.Remove. The File needs wire.Delete access, and stays usable until it is closed.
func (f *File) Remove(ctx context.Context) error {
	i, err := f.t.attributes(ctx)
	if err == nil && i.Flags&wire.FsPosixUnlink != 0 {
		err = f.set(ctx, false, wire.InfoFile, wire.ClassDispositionEx,
			wire.Uint32(wire.DispositionDelete|wire.DispositionPosix|wire.DispositionIgnore))
	}
	if err == nil && i.Flags&wire.FsPosixUnlink == 0 || unsupported(err) {
		err = f.set(ctx, false, wire.InfoFile, wire.ClassDisposition, []byte{1})
	}
	return wrap("remove", f.name, err)
}

// Event is a change in a watched folder.
type Event struct {
	Action uint32 // wire.ChangeAdded, …
	Name   string // from the folder on, with slashes
}

// Notify waits for changes in the open folder, and below it with below, of the kinds in filter (wire.NotifyFileName, …). missed means that
// more changed than the server, or a lost connection, let us know: everything is to be looked at again. From the first call on the server
// collects changes between calls. The File needs wire.ReadData access.
func (f *File) Notify(ctx context.Context, filter uint32, below bool) (list []Event, missed bool, err error) {
	tries := 0
	err = f.do(ctx, true, func(a *at, id wire.FileID) error {
		if tries++; tries > 1 {
			missed = true
			return nil
		}
		limit := min(1<<16, int(a.l.conn.Info().MaxTransact))
		r := &conn.Request{Command: wire.CmdChangeNotify, Payload: limit, Waits: true,
			Body: &wire.ChangeNotifyRequest{Tree: below, Max: uint32(limit), File: id, Filter: filter}}
		if err := a.send(ctx, r); err != nil {
			return err
		}
		if r.Status == wire.StatusNotifyEnumDir {
			missed = true
			return nil
		}
		if r.Status != wire.StatusOK {
			return r.Status
		}
		b, err := wire.DecodeOutput(r.Msg)
		if err != nil {
			return err
		}
		changes, err := wire.DecodeChanges(b)
		for _, c := range changes {
			parts := strings.Split(c.Name, `\`)
			good := true
			for i, p := range parts {
				ok := false
				parts[i], ok = f.t.c.opt.Mapping.fromServer(p)
				good = good && ok
			}
			if good {
				list = append(list, Event{c.Action, strings.Join(parts, "/")})
			}
		}
		missed = len(list) == 0 && err == nil
		return err
	})
	return list, missed, wrap("watch", f.name, err)
}

// What servers take in one request to copy, unless they say otherwise.
const (
	copyChunks = 16
	copyChunk  = 1 << 20
)

// CopyFrom has the server copy up to n bytes at srcOff of src to off, without the data passing through here, and gives how many: fewer also
// before the end of src, so that no call takes long; 0 and nil only at or past that end. src is on the same Client and needs wire.ReadData
// access. A server that can't is StatusNotSupported or StatusInvalidRequest.
func (f *File) CopyFrom(ctx context.Context, src *File, srcOff, off, n int64) (int64, error) {
	m, err := f.copyFrom(ctx, src, srcOff, off, n)
	return m, wrap("copy", f.name, err)
}

func (f *File) copyFrom(ctx context.Context, src *File, srcOff, off, n int64) (int64, error) {
	if src.t.c != f.t.c {
		return 0, syscall.EXDEV
	}
	if srcOff < 0 || off < 0 || n < 0 {
		return 0, syscall.EINVAL
	}
	a, err := src.Stat(ctx)
	if err != nil {
		return 0, err
	}
	n = min(n, a.Size-srcOff)
	if n <= 0 {
		return 0, nil
	}
	b, err := src.Ioctl(ctx, wire.FsctlResumeKey, nil, 32)
	if err != nil {
		return 0, err
	}
	key, err := wire.DecodeResumeKey(b)
	if err != nil {
		return 0, err
	}
	chunks, size := copyChunks, int64(copyChunk)
	for try := 0; ; try++ {
		var list []wire.Chunk
		done := int64(0)
		for done < n && len(list) < chunks {
			m := min(size, n-done)
			list = append(list, wire.Chunk{From: uint64(srcOff + done), To: uint64(off + done), Length: uint32(m)})
			done += m
		}
		f.changed()
		var out []byte
		err := f.do(ctx, true, func(link *at, id wire.FileID) (err error) {
			out, err = ioctl(ctx, link, id, wire.FsctlCopyChunkWrite, wire.AppendCopyChunks(nil, key, list), 12, false)
			return err
		})
		if err != nil && !(is(err, wire.StatusInvalidParam) && len(out) > 0 && try == 0) {
			return 0, err
		}
		res, derr := wire.DecodeCopyResult(out)
		if derr != nil {
			return 0, derr
		}
		if err != nil { // its limits are lower
			chunks, size = int(min(res.Chunks, 256)), int64(min(res.ChunkBytes, res.Total))
			if size > 0 {
				chunks = min(chunks, int(int64(res.Total)/size))
			}
			if chunks == 0 || size == 0 {
				return 0, err
			}
			continue
		}
		if int64(res.Total) > done {
			return 0, wire.ErrMalformed
		}
		return int64(res.Total), nil
	}
}

// SetSparse says that the file may have holes.
func (f *File) SetSparse(ctx context.Context) error {
	_, err := f.Ioctl(ctx, wire.FsctlSetSparse, []byte{1}, 0)
	return err
}

// Zero makes n bytes at off read as zeros; of a sparse file their room is given back. The file's size stays.
func (f *File) Zero(ctx context.Context, off, n int64) error {
	f.changed()
	_, err := f.Ioctl(ctx, wire.FsctlSetZeroData, wire.Range{Offset: uint64(off), Length: uint64(n)}.AppendZero(nil), 0)
	return err
}

// Ranges tells which parts of n bytes at off have data; what lies between is holes. Adjacent parts need not be joined. If there are more than
// one answer holds, the list ends early: ask again from its end on.
func (f *File) Ranges(ctx context.Context, off, n int64) ([]wire.Range, error) {
	b, err := f.Ioctl(ctx, wire.FsctlAllocatedRanges, wire.Range{Offset: uint64(off), Length: uint64(n)}.Append(nil), 1<<16)
	if err != nil && !is(err, wire.StatusBufferOverflow) {
		return nil, err
	}
	list, err := wire.DecodeRanges(b[:len(b)/16*16])
	return list, wrap("ranges", f.name, err)
}

// Streams lists a file's streams but its own data: their names and sizes. Open.Stream opens one.
func (t *Tree) Streams(ctx context.Context, name string) (list []wire.Stream, err error) {
	o := Open{Access: wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptOpenReparse}
	err = t.Chain(name, o).Query(wire.InfoFile, wire.ClassStream, 1<<16, func(b []byte) error {
		all, err := wire.DecodeStreams(b)
		for _, s := range all {
			if n, ok := strings.CutSuffix(strings.TrimPrefix(s.Name, ":"), ":$DATA"); ok && n != "" {
				s.Name = n
				list = append(list, s)
			}
		}
		return err
	}).Do(ctx)
	return list, wrap("streams", name, err)
}

// EAs lists a file's extended attributes with their values.
func (t *Tree) EAs(ctx context.Context, name string) (list []wire.EA, err error) {
	o := Open{Access: wire.ReadEA, Disposition: wire.Open, Options: wire.OptOpenReparse}
	err = t.Chain(name, o).Query(wire.InfoFile, wire.ClassFullEA, 1<<16, func(b []byte) (err error) {
		list, err = wire.DecodeEAs(b)
		return err
	}).Do(ctx)
	if is(err, 0x80000012) { // STATUS_NO_EAS_ON_FILE
		err = nil
	}
	return list, wrap("attributes", name, err)
}

// SetEA sets an extended attribute; an empty value removes it. Servers fold the name's case as they like.
func (t *Tree) SetEA(ctx context.Context, name, ea string, value []byte) error {
	if ea == "" || len(ea) > 255 || len(value) > 1<<16-1 {
		return wrap("attributes", name, syscall.E2BIG)
	}
	err := t.Chain(name, Open{Access: wire.WriteEA, Disposition: wire.Open, Options: wire.OptOpenReparse}).
		Set(wire.InfoFile, wire.ClassFullEA, wire.AppendEAs(nil, []wire.EA{{Name: ea, Value: value}})).Do(ctx)
	return wrap("attributes", name, err)
}

// Readlink gives the reparse point of a link, in one exchange.
func (t *Tree) Readlink(ctx context.Context, name string) (r wire.Reparse, err error) {
	err = t.Chain(name, Open{Access: wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptOpenReparse}).
		Ioctl(wire.FsctlGetReparse, nil, 1<<14, func(b []byte) error {
			r, err = wire.DecodeReparse(b)
			return err
		}).Do(ctx)
	return r, wrap("readlink", name, err)
}

// Symlink makes a symbolic link; target has slashes, and dir says that it leads to a folder, which Windows wants to know. A server that has
// no links of its own fails with StatusNotSupported or the like, and leaves nothing behind.
func (t *Tree) Symlink(ctx context.Context, target, name string, dir bool) error {
	o := Open{Access: wire.WriteAttributes | wire.WriteData | wire.Delete, Disposition: wire.Create, Options: wire.OptOpenReparse | wire.OptNonDirectory}
	if dir {
		o.Options = wire.OptOpenReparse | wire.OptDirectory
	}
	relative := !strings.HasPrefix(target, "/")
	f, err := t.openFile(ctx, name, o)
	if err != nil {
		return wrap("symlink", name, err)
	}
	_, err = f.Ioctl(ctx, wire.FsctlSetReparse, wire.AppendSymlink(nil, strings.ReplaceAll(target, "/", `\`), relative), 0)
	if err != nil {
		_ = f.set(ctx, false, wire.InfoFile, wire.ClassDisposition, []byte{1})
	}
	if e := f.Close(ctx); err == nil {
		err = e
	}
	return wrap("symlink", name, err)
}

// Interfaces lists the server's addresses and their speeds, for who wants several connections.
func (t *Tree) Interfaces(ctx context.Context) ([]wire.Interface, error) {
	b, err := t.Ioctl(ctx, wire.FsctlNetworkInterfaces, nil, 1<<16)
	if err != nil {
		return nil, err
	}
	list, err := wire.DecodeInterfaces(b)
	return list, wrap("interfaces", t.share, err)
}
