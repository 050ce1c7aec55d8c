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
