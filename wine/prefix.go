package wine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// DefaultPrefix is the prefix that Wine itself would use: WINEPREFIX, else ~/.wine.
func DefaultPrefix() string {
	if p := os.Getenv("WINEPREFIX"); p != "" {
		return p
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".wine")
}

// FindWine gives the program that runs others in Wine: given, if it is not "", else WINELOADER, `wine` or `wine64` in PATH, or where
// distributions put it. ERROR_FILE_NOT_FOUND if there is none.
func FindWine(given string) (string, error) {
	try := []string{given}
	if given == "" {
		try = []string{os.Getenv("WINELOADER"), "wine", "wine64", "/usr/lib/wine/wine64", "/usr/lib/wine/wine", "/opt/wine-stable/bin/wine",
			"/opt/wine-staging/bin/wine", "/opt/wine-devel/bin/wine"}
	}
	for _, name := range try {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			if path, err = filepath.Abs(path); err == nil {
				return path, nil
			}
		}
	}
	return "", &wnet.Error{Op: "Wine", Name: given, Code: win32.ERROR_FILE_NOT_FOUND, Err: errors.New("there is no Wine, or not where wnet looks"),
		Hint: "Install Wine (Debian: apt install wine), or name the program: --wine /path/to/wine."}
}

// server is the wineserver that belongs to a Wine.
func (p Prefix) server() string {
	real, err := filepath.EvalSymlinks(p.Wine)
	if err != nil {
		real = p.Wine
	}
	for _, dir := range []string{filepath.Dir(p.Wine), filepath.Dir(real), "/usr/lib/wine"} {
		if path := filepath.Join(dir, "wineserver"); executable(path) {
			return path
		}
	}
	path, _ := exec.LookPath("wineserver")
	return path
}

func executable(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0
}

// env is the environment for Wine's programs in the prefix.
func (p Prefix) env() []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "WINEPREFIX", "WINEDEBUG", "WINEDLLOVERRIDES", "WINEARCH", "WNET_SESSION", "NOTIFY_SOCKET":
		default:
			env = append(env, v)
		}
	}
	return append(env, "WINEPREFIX="+p.Path, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
}

// Running reports whether the prefix's wineserver runs: its registry is in memory then, and its files are not to be touched. Where that can't
// be told it counts as running.
func (p Prefix) Running(ctx context.Context) bool {
	server := p.server()
	if server == "" {
		return true
	}
	cmd := exec.CommandContext(ctx, server, "-k0")
	cmd.Env = p.env()
	var failed *exec.ExitError
	return !errors.As(cmd.Run(), &failed)
}

// Check looks at the folder as a prefix of this user: its Arch is "win64" or "win32".
//
// Errors: ERROR_PATH_NOT_FOUND if there is no prefix, ERROR_ACCESS_DENIED if it is another user's, ERROR_NOT_SUPPORTED if its kind is not
// known.
func Check(path string) (clean, arch string, err error) {
	fail := func(code win32.Code, hint, format string, args ...any) (string, string, error) {
		return "", "", &wnet.Error{Op: "Wine", Name: path, Code: code, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	make := "Make it with `WINEPREFIX=" + path + " wineboot`, or name another with --prefix."
	clean, err = filepath.Abs(path)
	if err == nil {
		clean, err = filepath.EvalSymlinks(clean)
	}
	if err != nil {
		return fail(win32.ERROR_PATH_NOT_FOUND, make, "there is no prefix of Wine at %s", path)
	}
	for _, part := range []string{"system.reg", "user.reg", "dosdevices", "drive_c/windows"} {
		if _, err := os.Stat(filepath.Join(clean, part)); err != nil {
			return fail(win32.ERROR_PATH_NOT_FOUND, make, "%s is no prefix of Wine: %s is missing", clean, part)
		}
	}
	fi, err := os.Stat(clean)
	if err != nil {
		return fail(win32.ERROR_PATH_NOT_FOUND, make, "%w", err)
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return fail(win32.ERROR_ACCESS_DENIED, "Run wnet as the user whose prefix it is, as Wine too is run.", "the prefix %s belongs to another user", clean)
	}
	reg, err := readReg(filepath.Join(clean, "system.reg"))
	if err != nil {
		return fail(win32.ERROR_ACCESS_DENIED, "", "%w", err)
	}
	if arch = reg.arch(); arch != "win64" && arch != "win32" {
		return fail(win32.ERROR_NOT_SUPPORTED, "wnet has libraries for win64 and win32.", "the prefix is of the architecture %q", arch)
	}
	return clean, arch, nil
}

func (p Prefix) dosdevices() string { return filepath.Join(p.Path, "dosdevices") }
func (p Prefix) own() string        { return filepath.Join(p.Path, ".wnet") }
