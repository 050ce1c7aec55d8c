package credential

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// chooser is the store that Open returns: the keyring where it can be used, the sealed file where not.
type chooser struct {
	log  *slog.Logger
	ring *keyring
	file *sealedFile
}

var _ Store = (*chooser)(nil)

// Kind tells where Put would store now. It asks the bus.
func (s *chooser) Kind() string {
	locked := false
	err := s.ring.with(context.Background(), func(r *ring) error { locked = r.locked; return nil })
	if err != nil || locked {
		return "sealed file"
	}
	return "Secret Service"
}

func (s *chooser) Get(ctx context.Context, target, user string) (Credential, error) {
	if err := begin(ctx, "Get", target, user); err != nil {
		return Credential{}, err
	}
	best, locked, ringErr := s.ring.get(ctx, target, user)
	if errors.Is(ringErr, errNoKeyring) {
		ringErr = nil
	} else if ringErr != nil {
		ringErr = ringError("Get", target, ringErr)
	} else if locked {
		ringErr = lockedError("Get", target)
	}
	if err := ctx.Err(); err != nil {
		return Credential{}, ended("Get", target, err)
	}
	all, fileErr := s.file.read("Get")
	if i := newest(all, target, user); i >= 0 && (best == nil || all[i].saved.After(best.saved)) {
		best = &all[i]
	}
	switch {
	case best != nil:
		// An answer in the hand: trouble with the other place must not keep a drive from its server.
		for _, err := range []error{ringErr, fileErr} {
			if err != nil {
				s.log.Warn("a part of the stored credentials can't be read", "target", target, "cause", err)
			}
		}
		return best.Credential, nil
	case ringErr != nil:
		return Credential{}, ringErr
	case fileErr != nil:
		return Credential{}, fileErr
	}
	return Credential{}, missing(target, user)
}

func (s *chooser) Put(ctx context.Context, c Credential) error {
	if err := checkPut(c); err != nil {
		return err
	}
	if err := begin(ctx, "Put", c.Target, c.User); err != nil {
		return err
	}
	saved := time.Now()
	err := s.ring.put(ctx, c, saved)
	switch {
	case err == nil:
		// The sealed copy is old now. It would lose against the newer one anyway, so failing to remove it is no failure.
		err := s.file.changeIfAny(ctx, "Put", olderThan(c, saved))
		if err != nil {
			s.log.Warn("an old copy stays in the sealed file", "target", c.Target, "cause", err)
		}
		return nil
	case errors.Is(err, errNoKeyring), errors.Is(err, errLocked):
		return s.file.change(ctx, "Put", func(all []entry) []entry { return put(all, entry{c, saved}) })
	}
	return ringError("Put", c.Target, err)
}

func (s *chooser) Delete(ctx context.Context, target, user string) error {
	if err := begin(ctx, "Delete", target, user); err != nil {
		return err
	}
	match := of(target, user)
	n, locked, ringErr := s.ring.delete(ctx, target, match)
	if ringErr != nil && !errors.Is(ringErr, errNoKeyring) {
		return ringError("Delete", target, ringErr)
	}
	fileErr := s.file.changeIfAny(ctx, "Delete", func(e entry) bool {
		if match(e) {
			n++
			return true
		}
		return false
	})
	switch {
	case fileErr != nil:
		return fileErr
	case locked:
		// What was asked to be forgotten may still be there.
		return lockedError("Delete", target)
	case n == 0:
		return missing(target, user)
	}
	return nil
}

func (s *chooser) List(ctx context.Context) ([]Credential, error) {
	if err := ctx.Err(); err != nil {
		return nil, ended("List", "", err)
	}
	all, locked, ringErr := s.ring.list(ctx)
	switch {
	case errors.Is(ringErr, errNoKeyring):
		ringErr = nil
	case ringErr != nil:
		ringErr = ringError("List", "", ringErr)
	case locked:
		ringErr = lockedError("List", "")
	}
	sealed, fileErr := s.file.read("List")
	return listed(append(all, sealed...)), errors.Join(ringErr, fileErr)
}
