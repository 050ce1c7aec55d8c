package smb

import (
	"context"
	"encoding/binary"
	"io"
	"time"
)

// smb1Hello is an SMB 1 negotiation for the dialect "NT LM 0.12" ([MS-CIFS] 2.2.4.52), with its length in front.
func smb1Hello() []byte {
	const dialect = "\x02NT LM 0.12\x00"
	p := make([]byte, 4+32+3, 4+32+3+len(dialect))
	copy(p[4:], "\xffSMB\x72")                                  // protocol, SMB_COM_NEGOTIATE
	p[13] = 0x18                                                // canonical path names, case is ignored
	binary.LittleEndian.PutUint16(p[14:], 0xC801)               // Unicode, NT statuses, extended security, long names
	binary.LittleEndian.PutUint16(p[37:], uint16(len(dialect))) // no words, then the bytes
	p = append(p, dialect...)
	binary.BigEndian.PutUint32(p, uint32(len(p)-4))
	return p
}

// speaksSMB1 asks a server that hung up on SMB 2 whether it knows SMB 1, to be able to say so. Nothing else is ever asked by SMB 1.
func (d *dialing) speaksSMB1(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	c, err := d.p.cfg.Dialer(ctx, "tcp", d.address())
	if err != nil {
		return false
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if _, err := c.Write(smb1Hello()); err != nil {
		return false
	}
	var head [4 + 32 + 3]byte // length, header, count of words and the dialect that was picked
	if _, err := io.ReadFull(c, head[:]); err != nil || string(head[4:8]) != "\xffSMB" {
		return false
	}
	return head[36] > 0 && binary.LittleEndian.Uint16(head[37:]) == 0
}
