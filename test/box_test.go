// Package test proves wnet end to end: the real binary, a daemon of its own in a private folder, a real smbd and sshd, real FUSE mounts.
package test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/client"
	"github.com/openwnet/wnet/test/rig"
)

// program is the real binary, built with the race detector.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "wnetbin")
	if err != nil {
		panic(err)
	}
	os.Chmod(dir, 0o755)
	program = filepath.Join(dir, "wnet")
	build := exec.Command("go", "build", "-race", "-o", program, "../cmd/wnet")
	build.Stderr = os.Stderr
	code := 1
	if build.Run() == nil {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// box is one user's private world: home, runtime folder, daemon. It checks at its end that nothing is left of it.
type box struct {
	t    testing.TB
	dir  string
	home string
	uid  int
	gid  int
	env  []string
}

// newBox makes a box of root's own.
func newBox(t testing.TB) *box { return newBoxFor(t, 0, 0) }

// newBoxFor makes a box of another user, whom the tests must be root to become.
func newBoxFor(t testing.TB, uid, gid int) *box {
	t.Helper()
	// Not t.TempDir: a socket's path may not be longer than 107 bytes.
	dir, err := os.MkdirTemp("", "wnbox")
	if err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, dir: dir, home: filepath.Join(dir, "home"), uid: uid, gid: gid}
	for _, d := range []string{dir, b.home, filepath.Join(dir, "run"), filepath.Join(dir, "tmp")} {
		if err := errors.Join(os.MkdirAll(d, 0o700), os.Chown(d, uid, gid)); err != nil {
			t.Fatal(err)
		}
	}
	name := "root"
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		name = u.Username
	}
	b.env = []string{
		"HOME=" + b.home, "XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"), "TMPDIR=" + filepath.Join(dir, "tmp"),
		"USER=" + name, "LOGNAME=" + name, "LANG=C.UTF-8", "PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"),
		"GORACE=halt_on_error=1 atexit_sleep_ms=0", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
	}
	t.Cleanup(b.close)
	return b
}

// close stops the daemon and checks that it left neither process nor mount.
func (b *box) close() {
	b.t.Helper()
	if pid := b.daemon(); pid != 0 {
		if r := b.run("stop"); r.code != 0 {
			b.t.Errorf("wnet stop: %v", r)
		}
		if !b.until(20*time.Second, func() bool { return !alive(pid) }) {
			b.t.Errorf("the daemon (pid %d) is still there after stop", pid)
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if left := b.mounts(); len(left) > 0 {
		b.t.Errorf("mounts are left: %v", left)
		for _, m := range left {
			syscall.Unmount(m, syscall.MNT_DETACH)
		}
	}
	if b.t.Failed() {
		logs, _ := filepath.Glob(filepath.Join(b.home, ".local/state/wnet/*"))
		for _, f := range logs {
			if data, err := os.ReadFile(f); err == nil && len(data) > 0 {
				b.t.Logf("%s:\n%s", f, data[max(0, len(data)-6000):])
			}
		}
	} else if data, err := os.ReadFile(filepath.Join(b.home, ".local/state/wnet/daemon.log")); err == nil && bytes.Contains(data, []byte("DATA RACE")) {
		b.t.Errorf("the daemon has a data race:\n%s", data)
	}
	if err := os.RemoveAll(b.dir); err != nil {
		b.t.Errorf("the box could not be removed: %v", err)
	}
}

func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// until polls for what no event tells, and reports whether it came true.
func (b *box) until(limit time.Duration, what func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if what() {
			return true
		}
	}
	return what()
}

// mounts lists the mount points below the box.
func (b *box) mounts() []string {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		b.t.Fatal(err)
	}
	var list []string
	for _, line := range strings.Split(string(data), "\n") {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], b.dir+"/") {
			list = append(list, f[4])
		}
	}
	return list
}

// daemon is the pid of the box's daemon, found by its peer credentials; 0 if none answers.
func (b *box) daemon() int {
	c, err := net.Dial("unix", b.socket())
	if err != nil {
		return 0
	}
	defer c.Close()
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0
	}
	pid := 0
	raw.Control(func(fd uintptr) {
		if cred, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED); err == nil {
			pid = int(cred.Pid)
		}
	})
	return pid
}

