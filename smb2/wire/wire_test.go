package wire

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// decoders are all that read what a server sends.
func decoders() map[string]func([]byte) error {
	second := func(_ any, err error) error { return err }
	return map[string]func([]byte) error{
		"header":        func(b []byte) error { return new(Header).Decode(b) },
		"transform":     func(b []byte) error { return new(Transform).Decode(b) },
		"negotiate":     func(b []byte) error { return new(NegotiateResponse).Decode(b) },
		"setup":         func(b []byte) error { return new(SessionSetupResponse).Decode(b) },
		"tree":          func(b []byte) error { return new(TreeConnectResponse).Decode(b) },
		"create":        func(b []byte) error { return new(CreateResponse).Decode(b) },
		"close":         func(b []byte) error { return new(CloseResponse).Decode(b) },
		"validate":      func(b []byte) error { return new(ValidateNegotiate).Decode(b) },
		"empty":         DecodeEmpty,
		"set":           DecodeSetInfo,
		"break":         func(b []byte) error { _, _, err := DecodeBreak(b); return err },
		"read":          func(b []byte) error { return second(DecodeRead(b)) },
		"write":         func(b []byte) error { return second(DecodeWrite(b)) },
		"output":        func(b []byte) error { return second(DecodeOutput(b)) },
		"ioctl":         func(b []byte) error { _, _, err := DecodeIoctl(b); return err },
		"error":         func(b []byte) error { return second(ErrorData(b)) },
		"lease":         func(b []byte) error { return second(DecodeLease(b)) },
		"durable":       func(b []byte) error { _, _, err := DecodeDurableV2(b); return err },
		"posix create":  func(b []byte) error { return second(DecodePosixCreated(b)) },
		"on-disk id":    func(b []byte) error { _, _, err := DecodeOnDiskID(b); return err },
		"access":        func(b []byte) error { _, _, err := DecodeMaxAccess(b); return err },
		"changes":       func(b []byte) error { return second(DecodeChanges(b)) },
		"resume key":    func(b []byte) error { return second(DecodeResumeKey(b)) },
		"copied":        func(b []byte) error { return second(DecodeCopyResult(b)) },
		"ranges":        func(b []byte) error { return second(DecodeRanges(b)) },
		"interfaces":    func(b []byte) error { return second(DecodeInterfaces(b)) },
		"all":           func(b []byte) error { return second(DecodeAll(b)) },
		"network open":  func(b []byte) error { return second(DecodeNetworkOpen(b)) },
		"tag":           func(b []byte) error { _, _, err := DecodeAttributeTag(b); return err },
		"internal":      func(b []byte) error { return second(DecodeInternal(b)) },
		"streams":       func(b []byte) error { return second(DecodeStreams(b)) },
		"attributes":    func(b []byte) error { return second(DecodeEAs(b)) },
		"size":          func(b []byte) error { return second(DecodeFullSize(b)) },
		"file system":   func(b []byte) error { return second(DecodeFsAttributes(b)) },
		"volume":        func(b []byte) error { return second(DecodeVolume(b)) },
		"posix":         func(b []byte) error { return second(DecodePosixInfo(b)) },
		"reparse":       func(b []byte) error { return second(DecodeReparse(b)) },
		"link":          func(b []byte) error { return second(DecodeLinkError(b)) },
		"list full":     func(b []byte) error { return second(DecodeDirectory(ClassFullDirectory, b)) },
		"list id full":  func(b []byte) error { return second(DecodeDirectory(ClassIDFullDirectory, b)) },
		"list id both":  func(b []byte) error { return second(DecodeDirectory(ClassIDBothDirectory, b)) },
		"list posix":    func(b []byte) error { return second(DecodeDirectory(ClassPosix, b)) },
		"list of what?": func(b []byte) error { return second(DecodeDirectory(99, b)) },
	}
}

// Whatever comes in: no panic, and an error is ErrMalformed.
func FuzzDecode(f *testing.F) {
	h := Header{Flags: FlagResponse}
	for _, n := range []byte{2, 4, 9, 16, 17, 24, 36, 44, 49, 60, 65, 89} {
		b := append(h.Append(nil), n, 0)
		for i := range 120 {
			b = append(b, byte(i)&8)
		}
		f.Add(b)
		f.Add(b[HeaderSize:])
	}
	f.Add(AppendSymlink(nil, `a\b`, true))
	f.Add(AppendEAs(nil, []EA{{Name: "a", Value: []byte("b")}, {Name: "c"}}))
	f.Add(bytes.Repeat([]byte{0}, 200))
	list := decoders()
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, d := range list {
			if err := d(b); err != nil && !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// What this package writes it also reads.
func TestRoundTrip(t *testing.T) {
	h := Header{CreditCharge: 3, Status: StatusAccessDenied, Command: CmdRead, Credits: 9, Flags: FlagResponse | FlagAsync, NextCommand: 8, MessageID: 7,
		AsyncID: 6, SessionID: 5, Signature: [16]byte{1, 2}}
	var got Header
	if err := got.Decode(h.Append(nil)); err != nil || got != h {
		t.Errorf("%+v, %v", got, err)
	}
	r, err := DecodeReparse(AppendSymlink(nil, `..\ä𝄞`, true))
	if err != nil || r.Target != `..\ä𝄞` || !r.Relative || !r.Link() {
		t.Errorf("%+v, %v", r, err)
	}
	eas := []EA{{0, "one", []byte("1")}, {0x80, "three", []byte("333")}, {0, "x", nil}}
	back, err := DecodeEAs(AppendEAs(nil, eas))
	if err != nil || len(back) != 3 || back[1].Name != "three" || string(back[1].Value) != "333" || back[1].Flags != 0x80 {
		t.Errorf("%+v, %v", back, err)
	}
	l := Lease{Key: [16]byte{1}, State: LeaseRead | LeaseWrite, HasParent: true, Parent: [16]byte{2}, Epoch: 7}
	if got, err := DecodeLease(l.Context(true).Data); err != nil || got != l {
		t.Errorf("%+v, %v", got, err)
	}
	for _, when := range []time.Time{{}, time.Unix(0, 0).UTC(), time.Date(1601, 1, 1, 0, 0, 0, 100, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999900, time.UTC)} {
		if got := FiletimeOf(when).Time(); !got.Equal(when) {
			t.Errorf("%v became %v", when, got)
		}
	}
	if FiletimeOf(time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)) != 0 || !Filetime(1<<63).Time().IsZero() {
		t.Error("times that no server has")
	}
}
