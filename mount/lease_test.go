package mount

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
)

// leasedMounts are two machines on a share with leases. cache is the bound for what is not promised: an hour shows that what is promised
// is told, a nanosecond that it is kept.
func leasedMounts(t *testing.T, cache time.Duration) (a, b *mount, p *mem.Provider, share *mem.Share) {
	t.Helper()
	p = mem.New(mem.Options{Suffix: ".mem"})
	share = p.AddShare("srv", "data", mem.ShareOptions{Leases: true})
	var ms [2]*mount
	for i := range ms {
		c, err := p.Connect(t.Context(), wnet.Request{Remote: share.Name()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		ms[i] = start(t, c.FS(), Config{CacheTime: cache}, wnet.MountOptions{})
	}
	return ms[0], ms[1], p, share
}

func names(t *testing.T, dir string) string {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		out = append(out, e.Name())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestCoherent: what one machine has done, another one sees as soon as it is done, however long it may keep what it knows.
func TestCoherent(t *testing.T) {
	a, b, _, share := leasedMounts(t, time.Hour)
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(a.Point()+"/d", 0o755))
	write(a.Point()+"/d/f", "first text")
	held, err := os.Open(b.Point() + "/d/f")
	must(err)
	defer held.Close()
	for round := range 50 {
		// Who writes and who reads take turns.
		w, r := a.Point()+"/d", b.Point()+"/d"
		if round%2 == 1 {
			w, r = r, w
		}
		text := fmt.Sprintf("text %05d", round) // of one length, within one second
		_, _ = content(t, r+"/f"), names(t, r)
		write(w+"/f", text)
		if got := content(t, r+"/f"); got != text {
			t.Fatalf("round %d: got %q, want %q", round, got, text)
		}
		p := make([]byte, 100)
		if n, err := held.ReadAt(p, 0); string(p[:n]) != text {
			t.Fatalf("round %d: through an open file got %q, %v, want %q", round, p[:n], err, text)
		}
		if _, err := os.Stat(r + "/new"); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("round %d: got %v, want no such file", round, err)
		}
		write(w+"/new", "n")
		if got := names(t, r); got != "f new" {
			t.Fatalf("round %d: a new file: listed %q", round, got)
		}
		if got := content(t, r+"/new"); got != "n" {
			t.Fatalf("round %d: a new file holds %q", round, got)
		}
		must(os.Truncate(w+"/new", int64(round)))
		if st, err := os.Stat(r + "/new"); err != nil || st.Size() != int64(round) {
			t.Fatalf("round %d: got %v, %v, want the new size", round, st, err)
		}
		must(os.Chmod(w+"/new", 0o600))
		if st, err := os.Stat(r + "/new"); err != nil || st.Mode() != 0o600 {
			t.Fatalf("round %d: got %v, %v, want the new mode", round, st, err)
		}
		must(os.Rename(w+"/new", w+"/moved"))
		if _, err := os.Stat(r + "/new"); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("round %d: got %v, want it renamed", round, err)
		}
		if got := names(t, r); got != "f moved" {
			t.Fatalf("round %d: a renamed file: listed %q", round, got)
		}
		must(os.Remove(w + "/moved"))
		if _, err := os.Stat(r + "/moved"); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("round %d: got %v, want it removed", round, err)
		}
		must(os.Mkdir(w+"/sub", 0o755))
		if got := names(t, r); got != "f sub" {
			t.Fatalf("round %d: a new folder: listed %q", round, got)
		}
		if got := names(t, r+"/sub"); got != "" {
			t.Fatalf("round %d: the new folder holds %q", round, got)
		}
		must(os.Remove(w + "/sub"))
		if got := names(t, r); got != "f" {
			t.Fatalf("round %d: a removed folder: listed %q", round, got)
		}
	}
	// The end of all promises, as after a lost connection: everything is asked for anew, and nobody is thrown out.
	dir, err := os.Open(b.Point() + "/d")
	must(err)
	defer dir.Close()
	share.BreakAll()
	write(a.Point()+"/d/f", "last")
	if got := content(t, b.Point()+"/d/f"); got != "last" {
		t.Errorf("got %q, want the last text", got)
	}
	link := make([]byte, 1000)
	n, err := unix.Readlink(fmt.Sprintf("/proc/self/fd/%d", dir.Fd()), link)
	if err != nil || string(link[:n]) != b.Point()+"/d" {
		t.Errorf("a folder in use is now %q, %v", link[:max(n, 0)], err)
	}
}

// TestPromisesKept: what is promised costs no question to the server.
func TestPromisesKept(t *testing.T) {
	a, _, p, _ := leasedMounts(t, time.Nanosecond)
	for i := range 20 {
		if err := os.WriteFile(fmt.Sprintf("%s/f%d", a.Point(), i), []byte("text"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	look := func() {
		t.Helper()
		sh(t, a.Point(), "ls -l >/dev/null; stat f1 f2 f3 >/dev/null; ! stat none 2>/dev/null")
	}
	look()
	before := p.Calls()
	look()
	if n := p.Calls() - before; n != 0 {
		t.Errorf("the same once more took %d calls to the server, want none", n)
	}
}
