package auth

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// A password shows in no verb, no structure and no error.
func TestSecretsStayHidden(t *testing.T) {
	const word = "Sesam-öffne-dich"
	c, err := Password("anna", NewSecret(word), Options{})
	if err != nil {
		t.Fatal(err)
	}
	type holder struct{ S, s Secret }
	h := holder{NewSecret(word), NewSecret(word)}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{c, *h.S.value == word, h, &h, h.S, []any{c}} {
			if out := fmt.Sprintf(format, v); strings.Contains(out, word) || strings.Contains(out, fmt.Sprintf("%x", word)) {
				t.Errorf("%s of %T shows it", format, v)
			}
		}
	}
	if b, err := json.Marshal(h); err == nil {
		t.Errorf("marshalled: %s", b)
	}
}
