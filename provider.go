package wnet

import (
	"context"
	"time"

	"github.com/openwnet/wnet/win32"
)

// Provider is one network. It is stateless towards sessions, devices and mounts, and may be called from many goroutines at once.
//
// It validates in this order: not started → ERROR_NO_NETWORK; not supported → ERROR_NOT_SUPPORTED; a name not its own →
// ERROR_BAD_NET_NAME, at once and without I/O; then the other parameters.
type Provider interface {
	// Name is the provider's name as in NETRESOURCE.lpProvider, such as "Microsoft Windows Network". It is what a person
	// writes in the provider order and what a profile keeps.
	Name() string
	// NetType is one of WNNC_NET_*.
	NetType() uint32
	// Owns reports whether the name has this network's form, without I/O. The server need not exist.
	Owns(name RemoteName) bool
	// Connect makes a connection. It returns when the server has accepted user and resource, or the context ends.
	//
	// Codes: ERROR_BAD_NET_NAME (not its name, or the share is missing), ERROR_BAD_NETPATH (no such server, nothing listens),
	// ERROR_ACCESS_DENIED, ERROR_INVALID_PASSWORD (a password is needed or wrong, and the user may be right),
	// ERROR_LOGON_FAILURE (unknown user or bad password), ERROR_BAD_USERNAME, ERROR_BAD_DEV_TYPE, ERROR_MUTUAL_AUTH_FAILED (the
	// server's key), ERROR_EXTENDED_ERROR with Native and NativeText for what has no code.
	Connect(ctx context.Context, req Request) (Conn, error)
}

// Request is what Connect is asked for.
type Request struct {
	Remote   RemoteName
	Type     uint32 // RESOURCETYPE_DISK, RESOURCETYPE_PRINT or RESOURCETYPE_ANY
	User     string // "" for the default user: the account that the daemon runs as
	Password Secret // absent for the default: tickets, keys, an agent, or none
	Attached bool   // Browse only: ERROR_NOT_AUTHENTICATED where the server would list for anybody (OE-03)
	Flags    uint32 // CONNECT_* bits that concern a provider: REQUIRE_INTEGRITY, REQUIRE_PRIVACY, WRITE_THROUGH_SEMANTICS …
	Options  UseOptions
}

// UseOptions are what a connection is made with besides name and user: what Windows keeps in the UseOptions blob of a profile entry.
// They hold no secret.
type UseOptions struct {
	TCPPort            int    `json:"tcpPort,omitempty" toml:"TCPPort,omitempty"`     // 1…65535, 0 for the network's own
	Transport          string `json:"transport,omitempty" toml:"Transport,omitempty"` // "TCP", "QUIC" or ""
	SkipCertCheck      bool   `json:"skipCertCheck,omitempty" toml:"SkipCertCheck,omitempty"`
	RequestCompression string `json:"requestCompression,omitempty" toml:"RequestCompression,omitempty"` // "YES", "NO" or ""
	// HostKey is a fingerprint that the person accepted for this server, "SHA256:…"; it is then added to the known hosts.
	HostKey string `json:"hostKey,omitempty" toml:"-"`
	// SmartCard has nothing but a key on a card or token authenticate; for SSH, one that ssh-agent holds.
	SmartCard bool `json:"smartCard,omitempty" toml:"SmartCard,omitempty"`
}

// Conn is one connection as its provider made it. Close may be called more than once and from any goroutine; it ends what is under
// way on FS.
type Conn interface {
	// User is the user name that the server knows the connection by, "" for an anonymous one (GU-01).
	User() string
	// Type is RESOURCETYPE_DISK or RESOURCETYPE_PRINT.
	Type() uint32
	// FS is the resource's file system; nil for a printer.
	FS() FileSystem
	// Lost is closed when the connection has ended by itself: the server closed it, or no longer answers.
	Lost() <-chan struct{}
	// Close ends the connection. It waits for no dead server.
	Close() error
}

