package discover

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// group is where a question is sent.
type group struct {
	v4, v6 netip.Addr
	port   uint16
}

// packet is an answer, and who sent it.
type packet struct {
	data []byte
	from netip.Addr
}

// sockets are one UDP socket for each interface and address family, from which questions go to a multicast group and to which the
// answers come back. They join no group and hear nothing else.
type sockets struct {
	group group
	conns []*net.UDPConn
	dest  []netip.AddrPort // of each
}

// open makes sockets for all interfaces that are up. None at all is no error: then there is no network, and nobody answers.
func open(ctx context.Context, g group) *sockets {
	s := &sockets{group: g}
	list, err := net.Interfaces()
	if err != nil {
		return s
	}
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 || i.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
			continue
		}
		s.add(ctx, "udp4", netip.AddrPortFrom(g.v4, g.port), func(fd int) error {
			return errors.Join(unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(i.Index)}),
				unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 255))
		})
		s.add(ctx, "udp6", netip.AddrPortFrom(g.v6.WithZone(i.Name), g.port), func(fd int) error {
			return errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, i.Index),
				unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, 255))
		})
	}
	return s
}

func (s *sockets) add(ctx context.Context, network string, dest netip.AddrPort, set func(fd int) error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) { err = set(int(fd)) }), err)
	}}
	c, err := lc.ListenPacket(ctx, network, ":0")
	if err != nil {
		return // the machine may have no IPv6
	}
	s.conns = append(s.conns, c.(*net.UDPConn))
	s.dest = append(s.dest, dest)
}

// send asks on every interface. One that can't send has no network.
func (s *sockets) send(b []byte) {
	for i, c := range s.conns {
		c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		c.WriteToUDPAddrPort(b, s.dest[i])
	}
}

// receive gives every packet that comes until ctx ends, and closes the sockets then. The channel is closed at the end.
func (s *sockets) receive(ctx context.Context) <-chan packet {
	ch := make(chan packet)
	stop := context.AfterFunc(ctx, func() {
		for _, c := range s.conns {
			c.Close()
		}
	})
	var wg sync.WaitGroup
	for _, c := range s.conns {
		wg.Go(func() {
			buf := make([]byte, 64<<10)
			for {
				n, from, err := c.ReadFromUDPAddrPort(buf)
				if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
					return
				}
				if err != nil {
					continue // an ICMP error of an earlier question
				}
				select {
				case ch <- packet{append([]byte(nil), buf[:n]...), from.Addr().Unmap()}:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() {
		wg.Wait()
		if len(s.conns) == 0 {
			stop()
		}
		close(ch)
	}()
	return ch
}
