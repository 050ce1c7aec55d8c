package sftp_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	pkgsftp "github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/sftp"
)

// fakeOptions are how a server misbehaves.
type fakeOptions struct {
	raw    func(net.Conn)          // speaks instead of SSH
	config func(*ssh.ServerConfig) // changes the ways to log in; without it everybody may
	sftp   func(io.ReadWriter)     // speaks instead of SFTP
	noSFTP bool                    // refuses the subsystem
}

// fake is a server in the test's own process.
type fake struct {
	listener net.Listener
	key      ssh.Signer

	wg    sync.WaitGroup
	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func fakeServer(t *testing.T, opt fakeOptions) *fake {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &fake{}
	if s.key, err = ssh.NewSignerFromKey(key); err != nil {
		t.Fatal(err)
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.wg.Go(func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			s.wg.Go(func() {
				defer c.Close()
				if opt.raw != nil {
					opt.raw(c)
					return
				}
				s.serve(c, opt)
			})
		}
	})
	t.Cleanup(func() {
		s.listener.Close()
		s.mu.Lock()
		for _, c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		s.wg.Wait()
	})
	return s
}

func (s *fake) serve(c net.Conn, opt fakeOptions) {
	conf := &ssh.ServerConfig{}
	if opt.config != nil {
		opt.config(conf)
	} else {
		conf.NoClientAuth = true
	}
	conf.AddHostKey(s.key)
	conn, channels, requests, err := ssh.NewServerConn(c, conf)
	if err != nil {
		return
	}
	defer conn.Close()
	s.wg.Go(func() { ssh.DiscardRequests(requests) })
	for nc := range channels {
		ch, reqs, err := nc.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() {
			for r := range reqs {
				r.Reply(!opt.noSFTP && r.Type == "subsystem", nil)
				if opt.noSFTP {
					continue
				}
				s.wg.Go(func() {
					defer ch.Close()
					if opt.sftp != nil {
						opt.sftp(ch)
					} else {
						honest(ch)
					}
				})
			}
		})
	}
}

func (s *fake) addr() string { return s.listener.Addr().String() }

func (s *fake) request() wnet.Request {
	a := s.listener.Addr().(*net.TCPAddr)
	return wnet.Request{Remote: wnet.RemoteName{Scheme: wnet.SchemeSFTP, User: "anna", Server: "127.0.0.1", Port: a.Port, Rooted: true}}
}

// config knows the server's key.
func (s *fake) config(t *testing.T) sftp.Config {
	t.Helper()
	home := t.TempDir()
	file := writeFile(t, filepath.Join(home, ".ssh", "known_hosts"), knownhosts.Line([]string{s.addr()}, s.key.PublicKey())+"\n")
	return sftp.Config{Home: home, KnownHosts: []string{file}}
}

// honest serves a memory of pkg/sftp's.
func honest(ch io.ReadWriteCloser) {
	srv := pkgsftp.NewRequestServer(ch, pkgsftp.InMemHandler())
	srv.Serve()
	srv.Close()
}
