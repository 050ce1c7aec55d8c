package mount

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
)

// twoMounts are two machines on one share: two connections, a mount each.
func twoMounts(t *testing.T, opts mem.ShareOptions) (a, b *mount, share *mem.Share) {
	t.Helper()
	p := mem.New(mem.Options{Suffix: ".mem"})
	share = p.AddShare("srv", "data", opts)
	var ms [2]*mount
	for i := range ms {
		c, err := p.Connect(t.Context(), wnet.Request{Remote: share.Name()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		ms[i] = start(t, c.FS(), Config{}, wnet.MountOptions{})
	}
	return ms[0], ms[1], share
}

func openRDWR(t *testing.T, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func setlk(fd int, kind int16, start, length int64) error {
	l := unix.Flock_t{Type: kind, Start: start, Len: length}
	return unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &l)
}

// TestLocksAcrossMounts: what one machine locks, another one finds locked, by fcntl and by flock; closing gives it back.
func TestLocksAcrossMounts(t *testing.T) {
	a, b, _ := twoMounts(t, mem.ShareOptions{})
	fa := openRDWR(t, a.Point()+"/f")
	unix.Write(fa, []byte("0123456789"))
	fb := openRDWR(t, b.Point()+"/f")
	if err := setlk(fa, unix.F_WRLCK, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := setlk(fb, unix.F_RDLCK, 4, 1); err != unix.EAGAIN {
		t.Errorf("a lock of what another machine has: got %v, want EAGAIN", err)
	}
	l := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(uintptr(fb), unix.F_GETLK, &l); err != nil || l.Type != unix.F_WRLCK || l.Start != 2 || l.Len != 3 {
		t.Errorf("F_GETLK: got %+v, %v, want the other machine's lock", l, err)
	}
	if err := setlk(fb, unix.F_WRLCK, 5, 0); err != nil {
		t.Errorf("a lock of the rest: %v", err)
	}
	if err := setlk(fa, unix.F_UNLCK, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := setlk(fb, unix.F_WRLCK, 0, 0); err != nil {
		t.Errorf("a lock of what was given back: %v", err)
	}
	// Closing any descriptor of the file gives back all that its process has.
	fb2 := openRDWR(t, b.Point()+"/f")
	unix.Close(fb2)
	if err := setlk(fa, unix.F_WRLCK, 0, 0); err != nil {
		t.Errorf("a lock of what was closed: %v", err)
	}
	if err := setlk(fa, unix.F_UNLCK, 0, 0); err != nil {
		t.Fatal(err)
	}

	if err := unix.Flock(fa, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(fb, unix.LOCK_SH|unix.LOCK_NB); err != unix.EAGAIN {
		t.Errorf("flock of what another machine has: got %v, want EAGAIN", err)
	}
	fa3 := openRDWR(t, a.Point()+"/f")
	if err := unix.Flock(fa3, unix.LOCK_SH|unix.LOCK_NB); err != unix.EAGAIN {
		t.Errorf("flock of what another open file has: got %v, want EAGAIN", err)
	}
	unix.Close(fa)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) { // RELEASE comes after close(2)
		err := unix.Flock(fb, unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("flock of what was closed: %v", err)
		}
	}
}

// TestLocksWithin: programs of one mount keep each other out too, and F_GETLK names who has the lock.
func TestLocksWithin(t *testing.T) {
	for name, fsys := range lockSystems(t) {
		t.Run(name, func(t *testing.T) {
			m := start(t, fsys, Config{}, wnet.MountOptions{})
			f := m.Point() + "/" + name
			os.WriteFile(f, []byte("text"), 0o644)
			p := startProgram(t, "lock", f, "now")
			fd := openRDWR(t, f)
			if err := setlk(fd, unix.F_WRLCK, 0, 1); err != unix.EAGAIN {
				t.Errorf("got %v, want EAGAIN", err)
			}
			l := unix.Flock_t{Type: unix.F_WRLCK}
			if err := unix.FcntlFlock(uintptr(fd), unix.F_GETLK, &l); err != nil || int(l.Pid) != p.pid() {
				t.Errorf("F_GETLK: got %+v, %v, want pid %d", l, err, p.pid())
			}
			if err := setlk(fd, unix.F_WRLCK, 1, 1); err != nil {
				t.Errorf("the next byte: %v", err)
			}
			p.stop() // its end gives it back
			if err := setlk(fd, unix.F_WRLCK, 0, 1); err != nil {
				t.Errorf("after its end: %v", err)
			}
		})
	}
}

// lockSystems are file systems with locks of the server, with locks that a server turns out not to have, and without.
func lockSystems(t *testing.T) map[string]wnet.FileSystem {
	_, _, fsys := newShare(t)
	return map[string]wnet.FileSystem{"server": fsys, "mount": unlocked{fsys}, "kernel": plain{fsys}}
}

// unlocked says that it may have locks, and then has none.
type unlocked struct{ wnet.FileSystem }

func (unlocked) Locking() bool { return true }

func (u unlocked) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm os.FileMode) (wnet.File, error) {
	f, err := u.FileSystem.Open(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return unlockedFile{f}, nil
}

type unlockedFile struct{ wnet.File }

func (unlockedFile) Lock(context.Context, wnet.Lock, bool) error { return syscall.ENOTSUP }
func (unlockedFile) TestLock(context.Context, wnet.Lock) (wnet.Lock, error) {
	return wnet.Lock{}, syscall.ENOTSUP
}

// TestLockWaits: who waits for a lock gets it when it is given back, is ended by a signal at once, holds nothing then, and does not hold
// up a forced cancel.
func TestLockWaits(t *testing.T) {
	a, b, _ := twoMounts(t, mem.ShareOptions{})
	fa := openRDWR(t, a.Point()+"/f")
	unix.Write(fa, []byte("text"))
	for _, at := range []*mount{a, b} {
		if err := setlk(fa, unix.F_WRLCK, 0, 1); err != nil {
			t.Fatal(err)
		}
		for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGKILL} {
			p := startProgram(t, "lock", at.Point()+"/f", "wait")
			p.in.Close()
			awaitWaiting(t, at)
			p.cmd.Process.Signal(signal)
			if out := p.stop(); strings.Contains(out, "locked") {
				t.Fatalf("a signal gave it the lock: %q", out)
			}
		}
		p := startProgram(t, "lock", at.Point()+"/f", "wait")
		p.in.Close()
		awaitWaiting(t, at)
		if err := setlk(fa, unix.F_UNLCK, 0, 0); err != nil {
			t.Fatal(err)
		}
		if out := p.stop(); out != "locked\n" {
			t.Fatalf("the lock was given back: got %q, want it locked", out)
		}
		if err := setlk(fa, unix.F_WRLCK, 0, 1); err != nil {
			t.Fatalf("a program that has ended still has the lock: %v", err)
		}
	}
	p := startProgram(t, "lock", b.Point()+"/f", "wait")
	p.in.Close()
	awaitWaiting(t, b)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if _, err := b.ForceUnmount(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("ForceUnmount while a lock is waited for: %v, %v", err, ctx.Err())
	}
	if out := p.stop(); !strings.Contains(out, "failed") {
		t.Errorf("got %q, want a lock that fails with the mount", out)
	}
}

// awaitWaiting returns when a lock is being waited for.
func awaitWaiting(t *testing.T, m *mount) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); m.srv.waits.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody waits")
		}
	}
}

