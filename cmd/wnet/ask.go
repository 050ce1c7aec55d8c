package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

// terminal is where a person answers. Each question ends with ERROR_CANCELLED if the context does, or the person closes the input.
type terminal interface {
	// Line asks and reads one line, echoed.
	Line(ctx context.Context, prompt string) (string, error)
	// Print shows text to the person.
	Print(text string) error
	// Secret asks and reads one line without echo.
	Secret(ctx context.Context, prompt string) (wnet.Secret, error)
	Close() error
}

var _ terminal = (*ttyTerminal)(nil)

// ttyTerminal is the process's controlling terminal.
type ttyTerminal struct {
	f *os.File
	r *bufio.Reader
}

// openTTY opens /dev/tty, which is the person's even where standard input and output are not.
func openTTY() (terminal, error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &ttyTerminal{f, bufio.NewReader(f)}, nil
}

func (t *ttyTerminal) Close() error { return t.f.Close() }

func (t *ttyTerminal) Print(text string) error {
	_, err := io.WriteString(t.f, text)
	return err
}

func (t *ttyTerminal) Line(ctx context.Context, prompt string) (string, error) {
	io.WriteString(t.f, prompt)
	return await(ctx, t.line)
}

// line reads one line. The end of the input counts as the end of a line that was begun.
func (t *ttyTerminal) line() (string, error) {
	s, err := t.r.ReadString('\n')
	if err != nil && (s == "" || !errors.Is(err, io.EOF)) {
		return "", err
	}
	return strings.TrimRight(s, "\r\n"), nil
}

func (t *ttyTerminal) Secret(ctx context.Context, prompt string) (wnet.Secret, error) {
	fd := int(t.f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return wnet.Secret{}, err
	}
	// The echo goes before the prompt comes: a quick typist's first characters must not show either.
	if tio, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
		tio.Lflag = tio.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
		tio.Iflag |= unix.ICRNL
		unix.IoctlSetTermios(fd, unix.TCSETS, tio)
	}
	io.WriteString(t.f, prompt)
	// A Ctrl-C ends the wait, not the read: the echo comes back here whatever the read does.
	defer func() {
		term.Restore(fd, before)
		io.WriteString(t.f, "\n")
	}()
	// Not term.ReadPassword, which takes the end of the input (Ctrl-D) for nothing and waits on.
	return await(ctx, func() (wnet.Secret, error) {
		s, err := t.line()
		return wnet.NewSecret(s), err
	})
}

// await gives what read does, or ERROR_CANCELLED as soon as the context ends. The read itself can't be stopped; wnet ends after it.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	c := make(chan answer, 1)
	go func() {
		v, err := read()
		c <- answer{v, err}
	}()
	var none T
	select {
	case <-ctx.Done():
		return none, cancelled()
	case got := <-c:
		if got.err != nil {
			return none, cancelled()
		}
		return got.v, nil
	}
}

func cancelled() error { return &wnet.Error{Code: win32.ERROR_CANCELLED} }

// confirm asks a question that is answered with Y or N; anything but yes is No, the end of the input too. The answer is read from
// standard input, so that a script may pipe it in.
func (a *app) confirm(ctx context.Context, question string, given netuse.Answer) bool {
	if given != netuse.Ask {
		return given == netuse.Yes
	}
	io.WriteString(a.stdout, question)
	line, err := await(ctx, func() (string, error) {
		s, err := a.stdin.ReadString('\n')
		if s != "" {
			err = nil
		}
		return s, err
	})
	if !a.inTerm || err != nil {
		io.WriteString(a.stdout, "\n") // nobody typed one
	}
	return err == nil && saysYes(line)
}

func saysYes(s string) bool {
	s = strings.ToUpper(strings.TrimSpace(s))
	return s == "Y" || s == "YES"
}

// maxPassword bounds what --password-stdin reads.
const maxPassword = 64 << 10

