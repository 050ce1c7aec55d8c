package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/wnetv1"
	"github.com/openwnet/wnet/win32"
)

// Protocol is the schema's major version, package wnet.v1's.
const Protocol = 1

const (
	sessionHeader  = "Wnet-Session"  // the token of a session that CreateSession made
	protocolHeader = "Wnet-Protocol" // the protocol that the client speaks, in digits; curl may leave it out
)

// Client is a wnet.Service and a wnet.Sessions on the other side of a socket. It keeps a few idle socket connections and may be used
// from many goroutines at once.
//
// Besides the codes of the service itself, every method fails with ERROR_NO_NETWORK if nothing listens, ERROR_UNEXP_NET_ERR if the
// daemon ends before it answers, ERROR_NOT_SUPPORTED if it speaks another protocol, ERROR_CANCELLED when ctx ends, and
// ERROR_INVALID_NAME or ERROR_INVALID_PASSWORD for strings that are not UTF-8.
type Client struct {
	rpc       wnetv1.WnetClient
	transport *http.Transport
}

var (
	_ wnet.Service  = (*Client)(nil)
	_ wnet.Sessions = (*Client)(nil)
)

// NewClient returns a client that reaches the server through dial, which it calls at the first method and whenever it needs one more
// connection. An error of dial that is a *wnet.Error is returned as it is. token is shown with every call; absent: none.
func NewClient(dial func(ctx context.Context) (net.Conn, error), token wnet.Secret) *Client {
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		// Idle connections end on this side before they do on the server's, so that no call meets one that just closes.
		IdleConnTimeout:     DefaultLimits().Idle / 2,
		MaxIdleConnsPerHost: 8,
		DisableCompression:  true,
	}
	h := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Client{transport: t, rpc: wnetv1.NewWnetClient(h, "http://wnet",
		connect.WithInterceptors(headers(token)), connect.WithAcceptCompression("gzip", nil, nil))}
}

// headers shows the protocol and the token with every call.
func headers(token wnet.Secret) connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			req.Header().Set(protocolHeader, strconv.Itoa(Protocol))
			if token.Present() {
				req.Header().Set(sessionHeader, token.Reveal())
			}
			return next(ctx, req)
		}
	}
}

// Close gives the idle connections back. Calls under way go on.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}

// roundTrip makes one call. The result is never nil, and is filled where the error comes with one.
func roundTrip[Req, Res any, PReq interface {
	*Req
	proto.Message
}, PRes interface {
	*Res
	proto.Message
}](ctx context.Context, op, name string, f func(context.Context, *Req) (*Res, error), req PReq) (PRes, error) {
	if err := checkText(op, name, req); err != nil {
		return PRes(new(Res)), err
	}
	res, err := f(ctx, req)
	if err != nil {
		res = new(Res)
		return res, clientError(ctx, op, name, err, PRes(res))
	}
	return res, nil
}

// AddConnection implements wnet.Connector.
func (c *Client) AddConnection(ctx context.Context, req wnet.AddRequest) error {
	_, err := roundTrip(ctx, "AddConnection", nameOf(req), c.rpc.AddConnection, addOut(req))
	return err
}

// UseConnection implements wnet.Connector.
func (c *Client) UseConnection(ctx context.Context, req wnet.UseRequest) (wnet.UseResult, error) {
	res, err := roundTrip(ctx, "UseConnection", nameOf(req.AddRequest), c.rpc.UseConnection, useOut(req))
	return useResultIn(res), err
}

// CancelConnection implements wnet.Connector.
func (c *Client) CancelConnection(ctx context.Context, req wnet.CancelRequest) (wnet.CancelResult, error) {
	res, err := roundTrip(ctx, "CancelConnection", req.Name, c.rpc.CancelConnection, cancelOut(req))
	return cancelResultIn(res), err
}

// RestoreConnection implements wnet.Connector.
func (c *Client) RestoreConnection(ctx context.Context, device string) error {
	_, err := roundTrip(ctx, "RestoreConnection", device, c.rpc.RestoreConnection, &wnetv1.RestoreConnectionRequest{Device: &device})
	return err
}

// GetConnection implements wnet.Inquirer.
func (c *Client) GetConnection(ctx context.Context, device string) (string, error) {
	res, err := roundTrip(ctx, "GetConnection", device, c.rpc.GetConnection, &wnetv1.GetConnectionRequest{Device: &device})
	return res.GetRemoteName(), err
}

// GetUser implements wnet.Inquirer.
func (c *Client) GetUser(ctx context.Context, name string) (string, error) {
	res, err := roundTrip(ctx, "GetUser", name, c.rpc.GetUser, &wnetv1.GetUserRequest{Name: &name})
	return res.GetUser(), err
}

// GetUniversalName implements wnet.Inquirer.
func (c *Client) GetUniversalName(ctx context.Context, path string, level uint32) (wnet.UniversalName, error) {
	res, err := roundTrip(ctx, "GetUniversalName", path, c.rpc.GetUniversalName, &wnetv1.GetUniversalNameRequest{Path: &path, Level: level})
	return universalIn(res), err
}

// Enum implements wnet.Lister.
func (c *Client) Enum(ctx context.Context, req wnet.EnumRequest) ([]wnet.Resource, error) {
	name := ""
	if req.Container != nil {
		name = req.Container.RemoteName
	}
	res, err := roundTrip(ctx, "Enum", name, c.rpc.Enum, enumOut(req))
	return each(res.GetResources(), resourceIn), err
}

