package redial

import (
	"errors"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// The reason is read by a person: two sentences stay two, however the first one ends.
func TestReasonIsSentences(t *testing.T) {
	now := time.Now()
	for _, cause := range []string{"no password was given", "no password was given."} {
		f := &failure{err: &wnet.Error{Code: win32.ERROR_INVALID_PASSWORD, Err: errors.New(cause)}, first: now, last: now, count: 1, final: true}
		want := "no connection since " + clock(now, now) +
			": The specified network password is not correct: no password was given. It is not tried again by itself."
		if got := f.reason(now); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
