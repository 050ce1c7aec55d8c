package providertest

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// connectChecks are about names, validation and credentials.
func connectChecks() []Check {
	return []Check{
		{"connect/own-names", "Owns says yes to every name of the network's form, whether or not the server is there.", "", body(ownNames)},
		{"connect/foreign", "A name that is not the provider's own is ERROR_BAD_NET_NAME, at once and without I/O (R-02).", "", body(foreign)},
		{"connect/order", "Whose name it is comes before the other parameters (R-02).", "", body(order)},
		{"connect/not-started", "Whether the network is started comes before everything else: ERROR_NO_NETWORK (R-02).", "Target.Stop",
			body(notStarted)},
		{"connect/good", "A connection has a type, a file system and the user that the server knows, and is not lost.", "", connected(good)},
		{"connect/any-type", "RESOURCETYPE_ANY is served, and the connection says what it has become.", "", body(anyType)},
		{"connect/bad-type", "A disk asked for as a printer is ERROR_BAD_DEV_TYPE (A2-14).", "", body(badType)},
		{"connect/bad-password", "A wrong password is ERROR_INVALID_PASSWORD or ERROR_LOGON_FAILURE, and is in no message (A2-26, A2-27).",
			"Target.Bad", body(badPassword)},
		{"connect/unknown-user", "An unknown user is ERROR_LOGON_FAILURE, ERROR_BAD_USERNAME or what a wrong password is (A2-27).",
			"Target.Unknown", body(unknownUser)},
		{"connect/missing-share", "A share that is not there is ERROR_BAD_NET_NAME (A2-15).", "", body(missingShare)},
		{"connect/dead-server", "A server that is not there, or where nothing listens, is ERROR_BAD_NETPATH.", "Target.Dead", body(deadServer)},
		{"connect/below", "A path below the share is where the connection's file system begins.", "", connected(below)},
		{"connect/cancelled", "A context that has ended makes Connect fail with the context's error.", "", body(connectCancelled)},
		{"connect/parallel", "Connect may be called from many goroutines at once.", "", connected(connectParallel)},
	}
}

func ownNames(e *env) {
	for _, n := range []wnet.RemoteName{e.tg.Share, e.tg.Missing, e.tg.Dead} {
		if n != (wnet.RemoteName{}) {
			eq(e, "Owns "+n.String(), e.tg.Provider.Owns(n), true)
		}
	}
	if e.tg.Provider.Name() == "" || e.tg.Provider.NetType() == 0 {
		e.fail("Name and NetType: got %q and %#x, want a name and a WNNC_NET_ type", e.tg.Provider.Name(), e.tg.Provider.NetType())
	}
}

// trap listens where a foreign name leads, and counts who comes.
func (e *env) trap() (touched *atomic.Int32, foreign []wnet.RemoteName, stop func()) {
	if len(e.tg.Foreign) == 0 {
		e.fail("the target has no Foreign name, want at least one")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	e.ok("listening on loopback", err)
	touched = new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			touched.Add(1)
			c.Close()
		}
	}()
	for _, n := range e.tg.Foreign {
		n.Server, n.Port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
		foreign = append(foreign, n)
	}
	return touched, foreign, func() {
		l.Close()
		<-done
	}
}

func foreign(e *env) {
	touched, names, stop := e.trap()
	defer stop()
	for _, n := range append(names, e.tg.Foreign...) {
		eq(e, "Owns "+n.String(), e.tg.Provider.Owns(n), false)
		c, err := e.tg.Provider.Connect(e.ctx, e.tg.request(n))
		if c != nil {
			c.Close()
		}
		e.code("Connect to "+n.String(), err, win32.ERROR_BAD_NET_NAME)
	}
	stop()
	eq(e, "connections to the server of a foreign name", touched.Load(), 0)
}

func order(e *env) {
	_, names, stop := e.trap()
	defer stop()
	req := e.tg.request(names[0])
	req.Type, req.User = 99, "\x01"
	_, err := e.tg.Provider.Connect(e.ctx, req)
	e.code("Connect to another network's name, with a type and a user that cannot be", err, win32.ERROR_BAD_NET_NAME)
	req.Remote, req.User = e.tg.Share, e.tg.Good.User
	_, err = e.tg.Provider.Connect(e.ctx, req)
	e.code("Connect to the share, with a type that cannot be", err, win32.ERROR_INVALID_PARAMETER, win32.ERROR_BAD_DEV_TYPE)
}

