package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openwnet/wnet/test/rig"
)

// cBuild is one way to build the C library and the programs in capi/test.
type cBuild struct {
	name  string
	cc    string
	flags []string
	run   []string // what a program is run by
	env   []string
}

// cBuilds are the ways that the programs run in. A leak or a fault found by a sanitizer or by valgrind ends a program with another exit code
// than its own.
var cBuilds = []cBuild{
	{name: "gcc", cc: "gcc", flags: []string{"-O2"}},
	{name: "sanitizers", cc: "gcc", flags: []string{"-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"},
		env: []string{"ASAN_OPTIONS=detect_leaks=1:exitcode=99", "UBSAN_OPTIONS=print_stacktrace=1"}},
	{name: "musl", cc: "musl-gcc", flags: []string{"-O2"}},
	{name: "valgrind", cc: "gcc", flags: []string{"-O1", "-g"},
		run: []string{"valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect", "--trace-children=no"}},
}

// cPrograms are the test programs that run on Linux and in Wine.
var cPrograms = []string{"add", "names", "enum", "info", "hostile", "exports"}

// tool runs a compiler or the like and wants success.
func tool(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// library builds libmpr.so into a folder of its own.
func (c cBuild) library(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	tool(t, "make", "-s", "-C", "..", "capi-linux", "CC="+c.cc, "CAPI="+dir, "CAPI_CFLAGS="+strings.Join(c.flags, " "))
	return dir
}

// compile builds a program of capi/test against the library in dir.
func (c cBuild) compile(t testing.TB, dir, program string, more ...string) string {
	t.Helper()
	out := filepath.Join(dir, program)
	args := append([]string{"-std=c99", "-Wall", "-Wextra", "-Werror", "-I../capi", "../capi/test/" + program + ".c", "-o", out}, c.flags...)
	args = append(args, "-L"+dir, "-lmpr", "-Wl,-rpath,"+dir, "-lpthread")
	tool(t, c.cc, append(args, more...)...)
	return out
}

// cWorld is a box with a server for the C programs, as their environment tells it.
func cWorld(b *box) (*rig.SMBServer, []string) {
	s := rig.Smbd(b.t, rig.SMBOptions{Shares: map[string][]string{"more": {"read only = no"}, "größe": {"read only = no"}}})
	at := fmt.Sprintf("smb://%s:%d/", s.Host(), s.Port())
	return s, append([]string{
		"WNET_TEST_REMOTE=" + at + "data", `WNET_TEST_UNC=\\` + s.Host() + `\data`,
		"WNET_TEST_REMOTE2=" + at + "more", `WNET_TEST_UNC2=\\` + s.Host() + `\more`,
		"WNET_TEST_REMOTE3=" + at + "größe", `WNET_TEST_UNC3=\\` + s.Host() + `\größe`,
		"WNET_TEST_USER=" + s.User(), "WNET_TEST_PASSWORD=" + s.Password(),
	}, b.env...)
}

// runC runs a C program and reports each of its tests.
func runC(t *testing.T, b *box, env []string, argv ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := b.command(ctx, argv[0], argv[1:]...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &errs
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	told, failed := reportC(t, out.String())
	if err != nil && failed == 0 || told == 0 {
		t.Errorf("%s: %v\n%s%s", strings.Join(argv, " "), err, &out, &errs)
	}
}

// reportC makes a test of each "ok NAME" and "not ok NAME: why".
func reportC(t *testing.T, out string) (told, failed int) {
	t.Helper()
	for _, line := range strings.Split(out, "\n") {
		line = strings.TrimRight(line, "\r")
		bad, isBad := strings.CutPrefix(line, "not ok ")
		name, isOK := strings.CutPrefix(line, "ok ")
		if !isBad && !isOK {
			continue
		}
		told++
		if isBad {
			failed++
			name, _, _ = strings.Cut(bad, ": ")
		}
		t.Run(name, func(t *testing.T) {
			if isBad {
				t.Error(bad)
			}
		})
	}
	return told, failed
}

// The C programs, which follow Microsoft's documentation page by page, over a real daemon that the library starts itself, with real shares
// and real mounts: with gcc and glibc, with the sanitizers, on musl and under valgrind.
func TestCPrograms(t *testing.T) {
	for _, c := range cBuilds {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := c.library(t)
			b := newBox(t)
			_, env := cWorld(b)
			env = append(env, c.env...)
			for _, name := range cPrograms {
				t.Run(name, func(t *testing.T) {
					runC(t, b, env, append(append([]string{}, c.run...), c.compile(t, dir, name))...)
				})
			}
		})
	}
}

