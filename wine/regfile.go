package wine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/google/renameio/v2"
)

// regFile is one of the text files in which Wine keeps a registry that is not in use: system.reg for HKLM, user.reg for HKCU. What is not
// changed is written back byte by byte.
type regFile struct {
	path     string
	stat     os.FileInfo // when it was read
	head     []string
	sections []*section
	index    map[string]*section // by lower-case key
	dirty    bool
}

type section struct {
	key   string
	lines []string // the header, then values; a value may take several lines
}

func readReg(path string) (*regFile, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(text, []byte("WINE REGISTRY Version 2\n")) {
		return nil, fmt.Errorf("%s is no registry file of Wine that wnet knows", path)
	}
	r := &regFile{path: path, stat: stat, index: map[string]*section{}}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if strings.HasPrefix(line, "[") {
			if end := strings.LastIndexByte(line, ']'); end > 0 {
				r.add(&section{key: unescape(line[1:end]), lines: []string{line}})
				continue
			}
		}
		if n := len(r.sections); n > 0 {
			r.sections[n-1].lines = append(r.sections[n-1].lines, line)
		} else {
			r.head = append(r.head, line)
		}
	}
	return r, nil
}

func (r *regFile) add(s *section) {
	r.sections = append(r.sections, s)
	r.index[strings.ToLower(s.key)] = s
}

func (r *regFile) arch() string {
	for _, line := range r.head {
		if a, ok := strings.CutPrefix(line, "#arch="); ok {
			return a
		}
	}
	return ""
}

// escape and unescape are for what stands between quotes, and for keys.
func escape(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		switch {
		case u == '\\' || u == '"':
			b.WriteByte('\\')
			b.WriteByte(byte(u))
		case u == '\n':
			b.WriteString(`\n`)
		case u < 0x20 || u > 0x7e:
			fmt.Fprintf(&b, `\x%04x`, u)
		default:
			b.WriteByte(byte(u))
		}
	}
	return b.String()
}

func unescape(s string) string {
	var units []uint16
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			units = append(units, uint16(s[i]))
			continue
		}
		i++
		switch s[i] {
		case 'n':
			units = append(units, '\n')
		case 'r':
			units = append(units, '\r')
		case 't':
			units = append(units, '\t')
		case '0':
			units = append(units, 0)
		case 'x':
			n := 0
			for n < 4 && i+1+n < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[i+1+n]) >= 0 {
				n++
			}
			v, _ := strconv.ParseUint(s[i+1:i+1+n], 16, 16)
			units = append(units, uint16(v))
			i += n
		default:
			units = append(units, uint16(s[i]))
		}
	}
	return string(utf16.Decode(units))
}

// split takes a value's line apart; ok is false for another line.
func splitValue(line string) (name, data string, ok bool) {
	if strings.HasPrefix(line, "@=") {
		return "", line[2:], true
	}
	if !strings.HasPrefix(line, `"`) {
		return "", "", false
	}
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			if data, ok = strings.CutPrefix(line[i+1:], "="); ok {
				return unescape(line[1:i]), data, true
			}
			return "", "", false
		}
	}
	return "", "", false
}

func parseValue(data string) value {
	quoted := func(s string) (string, bool) {
		if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
			return "", false
		}
		return unescape(s[1 : len(s)-1]), true
	}
	if s, ok := quoted(data); ok {
		return value{"sz", s}
	}
	if s, ok := strings.CutPrefix(data, "str(2):"); ok {
		if s, ok = quoted(s); ok {
			return value{"expand", s}
		}
	}
	if s, ok := strings.CutPrefix(data, "dword:"); ok {
		if n, err := strconv.ParseUint(s, 16, 32); err == nil {
			return value{"dword", strconv.FormatUint(n, 10)}
		}
	}
	return value{kind: "other"}
}

func (v value) line(name string) string {
	data := `"` + escape(v.text) + `"`
	switch v.kind {
	case "expand":
		data = "str(2):" + data
	case "dword":
		n, _ := strconv.ParseUint(v.text, 10, 32)
		data = fmt.Sprintf("dword:%08x", n)
	}
	return `"` + escape(name) + `"=` + data
}

