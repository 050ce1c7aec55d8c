package test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
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
var cPrograms = []string{"add", "names", "enum", "info", "hostile"}

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