// After fork, among 64 threads and signals, and when the program closes our descriptors: with glibc, on musl and with the sanitizers.
func TestCLife(t *testing.T) {
	for _, c := range cBuilds[:3] {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := c.library(t)
			b := newBox(t)
			_, env := cWorld(b)
			runC(t, b, append(env, c.env...), c.compile(t, dir, "life"))
		})
	}
}

// A program that loads the library and lets it go, two hundred times, keeps nothing of it. (musl never unloads a library.)
func TestCDlclose(t *testing.T) {
	c := cBuilds[0]
	dir := c.library(t)
	b := newBox(t)
	program := filepath.Join(dir, "loop")
	tool(t, c.cc, "-std=c99", "-Wall", "-Wextra", "-Werror", "-I../capi", "../capi/test/loop.c", "-o", program, "-ldl", "-lpthread")
	runC(t, b, append([]string{"WNET_TEST_LIBRARY=" + filepath.Join(dir, "libmpr.so.1")}, b.env...), program)
}

// Without a daemon, and without the program to start one, everything is ERROR_NO_NETWORK.
func TestCWithoutDaemon(t *testing.T) {
	c := cBuilds[0]
	b := newBox(t)
	env := []string{"HOME=" + b.home, "XDG_RUNTIME_DIR=" + filepath.Join(b.dir, "run"), "PATH=/usr/bin:/bin", "WNET_TEST_UNC=x", "WNET_TEST_UNC2=x"}
	runC(t, b, env, c.compile(t, c.library(t), "absent"))
}

// The sizes, offsets and constants hold at compile time for 32 and 64 bit, on Linux and on Windows, with wnet's headers and with those of
// mingw.
func TestCLayout(t *testing.T) {
	const source = "../capi/test/layout.c"
	program := filepath.Join(t.TempDir(), "layout")
	tool(t, "gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-I../capi", source, "-o", program)
	tool(t, "gcc", "-std=c11", "-m32", "-ffreestanding", "-DWNET_NO_LIBC", "-I../capi", "-fsyntax-only", source)
	tool(t, "gcc", "-std=c11", "-DUNICODE", "-I../capi", "-fsyntax-only", source)
	for _, arch := range []string{"x86_64", "i686"} {
		tool(t, arch+"-w64-mingw32-gcc", "-std=c11", "-fsyntax-only", source)
		tool(t, arch+"-w64-mingw32-gcc", "-std=c11", "-DWNET_OWN_HEADERS", "-I../capi", "-fsyntax-only", source)
	}
	if told, _ := reportC(t, tool(t, program)); told != 5 {
		t.Errorf("%d of 5 groups", told)
	}
}

// The same programs, compiled by mingw against mpr.dll, for 64 and 32 bit, in Wine.
func TestCInWine(t *testing.T) {
	b := newBox(t)
	p := newPrefix(b, "win64")
	_, env := cWorld(b)
	b.ok("wine", "install")
	b.ok("list")
	env = append(env, p.env...)
	for arch, cpu := range map[string]string{"wine64": "x86_64", "wine32": "i686"} {
		dir := t.TempDir()
		build := func(name string) string {
			exe := filepath.Join(dir, name+".exe")
			tool(t, cpu+"-w64-mingw32-gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-o", exe, "../capi/test/"+name+".c",
				filepath.Join(filepath.Dir(program), arch, "mpr.dll"), "-Wl,--enable-stdcall-fixup")
			return exe
		}
		for _, name := range cPrograms {
			t.Run(arch+"/"+name, func(t *testing.T) { runC(t, b, env, "wine", build(name)) })
		}
	}
	b.ok("stop")
	t.Run("absent", func(t *testing.T) {
		exe := filepath.Join(t.TempDir(), "absent.exe")
		tool(t, "x86_64-w64-mingw32-gcc", "-std=c99", "-O2", "-o", exe, "../capi/test/absent.c", filepath.Join(filepath.Dir(program), "wine64", "mpr.dll"))
		runC(t, b, env, "wine", exe)
	})
}

