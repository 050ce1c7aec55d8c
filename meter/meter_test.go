package meter

import (
	"sync"
	"testing"
	"time"
)

// Rows: MP-02
func TestNothingMeasured(t *testing.T) {
	var m Meter
	if p := m.Performance(); p.Speed != 0 || p.Delay != 0 {
		t.Errorf("got %+v, want all unknown", p)
	}
	m.Transfer()(1000)
	if p := m.Performance(); p.Speed != 0 {
		t.Errorf("got %+v of a thousand bytes, want the speed unknown", p)
	}
}

func TestTrip(t *testing.T) {
	var m Meter
	m.Trip(80 * time.Millisecond)
	m.Trip(20 * time.Millisecond)
	m.Trip(500 * time.Millisecond)
	if d := m.Performance().Delay; d < 10 || d > 20 {
		t.Errorf("got %d ms one way of trips of 80, 20 and 500 ms, want a little more than 10", d)
	}
	for range 1000 {
		m.Trip(500 * time.Millisecond)
	}
	if d := m.Performance().Delay; d < 240 {
		t.Errorf("got %d ms after many trips of 500 ms, want about 250", d)
	}
	var quick Meter
	quick.Trip(time.Microsecond)
	if d := quick.Performance().Delay; d != 1 {
		t.Errorf("got %d, want 1 for what is better than one unit", d)
	}
}

// The speed is of the time in which something was under way: two transfers at once count their time once.
func TestSpeed(t *testing.T) {
	var m Meter
	m.bytes, m.busy = 0, 0
	done := m.Transfer()
	other := m.Transfer()
	m.mu.Lock()
	m.began = time.Now().Add(-time.Second)
	m.mu.Unlock()
	done(500_000)
	other(500_000)
	if s := m.Performance().Speed; s < 70_000 || s > 80_000 {
		t.Errorf("got %d, want about 80000: a million bytes in a second", s)
	}
}

func TestTogether(t *testing.T) {
	var m Meter
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				m.Transfer()(1 << 20)
				m.Trip(time.Millisecond)
				m.Performance()
			}
		})
	}
	wg.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.active != 0 || m.busy <= 0 {
		t.Errorf("got %d active, %v s busy", m.active, m.busy)
	}
}
