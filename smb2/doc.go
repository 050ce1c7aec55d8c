// Package smb2 is a client for SMB 2 and 3 servers, dialects 2.0.2 to 3.1.1, that a network drive can be built on. It is written from the
// published [MS-SMB2], [MS-FSCC] and [MS-ERREF], and knows nothing of the rest of this module.
//
//	client, err := smb2.Dial(ctx, smb2.Options{Server: "nas", Credential: credential}) // of package smb2/auth
//	tree, err := client.Tree(ctx, "media")
//	list, err := tree.ReadDir(ctx, "films")
//	file, err := tree.Open(ctx, "films/a.mkv", smb2.Open{Access: wire.GenericRead, Disposition: wire.Open, Durable: true})
//
// # Layers
//
//	wire    messages and information classes as bytes; strict about what comes in
//	crypt   keys, signatures, encryption
//	conn    one connection: dialects, log-on, credits, requests in flight, giving up, a server that is dead
//	smb2    what outlives a connection: Client, Tree, File, Lease
//	auth    credentials; rpce and dfs are built on a Tree of IPC$
//
// A request goes down in its caller's goroutine, which encodes, signs and writes it; the connection's one reader brings the answer. There is
// no queue in between. Package conn's comment has the details: what is copied when, how a request is given up, who watches over the server.
//
// # Few exchanges
//
// A Chain is one file's open, steps and close in one compound: Stat, ReadFile, WriteFile, Remove, Rename, SetAttr and the others are each
// one, and anybody can make more. ReadDir opens a folder and asks twice in its first exchange, which is the last one for most folders.
// Where a server grants too few credits for a compound, the same requests go one after the other. ReadAt and WriteAt have several requests
// under way. Credits are asked for until 64 MiB may be.
//
// # Sharing
//
// Files are opened so that others, and we ourselves, may read, write, rename and remove them meanwhile, unless Open.Exclusive is set. A Lease
// tells before somebody else changes a file; its breaks are heard in a goroutine of its own, so that a callback may use the Client.
//
// # Staying connected
//
// Dial makes the first connection and a Client makes the later ones, when something is asked of it. One attempt is made at a time, by
// one goroutine for all who wait; after a failed one, requests fail at once for one to eight seconds. A generation of links goes
// through the layers: a Tree that finds itself on an older link connects again, and a File comes back by its durable handle or by name
// (File tells how, and what is reported as changed). A request that was lost is sent again if it had not gone out, or if doing it twice
// changes nothing: reads, queries, writes at an offset, attributes. Not again go exclusive creates, removes, renames, links, locks and pipes:
// they fail with a *conn.LostError, since whether they were done is unknown.
//
// # Safety
//
// Nothing is weaker than asked for: Policy has the demands, and what a server does not meet is refused by the rule's name. A user whom the
// server takes for a guest is refused. Negotiations are protected by the hash of 3.1.1, or validated once more before.
//
// # Errors
//
// Each error of a method is an *Error around its cause: a Status, which is an errno and so fs.ErrNotExist and its kin; a *conn.LostError; a
// *conn.PolicyError; the context's error; or one of this package's variables.
package smb2
