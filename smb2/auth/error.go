package auth

import "fmt"

// Cause is why a login came to nothing, as far as this side and the KDC can tell. What the server itself says of a login (its status) is the
// SMB client's to report. It is an error, so that errors.Is(err, auth.WrongPassword) works.
type Cause uint8

// The causes.
const (
	BadToken        Cause = iota + 1 // the peer's message is malformed, or is none that fits here
	Refused                          // the server's SPNEGO answer is "reject", or a Kerberos error without a cause of its own
	Downgraded                       // the server asks for less than what was offered, or its proof that the offer arrived unchanged is wrong
	Weak                             // the server offers no mechanism, or no NTLM, that is good enough
	NotProved                        // the server did not prove that it is who it should be
	NoPassword                       // a password is needed and there is none
	UnknownUser                      // the realm has no such user
	WrongPassword                    // the password (or the keytab's key) is wrong
	PasswordExpired                  // the password has to be changed first
	AccountClosed                    // the account is locked, disabled or expired
	ClockSkew                        // this machine's clock and the other's are too far apart
	NoTicket                         // there is no ticket cache, or it holds no ticket for this user
	TicketExpired                    // the ticket in the cache is no longer valid
	NoKDC                            // no KDC is known for the realm, or none answers
	UnknownService                   // the realm has no such server
	Misconfigured                    // krb5.conf, the keytab or the realm cannot be used
)

var causeTexts = [...]string{
	BadToken: "the server's answer makes no sense", Refused: "the server refuses the login", Downgraded: "the server asks for a weaker login",
	Weak: "the server offers no login that is safe enough", NotProved: "the server did not prove who it is", NoPassword: "a password is needed",
	UnknownUser: "the user is not known", WrongPassword: "the password is wrong", PasswordExpired: "the password has expired",
	AccountClosed: "the account is locked or disabled", ClockSkew: "the clocks are too far apart", NoTicket: "there is no Kerberos ticket",
	TicketExpired: "the Kerberos ticket has expired", NoKDC: "no Kerberos server answers", UnknownService: "Kerberos does not know the server",
	Misconfigured: "Kerberos is not set up",
}

// Error implements error with a short English text.
func (c Cause) Error() string {
	if int(c) < len(causeTexts) && causeTexts[c] != "" {
		return causeTexts[c]
	}
	return fmt.Sprintf("cause %d", uint8(c))
}

var _ error = Cause(0)

// Error is what this package's functions fail with: a cause to decide by, and words for a person. It never holds a secret. A context that
// ended is returned as it is, without an Error.
type Error struct {
	Cause  Cause
	Detail string // what exactly, "" if the cause says all
	Err    error  // what is behind it, such as a network error, or nil
}

// Error gives the cause's text and the detail.
func (e *Error) Error() string {
	s := e.Cause.Error()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause and what is behind it.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Cause}
	}
	return []error{e.Cause, e.Err}
}

func fail(c Cause, format string, args ...any) error {
	return &Error{Cause: c, Detail: fmt.Sprintf(format, args...)}
}
