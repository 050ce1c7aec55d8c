package providertest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

type breaker = func(p *hooked, tg *Target)

// breakers is, for each check, providers that break its rule and as little as possible besides.
func breakers() map[string][]breaker {
	all := map[string][]breaker{}
	for _, m := range []map[string][]breaker{connectBreakers(), lifeBreakers(), nameBreakers(), dataBreakers(), renameBreakers(),
		listBreakers(), attrBreakers(), enumBreakers()} {
		maps.Copy(all, m)
	}
	return all
}

// recode makes a provider that says another code where Connect gives from.
func recode(from, to win32.Code) breaker {
	return func(p *hooked, _ *Target) {
		p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
			c, err := p.Provider.Connect(ctx, req)
			return c, swap(err, from, &wnet.Error{Code: to})
		}
	}
}

// swap exchanges an error that unwraps to from.
func swap(err, from, to error) error {
	if errors.Is(err, from) {
		return to
	}
	return err
}

// request makes a provider that asks its server for something else.
func request(change func(tg *Target, req *wnet.Request)) breaker {
	return func(p *hooked, tg *Target) {
		p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
			change(tg, &req)
			return p.Provider.Connect(ctx, req)
		}
	}
}

func onConn(change func(c *hookedConn)) breaker {
	return func(p *hooked, _ *Target) { p.conn = change }
}
func onFS(change func(f *hookedFS)) breaker { return func(p *hooked, _ *Target) { p.fs = change } }
func onFile(change func(f *hookedFile)) breaker {
	return func(p *hooked, _ *Target) { p.file = change }
}

// statErr changes the errors of Stat, openErr those of Open, and so on.
func statErr(change func(error) error) breaker {
	return onFS(func(f *hookedFS) {
		f.stat = func(ctx context.Context, name string) (wnet.Attr, error) {
			a, err := f.fullFS.Stat(ctx, name)
			return a, change(err)
		}
	})
}

func openErr(change func(error) error) breaker {
	return onFS(func(f *hookedFS) {
		f.open = func(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
			g, err := f.fullFS.Open(ctx, name, flag, perm)
			return g, change(err)
		}
	})
}

// openAs changes what Open is asked for.
func openAs(change func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode)) breaker {
	return onFS(func(f *hookedFS) {
		f.open = func(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
			name, flag, perm = change(name, flag, perm)
			return f.fullFS.Open(ctx, name, flag, perm)
		}
	})
}

// statAs changes what Stat says.
func statAs(change func(name string, a *wnet.Attr)) breaker {
	return onFS(func(f *hookedFS) {
		f.stat = func(ctx context.Context, name string) (wnet.Attr, error) {
			a, err := f.fullFS.Stat(ctx, name)
			change(name, &a)
			return a, err
		}
	})
}

// listAs changes what ReadDir says.
func listAs(change func(all []wnet.Attr) []wnet.Attr) breaker {
	return onFS(func(f *hookedFS) {
		f.readDir = func(ctx context.Context, name string) ([]wnet.Attr, error) {
			all, err := f.fullFS.ReadDir(ctx, name)
			return change(all), err
		}
	})
}

func renameErr(change func(error) error) breaker {
	return onFS(func(f *hookedFS) {
		f.rename = func(ctx context.Context, from, to string) error { return change(f.fullFS.Rename(ctx, from, to)) }
	})
}

