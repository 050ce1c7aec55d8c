package smb

import (
	"context"
	"strings"
	"time"

	"github.com/openwnet/wnet/smb2"
	"github.com/openwnet/wnet/smb2/wire"
)

// mounted is a share of package smb2.
type mounted struct {
	t   *smb2.Tree
	ctx context.Context
}

var _ tree = mounted{}

// fsName is a server's path as package smb2 takes it, which maps all reserved characters by itself.
func fsName(path string) string {
	if path == "" {
		return "."
	}
	return strings.ReplaceAll(strings.ReplaceAll(path, `\`, "/"), string(mappedBackslash), `\`)
}

func (m mounted) kind() byte { return m.t.Info().Type }

// stat follows a link on the server, if it has them: a link is not shown as one, see doc.go.
func (m mounted) stat(path string) (info, error) {
	a, err := m.t.Stat(m.ctx, fsName(path))
	if err == nil && a.IsLink() {
		var f *smb2.File
		if f, err = m.t.Open(m.ctx, fsName(path), smb2.Open{Access: wire.ReadAttributes, Disposition: wire.Open}); err == nil {
			a, err = f.Stat(m.ctx)
			f.Close(m.ctx)
		}
	}
	return describe(a), translate(err)
}

func (m mounted) list(path string) ([]info, error) {
	list, err := m.t.ReadDir(m.ctx, fsName(path))
	if err != nil {
		return nil, translate(err)
	}
	all := make([]info, len(list))
	for i, a := range list {
		all[i] = describe(a)
	}
	return all, nil
}

func (m mounted) open(path string, how access, disposition int, readOnly bool) (handle, error) {
	o := smb2.Open{Access: wire.ReadAttributes, Disposition: wire.Open}
	if how&accessRead != 0 {
		o.Access |= wire.GenericRead
	}
	if how&accessWrite != 0 {
		o.Access |= wire.GenericWrite
	}
	switch disposition {
	case openAlways:
		o.Disposition = wire.OpenIf
	case openNew:
		o.Disposition = wire.Create
	}
	if disposition != openExisting && readOnly {
		o.Attributes = wire.AttrReadOnly
	}
	f, err := m.t.Open(m.ctx, fsName(path), o)
	if err != nil {
		return nil, translate(err)
	}
	return opened{f, m.ctx}, nil
}

func (m mounted) mkdir(path string) error {
	_, err := m.t.Mkdir(m.ctx, fsName(path))
	return translate(err)
}

// remove takes also what is read-only, as POSIX does.
func (m mounted) remove(path string) error {
	name := fsName(path)
	a, err := m.t.Stat(m.ctx, name)
	if err != nil {
		return translate(err)
	}
	err = translate(m.t.Remove(m.ctx, name, a.Attributes&wire.AttrDirectory != 0))
	if a.Attributes&wire.AttrReadOnly == 0 || !is(err, statusCannotDelete, statusAccessDenied) {
		return err
	}
	if m.setReadOnly(path, false) != nil {
		return err
	}
	if err = translate(m.t.Remove(m.ctx, name, a.Attributes&wire.AttrDirectory != 0)); err != nil {
		m.setReadOnly(path, true)
	}
	return err
}

func (m mounted) rename(from, to string) error {
	return translate(m.t.Rename(m.ctx, fsName(from), fsName(to), true))
}

func (m mounted) setTimes(path string, atime, mtime time.Time) error {
	return translate(m.t.SetAttr(m.ctx, fsName(path), smb2.Change{Accessed: atime, Written: mtime}))
}

func (m mounted) setReadOnly(path string, on bool) error {
	a, err := m.t.Stat(m.ctx, fsName(path))
	if err != nil {
		return translate(err)
	}
	attributes := a.Attributes &^ (wire.AttrReadOnly | wire.AttrNormal)
	if on {
		attributes |= wire.AttrReadOnly
	}
	if attributes == 0 {
		attributes = wire.AttrNormal
	}
	return translate(m.t.SetAttr(m.ctx, fsName(path), smb2.Change{Attributes: attributes}))
}

func (m mounted) room() (total, free, available uint64, err error) {
	total, free, available, err = m.t.Size(m.ctx)
	return total, free, available, translate(err)
}

// opened is an open file of package smb2.
type opened struct {
	f   *smb2.File
	ctx context.Context
}

var _ handle = opened{}

func (o opened) readAt(p []byte, off int64) (int, error) {
	n, err := o.f.ReadAt(o.ctx, p, off)
	return n, translate(err)
}

func (o opened) writeAt(p []byte, off int64) (int, error) {
	n, err := o.f.WriteAt(o.ctx, p, off)
	return n, translate(err)
}

func (o opened) truncate(size int64) error { return translate(o.f.Truncate(o.ctx, size)) }
func (o opened) sync() error               { return translate(o.f.Flush(o.ctx)) }
func (o opened) close() error              { return translate(o.f.Close(o.ctx)) }

func (o opened) stat() (info, error) {
	a, err := o.f.Stat(o.ctx)
	return describe(a), translate(err)
}

func describe(a smb2.Attr) info {
	return info{
		name: strings.ReplaceAll(a.Name, `\`, string(mappedBackslash)), dir: a.Attributes&wire.AttrDirectory != 0, readOnly: a.Attributes&wire.AttrReadOnly != 0,
		size: a.Size, alloc: max(0, a.Allocation), mtime: a.Written, atime: a.Accessed, ctime: a.Change,
	}
}
