// Package client connects a program to Windows Networking: on Linux to its user's wnet daemon, which it starts if it is not there, and on
// Windows to the system's own mpr.dll. One Go program runs on both.
//
//	c, err := client.Dial(ctx, client.Options{})
//	if err != nil { … }
//	defer c.Close()
//	err = c.AddConnection(ctx, wnet.AddRequest{LocalName: "Z:", RemoteName: "//nas/media", Type: win32.RESOURCETYPE_DISK})
//
// A Client is a wnet.Service of the session that the program belongs to. On Linux it is a wnet.Sessions too; on Windows sessions are the
// system's own, and CreateProcessAsUser is what makes one.
//
// On Windows a call can't be taken back once mpr.dll has it: a context that ends is looked at before the call. What mpr.dll does not know
// is ERROR_NOT_SUPPORTED there: UseOptions, and a status besides connected or not.
package client

import (
	"time"

	"github.com/openwnet/wnet"
)

// Options say which daemon to call. The zero Options are right for most programs. On Windows, where there is no daemon, they say nothing.
type Options struct {
	Socket  string      // the daemon's socket; "" for the user's own (doc/rpc.md)
	NoStart bool        // fail with ERROR_NO_NETWORK where no daemon runs, instead of starting one
	Token   wnet.Secret // the session's token; absent: from the environment variable WNET_SESSION, if that is set
	Program string      // the wnet program; "" for this program if its name is wnet, else the wnet of PATH

	answer, ready time.Duration // shorter bounds for tests; 0 for the constants
}
