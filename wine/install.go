package wine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"github.com/google/renameio/v2"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Library is where Wine's side of wnet is: the folders wine64 and wine32, each with mpr.dll and wnetagent.exe.
func Library(program string) (string, error) {
	if real, err := filepath.EvalSymlinks(program); err == nil {
		program = real
	}
	dir := filepath.Dir(program)
	// Installed: bin/wnet and lib/wnet/wine64. A checkout: build/wnet and build/wine64.
	try := []string{filepath.Join(filepath.Dir(dir), "lib", "wnet"), dir}
	for _, d := range try {
		if _, err := os.Stat(filepath.Join(d, "wine64", "mpr.dll")); err == nil {
			return d, nil
		}
	}
	return "", missing(filepath.Join(try[0], "wine64", "mpr.dll"))
}

func missing(path string) error {
	return &wnet.Error{Op: "Wine", Name: path, Code: win32.ERROR_FILE_NOT_FOUND, Err: fmt.Errorf("%s is missing", path),
		Hint: "Install wnet with its files for Wine (make capi-wine, then make install)."}
}

func folderOf(arch string) string {
	if arch == "win32" {
		return "wine32"
	}
	return "wine64"
}

// files are the libraries of a prefix: below drive_c/windows, and where each comes from.
func files(path, arch string) map[string]string {
	if arch == "win32" {
		return map[string]string{"system32/mpr.dll": "wine32/mpr.dll"}
	}
	all := map[string]string{"system32/mpr.dll": "wine64/mpr.dll"}
	if _, err := os.Stat(filepath.Join(path, "drive_c/windows/syswow64")); err == nil {
		all["syswow64/mpr.dll"] = "wine32/mpr.dll"
	}
	return all
}

// Install puts wnet into the prefix, or brings what is there up to date: mpr.dll in place of Wine's, which is kept, the override that makes
// Wine load it, and where the daemon's channel is (channel is the folder). library is as Library gives it. Then the prefix may be listed.
//
// Errors: those of Check; ERROR_FILE_NOT_FOUND if a file of library is missing; ERROR_BUSY if Wine runs and does not answer.
func Install(ctx context.Context, p Prefix, library, channel string) error {
	_, arch, err := Check(p.Path)
	if err != nil {
		return err
	}
	need := files(p.Path, arch)
	for _, from := range need {
		if _, err := os.Stat(filepath.Join(library, from)); err != nil {
			return missing(filepath.Join(library, from))
		}
	}
	if err := os.MkdirAll(filepath.Join(p.own(), "backup"), 0o700); err != nil {
		return err
	}
	unlock, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	st, err := p.loadState()
	first := errors.Is(err, fs.ErrNotExist)
	if first {
		st, err = newState(), nil
	}
	if err != nil {
		return err
	}
	agents := newAgents(library)
	defer agents.endAll()
	err = p.edit(ctx, agents, func(r registry, _ *agent) error {
		if first {
			v, had, err := r.get("HKCU", keyOverrides, "mpr")
			if err != nil {
				return err
			}
			st.Override = wasValue(v, had)
			for _, key := range []string{keyOwn, keyNetwork, keyOverrides} {
				if st.Keys[key], err = hasKey(r, key); err != nil {
					return err
				}
			}
			if err := p.saveState(st); err != nil {
				return err
			}
			first = false
		}
		if err := r.set("HKCU", keyOverrides, "mpr", sz("native,builtin")); err != nil {
			return err
		}
		return r.set("HKCU", keyOwn, "Channel", sz(channel))
	})
	if err != nil {
		return err
	}
	for _, name := range sorted(need) {
		if err := p.replace(st, name, filepath.Join(library, need[name])); err != nil {
			return err
		}
	}
	return p.saveState(st)
}

func sorted(m map[string]string) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	sort.Strings(all)
	return all
}

// hasKey reports whether HKCU has a key.
func hasKey(r registry, key string) (bool, error) {
	dir, name := "", key
	for i := len(key) - 1; i >= 0; i-- {
		if key[i] == '\\' {
			dir, name = key[:i], key[i+1:]
			break
		}
	}
	if dir == "" { // a key of the root has values or keys, or is as good as none
		names, err := r.names("HKCU", name)
		return len(names) > 0, err
	}
	names, err := r.names("HKCU", dir)
	for _, n := range names {
		if n == name {
			return true, err
		}
	}
	return false, err
}

func backupName(name string) string {
	return filepath.Dir(name) + "-" + filepath.Base(name)
}

// replace puts a file in place, and what was there, file or link, into the backup once. Programs that run keep what they have loaded.
func (p Prefix) replace(st *state, name, from string) error {
	to := filepath.Join(p.Path, "drive_c/windows", name)
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(to); err == nil && bytes.Equal(have, text) {
		if _, ours := st.Files[name]; ours {
			return nil
		}
	}
	if _, ours := st.Files[name]; !ours {
		keep := filepath.Join(p.own(), "backup", backupName(name))
		os.Remove(keep) // of an install that did not come to its end
		err := os.Link(to, keep)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		st.Files[name] = err == nil
		if err := p.saveState(st); err != nil {
			return err
		}
	}
	return renameio.WriteFile(to, text, 0o644, renameio.WithTempDir(filepath.Dir(to)), renameio.WithStaticPermissions(0o644))
}

// Remove takes wnet out of the prefix and leaves everything as it was before Install: libraries, override, letters, links and keys that
// wnet made. What Windows programs themselves wrote stays. The prefix is to be off the list already. It is no error if wnet is not there.
func Remove(ctx context.Context, p Prefix, library string) error {
	if _, _, err := Check(p.Path); err != nil {
		return err
	}
	if _, err := os.Stat(p.own()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	st, err := p.loadState()
	if errors.Is(err, fs.ErrNotExist) {
		return os.RemoveAll(p.own())
	}
	if err != nil {
		return err
	}
	agents := newAgents(library)
	defer agents.endAll()
	if err := p.relink(st, nil); err != nil {
		return err
	}
	err = p.edit(ctx, agents, func(r registry, a *agent) error {
		if err := p.tellDrives(r, a, st, nil); err != nil {
			return err
		}
		for l := range st.Wrote {
			if err := r.drop("HKCU", keyNetwork+`\`+l, true); err != nil {
				return err
			}
		}
		if err := st.Override.putBack(r, "HKCU", keyOverrides, "mpr"); err != nil {
			return err
		}
		if err := r.unset("HKCU", keyOwn, "Channel"); err != nil {
			return err
		}
		for _, key := range []string{keyOwn, keyNetwork, keyOverrides} {
			if !st.Keys[key] {
				if err := r.drop("HKCU", key, false); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name, had := range st.Files {
		to := filepath.Join(p.Path, "drive_c/windows", name)
		if had {
			err = os.Rename(filepath.Join(p.own(), "backup", backupName(name)), to)
		} else {
			err = os.Remove(to)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.RemoveAll(p.own())
}

// readLetter gives what a letter's link says, "" if there is none.
func (p Prefix) readLetter(letter string) string {
	target, _ := os.Readlink(filepath.Join(p.dosdevices(), letterLink(letter)))
	return target
}
