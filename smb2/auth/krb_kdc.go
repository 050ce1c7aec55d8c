package auth

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
)

// How long one KDC may take to answer, and how much.
const (
	kdcPatience = 5 * time.Second
	maxKDCReply = 1 << 18
)

// ask sends a message to a realm's KDCs, in order, until one answers. A KRB_ERROR is a *messages.KRBError.
func (c *krbConfig) ask(ctx context.Context, realm string, message []byte) ([]byte, error) {
	kdcs, err := c.kdcs(ctx, realm)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, k := range kdcs {
		reply, err := askTCP(ctx, k, message)
		if err == nil {
			var e messages.KRBError
			if e.Unmarshal(reply) == nil {
				return nil, &e
			}
			return reply, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		errs = append(errs, err)
	}
	return nil, &Error{Cause: NoKDC, Detail: "realm " + realm, Err: errors.Join(errs...)}
}

// askTCP sends a message to a KDC (RFC 4120 7.2.2). Every KDC of today takes TCP, which has no limit that tickets with a PAC exceed.
func askTCP(ctx context.Context, kdc string, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, kdcPatience)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", kdc)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)); err != nil {
		return nil, fmt.Errorf("%s: %w", kdc, err)
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, fmt.Errorf("%s: %w", kdc, err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxKDCReply {
		return nil, fmt.Errorf("%s: an answer of %d bytes", kdc, n)
	}
	reply := make([]byte, n)
	if _, err := io.ReadFull(conn, reply); err != nil {
		return nil, fmt.Errorf("%s: %w", kdc, err)
	}
	return reply, nil
}

// kdcCauses are the causes behind a KDC's or a server's error codes (RFC 4120 7.5.9).
var kdcCauses = map[int32]Cause{
	errorcode.KDC_ERR_NAME_EXP:             AccountClosed,
	errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN:  UnknownUser,
	errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN:  UnknownService,
	errorcode.KDC_ERR_ETYPE_NOSUPP:         Weak,
	errorcode.KDC_ERR_CLIENT_REVOKED:       AccountClosed,
	errorcode.KDC_ERR_KEY_EXPIRED:          PasswordExpired,
	errorcode.KDC_ERR_PREAUTH_FAILED:       WrongPassword,
	errorcode.KRB_AP_ERR_BAD_INTEGRITY:     WrongPassword,
	errorcode.KRB_AP_ERR_TKT_EXPIRED:       TicketExpired,
	errorcode.KRB_AP_ERR_SKEW:              ClockSkew,
	errorcode.KRB_AP_ERR_TKT_NYV:           ClockSkew,
	errorcode.KDC_ERR_WRONG_REALM:          UnknownUser,
	errorcode.KDC_ERR_CANNOT_POSTDATE:      ClockSkew,
	errorcode.KDC_ERR_NEVER_VALID:          ClockSkew,
	errorcode.KDC_ERR_SERVICE_NOTYET:       UnknownService,
	errorcode.KDC_ERR_SERVICE_EXP:          UnknownService,
	errorcode.KDC_ERR_PRINCIPAL_NOT_UNIQUE: UnknownService,
}

// krbFailure turns a KRB_ERROR into an *Error; any other error stays as it is. Only the code decides: KRB_ERROR is not signed, so it is a
// reason to stop and never one to go on with less than before.
func krbFailure(err error, who string) error {
	var k *messages.KRBError
	if !errors.As(err, &k) {
		return err
	}
	cause, ok := kdcCauses[k.ErrorCode]
	if !ok {
		cause = Refused
	}
	detail := who
	if cause == ClockSkew {
		if d := time.Since(k.STime).Round(time.Second); d > 0 {
			detail += fmt.Sprintf(": this machine's clock is %v ahead", d)
		} else {
			detail += fmt.Sprintf(": this machine's clock is %v behind", -d)
		}
	}
	return &Error{Cause: cause, Detail: detail, Err: krbCode(k.ErrorCode)}
}

// krbCode is a KRB_ERROR's code.
type krbCode int32

func (c krbCode) Error() string { return "Kerberos error " + errorcode.Lookup(int32(c)) }
