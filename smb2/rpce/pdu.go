package rpce

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var le = binary.LittleEndian

// ErrAnswer is what an answer that breaks the protocol fails with.
var ErrAnswer = errors.New("rpce: the server's answer makes no sense")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrAnswer, fmt.Sprintf(format, args...))
}

// Fault is a call that the server could not carry out; the number is its reason ([MS-RPCE] 2.2.2.11), such as 0x1c010002: no such call.
type Fault uint32

// Error tells the number.
func (f Fault) Error() string { return fmt.Sprintf("rpce: the call failed with %#x", uint32(f)) }

// Rejected is a server that does not have the interface; the number is its reason (DCE 1.1 12.6.3.1).
type Rejected uint16

// Error tells the number.
func (r Rejected) Error() string {
	return fmt.Sprintf("rpce: the server does not offer the interface (%d)", uint16(r))
}

// Syntax is an interface with its version, as it goes over the wire.
type Syntax struct {
	UUID         [16]byte // the first three parts in little-endian order
	Major, Minor uint16
}

// ndr is the transfer syntax 8a885d04-1ceb-11c9-9fe8-08002b104860, version 2.
func ndr() Syntax {
	return Syntax{[16]byte{0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}, 2, 0}
}

func (s Syntax) append(b []byte) []byte {
	return le.AppendUint16(le.AppendUint16(append(b, s.UUID[:]...), s.Major), s.Minor)
}

// The kinds of PDU.
const (
	ptRequest  = 0
	ptResponse = 2
	ptFault    = 3
	ptBind     = 11
	ptBindAck  = 12
	ptBindNak  = 13

	firstFrag, lastFrag = 1, 2

	headerSize = 16
	maxFrag    = 4280 // what Windows offers
)

// pdu is one fragment.
type pdu struct {
	kind, flags uint8
	call        uint32
	body        []byte
}

func (p pdu) format() []byte {
	b := []byte{5, 0, p.kind, p.flags, 0x10, 0, 0, 0}
	b = le.AppendUint16(b, uint16(headerSize+len(p.body)))
	b = le.AppendUint16(b, 0)
	b = le.AppendUint32(b, p.call)
	return append(b, p.body...)
}

// fragSize gives how long the fragment is that begins with b, 0 if more of it has to be there to tell.
func fragSize(b []byte) (int, error) {
	if len(b) < headerSize {
		return 0, nil
	}
	n := int(le.Uint16(b[8:]))
	switch {
	case b[0] != 5 || b[1] > 1:
		return 0, malformed("version %d.%d", b[0], b[1])
	case b[4]&0xf0 != 0x10:
		return 0, malformed("numbers in another order")
	case n < headerSize || n > maxFrag:
		return 0, malformed("a fragment of %d bytes", n)
	case le.Uint16(b[10:]) != 0:
		return 0, malformed("a signature that nobody asked for")
	}
	return n, nil
}

// parsePDU reads a fragment that fragSize has looked at and that is whole.
func parsePDU(b []byte) pdu {
	return pdu{kind: b[2], flags: b[3], call: le.Uint32(b[12:]), body: b[headerSize:le.Uint16(b[8:])]}
}

// bindBody asks for one interface in one transfer syntax.
func bindBody(s Syntax) []byte {
	b := le.AppendUint16(nil, maxFrag)
	b = le.AppendUint16(b, maxFrag)
	b = append(b, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0)
	return ndr().append(s.append(b))
}

// checkBind looks at the answer to a bind, and gives how much may be sent at once.
func checkBind(p pdu) (maxSend int, err error) {
	switch {
	case p.kind == ptBindNak && len(p.body) >= 2:
		return 0, Rejected(le.Uint16(p.body))
	case p.kind != ptBindAck || p.flags&(firstFrag|lastFrag) != firstFrag|lastFrag || len(p.body) < 10:
		return 0, malformed("not an answer to a bind")
	}
	maxSend = int(le.Uint16(p.body))
	at := 10 + int(le.Uint16(p.body[8:])) // behind the second address
	at = (at + 3) &^ 3                    // the header's 16 bytes do not change the alignment
	if at+4+24 > len(p.body) || p.body[at] != 1 {
		return 0, malformed("the answer to a bind is cut off")
	}
	if result := le.Uint16(p.body[at+4:]); result != 0 {
		return 0, Rejected(le.Uint16(p.body[at+6:]))
	}
	if string(p.body[at+8:at+28]) != string(ndr().append(nil)) {
		return 0, malformed("a transfer syntax that was not offered")
	}
	if maxSend < 1024 || maxSend > maxFrag {
		return 0, malformed("fragments of %d bytes", maxSend)
	}
	return maxSend, nil
}
