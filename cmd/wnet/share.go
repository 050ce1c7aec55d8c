package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
	"github.com/openwnet/wnet/paths"
	"github.com/openwnet/wnet/share"
	"github.com/openwnet/wnet/win32"
)

type shareOptions struct {
	listen, user, keys, hostKey string
	stdin, readOnly             bool
}

func (a *app) shareCommand() *cobra.Command {
	var o shareOptions
	cmd := &cobra.Command{
		Use:   "share DIR",
		Short: "Serve a folder that wnet can map, where no server is at hand",
		Long: `share serves DIR through SFTP until it is ended with Ctrl-C, and prints the command that maps it. It listens on loopback and a free
port unless --listen says otherwise. Without --password-stdin and --authorized-keys it makes a password and shows it once, on the
terminal.`,
		Example: "  wnet share ~/films\n  wnet share --listen :2222 --authorized-keys ~/.ssh/authorized_keys /srv",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.share(cmd.Context(), args[0], o) },
	}
	cmd.Flags().StringVar(&o.listen, "listen", "", "address to listen on, HOST:PORT (default a free port on loopback)")
	cmd.Flags().StringVar(&o.user, "user", "", "user name that may log in (default your own)")
	cmd.Flags().BoolVar(&o.stdin, "password-stdin", false, "read the password from standard input")
	cmd.Flags().BoolVar(&o.readOnly, "read-only", false, "refuse every change")
	cmd.Flags().StringVar(&o.keys, "authorized-keys", "", "file of SSH keys that may log in")
	cmd.Flags().StringVar(&o.hostKey, "host-key", "", "file of the server's own key, made if it is missing (default in wnet's state folder)")
	return cmd
}

func (a *app) share(ctx context.Context, dir string, o shareOptions) error {
	cfg := share.Config{Dir: dir, Listen: listenAddress(o.listen), User: o.user, ReadOnly: o.readOnly, HostKey: o.hostKey,
		Logger: slog.New(slog.NewTextHandler(a.stderr, nil))}
	var err error
	if cfg.HostKey == "" {
		if cfg.HostKey, err = shareHostKey(); err != nil {
			return err
		}
	}
	if o.keys != "" {
		if cfg.AuthorizedKeys, err = authorizedKeys(o.keys); err != nil {
			return err
		}
	}
	generated := false
	switch {
	case o.stdin:
		cfg.Password, err = a.passwordFromPipe(ctx)
	case o.keys == "":
		cfg.Password, generated = wnet.NewSecret(rand.Text()), true
	}
	if err != nil {
		return err
	}
	var t terminal
	if generated {
		if t, err = a.tty(); err != nil {
			return &wnet.Error{Op: "Share", Name: dir, Code: win32.ERROR_INVALID_PARAMETER,
				Err:  errors.New("there is no terminal to show a new password on"),
				Hint: "Pipe a password in (--password-stdin), or name keys (--authorized-keys)."}
		}
		defer t.Close()
	}
	srv, err := share.Serve(ctx, cfg)
	if err != nil {
		return err
	}
	defer srv.Close()
	a.printf("%s is shared at %s. Ctrl-C ends it.\n", tilde(dir), srv.Addr())
	if generated {
		if err := t.Print("The password, shown only now: " + cfg.Password.Reveal() + "\n"); err != nil {
			return err
		}
	}
	args := []string{"wnet", "use", "Z:", shareURL(srv.User(), srv.Addr())}
	if cfg.Password.Present() {
		args = append(args, "*")
	}
	a.printf("Map it with:\n  %s\n", netuse.Quote(append(args, "--accept-host-key="+srv.HostKey())...))
	<-srv.Done()
	return nil
}

// shareURL is the address that maps the share's top. A server that listens everywhere is called by the computer's name.
func shareURL(user string, addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "sftp://" + user + "@" + addr.String() + "/"
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return "sftp://" + user + "@" + net.JoinHostPort(host, port) + "/"
}

// listenAddress takes HOST, HOST:PORT and :PORT.
func listenAddress(s string) string {
	if s == "" || strings.Contains(s, ":") && net.ParseIP(s) == nil {
		return s
	}
	return net.JoinHostPort(s, "0")
}

// shareHostKey is the file that keeps the share's own key, so that a client meets the same server every time.
func shareHostKey() (string, error) {
	p, err := paths.Find()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(p.StateDir, 0o700); err != nil {
		return "", fileError(p.StateDir, err)
	}
	return filepath.Join(p.StateDir, "share_host_ed25519"), nil
}

// fileError gives a file's error the code that Windows has for it.
func fileError(name string, err error) error {
	e := &wnet.Error{Op: "Share", Name: name, Code: win32.ERROR_GEN_FAILURE, Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Code = win32.ERROR_FILE_NOT_FOUND
	case errors.Is(err, fs.ErrPermission):
		e.Code = win32.ERROR_ACCESS_DENIED
	}
	return e
}

// authorizedKeys reads a file in the form of OpenSSH's authorized_keys. A line that is no key is an error: who may log in is not guessed.
func authorizedKeys(file string) ([]ssh.PublicKey, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fileError(file, err)
	}
	var keys []ssh.PublicKey
	for n, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return nil, &wnet.Error{Op: "Share", Name: file, Code: win32.ERROR_INVALID_PARAMETER,
				Err: fmt.Errorf("line %d of %s is no SSH key", n+1, file)}
		}
		keys = append(keys, key)
	}
	return keys, nil
}
