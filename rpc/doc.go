// Package rpc carries wnet.Service and wnet.Sessions over a unix socket: the schema (wnetv1), the server and the client.
//
// The wire is Connect on HTTP/1.1, one POST a call, JSON or protobuf; doc/rpc.md shows it with curl. The schema's major version is in
// the path (/wnet.v1.Wnet/…) and is Protocol; a peer of another one gets an error that says so.
//
// Who calls is told by the socket (SO_PEERCRED), never by the message. A peer of another user is turned away before a byte of it is
// read. The header Wnet-Session carries the token of `wnet session run`; what it is worth is the backend's to decide.
//
// Errors cross whole: the client's *wnet.Error has the code, the hint, the holders and every other field of the server's. Of the
// cause, the text crosses and what a program may look for in it: an errno, a further win32.Code, a context's end. Where a call gives
// a result besides an error (UC-05, GC-06), both cross.
//
// A string is UTF-8 on the wire. In a request, other bytes are ERROR_INVALID_NAME (a password: ERROR_INVALID_PASSWORD), as
// wnet.Clean has it; in an answer, such as a holder's file name, they become U+FFFD.
//
// A peer that sends rubbish, too much, or nothing holds one socket connection for a bounded time, and never a call of another peer:
// see Limits. Neither requests nor tokens are ever logged.
package rpc
