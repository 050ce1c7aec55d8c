package all

import (
	"testing"

	"github.com/openwnet/wnet"
)

// TestProviders: every form of name that wnet reads has a network, and the names of networks are told apart.
func TestProviders(t *testing.T) {
	all := Providers(Config{})
	seen := map[string]bool{}
	for _, p := range all {
		if p.Name() == "" || p.NetType() == 0 || seen[p.Name()] {
			t.Errorf("%q, type %#x", p.Name(), p.NetType())
		}
		seen[p.Name()] = true
	}
	for name, want := range map[string]string{
		`\\nas\media`:          "Microsoft Windows Network",
		"//nas/media":          "Microsoft Windows Network",
		"smb://nas/media":      "Microsoft Windows Network",
		"sftp://anna@nas/data": "SSH File Transfer Network",
		`\\sshfs\anna@nas`:     "SSH File Transfer Network",
	} {
		n, err := wnet.ParseRemoteName(name)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, p := range all {
			if got == "" && p.Owns(n) {
				got = p.Name()
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
