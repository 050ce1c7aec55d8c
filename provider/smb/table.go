package smb

import "sync"

// table knows every open file of a connection.
type table struct {
	mu  sync.Mutex // guards all
	all map[*file]struct{}
}

func (t *table) add(f *file) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[*file]struct{}{}
	}
	t.all[f] = struct{}{}
}

func (t *table) drop(f *file) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, f)
}

// find gives the files that match says yes to.
func (t *table) find(match func(folded string, removed bool, f *file) bool) []*file {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []*file
	for f := range t.all {
		name, removed := f.where()
		if match(fold(name), removed, f) {
			found = append(found, f)
		}
	}
	return found
}

// at gives the files of a folded name.
func (t *table) at(folded string) []*file {
	return t.find(func(name string, _ bool, _ *file) bool { return name == folded })
}

// below gives the files of a folded name and, if it is a folder, of what is in it.
func (t *table) below(folded string) []*file {
	return t.find(func(name string, _ bool, _ *file) bool { return within(name, folded) })
}

// removed gives the files that were removed while they were open.
func (t *table) removed() []*file {
	return t.find(func(_ string, removed bool, _ *file) bool { return removed })
}
