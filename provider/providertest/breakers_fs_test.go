package providertest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

func nameBreakers() map[string][]breaker {
	return map[string][]breaker{
		"fs/empty": {
			statAs(func(name string, a *wnet.Attr) { a.Name = strings.Trim(name, ".") }),
			listAs(func(all []wnet.Attr) []wnet.Attr { return append(all, wnet.Attr{Name: "desktop.ini"}) }),
		},
		"fs/climbing-names": {
			onFS(func(f *hookedFS) {
				f.stat = func(ctx context.Context, name string) (wnet.Attr, error) {
					return f.fullFS.Stat(ctx, strings.TrimPrefix(path.Clean("/"+name), "/"))
				}
			}),
			onFS(func(f *hookedFS) {
				f.remove = func(ctx context.Context, name string, dir bool) error {
					return f.fullFS.Remove(ctx, strings.TrimPrefix(path.Clean("/"+name), "/"), dir)
				}
			}),
		},
		"fs/names": {
			listAs(func(all []wnet.Attr) []wnet.Attr {
				return slices.DeleteFunc(all, func(a wnet.Attr) bool { return strings.HasPrefix(a.Name, ".") })
			}),
			openAs(func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode) {
				return strings.ReplaceAll(name, "i\u0308", "ï"), flag, perm
			}),
		},
		"fs/names-reserved": {onFS(func(f *hookedFS) {
			f.mkdir = func(ctx context.Context, name string, perm fs.FileMode) error {
				if strings.EqualFold(path.Base(name), "con") {
					return syscall.EACCES
				}
				return f.fullFS.Mkdir(ctx, name, perm)
			}
		})},
		"fs/names-characters": {openAs(func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode) {
			return strings.TrimRight(name, ". "), flag, perm
		})},
		"fs/names-case": {openAs(func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode) {
			return strings.ToLower(name), flag, perm
		})},
		"fs/name-too-long": {openAs(func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode) {
			return name[:min(len(name), 255)], flag, perm
		})},
		"fs/deep": {onFS(func(f *hookedFS) {
			f.mkdir = func(ctx context.Context, name string, perm fs.FileMode) error {
				if strings.Count(name, "/") > 20 {
					return syscall.ENAMETOOLONG
				}
				return f.fullFS.Mkdir(ctx, name, perm)
			}
		})},
		"fs/missing": {
			statErr(func(err error) error { return swap(err, syscall.ENOENT, syscall.EIO) }),
			openErr(func(err error) error { return swap(err, syscall.ENOENT, win32.ERROR_FILE_NOT_FOUND) }),
			onFS(func(f *hookedFS) {
				f.mkdir = func(ctx context.Context, name string, perm fs.FileMode) error {
					if dir := path.Dir(name); dir != "." {
						f.fullFS.Mkdir(ctx, dir, perm)
					}
					return f.fullFS.Mkdir(ctx, name, perm)
				}
			}),
		},
		"fs/exclusive": {
			openAs(func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode) {
				return name, flag &^ wnet.OpenExcl, perm
			}),
			openErr(func(err error) error { return swap(err, syscall.EEXIST, syscall.EACCES) }),
		},
		"fs/open-folder": {openErr(func(err error) error { return swap(err, syscall.EISDIR, syscall.EACCES) })},
		"fs/not-a-folder": {onFS(func(f *hookedFS) {
			f.readDir = func(ctx context.Context, name string) ([]wnet.Attr, error) {
				all, err := f.fullFS.ReadDir(ctx, name)
				return all, swap(err, syscall.ENOTDIR, nil)
			}
		})},
		"fs/mkdir": {onFS(func(f *hookedFS) {
			f.mkdir = func(ctx context.Context, name string, perm fs.FileMode) error {
				return swap(f.fullFS.Mkdir(ctx, name, perm), syscall.EEXIST, nil)
			}
		})},
		"fs/remove": {
			onFS(func(f *hookedFS) {
				f.remove = func(ctx context.Context, name string, _ bool) error {
					a, err := f.fullFS.Stat(ctx, name)
					return errors.Join(err, f.fullFS.Remove(ctx, name, a.Mode.IsDir()))
				}
			}),
			onFS(func(f *hookedFS) {
				f.remove = func(ctx context.Context, name string, dir bool) error {
					return swap(f.fullFS.Remove(ctx, name, dir), syscall.ENOTEMPTY, syscall.EBUSY)
				}
			}),
		},
		"fs/remove-top": {onFS(func(f *hookedFS) {
			f.remove = func(ctx context.Context, name string, dir bool) error {
				return swap(f.fullFS.Remove(ctx, name, dir), syscall.EBUSY, nil)
			}
		})},
		"fs/access": {openAs(func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode) {
			return name, flag | both, perm
		})},
	}
}

