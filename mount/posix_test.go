package mount

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/provider/providertest"
)

// optOut is what a mount cannot do, and why.
var optOut = map[string]string{
	"Fallocate":           "fallocate is not supported, so that programs write zeros instead: no FileSystem can reserve room",
	"FallocateKeepSize":   "as Fallocate",
	"FcntlFlockLocksFile": "the case wants a process to lock itself out, which POSIX locks, the kernel's own here, never do",
	"Tmpfile":             "no FileSystem has files without a name",
	"XAttr":               "the contract has no extended attributes",
	"XAttrLarge":          "the contract has no extended attributes",
}

func TestPosix(t *testing.T) {
	t.Parallel()
	providertest.RunPosix(t, func(t *testing.T) string {
		_, _, fsys := newShare(t)
		return start(t, fsys, Config{}, wnet.MountOptions{}).Point()
	}, optOut)
}

// plain hides every optional interface of a file system, and the server's numbers.
type plain struct{ wnet.FileSystem }

func (p plain) Stat(ctx context.Context, name string) (wnet.Attr, error) {
	a, err := p.FileSystem.Stat(ctx, name)
	a.ID, a.Nlink = 0, 0
	return a, err
}

func (p plain) ReadDir(ctx context.Context, name string) ([]wnet.Attr, error) {
	all, err := p.FileSystem.ReadDir(ctx, name)
	for i := range all {
		all[i].ID, all[i].Nlink = 0, 0
	}
	return all, err
}

func (p plain) Open(ctx context.Context, name string, flag wnet.OpenFlag, perm os.FileMode) (wnet.File, error) {
	f, err := p.FileSystem.Open(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return plainFile{f}, nil
}

type plainFile struct{ wnet.File }

func (f plainFile) Stat(ctx context.Context) (wnet.Attr, error) {
	a, err := f.File.Stat(ctx)
	a.ID, a.Nlink = 0, 0
	return a, err
}

// TestPosixPlain is TestPosix for a file system that can do only what every one must.
func TestPosixPlain(t *testing.T) {
	out := map[string]string{
		"Link":             "a plain file system has no links",
		"LinkUnlinkRename": "a plain file system has no links",
		"OpenSymlinkRace":  "a plain file system has no links",
		"SetattrSymlink":   "a plain file system has no links",
		"SymlinkReadlink":  "a plain file system has no links",
	}
	for name, why := range optOut {
		out[name] = why
	}
	providertest.RunPosix(t, func(t *testing.T) string {
		_, _, fsys := newShare(t)
		return start(t, plain{fsys}, Config{}, wnet.MountOptions{}).Point()
	}, out)
}

// TestWithoutOptions: what a file system cannot do is said in the errno that programs know.
func TestWithoutOptions(t *testing.T) {
	_, _, fsys := newShare(t)
	m := start(t, plain{fsys}, Config{}, wnet.MountOptions{})
	f := filepath.Join(m.Point(), "f")
	if err := os.WriteFile(f, []byte("some text"), 0o640); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(f)
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]struct{ got, want error }{
		"chmod to the same":  {unix.Chmod(f, 0o640), nil},
		"chmod":              {unix.Chmod(f, 0o600), unix.ENOTSUP},
		"touch now":          {unix.UtimesNanoAt(unix.AT_FDCWD, f, nil, 0), nil},
		"utimes to the same": {os.Chtimes(f, fi.ModTime(), fi.ModTime()), nil},
		"utimes":             {os.Chtimes(f, time.Unix(1, 0), time.Unix(1, 0)), nil},
		"truncate":           {os.Truncate(f, 4), nil},
		"symlink":            {os.Symlink("f", f+"s"), unix.EPERM},
		"link":               {os.Link(f, f+"l"), unix.EPERM},
		"fifo":               {unix.Mkfifo(f+"p", 0o600), unix.EPERM},
		"xattr":              {unix.Setxattr(f, "user.a", []byte("b"), 0), unix.ENOTSUP},
	} {
		want := got.want
		if what == "utimes" {
			want = unix.ENOTSUP
		}
		if e := errnoOf(got.got); e != errnoOf(want) {
			t.Errorf("%s: got %v, want %v", what, got.got, want)
		}
	}
	if b, _ := os.ReadFile(f); string(b) != "some" {
		t.Errorf("got %q after truncate", b)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(m.Point(), &st); err != nil || st.Bavail == 0 || st.Namelen != 255 {
		t.Errorf("got %+v, %v", st, err)
	}
	// A number per path, the same whenever it is asked for.
	var a, b unix.Stat_t
	unix.Lstat(f, &a)
	entries, _ := readDirInos(m.Point())
	if unix.Lstat(f, &b); a.Ino != b.Ino || entries["f"] != a.Ino {
		t.Errorf("inode numbers %d, %d, listed %d", a.Ino, b.Ino, entries["f"])
	}
}

func readDirInos(dir string) (map[string]uint64, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	all := map[string]uint64{}
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if n <= 0 || err != nil {
			return all, err
		}
		for b := buf[:n]; len(b) > 0; {
			ino := *(*uint64)(ptr(b))
			size := int(b[16]) | int(b[17])<<8
			name, _, _ := bytes.Cut(b[19:size], []byte{0})
			all[string(name)] = ino
			b = b[size:]
		}
	}
}

