package router

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/credential"
	"github.com/openwnet/wnet/win32"
)

// The password cache shares the credential store with the connections' logins. Its targets begin like no server's key, and hold the
// resource and the password as base64 because both may be any bytes.
const (
	cachePrefix = "wnet-cache:" // then the type in decimal, a slash, the resource
	cacheBytes  = 1024          // of a resource and of a password
)

func cacheTarget(resource []byte, typ uint32) string {
	return cachePrefix + strconv.FormatUint(uint64(typ), 10) + "/" + base64.URLEncoding.EncodeToString(resource)
}

// cached reads a target back. ok is false for one that is not the cache's.
func cached(target string) (resource []byte, typ uint32, ok bool) {
	rest, ok := strings.CutPrefix(target, cachePrefix)
	if !ok {
		return nil, 0, false
	}
	number, text, _ := strings.Cut(rest, "/")
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return nil, 0, false
	}
	resource, err = base64.URLEncoding.DecodeString(text)
	return resource, uint32(n), err == nil
}

// cache gives the store, or says why there is none for these arguments.
func (v *service) cache(resource []byte, typ, highest uint32, empty bool) (credential.Store, error) {
	if err := v.ready(); err != nil {
		return nil, err
	}
	bad := func(format string, args ...any) error {
		return &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case len(resource) == 0 && !empty:
		return nil, bad("the resource is empty")
	case len(resource) > cacheBytes:
		return nil, bad("the resource is longer than %d bytes", cacheBytes)
	case typ > highest:
		return nil, bad("a type is a number up to %d", highest)
	case v.r.cfg.Credentials == nil:
		return nil, &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED, Err: errors.New("no passwords are kept here")}
	}
	return v.r.cfg.Credentials, nil
}

// notCached is the answer where the cache has nothing.
func notCached(err error) error {
	if errors.Is(err, credential.ErrNotFound) {
		return &wnet.Error{Code: win32.ERROR_FILE_NOT_FOUND, Err: errors.New("no password is kept for the resource")}
	}
	return err
}

// CachePassword implements wnet.PasswordCache.
func (v *service) CachePassword(ctx context.Context, c wnet.CachedPassword) error {
	store, err := v.cache(c.Resource, c.Type, win32.PCE_ALL-1, false)
	if n := len(c.Password.Reveal()); err == nil && (n > cacheBytes || !c.Password.Present()) {
		err = &wnet.Error{Code: win32.ERROR_INVALID_PARAMETER, Err: fmt.Errorf("a password is there and has up to %d bytes", cacheBytes)}
	}
	if err == nil {
		err = store.Put(ctx, credential.Credential{Target: cacheTarget(c.Resource, c.Type),
			Password: wnet.NewSecret(base64.StdEncoding.EncodeToString([]byte(c.Password.Reveal())))})
	}
	return wnet.AsError("CachePassword", "", err)
}

// GetCachedPassword implements wnet.PasswordCache.
func (v *service) GetCachedPassword(ctx context.Context, resource []byte, typ uint32) (wnet.Secret, error) {
	store, err := v.cache(resource, typ, win32.PCE_ALL-1, false)
	var password wnet.Secret
	if err == nil {
		password, err = readCache(ctx, store, cacheTarget(resource, typ))
	}
	return password, wnet.AsError("GetCachedPassword", "", notCached(err))
}

func readCache(ctx context.Context, store credential.Store, target string) (wnet.Secret, error) {
	c, err := store.Get(ctx, target, "")
	if err != nil {
		return wnet.Secret{}, err
	}
	b, err := base64.StdEncoding.DecodeString(c.Password.Reveal())
	if err != nil {
		return wnet.Secret{}, &wnet.Error{Code: win32.ERROR_CANT_ACCESS_FILE, Err: errors.New("the credential store has something else there")}
	}
	return wnet.NewSecret(string(b)), nil
}

// RemoveCachedPassword implements wnet.PasswordCache.
func (v *service) RemoveCachedPassword(ctx context.Context, resource []byte, typ uint32) error {
	store, err := v.cache(resource, typ, win32.PCE_ALL-1, false)
	if err == nil {
		err = notCached(store.Delete(ctx, cacheTarget(resource, typ), ""))
	}
	return wnet.AsError("RemoveCachedPassword", "", err)
}

// EnumCachedPasswords implements wnet.PasswordCache.
func (v *service) EnumCachedPasswords(ctx context.Context, prefix []byte, typ uint32) ([]wnet.CachedPassword, error) {
	store, err := v.cache(prefix, typ, win32.PCE_ALL, true)
	if err != nil {
		return nil, wnet.AsError("EnumCachedPasswords", "", err)
	}
	stored, err := store.List(ctx)
	if err != nil {
		return nil, wnet.AsError("EnumCachedPasswords", "", err)
	}
	var list []wnet.CachedPassword
	for _, c := range stored {
		resource, t, ok := cached(c.Target)
		if !ok || typ != win32.PCE_ALL && t != typ || !strings.HasPrefix(string(resource), string(prefix)) {
			continue
		}
		password, err := readCache(ctx, store, c.Target)
		if errors.Is(err, credential.ErrNotFound) {
			continue // it has just gone
		}
		if err != nil {
			return nil, wnet.AsError("EnumCachedPasswords", "", err)
		}
		list = append(list, wnet.CachedPassword{Resource: resource, Password: password, Type: t})
	}
	slices.SortFunc(list, func(a, b wnet.CachedPassword) int {
		if c := strings.Compare(string(a.Resource), string(b.Resource)); c != 0 {
			return c
		}
		return int(a.Type) - int(b.Type)
	})
	return list, nil
}
