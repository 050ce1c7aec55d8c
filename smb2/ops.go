package smb2

import (
	"context"

	"github.com/openwnet/wnet/smb2/conn"
	"github.com/openwnet/wnet/smb2/wire"
)

// Stat describes a file, in one exchange. Of a link or another reparse point, its tag too.
func (t *Tree) Stat(ctx context.Context, name string) (Attr, error) {
	a, err := t.stat(ctx, name)
	return a, wrap("stat", name, err)
}

func (t *Tree) stat(ctx context.Context, name string) (a Attr, err error) {
	o := Open{Access: wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptOpenReparse}
	c := t.Chain(name, o).Query(wire.InfoFile, wire.ClassAll, 4096, func(b []byte) error {
		i, err := wire.DecodeAll(b)
		a = all(&i)
		return err
	})
	if err := c.Do(ctx); err != nil {
		return a, err
	}
	if c.Attr.ID != 0 {
		a.ID = c.Attr.ID
	}
	if a.Posix = c.Attr.Posix; a.Attributes&wire.AttrReparse != 0 {
		err = t.Chain(name, o).Query(wire.InfoFile, wire.ClassAttributeTag, 8, func(b []byte) error {
			_, a.ReparseTag, err = wire.DecodeAttributeTag(b)
			return err
		}).Do(ctx)
	}
	return a, err
}

// ReadFile reads a small file whole, at most limit bytes of it and a chunk of the Client's, in one exchange.
func (t *Tree) ReadFile(ctx context.Context, name string, limit int) ([]byte, Attr, error) {
	p, n := make([]byte, min(limit, int(t.c.opt.Chunk))), 0
	c := t.Chain(name, Open{Access: wire.ReadData | wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptNonDirectory}).Read(p, 0, &n)
	err := c.Do(ctx)
	return p[:n], c.Attr, wrap("read", name, err)
}

// WriteFile makes a file with p as its content, at most a chunk of the Client's, in one exchange. disposition is wire.Create (it must not
// be there), wire.OverwriteIf and so on.
func (t *Tree) WriteFile(ctx context.Context, name string, p []byte, disposition uint32) (Attr, error) {
	c := t.Chain(name, Open{Access: wire.WriteData | wire.ReadAttributes, Disposition: disposition, Options: wire.OptNonDirectory})
	if len(p) > 0 {
		c.Write(p, 0)
	}
	err := c.Do(ctx)
	if c.After != nil {
		return *c.After, wrap("write", name, err)
	}
	return c.Attr, wrap("write", name, err)
}

// Mkdir makes a folder, in one exchange.
func (t *Tree) Mkdir(ctx context.Context, name string) (Attr, error) {
	c := t.Chain(name, Open{Access: wire.ReadAttributes, Disposition: wire.Create, Options: wire.OptDirectory, Attributes: wire.AttrDirectory})
	err := c.Do(ctx)
	return c.Attr, wrap("mkdir", name, err)
}

// Remove takes away the empty folder (dir true) or the file or link, in one exchange. Where the server has POSIX unlink the name is gone at
// once, also if the file is open; elsewhere it stays until the last one closes it.
func (t *Tree) Remove(ctx context.Context, name string, dir bool) error {
	o := Open{Access: wire.Delete | wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptOpenReparse | wire.OptNonDirectory}
	if dir {
		o.Options = wire.OptOpenReparse | wire.OptDirectory
	}
	i, err := t.attributes(ctx)
	if err == nil && i.Flags&wire.FsPosixUnlink != 0 {
		err = t.Chain(name, o).Set(wire.InfoFile, wire.ClassDispositionEx,
			wire.Uint32(wire.DispositionDelete|wire.DispositionPosix|wire.DispositionIgnore)).Once().Do(ctx)
		if !unsupported(err) {
			return wrap("remove", name, err)
		}
		err = nil
	}
	if err == nil {
		err = t.Chain(name, o).Set(wire.InfoFile, wire.ClassDisposition, []byte{1}).Once().Do(ctx)
	}
	return wrap("remove", name, err)
}