// Connections implements wnet.Lister.
func (c *Client) Connections(ctx context.Context) ([]wnet.Connection, error) {
	res, err := roundTrip(ctx, "Connections", "", c.rpc.Connections, &wnetv1.ConnectionsRequest{})
	return each(res.GetConnections(), connectionIn), err
}

// SaveConnections implements wnet.Settings.
func (c *Client) SaveConnections(ctx context.Context) (bool, error) {
	res, err := roundTrip(ctx, "SaveConnections", "", c.rpc.SaveConnections, &wnetv1.SaveConnectionsRequest{})
	return res.GetOn(), err
}

// SetSaveConnections implements wnet.Settings.
func (c *Client) SetSaveConnections(ctx context.Context, on bool) error {
	_, err := roundTrip(ctx, "SetSaveConnections", "", c.rpc.SetSaveConnections, &wnetv1.SetSaveConnectionsRequest{On: &on})
	return err
}

// Sessions implements wnet.Sessions.
func (c *Client) Sessions(ctx context.Context) ([]wnet.Session, error) {
	res, err := roundTrip(ctx, "Sessions", "", c.rpc.Sessions, &wnetv1.SessionsRequest{})
	if err != nil {
		return nil, err
	}
	var all []wnet.Session
	for _, m := range res.GetSessions() {
		s, err := sessionIn(m)
		if err != nil {
			return nil, badAnswer("Sessions", err)
		}
		all = append(all, s)
	}
	return all, nil
}

// CreateSession implements wnet.Sessions. The token is the session's secret; NewClient takes it.
func (c *Client) CreateSession(ctx context.Context, anchor int) (wnet.Session, wnet.Secret, error) {
	pid := whole(anchor)
	res, err := roundTrip(ctx, "CreateSession", "", c.rpc.CreateSession, &wnetv1.CreateSessionRequest{Anchor: &pid})
	if err != nil {
		return wnet.Session{}, wnet.Secret{}, err
	}
	s, err := sessionIn(res.GetSession())
	if err != nil {
		return wnet.Session{}, wnet.Secret{}, badAnswer("CreateSession", err)
	}
	return s, wnet.NewSecret(res.GetToken()), nil
}

// EndSession implements wnet.Sessions.
func (c *Client) EndSession(ctx context.Context, luid wnet.LUID) error {
	s := luid.String()
	_, err := roundTrip(ctx, "EndSession", s, c.rpc.EndSession, &wnetv1.EndSessionRequest{Luid: &s})
	return err
}

// Version is what a daemon says of itself.
type Version struct {
	Version  string // the program's
	Protocol int    // the schema's major version
	PID      int
}

// Version asks the daemon who it is. ERROR_NOT_SUPPORTED if it speaks another protocol than this client.
func (c *Client) Version(ctx context.Context) (Version, error) {
	res, err := roundTrip(ctx, "Version", "", c.rpc.Version, &wnetv1.VersionRequest{})
	if err != nil {
		return Version{}, err
	}
	v := Version{Version: res.GetVersion(), Protocol: int(res.GetProtocol()), PID: int(res.GetPid())}
	if v.Protocol != Protocol {
		return v, otherProtocol("Version", strconv.Itoa(Protocol), strconv.Itoa(v.Protocol))
	}
	return v, nil
}

// Health is what the RPC server says of itself, without asking anything behind it.
type Health struct {
	Since   time.Time // when it began
	Peers   int       // socket connections open
	Running int       // calls under way besides this one
	Calls   uint64    // calls so far
	Failed  uint64    // of these, answered with an error
	Panics  uint64    // of these, ended by a fault in the daemon
	Refused uint64    // peers turned away because they are another user
}

// Health asks how the daemon's server does.
func (c *Client) Health(ctx context.Context) (Health, error) {
	res, err := roundTrip(ctx, "Health", "", c.rpc.Health, &wnetv1.HealthRequest{})
	return Health{Since: stampIn(res.GetSince()), Peers: int(res.GetPeers()), Running: int(res.GetRunning()), Calls: res.GetCalls(),
		Failed: res.GetFailed(), Panics: res.GetPanics(), Refused: res.GetRefused()}, err
}

// Shutdown asks the daemon to stop: it answers, ends its calls, takes down every mount without losing written data, and goes.
func (c *Client) Shutdown(ctx context.Context) error {
	_, err := roundTrip(ctx, "Shutdown", "", c.rpc.Shutdown, &wnetv1.ShutdownRequest{})
	return err
}

// nameOf is the name that a failed connect is told by: the device, else the remote name.
func nameOf(r wnet.AddRequest) string {
	if r.LocalName != "" {
		return r.LocalName
	}
	return r.RemoteName
}

func badAnswer(op string, err error) error {
	return &wnet.Error{Op: op, Code: win32.ERROR_BAD_NET_RESP, Err: fmt.Errorf("the wnet daemon's answer makes no sense: %w", err)}
}

// otherProtocol is the error of both sides for a peer of another major version.
func otherProtocol(op, client, server string) error {
	return &wnet.Error{Op: op, Code: win32.ERROR_NOT_SUPPORTED, Hint: hintOlder,
		Err: errors.New("this program speaks protocol " + text(client) + " and the wnet daemon that runs speaks protocol " + text(server))}
}
