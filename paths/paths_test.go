package paths

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/openwnet/wnet/win32"
)

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

func TestFind(t *testing.T) {
	dir := t.TempDir()
	mk := func(name string, mode os.FileMode, uid int) string {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(p, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chown(p, uid, uid), os.Chmod(p, mode)); err != nil {
			t.Fatal(err)
		}
		return p
	}
	uid := os.Getuid()
	mine, theirs, open := mk("mine", 0o700, uid), mk("theirs", 0o700, uid+1), mk("open", 0o777, uid)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(mine, link); err != nil {
		t.Fatal(err)
	}
	none, tmp := filepath.Join(dir, "none"), filepath.Join(dir, "tmp")
	runUser := filepath.Join(dir, "user")
	own := mk(filepath.Join("user", strconv.Itoa(uid)), 0o700, uid)
	fallback := filepath.Join(tmp, "wnet-"+strconv.Itoa(uid))
	for _, c := range []struct{ name, xdg, runUser, want string }{
		{"ours", mine, runUser, filepath.Join(mine, "wnet")},
		{"another user's", theirs, runUser, filepath.Join(own, "wnet")},
		{"open to others", open, runUser, filepath.Join(own, "wnet")},
		{"a link", link, runUser, filepath.Join(own, "wnet")},
		{"relative", "mine", runUser, filepath.Join(own, "wnet")},
		{"unset", "", runUser, filepath.Join(own, "wnet")},
		{"nothing", "", none, fallback},
		{"missing", none, none, fallback},
	} {
		p, err := find(env(map[string]string{"HOME": "/h", "XDG_RUNTIME_DIR": c.xdg}), uid, c.runUser, tmp)
		if err != nil || p.RuntimeDir != c.want || p.Socket != filepath.Join(c.want, "wnet.sock") {
			t.Errorf("XDG_RUNTIME_DIR %s: got %+v, %v, want %s", c.name, p, err, c.want)
		}
	}

	p, err := find(env(map[string]string{"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "rel", "WNET_ROOT": "/r/../drives"}), uid, none, tmp)
	want := Paths{RuntimeDir: fallback, Socket: fallback + "/wnet.sock", ConfigDir: "/c/wnet", DataDir: "/h/.local/share/wnet",
		StateDir: "/h/.local/state/wnet", MountRoot: "/drives"}
	if err != nil || p != want {
		t.Errorf("got %+v, %v, want %+v", p, err, want)
	}
	p, err = find(env(map[string]string{"HOME": "/h", "WNET_SOCKET": "/s/x.sock", "XDG_RUNTIME_DIR": mine}), uid, none, tmp)
	if err != nil || p.Socket != "/s/x.sock" || p.RuntimeDir != "/s" || p.MountRoot != "/h/wnet" {
		t.Errorf("WNET_SOCKET: got %+v, %v", p, err)
	}
	if _, err := find(env(nil), 987654321, none, tmp); !errors.Is(err, win32.ERROR_NO_NETWORK) {
		t.Errorf("no home: got %v", err)
	}
}

func TestMakePrivate(t *testing.T) {
	dir := t.TempDir()
	p := filepath.Join(dir, "new")
	for range 2 {
		if err := MakePrivate(p); err != nil {
			t.Fatal(err)
		}
	}
	if fi, err := os.Stat(p); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v", fi, err)
	}
	for name, make := range map[string]func(string) error{
		"a link": func(p string) error { return os.Symlink(dir, p) },
		"a file": func(p string) error { return os.WriteFile(p, nil, 0o600) },
		"open":   func(p string) error { return errors.Join(os.Mkdir(p, 0o755), os.Chmod(p, 0o750)) },
		"theirs": func(p string) error { return errors.Join(os.Mkdir(p, 0o700), os.Chown(p, 65534, 65534)) },
	} {
		p := filepath.Join(dir, name)
		if err := make(p); err != nil {
			t.Fatal(err)
		}
		if err := MakePrivate(p); !errors.Is(err, win32.ERROR_ACCESS_DENIED) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
