// Package wnet is the contract of wnet: Windows Networking (WNet, the Multiple Provider Router of mpr.dll) built anew for Linux.
//
// It holds the types, interfaces, errors and name parsing that every room of the system shares, and does no I/O.
//
// The words: a device ("Z:", "LPT1") is a name in a session's device namespace. A remote name (`\\server\share`) is what it
// stands for. A connection is a remote name held open for a session, with a device (a redirection) or without one (deviceless).
// A provider is one network. The router asks the providers in order and applies the contract. A session is a logon session,
// known by its LUID. The profile remembers connections of a user; the credential store holds the secrets; a mount serves a
// connection's FileSystem to the kernel.
//
// Service is the WNet API of one session. The router, the client and the tests' fakes all are one.
//
// Every error that leaves a Service is an *Error with a win32.Code: decide by errors.Is(err, win32.ERROR_…), never by text.
package wnet
