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

// pkg/sftp (v1.13) has no words for three things that the protocol can say: the permissions in OPEN and in MKDIR, without which a private
// file is everybody's to read until a second request closes it, and the times in FSETSTAT, without which a file that was renamed or
// removed cannot have its times set. An amender puts them into the packets on their way out: the permissions from a mark at the end of
// the path, which no path of ours can have, since it begins with a NUL; the times in place of an owner, which this provider never sets.
type amender struct {
	io.WriteCloser
	rest int // bytes of the current packet that are still to come; pkg/sftp writes one packet at a time
}

// Packet types and attribute flags of [draft-ietf-secsh-filexfer-02] 3 and 5.
const (
	packetOpen     = 3
	packetFsetstat = 10
	packetMkdir    = 14
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
		out = amended(p)
	}
	if _, err := a.WriteCloser.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// amended returns the head of a packet as it has to be sent. p is left as it is.
func amended(p []byte) []byte {
	switch p[4] {
	case packetFsetstat:
		if binary.BigEndian.Uint32(p[len(p)-4:]) == flagOwner {
			out := bytes.Clone(p)
			binary.BigEndian.PutUint32(out[len(out)-4:], flagTimes)
			return out
		}
	case packetOpen, packetMkdir:
		// length, type, id, path, (OPEN: flags,) flags of the attributes, of which there are none
		if len(p) < 17 {
			return p
		}
		end := 13 + int(binary.BigEndian.Uint32(p[9:]))
		if end > len(p)-4 {
			return p
		}
		nul := bytes.IndexByte(p[13:end], 0)
		if nul < 0 {
			return p
		}
		perm, err := strconv.ParseUint(string(p[13+nul+1:end]), 8, 32)
		if err != nil {
			return p
		}
		out := append([]byte(nil), p[:13+nul]...)
		binary.BigEndian.PutUint32(out[9:], uint32(nul))
		out = append(out, p[end:len(p)-4]...)
		out = binary.BigEndian.AppendUint32(out, flagMode)
		out = binary.BigEndian.AppendUint32(out, uint32(perm))
		binary.BigEndian.PutUint32(out, uint32(len(out)-4))
		return out
	}
	return p
}

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
