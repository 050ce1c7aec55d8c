package rpce

import (
	"context"
	"fmt"
)

// ServerService is the interface of the pipe srvsvc: 4b324fc8-1670-01d3-1278-5a47bf6ee188, version 3.0 ([MS-SRVS] 1.9).
func ServerService() Syntax {
	return Syntax{[16]byte{0xc8, 0x4f, 0x32, 0x4b, 0x70, 0x16, 0xd3, 0x01, 0x12, 0x78, 0x5a, 0x47, 0xbf, 0x6e, 0xe1, 0x88}, 3, 0}
}

// ServerServicePipe is the name of its pipe on IPC$.
const ServerServicePipe = "srvsvc"

// Failure is a procedure's own result, a Win32 error code, such as 5: access denied.
type Failure uint32

// Error tells the number.
func (f Failure) Error() string {
	return fmt.Sprintf("rpce: the server answers with Win32 error %d", uint32(f))
}

const errorMoreData = 234

// ShareKind is what a share offers ([MS-SRVS] 2.2.2.4).
type ShareKind uint8

// The kinds.
const (
	DiskShare            ShareKind = 0 // STYPE_DISKTREE
	PrintShare           ShareKind = 1 // STYPE_PRINTQ
	DeviceShareShareKind           = 2 // STYPE_DEVICE: a communication device
	PipeShare            ShareKind = 3 // STYPE_IPC
)

// Share is a share as the server lists it (SHARE_INFO_1, [MS-SRVS] 2.2.4.23).
type Share struct {
	Name, Comment string
	Kind          ShareKind
	Special       bool // STYPE_SPECIAL: for administration, such as C$ and IPC$
	Temporary     bool // STYPE_TEMPORARY: gone when the server restarts
}

// maxShares is how many shares a server may list.
const maxShares = 1 << 16

// Shares lists a server's shares in the server's order (NetrShareEnum, level 1, [MS-SRVS] 3.1.4.8), hidden ones included. server is the name
// that the client knows it by. It fails with Failure, Fault or ErrAnswer, or as the pipe does. c is bound to ServerService.
func Shares(ctx context.Context, c *Client, server string) ([]Share, error) {
	var all []Share
	for resume := uint32(0); ; {
		var e encoder
		e.pointer()
		e.text(`\\` + server)
		e.uint32(1) // level, as the structure's and as the union's
		e.uint32(1)
		e.pointer()
		e.uint32(0) // an empty container
		e.uint32(0)
		e.uint32(0xffffffff) // as much as there is
		e.pointer()
		e.uint32(resume)
		out, err := c.Call(ctx, 15, e.b)
		if err != nil {
			return nil, err
		}
		shares, next, status, err := decodeShares(out)
		if err != nil {
			return nil, err
		}
		if status != 0 && status != errorMoreData {
			return nil, Failure(status)
		}
		all = append(all, shares...)
		if status == 0 {
			return all, nil
		}
		// A server that goes on has to come nearer to its end.
		if len(shares) == 0 || next == resume || len(all) > maxShares {
			return nil, malformed("a list of shares without an end")
		}
		resume = next
	}
}

func decodeShares(b []byte) (shares []Share, resume, status uint32, err error) {
	d := &decoder{b: b}
	if level, kind := d.uint32(), d.uint32(); d.err == nil && (level != 1 || kind != 1) {
		d.fail("shares of level %d", level)
	}
	if d.uint32() != 0 {
		n, list := d.uint32(), d.uint32()
		if list == 0 && n != 0 {
			d.fail("%d shares and no list", n)
		}
		if list != 0 {
			if most := d.uint32(); d.err == nil && (most != n || n > maxShares || uint64(n)*12 > uint64(len(b)-d.at)) {
				d.fail("a list of %d shares in %d bytes", n, len(b))
			}
			if d.err != nil {
				return nil, 0, 0, d.err
			}
			shares = make([]Share, n)
			pointers := make([][2]uint32, n)
			for i := range shares {
				pointers[i][0] = d.uint32()
				kind := d.uint32()
				pointers[i][1] = d.uint32()
				shares[i] = Share{Kind: ShareKind(kind & 0xff), Special: kind&0x80000000 != 0, Temporary: kind&0x40000000 != 0}
			}
			for i := range shares {
				shares[i].Name, shares[i].Comment = d.optional(pointers[i][0]), d.optional(pointers[i][1])
				if d.err == nil && shares[i].Name == "" {
					d.fail("a share without a name")
				}
			}
		}
	}
	d.uint32() // how many there are in all
	if d.uint32() != 0 {
		resume = d.uint32()
	}
	status = d.uint32()
	return shares, resume, status, d.end()
}

// Server is what a server says of itself (SERVER_INFO_101, [MS-SRVS] 2.2.4.41).
type Server struct {
	Name, Comment string
	Platform      uint32 // PLATFORM_ID_*: 500 is NT
	Major, Minor  uint32 // its version, which Samba makes up
	Type          uint32 // SV_TYPE_* ([MS-SRVS] 2.2.2.7)
}

// Info asks a server for its name, version, roles and comment (NetrServerGetInfo, level 101, [MS-SRVS] 3.1.4.17). It fails as Shares does.
func Info(ctx context.Context, c *Client, server string) (Server, error) {
	var e encoder
	e.pointer()
	e.text(`\\` + server)
	e.uint32(101)
	out, err := c.Call(ctx, 21, e.b)
	if err != nil {
		return Server{}, err
	}
	s, status, err := decodeInfo(out)
	if err == nil && status != 0 {
		err = Failure(status)
	}
	if err != nil {
		return Server{}, err
	}
	return s, nil
}

func decodeInfo(b []byte) (s Server, status uint32, err error) {
	d := &decoder{b: b}
	if level := d.uint32(); d.err == nil && level != 101 {
		d.fail("a server of level %d", level)
	}
	there := d.uint32() != 0
	if there {
		s.Platform = d.uint32()
		name := d.uint32()
		s.Major, s.Minor, s.Type = d.uint32()&0x0f, d.uint32(), d.uint32() // the higher bits of the first are the type's
		comment := d.uint32()
		s.Name, s.Comment = d.optional(name), d.optional(comment)
	}
	status = d.uint32()
	if !there && status == 0 {
		d.fail("a server without anything")
	}
	return s, status, d.end()
}
