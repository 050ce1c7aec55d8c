package auth

import (
	"bytes"
	"context"
	"crypto/rand"
	stdasn1 "encoding/asn1"
	"encoding/binary"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// kerberos is the client side of RFC 4121 with mutual authentication.
type kerberos struct {
	realm  string
	client types.PrincipalName
	ticket ticket
	worked func() // tells that the server took the ticket

	state    int
	sent     types.Authenticator
	acceptor types.EncryptionKey // the server's subkey, without a value if it has none
}

var _ mechanism = (*kerberos)(nil)

func (*kerberos) oids() []string { return []string{oidMSKerberos, oidKerberos} }

func (k *kerberos) name() string { return k.client.PrincipalNameString() + "@" + k.realm }

func (k *kerberos) step(_ context.Context, in []byte) ([]byte, bool, error) {
	k.state++
	switch {
	case k.state == 1 && len(in) == 0:
		out, err := k.request()
		return out, false, err
	case k.state == 2:
		err := k.verify(in)
		return nil, err == nil, err
	}
	return nil, false, fail(BadToken, "a Kerberos message that nobody asked for")
}

// The token identifiers of RFC 4121 4.1.
const (
	tokenAPReq = 0x0100
	tokenAPRep = 0x0200
	tokenError = 0x0300
)

// request makes the AP-REQ token, with a subkey of our own and the checksum of RFC 4121 4.1.1.
func (k *kerberos) request() ([]byte, error) {
	e, err := crypto.GetEtype(k.ticket.key.KeyType)
	if err != nil || len(k.ticket.key.KeyValue) != e.GetKeyByteSize() {
		return nil, fail(Weak, "the ticket's encryption (%d) is not known", k.ticket.key.KeyType)
	}
	if k.sent, err = types.NewAuthenticator(k.realm, k.client); err != nil {
		return nil, err
	}
	k.sent.SubKey = types.EncryptionKey{KeyType: k.ticket.key.KeyType, KeyValue: make([]byte, e.GetKeyByteSize())}
	rand.Read(k.sent.SubKey.KeyValue)
	sum := make([]byte, 24) // no channel bindings
	binary.LittleEndian.PutUint32(sum, 16)
	binary.LittleEndian.PutUint32(sum[20:], gssapi.ContextFlagMutual|gssapi.ContextFlagReplay|gssapi.ContextFlagSequence|gssapi.ContextFlagConf|
		gssapi.ContextFlagInteg)
	k.sent.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: sum}
	req, err := messages.NewAPReq(k.ticket.Ticket, k.ticket.key, k.sent)
	if err != nil {
		return nil, &Error{Cause: NoTicket, Err: err}
	}
	types.SetFlag(&req.APOptions, flags.APOptionMutualRequired)
	b, err := req.Marshal()
	if err != nil {
		return nil, &Error{Cause: NoTicket, Err: err}
	}
	return frame(tokenAPReq, b), nil
}

// frame puts a Kerberos message into GSS-API's frame (RFC 2743 3.1).
func frame(id uint16, message []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(application0, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(parseOID(oidKerberos))
		b.AddUint16(id)
		b.AddBytes(message)
	})
	return b.BytesOrPanic()
}

func unframe(b []byte) (id uint16, message []byte, ok bool) {
	in := cryptobyte.String(b)
	var token cryptobyte.String
	var oid stdasn1.ObjectIdentifier
	ok = in.ReadASN1(&token, asn1.Tag(application0)) && in.Empty() && token.ReadASN1ObjectIdentifier(&oid) &&
		(oid.String() == oidKerberos || oid.String() == oidMSKerberos) && token.ReadUint16(&id)
	return id, token, ok
}

// verify checks the server's proof (RFC 4120 3.2.5): our time, in a key that only who can open the ticket has.
func (k *kerberos) verify(in []byte) error {
	id, message, ok := unframe(in)
	if !ok {
		return fail(BadToken, "no Kerberos token")
	}
	switch id {
	case tokenError:
		var e messages.KRBError
		if e.Unmarshal(message) != nil {
			return fail(BadToken, "the server's Kerberos error")
		}
		err := krbFailure(&e, "the server")
		if f, ok := err.(*Error); ok && e.ErrorCode == errorcode.KRB_AP_ERR_BAD_INTEGRITY {
			f.Cause = Refused // it is the ticket that the server cannot open, not our password
		}
		return err
	case tokenAPRep:
	default:
		return fail(BadToken, "a Kerberos token of kind %#x", id)
	}
	var rep messages.APRep
	if rep.Unmarshal(message) != nil {
		return fail(BadToken, "the server's Kerberos answer")
	}
	plain, err := decrypt(rep.EncPart, k.ticket.key, keyusage.AP_REP_ENCPART)
	if err != nil {
		return fail(NotProved, "its answer %v", err)
	}
	var enc messages.EncAPRepPart
	if enc.Unmarshal(plain) != nil {
		return fail(BadToken, "the server's Kerberos answer")
	}
	if !enc.CTime.Equal(k.sent.CTime.Truncate(time.Second)) || enc.Cusec != k.sent.Cusec {
		return fail(NotProved, "its answer is to another question")
	}
	if len(enc.Subkey.KeyValue) > 0 {
		e, err := crypto.GetEtype(enc.Subkey.KeyType)
		if err != nil || len(enc.Subkey.KeyValue) != e.GetKeyByteSize() {
			return fail(Weak, "its key's encryption (%d) is not known", enc.Subkey.KeyType)
		}
		k.acceptor = enc.Subkey
	}
	k.worked()
	return nil
}

// agreed is the key that both sides use: the server's subkey if it has one, ours otherwise.
func (k *kerberos) agreed() types.EncryptionKey {
	if k.acceptor.KeyValue != nil {
		return k.acceptor
	}
	return k.sent.SubKey
}

func (k *kerberos) key() []byte { return bytes.Clone(k.agreed().KeyValue) }

// mic signs as RFC 4121 4.2.6.1 says, which is for AES. The older form of RC4 is left out: with one mechanism offered, SPNEGO asks for no
// signature.
func (k *kerberos) mic(message []byte) ([]byte, error) {
	if !isAES(k.agreed().KeyType) {
		return nil, nil
	}
	t := gssapi.MICToken{SndSeqNum: uint64(k.sent.SeqNumber), Payload: message}
	if k.acceptor.KeyValue != nil {
		t.Flags |= gssapi.MICTokenFlagAcceptorSubkey
	}
	if err := t.SetChecksum(k.agreed(), keyusage.GSSAPI_INITIATOR_SIGN); err != nil {
		return nil, err
	}
	return t.Marshal()
}

func (k *kerberos) checkMIC(message, mic []byte) error {
	var t gssapi.MICToken
	if !isAES(k.agreed().KeyType) {
		return fail(BadToken, "a signature of an old kind")
	}
	if t.Unmarshal(mic, true) != nil {
		return fail(BadToken, "the server's signature")
	}
	t.Payload = message
	if ok, err := t.Verify(k.agreed(), keyusage.GSSAPI_ACCEPTOR_SIGN); err != nil || !ok {
		return fail(Downgraded, "the server's signature of the negotiation is wrong")
	}
	return nil
}
