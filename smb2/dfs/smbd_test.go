package dfs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/openwnet/wnet/smb2/auth"
	"github.com/openwnet/wnet/smb2/dfs"
	"github.com/openwnet/wnet/test/rig"
)

// net is the servers by their names in the DFS.
type net struct {
	t       *testing.T
	servers map[string]*rig.SMBServer
}

func (n net) login(server string) *rig.RawSMB {
	n.t.Helper()
	s := n.servers[server]
	cred, err := auth.Password(s.User(), auth.NewSecret(s.Password()), auth.Options{Mechanisms: auth.NTLMOnly})
	if err != nil {
		n.t.Fatal(err)
	}
	w := rig.DialRaw(n.t, s.Addr())
	a, err := cred.Authenticator(server, w.Hint)
	if err != nil {
		n.t.Fatal(err)
	}
	if status, _, err := w.Login(a); status != 0 || err != nil {
		n.t.Fatalf("%s: %#x %v", server, status, err)
	}
	return w
}

func (n net) Referral(_ context.Context, server, path string) ([]byte, error) {
	w := n.login(server)
	if status := w.Tree(`\\` + server + `\IPC$`); status != 0 {
		return nil, fmt.Errorf("IPC$: %#x", status)
	}
	none := [16]byte(slices.Repeat([]byte{0xff}, 16))
	out, status := w.Ioctl(dfs.Control, none, dfs.FormatRequest(path), dfs.MaxReferral)
	if status != 0 {
		return nil, fmt.Errorf("status %#x", status)
	}
	return out, nil
}

// open opens a file at a place, and gives the server's status.
func (n net) open(place string, isDFS bool) uint32 {
	n.t.Helper()
	server, share, rest := dfs.Split(place)
	w := n.login(server)
	if status := w.Tree(`\\` + server + `\` + share); status != 0 {
		n.t.Fatalf("%s: %#x", place, status)
	}
	name := rest
	if isDFS {
		name = server + `\` + share + `\` + rest
	}
	_, status := w.Create(name, isDFS)
	return status
}

// A root on a real smbd, a link to two other servers: the file is found at the first target, and at the second when that is gone.
func TestLinkWithSmbd(t *testing.T) {
	one, two := rig.Smbd(t, rig.SMBOptions{}), rig.Smbd(t, rig.SMBOptions{})
	nas := rig.Smbd(t, rig.SMBOptions{Global: []string{"host msdfs = yes"}, Shares: map[string][]string{"dfs": {"msdfs root = yes", "read only = no"}}})
	if err := os.Symlink(`msdfs:one\data,two\data\deep`, filepath.Join(nas.Root("dfs"), "Link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(nas.Root("dfs"), "plain"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{one.Root("data"), filepath.Join(two.Root("data"), "deep")} {
		if err := os.MkdirAll(filepath.Join(dir, "grüße"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "grüße", "file"), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	n := net{t, map[string]*rig.SMBServer{"nas": nas, "one": one, "two": two}}
	r := dfs.New(nil)
	const path = `\nas\dfs\Link\grüße\file`
	const notCovered = 0xc0000257
	if status := n.open(path, true); status != notCovered {
		t.Fatalf("the link: %#x, want STATUS_PATH_NOT_COVERED", status)
	}
	ref, err := r.Learn(t.Context(), n, "", path)
	if err != nil || ref.Prefix != `\nas\dfs\Link` || ref.TTL <= 0 || ref.TTL > 24*time.Hour || !ref.Storage {
		t.Fatalf("%+v %v", ref, err)
	}
	want := []string{`\one\data\grüße\file`, `\two\data\deep\grüße\file`}
	places, err := r.Targets(path)
	sorted := slices.Sorted(slices.Values(places)) // Samba shuffles them
	if err != nil || !slices.Equal(sorted, want) {
		t.Fatalf("%q %v", places, err)
	}
	for range 2 {
		places, err = r.Targets(path)
		if err != nil {
			t.Fatal(err)
		}
		if status := n.open(places[0], false); status != 0 {
			t.Errorf("%s: %#x", places[0], status)
		}
		first, _, _ := dfs.Split(places[0])
		n.servers[first].Stop()
		r.Failed(places[0])
		next, err := r.Targets(path)
		if err != nil || len(next) != 2 || next[0] != places[1] {
			t.Fatalf("%q %v, want %s first", next, err, places[1])
		}
		n.servers[first].Start()
	}
	// The root itself is its own target.
	if ref, err = r.Learn(t.Context(), n, "", `\nas\dfs`); err != nil || !ref.Root {
		t.Fatalf("%+v %v", ref, err)
	}
	places, err = r.Targets(`\nas\dfs\plain`)
	if err != nil || len(places) != 1 || n.open(places[0], true) != 0 {
		t.Errorf("%q %v", places, err)
	}
	// A share that is not in the DFS has no referral.
	if ref, err := r.Learn(t.Context(), n, "", `\nas\data\x`); err == nil {
		t.Errorf("%+v", ref)
	}
}
