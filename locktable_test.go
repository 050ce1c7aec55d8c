package wnet_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/openwnet/wnet"
)

// TestLockTable compares the table with one that keeps every byte by itself.
func TestLockTable(t *testing.T) {
	const size, owners = 24, 3
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var table wnet.LockTable
		var model [owners][size]wnet.LockKind
		for step := range 40 {
			l := wnet.Lock{Kind: wnet.LockKind(r.IntN(3)), First: r.Int64N(size), Owner: uint64(r.IntN(owners))}
			l.Last = l.First + r.Int64N(size-l.First)
			want := false
			for o := range model {
				for b := l.First; b <= l.Last; b++ {
					k := model[o][b]
					want = want || uint64(o) != l.Owner && (k == wnet.LockExclusive && l.Kind != 0 || k == wnet.LockShared && l.Kind == wnet.LockExclusive)
				}
			}
			if got := table.Conflict(l); got.Kind != wnet.LockNone != want {
				t.Fatalf("step %d: Conflict of %+v gives %+v, want one: %v, in %+v", step, l, got, want, table.All())
			}
			if want {
				continue
			}
			before := table.Within(l)
			table.Set(l)
			if r.IntN(4) == 0 { // put back what there was
				gone := l
				gone.Kind = wnet.LockNone
				table.Set(gone)
				for _, b := range before {
					table.Set(b)
				}
			} else {
				for b := l.First; b <= l.Last; b++ {
					model[l.Owner][b] = l.Kind
				}
			}
			var got [owners][size]wnet.LockKind
			for i, h := range table.All() {
				for b := h.First; b <= h.Last; b++ {
					if got[h.Owner][b] != 0 {
						t.Fatalf("step %d: two locks of one owner on byte %d: %+v", step, b, table.All())
					}
					got[h.Owner][b] = h.Kind
				}
				for _, o := range table.All()[:i] {
					if o.Owner == h.Owner && o.Kind == h.Kind && o.Last+1 == h.First {
						t.Fatalf("step %d: %+v and %+v are not one", step, o, h)
					}
				}
			}
			if got != model {
				t.Fatalf("step %d: after %+v got %v, want %v", step, l, got, model)
			}
		}
	}
}

func TestLockTableEdges(t *testing.T) {
	var table wnet.LockTable
	all := wnet.Lock{Kind: wnet.LockExclusive, Last: math.MaxInt64, Owner: 1}
	table.Set(all)
	if table.Set(wnet.Lock{Kind: wnet.LockShared, First: 5, Last: 9, Owner: 1}) != true {
		t.Error("a lock that became shared freed nothing")
	}
	if got := table.Conflict(wnet.Lock{Kind: wnet.LockShared, First: 5, Last: 9, Owner: 2}); got.Kind != wnet.LockNone {
		t.Errorf("got %+v in the way of a shared lock", got)
	}
	if got := table.Conflict(wnet.Lock{Kind: wnet.LockShared, First: 5, Last: 10, Owner: 2}); got.First != 10 || got.Last != math.MaxInt64 {
		t.Errorf("got %+v, want what begins at 10", got)
	}
	if got := table.Conflict(wnet.Lock{Kind: wnet.LockExclusive, Last: math.MaxInt64, Owner: 1, Whole: true}); got.Kind != wnet.LockNone {
		t.Errorf("a byte range stands in the way of a lock of the whole: %+v", got)
	}
	if !table.Drop(1, false) || table.Drop(1, false) || len(table.All()) != 0 {
		t.Errorf("left after Drop: %+v", table.All())
	}
	for _, l := range []wnet.Lock{{First: -1}, {First: 2, Last: 1}, {Kind: 3}} {
		if l.Valid() {
			t.Errorf("%+v is valid", l)
		}
	}
	if l := (wnet.Lock{Kind: wnet.LockShared, First: 3, Last: 3}); !l.Valid() || !slices.Equal(table.Within(l), nil) {
		t.Errorf("%+v is not valid, or there", l)
	}
}
