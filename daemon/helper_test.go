package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/client"
	"github.com/openwnet/wnet/daemon"
	"github.com/openwnet/wnet/paths"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/win32"
)

// TestMain is the daemon itself when the test program runs under the name wnet.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "wnet" && len(os.Args) == 2 && os.Args[1] == "daemon" {
		net := mem.New(mem.Options{})
		for i := range 10 {
			net.AddShare("nas", fmt.Sprintf("share%d", i), mem.ShareOptions{Users: map[string]string{"anna": "sesame"}})
		}
		for i := range 300 {
			net.AddShare("nas", fmt.Sprintf("open%d", i), mem.ShareOptions{})
		}
		if err := daemon.Run(context.Background(), daemon.Config{Providers: []wnet.Provider{net}, Version: "0.0.test"}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// house is a user's home and private folders, with this test program as wnet.
type house struct {
	t       *testing.T
	dir     string
	program string
	paths   paths.Paths
}

// newHouse makes one and moves the test into it. The daemons that run there at the end are stopped, and no mount may be left.
func newHouse(t *testing.T) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{t: t, dir: dir, program: filepath.Join(dir, "bin", "wnet")}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(self, h.program); err != nil { // another file system
		b, err := os.ReadFile(self)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(h.program, b, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	run := filepath.Join(dir, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"HOME": dir, "XDG_RUNTIME_DIR": run, "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "", "XDG_STATE_HOME": "",
		"WNET_ROOT": "", "WNET_SOCKET": "", "WNET_SESSION": "", "DBUS_SESSION_BUS_ADDRESS": "",
		"GORACE": "atexit_sleep_ms=0", "WNET_DEBUG": "1"} {
		t.Setenv(k, v)
	}
	if h.paths, err = paths.Find(); err != nil || !strings.HasPrefix(h.paths.Socket, run) {
		t.Fatal(h.paths, err)
	}
	t.Cleanup(h.close)
	return h
}

func (h *house) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := client.Stop(ctx, client.Options{}); err != nil {
		h.t.Errorf("Stop: %v", err)
	}
	for _, m := range h.mounts() {
		h.t.Errorf("the mount %s is left", m)
		syscall.Unmount(m, syscall.MNT_DETACH)
	}
	log, _ := os.ReadFile(h.paths.Log())
	if strings.Contains(string(log), "DATA RACE") || h.t.Failed() {
		h.t.Errorf("the daemon's log:\n%s", log)
	}
	for _, secret := range []string{"sesame", "t0ken"} {
		if strings.Contains(string(log), secret) {
			h.t.Errorf("the log holds the secret %s", secret)
		}
	}
}

func (h *house) mounts() (all []string) {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		if f := strings.Fields(line); len(f) > 2 && strings.HasPrefix(f[1], h.dir) {
			all = append(all, f[1])
		}
	}
	return all
}

// dial connects and starts the daemon if need be.
func (h *house) dial() *client.Client {
	h.t.Helper()
	c, err := client.Dial(h.t.Context(), client.Options{Program: h.program})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c
}

func (h *house) pid(c *client.Client) int {
	h.t.Helper()
	v, err := c.Version(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return v.PID
}

// add maps a device to a share of the test's network.
func (h *house) add(c wnet.Service, device string, share int, flags uint32) {
	h.t.Helper()
	err := c.AddConnection(h.t.Context(), wnet.AddRequest{LocalName: device, RemoteName: fmt.Sprintf(`\\nas\share%d`, share),
		Type: win32.RESOURCETYPE_DISK, User: "anna", Password: wnet.NewSecret("sesame"), Flags: flags})
	if err != nil {
		h.t.Fatal(err)
	}
}

// ready reports how often a daemon was ready, by its log.
func (h *house) ready() int {
	b, _ := os.ReadFile(h.paths.Log())
	return strings.Count(string(b), "msg=ready")
}

// kill ends the daemon as a crash would and waits until it is gone.
func (h *house) kill(pid int, sig syscall.Signal) {
	h.t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := syscall.Kill(pid, sig); err != nil {
		h.t.Fatal(err)
	}
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 30_000); n != 1 {
		h.t.Fatalf("the daemon is still there: %v", err)
	}
}

func (h *house) eventually(what string, ok func() bool) {
	h.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// process is a daemon that the test itself runs.
type process struct {
	*exec.Cmd
	out  *output
	done chan struct{}
	err  error // after done
}

type output struct {
	mu sync.Mutex // guards b
	b  strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// run starts `wnet daemon` in the foreground.
func (h *house) run(change func(*exec.Cmd)) *process {
	h.t.Helper()
	p := &process{Cmd: exec.Command(h.program, "daemon"), out: &output{}, done: make(chan struct{})}
	p.Stdout, p.Stderr = p.out, p.out
	if change != nil {
		change(p.Cmd)
	}
	if err := p.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() {
		p.err = p.Wait()
		close(p.done)
	}()
	h.t.Cleanup(func() {
		select {
		case <-p.done:
		case <-time.After(20 * time.Second):
			p.Process.Kill()
			h.t.Errorf("the daemon had to be killed:\n%s", p.out)
		}
	})
	return p
}

// exit waits for the end and gives the status.
func (p *process) exit() int {
	<-p.done
	var failed *exec.ExitError
	if errors.As(p.err, &failed) {
		return failed.ExitCode()
	}
	return 0
}
