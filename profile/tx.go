package profile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// head of a file that wnet makes.
const preamble = "# What wnet remembers. Edit it freely: comments and keys that wnet does not know are kept.\n"

// Tx is one change of the profile. It holds the lock against other writers from Begin to Commit or Rollback. It is used by one goroutine
// at a time.
type Tx struct {
	s     *Store
	lock  *os.File // nil when the Tx is done
	base  *loaded  // the file that the edits apply to
	edits []edit
	next  Profile // base with all edits
	err   error   // the first edit that could not be taken

	prepared bool
	pending  *renameio.PendingFile // the new text beside the old, nil if nothing changes
}

// edit is one change, kept so that it can be made again on what a person has saved meanwhile.
type edit func(ed *editor, p *Profile)

// Begin takes the writers' lock, making the folder (0700) where it is missing, and reads the file afresh.
//
// Errors: those of Load; ERROR_CANNOT_OPEN_PROFILE also if another writer keeps the lock until ctx's deadline, and if folder or
// lock file can't be made.
func (s *Store) Begin(ctx context.Context) (*Tx, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, waited(ctx.Err())
	}
	lock, err := s.acquire(ctx)
	if err != nil {
		<-s.turn
		return nil, err
	}
	tx := &Tx{s: s, lock: lock}
	if tx.base, err = s.read(); err != nil {
		tx.release()
		return nil, err
	}
	tx.next = tx.base.profile.clone()
	return tx, nil
}

// acquire locks the lock file. It stays when the lock goes: to remove it would let two writers in.
func (s *Store) acquire(ctx context.Context) (*os.File, error) {
	hint := "Check the owner and the permissions of " + filepath.Dir(s.path) + "."
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return nil, cannotOpen(err, hint)
	}
	f, err := os.OpenFile(s.path+".lock", os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, cannotOpen(err, hint)
	}
	wait := time.Millisecond
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			f.Close()
			return nil, cannotOpen(fmt.Errorf("lock %s: %w", f.Name(), err), hint)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, waited(ctx.Err())
		case <-time.After(wait):
			wait = min(2*wait, 20*time.Millisecond)
		}
	}
}

// Profile is the profile with the changes of this Tx so far. The caller owns it.
func (tx *Tx) Profile() Profile { return tx.next.clone() }

func (tx *Tx) edit(e edit) {
	tx.edits = append(tx.edits, e)
	e(nil, &tx.next)
	tx.discard() // a text prepared before is an old one
}

// Set remembers a connection, in place of the one that its device had. UseOptions.HostKey is not kept. An entry that could not be read
// back (no device, no remote name, …) is refused by Prepare and Commit.
func (tx *Tx) Set(e Entry) {
	n, err := e.normal()
	if err != nil {
		if tx.err == nil {
			tx.err = &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: fmt.Errorf("can't be remembered: %w", err)}
		}
		return
	}
	tx.edit(func(ed *editor, p *Profile) {
		if ed != nil {
			old, ok := p.Entries[n.Device]
			ed.set(n, old, ok)
		}
		p.Entries[n.Device] = n
	})
}

// Delete forgets a device, if it is remembered: its table and all in it.
func (tx *Tx) Delete(d wnet.Device) {
	tx.edit(func(ed *editor, p *Profile) {
		if _, ok := p.Entries[d]; ok && ed != nil {
			ed.removeTable([]string{tableNetwork, d.Key()})
		}
		delete(p.Entries, d)
	})
}

// SetSaveConnections changes the /PERSISTENT setting (NU-11).
func (tx *Tx) SetSaveConnections(on bool) {
	tx.edit(func(ed *editor, p *Profile) {
		if ed != nil && p.SaveConnections != on {
			value := "false"
			if on {
				value = "true"
			}
			ed.put([]string{tablePersist, keySave}, value)
		}
		p.SaveConnections = on
	})
}

// AddRecent puts a remote name first among the recent ones; the oldest goes where there are more than MaxRecent. A name that could not be
// read back is refused by Prepare and Commit.
func (tx *Tx) AddRecent(name string) {
	n, err := wnet.ParseRemoteName(name)
	if err != nil {
		if tx.err == nil {
			tx.err = &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: fmt.Errorf("no recent name: %w", unwrap(err))}
		}
		return
	}
	tx.edit(func(ed *editor, p *Profile) {
		list := []string{n.String()}
		for _, old := range p.Recent {
			if m, err := wnet.ParseRemoteName(old); (err != nil || m.Key() != n.Key()) && len(list) < MaxRecent {
				list = append(list, old)
			}
		}
		if ed != nil && !slices.Equal(list, p.Recent) {
			ed.put([]string{tablePersist, keyRecent}, quoteAll(list))
		}
		p.Recent = list
	})
}

// SetProviderOrder changes the order of providers; none at all is the default order.
func (tx *Tx) SetProviderOrder(names []string) {
	if len(names) == 0 {
		names = nil
	}
	names = append([]string(nil), names...)
	for _, n := range names {
		if err := checkText("provider's name", n); err != nil && tx.err == nil {
			tx.err = &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: err}
		}
	}
	tx.edit(func(ed *editor, p *Profile) {
		path := []string{tableOrder, keyOrder}
		switch {
		case ed == nil:
		case names == nil:
			ed.remove(path)
		case !(Profile{ProviderOrder: names}).equal(Profile{ProviderOrder: p.ProviderOrder}):
			ed.put(path, quoteAll(names))
		}
		p.ProviderOrder = append([]string(nil), names...)
	})
}

