package wine

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	agentIdle  = 5 * time.Second  // how long an agent waits for the next change
	retryAfter = 10 * time.Second // after a failure
	clearBound = 5 * time.Second  // at the daemon's end, for all prefixes together
)

// Config is what a Keeper works with.
type Config struct {
	List    *List
	Folder  string                 // the folder of the list and of the profile, watched for changes of both
	Library func() (string, error) // where Wine's side of wnet is, asked when it is needed
	Source  Source
	Changes <-chan struct{} // says that Source's answers may have changed
	// Open opens what the programs in Wine need while a prefix is listed: the daemon's channel.
	Open   func() (io.Closer, error)
	Logger *slog.Logger
}

// Keeper keeps the listed prefixes in step. Run it once.
type Keeper struct {
	cfg    Config
	agents *agents
	asks   chan chan struct{}
	listed atomic.Bool // a prefix is listed
	done   chan struct{}
}

// NewKeeper returns a Keeper that does nothing before Run.
func NewKeeper(cfg Config) *Keeper {
	return &Keeper{cfg: cfg, agents: newAgents(""), asks: make(chan chan struct{}), done: make(chan struct{})}
}

// Sync waits until the prefixes show what Source says at the time of the call, or ctx ends, or Run does.
func (k *Keeper) Sync(ctx context.Context) {
	if !k.listed.Load() {
		return
	}
	ask := make(chan struct{})
	select {
	case k.asks <- ask:
	case <-ctx.Done():
		return
	case <-k.done:
		return
	}
	select {
	case <-ask:
	case <-ctx.Done():
	case <-k.done:
	}
}

// Run keeps the prefixes in step until ctx ends, and then takes the drives out of them, within a few seconds.
func (k *Keeper) Run(ctx context.Context) {
	defer close(k.done)
	log := k.cfg.Logger
	var events <-chan fsnotify.Event
	var faults <-chan error
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close()
		events, faults = watcher.Events, watcher.Errors
		_ = os.MkdirAll(k.cfg.Folder, 0o700) // for the first list to be noticed
		if err := watcher.Add(k.cfg.Folder); err != nil {
			log.Warn("changes of the configuration are not noticed", "folder", k.cfg.Folder, "err", err)
		}
	}
	watched := map[string]bool{}
	var open io.Closer
	defer func() {
		if open != nil {
			open.Close()
		}
	}()
	var waiting []chan struct{}
	var list []Prefix
	for {
		list, err = k.cfg.List.Load()
		if err != nil {
			log.Error("the list of Wine's prefixes can't be read", "err", err)
		}
		if lib, err := k.cfg.Library(); err == nil {
			k.agents.files = lib
		}
		for _, p := range list {
			if watcher != nil && !watched[p.Path] && watcher.Add(p.Path) == nil {
				watched[p.Path] = true
			}
		}
		if len(list) > 0 && open == nil {
			if open, err = k.cfg.Open(); err != nil {
				open = nil
				log.Error("programs in Wine can't reach the daemon", "err", err)
			}
		}
		if len(list) == 0 && open != nil {
			open.Close()
			open = nil
		}
		k.listed.Store(len(list) > 0)
		failed := k.round(ctx, list)
		for _, w := range waiting {
			close(w)
		}
		waiting = nil
		var retry, idle <-chan time.Time
		if failed {
			retry = time.After(retryAfter)
		}
		if k.agents.any() {
			idle = time.After(agentIdle)
		}
		for again := false; !again; {
			select {
			case <-ctx.Done():
				k.end(list)
				return
			case w := <-k.asks:
				waiting, again = append(waiting, w), true
			case <-k.cfg.Changes:
				again = true
			case e, ok := <-events:
				if !ok {
					events = nil
				}
				again = k.concerns(e.Name)
			case <-faults: // an overflow: look at everything
				again = true
			case <-retry:
				again = true
			case <-idle:
				k.agents.endAll()
				idle = nil
			}
		}
		for more := true; more; { // what came meanwhile is seen in the same round
			select {
			case w := <-k.asks:
				waiting = append(waiting, w)
			case <-k.cfg.Changes:
			case <-events:
			default:
				more = false
			}
		}
	}
}

// concerns reports whether a file that changed may matter.
func (k *Keeper) concerns(name string) bool {
	switch filepath.Base(name) {
	case ListFile, "profile.toml", "user.reg":
		return true
	}
	return false
}

// round brings all prefixes in step, side by side: one that hangs holds up no other. It reports whether one has to be tried again.
func (k *Keeper) round(ctx context.Context, list []Prefix) bool {
	var wg sync.WaitGroup
	var failed atomic.Bool
	for _, p := range list {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, 2*answerBound)
			defer cancel()
			err := bring(ctx, p, k.agents, k.cfg.Source, k.cfg.Logger)
			if err != nil && !errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
				failed.Store(true)
				k.cfg.Logger.Warn("a prefix of Wine could not be brought in step", "prefix", p.Path, "err", err)
			}
		})
	}
	wg.Wait()
	return failed.Load()
}

// end takes the drives out of the prefixes.
func (k *Keeper) end(list []Prefix) {
	ctx, cancel := context.WithTimeout(context.Background(), clearBound)
	defer cancel()
	var wg sync.WaitGroup
	for _, p := range list {
		wg.Go(func() {
			if err := clear(ctx, p, k.agents, k.cfg.Logger); err != nil && !errors.Is(err, fs.ErrNotExist) {
				k.cfg.Logger.Warn("a prefix of Wine still shows drives", "prefix", p.Path, "err", err)
			}
		})
	}
	wg.Wait()
	k.agents.endAll()
}
