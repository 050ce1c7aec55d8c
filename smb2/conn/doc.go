// Package conn is one connection to an SMB 2 or 3 server and the session on it: dialects, security, credits, requests in flight. It
// does not outlive its connection; package smb2, which makes a new one, does. It knows requests only as bodies of package wire.
//
// # Goroutines
//
// A Conn has a reader and a monitor. Nothing else runs unless a request was given up in the middle of its bytes.
//
// Who asks also sends: Do takes credits and message numbers, encodes, signs or encrypts in its own goroutine, and writes header and
// data with one writev when it has the send slot. The data of a WRITE that is neither signed nor encrypted is never copied.
//
// The reader hands answers to whoever waits for them. The data of a READ that is neither signed nor encrypted goes from the socket
// straight into the caller's memory; a signed or encrypted one is checked in the reader's memory first and copied from there.
//
// # Giving up
//
// Do returns as soon as its context ends. What it leaves behind is tidy: a frame that was begun is finished from a copy (a message
// number, once taken, has to be used), CANCEL is sent, the caller's memory is not touched any more, and an answer that comes after all is
// given to Request.Orphan, so that a file that was opened for nobody is closed again.
//
// # A server that does not answer
//
// The monitor sends an ECHO when something is waited for and nothing came for half of Config.DeadAfter, and ends the connection with
// ErrDead when nothing came for all of it. A request that a living server does not answer ends after Config.Timeout with ErrTimeout. All
// requests of a connection that ended fail at once, with an error that Lost is true for.
//
// # Trust
//
// A server is believed nothing that is not checked: lengths, credits, numbers, signatures and states. An answer to a signed request has to
// be signed, one to an encrypted request encrypted, and what breaks a rule ends the connection.
package conn
