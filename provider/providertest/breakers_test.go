package providertest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net"
	"strconv"
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
		listBreakers(), attrBreakers(), enumBreakers(), lockBreakers(), leaseBreakers(), moreBreakers(), informBreakers()} {
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
