package wnet

import (
	"context"
	"time"

	"github.com/openwnet/wnet/win32"
)

// Service is the WNet API of one session. The router's session, the client and the tests' fakes all are one. Every method may be
// called from many goroutines at once; every error is an *Error; if any error is returned, nothing was changed (winnetwk.md §23.6).
type Service interface {
	Connector
	Inquirer
	Informer
	Lister
	Settings
	PasswordCache
}

// Connector makes and ends connections.
type Connector interface {
	// AddConnection is WNetAddConnection2 and 3 (A2-01 … A2-46).
	AddConnection(ctx context.Context, req AddRequest) error
	// UseConnection is WNetUseConnection (UC-01 … UC-35): it may choose a device itself and tells the access name.
	UseConnection(ctx context.Context, req UseRequest) (UseResult, error)
	// CancelConnection is WNetCancelConnection2 (C2-01 … C2-14).
	CancelConnection(ctx context.Context, req CancelRequest) (CancelResult, error)
	// RestoreConnection is WNetRestoreConnectionW: it connects a remembered device, or all of them for "" (RC-02). A device that
	// is connected already is left as it is. With several failures, the first one's code is returned.
	RestoreConnection(ctx context.Context, device string) error
	// ClearConnections is WNetClearConnections: it ends every connection of the session, devices and deviceless ones, and forgets no
	// remembered one. Those that are in use stay, and the first one's ERROR_OPEN_FILES or ERROR_DEVICE_IN_USE is returned once the
	// others are gone (unsourced).
	ClearConnections(ctx context.Context) error
}

// Inquirer answers about names.
type Inquirer interface {
	// GetConnection is WNetGetConnection: the remote name of a device. ERROR_CONNECTION_UNAVAIL where it is only remembered, with
	// the remote name all the same (GC-06).
	GetConnection(ctx context.Context, device string) (string, error)
	// GetUser is WNetGetUser: name is a device, a remote name connected without a device, a provider's name, or "" for the
	// session's own user (GU-01).
	GetUser(ctx context.Context, name string) (string, error)
	// GetUniversalName is WNetGetUniversalName for a drive-based path such as `Z:\dir\file` (UN-01 … UN-08).
	GetUniversalName(ctx context.Context, path string, level uint32) (UniversalName, error)
}

// Lister enumerates.
type Lister interface {
	// Enum is WNetOpenEnum, WNetEnumResource and WNetCloseEnum in one: every entry of the scope.
	Enum(ctx context.Context, req EnumRequest) ([]Resource, error)
	// Connections lists the session's connections and its remembered ones that are not connected, all that a person may want to
	// know, in order of device and then remote name. It asks no server. Where the profile can't be read
	// (ERROR_CANNOT_OPEN_PROFILE, ERROR_BAD_PROFILE), the connections come with the error.
	Connections(ctx context.Context) ([]Connection, error)
}

// Settings is what the profile keeps besides connections.
type Settings interface {
	// SaveConnections is the /PERSISTENT setting (NU-11): whether `net use` remembers what it makes.
	SaveConnections(ctx context.Context) (bool, error)
	// SetSaveConnections changes it. ERROR_CANNOT_OPEN_PROFILE or ERROR_BAD_PROFILE: nothing was changed.
	SetSaveConnections(ctx context.Context, on bool) error
}

// A HomeTeller is a Service that knows the user's home folder on the network (NU-08).
type HomeTeller interface {
	// HomeDirectory is its remote name, in UNC form unless it has a port or a user that this form cannot hold. It comes from the profile's HomeDirectory, else from the daemon's environment (HOMESHARE, as Windows
	// sets it); ERROR_PATH_NOT_FOUND where neither names one, ERROR_BAD_PROFILE or ERROR_CANNOT_OPEN_PROFILE where the profile
	// can't be read.
	HomeDirectory(ctx context.Context) (string, error)
}

// A LoginKeeper is a Service that shows which logins are saved, never their passwords.
type LoginKeeper interface {
	// SavedLogins lists what /SAVECRED saved, in order of target and user.
	SavedLogins(ctx context.Context) ([]SavedLogin, error)
	// ForgetLogin forgets what is saved for a target: as SavedLogins names it, or any remote name of the server. user "" means every
	// user's. Live connections keep what they have. ERROR_FILE_NOT_FOUND if nothing is saved there.
	ForgetLogin(ctx context.Context, target, user string) error
}

// SavedLogin is one saved login as a person sees it.
type SavedLogin struct {
	Target string `json:"target"` // the server, as RemoteName.ServerKey writes it
	User   string `json:"user,omitempty"`
}

// AddRequest is what AddConnection takes: the four members of NETRESOURCE that count (A2-01), user, password and flags.
type AddRequest struct {
	Type       uint32 // RESOURCETYPE_*
	LocalName  string // device, "" for a deviceless connection
	RemoteName string
	Provider   string // "" to ask all in order; else only this one is tried (A2-05)
	Password   Secret // absent: the default; NewSecret(""): none (A2-06)
	User       string // "": the default user (A2-07)
	Flags      uint32 // CONNECT_*
	Options    UseOptions

	// Auth is pAuthBuffer of WNetAddConnection4 and WNetUseConnection4, absent for NULL: a login in one of the forms that ParseAuth
	// knows, in place of User and Password.
	Auth Secret
	// OptionsBlob is lpUseOptions of the same: what ParseUseOptions knows, in place of Options. "" for NULL.
	OptionsBlob string

	// Taken are the letters, bit 0 for A:, that the caller's own system has drives at which are not wnet's, as Wine has C: and Z:. There,
	// a connection would hide behind that drive: ERROR_ALREADY_ASSIGNED (A1-03), and none of them is picked. 0 on Linux.
	Taken uint32
}

