package mount

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
)

// pattern is content in which every part differs from every other.
func pattern(seed uint64, n int) []byte {
	p := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	r.Read(p)
	return p
}

// TestReadAhead: a file read in order arrives whole, in large requests that are under way side by side, and nothing is left of it afterwards.
func TestReadAhead(t *testing.T) {
	p, share, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	const size = 24<<20 + 12345
	want := pattern(1, size)
	put(t, share, "f", want)
	var mu sync.Mutex
	now, most := 0, 0
	release := make(chan struct{})
	var once sync.Once
	p.SetFault(func(ctx context.Context, c mem.Call) error {
		if c.Op != "ReadAt" {
			return nil
		}
		mu.Lock()
		now++
		if most = max(most, now); most >= 3 {
			once.Do(func() { close(release) })
		}
		mu.Unlock()
		select { // until there are three, or the reader would wait in vain
		case <-release:
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
		mu.Lock()
		now--
		mu.Unlock()
		return nil
	})
	f, err := os.Open(m.Point() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	before := p.Calls()
	got, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %d bytes, %v, want the %d that are there", len(got), err, size)
	}
	calls := p.Calls() - before
	if calls > size/(128<<10) {
		t.Errorf("%d bytes took %d calls to the server, want them in pieces of 1 MiB", size, calls)
	}
	mu.Lock()
	if most < 3 {
		t.Errorf("at most %d reads were under way at once, want them side by side", most)
	}
	mu.Unlock()
	f.Close()
	for end := time.Now().Add(20 * time.Second); m.srv.ahead.Load() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d bytes are still kept", m.srv.ahead.Load())
		}
	}
}

// put writes a file on the server.
func put(t testing.TB, share *mem.Share, name string, data []byte) {
	t.Helper()
	f, err := share.FS().Open(t.Context(), name, wnet.OpenWrite|wnet.OpenCreate|wnet.OpenTruncate, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(t.Context(), data, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestModel does random things to a file through two mounts, with promises and without the bound between, and to a model, and compares.
func TestModel(t *testing.T) {
	a, b, _, _ := leasedMounts(t, time.Hour)
	const most = 6 << 20
	r := rand.New(rand.NewPCG(3, 4))
	var model []byte
	var fds [2][2]int
	for i, m := range []*mount{a, b} {
		for j := range fds[i] {
			fds[i][j] = openRDWR(t, m.Point()+"/f")
		}
	}
	noise := pattern(9, most+1<<20)
	steps := 600
	for step := range steps {
		fd := fds[r.IntN(2)][r.IntN(2)]
		off := r.Int64N(most / 2)
		n := 1 + r.IntN(300_000)
		switch op := r.IntN(10); {
		case op < 4: // write
			p := noise[r.IntN(1<<20):][:n]
			if got, err := unix.Pwrite(fd, p, off); got != n || err != nil {
				t.Fatalf("step %d: pwrite gives %d, %v", step, got, err)
			}
			if grow := int(off) + n - len(model); grow > 0 {
				model = append(model, make([]byte, grow)...)
			}
			copy(model[off:], p)
		case op < 5: // truncate
			size := r.Int64N(most)
			if err := unix.Ftruncate(fd, size); err != nil {
				t.Fatalf("step %d: ftruncate: %v", step, err)
			}
			if int(size) <= len(model) {
				model = model[:size]
			} else {
				model = append(model, make([]byte, int(size)-len(model))...)
			}
		case op < 6: // read all in order, which reads ahead
			got := make([]byte, 0, len(model))
			buf := make([]byte, 128<<10)
			for {
				k, err := unix.Pread(fd, buf, int64(len(got)))
				if err != nil {
					t.Fatalf("step %d: pread: %v", step, err)
				}
				if k == 0 {
					break
				}
				got = append(got, buf[:k]...)
			}
			if !bytes.Equal(got, model) {
				t.Fatalf("step %d: read %d bytes that are not the model's %d", step, len(got), len(model))
			}
		default: // read a part
			p := make([]byte, n)
			got, err := unix.Pread(fd, p, off)
			want := model[min(int(off), len(model)):min(int(off)+n, len(model))]
			if err != nil || !bytes.Equal(p[:got], want) {
				t.Fatalf("step %d: pread of %d at %d gives %d bytes, %v, that are not the model's %d", step, n, off, got, err, len(want))
			}
		}
		var st unix.Stat_t
		if err := unix.Fstat(fds[r.IntN(2)][0], &st); err != nil || st.Size != int64(len(model)) {
			t.Fatalf("step %d: the size is %d, %v, want %d", step, st.Size, err, len(model))
		}
	}
}

// TestBlockedEnds: whatever the server is asked, a signal that kills ends the program at once, and it is not waited for.
func TestBlockedEnds(t *testing.T) {
	p, share, fsys := newShare(t)
	m := start(t, fsys, Config{CacheTime: time.Millisecond}, wnet.MountOptions{Deadline: time.Hour})
	put(t, share, "f", pattern(1, 1<<20))
	f := m.Point() + "/f"
	for what, script := range map[string]string{
		"stat": "stat " + f, "open": "exec 3<" + f, "read": "cat " + f, "write": "echo >>" + f, "list": "ls " + m.Point(),
		"make": "mkdir " + m.Point() + "/d", "remove": "rm -f " + f, "rename": "mv -T " + f + " " + f + "2", "room": "df " + m.Point(),
		"mode": "chmod 600 " + f, "xattr": "getfattr -n user.a " + f, "lock": "flock " + f + " true", "sync": "sync " + f,
		"size": "truncate -s 3 " + f, "link": "ln -s x " + m.Point() + "/l",
	} {
		t.Run(what, func(t *testing.T) {
			var blocked atomic.Int32
			p.SetFault(func(ctx context.Context, c mem.Call) error {
				if c.Op == "Close" {
					return nil
				}
				blocked.Add(1)
				<-ctx.Done()
				return ctx.Err()
			})
			defer p.SetFault(nil)
			time.Sleep(2 * time.Millisecond) // what the kernel keeps is over
			cmd := background(t, "bash", "-c", script)
			for end := time.Now().Add(20 * time.Second); blocked.Load() == 0; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the server was not asked")
				}
			}
			// The shell may wait for a child, which is to be killed as well, as by Ctrl-C.
			unix.Kill(cmd.Process.Pid, unix.SIGKILL)
			done := make(chan struct{})
			go func() { cmd.Wait(); close(done) }()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Error("SIGKILL did not end the program")
			}
		})
	}
}

