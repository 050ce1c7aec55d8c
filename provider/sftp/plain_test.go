package sftp_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/providertest"
	"github.com/openwnet/wnet/provider/sftp"
	"github.com/openwnet/wnet/test/rig"
)

// plainServer is OpenSSH's SFTP server without any extension: no rename that replaces, no fsync, no limits, packets of 32 KiB.
func plainServer(t *testing.T) *fake {
	t.Helper()
	return fakeServer(t, fakeOptions{sftp: func(rw io.ReadWriter) {
		cmd := exec.Command("/usr/lib/openssh/sftp-server", "-P",
			"posix-rename,hardlink,statvfs,fstatvfs,fsync,lsetstat,limits,expand-path,copy-data,home-directory,users-groups-by-id")
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Error(err)
			return
		}
		cmd.Stdout = rw
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		io.Copy(stdin, rw)
		stdin.Close()
		cmd.Wait()
	}})
}

// TestConformancePlain runs the suite on a server that has nothing but version 3 of the protocol.
func TestConformancePlain(t *testing.T) {
	t.Parallel()
	s := plainServer(t)
	dead := rig.FreePort(t)
	// A name that is replaced in three steps is away for a moment, if one looks at the right one.
	list := slices.DeleteFunc(checks(), func(c providertest.Check) bool { return c.Name == "parallel/rename-over" })
	cannot := map[string]string{}
	for _, name := range []string{"link/shared", "link/remove", "link/errors"} {
		cannot[name] = "the server does not offer hardlink@openssh.com"
	}
	cannot["attr/room"] = "the server does not offer statvfs@openssh.com"
	for _, name := range []string{"connect/bad-password", "connect/unknown-user", "enum/attached", "life/stalled-connect", "life/stalled-calls",
		"life/stalled-close", "life/severed", "life/again"} {
		cannot[name] = "it is about the SSH connection, which the other two servers prove"
	}
	providertest.RunChecks(t, list, func(t *testing.T) providertest.Target {
		name := s.request().Remote
		name.Path = strings.TrimPrefix(t.TempDir(), "/")
		missing, nobody := name, name
		missing.Path += "/none"
		nobody.Port = dead
		return providertest.Target{
			Without:  without,
			Provider: sftp.New(s.config(t)),
			Share:    name, Missing: missing, Foreign: foreign, Dead: nobody, CannotDo: cannot,
		}
	})
}

// A failed rename over something leaves both where they were.
func TestRenameOverWithoutExtension(t *testing.T) {
	s := plainServer(t)
	dir := t.TempDir()
	req := s.request()
	req.Remote.Path = dir[1:]
	fsys := wantConn(t, s.config(t), req).FS()
	ctx := testContext(t)
	writeFile(t, dir+"/from", "new")
	writeFile(t, dir+"/to", "old")
	writeFile(t, dir+"/full/file", "x")
	if err := os.Mkdir(dir+"/empty", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := fsys.Rename(ctx, "from", "full"); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a file over a folder: %v", err)
	}
	if err := fsys.Rename(ctx, "empty", "to"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a folder over a file: %v", err)
	}
	if err := fsys.Rename(ctx, "empty", "full"); !errors.Is(err, syscall.ENOTEMPTY) {
		t.Errorf("a folder over a full one: %v", err)
	}
	if err := fsys.Rename(ctx, "from", "to"); err != nil {
		t.Error(err)
	}
	if err := fsys.Rename(ctx, "full", "empty"); err != nil {
		t.Error(err)
	}
	if got := readFile(t, dir+"/to") + readFile(t, dir+"/empty/file"); got != "newx" {
		t.Errorf("got %q", got)
	}
	if list, _ := os.ReadDir(dir); len(list) != 2 {
		t.Errorf("something was left behind: %v", list)
	}
	if err := fsys.(wnet.Linker).Link(ctx, "to", "hard"); !errors.Is(err, syscall.ENOTSUP) {
		t.Errorf("a hard link: got %v, want ENOTSUP", err)
	}
	if _, err := fsys.(wnet.Statfser).Statfs(ctx); !errors.Is(err, syscall.ENOTSUP) {
		t.Errorf("statfs: got %v, want ENOTSUP", err)
	}
}
