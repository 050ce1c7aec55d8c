package wnet

import (
	"cmp"
	"math"
	"slices"
)

// LockTable is the byte-range locks of one file by POSIX' rules: an owner's newer lock replaces what it had in the range, parts of a
// lock can be given back, ranges that touch are one. The zero LockTable is empty. It does no locking of its own.
type LockTable struct {
	held []Lock // by First; those of one owner and kind of table (Whole) do not overlap
}

// mine reports whether a lock is of l's owner.
func (l Lock) mine(other Lock) bool { return l.Owner == other.Owner && l.Whole == other.Whole }

func (l Lock) overlaps(other Lock) bool { return l.First <= other.Last && other.First <= l.Last }

// Valid reports whether the range is one: it begins at 0 or later and does not end before.
func (l Lock) Valid() bool { return l.First >= 0 && l.Last >= l.First && l.Kind <= LockExclusive }

// Conflict returns a lock of somebody else that stands in the way of l; its Kind is LockNone if there is none.
func (t *LockTable) Conflict(l Lock) Lock {
	if l.Kind != LockNone {
		for _, h := range t.held {
			if h.Whole == l.Whole && h.Owner != l.Owner && h.overlaps(l) && (h.Kind == LockExclusive || l.Kind == LockExclusive) {
				return h
			}
		}
	}
	return Lock{}
}

// Set gives l's range to its owner, or back where Kind is LockNone, whatever others have. It reports whether the owner had something
// there that is less now, so that others may go on.
func (t *LockTable) Set(l Lock) (freed bool) {
	kept := make([]Lock, 0, len(t.held)+2)
	for _, h := range t.held {
		if !l.mine(h) || !h.overlaps(l) {
			kept = append(kept, h)
			continue
		}
		freed = freed || l.Kind < h.Kind
		if h.First < l.First {
			left := h
			left.Last = l.First - 1
			kept = append(kept, left)
		}
		if h.Last > l.Last {
			right := h
			right.First = l.Last + 1
			kept = append(kept, right)
		}
	}
	if l.Kind != LockNone {
		// What touches it and is of the same kind becomes one with it.
		joined := kept[:0]
		for _, h := range kept {
			if l.mine(h) && h.Kind == l.Kind && touches(h, l) {
				l.First, l.Last = min(l.First, h.First), max(l.Last, h.Last)
				continue
			}
			joined = append(joined, h)
		}
		kept = append(joined, l)
	}
	slices.SortStableFunc(kept, func(a, b Lock) int { return cmp.Compare(a.First, b.First) })
	t.held = kept
	return freed
}

// touches reports whether one range begins where the other ends.
func touches(a, b Lock) bool {
	return a.Last != math.MaxInt64 && a.Last+1 == b.First || b.Last != math.MaxInt64 && b.Last+1 == a.First
}

// Within returns what l's owner has in l's range, cut to it, for putting it back with Set.
func (t *LockTable) Within(l Lock) []Lock {
	var in []Lock
	for _, h := range t.held {
		if l.mine(h) && h.overlaps(l) {
			h.First, h.Last = max(h.First, l.First), min(h.Last, l.Last)
			in = append(in, h)
		}
	}
	return in
}

// Drop gives back all that an owner has, and reports whether that was anything.
func (t *LockTable) Drop(owner uint64, whole bool) bool {
	n := len(t.held)
	t.held = slices.DeleteFunc(t.held, func(h Lock) bool { return h.Owner == owner && h.Whole == whole })
	return len(t.held) < n
}

// All returns every lock, by First. The caller owns the slice.
func (t *LockTable) All() []Lock { return slices.Clone(t.held) }
