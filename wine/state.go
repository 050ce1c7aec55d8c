package wine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// before is a value as it was before wnet changed it.
type before struct {
	Had  bool   `json:"had"`
	Kind string `json:"kind,omitempty"`
	Text string `json:"text,omitempty"`
}

func wasValue(v value, had bool) before { return before{had, v.kind, v.text} }

// putBack writes it again, or removes what was not there.
func (b before) putBack(r registry, root, key, name string) error {
	if !b.Had {
		return r.unset(root, key, name)
	}
	if b.Kind == "other" {
		return nil // it was left alone
	}
	return r.set(root, key, name, value{b.Kind, b.Text})
}

// state is what wnet made or changed in a prefix: .wnet/state.json in it. It is written before the change, so that a crash leaves nothing
// that nobody knows of.
type state struct {
	Version  int                   `json:"version"`
	Files    map[string]bool       `json:"files"`    // below drive_c/windows: replaced ones, true if there was one before, now in .wnet/backup
	Override before                `json:"override"` // of mpr in DllOverrides
	Keys     map[string]bool       `json:"keys"`     // keys of HKCU that were there before
	Links    map[string]string     `json:"links"`    // below dosdevices: link to target
	Saved    map[string]string     `json:"saved"`    // letters that were the prefix's own before, with their targets
	Types    map[string]before     `json:"types"`    // letters that are "network" in HKLM\Software\Wine\Drives
	Network  map[string]Remembered `json:"network"`  // as the profile and the registry had it when they were last alike
	Wrote    map[string]bool       `json:"wrote"`    // letters of HKCU\Network that are wnet's
	Refused  map[string]Remembered `json:"refused"`  // what the registry has and the profile can't take
	Pending  map[string]bool       `json:"pending"`  // letters of which a Wine that runs may not have been told
	Own      map[string]string     `json:"own"`      // letters that are drives and can't be shown, with what they are in the prefix
}

func (p Prefix) stateFile() string { return filepath.Join(p.own(), "state.json") }

// loadState reads the state; fs.ErrNotExist if wnet is not in the prefix.
func (p Prefix) loadState() (*state, error) {
	text, err := os.ReadFile(p.stateFile())
	if err != nil {
		return nil, err
	}
	st := newState()
	if err := json.Unmarshal(text, st); err != nil {
		return nil, fmt.Errorf("%s: %w", p.stateFile(), err)
	}
	if st.Version != 1 {
		return nil, fmt.Errorf("%s: version %d is not known", p.stateFile(), st.Version)
	}
	return st, nil
}

func newState() *state {
	return &state{Version: 1, Files: map[string]bool{}, Keys: map[string]bool{}, Links: map[string]string{}, Saved: map[string]string{},
		Types: map[string]before{}, Network: map[string]Remembered{}, Wrote: map[string]bool{}, Refused: map[string]Remembered{},
		Pending: map[string]bool{}, Own: map[string]string{}}
}

func (p Prefix) saveState(st *state) error {
	text, err := json.MarshalIndent(st, "", "\t")
	if err != nil {
		return err
	}
	return renameio.WriteFile(p.stateFile(), append(text, '\n'), 0o600, renameio.WithTempDir(p.own()), renameio.WithStaticPermissions(0o600))
}

// lock keeps others from working on the prefix. The folder .wnet must be there.
func (p Prefix) lock(ctx context.Context) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(p.own(), "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			if _, err := os.Stat(f.Name()); errors.Is(err, fs.ErrNotExist) { // remove took it away meanwhile
				f.Close()
				return nil, fs.ErrNotExist
			}
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
