package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

var bg = context.Background()

// gone checks that a device is gone from the list, from GetConnection and from the file system.
func (b *box) gone(device string) {
	b.t.Helper()
	for _, c := range b.connections() {
		if c.Device == device && c.Connected {
			b.t.Errorf("%s is still listed: %+v", device, c)
		}
	}
	if _, err := os.Stat(b.drive(strings.TrimSuffix(device, ":"))); !errors.Is(err, os.ErrNotExist) {
		b.t.Errorf("the folder of %s is still there: %v", device, err)
	}
}

func (b *box) wantCode(want win32.Code, err error) {
	b.t.Helper()
	if got := wnet.CodeOf(err); got != want {
		b.t.Fatalf("got %d (%v), want %d", got, err, want)
	}
}

// A device is cancelled alone: another letter and a deviceless connection to the same share stay. Its name is taken in any case.
// Afterwards nothing of it is left: not in the list, not as a folder, and WNetGetConnection says not connected.
//
// Rows: CC-01, CC-02, CC-06, CC-10, CC-28, C2-01, C2-10, C2-14.
func TestCancelDeviceAlone(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		b.mapTo("Y:", s)
		b.mapTo("", s)
		s.write(t, "note", "hello")
		b.ok("cancel", "z:")
		b.gone("Z:")
		if got := b.sh("cat '" + b.drive("Y", "note") + "'"); got != "hello" {
			t.Errorf("Y: reads %q", got)
		}
		list := b.connections()
		if len(list) != 2 || list[0].Device != "Y:" || list[1].Device != "" || list[1].RemoteName != s.unc {
			t.Errorf("left are %+v", list)
		}
		if got := b.sh("cat '" + list[1].Path + "/note'"); got != "hello" {
			t.Errorf("the deviceless connection reads %q", got)
		}
		_, err := b.client().GetConnection(bg, "Z:")
		b.wantCode(win32.ERROR_NOT_CONNECTED, err)
		b.fails(2250, "cancel", "Z:")
	})
}

