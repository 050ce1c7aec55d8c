package mount

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/moby/sys/mountinfo"
	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
	"golang.org/x/sys/unix"
)

const (
	// FSType is what /proc/mounts shows as the type of every mount of this package.
	FSType = "fuse.wnet"
	// DefaultDeadline is the longest time that one request may take where nothing else is set.
	DefaultDeadline = 30 * time.Second
	// CacheTime is how long the kernel keeps names, attributes and data where nothing else is set: the bound on how stale a program's
	// view of the server can be.
	CacheTime = time.Second
	// maxRequest is the size of the largest read or write. Kernels before 4.20 cut it to 128 KiB by themselves.
	maxRequest = 1 << 20
)

// Config is what a Mounter is made of. The zero Config is usable.
type Config struct {
	// Deadline is the longest time one request may take, 0 for DefaultDeadline. MountOptions.Deadline goes before it.
	Deadline time.Duration
	// CacheTime bounds the kernel's caching, 0 for the constant CacheTime, negative for no caching of names and attributes.
	CacheTime time.Duration
	// AsideDir is the folder for written data that a server did not take, an absolute path; it is made when it is needed. Without
	// it, such data is lost, and logged as lost.
	AsideDir string
	// Logger gets what nobody asked for and somebody should know: a panic of a file system, data kept aside. nil for none.
	Logger *slog.Logger
}

// Mounter makes FUSE mounts, as root by mount(2), else through fusermount3. It may be used from many goroutines at once.
type Mounter struct {
	cfg        Config
	device     string                 // FUSE's
	fusermount func() (string, error) // path of fusermount3
	root       bool                   // mount(2) is allowed

	watch watcher

	mu   sync.Mutex          // guards busy
	busy map[string]struct{} // points that are being mounted
}

var _ wnet.Mounter = (*Mounter)(nil)

