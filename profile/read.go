package profile

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/openwnet/wnet"
)

// reader makes a Profile of a document and finds what is wrong in it.
type reader struct {
	file string
	doc  *document
	out  Profile
	seen map[string][]string // canonical path, joined → as written first: catches Z beside z
	at   map[wnet.Device]int // where a device is first named
}

// read understands the text of a profile. The error is an ERROR_BAD_PROFILE.
func read(file string, text []byte) (Profile, *document, error) {
	doc, err := parse(text)
	if err != nil {
		var e *syntaxError
		errors.As(err, &e)
		return Profile{}, nil, badAt(file, e.line, e.column, e.msg)
	}
	r := &reader{file: file, doc: doc, out: empty(), seen: map[string][]string{}, at: map[wnet.Device]int{}}
	for _, h := range doc.heads {
		if err := r.place(h.path, h.raw, h.parts, true, h.array); err != nil {
			return Profile{}, nil, err
		}
	}
	for _, it := range doc.items {
		if err := r.place(it.path, it.raw, it.parts, false, false); err != nil {
			return Profile{}, nil, err
		}
		if err := r.item(it); err != nil {
			return Profile{}, nil, badProfile(file, text, it.value, err.Error())
		}
	}
	for _, d := range sortedDevices(r.at) {
		e := r.out.Entries[d]
		if e.RemotePath == "" {
			return Profile{}, nil, badProfile(file, text, r.at[d], fmt.Sprintf("%s has no %s", d, keyRemotePath))
		}
		e.Device = d
		if e, err = e.normal(); err != nil {
			return Profile{}, nil, badProfile(file, text, r.at[d], err.Error())
		}
		r.out.Entries[d] = e
	}
	return r.out, doc, nil
}

// sortedDevices has the devices in the order of the file, so that the first fault is the one that is told.
func sortedDevices(at map[wnet.Device]int) []wnet.Device {
	all := make([]wnet.Device, 0, len(at))
	for d := range at {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b wnet.Device) int { return at[a] - at[b] })
	return all
}

// place checks a key or a header for its path alone.
func (r *reader) place(path, raw []string, parts []span, header, array bool) error {
	known := path[0] == tableNetwork || path[0] == tablePersist || path[0] == tableOrder
	if !known {
		return nil
	}
	own := len(path) - len(parts) // the path's first part that is written here
	fail := func(i int, format string, args ...any) error {
		return badProfile(r.file, r.doc.text, parts[max(i-own, 0)].start, fmt.Sprintf(format, args...))
	}
	depth := min(len(path), 4)
	if path[0] != tableNetwork {
		depth = min(len(path), 2)
	}
	for i := range depth {
		k := strings.Join(path[:i+1], "\x00")
		first, ok := r.seen[k]
		if !ok {
			r.seen[k] = raw[:i+1]
		} else if first[i] != raw[i] {
			return fail(i, "%s is here for the second time, above it is spelled %s", raw[i], first[i])
		}
	}
	if array && len(path) <= depth {
		return fail(len(path)-1, "%s is one table: write it in single brackets", strings.Join(raw, "."))
	}
	if header && isValue(path) {
		return fail(len(path)-1, "%s is a value, not a table", raw[len(raw)-1])
	}
	if path[0] != tableNetwork || len(path) < 2 {
		return nil
	}
	d, err := parseKey(path[1])
	if err != nil {
		return fail(1, "%q is no device: write A to Z or LPT1 to LPT9", raw[1])
	}
	if _, ok := r.at[d]; !ok {
		r.at[d] = parts[max(1-own, 0)].start
	}
	return nil
}

// isValue reports whether the path leads to one of wnet's own values, or below one.
func isValue(path []string) bool {
	switch {
	case len(path) < 2:
		return false
	case path[0] == tablePersist:
		return path[1] == keySave || path[1] == keyRecent || path[1] == keyHome
	case path[0] == tableOrder:
		return path[1] == keyOrder
	case len(path) < 3:
		return false
	case path[2] != keyUseOptions:
		return slices.Contains(entryKeys, path[2])
	}
	return len(path) > 3 && slices.Contains(optionKeys, path[3])
}

// item takes over one value. Tables and keys that wnet does not know are left alone.
func (r *reader) item(it item) error {
	p := it.path
	table := func() error {
		if it.kind != unstable.InlineTable {
			return fmt.Errorf("%s is a table", it.raw[len(it.raw)-1])
		}
		return nil
	}
	switch p[0] {
	case tablePersist:
		if len(p) == 1 {
			return table()
		}
		if p[1] == keySave {
			if len(p) > 2 {
				return errors.New(keySave + " is true or false")
			}
			return r.save(it)
		}
		if p[1] == keyRecent {
			if len(p) > 2 {
				return fmt.Errorf("%s is a list of remote names in quotes", keyRecent)
			}
			return r.recent(it)
		}
		if p[1] == keyHome {
			return r.home(it)
		}
	case tableOrder:
		if len(p) == 1 {
			return table()
		}
		if p[1] == keyOrder {
			if len(p) > 2 {
				return errors.New(keyOrder + " is a list of providers' names in quotes")
			}
			return r.order(it)
		}
	case tableNetwork:
		if len(p) < 3 {
			return table()
		}
		d, _ := parseKey(p[1])
		e := r.out.Entries[d]
		err := e.set(it, p[2:], table)
		r.out.Entries[d] = e
		return err
	}
	return nil
}

