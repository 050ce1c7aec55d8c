package router

import (
	"context"
	"strings"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/redial"
)

// A dozen remembered drives of one server must not try a wrong password a dozen times: that would lock the account. So of all connections
// that come back by themselves with the same login, one tries it first.
const (
	trialGood = 10 * time.Second // how long a login that was accepted needs no further trial
	trialBad  = time.Minute      // how long one that was refused is not tried by other connections
)

// trialKey names a login. The password is in the trial: a new one is tried at once.
type trialKey struct{ server, user string }

// trial is what became of a login. Router.mu guards it.
type trial struct {
	password wnet.Secret
	by       *connection
	done     chan struct{} // closed when the outcome is known
	at       time.Time     // of the outcome; zero while the trial is under way
	refused  error         // nil if the login was accepted
}

// try carries out ask for a login unless another connection has just been refused with it, and waits for that one's outcome first.
func (r *Router) try(ctx context.Context, c *connection, l login, ask func() (wnet.Conn, error)) (wnet.Conn, error) {
	key := trialKey{c.serverKey, strings.ToLower(l.user)}
	for {
		r.mu.Lock()
		t := r.trials[key]
		switch {
		case t == nil, !t.password.Equal(l.password):
		case t.at.IsZero():
			r.mu.Unlock()
			select {
			case <-t.done:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case t.refused == nil && time.Since(t.at) < trialGood:
			r.mu.Unlock()
			return ask()
		case t.refused != nil && t.by != c && time.Since(t.at) < trialBad:
			r.mu.Unlock()
			return nil, t.refused
		}
		t = &trial{password: l.password, by: c, done: make(chan struct{})}
		r.trials[key] = t
		r.mu.Unlock()

		conn, err := ask()
		r.mu.Lock()
		t.at = time.Now()
		if err != nil {
			t.refused = err
			if !redial.Final(wnet.CodeOf(err)) && r.trials[key] == t {
				delete(r.trials, key) // nothing is known of the login; the next one finds out
			}
		}
		for k, old := range r.trials {
			if !old.at.IsZero() && time.Since(old.at) > trialBad {
				delete(r.trials, k)
			}
		}
		close(t.done)
		r.mu.Unlock()
		return conn, err
	}
}

// forgive has a login that was refused tried again: a person asks for it now, who may just have mended it on the server. key is the server's,
// "" for all. A trial that is under way counts as the person's own.
func (r *Router) forgive(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, t := range r.trials {
		if t.refused != nil && (key == "" || k.server == key) {
			delete(r.trials, k)
		}
	}
}
