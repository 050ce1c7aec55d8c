package profile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/openwnet/wnet"
)

// editor changes a TOML text in place: one key at a time, touching nothing else. It reads the text anew after each change, which keeps
// every change simple; profiles are small.
type editor struct {
	doc *document
	err error // the first text that could not be read back; the rest is left out
}

// splice puts s in place of the text from start to end.
func (ed *editor) splice(start, end int, s string) {
	if ed.err != nil {
		return
	}
	t := ed.doc.text
	next := make([]byte, 0, len(t)+len(s))
	next = append(append(append(next, t[:start]...), s...), t[end:]...)
	doc, err := parse(next)
	if err != nil {
		ed.err = fmt.Errorf("the file's form can't be edited here: %w", err)
		return
	}
	ed.doc = doc
}

func (ed *editor) find(path []string) *item {
	for i := range ed.doc.items {
		if slices.Equal(ed.doc.items[i].path, path) {
			return &ed.doc.items[i]
		}
	}
	return nil
}

// put sets one value, where it is or as a new key in its table.
func (ed *editor) put(path []string, value string) {
	if ed.err != nil {
		return
	}
	if it := ed.find(path); it != nil {
		ed.splice(it.value, it.end, value)
		return
	}
	table, name := path[:len(path)-1], path[len(path)-1]
	if ed.insert(table, name, value) {
		return
	}
	up, last := table[:len(table)-1], table[len(table)-1]
	// A table's own line goes above the header of a table inside of it.
	for _, h := range ed.doc.heads {
		if len(h.path) > len(table) && hasPrefix(h.path, table) {
			raw := string(ed.doc.text[h.parts[0].start:h.parts[len(table)-1].end])
			nl := ed.doc.newline()
			ed.splice(h.start, h.start, "["+raw+"]"+nl+name+" = "+value+nl+nl)
			return
		}
	}
	if len(up) > 0 && (len(table) > 2 || !ed.headed(up)) && ed.insert(up, last, "{ "+name+" = "+value+" }") {
		return
	}
	ed.append(table, name+" = "+value+ed.doc.newline())
}

func (ed *editor) headed(path []string) bool {
	return slices.ContainsFunc(ed.doc.heads, func(h head) bool { return slices.Equal(h.path, path) })
}

// insert adds a key to a table that is in the file; false if it is not.
func (ed *editor) insert(table []string, name, value string) bool {
	d := ed.doc
	if it := ed.find(table); it != nil && it.kind == unstable.InlineTable {
		ed.insertInline(it, name+" = "+value)
		return true
	}
	for i, h := range d.heads {
		if h.array || !slices.Equal(h.path, table) {
			continue
		}
		at, indent := h.end, ""
		for _, it := range d.items {
			if it.head == i && it.within < 0 {
				at = d.lineEnd(it.end)
				indent = string(d.text[d.lineStart(it.start):it.start])
			}
		}
		ed.line(at, indent+name+" = "+value)
		return true
	}
	// Dotted keys: a further one behind the last, with the same beginning.
	for i := len(d.items) - 1; i >= 0; i-- {
		it := d.items[i]
		own := len(it.path) - len(it.parts)
		if len(it.path) <= len(table) || own >= len(table) || !hasPrefix(it.path, table) {
			continue
		}
		begin := string(d.text[it.start:it.parts[len(table)-own-1].end])
		if it.within >= 0 {
			ed.splice(it.end, it.end, ", "+begin+"."+name+" = "+value)
			return true
		}
		indent := string(d.text[d.lineStart(it.start):it.start])
		if strings.TrimLeft(indent, " \t") != "" { // the byte order mark
			indent = ""
		}
		ed.line(d.lineEnd(it.end), indent+begin+"."+name+" = "+value)
		return true
	}
	return false
}

func (ed *editor) insertInline(table *item, keyValue string) {
	me := slices.IndexFunc(ed.doc.items, func(it item) bool { return it.start == table.start && it.end == table.end })
	last := -1
	for i, it := range ed.doc.items {
		if it.within == me {
			last = i
		}
	}
	if last >= 0 {
		end := ed.doc.items[last].end
		ed.splice(end, end, ", "+keyValue)
		return
	}
	ed.splice(table.value+1, table.value+1, " "+keyValue+" ")
}

