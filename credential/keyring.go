package credential

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Names of the Secret Service API.
const (
	service     = "org.freedesktop.secrets"
	servicePath = dbus.ObjectPath("/org/freedesktop/secrets")
	serviceIf   = "org.freedesktop.Secret.Service"
	collIf      = "org.freedesktop.Secret.Collection"
	itemIf      = "org.freedesktop.Secret.Item"
	promptIf    = "org.freedesktop.Secret.Prompt"
	noObject    = dbus.ObjectPath("/")
	application = "wnet" // the attribute that all our items have
)

// keyring is the store in the Secret Service. Every call makes a connection of its own to the bus, which takes a millisecond: nothing
// has to be repaired after a logout, and nothing stays behind.
//
// The session with the service is a plain one. The bus is a Unix socket of this user, and who can listen to it can as well ask the
// service; encryption with an unauthenticated key exchange would keep nobody out.
type keyring struct {
	address string
	log     *slog.Logger
	timeout time.Duration
	memory  time.Duration
	turn    chan struct{} // holds a token while nobody probes the bus

	mu    sync.Mutex // guards bad and until
	bad   error      // why the bus was of no use
	until time.Time  // how long that holds
}

// errNoKeyring means that there is no usable Secret Service, so that the file is the store.
var errNoKeyring = errors.New("no Secret Service")

// secret is the API's struct of that name.
type secret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

func newKeyring(cfg Config) *keyring {
	k := &keyring{address: cfg.SessionBus, log: cfg.Logger, timeout: busTimeout, memory: busMemory, turn: make(chan struct{}, 1)}
	if k.address == "" && cfg.RuntimeDir != "" {
		k.address = "unix:path=" + dbus.EscapeBusAddressValue(filepath.Join(cfg.RuntimeDir, "bus"))
	}
	k.turn <- struct{}{}
	return k
}

// ring is one call's connection to the service.
type ring struct {
	ctx     context.Context
	conn    *dbus.Conn
	session dbus.ObjectPath
	coll    dbus.ObjectPath // the default collection
	locked  bool            // and it can't be unlocked without a dialog
}

