package profile_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/win32"
)

// The test binary runs itself as other processes: WNET_PROFILE_CHILD says what such a one does with the profile in its argument.
func TestMain(m *testing.M) {
	role := os.Getenv("WNET_PROFILE_CHILD")
	if role == "" {
		os.Exit(m.Run())
	}
	if err := children[role](os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var children = map[string]func(path string) error{
	"writer":    writer,
	"churn":     churn,
	"full":      full,
	"forbidden": forbidden,
}

func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], path)
	c.Env = append(os.Environ(), "WNET_PROFILE_CHILD="+role)
	return c
}

func run(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func do(s *profile.Store, f func(tx *profile.Tx)) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tx, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	f(tx)
	return tx.Commit()
}

// letters are what one of several writers may use: its own, so that each can tell what it must find.
func letters(n int) []wnet.Device {
	all := wnet.Drives(false)
	return all[n*6 : n*6+6]
}

// writer changes its own letters a hundred times, and finds each time what it left.
func writer(path string) error {
	n, _ := strconv.Atoi(os.Getenv("WNET_PROFILE_NUMBER"))
	return write(profile.Open(path), n)
}

func write(s *profile.Store, n int) error {
	mine := map[wnet.Device]profile.Entry{}
	for i := range 100 {
		d := letters(n)[i%6]
		err := do(s, func(tx *profile.Tx) {
			for _, l := range letters(n) {
				if got, want := tx.Profile().Entries[l], mine[l]; got != want {
					panic(fmt.Sprintf("writer %d, round %d: %s is %+v, want %+v", n, i, l, got, want))
				}
			}
			if _, ok := mine[d]; ok && i%5 == 0 {
				tx.Delete(d)
				delete(mine, d)
				return
			}
			e := entry(d)
			e.UserName = fmt.Sprintf("writer%d-%d", n, i)
			tx.Set(e)
			mine[d] = e
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Two processes and two Stores in this one write at the same time: nobody's change is lost, and nothing is left beside the file.
func TestConcurrentWriters(t *testing.T) {
	s, path := file(t, "# kept\n")
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			if n < 2 {
				c := child(t, "writer", path)
				c.Env = append(c.Env, "WNET_PROFILE_NUMBER="+strconv.Itoa(n))
				if out, err := c.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				return
			}
			if err := write(profile.Open(path), n); err != nil {
				t.Error(err)
			}
		})
	}
	stop := make(chan struct{})
	reader := make(chan struct{})
	go func() { // a reader meanwhile sees only whole files
		defer close(reader)
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := s.Load(context.Background()); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Millisecond)
			}
		}
	}()
	wg.Wait()
	close(stop)
	<-reader
	if p := load(t, s); len(p.Entries) == 0 || !strings.HasPrefix(content(t, path), "# kept\n") {
		t.Errorf("in the end: %+v\n%s", p, content(t, path))
	}
	tidy(t, path)
}

// tidy checks that only the profile and its lock are there.
func tidy(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if n := e.Name(); n != filepath.Base(path) && n != filepath.Base(path)+".lock" {
			t.Errorf("left behind: %s", n)
		}
	}
}

