package providertest

import (
	"context"
	"errors"
	"math"
	"slices"
	"syscall"

	"github.com/openwnet/wnet"
)

// lockAs changes what a provider asks its server to lock.
func lockAs(change func(l *wnet.Lock, wait *bool)) breaker {
	return onFile(func(f *hookedFile) {
		f.lock = func(ctx context.Context, l wnet.Lock, wait bool) error {
			change(&l, &wait)
			return f.fullFile.Lock(ctx, l, wait)
		}
	})
}

// lockErr changes the errors of Lock.
func lockErr(change func(l wnet.Lock, err error) error) breaker {
	return onFile(func(f *hookedFile) {
		f.lock = func(ctx context.Context, l wnet.Lock, wait bool) error {
			return change(l, f.fullFile.Lock(ctx, l, wait))
		}
	})
}

func lockBreakers() map[string][]breaker {
	all := lockAs(func(l *wnet.Lock, _ *bool) { l.First, l.Last = 0, math.MaxInt64 })
	return map[string][]breaker{
		"lock/exclusive": {
			all,
			lockAs(func(l *wnet.Lock, _ *bool) { l.Last = max(l.First, l.Last-1) }),
			lockErr(func(_ wnet.Lock, err error) error { return swap(err, syscall.EAGAIN, syscall.EACCES) }),
			lockErr(func(_ wnet.Lock, err error) error { return swap(err, syscall.EAGAIN, nil) }),
		},
		"lock/shared": {lockAs(func(l *wnet.Lock, _ *bool) {
			if l.Kind == wnet.LockShared {
				l.Kind = wnet.LockExclusive
			}
		})},
		"lock/replace": {
			// A server whose locks pile up.
			onFile(func(f *hookedFile) {
				f.lock = func(ctx context.Context, l wnet.Lock, wait bool) error {
					if l.Kind != wnet.LockNone {
						held, _ := f.fullFile.TestLock(ctx, wnet.Lock{Kind: wnet.LockExclusive, First: l.First, Last: l.Last, Owner: 99})
						if held.Kind == wnet.LockExclusive && held.Owner == l.Owner {
							return nil
						}
					}
					return f.fullFile.Lock(ctx, l, wait)
				}
			}),
			// One that gives back before it takes.
			onFile(func(f *hookedFile) {
				f.lock = func(ctx context.Context, l wnet.Lock, wait bool) error {
					gone := l
					gone.Kind = wnet.LockNone
					return errors.Join(f.fullFile.Lock(ctx, gone, false), f.fullFile.Lock(ctx, l, wait))
				}
			}),
		},
		"lock/give-back": {
			lockAs(func(l *wnet.Lock, _ *bool) {
				if l.Kind == wnet.LockNone {
					l.First, l.Last = 0, math.MaxInt64
				}
			}),
			onFile(func(f *hookedFile) {
				f.lock = func(ctx context.Context, l wnet.Lock, wait bool) error {
					if held, _ := f.fullFile.TestLock(ctx, wnet.Lock{Kind: wnet.LockExclusive, Last: math.MaxInt64, Owner: 99}); l.Kind == wnet.LockNone &&
						held.Kind == wnet.LockNone {
						return syscall.ENOENT
					}
					return f.fullFile.Lock(ctx, l, wait)
				}
			}),
		},
		"lock/wait": {
			lockAs(func(_ *wnet.Lock, wait *bool) { *wait = false }),
			lockErr(func(_ wnet.Lock, err error) error { return swap(err, syscall.EAGAIN, nil) }),
		},
		"lock/wait-ends": {
			onFile(func(f *hookedFile) {
				f.lock = func(ctx context.Context, l wnet.Lock, wait bool) error {
					return f.fullFile.Lock(context.WithoutCancel(ctx), l, wait)
				}
			}),
			// One that has given back what it had before it waits.
			onFile(func(f *hookedFile) {
				f.lock = func(ctx context.Context, l wnet.Lock, wait bool) error {
					if gone := l; wait {
						gone.Kind = wnet.LockNone
						f.fullFile.Lock(context.WithoutCancel(ctx), gone, false)
					}
					return f.fullFile.Lock(ctx, l, wait)
				}
			}),
		},
		"lock/test": {
			onFile(func(f *hookedFile) {
				f.test = func(context.Context, wnet.Lock) (wnet.Lock, error) { return wnet.Lock{}, nil }
			}),
			onFile(func(f *hookedFile) {
				f.test = func(_ context.Context, l wnet.Lock) (wnet.Lock, error) { return l, nil }
			}),
			onFile(func(f *hookedFile) {
				f.test = func(ctx context.Context, l wnet.Lock) (wnet.Lock, error) {
					found, err := f.fullFile.TestLock(ctx, l)
					return found, errors.Join(err, f.fullFile.Lock(ctx, l, false))
				}
			}),
		},
		"lock/close": {onFile(func(f *hookedFile) { f.close = func(context.Context) error { return nil } })},
		"lock/connection": {
			func(p *hooked, _ *Target) { p.conn = func(c *hookedConn) { c.close = func() error { return nil } } },
		},
		"lock/whole": {
			lockAs(func(l *wnet.Lock, _ *bool) {
				if l.Whole {
					l.Whole, l.Owner = false, l.Owner+100
				}
			}),
			onFile(func(f *hookedFile) {
				f.lock = func(ctx context.Context, l wnet.Lock, wait bool) error {
					if l.Whole {
						return nil
					}
					return f.fullFile.Lock(ctx, l, wait)
				}
			}),
		},
	}
}

