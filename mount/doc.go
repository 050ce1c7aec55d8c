// Package mount serves a wnet.FileSystem to the kernel through FUSE. It is the only importer of go-fuse, and the one place where an
// error becomes an errno.
//
// # What programs see
//
// Each mount is of type fuse.wnet, private to the user who mounted it (root and other users are refused by the kernel). All files
// belong to that user; permission bits come from Attr.Mode and bind nobody: the server decides what the account may do, and access(2)
// refuses only a permission that no bit grants at all. Inode numbers are Attr.ID where the server has one, so hard links show the
// same number, else derived from the path and kept while the file is known.
//
// A write is on the server's side when write(2) returns: FUSE's write-back cache is not used, so what a program wrote through a
// descriptor survives the loss of the mount. close(2) does not ask the server; it fails with EIO where the connection went away
// before the server confirmed, at fsync(2), that the data is stable (wnet.FileFlusher). Only a shared mapping has dirty pages, which the
// kernel writes when it likes, and at the latest at msync(2), close(2) or unmount.
//
// Names, attributes and data are cached by the kernel no longer than CacheTime (Config.CacheTime), counted from the moment the server
// was asked. A change that another machine makes is seen after that time at the latest; cached data is dropped when the size or the
// modification time has changed, and at every open unless both are known to be the same. (A server whose clock ticks in whole seconds
// can hide a second change of equal length within one tick from a file that stays open.)
//
// What the server promises to tell changes of (wnet.Leaser) is kept for as long as it does, and not asked for again: attributes, listings,
// names that there are and are not, data. A break takes it from the kernel too before it is answered, so that a program sees what
// another machine has written as soon as that is done. The kernel still asks for each name again within the bound, and is answered
// from memory: its look-ups have no versions, so that an answer could overtake the notice of a change.
//
// A file that is read in order is read ahead in pieces of 1 MiB, up to 16 at once and 64 MiB a mount. What was read ahead counts as long as
// what the kernel keeps. A small file that was just looked at comes with its opening where the file system can do that (wnet.WholeReader);
// it is opened on the server only when somebody wants more than that content.
//
// Where the file system has byte-range locks (wnet.Locker), POSIX and flock locks hold between machines. Who gets one sees what others wrote
// before; what was written under it is on the server before it is given back, as every write is. Without them, locks are the kernel's
// own and hold between the programs of this machine.
//
// Extended attributes, fallocate, copy_file_range and holes are there as far as the file system has them, else "not supported", so that
// programs fall back to plain reads and writes.
//
// # Time
//
// Every request has a deadline (Config.Deadline, MountOptions.Deadline), after which the program gets ETIMEDOUT even if the file system
// ignores its context. A program that is being killed gets its request cancelled at once. Any other signal leaves a request another
// second to end by itself before it is cancelled with EINTR, since programs that use timers do not expect EINTR from a file. A lock that
// is waited for has no deadline, and any signal ends it at once.
//
// # The end of a mount
//
// Unmount refuses while anybody uses the mount and names who does. What the kernel knows is never second-guessed: umount(2) itself is
// the arbiter, which is atomic. The table of open handles is asked before, because a handle may live outside of this mount
// namespace; but close(2) returns before the kernel tells of the close, so an entry without a visible descriptor is waited for.
//
// ForceUnmount does not abort the FUSE connection, after which programs would get ENOTCONN: the mount is detached and goes on answering
// EIO, without asking the file system anything, until the last program has closed its last handle.
//
// # A deadlock to know
//
// A process that serves a mount must not start a child with exec.Cmd.Dir inside it: the child's chdir waits for the server while the
// Go runtime may wait for the child. Let a shell change the folder instead.
package mount
