package daemon

import (
	"io"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet/paths"
)

// logMax is how long a log file may grow. The one before it is kept beside it, as daemon.log.1.
const logMax = 1 << 20

// logger returns given, or a text logger to the file of WNET_LOG, or to standard error.
func logger(given *slog.Logger) (*slog.Logger, func()) {
	if given != nil {
		return given, func() {}
	}
	opt := &slog.HandlerOptions{}
	if os.Getenv(paths.EnvDebug) != "" {
		opt.Level = slog.LevelDebug
	}
	var to io.Writer = os.Stderr
	done := func() {}
	if path := os.Getenv(paths.EnvLog); path != "" {
		if f, err := openLog(path, logMax, true); err == nil {
			to, done = f, func() { f.Close() }
		}
	} else if _, journal := os.LookupEnv("JOURNAL_STREAM"); journal { // it has a clock of its own
		opt.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
	}
	return slog.New(slog.NewTextHandler(to, opt)), done
}

// logFile is a file that begins anew when it is full.
type logFile struct {
	path  string
	limit int64
	std   bool // standard output and error go to it too, for what Go itself says at a crash

	mu   sync.Mutex // guards f and size
	f    *os.File
	size int64
}

var _ io.WriteCloser = (*logFile)(nil)

func openLog(path string, limit int64, std bool) (*logFile, error) {
	l := &logFile{path: path, limit: limit, std: std}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	if l.std {
		for fd := 1; fd <= 2; fd++ {
			_ = unix.Dup3(int(f.Fd()), fd, 0)
		}
	}
	l.f, l.size = f, fi.Size()
	return nil
}

// Write appends p. A file that would grow too long is put aside first, in place of the one that was put aside before.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(p)) > l.limit {
		old := l.f
		if err := os.Rename(l.path, l.path+".1"); err == nil && l.open() == nil {
			old.Close()
		} else {
			l.f, l.size = old, 0 // no way to begin anew: better long than none
		}
	}
	n, err := l.f.Write(p)
	l.size += int64(n)
	return n, err
}

// Close closes the file.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Close()
}