// find gives the lines of a value: from, to.
func (s *section) find(name string) (from, to int) {
	for i := 1; i < len(s.lines); i++ {
		n, _, ok := splitValue(s.lines[i])
		if !ok || !strings.EqualFold(n, name) {
			continue
		}
		to := i + 1
		for strings.HasSuffix(s.lines[to-1], `\`) && to < len(s.lines) {
			to++
		}
		return i, to
	}
	return 0, 0
}

func (r *regFile) get(key, name string) (value, bool) {
	s := r.index[strings.ToLower(key)]
	if s == nil {
		return value{}, false
	}
	from, _ := s.find(name)
	if from == 0 {
		return value{}, false
	}
	_, data, _ := splitValue(s.lines[from])
	return parseValue(data), true
}

func (r *regFile) set(key, name string, v value) {
	if have, ok := r.get(key, name); ok && have == v {
		return
	}
	r.dirty = true
	s := r.index[strings.ToLower(key)]
	if s == nil {
		r.blank()
		s = &section{key: key, lines: []string{fmt.Sprintf("[%s] %d", escape(key), time.Now().Unix())}}
		r.add(s)
	}
	if from, to := s.find(name); from > 0 {
		s.lines = append(append(append([]string{}, s.lines[:from]...), v.line(name)), s.lines[to:]...)
		return
	}
	end := len(s.lines)
	for end > 1 && s.lines[end-1] == "" {
		end--
	}
	s.lines = append(append(append([]string{}, s.lines[:end]...), v.line(name)), s.lines[end:]...)
}

// blank ends the last section with an empty line.
func (r *regFile) blank() {
	if n := len(r.sections); n > 0 {
		if s := r.sections[n-1]; s.lines[len(s.lines)-1] != "" {
			s.lines = append(s.lines, "")
		}
	}
}

func (r *regFile) unset(key, name string) {
	s := r.index[strings.ToLower(key)]
	if s == nil {
		return
	}
	if from, to := s.find(name); from > 0 {
		s.lines = append(append([]string{}, s.lines[:from]...), s.lines[to:]...)
		r.dirty = true
	}
}

// names gives the keys below key.
func (r *regFile) names(key string) []string {
	var all []string
	seen := map[string]bool{}
	prefix := strings.ToLower(key) + `\`
	for _, s := range r.sections {
		if low := strings.ToLower(s.key); strings.HasPrefix(low, prefix) {
			name, _, _ := strings.Cut(s.key[len(prefix):], `\`)
			if !seen[strings.ToLower(name)] {
				seen[strings.ToLower(name)] = true
				all = append(all, name)
			}
		}
	}
	return all
}

// drop removes a key that has none below it, and no values either unless all is set.
func (r *regFile) drop(key string, all bool) {
	low := strings.ToLower(key)
	s := r.index[low]
	if s == nil || len(r.names(key)) > 0 {
		return
	}
	if !all {
		for _, line := range s.lines[1:] {
			if _, _, ok := splitValue(line); ok {
				return
			}
		}
	}
	for i, x := range r.sections {
		if x == s {
			r.sections = append(r.sections[:i:i], r.sections[i+1:]...)
			break
		}
	}
	delete(r.index, low)
	r.dirty = true
}

var errRegChanged = errors.New("the registry was changed by Wine meanwhile")

// save writes the file, if anything was changed and nobody else wrote it.
func (r *regFile) save() error {
	if !r.dirty {
		return nil
	}
	now, err := os.Stat(r.path)
	if err != nil {
		return err
	}
	if !os.SameFile(now, r.stat) || !now.ModTime().Equal(r.stat.ModTime()) || now.Size() != r.stat.Size() {
		return errRegChanged
	}
	var b bytes.Buffer
	for _, line := range r.head {
		b.WriteString(line + "\n")
	}
	for _, s := range r.sections {
		for _, line := range s.lines {
			b.WriteString(line + "\n")
		}
	}
	if err := renameio.WriteFile(r.path, b.Bytes(), r.stat.Mode().Perm(), renameio.WithTempDir(filepath.Dir(r.path))); err != nil {
		return err
	}
	r.dirty = false
	return nil
}
