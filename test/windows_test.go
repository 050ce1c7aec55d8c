package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestWindowsClient: client.Dial on Windows is the system's mpr.dll with the interface and the codes that it has on Linux. The suite is built
// for Windows and runs in Wine over wnet's mpr.dll, a real daemon, a real sshd and real mounts; each of its tests is one here.
func TestWindowsClient(t *testing.T) {
	b := newBox(t)
	p := newPrefix(b, "win64")
	p.free()
	s := sftpTarget(b)
	for i := range 10 {
		dir := filepath.Join(s.root, strconv.Itoa(i))
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	b.ok("wine", "install")
	for _, c := range []struct{ cpu, arch, system string }{{"x86_64", "amd64", "system32"}, {"i686", "386", "syswow64"}} {
		t.Run(c.arch, func(t *testing.T) {
			dir := t.TempDir()
			exe := filepath.Join(dir, "suite.exe")
			tool(t, "env", "GOOS=windows", "GOARCH="+c.arch, "CGO_ENABLED=0", "go", "test", "-c", "-o", exe, "./testdata/winservice")
			tool(t, c.cpu+"-w64-mingw32-gcc", "-Wall", "-Wextra", "-O1", "-shared", "-Wl,--kill-at", "-o",
				filepath.Join(p.path, "drive_c/windows", c.system, "bcryptprimitives.dll"), "testdata/bcryptprimitives.c", "-ladvapi32")
			env := p.env
			defer func() { p.env = env }()
			p.env = append(p.env, "WNET_TEST_BASE="+s.unc)
			r := p.exec("", "wine", exe, "-test.v", "-test.timeout=10m")
			told := 0
			for _, m := range regexp.MustCompile(`(?m)^ *--- (PASS|FAIL): (\S+)`).FindAllStringSubmatch(r.out, -1) {
				told++
				if m[1] == "FAIL" && !strings.Contains(m[2], "/") {
					t.Errorf("%s failed", m[2])
				}
			}
			if r.code != 0 || told < 20 {
				t.Errorf("%d tests told: %v", told, r)
			}
		})
	}
}
