package rpc

import (
	"context"
	"errors"
	"os"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/wnetv1"
	"github.com/openwnet/wnet/win32"
)

// handler turns the schema's calls into those of wnet.Service and wnet.Sessions.
type handler struct{ *Server }

var _ wnetv1.WnetHandler = handler{}

// caller tells who calls, from the socket and the token shown.
func (h handler) caller(ctx context.Context) (Caller, error) {
	p, ok := ctx.Value(peerKey{}).(Peer)
	if !ok {
		return Caller{}, &wnet.Error{Code: win32.ERROR_ACCESS_DENIED, Err: errors.New("the caller can't be told")}
	}
	c := Caller{UID: p.UID, PID: p.PID, Channel: p.channel != nil}
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok {
		if t := info.RequestHeader().Get(sessionHeader); t != "" {
			c.Token = wnet.NewSecret(t)
		}
	}
	return c, nil
}

func (h handler) service(ctx context.Context) (wnet.Service, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	return h.backend.Service(ctx, c)
}

func (h handler) sessions(ctx context.Context) (wnet.Sessions, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	return h.backend.Sessions(ctx, c)
}

// answer gives what Connect is to send: res, or err with res as its second detail.
func answer[M proto.Message](op, name string, res M, err error) (M, error) {
	if err != nil {
		var none M
		return none, wireError(op, name, err, res)
	}
	return res, nil
}

// needed is the error for a required argument that is NULL (CC-05, UC-02).
func needed(field string) error {
	return &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New(field + " is missing")}
}

func (h handler) AddConnection(ctx context.Context, m *wnetv1.AddConnectionRequest) (*wnetv1.AddConnectionResponse, error) {
	req := addIn(m)
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.RemoteName == nil:
		err = needed("remoteName")
	default:
		err = s.AddConnection(ctx, req)
	}
	return answer("AddConnection", nameOf(req), &wnetv1.AddConnectionResponse{}, err)
}

func (h handler) UseConnection(ctx context.Context, m *wnetv1.UseConnectionRequest) (*wnetv1.UseConnectionResponse, error) {
	req := useIn(m)
	var res wnet.UseResult
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.RemoteName == nil:
		err = needed("remoteName")
	default:
		res, err = s.UseConnection(ctx, req)
	}
	return answer("UseConnection", nameOf(req.AddRequest), useResultOut(res), err)
}

func (h handler) CancelConnection(ctx context.Context, m *wnetv1.CancelConnectionRequest) (*wnetv1.CancelConnectionResponse, error) {
	var res wnet.CancelResult
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.Name == nil:
		err = needed("name")
	default:
		res, err = s.CancelConnection(ctx, cancelIn(m))
	}
	return answer("CancelConnection", m.GetName(), cancelResultOut(res), err)
}

func (h handler) RestoreConnection(ctx context.Context, m *wnetv1.RestoreConnectionRequest) (*wnetv1.RestoreConnectionResponse, error) {
	s, err := h.service(ctx)
	if err == nil {
		err = s.RestoreConnection(ctx, m.GetDevice())
	}
	return answer("RestoreConnection", m.GetDevice(), &wnetv1.RestoreConnectionResponse{}, err)
}

func (h handler) GetConnection(ctx context.Context, m *wnetv1.GetConnectionRequest) (*wnetv1.GetConnectionResponse, error) {
	var remote string
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.Device == nil:
		err = needed("device")
	default:
		remote, err = s.GetConnection(ctx, m.GetDevice())
	}
	return answer("GetConnection", m.GetDevice(), &wnetv1.GetConnectionResponse{RemoteName: text(remote)}, err)
}

func (h handler) GetUser(ctx context.Context, m *wnetv1.GetUserRequest) (*wnetv1.GetUserResponse, error) {
	var user string
	s, err := h.service(ctx)
	if err == nil {
		user, err = s.GetUser(ctx, m.GetName())
	}
	return answer("GetUser", m.GetName(), &wnetv1.GetUserResponse{User: text(user)}, err)
}

func (h handler) GetUniversalName(ctx context.Context, m *wnetv1.GetUniversalNameRequest) (*wnetv1.GetUniversalNameResponse, error) {
	var name wnet.UniversalName
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.Path == nil:
		err = needed("path")
	default:
		name, err = s.GetUniversalName(ctx, m.GetPath(), m.GetLevel())
	}
	return answer("GetUniversalName", m.GetPath(), universalOut(name), err)
}

