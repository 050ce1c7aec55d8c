package smb2_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/openwnet/wnet/smb2"
	"github.com/openwnet/wnet/smb2/wire"
)

// pass is a credential of a guest, whose log-on has nothing to check.
type pass struct{}

func (pass) Authenticator(string, []byte) (smb2.Authenticator, error) { return pass{}, nil }
func (pass) Kind() smb2.CredentialKind                                { return smb2.GuestCredential }
func (pass) Step(context.Context, []byte) ([]byte, bool, error)       { return []byte{1}, true, nil }
func (pass) SessionKey() []byte                                       { return nil }

// liar is a server that answers as one would, but for what script says: of each four bytes one says which answer, two where in it, and
// one what stands there instead.
type liar struct {
	dialect wire.Dialect
	script  []byte
	count   int
}

var le = binary.LittleEndian

func (l *liar) serve(nc net.Conn) {
	defer nc.Close()
	for {
		var n [4]byte
		if _, err := io.ReadFull(nc, n[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(n[:]))
		if _, err := io.ReadFull(nc, frame); err != nil {
			return
		}
		for len(frame) >= wire.HeaderSize {
			var h wire.Header
			if h.Decode(frame) != nil {
				return
			}
			if h.Command != wire.CmdCancel {
				if _, err := nc.Write(l.answer(&h)); err != nil {
					return
				}
			}
			if h.NextCommand == 0 {
				break
			}
			frame = frame[h.NextCommand:]
		}
	}
}

func (l *liar) answer(h *wire.Header) []byte {
	r := wire.Header{CreditCharge: h.CreditCharge, Command: h.Command, Credits: 32, Flags: wire.FlagResponse, MessageID: h.MessageID, TreeID: 1, SessionID: 1}
	b := make([]byte, 100)
	size := func(n uint16) { le.PutUint16(b, n) }
	switch h.Command {
	case wire.CmdNegotiate:
		size(65)
		le.PutUint16(b[4:], uint16(l.dialect))
		le.PutUint16(b[6:], 1)
		le.PutUint32(b[24:], wire.CapLargeMTU|wire.CapLeasing)
		for _, at := range []int{28, 32, 36} {
			le.PutUint32(b[at:], 1<<20)
		}
		le.PutUint32(b[60:], wire.HeaderSize+64)
		copy(b[64:], []byte{1, 0, 6, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0})
	case wire.CmdSessionSetup:
		size(9)
		b[2] = 1
	case wire.CmdTreeConnect:
		size(16)
		b[2] = wire.ShareDisk
	case wire.CmdCreate:
		size(89)
	case wire.CmdClose:
		size(60)
	case wire.CmdRead:
		size(17)
		b[2], b[4] = 80, 20
	case wire.CmdWrite:
		size(17)
		b[4] = 20
	case wire.CmdQueryInfo, wire.CmdQueryDirectory, wire.CmdChangeNotify:
		size(9)
		b = append(b, make([]byte, 100)...)
		b[2], b[4] = 72, 120
		b[8+60] = 2 // a listing's name
		b[8+80] = 'x'
		if h.Command == wire.CmdQueryDirectory && l.count%2 == 1 {
			r.Status = wire.StatusNoMoreFiles
		}
	case wire.CmdIoctl:
		size(49)
	case wire.CmdSetInfo:
		size(2)
	default:
		size(4)
	}
	msg := append(r.Append(make([]byte, 4)), b...)
	binary.BigEndian.PutUint32(msg, uint32(len(msg)-4))
	for s := l.script; len(s) >= 4; s = s[4:] {
		if at := int(le.Uint16(s[1:])); int(s[0]) == l.count%256 && at < len(msg) {
			msg[at] = s[3]
		}
	}
	l.count++
	return msg
}

// A server that lies at any place of any answer: no panic, no endless wait, and nothing left that runs. The script is the lies.
func FuzzSession(f *testing.F) {
	f.Add(uint8(0), []byte{})
	f.Add(uint8(1), []byte{})
	f.Add(uint8(2), []byte{})
	f.Add(uint8(1), []byte{32, 19, 0, 0xFF}) // 65,000 credits
	for i := range byte(16) {                // each answer: its length, its status, its number, its session, its first fields
		for _, at := range []byte{0, 1, 3, 12, 14, 18, 24, 28, 48, 70, 72, 76, 132} {
			f.Add(i%3, []byte{i, at, 0, 0xFF})
		}
	}
	f.Fuzz(func(t *testing.T, dialect uint8, script []byte) {
		l := &liar{dialect: []wire.Dialect{wire.Dialect202, wire.Dialect210, wire.Dialect311}[dialect%3], script: script}
		served := make(chan struct{}, 1)
		o := smb2.Options{Server: "liar", Credential: pass{}, DeadAfter: 100 * time.Millisecond, Timeout: 100 * time.Millisecond, Once: true,
			Dial: func(context.Context) (net.Conn, error) {
				here, there := net.Pipe()
				go func() { l.serve(there); served <- struct{}{} }()
				return here, nil
			}}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		c, err := smb2.Dial(ctx, o)
		if err == nil {
			visit(ctx, c)
			c.Close(ctx)
		}
		<-served
		if ctx.Err() != nil {
			t.Fatal("it takes for ever")
		}
	})
}

// visit does a bit of everything.
func visit(ctx context.Context, c *smb2.Client) {
	tr, err := c.Tree(ctx, "x")
	if err != nil {
		return
	}
	tr.Stat(ctx, "a")
	tr.ReadDir(ctx, ".")
	tr.ReadFile(ctx, "a", 100)
	tr.Rename(ctx, "a", "b", true)
	tr.Size(ctx)
	tr.Readlink(ctx, "a")
	tr.Streams(ctx, "a")
	tr.EAs(ctx, "a")
	f, err := tr.Open(ctx, "a", smb2.Open{Access: wire.GenericRead, Disposition: wire.Open, Durable: true})
	if err != nil {
		return
	}
	f.ReadAt(ctx, make([]byte, 20), 0)
	f.WriteAt(ctx, make([]byte, 20), 0)
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	f.Notify(short, wire.NotifyFileName, false)
	f.Lock(short, 0, 1, true, true)
	cancel()
	f.Ranges(ctx, 0, 100)
	f.Close(ctx)
}
