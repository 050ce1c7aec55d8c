package test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// wineDir is where Debian has wineserver, which is in no PATH.
const wineDir = "/usr/lib/wine"

// wineKit is what the tests in Wine share: wnet's side for Wine beside the program, where wnet looks for it, and a fresh prefix, which takes
// Wine half a minute to make.
var wineKit = struct {
	sync.Mutex
	built     bool
	templates map[string]string // by arch
}{templates: map[string]string{}}

// prefix is one of a test's own, with no wineserver left at its end.
type prefix struct {
	b    *box
	path string
	env  []string
}

// newPrefix makes a prefix of arch "win64" or "win32" in the box.
func newPrefix(b *box, arch string) *prefix {
	b.t.Helper()
	wineKit.Lock()
	defer wineKit.Unlock()
	if !wineKit.built {
		tool(b.t, "make", "-s", "-C", "..", "capi-wine", "CAPI="+filepath.Dir(program))
		wineKit.built = true
	}
	template := wineKit.templates[arch]
	if template == "" {
		template = filepath.Join(filepath.Dir(program), arch)
		p := &prefix{b: b, path: template}
		p.setEnv()
		p.env = append(p.env, "WINEARCH="+arch)
		if r := p.exec("", "wine", "wineboot", "-i"); r.code != 0 {
			b.t.Fatalf("no prefix: %v", r)
		}
		p.wait()
		wineKit.templates[arch] = template
	}
	p := &prefix{b: b, path: filepath.Join(b.home, ".wine")}
	p.setEnv()
	// Hard links for what nobody writes into: Wine, and wnet, replace files whole.
	tool(b.t, "cp", "-al", template, p.path)
	for _, name := range []string{"system.reg", "user.reg", "userdef.reg"} {
		data, err := os.ReadFile(filepath.Join(template, name))
		if err == nil {
			err = errors.Join(os.Remove(filepath.Join(p.path, name)), os.WriteFile(filepath.Join(p.path, name), data, 0o644))
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	os.Remove(filepath.Join(p.path, "wineserver")) // Debian's note of where the template's was
	b.t.Cleanup(func() {
		p.server("-k")
		p.wait()
	})
	return p
}

func (p *prefix) setEnv() {
	p.env = append(slices.Clone(p.b.env), "WINEPREFIX="+p.path, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
}

// free moves Wine's own drive Z:, which is the whole of Linux, to D:, as a person does in winecfg.
func (p *prefix) free() {
	devices := filepath.Join(p.path, "dosdevices")
	if err := os.Rename(filepath.Join(devices, "z:"), filepath.Join(devices, "d:")); err != nil {
		p.b.t.Fatal(err)
	}
}

// server runs wineserver for this prefix alone.
func (p *prefix) server(arg string) result {
	return p.exec("", filepath.Join(wineDir, "wineserver"), arg)
}

// wait waits until Wine has written everything and ended.
func (p *prefix) wait() { p.server("-w") }

func (p *prefix) exec(stdin, name string, args ...string) result {
	p.b.t.Helper()
	env := p.b.env
	defer func() { p.b.env = env }()
	p.b.env = p.env
	return p.b.exec(stdin, name, args...)
}

// probe builds wineprobe for "x86_64" or "i686".
func probe(t testing.TB, cpu string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "probe.exe")
	tool(t, cpu+"-w64-mingw32-gcc", "-Wall", "-Wextra", "-O1", "-o", exe, "testdata/wineprobe.c", "-lmpr", "-ladvapi32")
	return exe
}

// inside is a probe that runs in a prefix.
type inside struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start runs a probe until the test's end, or until stop.
func (p *prefix) start(exe string) *inside {
	p.b.t.Helper()
	cmd := p.b.command(context.Background(), "wine", exe)
	cmd.Env = p.env
	in, err := cmd.StdinPipe()
	if err != nil {
		p.b.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.b.t.Fatal(err)
	}
	i := &inside{p.b.t, cmd, in, bufio.NewReader(out)}
	p.b.t.Cleanup(i.stop)
	return i
}

func (i *inside) stop() {
	i.in.Close()
	timer := time.AfterFunc(time.Minute, func() { i.cmd.Process.Kill() })
	defer timer.Stop()
	i.cmd.Wait()
}

// ask gives the probe a command and returns its answer.
func (i *inside) ask(fields ...string) string {
	i.t.Helper()
	timer := time.AfterFunc(2*time.Minute, func() { i.cmd.Process.Kill() })
	defer timer.Stop()
	fmt.Fprintln(i.in, strings.Join(fields, "\t"))
	line, err := i.out.ReadString('\n')
	if err != nil {
		i.t.Fatalf("%q: no answer: %v", fields, err)
	}
	return strings.TrimRight(line, "\r\n")
}

// want wants an answer.
func (i *inside) want(answer string, fields ...string) {
	i.t.Helper()
	if got := i.ask(fields...); got != answer {
		i.t.Errorf("%q: got %q, want %q", fields, got, answer)
	}
}

// becomes waits for an answer: what the daemon does after a call on Linux has returned.
func (i *inside) becomes(answer string, fields ...string) {
	i.t.Helper()
	var got string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = i.ask(fields...); got == answer {
			return
		}
	}
	i.t.Errorf("%q: got %q for a minute, want %q", fields, got, answer)
}
