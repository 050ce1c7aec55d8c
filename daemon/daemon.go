// Package daemon is the wnet daemon of one user: the only place where implementations meet.
//
// Its life is a straight line. It takes the lock of its private folder, listens, clears what a killed daemon left, builds the
// core, brings connections back, says that it is ready, waits for one event, and closes all in the reverse order. A daemon that
// is killed in between leaves a journal, dead mounts and a stale socket, which the next one takes up or away.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/credential"
	"github.com/openwnet/wnet/mount"
	"github.com/openwnet/wnet/paths"
	"github.com/openwnet/wnet/profile"
	"github.com/openwnet/wnet/provider/all"
	"github.com/openwnet/wnet/router"
	"github.com/openwnet/wnet/rpc"
	"github.com/openwnet/wnet/session"
)

// The bounds of an orderly stop. A second signal cuts both short.
const (
	callBound  = 3 * time.Second  // for calls under way to finish by themselves
	mountBound = 45 * time.Second // for all mounts to be taken down and written data to reach the servers
)

// Config says how the daemon runs. The zero Config is the real one: it serves the user of the process at the user's own places.
type Config struct {
	Paths     paths.Paths     // zero: paths.Find
	Providers []wnet.Provider // nil: those of provider/all
	Mounter   wnet.Mounter    // nil: FUSE
	Logger    *slog.Logger    // nil: text to standard error, or to the file of WNET_LOG
	Version   string          // "" for the module's version
}

// Run is the daemon. It returns nil when it was stopped: by SIGTERM, SIGINT or SIGHUP, by a Shutdown call or by the end of ctx. Drives
// are gone by then and remembered ones stay remembered. A second signal while it stops gives up waiting for slow servers; what
// could not be written is kept aside.
//
// Errors, each before anything was changed: ErrRunning if another daemon serves the same folder; ERROR_ACCESS_DENIED for a private
// folder that is not private; others as the system gave them. Whoever started the daemon with WNET_READY_FD is told too.
func Run(ctx context.Context, cfg Config) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	starter := takeStarter()
	err := run(ctx, cfg, signals, starter)
	starter.failed(err)
	return err
}

func run(ctx context.Context, cfg Config, signals <-chan os.Signal, starter *starter) error {
	p := cfg.Paths
	if p == (paths.Paths{}) {
		var err error
		if p, err = paths.Find(); err != nil {
			return err
		}
	}
	log, closeLog := logger(cfg.Logger)
	defer closeLog()
	if err := paths.MakePrivate(p.RuntimeDir); err != nil {
		return err
	}
	passed, err := activated()
	if err != nil {
		return err
	}
	lock, err := takeLock(ctx, p, passed != nil)
	if err != nil {
		if passed != nil {
			passed.Close()
		}
		return err
	}
	defer lock.release()
	listener := passed
	if listener == nil {
		if listener, err = listen(ctx, p.Socket); err != nil {
			return err
		}
		defer removeOwn(p.Socket)()
	}
	defer listener.Close()
	cleared, err := mount.ClearDead(p.MountRoot)
	if err != nil {
		log.Error("a dead mount could not be cleared", "err", err)
	}
	if len(cleared) > 0 {
		log.Info("mounts of a daemon that was killed are cleared", "points", cleared)
	}

	sessions, err := session.New(session.Config{UID: os.Getuid(), Root: p.MountRoot, State: filepath.Join(p.RuntimeDir, "sessions.json"), Logger: log})
	if err != nil {
		return err
	}
	remembered := profile.Open(filepath.Join(p.ConfigDir, "profile.toml"))
	core, err := router.New(router.Config{
		Providers: cfg.providers(log),
		Profile:   remembered,
		Credentials: credential.Open(credential.Config{SessionBus: os.Getenv("DBUS_SESSION_BUS_ADDRESS"),
			RuntimeDir: os.Getenv("XDG_RUNTIME_DIR"), ConfigDir: p.ConfigDir, DataDir: p.DataDir, Logger: log}),
		Kept:      credential.NewKernel(p.RuntimeDir),
		Mounter:   cfg.mounter(p, log),
		Sessions:  sessions,
		Version:   number(cfg.version()),
		Journal:   filepath.Join(p.RuntimeDir, "journal"),
		HomeShare: os.Getenv("HOMESHARE"),
		Logger:    log,
	})
	if err != nil {
		return err
	}
	b := &backend{router: core, sessions: sessions, version: cfg.version(), stop: make(chan struct{})}
	server := rpc.NewServer(b, log)
	source := &wineSource{core.Session(sessions.Default()), remembered}
	b.keeper = newKeeper(p, server, source, core.Changes(), log)
	b.halt = func() {
		lock.stopping()
		server.StopAccepting()
	}

	life, end := context.WithCancel(context.Background())
	defer end()
	watched := make(chan struct{})
	go func() {
		sessions.Run(life, core.EndSession)
		close(watched)
	}()
	if err := core.Start(ctx); err != nil {
		log.Error("not all connections could be brought back", "err", err)
	}
	keeping, unkeep := context.WithCancel(context.Background())
	kept := make(chan struct{})
	go func() {
		b.keeper.Run(keeping)
		close(kept)
	}()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("ready", "version", b.version, "pid", os.Getpid(), "socket", p.Socket, "drives", p.MountRoot)
	sd.SdNotify(false, sd.SdNotifyReady)
	starter.ready()

	var failure error
	select {
	case s := <-signals:
		log.Info("stopping", "signal", s.String())
	case <-b.stop:
		log.Info("stopping", "by", "a call")
	case <-ctx.Done():
		log.Info("stopping")
	case failure = <-served: // nil: by a call
		log.Info("stopping", "failure", failure)
	}

	b.halt()
	sd.SdNotify(false, sd.SdNotifyStopping)
	hurry, haste := context.WithCancel(context.Background())
	defer haste()
	go func() {
		select {
		case s := <-signals:
			log.Warn("a second signal: not waiting for slow servers", "signal", s.String())
			haste()
		case <-hurry.Done():
		}
	}()
	bounded(hurry, callBound, func(ctx context.Context) error { return server.Shutdown(ctx) })
	unkeep() // it takes the drives out of Wine's prefixes while they are still there
	<-kept
	end()
	err = bounded(hurry, mountBound, func(ctx context.Context) error {
		<-watched // its last callbacks take down the drives of sessions that are over
		return core.Close(ctx)
	})
	if err != nil {
		log.Error("not everything could be closed", "err", err)
	}
	log.Info("stopped")
	return errors.Join(failure, err)
}

