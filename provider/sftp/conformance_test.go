package sftp_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/discover"
	"github.com/openwnet/wnet/provider/providertest"
	"github.com/openwnet/wnet/provider/sftp"
	"github.com/openwnet/wnet/share"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

var foreign = []wnet.RemoteName{{Server: "other", Share: "data"}, {Scheme: wnet.SchemeDAV, Server: "other", Path: "data"}}

// checks is the suite without what is about something that this network does not have at all: it cannot be stopped.
func checks() []providertest.Check {
	return slices.DeleteFunc(providertest.Checks(), func(c providertest.Check) bool { return strings.Contains(c.Needs, "Target.Stop") })
}

// TestConformanceOpenSSH runs the suite on OpenSSH's own server, as an ordinary user who logs in with a password.
func TestConformanceOpenSSH(t *testing.T) {
	t.Parallel()
	s := rig.Sshd(t, rig.SSHOptions{Password: true})
	uid, gid := owner(t, s.Root)
	dead := rig.FreePort(t)
	providertest.RunChecks(t, checks(), func(t *testing.T) providertest.Target {
		dir, err := os.MkdirTemp(s.Root, "share-")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		cfg := config(t, s)
		cfg.IdentityFiles = []string{}
		name := remote(s, dir)
		name.User = ""
		missing, nobody := name, name
		missing.Path += "/none"
		nobody.Port = dead
		return providertest.Target{
			Without:  without,
			Provider: sftp.New(cfg),
			Share:    name,
			Missing:  missing,
			Foreign:  foreign,
			Good:     providertest.Credentials{User: s.User, Password: wnet.NewSecret(s.Password)},
			Bad:      providertest.Credentials{User: s.User, Password: wnet.NewSecret("not-" + s.Password)},
			Unknown:  providertest.Credentials{User: "wnet-nobody", Password: wnet.NewSecret(s.Password)},
			Dead:     nobody,
			Stall: func() func() {
				s.Freeze()
				return s.Thaw
			},
			Sever: s.KillSessions,
		}
	})
}

// nobodyElse is a network with one neighbour, so that no test depends on where it runs.
func nobodyElse(context.Context) ([]discover.Server, error) {
	return []discover.Server{{Name: "neighbour.local", Port: 2222, Comment: "shell"}}, nil
}

// The network's top are the servers that answered, and each has two ways into it.
//
// Rows: OE-05
func TestNeighbours(t *testing.T) {
	p := sftp.New(sftp.Config{Servers: nobodyElse})
	all, err := p.Browse(t.Context(), nil, wnet.Request{})
	want := wnet.Resource{Scope: win32.RESOURCE_GLOBALNET, Type: win32.RESOURCETYPE_DISK, DisplayType: win32.RESOURCEDISPLAYTYPE_SERVER,
		Usage: win32.RESOURCEUSAGE_CONTAINER | win32.RESOURCEUSAGE_CONNECTABLE, RemoteName: `\\sshfs\neighbour.local!2222`, Comment: "shell",
		Provider: sftp.Name}
	if err != nil || len(all) != 1 || all[0] != want {
		t.Errorf("got %+v, %v, want %+v", all, err, want)
	}
	srv := serveShare(t, t.TempDir())
	_, digits, _ := net.SplitHostPort(srv.Addr().String())
	port, _ := strconv.Atoi(digits)
	server := wnet.RemoteName{Scheme: wnet.SchemeSFTP, Server: "127.0.0.1", Port: port}
	all, err = p.Browse(t.Context(), &server, wnet.Request{})
	if err != nil || len(all) != 2 || all[0].RemoteName != server.String() || all[1].RemoteName != `\\sshfs.r\127.0.0.1!`+digits {
		t.Errorf("got %+v, %v", all, err)
	}
}

