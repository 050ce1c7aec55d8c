package mount

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// aside keeps written data that the server did not take, a sparse file for each one written, the data at its own offset.
type aside struct {
	dir, source string
	log         *slog.Logger

	mu    sync.Mutex // guards all that follows
	files map[*node]*os.File
	paths []string
	lost  []string // files of which data could not be kept
}

// keep puts data that belongs at off of the file name aside. cause is why the server did not take it.
func (a *aside) keep(n *node, name string, data []byte, off int64, cause error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, err := a.fileLocked(n, name)
	if err == nil {
		_, err = f.WriteAt(data, off)
	}
	if err != nil {
		if !slices.Contains(a.lost, name) {
			a.lost = append(a.lost, name)
		}
		a.log.Error("data that the server did not take is lost: it could not be kept aside either",
			"source", a.source, "file", name, "offset", off, "bytes", len(data), "cause", cause, "error", err)
		return
	}
	a.log.Warn("the server did not take written data; it is kept aside",
		"source", a.source, "file", name, "offset", off, "bytes", len(data), "cause", cause, "aside", f.Name())
}

// fileLocked returns the file for n, made at the first call.
func (a *aside) fileLocked(n *node, name string) (*os.File, error) {
	if f := a.files[n]; f != nil {
		return f, nil
	}
	if a.dir == "" {
		return nil, errors.New("no folder is set for it")
	}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, err
	}
	base := time.Now().Format("2006-01-02T15-04-05") + " " + plainName(a.source, 80) + " " + plainName(name, 100)
	for i := 1; ; i++ {
		path := filepath.Join(a.dir, base)
		if i > 1 {
			path += fmt.Sprintf(" %d", i)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) && i < 10000 {
			continue
		}
		if err != nil {
			return nil, err
		}
		if a.files == nil {
			a.files = map[*node]*os.File{}
		}
		a.files[n] = f
		a.paths = append(a.paths, path)
		return f, nil
	}
}

// finish makes what was kept safe and returns the paths.
func (a *aside) finish() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.files {
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			a.log.Error("data kept aside may be incomplete", "aside", f.Name(), "error", err)
		}
	}
	a.files = nil
	return append([]string(nil), a.paths...)
}

// plainName makes one part of a file name of any text, at most limit bytes of its end.
func plainName(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == ':' || unicode.IsControl(r) || r == unicode.ReplacementChar {
			return '_'
		}
		return r
	}, strings.Trim(s, `/\.`))
	for len(s) > limit {
		_, after, ok := strings.Cut(s[len(s)-limit:], "_")
		if !ok {
			after = strings.ToValidUTF8(s[len(s)-limit:], "")
		}
		s = after
	}
	if s == "" {
		return "unnamed"
	}
	return s
}

// keep puts data of a node aside.
func (s *server) keep(n *node, data []byte, off int64, cause error) {
	name := "a removed file"
	if n != nil {
		if p, ok := s.tree.path(n); ok {
			name = p
		}
	}
	s.aside.keep(n, name, data, off, cause)
}
