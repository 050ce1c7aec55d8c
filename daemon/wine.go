package daemon

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/paths"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/rpc"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/wine"
)

// wineSource gives Wine's prefixes the drives of the default session and the profile's remembered ones.
type wineSource struct {
	service wnet.Service // the default session's
	profile *profile.Store
}

var _ wine.Source = (*wineSource)(nil)

// Drives implements wine.Source.
func (s *wineSource) Drives(ctx context.Context) ([]wine.Drive, error) {
	all, err := s.service.Connections(ctx)
	if err != nil && len(all) == 0 {
		return nil, err
	}
	var drives []wine.Drive
	for _, c := range all {
		if !c.Connected || c.Path == "" {
			continue
		}
		d := wine.Drive{Remote: c.RemoteName, Path: c.Path}
		if dev := wnet.Device(c.Device); dev.Drive() {
			d.Letter = dev.Key()
		}
		drives = append(drives, d)
	}
	return drives, nil
}

// Remembered implements wine.Source.
func (s *wineSource) Remembered(ctx context.Context) ([]wine.Remembered, error) {
	p, err := s.profile.Load(ctx)
	if err != nil {
		return nil, err
	}
	var all []wine.Remembered
	for d, e := range p.Entries {
		if !d.Drive() || e.ConnectionType != profile.TypeDrive {
			continue
		}
		remote := e.RemotePath
		if n, err := wnet.ParseRemoteName(remote); err == nil {
			remote = n.String()
		}
		all = append(all, wine.Remembered{Letter: d.Key(), Remote: remote, User: e.UserName, Provider: e.ProviderName,
			ProviderType: e.ProviderType, Flags: e.ConnectFlags, Defer: e.DeferFlags})
	}
	return all, nil
}

// Remember implements wine.Source.
func (s *wineSource) Remember(ctx context.Context, m wine.Remembered) error {
	return s.edit(ctx, func(tx *profile.Tx) {
		tx.Set(profile.Entry{Device: wnet.Device(m.Letter + ":"), RemotePath: m.Remote, UserName: m.User, ProviderName: m.Provider,
			ProviderType: m.ProviderType, ConnectionType: profile.TypeDrive, ConnectFlags: m.Flags, DeferFlags: m.Defer})
	})
}

// Forget implements wine.Source.
func (s *wineSource) Forget(ctx context.Context, letter string) error {
	return s.edit(ctx, func(tx *profile.Tx) { tx.Delete(wnet.Device(letter + ":")) })
}

func (s *wineSource) edit(ctx context.Context, f func(*profile.Tx)) error {
	tx, err := s.profile.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	f(tx)
	return tx.Commit()
}

// newKeeper makes the keeper of Wine's prefixes. changes says that connections came or went.
func newKeeper(p paths.Paths, server *rpc.Server, src *wineSource, changes <-chan struct{}, log *slog.Logger) *wine.Keeper {
	return wine.NewKeeper(wine.Config{
		List: wine.OpenList(filepath.Join(p.ConfigDir, wine.ListFile)), Folder: p.ConfigDir, Source: src, Changes: changes, Logger: log,
		Library: func() (string, error) {
			program, err := os.Executable()
			if err != nil {
				return "", err
			}
			return wine.Library(program)
		},
		// The channel is open only while a prefix is listed: who has no Wine has no port open.
		Open: func() (io.Closer, error) {
			if err := paths.MakePrivate(p.Channel()); err != nil {
				return nil, err
			}
			c, err := rpc.ListenChannel(filepath.Join(p.Channel(), session.KindDefault))
			if err != nil {
				return nil, err
			}
			go func() {
				if err := server.ServeChannel(c); err != nil {
					log.Error("the channel for programs in Wine failed", "err", err)
				}
			}()
			return c, nil
		},
	})
}

// inWine is the WNet API for a program in Wine: what it connects or cancels is seen in its prefix when the call returns.
type inWine struct {
	wnet.Service
	keeper *wine.Keeper
}

// settled waits for the prefixes, but not so long that a Wine that hangs holds up the caller.
func (v *inWine) settled(ctx context.Context, err error) {
	if err != nil { // nothing was changed
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	v.keeper.Sync(ctx)
}

// AddConnection implements wnet.Connector.
func (v *inWine) AddConnection(ctx context.Context, req wnet.AddRequest) error {
	err := v.Service.AddConnection(ctx, req)
	v.settled(ctx, err)
	return err
}

// UseConnection implements wnet.Connector.
func (v *inWine) UseConnection(ctx context.Context, req wnet.UseRequest) (wnet.UseResult, error) {
	res, err := v.Service.UseConnection(ctx, req)
	v.settled(ctx, err)
	return res, err
}

// CancelConnection implements wnet.Connector.
func (v *inWine) CancelConnection(ctx context.Context, req wnet.CancelRequest) (wnet.CancelResult, error) {
	res, err := v.Service.CancelConnection(ctx, req)
	v.settled(ctx, err)
	return res, err
}