// breaksAs changes the breaks that a provider tells; false keeps one from being told.
func breaksAs(change func(f *hookedFS, b *wnet.Break) bool) breaker {
	return onFS(func(f *hookedFS) {
		f.onBreak = func(tell func(wnet.Break)) func() {
			return f.fullFS.OnBreak(func(b wnet.Break) {
				if change(f, &b) {
					tell(b)
				}
			})
		}
	})
}

func leaseBreakers() map[string][]breaker {
	without := func(l wnet.Lease) breaker {
		return breaksAs(func(_ *hookedFS, b *wnet.Break) bool { b.Lease &^= l; return b.Lease != 0 || b.Entry })
	}
	return map[string][]breaker{
		"lease/data": {
			without(wnet.LeaseData),
			// A client whose reads come from a cache that breaks do not empty.
			onFile(func(f *hookedFile) {
				var kept []byte
				f.read = func(ctx context.Context, p []byte, off int64) (int, error) {
					if kept == nil && off == 0 {
						kept = make([]byte, len(p))
						n, err := f.fullFile.ReadAt(ctx, kept, 0)
						kept = kept[:n]
						if err != nil {
							return n, err
						}
					}
					return copy(p, kept), nil
				}
			}),
		},
		"lease/attr": {without(wnet.LeaseAttr), breaksAs(func(_ *hookedFS, b *wnet.Break) bool { b.ID, b.Name = 0, "wrong"; return true })},
		"lease/names": {
			breaksAs(func(_ *hookedFS, b *wnet.Break) bool { b.Lease &^= wnet.LeaseNames; return b.Lease != 0 }),
			breaksAs(func(_ *hookedFS, b *wnet.Break) bool { b.ID, b.Name = 0, "wrong"; return true }),
		},
		"lease/ended": {onFS(func(f *hookedFS) {
			f.lease = func(string) wnet.Lease { return wnet.LeaseAttr | wnet.LeaseData | wnet.LeaseNames }
		})},
		"lease/stop": {onFS(func(f *hookedFS) {
			f.onBreak = func(tell func(wnet.Break)) func() {
				f.fullFS.OnBreak(tell)
				return func() {}
			}
		})},
	}
}

