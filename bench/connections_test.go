package bench

import (
	"context"
	"fmt"
	"net"
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
	"github.com/openwnet/wnet/rpc"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/win32"
)

// BenchmarkConnections prints the cost of a connection and how it grows with their number.
func BenchmarkConnections(b *testing.B) {
	fmt.Printf("\nconnections on the memory network, without mounts, with a journal; microseconds, medians of %d passes:\n", passes)
	fmt.Printf("  %11s %9s %9s | %31s | %15s | %31s\n", "", "", "", "in the daemon", "cold caches", "through its socket")
	fmt.Printf("  %11s %9s %9s | %7s %7s %7s %7s | %7s %7s | %7s %7s %7s %7s\n", "connections", "sessions", "KiB each",
		"get p50", "p99", "can p50", "p99", "get p50", "p99", "get p50", "p99", "can p50", "p99")
	var first, last []float64
	for _, n := range []int{10, 100, 1_000, 10_000} {
		last = measure(b, n, max(n/10, 1))
		if first == nil {
			first = last
		}
	}
	ratio := func(i int) float64 { return last[i] / first[i] }
	fmt.Printf("  p99 of 10,000 ÷ p99 of 10 (aim: within 2): get %.2f, cancel %.2f in the daemon; get %.2f with cold caches; get %.2f, cancel %.2f "+
		"through the socket\n", ratio(1), ratio(3), ratio(5), ratio(7), ratio(9))
}

// passes is how often each percentile is taken.
const passes = 5

// backend serves a router by the tokens of its sessions.
type backend struct {
	m *session.Manager
	r *router.Router
}

func (x backend) Service(_ context.Context, c rpc.Caller) (wnet.Service, error) {
	s, err := x.m.Resolve(session.Peer{UID: c.UID, PID: c.PID}, c.Token)
	if err != nil {
		return nil, err
	}
	return x.r.Session(s), nil
}
func (x backend) Sessions(context.Context, rpc.Caller) (wnet.Sessions, error) { return nil, nil }
func (x backend) Shutdown(context.Context) error                              { return nil }
func (x backend) Version() string                                             { return "bench" }

func measure(b *testing.B, conns, sessions int) []float64 {
	dir, err := os.MkdirTemp("", "wnbench")
	must(b, err)
	defer os.RemoveAll(dir)
	p := mem.New(mem.Options{})
	p.AddShare("srv", "data", mem.ShareOptions{})
	m, err := session.New(session.Config{UID: os.Getuid(), Root: filepath.Join(dir, "wnet")})
	must(b, err)
	r, err := router.New(router.Config{Providers: []wnet.Provider{p}, Profile: profile.Open(filepath.Join(dir, "profile.toml")),
		Sessions: m, Journal: filepath.Join(dir, "journal")})
	must(b, err)
	ctx := context.Background()
	defer r.Close(ctx)
	l, err := rpc.Listen(filepath.Join(dir, "sock"))
	must(b, err)
	server := rpc.NewServer(backend{m, r}, nil)
	go server.Serve(l)
	defer server.Close()

	before := heap()
	direct, remote := make([]wnet.Service, sessions), make([]wnet.Service, min(sessions, 16))
	for i := range direct {
		s, token, err := m.Create(fmt.Sprint(i), os.Getpid())
		must(b, err)
		direct[i] = r.Session(s)
		if i < len(remote) {
			c := rpc.NewClient(func(ctx context.Context) (net.Conn, error) { return rpc.DialSocket(ctx, filepath.Join(dir, "sock")) }, token)
			defer c.Close()
			remote[i] = c
		}
	}
	letters := wnet.Drives(false)
	add := func(i int) {
		must(b, direct[i%sessions].AddConnection(ctx, wnet.AddRequest{LocalName: string(letters[i/sessions]), RemoteName: `\\srv\data`,
			Type: win32.RESOURCETYPE_DISK}))
	}
	for i := range conns {
		add(i)
	}
	each := float64(heap()-before) / float64(conns) / 1024
	row := sample(b, direct, sessions, conns, 20_000, add)
	row = append(row, cold(b, direct, sessions, conns)...)
	row = append(row, sample(b, remote, sessions, conns, 2_000, add)...)
	fmt.Printf("  %11d %9d %9.1f | %7.2f %7.2f %7.1f %7.1f | %7.2f %7.2f | %7.1f %7.1f %7.1f %7.1f\n", conns, sessions, each,
		row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9])
	return row
}

// pick is the i-th call's connection of those spread over the services: its number, its service and its device.
func pick(i int, services []wnet.Service, sessions, conns int) (int, wnet.Service, string) {
	session, letter := i*7919%len(services), i*104729%(conns/sessions)
	return letter*sessions + session, services[session], string([]byte{byte('Z' - letter), ':'})
}

// cold times GetConnection with nothing of the daemon in the processor's own caches, as when a call comes from a socket after other work. In
// a tight loop ten connections never leave them and ten thousand never fit: that compares two kinds of memory, not two counts.
func cold(b *testing.B, services []wnet.Service, sessions, conns int) []float64 {
	ctx := context.Background()
	other := make([]byte, 16<<20) // more than the caches that belong to one processor
	var p50, p99 []float64
	for range passes {
		get := make([]time.Duration, 1_000)
		for i := range get {
			_, s, d := pick(i, services, sessions, conns)
			for j := 0; j < len(other); j += 64 {
				other[j]++
			}
			start := time.Now()
			_, err := s.GetConnection(ctx, d)
			get[i] = time.Since(start)
			must(b, err)
		}
		p50, p99 = append(p50, q(get, 50)), append(p99, q(get, 99))
	}
	slices.Sort(p50)
	slices.Sort(p99)
	return []float64{p50[passes/2], p99[passes/2]}
}

// sample times both calls on connections spread over the services, and gives p50 and p99 of each in microseconds.
func sample(b *testing.B, services []wnet.Service, sessions, conns, n int, add func(int)) []float64 {
	ctx := context.Background()
	var rows [4][]float64
	for range passes {
		get, cancel := make([]time.Duration, n), make([]time.Duration, n/4)
		for i := range get {
			_, s, d := pick(i, services, sessions, conns)
			start := time.Now()
			_, err := s.GetConnection(ctx, d)
			get[i] = time.Since(start)
			must(b, err)
		}
		for i := range cancel {
			k, s, d := pick(i, services, sessions, conns)
			start := time.Now()
			_, err := s.CancelConnection(ctx, wnet.CancelRequest{Name: d})
			cancel[i] = time.Since(start)
			must(b, err)
			add(k)
		}
		for i, v := range []float64{q(get, 50), q(get, 99), q(cancel, 50), q(cancel, 99)} {
			rows[i] = append(rows[i], v)
		}
	}
	medians := make([]float64, len(rows))
	for i, r := range rows {
		slices.Sort(r)
		medians[i] = r[len(r)/2]
	}
	return medians
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