// passwordFromPipe reads the first line of standard input.
func (a *app) passwordFromPipe(ctx context.Context) (wnet.Secret, error) {
	if a.inTerm {
		return a.askPassword(ctx, "this connection")
	}
	return await(ctx, func() (wnet.Secret, error) {
		s, err := bufio.NewReader(io.LimitReader(a.stdin, maxPassword)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return wnet.Secret{}, err
		}
		s = strings.TrimSuffix(s, "\n")
		if cut := strings.TrimPrefix(strings.TrimSuffix(s, "\r"), "\ufeff"); cut != s {
			a.notef("Note: a carriage return or byte order mark around the password was left out.\n")
			s = cut
		}
		return wnet.NewSecret(s), nil
	})
}

// askPassword asks for a password on the person's terminal (NU-04, NU-25).
func (a *app) askPassword(ctx context.Context, server string) (wnet.Secret, error) {
	t, err := a.tty()
	if err != nil {
		return wnet.Secret{}, &wnet.Error{Code: win32.ERROR_CANCELLED, Err: errors.New("there is no terminal to ask for the password on"),
			Hint: "Pipe it in: --password-stdin reads the first line of standard input."}
	}
	defer t.Close()
	return t.Secret(ctx, netuse.AskPassword(server))
}

// login is what a person may have to give before a server lets them in.
type login struct {
	User     string
	Password wnet.Secret
	HostKey  string
	Named    bool // the remote name says who the user is
	Prompted bool // the password was asked for, so that /SAVECRED applies (NU-07)
}

// logins is how often a person may try (NU-25).
const logins = 3

// authenticate runs try, and again with what the person answers: user name and password where the server refused and none was given,
// and whether to trust a server key that is not known yet. accept is the key accepted beforehand, netuse.AnyHostKey or "".
func (a *app) authenticate(ctx context.Context, server, accept string, l login, try func(login) error) error {
	given := l.Password.Present()
	askUser := l.User == "" && !l.Named
	for asked := 0; ; {
		err := try(l)
		var e *wnet.Error
		if !errors.As(err, &e) {
			return err
		}
		switch {
		case e.HostKey != "" && l.HostKey == "":
			ok, refused := a.trust(ctx, server, e.HostKey, accept)
			if refused != nil {
				return refused
			}
			if !ok {
				return err
			}
			l.HostKey = e.HostKey
		case !given && asked < logins && a.inTerm && wantsLogin(e.Code):
			t, opened := a.tty()
			if opened != nil {
				return err
			}
			if asked++; askUser {
				user, bad := t.Line(ctx, netuse.AskUser(server))
				if bad == nil {
					user, bad = wnet.Clean("user name", user)
				}
				if bad != nil {
					t.Close()
					return bad
				}
				l.User = user
			}
			pw, bad := t.Secret(ctx, netuse.AskPassword(server))
			t.Close()
			if bad != nil {
				return bad
			}
			l.Password, l.Prompted = pw, true
		default:
			return err
		}
	}
}

func wantsLogin(c win32.Code) bool {
	return c == win32.ERROR_INVALID_PASSWORD || c == win32.ERROR_LOGON_FAILURE || c == win32.ERROR_ACCESS_DENIED
}

// trust decides about a server key that is not known yet: by --accept-host-key, else by asking the person.
func (a *app) trust(ctx context.Context, server, key, accept string) (bool, error) {
	switch accept {
	case netuse.AnyHostKey, key:
		a.notef("The key of '%s' is accepted: %s\n", server, key)
		return true, nil
	case "":
	default:
		return false, &wnet.Error{Code: win32.ERROR_MUTUAL_AUTH_FAILED, Name: server,
			Err:  fmt.Errorf("the key of '%s' is %s, not the one given with --accept-host-key", server, key),
			Hint: "Compare the key with the one that the server's owner tells you."}
	}
	if !a.inTerm {
		return false, nil
	}
	t, err := a.tty()
	if err != nil {
		return false, nil
	}
	defer t.Close()
	answer, err := t.Line(ctx, netuse.AskTrust(server, key))
	return err == nil && saysYes(answer), err
}
