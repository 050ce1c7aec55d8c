package auth

import (
	"errors"
	"fmt"
	"log/slog"
)

// Secret is a password that cannot be printed, logged or marshalled by accident: every formatting verb gives "(secret)", and marshalling
// fails. The zero Secret is absent; NewSecret("") is present and empty. A Secret is immutable and may be copied.
type Secret struct {
	// A pointer to a string, because package fmt follows no such pointer: it prints a Secret in a struct's unexported field without its
	// methods, and a pointer to a struct it would follow there.
	value *string
}

// NewSecret returns a present secret.
func NewSecret(s string) Secret { return Secret{&s} }

// Present reports whether there is a secret at all, an empty one included.
func (s Secret) Present() bool { return s.value != nil }

// Reveal returns the secret's text, "" if absent.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

const hidden = "(secret)"

var errSecret = errors.New("auth: a Secret is not marshalled")

// String implements fmt.Stringer and hides the text.
func (s Secret) String() string { return hidden }

// GoString implements fmt.GoStringer and hides the text.
func (s Secret) GoString() string { return hidden }

// Format implements fmt.Formatter and hides the text for every verb.
func (s Secret) Format(f fmt.State, _ rune) { f.Write([]byte(hidden)) }

// LogValue implements slog.LogValuer and hides the text.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText always fails.
func (s Secret) MarshalText() ([]byte, error) { return nil, errSecret }

// MarshalJSON always fails.
func (s Secret) MarshalJSON() ([]byte, error) { return nil, errSecret }

// GobEncode always fails.
func (s Secret) GobEncode() ([]byte, error) { return nil, errSecret }
