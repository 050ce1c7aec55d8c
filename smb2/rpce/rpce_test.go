package rpce

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

// script answers each message with what it has next, and gives the rest in small pieces.
type script struct {
	answers [][]byte
	rest    []byte
	piece   int
	sent    [][]byte
}

func (s *script) Transceive(_ context.Context, in []byte, max int) ([]byte, error) {
	s.sent = append(s.sent, in)
	if len(s.answers) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	s.rest, s.answers = s.answers[0], s.answers[1:]
	return s.Read(context.Background(), max)
}

func (s *script) Read(_ context.Context, max int) ([]byte, error) {
	n := min(max, len(s.rest))
	if s.piece > 0 {
		n = min(n, s.piece)
	}
	out := s.rest[:n]
	s.rest = s.rest[n:]
	return out, nil
}

func (s *script) Write(_ context.Context, in []byte) error {
	s.sent = append(s.sent, in)
	return nil
}

func bindAck() []byte {
	body := le.AppendUint16(nil, 4280)
	body = le.AppendUint16(body, 4280)
	body = append(body, 1, 0, 0, 0, 13, 0)
	body = append(body, "\\PIPE\\srvsvc\x00\x00"...)[:24]
	body = append(body, 1, 0, 0, 0, 0, 0, 0, 0)
	return pdu{kind: ptBindAck, flags: 3, call: 1, body: ndr().append(body)}.format()
}

func response(call uint32, flags uint8, stub []byte) []byte {
	return pdu{kind: ptResponse, flags: flags, call: call, body: append(make([]byte, 8), stub...)}.format()
}

// oneShare is NetrShareEnum's answer with one share.
func oneShare(status uint32) []byte {
	var e encoder
	for _, v := range []uint32{1, 1, 4, 1, 8, 1, 12, 0x80000001, 16} {
		e.uint32(v)
	}
	e.text("lp$")
	e.text("paper")
	for _, v := range []uint32{1, 20, 7, status} {
		e.uint32(v)
	}
	return e.b
}

// Answers in fragments, each in pieces, and calls that do not fit into one fragment.
func TestFragments(t *testing.T) {
	stub := oneShare(0)
	s := &script{piece: 7, answers: [][]byte{bindAck(), append(append(response(2, 1, stub[:50]), response(2, 0, stub[50:60])...), response(2, 2, stub[60:])...)}}
	c, err := Bind(t.Context(), s, ServerService())
	if err != nil {
		t.Fatal(err)
	}
	all, err := Shares(t.Context(), c, "nas")
	if err != nil || len(all) != 1 || all[0] != (Share{Name: "lp$", Comment: "paper", Kind: PrintShare, Special: true}) {
		t.Fatalf("%+v %v", all, err)
	}
	big := bytes.Repeat([]byte("x"), 10000)
	s.answers, s.sent = [][]byte{response(3, 3, nil)}, nil
	if out, err := c.Call(t.Context(), 1, big); err != nil || len(out) != 0 {
		t.Fatal(out, err)
	}
	var got []byte
	for i, m := range s.sent {
		p := parsePDU(m)
		if p.flags&1 != 0 != (i == 0) || p.flags&2 != 0 != (i == len(s.sent)-1) || len(m) > 4280 {
			t.Errorf("fragment %d has flags %d and %d bytes", i, p.flags, len(m))
		}
		got = append(got, p.body[8:]...)
	}
	if !bytes.Equal(got, big) {
		t.Error("the arguments went wrong")
	}
}

// A list that goes on is asked for until its end; one that does not come nearer to it is refused.
func TestMoreData(t *testing.T) {
	s := &script{answers: [][]byte{bindAck(), response(2, 3, oneShare(errorMoreData)), response(3, 3, oneShare(0))}}
	c, _ := Bind(t.Context(), s, ServerService())
	if all, err := Shares(t.Context(), c, "nas"); err != nil || len(all) != 2 {
		t.Fatalf("%+v %v", all, err)
	}
	s.answers = [][]byte{response(4, 3, oneShare(errorMoreData)), response(5, 3, oneShare(errorMoreData))}
	if _, err := Shares(t.Context(), c, "nas"); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
	s.answers = [][]byte{response(6, 3, oneShare(5))}
	if _, err := Shares(t.Context(), c, "nas"); !errors.Is(err, Failure(5)) {
		t.Error(err)
	}
}

// Answers that break the rules.
func TestMalformed(t *testing.T) {
	change := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	good := response(2, 3, oneShare(0))
	for name, answer := range map[string][]byte{
		"nothing": {}, "cut off": good[:len(good)-1], "behind it": append(bytes.Clone(good), 0), "another call": response(3, 3, oneShare(0)),
		"not the first": response(2, 2, oneShare(0)), "big-endian": change(good, 4, 0), "version": change(good, 0, 4), "signed": change(good, 10, 8),
		"too short": change(good, 8, 3), "a bind's answer": change(good, 2, ptBindAck), "no end": response(2, 1, oneShare(0)),
		"level": change(good, 24, 2), "count": change(good, 24+12, 9), "most": change(good, 24+20, 2), "text's offset": change(good, 24+40, 1),
		"text's length": change(good, 24+44, 200), "text's end": change(good, 24+54, 'x'), "more behind": response(2, 3, append(oneShare(0), make([]byte, 8)...)),
		"empty fragments": response(2, 1, nil),
	} {
		s := &script{answers: [][]byte{bindAck(), answer}}
		c, err := Bind(t.Context(), s, ServerService())
		if err != nil {
			t.Fatal(err)
		}
		if all, err := Shares(t.Context(), c, "nas"); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
	ack := bindAck()
	for name, answer := range map[string][]byte{"cut off": ack[:len(ack)-4], "transfer syntax": change(ack, len(ack)-1, 9), "fragments": change(ack, 17, 0)} {
		if _, err := Bind(t.Context(), &script{answers: [][]byte{answer}}, ServerService()); !errors.Is(err, ErrAnswer) {
			t.Errorf("bind, %s: %v", name, err)
		}
	}
}

func FuzzShares(f *testing.F) {
	f.Add(oneShare(0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if shares, _, _, err := decodeShares(b); err == nil && len(shares)*12 > len(b) {
			t.Fatal("more than there is")
		}
		decodeInfo(b)
	})
}

func FuzzClient(f *testing.F) {
	f.Add(append(bindAck(), response(2, 3, oneShare(0))...), uint16(len(bindAck())))
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		cut := min(int(at), len(b))
		s := &script{answers: [][]byte{b[:cut], b[cut:]}}
		c, err := Bind(t.Context(), s, ServerService())
		if err != nil {
			return
		}
		Shares(t.Context(), c, "nas")
	})
}
