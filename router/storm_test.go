package router_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/mem"
	"github.com/openwnet/wnet/router"
	"github.com/openwnet/wnet/session"
	"github.com/openwnet/wnet/win32"
)

// points is a Mounter without a kernel: it takes each folder once.
type points struct {
	mu   sync.Mutex // guards busy
	busy map[string]bool
}

// point is one of its mounts. Now and then it is busy.
type point struct {
	of   *points
	name string
	once sync.Once
	done chan struct{}
}

func (p *points) Mount(_ context.Context, name string, _ wnet.FileSystem, _ wnet.MountOptions) (wnet.Mount, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[name] {
		return nil, &wnet.Error{Name: name, Code: win32.ERROR_ACCESS_DENIED}
	}
	p.busy[name] = true
	return &point{of: p, name: name, done: make(chan struct{})}, nil
}

func (m *point) Point() string                                  { return m.name }
func (m *point) Opens() int                                     { return 0 }
func (m *point) Holders(context.Context) ([]wnet.Holder, error) { return nil, nil }
func (m *point) Done() <-chan struct{}                          { return m.done }

func (m *point) Unmount(ctx context.Context) error {
	if rand.IntN(10) == 0 {
		return &wnet.Error{Name: m.name, Code: win32.ERROR_OPEN_FILES}
	}
	_, err := m.ForceUnmount(ctx)
	return err
}

func (m *point) ForceUnmount(context.Context) ([]string, error) {
	m.once.Do(func() {
		m.of.mu.Lock()
		delete(m.of.busy, m.name)
		m.of.mu.Unlock()
		close(m.done)
	})
	return nil, nil
}

// Everything at once, in many sessions that come and go, over a network that is slow and lossy: no deadlock, no race, and nothing is left of a
// session that is over, nor of a router that is closed.
//
// Rows: DD-05.
func TestEverythingAtOnce(t *testing.T) {
	points := &points{busy: map[string]bool{}}
	w := newWorld(t, func(c *router.Config) { c.Mounter = points })
	w.one.SetFault(func(ctx context.Context, c mem.Call) error {
		switch rand.IntN(20) {
		case 0:
			return &wnet.Error{Code: win32.ERROR_BAD_NETPATH}
		case 1:
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	names := []string{`\\srv\data`, `\\srv\more`, `\\locked\data`, `\\two\data`}
	r := w.r                  // w forgets it when it is closed
	deny := func(err error) { // which nothing but a folder that is mounted twice answers here
		if wnet.CodeOf(err) == win32.ERROR_ACCESS_DENIED {
			t.Error(err)
		}
	}
	act := func(s *session.Session) {
		svc := r.Session(s)
		ctx, cancel := context.WithTimeout(bg, time.Duration(rand.IntN(20))*time.Millisecond)
		defer cancel()
		device := []string{"", "X:", "Y:", "Z:"}[rand.IntN(4)]
		name := names[rand.IntN(len(names))]
		req := disk(device, name)
		req.Flags = []uint32{0, win32.CONNECT_UPDATE_PROFILE, win32.CONNECT_GLOBAL_MAPPING}[rand.IntN(3)]
		if name == `\\locked\data` {
			req.User, req.Password = []string{"anna", "bert"}[rand.IntN(2)], wnet.NewSecret("right")
		}
		switch rand.IntN(9) {
		case 0, 1, 2:
			deny(svc.AddConnection(ctx, req))
		case 3:
			req.LocalName, req.Flags = "", win32.CONNECT_REDIRECT
			_, err := svc.UseConnection(ctx, wnet.UseRequest{AddRequest: req})
			deny(err)
		case 4, 5:
			cancel := wnet.CancelRequest{Name: device, Force: rand.IntN(2) == 0, Flags: req.Flags}
			if device == "" {
				cancel.Name = name
			}
			svc.CancelConnection(ctx, cancel)
		case 6:
			svc.RestoreConnection(ctx, "")
		case 7:
			svc.Connections(ctx)
			svc.GetConnection(ctx, "Z:")
		case 8:
			svc.Enum(ctx, wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED})
			svc.GetUser(ctx, name)
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var dead []wnet.LUID
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				s, _, err := w.m.Create(fmt.Sprint(i), os.Getpid())
				if err != nil {
					t.Error(err)
					return
				}
				var in sync.WaitGroup
				for range 4 {
					in.Go(func() {
						for range 15 {
							act(s)
							act(w.s)
						}
					})
				}
				if rand.IntN(2) == 0 {
					in.Wait()
				}
				if err := w.m.End(s.LUID()); err != nil {
					t.Error(err)
				}
				w.r.EndSession(s)
				mu.Lock()
				dead = append(dead, s.LUID())
				mu.Unlock()
				in.Wait()
			}
		})
	}
	wg.Wait()
	for _, luid := range dead {
		if n := w.r.Count(luid); n != 0 {
			t.Errorf("%d connections of a dead session", n)
		}
	}
	closed := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-closed:
					return
				default:
					act(w.s)
				}
			}
		})
	}
	w.close()
	close(closed)
	wg.Wait()
	if len(points.busy) > 0 {
		t.Errorf("mounts are left: %v", points.busy)
	}
	for _, share := range []*mem.Share{w.one.Share("srv", "data"), w.one.Share("srv", "more"), w.one.Share("locked", "data"), w.two.Share("two", "data")} {
		for end := time.Now().Add(5 * time.Second); share.Connections() > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d connections are left on the server", share.Connections())
			}
		}
	}
}