func notStarted(e *env) {
	_, names, stop := e.trap()
	defer stop()
	e.tg.Stop()
	for _, n := range []wnet.RemoteName{e.tg.Share, names[0]} {
		_, err := e.tg.Provider.Connect(e.ctx, e.tg.request(n))
		e.code("Connect to "+n.String()+" while the network is stopped", err, win32.ERROR_NO_NETWORK)
	}
}

func good(e *env) {
	eq(e, "Type", e.conn.Type(), win32.RESOURCETYPE_DISK)
	if u := e.tg.Good.User; u != "" && !strings.EqualFold(u, e.conn.User()) {
		e.fail("User: got %q, want %q", e.conn.User(), u)
	}
	select {
	case <-e.conn.Lost():
		e.fail("Lost: got a closed channel, want one that is open while the connection lives")
	default:
	}
	a := e.stat(".")
	if !isDir(a) {
		e.fail("Stat of the top: got the mode %v, want a folder", a.Mode)
	}
	e.put("f", "text")
	e.has("f", "text")
}

func anyType(e *env) {
	req := e.tg.request(e.tg.Share)
	req.Type = win32.RESOURCETYPE_ANY
	c, err := e.tg.Provider.Connect(e.ctx, req)
	e.ok("Connect with RESOURCETYPE_ANY", err)
	defer c.Close()
	eq(e, "Type", c.Type(), win32.RESOURCETYPE_DISK)
}

func badType(e *env) {
	req := e.tg.request(e.tg.Share)
	req.Type = win32.RESOURCETYPE_PRINT
	c, err := e.tg.Provider.Connect(e.ctx, req)
	if c != nil {
		c.Close()
	}
	e.code("Connect with RESOURCETYPE_PRINT", err, win32.ERROR_BAD_DEV_TYPE)
}

// refused wants Connect to refuse credentials with one of the codes.
func (e *env) refused(what string, with Credentials, want ...win32.Code) error {
	req := e.tg.request(e.tg.Share)
	req.User, req.Password = with.User, with.Password
	c, err := e.tg.Provider.Connect(e.ctx, req)
	if c != nil {
		c.Close()
	}
	e.code("Connect with "+what, err, want...)
	return err
}

func badPassword(e *env) {
	err := e.refused("a wrong password", e.tg.Bad, win32.ERROR_INVALID_PASSWORD, win32.ERROR_LOGON_FAILURE)
	var we *wnet.Error
	errors.As(err, &we)
	if pw := e.tg.Bad.Password.Reveal(); len(pw) > 3 && strings.Contains(err.Error()+we.Hint+we.NativeText, pw) {
		e.fail("the error: got a message with the password in it, want none")
	}
}

func unknownUser(e *env) {
	e.refused("an unknown user", e.tg.Unknown, win32.ERROR_LOGON_FAILURE, win32.ERROR_BAD_USERNAME, win32.ERROR_INVALID_PASSWORD)
}

func missingShare(e *env) {
	_, err := e.tg.Provider.Connect(e.ctx, e.tg.request(e.tg.Missing))
	e.code("Connect to "+e.tg.Missing.String(), err, win32.ERROR_BAD_NET_NAME)
}

func deadServer(e *env) {
	_, err := e.tg.Provider.Connect(e.ctx, e.tg.request(e.tg.Dead))
	e.code("Connect to "+e.tg.Dead.String(), err, win32.ERROR_BAD_NETPATH)
}

func below(e *env) {
	e.mkdir("sub")
	e.mkdir("sub/deeper")
	e.put("sub/deeper/inside", "in")
	e.put("outside", "out")
	name := e.tg.Share
	name.Path = strings.TrimPrefix(name.Path+"/sub/deeper", "/")
	c := e.connectTo(name)
	defer c.Close()
	e.fs = c.FS()
	e.names(".", "inside")
	e.has("inside", "in")
	_, err := e.fs.Stat(e.ctx, "outside")
	e.errno("Stat of a name above the top", err, syscall.ENOENT)
}

func connectCancelled(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	e.soon("Connect with a cancelled context", func() {
		c, err := e.tg.Provider.Connect(ctx, e.tg.request(e.tg.Share))
		if c != nil {
			c.Close()
		}
		e.ended("Connect with a cancelled context", err)
		e.code("Connect with a cancelled context", err, win32.ERROR_CANCELLED)
	})
}

func connectParallel(e *env) {
	e.put("f", "text")
	conns := make([]wnet.Conn, 6)
	defer func() {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	}()
	e.all(len(conns), func(i int) { conns[i] = e.connect() })
	e.all(len(conns), func(i int) {
		_, err := conns[i].FS().Stat(e.ctx, "f")
		e.ok("Stat through one of several connections", err)
	})
}
