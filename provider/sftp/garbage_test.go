package sftp_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/sftp"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

func TestGarbageServer(t *testing.T) {
	rubbish := make([]byte, 64<<10)
	rand.Read(rubbish)
	version := "SSH-2.0-OpenSSH_9.2\r\n"
	hold := func(c net.Conn) { io.Copy(io.Discard, c) }
	for _, c := range []struct {
		name string
		raw  func(net.Conn)
		code win32.Code
		text string
	}{
		{"rubbish", func(c net.Conn) { c.Write(rubbish); hold(c) }, win32.ERROR_BAD_NETPATH, "not an SSH server"},
		{"rubbish for ever", func(c net.Conn) {
			for {
				if _, err := c.Write(rubbish); err != nil {
					return
				}
			}
		}, win32.ERROR_BAD_NETPATH, "not an SSH server"},
		{"web server", func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, win32.ERROR_BAD_NETPATH, "not an SSH server"},
		{"silence", hold, win32.ERROR_BAD_NETPATH, "does not answer"},
		{"hangs up", func(net.Conn) {}, win32.ERROR_BAD_NETPATH, "without a word"},
		{"hangs up after the version", func(c net.Conn) { io.WriteString(c, version) }, win32.ERROR_BAD_NET_RESP, "broke the protocol"},
		{"silence after the version", func(c net.Conn) { io.WriteString(c, version); hold(c) }, win32.ERROR_BAD_NETPATH, "does not answer"},
		{"rubbish after the version", func(c net.Conn) { io.WriteString(c, version); c.Write(rubbish); hold(c) },
			win32.ERROR_BAD_NET_RESP, "broke the protocol"},
		{"a length that lies", func(c net.Conn) {
			io.WriteString(c, version)
			c.Write([]byte{0xff, 0xff, 0xff, 0xff, 4, 20})
			hold(c)
		}, win32.ERROR_BAD_NET_RESP, "broke the protocol"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fakeServer(t, fakeOptions{raw: c.raw})
			cfg := s.config(t)
			cfg.Timeouts.Handshake = 500 * time.Millisecond
			if e := wantCode(t, cfg, s.request(), c.code); !strings.Contains(e.Error(), c.text) {
				t.Errorf("got %v, want %q in it", e, c.text)
			}
			// The context ends it as well.
			cfg.Timeouts.Handshake = time.Hour
			ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
			defer cancel()
			if _, err := sftp.New(cfg).Connect(ctx, s.request()); err == nil {
				t.Error("connected")
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	cfg := sftp.Config{Home: t.TempDir()}
	req := wnet.Request{Remote: wnet.RemoteName{Scheme: wnet.SchemeSFTP, User: "anna", Server: "127.0.0.1", Port: rig.FreePort(t)}}
	if e := wantCode(t, cfg, req, win32.ERROR_BAD_NETPATH); !strings.Contains(e.Error(), "nothing listens") {
		t.Errorf("got %v", e)
	}
	req.Remote.Server = "no-such-host.invalid"
	if e := wantCode(t, cfg, req, win32.ERROR_BAD_NETPATH); !strings.Contains(e.Error(), "the host no-such-host.invalid") {
		t.Errorf("got %v", e)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := sftp.New(cfg).Connect(ctx, req)
	if !errors.Is(err, context.Canceled) || wnet.CodeOf(err) != win32.ERROR_CANCELLED {
		t.Errorf("got %v", err)
	}
}

// packet is an SFTP packet.
func packet(kind byte, body ...any) []byte {
	var b bytes.Buffer
	b.WriteByte(kind)
	for _, v := range body {
		if s, ok := v.(string); ok {
			binary.Write(&b, binary.BigEndian, uint32(len(s)))
			v = []byte(s)
		}
		binary.Write(&b, binary.BigEndian, v)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(b.Len())), b.Bytes()...)
}

// answering serves SFTP with one answer for each type of request; what is not there is OK.
func answering(answers map[byte]func(id uint32) []byte) func(io.ReadWriter) {
	return func(rw io.ReadWriter) {
		for {
			var head [5]byte
			if _, err := io.ReadFull(rw, head[:]); err != nil {
				return
			}
			body := make([]byte, binary.BigEndian.Uint32(head[:])-1)
			if _, err := io.ReadFull(rw, body); err != nil {
				return
			}
			out := packet(2, uint32(3)) // VERSION
			if head[4] != 1 {
				id := binary.BigEndian.Uint32(body)
				switch a := answers[head[4]]; {
				case a != nil:
					out = a(id)
				case head[4] == 16: // REALPATH
					out = packet(104, id, uint32(1), "/", "/", uint32(0))
				case head[4] == 17 || head[4] == 7: // STAT, LSTAT: a folder
					out = packet(105, id, uint32(4), uint32(0o40755))
				case head[4] == 11 || head[4] == 3: // OPENDIR, OPEN
					out = packet(102, id, "h")
				default:
					out = packet(101, id, uint32(0), "", "")
				}
			}
			if _, err := rw.Write(out); err != nil {
				return
			}
		}
	}
}

func TestGarbageSFTP(t *testing.T) {
	t.Run("no SFTP", func(t *testing.T) {
		s := fakeServer(t, fakeOptions{noSFTP: true})
		if e := wantCode(t, s.config(t), s.request(), win32.ERROR_BAD_NET_RESP); !strings.Contains(e.Error(), "no SFTP") {
			t.Errorf("got %v", e)
		}
	})
	for name, bytes := range map[string][]byte{
		"a login script that prints": []byte("Welcome to nas!\nPlease read the rules.\n"),
		"a length that lies":         {0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 3},
		"another version":            packet(2, uint32(99)),
		"no version":                 packet(101, uint32(3), uint32(4), "", ""),
		"an empty packet":            {0, 0, 0, 0},
		"nothing":                    {},
	} {
		t.Run(name, func(t *testing.T) {
			s := fakeServer(t, fakeOptions{sftp: func(rw io.ReadWriter) { rw.Write(bytes) }})
			wantCode(t, s.config(t), s.request(), win32.ERROR_BAD_NET_RESP)
		})
	}
	t.Run("silence", func(t *testing.T) {
		s := fakeServer(t, fakeOptions{sftp: func(rw io.ReadWriter) { io.Copy(io.Discard, rw) }})
		cfg := s.config(t)
		cfg.Timeouts.Handshake = 500 * time.Millisecond
		wantCode(t, cfg, s.request(), win32.ERROR_BAD_NETPATH)
	})
}

func TestLyingSFTP(t *testing.T) {
	regular := func(id uint32) []byte { return packet(105, id, uint32(5), uint64(1<<63+5), uint32(0o100644)) }
	all := func(f func(id uint32) []byte) map[byte]func(uint32) []byte {
		m := map[byte]func(uint32) []byte{}
		for _, kind := range []byte{5, 6, 7, 8, 12, 13, 14, 18, 19} {
			m[kind] = f
		}
		return m
	}
	for name, answers := range map[string]map[byte]func(uint32) []byte{
		"cut answers":      all(func(id uint32) []byte { return packet(105, id) }),
		"another kind":     all(func(id uint32) []byte { return packet(99, id, uint32(1)) }),
		"another's id":     all(func(id uint32) []byte { return packet(101, id+1000, uint32(0), "", "") }),
		"counts that lie":  all(func(id uint32) []byte { return packet(104, id, uint32(0xffffffff)) }),
		"strings that lie": all(func(id uint32) []byte { return packet(104, id, uint32(1), uint32(0x7fffffff)) }),
		"data that lies":   all(func(id uint32) []byte { return packet(103, id, uint32(0xffffffff), uint32(1)) }),
		"packets that lie": all(func(uint32) []byte { return []byte{0x7f, 0xff, 0xff, 0xff, 101} }),
		"more than asked":  all(func(id uint32) []byte { return packet(103, id, strings.Repeat("x", 10000)) }),
		"extended garbage": all(func(id uint32) []byte { return packet(105, id, uint32(0x8000000f), uint64(1), uint32(1)) }),
	} {
		t.Run(name, func(t *testing.T) {
			s := fakeServer(t, fakeOptions{sftp: answering(answers)})
			c := wantConn(t, s.config(t), s.request())
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			fsys := c.FS()
			fsys.Stat(ctx, "x")
			fsys.ReadDir(ctx, ".")
			fsys.Mkdir(ctx, "x", 0o755)
			fsys.Rename(ctx, "x", "y")
			fsys.Remove(ctx, "x", false)
			fsys.(wnet.Symlinker).Readlink(ctx, "x")
			if f, err := fsys.Open(ctx, "x", wnet.OpenRead|wnet.OpenWrite|wnet.OpenCreate|wnet.OpenExcl, 0o644); err == nil {
				p := make([]byte, 300<<10)
				if n, _ := f.ReadAt(ctx, p, 0); n < 0 || n > len(p) {
					t.Errorf("read %d bytes", n)
				}
				if n, _ := f.WriteAt(ctx, p, 0); n < 0 || n > len(p) {
					t.Errorf("wrote %d bytes", n)
				}
				f.Stat(ctx)
				f.Close(ctx)
			}
			if ctx.Err() != nil {
				t.Error("a call waited for its context")
			}
		})
	}

	t.Run("names and sizes", func(t *testing.T) {
		listed := false
		s := fakeServer(t, fakeOptions{sftp: answering(map[byte]func(uint32) []byte{
			7: regular,
			12: func(id uint32) []byte {
				if listed {
					return packet(101, id, uint32(1), "", "")
				}
				listed = true
				var body []any
				body = append(body, id, uint32(6))
				for _, n := range []string{"good", "..", "x/..", "a\x00b", "", "."} {
					body = append(body, n, "", uint32(0))
				}
				return packet(104, body...)
			},
		})})
		c := wantConn(t, s.config(t), s.request())
		list, err := c.FS().ReadDir(testContext(t), ".")
		if err != nil || len(list) != 1 || list[0].Name != "good" {
			t.Errorf("got %v, %v, want only good", list, err)
		}
		if a, err := c.FS().Stat(testContext(t), "f"); err != nil || a.Size < 0 {
			t.Errorf("got %+v, %v", a, err)
		}
	})
}
