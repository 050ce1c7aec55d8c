package credential

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// memory is a store that ends with the process.
type memory struct {
	mu  sync.Mutex // guards all
	all []entry
}

var _ Store = (*memory)(nil)

// NewMemory returns an empty store that lives in memory only, for tests.
func NewMemory() Store { return &memory{} }

// Kind is "memory".
func (m *memory) Kind() string { return "memory" }

func (m *memory) Get(ctx context.Context, target, user string) (Credential, error) {
	if err := begin(ctx, "Get", target, user); err != nil {
		return Credential{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := newest(m.all, target, user); i >= 0 {
		return m.all[i].Credential, nil
	}
	return Credential{}, missing(target, user)
}

func (m *memory) Put(ctx context.Context, c Credential) error {
	if err := checkPut(c); err != nil {
		return err
	}
	if err := begin(ctx, "Put", c.Target, c.User); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = put(m.all, entry{c, time.Now()})
	return nil
}

func (m *memory) Delete(ctx context.Context, target, user string) error {
	if err := begin(ctx, "Delete", target, user); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	left, n := remove(m.all, of(target, user))
	if n == 0 {
		return missing(target, user)
	}
	m.all = left
	return nil
}

func (m *memory) List(ctx context.Context) ([]Credential, error) {
	if err := ctx.Err(); err != nil {
		return nil, ended("List", "", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return listed(m.all), nil
}

// begin checks what every operation by target checks first.
func begin(ctx context.Context, op, target, user string) error {
	if err := check(op, target, user); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return ended(op, target, err)
	}
	return nil
}

// ended is the error for a context that is over.
func ended(op, target string, err error) error {
	return &wnet.Error{Op: op, Name: target, Code: win32.ERROR_CANCELLED, Err: err}
}

// put replaces the entry of the same target and exactly the same user. The result shares nothing with all.
func put(all []entry, e entry) []entry {
	next := slices.DeleteFunc(slices.Clone(all), func(o entry) bool {
		return o.Target == e.Target && sameUser(o.User, e.User)
	})
	return append(next, e)
}

// remove takes out the entries that match. The result shares nothing with all.
func remove(all []entry, match func(entry) bool) ([]entry, int) {
	next := slices.DeleteFunc(slices.Clone(all), match)
	return next, len(all) - len(next)
}

// of matches the entries of target and user, "" for all of the target's.
func of(target, user string) func(entry) bool {
	return func(e entry) bool { return e.Target == target && (user == "" || sameUser(e.User, user)) }
}

// olderThan matches the entries that c, saved at that time, replaces.
func olderThan(c Credential, saved time.Time) func(entry) bool {
	return func(e entry) bool {
		return e.Target == c.Target && sameUser(e.User, c.User) && e.saved.Before(saved)
	}
}

// listed returns the entries without passwords, in order, one for each target and user.
func listed(all []entry) []Credential {
	var out []Credential
	for _, e := range all {
		out = append(out, Credential{Target: e.Target, User: e.User})
	}
	slices.SortFunc(out, func(a, b Credential) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(strings.ToLower(a.User), strings.ToLower(b.User)))
	})
	return slices.CompactFunc(out, func(a, b Credential) bool { return a.Target == b.Target && sameUser(a.User, b.User) })
}
