package mount

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// TestHolders: each way to use a mount refuses its end with the right code and the right name, and changes nothing.
func TestHolders(t *testing.T) {
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	top := m.Point()
	os.MkdirAll(top+"/sub/folder", 0o755)
	os.WriteFile(top+"/sub/file", make([]byte, 10000), 0o644)
	exe := top + "/sub/a-program-with-a-long-name"
	sh(t, top, "cp /bin/sleep "+exe)
	for _, c := range []struct {
		what, file string
		use        wnet.Use
		code       win32.Code
		opens      int
	}{
		{"read", "sub/file", wnet.UseRead, win32.ERROR_OPEN_FILES, 1},
		{"write", "sub/file", wnet.UseWrite, win32.ERROR_OPEN_FILES, 1},
		{"readwrite", "sub/file", wnet.UseReadWrite, win32.ERROR_OPEN_FILES, 1},
		{"folder", "sub/folder", wnet.UseFolder, win32.ERROR_OPEN_FILES, 1},
		{"folder", ".", wnet.UseFolder, win32.ERROR_OPEN_FILES, 1},
		{"path", "sub/file", wnet.UseRead, win32.ERROR_OPEN_FILES, 0},
		{"cwd", "sub/folder", wnet.UseCwd, win32.ERROR_DEVICE_IN_USE, 0},
		{"cwd", ".", wnet.UseCwd, win32.ERROR_DEVICE_IN_USE, 0},
		{"map", "sub/file", wnet.UseMap, win32.ERROR_DEVICE_IN_USE, 1},
	} {
		t.Run(c.what+" "+c.file, func(t *testing.T) {
			p := startProgram(t, c.what, filepath.Join(top, c.file))
			if n := m.Opens(); n != c.opens {
				t.Errorf("%d open handles, want %d", n, c.opens)
			}
			err := m.Unmount(t.Context())
			wantCode(t, err, c.code)
			wantHolder(t, err, p.pid(), c.file, c.use)
			if n := len(holdersOf(err)); n != 1 {
				t.Errorf("got %d holders, want 1: %+v", n, holdersOf(err))
			}
			if got, err := m.Holders(t.Context()); err != nil || len(got) != 1 || got[0].PID != p.pid() {
				t.Errorf("Holders: %+v, %v", got, err)
			}
			if _, err := os.Stat(exe); err != nil {
				t.Errorf("a refusal has changed something: %v", err)
			}
			p.stop()
		})
	}
	t.Run("exe", func(t *testing.T) {
		cmd := exec.Command("bash", "-c", `exec "$0" 1000`, exe)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { cmd.Process.Kill(); cmd.Wait() }()
		await(t, "the program to run", func() bool {
			target, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", cmd.Process.Pid))
			return target == exe
		})
		err := m.Unmount(t.Context())
		wantCode(t, err, win32.ERROR_DEVICE_IN_USE)
		wantHolder(t, err, cmd.Process.Pid, "sub/a-program-with-a-long-name", wnet.UseExe)
		if got := holdersOf(err)[0].Program; got != filepath.Base(exe) {
			t.Errorf("the program is called %q", got)
		}
	})
	t.Run("removed", func(t *testing.T) {
		p := startProgram(t, "read", top+"/sub/file")
		os.Remove(top + "/sub/file")
		err := m.Unmount(t.Context())
		wantCode(t, err, win32.ERROR_OPEN_FILES)
		wantHolder(t, err, p.pid(), "sub/file", wnet.UseRead)
		p.stop()
	})
	if got, err := m.Holders(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("Holders without any: %+v, %v", got, err)
	}
}

// TestHolderOutOfSight: a descriptor that no process shows, being on its way through a socket, is held by who opened it.
func TestHolderOutOfSight(t *testing.T) {
	t.Parallel()
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	os.WriteFile(m.Point()+"/file", nil, 0o644)
	p := startProgram(t, "pass", m.Point()+"/file")
	err := m.Unmount(t.Context())
	wantCode(t, err, win32.ERROR_OPEN_FILES)
	wantHolder(t, err, p.pid(), "file", wnet.UseRead)
	p.stop()
}

// TestHolderInAnotherNamespace: umount(2) would succeed here, while a program in another mount namespace has a file open.
func TestHolderInAnotherNamespace(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		return // only root may make such a namespace
	}
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	os.WriteFile(m.Point()+"/file", nil, 0o644)
	cmd := exec.Command("unshare", "-m", "--propagation", "private", "bash", "-c",
		`exec 3<"$0/file"; umount -l "$0"; echo ready; read line`, m.Point())
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	out.Read(make([]byte, 10))
	err := m.Unmount(t.Context())
	wantCode(t, err, win32.ERROR_OPEN_FILES)
	wantHolder(t, err, cmd.Process.Pid, "file", wnet.UseRead)
}