func TestAttributes(t *testing.T) {
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	f := filepath.Join(m.Point(), "f")
	if err := os.WriteFile(f, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	then := time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
	if err := os.Chtimes(f, then, then.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := unix.Chmod(f, 0o4751); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	unix.Stat(f, &st)
	if st.Mode != unix.S_IFREG|0o4751 || int(st.Uid) != os.Getuid() || int(st.Gid) != os.Getgid() || st.Mtim.Nano() != then.Add(time.Hour).UnixNano() {
		t.Errorf("got %+v", st)
	}
	if err := os.Chown(f, os.Getuid(), os.Getgid()); err != nil {
		t.Errorf("chown to its owner: %v", err)
	}
	if err := os.Chown(f, os.Getuid()+1, -1); errnoOf(err) != unix.EPERM {
		t.Errorf("chown to another: got %v, want EPERM", err)
	}
	os.Chmod(f, 0o444)
	for mode, want := range map[uint32]error{unix.R_OK: nil, unix.X_OK: unix.EACCES} {
		if err := unix.Access(f, mode); err != want {
			t.Errorf("access %d: got %v, want %v", mode, err, want)
		}
	}
	if err := os.Link(f, f+"2"); err != nil {
		t.Fatal(err)
	}
	var st2 unix.Stat_t
	unix.Stat(f, &st)
	unix.Stat(f+"2", &st2)
	if st.Ino != st2.Ino || st.Nlink != 2 {
		t.Errorf("hard links: inode %d with %d links, and %d", st.Ino, st.Nlink, st2.Ino)
	}
	os.WriteFile(m.Point()+"/other", nil, 0o644)
	if err := unix.Renameat2(unix.AT_FDCWD, f, unix.AT_FDCWD, f+"2", unix.RENAME_NOREPLACE); err != unix.EEXIST {
		t.Errorf("RENAME_NOREPLACE: got %v, want EEXIST", err)
	}
	if err := unix.Renameat2(unix.AT_FDCWD, f, unix.AT_FDCWD, m.Point()+"/other", unix.RENAME_EXCHANGE); err != unix.EINVAL {
		t.Errorf("RENAME_EXCHANGE: got %v, want EINVAL", err)
	}
	fd, err := unix.Open(f+"3", unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Open(f+"3", unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600); err != unix.EEXIST {
		t.Errorf("O_EXCL: got %v, want EEXIST", err)
	}
	if err := unix.Fallocate(fd, unix.FALLOC_FL_COLLAPSE_RANGE, 0, 4096); err != unix.EOPNOTSUPP {
		t.Errorf("fallocate to collapse: got %v, want EOPNOTSUPP", err)
	}
	if err := unix.Mknod(f+"4", unix.S_IFREG|0o600, 0); err != nil {
		t.Errorf("mknod of a file: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(m.Point(), "not \xff utf-8")); errnoOf(err) != unix.EILSEQ {
		t.Errorf("a name that is no UTF-8: got %v, want EILSEQ", err)
	}
	unix.Write(fd, []byte("text"))
	if at, err := unix.Seek(fd, 0, unix.SEEK_HOLE); at != 4 || err != nil {
		t.Errorf("SEEK_HOLE: got %d, %v, want the end", at, err)
	}
}

// TestOpenFilesFollow: a handle stays with its file whatever happens to names.
func TestOpenFilesFollow(t *testing.T) {
	for name, hide := range map[string]func(wnet.FileSystem) wnet.FileSystem{
		"mem":   func(f wnet.FileSystem) wnet.FileSystem { return f },
		"plain": func(f wnet.FileSystem) wnet.FileSystem { return plain{f} },
	} {
		t.Run(name, func(t *testing.T) {
			_, _, fsys := newShare(t)
			top := start(t, hide(fsys), Config{}, wnet.MountOptions{}).Point()
			os.MkdirAll(top+"/a/b", 0o755)
			f, err := os.Create(top + "/a/b/f")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			d, err := os.Open(top + "/a/b")
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if err := os.Rename(top+"/a", top+"/z"); err != nil {
				t.Fatal(err)
			}
			// Another takes the old place.
			os.MkdirAll(top+"/a/b", 0o755)
			os.WriteFile(top+"/a/b/f", []byte("another"), 0o644)
			f.WriteString("mine")
			if err := unix.Fchmod(int(f.Fd()), 0o644); err != nil && name == "mem" {
				t.Errorf("fchmod: %v", err)
			}
			if b, _ := os.ReadFile(top + "/z/b/f"); string(b) != "mine" {
				t.Errorf("the file holds %q", b)
			}
			if names, err := d.Readdirnames(0); err != nil || len(names) != 1 {
				t.Errorf("the folder lists %q, %v", names, err)
			}
			// Relative to the open folder, as rm -r works.
			if err := unix.Fstatat(int(d.Fd()), "f", &unix.Stat_t{}, 0); err != nil {
				t.Error(err)
			}
			if err := unix.Unlinkat(int(d.Fd()), "f", 0); err != nil {
				t.Error(err)
			}
			var st unix.Stat_t
			if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Size != 4 || st.Nlink != 0 {
				t.Errorf("fstat of a removed file: %+v, %v", st, err)
			}
			f.WriteString(" still")
			if err := f.Truncate(8); err != nil {
				t.Error(err)
			}
			got := make([]byte, 20)
			if n, _ := f.ReadAt(got, 0); string(got[:n]) != "mine sti" {
				t.Errorf("the removed file holds %q", got[:n])
			}
			if b, _ := os.ReadFile(top + "/a/b/f"); string(b) != "another" {
				t.Errorf("the other file holds %q", b)
			}
		})
	}
}

// TestMapped: mappings, in a program of its own, since a page fault that this process must answer could stop its runtime.
func TestMapped(t *testing.T) {
	_, share, fsys := newShare(t)
	top := start(t, fsys, Config{}, wnet.MountOptions{}).Point()
	os.WriteFile(top+"/m", append([]byte("abc"), make([]byte, 10000)...), 0o644)
	runHelperProgram(t, "mmap-check", top+"/m")
	if b := readShare(t, share, "m", 16); string(b[10:16]) != "shared" {
		t.Errorf("the server has %q", b)
	}
}

func readShare(t testing.TB, share *mem.Share, name string, size int) []byte {
	t.Helper()
	f, err := share.FS().Open(context.Background(), name, wnet.OpenRead, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close(context.Background())
	b := make([]byte, size)
	n, err := f.ReadAt(context.Background(), b, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

func writeShare(t testing.TB, share *mem.Share, name, text string) {
	t.Helper()
	ctx := context.Background()
	f, err := share.FS().Open(ctx, name, wnet.OpenWrite|wnet.OpenCreate|wnet.OpenTruncate, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close(ctx)
	if _, err := f.WriteAt(ctx, []byte(text), 0); err != nil {
		t.Fatal(err)
	}
}

// TestAppend: programs that append at once never write over each other.
func TestAppend(t *testing.T) {
	_, _, fsys := newShare(t)
	top := start(t, fsys, Config{}, wnet.MountOptions{}).Point()
	var wg sync.WaitGroup
	for _, name := range []string{"one", "two", "six"} {
		wg.Go(func() { runHelperProgram(t, "append", top+"/log", name) })
	}
	wg.Wait()
	b, _ := os.ReadFile(top + "/log")
	if lines := strings.Split(strings.TrimSpace(string(b)), "\n"); len(lines) != 600 {
		t.Errorf("got %d lines, want 600", len(lines))
	}
}

// TestStaleness: what another client changes is seen within the stated bound, by a file that is open too.
func TestStaleness(t *testing.T) {
	t.Parallel()
	_, share, fsys := newShare(t)
	const bound = 300 * time.Millisecond
	top := start(t, fsys, Config{CacheTime: bound}, wnet.MountOptions{}).Point()
	writeShare(t, share, "f", "first")
	f, err := os.Open(top + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	read := func() string {
		b := make([]byte, 100)
		n, _ := f.ReadAt(b, 0)
		return string(b[:n])
	}
	if got := read(); got != "first" {
		t.Fatalf("got %q", got)
	}
	if _, err := os.Stat(top + "/new"); !os.IsNotExist(err) {
		t.Fatal(err)
	}
	writeShare(t, share, "f", "the second text")
	writeShare(t, share, "new", "")
	time.Sleep(bound + 50*time.Millisecond) // the bound is the promise
	if got := read(); got != "the second text" {
		t.Errorf("got %q after the bound", got)
	}
	if _, err := os.Stat(top + "/new"); err != nil {
		t.Errorf("a new file is not seen after the bound: %v", err)
	}
	// A file opened anew is never stale, not even while its name and attributes are kept.
	if _, err := os.Stat(top + "/f"); err != nil {
		t.Fatal(err)
	}
	writeShare(t, share, "f", "third!!!! text!")
	fd, err := unix.Open(top+"/f", unix.O_RDONLY, 0) // not by the os package, whose fstat would refresh it
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	b := make([]byte, 100)
	if n, _ := unix.Read(fd, b); string(b[:n]) != "third!!!! text!" {
		t.Errorf("got %q from a new open", b[:n])
	}
}

// TestKeepsCache: data is not asked for again at an open while the file has not changed, and is when it has.
func TestKeepsCache(t *testing.T) {
	t.Parallel()
	p, share, fsys := newShare(t)
	top := start(t, fsys, Config{}, wnet.MountOptions{}).Point()
	writeShare(t, share, "f", strings.Repeat("x", 100_000))
	old := time.Now().Add(-time.Hour)
	setTime := func(at time.Time) {
		t.Helper()
		if _, err := share.FS().(wnet.AttrSetter).SetAttr(context.Background(), "f", wnet.AttrChange{ModTime: &at}); err != nil {
			t.Fatal(err)
		}
	}
	setTime(old)
	var mu sync.Mutex
	reads := 0
	p.SetFault(func(_ context.Context, call mem.Call) error {
		if call.Op == "ReadAt" {
			mu.Lock()
			reads++
			mu.Unlock()
		}
		return nil
	})
	cat := func() int {
		t.Helper()
		if _, err := os.Stat(top + "/f"); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(top + "/f")
		if err != nil || len(b) != 100_000 {
			t.Fatal(len(b), err)
		}
		mu.Lock()
		defer mu.Unlock()
		return reads
	}
	first := cat()
	if again := cat(); again != first {
		t.Errorf("%d reads for the same data again", again-first)
	}
	setTime(old.Add(time.Minute))
	time.Sleep(CacheTime + 50*time.Millisecond)
	if changed := cat(); changed == first {
		t.Errorf("changed data was not read")
	}
}

// TestReadDirOnce: listing a folder with attributes asks the server once.
func TestReadDirOnce(t *testing.T) {
	p, share, fsys := newShare(t)
	m := start(t, fsys, Config{CacheTime: time.Minute}, wnet.MountOptions{})
	ctx := context.Background()
	share.FS().Mkdir(ctx, "d", 0o755)
	for i := range 500 {
		writeShare(t, share, fmt.Sprintf("d/a file with a long name, number %d", i), "x")
	}
	var mu sync.Mutex
	asked := map[string]int{}
	p.SetFault(func(_ context.Context, call mem.Call) error {
		mu.Lock()
		asked[call.Op]++
		mu.Unlock()
		return nil
	})
	out := sh(t, m.Point(), `ls -l d | wc -l`)
	mu.Lock()
	defer mu.Unlock()
	if strings.TrimSpace(out) != "501" || asked["ReadDir"] != 1 || asked["Stat"] > 5 {
		t.Errorf("%s lines, asked %v", strings.TrimSpace(out), asked)
	}
}

// TestListingIsNotNews: what was listed before a change made here does not turn the change back.
func TestListingIsNotNews(t *testing.T) {
	for _, grow := range []bool{false, true} {
		t.Run(fmt.Sprintf("grow %v", grow), func(t *testing.T) { testListing(t, grow) })
	}
}

func testListing(t *testing.T, grow bool) {
	_, share, fsys := newShare(t)
	top := start(t, fsys, Config{CacheTime: time.Minute}, wnet.MountOptions{}).Point()
	const count = 2000
	for i := range count {
		writeShare(t, share, fmt.Sprintf("a file with quite a long name so that the listing takes several requests, number %d", i), "x")
	}
	fd, err := unix.Open(top, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 64<<10)
	if n, err := unix.Getdents(fd, buf); n <= 0 || err != nil {
		t.Fatal(n, err)
	}
	// The server lists in any order: what has not come yet cannot be told, so all go or all grow.
	for i := range count {
		name := fmt.Sprintf("%s/a file with quite a long name so that the listing takes several requests, number %d", top, i)
		if !grow {
			err = os.Remove(name)
		} else {
			err = os.WriteFile(name, []byte("much longer"), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n > 0; {
		if n, err = unix.Getdents(fd, buf); err != nil {
			t.Fatal(err)
		}
	}
	for i := range count {
		name := fmt.Sprintf("%s/a file with quite a long name so that the listing takes several requests, number %d", top, i)
		var st unix.Stat_t
		err := unix.Stat(name, &st)
		if !grow && err != unix.ENOENT {
			t.Fatalf("removed file %d: got %v, want ENOENT", i, err)
		}
		if grow && (err != nil || st.Size != 11) {
			t.Fatalf("grown file %d: got %d bytes, %v", i, st.Size, err)
		}
	}
}

// TestLinkElsewhere: a file removed here lives on under the name that another client gave it.
func TestLinkElsewhere(t *testing.T) {
	_, share, fsys := newShare(t)
	top := start(t, fsys, Config{}, wnet.MountOptions{}).Point()
	writeShare(t, share, "f", "text")
	if err := share.FS().(wnet.Linker).Link(context.Background(), "f", "g"); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(top+"/f", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Remove(top + "/f"); err != nil {
		t.Fatal(err)
	}
	var open, named unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &open); err != nil || open.Nlink != 1 {
		t.Errorf("got %d links, %v, want 1", open.Nlink, err)
	}
	if err := unix.Stat(top+"/g", &named); err != nil || named.Ino != open.Ino {
		t.Errorf("got inode %d, %v, want %d", named.Ino, err, open.Ino)
	}
	f.WriteString("TEXT")
	if b, err := os.ReadFile(top + "/g"); string(b) != "TEXT" {
		t.Errorf("got %q, %v by the other name", b, err)
	}
}

// TestForgets: the kernel's references are given back.
func TestForgets(t *testing.T) {
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	sh(t, m.Point(), `mkdir -p a/b/c; for i in $(seq 50); do echo $i > a/b/f$i; done; ls -lR > /dev/null; mv a/b a/z; rm -r a`)
	deadline := time.Now().Add(10 * time.Second)
	for m.srv.tree.size() > 1 {
		if time.Now().After(deadline) {
			t.Fatalf("%d nodes are left of an empty folder", m.srv.tree.size())
		}
		time.Sleep(10 * time.Millisecond)
	}
}
