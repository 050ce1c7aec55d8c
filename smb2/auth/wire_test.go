package auth_test

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

	"github.com/openwnet/wnet/smb2/auth"
)

// wire is as little of SMB 2.1 as a login needs: package smb2 is not needed to test what it is given.
type wire struct {
	t       *testing.T
	conn    net.Conn
	message uint64
	session uint64
	hint    []byte
}

const moreProcessing = 0xc0000016

// connect negotiates SMB 2.1 with signing required.
func connect(t *testing.T, addr string) *wire {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	w := &wire{t: t, conn: conn}
	body := []byte{36, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0}
	body = append(body, make([]byte, 24)...)
	body = append(body, 0x10, 0x02)
	status, answer := w.call(0, body, nil)
	if status != 0 {
		t.Fatalf("NEGOTIATE: %#x", status)
	}
	w.hint = buffer(answer, 56)
	return w
}

// buffer gives a response's security buffer, whose offset and length lie at answer[at:].
func buffer(answer []byte, at int) []byte {
	at += 64
	off, n := binary.LittleEndian.Uint16(answer[at:]), binary.LittleEndian.Uint16(answer[at+2:])
	return answer[off : int(off)+int(n)]
}

// call sends a request, signed if there is a key, and gives the answer whole, its signature checked where there is a key.
func (w *wire) call(command uint16, body, key []byte) (status uint32, answer []byte) {
	w.t.Helper()
	b := append([]byte{0xfe, 'S', 'M', 'B', 64, 0}, make([]byte, 58)...)
	binary.LittleEndian.PutUint16(b[12:], command)
	binary.LittleEndian.PutUint16(b[14:], 16)
	binary.LittleEndian.PutUint64(b[24:], w.message)
	binary.LittleEndian.PutUint64(b[40:], w.session)
	b = append(b, body...)
	w.message++
	if key != nil {
		b[16] |= 8
		copy(b[48:], sign(b, key))
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(b)))
	if _, err := w.conn.Write(append(frame, b...)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.ReadFull(w.conn, frame); err != nil {
		w.t.Fatal(err)
	}
	answer = make([]byte, binary.BigEndian.Uint32(frame))
	if _, err := io.ReadFull(w.conn, answer); err != nil {
		w.t.Fatal(err)
	}
	if key != nil {
		w.checkSignature(answer, key)
	}
	return binary.LittleEndian.Uint32(answer[8:]), answer
}

func sign(b, key []byte) []byte {
	b = bytes.Clone(b)
	copy(b[48:64], make([]byte, 16))
	m := hmac.New(sha256.New, key)
	m.Write(b)
	return m.Sum(nil)[:16]
}

func (w *wire) checkSignature(answer, key []byte) {
	w.t.Helper()
	if answer[16]&8 == 0 || !hmac.Equal(answer[48:64], sign(answer, key)) {
		w.t.Fatalf("the answer to %d is not signed with our key", binary.LittleEndian.Uint16(answer[12:]))
	}
}

// login logs in and gives the status of the last SESSION_SETUP, the session's flags and what Step failed with. A session with a key is
// proved by a signed TREE_CONNECT.
func (w *wire) login(cred *auth.Credential, server string) (status uint32, flags uint16, report auth.Report, err error) {
	w.t.Helper()
	a, err := cred.Authenticator(server, w.hint)
	if err != nil {
		return 0, 0, auth.Report{}, err
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	l := a.(*auth.Login)
	var in, last []byte
	for {
		out, done, err := a.Step(ctx, in)
		if err != nil {
			return status, flags, l.Report(), err
		}
		if last != nil && status == 0 {
			if !done {
				return status, flags, l.Report(), fmt.Errorf("the server is done, we are not")
			}
			break
		}
		body := []byte{25, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 88, 0}
		body = binary.LittleEndian.AppendUint16(body, uint16(len(out)))
		body = append(append(body, make([]byte, 8)...), out...)
		status, last = w.call(1, body, nil)
		w.session = binary.LittleEndian.Uint64(last[40:])
		if status != 0 && status != moreProcessing {
			return status, 0, l.Report(), nil
		}
		in, flags = buffer(last, 4), binary.LittleEndian.Uint16(last[64+2:])
	}
	key := a.SessionKey()
	if key == nil {
		return status, flags, l.Report(), nil
	}
	key = append(key, make([]byte, 16)...)[:16]
	w.checkSignature(last, key)
	path := []byte{}
	for _, c := range `\\x\IPC$` {
		path = append(path, byte(c), 0)
	}
	body := append([]byte{9, 0, 0, 0, 72, 0, byte(len(path)), 0}, path...)
	if s, _ := w.call(3, body, key); s != 0 {
		w.t.Fatalf("TREE_CONNECT: %#x", s)
	}
	return status, flags, l.Report(), nil
}
