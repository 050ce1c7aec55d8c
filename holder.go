package wnet

import "fmt"

// Use tells how a process holds a connection.
type Use string

// The ways to hold a connection. An open file or folder is ERROR_OPEN_FILES; the others, where nothing is open besides, are
// ERROR_DEVICE_IN_USE (CC-24).
const (
	UseRead      Use = "read"      // a file open for reading
	UseWrite     Use = "write"     // a file open for writing
	UseReadWrite Use = "readwrite" // a file open for both
	UseFolder    Use = "folder"    // a folder open, as for a directory search
	UseCwd       Use = "cwd"       // the process's working directory
	UseRoot      Use = "root"      // the process's root directory
	UseMap       Use = "map"       // a file mapped into memory and not open otherwise
	UseExe       Use = "exe"       // the program file that the process runs
	UsePending   Use = "request"   // nothing open: a request that the server has not answered yet
)

// Open reports whether the use counts as an open file or a pending request (ERROR_OPEN_FILES), rather than a process standing in the mount.
func (u Use) Open() bool {
	return u == UseRead || u == UseWrite || u == UseReadWrite || u == UseFolder || u == UsePending
}

// Holder is one process that holds a connection, and what it holds.
type Holder struct {
	PID     int    `json:"pid"`     // 0 if the process can't be seen from here
	Program string `json:"program"` // the program's short name, "" if it can't be seen
	UID     int    `json:"uid"`
	User    string `json:"user"` // the account's name, or the uid in digits
	File    string `json:"file"` // path below the connection, slash-separated, "." for its root
	Use     Use    `json:"use"`
}

// String gives "vim (pid 4711, user anna) has notes.txt open for writing".
func (h Holder) String() string {
	who := h.Program
	if who == "" {
		who = "a process that can't be seen from here"
	}
	if h.PID != 0 {
		who = fmt.Sprintf("%s (pid %d, user %s)", who, h.PID, h.User)
	}
	const top = "the top folder"
	file := h.File
	if file == "." || file == "" {
		file = top
	}
	switch h.Use {
	case UseRead:
		return who + " has " + file + " open for reading"
	case UseWrite:
		return who + " has " + file + " open for writing"
	case UseReadWrite:
		return who + " has " + file + " open for reading and writing"
	case UseFolder:
		if file == top {
			return who + " has " + top + " open"
		}
		return who + " has the folder " + file + " open"
	case UseCwd:
		return who + " has its working directory in " + file
	case UseRoot:
		return who + " has its root directory in " + file
	case UseMap:
		return who + " has " + file + " mapped into memory"
	case UsePending:
		return who + " waits for the server to answer"
	case UseExe:
		return who + " runs from " + file
	}
	return who + " uses " + file
}
