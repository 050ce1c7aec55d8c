package wine

import (
	"os"
	"path/filepath"
	"testing"
)

const regText = "WINE REGISTRY Version 2\n;; All keys relative to REGISTRY\\\\User\\\\S-1-5-21\n\n#arch=win64\n\n" +
	"[Network\\\\Y] 1795647806\n#time=1dd7d312dd3b5de\n\"RemotePath\"=\"\\\\\\\\srv\\\\sh\\x00e4re\"\n\"UserName\"=dword:00000000\n\n" +
	"[Software\\\\Wine\\\\DllOverrides] 1795647703\n\"bin\"=hex:01,02,\\\n  03,04\n\"x\"=str(2):\"%a%\"\n\n[Volatile] 1\n@=\"d\"\n"

func openReg(t *testing.T, text string) *regFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "user.reg")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := readReg(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What wnet sets and takes back leaves the file as it was, byte by byte.
func TestRegFile(t *testing.T) {
	r := openReg(t, regText)
	if v, ok := r.get(`network\y`, "remotepath"); !ok || v != sz(`\\srv\shäre`) {
		t.Errorf("got %v, %v", v, ok)
	}
	if v, _ := r.get(`Network\Y`, "UserName"); v != dword(0) {
		t.Errorf("got %v", v)
	}
	if v, _ := r.get(`Software\Wine\DllOverrides`, "x"); v != (value{"expand", "%a%"}) {
		t.Errorf("got %v", v)
	}
	if got := r.names("Network"); len(got) != 1 || got[0] != "Y" {
		t.Errorf("got %v", got)
	}
	r.set(`Software\Wine\DllOverrides`, "mpr", sz("native,builtin"))
	r.set(`Network\Z`, "RemotePath", sz("\\\\a\\\"b\"\n€😀"))
	r.set(`Network\Z`, "Flags", dword(4096))
	if err := r.save(); err != nil {
		t.Fatal(err)
	}
	again, err := readReg(r.path)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := again.get(`Network\Z`, "RemotePath"); v != sz("\\\\a\\\"b\"\n€😀") {
		t.Errorf("got %q", v.text)
	}
	if v, _ := again.get(`Network\Z`, "Flags"); v != dword(4096) {
		t.Errorf("got %v", v)
	}
	again.drop("Network", false) // it is not there by itself, and has keys below it
	again.drop(`Network\Z`, false)
	if len(again.names("Network")) != 2 {
		t.Error("a key with values was dropped")
	}
	again.drop(`Network\Z`, true)
	again.unset(`Software\Wine\DllOverrides`, "mpr")
	if err := again.save(); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(r.path); string(text) != regText && string(text) != regText+"\n" {
		t.Errorf("got\n%s", text)
	}
}

// A file that Wine wrote meanwhile is not overwritten.
func TestRegFileChanged(t *testing.T) {
	r := openReg(t, regText)
	r.set("A", "b", sz("c"))
	if err := os.WriteFile(r.path, []byte(regText+"\n[New] 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.save(); err != errRegChanged {
		t.Errorf("got %v", err)
	}
}

// FuzzRegFile: a file that is read and changed and changed back is the same, and nothing panics.
func FuzzRegFile(f *testing.F) {
	f.Add(regText, `Network\Y`, "RemotePath")
	f.Fuzz(func(t *testing.T, text, key, name string) {
		path := filepath.Join(t.TempDir(), "r")
		os.WriteFile(path, []byte("WINE REGISTRY Version 2\n"+text), 0o600)
		r, err := readReg(path)
		if err != nil {
			t.Fatal(err)
		}
		r.get(key, name)
		r.names(key)
		r.set(key, name, sz("v"))
		r.unset(key, name)
		r.drop(key, false)
		if err := r.save(); err != nil {
			t.Fatal(err)
		}
	})
}

// Each name gets one link, deeper ones go through the share's, and what is no path gets none.
func TestWanted(t *testing.T) {
	got := wanted([]Drive{
		{"Y", `\\srv\share`, "/h/Y"}, {"X", `\\SRV\Share\sub`, "/h/X"}, {"", `\\srv\other\deep`, "/h/unc/srv/other,deep"},
		{"W", `\\srv\..`, "/h/W"}, {"V", `\\gone\x`, ""}, {"U", `\\SRV\SHARE`, "/h/U"},
	})
	want := map[string]string{"y:": "unc/srv/share", "unc/srv/share": "/h/Y", "x:": "/h/X", "unc/srv/other/deep": "/h/unc/srv/other,deep",
		"w:": "/h/W", "u:": "unc/srv/share"}
	for link, target := range want {
		if got[link] != target {
			t.Errorf("%s: got %q, want %q", link, got[link], target)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}
