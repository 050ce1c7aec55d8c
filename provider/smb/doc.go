// Package smb is the provider of the Microsoft network: shares by SMB 2 and 3, `\\server\share` and smb://server/share.
//
// Each connection has a TCP connection, a session and a tree connect of its own, so that one that dies takes no other with it, and
// so that several users may be connected to one server. From a name to a connected share it takes five round trips, to the first
// listing three more; giving it up takes none.
//
// # POSIX on top of SMB
//
// The protocol is package smb2's (client.go and tree.go know it). Files are opened so that others may rename and remove them. What SMB
// does not give by itself the package adds:
//
//   - A table knows every open File. Before a file or a folder above it is renamed, the handle is parked, that is closed, and it is
//     opened again under the new name when the File is next used: a server renames no folder that has open files below it.
//   - A file that is removed or replaced while it is open here gets a hidden name beside it, .wnet-removed- and 16 hexadecimal digits,
//     and goes with its last File: its own name is free at once. Such names are shown to nobody. A crash leaves them behind; one of
//     them keeps its folder from being removed for a day.
//   - What the server does not replace (an open file, a read-only file, an empty folder) is put aside under such a name first, and
//     put back if the rename fails.
//   - Requests that hold a handle for a moment and those that the handle would disturb take turns by claims on names (claims.go).
//
// A file that another client has open is renamed and removed all the same, if that client allows it; a removed one keeps its name until
// that client closes it, where the server has no POSIX unlink. What that client does not allow is EBUSY, or EACCES for a folder above it.
// Case is the server's matter; names that Windows reserves travel as mount.cifs's mapposix sends them (names.go). Of the permission
// bits a share keeps only whether a file may be written. Links on the server are followed by the server and not shown as links; making
// one is EPERM, and so are hard links. There are no file numbers.
//
// # Dead servers
//
// A request runs on a goroutine of its own to its end, while the caller waits no longer than its context lasts. A server that was
// silent for Timeouts.KeepAlive is sent an ECHO, and is given up if it then says nothing for Timeouts.Answer; a connection that was
// closed is given up at once. Every call then is ERROR_NETNAME_DELETED without a wait, and Lost is closed. Nothing reconnects here.
//
// # Security
//
// Kerberos where there is a realm for the user and the server is named by its name, NTLMv2 otherwise; package smb2/auth has the rules, none of
// which falls back after a wrong password. Who gives no password logs in by the ticket that they have (KRB5CCNAME), or is asked for one.
// A server that takes a named user for a guest is refused. CONNECT_REQUIRE_INTEGRITY makes every message signed, CONNECT_REQUIRE_PRIVACY
// every message encrypted, whether the server asks for it or not, and refuses a server that can't. Without these, what the server
// demands is done.
package smb