// line adds a line at the start of another one or at the end of the text.
func (ed *editor) line(at int, s string) {
	nl := ed.doc.newline()
	if at > 0 && ed.doc.text[at-1] != '\n' {
		ed.splice(at, at, nl+s+nl)
		return
	}
	ed.splice(at, at, s+nl)
}

// append adds a table at the end, with a blank line before it.
func (ed *editor) append(table []string, lines string) {
	t, nl := ed.doc.text, ed.doc.newline()
	gap := ""
	switch s := string(t); {
	case s == "" || s == bom || strings.HasSuffix(s, "\n\n") || strings.HasSuffix(s, "\r\n\r\n"):
	case strings.HasSuffix(s, "\n"):
		gap = nl
	default:
		gap = nl + nl
	}
	top := ed.spelling(table[0])
	ed.splice(len(t), len(t), gap+"["+strings.Join(append([]string{top}, table[1:]...), ".")+"]"+nl+lines)
}

// spelling is how the file writes one of its top tables already: TOML's own names have case.
func (ed *editor) spelling(top string) string {
	d := ed.doc
	for _, h := range d.heads {
		if h.path[0] == top {
			return string(d.text[h.parts[0].start:h.parts[0].end])
		}
	}
	return top
}

// remove takes one key away, if it is there.
func (ed *editor) remove(path []string) {
	if ed.err != nil {
		return
	}
	if it := ed.find(path); it != nil {
		ed.cut(it)
	}
}

// cut takes a key away: its line, or its place in an inline table with one comma.
func (ed *editor) cut(it *item) {
	d := ed.doc
	if it.within < 0 {
		start := d.lineStart(it.start)
		if strings.HasPrefix(string(d.text[start:]), bom) {
			start += len(bom)
		}
		ed.splice(start, d.lineEnd(it.end), "")
		return
	}
	var before, after *item
	for i := range d.items {
		s := &d.items[i]
		switch {
		case s.within != it.within:
		case s.start < it.start:
			before = s
		case s.start > it.start && after == nil:
			after = s
		}
	}
	switch {
	case after != nil:
		ed.splice(it.start, after.start, "")
	case before != nil:
		ed.splice(before.end, it.end, "")
	default: // the only one: a comma behind it goes too
		end := it.end
		rest := strings.TrimLeft(string(d.text[end:]), " \t\r\n")
		if strings.HasPrefix(rest, ",") {
			end = len(d.text) - len(rest) + 1
		}
		ed.splice(it.start, end, "")
	}
}

// removeTable takes a table away wherever it is written, with all tables inside of it.
func (ed *editor) removeTable(path []string) {
	for ed.err == nil {
		if i := slices.IndexFunc(ed.doc.heads, func(h head) bool { return hasPrefix(h.path, path) }); i >= 0 {
			ed.cutSection(i)
			continue
		}
		i := slices.IndexFunc(ed.doc.items, func(it item) bool { return hasPrefix(it.path, path) })
		if i < 0 {
			return
		}
		ed.cut(&ed.doc.items[i])
	}
}

// cutSection takes away a header and its keys. Comments behind the last key stay: they may belong to what follows. One blank line is
// left where there were two.
func (ed *editor) cutSection(i int) {
	d := ed.doc
	start, end := d.heads[i].start, d.heads[i].end
	if strings.HasPrefix(string(d.text[start:]), bom) {
		start += len(bom)
	}
	for _, it := range d.items {
		if it.head == i {
			end = max(end, d.lineEnd(it.end))
		}
	}
	above := string(d.text[:start])
	if above == "" || above == bom || strings.HasSuffix(above, "\n\n") || strings.HasSuffix(above, "\n\r\n") {
		for end < len(d.text) && strings.TrimSpace(string(d.text[end:d.lineEnd(end)])) == "" {
			end = d.lineEnd(end)
		}
	}
	ed.splice(start, end, "")
}

// field is one value of an entry: how it is written, and whether it may be left out.
type field struct {
	path  []string
	value string
	same  bool // the file says so already
	zero  bool // what a missing key means
}