// TestStandingInACopy: umount(2) minds no process that stands in a bind mount of the mount, or in a copy of it in another mount
// namespace. A cancel would pull the folder away from under it. A copy where nobody stands is no reason to refuse.
func TestStandingInACopy(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		return // only root may make copies
	}
	for name, script := range map[string]string{
		"bind mount":      `mount --bind "$0" "$1" && cd "$1" && echo ready && read line; cd /; umount "$1"; echo done; read line`,
		"other namespace": `exec unshare -m --propagation private bash -c 'cd "$0/sub" && echo ready && read line; cd /; echo done; read line' "$0"`,
	} {
		t.Run(name, func(t *testing.T) {
			_, _, fsys := newShare(t)
			m := start(t, fsys, Config{}, wnet.MountOptions{})
			os.Mkdir(m.Point()+"/sub", 0o755)
			file := "."
			if name != "bind mount" {
				file = "sub"
			}
			cmd := exec.Command("bash", "-c", script, m.Point(), t.TempDir())
			in, _ := cmd.StdinPipe()
			out, _ := cmd.StdoutPipe()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer in.Close()
			line := make([]byte, 10)
			out.Read(line)
			err := m.Unmount(t.Context())
			wantCode(t, err, win32.ERROR_DEVICE_IN_USE)
			wantHolder(t, err, cmd.Process.Pid, file, wnet.UseCwd)
			fmt.Fprintln(in)
			out.Read(line)
			if err := m.Unmount(t.Context()); err != nil {
				t.Errorf("nobody stands there any more: %v %+v", err, holdersOf(err))
			}
		})
	}
}

// TestStandingThread: a thread may stand elsewhere than its process. The process is named all the same.
func TestStandingThread(t *testing.T) {
	t.Parallel()
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	os.Mkdir(m.Point()+"/sub", 0o755)
	p := startProgram(t, "cwd-thread", m.Point()+"/sub")
	err := m.Unmount(t.Context())
	wantCode(t, err, win32.ERROR_DEVICE_IN_USE)
	wantHolder(t, err, p.pid(), "sub", wnet.UseCwd)
	p.stop()
}

