package profile

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Values of Entry.ConnectionType.
const (
	TypeDrive   uint32 = 1
	TypePrinter uint32 = 2
)

// Entry is one remembered connection: what Windows keeps under HKCU\Network\<letter>. Entries are compared with ==.
type Entry struct {
	Device         wnet.Device
	RemotePath     string // as written in the file; wnet.ParseRemoteName reads it
	UserName       string // "" for the default user
	ProviderName   string // "" where a person left it out: any provider
	ProviderType   uint32 // WNNC_NET_*, 0 if left out
	ConnectionType uint32 // TypeDrive or TypePrinter; 0 stands for what the device is
	ConnectFlags   uint32
	DeferFlags     uint32
	UseOptions     wnet.UseOptions // without HostKey, which is not kept here
}

// Profile is what the file says.
type Profile struct {
	Entries         map[wnet.Device]Entry
	SaveConnections bool     // the /PERSISTENT setting (NU-11); true where the file says nothing
	ProviderOrder   []string // providers by name, nil for the default order
	HomeDirectory   string   // the user's home folder on the network, as written (NU-08); "" for none
	Recent          []string // remote names that drives were made to, the latest first, up to MaxRecent; nil for none
}

// MaxRecent is how many recent names are kept (netuse.md §4).
const MaxRecent = 10

func empty() Profile { return Profile{Entries: map[wnet.Device]Entry{}, SaveConnections: true} }

func (p Profile) clone() Profile {
	p.Entries = maps.Clone(p.Entries)
	p.ProviderOrder = slices.Clone(p.ProviderOrder)
	p.Recent = slices.Clone(p.Recent)
	return p
}

func (p Profile) equal(q Profile) bool {
	return p.SaveConnections == q.SaveConnections && p.HomeDirectory == q.HomeDirectory && slices.Equal(p.ProviderOrder, q.ProviderOrder) &&
		slices.Equal(p.Recent, q.Recent) && maps.Equal(p.Entries, q.Entries)
}

// FormatError is the cause in an ERROR_BAD_PROFILE: where the file is wrong, and how.
type FormatError struct {
	File         string
	Line, Column int // from 1; the column counts characters
	Msg          string
}

// Error gives "file:line:column: what is wrong".
func (e *FormatError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

var _ error = (*FormatError)(nil)

// normal completes an entry and checks it. The error is a plain one.
func (e Entry) normal() (Entry, error) {
	d, err := wnet.ParseDevice(string(e.Device))
	if err != nil {
		return e, fmt.Errorf("%q is no device", e.Device)
	}
	e.Device = d
	e.UseOptions.HostKey = ""
	if e.ConnectionType == 0 {
		e.ConnectionType = TypePrinter
		if d.Drive() {
			e.ConnectionType = TypeDrive
		}
	}
	if err := checkRemote(e.RemotePath); err != nil {
		return e, err
	}
	if err := errors.Join(checkText("UserName", e.UserName), checkText("ProviderName", e.ProviderName)); err != nil {
		return e, err
	}
	if err := checkType(e.ConnectionType); err != nil {
		return e, err
	}
	o := &e.UseOptions
	if err := checkPort(int64(o.TCPPort)); err != nil {
		return e, err
	}
	if o.Transport, err = checkWord("Transport", o.Transport, "TCP", "QUIC"); err != nil {
		return e, err
	}
	o.RequestCompression, err = checkWord("RequestCompression", o.RequestCompression, "YES", "NO")
	return e, err
}

func unwrap(err error) error {
	var e *wnet.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.Err
	}
	return err
}

// checkRemote never repeats the name: a person may have put a password into it.
func checkRemote(s string) error {
	if _, err := wnet.ParseRemoteName(s); err != nil {
		return fmt.Errorf("RemotePath is no remote name: %w", unwrap(err))
	}
	return nil
}

func checkText(key, s string) error {
	c, err := wnet.Clean(key, s)
	if err != nil {
		return unwrap(err)
	}
	if c != s {
		return fmt.Errorf("%s begins or ends with a blank or an invisible character", key)
	}
	return nil
}

func checkType(t uint32) error {
	if t != TypeDrive && t != TypePrinter {
		return errors.New("ConnectionType is 1 for a drive or 2 for a printer")
	}
	return nil
}

func checkPort(p int64) error {
	if p < 0 || p > 65535 {
		return errors.New("TCPPort is a number from 1 to 65535")
	}
	return nil
}

func cannotOpen(err error, hint string) error {
	return &wnet.Error{Code: win32.ERROR_CANNOT_OPEN_PROFILE, Err: err, Hint: hint}
}

func badProfile(file string, text []byte, offset int, msg string) error {
	line, column := position(text, offset)
	return badAt(file, line, column, msg)
}

func badAt(file string, line, column int, msg string) error {
	return &wnet.Error{Code: win32.ERROR_BAD_PROFILE, Err: &FormatError{file, line, column, msg},
		Hint: `Correct the file or move it away; wnet leaves it as it is. Write names in single quotes: RemotePath = '\\server\share'.`}
}
