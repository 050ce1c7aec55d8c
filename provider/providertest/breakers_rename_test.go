package providertest

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// copyFile makes to a copy of from, as a client without rename or links might.
func copyFile(ctx context.Context, fsys wnet.FileSystem, from, to string, flag wnet.OpenFlag) error {
	a, err := fsys.Stat(ctx, from)
	if err != nil {
		return err
	}
	f, err := fsys.Open(ctx, from, reading, 0)
	if err != nil {
		return err
	}
	defer f.Close(ctx)
	p := make([]byte, a.Size)
	if _, err := f.ReadAt(ctx, p, 0); err != nil {
		return err
	}
	g, err := fsys.Open(ctx, to, writing|wnet.OpenCreate|flag, 0o644)
	if err != nil {
		return err
	}
	_, err = g.WriteAt(ctx, p, 0)
	return errors.Join(err, g.Close(ctx))
}

func renameBreakers() map[string][]breaker {
	return map[string][]breaker{
		"rename/file": {
			onFS(func(f *hookedFS) {
				f.rename = func(ctx context.Context, from, to string) error { return f.fullFS.Link(ctx, from, to) }
			}),
			onFS(func(f *hookedFS) {
				f.rename = func(ctx context.Context, from, to string) error {
					if path.Dir(from) != path.Dir(to) {
						return syscall.EXDEV
					}
					return f.fullFS.Rename(ctx, from, to)
				}
			}),
		},
		"rename/folder": {onFS(func(f *hookedFS) {
			f.rename = func(ctx context.Context, from, to string) error {
				if a, err := f.fullFS.Stat(ctx, from); err == nil && a.Mode.IsDir() {
					return f.fullFS.Mkdir(ctx, to, 0o755)
				}
				return f.fullFS.Rename(ctx, from, to)
			}
		})},
		"rename/over": {onFS(func(f *hookedFS) {
			f.rename = func(ctx context.Context, from, to string) error {
				if _, err := f.fullFS.Stat(ctx, to); err == nil {
					return syscall.EEXIST
				}
				return f.fullFS.Rename(ctx, from, to)
			}
		})},
		"rename/over-open": {onFS(func(f *hookedFS) {
			f.rename = func(ctx context.Context, from, to string) error {
				return errors.Join(copyFile(ctx, f.fullFS, from, to, wnet.OpenTruncate), f.fullFS.Remove(ctx, from, false))
			}
		})},
		"rename/open":       {onFile(byName)},
		"rename/open-below": {onFile(byName)},
		"rename/over-folder": {
			renameErr(func(err error) error { return swap(err, syscall.ENOTEMPTY, nil) }),
			onFS(func(f *hookedFS) {
				f.rename = func(ctx context.Context, from, to string) error {
					if a, err := f.fullFS.Stat(ctx, to); err == nil && a.Mode.IsDir() {
						return syscall.EEXIST
					}
					return f.fullFS.Rename(ctx, from, to)
				}
			}),
		},
		"rename/kinds": {
			renameErr(func(err error) error { return swap(err, syscall.EISDIR, syscall.EACCES) }),
			renameErr(func(err error) error { return swap(err, syscall.ENOTDIR, nil) }),
		},
		"rename/into-itself": {renameErr(func(err error) error { return swap(err, syscall.EINVAL, syscall.EIO) })},
		"rename/same": {onFS(func(f *hookedFS) {
			f.rename = func(ctx context.Context, from, to string) error {
				f.fullFS.Remove(ctx, to, false)
				return swap(f.fullFS.Rename(ctx, from, to), syscall.ENOENT, nil)
			}
		})},
		"symlink/target": {
			onFS(func(f *hookedFS) {
				f.readlink = func(ctx context.Context, name string) (string, error) {
					s, err := f.fullFS.Readlink(ctx, name)
					return path.Clean(s), err
				}
			}),
			listAs(func(all []wnet.Attr) []wnet.Attr {
				for i := range all {
					if all[i].Mode.Type() == fs.ModeSymlink {
						all[i].Mode = 0o644
					}
				}
				return all
			}),
		},
		"symlink/not-followed": {
			onFS(func(f *hookedFS) {
				f.open = func(ctx context.Context, name string, flag wnet.OpenFlag, perm fs.FileMode) (wnet.File, error) {
					if to, err := f.fullFS.Readlink(ctx, name); err == nil {
						name = to
					}
					return f.fullFS.Open(ctx, name, flag, perm)
				}
			}),
			onFS(func(f *hookedFS) {
				f.remove = func(ctx context.Context, name string, dir bool) error {
					if to, err := f.fullFS.Readlink(ctx, name); err == nil {
						name = to
					}
					return f.fullFS.Remove(ctx, name, dir)
				}
			}),
			onFS(func(f *hookedFS) {
				f.readDir = func(ctx context.Context, name string) ([]wnet.Attr, error) {
					if to, err := f.fullFS.Readlink(ctx, name); err == nil {
						name = to
					}
					return f.fullFS.ReadDir(ctx, name)
				}
			}),
		},
		"symlink/errors": {
			onFS(func(f *hookedFS) {
				f.readlink = func(ctx context.Context, name string) (string, error) {
					s, err := f.fullFS.Readlink(ctx, name)
					return s, swap(err, syscall.EINVAL, syscall.ENOENT)
				}
			}),
			onFS(func(f *hookedFS) {
				f.symlink = func(ctx context.Context, target, name string) error {
					f.fullFS.Remove(ctx, name, false)
					return f.fullFS.Symlink(ctx, target, name)
				}
			}),
		},
		"link/shared": {onFS(func(f *hookedFS) {
			f.link = func(ctx context.Context, from, to string) error {
				return copyFile(ctx, f.fullFS, from, to, wnet.OpenExcl)
			}
		})},
		"link/remove": {onFS(func(f *hookedFS) {
			f.remove = func(ctx context.Context, name string, dir bool) error {
				size := int64(0)
				f.fullFS.SetAttr(ctx, name, wnet.AttrChange{Size: &size})
				return f.fullFS.Remove(ctx, name, dir)
			}
		})},
		"link/errors": {
			onFS(func(f *hookedFS) {
				f.link = func(ctx context.Context, from, to string) error {
					f.fullFS.Remove(ctx, to, false)
					return f.fullFS.Link(ctx, from, to)
				}
			}),
			onFS(func(f *hookedFS) {
				f.link = func(ctx context.Context, from, to string) error {
					return swap(f.fullFS.Link(ctx, from, to), syscall.EPERM, syscall.EISDIR)
				}
			}),
		},
	}
}