// On a terminal the dialogs run `wnet connect --dialog` and `wnet disconnect --dialog`; a program of that name stands in for them here.
func TestCDialogs(t *testing.T) {
	c := cBuilds[0]
	b := newBox(t)
	exe := c.compile(t, c.library(t), "dialog")
	bin := filepath.Join(b.dir, "bin")
	script := `#!/bin/sh
[ "$2" = --dialog ] && [ -t 0 ] && [ -t 1 ] || exit 9
[ "$1" = daemon ] && exit 1
request=$(cat <&3)
case "$1 $request" in
connect*server*share*) echo '{"code":0,"device":"Y:"}' >&4 ;;
connect*deviceless*) echo '{"code":0,"device":""}' >&4 ;;
connect*dies*) exit 3 ;;
connect*wrong*) echo '{"code":86}' >&4 ;;
connect*) echo '{"code":4294967295}' >&4 ;;
*'"localName":"O:"'*) echo '{"code":2401}' >&4 ;;
*'"localName":"N:"'*) echo '{"code":1223}' >&4 ;;
*'"localName":"C:"'*) echo '{"code":4294967295}' >&4 ;;
*'"flags":65,"localName":"Y:"'*) echo '{"code":0}' >&4 ;;
*'"type":1'*) echo $$ >` + b.dir + `/pid; exec sleep 1000 ;;
esac
`
	if err := errors.Join(os.Mkdir(bin, 0o755), os.WriteFile(filepath.Join(bin, "wnet"), []byte(script), 0o755)); err != nil {
		t.Fatal(err)
	}
	env := []string{"HOME=" + b.home, "XDG_RUNTIME_DIR=" + filepath.Join(b.dir, "run"), "PATH=" + bin + ":/usr/bin:/bin",
		"WNET_TEST_REMOTE=x", "WNET_TEST_UNC=x", "WNET_TEST_UNC2=x"}
	runC(t, b, env, "script", "-qefc", exe, "/dev/null")
	pid := filepath.Join(b.dir, "pid")
	if b.until(10*time.Second, func() bool { text, _ := os.ReadFile(pid); return strings.HasSuffix(string(text), "\n") }) {
		text, _ := os.ReadFile(pid)
		b.sh("kill " + string(text))
	} else {
		t.Error("the dialog that goes on was not started")
	}
}

