// Package meter counts what a connection carries, so that MultinetGetConnectionPerformance tells what was measured and not what somebody
// thought (MP-02).
package meter

import (
	"math"
	"sync"
	"time"

	"github.com/openwnet/wnet"
)

// Meter is the counter of one connection. The zero Meter is ready. Its methods may be called from many goroutines at once.
type Meter struct {
	mu     sync.Mutex // guards what follows
	trip   time.Duration
	active int       // transfers under way
	began  time.Time // when active left 0
	moved  int64     // bytes since then
	bytes  float64   // moved in busy time, fading
	busy   float64   // seconds of it
}

const (
	fade  = 16 << 20 // bytes after which an old measurement counts for a third (1/e)
	least = 64 << 10 // bytes before a speed is told: less measures the way and not the width
)

// Trip takes in how long a request without data took, from sending it to its answer. The shortest counts, slowly forgotten: what is above
// it is the server's work and other traffic.
func (m *Meter) Trip(d time.Duration) {
	if d <= 0 {
		d = 1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.trip == 0 || d < m.trip {
		m.trip = d
	} else {
		m.trip += (d - m.trip) / 32
	}
}

// Transfer begins to count data on its way, in either direction; the function that it returns ends that with the bytes that got
// through. Transfers at the same time share the line, so what counts is the time in which any was under way.
func (m *Meter) Transfer() (done func(bytes int)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.active++; m.active == 1 {
		m.began, m.moved = time.Now(), 0
	}
	return func(bytes int) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.moved += int64(max(bytes, 0))
		if m.active--; m.active > 0 && m.moved < fade {
			return
		}
		now := time.Now()
		keep := math.Exp(-float64(m.moved) / fade)
		m.bytes = m.bytes*keep + float64(m.moved)
		m.busy = m.busy*keep + now.Sub(m.began).Seconds()
		m.began, m.moved = now, 0
	}
}

// Performance is what was measured so far, 0 for what was not (MP-02, NP-18). Unit and rounding are NETCONNECTINFOSTRUCT's: what is better
// than one unit is 1.
func (m *Meter) Performance() wnet.Performance {
	m.mu.Lock()
	defer m.mu.Unlock()
	var p wnet.Performance
	if m.trip > 0 {
		p.Delay = unit(float64(m.trip) / 2 / float64(time.Millisecond))
	}
	if m.bytes >= least && m.busy > 0 {
		p.Speed = unit(m.bytes * 8 / 100 / m.busy)
	}
	return p
}

func unit(v float64) uint32 { return uint32(min(max(math.Round(v), 1), math.MaxUint32)) }