func (e Entry) fields(old Entry) []field {
	base := []string{tableNetwork, e.Device.Key()}
	at := func(keys ...string) []string { return append(slices.Clone(base), keys...) }
	kind := TypePrinter
	if e.Device.Drive() {
		kind = TypeDrive
	}
	o, oo := e.UseOptions, old.UseOptions
	return []field{
		{at(keyRemotePath), quote(e.RemotePath), e.RemotePath == old.RemotePath, false},
		{at(keyUserName), quote(e.UserName), e.UserName == old.UserName, e.UserName == ""},
		{at(keyProviderName), quote(e.ProviderName), e.ProviderName == old.ProviderName, e.ProviderName == ""},
		{at(keyProviderType), fmt.Sprintf("0x%08X", e.ProviderType), e.ProviderType == old.ProviderType, e.ProviderType == 0},
		{at(keyConnectionType), decimal(e.ConnectionType), e.ConnectionType == old.ConnectionType, e.ConnectionType == kind},
		{at(keyConnectFlags), decimal(e.ConnectFlags), e.ConnectFlags == old.ConnectFlags, e.ConnectFlags == 0},
		{at(keyDeferFlags), decimal(e.DeferFlags), e.DeferFlags == old.DeferFlags, e.DeferFlags == 0},
		{at(keyUseOptions, keyTCPPort), strconv.Itoa(o.TCPPort), o.TCPPort == oo.TCPPort, o.TCPPort == 0},
		{at(keyUseOptions, keyTransport), quote(o.Transport), o.Transport == oo.Transport, o.Transport == ""},
		{at(keyUseOptions, keySkipCert), strconv.FormatBool(o.SkipCertCheck), o.SkipCertCheck == oo.SkipCertCheck, !o.SkipCertCheck},
		{at(keyUseOptions, keyCompression), quote(o.RequestCompression), o.RequestCompression == oo.RequestCompression,
			o.RequestCompression == ""},
		{at(keyUseOptions, keySmartCard), strconv.FormatBool(o.SmartCard), o.SmartCard == oo.SmartCard, !o.SmartCard},
	}
}

// set writes an entry: only what differs from old where there is an old one, else all of it.
func (ed *editor) set(e, old Entry, exists bool) {
	options := []string{tableNetwork, e.Device.Key(), keyUseOptions}
	fields := e.fields(old)
	if !exists && !ed.wild() {
		ed.block(e, fields)
		return
	}
	for _, f := range fields {
		optional := len(f.path) > 3
		switch {
		case exists && f.same, !exists && optional && f.zero:
		case optional && f.zero:
			ed.remove(f.path)
		default:
			ed.put(f.path, f.value)
		}
	}
	if it := ed.find(options); ed.err == nil && it != nil && e.UseOptions == (wnet.UseOptions{}) && exists {
		if !slices.ContainsFunc(ed.doc.items, func(c item) bool { return len(c.path) > 3 && hasPrefix(c.path, options) }) {
			ed.cut(it)
		}
	}
}

// wild reports whether a person has written the devices otherwise than with one header each.
func (ed *editor) wild() bool {
	return slices.ContainsFunc(ed.doc.items, func(it item) bool {
		return it.path[0] == tableNetwork && len(it.path)-len(it.parts) == 0
	})
}

// block appends a new entry as one table, its options as one line.
func (ed *editor) block(e Entry, fields []field) {
	var lines strings.Builder
	var options []string
	nl := ed.doc.newline()
	for _, f := range fields {
		key := f.path[len(f.path)-1]
		switch {
		case len(f.path) == 3:
			lines.WriteString(key + " = " + f.value + nl)
		case !f.zero:
			options = append(options, key+" = "+f.value)
		}
	}
	if len(options) > 0 {
		lines.WriteString(keyUseOptions + " = { " + strings.Join(options, ", ") + " }" + nl)
	}
	ed.append([]string{tableNetwork, e.Device.Key()}, lines.String())
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// quote writes a TOML string: in single quotes if it can be, so that a person reads backslashes as they are.
func quote(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool { return r == '\'' || r < ' ' || r == 0x7f }) < 0
	if plain {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteAll(names []string) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = quote(n)
	}
	return "[" + strings.Join(all, ", ") + "]"
}