func dataBreakers() map[string][]breaker {
	write := func(change func(f *hookedFile, p *[]byte, off *int64)) breaker {
		return onFile(func(f *hookedFile) {
			f.write = func(ctx context.Context, p []byte, off int64) (int, error) {
				n := len(p)
				change(f, &p, &off)
				_, err := f.fullFile.WriteAt(ctx, p, off)
				return n, err
			}
		})
	}
	buffered := onFile(func(f *hookedFile) { late(f, true) })
	return map[string][]breaker{
		"data/create": {
			onFS(func(f *hookedFS) {
				f.open = func(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
					g, err := f.fullFS.Open(ctx, name, flag, perm)
					if err == nil && flag&wnet.OpenCreate != 0 {
						g.Truncate(ctx, 1)
					}
					return g, err
				}
			}),
			listAs(func(all []wnet.Attr) []wnet.Attr {
				return slices.DeleteFunc(all, func(a wnet.Attr) bool { return a.Mode.IsRegular() && a.Size == 0 })
			}),
		},
		"data/truncating-open": {
			openAs(func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode) {
				return name, flag &^ wnet.OpenTruncate, perm
			}),
			openAs(func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode) {
				if flag&wnet.OpenCreate != 0 {
					flag |= wnet.OpenTruncate
				}
				return name, flag, perm
			}),
		},
		"data/offsets": {write(func(f *hookedFile, _ *[]byte, off *int64) {
			a, _ := f.fullFile.Stat(context.Background())
			*off = a.Size
		})},
		"data/short-reads": {
			onFile(func(f *hookedFile) {
				f.read = func(ctx context.Context, p []byte, off int64) (int, error) {
					n, err := f.fullFile.ReadAt(ctx, p, off)
					if n < len(p) && err == nil {
						err = io.EOF
					}
					return n, err
				}
			}),
			onFile(func(f *hookedFile) {
				f.read = func(ctx context.Context, p []byte, off int64) (int, error) {
					_, err := f.fullFile.ReadAt(ctx, p, off)
					return len(p), err
				}
			}),
		},
		"data/sparse": {write(func(f *hookedFile, _ *[]byte, off *int64) {
			a, _ := f.fullFile.Stat(context.Background())
			*off = min(*off, a.Size)
		})},
		"data/large-offset": {write(func(_ *hookedFile, _ *[]byte, off *int64) { *off = int64(uint32(*off)) })},
		"data/truncate": {
			onFile(func(f *hookedFile) {
				f.trunc = func(ctx context.Context, size int64) error {
					a, err := f.fullFile.Stat(ctx)
					return errors.Join(err, f.fullFile.Truncate(ctx, min(size, a.Size)))
				}
			}),
			// What was cut off comes back when the file grows again.
			onFile(func(f *hookedFile) {
				var old []byte
				f.trunc = func(ctx context.Context, size int64) error {
					a, _ := f.fullFile.Stat(ctx)
					if size > a.Size && size <= int64(len(old)) {
						_, err := f.fullFile.WriteAt(ctx, old[:size], 0)
						return err
					}
					if a.Size > int64(len(old)) {
						old = make([]byte, a.Size)
						f.fullFile.ReadAt(ctx, old, 0)
					}
					return f.fullFile.Truncate(ctx, size)
				}
			}),
		},
		"data/big": {
			onFile(func(f *hookedFile) {
				f.read = func(ctx context.Context, p []byte, off int64) (int, error) {
					return f.fullFile.ReadAt(ctx, p[:min(len(p), 64<<10)], off)
				}
			}),
			write(func(_ *hookedFile, p *[]byte, _ *int64) { *p = (*p)[:min(len(*p), mib)] }),
			write(func(_ *hookedFile, p *[]byte, off *int64) {
				if *off > 4*mib {
					*p = slices.Clone(*p)
					(*p)[0] ^= 1
				}
			}),
		},
		"data/shared": {buffered},
		"data/sync":   {buffered},
		"data/stat": {
			onFile(func(f *hookedFile) {
				a, err := f.fullFile.Stat(context.Background())
				f.stat = func(context.Context) (wnet.Attr, error) { return a, err }
			}),
			listAs(func(all []wnet.Attr) []wnet.Attr {
				for i := range all {
					all[i].Size = 0
				}
				return all
			}),
		},
		"data/buffer": {onFile(func(f *hookedFile) {
			flush := late(f, false)
			f.read = func(ctx context.Context, p []byte, off int64) (int, error) {
				flush(ctx)
				return f.fullFile.ReadAt(ctx, p, off)
			}
		})},
		"data/nothing": {
			onFile(func(f *hookedFile) {
				f.write = func(ctx context.Context, p []byte, off int64) (int, error) {
					if len(p) == 0 {
						return 0, f.fullFile.Truncate(ctx, off)
					}
					return f.fullFile.WriteAt(ctx, p, off)
				}
			}),
			onFile(func(f *hookedFile) {
				f.read = func(ctx context.Context, p []byte, off int64) (int, error) {
					if len(p) == 0 {
						return 0, syscall.EINVAL
					}
					return f.fullFile.ReadAt(ctx, p, off)
				}
			}),
		},
		"open/removed": {onFile(byName)},
		"open/removed-name": {
			onFS(func(f *hookedFS) {
				f.remove = func(ctx context.Context, name string, _ bool) error {
					return f.fullFS.Rename(ctx, name, name+".hidden")
				}
			}),
			onFile(byName),
		},
		"open/removed-folder": {onFS(func(f *hookedFS) {
			f.remove = func(ctx context.Context, name string, dir bool) error {
				if dir {
					return f.fullFS.Remove(ctx, name, dir)
				}
				return f.fullFS.Rename(ctx, name, name+".hidden")
			}
			f.readDir = func(ctx context.Context, name string) ([]wnet.Attr, error) {
				all, err := f.fullFS.ReadDir(ctx, name)
				return slices.DeleteFunc(all, func(a wnet.Attr) bool { return strings.HasSuffix(a.Name, ".hidden") }), err
			}
		})},
		"open/close-one": {func(p *hooked, _ *Target) {
			var mu sync.Mutex
			open := map[string][]*hookedFile{}
			p.file = func(f *hookedFile) {
				mu.Lock()
				open[f.name] = append(open[f.name], f)
				mu.Unlock()
				f.close = func(ctx context.Context) error {
					mu.Lock()
					defer mu.Unlock()
					for _, g := range open[f.name] {
						g.fullFile.Close(ctx)
					}
					delete(open, f.name)
					return nil
				}
			}
		}},
		"open/many": {func(p *hooked, _ *Target) {
			var open atomic.Int32
			p.fs = func(f *hookedFS) {
				f.open = func(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
					if open.Add(1) > 100 {
						return nil, syscall.EMFILE
					}
					return f.fullFS.Open(ctx, name, flag, perm)
				}
			}
		}},
		// The breakers of parallelism hold what one call is about where another finds it, for a moment.
		"parallel/one-file": {onFile(func(f *hookedFile) {
			var seek atomic.Int64
			f.write = func(ctx context.Context, p []byte, off int64) (int, error) {
				seek.Store(off)
				time.Sleep(time.Millisecond)
				return f.fullFile.WriteAt(ctx, p, seek.Load())
			}
		})},
		"parallel/many-files": {onFS(func(f *hookedFS) {
			var current atomic.Value
			f.open = func(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
				current.Store(name)
				time.Sleep(time.Millisecond)
				return f.fullFS.Open(ctx, current.Load().(string), flag, perm)
			}
		})},
		"parallel/exclusive": {onFS(func(f *hookedFS) {
			f.open = func(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
				if _, err := f.fullFS.Stat(ctx, name); err == nil {
					return nil, syscall.EEXIST
				}
				time.Sleep(5 * time.Millisecond)
				return f.fullFS.Open(ctx, name, flag&^wnet.OpenExcl, perm)
			}
		})},
		"parallel/mkdir": {onFS(func(f *hookedFS) {
			f.mkdir = func(ctx context.Context, name string, perm fs.FileMode) error {
				if _, err := f.fullFS.Stat(ctx, name); err == nil {
					return syscall.EEXIST
				}
				time.Sleep(5 * time.Millisecond)
				return swap(f.fullFS.Mkdir(ctx, name, perm), syscall.EEXIST, nil)
			}
		})},
		"parallel/rename-over": {onFS(func(f *hookedFS) {
			f.rename = func(ctx context.Context, from, to string) error {
				f.fullFS.Remove(ctx, to, false)
				time.Sleep(5 * time.Millisecond)
				return f.fullFS.Rename(ctx, from, to)
			}
		})},
	}
}
