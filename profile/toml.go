package profile

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/openwnet/wnet"
)

// document is a TOML text and where its parts stand in it. All offsets count from the start of text, a byte order mark included.
type document struct {
	text  []byte
	items []item
	heads []head
}

// item is one key with its value, also one inside an inline table.
type item struct {
	path       []string // canonical, see canonical
	raw        []string // as written
	parts      []span   // the key's own parts, the last len(parts) of path
	start, end int      // from the key to the end of the value
	value      int      // where the value starts
	head       int      // the header above, -1 for none
	within     int      // the item whose inline table this one is in, -1 for none
	kind       unstable.Kind
	val        any // string, int64, bool or []string; nil for what wnet keeps nowhere
}

// head is a table's header line.
type head struct {
	path  []string
	raw   []string
	parts []span
	array bool // [[name]]
	start int  // of the line
	end   int  // of the line, its newline included
}

type span struct{ start, end int }

const bom = "\ufeff"

// syntaxError is a fault in the TOML text itself.
type syntaxError struct {
	line, column int
	msg          string
}

func (e *syntaxError) Error() string { return e.msg }

// parse indexes a text. The library's decoder checks syntax and doubles, its parser gives the places.
func parse(text []byte) (*document, error) {
	skip := 0
	if bytes.HasPrefix(text, []byte(bom)) {
		skip = len(bom)
	}
	body := text[skip:]
	var all map[string]any
	if err := toml.Unmarshal(body, &all); err != nil {
		e := &syntaxError{1, 1, strings.TrimPrefix(err.Error(), "toml: ")}
		var d *toml.DecodeError
		if errors.As(err, &d) {
			e.line, e.column = d.Position()
		}
		return nil, e
	}
	d := &document{text: text}
	p := unstable.Parser{}
	p.Reset(body)
	table := head{}
	for p.NextExpression() {
		n := p.Expression()
		switch n.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = d.header(n, skip)
			d.heads = append(d.heads, table)
		case unstable.KeyValue:
			d.keyValue(n, skip, table.raw, -1)
		}
	}
	if err := p.Error(); err != nil { // the decoder took it, so this can't be
		return nil, &syntaxError{1, 1, err.Error()}
	}
	return d, nil
}

// key reads a dotted key.
func key(it unstable.Iterator, skip int) (raw []string, parts []span) {
	for it.Next() {
		n := it.Node()
		start := skip + int(n.Raw.Offset)
		raw = append(raw, string(n.Data))
		parts = append(parts, span{start, start + int(n.Raw.Length)})
	}
	return raw, parts
}

func (d *document) header(n *unstable.Node, skip int) head {
	h := head{array: n.Kind == unstable.ArrayTable}
	h.raw, h.parts = key(n.Key(), skip)
	h.path = canonical(h.raw)
	h.start = d.lineStart(h.parts[0].start)
	h.end = d.lineEnd(h.parts[len(h.parts)-1].end)
	return h
}

func (d *document) keyValue(n *unstable.Node, skip int, above []string, within int) {
	it := item{head: len(d.heads) - 1, within: within}
	own, parts := key(n.Key(), skip)
	it.parts = parts
	it.raw = append(slices.Clone(above), own...)
	it.path = canonical(it.raw)
	it.start = parts[0].start
	it.end = skip + int(n.Raw.Offset+n.Raw.Length)
	// Behind the key: blanks, the equals sign, blanks.
	v := parts[len(parts)-1].end
	v += bytes.IndexByte(d.text[v:], '=') + 1
	for d.text[v] == ' ' || d.text[v] == '\t' {
		v++
	}
	it.value = v
	value := n.Value()
	it.kind, it.val = value.Kind, decode(value)
	d.items = append(d.items, it)
	if it.kind != unstable.InlineTable {
		return
	}
	me := len(d.items) - 1
	for c := value.Children(); c.Next(); {
		if c.Node().Kind == unstable.KeyValue {
			d.keyValue(c.Node(), skip, it.raw, me)
		}
	}
}