func (h handler) Enum(ctx context.Context, m *wnetv1.EnumRequest) (*wnetv1.EnumResponse, error) {
	var list []wnet.Resource
	s, err := h.service(ctx)
	if err == nil {
		list, err = s.Enum(ctx, enumIn(m))
	}
	return answer("Enum", m.GetContainer().GetRemoteName(), &wnetv1.EnumResponse{Resources: each(list, resourceOut)}, err)
}

func (h handler) Connections(ctx context.Context, _ *wnetv1.ConnectionsRequest) (*wnetv1.ConnectionsResponse, error) {
	var list []wnet.Connection
	s, err := h.service(ctx)
	if err == nil {
		list, err = s.Connections(ctx)
	}
	return answer("Connections", "", &wnetv1.ConnectionsResponse{Connections: each(list, connectionOut)}, err)
}

func (h handler) SaveConnections(ctx context.Context, _ *wnetv1.SaveConnectionsRequest) (*wnetv1.SaveConnectionsResponse, error) {
	var on bool
	s, err := h.service(ctx)
	if err == nil {
		on, err = s.SaveConnections(ctx)
	}
	return answer("SaveConnections", "", &wnetv1.SaveConnectionsResponse{On: on}, err)
}

func (h handler) SetSaveConnections(ctx context.Context, m *wnetv1.SetSaveConnectionsRequest) (*wnetv1.SetSaveConnectionsResponse, error) {
	s, err := h.service(ctx)
	switch {
	case err != nil:
	case m.On == nil:
		err = needed("on")
	default:
		err = s.SetSaveConnections(ctx, m.GetOn())
	}
	return answer("SetSaveConnections", "", &wnetv1.SetSaveConnectionsResponse{}, err)
}

func (h handler) Sessions(ctx context.Context, _ *wnetv1.SessionsRequest) (*wnetv1.SessionsResponse, error) {
	var list []wnet.Session
	s, err := h.sessions(ctx)
	if err == nil {
		list, err = s.Sessions(ctx)
	}
	return answer("Sessions", "", &wnetv1.SessionsResponse{Sessions: each(list, sessionOut)}, err)
}

func (h handler) CreateSession(ctx context.Context, m *wnetv1.CreateSessionRequest) (*wnetv1.CreateSessionResponse, error) {
	s, err := h.sessions(ctx)
	if err == nil && m.Anchor == nil {
		err = needed("anchor")
	}
	res := &wnetv1.CreateSessionResponse{}
	if err == nil {
		var made wnet.Session
		var token wnet.Secret
		if made, token, err = s.CreateSession(ctx, int(m.GetAnchor())); err == nil {
			res.Session, res.Token = sessionOut(made), token.Reveal()
		}
	}
	return answer("CreateSession", "", res, err)
}

func (h handler) EndSession(ctx context.Context, m *wnetv1.EndSessionRequest) (*wnetv1.EndSessionResponse, error) {
	s, err := h.sessions(ctx)
	if err == nil && m.Luid == nil {
		err = needed("luid")
	}
	if err == nil {
		var luid wnet.LUID
		if luid, err = wnet.ParseLUID(m.GetLuid()); err == nil {
			err = s.EndSession(ctx, luid)
		}
	}
	return answer("EndSession", m.GetLuid(), &wnetv1.EndSessionResponse{}, err)
}

func (h handler) Version(context.Context, *wnetv1.VersionRequest) (*wnetv1.VersionResponse, error) {
	return &wnetv1.VersionResponse{Version: text(h.backend.Version()), Protocol: Protocol, Pid: whole(os.Getpid())}, nil
}

func (h handler) Health(context.Context, *wnetv1.HealthRequest) (*wnetv1.HealthResponse, error) {
	return &wnetv1.HealthResponse{Since: stampOut(h.since), Peers: whole(h.peers()), Running: h.running.Load() - 1,
		Calls: h.total.Load(), Failed: h.failed.Load(), Panics: h.panics.Load(), Refused: h.refused.Load()}, nil
}

func (h handler) Shutdown(ctx context.Context, _ *wnetv1.ShutdownRequest) (*wnetv1.ShutdownResponse, error) {
	return answer("Shutdown", "", &wnetv1.ShutdownResponse{}, h.backend.Shutdown(ctx))
}