// churn changes two devices at once, for ever; each line on its output tells of a change that Commit has acknowledged.
func churn(path string) error {
	s := profile.Open(path)
	first := 0
	if p, err := s.Load(context.Background()); err != nil {
		return err
	} else if e, ok := p.Entries["Y:"]; ok {
		first = int(e.ConnectFlags)
	}
	for i := first + 1; ; i++ {
		err := do(s, func(tx *profile.Tx) {
			for _, d := range []wnet.Device{"Y:", "Z:"} {
				e := entry(d)
				e.ConnectFlags = uint32(i)
				tx.Set(e)
			}
		})
		if err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// A writer killed at any point leaves the old profile or the new one, both whole, loses nothing that was acknowledged, and the next one
// can go on.
func TestKilledWriter(t *testing.T) {
	s, path := file(t, "# kept\n")
	for round := range 25 {
		c := child(t, "churn", path)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			c.Wait()
			t.Fatalf("the writer wrote nothing: %s", &stderr)
		}
		last := lines.Text()
		// Another instant every round, spread over a change's length.
		timer := time.AfterFunc(time.Duration(round)*300*time.Microsecond, func() { c.Process.Kill() })
		for lines.Scan() {
			last = lines.Text()
		}
		timer.Stop()
		c.Wait()
		acknowledged, err := strconv.Atoi(last)
		if err != nil {
			t.Fatal(err)
		}
		p := load(t, s)
		y, z := p.Entries["Y:"].ConnectFlags, p.Entries["Z:"].ConnectFlags
		if y != z || int(y) < acknowledged || int(y) > acknowledged+1 || !strings.HasPrefix(content(t, path), "# kept\n") {
			t.Fatalf("acknowledged %d, found Y %d, Z %d\n%s", acknowledged, y, z, content(t, path))
		}
	}
	change(t, s, func(tx *profile.Tx) { tx.Delete("Y:") })
	tidy(t, path)
}

// refused checks that neither reading nor writing works (or writing alone), each with ERROR_CANNOT_OPEN_PROFILE and advice.
func refused(s *profile.Store, reading bool, cause error) error {
	check := func(what string, err error) error {
		var e *wnet.Error
		if !errors.Is(err, win32.ERROR_CANNOT_OPEN_PROFILE) || !errors.As(err, &e) || e.Hint == "" || cause != nil && !errors.Is(err, cause) {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}
	if _, err := s.Load(context.Background()); reading {
		if err := check("Load", err); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	tx, err := s.Begin(context.Background())
	if err == nil {
		defer tx.Rollback()
		e := entry("Z:")
		e.UserName = strings.Repeat("x", 8000)
		tx.Set(e)
		err = tx.Prepare()
	}
	return check("Prepare", err)
}

// full runs in a mount namespace of its own, on a file system of 32 KiB that has no room left, and then on a read-only one.
func full(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=32k"); err != nil {
		return err
	}
	path := filepath.Join(dir, "profile.toml")
	s := profile.Open(path)
	if err := do(s, func(tx *profile.Tx) { tx.Set(entry("Z:")) }); err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		return err
	}
	if _, err := io.Copy(filler, neverEnding{}); !errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("filler: %w", err)
	}
	filler.Close()
	if err := refused(s, false, unix.ENOSPC); err != nil {
		return fmt.Errorf("full: %w", err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, "size=32k"); err != nil {
		return err
	}
	if err := refused(s, false, unix.EROFS); err != nil {
		return fmt.Errorf("read-only: %w", err)
	}
	now, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(old, now) {
		return fmt.Errorf("the profile is %q, was %q (%v)", now, old, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		return fmt.Errorf("left behind: %v %v", entries, err)
	}
	return nil
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func TestFullDisk(t *testing.T) {
	c := child(t, "full", t.TempDir())
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if os.Getuid() != 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
	}
	run(t, c)
}

// forbidden runs without root's rights.
func forbidden(dir string) error {
	for name, mode := range map[string]os.FileMode{"unreadable": 0, "closed": 0o600, "fixed": 0o600, "readonly": 0o400} {
		folder := filepath.Join(dir, name)
		path := filepath.Join(folder, "profile.toml")
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte("# kept\n"), 0o600); err != nil {
			return err
		}
		if err := os.Chmod(path, mode); err != nil {
			return err
		}
		folderMode := map[string]os.FileMode{"closed": 0, "fixed": 0o500}[name]
		if name == "closed" || name == "fixed" {
			if err := os.Chmod(folder, folderMode); err != nil {
				return err
			}
		}
		if err := refused(profile.Open(path), name == "unreadable" || name == "closed", fs.ErrPermission); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := errors.Join(os.Chmod(folder, 0o700), os.Chmod(path, 0o600)); err != nil {
			return err
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "# kept\n" {
			return fmt.Errorf("%s: %q %w", name, b, err)
		}
	}
	return nil
}

func TestNoPermission(t *testing.T) {
	dir := t.TempDir()
	c := child(t, "forbidden", dir)
	if os.Getuid() == 0 {
		// As nobody, who must reach the test's folder and the test binary.
		if err := errors.Join(os.Chown(dir, 65534, 65534), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
			t.Fatal(err)
		}
		bin := filepath.Join(dir, "test")
		copyFile(t, os.Args[0], bin)
		c.Path = bin
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		c.Dir = dir
	}
	run(t, c)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}
