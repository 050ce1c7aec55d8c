package rig

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
	"unicode/utf16"
)

// RawSMB is as little of an SMB 2.1 client as the tests of a part need: one request at a time, always signed where there is a key. With it a
// part is tested against a real server without the client that it is a part of.
type RawSMB struct {
	t       testing.TB
	conn    net.Conn
	message uint64
	session uint64
	tree    uint32
	key     []byte
	dfs     bool   // the next request's path is one of the DFS
	Hint    []byte // the security buffer of NEGOTIATE's answer
}

// The statuses that tests look for.
const (
	StatusMoreProcessing  = 0xc0000016
	StatusBufferOverflow  = 0x80000005
	StatusLogonFailure    = 0xc000006d
	StatusAccountDisabled = 0xc0000072
)

// DialRaw connects and negotiates SMB 2.1 with signing required.
func DialRaw(t testing.TB, addr string) *RawSMB {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	w := &RawSMB{t: t, conn: conn}
	body := []byte{36, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0} // capability: DFS
	body = append(body, make([]byte, 24)...)
	body = append(body, 0x10, 0x02)
	status, answer := w.call(0, body)
	if status != 0 {
		t.Fatalf("NEGOTIATE: %#x", status)
	}
	w.Hint = part16(answer, 64+56)
	return w
}

// part16 gives what the 16-bit offset and length at answer[at:] point to, part32 the same with 32 bits.
func part16(answer []byte, at int) []byte {
	off, n := binary.LittleEndian.Uint16(answer[at:]), binary.LittleEndian.Uint16(answer[at+2:])
	return answer[off : int(off)+int(n)]
}

func part32(answer []byte, at int) []byte {
	off, n := binary.LittleEndian.Uint32(answer[at:]), binary.LittleEndian.Uint32(answer[at+4:])
	return answer[off : off+n]
}

func (w *RawSMB) call(command uint16, body []byte) (status uint32, answer []byte) {
	w.t.Helper()
	b := append([]byte{0xfe, 'S', 'M', 'B', 64, 0}, make([]byte, 58)...)
	binary.LittleEndian.PutUint16(b[12:], command)
	binary.LittleEndian.PutUint16(b[14:], 16)
	binary.LittleEndian.PutUint64(b[24:], w.message)
	binary.LittleEndian.PutUint32(b[36:], w.tree)
	binary.LittleEndian.PutUint64(b[40:], w.session)
	if w.dfs {
		b[19] |= 0x10
	}
	b = append(b, body...)
	w.message++
	if w.key != nil {
		b[16] |= 8
		copy(b[48:], rawSign(b, w.key))
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(b)))
	if _, err := w.conn.Write(append(frame, b...)); err != nil {
		w.t.Fatal(err)
	}
	for {
		if _, err := io.ReadFull(w.conn, frame); err != nil {
			w.t.Fatal(err)
		}
		answer = make([]byte, binary.BigEndian.Uint32(frame))
		if _, err := io.ReadFull(w.conn, answer); err != nil {
			w.t.Fatal(err)
		}
		if status = binary.LittleEndian.Uint32(answer[8:]); status != 0x103 { // pending
			break
		}
	}
	if w.key != nil {
		w.check(answer)
	}
	return status, answer
}

func rawSign(b, key []byte) []byte {
	b = bytes.Clone(b)
	copy(b[48:64], make([]byte, 16))
	m := hmac.New(sha256.New, key)
	m.Write(b)
	return m.Sum(nil)[:16]
}

func (w *RawSMB) check(answer []byte) {
	w.t.Helper()
	if answer[16]&8 == 0 || !hmac.Equal(answer[48:64], rawSign(answer, w.key)) {
		w.t.Fatalf("the answer to command %d is not signed with our key", binary.LittleEndian.Uint16(answer[12:]))
	}
}

