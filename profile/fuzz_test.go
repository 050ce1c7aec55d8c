package profile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/win32"
)

// Whatever the file holds: it is refused as a bad profile and stays as it is, or every change is read back and leaves the other entries
// alone.
func FuzzEdit(f *testing.F) {
	for _, s := range []string{
		"", "# c", "[Network.Z]\nRemotePath='//n/s'", "Network.z.RemotePath='//n/s'\nx=1", "Network={}", "Network={Z={RemotePath='//n/s',},}",
		"[Network]\nZ={RemotePath='//n/s',UseOptions={TCPPort=1}}\n[a]\nb=1", "[Network.Z.UseOptions]\nTCPPort=2\n[Network.Z]\nRemotePath='//n/s'",
		"[Network.\"z:\"]\r\nRemotePath='//n/s'\r\n", "\ufeffNetwork.A.RemotePath=\"//n/s\"", "[[a]]\n[[a]]\n[Network.Y]\nRemotePath=\"\"\"//n/s\"\"\"",
		"[network]\nz.remotepath='//n/s'\nz.useoptions.tcpport=5", "[PersistentConnections]\nSaveConnections='no'\n[Order]\nProviderOrder=['a',\n'b'# c\n]",
		"Order={ProviderOrder=['a']}\nPersistentConnections.SaveConnections=false", "[Network.Z]\nRemotePath='//n/s'\n[Network.Z.x]\n[[Network.Z.y]]\n",
	} {
		f.Add([]byte(s), uint8(25))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, letter uint8) {
		path := filepath.Join(dir, "profile.toml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		s := profile.Open(path)
		before, err := s.Load(context.Background())
		if err != nil {
			if !errors.Is(err, win32.ERROR_BAD_PROFILE) {
				t.Fatal(err)
			}
			if do(s, func(tx *profile.Tx) { tx.Set(entry("Z:")) }) == nil || content(t, path) != string(text) {
				t.Fatal("a bad profile was written to")
			}
			return
		}
		e := entry(wnetDevice(letter))
		e.UseOptions.TCPPort = int(letter) % 3
		tell := func(err error) {
			// A form that can't be edited is refused as a whole, and never half written.
			if err != nil && (!errors.Is(err, win32.ERROR_CANNOT_OPEN_PROFILE) || content(t, path) != string(text)) {
				t.Fatal(err)
			}
		}
		err = do(s, func(tx *profile.Tx) { tx.Set(e); tx.SetSaveConnections(!before.SaveConnections) })
		if tell(err); err != nil {
			t.Fatalf("Set: %v\n%q", err, text)
		}
		after := load(t, s)
		if after.Entries[e.Device] != e || after.SaveConnections == before.SaveConnections {
			t.Fatalf("%q became %q", text, content(t, path))
		}
		others := len(after.Entries) - 1
		text = []byte(content(t, path))
		err = do(s, func(tx *profile.Tx) { tx.Delete(e.Device); tx.SetProviderOrder([]string{"x"}) })
		if tell(err); err != nil {
			t.Fatalf("Delete: %v\n%q", err, text)
		}
		after = load(t, s)
		if _, there := after.Entries[e.Device]; there || len(after.Entries) != others || len(after.ProviderOrder) != 1 {
			t.Fatalf("%q became %q", text, content(t, path))
		}
		for d, b := range before.Entries {
			if d != e.Device && after.Entries[d] != b {
				t.Fatalf("%s: %+v became %+v", d, b, after.Entries[d])
			}
		}
	})
}
