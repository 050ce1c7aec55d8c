package router

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/credential"
	"github.com/openwnet/wnet/win32"
)

var (
	_ wnet.HomeTeller  = (*service)(nil)
	_ wnet.LoginKeeper = (*service)(nil)
)

// HomeDirectory implements wnet.HomeTeller.
func (v *service) HomeDirectory(ctx context.Context) (string, error) {
	name, err := v.home(ctx)
	return name, wnet.AsError("HomeDirectory", "", err)
}

func (v *service) home(ctx context.Context) (string, error) {
	p, err := v.r.cfg.Profile.Load(ctx)
	if err != nil {
		return "", err
	}
	name := p.HomeDirectory
	if name == "" {
		name = v.r.cfg.HomeShare
	}
	if name == "" {
		return "", &wnet.Error{Code: win32.ERROR_PATH_NOT_FOUND, Err: errors.New("no home folder on the network is set for this account"),
			Hint: `Set it in wnet's profile file (usually ~/.config/wnet/profile.toml), below [PersistentConnections]: ` +
				`HomeDirectory = '\\server\share'; or in the environment: HOMESHARE.`}
	}
	n, err := wnet.ParseRemoteName(name)
	if err != nil {
		return "", err
	}
	if n.Scheme == wnet.SchemeUNC && (n.Port != 0 || n.User != "") {
		return name, nil // a name in UNC form has no place for them
	}
	return n.String(), nil
}

// keeper is the credential store.
func (v *service) keeper() (credential.Store, error) {
	if v.r.cfg.Credentials == nil {
		return nil, &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("no passwords are kept here")}
	}
	return v.r.cfg.Credentials, v.ready()
}

// SavedLogins implements wnet.LoginKeeper. What can be read comes with the error of what cannot.
func (v *service) SavedLogins(ctx context.Context) ([]wnet.SavedLogin, error) {
	store, err := v.keeper()
	if err != nil {
		return nil, wnet.AsError("SavedLogins", "", err)
	}
	stored, err := store.List(ctx)
	var all []wnet.SavedLogin
	for _, c := range stored {
		if !strings.HasPrefix(c.Target, cachePrefix) { // which are programs' own, not logins
			all = append(all, wnet.SavedLogin{Target: c.Target, User: c.User})
		}
	}
	return all, wnet.AsError("SavedLogins", "", err)
}

// ForgetLogin implements wnet.LoginKeeper.
func (v *service) ForgetLogin(ctx context.Context, target, user string) error {
	return wnet.AsError("ForgetLogin", target, v.forgetLogin(ctx, target, user))
}

func (v *service) forgetLogin(ctx context.Context, target, user string) error {
	store, err := v.keeper()
	if err != nil {
		return err
	}
	keys := []string{target}
	for _, form := range []string{target, `\\` + target} {
		if n, err := wnet.ParseServerName(form); err == nil {
			keys = append(keys, n.ServerKey())
		}
	}
	for _, key := range keys {
		if key == "" || strings.HasPrefix(key, cachePrefix) {
			continue
		}
		if err := store.Delete(ctx, key, user); !errors.Is(err, credential.ErrNotFound) {
			return err
		}
	}
	who := ""
	if user != "" {
		who = " for " + user
	}
	return &wnet.Error{Code: win32.ERROR_FILE_NOT_FOUND, Err: fmt.Errorf("no password is saved there%s", who),
		Hint: "`wnet credential list` shows what is saved."}
}
