package wine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// GetDriveType's answers that are used here.
const (
	driveNone   = "1"
	driveFixed  = "3"
	driveRemote = "4"
)

// answerBound is how long Wine may take for one command: a wineserver that hangs must not hold up the others.
const answerBound = 30 * time.Second

func dword(n uint32) value { return value{"dword", strconv.FormatUint(uint64(n), 10)} }

// agent is wnetagent.exe running in a prefix. One goroutine uses it at a time.
type agent struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	ctx context.Context // of the call under way
	bad bool
}

var _ registry = (*agent)(nil)

// startAgent runs it. Wine must run in the prefix already, or is started.
func startAgent(p Prefix, exe string) (*agent, error) {
	cmd := exec.Command(p.Wine, exe)
	cmd.Env = p.env()
	cmd.Dir = "/"
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, &wnet.Error{Op: "Wine", Name: p.Wine, Code: win32.ERROR_FILE_NOT_FOUND, Err: err}
	}
	return &agent{cmd: cmd, in: in, out: bufio.NewReader(out), ctx: context.Background()}, nil
}

// close ends the agent with its input, or by force if it does not mind.
func (a *agent) close() {
	a.in.Close()
	if a.bad {
		_ = a.cmd.Process.Kill()
	}
	timer := time.AfterFunc(answerBound, func() { _ = a.cmd.Process.Kill() })
	defer timer.Stop()
	_ = a.cmd.Wait()
}

func quote(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < 0x20 || c == '%' || c == 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// call gives one command and takes its answer's fields.
func (a *agent) call(fields ...string) ([]string, error) {
	busy := func(err error) error {
		a.bad = true
		return &wnet.Error{Op: "Wine", Code: win32.ERROR_BUSY, Err: fmt.Errorf("the Windows side does not answer: %w", err),
			Hint: "End the prefix's programs, or Wine itself with `wineserver -k`, and try again."}
	}
	if a.bad {
		return nil, busy(errors.New("it did not before"))
	}
	for i, f := range fields {
		fields[i] = quote(f)
	}
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		_, err := io.WriteString(a.in, strings.Join(fields, "\t")+"\n")
		var line string
		if err == nil {
			line, err = a.out.ReadString('\n')
		}
		got <- answer{line, err}
	}()
	ctx, cancel := context.WithTimeout(a.ctx, answerBound)
	defer cancel()
	var r answer
	select {
	case r = <-got:
	case <-ctx.Done():
		_ = a.cmd.Process.Kill()
		return nil, busy(ctx.Err())
	}
	if r.err != nil {
		return nil, busy(r.err)
	}
	parts := strings.Split(strings.TrimRight(r.line, "\r\n"), "\t")
	if n := len(parts); n >= 3 && parts[n-2] == "err" {
		code, _ := strconv.ParseUint(parts[n-1], 10, 32)
		return nil, &wnet.Error{Op: "Wine", Code: win32.Code(code), Err: fmt.Errorf("that is the answer to %q in Wine", fields[0])}
	}
	for i := range parts {
		parts[i] = unquote(parts[i])
	}
	return parts[1:], nil
}

func (a *agent) get(root, key, name string) (value, bool, error) {
	f, err := a.call("get", root, key, name)
	if err != nil || len(f) < 2 {
		return value{}, false, err
	}
	return value{f[0], f[1]}, true, nil
}

func (a *agent) set(root, key, name string, v value) error {
	_, err := a.call("set", root, key, name, v.kind, v.text)
	return err
}

func (a *agent) unset(root, key, name string) error {
	_, err := a.call("unset", root, key, name)
	return err
}

func (a *agent) names(root, key string) ([]string, error) { return a.call("names", root, key) }

func (a *agent) drop(root, key string, all bool) error {
	what := "drop"
	if all {
		what = "dropall"
	}
	_, err := a.call(what, root, key)
	return err
}

func (a *agent) define(letter, typ, path string) error {
	_, err := a.call("drive", letter, typ, path)
	return err
}

func (a *agent) undefine(letter string) error {
	_, err := a.call("nodrive", letter)
	return err
}

// agents are those that run, one a prefix. They end when nobody has used them for a while, because Wine lives as long as they do.
type agents struct {
	files string // the folder of wine64 and wine32

	mu  sync.Mutex // guards all
	all map[string]*agent
}

func newAgents(files string) *agents { return &agents{files: files, all: map[string]*agent{}} }

func (s *agents) get(_ context.Context, p Prefix) (*agent, error) {
	s.mu.Lock()
	a := s.all[p.Path]
	s.mu.Unlock()
	if a != nil && !a.bad {
		a.ctx = context.Background()
		return a, nil
	}
	if a != nil {
		s.end(p.Path)
	}
	_, arch, err := Check(p.Path)
	if err != nil {
		return nil, err
	}
	exe := filepath.Join(s.files, folderOf(arch), "wnetagent.exe")
	if _, err := os.Stat(exe); err != nil {
		return nil, missing(exe)
	}
	if a, err = startAgent(p, exe); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.all[p.Path] = a
	s.mu.Unlock()
	return a, nil
}

// end ends one prefix's agent.
func (s *agents) end(path string) {
	s.mu.Lock()
	a := s.all[path]
	delete(s.all, path)
	s.mu.Unlock()
	if a != nil {
		a.close()
	}
}

// endAll ends all of them. Nobody may use one.
func (s *agents) endAll() {
	s.mu.Lock()
	var paths []string
	for p := range s.all {
		paths = append(paths, p)
	}
	s.mu.Unlock()
	for _, p := range paths {
		s.end(p)
	}
}

func (s *agents) any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all) > 0
}
