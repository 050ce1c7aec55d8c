package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// drawn puts a person before a terminal of a size that can be drawn on, with further environment and files from descriptor 3 on.
func drawn(t *testing.T, env []string, files []*os.File, args ...string) (*person, unix.Termios) {
	t.Helper()
	var before unix.Termios
	p := sitAt(t, func(p *person, tty *os.File) {
		p.cmd.Env = append(append(p.cmd.Env, "TERM=xterm-256color"), env...)
		p.cmd.ExtraFiles = files
		if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100}); err != nil {
			t.Fatal(err)
		}
		before = *termios(t, tty)
	}, args...)
	return p, before
}

// shows waits until text was shown since the last time, and forgets what was shown up to it.
func (p *person) shows(text string) {
	p.t.Helper()
	limit := time.After(30 * time.Second)
	for {
		p.mu.Lock()
		at := bytes.Index(p.seen.Bytes(), []byte(text))
		if at >= 0 {
			p.seen.Next(at + len(text))
		}
		p.mu.Unlock()
		if at >= 0 {
			return
		}
		select {
		case _, ok := <-p.more:
			if !ok && !strings.Contains(p.screen(), text) {
				p.t.Fatalf("ended without %q:\n%q", text, p.screen())
			}
		case <-limit:
			p.t.Fatalf("no %q:\n%q", text, p.screen())
		}
	}
}

// next goes to the next field. Keys that come before the form has gone there are still the last one's.
func (p *person) next() {
	p.t.Helper()
	p.mu.Lock()
	p.seen.Reset()
	p.mu.Unlock()
	p.types("\r")
	p.shows("shift+tab") // from the second field on, the help tells the way back
}

func (p *person) leavesTerminal(before unix.Termios) {
	p.t.Helper()
	if after := *termios(p.t, p.pty); after != before {
		p.t.Errorf("the terminal is left as\n%+v, it was\n%+v", after, before)
	}
}

// TestConnectDialog: a name is typed, a wrong password is asked for again, and the terminal is as it was.
//
// Rows: DG-01.
func TestConnectDialog(t *testing.T) {
	p, before := drawn(t, nil, nil, "connect")
	p.shows("Log in with another")
	p.next()                          // the drive proposed
	for _, c := range "//nas/media" { // the cursor is drawn after each
		p.types(string(c))
		p.shows(string(c))
	}
	p.types("\r\r\r") // the proposals for the rest
	p.shows("Save the password?")
	p.types("anna")
	p.shows("a")
	p.next()
	p.types("wrong\r\r")
	p.shows("incorrect")
	p.shows("Save the password?")
	p.next() // anna stays
	p.types("open sesame\r\r")
	if got := strings.ReplaceAll(p.ends(0), "\x1b[7m \x1b[m\b", ""); strings.Contains(got, "ses") || !strings.Contains(got, "is connected.") {
		t.Errorf("the end: %q", got)
	}
	p.leavesTerminal(before)
}

// TestClosedDialog: Escape, Ctrl-C and SIGTERM close a dialog with 1223, and the terminal is as it was.
func TestClosedDialog(t *testing.T) {
	for _, how := range []string{"\x1b", "\x03", "SIGTERM"} {
		for _, args := range [][]string{{"connect"}, {"disconnect", "Z:"}} {
			p, before := drawn(t, nil, nil, args...)
			p.shows("Yes")
			if how != "SIGTERM" {
				p.types(how)
			} else if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if got := p.ends(2); !strings.Contains(got, "System error 1223 has occurred.") {
				t.Errorf("%q %q: %q", args, how, got)
			}
			p.leavesTerminal(before)
		}
	}
}

// TestDisconnectDialog: the holders are named, No is 1223, Yes forces.
//
// Rows: DG-05, DG-06.
func TestDisconnectDialog(t *testing.T) {
	for answer, code := range map[string]int{"n": 2, "y": 0} {
		p, before := drawn(t, nil, nil, "disconnect", "Z:")
		p.shows("vim (pid 4711")
		p.shows("Yes")
		p.types(answer)
		want := "System error 1223"
		if code == 0 {
			want = "Z: is disconnected."
		}
		p.shows(want)
		p.ends(code)
		p.leavesTerminal(before)
	}
}

// TestDialogForLibrary: what libmpr writes to descriptor 3 and reads from 4. The questions come line by line where WNET_PLAIN is set.
//
// Rows: DG-01, DG-03, DG-05.
func TestDialogForLibrary(t *testing.T) {
	for _, c := range []struct {
		command, request, answers string
		env                       []string
		want                      map[string]any
	}{
		{"connect", `{"flags":9,"remoteName":"\\\\nas\\media","type":1}`, "X\ny\nanna\nopen sesame\nn\n", []string{"WNET_PLAIN=1"},
			map[string]any{"code": 0., "device": "X:", "devNum": 24.}},
		{"connect", `{"type":1}`, "\x04", []string{"WNET_PLAIN=1"}, map[string]any{"code": 4294967295.}},
		{"connect", `{"type":2}`, "", nil, map[string]any{"code": 66.}},
		{"disconnect", `{"flags":64,"localName":"Z:"}`, "n\n", []string{"WNET_PLAIN=1"}, map[string]any{"code": 1223.}},
		{"disconnect", `{"localName":"Z:"}`, "", []string{"WNET_PLAIN=1"}, map[string]any{"code": 0.}},
	} {
		in, toChild, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		fromChild, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(toChild, c.request)
		toChild.Close()
		p, before := drawn(t, c.env, []*os.File{in, out}, c.command, "--dialog")
		in.Close()
		out.Close()
		p.types(c.answers)
		answer, err := io.ReadAll(fromChild)
		fromChild.Close()
		var got map[string]any
		if err != nil || json.Unmarshal(answer, &got) != nil {
			t.Fatalf("%s %s: %q, %v\n%q", c.command, c.request, answer, err, p.screen())
		}
		for k, v := range c.want {
			if got[k] != v {
				t.Errorf("%s %s: %s is %v, want %v\n%q", c.command, c.request, k, fmt.Sprint(got[k]), v, p.screen())
			}
		}
		p.ends(0)
		p.leavesTerminal(before)
	}
}
