package wine

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Status is what a person may want to know of one prefix.
type Status struct {
	Prefix
	Arch     string       `json:"arch,omitempty"` // "win64" or "win32"
	Listed   bool         `json:"listed"`
	Running  bool         `json:"running"` // Wine runs in it
	Problem  string       `json:"problem,omitempty"`
	Files    []FileStatus `json:"files"`
	Override string       `json:"override"` // of mpr, as the registry's file has it; a Wine that runs may be up to half a minute ahead of it
	Drives   []LetterView `json:"drives"`
	Network  []LetterView `json:"network"`
	InStep   bool         `json:"inStep"` // nothing is amiss and every drive is shown
}

// FileStatus is one library: "ours", "outdated" (of another version of wnet) or "foreign" (Wine's own, or another's).
type FileStatus struct {
	Name  string `json:"name"`
	State string `json:"state"`
}

// LetterView is one letter in a prefix. For a drive the state is "shown", "missing" (the daemon has not come to it) or "own" (the prefix has
// something else there, Target). For a remembered one it is "same" or "refused" (the registry's own, which is no name that wnet knows).
type LetterView struct {
	Letter string `json:"letter,omitempty"`
	Remote string `json:"remote"`
	State  string `json:"state"`
	Target string `json:"target,omitempty"`
}

// Look tells how a prefix stands. drives are the session's of now; library is as Library gives it.
func Look(ctx context.Context, p Prefix, listed bool, drives []Drive, library string) Status {
	s := Status{Prefix: p, Listed: listed, Files: []FileStatus{}, Drives: []LetterView{}, Network: []LetterView{}}
	_, arch, err := Check(p.Path)
	if err != nil {
		s.Problem = err.Error()
		return s
	}
	s.Arch, s.Running, s.InStep = arch, p.Running(ctx), listed
	need := files(p.Path, arch)
	for _, name := range sorted(need) {
		f := FileStatus{Name: name, State: "foreign"}
		have, _ := os.ReadFile(filepath.Join(p.Path, "drive_c/windows", name))
		want, err := os.ReadFile(filepath.Join(library, need[name]))
		switch {
		case err == nil && bytes.Equal(have, want):
			f.State = "ours"
		case bytes.Contains(have, []byte("Wnet-Channel")):
			f.State = "outdated"
		}
		s.Files = append(s.Files, f)
		s.InStep = s.InStep && f.State == "ours"
	}
	reg, err := openResting(p)
	if err != nil {
		s.Problem, s.InStep = err.Error(), false
		return s
	}
	v, _, _ := reg.get("HKCU", keyOverrides, "mpr")
	s.Override = v.text
	st, err := p.loadState()
	if err != nil {
		s.InStep = false
		if listed {
			s.Problem = err.Error()
		}
		return s
	}
	for link, target := range wanted(drives) {
		letter := letterOf(link)
		d := LetterView{Letter: letter, State: "missing", Target: p.readLink(link)}
		for _, x := range drives {
			if x.Letter == letter && (letter != "" || x.Path == target) {
				d.Remote = x.Remote
			}
		}
		if d.Remote == "" {
			continue // the link of a drive, which is listed by its letter
		}
		switch {
		case d.Target == target && st.Links[link] == target:
			d.State = "shown"
		case d.Target != "":
			d.State = "own"
		}
		s.InStep = s.InStep && d.State == "shown" && !st.Pending[letter]
		s.Drives = append(s.Drives, d)
	}
	slices.SortFunc(s.Drives, byLetter)
	for _, l := range slices.Sorted(maps.Keys(st.Network)) {
		s.Network = append(s.Network, LetterView{Letter: l, Remote: st.Network[l].Remote, State: "same"})
	}
	for _, l := range slices.Sorted(maps.Keys(st.Refused)) {
		s.Network = append(s.Network, LetterView{Letter: l, Remote: st.Refused[l].Remote, State: "refused"})
		s.InStep = false
	}
	return s
}

func byLetter(a, b LetterView) int {
	switch {
	case a.Letter != b.Letter && a.Letter == "":
		return 1
	case a.Letter != b.Letter && b.Letter == "", a.Letter+a.Remote < b.Letter+b.Remote:
		return -1
	}
	return 1
}

func (p Prefix) readLink(link string) string {
	target, _ := os.Readlink(filepath.Join(p.dosdevices(), link))
	return target
}
