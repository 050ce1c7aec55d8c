package mount

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

const (
	// patience is how long Unmount waits for what a program has given back already and the kernel has not told yet.
	patience = 2 * time.Second
	// settle is how long the kernel's word of a close may take before it is worth looking through /proc, and how far apart the two
	// looks are that a refusal needs: a descriptor seen only once belongs to a program that is just closing it, or to a child that
	// has not reached its exec.
	settle = 20 * time.Millisecond
)

// Unmount implements wnet.Mount. It takes at most a few seconds, whatever the server does. An Unmount of a mount that is gone succeeds.
//
// Errors: ERROR_OPEN_FILES with Holders while files or folders are open or a request is not answered yet (CC-16); ERROR_DEVICE_IN_USE with Holders while a process stands
// in the mount, runs from it or has a file mapped (CC-13), or while another file system is mounted in it; ERROR_CANCELLED or
// ERROR_BUSY when ctx ended first; ERROR_GEN_FAILURE if the kernel or fusermount3 refuses for another reason. Nothing has changed then.
func (m *mount) Unmount(ctx context.Context) error {
	if err := m.take(ctx); err != nil {
		return err
	}
	defer m.give()
	if m.gone() {
		return nil
	}
	if !m.connected() {
		m.ended()
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(m.force, stop)()
	wait, stopWait := context.WithTimeout(ctx, patience)
	defer stopWait()
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		if err := m.check(ctx, wait); err != nil {
			return err
		}
		if m.copied() {
			if found := m.confirmed(ctx); len(found) > 0 {
				return m.inUse(found)
			}
		}
		away, err := m.detach(ctx, false)
		if away {
			m.settleDown()
			return nil
		}
		if err := ctx.Err(); err != nil {
			return failure(m.point, codeOfContext(err), err, "")
		}
		if errors.Is(err, errCovered) {
			return failure(m.point, win32.ERROR_DEVICE_IN_USE, err, "Unmount the other one first.")
		}
		if points := m.below(); len(points) > 0 {
			return failure(m.point, win32.ERROR_DEVICE_IN_USE,
				fmt.Errorf("other file systems are mounted in it: %s", strings.Join(points, ", ")), "Unmount those first.")
		}
		// fusermount3 has one exit code for all that the kernel may say.
		if exit := (*exec.ExitError)(nil); !errors.Is(err, syscall.EBUSY) && !errors.As(err, &exit) {
			return failure(m.point, win32.ERROR_GEN_FAILURE, err, "")
		}
		if pause > time.Millisecond { // the first refusal may be a path walk that is over by now
			if found := m.confirmed(ctx); len(found) > 0 {
				return m.inUse(found)
			}
		}
		select {
		case <-time.After(pause):
		case <-wait.Done():
			if err := ctx.Err(); err != nil {
				return failure(m.point, codeOfContext(err), err, "")
			}
			if found := append(m.look(true), m.pending()...); len(found) > 0 {
				return m.inUse(found)
			}
			e := m.inUse([]wnet.Holder{{File: ".", UID: -1}})
			e.Err = err
			return e
		}
	}
}

// check refuses while handles are open. umount(2) alone would not do: it does not know of a handle in another mount namespace, nor of
// a descriptor on its way through a socket. wait bounds how long the kernel's word of a close is waited for.
func (m *mount) check(ctx, wait context.Context) error {
	none := func(open, _ int) bool { return open == 0 }
	for within := settle; ; within = 10 * settle {
		short, stop := context.WithTimeout(wait, within)
		err := m.srv.handles.await(short, none)
		stop()
		if err == nil {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return failure(m.point, codeOfContext(err), err, "")
		}
		if found := m.confirmed(ctx); len(found) > 0 {
			return m.inUse(found)
		}
		if wait.Err() != nil && ctx.Err() == nil {
			if found := m.unseen(nil); len(found) > 0 {
				return m.inUse(found)
			}
			return nil
		}
	}
}

// confirmed returns the holders that two looks in a row show.
func (m *mount) confirmed(ctx context.Context) []wnet.Holder {
	if len(m.visible()) == 0 {
		return nil
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return nil
	}
	return m.visible()
}

// inUse is the refusal that names the holders (CC-24).
func (m *mount) inUse(found []wnet.Holder) *wnet.Error {
	e := &wnet.Error{Op: "Unmount", Name: m.point, Code: win32.ERROR_DEVICE_IN_USE, Holders: found,
		Hint: "Leave the folder with these programs, or cancel with force."}
	if slices.ContainsFunc(found, func(h wnet.Holder) bool { return h.Use.Open() }) {
		e.Code = win32.ERROR_OPEN_FILES
		e.Hint = "Close the files, or cancel with force: what programs have open then fails."
	}
	return e
}

// settleDown is called when the kernel does not show the mount any more.
func (m *mount) settleDown() {
	m.srv.over.Store(true)
	t := time.NewTimer(closeTime)
	defer t.Stop()
	select {
	case <-m.srv.stopped:
	case <-t.C:
		// A copy lives on in another mount namespace or under another path, with nothing open. It finds nobody home.
		m.srv.gate.refuse(true)
		m.srv.kill()
	}
	m.finish(closeTime)
}

// take waits for the turn to end the mount.
func (m *mount) take(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return failure(m.point, codeOfContext(ctx.Err()), ctx.Err(), "")
	}
}

func (m *mount) give() { <-m.turn }