func (b *box) socket() string  { return filepath.Join(b.dir, "run", "wnet", "wnet.sock") }
func (b *box) profile() string { return filepath.Join(b.home, ".config", "wnet", "profile.toml") }

// drive is the folder of a device, or a path in it.
func (b *box) drive(parts ...string) string {
	return filepath.Join(append([]string{b.home, "wnet"}, parts...)...)
}

// result is what a command did.
type result struct {
	args     []string
	out, err string
	code     int
}

func (r result) String() string {
	return fmt.Sprintf("%q: exit %d\n--- stdout\n%s--- stderr\n%s", r.args, r.code, r.out, r.err)
}

// command prepares a program in the box, as its user.
func (b *box) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = b.env
	cmd.Dir = b.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if b.uid != os.Getuid() {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(b.uid), Gid: uint32(b.gid)}
	}
	return cmd
}

// exec runs a program to its end.
func (b *box) exec(stdin, name string, args ...string) result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Second)
	defer cancel()
	cmd := b.command(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	r := result{args: append([]string{filepath.Base(name)}, args...), out: out.String(), err: errs.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	case err != nil:
		b.t.Fatalf("%v: %v", r, err)
	}
	if ctx.Err() != nil {
		b.t.Fatalf("did not end: %v", r)
	}
	return r
}

// run runs wnet with nothing on its standard input.
func (b *box) run(args ...string) result { b.t.Helper(); return b.exec("", program, args...) }

// ok runs wnet and wants success.
func (b *box) ok(args ...string) result {
	b.t.Helper()
	r := b.run(args...)
	if r.code != 0 {
		b.t.Fatalf("wanted success: %v", r)
	}
	return r
}

// fails runs wnet and wants a Win32 code.
func (b *box) fails(code int, args ...string) result {
	b.t.Helper()
	r := b.run(args...)
	if want := fmt.Sprintf("System error %d has occurred.", code); r.code != 2 || !strings.Contains(r.out+r.err, want) {
		b.t.Fatalf("wanted %q and exit 2: %v", want, r)
	}
	return r
}

// sh runs a shell script in the box and wants success.
func (b *box) sh(script string) string {
	b.t.Helper()
	r := b.exec("", "/bin/sh", "-euc", script)
	if r.code != 0 {
		b.t.Fatalf("wanted success: %v", r)
	}
	return r.out
}

// client is a connection to the box's daemon through the Go client. It is for a box of the tester's own user.
func (b *box) client() *client.Client {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b.ok("version") // starts nothing by itself; the next line needs a running daemon
	b.ok("list")
	c, err := client.Dial(ctx, client.Options{Socket: b.socket()})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return c
}

// connections is `wnet list --json`.
func (b *box) connections() []wnet.Connection {
	b.t.Helper()
	var list struct {
		Connections []wnet.Connection `json:"connections"`
	}
	r := b.ok("list", "--json")
	if err := json.Unmarshal([]byte(r.out), &list); err != nil {
		b.t.Fatalf("%v: %v", err, r)
	}
	return list.Connections
}

// connection finds a device in the list.
func (b *box) connection(device string) (wnet.Connection, bool) {
	b.t.Helper()
	for _, c := range b.connections() {
		if c.Device == device {
			return c, true
		}
	}
	return wnet.Connection{}, false
}

// holder starts a process that keeps a file of the mount open until it is ended, and returns when it has it.
func (b *box) holder(script string) *exec.Cmd {
	b.t.Helper()
	cmd := b.command(context.Background(), "/bin/sh", "-euc", script+"\necho ready\nexec sleep 1000")
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	var errs bytes.Buffer // never the test's own: a process that is left over would keep go test waiting for its end
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	line := make([]byte, 6)
	if _, err := io.ReadFull(out, line); err != nil || string(line) != "ready\n" {
		cmd.Wait()
		b.t.Fatalf("the holder did not start: %q %v\n%s", line, err, errs.Bytes())
	}
	b.t.Cleanup(func() { end(cmd) })
	return cmd
}

