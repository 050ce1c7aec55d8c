package mount

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/openwnet/wnet"
)

// server answers the kernel's requests for one mount. What it does not implement is ENOSYS by the embedded default, which the kernel
// remembers, and that is wanted each time:
//
//   - FSYNCDIR: fsync(2) of a folder succeeds; no FileSystem could do more;
//   - TMPFILE: programs see EOPNOTSUPP and make a named file;
//   - IOCTL: programs see ENOTTY;
//   - STATX: the kernel asks GETATTR.
//
// Where the FileSystem is no Xattrer, GETXATTR and its kin are ENOSYS too, and where it is no Locker, the kernel keeps the locks and
// asks nothing.
type server struct {
	fuse.RawFileSystem
	fs       wnet.FileSystem
	log      *slog.Logger
	deadline time.Duration
	cache    time.Duration
	uid, gid uint32
	since    time.Time // shown where a server has no times
	tree     *tree
	handles  handles
	gate     gate
	bufs     buffers
	aside    *aside
	locks    locks
	waits    atomic.Int32 // locks that are waited for
	expirer  expirer
	ahead    atomic.Int64 // bytes read ahead
	noWhole  atomic.Bool  // the file system turned out to be no WholeReader
	leases   wnet.Leaser  // nil where nothing is promised
	locking  bool         // the kernel leaves locks to us
	kernel   *fuse.Server // for notices

	life    context.Context // ends with the mount
	end     context.CancelFunc
	over    atomic.Bool   // the kernel has given up the mount
	killed  chan struct{} // closed when calls under way are given up
	kill    func()
	statfs  atomic.Pointer[statfsAnswer]
	stopped chan struct{} // closed when the kernel sends no more requests
}

var _ fuse.RawFileSystem = (*server)(nil)

func newServer(fsys wnet.FileSystem, log *slog.Logger, deadline, cache time.Duration, uid, gid int) *server {
	s := &server{
		RawFileSystem: fuse.NewDefaultRawFileSystem(),
		fs:            fsys, log: log, deadline: deadline, cache: cache, uid: uint32(uid), gid: uint32(gid), since: time.Now(),
		tree: newTree(), handles: handles{open: map[uint64]*handle{}},
		killed: make(chan struct{}), stopped: make(chan struct{}),
	}
	if l, ok := fsys.(wnet.Locker); ok {
		s.locking = l.Locking()
	}
	s.leases, _ = fsys.(wnet.Leaser)
	s.life, s.end = context.WithCancel(context.Background())
	s.kill = sync.OnceFunc(func() { close(s.killed) })
	return s
}

// String names the file system in go-fuse's messages.
func (s *server) String() string { return "wnet" }

// Init is called before the first request of a program.
func (s *server) Init(*fuse.Server) {}

// OnUnmount is called after the last request.
func (s *server) OnUnmount() {}

// status gives the kernel's form of an error.
func (s *server) status(err error) fuse.Status { return fuse.Status(errnoOf(err)) }

// valid is how long the kernel may keep what the server was asked at the time asked.
func (s *server) valid(asked time.Time) time.Duration { return max(0, s.cache-time.Since(asked)) }

// named returns the path for a call by name, or ENOENT where the folder is gone and EILSEQ where the contract has no such name.
func (s *server) named(parent *node, name string) (string, error) {
	if !validName(name) {
		return "", syscall.EILSEQ
	}
	p, ok := s.tree.join(parent, name)
	if !ok {
		return "", syscall.ENOENT
	}
	return p, nil
}

// Forget implements fuse.RawFileSystem.
func (s *server) Forget(id, count uint64) { s.tree.forget(id, count) }
