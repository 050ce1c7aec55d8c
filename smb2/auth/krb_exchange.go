package auth

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// The library's own client takes no context, tells errors by their text and asks with its own clock's mistakes, so the exchanges are done
// here, with the library's messages and ciphers.

// realmClient gets tickets for one user.
type realmClient struct {
	cfg      *krbConfig
	realm    string
	name     types.PrincipalName
	secret   keySource         // nil where tickets come from a cache
	tgts     map[string]ticket // by the realm that takes them
	services map[string]ticket // by the service's name; one that is in use for a login is not in here
}

// keySource makes a user's key.
type keySource interface {
	etypes(all []int32) []int32
	key(etype int32, salt string, params []byte) (types.EncryptionKey, error)
}

// passwordKey is the key source of a password.
type passwordKey struct{ password Secret }

func (passwordKey) etypes(all []int32) []int32 { return all }

// The rounds that a KDC may ask for. Fewer than the standard's (RFC 3962 4) would make a captured message cheap to guess passwords with, by a
// KDC that is none; more would keep this machine busy.
const minRounds, maxRounds = 4096, 1 << 20

func (p passwordKey) key(etype int32, salt string, params []byte) (types.EncryptionKey, error) {
	e, err := crypto.GetEtype(etype)
	if err != nil {
		return types.EncryptionKey{}, fail(Weak, "encryption %d is not known", etype)
	}
	s2k := e.GetDefaultStringToKeyParams()
	if isAES(etype) && params != nil {
		if len(params) != 4 {
			return types.EncryptionKey{}, fail(BadToken, "the KDC's key parameters have %d bytes", len(params))
		}
		if n := binary.BigEndian.Uint32(params); n < minRounds || n > maxRounds {
			return types.EncryptionKey{}, fail(Weak, "the KDC wants a key of %d rounds", n)
		}
		s2k = hex.EncodeToString(params)
	}
	k, err := e.StringToKey(p.password.Reveal(), salt, s2k)
	if err != nil {
		return types.EncryptionKey{}, fail(Misconfigured, "no key of encryption %d can be made of the password", etype)
	}
	return types.EncryptionKey{KeyType: etype, KeyValue: k}, nil
}

func isAES(etype int32) bool { return slices.Contains(etypes[:], etype) }

var errCipher = errors.New("cannot be decrypted")

// decrypt opens what a peer encrypted; the library slices without looking at lengths.
func decrypt(d types.EncryptedData, key types.EncryptionKey, usage uint32) (b []byte, err error) {
	e, err := crypto.GetEtype(key.KeyType)
	if err != nil || d.EType != key.KeyType || len(d.Cipher) < e.GetConfounderByteSize()+e.GetHMACBitLength()/8 || len(key.KeyValue) != e.GetKeyByteSize() {
		return nil, errCipher
	}
	b, err = crypto.DecryptMessage(d.Cipher, key, usage)
	if err != nil {
		return nil, errCipher
	}
	return b, nil
}

// etypeInfo is how the KDC wants the user's key to be made.
type etypeInfo struct {
	etype  int32
	salt   string
	params []byte
}

// readInfo picks the first kind that is allowed from ETYPE-INFO2; a KDC without one is taken to mean the default.
func (r *realmClient) readInfo(all types.PADataSequence, allowed []int32) (etypeInfo, error) {
	out := etypeInfo{etype: allowed[0], salt: r.name.GetSalt(r.realm)}
	for _, pa := range all {
		if pa.PADataType != patype.PA_ETYPE_INFO2 {
			continue
		}
		info, err := pa.GetETypeInfo2()
		if err != nil {
			return out, fail(BadToken, "the KDC's list of encryptions")
		}
		for _, e := range info {
			if slices.Contains(allowed, e.EType) {
				out.etype, out.params = e.EType, e.S2KParams
				if e.Salt != "" {
					out.salt = e.Salt
				}
				return out, nil
			}
		}
		return out, fail(Weak, "the KDC has no key of an allowed kind for %s", r.who())
	}
	return out, nil
}

func (r *realmClient) who() string { return r.name.PrincipalNameString() + "@" + r.realm }

