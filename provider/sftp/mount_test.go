package sftp_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/mount"
	"github.com/openwnet/wnet/provider/providertest"
	"github.com/openwnet/wnet/provider/sftp"
)

// mounted shows a file system to the kernel for as long as the test lasts.
func mounted(t *testing.T, fsys wnet.FileSystem) string {
	t.Helper()
	point := filepath.Join(t.TempDir(), "Z")
	m, err := mount.New(mount.Config{AsideDir: filepath.Join(t.TempDir(), "aside")}).Mount(t.Context(), point, fsys, wnet.MountOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := m.ForceUnmount(context.Background()); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return point
}

// optOut is what a mapped folder of an SSH server cannot do, and why.
var optOut = map[string]string{
	"Fallocate":           "SFTP can't reserve room",
	"FallocateKeepSize":   "as Fallocate",
	"FcntlFlockLocksFile": "the case wants a process to lock itself out, which POSIX locks, the kernel's own here, never do",
	"Link":                "the case looks at the link count, which SFTP doesn't tell; links themselves are the suite's link/shared",
	"OpenSymlinkRace": "SFTP's OPEN follows links: one that is put in a file's place between the look at it and the open is followed " +
		"by the server, within what the account may open there",
	"Tmpfile":    "SFTP has no files without a name",
	"XAttr":      "SFTP has no extended attributes",
	"XAttrLarge": "SFTP has no extended attributes",
}

// TestPosixShare is what programs do to a mapped folder of the embedded share by system calls. On OpenSSH, package test has it.
func TestPosixShare(t *testing.T) {
	t.Parallel()
	providertest.RunMounted(t, func(t *testing.T) providertest.Target {
		srv := serveShare(t, t.TempDir())
		home := t.TempDir()
		return providertest.Target{
			Without:  without,
			Provider: sftp.New(sftp.Config{Home: home, KnownHosts: []string{filepath.Join(home, "known_hosts")}}),
			Share:    wnet.RemoteName{Scheme: wnet.SchemeSFTP, Server: "127.0.0.1", Port: srv.Port(), Rooted: true},
			Options:  wnet.UseOptions{HostKey: srv.HostKey()},
			Good:     providertest.Credentials{User: "anna", Password: wnet.NewSecret("right-password")},
		}
	}, mounted, optOut)
}
