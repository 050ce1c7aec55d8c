package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

// asChild makes this test program a wnet over a fake service that wants anna's password, for tests that need a process of its own.
const asChild = "WNET_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := newApp()
	f := &fake{connections: []wnet.Connection{drive("Z:", media)}}
	f.add = func(r wnet.AddRequest) error {
		if os.Getenv(asChild) == "cmdline" {
			line, _ := os.ReadFile("/proc/self/cmdline")
			fmt.Printf("%q %q\n", line, r.Password.Reveal())
			return nil
		}
		if r.User != "anna" || r.Password.Reveal() != "open sesame" {
			return &wnet.Error{Code: win32.ERROR_LOGON_FAILURE}
		}
		return nil
	}
	f.cancel = func(r wnet.CancelRequest) (wnet.CancelResult, error) {
		if !r.Force {
			return wnet.CancelResult{}, openFiles(r.Name)
		}
		return wnet.CancelResult{}, nil
	}
	a.dial = func(context.Context, bool) (backend, func(), error) { return f, func() {}, nil }
	a.daemon = f
	os.Exit(a.run(ctx, os.Args[1:]))
}

// person sits at a pseudo-terminal on which a program runs.
type person struct {
	t    *testing.T
	pty  *os.File
	cmd  *exec.Cmd
	mu   sync.Mutex // guards seen
	seen bytes.Buffer
	more chan struct{} // a token whenever something was printed, closed at the end
}

// sit starts the child on a new terminal, which is its controlling one.
func sit(t *testing.T, args ...string) *person {
	t.Helper()
	return sitAt(t, func(*person, *os.File) {}, args...)
}

// sitAt is sit, with a terminal and a command that prepare may change first.
func sitAt(t *testing.T, prepare func(p *person, tty *os.File), args ...string) *person {
	t.Helper()
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pty.Close() })
	var n int
	raw, err := pty.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	p := &person{t: t, pty: pty, cmd: exec.Command(os.Args[0], args...), more: make(chan struct{}, 1)}
	p.cmd.Env = append(os.Environ(), asChild+"=1", "GORACE=atexit_sleep_ms=0", "HOME=/home/x", "NO_COLOR=1")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = tty, tty, tty
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	prepare(p, tty)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	go func() {
		defer close(p.more)
		buf := make([]byte, 4096)
		for {
			n, err := pty.Read(buf)
			p.mu.Lock()
			p.seen.Write(buf[:n])
			p.mu.Unlock()
			if err != nil { // EIO: the last one at the terminal has gone
				return
			}
			select {
			case p.more <- struct{}{}:
			default:
			}
		}
	}()
	return p
}

func (p *person) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.ReplaceAll(p.seen.String(), "\r\n", "\n")
}

// waits reads until the screen ends with text.
func (p *person) waits(text string) {
	p.t.Helper()
	limit := time.After(30 * time.Second)
	for !strings.HasSuffix(p.screen(), text) {
		select {
		case _, ok := <-p.more:
			if !ok && !strings.HasSuffix(p.screen(), text) {
				p.t.Fatalf("ended without %q:\n%s", text, p.screen())
			}
		case <-limit:
			p.t.Fatalf("no %q:\n%s", text, p.screen())
		}
	}
}

func (p *person) types(text string) {
	p.t.Helper()
	if _, err := p.pty.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the program and gives what stood on the screen.
func (p *person) ends(code int) string {
	p.t.Helper()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	for range p.more {
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("exit %d, want %d:\n%s", got, code, p.screen())
	}
	return p.screen()
}

// TestPromptsOnTerminal: name echoed, password not, and the echo is back afterwards (NU-25).
//
// Rows: NU-25.
func TestPromptsOnTerminal(t *testing.T) {
	p := sit(t, "use", "Z:", media)
	p.waits("Enter the user name for 'nas': ")
	p.types("anna\n")
	p.waits("Enter the password for 'nas': ")
	p.types("open sesame\n")
	want := "Enter the user name for 'nas': anna\nEnter the password for 'nas': \n" + netuse.Success + "Z: is at ~/wnet/Z\n"
	if got := p.ends(0); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestPasswordStar does not show the password that was asked for.
//
// Rows: NU-04.
func TestPasswordStar(t *testing.T) {
	p := sit(t, "use", "Z:", media, "/user:anna", "*")
	p.waits("Enter the password for 'nas': ")
	if termios(t, p.pty).Lflag&unix.ECHO != 0 {
		t.Error("the prompt came before the echo went")
	}
	p.types("open sesame\n")
	if got := p.ends(0); strings.Contains(got, "sesame") || !strings.Contains(got, netuse.Success) {
		t.Error(got)
	}
}

// TestInterruptedPrompt: Ctrl-C at the password ends wnet with 1223 and gives the echo back.
func TestInterruptedPrompt(t *testing.T) {
	p := sit(t, "use", "Z:", media, "/user:anna", "*")
	p.waits("Enter the password for 'nas': ")
	p.types("open ses")
	p.types("\x03")
	got := p.ends(2)
	if !strings.Contains(got, "System error 1223 has occurred.") || strings.Contains(got, "open ses") {
		t.Error(got)
	}
	tio := termios(t, p.pty)
	if tio.Lflag&unix.ECHO == 0 || tio.Lflag&unix.ICANON == 0 {
		t.Error("the terminal's echo is still off")
	}
}

// TestClosedPrompt: Ctrl-D at the password is no password, and ends wnet with 1223 as it does at the user name.
func TestClosedPrompt(t *testing.T) {
	for _, args := range [][]string{{"use", "Z:", media, "/user:anna", "*"}, {"use", "Z:", media}} {
		p := sit(t, args...)
		p.waits("for 'nas': ")
		p.types("\x04")
		if got := p.ends(2); !strings.Contains(got, "System error 1223 has occurred.") {
			t.Errorf("%q:\n%s", args, got)
		}
	}
}

func termios(t *testing.T, f *os.File) *unix.Termios {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var tio *unix.Termios
	raw.Control(func(fd uintptr) { tio, err = unix.IoctlGetTermios(int(fd), unix.TCGETS) })
	if err != nil {
		t.Fatal(err)
	}
	return tio
}

// TestQuestionOnTerminal: the question of NU-31, answered by typing.
//
// Rows: NU-31.
func TestQuestionOnTerminal(t *testing.T) {
	p := sit(t, "use", "Z:", "/delete")
	p.waits(netuse.AskForce)
	p.types("y\n")
	if got := p.ends(0); !strings.HasSuffix(got, netuse.AskForce+"y\nZ: was deleted successfully.\n\n") {
		t.Error(got)
	}
	p = sit(t, "use", "Z:", "/delete")
	p.waits(netuse.AskForce)
	p.types("\x04") // end of input
	if got := p.ends(2); !strings.Contains(got, "Z: is still connected.") {
		t.Error(got)
	}
}

// TestScrub: a password that was typed as an argument is not on the process's command line when the service is asked.
func TestScrub(t *testing.T) {
	cmd := exec.Command(os.Args[0], "use", "Z:", media, "hunter2", "/user:anna")
	cmd.Env = append(os.Environ(), asChild+"=cmdline", "GORACE=atexit_sleep_ms=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	if strings.Count(line, "hunter2") != 1 || !strings.HasSuffix(line, `"hunter2"`) || !strings.Contains(line, "/user:anna") {
		t.Errorf("the command line: %s", line)
	}
}
