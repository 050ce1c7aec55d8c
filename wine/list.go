package wine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Prefix is a folder of Wine's, with the Wine that it is used with.
type Prefix struct {
	Path string   `json:"path"`           // absolute, without symbolic links
	Wine string   `json:"wine"`           // the program that runs others in it
	Take []string `json:"take,omitempty"` // letters such as "Z" that wnet may take while a drive has them
}

// List is the file that names the prefixes which are kept in step. Its methods may be called from many processes at once.
type List struct{ path string }

// OpenList gives the list at path, which need not be there.
func OpenList(path string) *List { return &List{path} }

// ListFile is the list's name in wnet's configuration folder.
const ListFile = "wine.json"

type listing struct {
	Version  int      `json:"version"`
	Prefixes []Prefix `json:"prefixes"`
}

// Load reads the list; none is there before the first Add. ERROR_BAD_PROFILE if the file can't be understood: it is then left as it is.
func (l *List) Load() ([]Prefix, error) {
	text, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all listing
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err == nil && all.Version != 1 {
		err = fmt.Errorf("version %d is not known", all.Version)
	}
	for _, p := range all.Prefixes {
		if err == nil && !filepath.IsAbs(p.Path) {
			err = fmt.Errorf("%q is no absolute path", p.Path)
		}
	}
	if err != nil {
		return nil, &wnet.Error{Op: "Wine", Name: l.path, Code: win32.ERROR_BAD_PROFILE, Err: err, Hint: "Correct the file or move it away."}
	}
	return all.Prefixes, nil
}

// Add lists p, in place of what was listed with its path.
func (l *List) Add(p Prefix) error {
	return l.change(func(all []Prefix) []Prefix { return append(without(all, p.Path), p) })
}

// Remove takes a prefix off the list. It is no error if it is not there.
func (l *List) Remove(path string) error {
	return l.change(func(all []Prefix) []Prefix { return without(all, path) })
}

func without(all []Prefix, path string) []Prefix {
	return slices.DeleteFunc(all, func(p Prefix) bool { return p.Path == path })
}

func (l *List) change(f func([]Prefix) []Prefix) error {
	dir := filepath.Dir(l.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(l.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	all, err := l.Load()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(listing{1, append([]Prefix{}, f(all)...)}, "", "\t")
	if err != nil {
		return err
	}
	return renameio.WriteFile(l.path, append(text, '\n'), 0o600, renameio.WithTempDir(dir), renameio.WithStaticPermissions(0o600))
}
