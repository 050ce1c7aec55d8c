// Package paths knows where wnet's files are, for the daemon and for those who call it: both must look in the same place.
package paths

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Environment variables that move wnet's places, besides those of the XDG base directories. Each is an absolute path; others are
// ignored, as the XDG specification has it.
const (
	EnvSocket = "WNET_SOCKET" // the daemon's socket; its folder is the private one
	EnvRoot   = "WNET_ROOT"   // the folder under which drives appear
)

// Paths are absolute paths of one user. None need exist.
type Paths struct {
	RuntimeDir string // private: the socket, locks, what lives until the next boot
	Socket     string // the daemon's
	ConfigDir  string // profile and sealed credentials
	DataDir    string // the key of the credentials
	StateDir   string // the daemon's log, data that no server took
	MountRoot  string // where drives appear
}

// Find tells the places from the environment.
//
// RuntimeDir is $XDG_RUNTIME_DIR/wnet; else, or if that folder is another user's (as after su) or others may write to it,
// /run/user/UID/wnet if that is there; else /tmp/wnet-UID, whatever TMPDIR says: it differs between programs. ERROR_NO_NETWORK if there is no home folder to be found.
func Find() (Paths, error) { return find(os.Getenv, os.Getuid(), "/run/user", "/tmp") }

func find(getenv func(string) string, uid int, runUser, tmp string) (Paths, error) {
	absolute := func(name, otherwise string) string {
		if p := getenv(name); filepath.IsAbs(p) {
			return filepath.Clean(p)
		}
		return otherwise
	}
	home := absolute("HOME", "")
	if home == "" {
		if u, err := user.LookupId(strconv.Itoa(uid)); err == nil && filepath.IsAbs(u.HomeDir) {
			home = u.HomeDir
		}
	}
	if home == "" {
		return Paths{}, &wnet.Error{Op: "Dial", Code: win32.ERROR_NO_NETWORK, Err: fmt.Errorf("uid %d has no home folder", uid),
			Hint: "Set HOME to a folder of yours."}
	}
	p := Paths{
		ConfigDir: filepath.Join(absolute("XDG_CONFIG_HOME", filepath.Join(home, ".config")), "wnet"),
		DataDir:   filepath.Join(absolute("XDG_DATA_HOME", filepath.Join(home, ".local/share")), "wnet"),
		StateDir:  filepath.Join(absolute("XDG_STATE_HOME", filepath.Join(home, ".local/state")), "wnet"),
		MountRoot: absolute(EnvRoot, filepath.Join(home, "wnet")),
	}
	if s := absolute(EnvSocket, ""); s != "" {
		return p.At(s), nil
	}
	own := filepath.Join(runUser, strconv.Itoa(uid))
	switch run := absolute("XDG_RUNTIME_DIR", ""); {
	case run != "" && private(run, uid, 0o022) == nil:
		p.RuntimeDir = filepath.Join(run, "wnet")
	case private(own, uid, 0o022) == nil:
		p.RuntimeDir = filepath.Join(own, "wnet")
	default:
		p.RuntimeDir = filepath.Join(tmp, "wnet-"+strconv.Itoa(uid))
	}
	p.Socket = filepath.Join(p.RuntimeDir, "wnet.sock")
	return p, nil
}

// At is p with another socket, an absolute path, and its folder as the private one.
func (p Paths) At(socket string) Paths {
	p.Socket, p.RuntimeDir = socket, filepath.Dir(socket)
	return p
}

// Log is the daemon's log file.
func (p Paths) Log() string { return filepath.Join(p.StateDir, "daemon.log") }

// StartLock is the file that whoever starts a daemon locks meanwhile.
func (p Paths) StartLock() string { return filepath.Join(p.RuntimeDir, "start.lock") }

// DaemonLock is the file that a daemon locks while it lives. It holds its process number.
func (p Paths) DaemonLock() string { return filepath.Join(p.RuntimeDir, "daemon.lock") }

// Channel is the folder, private too, in which programs in Wine find the daemon's channel.
func (p Paths) Channel() string { return filepath.Join(p.RuntimeDir, "channel") }

// MakePrivate makes the folder dir if it is not there, with mode 0700, and makes sure that it is a real folder (no link) of this user
// that no other user can reach into: whoever could put a socket there would get passwords. ERROR_ACCESS_DENIED says what is
// wrong with it.
func MakePrivate(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, os.ErrExist) {
		err = nil
	}
	if err == nil {
		err = private(dir, os.Getuid(), 0o077)
	}
	if err != nil {
		return &wnet.Error{Op: "Dial", Name: dir, Code: win32.ERROR_ACCESS_DENIED, Err: err,
			Hint: "wnet needs a folder of your own with mode 0700 there; move away what is there, or set XDG_RUNTIME_DIR."}
	}
	return nil
}

// private reports what is wrong with dir as a folder of uid in which others lack the rights of mask.
func private(dir string, uid int, mask os.FileMode) error {
	fi, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	switch {
	case fi.Mode()&os.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link", dir)
	case !fi.IsDir():
		return fmt.Errorf("%s is not a folder", dir)
	case !ok || int(st.Uid) != uid:
		return fmt.Errorf("%s belongs to another user", dir)
	case fi.Mode().Perm()&mask != 0:
		return fmt.Errorf("%s is open to other users (mode %04o)", dir, fi.Mode().Perm())
	}
	return nil
}