// UseRequest is what UseConnection takes.
type UseRequest struct {
	AddRequest
	// Access is the caller's buffer for the access name; nil is lpAccessName NULL. A buffer that is too small is
	// ERROR_MORE_DATA, with the size needed in UseResult, and no connection is made (UC-05).
	Access *AccessBuffer
}

// AccessBuffer describes lpAccessName and lpBufferSize. Go callers who want the name whatever its length leave UseRequest.Access nil:
// UseResult.AccessName is set regardless.
type AccessBuffer struct {
	Size uint32 // characters incl. NUL; 0 is ERROR_INVALID_PARAMETER (UC-08)
}

// UseResult is what UseConnection gives.
type UseResult struct {
	AccessName string // the device if one was redirected, else the remote name (UC-04)
	Result     uint32 // CONNECT_LOCALDRIVE if a device was redirected (UC-06)
	Needed     uint32 // with ERROR_MORE_DATA: characters incl. NUL that Access must hold
}

// CancelRequest is what CancelConnection takes.
type CancelRequest struct {
	Name  string // a device, or a remote name for every deviceless connection to it (CC-02, CC-03)
	Flags uint32 // CONNECT_UPDATE_PROFILE or 0
	Force bool
}

// CancelResult is what a successful cancel tells besides success.
type CancelResult struct {
	// Aside holds the paths of files that keep written data which a forced cancel could not bring to the server.
	Aside []string
	// Lost names the files, as seen in the drive, of which written data is in neither place: it could not be kept aside either.
	Lost []string
}

// UniversalName is UNIVERSAL_NAME_INFO and REMOTE_NAME_INFO (UN-05). Connection and Remaining are "" at level 1.
type UniversalName struct {
	Universal  string // `\\server\share\dir\file`
	Connection string // `\\server\share`, no trailing backslash
	Remaining  string // `\dir\file`, begins with a backslash
}

// EnumRequest is what Enum takes.
type EnumRequest struct {
	Scope     uint32    // RESOURCE_*
	Type      uint32    // RESOURCETYPE_* bits, 0 for any
	Usage     uint32    // RESOURCEUSAGE_* bits, RESOURCE_GLOBALNET only
	Container *Resource // RESOURCE_GLOBALNET only: what to open; nil for the root
	Hidden    bool      // RESOURCE_GLOBALNET only: names that end in "$" too, which WNet leaves out (ER-08)
	User      string    // for a server that must be asked; "" for the default
	Password  Secret
	Options   UseOptions
}

// Connection is one connection or remembered connection as a person sees it.
type Connection struct {
	Device     string     `json:"device,omitempty"` // "" if deviceless
	RemoteName string     `json:"remoteName"`
	Type       uint32     `json:"type"`
	Provider   string     `json:"provider"`
	User       string     `json:"user,omitempty"`
	Status     Status     `json:"status"`
	Path       string     `json:"path,omitempty"` // where it is mounted, "" if it is not
	Opens      int        `json:"opens"`          // files and folders that programs hold open
	Uses       int        `json:"uses"`           // connections of this session to the same remote name
	Connected  bool       `json:"connected"`      // false: remembered only
	Remembered bool       `json:"remembered"`
	Global     bool       `json:"global"` // visible to every session (DD-02)
	Flags      uint32     `json:"flags,omitempty"`
	Options    UseOptions `json:"options,omitzero"`
}

// Session is a logon session as a person sees it.
type Session struct {
	LUID        LUID      `json:"luid"`
	Kind        string    `json:"kind"`   // "default", "logind", "audit" or "token"
	Name        string    `json:"name"`   // what it was resolved from, such as "logind 4"
	Folder      string    `json:"folder"` // absolute path under which its drives appear
	Current     bool      `json:"current"`
	Since       time.Time `json:"since"`
	Connections int       `json:"connections"`
}

// Sessions manages the logon sessions of the calling user.
type Sessions interface {
	// Sessions lists them, the caller's own marked Current.
	Sessions(ctx context.Context) ([]Session, error)
	// CreateSession makes a new one with an empty namespace, as CreateProcessAsUser would (CC-31), and returns the token that its
	// processes show in WNET_SESSION. It lives while the process anchor, or any process with the token in its environment, lives.
	CreateSession(ctx context.Context, anchor int) (Session, Secret, error)
	// EndSession ends a session that CreateSession made and cancels its connections with force.
	// ERROR_NO_SUCH_LOGON_SESSION if there is none, ERROR_NOT_SUPPORTED for a session of another kind.
	EndSession(ctx context.Context, luid LUID) error
}

// AddConnection1 is WNetAddConnection: the connection is persistent (A1-01). local "" is deviceless.
func AddConnection1(ctx context.Context, s Connector, remote string, password Secret, local string) error {
	return s.AddConnection(ctx, AddRequest{
		RemoteName: remote, LocalName: local, Password: password,
		Type: win32.RESOURCETYPE_ANY, Flags: win32.CONNECT_UPDATE_PROFILE,
	})
}

// CancelConnection1 is WNetCancelConnection: the profile is updated (CC-20).
func CancelConnection1(ctx context.Context, s Connector, name string, force bool) (CancelResult, error) {
	return s.CancelConnection(ctx, CancelRequest{Name: name, Flags: win32.CONNECT_UPDATE_PROFILE, Force: force})
}