func decode(n *unstable.Node) any {
	switch n.Kind {
	case unstable.String:
		return string(n.Data)
	case unstable.Bool:
		return string(n.Data) == "true"
	case unstable.Integer:
		if v, err := strconv.ParseInt(strings.ReplaceAll(string(n.Data), "_", ""), 0, 64); err == nil {
			return v
		}
	case unstable.Array:
		all := []string{}
		for c := n.Children(); c.Next(); {
			if c.Node().Kind != unstable.String {
				return nil
			}
			all = append(all, string(c.Node().Data))
		}
		return all
	}
	return nil
}

func (d *document) lineStart(at int) int { return bytes.LastIndexByte(d.text[:at], '\n') + 1 }

func (d *document) lineEnd(at int) int {
	if i := bytes.IndexByte(d.text[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(d.text)
}

// newline is what ends the file's lines.
func (d *document) newline() string {
	if i := bytes.IndexByte(d.text, '\n'); i > 0 && d.text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// position turns an offset into a line and a column of characters, both from 1.
func position(text []byte, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	start := bytes.LastIndexByte(before, '\n') + 1
	column = utf8.RuneCount(before[start:]) + 1
	if start == 0 && bytes.HasPrefix(text, []byte(bom)) {
		column--
	}
	return bytes.Count(before, []byte("\n")) + 1, column
}

// The tables and keys that wnet knows.
const (
	tableNetwork = "Network"
	tablePersist = "PersistentConnections"
	tableOrder   = "Order"
	keySave      = "SaveConnections"
	keyRecent    = "Recent"
	keyHome      = "HomeDirectory"
	keyOrder     = "ProviderOrder"

	keyRemotePath     = "RemotePath"
	keyUserName       = "UserName"
	keyProviderName   = "ProviderName"
	keyProviderType   = "ProviderType"
	keyConnectionType = "ConnectionType"
	keyConnectFlags   = "ConnectFlags"
	keyDeferFlags     = "DeferFlags"
	keyUseOptions     = "UseOptions"
	keyTCPPort        = "TCPPort"
	keyTransport      = "Transport"
	keySkipCert       = "SkipCertCheck"
	keyCompression    = "RequestCompression"
	keySmartCard      = "SmartCard"
)

// entryKeys and optionKeys are never changed.
var (
	entryKeys = []string{keyRemotePath, keyUserName, keyProviderName, keyProviderType, keyConnectionType, keyConnectFlags, keyDeferFlags,
		keyUseOptions}
	optionKeys = []string{keyTCPPort, keyTransport, keySkipCert, keyCompression, keySmartCard}
)

// fold gives s the spelling of the known word that it equals but for case.
func fold(s string, known ...string) string {
	for _, k := range known {
		if strings.EqualFold(s, k) {
			return k
		}
	}
	return s
}

// canonical spells the parts of a path that wnet knows as it writes them itself. A device that is none stays as it is.
func canonical(raw []string) []string {
	p := slices.Clone(raw)
	if len(p) > 0 {
		p[0] = fold(p[0], tableNetwork, tablePersist, tableOrder)
	}
	if len(p) < 2 {
		return p
	}
	switch p[0] {
	case tablePersist:
		p[1] = fold(p[1], keySave, keyRecent, keyHome)
	case tableOrder:
		p[1] = fold(p[1], keyOrder)
	case tableNetwork:
		if d, err := parseKey(p[1]); err == nil {
			p[1] = d.Key()
		}
		if len(p) > 2 {
			p[2] = fold(p[2], entryKeys...)
		}
		if len(p) > 3 && p[2] == keyUseOptions {
			p[3] = fold(p[3], optionKeys...)
		}
	}
	return p
}

// parseKey reads a device as the file has it: with or without a colon.
func parseKey(s string) (wnet.Device, error) {
	if len(s) == 1 {
		s += ":"
	}
	return wnet.ParseDevice(s)
}

func hasPrefix(path, prefix []string) bool {
	return len(path) >= len(prefix) && slices.Equal(path[:len(prefix)], prefix)
}
