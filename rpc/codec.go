package rpc

import (
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/wnetv1"
	"github.com/openwnet/wnet/win32"
)

// text makes s fit to be sent: bytes that are not UTF-8, as a file name may have, become U+FFFD.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// whole brings a number into the schema's range, instead of turning it into another.
func whole(n int) int32 { return int32(min(max(n, math.MinInt32), math.MaxInt32)) }

func stampOut(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func stampIn(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

// secretOut and secretIn keep absent (NULL) apart from empty (A2-06). They are the only places where a password is in the open.
func secretOut(s wnet.Secret) *string {
	if !s.Present() {
		return nil
	}
	v := s.Reveal()
	return &v
}

func secretIn(s *string) wnet.Secret {
	if s == nil {
		return wnet.Secret{}
	}
	return wnet.NewSecret(*s)
}

func optionsOut(o wnet.UseOptions) *wnetv1.UseOptions {
	if o == (wnet.UseOptions{}) {
		return nil
	}
	return &wnetv1.UseOptions{TcpPort: whole(o.TCPPort), Transport: o.Transport, SkipCertCheck: o.SkipCertCheck,
		RequestCompression: o.RequestCompression, HostKey: o.HostKey, SmartCard: o.SmartCard}
}

func optionsIn(o *wnetv1.UseOptions) wnet.UseOptions {
	return wnet.UseOptions{TCPPort: int(o.GetTcpPort()), Transport: o.GetTransport(), SkipCertCheck: o.GetSkipCertCheck(),
		RequestCompression: o.GetRequestCompression(), HostKey: o.GetHostKey(), SmartCard: o.GetSmartCard()}
}

// Requests are not made to fit: the client refuses them instead (checkText), so their strings are passed as they are.

func addOut(r wnet.AddRequest) *wnetv1.AddConnectionRequest {
	return &wnetv1.AddConnectionRequest{Type: r.Type, LocalName: r.LocalName, RemoteName: &r.RemoteName, Provider: r.Provider,
		Password: secretOut(r.Password), User: r.User, Flags: r.Flags, Options: optionsOut(r.Options),
		Auth: bytesOut(r.Auth), UseOptions: blobOut(r.OptionsBlob), Taken: r.Taken}
}

func addIn(r *wnetv1.AddConnectionRequest) wnet.AddRequest {
	return wnet.AddRequest{Type: r.GetType(), LocalName: r.GetLocalName(), RemoteName: r.GetRemoteName(), Provider: r.GetProvider(),
		Password: secretIn(r.Password), User: r.GetUser(), Flags: r.GetFlags(), Options: optionsIn(r.GetOptions()),
		Auth: bytesIn(r.Auth), OptionsBlob: string(r.GetUseOptions()), Taken: r.GetTaken()}
}

func useOut(r wnet.UseRequest) *wnetv1.UseConnectionRequest {
	m := &wnetv1.UseConnectionRequest{Type: r.Type, LocalName: r.LocalName, RemoteName: &r.RemoteName, Provider: r.Provider,
		Password: secretOut(r.Password), User: r.User, Flags: r.Flags, Options: optionsOut(r.Options),
		Auth: bytesOut(r.Auth), UseOptions: blobOut(r.OptionsBlob), Taken: r.Taken}
	if r.Access != nil {
		m.Access = &wnetv1.AccessBuffer{Size: r.Access.Size}
	}
	return m
}

func useIn(r *wnetv1.UseConnectionRequest) wnet.UseRequest {
	u := wnet.UseRequest{AddRequest: wnet.AddRequest{Type: r.GetType(), LocalName: r.GetLocalName(), RemoteName: r.GetRemoteName(),
		Provider: r.GetProvider(), Password: secretIn(r.Password), User: r.GetUser(), Flags: r.GetFlags(),
		Options: optionsIn(r.GetOptions()), Auth: bytesIn(r.Auth), OptionsBlob: string(r.GetUseOptions()), Taken: r.GetTaken()}}
	if r.Access != nil {
		u.Access = &wnet.AccessBuffer{Size: r.Access.GetSize()}
	}
	return u
}

func useResultOut(r wnet.UseResult) *wnetv1.UseConnectionResponse {
	return &wnetv1.UseConnectionResponse{AccessName: text(r.AccessName), Result: r.Result, Needed: r.Needed}
}

func useResultIn(r *wnetv1.UseConnectionResponse) wnet.UseResult {
	return wnet.UseResult{AccessName: r.GetAccessName(), Result: r.GetResult(), Needed: r.GetNeeded()}
}

func cancelOut(r wnet.CancelRequest) *wnetv1.CancelConnectionRequest {
	return &wnetv1.CancelConnectionRequest{Name: &r.Name, Flags: r.Flags, Force: r.Force}
}

func cancelIn(r *wnetv1.CancelConnectionRequest) wnet.CancelRequest {
	return wnet.CancelRequest{Name: r.GetName(), Flags: r.GetFlags(), Force: r.GetForce()}
}

func cancelResultOut(r wnet.CancelResult) *wnetv1.CancelConnectionResponse {
	m := &wnetv1.CancelConnectionResponse{}
	for _, p := range r.Aside {
		m.Aside = append(m.Aside, text(p))
	}
	for _, p := range r.Lost {
		m.Lost = append(m.Lost, text(p))
	}
	return m
}

func cancelResultIn(r *wnetv1.CancelConnectionResponse) wnet.CancelResult {
	return wnet.CancelResult{Aside: r.GetAside(), Lost: r.GetLost()}
}

func universalOut(n wnet.UniversalName) *wnetv1.GetUniversalNameResponse {
	return &wnetv1.GetUniversalNameResponse{Universal: text(n.Universal), Connection: text(n.Connection), Remaining: text(n.Remaining)}
}

func universalIn(n *wnetv1.GetUniversalNameResponse) wnet.UniversalName {
	return wnet.UniversalName{Universal: n.GetUniversal(), Connection: n.GetConnection(), Remaining: n.GetRemaining()}
}

func resourceOut(r wnet.Resource) *wnetv1.Resource {
	return &wnetv1.Resource{Scope: r.Scope, Type: r.Type, DisplayType: r.DisplayType, Usage: r.Usage, LocalName: text(r.LocalName),
		RemoteName: text(r.RemoteName), Comment: text(r.Comment), Provider: text(r.Provider)}
}

func resourceIn(r *wnetv1.Resource) wnet.Resource {
	return wnet.Resource{Scope: r.GetScope(), Type: r.GetType(), DisplayType: r.GetDisplayType(), Usage: r.GetUsage(),
		LocalName: r.GetLocalName(), RemoteName: r.GetRemoteName(), Comment: r.GetComment(), Provider: r.GetProvider()}
}

func enumOut(r wnet.EnumRequest) *wnetv1.EnumRequest {
	m := &wnetv1.EnumRequest{Scope: r.Scope, Type: r.Type, Usage: r.Usage, User: r.User, Password: secretOut(r.Password),
		Options: optionsOut(r.Options), Hidden: r.Hidden}
	if c := r.Container; c != nil {
		m.Container = &wnetv1.Resource{Scope: c.Scope, Type: c.Type, DisplayType: c.DisplayType, Usage: c.Usage,
			LocalName: c.LocalName, RemoteName: c.RemoteName, Comment: c.Comment, Provider: c.Provider}
	}
	return m
}

func enumIn(r *wnetv1.EnumRequest) wnet.EnumRequest {
	e := wnet.EnumRequest{Scope: r.GetScope(), Type: r.GetType(), Usage: r.GetUsage(), User: r.GetUser(),
		Password: secretIn(r.Password), Options: optionsIn(r.GetOptions()), Hidden: r.GetHidden()}
	if r.Container != nil {
		c := resourceIn(r.Container)
		e.Container = &c
	}
	return e
}

func connectionOut(c wnet.Connection) *wnetv1.Connection {
	o := c.Options
	o.Transport, o.RequestCompression, o.HostKey = text(o.Transport), text(o.RequestCompression), text(o.HostKey)
	return &wnetv1.Connection{Device: text(c.Device), RemoteName: text(c.RemoteName), Type: c.Type, Provider: text(c.Provider),
		User: text(c.User), Path: text(c.Path), Opens: whole(c.Opens), Uses: whole(c.Uses), Connected: c.Connected,
		Remembered: c.Remembered, Global: c.Global, Flags: c.Flags, Options: optionsOut(o),
		Status: &wnetv1.Status{State: text(string(c.Status.State)), Since: stampOut(c.Status.Since), Reason: text(c.Status.Reason),
			Code: uint32(c.Status.Code)}}
}

func connectionIn(c *wnetv1.Connection) wnet.Connection {
	s := c.GetStatus()
	return wnet.Connection{Device: c.GetDevice(), RemoteName: c.GetRemoteName(), Type: c.GetType(), Provider: c.GetProvider(),
		User: c.GetUser(), Path: c.GetPath(), Opens: int(c.GetOpens()), Uses: int(c.GetUses()), Connected: c.GetConnected(),
		Remembered: c.GetRemembered(), Global: c.GetGlobal(), Flags: c.GetFlags(), Options: optionsIn(c.GetOptions()),
		Status: wnet.Status{State: wnet.State(s.GetState()), Since: stampIn(s.GetSince()), Reason: s.GetReason(),
			Code: win32.Code(s.GetCode())}}
}

func sessionOut(s wnet.Session) *wnetv1.Session {
	return &wnetv1.Session{Luid: s.LUID.String(), Kind: text(s.Kind), Name: text(s.Name), Folder: text(s.Folder), Current: s.Current,
		Since: stampOut(s.Since), Connections: whole(s.Connections)}
}

func sessionIn(s *wnetv1.Session) (wnet.Session, error) {
	luid, err := wnet.ParseLUID(s.GetLuid())
	return wnet.Session{LUID: luid, Kind: s.GetKind(), Name: s.GetName(), Folder: s.GetFolder(), Current: s.GetCurrent(),
		Since: stampIn(s.GetSince()), Connections: int(s.GetConnections())}, err
}

// each turns a list over.
func each[A, B any](list []A, f func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	out := make([]B, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}
