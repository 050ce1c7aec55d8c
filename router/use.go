package router

import (
	"context"
	"errors"
	"unicode/utf16"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// UseConnection implements wnet.Connector.
func (v *service) UseConnection(ctx context.Context, req wnet.UseRequest) (wnet.UseResult, error) {
	res, err := wnet.UseResult{}, v.ready()
	if err == nil {
		res, err = v.use(ctx, req)
	}
	return res, wnet.AsError("UseConnection", subject(req.AddRequest), err)
}

func (v *service) use(ctx context.Context, req wnet.UseRequest) (wnet.UseResult, error) {
	var res wnet.UseResult
	if req.RemoteName == "" {
		return res, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("the remote name is missing")} // UC-02
	}
	if req.Access != nil && req.Access.Size == 0 {
		return res, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: errors.New("the buffer for the access name is empty")} // UC-08
	}
	var err error
	if req.AddRequest, err = unpack(req.AddRequest); err != nil {
		return res, err
	}
	named, err := v.check(req.AddRequest)
	if err != nil {
		return res, err
	}
	pick := req.LocalName == "" && req.Flags&win32.CONNECT_REDIRECT != 0
	if pick && req.Type == win32.RESOURCETYPE_ANY {
		return res, &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER,
			Err: errors.New("a device can be chosen for a disk or a printer, not for any type")} // UC-01
	}
	name := req.LocalName
	switch {
	case pick:
		name = "Z:" // any letter, and any port's first three characters, need the same room or more
		if req.Type == win32.RESOURCETYPE_PRINT {
			name = "LPT1"
		}
	case name == "":
		n, err := wnet.ParseRemoteName(req.RemoteName)
		if err != nil {
			return res, err
		}
		name = n.String()
	}
	if need := uint32(len(utf16.Encode([]rune(name)))) + 1; req.Access != nil && req.Access.Size < need {
		res.Needed = need
		if !pick {
			res.AccessName = name // for who counts characters another way
		}
		return res, &wnet.Error{Code: win32.ERROR_MORE_DATA} // UC-05: before anything is connected
	}
	var c *connection
	if pick {
		c, err = v.pick(ctx, named, req.AddRequest)
	} else {
		c, err = v.add(ctx, req.AddRequest)
	}
	if err != nil {
		return res, err
	}
	res.AccessName = c.name()
	if c.device != "" {
		res.Result = win32.CONNECT_LOCALDRIVE
	}
	return res, nil
}

// pick redirects the first free device: Z: down to C: in a session (A2-44), C: up in the global namespace (DD-10). A device that is
// remembered for something else is not free.
func (v *service) pick(ctx context.Context, named wnet.Provider, req wnet.AddRequest) (*connection, error) {
	prof, err := v.r.cfg.Profile.Load(ctx)
	if err != nil {
		return nil, err
	}
	devices := wnet.Drives(global(req.Flags))
	if req.Type == win32.RESOURCETYPE_PRINT {
		devices = wnet.Ports()
	}
	id := v.r.newID()
	for _, d := range devices {
		if _, ok := prof.Entries[d]; ok || taken(d, req) {
			continue
		}
		if v.s.Lookup(d) != nil {
			continue
		}
		if v.define(d, id, req.Flags) != nil {
			continue
		}
		req.LocalName = string(d)
		c, err := v.connect(ctx, id, d, named, req)
		if err != nil {
			v.undefine(d, id, req.Flags)
			if wnet.CodeOf(err) == win32.ERROR_DEVICE_ALREADY_REMEMBERED {
				continue // another writer of the profile was quicker
			}
		}
		return c, err
	}
	return nil, &wnet.Error{Code: win32.ERROR_NO_MORE_ITEMS, Err: errors.New("no device is free"),
		Hint: "Cancel a connection that is not needed, or forget a remembered one."}
}
