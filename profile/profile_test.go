package profile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/win32"
)

func file(t *testing.T, text string) (*profile.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wnet", "profile.toml")
	if text != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return profile.Open(path), path
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func load(t *testing.T, s *profile.Store) profile.Profile {
	t.Helper()
	p, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func change(t *testing.T, s *profile.Store, do func(tx *profile.Tx)) {
	t.Helper()
	tx, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	do(tx)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func entry(d wnet.Device) profile.Entry {
	return profile.Entry{Device: d, RemotePath: `\\nas\media`, UserName: "anna", ProviderName: "Microsoft Windows Network",
		ProviderType: win32.WNNC_NET_LANMAN, ConnectionType: profile.TypeDrive, DeferFlags: 4}
}

// What a first `net use /persistent:yes` leaves behind, letter by letter: people read this file.
func TestNewFile(t *testing.T) {
	s, path := file(t, "")
	if p := load(t, s); len(p.Entries) != 0 || !p.SaveConnections || p.ProviderOrder != nil {
		t.Errorf("a missing file: %+v", p)
	}
	e := entry("Z:")
	e.UseOptions = wnet.UseOptions{TCPPort: 4455, Transport: "TCP", HostKey: "SHA256:x", SmartCard: true}
	change(t, s, func(tx *profile.Tx) {
		tx.Set(e)
		tx.SetSaveConnections(false)
		tx.SetProviderOrder([]string{"SFTP", "it's mine"})
	})
	want := `# What wnet remembers. Edit it freely: comments and keys that wnet does not know are kept.

[Network.Z]
RemotePath = '\\nas\media'
UserName = 'anna'
ProviderName = 'Microsoft Windows Network'
ProviderType = 0x00020000
ConnectionType = 1
ConnectFlags = 0
DeferFlags = 4
UseOptions = { TCPPort = 4455, Transport = 'TCP', SmartCard = true }

[PersistentConnections]
SaveConnections = false

[Order]
ProviderOrder = ['SFTP', "it's mine"]
`
	if got := content(t, path); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	for name, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if fi, err := os.Stat(name); err != nil || fi.Mode().Perm() != mode {
			t.Errorf("%s: %v %v, want %v", name, fi.Mode(), err, mode)
		}
	}
	p := load(t, s)
	e.UseOptions.HostKey = ""
	if p.Entries["Z:"] != e || p.SaveConnections || strings.Join(p.ProviderOrder, ",") != "SFTP,it's mine" {
		t.Errorf("read back: %+v", p)
	}
	change(t, s, func(tx *profile.Tx) { tx.Delete("Z:"); tx.SetProviderOrder(nil); tx.SetSaveConnections(true) })
	if p := load(t, s); len(p.Entries) != 0 || !p.SaveConnections || p.ProviderOrder != nil {
		t.Errorf("after Delete: %+v", p)
	}
}

// Every way to write a profile that TOML has, with letters and keys as people type them.
func TestForms(t *testing.T) {
	for name, text := range map[string]string{
		"table":        "[Network.Z]\nRemotePath = '\\\\nas\\media'\n",
		"lower case":   "[network.z]\nremotepath = '//nas/media'\n",
		"colon":        "[Network.\"z:\"]\nRemotePath = 'smb://nas/media'\n",
		"dotted":       "Network.Z.RemotePath = '//nas/media'\n",
		"inline":       "Network = { Z = { RemotePath = '//nas/media' } }\n",
		"inline entry": "[Network]\nZ = { RemotePath = '//nas/media' }\n",
		"half dotted":  "[Network]\nZ.RemotePath = '//nas/media'\n",
		"no newline":   "[Network.Z]\nRemotePath = '//nas/media'",
		"crlf":         "# hello\r\n[Network.Z]\r\nRemotePath = '//nas/media'\r\n",
		"bom":          "\ufeff[Network.Z]\nRemotePath = '//nas/media'\n",
		"bom dotted":   "\ufeffNetwork.Z.RemotePath = '//nas/media'\n",
		"sub first":    "[Network.Z.UseOptions]\nTCPPort = 4455\n[Network.Z]\nRemotePath = '//nas/media'\n",
		"unknown":      "[Network.Z]\nRemotePath = '//nas/media'\nColour = 'red' # mine\n[Network.Z.more]\nx = 1\n[other]\ny = [1, {z=2}]\n",
		"multi-line":   "[Network]\nZ = {\n  RemotePath = '//nas/media', # here\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, path := file(t, text)
			p := load(t, s)
			if len(p.Entries) != 1 || p.Entries["Z:"].RemotePath == "" || p.Entries["Z:"].ConnectionType != 1 {
				t.Fatalf("read: %+v", p)
			}
			// Nothing changes: the file is not touched.
			before, _ := os.Stat(path)
			change(t, s, func(tx *profile.Tx) { tx.Set(p.Entries["Z:"]); tx.SetSaveConnections(true); tx.Delete("Q:") })
			if after, _ := os.Stat(path); !os.SameFile(before, after) || content(t, path) != text {
				t.Fatalf("an edit that changes nothing made:\n%s", content(t, path))
			}
			// Each kind of change, and what stood there is still there.
			e := entry("Z:")
			e.UseOptions.TCPPort = 5544
			change(t, s, func(tx *profile.Tx) { tx.Set(e); tx.Set(entry("Y:")); tx.SetSaveConnections(false) })
			p = load(t, s)
			if p.Entries["Z:"] != e || p.Entries["Y:"] != entry("Y:") || p.SaveConnections || len(p.Entries) != 2 {
				t.Errorf("after Set: %+v\n%s", p, content(t, path))
			}
			for _, keep := range []string{"# hello", "Colour = 'red' # mine", "[Network.Z.more]\nx = 1", "[other]\ny = [1, {z=2}]", "# here", "\ufeff"} {
				if strings.Contains(text, keep) && !strings.Contains(content(t, path), keep) {
					t.Errorf("%q is gone:\n%s", keep, content(t, path))
				}
			}
			if strings.Contains(text, "\r\n") && strings.Count(content(t, path), "\n") != strings.Count(content(t, path), "\r\n") {
				t.Errorf("mixed line ends: %q", content(t, path))
			}
			e.UseOptions = wnet.UseOptions{}
			change(t, s, func(tx *profile.Tx) { tx.Set(e); tx.Delete("Y:") })
			if p = load(t, s); p.Entries["Z:"] != e || len(p.Entries) != 1 {
				t.Errorf("after Delete of Y: %+v\n%s", p, content(t, path))
			}
			change(t, s, func(tx *profile.Tx) { tx.Delete("Z:") })
			if p = load(t, s); len(p.Entries) != 0 {
				t.Errorf("after Delete of Z: %+v\n%s", p, content(t, path))
			}
			if strings.Contains(text, "[other]") && !strings.Contains(content(t, path), "[other]\ny = [1, {z=2}]") {
				t.Errorf("another table is gone:\n%s", content(t, path))
			}
		})
	}
}

