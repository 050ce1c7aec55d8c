package providertest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// informChecks are about ResourceInformer, ParentTeller, Formatter and Performer.
func informChecks() []Check {
	return []Check{
		{"info/share", "A name's resource is the part of it that can be connected, with what it is.", "ResourceInformer", body(infoShare)},
		{"info/below", "What follows the resource comes back as it was given, whether it is there or not (RI-03).", "ResourceInformer", body(infoBelow)},
		{"info/missing", "A share that is not there is ERROR_BAD_NET_NAME.", "ResourceInformer", body(infoMissing)},
		{"info/type", "A type that the resource is not of is ERROR_BAD_DEV_TYPE (RI-05).", "ResourceInformer", body(infoType)},
		{"info/foreign", "A name that is not the provider's own is ERROR_BAD_NET_NAME, without I/O (R-02).", "ResourceInformer", body(infoForeign)},
		{"info/cancelled", "A context that has ended makes ResourceInformation fail with the context's error.", "ResourceInformer", body(infoCancelled)},
		{"parent/up", "Going up ends at the top, which has no name, and each step is shorter (RP-02, RP-03).", "ParentTeller", body(parentUp)},
		{"parent/foreign", "A name that is not the provider's own is ERROR_BAD_NET_NAME.", "ParentTeller", body(parentForeign)},
		{"format/whole", "A name without flags can be read back.", "Formatter", body(formatWhole)},
		{"format/fits", "An abbreviated name, and each line of several, fits the width that was asked for.", "Formatter", body(formatFits)},
		{"format/foreign", "A name that is not the provider's own is ERROR_BAD_NET_NAME.", "Formatter", body(formatForeign)},
		{"perform/measured", "Delay and speed are known once something was transferred (MP-02).", "Performer", connected(performMeasured)},
		{"perform/closed", "A connection that is over measures nothing any more: ERROR_NETNAME_DELETED.", "Performer", connected(performClosed)},
		{"enum/attached", "Who asks to be authenticated is refused with a wrong password, and served with the right one (OE-03).",
			"Enumerator Target.Bad", body(enumAttached)},
	}
}

func (e *env) info(name wnet.RemoteName, typ uint32) (wnet.Resource, string, error) {
	req := e.tg.request(name)
	req.Type = typ
	return e.tg.Provider.(wnet.ResourceInformer).ResourceInformation(e.ctx, req)
}

