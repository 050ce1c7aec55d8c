package dialog

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/openwnet/wnet"
)

// Terminal asks line by line. Each question ends with ERROR_CANCELLED if the context does, or the person closes the input.
type Terminal interface {
	// Line asks and reads one line, echoed.
	Line(ctx context.Context, prompt string) (string, error)
	// Secret asks and reads one line without echo.
	Secret(ctx context.Context, prompt string) (wnet.Secret, error)
	// Print shows text.
	Print(text string) error
}

// Lines is a Screen of questions and answers, one a line, for a terminal that can't be drawn on and for who has it read aloud.
type Lines struct{ Terminal Terminal }

var _ Screen = Lines{}

// Ask implements Screen.
func (l Lines) Ask(ctx context.Context, f *Form) error {
	l.Say(f.Title)
	if f.Note != "" {
		l.Say(f.Note)
	}
	for _, field := range f.Fields {
		var err error
		switch q := field.(type) {
		case *Choice:
			err = l.choice(ctx, q)
		case *Text:
			err = l.text(ctx, q)
		case *Secret:
			q.Value, err = l.Terminal.Secret(ctx, q.Label+": ")
		case *Switch:
			err = l.yesNo(ctx, q)
		}
		if err != nil {
			if ctx.Err() == nil {
				return ErrClosed // the input is closed
			}
			return err
		}
	}
	return nil
}

func (l Lines) choice(ctx context.Context, c *Choice) error {
	for i, o := range c.Options {
		l.Say(fmt.Sprintf("%3d  %s", i+1, o))
	}
	for {
		s, err := l.Terminal.Line(ctx, fmt.Sprintf("%s (1-%d) [%d]: ", c.Label, len(c.Options), c.At+1))
		if err != nil {
			return err
		}
		if s = strings.TrimSpace(s); s == "" {
			return nil
		}
		if n, err := strconv.Atoi(s); err == nil && n >= 1 && n <= len(c.Options) {
			c.At = n - 1
			return nil
		}
		for i, o := range c.Options { // "Z" and "z:" mean Z:
			if strings.EqualFold(s, o) || strings.EqualFold(s+":", o) {
				c.At = i
				return nil
			}
		}
		l.Say("There is no " + s + ".")
	}
}

func (l Lines) text(ctx context.Context, t *Text) error {
	if t.Help != "" {
		l.Say(t.Help)
	}
	for _, s := range t.Suggest {
		l.Say("  " + s)
	}
	prompt := t.Label + ": "
	if t.Value != "" {
		prompt = t.Label + " [" + t.Value + "]: "
	}
	for {
		s, err := l.Terminal.Line(ctx, prompt)
		if err != nil {
			return err
		}
		if s == "" {
			s = t.Value
		}
		if t.Check != nil {
			if err := t.Check(s); err != nil {
				l.Say(err.Error())
				continue
			}
		}
		t.Value = s
		return nil
	}
}

func (l Lines) yesNo(ctx context.Context, q *Switch) error {
	def := "N"
	if q.On {
		def = "Y"
	}
	for {
		s, err := l.Terminal.Line(ctx, fmt.Sprintf("%s (Y/N) [%s]: ", q.Label, def))
		if err != nil {
			return err
		}
		switch strings.ToUpper(strings.TrimSpace(s)) {
		case "":
		case "Y", "YES":
			q.On = true
		case "N", "NO":
			q.On = false
		default:
			continue
		}
		return nil
	}
}

// Wait implements Screen. A Ctrl-C ends the program's context, and so the wait.
func (l Lines) Wait(ctx context.Context, what string, do func(ctx context.Context) error) error {
	l.Say(what + " ...")
	return do(ctx)
}

// Say implements Screen.
func (l Lines) Say(text string) { l.Terminal.Print(strings.TrimRight(text, "\n") + "\n") }
