package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/router"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/win32"
)

// BenchmarkConnections prints the cost of a connection and how it grows with their number.
func BenchmarkConnections(b *testing.B) {
	fmt.Printf("\nconnections on the memory network, without mounts, with a journal:\n")
	fmt.Printf("  %11s %9s %14s %12s %12s %12s %12s\n", "connections", "sessions", "KiB each", "get p50 µs", "get p99 µs", "cancel p50", "cancel p99")
	for _, n := range []int{10, 100, 1_000, 10_000} {
		measure(b, n, max(n/10, 1))
	}
}

func measure(b *testing.B, conns, sessions int) {
	dir := b.TempDir()
	p := mem.New(mem.Options{})
	p.AddShare("srv", "data", mem.ShareOptions{})
	m, err := session.New(session.Config{UID: os.Getuid(), Root: filepath.Join(dir, "wnet")})
	must(b, err)
	r, err := router.New(router.Config{Providers: []wnet.Provider{p}, Profile: profile.Open(filepath.Join(dir, "profile.toml")),
		Sessions: m, Journal: filepath.Join(dir, "journal")})
	must(b, err)
	ctx := context.Background()
	defer r.Close(ctx)
	before := heap()
	services := make([]wnet.Service, sessions)
	for i := range services {
		s, _, err := m.Create(fmt.Sprint(i), os.Getpid())
		must(b, err)
		services[i] = r.Session(s)
	}
	letters := wnet.Drives(false)
	at := func(i int) (wnet.Service, string) { return services[i%sessions], string(letters[i/sessions]) }
	add := func(i int) {
		s, d := at(i)
		must(b, s.AddConnection(ctx, wnet.AddRequest{LocalName: d, RemoteName: `\\srv\data`, Type: win32.RESOURCETYPE_DISK}))
	}
	for i := range conns {
		add(i)
	}
	each := float64(heap()-before) / float64(conns) / 1024
	const samples = 20_000
	get := make([]time.Duration, samples)
	cancel := make([]time.Duration, samples/4)
	for i := range get {
		s, d := at(i * 7919 % conns)
		start := time.Now()
		_, err := s.GetConnection(ctx, d)
		get[i] = time.Since(start)
		must(b, err)
	}
	for i := range cancel {
		k := i * 7919 % conns
		s, d := at(k)
		start := time.Now()
		_, err := s.CancelConnection(ctx, wnet.CancelRequest{Name: d})
		cancel[i] = time.Since(start)
		must(b, err)
		add(k)
	}
	fmt.Printf("  %11d %9d %14.1f %12.1f %12.1f %12.1f %12.1f\n", conns, sessions, each, q(get, 50), q(get, 99), q(cancel, 50), q(cancel, 99))
}

// q is a percentile in microseconds.
func q(d []time.Duration, percent int) float64 {
	slices.Sort(d)
	return float64(d[len(d)*percent/100].Nanoseconds()) / 1000
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc + s.StackInuse)
}
