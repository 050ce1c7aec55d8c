package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/openwnet/wnet/test/rig"
)

// TestWine: drives of Linux are drives in Wine and the reverse, at once and in both kinds of program, over a real smbd and real mounts.
func TestWine(t *testing.T) {
	b := newBox(t)
	p := newPrefix(b, "win64")
	s := rig.Smbd(t, rig.SMBOptions{Shares: map[string][]string{"more": {"read only = no"}}})
	data := smbTargetOf(s, "data")
	data.write(t, "f.txt", "hello")
	b.ok("wine", "install")

	// Mapped before Wine runs.
	b.mapTo("Y:", data)
	y := filepath.Join(p.path, "dosdevices/y:")
	if !b.until(time.Minute, func() bool { _, err := os.Readlink(y); return err == nil }) {
		t.Fatal("Y: is not in the prefix")
	}
	b.inStep(t)
	for _, cpu := range []string{"x86_64", "i686"} {
		t.Run(cpu, func(t *testing.T) {
			in := p.start(probe(t, cpu))
			in.want("1", "module")
			in.want("CYZ", "drives")
			in.want("4", "type", `Y:\`)
			in.want("0 "+data.unc, "connection", "Y:")
			in.want("hello", "cat", `Y:\f.txt`)
			in.want("hello", "cat", data.unc+`\f.txt`)
			in.want("hello", "cat", strings.ToUpper(data.unc)+`\F.TXT`)

			// Mapped and cancelled on Linux while Wine runs.
			more := smbTargetOf(s, "more")
			more.write(t, "g.txt", "more")
			b.mapTo("X:", more)
			in.becomes("CXYZ", "drives")
			in.becomes("4", "type", `X:\`)
			in.want("more", "cat", `X:\g.txt`)
			in.want("0 "+more.unc, "connection", "X:")
			b.inStep(t)
			b.ok("cancel", "X:")
			in.becomes("CYZ", "drives")
			in.becomes("1", "type", `X:\`)
			in.want("2250 ", "connection", "X:")

			// Mapped and cancelled by a Windows program: there when the call returns, on both sides.
			in.want("0", "add", "W:", more.remote, s.User(), s.Password())
			in.want("4", "type", `W:\`)
			in.want("CWYZ", "drives")
			in.want("more", "cat", `W:\g.txt`)
			if text, err := os.ReadFile(b.drive("W", "g.txt")); string(text) != "more" {
				t.Errorf("on Linux: got %q, %v", text, err)
			}
			in.want("0", "cancel", "W:")
			in.want("1", "type", `W:\`)
			in.want("CYZ", "drives")
			if _, ok := b.connection("W:"); ok {
				t.Error("W: is still a drive on Linux")
			}
		})
	}

	// The programs that Wine brings.
	data.write(t, "from.txt", "copy")
	for from, to := range map[string]string{`Y:\from.txt`: `Y:\to1.txt`, data.unc + `\from.txt`: data.unc + `\to2.txt`} {
		r := p.exec("", "wine", "cmd", "/c", "copy", from, to)
		name := to[strings.LastIndexByte(to, '\\')+1:]
		if r.code != 0 || data.read(t, name) != "copy" {
			t.Errorf("copy %s %s: %v", from, to, r)
		}
	}
}

// smbTargetOf is one share of a server as a target.
func smbTargetOf(s *rig.SMBServer, share string) target {
	return target{
		remote: "smb://" + s.Host() + ":" + strconv.Itoa(s.Port()) + "/" + share, unc: `\\` + s.Host() + `\` + share,
		use: []string{"/user:" + s.User(), "--password-stdin"}, stdin: s.Password() + "\n", root: s.Root(share),
	}
}

// wineStatus is what `wnet wine status --json` says of the one prefix.
type wineStatus struct {
	Arch, Override, Problem string
	InStep, Running         bool
	Drives                  []struct{ Letter, Remote, State, Target string }
}

func (b *box) wineStatus() wineStatus {
	b.t.Helper()
	var got struct{ Prefixes []wineStatus }
	if err := json.Unmarshal([]byte(b.ok("wine", "status", "--json").out), &got); err != nil || len(got.Prefixes) != 1 {
		b.t.Fatalf("got %+v, %v", got, err)
	}
	return got.Prefixes[0]
}

// inStep waits until the prefix is in step by the word of `wnet wine status`.
func (b *box) inStep(t *testing.T) {
	t.Helper()
	var got wineStatus
	if !b.until(time.Minute, func() bool { got = b.wineStatus(); return got.InStep }) {
		t.Errorf("not in step: %+v", got)
	}
}

// TestWineRegistry: HKCU\Network follows the profile, and the profile what a program writes there; where both say something, the profile wins.
// A letter of the prefix's own stays, and what is removed leaves the prefix as it was.
func TestWineRegistry(t *testing.T) {
	b := newBox(t)
	p := newPrefix(b, "win64")
	s := smbTarget(b)
	before := p.tree()
	b.ok("wine", "install")
	b.mapTo("Y:", s, "/persistent:yes")
	b.mapTo("Z:", s, "/persistent:no")
	in := p.start(probe(t, "x86_64"))
	in.becomes("0 "+s.unc, "getkey", "Y")
	in.becomes("3", "type", `Z:\`) // Wine's own, the whole file system
	if !b.until(time.Minute, func() bool {
		for _, d := range b.wineStatus().Drives {
			if d.Letter == "Z" && d.State == "own" && d.Target == "/" {
				return true
			}
		}
		return false
	}) {
		t.Errorf("status: got %+v", b.wineStatus())
	}

	// A program's own key becomes a remembered connection as soon as Wine has written it down, at its end at the latest.
	in.want("0", "setkey", "V", `\\elsewhere\share`)
	in.stop()
	p.wait()
	if !b.until(time.Minute, func() bool {
		text, _ := os.ReadFile(b.profile())
		return strings.Contains(string(text), `\\elsewhere\share`)
	}) {
		t.Error("V: is not remembered")
	}
	b.ok("cancel", "Y:")
	in = p.start(probe(t, "i686"))
	in.becomes("2 ", "getkey", "Y")
	in.want(`0 \\elsewhere\share`, "getkey", "V")
	in.want("0", "delkey", "V")
	in.stop()
	p.wait()
	if !b.until(time.Minute, func() bool {
		text, _ := os.ReadFile(b.profile())
		return !strings.Contains(string(text), `\\elsewhere\share`)
	}) {
		t.Error("V: is still remembered")
	}

	b.ok("wine", "remove")
	p.wait() // until a Wine that ran has written its registry down
	if after := p.tree(); after != before {
		t.Errorf("the prefix is not as it was:\n%s\nwant\n%s", after, before)
	}
	for _, name := range []string{"user.reg", "system.reg"} {
		text, err := os.ReadFile(filepath.Join(p.path, name))
		for _, ours := range []string{`"mpr"=`, `Software\\wnet`, `"y:"=`, `"z:"=`, `Network\\Y`} {
			if err != nil || strings.Contains(string(text), ours) {
				t.Errorf("%s: %v, %s is left", name, err, ours)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(b.dir, "run/wnet/channel/default")); !b.until(time.Minute, func() bool {
		_, err = os.Stat(filepath.Join(b.dir, "run/wnet/channel/default"))
		return os.IsNotExist(err)
	}) {
		t.Errorf("the channel is still open: %v", err)
	}
}

// tree tells what may change in a prefix: the links of its letters, and its mpr.dll.
func (p *prefix) tree() string {
	return tool(p.b.t, "sh", "-c", `cd "$0" && ls -A | grep -v -x wineserver && find dosdevices -printf '%p %l\n' | grep -v com1 | sort && sha256sum drive_c/windows/*/mpr.dll`, p.path)
}

// TestWineRefusals: what can't be installed says why, and changes nothing.
func TestWineRefusals(t *testing.T) {
	b := newBox(t)
	if r := b.fails(3, "wine", "install"); !strings.Contains(r.err, "no prefix of Wine") {
		t.Errorf("no prefix: %v", r)
	}
	other := filepath.Join(b.home, "other")
	for name, text := range map[string]string{"system.reg": "WINE REGISTRY Version 2\n\n#arch=arm64\n", "user.reg": "WINE REGISTRY Version 2\n", "dosdevices/x": "", "drive_c/windows/x": ""} {
		os.MkdirAll(filepath.Dir(filepath.Join(other, name)), 0o755)
		if err := os.WriteFile(filepath.Join(other, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if r := b.fails(50, "wine", "install", "--prefix", other); !strings.Contains(r.err, "arm64") {
		t.Errorf("another architecture: %v", r)
	}
	os.WriteFile(filepath.Join(other, "system.reg"), []byte("WINE REGISTRY Version 2\n\n#arch=win64\n"), 0o644)
	if r := b.fails(2, "wine", "install", "--prefix", other, "--wine", "/nowhere/wine"); !strings.Contains(r.err, "where wnet looks") {
		t.Errorf("no Wine: %v", r)
	}
	os.Chown(other, 65534, 65534)
	if r := b.fails(5, "wine", "install", "--prefix", other); !strings.Contains(r.err, "another user") {
		t.Errorf("another user's: %v", r)
	}
	if _, err := os.Stat(filepath.Join(other, ".wnet")); !os.IsNotExist(err) {
		t.Errorf("something was changed: %v", err)
	}
}