// New returns a Mounter. It does nothing yet: that FUSE is missing is told by Mount.
func New(cfg Config) *Mounter {
	if cfg.Deadline <= 0 {
		cfg.Deadline = DefaultDeadline
	}
	if cfg.CacheTime == 0 {
		cfg.CacheTime = CacheTime
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Mounter{cfg: cfg, device: "/dev/fuse", fusermount: findFusermount, root: os.Geteuid() == 0,
		watch: watcher{live: map[*mount]struct{}{}, stop: -1}, busy: map[string]struct{}{}}
}

// mount is one mount.
type mount struct {
	by         *Mounter
	log        *slog.Logger
	point      string // as asked for
	real       string // without symbolic links
	made       bool   // the folder is ours
	srv        *server
	kernel     *fuse.Server
	stopBreaks func()          // nil where no promises are broken
	devMu      sync.Mutex      // guards dev
	dev        int             // a copy of FUSE's descriptor, -1 once the mount is gone
	id         int             // mount id
	maj, min   int             // st_dev
	source     string          // as the kernel shows it
	turn       chan struct{}   // holds one token: Unmount and ForceUnmount take turns
	force      context.Context // ends when ForceUnmount is called, so that an Unmount that waits gives way
	startForce context.CancelFunc
	leaving    sync.Once
	left       chan struct{} // closed when the mount is out of sight
	finishing  sync.Once
	done       chan struct{} // closed when nothing is left of it
}

var (
	_ wnet.Mount      = (*mount)(nil)
	_ wnet.LossTeller = (*mount)(nil)
	_ wnet.Lingerer   = (*mount)(nil)
	_ wnet.Nester     = (*mount)(nil)
)

// Mount implements wnet.Mounter.
//
// Errors: ERROR_NOT_SUPPORTED where FUSE is missing, with a hint that says what to install; ERROR_INVALID_PARAMETER if point is not
// absolute; ERROR_ACCESS_DENIED if the folder cannot be made, is not a folder, is not empty or is a mount point already;
// ERROR_GEN_FAILURE with the kernel's or fusermount3's reason otherwise.
func (b *Mounter) Mount(ctx context.Context, point string, fsys wnet.FileSystem, opt wnet.MountOptions) (wnet.Mount, error) {
	if err := ctx.Err(); err != nil {
		return nil, failure(point, codeOfContext(err), err, "")
	}
	if !filepath.IsAbs(point) {
		return nil, failure(point, win32.ERROR_INVALID_PARAMETER, errors.New("the mount point is not an absolute path"), "")
	}
	point = filepath.Clean(point)
	if err := b.available(point); err != nil {
		return nil, err
	}
	real, made, err := preparePoint(point)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	_, busy := b.busy[real]
	if !busy {
		b.busy[real] = struct{}{}
	}
	b.mu.Unlock()
	if busy {
		return nil, failure(point, win32.ERROR_ACCESS_DENIED, fmt.Errorf("%s is being mounted already", point), "")
	}
	defer func() {
		b.mu.Lock()
		delete(b.busy, real)
		b.mu.Unlock()
	}()
	m, err := b.serve(point, real, fsys, opt)
	if err != nil {
		if made {
			unix.Rmdir(real)
		}
		return nil, err
	}
	m.made = made
	b.watch.add(m)
	// From here on, the end of the kernel's requests is the end of the mount, whoever took it down.
	go func() {
		<-m.srv.stopped
		select {
		case m.turn <- struct{}{}:
			m.ended()
			m.give()
		case <-m.done:
		}
	}()
	return m, nil
}

// serve mounts and starts to answer.
func (b *Mounter) serve(point, real string, fsys wnet.FileSystem, opt wnet.MountOptions) (*mount, error) {
	deadline := opt.Deadline
	if deadline <= 0 {
		deadline = b.cfg.Deadline
	}
	source := opt.Source
	if source == "" {
		source = "wnet"
	}
	fd, err := b.attach(real, source)
	if err != nil {
		code := win32.ERROR_GEN_FAILURE
		if errors.Is(err, syscall.EACCES) {
			code = win32.ERROR_ACCESS_DENIED
		}
		return nil, failure(point, code, fmt.Errorf("mounting %s failed: %w", point, err), "")
	}
	log := b.cfg.Logger.With("mount", point, "source", source)
	dev, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		unix.Close(fd)
		_ = detachPoint(context.Background(), b.root, b.fusermount, real, true)
		return nil, failure(point, win32.ERROR_GEN_FAILURE, err, "")
	}
	m := &mount{by: b, log: log, point: point, real: real, dev: dev, turn: make(chan struct{}, 1),
		left: make(chan struct{}), done: make(chan struct{})}
	m.force, m.startForce = context.WithCancel(context.Background())
	m.srv = newServer(fsys, log, deadline, max(0, b.cfg.CacheTime), os.Getuid(), os.Getgid())
	m.srv.aside = &aside{dir: b.cfg.AsideDir, source: source, log: log}
	// O_TRUNC comes with the open: one question less, and no AttrSetter needed.
	capabilities := uint64(fuse.CAP_ATOMIC_O_TRUNC | fuse.CAP_ASYNC_DIO)
	if _, ok := fsys.(wnet.Xattrer); ok {
		capabilities |= fuse.CAP_HANDLE_KILLPRIV_V2 // else the kernel asks for security.capability before each write
	}
	kernel, err := fuse.NewServer(m.srv, fmt.Sprintf("/dev/fd/%d", fd), &fuse.MountOptions{
		MaxBackground:     64,
		MaxWrite:          maxRequest,
		MaxReadAhead:      maxRequest,
		DisableSplice:     true, // data comes from memory
		ExtraCapabilities: capabilities,
		EnableLocks:       m.srv.locking,
		Logger:            slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	})
	if err != nil {
		m.closeDev()
		_ = detachPoint(context.Background(), b.root, b.fusermount, real, true)
		return nil, failure(point, win32.ERROR_GEN_FAILURE, fmt.Errorf("the kernel did not start FUSE: %w", err), "")
	}
	m.kernel = kernel
	m.srv.kernel = kernel
	if fd, err := unix.FcntlInt(uintptr(dev), unix.F_DUPFD_CLOEXEC, 0); err == nil {
		if kernel.KernelSettings().Flags64()&fuse.CAP_HAS_EXPIRE_ONLY != 0 {
			m.srv.expirer.set(os.NewFile(uintptr(fd), "fuse"))
		} else {
			unix.Close(fd)
		}
	}
	if m.srv.leases != nil {
		m.stopBreaks = m.srv.leases.OnBreak(m.srv.broke)
	}
	go func() {
		kernel.Serve()
		close(m.srv.stopped)
	}()
	if err := m.identify(); err != nil {
		served := m.connected()
		m.finish(0)
		if served {
			_ = detachPoint(context.Background(), b.root, b.fusermount, real, true)
		}
		return nil, failure(point, win32.ERROR_GEN_FAILURE, err, "")
	}
	m.tune()
	return m, nil
}

