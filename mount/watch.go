package mount

import (
	"context"
	"sync"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// watcher notices that somebody else took a mount out of the kernel's list while programs still have files of it open, as `umount -l` does.
// FUSE tells nothing of that before the last file is closed; the list's own file does, to poll(2). It runs while there is a mount.
type watcher struct {
	mu   sync.Mutex          // guards what follows
	live map[*mount]struct{} // mounts that are to be looked for
	stop int                 // eventfd that ends the goroutine, -1 where none runs
}

// coalesce is how long changes of the list are gathered before it is read: many mounts at once are read together.
const coalesce = 20 * time.Millisecond

// add begins to look for a mount.
func (w *watcher) add(m *mount) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live[m] = struct{}{}
	if w.stop >= 0 {
		return
	}
	list, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		if w.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
			unix.Close(list)
			w.stop = -1
		}
	}
	if err != nil {
		m.log.Warn("mounts that somebody takes away are noticed late", "error", err)
		return
	}
	go w.run(list, w.stop)
}

// remove ends that, and the goroutine with the last mount.
func (w *watcher) remove(m *mount) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.live, m)
	if len(w.live) == 0 && w.stop >= 0 {
		unix.Write(w.stop, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // run closes it
		w.stop = -1
	}
}

// run waits for changes of the list. Both descriptors are its own.
func (w *watcher) run(list, stop int) {
	defer unix.Close(list)
	defer unix.Close(stop)
	for {
		w.look() // first: the list may have changed before it was opened
		p := []unix.PollFd{{Fd: int32(list), Events: unix.POLLPRI}, {Fd: int32(stop), Events: unix.POLLIN}}
		for {
			if _, err := unix.Poll(p, -1); err != unix.EINTR {
				break
			}
		}
		if p[1].Revents != 0 {
			return
		}
		time.Sleep(coalesce)
	}
}

// look has every mount that the list does not show depart.
func (w *watcher) look() {
	w.mu.Lock()
	all := make([]*mount, 0, len(w.live))
	for m := range w.live {
		all = append(all, m)
	}
	w.mu.Unlock()
	shown, err := mounts(func(e *mountinfo.Info) bool { return e.FSType == FSType })
	if err != nil {
		return // the next change tells again
	}
	there := make(map[int]*mountinfo.Info, len(shown))
	for _, e := range shown {
		there[e.ID] = e
	}
	for _, m := range all {
		if e := there[m.id]; e == nil || e.Major != m.maj || e.Minor != m.min {
			go m.depart()
		}
	}
}

// depart ends what programs see of a mount that the kernel does not show any more: Done is closed and the folder is removed. What they have
// open works on until they close it. The mount's own ends come first; nothing is left to do then.
func (m *mount) depart() {
	select {
	case m.turn <- struct{}{}:
	case <-m.done:
		return
	}
	defer m.give()
	if m.gone() || !m.connected() {
		return // or it is finished by whoever waits for that
	}
	if at, _ := m.where(); at != "" {
		return
	}
	m.log.Info("somebody took the mount away; what is open lives on until it is closed", "open", m.Opens())
	m.leave()
}

// leave tells that the mount is out of sight, and removes the folder if it is ours. The caller has the turn.
func (m *mount) leave() {
	m.leaving.Do(func() {
		m.by.watch.remove(m)
		if m.made {
			if err := unix.Rmdir(m.real); err != nil {
				m.log.Debug("the folder stays", "error", err)
			}
		}
		close(m.left)
	})
}

// Idle implements wnet.Lingerer.
func (m *mount) Idle() <-chan struct{} { return m.done }

// Inside implements wnet.Nester.
func (m *mount) Inside(context.Context) []string {
	points := m.below()
	if !m.connected() {
		return nil // the number that was looked for may be another mount's by now
	}
	return points
}