func moreBreakers() map[string][]breaker {
	copied := func(change func(srcOff, off, n *int64)) breaker {
		return onFile(func(f *hookedFile) {
			f.copy = func(ctx context.Context, src wnet.File, srcOff, off, n int64) (int64, error) {
				change(&srcOff, &off, &n)
				return f.fullFile.CopyFrom(ctx, src, srcOff, off, n)
			}
		})
	}
	alloc := func(change func(off, n *int64, mode *wnet.AllocMode)) breaker {
		return onFile(func(f *hookedFile) {
			f.alloc = func(ctx context.Context, off, n int64, mode wnet.AllocMode) error {
				change(&off, &n, &mode)
				return f.fullFile.Allocate(ctx, off, n, mode)
			}
		})
	}
	return map[string][]breaker{
		"whole/content": {
			onFS(func(f *hookedFS) {
				f.whole = func(ctx context.Context, name string, limit int) ([]byte, wnet.Attr, error) {
					p, a, err := f.fullFS.ReadWhole(ctx, name, limit)
					return p[:min(len(p), 4096)], a, err
				}
			}),
			onFS(func(f *hookedFS) {
				f.whole = func(ctx context.Context, name string, limit int) ([]byte, wnet.Attr, error) {
					p, _, err := f.fullFS.ReadWhole(ctx, name, limit)
					return p, wnet.Attr{Name: name, Size: int64(len(p))}, err
				}
			}),
		},
		"whole/errors": {
			onFS(func(f *hookedFS) {
				f.whole = func(ctx context.Context, name string, limit int) ([]byte, wnet.Attr, error) {
					p, a, err := f.fullFS.ReadWhole(ctx, name, 1<<20)
					return p[:min(len(p), limit)], a, err
				}
			}),
			onFS(func(f *hookedFS) {
				f.whole = func(ctx context.Context, name string, limit int) ([]byte, wnet.Attr, error) {
					p, a, err := f.fullFS.ReadWhole(ctx, name, limit)
					return p, a, swap(err, syscall.EISDIR, nil)
				}
			}),
		},
		"xattr/kept": {
			onFS(func(f *hookedFS) {
				f.getX = func(ctx context.Context, name, attr string) ([]byte, error) {
					v, err := f.fullFS.GetXattr(ctx, name, attr)
					v, _, _ = cutZero(v)
					return v, err
				}
			}),
			onFS(func(f *hookedFS) {
				f.rename = func(ctx context.Context, from, to string) error {
					err := f.fullFS.Rename(ctx, from, to)
					names, _ := f.fullFS.ListXattr(ctx, to)
					for _, n := range names {
						f.fullFS.RemoveXattr(ctx, to, n)
					}
					return err
				}
			}),
		},
		"xattr/flags": {onFS(func(f *hookedFS) {
			f.setX = func(ctx context.Context, name, attr string, value []byte, _ wnet.XattrFlag) error {
				return f.fullFS.SetXattr(ctx, name, attr, value, 0)
			}
		})},
		"xattr/errors": {onFS(func(f *hookedFS) {
			f.getX = func(ctx context.Context, name, attr string) ([]byte, error) {
				v, err := f.fullFS.GetXattr(ctx, name, attr)
				return v, swap(err, syscall.ENODATA, nil)
			}
		})},
		"copy/content": {
			copied(func(srcOff, _, _ *int64) { *srcOff++ }),
			copied(func(_, off, _ *int64) { *off = 0 }),
			onFile(func(f *hookedFile) {
				f.copy = func(ctx context.Context, src wnet.File, srcOff, off, n int64) (int64, error) {
					done, err := f.fullFile.CopyFrom(ctx, src, srcOff, off, n)
					if err == nil && done == 0 {
						err = syscall.EINVAL
					}
					return done, err
				}
			}),
		},
		"copy/refused": {onFile(func(f *hookedFile) {
			f.copy = func(ctx context.Context, src wnet.File, srcOff, off, n int64) (int64, error) {
				p := make([]byte, n)
				got, err := src.ReadAt(ctx, p, srcOff)
				if err != nil {
					return 0, err
				}
				got, err = f.fullFile.WriteAt(ctx, p[:got], off)
				return int64(got), err
			}
		})},
		"alloc/modes": {
			alloc(func(_, _ *int64, mode *wnet.AllocMode) {
				if *mode == wnet.AllocKeep {
					*mode = wnet.AllocExtend
				}
			}),
			alloc(func(_, n *int64, mode *wnet.AllocMode) {
				if *mode == wnet.AllocPunch {
					*n++
				}
			}),
			onFile(func(f *hookedFile) {
				f.alloc = func(context.Context, int64, int64, wnet.AllocMode) error { return syscall.ENOTSUP }
			}),
		},
		"seek/holes": {
			onFile(func(f *hookedFile) {
				f.data = func(ctx context.Context, off int64) (int64, error) {
					if off > 0 {
						return 0, syscall.ENXIO
					}
					return f.fullFile.NextData(ctx, off)
				}
			}),
			onFile(func(f *hookedFile) {
				f.data = func(ctx context.Context, off int64) (int64, error) {
					at, err := f.fullFile.NextData(ctx, off)
					return at, swap(err, syscall.ENXIO, syscall.EINVAL)
				}
			}),
		},
	}
}

func cutZero(p []byte) (before, after []byte, found bool) {
	if i := slices.Index(p, 0); i >= 0 {
		return p[:i], p[i+1:], true
	}
	return p, nil, false
}