func unsupported(err error) bool {
	return is(err, wire.StatusInvalidInfo, wire.StatusNotSupported, wire.StatusInvalidParam, wire.StatusNotImplemented, wire.StatusInvalidRequest)
}

// Rename renames from to to, in one exchange, replacing a file there if replace is set. With POSIX semantics, where the server has them, also
// one that is open.
func (t *Tree) Rename(ctx context.Context, from, to string, replace bool) error {
	path, err := t.path(to)
	if err != nil {
		return wrap("rename", to, err)
	}
	flags := uint32(0)
	if replace {
		flags = wire.RenameReplace
	}
	o := Open{Access: wire.Delete | wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptOpenReparse}
	i, err := t.attributes(ctx)
	if err == nil && i.Flags&wire.FsPosixUnlink != 0 {
		err = t.Chain(from, o).Set(wire.InfoFile, wire.ClassRenameEx, wire.AppendRename(nil, flags|wire.RenamePosix|wire.RenameIgnoreRO, path)).Once().Do(ctx)
		if !unsupported(err) {
			return wrap("rename", from, err)
		}
		err = nil
	}
	if err == nil {
		err = t.Chain(from, o).Set(wire.InfoFile, wire.ClassRename, wire.AppendRename(nil, flags, path)).Once().Do(ctx)
	}
	return wrap("rename", from, err)
}

// Link makes a hard link.
func (t *Tree) Link(ctx context.Context, from, to string) error {
	path, err := t.path(to)
	if err == nil {
		err = t.Chain(from, Open{Access: wire.WriteAttributes | wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptOpenReparse}).
			Set(wire.InfoFile, wire.ClassLink, wire.AppendRename(nil, 0, path)).Once().Do(ctx)
	}
	return wrap("link", from, err)
}

// SetAttr changes times and attributes, in one exchange.
func (t *Tree) SetAttr(ctx context.Context, name string, ch Change) error {
	err := t.Chain(name, Open{Access: wire.WriteAttributes | wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptOpenReparse}).
		Set(wire.InfoFile, wire.ClassBasic, ch.basic()).Do(ctx)
	return wrap("set", name, err)
}

// Truncate cuts or extends a file, in one exchange.
func (t *Tree) Truncate(ctx context.Context, name string, size int64) error {
	err := t.Chain(name, Open{Access: wire.WriteData | wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptNonDirectory}).
		Set(wire.InfoFile, wire.ClassEndOfFile, wire.Uint64(uint64(size))).Do(ctx)
	return wrap("truncate", name, err)
}

// Size is a file system's room, in bytes. Available is what the user may use.
func (t *Tree) Size(ctx context.Context) (total, free, available uint64, err error) {
	err = t.Chain(".", Open{Access: wire.ReadAttributes, Disposition: wire.Open}).Query(wire.InfoFilesystem, wire.FsFullSize, 32, func(b []byte) error {
		i, err := wire.DecodeFullSize(b)
		if err != nil {
			return err
		}
		u := uint64(i.SectorsPerUnit) * uint64(i.BytesPerSector)
		limit := (1<<63 - 1) / u
		total, free, available = min(i.Total, limit)*u, min(i.Free, limit)*u, min(i.Available, limit)*u
		return nil
	}).Do(ctx)
	return total, free, available, wrap("size", t.share, err)
}

// Filesystem tells what the share's file system can do: case, streams, POSIX unlink (wire.FsPosixUnlink) and so on. It is asked once.
func (t *Tree) Filesystem(ctx context.Context) (wire.FsAttributes, error) {
	i, err := t.attributes(ctx)
	return i, wrap("size", t.share, err)
}

