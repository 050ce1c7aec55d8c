package wine

import (
	"errors"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Drive is a connection that is to be seen in the prefixes.
type Drive struct {
	Letter string // "Y", or "" for a deviceless connection
	Remote string // \\server\share, or deeper
	Path   string // where it is mounted
}

// wanted gives the links that show drives: below dosdevices, link to target. Names that Wine, which does not tell upper from lower case, can't
// tell apart get one link.
func wanted(drives []Drive) map[string]string {
	drives = append([]Drive{}, drives...)
	depth := func(d Drive) int { return strings.Count(d.Remote, `\`) }
	sort.SliceStable(drives, func(i, j int) bool { return depth(drives[i]) < depth(drives[j]) })
	links := map[string]string{}
	seen := map[string]string{} // lower-case name to link
	for _, d := range drives {
		if d.Path == "" {
			continue
		}
		target := d.Path
		if link, ok := uncLink(d.Remote); ok {
			inside := false // below a share that is there already, and seen through it
			for low := strings.ToLower(link); low != "unc" && low != "."; low = filepath.Dir(low) {
				if have, ok := seen[low]; ok {
					inside = true
					if low == strings.ToLower(link) {
						link = have
					}
				}
			}
			low := strings.ToLower(link)
			if !inside {
				seen[low], links[link] = link, d.Path
			}
			if strings.Count(link, "/") == 2 { // the share itself: Wine's own functions read the remote name from such a link
				target = link
			}
		}
		if d.Letter != "" {
			links[letterLink(d.Letter)] = target
		}
	}
	return links
}

func letterLink(letter string) string { return strings.ToLower(letter) + ":" }

// uncLink is where Wine looks for a remote name; false for one that is no path of at least a server and a share.
func uncLink(remote string) (string, bool) {
	parts := strings.Split(strings.TrimPrefix(remote, `\\`), `\`)
	if len(parts) < 2 {
		return "", false
	}
	for _, part := range parts {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "/\x00") {
			return "", false
		}
	}
	return "unc/" + strings.Join(parts, "/"), true
}

// letterOf is the letter of a link such as "y:", "" for another.
func letterOf(link string) string {
	if len(link) == 2 && link[1] == ':' {
		return strings.ToUpper(link[:1])
	}
	return ""
}

// takes reports whether wnet may take a letter that is the prefix's own.
func (p Prefix) takes(letter string) bool {
	for _, l := range p.Take {
		if strings.EqualFold(strings.TrimSuffix(l, ":"), letter) {
			return true
		}
	}
	return false
}

// relink makes the links what they are wanted to be, and touches no other. Letters that changed are pending in st.
func (p Prefix) relink(st *state, want map[string]string) error {
	dir := p.dosdevices()
	now := func(link string) string {
		target, err := os.Readlink(filepath.Join(dir, link))
		if err != nil {
			if _, err := os.Lstat(filepath.Join(dir, link)); err == nil {
				return "." // a folder or file
			}
		}
		return target
	}
	// What is to be done is written down first.
	make, drop := map[string]string{}, map[string]string{}
	for link, target := range st.Links {
		if want[link] != target {
			drop[link] = target
		}
	}
	own := map[string]string{}
	for link, target := range want {
		letter, have := letterOf(link), now(link)
		switch ours := st.Links[link]; {
		case have == target && ours == target:
			continue
		case have == "" || have == ours:
		case letter != "" && p.takes(letter) && have != ".":
			st.Saved[letter] = have
		default:
			if letter != "" {
				own[letter] = have
			}
			continue
		}
		make[link] = target
	}
	st.Own = own
	if len(make) == 0 && len(drop) == 0 {
		return nil
	}
	for link := range drop {
		if letter := letterOf(link); letter != "" {
			st.Pending[letter] = true
		}
	}
	old := map[string]string{}
	for link, target := range make {
		old[link] = now(link)
		st.Links[link] = target
		if letter := letterOf(link); letter != "" {
			st.Pending[letter] = true
		}
	}
	if err := p.saveState(st); err != nil {
		return err
	}
	var errs []error
	for link, target := range drop {
		if make[link] != "" {
			continue
		}
		path := filepath.Join(dir, link)
		if now(link) == target {
			if err := os.Remove(path); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		delete(st.Links, link)
		if letter := letterOf(link); letter != "" && st.Saved[letter] != "" {
			if now(link) == "" {
				if err := os.Symlink(st.Saved[letter], path); err != nil {
					errs = append(errs, err)
				}
			}
			delete(st.Saved, letter)
		}
		for up := filepath.Dir(link); up != "."; up = filepath.Dir(up) {
			if os.Remove(filepath.Join(dir, up)) != nil {
				break // others are in it
			}
		}
	}
	for link, target := range make {
		path := filepath.Join(dir, link)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			errs = append(errs, err)
			continue
		}
		if old[link] != "" { // in one step: a program may be looking
			temp := path + ".wnet"
			os.Remove(temp)
			err := os.Symlink(target, temp)
			if err == nil {
				err = os.Rename(temp, path)
			}
			if err != nil {
				errs = append(errs, err)
			}
			continue
		}
		if err := os.Symlink(target, path); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, p.saveState(st))...)
}
