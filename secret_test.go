package wnet

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

const password = "hunter2"

// keeper has a Secret where a printer that goes by reflection can't call its methods.
type keeper struct {
	User   string
	Secret Secret
	inner  Secret
	list   []Secret
	any    any
}

// No verb, no logger and no encoder gives a Secret away, wherever in a value it is.
func TestSecretIsNotPrinted(t *testing.T) {
	s := NewSecret(password)
	k := keeper{"anna", s, s, []Secret{s}, s}
	hex := fmt.Sprintf("%x", password)
	leaks := func(out string) bool {
		return strings.Contains(out, password) || strings.Contains(strings.ToLower(out), hex) || strings.Contains(out, fmt.Sprint([]byte(password)))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%U", "%c", "%-20s", "%.3s", "%w", "% x", "%#x"} {
		for _, v := range []any{s, &s, k, &k, []Secret{s}, map[string]Secret{"a": s}, AddRequest{Password: s}, [1]any{s}} {
			if out := fmt.Sprintf(verb, v); leaks(out) {
				t.Errorf("%s of %T: %s", verb, v, out)
			}
		}
	}
	if out := fmt.Sprint(s, s.String(), s.GoString()); leaks(out) || !strings.Contains(out, "(secret)") {
		t.Error(out)
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "secret", s, "pointer", &s, "keeper", k, "request", AddRequest{Password: s}, "group", slog.GroupValue(slog.Any("in", s)))
	}
	if leaks(log.String()) {
		t.Errorf("log: %s", &log)
	}
	for name, marshal := range map[string]func(any) ([]byte, error){
		"json": json.Marshal, "toml": toml.Marshal, "xml": xml.Marshal,
		"gob": func(v any) ([]byte, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.Bytes(), err
		},
		"text": func(v any) ([]byte, error) { return s.MarshalText() },
	} {
		for _, v := range []any{s, struct{ S Secret }{s}, AddRequest{Password: s}} {
			if b, err := marshal(v); err == nil || leaks(string(b)) || leaks(err.Error()) {
				t.Errorf("%s of %T: %q %v", name, v, b, err)
			}
		}
	}
}

// Absent and empty are two things (A2-06).
func TestSecret(t *testing.T) {
	absent, empty, full := Secret{}, NewSecret(""), NewSecret(password)
	for i, s := range []Secret{absent, empty, full} {
		if s.Present() != (i > 0) || s.Reveal() != []string{"", "", password}[i] {
			t.Errorf("%d: %v %q", i, s.Present(), s.Reveal())
		}
		for j, o := range []Secret{{}, NewSecret(""), NewSecret(password)} {
			if s.Equal(o) != (i == j) {
				t.Errorf("%d equal to %d: %v", i, j, s.Equal(o))
			}
		}
	}
}
