package providertest

import (
	"context"

	"github.com/openwnet/wnet"
)

func (f *hookedFS) Lease(name string) wnet.Lease {
	if f.lease != nil {
		return f.lease(name)
	}
	return f.fullFS.Lease(name)
}

func (f *hookedFS) OnBreak(tell func(wnet.Break)) func() {
	if f.onBreak != nil {
		return f.onBreak(tell)
	}
	return f.fullFS.OnBreak(tell)
}

func (f *hookedFS) ReadWhole(ctx context.Context, name string, limit int) ([]byte, wnet.Attr, error) {
	if f.whole != nil {
		return f.whole(ctx, name, limit)
	}
	return f.fullFS.ReadWhole(ctx, name, limit)
}

func (f *hookedFS) GetXattr(ctx context.Context, name, attr string) ([]byte, error) {
	if f.getX != nil {
		return f.getX(ctx, name, attr)
	}
	return f.fullFS.GetXattr(ctx, name, attr)
}

func (f *hookedFS) SetXattr(ctx context.Context, name, attr string, value []byte, flag wnet.XattrFlag) error {
	if f.setX != nil {
		return f.setX(ctx, name, attr, value, flag)
	}
	return f.fullFS.SetXattr(ctx, name, attr, value, flag)
}

func (f *hookedFile) Lock(ctx context.Context, l wnet.Lock, wait bool) error {
	if f.lock != nil {
		return f.lock(ctx, l, wait)
	}
	return f.fullFile.Lock(ctx, l, wait)
}

func (f *hookedFile) TestLock(ctx context.Context, l wnet.Lock) (wnet.Lock, error) {
	if f.test != nil {
		return f.test(ctx, l)
	}
	return f.fullFile.TestLock(ctx, l)
}

func (f *hookedFile) CopyFrom(ctx context.Context, src wnet.File, srcOff, off, n int64) (int64, error) {
	if h, ok := src.(*hookedFile); ok {
		src = h.fullFile
	}
	if f.copy != nil {
		return f.copy(ctx, src, srcOff, off, n)
	}
	return f.fullFile.CopyFrom(ctx, src, srcOff, off, n)
}

func (f *hookedFile) Allocate(ctx context.Context, off, n int64, mode wnet.AllocMode) error {
	if f.alloc != nil {
		return f.alloc(ctx, off, n, mode)
	}
	return f.fullFile.Allocate(ctx, off, n, mode)
}

func (f *hookedFile) NextData(ctx context.Context, off int64) (int64, error) {
	if f.data != nil {
		return f.data(ctx, off)
	}
	return f.fullFile.NextData(ctx, off)
}