// Prepare writes and syncs the new text beside the file, so that all that can go wrong has gone wrong before anything else is done; the
// file itself is as it was. Prepared twice, it writes again only if something changed in between.
//
// Errors: ERROR_INVALID_PARAMETER for an entry that was refused, ERROR_CANNOT_OPEN_PROFILE for a file without write permission, a full
// disk and the like; ERROR_BAD_PROFILE if a person has just saved a file in a wrong format.
func (tx *Tx) Prepare() error {
	switch {
	case tx.lock == nil:
		return cannotOpen(errors.New("the change is over"), "")
	case tx.err != nil:
		return tx.err
	}
	id, err := identify(tx.s.path)
	if err != nil || id != tx.base.id {
		// A person's editor takes no lock. What it saved is what the edits apply to.
		base, err := tx.s.read()
		if err != nil {
			return err
		}
		if !bytes.Equal(base.text, tx.base.text) {
			tx.discard()
		}
		tx.base = base
	}
	if tx.prepared {
		return nil
	}
	text, err := tx.render()
	if err != nil {
		return err
	}
	if !bytes.Equal(text, tx.base.text) {
		if err := tx.write(text); err != nil {
			return err
		}
	}
	tx.prepared = true
	return nil
}

// render makes the new text and reads it back before anything is written.
func (tx *Tx) render() ([]byte, error) {
	next := tx.base.profile.clone()
	doc, err := parse(tx.base.text)
	if err != nil { // it was read before, so this can't be
		return nil, cannotOpen(err, "")
	}
	ed := &editor{doc: doc}
	for _, e := range tx.edits {
		e(ed, &next)
	}
	if ed.err != nil {
		return nil, cannotOpen(ed.err, "Write one table a device, as [Network.Z].")
	}
	tx.next = next
	text := ed.doc.text
	if !tx.base.id.exists && len(text) > 0 {
		text = append([]byte(preamble+"\n"), text...)
	}
	back, _, err := read(tx.s.path, text)
	if err == nil && !back.equal(next) {
		err = errors.New("the new text does not say what it should")
	}
	if err != nil {
		return nil, cannotOpen(fmt.Errorf("the file's form can't be edited: %w", err), "Write one table a device, as [Network.Z].")
	}
	return text, nil
}

func (tx *Tx) write(text []byte) (err error) {
	defer func() {
		if err != nil {
			tx.discard()
			err = cannotOpen(err, "Nothing was changed. Check the space on the disk and the permissions of "+tx.s.path+".")
		}
	}()
	target, err := tx.s.target()
	if err != nil {
		return err
	}
	if fi, err := os.Stat(target); err == nil {
		if fi.Mode()&0o222 == 0 {
			return fmt.Errorf("%s is write-protected by its mode %#o: %w", target, fi.Mode().Perm(), unix.EACCES)
		}
		if err := unix.Faccessat(unix.AT_FDCWD, target, unix.W_OK, unix.AT_EACCESS); err != nil {
			return &fs.PathError{Op: "write", Path: target, Err: err}
		}
	}
	sweep(target)
	tx.pending, err = renameio.NewPendingFile(target, renameio.WithTempDir(filepath.Dir(target)), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	if _, err := tx.pending.Write(text); err != nil {
		return err
	}
	return tx.pending.Sync()
}

// sweep removes what writers that were killed have left beside the file. The caller holds the lock, so none is alive.
func sweep(target string) {
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil {
		return
	}
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "."+filepath.Base(target))
		if ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
			os.Remove(filepath.Join(filepath.Dir(target), e.Name()))
		}
	}
}

// Commit renames the new text into place, syncs the folder and gives the lock back, whatever it returns. It prepares first if that was
// not done. A profile that the edits do not change is not touched.
//
// Errors: those of Prepare, where that has not succeeded before or a person saves the file at this very moment; else none is to
// be expected.
func (tx *Tx) Commit() error {
	defer tx.Rollback()
	if err := tx.Prepare(); err != nil {
		return err
	}
	if tx.pending == nil {
		return nil
	}
	target, err := tx.s.target()
	if err == nil {
		err = tx.pending.CloseAtomicallyReplace()
	}
	if err != nil {
		return cannotOpen(err, "Check the permissions of "+filepath.Dir(tx.s.path)+".")
	}
	// The rename is done and everybody sees it. That a folder can't be synced, on file systems that have no such thing, undoes
	// nothing.
	if d, err := os.Open(filepath.Dir(target)); err == nil {
		_ = d.Sync()
		d.Close()
	}
	return nil
}

// Rollback removes what Prepare wrote and gives the lock back. After Commit it does nothing.
func (tx *Tx) Rollback() {
	tx.discard()
	tx.release()
}

func (tx *Tx) discard() {
	if tx.pending != nil {
		_ = tx.pending.Cleanup() // nothing after a Commit
		tx.pending = nil
	}
	tx.prepared = false
}

func (tx *Tx) release() {
	if tx.lock == nil {
		return
	}
	tx.lock.Close() // and with it the lock
	tx.lock = nil
	<-tx.s.turn
}
