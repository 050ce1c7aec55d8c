package smb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/discover"
	"github.com/openwnet/wnet/provider/providertest"
	"github.com/openwnet/wnet/test/rig"
)

// cannot lists what a share served by the SMB library has not.
var cannot = map[string]string{
	"connect/not-started":  "there is no service of the network's own that could be stopped",
	"link/errors":          "the SMB library makes no hard links",
	"link/remove":          "the SMB library makes no hard links",
	"link/shared":          "the SMB library makes no hard links",
	"symlink/errors":       "Samba keeps no symbolic links that the SMB library can make",
	"symlink/not-followed": "Samba keeps no symbolic links that the SMB library can make",
	"symlink/target":       "Samba keeps no symbolic links that the SMB library can make",
	"attr/mode":            "a share keeps no permission bits but the read-only attribute",
	"attr/create-mode":     "a share keeps no permission bits but the read-only attribute",
	"fs/names-case":        "Samba ignores case, as Windows does",
	"fs/names-reserved":    "Samba lists CON, LPT1 and NUL under 8.3 names, and Windows refuses them; the other names have TestReservedNames",
}

// without is what smb2 has and this provider does not pass on yet; programs find these things here as on a share mapped without them.
var without = map[string]string{
	"Locker":        "locks hold between the programs of this machine",
	"Leaser":        "the mount keeps its stated bounds",
	"WholeReader":   "a small file is opened, read and closed",
	"Xattrer":       "streams are not shown as attributes",
	"FileCopier":    "a copy goes through this machine",
	"FileAllocator": "no holes are made",
	"FileSeeker":    "no holes are told",
}

func TestConformance(t *testing.T) {
	t.Parallel()
	providertest.Run(t, targets(t))
}

// targets gives each check a folder of its own on one server.
func targets(t *testing.T) func(*testing.T) providertest.Target {
	srv := rig.Smbd(t, rig.SMBOptions{})
	dead := rig.FreePort(t)
	var n atomic.Int32
	return func(t *testing.T) providertest.Target {
		dir := fmt.Sprintf("check-%d", n.Add(1))
		if err := os.Mkdir(filepath.Join(srv.Root("data"), dir), 0o755); err != nil {
			t.Fatal(err)
		}
		good := providertest.Credentials{User: srv.User(), Password: wnet.NewSecret(srv.Password())}
		share := wnet.RemoteName{Server: srv.Host(), Port: srv.Port(), Share: "data", Path: dir}
		missing := share
		missing.Share, missing.Path = "missing", ""
		container := share
		container.Share, container.Path = "", ""
		gone := share
		gone.Port = dead
		return providertest.Target{
			Provider: New(Config{Servers: nobodyElse}),
			Share:    share, Missing: missing, Dead: gone, Server: container,
			Foreign:  []wnet.RemoteName{{Scheme: wnet.SchemeSFTP, Server: "x", Path: "y"}, {Scheme: wnet.SchemeDAV, Server: "x", Path: "y"}},
			Good:     good,
			Bad:      providertest.Credentials{User: srv.User(), Password: wnet.NewSecret("certainly wrong")},
			Unknown:  providertest.Credentials{User: "nobody-here", Password: wnet.NewSecret("whatever")},
			Stall:    func() func() { srv.Freeze(); return srv.Thaw },
			Sever:    srv.KillSessions,
			CannotDo: cannot,
			Without:  without,
		}
	}
}

// nobodyElse is a network with one neighbour, so that no test depends on where it runs.
func nobodyElse(context.Context) ([]discover.Server, error) {
	return []discover.Server{{Name: "neighbour.local", Port: 445}}, nil
}
