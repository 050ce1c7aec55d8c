// Package credential keeps the secrets of connections, by target. It is the only place where secrets rest: profiles, logs, errors and
// arguments hold none.
//
// Open chooses for every call where the secrets are. The Secret Service (GNOME Keyring, KWallet, KeePassXC) is used where a session
// bus has one whose default collection is unlocked. Everywhere else (a server, a cron job, a locked desktop) it is one file sealed
// with age, whose key lies in another folder. Nothing here ever shows a dialog or waits for one.
//
// Reading looks into both places and takes the newer of two answers, so that what was saved while the keyring was locked is found
// later, and the other way round. Writing goes to one of them and takes the same entry out of the other.
package credential

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Credential is what one user needs to reach one target.
type Credential struct {
	Target   string // wnet.RemoteName.ServerKey
	User     string // as the person wrote it; "" for a target that wants no user name
	Password wnet.Secret
}

// ErrNotFound is the answer where nothing is stored for the target and user. It is a bare sentinel without a Windows code, because
// no caller of WNet sees it: a missing credential means "go on without". Decide by errors.Is.
var ErrNotFound = errors.New("no credential is stored")

// Store keeps credentials. Methods may be called from many goroutines at once, and several processes of one user may share a store.
//
// Errors are ErrNotFound or a *wnet.Error. Its code is ERROR_INVALID_PARAMETER for a target or user that no store can hold,
// ERROR_CANCELLED where the context ended, ERROR_BUSY where another process holds the store for too long, ERROR_ACCESS_DENIED for a
// locked keyring and for folders and files that may not be used, ERROR_CANT_ACCESS_FILE for a damaged file or a key that does not
// fit (the file is then left as it is), ERROR_GEN_FAILURE otherwise. No error and no log line holds a secret.
type Store interface {
	// Get returns the credential of user at target, names of users compared without case. user "" means the target's only or newest
	// credential. ErrNotFound if there is none.
	Get(ctx context.Context, target, user string) (Credential, error)
	// Put stores c in place of what the same user had at the same target. An absent password is ERROR_INVALID_PARAMETER, an empty
	// one is kept like any other (A2-06).
	Put(ctx context.Context, c Credential) error
	// Delete forgets the credential of user at target, or all of the target's for user "". ErrNotFound if there was none.
	Delete(ctx context.Context, target, user string) error
	// List returns what is stored, without passwords, in order of target and user. Where a part of the store can't be read, the
	// other part comes together with an error.
	List(ctx context.Context) ([]Credential, error)
	// Kind says for a person where Put stores now: "Secret Service", "sealed file" or "memory".
	Kind() string
}

// Config tells Open where to look. Folders are wnet's own and absolute; they are made, with mode 0700, when something is written.
type Config struct {
	SessionBus   string // DBUS_SESSION_BUS_ADDRESS; "" tries RuntimeDir/bus of the user, see Open
	RuntimeDir   string // XDG_RUNTIME_DIR, "" if there is none
	ConfigDir    string // holds credentials.age
	DataDir      string // holds age.key
	IdentityFile string // an age identity file to use in place of DataDir/age.key; it must exist
	Logger       *slog.Logger
}

// The bounds of an operation. A desktop's keyring answers in milliseconds.
const (
	busTimeout  = 3 * time.Second  // for everything that one call does on the bus
	busMemory   = 15 * time.Second // how long a bus that failed is left alone
	lockTimeout = 5 * time.Second  // for another process that writes the file
)

// Open returns the user's store. It does no I/O; every call chooses anew.
//
// The session bus is cfg.SessionBus, or the socket "bus" in cfg.RuntimeDir if that is empty. A bus that is missing, does not
// answer within three seconds, or has no Secret Service with a default collection means the sealed file, and is not asked again for
// fifteen seconds.
//
// A locked collection is unlocked only if that takes no dialog: a daemon can't know whether somebody sits there to answer it.
// Otherwise Get reads the file and, if the answer may lie behind the lock, says so with ERROR_ACCESS_DENIED instead of ErrNotFound;
// Put saves to the file.
func Open(cfg Config) Store {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &chooser{
		log:  cfg.Logger,
		ring: newKeyring(cfg),
		file: newSealedFile(cfg),
	}
}

// entry is a credential with the time of its saving, by which the newest is known.
type entry struct {
	Credential
	saved time.Time
}

// sameUser compares user names as Windows does.
func sameUser(a, b string) bool { return strings.EqualFold(a, b) }

// newest returns the index of the latest entry that fits, -1 if none does.
func newest(all []entry, target, user string) int {
	best := -1
	for i, e := range all {
		if e.Target != target || user != "" && !sameUser(e.User, user) {
			continue
		}
		if best < 0 || !e.saved.Before(all[best].saved) {
			best = i
		}
	}
	return best
}

// check refuses what a store can't hold: D-Bus strings are UTF-8 without NUL, and every store takes the same.
func check(op, target, user string) error {
	for _, s := range [...]struct{ what, text string }{{"target", target}, {"user name", user}} {
		if !utf8.ValidString(s.text) || strings.ContainsRune(s.text, 0) {
			return &wnet.Error{Op: op, Code: win32.ERROR_INVALID_PARAMETER,
				Err: fmt.Errorf("the %s of a credential must be text without NUL", s.what)}
		}
	}
	if target == "" {
		return &wnet.Error{Op: op, Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("a credential needs a target")}
	}
	return nil
}

// checkPut is check for a credential that is to be stored.
func checkPut(c Credential) error {
	if err := check("Put", c.Target, c.User); err != nil {
		return err
	}
	if !c.Password.Present() {
		return &wnet.Error{Op: "Put", Name: c.Target, Code: win32.ERROR_INVALID_PARAMETER,
			Err: errors.New("a credential needs a password, if an empty one")}
	}
	return nil
}

// missing is ErrNotFound with the name.
func missing(target, user string) error {
	if user != "" {
		return fmt.Errorf("%w for %s as %s", ErrNotFound, target, user)
	}
	return fmt.Errorf("%w for %s", ErrNotFound, target)
}