// A remote name stands for every deviceless connection to it, however often it was added, and for no device; the profile is not
// touched. (unsourced: that all references go.)
//
// Rows: CC-03, CC-21, CC-25, C2-05.
func TestCancelRemoteName(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s, "/persistent:yes")
		b.mapTo("", s)
		b.mapTo("", s)
		before, _ := os.ReadFile(b.profile())
		b.ok("cancel", s.unc+`\`)
		list := b.connections()
		if len(list) != 1 || list[0].Device != "Z:" || !list[0].Connected || !list[0].Remembered {
			t.Errorf("left are %+v", list)
		}
		if after, _ := os.ReadFile(b.profile()); string(after) != string(before) {
			t.Errorf("the profile changed:\n%s", after)
		}
		if !b.until(10*time.Second, func() bool { _, err := os.Stat(b.drive("unc")); return errors.Is(err, os.ErrNotExist) }) {
			t.Error("the folders of what is gone are still there")
		}
		r := b.fails(2250, "cancel", s.unc)
		if !strings.Contains(r.err, "wnet cancel Z:") {
			t.Errorf("the refusal does not point to the letter: %v", r)
		}
		b.ok("cancel", "Z:")
	})
}

// Open files refuse a cancel that is not forced, and the refusal names the program, its pid, its user and the file. Nothing has changed
// then: the drive works and is remembered. Force cuts the program off, which sees an error on its next read.
//
// Rows: CC-04, CC-16, CC-23, CC-24, C2-08.
func TestCancelOpenFiles(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s, "/persistent:yes")
		s.write(t, "open.txt", "text")
		h := b.holder("exec 7<'" + b.drive("Z", "open.txt") + "'")
		r := b.fails(2401, "cancel", "Z:")
		for _, want := range []string{"open.txt", strconv.Itoa(h.Process.Pid), "user root", "sleep", "--force"} {
			if !strings.Contains(r.err+r.out, want) {
				t.Errorf("the refusal does not say %q: %v", want, r)
			}
		}
		if c, ok := b.connection("Z:"); !ok || !c.Connected || !c.Remembered || c.Opens == 0 {
			t.Errorf("after the refusal: %+v", c)
		}
		if got := b.sh("cat '" + b.drive("Z", "open.txt") + "'"); got != "text" {
			t.Errorf("after the refusal the drive reads %q", got)
		}
		b.ok("cancel", "Z:", "--force")
		b.gone("Z:")
		if _, err := os.ReadFile(fmt.Sprintf("/proc/%d/fd/7", h.Process.Pid)); err == nil {
			t.Error("the cut-off file can still be read")
		}
		if data, _ := os.ReadFile(b.profile()); strings.Contains(string(data), "data") {
			t.Errorf("the cancelled drive is still remembered:\n%s", data)
		}
	})
}

// A process that only stands in the drive makes it ERROR_DEVICE_IN_USE, with its name.
//
// Rows: CC-13.
func TestCancelDeviceInUse(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		os.Mkdir(s.root+"/sub", 0o777)
		h := b.holder("cd '" + b.drive("Z", "sub") + "'")
		r := b.fails(2404, "cancel", "Z:")
		for _, want := range []string{"sub", strconv.Itoa(h.Process.Pid), "working directory"} {
			if !strings.Contains(r.err+r.out, want) {
				t.Errorf("the refusal does not say %q: %v", want, r)
			}
		}
		end(h)
		b.ok("cancel", "Z:")
	})
}

// What is no connection is ERROR_NOT_CONNECTED and changes nothing; that is found before open files are looked for. An absent name (NULL)
// is ERROR_INVALID_PARAMETER, an empty one not connected. (unsourced: NULL and empty; the precedence.)
//
// Rows: CC-05, CC-15, CC-27.
func TestCancelUnknownName(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		s.write(t, "f", "x")
		b.holder("exec 7<'" + b.drive("Z", "f") + "'")
		for _, name := range []string{"S:", "foo", `\\nowhere\share`, "LPT1", `\\`, "Z"} {
			b.fails(2250, "cancel", name)
		}
		_, err := b.client().CancelConnection(bg, wnet.CancelRequest{Name: "", Flags: win32.CONNECT_UPDATE_PROFILE, Force: true})
		b.wantCode(win32.ERROR_NOT_CONNECTED, err)
		null := b.exec("", "curl", "-s", "--unix-socket", b.socket(), "-H", "Content-Type: application/json", "-d", `{"force":true}`,
			"http://wnet/wnet.v1.Wnet/CancelConnection")
		if !strings.Contains(null.out, "87") {
			t.Errorf("NULL is not 87: %v", null)
		}
		if c, ok := b.connection("Z:"); !ok || !c.Connected {
			t.Errorf("Z: is %+v", c)
		}
	})
}

// A profile that is no profile, or cannot be opened, refuses every cancel that would have to change it, and neither is changed.
//
// Rows: CC-11, CC-12, A2-16, A2-21, UC-35.
func TestCancelBrokenProfile(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s, "/persistent:yes")
		good, err := os.ReadFile(b.profile())
		if err != nil {
			t.Fatal(err)
		}
		bad := "[Network.Z\nRemotePath = 7\n"
		if err := os.WriteFile(b.profile(), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		r := b.fails(1206, "cancel", "Z:")
		if !strings.Contains(r.err, "profile.toml") || !strings.Contains(r.err, "1") {
			t.Errorf("the place is not named: %v", r)
		}
		b.fails(1206, "cancel", "Z:", "--force")
		if r := b.tryUse("Y:", s.remote, s); !strings.Contains(r.out+r.err, "1206") {
			t.Errorf("an add over a broken profile: %v", r)
		}
		if got, _ := os.ReadFile(b.profile()); string(got) != bad {
			t.Errorf("the broken profile was changed to %q", got)
		}
		s.write(t, "f", "still here")
		if got := b.sh("cat '" + b.drive("Z", "f") + "'"); got != "still here" {
			t.Errorf("Z: reads %q", got)
		}
		os.Remove(b.profile())
		os.Mkdir(b.profile(), 0o700)
		b.fails(1205, "cancel", "Z:")
		if r := b.tryUse("Y:", s.remote, s); !strings.Contains(r.out+r.err, "1205") {
			t.Errorf("an add over an unreadable profile: %v", r)
		}
		os.Remove(b.profile())
		if err := os.WriteFile(b.profile(), good, 0o600); err != nil {
			t.Fatal(err)
		}
		b.ok("cancel", "Z:")
	})
}

// WNetCancelConnection updates the profile: the device is forgotten.
//
// Rows: CC-20, A1-01, A1-02.
func TestCancelVersion1Forgets(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		if s.stdin == "" { // the first version takes no user, so it is shown where the defaults open the server
			if err := wnet.AddConnection1(bg, b.client(), s.remote, wnet.Secret{}, "z:"); err != nil {
				t.Fatal(err)
			}
		} else {
			b.mapTo("Z:", s, "/persistent:yes")
		}
		if c, _ := b.connection("Z:"); !c.Remembered {
			t.Fatalf("not remembered: %+v", c)
		}
		if _, err := wnet.CancelConnection1(bg, b.client(), "Z:", false); err != nil {
			t.Fatal(err)
		}
		if c, ok := b.connection("Z:"); ok {
			t.Errorf("still there: %+v", c)
		}
	})
}

// With flags 0 a persistent letter goes and stays remembered: WNetGetConnection says so, the list shows it as unavailable, the
// remembered enumeration has it and the connected one has not; again with flags 0 it is not connected and stays; with the profile
// updated it is forgotten. A new daemon brings it back at the next logon.
//
// Rows: C2-02, C2-03, C2-11, C2-12, C2-13, CC-22, GC-06.
func TestCancelKeepsOrForgets(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s, "/persistent:yes")
		b.ok("cancel", "Z:", "--keep")
		b.gone("Z:")
		c := b.client()
		name, err := c.GetConnection(bg, "Z:")
		b.wantCode(win32.ERROR_CONNECTION_UNAVAIL, err)
		if name != s.unc {
			t.Errorf("remembered for %q", name)
		}
		if x, ok := b.connection("Z:"); !ok || x.Connected || !x.Remembered || x.Status.State != wnet.StateUnavailable || x.Status.Reason == "" {
			t.Errorf("listed as %+v", x)
		}
		if list, err := c.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED}); err != nil || len(list) != 0 {
			t.Errorf("connected: %v %v", list, err)
		}
		list, err := c.Enum(bg, wnet.EnumRequest{Scope: win32.RESOURCE_REMEMBERED})
		if err != nil || len(list) != 1 || list[0].LocalName != "Z:" || list[0].RemoteName != s.unc {
			t.Errorf("remembered: %v %v", list, err)
		}
		b.fails(2250, "cancel", "Z:", "--keep")
		if _, ok := b.connection("Z:"); !ok {
			t.Error("flags 0 forgot it")
		}
		b.ok("stop")
		if x, ok := b.connection("Z:"); !ok || !x.Connected {
			t.Errorf("a new daemon did not bring it back: %+v", x)
		}
		b.ok("cancel", "Z:", "--keep")
		b.ok("cancel", "Z:")
		if x, ok := b.connection("Z:"); ok {
			t.Errorf("still remembered: %+v", x)
		}
		b.fails(2250, "cancel", "Z:")
	})
}

// The flag is ignored for what is not persistent.
//
// Rows: C2-04.
func TestCancelUpdateOfWhatIsNotRemembered(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s, "/persistent:no")
		b.ok("cancel", "Z:")
		b.gone("Z:")
	})
}

// References are counted down one by one, and not by force.
//
// Rows: C2-06.
func TestCancelReferences(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("", s)
		b.mapTo("", s)
		c := b.client()
		down := wnet.CancelRequest{Name: s.unc, Flags: win32.CONNECT_REFCOUNT}
		_, err := c.CancelConnection(bg, wnet.CancelRequest{Name: s.unc, Flags: win32.CONNECT_REFCOUNT, Force: true})
		b.wantCode(win32.ERROR_INVALID_PARAMETER, err)
		for left := 1; left >= 0; left-- {
			if _, err := c.CancelConnection(bg, down); err != nil {
				t.Fatal(err)
			}
			if list := b.connections(); len(list) != left {
				t.Fatalf("want %d connections, have %+v", left, list)
			}
		}
		_, err = c.CancelConnection(bg, down)
		b.wantCode(win32.ERROR_NOT_CONNECTED, err)
	})
}

// Of a hundred cancels at once exactly one succeeds, and the others find nothing to cancel.
func TestHundredCancelsAtOnce(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s, "/persistent:yes")
		c := b.client()
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 100 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				switch _, err := c.CancelConnection(bg, wnet.CancelRequest{Name: "Z:", Flags: win32.CONNECT_UPDATE_PROFILE}); wnet.CodeOf(err) {
				case win32.NO_ERROR:
					won.Add(1)
				case win32.ERROR_NOT_CONNECTED:
				default:
					t.Errorf("got %v", err)
				}
			}()
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d succeeded", won.Load())
		}
		b.gone("Z:")
	})
}

// A file that was closed a moment ago never keeps a cancel from succeeding. WNET_LONG=1 makes it ten thousand times; the mount's own test
// makes its check so often always.
func TestCloseThenCancel(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		rounds := 100
		if os.Getenv("WNET_LONG") != "" {
			rounds = 10_000
		}
		c := b.client()
		b.mapTo("Y:", s, "/persistent:no") // keeps the login known for the adds below
		req := wnet.AddRequest{LocalName: "Z:", RemoteName: s.remote, Type: win32.RESOURCETYPE_DISK}
		if s.stdin != "" {
			req.User, req.Password = strings.TrimPrefix(s.use[0], "/user:"), wnet.NewSecret(strings.TrimSuffix(s.stdin, "\n"))
		}
		for i := range rounds {
			if err := c.AddConnection(bg, req); err != nil {
				t.Fatal(err)
			}
			f, err := os.Create(b.drive("Z", "f"))
			if err != nil {
				t.Fatal(err)
			}
			f.WriteString("x")
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.CancelConnection(bg, wnet.CancelRequest{Name: "Z:"}); err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
		}
		if n := len(b.mounts()); n != 1 {
			t.Errorf("%d mounts, want the one of Y:", n)
		}
	})
}