// logIn gets a ticket-granting ticket by the user's key (RFC 4120 3.1).
func (r *realmClient) logIn(ctx context.Context) error {
	allowed := r.secret.etypes(r.cfg.LibDefaults.DefaultTktEnctypeIDs)
	if len(allowed) == 0 {
		return fail(Misconfigured, "the keytab has no key of an allowed kind for %s", r.who())
	}
	req, err := messages.NewASReqForTGT(r.realm, r.cfg.Config, r.name)
	if err != nil {
		return &Error{Cause: Misconfigured, Err: err}
	}
	req.ReqBody.EType = allowed
	info := etypeInfo{etype: allowed[0], salt: r.name.GetSalt(r.realm)}
	send := func() (messages.ASRep, error) {
		var rep messages.ASRep
		b, err := req.Marshal()
		if err != nil {
			return rep, &Error{Cause: Misconfigured, Err: err}
		}
		reply, err := r.cfg.ask(ctx, r.realm, b)
		if err != nil {
			return rep, err
		}
		if rep.Unmarshal(reply) != nil {
			return rep, fail(BadToken, "the KDC's answer")
		}
		return rep, nil
	}
	rep, err := send()
	var refused *messages.KRBError
	if errors.As(err, &refused) && refused.ErrorCode == errorcode.KDC_ERR_PREAUTH_REQUIRED {
		var methods types.PADataSequence
		if methods.Unmarshal(refused.EData) != nil {
			return fail(BadToken, "the KDC's demand")
		}
		if info, err = r.readInfo(methods, allowed); err != nil {
			return err
		}
		key, err := r.secret.key(info.etype, info.salt, info.params)
		if err != nil {
			return err
		}
		stamp, err := types.GetPAEncTSEncAsnMarshalled()
		if err != nil {
			return err
		}
		sealed, err := crypto.GetEncryptedData(stamp, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, 0)
		if err != nil {
			return err
		}
		b, err := sealed.Marshal()
		if err != nil {
			return err
		}
		req.PAData = types.PADataSequence{{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: b}}
		if rep, err = send(); err != nil {
			return krbFailure(err, r.who())
		}
	} else if err != nil {
		return krbFailure(err, r.who())
	} else if info, err = r.readInfo(rep.PAData, []int32{rep.EncPart.EType}); err != nil {
		return err
	}
	if rep.EncPart.EType != info.etype {
		// The KDC may use another kind for its answer than for the demand; only its word on salt and rounds is then missing.
		if !slices.Contains(allowed, rep.EncPart.EType) {
			return fail(Weak, "the KDC answers with encryption %d", rep.EncPart.EType)
		}
		if info, err = r.readInfo(rep.PAData, []int32{rep.EncPart.EType}); err != nil {
			return err
		}
	} else if !slices.Contains(allowed, info.etype) {
		return fail(Weak, "the KDC answers with encryption %d", info.etype)
	}
	key, err := r.secret.key(info.etype, info.salt, info.params)
	if err != nil {
		return err
	}
	plain, err := decrypt(rep.EncPart, key, keyusage.AS_REP_ENCPART)
	if err != nil {
		return fail(WrongPassword, "%s", r.who())
	}
	t, err := r.accept(rep.KDCRepFields, plain, req.ReqBody.Nonce)
	if err != nil {
		return err
	}
	if !t.SName.Equal(req.ReqBody.SName) {
		return fail(NotProved, "the KDC's ticket is for %s", t.SName.PrincipalNameString())
	}
	r.tgts[r.realm] = t
	return nil
}

// accept checks what a KDC's decrypted answer says against what was asked (RFC 4120 3.1.5, 3.3.4).
func (r *realmClient) accept(rep messages.KDCRepFields, plain []byte, nonce int) (ticket, error) {
	var enc messages.EncKDCRepPart
	if enc.Unmarshal(plain) != nil || len(enc.SName.NameString) == 0 {
		return ticket{}, fail(BadToken, "the KDC's answer")
	}
	if enc.Nonce != nonce || !rep.CName.Equal(r.name) || rep.CRealm != r.realm || !enc.SName.Equal(rep.Ticket.SName) || enc.SRealm != rep.Ticket.Realm {
		return ticket{}, fail(NotProved, "the KDC's answer is not for this question")
	}
	t := ticket{Ticket: rep.Ticket, key: enc.Key, start: enc.StartTime, end: enc.EndTime}
	if t.start.IsZero() {
		t.start = enc.AuthTime
	}
	if d := time.Until(t.start); d > r.cfg.LibDefaults.Clockskew {
		return ticket{}, fail(ClockSkew, "this machine's clock is %v behind the KDC's", d.Round(time.Second))
	}
	return t, nil
}

