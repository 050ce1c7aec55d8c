package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/mount"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/win32"
)

// BenchmarkMount prints what a mount of the memory network takes for common work, without and with a round trip's time, with the read-ahead
// that the kernel gives an ordinary user. A new mount for each turn keeps the kernel's caches cold.
func BenchmarkMount(b *testing.B) {
	fmt.Printf("\na mount of the memory network, 128 KiB of the kernel's read-ahead; milliseconds, medians of %d:\n", passes)
	for _, latency := range []time.Duration{0, 2600 * time.Microsecond} {
		size := 1 << 30
		if latency > 0 {
			size = 128 << 20
		}
		p := mem.New(mem.Options{})
		share := p.AddShare("srv", "data", mem.ShareOptions{Latency: latency})
		fsys := share.FS()
		must(b, fsys.Mkdir(b.Context(), "many", 0o755))
		must(b, fsys.Mkdir(b.Context(), "small", 0o755))
		for i := range 5000 {
			write(b, fsys, fmt.Sprintf("many/f%04d", i), nil)
		}
		for i := range 2000 {
			write(b, fsys, fmt.Sprintf("small/f%04d", i), make([]byte, 4096))
		}
		for _, work := range []struct{ name, script string }{
			{fmt.Sprintf("write %d MiB, fsync", size>>20), fmt.Sprintf("dd if=/dev/zero of=big bs=1M count=%d conv=fsync status=none", size>>20)},
			{fmt.Sprintf("read %d MiB", size>>20), "dd if=big of=/dev/null bs=1M status=none"},
			{"ls -l of 5,000", "ls -l many >/dev/null"},
			{"read 2,000 of 4 KiB", "cat small/* >/dev/null"},
		} {
			var took []time.Duration
			for range passes {
				took = append(took, timed(b, p, share, work.script))
			}
			slices.Sort(took)
			fmt.Printf("  %6v  %-24s %9.1f\n", latency, work.name, float64(took[len(took)/2].Microseconds())/1000)
		}
	}
}

// write makes a file on the server.
func write(b *testing.B, fsys wnet.FileSystem, name string, data []byte) {
	f, err := fsys.Open(b.Context(), name, wnet.OpenWrite|wnet.OpenCreate, 0o644)
	must(b, err)
	_, err = f.WriteAt(b.Context(), data, 0)
	must(b, err)
	must(b, f.Close(b.Context()))
}

// timed runs a script in a new mount.
func timed(b *testing.B, p *mem.Provider, share *mem.Share, script string) time.Duration {
	c, err := p.Connect(b.Context(), wnet.Request{Remote: share.Name(), Type: win32.RESOURCETYPE_DISK})
	must(b, err)
	defer c.Close()
	dir, err := os.MkdirTemp("", "wnbench")
	must(b, err)
	defer os.RemoveAll(dir)
	m, err := mount.New(mount.Config{}).Mount(b.Context(), filepath.Join(dir, "Z"), c.FS(), wnet.MountOptions{})
	must(b, err)
	defer func() {
		_, err := m.ForceUnmount(context.Background())
		must(b, err)
	}()
	var st unix.Stat_t
	must(b, unix.Stat(m.Point(), &st))
	bdi := fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", unix.Major(st.Dev), unix.Minor(st.Dev))
	must(b, os.WriteFile(bdi, []byte(strconv.Itoa(128)), 0))
	began := time.Now()
	out, err := exec.Command("bash", "-c", `cd "$1"; eval "$2"`, "sh", m.Point(), script).CombinedOutput()
	took := time.Since(began)
	if err != nil {
		b.Fatalf("%s: %v\n%s", script, err, out)
	}
	return took
}
