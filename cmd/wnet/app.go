package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/win32"
)

// backend is what the commands talk to: the daemon, or a test's fake.
type backend interface {
	wnet.Service
	wnet.Sessions
}

// app is the command line with all that it touches, so that a test can stand in for each.
type app struct {
	stdin  *bufio.Reader
	stdout io.Writer
	stderr io.Writer

	inTerm, outTerm, errTerm bool // whether each is a terminal

	// tty opens the terminal on which the person sits, for what must not come from a pipe.
	tty func() (terminal, error)
	// dial connects to the daemon; start says whether it may be started for that. close ends the connection.
	dial func(ctx context.Context, start bool) (b backend, close func(), err error)
	// leave steps out of the current folder, which may be on the drive that is to be cancelled: wnet must not be what holds it.
	leave func() error
	// daemon gives access to what only the real daemon has.
	daemon daemonControl

	netUse bool // whether the command is `wnet use`, which words some failures as net does (NU-27)
	ran    bool // whether a command's own code began: what failed before is a wrong use of the command line
}

func newApp() *app {
	return &app{
		stdin: bufio.NewReader(os.Stdin), stdout: os.Stdout, stderr: os.Stderr,
		inTerm:  term.IsTerminal(int(os.Stdin.Fd())),
		outTerm: term.IsTerminal(int(os.Stdout.Fd())),
		errTerm: term.IsTerminal(int(os.Stderr.Fd())),
		tty:     openTTY,
		dial:    dialDaemon,
		leave:   func() error { return os.Chdir("/") },
		daemon:  realDaemon{},
	}
}

// statusError ends wnet with a status after everything was said already.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run executes one command line and gives its exit status (NU-26): 0, 1 for a command that is not understood, 2 for a system error.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var status statusError
	switch {
	case err == nil:
		return netuse.ExitOK
	case errors.As(err, &status):
		return int(status)
	case !a.ran:
		fmt.Fprintf(a.stderr, "%s: %v\n", cmd.CommandPath(), err)
		fmt.Fprintf(a.stderr, "What to do: %s --help\n", cmd.CommandPath())
		return netuse.ExitSyntax
	}
	return a.fail(err)
}

// fail prints an error as `net use` does, then wnet's own help, and gives the exit status.
func (a *app) fail(err error) int {
	var e *wnet.Error
	var s *netuse.SyntaxError
	var code win32.Code
	switch {
	case errors.As(err, &s), a.netUse:
		io.WriteString(a.stderr, netuse.Failure(err))
	case errors.As(err, &e), errors.As(err, &code), errors.Is(err, context.Canceled):
		io.WriteString(a.stderr, netuse.SystemError(wnet.CodeOf(err)))
	default:
		fmt.Fprintf(a.stderr, "wnet: %v\n", err)
		return netuse.ExitSystem
	}
	io.WriteString(a.stderr, netuse.Explain(err))
	return netuse.Status(err)
}

// service connects to the daemon, starting it if need be.
func (a *app) service(ctx context.Context) (backend, func(), error) { return a.dial(ctx, true) }

func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.stdout, format, args...) }
func (a *app) notef(format string, args ...any)  { fmt.Fprintf(a.stderr, format, args...) }

// root is the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "wnet",
		Short: "Map network folders to drive letters",
		Long: `wnet maps a folder on a server to a drive letter of your session, as "net use" does on Windows: "wnet use Z: //nas/media".
The drive appears at ~/wnet/Z for every program, comes back after a restart, and is given up with "wnet cancel Z:".

Exit status: 0 success, 1 a command that is not understood, 2 a system error (its number and text are printed).`,
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRun: func(*cobra.Command, []string) { a.ran = true },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(a.useCommand(), a.listCommand(), a.cancelCommand(), a.connectCommand(), a.disconnectCommand(), a.restoreCommand(),
		a.viewCommand(), a.sessionCommand(), a.credentialCommand(), a.shareCommand(), a.wineCommand(), a.daemonCommand(), a.stopCommand(), a.versionCommand(), a.helpmsgCommand(),
		a.manCommand(), a.demoCommand())
	return root
}
