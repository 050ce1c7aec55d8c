package wine

import (
	"context"
	"path/filepath"
	"sort"
	"strings"
)

// value is a value of the registry: kind is "sz", "expand" or "dword" (text in decimal digits), or "other", which is left alone.
type value struct{ kind, text string }

func sz(s string) value { return value{"sz", s} }

// registry is a prefix's registry, whether Wine has it in memory or in its files. root is "HKCU" or "HKLM".
type registry interface {
	get(root, key, name string) (value, bool, error)
	set(root, key, name string, v value) error
	unset(root, key, name string) error
	// names gives the keys below key.
	names(root, key string) ([]string, error)
	// drop removes a key without keys below it, and without values unless all is set.
	drop(root, key string, all bool) error
}

// resting is the registry of a prefix that no Wine uses: its files.
type resting struct{ user, system *regFile }

var _ registry = (*resting)(nil)

func openResting(p Prefix) (*resting, error) {
	user, err := readReg(filepath.Join(p.Path, "user.reg"))
	if err != nil {
		return nil, err
	}
	system, err := readReg(filepath.Join(p.Path, "system.reg"))
	return &resting{user, system}, err
}

func (r *resting) file(root string) *regFile {
	if root == "HKLM" {
		return r.system
	}
	return r.user
}

func (r *resting) get(root, key, name string) (value, bool, error) {
	v, ok := r.file(root).get(key, name)
	return v, ok, nil
}

func (r *resting) set(root, key, name string, v value) error {
	r.file(root).set(key, name, v)
	return nil
}

func (r *resting) unset(root, key, name string) error {
	r.file(root).unset(key, name)
	return nil
}

func (r *resting) names(root, key string) ([]string, error) { return r.file(root).names(key), nil }

func (r *resting) drop(root, key string, all bool) error {
	r.file(root).drop(key, all)
	return nil
}

func (r *resting) save() error {
	if err := r.user.save(); err != nil {
		return err
	}
	return r.system.save()
}

// edit lets f change the prefix's registry, and its letters where Wine runs: a is nil where it rests. If a Wine starts meanwhile, f is
// called again for it; f must not mind.
func (p Prefix) edit(ctx context.Context, agents *agents, f func(r registry, a *agent) error) error {
	for try := 0; ; try++ {
		if p.Running(ctx) {
			a, err := agents.get(ctx, p)
			if err != nil {
				return err
			}
			a.ctx = ctx
			return f(a, a)
		}
		r, err := openResting(p)
		if err != nil {
			return err
		}
		if err := f(r, nil); err != nil {
			return err
		}
		switch err := r.save(); {
		case err == errRegChanged && try < 20:
			continue
		case err != nil:
			return err
		}
		if !p.Running(ctx) {
			return nil
		}
	}
}

const (
	keyDrives    = `Software\Wine\Drives`
	keyOverrides = `Software\Wine\DllOverrides`
	keyOwn       = `Software\wnet`
	keyNetwork   = `Network`
)

// Remembered is a connection as HKCU\Network\<letter> keeps it (netuse.md §4).
type Remembered struct {
	Letter       string `json:"letter"` // "Y"
	Remote       string `json:"remote"`
	User         string `json:"user,omitempty"`
	Provider     string `json:"provider,omitempty"`
	ProviderType uint32 `json:"providerType,omitempty"`
	Flags        uint32 `json:"flags,omitempty"`
	Defer        uint32 `json:"defer,omitempty"`
}

// same compares what makes a connection another one.
func (m Remembered) same(n Remembered) bool {
	return m.Letter == n.Letter && strings.EqualFold(m.Remote, n.Remote) && m.User == n.User && m.Provider == n.Provider
}

// readNetwork gives what HKCU\Network says, by letter. Keys that are no drive's, or without a remote name, are left out.
func readNetwork(r registry) (map[string]Remembered, error) {
	names, err := r.names("HKCU", keyNetwork)
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	all := map[string]Remembered{}
	for _, name := range names {
		letter := strings.ToUpper(name)
		if len(letter) != 1 || letter[0] < 'A' || letter[0] > 'Z' {
			continue
		}
		m := Remembered{Letter: letter}
		for field, to := range map[string]*string{"RemotePath": &m.Remote, "UserName": &m.User, "ProviderName": &m.Provider} {
			v, _, err := r.get("HKCU", keyNetwork+`\`+name, field)
			if err != nil {
				return nil, err
			}
			if v.kind == "sz" || v.kind == "expand" { // UserName may be the number 0: the default user
				*to = v.text
			}
		}
		if m.Remote != "" {
			all[letter] = m
		}
	}
	return all, nil
}

func writeNetwork(r registry, m Remembered) error {
	key := keyNetwork + `\` + m.Letter
	for _, f := range []struct {
		name string
		v    value
	}{
		{"RemotePath", sz(m.Remote)}, {"UserName", sz(m.User)}, {"ProviderName", sz(m.Provider)}, {"ProviderType", dword(m.ProviderType)},
		{"ConnectionType", dword(1)}, {"ConnectFlags", dword(m.Flags)}, {"DeferFlags", dword(m.Defer)},
	} {
		if err := r.set("HKCU", key, f.name, f.v); err != nil {
			return err
		}
	}
	return nil
}
