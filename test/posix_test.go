package test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/openwnet/wnet/provider/providertest"
)

// What no mount of wnet can do, and why.
var posixOptOut = map[string]string{
	"Fallocate":           "fallocate is not supported, so that programs write zeros instead: no FileSystem can reserve room",
	"FallocateKeepSize":   "as Fallocate",
	"FcntlFlockLocksFile": "the case wants a process to lock itself out, which POSIX locks, the kernel's own here, never do",
	"Tmpfile":             "no FileSystem has files without a name",
	"XAttr":               "the contract has no extended attributes",
	"XAttrLarge":          "the contract has no extended attributes",
}

// What a network cannot do besides, and why.
var posixOptOutOf = map[string]map[string]string{
	"smb": {
		"FileBasic":        "the share keeps no execute bit: SMB without the POSIX extensions has a read-only attribute and no modes",
		"FstatDeleted":     "smbd sets a file's write time anew when its handle is closed, which taking an open file's name away takes",
		"Link":             "the SMB client of today makes no hard links",
		"LinkUnlinkRename": "the SMB client of today makes no hard links",
		"OpenSymlinkRace":  "smbd makes no symbolic links for a client without the POSIX extensions",
		"SetattrSymlink":   "smbd makes no symbolic links for a client without the POSIX extensions",
		"SymlinkReadlink":  "smbd makes no symbolic links for a client without the POSIX extensions",
	},
	"sftp": {
		"Link":            "links are made, and SFTP tells no link count, which the case wants to see",
		"OpenSymlinkRace": "SFTP's open always follows a link: a name that becomes one between two requests is followed on the server",
	},
}

// The list of what programs do to a folder by system calls passes on a drive of each network: real daemon, real server, real mount.
func TestPosixOnADrive(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		out := maps.Clone(posixOptOut)
		maps.Copy(out, posixOptOutOf[filepath.Base(t.Name())])
		providertest.RunPosix(t, func(t *testing.T) string {
			dir := b.drive("Z", filepath.Base(t.Name()))
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			return dir
		}, out)
	})
}