// exchange asks the KDC of a realm for a ticket (RFC 4120 3.3), with the ticket-granting ticket for it.
func (r *realmClient) exchange(ctx context.Context, realm string, tgt ticket, service types.PrincipalName) (ticket, error) {
	var random [4]byte
	rand.Read(random[:])
	req := messages.TGSReq{KDCReqFields: messages.KDCReqFields{PVNO: iana.PVNO, MsgType: msgtype.KRB_TGS_REQ, ReqBody: messages.KDCReqBody{
		KDCOptions: types.NewKrbFlags(), Realm: realm, SName: service, Till: tgt.end.UTC(),
		Nonce: int(binary.BigEndian.Uint32(random[:]) >> 1), EType: r.cfg.LibDefaults.DefaultTGSEnctypeIDs,
	}}}
	types.SetFlag(&req.ReqBody.KDCOptions, flags.Canonicalize) // may answer with a referral (RFC 6806 8)
	body, err := req.ReqBody.Marshal()
	if err != nil {
		return ticket{}, err
	}
	e, err := crypto.GetEtype(tgt.key.KeyType)
	if err != nil || len(tgt.key.KeyValue) != e.GetKeyByteSize() {
		return ticket{}, fail(NoTicket, "its kind of encryption (%d) is not known", tgt.key.KeyType)
	}
	sum, err := e.GetChecksumHash(tgt.key.KeyValue, body, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM)
	if err != nil {
		return ticket{}, err
	}
	a, err := types.NewAuthenticator(r.realm, r.name)
	if err != nil {
		return ticket{}, err
	}
	a.Cksum = types.Checksum{CksumType: e.GetHashID(), Checksum: sum}
	ap, err := messages.NewAPReq(tgt.Ticket, tgt.key, a)
	if err != nil {
		return ticket{}, err
	}
	b, err := ap.Marshal()
	if err != nil {
		return ticket{}, err
	}
	req.PAData = types.PADataSequence{{PADataType: patype.PA_TGS_REQ, PADataValue: b}}
	if b, err = req.Marshal(); err != nil {
		return ticket{}, err
	}
	reply, err := r.cfg.ask(ctx, realm, b)
	if err != nil {
		return ticket{}, krbFailure(err, fmt.Sprintf("%s in %s", service.PrincipalNameString(), realm))
	}
	var rep messages.TGSRep
	if rep.Unmarshal(reply) != nil {
		return ticket{}, fail(BadToken, "the KDC's answer")
	}
	plain, err := decrypt(rep.EncPart, tgt.key, keyusage.TGS_REP_ENCPART_SESSION_KEY)
	if err != nil {
		return ticket{}, fail(NotProved, "the KDC's answer %v", err)
	}
	return r.accept(rep.KDCRepFields, plain, req.ReqBody.Nonce)
}

// maxHops is how many realms may lie on the way to a server's.
const maxHops = 8

// service gets a ticket for a service on a server, following referrals from realm to realm (RFC 6806 8).
func (r *realmClient) service(ctx context.Context, class, server string) (ticket, error) {
	name := types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{class, strings.TrimSuffix(server, ".")}}
	realm, want := r.realm, name
	home := r.cfg.realmOf(server)
	for range maxHops {
		want = name
		if home != "" && home != realm {
			want = types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", home}}
		}
		t, err := r.exchange(ctx, realm, r.tgts[realm], want)
		if err != nil {
			return ticket{}, err
		}
		if t.SName.Equal(name) {
			return t, nil
		}
		if len(t.SName.NameString) != 2 || t.SName.NameString[0] != "krbtgt" || t.SName.NameString[1] == realm {
			return ticket{}, fail(NotProved, "the KDC's ticket is for %s", t.SName.PrincipalNameString())
		}
		realm = t.SName.NameString[1]
		r.tgts[realm] = t
	}
	return ticket{}, fail(UnknownService, "%s: the realms send us in circles", name.PrincipalNameString())
}
