package conn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/openwnet/wnet/smb2/wire"
)

// maxIO is the most that one request carries.
const maxIO = 8 << 20

// offer is what is offered in NEGOTIATE, and told again in VALIDATE_NEGOTIATE.
func (c *Conn) offer() (*wire.NegotiateRequest, error) {
	p := &c.cfg.Policy
	dialects, err := p.dialects()
	if err != nil {
		return nil, err
	}
	r := &wire.NegotiateRequest{Dialects: dialects, SecurityMode: wire.SigningEnabled, ClientGUID: c.cfg.ClientGUID}
	if p.RequireIntegrity {
		r.SecurityMode = wire.SigningRequired
	}
	top := dialects[len(dialects)-1]
	if top >= wire.Dialect210 {
		r.Capabilities |= wire.CapLargeMTU | wire.CapLeasing
	} else {
		r.ClientGUID = [16]byte{} // 2.0.2 alone has none
	}
	r.Capabilities |= wire.CapDFS
	if top >= wire.Dialect300 {
		r.Capabilities |= wire.CapDirLeasing | wire.CapMultiChannel | wire.CapPersistent
		if top == wire.Dialect311 || p.legacyCipher() != 0 {
			r.Capabilities |= wire.CapEncryption
		}
	}
	if top == wire.Dialect311 {
		r.Salt = make([]byte, 32)
		rand.Read(r.Salt)
		r.Ciphers, r.Signings, r.NetName, r.Posix = p.ciphers(), p.signings(), c.cfg.Server, c.cfg.Posix
	}
	return r, nil
}

// negotiate agrees with the server on a dialect and on how messages are protected ([MS-SMB2] 3.2.4.2.2.2, 3.2.5.2).
func (c *Conn) negotiate(ctx context.Context) error {
	ask, err := c.offer()
	if err != nil {
		return err
	}
	req := &Request{Command: wire.CmdNegotiate, Body: ask, sent: []byte{}}
	if err := c.do(ctx, nil, []*Request{req}); err != nil {
		if lost, _ := Lost(err); lost && !errors.Is(err, ErrDead) && c.lastRecv.Load() != 0 && hungUp(err) {
			return fmt.Errorf("the server hangs up at the first message, as one does that speaks only SMB 1, or none of the dialects %s: %w",
				names(ask.Dialects), err)
		}
		return err
	}
	if req.Status != wire.StatusOK {
		if req.Status == wire.StatusNotSupported {
			return &PolicyError{"MinDialect and MaxDialect", "the server has none of the dialects " + names(ask.Dialects)}
		}
		return req.Status
	}
	var r wire.NegotiateResponse
	if err := r.Decode(req.Msg); err != nil {
		return err
	}
	if !slices.Contains(ask.Dialects, r.Dialect) {
		return &PolicyError{"MinDialect and MaxDialect", fmt.Sprintf("the server chose dialect %v out of %s", r.Dialect, names(ask.Dialects))}
	}
	i := Info{Dialect: r.Dialect, Capabilities: r.Capabilities, ServerGUID: r.ServerGUID, SecurityMode: r.SecurityMode, Posix: r.Posix && c.cfg.Posix}
	for _, m := range []struct {
		name string
		got  uint32
		to   *uint32
	}{{"MaxTransactSize", r.MaxTransact, &i.MaxTransact}, {"MaxReadSize", r.MaxRead, &i.MaxRead}, {"MaxWriteSize", r.MaxWrite, &i.MaxWrite}} {
		if m.got < 1<<16 {
			return violation("%s is %d", m.name, m.got)
		}
		*m.to = min(m.got, maxIO)
	}
	c.multi = r.Dialect >= wire.Dialect210 && r.Capabilities&wire.CapLargeMTU != 0
	if !c.multi {
		i.MaxTransact, i.MaxRead, i.MaxWrite = 1<<16, 1<<16, 1<<16
	}
	if t := r.SystemTime.Time(); !t.IsZero() {
		i.TimeSkew = time.Until(t)
	}
	if err := c.algorithms(ask, &r, &i); err != nil {
		return err
	}
	if c.cfg.Policy.RequirePrivacy && i.Cipher == 0 {
		return &PolicyError{"RequirePrivacy", fmt.Sprintf("the server has no encryption (dialect %v) with any of %s", r.Dialect, names(c.cfg.Policy.ciphers()))}
	}
	if r.Dialect == wire.Dialect311 {
		c.pre.Add(req.sent)
		c.pre.Add(req.Msg)
	}
	c.info, c.hint = i, append([]byte(nil), r.Blob...)
	return nil
}

func hungUp(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, ErrClosed) && !errors.Is(err, wire.ErrMalformed)
}

// algorithms finds out how messages are signed and encrypted.
func (c *Conn) algorithms(ask *wire.NegotiateRequest, r *wire.NegotiateResponse, i *Info) error {
	p := &c.cfg.Policy
	switch {
	case r.Dialect < wire.Dialect300:
		i.Signing = wire.HMACSHA256
	case r.Dialect < wire.Dialect311:
		i.Signing = wire.AESCMAC
		if r.Capabilities&wire.CapEncryption != 0 {
			i.Cipher = p.legacyCipher()
		}
	default:
		if !r.Preauth {
			return violation("3.1.1 without pre-authentication integrity")
		}
		i.Signing = wire.AESCMAC
		if r.HasSigning {
			if !slices.Contains(ask.Signings, r.Signing) {
				return violation("the server chose signing with %v", r.Signing)
			}
			i.Signing = r.Signing
		}
		if r.Cipher != 0 && !slices.Contains(ask.Ciphers, r.Cipher) {
			return violation("the server chose the cipher %v", r.Cipher)
		}
		i.Cipher = r.Cipher
	}
	if len(p.Signings) > 0 && !slices.Contains(p.Signings, i.Signing) {
		return &PolicyError{"Signings", fmt.Sprintf("the server signs with %v", i.Signing)}
	}
	return nil
}
