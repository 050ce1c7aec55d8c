package rpc

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"connectrpc.com/connect"
	"github.com/google/renameio/v2"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// channelHeader shows a Channel's token.
const channelHeader = "Wnet-Channel"

// Channel is the way in for programs that have no unix sockets, as those in Wine: TCP on the loopback interface, for the callers that can
// read its file.
//
// The kernel does not say who sits at the other end of a TCP connection as surely as of a unix socket, so every request has to show the
// token of the file (header Wnet-Channel), which only this user can read. Where the kernel does tell, another user is turned away before
// that. No browser gets in: it would send Origin or another Content-Type than application/json, a name of its own in Host (DNS rebinding),
// or ask first (CORS), and none of that is answered. All is refused before the body is read.
//
// The session of a caller is the one of the token that it shows in Wnet-Session, as on the unix socket, else the user's default session.
type Channel struct {
	net.Listener
	path  string
	token string
	hosts [2]string
	over  atomic.Bool // closed: connections that are open may stay, and get no more answers
}

// ListenChannel opens a Channel on a free port of 127.0.0.1 and writes port and token, a line each, to the file path (mode 0600). The
// folder must be private to the user already. What was at path is replaced. Close removes the file.
func ListenChannel(path string) (*Channel, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	var raw [32]byte
	rand.Read(raw[:]) // never fails
	c := &Channel{Listener: l, path: path, token: hex.EncodeToString(raw[:])}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	c.hosts = [2]string{"127.0.0.1:" + port, "localhost:" + port}
	text := []byte(port + "\n" + c.token + "\n")
	if err := renameio.WriteFile(path, text, 0o600, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(0o600)); err != nil {
		l.Close()
		return nil, err
	}
	return c, nil
}

// Close ends Accept, makes the token worthless and removes the file, unless that is another Channel's by now.
func (c *Channel) Close() error {
	c.over.Store(true)
	err := c.Listener.Close()
	if text, rerr := os.ReadFile(c.path); rerr == nil && string(text) == c.hosts[0][len("127.0.0.1:"):]+"\n"+c.token+"\n" {
		os.Remove(c.path)
	}
	return err
}

// ServeChannel is Serve for a Channel, with a limit of its own on the peers: strangers who connect to the port take no place from the
// callers on the unix socket. It returns nil also when c was closed.
func (s *Server) ServeChannel(c *Channel) error {
	err := s.serve(newGate(c, func(conn net.Conn) (Peer, error) { return s.channelPeer(conn, c) }, s.limits.Peers, &s.refused, s.log))
	if c.over.Load() {
		return nil
	}
	return err
}

// channelPeer lets in who may be this user: surely if the kernel tells the user of the other end, else whoever shows the token later.
func (s *Server) channelPeer(conn net.Conn, c *Channel) (Peer, error) {
	p := Peer{UID: s.uid, channel: c} // PID 0: which process it is can't be told
	uid, err := tcpPeerUID(conn)
	if err == nil && uid != s.uid {
		return Peer{UID: uid}, fmt.Errorf("it is another user")
	}
	return p, nil
}

// admit decides whether a request on the channel is answered. It looks at the header alone.
func (c *Channel) admit(r *http.Request) error {
	refuse := func(why string) error {
		return &wnet.Error{Code: win32.ERROR_ACCESS_DENIED, Err: errors.New(why)}
	}
	tokens := r.Header.Values(channelHeader)
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case c.over.Load() || len(tokens) != 1 || subtle.ConstantTimeCompare([]byte(tokens[0]), []byte(c.token)) != 1:
		return refuse("the channel's token is missing or not the one of now")
	case r.Host != c.hosts[0] && r.Host != c.hosts[1]:
		return refuse("the channel is at " + c.hosts[0] + " under no other name")
	case r.Method != http.MethodPost:
		return refuse("the channel takes POST alone")
	case err != nil || t != "application/json":
		return refuse("the channel takes Content-Type: application/json alone")
	}
	for _, h := range []string{"Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Access-Control-Request-Method"} {
		if r.Header.Get(h) != "" {
			return refuse("the channel is not for web pages")
		}
	}
	return nil
}

// guard refuses what a Channel does not admit, before its body is read, and closes the connection.
func guard(next http.Handler) http.Handler {
	errs := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := r.Context().Value(peerKey{}).(Peer)
		if p.channel == nil {
			next.ServeHTTP(w, r)
			return
		}
		if err := p.channel.admit(r); err != nil {
			w.Header().Set("Connection", "close")
			r.Body = http.NoBody
			ce := wireError("", "", err, nil)
			if !errs.IsSupported(r) {
				w.Header().Set(codeHeader, ce.Meta().Get(codeHeader))
				http.Error(w, ce.Message(), http.StatusForbidden)
				return
			}
			errs.Write(w, r, ce)
			return
		}
		next.ServeHTTP(w, r)
	})
}
