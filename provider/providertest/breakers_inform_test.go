package providertest

import (
	"context"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// informBreakers break the rules of informChecks.
func informBreakers() map[string][]breaker {
	info := func(change func(r *wnet.Resource, rest *string, err *error)) breaker {
		return func(p *hooked, _ *Target) {
			p.info = func(ctx context.Context, req wnet.Request) (wnet.Resource, string, error) {
				r, rest, err := p.Provider.ResourceInformation(ctx, req)
				change(&r, &rest, &err)
				return r, rest, err
			}
		}
	}
	infoCode := func(from, to win32.Code) breaker {
		return info(func(_ *wnet.Resource, _ *string, err *error) {
			if to == 0 {
				*err = swap(*err, from, nil)
				return
			}
			*err = swap(*err, from, &wnet.Error{Code: to})
		})
	}
	parent := func(change func(name wnet.RemoteName, r *wnet.Resource, err *error)) breaker {
		return func(p *hooked, _ *Target) {
			p.parent = func(name wnet.RemoteName) (wnet.Resource, error) {
				r, err := p.Provider.ResourceParent(name)
				change(name, &r, &err)
				return r, err
			}
		}
	}
	format := func(change func(s string, flags uint32) string) breaker {
		return func(p *hooked, _ *Target) {
			p.format = func(name wnet.RemoteName, flags, line uint32) (string, error) {
				s, err := p.Provider.FormatName(name, flags, line)
				return change(s, flags), err
			}
		}
	}
	perform := func(change func(p wnet.Performance, err error) (wnet.Performance, error)) breaker {
		return func(p *hooked, _ *Target) {
			p.conn = func(c *hookedConn) { c.perform = change }
		}
	}
	return map[string][]breaker{
		"info/share": {
			info(func(r *wnet.Resource, _ *string, _ *error) { r.RemoteName = `\\srv\admin$` }),
			info(func(r *wnet.Resource, _ *string, _ *error) { r.Type = win32.RESOURCETYPE_ANY }),
			info(func(r *wnet.Resource, _ *string, _ *error) { r.DisplayType = win32.RESOURCEDISPLAYTYPE_SERVER }),
			info(func(r *wnet.Resource, _ *string, _ *error) { r.Usage = win32.RESOURCEUSAGE_CONTAINER }),
			info(func(r *wnet.Resource, _ *string, _ *error) { r.Provider = "" }),
		},
		"info/below": {
			info(func(_ *wnet.Resource, rest *string, _ *error) { *rest = "" }),
			info(func(_ *wnet.Resource, rest *string, _ *error) { *rest = strings.ToLower(*rest) }),
			info(func(_ *wnet.Resource, rest *string, err *error) {
				if *rest != "" {
					*err = &wnet.Error{Code: win32.ERROR_BAD_NET_NAME}
				}
			}),
		},
		"info/missing": {infoCode(win32.ERROR_BAD_NET_NAME, 0), infoCode(win32.ERROR_BAD_NET_NAME, win32.ERROR_BAD_NETPATH)},
		"info/type":    {infoCode(win32.ERROR_BAD_DEV_TYPE, 0)},
		"info/foreign": {infoCode(win32.ERROR_BAD_NET_NAME, win32.ERROR_NOT_SUPPORTED)},
		"info/cancelled": {func(p *hooked, _ *Target) {
			p.info = func(ctx context.Context, req wnet.Request) (wnet.Resource, string, error) {
				return p.Provider.ResourceInformation(context.WithoutCancel(ctx), req)
			}
		}},
		"parent/up": {
			parent(func(name wnet.RemoteName, r *wnet.Resource, _ *error) { r.RemoteName = name.String() }),
			parent(func(_ wnet.RemoteName, r *wnet.Resource, _ *error) { r.Provider = "another" }),
			parent(func(name wnet.RemoteName, r *wnet.Resource, _ *error) {
				if name.Path == "" {
					r.RemoteName, r.Usage = "", win32.RESOURCEUSAGE_CONTAINER // no server on the way
				}
			}),
			parent(func(name wnet.RemoteName, r *wnet.Resource, err *error) {
				if name.Share == "" {
					*err = &wnet.Error{Code: win32.ERROR_BAD_NET_NAME}
				}
			}),
		},
		"parent/foreign": {parent(func(_ wnet.RemoteName, _ *wnet.Resource, err *error) { *err = nil })},
		"format/whole":   {format(func(s string, _ uint32) string { return s[2:] }), format(func(s string, _ uint32) string { return s + `\x` })},
		"format/fits": {
			format(func(s string, flags uint32) string {
				if flags&win32.WNFMT_ABBREVIATED != 0 {
					return s + " and more"
				}
				return s
			}),
			format(func(s string, flags uint32) string { return strings.ReplaceAll(s, "\n", "") }),
			format(func(s string, flags uint32) string {
				if flags&win32.WNFMT_MULTILINE != 0 {
					return s[:strings.IndexByte(s, '\n')]
				}
				return s
			}),
		},
		"format/foreign": {func(p *hooked, _ *Target) {
			p.format = func(name wnet.RemoteName, flags, line uint32) (string, error) { return name.Format(flags, line), nil }
		}},
		"perform/measured": {
			perform(func(p wnet.Performance, err error) (wnet.Performance, error) { p.Delay = 0; return p, err }),
			perform(func(p wnet.Performance, err error) (wnet.Performance, error) { p.Speed = 0; return p, err }),
		},
		"perform/closed": {perform(func(p wnet.Performance, _ error) (wnet.Performance, error) { return p, nil })},
		"enum/attached": {
			func(p *hooked, _ *Target) {
				p.browse = func(ctx context.Context, container *wnet.RemoteName, req wnet.Request) ([]wnet.Resource, error) {
					req.Attached = false
					return p.Provider.Browse(ctx, container, req)
				}
			},
			func(p *hooked, _ *Target) {
				p.browse = func(context.Context, *wnet.RemoteName, wnet.Request) ([]wnet.Resource, error) {
					return nil, &wnet.Error{Code: win32.ERROR_NOT_AUTHENTICATED}
				}
			},
		},
	}
}
