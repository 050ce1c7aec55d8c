package smb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

func TestStatusTable(t *testing.T) {
	seen := map[ntStatus]bool{}
	for _, r := range statusTable {
		switch {
		case seen[r.status]:
			t.Errorf("%s is there twice", r.name)
		case !strings.HasPrefix(r.name, "STATUS_"), r.words == "", r.errno == 0, r.code == 0:
			t.Errorf("%s: a part is missing", r.name)
		case !r.code.Known():
			t.Errorf("%s: the contract has no code %d", r.name, r.code)
		case r.errno == syscall.ENOSYS:
			t.Errorf("%s: ENOSYS makes the kernel never ask again", r.name)
		}
		seen[r.status] = true
		var errno syscall.Errno
		if !errors.As(error(r.status), &errno) || errno != r.errno {
			t.Errorf("%s unwraps to %v", r.name, errno)
		}
	}
	for _, c := range []struct {
		status ntStatus
		code   win32.Code
		is     error
	}{
		{statusNotFound, win32.ERROR_FILE_NOT_FOUND, fs.ErrNotExist},
		{statusCollision, win32.ERROR_ALREADY_ASSIGNED, fs.ErrExist},
		{statusAccessDenied, win32.ERROR_ACCESS_DENIED, fs.ErrPermission},
		{statusSharingViolation, win32.ERROR_BUSY, syscall.EBUSY},
		{statusDirNotEmpty, win32.ERROR_BUSY, syscall.ENOTEMPTY},
		{statusLogonFailure, win32.ERROR_LOGON_FAILURE, syscall.EACCES},
		{0xC0000071, win32.ERROR_PASSWORD_EXPIRED, syscall.EACCES},
		{0xC0000224, win32.ERROR_PASSWORD_EXPIRED, syscall.EACCES},
		{0xC0000072, win32.ERROR_ACCOUNT_DISABLED, syscall.EACCES},
		{statusBadNetworkName, win32.ERROR_BAD_NET_NAME, syscall.ENOENT},
		{statusBadDeviceType, win32.ERROR_BAD_DEV_TYPE, syscall.ENODEV},
		{0xC000007F, win32.ERROR_NOT_ENOUGH_MEMORY, syscall.ENOSPC},
		{0xDEADBEEF, win32.ERROR_EXTENDED_ERROR, syscall.EIO},
	} {
		if c.status.code() != c.code || !errors.Is(c.status, c.is) {
			t.Errorf("%v: got %d and %v, want %d and %v", c.status, c.status.code(), c.status.Unwrap(), c.code, c.is)
		}
	}
	if !statusSessionDeleted.ends() || !statusSessionExpired.ends() || !statusNetworkNameDeleted.ends() || statusAccessDenied.ends() {
		t.Error("which statuses end a connection")
	}
	wantText(t, ntStatus(0xDEADBEEF).Error(), "0xDEADBEEF")
	e := New(Config{}).fault("Connect", wnet.RemoteName{Server: "nas", Share: "data"}, ntStatus(0xDEADBEEF).code(), ntStatus(0xDEADBEEF), "")
	var we *wnet.Error
	if !errors.As(e, &we) || we.Native != 0xDEADBEEF || we.NativeText == "" {
		t.Errorf("an unknown status: %+v", we)
	}
}

func TestClaims(t *testing.T) {
	one := func(name string, alone, below bool) []span { return []span{{name, alone, below}} }
	for _, c := range []struct {
		a, b []span
		want bool
	}{
		{one("a", false, false), one("a", false, false), false},
		{one("a", true, false), one("a", false, false), true},
		{one("a", true, true), one("a/b", false, false), true},
		{one("a", true, true), one("ab", false, false), false},
		{one("a", true, false), one("a/b", true, true), false},
		{one("a/b", true, true), one("a", false, false), false},
		{one("a/b", false, false), one("a", true, true), true},
		{append(one("x", true, true), one("a", true, true)...), one("a/b/c", false, false), true},
	} {
		x, y := &claim{spans: c.a}, &claim{spans: c.b}
		if x.conflicts(y) != c.want || y.conflicts(x) != c.want {
			t.Errorf("%v and %v: want conflict %v", c.a, c.b, c.want)
		}
	}

	var c claims
	take := func(s ...span) func() {
		t.Helper()
		r, err := c.take(t.Context(), s...)
		ok(t, err)
		return r
	}
	shared, alone := span{name: "d/f"}, span{name: "d", alone: true, below: true}
	r1 := take(shared)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan string, 3)
	waits := func(what string, n int, ctx context.Context, s span) {
		go func() {
			r, err := c.take(ctx, s)
			got <- fmt.Sprint(what, " ", err)
			if err == nil {
				r()
			}
		}()
		until(t, what+" waits", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.list) == n })
	}
	waits("rename", 2, t.Context(), alone)
	waits("given up", 3, ctx, alone)
	waits("late", 4, t.Context(), shared) // behind the rename, though it could share with r1
	cancel()
	for _, want := range []string{"given up context canceled", "rename <nil>", "late <nil>"} {
		if g := <-got; g != want {
			t.Errorf("got %q, want %q", g, want)
		}
		if want[0] == 'g' {
			r1()
		}
	}
	until(t, "all claims are given back", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.list) == 0 && c.alone == 0 })
}

func TestNearest(t *testing.T) {
	all := []string{"data", "Music", "Photos 2024", "secret$"}
	for name, want := range map[string]string{
		"dtaa": "data", "DATA1": "data", "musik": "Music", "photos": "Photos 2024", "secret": "", "something": "", "d": "",
	} {
		if got := nearest(name, all); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