func listBreakers() map[string][]breaker {
	return map[string][]breaker{
		"list/complete": {
			listAs(func(all []wnet.Attr) []wnet.Attr { return all[:min(len(all), 512)] }),
			listAs(func(all []wnet.Attr) []wnet.Attr { return append(all, wnet.Attr{Name: ".", Mode: fs.ModeDir}) }),
			listAs(func(all []wnet.Attr) []wnet.Attr { return append(all, all[:min(1, len(all))]...) }),
			listAs(func(all []wnet.Attr) []wnet.Attr {
				for i := range all {
					all[i].Mode = all[i].Mode.Perm()
				}
				return all
			}),
		},
		"list/attrs": {
			listAs(func(all []wnet.Attr) []wnet.Attr {
				for i := range all {
					all[i].Mode |= 0o777
				}
				return all
			}),
			listAs(func(all []wnet.Attr) []wnet.Attr {
				for i := range all {
					all[i].ModTime = time.Time{}
				}
				return all
			}),
			statAs(func(_ string, a *wnet.Attr) { a.ID = 0 }),
		},
		"list/owned": {onFS(func(f *hookedFS) {
			var kept []wnet.Attr
			f.readDir = func(ctx context.Context, name string) ([]wnet.Attr, error) {
				if kept == nil {
					kept, _ = f.fullFS.ReadDir(ctx, name)
				}
				return kept, nil
			}
		})},
		"list/fresh": {onFS(func(f *hookedFS) {
			var kept []wnet.Attr
			f.readDir = func(ctx context.Context, name string) ([]wnet.Attr, error) {
				if kept == nil {
					kept, _ = f.fullFS.ReadDir(ctx, name)
				}
				return append([]wnet.Attr(nil), kept...), nil
			}
		})},
		"attr/ids": {
			statAs(func(name string, a *wnet.Attr) { a.ID = uint64(len(name)) }),
			onFile(func(f *hookedFile) {
				f.stat = func(ctx context.Context) (wnet.Attr, error) {
					a, err := f.fullFile.Stat(ctx)
					a.ID += 1000
					return a, err
				}
			}),
		},
		"attr/times": {
			statAs(func(_ string, a *wnet.Attr) { a.ModTime = time.Time{} }),
			// Writing does not count.
			onFile(func(f *hookedFile) {
				f.write = func(ctx context.Context, p []byte, off int64) (int, error) {
					a, _ := f.fullFile.Stat(ctx)
					n, err := f.fullFile.WriteAt(ctx, p, off)
					f.fullFile.SetAttr(ctx, wnet.AttrChange{ModTime: &a.ModTime})
					return n, err
				}
			}),
		},
	}
}