// Only the keys that change are touched.
func TestEditIsMinimal(t *testing.T) {
	s, path := file(t, `# My drives

# the NAS in the cellar
[Network.Z] # zed
  RemotePath = "\\\\nas\\media"   # films
  DeferFlags = 1 # asks
  Mine = "kept"

# the printer's box
[Network.LPT1]
RemotePath = '//box/laser'
ProviderType = 131072

# the end
`)
	e := load(t, s).Entries["Z:"]
	e.DeferFlags, e.UserName = 4, "anna"
	change(t, s, func(tx *profile.Tx) { tx.Set(e) })
	want := `# My drives

# the NAS in the cellar
[Network.Z] # zed
  RemotePath = "\\\\nas\\media"   # films
  DeferFlags = 4 # asks
  Mine = "kept"
  UserName = 'anna'

# the printer's box
[Network.LPT1]
RemotePath = '//box/laser'
ProviderType = 131072

# the end
`
	if got := content(t, path); got != want {
		t.Errorf("after Set:\n%s", got)
	}
	if p := load(t, s); p.Entries["LPT1"].ConnectionType != profile.TypePrinter || p.Entries["LPT1"].ProviderType != win32.WNNC_NET_LANMAN {
		t.Errorf("printer: %+v", p.Entries["LPT1"])
	}
	change(t, s, func(tx *profile.Tx) { tx.Delete("Z:") })
	want = `# My drives

# the NAS in the cellar

# the printer's box
[Network.LPT1]
RemotePath = '//box/laser'
ProviderType = 131072

# the end
`
	if got := content(t, path); got != want {
		t.Errorf("after Delete:\n%s", got)
	}
}

