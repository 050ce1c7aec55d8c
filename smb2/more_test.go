package smb2_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openwnet/wnet/smb2"
	"github.com/openwnet/wnet/smb2/wire"
	"github.com/openwnet/wnet/test/rig"
)

// A lease breaks when another client wants the file, before that one gets it; the holder hears of it, and may use the client meanwhile. It
// is gone when the connection is.
func TestLease(t *testing.T) {
	s := rig.Smbd(t, rig.SMBOptions{})
	o := options(t, s)
	var last net.Conn
	dialer := o.Dial
	o.Dial = func(ctx context.Context) (net.Conn, error) {
		c, err := dialer(ctx)
		last = c
		return c, err
	}
	one, two := dial(t, o), dial(t, options(t, s))
	a, b := tree(t, one, "data"), tree(t, two, "data")
	type brk struct{ from, to smb2.LeaseState }
	breaks := make(chan brk, 10)
	var f *smb2.File
	lease := one.NewLease(wire.LeaseRead|wire.LeaseWrite|wire.LeaseHandle, func(from, to smb2.LeaseState) {
		if to != 0 || from&wire.LeaseWrite != 0 {
			if _, err := f.WriteAt(context.Background(), []byte("flushed"), 0); err != nil {
				t.Errorf("in the break: %v", err)
			}
		}
		breaks <- brk{from, to}
	})
	rw := smb2.Open{Access: wire.GenericRead | wire.GenericWrite, Disposition: wire.OpenIf, Lease: lease}
	f, err := a.Open(t.Context(), "f", rw)
	if err != nil {
		t.Fatal(err)
	}
	if got := lease.State(); got != wire.LeaseRead|wire.LeaseWrite|wire.LeaseHandle {
		t.Fatalf("granted %v", got)
	}
	again, err := a.Open(t.Context(), "f", rw) // the same lease: no break
	if err != nil || len(breaks) != 0 {
		t.Fatal(err, len(breaks))
	}
	if err := again.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, _, err := b.ReadFile(t.Context(), "f", 100)
	if err != nil || string(p) != "flushed" {
		t.Errorf("the other reads %q, %v", p, err)
	}
	if got := <-breaks; got.from&wire.LeaseWrite == 0 || got.to&wire.LeaseWrite != 0 {
		t.Errorf("broken %v", got)
	}
	if got := lease.State(); got&wire.LeaseWrite != 0 || got&wire.LeaseRead == 0 {
		t.Errorf("after the break: %v", got)
	}
	last.Close()
	if got := <-breaks; got.to != 0 {
		t.Errorf("lost: %v", got)
	}
}

// A folder's changes are heard, those made past the server too where it can; waiting for them ends with the context.
func TestNotify(t *testing.T) {
	s := rig.Smbd(t, rig.SMBOptions{})
	tr := tree(t, dial(t, options(t, s)), "data")
	d, err := tr.Open(t.Context(), ".", smb2.Open{Access: wire.ReadData | wire.ReadAttributes, Disposition: wire.Open, Options: wire.OptDirectory})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, _, err := d.Notify(ctx, wire.NotifyFileName, false); done <- err }()
	time.Sleep(50 * time.Millisecond) // most likely it waits on the server then; if it does not yet, it is given up all the same
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("given up: %v", err)
	}
	var list []smb2.Event
	go func() {
		l, missed, err := d.Notify(t.Context(), wire.NotifyFileName, false)
		if list = l; missed {
			err = errors.Join(err, errors.New("something was missed"))
		}
		done <- err
	}()
	for i := 0; ; i++ { // the watch begins some time
		name := fmt.Sprintf("new:file%d", i)
		if _, err := tr.WriteFile(t.Context(), name, []byte("x"), wire.Create); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if err != nil || len(list) == 0 || list[0].Action != wire.ChangeAdded || !strings.HasPrefix(list[0].Name, "new:file") {
				t.Errorf("%+v, %v", list, err)
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Copies, holes, streams and extended attributes are the server's.
func TestServerSide(t *testing.T) {
	s := rig.Smbd(t, rig.SMBOptions{Data: []string{"vfs objects = streams_xattr", "ea support = yes", "strict allocate = no"}})
	ctx, tr := t.Context(), tree(t, dial(t, options(t, s)), "data")
	open := func(name string, disposition uint32) *smb2.File {
		t.Helper()
		f, err := tr.Open(ctx, name, smb2.Open{Access: wire.GenericRead | wire.GenericWrite | wire.Delete, Disposition: disposition})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close(context.Background()) })
		return f
	}
	content := random(20<<20 + 7)
	src, dst := open("src", wire.Create), open("dst", wire.Create)
	if _, err := src.WriteAt(ctx, content, 0); err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	for {
		n, err := dst.CopyFrom(ctx, src, at, at, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		at += n
	}
	if b, err := os.ReadFile(filepath.Join(s.Root("data"), "dst")); err != nil || !bytes.Equal(b, content) {
		t.Errorf("copied %d of %d, %v", at, len(content), err)
	}
	if err := dst.SetSparse(ctx); err != nil {
		t.Fatal(err)
	}
	if err := dst.Zero(ctx, 1<<20, 8<<20); err != nil {
		t.Fatal(err)
	}
	r, err := dst.Ranges(ctx, 0, int64(len(content)))
	if err != nil || len(r) != 2 || r[0] != (wire.Range{Length: 1 << 20}) || r[1].Offset != 9<<20 {
		t.Errorf("ranges %v, %v", r, err)
	}
	st, err := tr.Open(ctx, "src", smb2.Open{Access: wire.GenericRead | wire.GenericWrite, Disposition: wire.OpenIf, Stream: "note"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.WriteAt(ctx, []byte("hello"), 0); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if list, err := tr.Streams(ctx, "src"); err != nil || len(list) != 1 || list[0].Name != "note" || list[0].Size != 5 {
		t.Errorf("streams %+v, %v", list, err)
	}
	if err := tr.SetEA(ctx, "src", "colour", []byte("blue")); err != nil {
		t.Fatal(err)
	}
	if list, err := tr.EAs(ctx, "src"); err != nil || len(list) != 1 || string(list[0].Value) != "blue" {
		t.Errorf("attributes %+v, %v", list, err)
	}
	if err := tr.Link(ctx, "src", "hard"); err != nil {
		t.Fatal(err)
	}
	if a, err := tr.Stat(ctx, "hard"); err != nil || a.Links != 2 || a.ID != src.Attr().ID {
		t.Errorf("%+v, %v", a, err)
	}
	if err := dst.Rename(ctx, "renamed", true); err != nil {
		t.Error(err)
	}
	if err := dst.Remove(ctx); err != nil {
		t.Error(err)
	}
	// This server has no links of its own to make: that is said, and nothing stays behind.
	if err := tr.Symlink(ctx, "src", "link", false); err == nil {
		t.Error("a link was made: test it")
	}
	if _, err := tr.Stat(ctx, "link"); smb2.StatusOf(err) != wire.StatusNotFoundName {
		t.Errorf("after a failed link: %v", err)
	}
	ipc := tree(t, tr.Client(), "IPC$")
	if list, err := ipc.Interfaces(ctx); err == nil && len(list) == 0 {
		t.Errorf("interfaces %v", list)
	}
}
