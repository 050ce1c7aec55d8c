package sftp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
)

// pkg/sftp (v1.13) has no words for some things that the protocol can say: the permissions in OPEN and in MKDIR, without which a private
// file is everybody's to read until a second request closes it; the times in FSETSTAT, without which a file that was renamed or removed
// cannot have its times set; and OpenSSH's lsetstat, SETSTAT for a link itself. An amender puts them into the packets on their way out:
// permissions and lsetstat from a mark at the end of the path, which no path of ours can have, since it begins with a NUL; the times in
// place of an owner, which this provider never sets.
type amender struct {
	io.WriteCloser
	rest int // bytes of the current packet that are still to come; pkg/sftp writes one packet at a time
}

// Packet types and attribute flags of [draft-ietf-secsh-filexfer-02] 3 and 5.
const (
	packetOpen     = 3
	packetSetstat  = 9
	packetFsetstat = 10
	packetMkdir    = 14
	packetExtended = 200
	flagOwner      = 0x2
	flagMode       = 0x4
	flagTimes      = 0x8
)

// Write passes p on. pkg/sftp writes a packet's head, with all that is amended here, in one call, and then its data, if it has any.
func (a *amender) Write(p []byte) (int, error) {
	if a.rest > 0 {
		n, err := a.WriteCloser.Write(p)
		a.rest -= n
		return n, err
	}
	out := p
	if len(p) >= 9 {
		a.rest = 4 + int(binary.BigEndian.Uint32(p)) - len(p)
		if out = amended(p); len(out) != len(p) {
			binary.BigEndian.PutUint32(out, uint32(len(out)-4+a.rest))
		}
	}
	if _, err := a.WriteCloser.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// amended returns the head of a packet as it has to be sent; its length is the caller's to set if it has changed. p is left as it is.
func amended(p []byte) []byte {
	if p[4] == packetFsetstat && binary.BigEndian.Uint32(p[len(p)-4:]) == flagOwner {
		out := bytes.Clone(p)
		binary.BigEndian.PutUint32(out[len(out)-4:], flagTimes)
		return out
	}
	at, mark, tail, ok := marked(p)
	if !ok {
		return p
	}
	out := bytes.Clone(p[:9]) // length, type, id
	switch p[4] {
	case packetOpen, packetMkdir: // (OPEN: its flags,) the flags of the attributes, of which there are none
		perm, err := strconv.ParseUint(string(mark), 8, 32)
		if err != nil || len(tail) < 4 {
			return p
		}
		out = appendString(out, at)
		out = append(out, tail[:len(tail)-4]...)
		out = binary.BigEndian.AppendUint32(out, flagMode)
		return binary.BigEndian.AppendUint32(out, uint32(perm))
	case packetSetstat:
		out[4] = packetExtended
		out = appendString(out, []byte(lsetstat))
		out = appendString(out, at)
		return append(out, tail...)
	}
	return p
}

// marked takes the head of a packet that begins with a path apart: the path, its mark and what follows. ok is false without a mark.
func marked(p []byte) (at, mark, tail []byte, ok bool) {
	switch p[4] {
	case packetOpen, packetMkdir, packetSetstat:
	default:
		return nil, nil, nil, false
	}
	if len(p) < 13 {
		return nil, nil, nil, false
	}
	end := 13 + int(binary.BigEndian.Uint32(p[9:]))
	if end > len(p) {
		return nil, nil, nil, false
	}
	at, mark, ok = bytes.Cut(p[13:end], []byte{0})
	return at, mark, p[end:], ok
}

func appendString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

const lsetstat = "lsetstat@openssh.com"

// ofLink marks a path for Client.Chtimes: the times of a link itself.
func ofLink(at string) string { return at + "\x00link" }

// withPerm marks a path with the permissions of what is to be made there.
func withPerm(at string, perm fs.FileMode) string { return fmt.Sprintf("%s\x00%o", at, unixPerm(perm)) }

// unixPerm is a mode's twelve bits.
func unixPerm(m fs.FileMode) uint32 {
	p := uint32(m.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&flag != 0 {
			p |= bit
		}
	}
	return p
}

// fileTimes sets the times of an open file.
func fileTimes(h *sftp.File, atime, mtime time.Time) error {
	return h.Chown(int(inRange(atime).Unix()), int(inRange(mtime).Unix()))
}

// umask is what the server was seen to do with the permissions that it was asked for, so that it has to be checked only once.
type umask struct{ kept, dropped atomic.Uint32 }

// learn notes what became of what was asked.
func (u *umask) learn(asked, got uint32) {
	u.kept.Or(asked & got)
	u.dropped.Or(asked &^ got)
}

// keeps reports whether the server keeps these permissions, as far as known.
func (u *umask) keeps(perm uint32) (yes, no bool) {
	return perm&^u.kept.Load() == 0, perm&u.dropped.Load() != 0
}

// settle makes sure that what was just made has the permissions asked for, which the server's umask may have cut. A server without modes
// refuses to change them, and then the thing is there all the same: that is no error.
func (u *umask) settle(perm fs.FileMode, stat func() (fs.FileInfo, error), chmod func() error) error {
	want := unixPerm(perm)
	yes, no := u.keeps(want)
	if yes && !no {
		return nil
	}
	if !no {
		fi, err := stat()
		if err != nil {
			return err
		}
		got := unixPerm(fi.Mode())
		u.learn(want, got)
		if got&want == want {
			return nil
		}
	}
	if err := chmod(); settled(err) {
		return err
	}
	return nil
}
