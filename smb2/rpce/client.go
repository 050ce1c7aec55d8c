package rpce

import "context"

// Pipe is an open named pipe in message mode.
type Pipe interface {
	// Transceive writes a message and gives the answer, at most max bytes of it ([MS-SMB2] FSCTL_PIPE_TRANSCEIVE). An answer that is longer
	// is no error (STATUS_BUFFER_OVERFLOW): Read gives the rest.
	Transceive(ctx context.Context, in []byte, max int) ([]byte, error)
	// Read gives the next bytes, at most max, waiting for at least one.
	Read(ctx context.Context, max int) ([]byte, error)
	// Write writes a message whose answer is not read yet.
	Write(ctx context.Context, in []byte) error
}

// maxStub is how long an answer may be, all its fragments together.
const maxStub = 16 << 20

// Client calls the procedures of one interface on one pipe. It is used by one goroutine at a time. After an error of the pipe's or
// ErrAnswer it cannot be used any more; Fault and a procedure's own failure do no harm. The pipe is the caller's to close.
type Client struct {
	pipe    Pipe
	call    uint32
	maxSend int
	rest    []byte // what was read behind a fragment
}

// Bind asks for an interface (DCE 1.1 12.6.4.3). It fails with Rejected if the server does not have it.
func Bind(ctx context.Context, pipe Pipe, s Syntax) (*Client, error) {
	c := &Client{pipe: pipe, call: 1}
	err := c.begin(ctx, pdu{kind: ptBind, flags: firstFrag | lastFrag, call: 1, body: bindBody(s)})
	if err != nil {
		return nil, err
	}
	p, err := c.fragment(ctx)
	if err != nil {
		return nil, err
	}
	c.maxSend, err = checkBind(p)
	if err == nil && len(c.rest) > 0 {
		err = malformed("bytes behind the answer")
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// begin sends a message's last fragment and takes what comes back at once.
func (c *Client) begin(ctx context.Context, p pdu) (err error) {
	c.rest, err = c.pipe.Transceive(ctx, p.format(), maxFrag)
	return err
}

// fragment gives the next fragment of the call's answer.
func (c *Client) fragment(ctx context.Context) (pdu, error) {
	for {
		n, err := fragSize(c.rest)
		if err != nil {
			return pdu{}, err
		}
		if n > 0 && len(c.rest) >= n {
			p := parsePDU(c.rest[:n])
			c.rest = c.rest[n:]
			if p.call != c.call {
				return pdu{}, malformed("an answer to call %d, not to %d", p.call, c.call)
			}
			return p, nil
		}
		more, err := c.pipe.Read(ctx, maxFrag)
		if err != nil {
			return pdu{}, err
		}
		if len(more) == 0 {
			return pdu{}, malformed("the answer ends in the middle")
		}
		c.rest = append(c.rest[:len(c.rest):len(c.rest)], more...)
	}
}

// Call calls a procedure by its number, with its arguments in NDR, and gives its results. It fails with Fault where the server says so.
func (c *Client) Call(ctx context.Context, procedure uint16, stub []byte) ([]byte, error) {
	c.call++
	room := c.maxSend - headerSize - 8
	for sent, first := 0, true; first || sent < len(stub); first = false {
		part := stub[sent:min(len(stub), sent+room)]
		sent += len(part)
		body := le.AppendUint32(nil, uint32(len(stub)))
		body = le.AppendUint16(body, 0)
		body = append(le.AppendUint16(body, procedure), part...)
		p := pdu{kind: ptRequest, call: c.call, body: body}
		if first {
			p.flags |= firstFrag
		}
		if sent < len(stub) {
			if err := c.pipe.Write(ctx, p.format()); err != nil {
				return nil, err
			}
			continue
		}
		p.flags |= lastFrag
		if err := c.begin(ctx, p); err != nil {
			return nil, err
		}
	}
	var out []byte
	for n := 0; ; n++ {
		p, err := c.fragment(ctx)
		if err != nil {
			return nil, err
		}
		if p.kind == ptFault && len(p.body) >= 12 {
			return nil, Fault(le.Uint32(p.body[8:]))
		}
		if p.kind != ptResponse || len(p.body) < 8 || (p.flags&firstFrag != 0) != (n == 0) || len(p.body) == 8 && p.flags&lastFrag == 0 {
			return nil, malformed("not an answer to a call")
		}
		if len(out)+len(p.body) > maxStub {
			return nil, malformed("an answer of more than %d bytes", maxStub)
		}
		out = append(out, p.body[8:]...)
		if p.flags&lastFrag != 0 {
			break
		}
	}
	if len(c.rest) > 0 {
		return nil, malformed("bytes behind the answer")
	}
	return out, nil
}
