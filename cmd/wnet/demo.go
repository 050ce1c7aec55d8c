package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show the main job in a private world, and clean up",
		Long: `demo maps a folder, works on it, and gives it up, with a daemon, a server and a home folder of its own, all of which are gone
afterwards. Each step is printed as the command that a person would type, with what it really printed. It ends with status 2 if
any step does not do what it should.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context()) },
	}
}

// demoLimit bounds the whole demonstration.
const demoLimit = 2 * time.Minute

// demo is one demonstration: a home folder of its own in which everything happens.
type demo struct {
	a     *app
	ctx   context.Context
	dir   string // holds all that the demonstration makes
	home  string
	env   []string
	progs []*exec.Cmd // in the background
	pipes []*os.File  // their standard outputs
}

func (a *app) demo(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, demoLimit)
	defer cancel()
	dir, err := os.MkdirTemp("", "wnet") // short: a socket's path may have 107 bytes
	if err != nil {
		return err
	}
	d := &demo{a: a, ctx: ctx, dir: dir, home: filepath.Join(dir, "home")}
	defer func() {
		if bad := d.clean(); bad != nil && err == nil {
			err = bad
		}
	}()
	if err := d.prepare(); err != nil {
		return err
	}
	if err := d.tell(); err != nil {
		return err
	}
	a.printf("\nEvery step did what it should. The demonstration's folder is removed.\n")
	return nil
}

// prepare makes the home folder: a key to log in with, a folder to serve, and wnet in the path.
func (d *demo) prepare() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, sub := range []string{"bin", "run", "home/.ssh", "home/films"} {
		if err := os.MkdirAll(filepath.Join(d.dir, sub), 0o700); err != nil {
			return err
		}
	}
	if err := os.Symlink(self, filepath.Join(d.dir, "bin", "wnet")); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.home, "films", "README.txt"), []byte("Films of the demonstration.\n"), 0o600); err != nil {
		return err
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(key, "wnet demo")
	if err != nil {
		return err
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		return err
	}
	id := filepath.Join(d.home, ".ssh", "id_ed25519")
	if err := os.WriteFile(id, pem.EncodeToMemory(block), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(id+".pub", ssh.MarshalAuthorizedKey(sshPub), 0o600); err != nil {
		return err
	}
	// Nothing of the person's own is touched: neither their daemon and drives, nor their keys, agent and keyring.
	own := []string{"HOME=" + d.home, "XDG_RUNTIME_DIR=" + filepath.Join(d.dir, "run"), "WNET_ROOT=" + filepath.Join(d.home, "wnet"),
		"PATH=" + filepath.Join(d.dir, "bin") + ":" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "NO_COLOR=1"}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch {
		case strings.HasPrefix(name, "XDG_"), strings.HasPrefix(name, "WNET_"), strings.HasPrefix(name, "LC_"):
		case name == "HOME", name == "PATH", name == "NO_COLOR", name == "SSH_AUTH_SOCK", name == "DBUS_SESSION_BUS_ADDRESS", name == "KRB5CCNAME":
		default:
			d.env = append(d.env, v)
		}
	}
	d.env = append(d.env, own...)
	return nil
}

// tell runs the steps.
func (d *demo) tell() error {
	d.say("A folder to map: wnet serves one itself, so that no server is needed.")
	shared, err := d.background("wnet share ~/films --user demo --authorized-keys ~/.ssh/id_ed25519.pub", "Map it with:\n  ")
	if err != nil {
		return err
	}
	m := regexp.MustCompile(`wnet use Z: (\S+ --accept-host-key=\S+)`).FindStringSubmatch(shared)
	if m == nil {
		return d.wrong("share printed no command")
	}
	steps := []struct {
		say, command string
		status       int
		want         []string
	}{
		{"Map it. The first command starts the daemon; no root, no fstab.",
			"wnet use Z: " + m[1] + " /persistent:no", 0, []string{"The command completed successfully."}},
		{"Every program reads and writes it, through the kernel.",
			"cat ~/wnet/Z/README.txt && echo 'seen by all' >~/wnet/Z/notes.txt && cat ~/films/notes.txt", 0,
			[]string{"Films of the demonstration.\n", "seen by all\n"}},
		{"What is connected, as net use shows it, and for people.", "wnet use && wnet list", 0,
			[]string{"OK           Z:        ", "DRIVE", "~/wnet/Z"}},
	}
	for _, s := range steps {
		if _, err := d.step(s.say, s.command, s.status, s.want...); err != nil {
			return err
		}
	}
	d.say("A program holds a file open, so the drive is not given up, and wnet says who holds what.")
	if _, err := d.background("tail -f ~/wnet/Z/notes.txt", "seen by all\n"); err != nil {
		return err
	}
	holder := fmt.Sprintf("tail (pid %d, user ", d.progs[len(d.progs)-1].Process.Pid)
	for _, s := range []struct {
		say, command string
		status       int
		want         []string
	}{
		{"", "wnet cancel Z:", 2, []string{"System error 2401 has occurred.", holder, "has notes.txt open for reading"}},
		{"By force it goes, whoever holds it.", "wnet cancel Z: --force && ls ~/wnet", 0, []string{"Z: is cancelled."}},
		{"Remembered, a drive comes back after whatever happens to the daemon.",
			"wnet use Z: " + strings.Fields(m[1])[0] + " /persistent:yes && cat ~/wnet/Z/notes.txt", 0, []string{"seen by all\n"}},
	} {
		if _, err := d.step(s.say, s.command, s.status, s.want...); err != nil {
			return err
		}
	}
	pid, err := d.daemon()
	if err != nil {
		return err
	}
	if _, err := d.step("", fmt.Sprintf("kill -9 %d   # the daemon", pid), 0); err != nil {
		return err
	}
	if err := gone(d.ctx, pid); err != nil {
		return err
	}
	if _, err := d.step("The next command starts it again.", "wnet use && cat ~/wnet/Z/notes.txt", 0, "Z:        ", "seen by all\n"); err != nil {
		return err
	}
	if again, err := d.daemon(); err != nil || again == pid {
		return d.wrong(fmt.Sprintf("the daemon was not started again: pid %d, %v", again, err))
	}
	_, err = d.step("Give it up and forget it.", "wnet use Z: /delete && wnet use && wnet stop", 0,
		"Z: was deleted successfully.", "There are no entries in the list.", "The daemon is stopped.")
	return err
}

func (d *demo) say(text string) {
	if text != "" {
		d.a.printf("\n# %s\n", text)
	}
}

func (d *demo) wrong(text string) error {
	return fmt.Errorf("the demonstration failed: %s", text)
}

// shell prepares a command line in the demonstration's world.
func (d *demo) shell(command string) *exec.Cmd {
	cmd := exec.CommandContext(d.ctx, "/bin/sh", "-c", command)
	cmd.Env, cmd.Dir = d.env, d.home
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// step prints a command, runs it, prints what it printed, and checks status and output.
func (d *demo) step(say, command string, status int, want ...string) (string, error) {
	d.say(say)
	d.a.printf("$ %s\n", command)
	cmd := d.shell(command)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	d.a.printf("%s", out.String())
	var exit *exec.ExitError
	switch {
	case d.ctx.Err() != nil:
		return "", d.wrong("a command did not end")
	case err != nil && !errors.As(err, &exit):
		return "", d.wrong(err.Error())
	case cmd.ProcessState.ExitCode() != status:
		return "", d.wrong(fmt.Sprintf("%q ended with status %d, not %d", command, cmd.ProcessState.ExitCode(), status))
	}
	for _, w := range want {
		if !strings.Contains(out.String(), w) {
			return "", d.wrong(fmt.Sprintf("%q did not print %q", command, w))
		}
	}
	return out.String(), nil
}

// background starts a command as with &, and waits until it has printed a line that goes on from text. It returns what was printed.
func (d *demo) background(command, until string) (string, error) {
	d.a.printf("$ %s &\n", command)
	cmd := d.shell("exec " + command)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &errs
	err = cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return "", d.wrong(err.Error())
	}
	d.pipes = append(d.pipes, r) // tail ends when nobody reads what it prints
	d.progs = append(d.progs, cmd)
	stop := context.AfterFunc(d.ctx, func() { r.SetReadDeadline(time.Now()) })
	defer stop()
	var out strings.Builder
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		out.WriteString(line)
		d.a.printf("%s", line)
		if err != nil {
			return "", d.wrong(fmt.Sprintf("%q ended too early", command))
		}
		if i := strings.Index(out.String(), until); i >= 0 && strings.HasSuffix(out.String(), "\n") && (strings.HasSuffix(until, "\n") || len(out.String()) > i+len(until)) {
			return out.String(), nil
		}
	}
}

// daemon asks which process the daemon is.
func (d *demo) daemon() (int, error) {
	out, err := d.shell("exec wnet version --json").Output()
	var v versions
	if err == nil {
		err = json.Unmarshal(out, &v)
	}
	if err == nil && v.Daemon == nil {
		err = errors.New("no daemon runs")
	}
	if err != nil {
		return 0, d.wrong(err.Error())
	}
	return v.Daemon.PID, nil
}

// gone waits until a process that is no child has ended.
func gone(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100)
		if n > 0 || err != nil && err != unix.EINTR {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("process %d does not end", pid)
		}
	}
}

// clean ends what runs and removes what was made, also after a failure.
func (d *demo) clean() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	d.ctx = ctx
	var first error
	keep := func(err error) {
		if err != nil && first == nil {
			first = d.wrong(err.Error())
		}
	}
	// Programs that hold files go first, the share, which was started first, last.
	for i := len(d.progs) - 1; i >= 1; i-- {
		d.end(d.progs[i])
	}
	if _, err := os.Stat(filepath.Join(d.dir, "bin", "wnet")); err == nil {
		if pid, err := d.daemon(); err == nil {
			keep(d.shell("exec wnet stop").Run())
			if bad := gone(ctx, pid); bad != nil {
				syscall.Kill(pid, syscall.SIGKILL)
				keep(bad)
			}
		}
	}
	if len(d.progs) > 0 {
		d.end(d.progs[0])
	}
	for _, r := range d.pipes {
		r.Close()
	}
	for _, point := range mountsBelow(d.dir) {
		keep(fmt.Errorf("the mount %s was left", point))
		if syscall.Unmount(point, syscall.MNT_DETACH) != nil {
			exec.CommandContext(ctx, "fusermount3", "-uz", point).Run()
		}
	}
	if left := mountsBelow(d.dir); len(left) > 0 { // removing would reach into them
		return d.wrong(fmt.Sprintf("%s stays, since %s is still mounted", d.dir, left[0]))
	}
	keep(os.RemoveAll(d.dir))
	return first
}

func (d *demo) end(cmd *exec.Cmd) {
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
}

// mountsBelow lists the mounts under a folder.
func mountsBelow(dir string) []string {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil
	}
	var points []string
	for _, line := range strings.Split(string(data), "\n") {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			points = append(points, fields[4])
		}
	}
	return points
}