// The program of doc/c.md, compiled by the line that stands there, from an installation.
func TestCDocumented(t *testing.T) {
	text, err := os.ReadFile("../doc/c.md")
	if err != nil {
		t.Fatal(err)
	}
	b := newBox(t)
	var source, line strings.Builder
	for l := range strings.Lines(string(text)) {
		switch code, ok := strings.CutPrefix(l, "    "); {
		case ok && strings.HasPrefix(code, "cc "):
			line.WriteString(code)
		case ok || l == "\n" && source.Len() > 0 && line.Len() == 0:
			source.WriteString(code)
		}
	}
	if line.Len() == 0 {
		t.Fatal("no line to compile by")
	}
	if err := os.WriteFile(filepath.Join(b.dir, "where.c"), []byte(source.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	lib := cBuilds[0].library(t)
	root := filepath.Join(b.dir, "root")
	for _, d := range []string{"lib/pkgconfig", "include/wnet"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.sh(fmt.Sprintf("cp -a %s/libmpr.so* %s/lib/; cp %[3]s/capi/*.h %[2]s/include/wnet/; sed 's|@PREFIX@|%[2]s|' %[3]s/capi/libmpr.pc.in >%[2]s/lib/pkgconfig/libmpr.pc",
		lib, root, repository(t)))
	b.env = append(b.env, "PKG_CONFIG_PATH="+root+"/lib/pkgconfig", "LD_LIBRARY_PATH="+root+"/lib")
	b.sh(line.String())
	if r := b.exec("", filepath.Join(b.dir, "where")); r.code != 1 || r.out != "error 2250\n" {
		t.Errorf("want error 2250: %v", r)
	}
}

func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A daemon that is killed in the midst of a call: the call ends with ERROR_UNEXP_NET_ERR, a question with what the next daemon says.
func TestCDaemonKilled(t *testing.T) {
	c := cBuilds[0]
	b := newBox(t)
	s, env := cWorld(b)
	program := c.compile(t, c.library(t), "killed")
	b.ok("list")
	s.Freeze() // its connection is made by the kernel, and no answer comes
	cmd := b.command(t.Context(), program)
	var out bytes.Buffer
	cmd.Env, cmd.Stdout = env, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer end(cmd)
	health := func() bool {
		r := b.exec("", "curl", "-s", "--unix-socket", b.socket(), "-H", "Content-Type: application/json", "-d", "{}", "http://wnet/wnet.v1.Wnet/Health")
		return strings.Contains(r.out, `"running":1`) || strings.Contains(r.out, `"running": 1`)
	}
	if !b.until(20*time.Second, health) {
		t.Fatal("the call does not run")
	}
	pid := b.daemon()
	b.sh(fmt.Sprint("kill -9 ", pid))
	cmd.Wait()
	s.Thaw()
	if told, _ := reportC(t, out.String()); told == 0 {
		t.Errorf("the program said %q", &out)
	}
}

// What comes from the daemon and from callers, fuzzed for a moment with libFuzzer and the sanitizers.
func TestCFuzz(t *testing.T) {
	seeds := map[string][]string{
		"json": {`{"code":"failed_precondition","details":[{"type":"wnet.v1.Error","debug":{"code":2401,"native":"18446744073709551615"}}]}`, `"\ud83d\udca9 \u00e4 \n"`, `[1.5e+3,-0,true,null]`},
		"http": {"\x03HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "\x05HTTP/1.1 412 X\r\nWnet-Code: 234\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3;x\r\nabc\r\n0\r\nA: b\r\n\r\n"},
		"text": {"Z\x00:\x00\xd8\x3d\xdc\xa9", "größe\x00", "\xf0\x9f\x92\xa9"},
		"pack": {"\x01\x03\x01\xff\x02\x0f\x10\x11\x12some text to pack", "\x00\x00\x00\x40\x00\x0f\x01\x02\x03\x04\x05\x06\x07\x08"},
	}
	sources, err := filepath.Glob("../capi/*.c")
	if err != nil {
		t.Fatal(err)
	}
	sources = slices.DeleteFunc(sources, func(s string) bool { return strings.HasSuffix(s, "_wine.c") })
	for target, texts := range seeds {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			exe, corpus := filepath.Join(dir, "fuzz"), filepath.Join(dir, "corpus")
			args := []string{"-std=c99", "-g", "-O1", "-DWNET_BUILDING", "-DFUZZ=fuzz_" + target, "-fsanitize=fuzzer,address,undefined",
				"-fno-sanitize-recover=all", "-o", exe, "../capi/test/fuzz.c"}
			tool(t, "clang", append(append(args, sources...), "-lpthread")...)
			if err := os.Mkdir(corpus, 0o755); err != nil {
				t.Fatal(err)
			}
			for i, s := range texts {
				if err := os.WriteFile(filepath.Join(corpus, fmt.Sprint(i)), []byte(s), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			tool(t, exe, "-runs=5000", "-max_len=600", "-artifact_prefix="+dir+"/", corpus)
		})
	}
}