func connectBreakers() map[string][]breaker {
	return map[string][]breaker{
		"connect/own-names": {func(p *hooked, tg *Target) {
			p.owns = func(n wnet.RemoteName) bool { return n != tg.Missing && p.Provider.Owns(n) }
		}},
		"connect/foreign": {
			func(p *hooked, tg *Target) {
				p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
					if !p.Provider.Owns(req.Remote) {
						return nil, &wnet.Error{Code: win32.ERROR_BAD_NETPATH}
					}
					return p.Provider.Connect(ctx, req)
				}
			},
			func(p *hooked, tg *Target) {
				p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
					c, err := net.Dial("tcp", net.JoinHostPort(req.Remote.Server, strconv.Itoa(req.Remote.Port)))
					if err == nil {
						io.Copy(io.Discard, c)
						c.Close()
					}
					return p.Provider.Connect(ctx, req)
				}
			},
			func(p *hooked, tg *Target) { p.owns = func(wnet.RemoteName) bool { return true } },
		},
		"connect/order": {
			func(p *hooked, tg *Target) {
				p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
					if req.Type > win32.RESOURCETYPE_PRINT {
						return nil, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER}
					}
					return p.Provider.Connect(ctx, req)
				}
			},
			request(func(_ *Target, req *wnet.Request) { req.Type = win32.RESOURCETYPE_ANY }),
		},
		"connect/not-started": {
			recode(win32.ERROR_NO_NETWORK, win32.ERROR_BAD_NET_NAME),
			func(p *hooked, tg *Target) {
				p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
					if !p.Provider.Owns(req.Remote) {
						return nil, &wnet.Error{Code: win32.ERROR_BAD_NET_NAME}
					}
					return p.Provider.Connect(ctx, req)
				}
			},
		},
		"connect/good": {
			onConn(func(c *hookedConn) { c.user = func() string { return "" } }),
			onConn(func(c *hookedConn) { c.typ = func() uint32 { return win32.RESOURCETYPE_PRINT } }),
			onConn(func(c *hookedConn) {
				c.lost = func() <-chan struct{} { ch := make(chan struct{}); close(ch); return ch }
			}),
			onConn(func(c *hookedConn) { c.f = nil }),
		},
		"connect/any-type": {
			onConn(func(c *hookedConn) { c.typ = func() uint32 { return win32.RESOURCETYPE_ANY } }),
			func(p *hooked, tg *Target) {
				p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
					if req.Type == win32.RESOURCETYPE_ANY {
						return nil, &wnet.Error{Code: win32.ERROR_BAD_DEV_TYPE}
					}
					return p.Provider.Connect(ctx, req)
				}
			},
		},
		"connect/bad-type": {
			request(func(_ *Target, req *wnet.Request) { req.Type = win32.RESOURCETYPE_ANY }),
			recode(win32.ERROR_BAD_DEV_TYPE, win32.ERROR_NOT_SUPPORTED),
		},
		"connect/bad-password": {
			request(func(tg *Target, req *wnet.Request) { req.Password = tg.Good.Password }),
			recode(win32.ERROR_INVALID_PASSWORD, win32.ERROR_BAD_NETPATH),
			func(p *hooked, tg *Target) {
				p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
					c, err := p.Provider.Connect(ctx, req)
					return c, swap(err, win32.ERROR_INVALID_PASSWORD, &wnet.Error{Code: win32.ERROR_INVALID_PASSWORD,
						Err: errors.New("the server refuses " + req.Password.Reveal())})
				}
			},
			func(p *hooked, tg *Target) {
				p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
					c, err := p.Provider.Connect(ctx, req)
					return c, swap(err, win32.ERROR_INVALID_PASSWORD, win32.ERROR_INVALID_PASSWORD)
				}
			},
		},
		"connect/unknown-user": {
			request(func(tg *Target, req *wnet.Request) { req.User = tg.Good.User }),
			recode(win32.ERROR_LOGON_FAILURE, win32.ERROR_EXTENDED_ERROR),
		},
		"connect/missing-share": {
			recode(win32.ERROR_BAD_NET_NAME, win32.ERROR_BAD_NETPATH),
			request(func(tg *Target, req *wnet.Request) { req.Remote = tg.Share }),
		},
		"connect/dead-server": {recode(win32.ERROR_BAD_NETPATH, win32.ERROR_BAD_NET_NAME)},
		"connect/below":       {request(func(_ *Target, req *wnet.Request) { req.Remote.Path = "" })},
		"connect/cancelled": {
			func(p *hooked, _ *Target) {
				p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
					return p.Provider.Connect(context.WithoutCancel(ctx), req)
				}
			},
			recode(win32.ERROR_CANCELLED, win32.ERROR_CANCELLED),
		},
		"connect/parallel": {func(p *hooked, _ *Target) {
			var open atomic.Int32
			p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
				if open.Add(1) > 2 {
					return nil, &wnet.Error{Code: win32.ERROR_BUSY}
				}
				return p.Provider.Connect(ctx, req)
			}
			p.conn = func(c *hookedConn) {
				c.close = func() error { open.Add(-1); return c.Conn.Close() }
			}
		}},
	}
}

