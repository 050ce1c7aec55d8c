package wire

// HeaderSize is the length of an SMB 2 header ([MS-SMB2] 2.2.1).
const HeaderSize = 64

// Command is a request's kind.
type Command uint16

// The commands ([MS-SMB2] 2.2.1.2).
const (
	CmdNegotiate      Command = 0
	CmdSessionSetup   Command = 1
	CmdLogoff         Command = 2
	CmdTreeConnect    Command = 3
	CmdTreeDisconnect Command = 4
	CmdCreate         Command = 5
	CmdClose          Command = 6
	CmdFlush          Command = 7
	CmdRead           Command = 8
	CmdWrite          Command = 9
	CmdLock           Command = 10
	CmdIoctl          Command = 11
	CmdCancel         Command = 12
	CmdEcho           Command = 13
	CmdQueryDirectory Command = 14
	CmdChangeNotify   Command = 15
	CmdQueryInfo      Command = 16
	CmdSetInfo        Command = 17
	CmdOplockBreak    Command = 18
)

// String is the command's name in the specification.
func (c Command) String() string {
	names := [...]string{"NEGOTIATE", "SESSION_SETUP", "LOGOFF", "TREE_CONNECT", "TREE_DISCONNECT", "CREATE", "CLOSE", "FLUSH", "READ", "WRITE",
		"LOCK", "IOCTL", "CANCEL", "ECHO", "QUERY_DIRECTORY", "CHANGE_NOTIFY", "QUERY_INFO", "SET_INFO", "OPLOCK_BREAK"}
	if int(c) < len(names) {
		return names[c]
	}
	return "command " + hex32(uint32(c))
}

// Flags of a header.
const (
	FlagResponse uint32 = 0x00000001 // SERVER_TO_REDIR
	FlagAsync    uint32 = 0x00000002 // AsyncID is there, TreeID is not
	FlagRelated  uint32 = 0x00000004 // goes on with the request before it in its compound
	FlagSigned   uint32 = 0x00000008
	FlagDFS      uint32 = 0x10000000
	FlagReplay   uint32 = 0x20000000 // 3.x: sent again after a lost channel
)

// Ids that stand for no id.
const (
	NoMessageID uint64 = 1<<64 - 1 // of a break notification
	RelatedID   uint64 = 1<<64 - 1 // session and file ids of a related request; as TreeID its lower half
)

// Header begins every message that is not encrypted.
type Header struct {
	CreditCharge uint16
	Status       Status // of an answer; in a 3.x request its lower half is the channel sequence
	Command      Command
	Credits      uint16 // asked for or granted
	Flags        uint32
	NextCommand  uint32 // where the compound's next message begins, from this header on; 0 at the last
	MessageID    uint64
	AsyncID      uint64 // with FlagAsync
	TreeID       uint32 // without FlagAsync
	SessionID    uint64
	Signature    [16]byte
}

// The places of header fields that are filled in late.
const (
	OffCreditCharge = 6
	OffStatus       = 8
	OffCredits      = 14
	OffFlags        = 16
	OffNextCommand  = 20
	OffMessageID    = 24
	OffTreeID       = 36
	OffSessionID    = 40
	OffSignature    = 48
)

// Append appends the 64 bytes of the header.
func (h *Header) Append(b []byte) []byte {
	b = append(b, 0xFE, 'S', 'M', 'B', HeaderSize, 0)
	b = le.AppendUint16(b, h.CreditCharge)
	b = le.AppendUint32(b, uint32(h.Status))
	b = le.AppendUint16(b, uint16(h.Command))
	b = le.AppendUint16(b, h.Credits)
	b = le.AppendUint32(b, h.Flags)
	b = le.AppendUint32(b, h.NextCommand)
	b = le.AppendUint64(b, h.MessageID)
	if h.Flags&FlagAsync != 0 {
		b = le.AppendUint64(b, h.AsyncID)
	} else {
		b = le.AppendUint32(b, 0)
		b = le.AppendUint32(b, h.TreeID)
	}
	b = le.AppendUint64(b, h.SessionID)
	return append(b, h.Signature[:]...)
}

// Decode reads the header at the beginning of b.
func (h *Header) Decode(b []byte) error {
	if len(b) < HeaderSize {
		return malformed("%d bytes are no header", len(b))
	}
	if string(b[:4]) != "\xfeSMB" {
		return malformed("the header begins with % x", b[:4])
	}
	if n := le.Uint16(b[4:]); n != HeaderSize {
		return malformed("the header's size is %d", n)
	}
	*h = Header{
		CreditCharge: le.Uint16(b[6:]), Status: Status(le.Uint32(b[8:])), Command: Command(le.Uint16(b[12:])), Credits: le.Uint16(b[14:]),
		Flags: le.Uint32(b[16:]), NextCommand: le.Uint32(b[20:]), MessageID: le.Uint64(b[24:]), SessionID: le.Uint64(b[40:]),
	}
	if h.Flags&FlagAsync != 0 {
		h.AsyncID = le.Uint64(b[32:])
	} else {
		h.TreeID = le.Uint32(b[36:])
	}
	copy(h.Signature[:], b[48:])
	return nil
}

// TransformSize is the length of the header of an encrypted message ([MS-SMB2] 2.2.41).
const TransformSize = 52

// Transform is the header of an encrypted message.
type Transform struct {
	Signature [16]byte
	Nonce     [16]byte
	Size      uint32 // of the message without this header
	SessionID uint64
}

// Append appends the header's 52 bytes.
func (t *Transform) Append(b []byte) []byte {
	b = append(b, 0xFD, 'S', 'M', 'B')
	b = append(b, t.Signature[:]...)
	b = append(b, t.Nonce[:]...)
	b = le.AppendUint32(b, t.Size)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, 1) // encrypted
	return le.AppendUint64(b, t.SessionID)
}

// Decode reads the header of an encrypted message, b being the whole message.
func (t *Transform) Decode(b []byte) error {
	if len(b) < TransformSize || string(b[:4]) != "\xfdSMB" {
		return malformed("no transform header")
	}
	copy(t.Signature[:], b[4:])
	copy(t.Nonce[:], b[20:])
	t.Size, t.SessionID = le.Uint32(b[36:]), le.Uint64(b[44:])
	if f := le.Uint16(b[42:]); f != 1 {
		return malformed("a transform header's flags are %d", f)
	}
	if uint64(t.Size) != uint64(len(b)-TransformSize) || t.Size < HeaderSize {
		return malformed("an encrypted message of %d bytes says it has %d", len(b)-TransformSize, t.Size)
	}
	return nil
}

// Empty is the body of the requests that say nothing: LOGOFF, TREE_DISCONNECT, ECHO and CANCEL.
type Empty struct{}

// Append appends the body.
func (Empty) Append(b []byte) []byte { return append(b, 4, 0, 0, 0) }

// DecodeEmpty checks the answer to such a request.
func DecodeEmpty(msg []byte) error {
	_, err := body(msg, 4, 4)
	return err
}
