package dfs

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Asker carries a request for a referral to a server: it opens IPC$ there and sends Control with FormatRequest(path), for an answer of up to
// MaxReferral bytes.
type Asker interface {
	Referral(ctx context.Context, server, path string) ([]byte, error)
}

// ErrLoop is what a path fails with whose referrals lead from one to the next without an end.
var ErrLoop = errors.New("dfs: the referrals lead in circles")

// How many referrals may follow one another, from a link to another root and its links, and how many a path may need with all its targets.
const (
	maxHops  = 16
	maxSteps = 1000
)

// entry is a referral in the cache.
type entry struct {
	Referral
	expires time.Time
	bad     map[int]failure // targets that failed lately, which come last
}

// failure is a target's: until when it counts, and which of all it was.
type failure struct {
	until time.Time
	n     int
}

// Resolver knows where paths are. It may be used by many goroutines at once; what it learns holds for all of them. Make it with New.
type Resolver struct {
	now func() time.Time

	mu       sync.Mutex // guards known, what is in it, and failures
	known    map[string]*entry
	failures int
}

// New makes a Resolver that knows nothing. now is the clock, nil for the system's.
func New(now func() time.Time) *Resolver {
	if now == nil {
		now = time.Now
	}
	return &Resolver{now: now, known: map[string]*entry{}}
}

// Targets gives the places of a path by what is known: each a path `\server\share\path` at which the server itself is asked, the best
// first. A path of which nothing is known stands for itself. It asks nobody. It fails with ErrLoop, or if path is none.
func (r *Resolver) Targets(path string) ([]string, error) {
	path, err := Clean(path)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w := walk{r: r}
	return w.follow(path)
}

// walk is one way through the referrals.
type walk struct {
	r     *Resolver
	chain []*entry // those that led here
	steps int
}

// follow replaces a path's beginning by its targets, and theirs in turn. The caller holds the Resolver's mu.
func (w *walk) follow(path string) ([]string, error) {
	e, n := w.r.longest(path)
	if e == nil {
		return []string{path}, nil
	}
	if w.steps++; w.steps > maxSteps || len(w.chain) == maxHops || slices.Contains(w.chain, e) {
		return nil, ErrLoop
	}
	w.chain = append(w.chain, e)
	defer func() { w.chain = w.chain[:len(w.chain)-1] }()
	var all []string
	for _, t := range w.r.order(e) {
		next := t + path[n:]
		// A root's target is often the root itself, by another name or by its own.
		if strings.EqualFold(next, path) {
			all = appendNew(all, path)
			continue
		}
		more, err := w.follow(next)
		if err != nil {
			continue // another target may be better
		}
		for _, m := range more {
			all = appendNew(all, m)
		}
	}
	if len(all) == 0 {
		return nil, ErrLoop
	}
	return all, nil
}

func appendNew(all []string, path string) []string {
	if slices.ContainsFunc(all, func(a string) bool { return strings.EqualFold(a, path) }) {
		return all
	}
	return append(all, path)
}

// longest finds the referral that covers most of a path, and how many bytes that is. The caller holds mu.
func (r *Resolver) longest(path string) (*entry, int) {
	for p := path; strings.Count(p, `\`) >= 2; p = p[:strings.LastIndexByte(p, '\\')] {
		if e := r.known[strings.ToLower(p)]; e != nil {
			if r.now().Before(e.expires) {
				return e, len(p)
			}
			delete(r.known, strings.ToLower(p))
		}
	}
	return nil, 0
}

// order gives a referral's targets: those that failed lately last, the one that failed first foremost among them. The caller holds mu.
func (r *Resolver) order(e *entry) []string {
	var good, bad []int
	for i := range e.Targets {
		if f, ok := e.bad[i]; ok && r.now().Before(f.until) {
			bad = append(bad, i)
		} else {
			good = append(good, i)
		}
	}
	slices.SortStableFunc(bad, func(a, b int) int { return e.bad[a].n - e.bad[b].n })
	var all []string
	for _, i := range append(good, bad...) {
		all = append(all, e.Targets[i])
	}
	return all
}

// Learn asks a server for a referral of a path, its own: what it is called for is a share that is a root of the DFS, and
// STATUS_PATH_NOT_COVERED from the server for the path. server is whom to ask, the one in path if it is "". What comes is kept for the time
// that the server gives, and given. It fails as the Asker does, or with ErrAnswer.
func (r *Resolver) Learn(ctx context.Context, a Asker, server, path string) (Referral, error) {
	path, err := Clean(path)
	if err != nil {
		return Referral{}, err
	}
	if server == "" {
		server, _, _ = Split(path)
	}
	b, err := a.Referral(ctx, server, path)
	if err != nil {
		return Referral{}, err
	}
	ref, err := ParseReferral(path, b)
	if err != nil {
		return Referral{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	id := strings.ToLower(ref.Prefix)
	e := &entry{Referral: ref, expires: r.now().Add(ref.TTL), bad: map[int]failure{}}
	if old := r.known[id]; old != nil {
		// What failed a moment ago is not better for having been named again.
		for i, f := range old.bad {
			if j := slices.Index(e.Targets, old.Targets[i]); j >= 0 {
				e.bad[j] = f
			}
		}
	}
	r.known[id] = e
	return ref, nil
}

// How long a target that failed comes last: the time after which Windows goes back, where the referral allows it, or else the referral's own
// life.
const failback = 15 * time.Minute

// Failed says that a place that Targets gave does not answer, or denies that the path is there: it comes last for a while, for each referral
// that leads to it.
func (r *Resolver) Failed(place string) {
	place, err := Clean(place)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.known {
		for i, t := range e.Targets {
			if !within(place, t) {
				continue
			}
			until := e.expires
			if e.Back {
				until = r.now().Add(failback)
			}
			r.failures++
			e.bad[i] = failure{until, r.failures}
		}
	}
}

// within reports whether a path is a target or below it.
func within(path, target string) bool {
	return len(path) >= len(target) && strings.EqualFold(path[:len(target)], target) && (len(path) == len(target) || path[len(target)] == '\\')
}

// Forget drops what is known of a path's beginnings, so that the next question goes to the server again.
func (r *Resolver) Forget(path string) {
	path, err := Clean(path)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for p := path; strings.Count(p, `\`) >= 2; p = p[:strings.LastIndexByte(p, '\\')] {
		delete(r.known, strings.ToLower(p))
	}
}
