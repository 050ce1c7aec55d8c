package test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openwnet/wnet/test/rig"
)

// One daemon routes each name to its own network, and a name of neither is not connected.
//
// Rows: CC-30.
func TestTwoNetworksInOneDaemon(t *testing.T) {
	b := newBox(t)
	smb, sftp := smbTarget(b), sftpTarget(b)
	b.mapTo("Z:", smb)
	b.mapTo("Y:", sftp)
	b.mapTo("", smb)
	b.mapTo("", sftp)
	for _, c := range b.connections() {
		want := smb.network
		if c.Device == "Y:" || strings.HasPrefix(c.RemoteName, `\\sshfs`) {
			want = sftp.network
		}
		if c.Provider != want {
			t.Errorf("%s %s is of %s", c.Device, c.RemoteName, c.Provider)
		}
	}
	b.ok("cancel", sftp.unc)
	b.ok("cancel", "Z:")
	b.fails(2250, "cancel", sftp.unc)
	b.fails(2250, "cancel", `\\127.0.0.1\other`)
	if list := b.connections(); len(list) != 2 || list[0].Device != "Y:" || list[1].RemoteName != smb.unc {
		t.Errorf("left are %+v", list)
	}
}

// A profile that is cut, empty, a folder, in a read-only folder or on a full disk gives a clear error, and is what it was; the letter that
// could not be remembered is not mapped.
func TestProfileThatCannotBeUsed(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		dir := filepath.Dir(b.profile())
		b.mapTo("Y:", s, "/persistent:yes")
		good, err := os.ReadFile(b.profile())
		if err != nil {
			t.Fatal(err)
		}
		refused := func(code, what string) {
			t.Helper()
			r := b.tryUse("Z:", s.remote, s, "/persistent:yes")
			if r.code != 2 || !strings.Contains(r.err, "System error "+code+" ") || !strings.Contains(r.err, "profile") {
				t.Errorf("%s: %v", what, r)
			}
			if _, err := os.Stat(b.drive("Z")); err == nil {
				t.Errorf("%s: the letter is mapped", what)
			}
		}
		os.WriteFile(b.profile(), good[:len(good)-len(good)/3], 0o600)
		cut, _ := os.ReadFile(b.profile())
		refused("1206", "cut")
		if now, _ := os.ReadFile(b.profile()); !bytes.Equal(now, cut) {
			t.Errorf("a cut profile was changed:\n%s", now)
		}
		if r := b.run("use"); r.code != 2 || !strings.Contains(r.out, "OK           Y:") || !strings.Contains(r.err, "System error 1206 ") {
			t.Errorf("a cut profile hides a drive that is there: %v", r)
		}
		os.Remove(b.profile())
		os.MkdirAll(b.profile()+"/x", 0o700)
		refused("1205", "a folder")
		os.RemoveAll(b.profile())

		// A full disk: a tiny file system of its own, filled up.
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
			t.Fatal(err)
		}
		os.WriteFile(b.profile(), good, 0o600)
		fill, _ := os.Create(dir + "/fill")
		io.Copy(fill, io.LimitReader(zeros{}, 1<<20))
		fill.Close()
		refused("1205", "a full disk")
		if now, _ := os.ReadFile(b.profile()); !bytes.Equal(now, good) {
			t.Errorf("on a full disk the profile became:\n%s", now)
		}
		b.fails(1205, "cancel", "Y:")
		if list, _ := os.ReadDir(dir); len(list) > 3 {
			t.Errorf("litter: %v", list)
		}
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
		os.WriteFile(b.profile(), nil, 0o600) // empty: a person's touch; a valid profile that remembers nothing
		b.mapTo("Z:", s, "/persistent:yes")
		if now, _ := os.ReadFile(b.profile()); !bytes.Contains(now, []byte("Network.Z")) {
			t.Errorf("an empty profile became:\n%s", now)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// An ordinary user whose configuration folder is read-only.
func TestReadOnlyProfileFolder(t *testing.T) {
	b := newBoxFor(t, 65534, 65534)
	s := sftpTarget(b)
	b.mapTo("Y:", s, "/persistent:no")
	dir := filepath.Dir(b.profile())
	os.MkdirAll(dir, 0o700)
	os.Chown(filepath.Dir(dir), 65534, 65534)
	os.Chown(dir, 65534, 65534)
	os.Chmod(dir, 0o500)
	defer os.Chmod(dir, 0o700)
	if r := b.tryUse("Z:", s.remote, s, "/persistent:yes"); r.code != 2 || !strings.Contains(r.err, "System error 1205 ") {
		t.Errorf("got %v", r)
	}
}

// Peers that send rubbish, half a request or nothing hold up nobody else.
func TestHostileSocketPeers(t *testing.T) {
	b := newBox(t)
	b.ok("list")
	for i := range 40 {
		c, err := net.Dial("unix", b.socket())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		switch i % 4 {
		case 0: // silence
		case 1:
			c.Write(bytes.Repeat([]byte{0xff, 0, '\n', 'G'}, 1000))
		case 2:
			c.Write([]byte("POST /wnet.v1.Wnet/CancelConnection HTTP/1.1\r\nHost: wnet\r\nContent-Length: 100000\r\nContent-Type: application/json\r\n\r\n{"))
		case 3:
			c.Write([]byte("POST /wnet.v1.Wnet/Connections HTTP/1.1\r\nX: " + strings.Repeat("y", 1<<16)))
		}
	}
	b.ok("list")
	for _, body := range []string{"", "{", `{"name":7}`, `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, `[]`, "\x00"} {
		if r := b.exec(body, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", b.socket(), "-H", "Content-Type: application/json",
			"--data-binary", "@-", "http://wnet/wnet.v1.Wnet/CancelConnection"); r.out == "200" || r.out == "000" {
			t.Errorf("%.20q gives %v", body, r)
		}
	}
	b.ok("list")
}

// Servers that close, talk rubbish, lie about lengths or never answer give a clear error within a bound, and leave nothing behind.
func TestHostileServers(t *testing.T) {
	for name, behave := range map[string]func(net.Conn){
		"closes": func(c net.Conn) { c.Close() },
		"rubbish": func(c net.Conn) {
			c.Write(bytes.Repeat([]byte("SSH-2.0-x\r\n\x00\x00\x01"), 1000))
			io.Copy(io.Discard, c)
		},
		"lies":   func(c net.Conn) { c.Write([]byte{0, 0xff, 0xff, 0xff, 0xfe, 'S', 'M', 'B'}); io.Copy(io.Discard, c) },
		"silent": func(c net.Conn) { io.Copy(io.Discard, c) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() { defer c.Close(); c.SetDeadline(time.Now().Add(90 * time.Second)); behave(c) }()
				}
			}()
			b := newBox(t)
			for _, form := range []string{"smb://%s/share", "sftp://root@%s/"} {
				r := b.exec("secret-word\n", program, "use", "Z:", fmt.Sprintf(form, l.Addr()), "/user:root", "--password-stdin")
				if r.code != 2 || !strings.Contains(r.err, "System error ") || !strings.Contains(r.err, "Why: ") {
					t.Errorf("%s: %v", form, r)
				}
				if strings.Contains(r.out+r.err, "secret-word") {
					t.Errorf("%s: the password is in the message", form)
				}
			}
			if list := b.connections(); len(list) != 0 {
				t.Errorf("connected: %+v", list)
			}
			if log, _ := os.ReadFile(filepath.Join(b.home, ".local/state/wnet/daemon.log")); bytes.Contains(log, []byte("secret-word")) {
				t.Error("the password is in the log")
			}
		})
	}
	t.Run("nobody", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		r := b.fails(53, "use", "Z:", fmt.Sprintf("smb://127.0.0.1:%d/share", rig.FreePort(t)), "/user:x", "pw")
		if !strings.Contains(r.err, "refused") && !strings.Contains(r.err, "listens") && !strings.Contains(r.err, "closed") {
			t.Errorf("the cause is not named: %v", r)
		}
	})
}

// Names that nobody meant change nothing and are refused with a code.
func TestBadNames(t *testing.T) {
	b := newBox(t)
	for _, name := range []string{`\\`, `\\server`, `//server/..`, "//ser\u202ever/share", "smb://a:b@c/d", "gopher://x/y", `\\s\` + strings.Repeat("x", 400), "//server/sh\x01are"} {
		r := b.run("use", "Z:", name)
		if r.code != 2 && r.code != 1 || r.err == "" {
			t.Errorf("%q: %v", name, r)
		}
	}
	if _, err := os.Stat(b.drive("Z")); err == nil {
		t.Error("Z: is there")
	}
}

// A password that cannot be saved is no success: the drive is not mapped, nothing is remembered, and the damaged file stays as it is.
func TestSavecredThatCannotSave(t *testing.T) {
	b := newBox(t)
	s := smbTarget(b)
	sealed := filepath.Join(filepath.Dir(b.profile()), "credentials.age")
	os.MkdirAll(filepath.Dir(sealed), 0o700)
	if err := os.WriteFile(sealed, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := b.tryUse("Z:", s.remote, s, "/savecred", "/persistent:yes")
	if r.code != 2 || !strings.Contains(r.err, "credentials.age") || !strings.Contains(r.err, "/savecred") {
		t.Errorf("got %v", r)
	}
	if list := b.connections(); len(list) != 0 {
		t.Errorf("left are %+v", list)
	}
	if now, _ := os.ReadFile(sealed); string(now) != "rubbish" {
		t.Errorf("the file became %q", now)
	}
	b.mapTo("Z:", s, "/persistent:yes")
}