// Login carries a login through, and gives the status of the last SESSION_SETUP, the session's flags and what Step failed with. Where there
// is a key, the server's last answer has to be signed with it.
func (w *RawSMB) Login(a interface {
	Step(ctx context.Context, in []byte) (out []byte, done bool, err error)
	SessionKey() []byte
}) (status uint32, flags uint16, err error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	var in, last []byte
	for {
		out, done, err := a.Step(ctx, in)
		if err != nil {
			return status, flags, err
		}
		if last != nil && status == 0 {
			if !done {
				return status, flags, fmt.Errorf("the server is done, we are not")
			}
			break
		}
		body := []byte{25, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 88, 0}
		body = binary.LittleEndian.AppendUint16(body, uint16(len(out)))
		body = append(append(body, make([]byte, 8)...), out...)
		status, last = w.call(1, body)
		w.session = binary.LittleEndian.Uint64(last[40:])
		if status != 0 && status != StatusMoreProcessing {
			return status, 0, nil
		}
		in, flags = part16(last, 64+4), binary.LittleEndian.Uint16(last[64+2:])
	}
	if key := a.SessionKey(); key != nil {
		w.key = append(key, make([]byte, 16)...)[:16]
		w.check(last)
	}
	return status, flags, nil
}

func rawText(s string) []byte {
	var b []byte
	for _, c := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return b
}

// Tree connects to `\\server\share`; what comes after is asked of it.
func (w *RawSMB) Tree(path string) (status uint32) {
	w.t.Helper()
	p := rawText(path)
	body := binary.LittleEndian.AppendUint16([]byte{9, 0, 0, 0, 72, 0}, uint16(len(p)))
	status, answer := w.call(3, append(body, p...))
	w.tree = binary.LittleEndian.Uint32(answer[36:])
	return status
}

// Create opens a file or pipe that is there. With dfs the path is one of the DFS: server\share\path.
func (w *RawSMB) Create(name string, dfs bool) (file [16]byte, status uint32) {
	w.t.Helper()
	b := []byte{57, 0, 0, 0, 2, 0, 0, 0}
	b = append(b, make([]byte, 16)...)
	b = binary.LittleEndian.AppendUint32(b, 0x0012019f) // read, write
	b = append(b, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 120, 0)
	n := rawText(name)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(n)))
	b = append(b, make([]byte, 8)...)
	b = append(append(b, n...), 0)
	w.dfs = dfs
	status, answer := w.call(5, b)
	w.dfs = false
	if status == 0 {
		copy(file[:], answer[64+64:])
	}
	return file, status
}

// Ioctl asks for a file system control.
func (w *RawSMB) Ioctl(code uint32, file [16]byte, in []byte, max int) (out []byte, status uint32) {
	w.t.Helper()
	b := binary.LittleEndian.AppendUint32([]byte{57, 0, 0, 0}, code)
	b = append(b, file[:]...)
	b = binary.LittleEndian.AppendUint32(b, 120)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(in)))
	b = append(b, make([]byte, 12)...)
	b = binary.LittleEndian.AppendUint32(b, uint32(max))
	b = append(b, 1, 0, 0, 0, 0, 0, 0, 0)
	status, answer := w.call(11, append(b, in...))
	if status != 0 && status != StatusBufferOverflow {
		return nil, status
	}
	return part32(answer, 64+32), status
}

// Read reads from a pipe.
func (w *RawSMB) Read(file [16]byte, max int) (out []byte, status uint32) {
	w.t.Helper()
	b := binary.LittleEndian.AppendUint32([]byte{49, 0, 0x50, 0}, uint32(max))
	b = append(b, make([]byte, 8)...)
	b = append(b, file[:]...)
	b = append(b, make([]byte, 17)...)
	status, answer := w.call(8, b)
	if status != 0 && status != StatusBufferOverflow {
		return nil, status
	}
	off, n := answer[64+2], binary.LittleEndian.Uint32(answer[64+4:])
	return answer[off : uint32(off)+n], status
}

// Write writes to a pipe.
func (w *RawSMB) Write(file [16]byte, data []byte) (status uint32) {
	w.t.Helper()
	b := binary.LittleEndian.AppendUint32([]byte{49, 0, 112, 0}, uint32(len(data)))
	b = append(b, make([]byte, 8)...)
	b = append(b, file[:]...)
	b = append(b, make([]byte, 16)...)
	status, _ = w.call(9, append(b, data...))
	return status
}
