package rpc

import (
	"encoding/binary"
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// What sock_diag(7) names and x/sys/unix does not.
const (
	inetDiagReqSize = 56 // struct inet_diag_req_v2
	inetDiagMsgSize = 72 // struct inet_diag_msg
	diagUID         = 64 // offset of idiag_uid in it
	established     = 1  // TCP_ESTABLISHED; others may have no owner any more
)

var errNoPeer = errors.New("the kernel does not tell whose the other end is")

// tcpPeerUID asks the kernel (sock_diag(7)) for the user who made the other end of conn, a TCP connection over IPv4 inside this machine. Not
// every kernel and container answers; errors are for those, and for a peer that has gone.
func tcpPeerUID(conn net.Conn) (int, error) {
	local, ok1 := conn.LocalAddr().(*net.TCPAddr)
	remote, ok2 := conn.RemoteAddr().(*net.TCPAddr)
	if !ok1 || !ok2 || local.IP.To4() == nil || remote.IP.To4() == nil {
		return 0, errNoPeer
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1})

	req := make([]byte, unix.SizeofNlMsghdr+inetDiagReqSize)
	native := binary.NativeEndian
	native.PutUint32(req[0:], uint32(len(req)))
	native.PutUint16(req[4:], unix.SOCK_DIAG_BY_FAMILY)
	native.PutUint16(req[6:], unix.NLM_F_REQUEST)
	body := req[unix.SizeofNlMsghdr:]
	body[0], body[1] = unix.AF_INET, unix.IPPROTO_TCP
	native.PutUint32(body[4:], 1<<established)
	id := body[8:] // struct inet_diag_sockid, from the peer's point of view
	binary.BigEndian.PutUint16(id[0:], uint16(remote.Port))
	binary.BigEndian.PutUint16(id[2:], uint16(local.Port))
	copy(id[4:], remote.IP.To4())
	copy(id[20:], local.IP.To4())
	native.PutUint64(id[40:], ^uint64(0)) // INET_DIAG_NOCOOKIE, twice
	if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	buf := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return 0, err
	}
	if n < unix.SizeofNlMsghdr+inetDiagMsgSize || native.Uint16(buf[4:]) != unix.SOCK_DIAG_BY_FAMILY {
		return 0, errNoPeer
	}
	msg := buf[unix.SizeofNlMsghdr:n]
	if msg[1] != established || binary.BigEndian.Uint16(msg[4:]) != uint16(remote.Port) || binary.BigEndian.Uint16(msg[6:]) != uint16(local.Port) {
		return 0, errNoPeer
	}
	return int(native.Uint32(msg[diagUID:])), nil
}
