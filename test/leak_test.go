package test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/mount"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/provider/sftp"
	"github.com/openwnet/wnet/provider/smb"
	"github.com/openwnet/wnet/router"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

// A thousand cycles of map, use through the kernel and cancel, in this process, leave neither mount nor goroutine, descriptor or memory
// behind: on the memory network, and on the real ones (there WNET_LONG=1 makes the thousand).
func TestCyclesLeakNothing(t *testing.T) {
	for name, c := range map[string]struct {
		cycles int
		server func(t *testing.T, home string) (wnet.Provider, wnet.AddRequest)
	}{
		"mem": {1000, func(t *testing.T, _ string) (wnet.Provider, wnet.AddRequest) {
			p := mem.New(mem.Options{})
			p.AddShare("srv", "data", mem.ShareOptions{})
			return p, wnet.AddRequest{RemoteName: `\\srv\data`}
		}},
		"smb": {200, func(t *testing.T, _ string) (wnet.Provider, wnet.AddRequest) {
			s := rig.Smbd(t, rig.SMBOptions{})
			return smb.New(smb.Config{}), wnet.AddRequest{RemoteName: "smb://" + s.Addr() + "/data", User: s.User(), Password: wnet.NewSecret(s.Password())}
		}},
		"sftp": {200, func(t *testing.T, home string) (wnet.Provider, wnet.AddRequest) {
			b := &box{t: t, home: home}
			s := rig.Sshd(t, rig.SSHOptions{})
			b.trust(s)
			return sftp.New(sftp.Config{Home: home}), wnet.AddRequest{RemoteName: fmt.Sprintf("sftp://%s@%s%s", s.User, s.Addr(), s.Root)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if os.Getenv("WNET_LONG") != "" {
				c.cycles = 1000
			}
			home := t.TempDir()
			p, req := c.server(t, home)
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			cycles(t, p, req, c.cycles)
		})
	}
}

func cycles(t *testing.T, p wnet.Provider, req wnet.AddRequest, n int) {
	dir, err := os.MkdirTemp("", "wnleak")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	m, err := session.New(session.Config{UID: os.Getuid(), Root: filepath.Join(dir, "wnet")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := router.New(router.Config{Providers: []wnet.Provider{p}, Profile: profile.Open(filepath.Join(dir, "profile.toml")), Sessions: m,
		Mounter: mount.New(mount.Config{AsideDir: filepath.Join(dir, "aside")}), Journal: filepath.Join(dir, "journal")})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(bg)
	s := r.Session(m.Default())
	req.LocalName, req.Type = "Z:", win32.RESOURCETYPE_DISK
	cycle := func() {
		if err := s.AddConnection(bg, req); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "wnet/Z/f"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CancelConnection(bg, wnet.CancelRequest{Name: "Z:"}); err != nil {
			t.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	var goroutines, fds int
	for i := range n {
		if i == n/10 { // caches and pools are filled by then
			goroutines, fds = settle(&before)
		}
		cycle()
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		g, f := settle(&after)
		if g <= goroutines && f <= fds && after.HeapAlloc < before.HeapAlloc+1<<20 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("before: %d goroutines, %d descriptors, %d bytes; after %d cycles more: %d, %d, %d",
				goroutines, fds, before.HeapAlloc, n-n/10, g, f, after.HeapAlloc)
		}
	}
}

// settle collects garbage and counts.
func settle(m *runtime.MemStats) (goroutines, fds int) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(m)
	list, _ := os.ReadDir("/proc/self/fd")
	return runtime.NumGoroutine(), len(list)
}
