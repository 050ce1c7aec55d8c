package smb2

import "context"

// CredentialKind says what a Credential logs in as. It is an alias, so that a package can offer credentials without importing this one.
type CredentialKind = uint8

// The kinds of credentials. Guest and anonymous sessions have no key of their own: they are made only by a credential that says so, and
// cannot be signed or encrypted ([MS-SMB2] 3.2.5.3.1).
const (
	UserCredential      CredentialKind = iota // a user: a session that the server marks as guest or null is refused
	GuestCredential                           // whoever the server takes for a guest
	AnonymousCredential                       // nobody: a null session
)

// An Authenticator carries one login through, from the first token to the session key. It is used by one goroutine and once: a further
// login, also that of another channel or of a session which expired, takes a new one from its Credential.
type Authenticator = interface {
	// Step takes the server's token, nil at first, and gives the one to send, nil if there is none. The tokens are SPNEGO's, as the
	// security buffers of NEGOTIATE and SESSION_SETUP carry them ([MS-SMB2] 2.2.5, 2.2.6). done means that the server has proved itself
	// as far as the mechanism goes and nothing is left to be read; a token given together with done is still to be sent. After the
	// server's last answer, the one with STATUS_SUCCESS, Step has to be called with its token even if that is empty, unless done was
	// returned before: a login that ended without done is none.
	// ctx bounds what Step asks of others, such as a ticket from a KDC. A refusal by the server (a status other than
	// STATUS_MORE_PROCESSING_REQUIRED and success) is not told to Step.
	Step(ctx context.Context, in []byte) (out []byte, done bool, err error)

	// SessionKey gives the key that both sides agreed on, whole: 16 bytes for NTLM, as many as the subkey has for Kerberos (16 or 32);
	// nil before Step was done, and for a guest or anonymous login. [MS-SMB2] 3.2.5.3.1 takes its first 16 bytes, padded with zeros, as
	// Session.SessionKey, and the whole as Session.FullSessionKey. The caller owns the slice.
	SessionKey() []byte
}

// A Credential is who to be for a server. It may be used by many goroutines at once. Printing one must not show its secret.
type Credential interface {
	// Authenticator begins a login to a server, named as the user named it: it is what the proof of the server's identity is bound to
	// (the service principal name cifs/server). hint is the security buffer of the server's NEGOTIATE answer, a NegTokenInit2 ([MS-SPNG]
	// 2.2.1), or empty. It does no I/O. An error means that nothing the server offers may be used with this credential.
	Authenticator(server string, hint []byte) (Authenticator, error)

	// Kind says what it logs in as.
	Kind() CredentialKind
}
