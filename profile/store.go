package profile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// maxSize bounds the file, so that a mistaken link to something endless does no harm.
const maxSize = 1 << 20

// Store is one profile file. Its methods may be called from many goroutines at once.
type Store struct {
	path string
	turn chan struct{} // holds one token: the Tx of this Store that may take the file lock
	now  func() time.Time

	mu    sync.Mutex // guards cache
	cache *loaded
}

// loaded is the file as it was read.
type loaded struct {
	profile Profile // not to be changed
	text    []byte
	id      identity
	settled bool // the file had not been changed shortly before, so that a later change shows in id
}

// identity tells one state of the file from another.
type identity struct {
	exists       bool
	dev, ino     uint64
	size         int64
	mtime, ctime syscall.Timespec
}

// settleTime is longer than the ticks of any file system's clock: two changes within one tick have the same times.
const settleTime = 2 * time.Second

// Open returns the Store of the file at path, an absolute one. It does no I/O.
func Open(path string) *Store {
	return &Store{path: path, turn: make(chan struct{}, 1), now: time.Now}
}

// Path is the file's path as given to Open.
func (s *Store) Path() string { return s.path }

// Load reads the profile, or only asks whether the file has changed since the last time. A missing file is an empty profile. The caller
// owns what it gets.
//
// Errors: ERROR_BAD_PROFILE (CC-11) with a *FormatError, ERROR_CANNOT_OPEN_PROFILE (CC-12), ERROR_CANCELLED for a cancelled ctx.
func (s *Store) Load(ctx context.Context) (Profile, error) {
	if err := ctx.Err(); err != nil {
		return Profile{}, waited(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cache != nil && s.cache.settled {
		if id, err := identify(s.path); err == nil && id == s.cache.id {
			return s.cache.profile.clone(), nil
		}
	}
	s.cache = nil
	l, err := s.read()
	if err != nil {
		return Profile{}, err
	}
	s.cache = l
	return l.profile.clone(), nil
}

// waited is the error for a context that has ended.
func waited(err error) error {
	if errors.Is(err, context.Canceled) {
		return &wnet.Error{Code: win32.ERROR_CANCELLED, Err: err}
	}
	return cannotOpen(err, "Another program is changing the profile; try again.")
}

func identify(path string) (identity, error) {
	fi, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return identity{}, nil
	}
	if err != nil {
		return identity{}, err
	}
	return identityOf(fi), nil
}

func identityOf(fi fs.FileInfo) identity {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{true, st.Dev, st.Ino, st.Size, st.Mtim, st.Ctim}
}

// read reads and understands the file.
func (s *Store) read() (*loaded, error) {
	text, id, err := s.slurp()
	if err != nil {
		return nil, err
	}
	settled := id.exists && s.now().Sub(time.Unix(id.ctime.Unix())) > settleTime
	p, _, err := read(s.path, text)
	if err != nil {
		return nil, err
	}
	return &loaded{p, text, id, settled}, nil
}

// slurp returns the file's bytes, none for a missing one. It never waits for a pipe's other end.
func (s *Store) slurp() ([]byte, identity, error) {
	fail := func(err error) error {
		hint := "Check the owner and the permissions of " + s.path + "."
		if errors.Is(err, unix.ELOOP) {
			hint = "Mend the symbolic link " + s.path + ", or move it away."
		}
		return cannotOpen(err, hint)
	}
	f, err := os.OpenFile(s.path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, identity{}, nil
	}
	if err != nil {
		return nil, identity{}, fail(err)
	}
	defer f.Close()
	for {
		fi, err := f.Stat()
		switch {
		case err != nil:
			return nil, identity{}, fail(err)
		case fi.IsDir():
			return nil, identity{}, cannotOpen(fmt.Errorf("%s is a folder", s.path), "Move it away; the profile is a file.")
		case !fi.Mode().IsRegular():
			return nil, identity{}, cannotOpen(fmt.Errorf("%s is no regular file", s.path), "Move it away; the profile is a file.")
		case fi.Size() > maxSize:
			return nil, identity{}, badAt(s.path, 1, 1, fmt.Sprintf("the file is larger than %d bytes", maxSize))
		}
		text, err := io.ReadAll(io.NewSectionReader(f, 0, maxSize+1))
		if err != nil {
			return nil, identity{}, fail(err)
		}
		after, err := f.Stat()
		if err == nil && identityOf(after) == identityOf(fi) && int64(len(text)) == fi.Size() {
			return text, identityOf(fi), nil
		}
		// Somebody writes into the file just now: once more.
	}
}

// target is the file behind symbolic links: what is replaced, so that a link stays one.
func (s *Store) target() (string, error) {
	path := s.path
	for range 40 {
		to, err := os.Readlink(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EINVAL) {
			return path, nil // not there, or no link
		}
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return "", &fs.PathError{Op: "readlink", Path: s.path, Err: unix.ELOOP}
}
