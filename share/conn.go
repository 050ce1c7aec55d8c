package share

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// maxSessions bounds the SFTP sessions of one connection.
const maxSessions = 10

// heardConn knows when something last came.
type heardConn struct {
	net.Conn
	begin time.Time
	heard atomic.Int64 // time.Duration from begin to the last byte read
}

func (c *heardConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(int64(time.Since(c.begin)))
	}
	return n, err
}

func (c *heardConn) quiet() time.Duration { return time.Since(c.begin) - time.Duration(c.heard.Load()) }

// serve speaks to one client until either side ends the connection.
func (s *Server) serve(tcp net.Conn) {
	nc := &heardConn{Conn: tcp, begin: time.Now()}
	// The deadline stands until the client has opened SFTP: whoever only connects, or only logs in, holds no place.
	nc.SetDeadline(time.Now().Add(s.cfg.LoginGrace))
	conn, channels, requests, err := ssh.NewServerConn(nc, s.ssh)
	if err != nil {
		s.log.Info("a connection ended before the login", "from", tcp.RemoteAddr(), "err", err)
		return
	}
	s.log.Info("logged in", "user", conn.User(), "from", conn.RemoteAddr())
	var wg sync.WaitGroup
	wg.Go(func() { ssh.DiscardRequests(requests) })
	wg.Go(func() { s.keepAlive(conn, nc) })
	open := make(chan struct{}, maxSessions)
	for ch := range channels {
		if ch.ChannelType() != "session" {
			ch.Reject(ssh.UnknownChannelType, "this server has SFTP only")
			continue
		}
		select {
		case open <- struct{}{}:
		default:
			ch.Reject(ssh.ResourceShortage, "too many sessions")
			continue
		}
		channel, reqs, err := ch.Accept()
		if err != nil {
			<-open
			continue
		}
		wg.Go(func() {
			s.session(channel, reqs, func() { nc.SetDeadline(time.Time{}) })
			<-open
		})
	}
	conn.Close()
	wg.Wait()
	s.log.Info("logged out", "user", conn.User(), "from", conn.RemoteAddr())
}

// keepAlive drops a client that no longer answers.
func (s *Server) keepAlive(conn *ssh.ServerConn, nc *heardConn) {
	ended := make(chan struct{})
	go func() {
		conn.Wait()
		close(ended)
	}()
	tick := time.NewTicker(max(s.cfg.KeepAlive/2, time.Millisecond))
	defer tick.Stop()
	asked := make(chan struct{}, 1) // holds one while a question is open
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
			switch quiet := nc.quiet(); {
			case quiet >= 2*s.cfg.KeepAlive:
				s.log.Info("a client no longer answers", "from", conn.RemoteAddr())
				nc.Close()
			case quiet >= s.cfg.KeepAlive:
				select {
				case asked <- struct{}{}:
					go func() {
						conn.SendRequest("keepalive@openssh.com", true, nil)
						<-asked
					}()
				default:
				}
			}
		}
	}
}

// session serves one channel: SFTP, once it is asked for. ready is called then.
func (s *Server) session(channel ssh.Channel, requests <-chan *ssh.Request, ready func()) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer channel.Close()
	started := false
	for r := range requests {
		// The payload is one string; anything else than "sftp" is refused alike.
		ok := !started && r.Type == "subsystem" && string(r.Payload) == "\x00\x00\x00\x04sftp"
		r.Reply(ok, nil)
		if !ok {
			continue
		}
		started = true
		ready()
		wg.Go(func() {
			t := newSession(s, channel)
			err := t.serve()
			t.closeAll()
			status := byte(0)
			if err != nil && err != io.EOF {
				s.log.Info("a session ended early", "err", err)
				status = 1
			}
			channel.SendRequest("exit-status", false, []byte{0, 0, 0, status})
			channel.Close()
		})
	}
}
