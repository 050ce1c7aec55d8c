package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDemo runs the demonstration with the real program, as root and as an ordinary user, and sees that nothing is left of it.
func TestDemo(t *testing.T) {
	dir, err := os.MkdirTemp("", "wndemo") // where every user may go
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, "wnet")
	if out, err := exec.Command("go", "build", "-race", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	users := map[string]*syscall.Credential{"own": nil}
	if os.Getuid() == 0 {
		users["nobody"] = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	for name, as := range users {
		t.Run(name, func(t *testing.T) {
			tmp := filepath.Join(dir, name)
			if err := os.Mkdir(tmp, 0o777); err != nil {
				t.Fatal(err)
			}
			os.Chmod(tmp, 0o777)
			cmd := exec.Command(program, "demo")
			cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "HOME=/nonexistent", "WNET_SESSION=", "GORACE=halt_on_error=1 atexit_sleep_ms=0")
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v:\n%s", err, out.String())
			}
			for _, want := range []string{"System error 2401 has occurred.", "$ kill -9 ", "Z: was deleted successfully."} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the demonstration lacks %q:\n%s", want, out.String())
				}
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
			if left := mountsBelow(tmp); len(left) > 0 {
				t.Errorf("mounts left behind: %v", left)
			}
		})
	}
}