// bounded runs f until it returns, its context ends after limit, and a little later at the latest: a function that minds its context has
// returned by then, and one that does not must not keep the daemon.
func bounded(parent context.Context, limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(parent, limit)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(callBound):
		return fmt.Errorf("gave up waiting: %w", ctx.Err())
	}
}

func (c Config) providers(log *slog.Logger) []wnet.Provider {
	if c.Providers != nil {
		return c.Providers
	}
	return all.Providers(all.Config{Logger: log, AgentSocket: func() string { return os.Getenv("SSH_AUTH_SOCK") }})
}

func (c Config) mounter(p paths.Paths, log *slog.Logger) wnet.Mounter {
	if c.Mounter != nil {
		return c.Mounter
	}
	return mount.New(mount.Config{AsideDir: filepath.Join(p.StateDir, "aside"), Logger: log})
}

func (c Config) version() string {
	if c.Version != "" {
		return c.Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// number is a version such as v1.2.3 as NETINFOSTRUCT has it: major << 16 | minor. 0 for one that is no number.
func number(version string) uint32 {
	var major, minor uint16
	if n, _ := fmt.Sscanf(version, "v%d.%d", &major, &minor); n < 2 {
		return 0
	}
	return uint32(major)<<16 | uint32(minor)
}

// listen opens the daemon's socket.
func listen(ctx context.Context, path string) (net.Listener, error) {
	// We hold the folder's lock, so a socket that is there is stale, unless a program that is no daemon of this folder serves it.
	probe, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	if conn, err := rpc.DialSocket(probe, path); err == nil {
		conn.Close()
		return nil, fmt.Errorf("another program serves the socket %s", path)
	}
	if fi, err := os.Lstat(path); err == nil {
		if fi.Mode().Type() != os.ModeSocket {
			return nil, fmt.Errorf("%s is in the way: it is no socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return rpc.Listen(path)
}

// removeOwn returns what removes the socket that is at path now: not one that systemd or anybody else has put there since.
func removeOwn(path string) func() {
	own, err := os.Lstat(path)
	return func() {
		if now, again := os.Lstat(path); err == nil && again == nil && os.SameFile(own, now) {
			os.Remove(path)
		}
	}
}
