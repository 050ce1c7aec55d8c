// Package profile keeps a user's remembered connections in one file that a person can read and edit (netuse.md §4; DESIGN §6.4;
// CC-11, CC-12, A2-16, A2-21). It never holds a secret.
//
// The file is TOML, with one table a device, its keys spelled as Windows spells the values under HKCU\Network:
//
//	[PersistentConnections]
//	SaveConnections = true          # what /PERSISTENT set last; "yes" and "no" are read too
//	Recent = ['\\nas\media']        # where drives were made to with CONNECT_UPDATE_RECENT, the latest first, up to ten
//	HomeDirectory = '\\nas\anna'   # what `wnet use H: /home` connects to
//
//	[Order]
//	ProviderOrder = ['Microsoft Windows Network', 'SFTP']   # which providers are asked, and in which order
//
//	[Network.Z]
//	RemotePath = '\\nas\media'      # single quotes, so that a backslash is one
//	UserName = 'anna'
//	ProviderName = 'Microsoft Windows Network'
//	ProviderType = 0x00020000
//	ConnectionType = 1              # 1 drive, 2 printer
//	ConnectFlags = 0
//	DeferFlags = 4
//	UseOptions = { TCPPort = 4455 }
//
// Only RemotePath must be there. Case does not matter in device names and keys, and "Z:" is Z. Every way to write it that TOML has is
// read: tables, dotted keys, inline tables.
//
// A change is made in the text: comments, order, and keys that wnet does not know stay as they are. With a device's table goes what
// is written inside of it; a comment above it stays.
//
// # What is refused
//
// A file in a wrong format is ERROR_BAD_PROFILE, with line and column in a *FormatError. One that can't be read (a folder, no
// permission, an I/O error, symbolic links in a circle) is ERROR_CANNOT_OPEN_PROFILE. Neither is ever written to. A missing file is a
// profile without connections; so is an empty one, because that is what `touch` makes, and because wnet itself never leaves one
// behind: it writes beside the file, syncs, and renames.
//
// # Writers
//
// Writers take turns by a lock on profile.toml.lock, beside the file; the lock goes with its process. Readers need no lock. A person's
// editor takes none either: what it saves before Commit is read again and kept. A profile.toml that is a symbolic link, as
// dotfile managers make it, stays one: its target is replaced. A file without any write permission is left alone, for root too.
package profile
