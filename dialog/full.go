package dialog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/huh/v2/spinner"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Full is a Screen that draws forms on a terminal. Escape and Ctrl-C close a form.
type Full struct {
	In  *os.File // the terminal, which the screen gives back as it was
	Out *os.File
}

var _ Screen = Full{}

// rows is how many options of a choice are seen at once: with the title, the other fields and the help they fit into 24 lines.
const rows = 6

// Ask implements Screen.
func (s Full) Ask(ctx context.Context, f *Form) error {
	var fields []huh.Field
	var after []func()
	if f.Note != "" {
		fields = append(fields, huh.NewNote().Title(f.Title).Description(escape(f.Note)))
	}
	for i, field := range f.Fields {
		label := field.label()
		if i == 0 && f.Note == "" {
			label = f.Title + "\n" + label
		}
		switch q := field.(type) {
		case *Choice:
			var options []huh.Option[int]
			for at, text := range q.Options {
				options = append(options, huh.NewOption(text, at))
			}
			pick := huh.NewSelect[int]().Title(label).Options(options...).Value(&q.At)
			if len(options) > rows {
				pick.Height(rows + 1 + strings.Count(label, "\n"))
			}
			fields = append(fields, pick)
		case *Text:
			in := huh.NewInput().Title(label).Description(q.Help).Suggestions(q.Suggest).Value(&q.Value)
			if q.Check != nil {
				in.Validate(q.Check)
			}
			fields = append(fields, in)
		case *Secret:
			text := new(string)
			fields = append(fields, huh.NewInput().Title(label).EchoMode(huh.EchoModePassword).Value(text))
			after = append(after, func() { q.Value = wnet.NewSecret(*text) })
		case *Switch:
			fields = append(fields, huh.NewConfirm().Title(label).Value(&q.On))
		}
	}
	keys := huh.NewDefaultKeyMap()
	keys.Quit = key.NewBinding(key.WithKeys("esc", "ctrl+c"), key.WithHelp("esc", "close"))
	form := huh.NewForm(huh.NewGroup(fields...)).WithKeyMap(keys).WithInput(s.In).WithOutput(s.Out).
		WithProgramOptions(tea.WithInput(s.In), tea.WithOutput(s.Out), tea.WithoutSignalHandler())
	switch err := form.RunWithContext(ctx); {
	case err == nil:
		for _, f := range after {
			f()
		}
		return nil
	case ctx.Err() != nil:
		return &wnet.Error{Code: win32.ERROR_CANCELLED, Err: ctx.Err()}
	case errors.Is(err, huh.ErrUserAborted):
		return ErrClosed
	default:
		return &wnet.Error{Code: win32.ERROR_GEN_FAILURE, Err: fmt.Errorf("the terminal can't be drawn on: %w", err)}
	}
}

// escape keeps a text from being taken for the little markdown that a note knows.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "_", `\_`, "*", `\*`, "`", "\\`").Replace(s)
}

// Wait implements Screen. Ctrl-C gives up.
func (s Full) Wait(ctx context.Context, what string, do func(ctx context.Context) error) error {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = do(inner)
	}()
	shown := spinner.New().Title(what + " (Ctrl-C gives up)").WithInput(s.In).WithOutput(s.Out).Context(ctx).ActionWithErr(func(context.Context) error {
		<-done
		return nil
	}).Run()
	gaveUp := errors.Is(shown, tea.ErrInterrupted)
	if gaveUp {
		stop()
	}
	<-done // do ends soon after its context
	if gaveUp && err != nil {
		return ErrClosed
	}
	return err
}

// Say implements Screen.
func (s Full) Say(text string) { fmt.Fprintln(s.Out, strings.TrimRight(text, "\n")) }
