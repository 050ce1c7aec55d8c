// Package discover asks the local network which servers are there, as file managers and Windows do: by multicast DNS with DNS-SD (RFC 6762,
// RFC 6763), which Macs, NAS boxes and avahi answer, and by WS-Discovery, which Windows and wsdd answer.
//
// It listens to nothing while nobody asks: a question opens sockets, waits a moment for answers and closes them. Answers are kept for a
// short while, and several who ask at once share one question. What comes back is what strangers say: names are checked, counts and
// sizes bounded, and no address other than the answering machine's own is contacted.
package discover

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/openwnet/wnet"
)

// Services of DNS-SD.
const (
	SMB  = "_smb._tcp"
	SFTP = "_sftp-ssh._tcp"
)

// Server is one that answered.
type Server struct {
	Name    string // what it can be reached by: a host name, or its address where none resolves here
	Host    string // its own name, without a domain
	Port    int    // 0 if it did not say
	Comment string // how it calls itself, "" if that is its name
}

// Config is what New takes. The zero Config is right for a daemon.
type Config struct {
	Wait   time.Duration // for answers to one question; 0 is 2 s
	Keep   time.Duration // how long answers are used again, if there were any; 0 is 20 s
	Logger *slog.Logger  // nil for none
}

// Finder asks. Its methods may be called from many goroutines at once.
type Finder struct {
	cfg  Config
	log  *slog.Logger
	dial net.Dialer

	mu    sync.Mutex        // guards known
	known map[string]*round // by what was asked
}

// round is one question with its answers.
type round struct {
	done    chan struct{} // closed when all that follows is set
	servers []Server
	addrs   []netip.Addr
	until   time.Time
}

// most bounds what strangers can make us keep of one question.
const most = 256

// New returns a Finder. It does no I/O.
func New(cfg Config) *Finder {
	if cfg.Wait <= 0 {
		cfg.Wait = 2 * time.Second
	}
	if cfg.Keep <= 0 {
		cfg.Keep = 20 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Finder{cfg: cfg, log: cfg.Logger, known: map[string]*round{}}
}

// Services lists the servers that announce a DNS-SD service such as SMB, in order of name. It takes Config.Wait, unless the answers are
// known still. The error is the context's.
func (f *Finder) Services(ctx context.Context, service string) ([]Server, error) {
	r, err := f.ask(ctx, "mdns "+service, func(ctx context.Context, r *round) { r.servers = f.browse(ctx, service) })
	if err != nil {
		return nil, err
	}
	return slices.Clone(r.servers), nil
}

// Computers lists the computers that answer to WS-Discovery, as Services does.
func (f *Finder) Computers(ctx context.Context) ([]Server, error) {
	r, err := f.ask(ctx, "wsd", func(ctx context.Context, r *round) { r.servers = f.computers(ctx) })
	if err != nil {
		return nil, err
	}
	return slices.Clone(r.servers), nil
}

// ask carries out a question, or joins one that is under way or has just been answered. The question goes on when a caller leaves.
func (f *Finder) ask(ctx context.Context, what string, question func(context.Context, *round)) (*round, error) {
	f.mu.Lock()
	r := f.known[what]
	if r != nil {
		select {
		case <-r.done:
			if time.Now().After(r.until) {
				r = nil
			}
		default:
		}
	}
	if r == nil {
		r = &round{done: make(chan struct{})}
		if len(f.known) >= most {
			clear(f.known)
		}
		f.known[what] = r
		go func() {
			bounded, cancel := context.WithTimeout(context.Background(), f.cfg.Wait)
			defer cancel()
			question(bounded, r)
			if r.until = time.Now(); len(r.servers)+len(r.addrs) > 0 { // who is just starting is found at the next question
				r.until = r.until.Add(f.cfg.Keep)
			}
			close(r.done)
		}()
	}
	f.mu.Unlock()
	select {
	case <-r.done:
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// sorted checks, sorts and bounds what was found. The same server may have answered by several ways.
func sorted(all []Server) []Server {
	var list []Server
	for _, s := range all {
		n, err := wnet.ParseServerName(`\\` + s.Name)
		if err != nil || n.Scheme != wnet.SchemeUNC || n.Share != "" || s.Port < 0 || s.Port > 65535 {
			continue
		}
		if s.Comment = shown(s.Comment); strings.EqualFold(s.Comment, s.Name) {
			s.Comment = ""
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Server) int {
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return a.Port - b.Port
	})
	list = slices.CompactFunc(list, func(a, b Server) bool { return strings.EqualFold(a.Name, b.Name) && a.Port == b.Port })
	return list[:min(len(list), most)]
}

// shown makes a text fit to be shown in one line: a stranger wrote it.
func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > 120 {
		s = string(r[:120])
	}
	return strings.TrimSpace(s)
}

// Merge adds to a what of b is not there already under its own name.
func Merge(a, b []Server) []Server {
	have := map[string]bool{}
	for _, s := range a {
		have[strings.ToLower(s.Host)] = true
	}
	for _, s := range b {
		if !have[strings.ToLower(s.Host)] {
			a = append(a, s)
		}
	}
	return sorted(a)
}
