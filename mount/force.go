package mount

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/openwnet/wnet/win32"
	"golang.org/x/sys/unix"
)

// rescueTime is what the kernel gets to hand over dirty pages that can only be kept aside, once the server has had its time.
const rescueTime = 2 * time.Second

// ForceUnmount implements wnet.Mount (CC-04, forced). It returns soon after ctx ends, whatever the server does, and the sooner the
// sooner all written data has reached the server.
//
// Each file keeps its own data in the returned files, at its own offsets, the rest being holes; a name tells date, source and file.
//
// Errors: ERROR_GEN_FAILURE if the mount is still there. It then answers every request with EIO, and ForceUnmount may be tried again.
func (m *mount) ForceUnmount(ctx context.Context) ([]string, error) {
	m.startForce() // an Unmount that waits gives way
	_ = m.take(context.Background())
	defer m.give()
	if m.gone() {
		return m.srv.aside.finish(), nil
	}
	if !m.connected() {
		m.ended()
		return m.srv.aside.finish(), nil
	}
	if inner := m.below(); len(inner) > 0 {
		m.log.Warn("other file systems are mounted in it and are taken away with it", "mounts", inner)
	}
	s := m.srv
	// Nothing new comes in, except what brings written data to the server.
	s.gate.refuse(false)
	flush := m.startFlush()
	m.drain(ctx, flush)
	m.syncFiles(ctx)

	patience := closeTime
	if ctx.Err() != nil {
		patience = closeTimeDead
	}
	// The server has had its time. What is still under way is given up; pages that come now are kept aside.
	s.gate.refuse(true)
	s.kill()
	rescue, stop := context.WithTimeout(context.Background(), rescueTime)
	defer stop()
	flush.again()
	m.drain(rescue, flush)
	m.forget(rescue)
	flush.close()

	away, err := m.detach(context.Background(), true)
	if !away {
		return s.aside.finish(), failure(m.point, win32.ERROR_GEN_FAILURE, fmt.Errorf("the mount could not be taken down: %w", err),
			"It answers nothing any more. Unmount it by hand: fusermount3 -u -z "+m.point)
	}
	m.finish(patience)
	return s.aside.finish(), nil
}

// Lost implements wnet.LossTeller.
func (m *mount) Lost() []string {
	a := m.srv.aside
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.lost)
}

// drain waits until the kernel has handed over all dirty pages and no request is under way, or until ctx ends.
func (m *mount) drain(ctx context.Context, flush *flush) {
	if flush.wait(ctx) != nil {
		return
	}
	// Some kernels return from syncfs before the pages are written. All of them have queued every write by then and send the next as
	// soon as one is answered: no request inside, none waiting and none come since the last look is the end of them.
	for quiet, seen := 0, uint64(0); quiet < 3; {
		if m.srv.gate.wait(ctx) != nil {
			return
		}
		now := m.srv.gate.passed.Load()
		if now == seen && !m.waiting() {
			quiet++
		} else {
			quiet = 0
		}
		seen = now
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

// forget has the kernel drop what it keeps of files in use, so that their handles fail at once, and a mapping with a signal rather than
// by losing what is written to it.
func (m *mount) forget(ctx context.Context) {
	dropped := make(chan struct{})
	go func() {
		defer close(dropped)
		seen := map[uint64]bool{}
		for _, h := range m.srv.handles.list() {
			if id := h.node.id; !seen[id] {
				seen[id] = true
				m.kernel.InodeNotify(id, 0, -1)
			}
		}
	}()
	select {
	case <-dropped:
	case <-ctx.Done():
	}
}

// syncFiles has the server make stable what was written.
func (m *mount) syncFiles(ctx context.Context) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 16)
	for _, l := range m.srv.handles.list() {
		if !l.wrote.Load() || ctx.Err() != nil {
			continue
		}
		h := m.srv.use(l.fh)
		if h == nil {
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			m.srv.done(h)
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			_, err := bounded(ctx, m.srv, request{}, nil, func(ctx context.Context) (nothing, error) {
				defer m.srv.done(h)
				return nothing{}, h.file.Sync(ctx)
			}, nil)
			if err != nil && ctx.Err() == nil {
				name, _ := m.srv.tree.path(h.node)
				m.log.Error("the server did not confirm written data", "file", name, "error", err)
			}
		})
	}
	wg.Wait()
}

// flush has the kernel write the mount's dirty pages. Its goroutine may wait in the kernel for as long as requests are unanswered; it
// holds the mount through a descriptor of its own, which no lazy unmount minds.
type flush struct {
	rounds chan struct{}
	mu     sync.Mutex    // guards done
	done   chan struct{} // closed at the end of the round under way
}

func (m *mount) startFlush() *flush {
	f := &flush{rounds: make(chan struct{}, 1), done: make(chan struct{})}
	f.rounds <- struct{}{}
	go func() {
		fd, err := m.openRoot()
		if err != nil {
			m.log.Debug("dirty pages cannot be flushed", "error", err)
		}
		for range f.rounds {
			if err == nil {
				if err := unix.Syncfs(fd); err != nil {
					m.log.Debug("syncfs", "error", err)
				}
			}
			f.mu.Lock()
			close(f.done)
			f.mu.Unlock()
		}
		if err == nil {
			unix.Close(fd)
		}
	}()
	return f
}

// openRoot opens the top folder of this very mount. The server answers that without asking the file system.
func (m *mount) openRoot() (int, error) {
	at, top := m.where()
	if at == "" || !top {
		return -1, errors.New("the mount is not in sight")
	}
	fd, err := unix.Open(at, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil || field(info, "mnt_id:", 10) != m.id {
		unix.Close(fd)
		return -1, errors.New("another file system is mounted there")
	}
	return fd, nil
}

func (f *flush) wait(ctx context.Context) error {
	f.mu.Lock()
	done := f.done
	f.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// again asks for another round, unless one is under way: its end is as good.
func (f *flush) again() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.done:
		f.done = make(chan struct{})
		f.rounds <- struct{}{}
	default:
	}
}

func (f *flush) close() { close(f.rounds) }