// without is what version 3 of the protocol has no request for.
var without = map[string]string{
	"Locker":        "SFTP has no locks",
	"Leaser":        "SFTP tells of no change",
	"WholeReader":   "SFTP opens, reads and closes one after the other",
	"Xattrer":       "SFTP has no extended attributes",
	"FileCopier":    "a copy goes through this machine",
	"FileAllocator": "SFTP knows no holes",
	"FileSeeker":    "SFTP knows no holes",
}

// TestConformanceShare runs it on the embedded share.
func TestConformanceShare(t *testing.T) {
	t.Parallel()
	providertest.RunChecks(t, checks(), func(t *testing.T) providertest.Target {
		srv := serveShare(t, t.TempDir())
		p := newProxy(t, srv.Addr().String())
		name := wnet.RemoteName{Scheme: wnet.SchemeSFTP, Server: "127.0.0.1", Port: p.port(), Rooted: true}
		missing, nobody := name, name
		missing.Path = "none"
		nobody.Port = rig.FreePort(t)
		home := t.TempDir()
		return providertest.Target{
			Without:  without,
			Provider: sftp.New(sftp.Config{Home: home, KnownHosts: []string{filepath.Join(home, "known_hosts")}, Servers: nobodyElse}),
			Share:    name,
			CannotDo: map[string]string{"enum/not-container": "the share is the server's root, which is called like the server"},
			Missing:  missing,
			Foreign:  foreign,
			Options:  wnet.UseOptions{HostKey: srv.HostKey()},
			Good:     providertest.Credentials{User: "anna", Password: wnet.NewSecret("right-password")},
			Bad:      providertest.Credentials{User: "anna", Password: wnet.NewSecret("wrong-password")},
			Unknown:  providertest.Credentials{User: "eve", Password: wnet.NewSecret("right-password")},
			Dead:     nobody,
			Stall:    p.stall,
			Sever:    p.sever,
		}
	})
}

func serveShare(t *testing.T, dir string) *share.Server {
	t.Helper()
	srv, err := share.Serve(t.Context(), share.Config{
		Dir: dir, User: "anna", Password: wnet.NewSecret("right-password"), FailureDelay: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	return srv
}

// proxy stands between a client and a server, so that a server in the test's own process can seem to hang or die.
type proxy struct {
	t        *testing.T
	listener net.Listener
	to       string

	mu      sync.Mutex // guards what follows
	cond    *sync.Cond
	stalled bool
	conns   map[net.Conn]struct{}
	ended   bool
	wg      sync.WaitGroup
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, listener: l, to: to, conns: map[net.Conn]struct{}{}}
	p.cond = sync.NewCond(&p.mu)
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		p.ended, p.stalled = true, false
		p.cond.Broadcast()
		p.mu.Unlock()
		p.sever()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

func (p *proxy) accept() {
	for {
		a, err := p.listener.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", p.to)
		if err != nil {
			a.Close()
			continue
		}
		p.mu.Lock()
		p.conns[a], p.conns[b] = struct{}{}, struct{}{}
		if p.ended {
			a.Close()
			b.Close()
		}
		p.mu.Unlock()
		for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
			p.wg.Go(func() {
				io.Copy(gate{p, way[0]}, way[1])
				a.Close()
				b.Close()
			})
		}
	}
}

// gate lets data through while the proxy is not stalled.
type gate struct {
	p *proxy
	io.Writer
}

func (g gate) Write(b []byte) (int, error) {
	g.p.mu.Lock()
	for g.p.stalled {
		g.p.cond.Wait()
	}
	g.p.mu.Unlock()
	return g.Writer.Write(b)
}

func (p *proxy) stall() func() {
	set := func(v bool) {
		p.mu.Lock()
		p.stalled = v
		p.cond.Broadcast()
		p.mu.Unlock()
	}
	set(true)
	return func() { set(false) }
}

func (p *proxy) sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
		delete(p.conns, c)
	}
}

func owner(t *testing.T, file string) (uid, gid int) {
	t.Helper()
	fi, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	st := fi.Sys().(*syscall.Stat_t)
	return int(st.Uid), int(st.Gid)
}
