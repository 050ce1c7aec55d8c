package main

import (
	"context"
	"errors"
	"os"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/client"
	"github.com/openwnet/wnet/daemon"
	"github.com/openwnet/wnet/win32"
)

var (
	_ backend       = (*client.Client)(nil)
	_ daemonControl = realDaemon{}
)

// options are those of every connection to the daemon: whoever starts it starts this very program.
func options(start bool) client.Options {
	opt := client.Options{NoStart: !start}
	opt.Program, _ = os.Executable()
	return opt
}

func dialDaemon(ctx context.Context, start bool) (backend, func(), error) {
	c, err := client.Dial(ctx, options(start))
	if err != nil {
		return nil, nil, err
	}
	return c, func() { c.Close() }, nil
}

// realDaemon is the daemon of this user.
type realDaemon struct{}

// Run leaves the signals to the daemon, which stops in order on the first and hurries on the second.
func (realDaemon) Run(ctx context.Context) error {
	return daemon.Run(context.WithoutCancel(ctx), daemon.Config{})
}

func (realDaemon) Status(ctx context.Context) (*daemonStatus, error) {
	c, err := client.Dial(ctx, options(false))
	if errors.Is(err, win32.ERROR_NO_NETWORK) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer c.Close()
	v, err := c.Version(ctx)
	if err != nil {
		return nil, wnet.AsError("Version", "", err)
	}
	return &daemonStatus{v.Version, v.Protocol, v.PID}, nil
}

func (realDaemon) Stop(ctx context.Context) (bool, error) { return client.Stop(ctx, options(false)) }
