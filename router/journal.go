package router

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/google/renameio/v2"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/session"
)

// record is one line of the journal: a connection that was made (Op add), one that is gone (drop), a session whose remembered drives
// were restored (restored) or that is over (ended). It never holds a password.
type record struct {
	Op       string          `json:"op"`
	ID       session.ID      `json:"id,omitempty"`
	LUID     wnet.LUID       `json:"luid,omitempty"`
	Device   wnet.Device     `json:"device,omitempty"`
	Remote   string          `json:"remote,omitempty"`
	Type     uint32          `json:"type,omitempty"`
	Provider string          `json:"provider,omitempty"`
	User     string          `json:"user,omitempty"`
	Flags    uint32          `json:"flags,omitempty"`
	Options  wnet.UseOptions `json:"options,omitzero"`
	Refs     int32           `json:"refs,omitempty"`
	// Forgetting: the connection is being cancelled and forgotten. Whether it was depends on the profile's entry alone.
	Forgetting bool `json:"forgetting,omitempty"`
	// Remembering: the connection was being made and remembered. Whether it was depends on the profile's entry alone.
	Remembering bool `json:"remembering,omitempty"`
}

// journal keeps the live connections in a file, so that a daemon that was killed loses none. It is a log: a change costs one line
// however many connections there are. It lives in the runtime folder, and so ends with the user's last logon.
type journal struct {
	path string
	log  *slog.Logger

	mu    sync.Mutex // guards what follows
	file  *os.File   // nil without a journal
	lines int        // in the file
	live  map[session.ID]record
	done  map[wnet.LUID]bool // sessions whose remembered drives were restored
	old   []record           // connections of the daemon before, until take
	found bool               // a daemon before did not stop in order
}

// openJournal reads what an earlier daemon left and begins a fresh file with the sessions' marks. A line that was cut by a crash, or that
// is no record, is passed over.
func openJournal(path string, log *slog.Logger) (*journal, error) {
	j := &journal{path: path, log: log, live: map[session.ID]record{}, done: map[wnet.LUID]bool{}}
	if path == "" {
		return j, nil
	}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	j.found = err == nil
	before := map[session.ID]record{}
	var order []session.ID
	sc := bufio.NewScanner(bytes.NewReader(b))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var rec record
		if json.Unmarshal(sc.Bytes(), &rec) != nil {
			continue
		}
		switch rec.Op {
		case "add":
			if _, ok := before[rec.ID]; !ok {
				order = append(order, rec.ID)
			}
			before[rec.ID] = rec
		case "drop":
			delete(before, rec.ID)
		case "restored":
			j.done[rec.LUID] = true
		case "ended":
			delete(j.done, rec.LUID)
			for id, x := range before {
				if x.LUID == rec.LUID {
					delete(before, id)
				}
			}
		}
	}
	for _, id := range order {
		if rec, ok := before[id]; ok {
			j.old = append(j.old, rec)
			delete(before, id)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	j.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return j, err
}

// take returns the connections of the daemon before, and the highest number among them, above which new numbers must begin. The file keeps
// each until it is retired, so that a second crash in between loses nothing.
func (j *journal) take() ([]record, session.ID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var top session.ID
	for _, rec := range j.old {
		top = max(top, rec.ID)
	}
	return append([]record(nil), j.old...), top
}

// retire ends an old record, once its connection is back under a new number or cannot come back.
func (j *journal) retire(id session.ID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.old = slices.DeleteFunc(j.old, func(rec record) bool { return rec.ID == id })
	j.append(record{Op: "drop", ID: id})
}

func (j *journal) add(c *connection) { j.put(c, false) }

// remembering is add before the profile's new text is renamed into place. A daemon that is killed right after the rename then brings the
// connection back, and one that is killed before it does not. add afterwards ends the doubt, or drop.
func (j *journal) remembering(c *connection) { j.put(c, true) }

func (j *journal) put(c *connection, remembering bool) {
	if j.path == "" {
		return
	}
	l := c.getLogin()
	rec := record{Op: "add", ID: c.id, LUID: c.luid, Device: c.device, Remote: c.shown, Type: c.typ, Provider: c.provider.Name(),
		User: l.user, Flags: c.flags, Options: c.options, Refs: c.refs.Load(), Remembering: remembering}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.live[c.id] = rec
	j.append(rec)
}

// forgetting notes, before the profile's new text is renamed into place, that this cancels the connection. A daemon that is killed right
// after the rename then does not bring back what was cancelled, and one that is killed before it does. Without on, the note is taken back.
func (j *journal) forgetting(c *connection, on bool) {
	if j.path == "" {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	rec, ok := j.live[c.id]
	if !ok {
		return
	}
	rec.Forgetting = on
	j.live[c.id] = rec
	j.append(rec)
}

func (j *journal) drop(c *connection) {
	if j.path == "" {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.live, c.id)
	j.append(record{Op: "drop", ID: c.id})
}

func (j *journal) restored(luid wnet.LUID) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.done[luid]
}

func (j *journal) markRestored(luid wnet.LUID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.done[luid] = true
	j.append(record{Op: "restored", LUID: luid})
}

func (j *journal) ended(luid wnet.LUID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.done, luid)
	j.append(record{Op: "ended", LUID: luid})
}

// append writes a line, and the file anew when it has grown to twice what it needs. The caller holds mu.
func (j *journal) append(rec record) {
	if j.file == nil {
		return
	}
	b, err := json.Marshal(rec)
	if err == nil {
		_, err = j.file.Write(append(b, '\n'))
	}
	if err != nil {
		j.log.Error("the journal of live connections could not be written", "file", j.path, "err", err)
		return
	}
	if j.lines++; j.lines > 2*(len(j.live)+len(j.done)+len(j.old))+1000 {
		if err := j.compact(); err != nil {
			j.log.Error("the journal of live connections could not be made shorter", "file", j.path, "err", err)
		}
	}
}

// compact writes the file anew. The caller holds mu.
func (j *journal) compact() error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	n := 0
	put := func(rec record) { enc.Encode(rec); n++ }
	for _, rec := range j.old {
		put(rec)
	}
	for luid := range j.done {
		put(record{Op: "restored", LUID: luid})
	}
	for _, rec := range j.live {
		put(rec)
	}
	if err := renameio.WriteFile(j.path, b.Bytes(), 0o600); err != nil {
		return err
	}
	f, err := os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	j.file.Close()
	j.file, j.lines = f, n
	return nil
}

// close ends the journal of a daemon that stops in order: there is nothing to bring back.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	j.file.Close()
	j.file = nil
	return os.Remove(j.path)
}
