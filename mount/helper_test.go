package mount

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// logWriter gives log lines to a test that still runs.
type logWriter struct {
	mu sync.Mutex
	t  testing.TB
}

func (w *logWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.t != nil {
		w.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

func (w *logWriter) stop() {
	w.mu.Lock()
	w.t = nil
	w.mu.Unlock()
}

// helper is the program side: it does one thing to a file, says "ready", waits for its standard input to end, then does the rest.
func helper(what string, args []string) int {
	ready := func() {
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
	}
	check := func(err error) {
		if err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
	}
	switch what {
	case "read", "write", "readwrite", "folder", "path":
		flag := map[string]int{"read": unix.O_RDONLY, "write": unix.O_WRONLY, "readwrite": unix.O_RDWR, "folder": unix.O_RDONLY,
			"path": unix.O_PATH}[what]
		fd, err := unix.Open(args[0], flag, 0)
		check(err)
		ready()
		unix.Close(fd)
	case "cwd":
		check(os.Chdir(args[0]))
		ready()
	case "cwd-thread": // a thread with a working directory of its own
		stands := make(chan error)
		var stand func()
		stand = func() {
			runtime.LockOSThread()
			if unix.Gettid() == os.Getpid() {
				go stand() // this one shows as the process; it stays locked, so that another thread comes next
				select {}
			}
			err := unix.Unshare(unix.CLONE_FS)
			if err == nil {
				err = unix.Chdir(args[0])
			}
			stands <- err
			select {}
		}
		go stand()
		check(<-stands)
		ready()
	case "map", "dirty":
		fd, err := unix.Open(args[0], unix.O_RDWR, 0)
		check(err)
		b, err := unix.Mmap(fd, 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		check(err)
		unix.Close(fd)
		if what == "dirty" {
			copy(b[4096:], "dirty page")
		}
		ready()
		_ = b
	case "mmap-check": // shared and private mappings read and write what the file holds
		fd, err := unix.Open(args[0], unix.O_RDWR, 0)
		check(err)
		shared, err := unix.Mmap(fd, 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		check(err)
		private, err := unix.Mmap(fd, 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
		check(err)
		if string(shared[:3]) != "abc" || string(private[:3]) != "abc" {
			check(errors.New("a mapping does not show the file"))
		}
		copy(private, "private")
		copy(shared[10:], "shared")
		check(unix.Msync(shared, unix.MS_SYNC))
		got := make([]byte, 16)
		_, err = unix.Pread(fd, got, 0)
		check(err)
		if string(got[:3]) != "abc" || string(got[10:16]) != "shared" {
			check(fmt.Errorf("the file holds %q", got))
		}
		check(unix.Munmap(shared))
		check(unix.Munmap(private))
	case "pass": // opens a file and leaves its descriptor in a socket, where nobody sees it
		fd, err := unix.Open(args[0], unix.O_RDONLY, 0)
		check(err)
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		check(err)
		check(unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(fd), nil, 0))
		unix.Close(fd)
		ready()
	case "late-io": // after the wait, reads and writes through what it opened before; says how each ended
		fd, err := unix.Open(args[0], unix.O_RDWR, 0)
		check(err)
		ready()
		_, err = unix.Pwrite(fd, []byte("late"), 0)
		fmt.Println("write", err == syscall.EIO, err)
		var st unix.Stat_t
		err = unix.Fstat(fd, &st)
		fmt.Println("fstat", err == syscall.EIO, err)
	case "lock": // locks the file's first byte for itself alone, whether or not it has to wait, and says so
		fd, err := unix.Open(args[0], unix.O_RDWR, 0)
		check(err)
		l := unix.Flock_t{Type: unix.F_WRLCK, Len: 1}
		if args[1] == "wait" {
			ready()
		}
		check(unix.FcntlFlock(uintptr(fd), unix.F_SETLKW, &l))
		if args[1] != "wait" {
			ready()
		}
		fmt.Println("locked")
	case "serve":
		check(serveForever(args))
		ready()
	case "append":
		fd, err := unix.Open(args[0], unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND, 0o644)
		check(err)
		for i := range 200 {
			_, err := unix.Write(fd, fmt.Appendf(nil, "%s %03d\n", args[1], i))
			check(err)
		}
		check(unix.Close(fd))
	default:
		fmt.Println("failed: no such helper")
		return 2
	}
	return 0
}

// program is a running helper.
type program struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	end sync.Once
	err error
}

// startProgram starts a helper and waits until it is ready.
func startProgram(t testing.TB, what string, args ...string) *program {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{cmd: exec.Command(exe, args...)}
	p.cmd.Env = append(os.Environ(), helperEnv+"="+what, "GORACE=atexit_sleep_ms=0")
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop() })
	line, _ := p.out.ReadString('\n')
	if line != "ready\n" {
		t.Fatalf("the helper %s says %q", what, line)
	}
	return p
}

// stop lets the helper go on and returns what it says then.
func (p *program) stop() string {
	var rest []byte
	p.end.Do(func() {
		p.in.Close()
		rest, _ = io.ReadAll(p.out)
		p.err = p.cmd.Wait()
	})
	return string(rest)
}

func (p *program) pid() int { return p.cmd.Process.Pid }

// runHelperProgram runs a helper that does not wait.
func runHelperProgram(t testing.TB, what string, args ...string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), helperEnv+"="+what, "GORACE=atexit_sleep_ms=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", what, err, out)
	}
}

func ptr(b []byte) unsafe.Pointer { return unsafe.Pointer(&b[0]) }

// background starts a command; the test waits for it.
func background(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return cmd
}