// CC-11, A2-16: every wrong format is ERROR_BAD_PROFILE at its place, for reading and for writing, and the file stays as it is.
//
// Rows: CC-11, A2-16.
func TestBadProfile(t *testing.T) {
	long := strings.Repeat("# filler\n", 1<<17)
	for name, c := range map[string]struct {
		text         string
		line, column int
	}{
		"cut in a string":    {"[Network.Z]\nRemotePath = '\\\\nas\\me", 2, 0},
		"cut in a header":    {"[Network.Z]\nRemotePath = '//nas/m'\n[Netwo", 3, 0},
		"cut behind header":  {"[Network.Z]\n", 1, 10},
		"rubbish":            {"\x00\x01\x02", 1, 0},
		"not utf-8":          {"# \xff\xfe\n", 1, 0},
		"wrong type":         {"[Network.Z]\nRemotePath = 5\n", 2, 14},
		"flags a text":       {"[Network.Z]\nRemotePath = '//n/s'\nConnectFlags = 'x'\n", 3, 16},
		"flags negative":     {"[Network.Z]\nRemotePath = '//n/s'\nDeferFlags = -1\n", 3, 14},
		"type too large":     {"[Network.Z]\nRemotePath = '//n/s'\nProviderType = 0x100000000\n", 3, 16},
		"type 3":             {"[Network.Z]\nRemotePath = '//n/s'\nConnectionType = 3\n", 3, 18},
		"type 0":             {"[Network.Z]\nRemotePath = '//n/s'\nConnectionType = 0\n", 3, 18},
		"user a table":       {"[Network.Z]\nRemotePath = '//n/s'\n[Network.Z.UserName]\n", 3, 12},
		"user dotted":        {"[Network.Z]\nRemotePath = '//n/s'\nUserName.x = 'y'\n", 3, 14},
		"user unclean":       {"[Network.Z]\nRemotePath = '//n/s'\nUserName = \"a\\u202ab\"\n", 3, 12},
		"bad device":         {"[Network.ZZ]\nRemotePath = '//n/s'\n", 1, 10},
		"bad device inline":  {"Network = { 1 = { RemotePath = '//n/s' } }\n", 1, 13},
		"device a value":     {"[Network]\nZ = '//n/s'\n", 2, 5},
		"Network a value":    {"Network = 1\n", 1, 11},
		"Network an array":   {"[[Network]]\n", 1, 3},
		"device an array":    {"[[Network.Z]]\nRemotePath = '//n/s'\n", 1, 11},
		"no remote path":     {"[Network.Z]\nUserName = 'x'\n", 1, 10},
		"bad remote path":    {"[Network.Z]\nRemotePath = 'nas'\n", 2, 14},
		"escape eaten":       {"[Network.Z]\nRemotePath = \"\\\\nas\\new\"\n", 2, 14},
		"bad escape":         {"[Network.Z]\nRemotePath = \"\\\\nas\\media\"\n", 2, 0},
		"double table":       {"[Network.Z]\nRemotePath = '//n/s'\n[Network.Z]\nUserName = 'x'\n", 3, 0},
		"double key":         {"[Network.Z]\nRemotePath = '//n/s'\nRemotePath = '//n/t'\n", 3, 0},
		"double in case":     {"[Network.Z]\nRemotePath = '//n/s'\n[Network.z]\nRemotePath = '//n/t'\n", 3, 10},
		"double key in case": {"[Network.Z]\nRemotePath = '//n/s'\nremotepath = '//n/t'\n", 3, 1},
		"port":               {"[Network.Z]\nRemotePath = '//n/s'\nUseOptions = { TCPPort = 70000 }\n", 3, 26},
		"transport":          {"[Network.Z]\nRemotePath = '//n/s'\nUseOptions.Transport = 'UDP'\n", 3, 24},
		"options a value":    {"[Network.Z]\nRemotePath = '//n/s'\nUseOptions = 1\n", 3, 14},
		"card a text":        {"[Network.Z]\nRemotePath = '//n/s'\nUseOptions = { SmartCard = 'y' }\n", 3, 28},
		"home no name":       {"[PersistentConnections]\nHomeDirectory = 'anna'\n", 2, 17},
		"home a number":      {"[PersistentConnections]\nHomeDirectory = 1\n", 2, 17},
		"skip a text":        {"[Network.Z]\nRemotePath = '//n/s'\nUseOptions = { SkipCertCheck = 'y' }\n", 3, 32},
		"save a number":      {"[PersistentConnections]\nSaveConnections = 1\n", 2, 19},
		"save a word":        {"[PersistentConnections]\nSaveConnections = 'maybe'\n", 2, 19},
		"order a text":       {"[Order]\nProviderOrder = 'a,b'\n", 2, 17},
		"order of numbers":   {"[Order]\nProviderOrder = [1]\n", 2, 17},
		"behind umlauts":     {"Network = { 'ä' = 1 }\n", 1, 13},
		"column in runes":    {"Äpfel = 1\n", 1, 0},
		"behind a bom":       {"\ufeff[Network.ZZ]\n", 1, 10},
		"too large":          {long, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, path := file(t, c.text)
			_, err := s.Load(context.Background())
			var e *wnet.Error
			var f *profile.FormatError
			if !errors.Is(err, win32.ERROR_BAD_PROFILE) || !errors.As(err, &f) || !errors.As(err, &e) || e.Hint == "" {
				t.Fatalf("Load: %v", err)
			}
			if f.File != path || f.Line != c.line || f.Column < 1 || c.column != 0 && f.Column != c.column {
				t.Errorf("at %d:%d, want %d:%d: %v", f.Line, f.Column, c.line, c.column, err)
			}
			if _, err = s.Begin(context.Background()); !errors.Is(err, win32.ERROR_BAD_PROFILE) {
				t.Errorf("Begin: %v", err)
			}
			if content(t, path) != c.text {
				t.Error("the file was changed")
			}
		})
	}
}