// identify finds the mount that was just made in the kernel's list. Kernels before 5.8 may leave a line out while other mounts change, so one
// that is served and not shown is looked for again.
func (m *mount) identify() error {
	var err error
	for range 20 {
		var all []*mountinfo.Info
		all, err = mounts(func(e *mountinfo.Info) bool { return e.Mountpoint == m.real && e.FSType == FSType })
		for _, e := range all {
			m.id, m.maj, m.min, m.source = e.ID, e.Major, e.Minor, e.Source // the last one is on top
		}
		if !m.connected() {
			return errors.New("somebody took the mount away at once")
		}
		if m.id != 0 {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err == nil {
		err = errors.New("the mount is served and not in it")
	}
	return fmt.Errorf("the kernel's list of mounts (/proc/self/mountinfo) does not help: %w", err)
}

// tune makes reading faster, where it can.
func (m *mount) tune() {
	// The kernel reads ahead 128 KiB, whatever FUSE offers, unless root says otherwise.
	path := fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", m.maj, m.min)
	if err := os.WriteFile(path, []byte("1024"), 0); err != nil {
		m.log.Debug("readahead stays at the kernel's default", "error", err)
	}
	// A process that both serves and uses a mount, as a test does, must not be asked for POLL: Go's runtime polls each file that it
	// opens, and does not expect that to wait. go-fuse answers for this one name by itself and has the kernel never ask again.
	fd, err := unix.Open(filepath.Join(m.real, ".go-fuse-epoll-hack"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	unix.Close(fd)
}

// Point implements wnet.Mount.
func (m *mount) Point() string { return m.point }

// Opens implements wnet.Mount.
func (m *mount) Opens() int {
	n, _ := m.srv.handles.count()
	return n
}

// Done implements wnet.Mount.
func (m *mount) Done() <-chan struct{} { return m.left }

func (m *mount) gone() bool {
	select {
	case <-m.left:
		return true
	default:
		return false
	}
}

// closeTime is how long the end of a mount waits for the server to take back its files; closeTimeDead, where the server has used up
// its time already.
const (
	closeTime     = 2 * time.Second
	closeTimeDead = 200 * time.Millisecond
)

// ended is for a mount that the kernel sends no more requests for. The caller has the turn.
func (m *mount) ended() {
	m.clearAborted()
	m.finish(closeTime)
}

// finish does what is left once the kernel does not show the mount: files are closed, the folder is removed if it is ours. It waits for
// the server no longer than patience. The caller has the turn, or is alone with the mount.
func (m *mount) finish(patience time.Duration) {
	m.finishing.Do(func() {
		m.srv.over.Store(true)
		m.srv.end()
		m.srv.endAll()
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		if err := m.srv.handles.await(ctx, func(_, closing int) bool { return closing == 0 }); err != nil {
			m.log.Warn("the server did not take back all files in time")
		}
		if m.stopBreaks != nil {
			m.stopBreaks()
		}
		m.srv.expirer.set(nil)
		m.closeDev()
		if paths := m.srv.aside.finish(); len(paths) > 0 {
			m.log.Warn("written data that the server did not take is kept aside", "files", paths)
		}
		m.leave()
		close(m.done)
	})
}

// connected reports whether the kernel still serves this very mount. As long as it does, the numbers of the mount and its device are its
// own; they are given to others at once afterwards, so whatever was found by them counts only if connected is true after that.
func (m *mount) connected() bool { return m.poll()&unix.POLLERR == 0 }

// waiting reports whether the kernel has requests that nobody has taken.
func (m *mount) waiting() bool { return m.poll()&(unix.POLLIN|unix.POLLERR) == unix.POLLIN }

func (m *mount) poll() int16 {
	m.devMu.Lock()
	defer m.devMu.Unlock()
	if m.dev < 0 {
		return unix.POLLERR
	}
	p := []unix.PollFd{{Fd: int32(m.dev), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(p, 0); err != unix.EINTR {
			return p[0].Revents
		}
	}
}

func (m *mount) closeDev() {
	m.devMu.Lock()
	defer m.devMu.Unlock()
	if m.dev >= 0 {
		unix.Close(m.dev)
		m.dev = -1
	}
}

// clearAborted takes away a mount whose connection somebody aborted: dead as it is, it would only be in the way.
func (m *mount) clearAborted() {
	if m.srv.over.Load() {
		return
	}
	for _, e := range mountsAt(m.real) {
		if e.ID == m.id && e.Major == m.maj && e.Minor == m.min && dead(m.real) {
			if err := detachPoint(context.Background(), m.by.root, m.by.fusermount, m.real, true); err != nil {
				m.log.Error("the mount is dead and could not be taken away", "error", err)
			}
		}
	}
}

// failure makes the error of one of this package's methods.
func failure(point string, code win32.Code, err error, hint string) *wnet.Error {
	return &wnet.Error{Op: "Mount", Name: point, Code: code, Err: err, Hint: hint}
}

// codeOfContext is the code for a call that its caller gave up.
func codeOfContext(err error) win32.Code {
	if errors.Is(err, context.Canceled) {
		return win32.ERROR_CANCELLED
	}
	return win32.ERROR_BUSY
}

// available tells what is missing of FUSE.
func (b *Mounter) available(point string) error {
	missing := func(what string) error {
		return failure(point, win32.ERROR_NOT_SUPPORTED, errors.New(what),
			"Install FUSE (on Debian and Ubuntu: apt install fuse3), then try again.")
	}
	if err := unix.Access(b.device, unix.R_OK|unix.W_OK); err != nil {
		if errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) {
			return failure(point, win32.ERROR_NOT_SUPPORTED, fmt.Errorf("FUSE is here, but %s may not be opened", b.device),
				"Let this user read and write "+b.device+"; installing fuse3 anew (apt install --reinstall fuse3) sets it so.")
		}
		return missing("FUSE is missing: there is no " + b.device)
	}
	if !b.root {
		if _, err := b.fusermount(); err != nil {
			return missing("FUSE is missing: there is no fusermount3, which mounts for a user who is not root")
		}
	}
	return nil
}

// preparePoint makes the folders of a mount point and checks that the last one may be used. It asks nothing of a file system that is
// mounted there already, which might not answer.
func preparePoint(point string) (real string, made bool, err error) {
	parent := filepath.Dir(point)
	// The code alone would send a person to the server's rights.
	denied := func(err error) error {
		return failure(point, win32.ERROR_ACCESS_DENIED, err,
			"The server has no part in this: make room for the folder "+filepath.Base(point)+" in "+parent+".")
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		if target, lerr := os.Readlink(parent); lerr == nil {
			return "", false, denied(fmt.Errorf("%s is a symbolic link to %s, which is no folder", parent, target))
		}
		return "", false, denied(fmt.Errorf("the folder for the mount cannot be made: %w", err))
	}
	dir, err := filepath.EvalSymlinks(parent)
	if err != nil {
		return "", false, denied(err)
	}
	real = filepath.Join(dir, filepath.Base(point))
	for followed := false; ; followed = true {
		if len(mountsAt(real)) > 0 {
			return "", false, denied(fmt.Errorf("%s is a mount point already", point))
		}
		err := os.Mkdir(real, 0o700)
		if err == nil {
			return real, true, nil
		}
		fi, serr := os.Lstat(real)
		switch {
		case serr != nil:
			return "", false, denied(fmt.Errorf("the folder for the mount cannot be made: %w", err))
		case fi.Mode()&os.ModeSymlink != 0 && !followed:
			if real, err = filepath.EvalSymlinks(real); err != nil {
				return "", false, denied(err)
			}
			continue
		case !fi.IsDir():
			return "", false, denied(fmt.Errorf("%s is not a folder", point))
		}
		break
	}
	f, err := os.Open(real)
	if err != nil {
		return "", false, denied(err)
	}
	defer f.Close()
	if names, _ := f.Readdirnames(3); len(names) > 0 {
		return "", false, failure(point, win32.ERROR_ACCESS_DENIED,
			fmt.Errorf("the folder %s is not empty: it holds %s", point, strings.Join(names, ", ")),
			"Move what it holds elsewhere, or choose another folder.")
	}
	return real, false, nil
}