// TestDeadlock: two programs that wait for each other are told so.
func TestDeadlock(t *testing.T) {
	var k locks
	n := &node{}
	h := &handle{node: n}
	lock := func(owner uint64, at int64, wait bool) error {
		_, _, err := k.grant(t.Context(), h, wnet.Lock{Kind: wnet.LockExclusive, First: at, Last: at, Owner: owner}, wait)
		return err
	}
	if err := errors.Join(lock(1, 1, false), lock(2, 2, false)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- lock(1, 2, true) }()
	for {
		k.mu.Lock()
		waits := len(k.waiting)
		k.mu.Unlock()
		if waits > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := lock(2, 1, true); err != syscall.EDEADLK {
		t.Errorf("got %v, want EDEADLK", err)
	}
	k.drop(n, lockOwner{id: 2})
	if err := <-done; err != nil {
		t.Errorf("got %v, want the lock", err)
	}
}

// TestSqliteTwoMounts: databases in rollback mode from two machines at once, and in WAL mode in turn (sqlite keeps WAL's index in memory
// that machines can't share, but for locking_mode=EXCLUSIVE).
func TestSqliteTwoMounts(t *testing.T) {
	for name, opts := range map[string]mem.ShareOptions{"plain": {}, "leases": {Leases: true}} {
		t.Run(name, func(t *testing.T) {
			a, b, _ := twoMounts(t, opts)
			sh(t, a.Point(), `sqlite3 db "PRAGMA journal_mode=DELETE; CREATE TABLE t(who, n);" >/dev/null`)
			const each = 25
			var wg sync.WaitGroup
			for who, m := range []*mount{a, b} {
				wg.Go(func() {
					script := fmt.Sprintf(`for i in $(seq %d); do sqlite3 -cmd ".timeout 60000" db "BEGIN IMMEDIATE; INSERT INTO t VALUES(%d,$i); COMMIT;"; done`, each, who)
					if out, err := shTry(m.Point(), script); err != nil {
						t.Errorf("%v\n%s", err, out)
					}
				})
			}
			wg.Wait()
			for _, m := range []*mount{a, b} {
				if got, want := sh(t, m.Point(), `sqlite3 db "SELECT count(*), count(DISTINCT who||' '||n) FROM t; PRAGMA integrity_check;"`),
					fmt.Sprintf("%d|%d\nok\n", 2*each, 2*each); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			for i := range 6 {
				m := []*mount{a, b}[i%2]
				sh(t, m.Point(), fmt.Sprintf(`sqlite3 -cmd ".timeout 60000" wal "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;
					CREATE TABLE IF NOT EXISTS t(n); INSERT INTO t VALUES(%d);" >/dev/null`, i))
			}
			if got := sh(t, a.Point(), `sqlite3 wal "PRAGMA locking_mode=EXCLUSIVE; SELECT count(*) FROM t; PRAGMA integrity_check;"`); got != "exclusive\n6\nok\n" {
				t.Errorf("WAL: got %q", got)
			}
		})
	}
}

// TestXattrs: extended attributes, where the file system has them.
func TestXattrs(t *testing.T) {
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	f := filepath.Join(m.Point(), "f")
	os.WriteFile(f, []byte("text"), 0o644)
	if err := unix.Setxattr(f, "user.a", []byte("value"), 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setxattr(f, "user.a", nil, unix.XATTR_CREATE); err != unix.EEXIST {
		t.Errorf("XATTR_CREATE: got %v, want EEXIST", err)
	}
	if err := unix.Setxattr(f, "user.b", nil, unix.XATTR_REPLACE); err != unix.ENODATA {
		t.Errorf("XATTR_REPLACE: got %v, want ENODATA", err)
	}
	buf := make([]byte, 100)
	if n, err := unix.Getxattr(f, "user.a", buf); err != nil || string(buf[:n]) != "value" {
		t.Errorf("got %q, %v", buf[:max(n, 0)], err)
	}
	if n, err := unix.Getxattr(f, "user.a", nil); n != 5 || err != nil {
		t.Errorf("the size: got %d, %v", n, err)
	}
	if _, err := unix.Getxattr(f, "user.a", buf[:2]); err != unix.ERANGE {
		t.Errorf("too small a buffer: got %v, want ERANGE", err)
	}
	if n, err := unix.Listxattr(f, buf); err != nil || string(buf[:n]) != "user.a\x00" {
		t.Errorf("the list: got %q, %v", buf[:max(n, 0)], err)
	}
	if err := unix.Removexattr(f, "user.a"); err != nil {
		t.Error(err)
	}
	if _, err := unix.Getxattr(f, "user.a", buf); err != unix.ENODATA {
		t.Errorf("removed: got %v, want ENODATA", err)
	}
	if err := unix.Setxattr(f, "trusted.a", nil, 0); err == nil {
		t.Error("the kernel's own name space was taken")
	}
	m = start(t, plain{fsys}, Config{}, wnet.MountOptions{})
	if err := unix.Setxattr(m.Point()+"/f", "user.a", nil, 0); err != unix.EOPNOTSUPP {
		t.Errorf("without xattrs: got %v, want EOPNOTSUPP", err)
	}
}

// TestRanges: copies on the server, room, holes.
func TestRanges(t *testing.T) {
	_, _, fsys := newShare(t)
	for name, fsys := range map[string]wnet.FileSystem{"all": fsys, "plain": plain{fsys}} {
		t.Run(name, func(t *testing.T) {
			m := start(t, fsys, Config{}, wnet.MountOptions{})
			text := strings.Repeat("0123456789", 300_000)
			os.WriteFile(m.Point()+"/from", []byte(text), 0o644)
			os.Remove(m.Point() + "/to")
			from, to := openRDWR(t, m.Point()+"/from"), openRDWR(t, m.Point()+"/to")
			n := 0
			for {
				got, err := unix.CopyFileRange(from, nil, to, nil, 1<<30, 0)
				if err != nil {
					t.Fatal(err)
				}
				if got == 0 {
					break
				}
				n += got
			}
			if b, err := os.ReadFile(m.Point() + "/to"); n != len(text) || err != nil || string(b) != text {
				t.Errorf("copied %d bytes, %d are there, %v; want %d", n, len(b), err, len(text))
			}
			err := unix.Fallocate(to, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 1<<20, 1<<20)
			switch {
			case name == "plain":
				if err != unix.EOPNOTSUPP {
					t.Errorf("fallocate: got %v, want EOPNOTSUPP", err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			want := text[:1<<20] + strings.Repeat("\x00", 1<<20) + text[2<<20:]
			if b, err := os.ReadFile(m.Point() + "/to"); err != nil || string(b) != want {
				t.Errorf("the hole is not there: %v", err)
			}
			if at, err := unix.Seek(to, 0, unix.SEEK_HOLE); at != 1<<20 || err != nil {
				t.Errorf("SEEK_HOLE: got %d, %v", at, err)
			}
			if at, err := unix.Seek(to, 1<<20, unix.SEEK_DATA); at != 2<<20 || err != nil {
				t.Errorf("SEEK_DATA: got %d, %v", at, err)
			}
			if err := unix.Fallocate(to, 0, 0, 4<<20); err != nil {
				t.Error(err)
			}
			if st, err := os.Stat(m.Point() + "/to"); err != nil || st.Size() != 4<<20 {
				t.Errorf("after fallocate: %v, %v", st.Size(), err)
			}
		})
	}
}
