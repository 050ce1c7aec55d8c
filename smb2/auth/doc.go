// Package auth logs in to SMB servers: SPNEGO (RFC 4178 with [MS-SPNG]) around Kerberos 5 (RFC 4120, RFC 4121) or NTLMv2 ([MS-NLMP]).
//
// What it makes are credentials (Password, Keytab, Tickets, Guest, Anonymous), which satisfy smb2.Credential without this package knowing
// package smb2. It knows nothing of SMB but its tokens, so any protocol that carries SPNEGO can use it.
//
// # Which mechanism
//
// Kerberos comes first and NTLM second, and what is weaker is never taken in silence:
//
//   - Where the server's hint lists Kerberos (or there is no hint), the server was named by a host name, and a realm with a KDC is known, a
//     ticket is asked for before anything goes to the server. With a ticket in hand Kerberos alone is offered: a server that then asks for
//     NTLM is refused (Downgraded).
//   - Where there is no ticket to be had because there is no Kerberos for this user or server (NoKDC, UnknownService, UnknownUser,
//     Misconfigured), a password may go on with NTLM; Report tells why. A wrong password, an expired one, a locked account and a clock that
//     is off are errors at once.
//   - A keytab and a ticket cache have no password, so they never become NTLM.
//   - Options.Mechanisms narrows all this down.
//
// NTLM here is NTLMv2 with extended session security, 128 bits, target information and MIC. NTLMv1 and LM do not exist in this package.
//
// # Secrets
//
// A Secret cannot be printed, and no error holds one. Keys live as long as the credential does.
package auth
