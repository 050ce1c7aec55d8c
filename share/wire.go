package share

import (
	"encoding/binary"
	"errors"
	"io"
)

// Packet types of version 3 ([draft-ietf-secsh-filexfer-02] 3).
const (
	typeInit          = 1
	typeVersion       = 2
	typeOpen          = 3
	typeClose         = 4
	typeRead          = 5
	typeWrite         = 6
	typeLstat         = 7
	typeFstat         = 8
	typeSetstat       = 9
	typeFsetstat      = 10
	typeOpendir       = 11
	typeReaddir       = 12
	typeRemove        = 13
	typeMkdir         = 14
	typeRmdir         = 15
	typeRealpath      = 16
	typeStat          = 17
	typeRename        = 18
	typeReadlink      = 19
	typeSymlink       = 20
	typeStatus        = 101
	typeHandle        = 102
	typeData          = 103
	typeName          = 104
	typeAttrs         = 105
	typeExtended      = 200
	typeExtendedReply = 201
)

// Status codes (7).
const (
	statusOK          = 0
	statusEOF         = 1
	statusNoSuchFile  = 2
	statusDenied      = 3
	statusFailure     = 4
	statusBadMessage  = 5
	statusUnsupported = 8
)

// Flags of OPEN (6.3).
const (
	openRead   = 0x01
	openWrite  = 0x02
	openAppend = 0x04
	openCreate = 0x08
	openTrunc  = 0x10
	openExcl   = 0x20
)

// Sizes as OpenSSH has them, told to the client by limits@openssh.com.
const (
	maxPacket = 256 << 10
	maxData   = maxPacket - 1024
)

var (
	errPacket = errors.New("a packet's length is out of bounds")
	errShort  = errors.New("a packet ends before its fields do")
)

// readPacket reads one packet into buf, which it grows where needed: type and payload.
func readPacket(r io.Reader, buf []byte) (kind byte, payload, grown []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, buf, err
	}
	n := binary.BigEndian.Uint32(head[:4])
	if n < 1 || n > maxPacket {
		return 0, nil, buf, errPacket
	}
	n--
	if uint32(cap(buf)) < n {
		buf = make([]byte, n, max(n, 4096))
	}
	buf = buf[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, buf, err
	}
	return head[4], buf, buf, nil
}

// fields takes a payload apart. After the first field that is not there, all are zero and err is set.
type fields struct {
	b   []byte
	err error
}

func (f *fields) take(n int) []byte {
	if f.err != nil || n < 0 || n > len(f.b) {
		f.err = errShort
		return nil
	}
	p := f.b[:n]
	f.b = f.b[n:]
	return p
}

func (f *fields) uint32() uint32 {
	if p := f.take(4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

func (f *fields) uint64() uint64 {
	if p := f.take(8); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

// bytes is a string field, still in the packet's memory.
func (f *fields) bytes() []byte {
	n := f.uint32()
	if n > maxPacket {
		f.err = errShort
	}
	return f.take(int(n))
}

func (f *fields) string() string { return string(f.bytes()) }

// reply builds a packet: the length is filled in by end.
type reply struct{ b []byte }

func (r *reply) begin(kind byte, id uint32) {
	r.b = append(r.b[:0], 0, 0, 0, 0, kind)
	r.uint32(id)
}

func (r *reply) uint32(v uint32) { r.b = binary.BigEndian.AppendUint32(r.b, v) }
func (r *reply) uint64(v uint64) { r.b = binary.BigEndian.AppendUint64(r.b, v) }
func (r *reply) string(s string) {
	r.uint32(uint32(len(s)))
	r.b = append(r.b, s...)
}

func (r *reply) end() []byte {
	binary.BigEndian.PutUint32(r.b, uint32(len(r.b)-4))
	return r.b
}

// status builds a STATUS packet.
func (r *reply) status(id, code uint32, text string) {
	r.begin(typeStatus, id)
	r.uint32(code)
	r.string(text)
	r.string("")
}
