// Package rig starts the real servers that wnet's tests speak to: OpenSSH's sshd, Samba's smbd. Each is the test's own: a free loopback
// port, its own keys, configuration and folder, ended by process id when the test ends, whatever its outcome.
package rig

import (
	"net"
	"testing"
)

// FreePort returns a loopback TCP port that was free a moment ago. Nothing reserves it: start the server at once, and try again with
// another port if it is gone.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("rig: no free port: %v", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