// belongs wants the resource and the rest to make up the name.
func (e *env) belongs(name wnet.RemoteName, r wnet.Resource, rest string) {
	whole := r.RemoteName
	if rest != "" {
		whole += `\` + strings.ReplaceAll(rest, "/", `\`)
	}
	got, err := wnet.ParseRemoteName(whole)
	e.ok("parsing "+whole, err)
	got.Port, name.Port = 0, 0 // a UNC name has no place for it
	eq(e, "resource and rest", got.Key(), name.Key())
	eq(e, "the provider", r.Provider, e.tg.Provider.Name())
	eq(e, "the type", r.Type, win32.RESOURCETYPE_DISK)
	eq(e, "the display type", r.DisplayType, win32.RESOURCEDISPLAYTYPE_SHARE)
	eq(e, "the usage", r.Usage&win32.RESOURCEUSAGE_CONNECTABLE, win32.RESOURCEUSAGE_CONNECTABLE)
}

func infoShare(e *env) {
	for _, typ := range []uint32{win32.RESOURCETYPE_ANY, win32.RESOURCETYPE_DISK} {
		r, rest, err := e.info(e.tg.Share, typ)
		e.ok("ResourceInformation of "+e.tg.Share.String(), err)
		e.belongs(e.tg.Share, r, rest)
	}
}

func infoBelow(e *env) {
	name := e.tg.Share
	name.Path = strings.TrimPrefix(name.Path+"/Not There/b", "/")
	r, rest, err := e.info(name, win32.RESOURCETYPE_ANY)
	e.ok("ResourceInformation of "+name.String(), err)
	e.belongs(name, r, rest)
	if !strings.HasSuffix(rest, "Not There/b") {
		e.fail("the rest: got %q, want it to end in %q", rest, "Not There/b")
	}
}

func infoMissing(e *env) {
	if e.tg.Missing.Share == "" {
		return // a network without shares: what is missing is a folder, and that need not be there
	}
	_, _, err := e.info(e.tg.Missing, win32.RESOURCETYPE_ANY)
	e.code("ResourceInformation of "+e.tg.Missing.String(), err, win32.ERROR_BAD_NET_NAME)
}

func infoType(e *env) {
	_, _, err := e.info(e.tg.Share, win32.RESOURCETYPE_PRINT)
	e.code("ResourceInformation of a disk as a printer", err, win32.ERROR_BAD_DEV_TYPE)
}

func infoForeign(e *env) {
	touched, names, stop := e.trap()
	defer stop()
	for _, n := range names {
		_, _, err := e.info(n, win32.RESOURCETYPE_ANY)
		e.code("ResourceInformation of "+n.String(), err, win32.ERROR_BAD_NET_NAME)
	}
	stop()
	eq(e, "connections to the server of a foreign name", touched.Load(), 0)
}

func infoCancelled(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	e.soon("ResourceInformation with a cancelled context", func() {
		_, _, err := e.tg.Provider.(wnet.ResourceInformer).ResourceInformation(ctx, e.tg.request(e.tg.Share))
		e.ended("ResourceInformation with a cancelled context", err)
	})
}

func parentUp(e *env) {
	name := e.tg.Share
	name.Path = strings.TrimPrefix(name.Path+"/a/b", "/")
	for {
		r, err := e.tg.Provider.(wnet.ParentTeller).ResourceParent(name)
		e.ok("ResourceParent of "+name.String(), err)
		eq(e, "the provider", r.Provider, e.tg.Provider.Name())
		if r.RemoteName == "" {
			eq(e, "the top's usage", r.Usage&win32.RESOURCEUSAGE_CONTAINER, win32.RESOURCEUSAGE_CONTAINER)
			break
		}
		if !strings.HasPrefix(name.String(), r.RemoteName) || len(r.RemoteName) >= len(name.String()) {
			e.fail("ResourceParent of %s: got %s, want a part of it", name, r.RemoteName)
		}
		port := name.Port
		name, err = wnet.ParseServerName(r.RemoteName)
		e.ok("parsing "+r.RemoteName, err)
		if name.Scheme == wnet.SchemeUNC {
			name.Port = port
		}
	}
	if name.Share != "" || name.Path != "" {
		e.fail("the step before the top: got %s, want a server", name)
	}
}

func parentForeign(e *env) {
	for _, n := range e.tg.Foreign {
		_, err := e.tg.Provider.(wnet.ParentTeller).ResourceParent(n)
		e.code("ResourceParent of "+n.String(), err, win32.ERROR_BAD_NET_NAME)
	}
}

func (e *env) format(name wnet.RemoteName, flags, line uint32) string {
	s, err := e.tg.Provider.(wnet.Formatter).FormatName(name, flags, line)
	e.ok("FormatName of "+name.String(), err)
	return s
}

func formatWhole(e *env) {
	for _, flags := range []uint32{0, win32.WNFMT_CONNECTION, win32.WNFMT_CONNECTION | win32.WNFMT_ABBREVIATED} {
		s := e.format(e.tg.Share, flags, 0)
		n, err := wnet.ParseRemoteName(s)
		e.ok("parsing "+s, err)
		eq(e, "the name", n.String(), e.tg.Share.String())
	}
}

func formatFits(e *env) {
	name := e.tg.Share
	name.Path = strings.TrimPrefix(name.Path+"/ünïcode folder/a very long part of a name", "/")
	const width = 16
	if s := e.format(name, win32.WNFMT_ABBREVIATED, width); utf8.RuneCountInString(s) > width || s == "" || strings.Contains(s, "\n") {
		e.fail("an abbreviated name: got %q, want up to %d characters in one line", s, width)
	}
	s := e.format(name, win32.WNFMT_MULTILINE, width)
	for line := range strings.SplitSeq(s, "\n") {
		if utf8.RuneCountInString(line) > width || line == "" {
			e.fail("a line of %q: got %q, want 1 to %d characters", s, line, width)
		}
	}
	eq(e, "all lines together", strings.ReplaceAll(s, "\n", ""), e.format(name, 0, 0))
}

func formatForeign(e *env) {
	for _, n := range e.tg.Foreign {
		_, err := e.tg.Provider.(wnet.Formatter).FormatName(n, 0, 0)
		e.code("FormatName of "+n.String(), err, win32.ERROR_BAD_NET_NAME)
	}
}

func performMeasured(e *env) {
	f, err := e.fs.Open(e.ctx, "measured", wnet.OpenRead|wnet.OpenWrite|wnet.OpenCreate, 0o644)
	e.ok("Open", err)
	defer f.Close(context.WithoutCancel(e.ctx))
	data := bytes.Repeat([]byte("0123456789abcdef"), 32<<10)
	for off := 0; off < len(data); {
		n, err := f.WriteAt(e.ctx, data[off:], int64(off))
		e.ok("WriteAt", err)
		off += n
	}
	for range 2 {
		p, err := e.conn.(wnet.Performer).Performance(e.ctx)
		e.ok("Performance", err)
		if p.Delay == 0 || p.Speed == 0 {
			e.fail("after half a megabyte: got %+v, want delay and speed measured", p)
		}
	}
}

func performClosed(e *env) {
	p := e.conn.(wnet.Performer)
	e.conn.Close()
	if _, err := p.Performance(e.ctx); !errors.Is(err, win32.ERROR_NETNAME_DELETED) {
		e.fail("Performance of a closed connection: got %w, want ERROR_NETNAME_DELETED", orSuccess(err))
	}
}

func enumAttached(e *env) {
	for _, who := range []Credentials{e.tg.Bad, e.tg.Good} {
		req := e.tg.request(*e.server())
		req.Type, req.User, req.Password, req.Attached = win32.RESOURCETYPE_ANY, who.User, who.Password, true
		_, err := e.tg.Provider.(wnet.Enumerator).Browse(e.ctx, e.server(), req)
		if who == e.tg.Good {
			e.ok("Browse with the right password", err)
		} else {
			e.code("Browse with a wrong password", err, win32.ERROR_INVALID_PASSWORD, win32.ERROR_LOGON_FAILURE, win32.ERROR_ACCESS_DENIED,
				win32.ERROR_NOT_AUTHENTICATED)
		}
	}
}