func lifeBreakers() map[string][]breaker {
	return map[string][]breaker{
		"life/close-twice": {
			onConn(func(c *hookedConn) {
				var closed atomic.Bool
				c.close = func() error {
					if closed.Swap(true) {
						return net.ErrClosed
					}
					return c.Conn.Close()
				}
			}),
			onConn(func(c *hookedConn) {
				var closed atomic.Int32
				c.close = func() error {
					if closed.Add(1) == 5 {
						time.Sleep(2 * time.Second) // longer than the check is ready to wait
					}
					return c.Conn.Close()
				}
			}),
		},
		"life/after-close": {
			onConn(func(c *hookedConn) { c.close = func() error { return nil } }),
			statErr(func(err error) error { return swap(err, win32.ERROR_NETNAME_DELETED, net.ErrClosed) }),
		},
		"life/independent": {onConn(func(c *hookedConn) {
			c.close = func() error { c.p.Sever("srv"); return c.Conn.Close() }
		})},
		"life/cancelled": {
			onFS(func(f *hookedFS) {
				f.readDir = func(ctx context.Context, name string) ([]wnet.Attr, error) {
					return f.fullFS.ReadDir(context.WithoutCancel(ctx), name)
				}
			}),
			onFile(func(f *hookedFile) {
				f.read = func(ctx context.Context, p []byte, off int64) (int, error) {
					return f.fullFile.ReadAt(context.WithoutCancel(ctx), p, off)
				}
			}),
			onFS(func(f *hookedFS) {
				f.mkdir = func(ctx context.Context, name string, perm fs.FileMode) error {
					return errors.Join(f.fullFS.Mkdir(context.WithoutCancel(ctx), name, perm), ctx.Err())
				}
			}),
			statErr(func(err error) error { return swap(err, context.Canceled, syscall.EINTR) }),
		},
		"life/stalled-connect": {
			func(p *hooked, _ *Target) {
				p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
					return p.Provider.Connect(context.WithoutCancel(ctx), req)
				}
			},
		},
		"life/stalled-calls": {
			onFile(func(f *hookedFile) {
				f.read = func(ctx context.Context, p []byte, off int64) (int, error) {
					return f.fullFile.ReadAt(context.WithoutCancel(ctx), p, off)
				}
			}),
			onFS(func(f *hookedFS) {
				f.rename = func(ctx context.Context, from, to string) error {
					return f.fullFS.Rename(context.WithoutCancel(ctx), from, to)
				}
			}),
			statErr(func(err error) error { return swap(err, context.Canceled, syscall.ETIMEDOUT) }),
		},
		"life/stalled-close": {
			onConn(func(c *hookedConn) { c.close = func() error { return nil } }),
			func(p *hooked, _ *Target) {
				var calls sync.RWMutex // held by a call to read, by Close to write
				p.conn = func(c *hookedConn) {
					c.close = func() error { calls.Lock(); defer calls.Unlock(); return c.Conn.Close() }
				}
				p.file = func(f *hookedFile) {
					f.write = func(ctx context.Context, p []byte, off int64) (int, error) {
						calls.RLock()
						defer calls.RUnlock()
						return f.fullFile.WriteAt(ctx, p, off)
					}
				}
			},
		},
		"life/severed": {
			onConn(func(c *hookedConn) { c.lost = func() <-chan struct{} { return nil } }),
			statErr(func(err error) error { return swap(err, win32.ERROR_NETNAME_DELETED, syscall.ECONNRESET) }),
			statErr(func(err error) error { return swap(err, win32.ERROR_NETNAME_DELETED, win32.ERROR_UNEXP_NET_ERR) }),
		},
		"life/again": {func(p *hooked, _ *Target) {
			var mu sync.Mutex
			var first wnet.Conn
			p.conn = func(c *hookedConn) {
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = c
				}
			}
			p.connect = func(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
				mu.Lock()
				kept := first
				mu.Unlock()
				if kept != nil {
					return kept, nil
				}
				return p.Provider.Connect(ctx, req)
			}
		}},
	}
}

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
		"fs/names-reserved": {openAs(func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode) {
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