// Enumerator is a Provider that can browse. Without it the network's folder in RESOURCE_GLOBALNET is empty (OE-09).
type Enumerator interface {
	// Browse lists what the container holds; nil is the network's own top. User and password are as in Request. Names that end in
	// "$" are among them: whether they are shown is the router's to decide (ER-08).
	// Codes: ERROR_NOT_CONTAINER, ERROR_BAD_NET_NAME, ERROR_BAD_NETPATH, ERROR_ACCESS_DENIED, ERROR_NOT_AUTHENTICATED,
	// ERROR_NOT_SUPPORTED.
	Browse(ctx context.Context, container *RemoteName, req Request) ([]Resource, error)
}

// Resource is NETRESOURCE (structs.md).
type Resource struct {
	Scope       uint32 `json:"scope"`
	Type        uint32 `json:"type"`
	DisplayType uint32 `json:"displayType"`
	Usage       uint32 `json:"usage"`
	LocalName   string `json:"localName,omitempty"`
	RemoteName  string `json:"remoteName,omitempty"`
	Comment     string `json:"comment,omitempty"`
	Provider    string `json:"provider,omitempty"`
}

// State is what a connection is doing, in the words of `net use` (NL-04).
type State string

// The states of a connection.
const (
	StateOK           State = "OK"           // valid
	StateDisconnected State = "Disconnected" // the device is there; it connects on use
	StateUnavailable  State = "Unavailable"  // remembered or tried, and not connected now; Status.Reason says why
	StateConnecting   State = "Connecting"
	StateReconnecting State = "Reconnecting"
	StatePaused       State = "Paused"
	StateNetworkError State = "Network error"
)

// Status is a connection's state, since when, and why if it is not OK.
type Status struct {
	State  State      `json:"state"`
	Since  time.Time  `json:"since"`
	Reason string     `json:"reason,omitempty"` // plain words, "" when OK
	Code   win32.Code `json:"code,omitempty"`   // what the last attempt failed with, 0 when OK
}

// ResourceInformer is a Provider that can say which part of a name is a resource. Without it WNetGetResourceInformation is
// ERROR_NOT_SUPPORTED for this network.
type ResourceInformer interface {
	// ResourceInformation finds the resource that req.Remote is, or that it lies in: a share for a path below it, whether or not the
	// path is there. rest is what of Remote.Path follows the resource. The resource has what Browse would list it with (RI-02). It may
	// ask the server (RI-07), with user and password as in Connect.
	// Codes: ERROR_BAD_NET_NAME, ERROR_BAD_DEV_TYPE (it is of another type than req.Type), and Connect's.
	ResourceInformation(ctx context.Context, req Request) (r Resource, rest string, err error)
}

// ParentTeller is a Provider whose names have an order that a person can go up in. Without it WNetGetResourceParent is
// ERROR_NOT_SUPPORTED for this network.
type ParentTeller interface {
	// ResourceParent is what holds name in the order in which the network is browsed; the resource need not be there (RP-02). At the top
	// it has no RemoteName (RP-03). No I/O. ERROR_BAD_NET_NAME for a name that is not the network's.
	ResourceParent(name RemoteName) (Resource, error)
}

// Formatter is a Provider that can write its names for a person. Without it WNetFormatNetworkName is ERROR_NOT_SUPPORTED.
type Formatter interface {
	// FormatName is NPFormatNetworkName: flags are WNFMT_*, lineChars the characters of a line, 0 for any number. No I/O.
	FormatName(name RemoteName, flags, lineChars uint32) (string, error)
}

// Starter is a Provider that does not always run. Without it the network counts as running.
type Starter interface {
	// Started is NO_ERROR, ERROR_NO_NETWORK, or ERROR_BUSY while it starts (NI-03).
	Started() win32.Code
}

// Printer is a Provider whose Connect takes printers, so that ports can be redirected to them (NI-04). Without it there are none.
type Printer interface {
	// Printers reports whether it does.
	Printers() bool
}

// Performer is a Conn that measures how fast it is. Without it MultinetGetConnectionPerformance is ERROR_NOT_SUPPORTED.
type Performer interface {
	// Performance tells what was measured on this connection, 0 for what was not (MP-02); it may ask the server something to
	// measure how long that takes. Error: the context's, or what a call on the connection gives when it is lost.
	Performance(ctx context.Context) (Performance, error)
}