func (r *reader) save(it item) error {
	switch v := it.val.(type) {
	case bool:
		r.out.SaveConnections = v
		return nil
	case string:
		if strings.EqualFold(v, "yes") || strings.EqualFold(v, "no") {
			r.out.SaveConnections = strings.EqualFold(v, "yes")
			return nil
		}
	}
	return errors.New(keySave + " is true or false")
}

func (r *reader) home(it item) error {
	name, ok := it.val.(string)
	if !ok {
		return errors.New(keyHome + ` is a remote name in single quotes, as '\\server\share'`)
	}
	if name != "" {
		if _, err := wnet.ParseRemoteName(name); err != nil {
			return fmt.Errorf("%s is no remote name: %w", keyHome, unwrap(err))
		}
	}
	r.out.HomeDirectory = name
	return nil
}

func (r *reader) recent(it item) error {
	names, ok := it.val.([]string)
	if !ok {
		return fmt.Errorf("%s is a list of remote names in quotes", keyRecent)
	}
	for _, n := range names {
		if _, err := wnet.ParseRemoteName(n); err != nil {
			return fmt.Errorf("%s has what is no remote name: %w", keyRecent, unwrap(err))
		}
	}
	if len(names) > 0 {
		r.out.Recent = names[:min(len(names), MaxRecent)]
	}
	return nil
}

func (r *reader) order(it item) error {
	names, ok := it.val.([]string)
	if !ok {
		return errors.New(keyOrder + " is a list of providers' names in quotes")
	}
	for _, n := range names {
		if err := checkText("provider's name", n); err != nil {
			return err
		}
	}
	if len(names) > 0 {
		r.out.ProviderOrder = names
	}
	return nil
}

// set takes over the value of one of an entry's keys.
func (e *Entry) set(it item, p []string, table func() error) (err error) {
	if p[0] == keyUseOptions {
		if len(p) == 1 {
			return table()
		}
		o := &e.UseOptions
		switch p[1] {
		case keyTCPPort:
			n, ok := it.val.(int64)
			if !ok || len(p) > 2 {
				return wrong(p[1], "a number")
			}
			o.TCPPort = int(n)
			return checkPort(n)
		case keyTransport:
			if err = text(it, p[1:], &o.Transport); err == nil {
				o.Transport, err = checkWord(p[1], o.Transport, "TCP", "QUIC")
			}
		case keyCompression:
			if err = text(it, p[1:], &o.RequestCompression); err == nil {
				o.RequestCompression, err = checkWord(p[1], o.RequestCompression, "YES", "NO")
			}
		case keySmartCard:
			var ok bool
			if o.SmartCard, ok = it.val.(bool); !ok || len(p) > 2 {
				return wrong(p[1], "true or false")
			}
		case keySkipCert:
			var ok bool
			if o.SkipCertCheck, ok = it.val.(bool); !ok || len(p) > 2 {
				return wrong(p[1], "true or false")
			}
		}
		return err
	}
	switch p[0] {
	case keyRemotePath:
		if err = text(it, p, &e.RemotePath); err == nil {
			err = checkRemote(e.RemotePath)
		}
	case keyUserName:
		if err = text(it, p, &e.UserName); err == nil {
			err = checkText(p[0], e.UserName)
		}
	case keyProviderName:
		if err = text(it, p, &e.ProviderName); err == nil {
			err = checkText(p[0], e.ProviderName)
		}
	case keyProviderType:
		err = number(it, p, &e.ProviderType)
	case keyConnectionType:
		if err = number(it, p, &e.ConnectionType); err == nil {
			err = checkType(e.ConnectionType)
		}
	case keyConnectFlags:
		err = number(it, p, &e.ConnectFlags)
	case keyDeferFlags:
		err = number(it, p, &e.DeferFlags)
	}
	return err
}

func wrong(key, want string) error { return fmt.Errorf("%s is %s", key, want) }

func text(it item, p []string, to *string) error {
	s, ok := it.val.(string)
	if !ok || len(p) > 1 {
		return wrong(p[0], "a text in quotes")
	}
	*to = s
	return nil
}

func number(it item, p []string, to *uint32) error {
	n, ok := it.val.(int64)
	if !ok || len(p) > 1 || n < 0 || n > math.MaxUint32 {
		return wrong(p[0], "a number from 0 to 0xFFFFFFFF")
	}
	*to = uint32(n)
	return nil
}

// checkWord takes one of two words in any case, or none.
func checkWord(key, s, one, other string) (string, error) {
	if w := fold(s, one, other, ""); w == one || w == other || w == "" {
		return w, nil
	}
	return s, fmt.Errorf("%s is %q or %q", key, one, other)
}
