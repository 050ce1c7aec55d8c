package credential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// sealedFile is the store in one file, ConfigDir/credentials.age. Readers take whole files only, as writers put new ones into place by
// rename; writers take turns by a lock on a file of its own beside it, which is never removed or replaced.
type sealedFile struct {
	path     string // credentials.age
	lockPath string // credentials.lock
	key      keyFile
	log      *slog.Logger
	patience time.Duration // how long to wait for another writer
}

// maxFile bounds what is read: some 10,000 credentials.
const maxFile = 4 << 20

func newSealedFile(cfg Config) *sealedFile {
	f := &sealedFile{
		path:     filepath.Join(cfg.ConfigDir, "credentials.age"),
		lockPath: filepath.Join(cfg.ConfigDir, "credentials.lock"),
		key:      keyFile{path: cfg.IdentityFile, given: true},
		log:      cfg.Logger,
		patience: lockTimeout,
	}
	if cfg.IdentityFile == "" {
		f.key = keyFile{path: filepath.Join(cfg.DataDir, "age.key")}
	}
	return f
}

// read returns all entries, none if there is no file.
func (f *sealedFile) read(op string) ([]entry, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError(op, f.path, err)
	}
	defer file.Close()
	sealed, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fileError(op, f.path, err)
	}
	if len(sealed) > maxFile {
		return nil, f.damaged(op, fmt.Errorf("the file is larger than %d MiB", maxFile>>20))
	}
	identities, _, err := f.key.load()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &wnet.Error{Op: op, Name: f.path, Code: win32.ERROR_CANT_ACCESS_FILE,
			Err:  fmt.Errorf("the key that opens the stored credentials is missing: %w", err),
			Hint: "Put the key back, or remove " + f.path + " and enter the passwords again."}
	}
	if err != nil {
		return nil, f.key.failed(op, err)
	}
	all, err := unseal(sealed, identities)
	if err != nil {
		return nil, f.damaged(op, err)
	}
	return all, nil
}

// damaged is the error for a file that can't be understood. It stays as it is: it may be the only copy, and a key may turn up.
func (f *sealedFile) damaged(op string, err error) error {
	return &wnet.Error{Op: op, Name: f.path, Code: win32.ERROR_CANT_ACCESS_FILE,
		Err:  fmt.Errorf("the stored credentials can't be read: %w", err),
		Hint: "Nothing was changed. Bring " + f.path + " and its key " + f.key.path + " back from a backup, or remove the file."}
}

// change reads all entries, lets edit make the new ones, and writes them; a nil result writes nothing. Other writers wait.
func (f *sealedFile) change(ctx context.Context, op string, edit func([]entry) []entry) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fileError(op, filepath.Dir(f.path), err)
	}
	unlock, err := f.lock(ctx, op)
	if err != nil {
		return err
	}
	defer unlock()
	all, err := f.read(op)
	if err != nil {
		return err
	}
	next := edit(all)
	if next == nil {
		return nil
	}
	_, recipients, err := f.key.load()
	if errors.Is(err, fs.ErrNotExist) && !f.key.given {
		// Reached only where there is no sealed file: read wants the key for one.
		if err = f.key.create(); err == nil {
			_, recipients, err = f.key.load()
		}
	}
	if err != nil {
		return f.key.failed(op, err)
	}
	sealed, err := seal(next, recipients)
	if err != nil {
		return &wnet.Error{Op: op, Name: f.path, Code: win32.ERROR_GEN_FAILURE, Err: err}
	}
	if len(sealed) > maxFile {
		return &wnet.Error{Op: op, Name: f.path, Code: win32.ERROR_GEN_FAILURE, Err: errors.New("too many credentials are stored"),
			Hint: "Delete some of them."}
	}
	if err := ctx.Err(); err != nil {
		return ended(op, f.path, err)
	}
	if err := replace(f.path, sealed); err != nil {
		return fileError(op, f.path, err)
	}
	return nil
}

// changeIfAny takes out the entries that match. It makes and writes nothing where there are none.
func (f *sealedFile) changeIfAny(ctx context.Context, op string, match func(entry) bool) error {
	if _, err := os.Lstat(f.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return f.change(ctx, op, func(all []entry) []entry {
		next, n := remove(all, match)
		if n == 0 {
			return nil
		}
		return next
	})
}

// lock takes the writers' lock, waiting a little for another process. flock excludes other descriptors of this process too.
func (f *sealedFile) lock(ctx context.Context, op string) (unlock func(), err error) {
	file, err := os.OpenFile(f.lockPath, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fileError(op, f.lockPath, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.patience, errPatience)
	defer cancel()
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			file.Close()
			return nil, fileError(op, f.lockPath, fmt.Errorf("can't lock: %w", err))
		}
		select {
		case <-time.After(10 * time.Millisecond):
			continue
		case <-ctx.Done():
		}
		file.Close()
		if context.Cause(ctx) != errPatience {
			return nil, ended(op, f.path, ctx.Err())
		}
		return nil, &wnet.Error{Op: op, Name: f.path, Code: win32.ERROR_BUSY,
			Err:  errors.New("another program is writing the stored credentials"),
			Hint: "Try again; if that does not help, see who holds it with: fuser " + f.lockPath}
	}
}

var errPatience = errors.New("waited long enough")

// replace puts a new file into place in one step, synced, readable by the owner only. A symbolic link, as tools for dotfiles make
// them, stays and its target is replaced.
func replace(path string, data []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir := filepath.Dir(path)
	// In the same folder, because a rename out of /tmp would not be one step; with a fixed mode whatever the umask.
	file, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	defer file.Cleanup()
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return syncFolder(dir)
}

// syncFolder makes a rename in dir last. File systems that can't sync a folder are let pass: the data itself is synced.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}

// fileError gives an error of the system its code.
func fileError(op, name string, err error) error {
	e := &wnet.Error{Op: op, Name: name, Code: win32.ERROR_GEN_FAILURE, Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS), errors.Is(err, unix.ELOOP):
		e.Code = win32.ERROR_ACCESS_DENIED
		e.Hint = "Make the folder " + filepath.Dir(name) + " and what is in it your own and writable."
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		e.Hint = "Make room on the disk and try again; nothing was changed."
	case errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENOTDIR):
		e.Code = win32.ERROR_CANT_ACCESS_FILE
		e.Hint = "A file and a folder are mixed up there; move what is in the way aside."
	}
	return e
}