// TestStandingBelow: a process that stands in the folder under the mount does not use the mount.
func TestStandingBelow(t *testing.T) {
	_, _, fsys := newShare(t)
	point := filepath.Join(scratch(t), "Z")
	os.Mkdir(point, 0o755)
	p := startProgram(t, "cwd", point)
	m, err := New(Config{}).Mount(t.Context(), point, fsys, wnet.MountOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.Holders(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("Holders: %+v, %v", got, err)
	}
	if err := m.Unmount(t.Context()); err != nil {
		t.Errorf("%v %+v", err, holdersOf(err))
	}
	p.stop()
}

// await waits for something that no event tells.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// long reports whether the whole of the long tests is wanted.
func long() bool { return os.Getenv("WNET_LONG") != "" }

// openWriteClose does by system calls what a program does: no runtime in between that could keep the descriptor.
func openWriteClose(t testing.TB, path string) {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, []byte("written")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
}

// TestCloseThenCheck: of ten thousand closes, each followed at once by the question who has files open, none leaves a ghost. Half of
// the files stay in the kernel's cache, half are new.
func TestCloseThenCheck(t *testing.T) {
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	ctx := t.Context()
	ghosts := 0
	for i := range 10_000 {
		name := "the same"
		if i%2 == 0 {
			name = fmt.Sprintf("file %d", i%1000)
		}
		openWriteClose(t, m.Point()+"/"+name)
		if m.Opens() > 0 {
			ghosts++
		}
		wait, stop := context.WithTimeout(ctx, patience)
		if err := m.check(ctx, wait); err != nil {
			t.Fatalf("after %d: %v %+v", i, err, holdersOf(err))
		}
		stop()
	}
	if ghosts == 0 {
		t.Errorf("the kernel told of every close in time: this test proves nothing")
	}
	t.Logf("%d of 10000 closes were told only after close(2) had returned", ghosts)
}

// TestCloseThenUnmount is the same through the whole of Unmount.
func TestCloseThenUnmount(t *testing.T) {
	_, share, fsys := newShare(t)
	cycles := 200
	if long() {
		cycles = 10_000
	}
	b := New(Config{Logger: testLog(t)})
	point := filepath.Join(scratch(t), "Z")
	for i := range cycles {
		m, err := b.Mount(t.Context(), point, fsys, wnet.MountOptions{})
		if err != nil {
			t.Fatal(err)
		}
		openWriteClose(t, point+"/f")
		if err := m.Unmount(t.Context()); err != nil {
			m.ForceUnmount(t.Context())
			t.Fatalf("after %d: %v %+v", i, err, holdersOf(err))
		}
		if n := share.OpenFiles(); n != 0 {
			t.Fatalf("after %d: %d files are open on the server", i, n)
		}
	}
}

// TestOpenAgainstUnmount: a program that opens a file while the mount goes either has it, and the mount stays, or has not.
func TestOpenAgainstUnmount(t *testing.T) {
	t.Parallel()
	_, _, fsys := newShare(t)
	b := New(Config{Logger: testLog(t)})
	point := filepath.Join(scratch(t), "Z")
	kept, lost := 0, 0
	for range 40 {
		m, err := b.Mount(t.Context(), point, fsys, wnet.MountOptions{})
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(point+"/f", []byte("text"), 0o644)
		opened := make(chan int)
		go func() {
			fd, err := unix.Open(point+"/f", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				fd = -1
			}
			opened <- fd
		}()
		err = m.Unmount(t.Context())
		fd := <-opened
		switch {
		case err == nil && fd >= 0:
			t.Fatal("the mount went away under an open file")
		case err != nil && fd < 0:
			t.Fatalf("nobody had the file: %v %+v", err, holdersOf(err))
		case err != nil:
			kept++
			wantCode(t, err, win32.ERROR_OPEN_FILES)
			if n, err := unix.Pread(fd, make([]byte, 10), 0); n != 4 || err != nil {
				t.Fatalf("the file that was kept reads %d, %v", n, err)
			}
			unix.Close(fd)
			takeDown(t, m)
		default:
			lost++
		}
	}
	t.Logf("the program came first %d times of %d", kept, kept+lost)
}

// TestManyUnmounts: of a hundred at once, the mount ends once and none fails.
func TestManyUnmounts(t *testing.T) {
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	errs := make(chan error)
	for range 100 {
		go func() { errs <- m.Unmount(context.Background()) }()
	}
	for range 100 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	<-m.Done()
}

// TestUnmountGivenUp: the caller's context ends the wait, and nothing has changed.
func TestUnmountGivenUp(t *testing.T) {
	t.Parallel()
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	os.WriteFile(m.Point()+"/file", nil, 0o644)
	p := startProgram(t, "pass", m.Point()+"/file") // makes Unmount wait
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	err := m.Unmount(ctx)
	wantCode(t, err, win32.ERROR_BUSY)
	if _, err := os.Stat(m.Point() + "/file"); err != nil {
		t.Error(err)
	}
	p.stop()
}

// TestCycles: mounts leave nothing behind in this process or in the kernel.
func TestCycles(t *testing.T) {
	_, share, fsys := newShare(t)
	cycles := 50
	if long() {
		cycles = 1000
	}
	b := New(Config{})
	point := filepath.Join(scratch(t), "Z")
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(fds)
	}
	before := 0
	for i := range cycles {
		m, err := b.Mount(t.Context(), point, fsys, wnet.MountOptions{})
		if err != nil {
			t.Fatal(err)
		}
		openWriteClose(t, point+"/f")
		os.ReadDir(point)
		if i%2 == 0 {
			err = m.Unmount(t.Context())
		} else {
			_, err = m.ForceUnmount(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		if i == 10 {
			before = count()
		}
	}
	await(t, "descriptors to be given back", func() bool { return count() <= before+2 })
	if n := share.OpenFiles(); n != 0 {
		t.Errorf("%d files are open on the server", n)
	}
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	if strings.Contains(string(mounts), point) {
		t.Error("a mount is left")
	}
}

// A program whose request the server does not answer is in the way without anything open: the refusal names it (CC-16: "requests pending").
func TestPendingRequestIsNamed(t *testing.T) {
	t.Parallel()
	p, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	resume := sync.OnceFunc(p.Stall())
	t.Cleanup(resume)
	asks := exec.Command("stat", m.Point()+"/not looked up before")
	if err := asks.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { asks.Process.Kill(); asks.Wait() })
	await(t, "the request", func() bool { return len(m.srv.gate.asking()) > 0 })
	err := m.Unmount(t.Context())
	wantCode(t, err, win32.ERROR_OPEN_FILES)
	wantHolder(t, err, asks.Process.Pid, ".", wnet.UsePending)
	if e := (*wnet.Error)(nil); errors.As(err, &e) && e.Err != nil {
		t.Errorf("the holder says all: %v", e.Err)
	}
	resume()
	asks.Wait()
	if err := m.Unmount(t.Context()); err != nil {
		t.Error(err)
	}
}
