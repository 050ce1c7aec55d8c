package smb

import (
	"context"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Remove implements wnet.FileSystem. A file that is open here is given a hidden name, and removed with its last File. One that
// another client has open is EBUSY.
func (c *conn) Remove(ctx context.Context, name string, dir bool) error {
	if err := checkName(name); err != nil {
		return failed("remove", name, err)
	}
	if name == "." {
		return failed("remove", name, syscall.EBUSY)
	}
	release, err := c.claims.take(ctx, span{name: fold(name), alone: true, below: true})
	if err != nil {
		return failed("remove", name, err)
	}
	return failed("remove", name, c.do(ctx, func() error { return c.remove(name, dir) }, release))
}

func (c *conn) remove(name string, dir bool) error {
	i, err := c.tree.stat(c.serverPath(name))
	switch {
	case err != nil:
		return err
	case dir && !i.dir:
		return syscall.ENOTDIR
	case !dir && i.dir:
		return syscall.EISDIR
	}
	if dir {
		err = c.tree.remove(c.serverPath(name))
		if is(err, statusDirNotEmpty) && c.clear(name) == nil {
			err = c.tree.remove(c.serverPath(name))
		}
		return err
	}
	if open := c.files.at(fold(name)); len(open) > 0 {
		return c.moving(open, func() error {
			aside := removedName(name)
			if err := c.tree.rename(c.serverPath(name), c.serverPath(aside)); err != nil {
				return err
			}
			c.follow(open, name, aside, true)
			return nil
		})
	}
	return c.tree.remove(c.serverPath(name))
}

// moving parks files, runs fn and lets them go again.
func (c *conn) moving(files []*file, fn func() error) error {
	for _, f := range files {
		if f.hold(c.ctx) != nil {
			return errBroken
		}
		defer f.free()
		if err := f.parkLocked(); err != nil {
			return err
		}
	}
	return fn()
}

// follow gives files their new names after from has become to. The caller holds them. A file whose name differs from from in case
// only is the same file to most servers, but not to all: what is still there under its own name has not moved.
func (c *conn) follow(files []*file, from, to string, removed bool) {
	depth := strings.Count(from, "/") + 1
	for _, f := range files {
		name, _ := f.where()
		parts := strings.Split(name, "/")
		if strings.Join(parts[:depth], "/") != from {
			if _, err := c.tree.stat(c.serverPath(name)); err == nil {
				continue
			}
		}
		f.movedLocked(path.Join(append([]string{to}, parts[depth:]...)...), removed)
	}
}

// leftover is the age at which a removed file that is not ours has no owner any more.
const leftover = 24 * time.Hour

// clear empties a folder that holds nothing but removed files: ours move to the folder above, so that a tree can be removed while a
// program still has a file of it open; what a client has left behind long ago goes.
func (c *conn) clear(name string) error {
	list, err := c.tree.list(c.serverPath(name))
	if err != nil {
		return err
	}
	for _, i := range list {
		if !hidden(i.name) || i.dir {
			return statusDirNotEmpty
		}
	}
	for _, i := range list {
		old := path.Join(name, i.name)
		if open := c.files.at(fold(old)); len(open) > 0 {
			err = c.moving(open, func() error {
				up := removedName(name)
				if err := c.tree.rename(c.serverPath(old), c.serverPath(up)); err != nil {
					return err
				}
				c.follow(open, old, up, true)
				return nil
			})
		} else if time.Since(i.ctime) > leftover && time.Since(i.mtime) > leftover {
			err = c.tree.remove(c.serverPath(old))
		} else {
			err = statusDirNotEmpty
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Rename implements wnet.FileSystem. What another client has open is EBUSY, or EACCES where it is below a folder.
func (c *conn) Rename(ctx context.Context, from, to string) error {
	for _, name := range []string{from, to} {
		if err := checkName(name); err != nil {
			return failed("rename", name, err)
		}
		if name == "." {
			return failed("rename", name, syscall.EBUSY)
		}
	}
	if from != to && within(to, from) {
		return failed("rename", from, syscall.EINVAL)
	}
	release, err := c.claims.take(ctx, span{name: fold(from), alone: true, below: true}, span{name: fold(to), alone: true, below: true})
	if err != nil {
		return failed("rename", from, err)
	}
	return failed("rename", from, c.do(ctx, func() error { return c.rename(from, to) }, release))
}

func (c *conn) rename(from, to string) error {
	// What is there is asked for both at once: the server itself would put a folder in a file's place.
	var source, target info
	var err, none error
	var wg sync.WaitGroup
	wg.Go(func() {
		none = protect(func() (err error) { target, err = c.tree.stat(c.serverPath(to)); return err })
	})
	source, err = c.tree.stat(c.serverPath(from))
	wg.Wait()
	if err != nil {
		return err
	}
	open, there := c.files.below(fold(from)), c.files.at(fold(to))
	if fold(from) == fold(to) { // two spellings of one file, or two files to a server that minds case
		open, there = spelled(open, from), spelled(there, to)
	}
	plain := func() error { return c.tree.rename(c.serverPath(from), c.serverPath(to)) }
	step := plain
	switch {
	case from == to:
		return nil
	case is(none, statusNotFound):
	case fold(from) == fold(to) && c.onlyOne(from, to):
		open = c.files.below(fold(from))
	case none != nil:
		return none
	case source.dir && !target.dir:
		return syscall.ENOTDIR
	case !source.dir && target.dir:
		return syscall.EISDIR
	case target.dir:
		if err := c.empty(to); err != nil {
			return err
		}
		step = func() error { return c.replace(from, to, nil) }
	default:
		if len(there) > 0 {
			open = append(open, there...)
			step = func() error { return c.replace(from, to, there) }
			break
		}
		step = func() error {
			err := plain()
			if is(err, statusAccessDenied, statusCannotDelete, statusCollision, statusSharingViolation) { // a read-only target, perhaps
				return c.replace(from, to, nil)
			}
			return err
		}
	}
	return c.moving(open, func() error {
		if err := step(); err != nil {
			return err
		}
		for _, f := range open {
			// A removed file below a folder goes with it; what was replaced has got its name already.
			if name, removed := f.where(); within(fold(name), fold(from)) {
				c.follow([]*file{f}, from, to, removed)
			}
		}
		return nil
	})
}

// spelled gives the files whose name begins with name's parts exactly.
func spelled(files []*file, name string) []*file {
	var exact []*file
	for _, f := range files {
		if n, _ := f.where(); within(n, name) {
			exact = append(exact, f)
		}
	}
	return exact
}

// onlyOne reports whether two names that differ in case only are one file, as they are to a server that ignores case.
func (c *conn) onlyOne(from, to string) bool {
	list, err := c.tree.list(c.serverPath(path.Dir(to)))
	if err != nil {
		return true
	}
	found := 0
	for _, i := range list {
		if entry, ok := listedName(i.name); ok && (entry == path.Base(from) || entry == path.Base(to)) {
			found++
		}
	}
	return found < 2
}

// empty is nil for a folder that holds nothing, after what was removed in it was cleared away.
func (c *conn) empty(name string) error {
	list, err := c.tree.list(c.serverPath(name))
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return c.clear(name)
	}
	return nil
}

// replace renames from to to, where something is that the server does not replace: that is put aside under a hidden name, and back if
// the rename fails. there are the open Files of what is replaced, which the caller holds; if it has none it is removed.
func (c *conn) replace(from, to string, there []*file) error {
	aside := removedName(to)
	if err := c.tree.rename(c.serverPath(to), c.serverPath(aside)); err != nil {
		return err
	}
	err := c.tree.rename(c.serverPath(from), c.serverPath(to))
	if err == nil && len(there) == 0 {
		if err = c.tree.remove(c.serverPath(aside)); err != nil {
			// A folder that somebody put something into, or a file that may not be removed: all goes back.
			if e := c.tree.rename(c.serverPath(to), c.serverPath(from)); e != nil {
				return err
			}
		}
	}
	if err != nil {
		c.tree.rename(c.serverPath(aside), c.serverPath(to))
		return err
	}
	c.follow(there, to, aside, true)
	return nil
}