func (t *Tree) attributes(ctx context.Context) (i wire.FsAttributes, err error) {
	t.mu.Lock()
	known := t.fsinf
	t.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	err = t.Chain(".", Open{Access: wire.ReadAttributes, Disposition: wire.Open}).Query(wire.InfoFilesystem, wire.FsAttribute, 1024, func(b []byte) error {
		i, err = wire.DecodeFsAttributes(b)
		return err
	}).Do(ctx)
	if is(err, wire.StatusAccessDenied) {
		err = nil // the share's top is closed to us: take it for plain
	} else if err == nil {
		t.mu.Lock()
		t.fsinf = &i
		t.mu.Unlock()
	}
	return i, err
}

// ReadDir lists a folder, all attributes included, without "." and "..". Small folders take one exchange.
func (t *Tree) ReadDir(ctx context.Context, name string) (list []Attr, err error) {
	path, err := t.path(name)
	if err == nil {
		err = t.do(ctx, true, func(a *at) error {
			list, err = t.list(ctx, a, path)
			return err
		})
	}
	return list, wrap("list", name, err)
}

// maxEntries is more than any program can use at once, and keeps a server from filling our memory.
const maxEntries = 8 << 20

func (t *Tree) list(ctx context.Context, a *at, path string) ([]Attr, error) {
	class, o := wire.ClassIDFullDirectory, Open{Access: wire.ReadData | wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptDirectory}
	if a.l.conn.Info().Posix {
		class, o.Mode = wire.ClassPosix, new(uint32)
	}
	limit := int(a.l.conn.MaxIO(min(1<<20, a.l.conn.Info().MaxTransact)))
	query := func(id wire.FileID, related bool) *conn.Request {
		return &conn.Request{Command: wire.CmdQueryDirectory, Payload: limit, Related: related,
			Body: &wire.QueryDirectoryRequest{Class: class, File: id, Pattern: "*", Max: uint32(limit)}}
	}
	open := &conn.Request{Command: wire.CmdCreate, Body: o.request(a.path(path)), DFS: a.dfs(), Orphan: func(status Status, msg []byte) {
		var late wire.CreateResponse
		if status == wire.StatusOK && late.Decode(msg) == nil {
			closeID(context.Background(), a, late.File)
		}
	}}
	reqs := []*conn.Request{open, query(wire.RelatedFile(), true), query(wire.RelatedFile(), true)}
	if err := a.send(ctx, reqs...); err != nil {
		return nil, err
	}
	if err := opened(open); err != nil {
		return nil, err
	}
	var r wire.CreateResponse
	if err := r.Decode(open.Msg); err != nil {
		return nil, err
	}
	// Nobody waits for the end.
	defer func() { go closeID(context.WithoutCancel(ctx), a, r.File) }()
	var list []Attr
	for reqs = reqs[1:]; ; reqs = []*conn.Request{query(r.File, false), query(r.File, false)} {
		if !reqs[0].Related {
			if err := a.send(ctx, reqs...); err != nil {
				return nil, err
			}
		}
		for _, q := range reqs {
			if q.Status == wire.StatusNoMoreFiles || q.Status == wire.StatusNoSuchFile {
				return list, nil
			}
			if err := ok(q); err != nil {
				return nil, err
			}
			b, err := wire.DecodeOutput(q.Msg)
			if err != nil {
				return nil, err
			}
			entries, err := wire.DecodeDirectory(class, b)
			if err != nil {
				return nil, err
			}
			if len(entries) == 0 || len(list)+len(entries) > maxEntries {
				return nil, wire.ErrMalformed
			}
			for i := range entries {
				list = t.entry(list, &entries[i])
			}
		}
	}
}

func (t *Tree) entry(list []Attr, e *wire.DirEntry) []Attr {
	name, ok := t.c.opt.Mapping.fromServer(e.Name)
	if !ok {
		return list
	}
	at := Attr{Name: name, ID: e.ID, ReparseTag: e.ReparseTag, Posix: e.Posix}
	at.basic(e.Basic, e.Size, e.Allocation)
	if e.Posix != nil {
		at.Links = e.Posix.Links
	}
	return append(list, at)
}