// A password that a person wrote into a name is not repeated.
func TestErrorsTellNoSecret(t *testing.T) {
	for _, text := range []string{
		"[Network.Z]\nRemotePath = 'smb://anna:hunter2@nas/media'\n",
		"[Network.Z]\nRemotePath = 'hunter2'\n",
		"[Network.Z]\nPassword = 'hunter2\n",
	} {
		s, _ := file(t, text)
		_, err := s.Load(context.Background())
		if !errors.Is(err, win32.ERROR_BAD_PROFILE) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
	s, _ := file(t, "")
	tx, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	tx.Set(profile.Entry{Device: "Z:", RemotePath: "smb://anna:hunter2@nas/media"})
	if err := tx.Prepare(); !errors.Is(err, win32.ERROR_INVALID_PARAMETER) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Prepare: %v", err)
	}
}

// An empty file is what `touch` makes: valid, without connections, and kept.
func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "\n", "\ufeff", "# only a comment"} {
		s, path := file(t, "x")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if p := load(t, s); len(p.Entries) != 0 || !p.SaveConnections {
			t.Errorf("%q: %+v", text, p)
		}
		change(t, s, func(tx *profile.Tx) { tx.Set(entry("Z:")) })
		if p := load(t, s); p.Entries["Z:"] != entry("Z:") || !strings.HasPrefix(content(t, path), text) {
			t.Errorf("%q: %+v\n%s", text, p, content(t, path))
		}
	}
}

func wnetDevice(n uint8) wnet.Device {
	all := append(wnet.Drives(true), wnet.Ports()...)
	return all[int(n)%len(all)]
}

// An element of an inline table goes with one comma, wherever it stands.
func TestDeleteInline(t *testing.T) {
	const a, y, z = "A = { RemotePath = '//n/a' }", "Y = { RemotePath = '//n/y' }", "Z = { RemotePath = '//n/z' }"
	for _, c := range []struct {
		text string
		drop wnet.Device
		want string
	}{
		{"Network = { " + a + ", " + y + ", " + z + " }", "A:", "Network = { " + y + ", " + z + " }"},
		{"Network = { " + a + ", " + y + ", " + z + " }", "Y:", "Network = { " + a + ", " + z + " }"},
		{"Network = { " + a + ", " + y + ", " + z + " }", "Z:", "Network = { " + a + ", " + y + " }"},
		{"Network = {" + a + "}", "A:", "Network = {}"},
		{"[Network]\n# one\n" + a + " # two\n# three\n" + y + "\n", "A:", "[Network]\n# one\n# three\n" + y + "\n"},
		{"Network = {\n  " + a + ",\n  " + y + ",\n}\n", "Y:", "Network = {\n  " + a + ",\n}\n"},
		{"Network = {\n  " + a + ",\n}\n", "A:", "Network = {\n  \n}\n"},
	} {
		s, path := file(t, c.text)
		change(t, s, func(tx *profile.Tx) { tx.Delete(c.drop) })
		if got := content(t, path); got != c.want {
			t.Errorf("%s of\n%s\nleft\n%s\nwant\n%s", c.drop, c.text, got, c.want)
		}
	}
}