// with connects, runs use, and closes. The error is errNoKeyring where the service is of no use now, the context's where the
// caller's ended, or use's.
func (k *keyring) with(ctx context.Context, use func(*ring) error) error {
	if err := k.known(); err != nil {
		return err
	}
	// One at a time, so that a bus that hangs is waited for once and not by each of a hundred drives.
	select {
	case <-k.turn:
		defer func() { k.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := k.known(); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	r, err := k.open(bounded)
	if err == nil {
		err = use(r)
		r.close()
	}
	if err == nil || !unusable(err) && bounded.Err() == nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if bounded.Err() != nil {
		err = fmt.Errorf("the session bus did not answer within %v", k.timeout)
	}
	k.log.Info("the Secret Service can't be used now, passwords are kept in a sealed file", "cause", err)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bad, k.until = fmt.Errorf("%w: %w", errNoKeyring, err), time.Now().Add(k.memory)
	return k.bad
}

// known returns the trouble that the bus had a moment ago.
func (k *keyring) known() error {
	if k.address == "" {
		return fmt.Errorf("%w: there is no session bus", errNoKeyring)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bad != nil && time.Now().Before(k.until) {
		return k.bad
	}
	k.bad = nil
	return nil
}

// errUnusable marks a failure of the bus or the service itself.
type errUnusable struct{ error }

func (e errUnusable) Unwrap() error { return e.error }

// unusable tells a bus or service that is not there from an answer that it gave.
func unusable(err error) bool {
	var u errUnusable
	var d dbus.Error
	switch {
	case errors.As(err, &u):
		return true
	case errors.As(err, &d):
		return strings.HasPrefix(d.Name, "org.freedesktop.DBus.Error.")
	}
	return errors.Is(err, dbus.ErrClosed)
}

// open connects and finds the default collection.
func (k *keyring) open(ctx context.Context) (*ring, error) {
	conn, err := dbus.Dial(k.address, dbus.WithContext(ctx)) // the context's end closes it, whatever it waits for
	if err != nil {
		return nil, errUnusable{err}
	}
	r := &ring{ctx: ctx, conn: conn}
	if err := r.begin(); err != nil {
		r.close()
		return nil, errUnusable{err}
	}
	return r, nil
}

func (r *ring) begin() error {
	if err := r.conn.Auth(nil); err != nil {
		return err
	}
	if err := r.conn.Hello(); err != nil {
		return err
	}
	var ignored dbus.Variant
	if err := r.call(servicePath, serviceIf+".OpenSession", "plain", dbus.MakeVariant("")).Store(&ignored, &r.session); err != nil {
		return err
	}
	if err := r.call(servicePath, serviceIf+".ReadAlias", "default").Store(&r.coll); err != nil {
		return err
	}
	if r.coll == noObject || r.coll == "" {
		return errors.New("the Secret Service has no default collection")
	}
	v, err := r.property(r.coll, collIf, "Locked")
	if err != nil {
		return err
	}
	if locked, _ := v.Value().(bool); locked {
		r.locked = !r.unlock(r.coll)
	}
	return nil
}

func (r *ring) close() { r.conn.Close() }

// call asks the service. FlagNoAutoStart is not set: the bus may start the service.
func (r *ring) call(path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	return r.conn.Object(service, path).CallWithContext(r.ctx, method, 0, args...)
}

func (r *ring) property(path dbus.ObjectPath, iface, name string) (dbus.Variant, error) {
	var v dbus.Variant
	err := r.call(path, "org.freedesktop.DBus.Properties.Get", iface, name).Store(&v)
	return v, err
}

// unlock opens a collection or an item if that takes no dialog. A prompt is only a dialog once it is told to show: ours is dismissed.
func (r *ring) unlock(path dbus.ObjectPath) bool {
	var done []dbus.ObjectPath
	var prompt dbus.ObjectPath
	if err := r.call(servicePath, serviceIf+".Unlock", []dbus.ObjectPath{path}).Store(&done, &prompt); err != nil {
		return false
	}
	r.dismiss(prompt)
	for _, p := range done {
		if p == path {
			return true
		}
	}
	return false
}

// dismiss gives back a prompt and reports whether there was one.
func (r *ring) dismiss(prompt dbus.ObjectPath) bool {
	if prompt == noObject || prompt == "" {
		return false
	}
	r.call(prompt, promptIf+".Dismiss")
	return true
}

// item is one of our items as the service describes it.
type item struct {
	entry
	path dbus.ObjectPath
}

// items returns our items for target ("" for all), without passwords, and how many more there are behind a lock.
func (r *ring) items(target string) (found []item, locked int, err error) {
	want := map[string]string{"application": application}
	if target != "" {
		want["target"] = target
	}
	var open, shut []dbus.ObjectPath
	if err := r.call(servicePath, serviceIf+".SearchItems", want).Store(&open, &shut); err != nil {
		return nil, 0, err
	}
	for _, path := range shut {
		if !r.locked && r.unlock(path) {
			open = append(open, path)
		} else {
			locked++
		}
	}
	for _, path := range open {
		v, err := r.property(path, itemIf, "Attributes")
		if err != nil {
			if gone(err) {
				continue // another process took it away meanwhile
			}
			return nil, 0, err
		}
		a, _ := v.Value().(map[string]string)
		if a["application"] != application || a["target"] == "" {
			continue
		}
		ns, _ := strconv.ParseInt(a["saved"], 10, 64)
		found = append(found, item{entry{Credential{Target: a["target"], User: a["user"]}, time.Unix(0, ns)}, path})
	}
	return found, locked, nil
}

// gone reports whether the service says that there is no such item.
func gone(err error) bool {
	var d dbus.Error
	return errors.As(err, &d) && (d.Name == "org.freedesktop.Secret.Error.NoSuchObject" ||
		d.Name == "org.freedesktop.DBus.Error.UnknownObject" || d.Name == "org.freedesktop.DBus.Error.UnknownMethod")
}

// get returns the newest entry for target and user, and whether items of the target are behind a lock.
func (k *keyring) get(ctx context.Context, target, user string) (best *entry, locked bool, err error) {
	err = k.with(ctx, func(r *ring) error {
		items, shut, err := r.items(target)
		if err != nil {
			return err
		}
		locked = shut > 0
		all := make([]entry, len(items))
		for i := range items {
			all[i] = items[i].entry
		}
		i := newest(all, target, user)
		if i < 0 {
			return nil
		}
		var s secret
		if err := r.call(items[i].path, itemIf+".GetSecret", r.session).Store(&s); err != nil {
			if gone(err) {
				return nil
			}
			return err
		}
		all[i].Password = wnet.NewSecret(string(s.Value))
		clear(s.Value)
		best = &all[i]
		return nil
	})
	return best, locked, err
}

// errLocked means that the collection can't be written without a dialog.
var errLocked = errors.New("the keyring is locked")

// put stores c. The new item is there before older ones go, so that a crash in between loses nothing: the newest counts.
func (k *keyring) put(ctx context.Context, c Credential, saved time.Time) error {
	return k.with(ctx, func(r *ring) error {
		if r.locked {
			return errLocked
		}
		old, _, err := r.items(c.Target)
		if err != nil {
			return err
		}
		props := map[string]dbus.Variant{
			itemIf + ".Label": dbus.MakeVariant(label(c)),
			itemIf + ".Attributes": dbus.MakeVariant(map[string]string{
				"application": application, "target": c.Target, "user": c.User,
				"saved": strconv.FormatInt(saved.UnixNano(), 10),
			}),
		}
		value := secret{Session: r.session, Parameters: []byte{}, Value: []byte(c.Password.Reveal()), ContentType: "text/plain"}
		defer clear(value.Value)
		var made, prompt dbus.ObjectPath
		if err := r.call(r.coll, collIf+".CreateItem", props, value, true).Store(&made, &prompt); err != nil {
			return err
		}
		if r.dismiss(prompt) || made == noObject {
			return errLocked
		}
		replaced := olderThan(c, saved)
		for _, it := range old {
			if replaced(it.entry) {
				if _, err := r.deleteItem(it.path); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// deleteItem reports whether the item was there and is gone now. An item that wants a dialog is errLocked.
func (r *ring) deleteItem(path dbus.ObjectPath) (bool, error) {
	var prompt dbus.ObjectPath
	err := r.call(path, itemIf+".Delete").Store(&prompt)
	switch {
	case err != nil && gone(err):
		return false, nil
	case err != nil:
		return false, err
	case r.dismiss(prompt):
		return false, errLocked
	}
	return true, nil
}

// delete takes away the items that match, and tells how many there were and whether others of the target are behind a lock.
func (k *keyring) delete(ctx context.Context, target string, match func(entry) bool) (n int, locked bool, err error) {
	err = k.with(ctx, func(r *ring) error {
		items, shut, err := r.items(target)
		if err != nil {
			return err
		}
		locked = shut > 0
		for _, it := range items {
			if !match(it.entry) {
				continue
			}
			was, err := r.deleteItem(it.path)
			if err != nil {
				return err
			}
			if was {
				n++
			}
		}
		return nil
	})
	return n, locked, err
}

// list returns all entries without passwords, and whether others are behind a lock.
func (k *keyring) list(ctx context.Context) (all []entry, locked bool, err error) {
	err = k.with(ctx, func(r *ring) error {
		items, shut, err := r.items("")
		for _, it := range items {
			all = append(all, it.entry)
		}
		locked = shut > 0
		return err
	})
	return all, locked, err
}

// label is what a keyring manager shows.
func label(c Credential) string {
	server := strings.TrimPrefix(c.Target[strings.LastIndex(c.Target, "//")+1:], "/")
	if c.User == "" {
		return "wnet: " + server
	}
	return "wnet: " + c.User + " on " + server
}

// ringError gives an answer of the service its code.
func ringError(op, target string, err error) error {
	e := &wnet.Error{Op: op, Name: target, Code: win32.ERROR_GEN_FAILURE, Err: fmt.Errorf("the Secret Service: %w", err)}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return ended(op, target, err)
	case errors.Is(err, errLocked):
		return lockedError(op, target)
	}
	return e
}

// lockedError is the error where the answer may lie behind the keyring's lock.
func lockedError(op, target string) error {
	return &wnet.Error{Op: op, Name: target, Code: win32.ERROR_ACCESS_DENIED, Err: errLocked,
		Hint: "Unlock the keyring (log in to the desktop, or open its password manager), or give the password by hand."}
}