// end ends a process that the test started, and waits for it.
func end(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// target is a share on a real server, and how a box's user reaches it.
type target struct {
	network string // the provider's name
	remote  string // as a person types it
	unc     string // as wnet shows it
	other   string // a second resource on the same server, as typed
	use     []string
	stdin   string
	root    string // the share's folder on the server
	stop    func()
	start   func()
	freeze  func()
	thaw    func()
}

// targets are the networks that every test of the heart runs over.
var targets = map[string]func(b *box) target{"smb": smbTarget, "sftp": sftpTarget}

// over runs a test over each network.
func over(t *testing.T, run func(t *testing.T, b *box, s target)) {
	for name, make := range targets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			run(t, b, make(b))
		})
	}
}

func smbTarget(b *box) target {
	s := rig.Smbd(b.t, rig.SMBOptions{Shares: map[string][]string{"more": {"read only = no"}}})
	return target{
		network: "Microsoft Windows Network",
		remote:  fmt.Sprintf("smb://%s:%d/data", s.Host(), s.Port()),
		unc:     `\\` + s.Host() + `\data`,
		other:   fmt.Sprintf("smb://%s:%d/more", s.Host(), s.Port()),
		use:     []string{"/user:" + s.User(), "--password-stdin"},
		stdin:   s.Password() + "\n",
		root:    s.Root("data"),
		stop:    s.Stop, start: s.Start, freeze: s.Freeze, thaw: s.Thaw,
	}
}

func sftpTarget(b *box) target {
	s := rig.Sshd(b.t, rig.SSHOptions{})
	b.trust(s)
	data, other := filepath.Join(s.Root, "data"), filepath.Join(s.Root, "more")
	for _, d := range []string{data, other} {
		if err := errors.Join(os.Mkdir(d, 0o777), os.Chmod(d, 0o777)); err != nil {
			b.t.Fatal(err)
		}
	}
	at := fmt.Sprintf("sftp://%s@%s:%d", s.User, s.Host, s.Port)
	return target{
		network: "SSH File Transfer Network",
		remote:  at + data,
		unc:     fmt.Sprintf(`\\sshfs.r\%s@%s!%d`, s.User, s.Host, s.Port) + strings.ReplaceAll(data, "/", `\`),
		other:   at + other,
		root:    data,
		stop:    s.Stop, start: s.Start, freeze: s.Freeze, thaw: s.Thaw,
	}
}

// trust gives the box's user the key that the server takes, and the server's key as known.
func (b *box) trust(s *rig.SSHServer) {
	dir := filepath.Join(b.home, ".ssh")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.t.Fatal(err)
	}
	os.Chown(dir, b.uid, b.gid)
	for from, to := range map[string]string{s.IdentityFile: "id_ed25519", s.KnownHosts: "known_hosts"} {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), data, 0o600)
		}
		if err != nil {
			b.t.Fatal(err)
		}
		os.Chown(filepath.Join(dir, to), b.uid, b.gid)
	}
}

// mapTo maps a device to the target's share, with more options.
func (b *box) mapTo(device string, s target, more ...string) result {
	b.t.Helper()
	return b.use(device, s.remote, s, more...)
}

// use runs `wnet use` for a remote name on the target's server and wants success.
func (b *box) use(device, remote string, s target, more ...string) result {
	b.t.Helper()
	r := b.tryUse(device, remote, s, more...)
	if r.code != 0 {
		b.t.Fatalf("wanted success: %v", r)
	}
	return r
}

func (b *box) tryUse(device, remote string, s target, more ...string) result {
	b.t.Helper()
	args := []string{"use"}
	if device != "" {
		args = append(args, device)
	}
	args = append(append(append(args, remote), s.use...), more...)
	return b.exec(s.stdin, program, args...)
}

// write makes a file on the server behind wnet's back.
func (s target) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.root, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// read reads a file on the server behind wnet's back.
func (s target) read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