func attrBreakers() map[string][]breaker {
	set := func(change func(f *hookedFS, name string, c *wnet.AttrChange)) breaker {
		return onFS(func(f *hookedFS) {
			f.setAttr = func(ctx context.Context, name string, c wnet.AttrChange) (wnet.Attr, error) {
				change(f, name, &c)
				return f.fullFS.SetAttr(ctx, name, c)
			}
		})
	}
	return map[string][]breaker{
		"attr/answer": {onFS(func(f *hookedFS) {
			f.setAttr = func(ctx context.Context, name string, c wnet.AttrChange) (wnet.Attr, error) {
				a, _ := f.fullFS.Stat(ctx, name)
				_, err := f.fullFS.SetAttr(ctx, name, c)
				return a, err
			}
		})},
		"attr/mode": {set(func(_ *hookedFS, _ string, c *wnet.AttrChange) { c.Mode = nil })},
		"attr/create-mode": {
			openAs(func(name string, flag wnet.OpenFlag, perm fs.FileMode) (string, wnet.OpenFlag, fs.FileMode) {
				return name, flag, 0o666
			}),
			onFS(func(f *hookedFS) {
				f.mkdir = func(ctx context.Context, name string, perm fs.FileMode) error {
					return f.fullFS.Mkdir(ctx, name, 0o777)
				}
			}),
		},
		"attr/set-times": {
			set(func(_ *hookedFS, _ string, c *wnet.AttrChange) { c.ModTime = nil }),
			// Protocols that know both times only together.
			set(func(_ *hookedFS, _ string, c *wnet.AttrChange) {
				if c.AccessTime == nil {
					c.AccessTime = c.ModTime
				}
			}),
		},
		"attr/size": {set(func(f *hookedFS, name string, c *wnet.AttrChange) {
			if a, err := f.fullFS.Stat(context.Background(), name); err == nil && c.Size != nil {
				size := min(*c.Size, a.Size)
				c.Size = &size
			}
		})},
		"attr/errors": {
			onFS(func(f *hookedFS) {
				f.setAttr = func(ctx context.Context, name string, c wnet.AttrChange) (wnet.Attr, error) {
					a, err := f.fullFS.SetAttr(ctx, name, c)
					return a, swap(err, syscall.EISDIR, nil)
				}
			}),
			onFS(func(f *hookedFS) {
				f.setAttr = func(ctx context.Context, name string, c wnet.AttrChange) (wnet.Attr, error) {
					f.fullFS.SetAttr(ctx, name, wnet.AttrChange{ModTime: c.ModTime})
					return f.fullFS.SetAttr(ctx, name, c)
				}
			}),
		},
		"attr/open-file": {onFile(func(f *hookedFile) {
			f.setAttr = func(ctx context.Context, c wnet.AttrChange) (wnet.Attr, error) { return f.fs.SetAttr(ctx, f.name, c) }
		})},
		"attr/room": {onFS(func(f *hookedFS) {
			f.statfs = func(ctx context.Context) (wnet.Statfs, error) {
				st, err := f.fullFS.Statfs(ctx)
				st.Free = st.Total + 1
				return st, err
			}
		})},
	}
}

func enumBreakers() map[string][]breaker {
	answer := func(change func(all []wnet.Resource, err error) ([]wnet.Resource, error)) breaker {
		return func(p *hooked, _ *Target) {
			p.browse = func(ctx context.Context, container *wnet.RemoteName, req wnet.Request) ([]wnet.Resource, error) {
				return change(p.Provider.Browse(ctx, container, req))
			}
		}
	}
	each := func(change func(r *wnet.Resource)) breaker {
		return answer(func(all []wnet.Resource, err error) ([]wnet.Resource, error) {
			for i := range all {
				change(&all[i])
			}
			return all, err
		})
	}
	code := func(from, to win32.Code) breaker {
		return answer(func(all []wnet.Resource, err error) ([]wnet.Resource, error) {
			if to == 0 {
				return all, swap(err, from, nil)
			}
			return all, swap(err, from, &wnet.Error{Code: to})
		})
	}
	return map[string][]breaker{
		"enum/top": {
			each(func(r *wnet.Resource) { r.Provider = "another" }),
			each(func(r *wnet.Resource) { r.Usage = win32.RESOURCEUSAGE_CONNECTABLE }),
			answer(func([]wnet.Resource, error) ([]wnet.Resource, error) {
				return nil, &wnet.Error{Code: win32.ERROR_BAD_NETPATH}
			}),
		},
		"enum/server": {
			answer(func([]wnet.Resource, error) ([]wnet.Resource, error) { return nil, nil }),
			each(func(r *wnet.Resource) { r.Usage = win32.RESOURCEUSAGE_CONTAINER }),
			each(func(r *wnet.Resource) { r.DisplayType = win32.RESOURCEDISPLAYTYPE_GENERIC }),
			each(func(r *wnet.Resource) { r.Scope = win32.RESOURCE_CONNECTED }),
		},
		"enum/type": {func(p *hooked, _ *Target) {
			p.browse = func(ctx context.Context, container *wnet.RemoteName, req wnet.Request) ([]wnet.Resource, error) {
				req.Type = win32.RESOURCETYPE_ANY
				return p.Provider.Browse(ctx, container, req)
			}
		}},
		"enum/foreign":       {code(win32.ERROR_BAD_NET_NAME, win32.ERROR_BAD_NETPATH)},
		"enum/not-container": {code(win32.ERROR_NOT_CONTAINER, 0)},
		"enum/dead-server":   {code(win32.ERROR_BAD_NETPATH, 0)},
		"enum/cancelled": {func(p *hooked, _ *Target) {
			p.browse = func(ctx context.Context, container *wnet.RemoteName, req wnet.Request) ([]wnet.Resource, error) {
				return p.Provider.Browse(context.WithoutCancel(ctx), container, req)
			}
		}},
	}
}
