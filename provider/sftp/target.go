package sftp

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// target is what a remote name means on this machine, for this user.
type target struct {
	host           string   // to connect to
	port           int      //
	user           string   //
	keyAddr        string   // host:port under which known_hosts knows it
	identities     []string // private key files, to be tried in order
	identitiesOnly bool     // no key of the agent that is not one of these files
	knownHosts     []string // the first takes new keys
	hashHosts      bool     // new entries of known_hosts hide the host's name
}

func (t *target) addr() string { return net.JoinHostPort(t.host, strconv.Itoa(t.port)) }

// resolve applies ssh_config to a request.
func (p *Provider) resolve(req wnet.Request) (*target, error) {
	conf := p.sshConfig()
	alias := req.Remote.Server
	get := func(key string) string {
		v, _ := conf.Get(alias, key)
		return v
	}
	t := &target{host: alias, port: 22}
	if h := get("HostName"); h != "" {
		t.host = strings.ReplaceAll(h, "%h", alias)
	}
	switch port, err := strconv.Atoi(get("Port")); {
	case req.Remote.Port != 0:
		t.port = req.Remote.Port
	case req.Options.TCPPort != 0:
		t.port = req.Options.TCPPort
	case err == nil && port > 0 && port < 1<<16:
		t.port = port
	}
	for _, u := range []func() string{
		func() string { return req.Remote.User },
		func() string { return req.User },
		func() string { return get("User") },
		func() string {
			if u, err := user.Current(); err == nil {
				return u.Username
			}
			return ""
		},
	} {
		if t.user = u(); t.user != "" {
			break
		}
	}
	if t.user == "" {
		return nil, p.fail(req, win32.ERROR_BAD_USERNAME, errors.New("there is no user name"), "Name one, as in sftp://anna@server/.")
	}
	for _, key := range []string{"ProxyJump", "ProxyCommand"} {
		if v := get(key); v != "" && !strings.EqualFold(v, "none") {
			return nil, p.fail(req, win32.ERROR_BAD_NETPATH,
				fmt.Errorf("%s has %s %s for %s, and wnet connects only directly", p.cfg.ConfigFile, key, v, alias),
				"Forward a port with ssh -L and connect to that port.")
		}
	}
	// OpenSSH's file has host names in lower case, and an alias without a port.
	t.keyAddr = net.JoinHostPort(strings.ToLower(t.host), strconv.Itoa(t.port))
	if a := get("HostKeyAlias"); a != "" {
		t.keyAddr = net.JoinHostPort(strings.ToLower(a), "22")
	}
	t.hashHosts = strings.EqualFold(get("HashKnownHosts"), "yes")
	t.knownHosts = p.cfg.KnownHosts
	if v := get("UserKnownHostsFile"); v != "" && !strings.EqualFold(v, "none") {
		t.knownHosts = nil
		for _, f := range strings.Fields(v) {
			t.knownHosts = append(t.knownHosts, p.expand(f, alias, t))
		}
		t.knownHosts = append(t.knownHosts, p.cfg.KnownHosts[1:]...)
	}

	t.identitiesOnly = strings.EqualFold(get("IdentitiesOnly"), "yes")
	named, _ := conf.GetAll(alias, "IdentityFile")
	for _, f := range named {
		if !strings.EqualFold(f, "none") {
			t.identities = append(t.identities, p.expand(f, alias, t))
		}
	}
	switch {
	case p.cfg.IdentityFiles != nil:
		t.identities = append(t.identities, p.cfg.IdentityFiles...)
	case len(named) == 0:
		for _, f := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
			t.identities = append(t.identities, filepath.Join(p.cfg.Home, ".ssh", f))
		}
	}
	return t, nil
}

// sshConfig reads the user's file. One that can't be read counts as empty, as an unreadable default file does for ssh: most names need
// nothing from it, and the log tells.
func (p *Provider) sshConfig() *ssh_config.Config {
	empty := &ssh_config.Config{}
	b, err := os.ReadFile(p.cfg.ConfigFile)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			p.log.Warn("the ssh configuration can't be read", "file", p.cfg.ConfigFile, "err", err)
		}
		return empty
	}
	conf, err := ssh_config.Decode(bytes.NewReader(b))
	if err != nil {
		p.log.Warn("the ssh configuration is not understood and was left out", "file", p.cfg.ConfigFile, "err", err)
		return empty
	}
	return conf
}

// expand gives a path of ssh_config its meaning: ~, %d, %h, %n, %p, %r, %u, and relative to the home folder.
func (p *Provider) expand(file, alias string, t *target) string {
	local := ""
	if u, err := user.Current(); err == nil {
		local = u.Username
	}
	file = strings.NewReplacer("%%", "%", "%d", p.cfg.Home, "%h", t.host, "%n", alias, "%p", strconv.Itoa(t.port),
		"%r", t.user, "%u", local).Replace(strings.Trim(file, `"`))
	if file == "~" || strings.HasPrefix(file, "~/") {
		file = filepath.Join(p.cfg.Home, file[1:])
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(p.cfg.Home, file)
	}
	return file
}
