package wnet

// Lease is a set of promises of the server about one file or folder: what it told will not change without a word.
type Lease uint8

// The promises. Each holds for what was asked since it was given.
const (
	LeaseAttr  Lease = 1 << iota // attributes, as Stat and ReadDir tell them
	LeaseData                    // a file's content
	LeaseNames                   // which names a folder has, and that it has no others
)

// Break is the end of promises, or news of a change. The zero Break says nothing.
type Break struct {
	// Name is the file or folder, by the name that it has now for this FileSystem; "" where only the number is known.
	Name string
	// ID is its Attr.ID, 0 if not known. The Break is about the file with that number too, under whatever name.
	ID uint64
	// Lease is what does not hold any more.
	Lease Lease
	// Entry says that the name itself may have come, gone or been given to another file.
	Entry bool
	// All says that nothing holds any more, for any name. The other fields are zero.
	All bool
}

// Leaser is a FileSystem that knows how long its answers stay true: by leases or oplocks of its server, or by change notices. What
// is promised, a mount keeps and does not ask for again. Without it, and for all that is not promised, a mount keeps what it was
// told for its own short bound.
//
// A FileSystem takes leases by itself, when it is asked for something and as it sees fit. Changes made through the FileSystem itself break
// nothing; whoever makes them knows.
type Leaser interface {
	// Lease tells what is promised about name at this moment. It asks no server and returns at once. A mount asks before it takes an
	// answer for a lasting one: the answer counts if the promise was there after it and no Break came since the question.
	Lease(name string) Lease
	// OnBreak has f called for every Break to come, until stop is called. f may be called from many goroutines at once, and takes its
	// time: it returns when nothing is kept any more of what the Break ends, at the latest after a few seconds. A FileSystem whose
	// server waits for the answer to a break gives it then. It calls f from goroutines that nothing else waits for, and holds no lock.
	// What Lease tells has changed before f is called. After stop has returned, f is not called again; it may still run.
	OnBreak(f func(Break)) (stop func())
}
