package sftp

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	"golang.org/x/sys/unix"
)

// hostKeys decides whether a server is the right one.
type hostKeys struct {
	t        *target
	accepted string // fingerprint that the person accepted, "" for none
	check    ssh.HostKeyCallback
	origin   map[string]string   // file as check names it → file as the person knows it
	lines    map[string][]string // the files' lines, under the person's names

	verdict *keyError // set by verify when it refuses
}

// keyError says why a server's key was refused.
type keyError struct {
	text        string
	hint        string
	fingerprint string // set where the person may accept it
}

func (e *keyError) Error() string { return e.text }

// newHostKeys reads the known_hosts files. done removes what it made.
func (p *Provider) newHostKeys(t *target, accepted string) (h *hostKeys, done func(), err error) {
	h = &hostKeys{t: t, accepted: accepted, origin: map[string]string{}, lines: map[string][]string{}}
	done = func() {}
	var files []string
	for _, f := range t.knownHosts {
		b, err := os.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, done, err
		}
		h.lines[f], h.origin[f] = strings.Split(string(b), "\n"), f
		files = append(files, f)
	}
	if h.check, err = knownhosts.New(files...); err == nil {
		return h, done, nil
	}
	// The library refuses a file for one line that it does not understand (a key type of a newer OpenSSH, say). ssh passes over such a
	// line, and so does this: by a copy that has an empty line in its place.
	dir, err := os.MkdirTemp("", "wnet-known-hosts-")
	if err != nil {
		return nil, done, err
	}
	done = func() { os.RemoveAll(dir) }
	for i, f := range files {
		good := slices.Clone(h.lines[f])
		one := filepath.Join(dir, "line")
		for n, line := range good {
			if l := strings.TrimSpace(line); l == "" || l[0] == '#' {
				continue
			}
			if err := os.WriteFile(one, []byte(line+"\n"), 0o600); err != nil {
				return nil, done, err
			}
			if _, err := knownhosts.New(one); err != nil {
				p.log.Warn("a line of known_hosts is not understood", "file", f, "line", n+1)
				good[n] = ""
			}
		}
		clean := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(clean, []byte(strings.Join(good, "\n")), 0o600); err != nil {
			return nil, done, err
		}
		h.origin[clean], files[i] = f, clean
	}
	h.check, err = knownhosts.New(files...)
	return h, done, err
}

// where gives a known key's file and line as the person knows them.
func (h *hostKeys) where(k knownhosts.KnownKey) string {
	return fmt.Sprintf("%s line %d", h.origin[k.Filename], k.Line)
}

// authority reports whether a known key is that of a certificate authority, which the library does not tell.
func (h *hostKeys) authority(k knownhosts.KnownKey) bool {
	lines := h.lines[h.origin[k.Filename]]
	return k.Line >= 1 && k.Line <= len(lines) && strings.HasPrefix(strings.TrimSpace(lines[k.Line-1]), "@cert-authority")
}

// known lists what the files say of the host. The library tells it only to one who shows a wrong key.
func (h *hostKeys) known() []knownhosts.KnownKey {
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil
	}
	wrong, err := ssh.NewPublicKey(pub)
	if err != nil {
		return nil
	}
	var ke *knownhosts.KeyError
	if errors.As(h.check(h.t.keyAddr, &net.TCPAddr{IP: net.IPv4zero}, wrong), &ke) {
		return ke.Want
	}
	return nil
}

// algorithms orders what the server is asked to show: what is known first, so that a server with a known key never seems to have
// changed by showing another. Certificates are asked for only where an authority vouches for the host.
func (h *hostKeys) algorithms() []string {
	var first, rest, certs []string
	vouched := false
	for _, k := range h.known() {
		if h.authority(k) {
			vouched = true
			continue
		}
		switch kind := k.Key.Type(); kind {
		case ssh.KeyAlgoRSA:
			first = append(first, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		default:
			first = append(first, kind)
		}
	}
	supported := ssh.SupportedAlgorithms().HostKeys
	for _, a := range append([]string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoRSASHA512}, supported...) {
		if strings.Contains(a, "-cert-") {
			certs = append(certs, a)
		} else {
			rest = append(rest, a)
		}
	}
	all := append(first, rest...)
	if vouched {
		all = append(certs, all...)
	}
	var out []string
	for _, a := range all {
		if slices.Contains(supported, a) && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// verify is the ssh.HostKeyCallback.
func (h *hostKeys) verify(_ string, remote net.Addr, key ssh.PublicKey) error {
	err := h.check(h.t.keyAddr, remote, key)
	if err == nil {
		return nil
	}
	h.verdict = h.judge(key, err)
	if h.verdict != nil {
		return h.verdict
	}
	return nil
}

func (h *hostKeys) judge(key ssh.PublicKey, err error) *keyError {
	shown := key.Type() + " key " + ssh.FingerprintSHA256(key)
	var revoked *knownhosts.RevokedError
	if errors.As(err, &revoked) {
		return &keyError{text: "the server shows a key that was revoked, " + shown,
			hint: "Somebody may be posing as the server. It is revoked in " + h.where(revoked.Revoked) + "."}
	}
	var ke *knownhosts.KeyError
	if !errors.As(err, &ke) {
		return &keyError{text: "the server's certificate is not valid: " + err.Error(),
			hint: "Ask the one who runs the server; its certificate may have expired."}
	}
	var want []string
	for _, k := range ke.Want {
		if !h.authority(k) {
			want = append(want, h.where(k))
		}
	}
	if len(want) > 0 {
		return &keyError{text: "the server shows another key than the known one, " + shown,
			hint: "Somebody may be posing as the server. If it was set up anew, check that with the one who runs it, and then take out " +
				strings.Join(want, ", ") + "."}
	}
	fp := ssh.FingerprintSHA256(key)
	if h.accepted == fp {
		if err := h.remember(key); err != nil {
			return &keyError{text: "the server's key was accepted, and can't be written down: " + err.Error(),
				hint: "Make " + h.t.knownHosts[0] + " writable."}
		}
		return nil
	}
	text := "the server's key is not known yet, " + shown
	if h.accepted != "" {
		text = "the server shows another key than the accepted one, " + shown
	}
	return &keyError{text: text, fingerprint: fp, hint: "Compare this fingerprint with the server's own, as the one who runs it tells " +
		"it to you, and accept it only if they are equal."}
}

// remember adds the key to the first known_hosts file, unless another process has just done so. The lock is one of wnet's own making;
// ssh appends in one write as well.
func (h *hostKeys) remember(key ssh.PublicKey) error {
	file := h.t.knownHosts[0]
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if err != unix.EWOULDBLOCK || time.Now().After(end) {
			return &fs.PathError{Op: "lock", Path: file, Err: err}
		}
	}
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	host := knownhosts.Normalize(h.t.keyAddr)
	if h.t.hashHosts {
		host = knownhosts.HashHostname(host)
	}
	line := host + " " + string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(key))) + "\n"
	if !h.t.hashHosts && bytes.Contains(append([]byte("\n"), old...), []byte("\n"+line)) {
		return nil
	}
	if len(old) > 0 && old[len(old)-1] != '\n' {
		line = "\n" + line
	}
	if _, err := f.WriteString(line); err != nil {
		return err
	}
	return f.Sync()
}
