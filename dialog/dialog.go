// Package dialog is what WNetConnectionDialog and WNetDisconnectDialog are on a terminal: a person browses the network, picks a device,
// says whether to remember it, gives credentials, and sees what is wrong where it is wrong.
//
// The two dialogs, Connect and Disconnect, are plain sequences of forms over a wnet.Service. What a form looks like is a Screen's: Full for a
// terminal that can be drawn on, Lines for one that can't, and for a screen reader. A test's Screen fills the forms in.
//
// A person may close any form. That ends the dialog with ErrClosed, for which the WNet functions return 0xFFFFFFFF (DG-01).
package dialog

import (
	"context"
	"errors"

	"github.com/openwnet/wnet"
)

// Closed is what the dialog functions return when the person closes the dialog: no Win32 code, and not ERROR_CANCELLED (DG-01).
const Closed uint32 = 0xFFFFFFFF

// ErrClosed says that the person closed the dialog. Nothing was changed.
var ErrClosed = errors.New("the dialog was closed")

// Service is what the dialogs need of a session.
type Service interface {
	wnet.Connector
	wnet.Lister
	wnet.Settings
}

// Screen shows forms to a person.
type Screen interface {
	// Ask shows a form and returns when the person has filled it in; the fields then hold the answers. ErrClosed if the person closed
	// it, ERROR_CANCELLED if ctx ended.
	Ask(ctx context.Context, f *Form) error
	// Wait shows that something goes on while do runs. The person may give up, which ends do's context; Wait returns when do has
	// returned, with do's error, or ErrClosed if the person gave up and do failed.
	Wait(ctx context.Context, what string, do func(ctx context.Context) error) error
	// Say shows a text that stays on the screen when the dialog is over.
	Say(text string)
}

// Form is what a person fills in at once.
type Form struct {
	Title  string
	Note   string // what the person must know first, such as why the last try failed; "" for none
	Fields []Field
}

// Field is one question of a form: a *Choice, *Text, *Secret or *Switch.
type Field interface{ label() string }

// Choice picks one of several options.
type Choice struct {
	Label   string
	Options []string // at least one
	At      int      // the index of the one picked; before, of the one proposed
}

// Text is a line of text.
type Text struct {
	Label   string
	Help    string
	Value   string
	Suggest []string                // values that the person may take over
	Check   func(text string) error // whether a value will do; its text is shown where it will not. nil for any
}

// Secret is a line that is not shown.
type Secret struct {
	Label string
	Value wnet.Secret
}

// Switch is a question for yes or no.
type Switch struct {
	Label string
	On    bool
}

var (
	_ Field = (*Choice)(nil)
	_ Field = (*Text)(nil)
	_ Field = (*Secret)(nil)
	_ Field = (*Switch)(nil)
)

func (c *Choice) label() string { return c.Label }
func (t *Text) label() string   { return t.Label }
func (s *Secret) label() string { return s.Label }
func (s *Switch) label() string { return s.Label }
