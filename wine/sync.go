package wine

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
)

// Source is where drives and remembered connections come from: the default session and the user's profile.
type Source interface {
	// Drives gives the connections of the default session that are mounted.
	Drives(ctx context.Context) ([]Drive, error)
	// Remembered gives the profile's drives.
	Remembered(ctx context.Context) ([]Remembered, error)
	// Remember puts a connection into the profile that a program wrote into a prefix's registry. It does not connect.
	Remember(ctx context.Context, m Remembered) error
	// Forget removes a letter from the profile.
	Forget(ctx context.Context, letter string) error
}

// bring brings one prefix in step. It is called again after a failure, and does what is missing.
func bring(ctx context.Context, p Prefix, agents *agents, src Source, log *slog.Logger) error {
	unlock, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	st, err := p.loadState()
	if err != nil {
		return err
	}
	drives, err := src.Drives(ctx)
	if err != nil {
		return err
	}
	linked := p.relink(st, wanted(drives))
	profile, profErr := src.Remembered(ctx)
	err = p.settle(ctx, agents, st, src, profile, profErr == nil, log)
	return errors.Join(linked, err, profErr)
}

// clear takes every drive out of a prefix, for the daemon's end: nothing is behind them any more. Remembered ones stay.
func clear(ctx context.Context, p Prefix, agents *agents, log *slog.Logger) error {
	unlock, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	st, err := p.loadState()
	if err != nil {
		return err
	}
	linked := p.relink(st, nil)
	return errors.Join(linked, p.settle(ctx, agents, st, nil, nil, false, log))
}

// settle brings registry and mount manager in step with the links, and HKCU\Network with the profile where merge is set.
func (p Prefix) settle(ctx context.Context, agents *agents, st *state, src Source, profile []Remembered, merge bool, log *slog.Logger) error {
	letters := map[string]string{} // of drives, with their links' targets
	for link, target := range st.Links {
		if l := letterOf(link); l != "" {
			letters[l] = target
		}
	}
	want := map[string]Remembered{}
	for _, m := range profile {
		want[m.Letter] = m
	}
	need := len(st.Pending) > 0
	for l := range letters {
		_, ok := st.Types[l]
		need = need || !ok
	}
	for l := range st.Types {
		_, ok := letters[l]
		need = need || !ok
	}
	if merge && !need {
		user, err := readReg(filepath.Join(p.Path, "user.reg"))
		if err != nil {
			return err
		}
		have, _ := readNetwork(&resting{user: user})
		for l, m := range st.Refused {
			if have[l].same(m) {
				delete(have, l)
			}
		}
		alike := func(a, b map[string]Remembered) bool { return maps.EqualFunc(a, b, Remembered.same) }
		need = !alike(have, st.Network) || !alike(want, st.Network)
	}
	if !need {
		return nil
	}
	err := p.edit(ctx, agents, func(r registry, a *agent) error {
		if err := p.tellDrives(r, a, st, letters); err != nil {
			return err
		}
		if !merge {
			return nil
		}
		return p.mergeNetwork(ctx, r, st, src, want, log)
	})
	if err == nil { // not sooner: edit may do all once more, for a Wine that has just started
		st.Pending = map[string]bool{}
		maps.DeleteFunc(st.Types, func(l string, _ before) bool { return letters[l] == "" })
	}
	return errors.Join(err, p.saveState(st))
}

// tellDrives tells Wine about letters: for its next start through the registry, and a Wine that runs through its mount manager.
func (p Prefix) tellDrives(r registry, a *agent, st *state, letters map[string]string) error {
	for _, l := range slices.Sorted(maps.Keys(letters)) {
		name := letterLink(l)
		v, had, err := r.get("HKLM", keyDrives, name)
		if err != nil {
			return err
		}
		if _, ok := st.Types[l]; !ok {
			st.Types[l] = wasValue(v, had)
			if err := p.saveState(st); err != nil {
				return err
			}
		}
		if v != sz("network") {
			if err := r.set("HKLM", keyDrives, name, sz("network")); err != nil {
				return err
			}
		}
		if a != nil && st.Pending[l] {
			if err := a.define(l, driveRemote, letters[l]); err != nil {
				return err
			}
		}
	}
	for _, l := range slices.Sorted(maps.Keys(st.Types)) {
		if _, ok := letters[l]; ok {
			continue
		}
		if err := st.Types[l].putBack(r, "HKLM", keyDrives, letterLink(l)); err != nil {
			return err
		}
		if a != nil && st.Pending[l] {
			if err := p.untell(a, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// untell takes a letter away from a Wine that runs, or gives it back to what it was before.
func (p Prefix) untell(a *agent, letter string) error {
	target := p.readLetter(letter)
	if target == "" {
		return a.undefine(letter)
	}
	return a.define(letter, driveFixed, target)
}

// mergeNetwork brings HKCU\Network and the profile to the same: what changed on one side since they were last alike is done on the other.
func (p Prefix) mergeNetwork(ctx context.Context, r registry, st *state, src Source, profile map[string]Remembered, log *slog.Logger) error {
	have, err := readNetwork(r)
	if err != nil {
		return err
	}
	letters := map[string]bool{}
	for _, m := range []map[string]Remembered{have, profile, st.Network} {
		for l := range m {
			letters[l] = true
		}
	}
	var errs []error
	for _, l := range slices.Sorted(maps.Keys(letters)) {
		was, mine, theirs := st.Network[l], profile[l], have[l]
		switch {
		case mine.same(theirs):
		case mine.same(was) && st.Refused[l].Remote != "" && theirs.same(st.Refused[l]):
			continue
		case mine.same(was) && theirs.Remote == "":
			log.Info("a remembered connection was removed in Wine", "device", l+":", "prefix", p.Path)
			if err := src.Forget(ctx, l); err != nil {
				errs = append(errs, err)
				continue
			}
			mine = theirs
			delete(st.Wrote, l)
		case mine.same(was):
			log.Info("a connection was remembered in Wine", "device", l+":", "name", theirs.Remote, "prefix", p.Path)
			if err := src.Remember(ctx, theirs); err != nil {
				log.Warn("it can't be taken into the profile", "device", l+":", "err", err)
				st.Refused[l] = theirs
				continue
			}
			mine = theirs
		default:
			if !theirs.same(was) && theirs.Remote != "" {
				log.Warn("the profile and Wine's registry remember different connections; the profile wins", "device", l+":",
					"profile", mine.Remote, "registry", theirs.Remote, "prefix", p.Path)
			}
			if mine.Remote == "" {
				err = r.drop("HKCU", keyNetwork+`\`+l, true)
				delete(st.Wrote, l)
			} else {
				if theirs.Remote == "" {
					st.Wrote[l] = true
				}
				err = writeNetwork(r, mine)
			}
			if err != nil {
				return err
			}
		}
		delete(st.Refused, l)
		if mine.Remote == "" {
			delete(st.Network, l)
		} else {
			st.Network[l] = mine
		}
	}
	return errors.Join(errs...)
}