// TestWhole: a small file costs one exchange, and is an open file all the same.
func TestWhole(t *testing.T) {
	p, share, fsys := newShare(t)
	m := start(t, fsys, Config{CacheTime: time.Minute}, wnet.MountOptions{})
	f := m.Point() + "/f"
	put(t, share, "f", []byte("small"))
	if _, err := os.Stat(f); err != nil { // as after a listing
		t.Fatal(err)
	}
	before := p.Calls()
	if got := content(t, f); got != "small" {
		t.Errorf("got %q", got)
	}
	if n := p.Calls() - before; n != 1 {
		t.Errorf("a small file took %d exchanges, want 1", n)
	}
	for what, change := range map[string]func() error{
		"renamed":   func() error { return os.Rename(f, f+"2") },
		"removed":   func() error { return os.Remove(f) },
		"replaced":  func() error { os.WriteFile(f+"3", []byte("other"), 0o644); return os.Rename(f+"3", f) },
		"unchanged": func() error { return nil },
	} {
		t.Run(what, func(t *testing.T) {
			os.Remove(f)
			if err := os.WriteFile(f, []byte("small"), 0o644); err != nil {
				t.Fatal(err)
			}
			os.Stat(f)
			g, err := os.Open(f)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			if err := change(); err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(g); err != nil || string(b) != "small" {
				t.Errorf("got %q, %v, want what it was", b, err)
			}
		})
	}
	// What is written to it through another descriptor is read.
	os.WriteFile(f, []byte("small"), 0o644)
	os.Stat(f)
	g, err := os.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := os.WriteFile(f, []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(g); err != nil || string(b) != "another" {
		t.Errorf("got %q, %v, want what was written", b, err)
	}
}
