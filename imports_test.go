package wnet_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/openwnet/wnet"

// arrow says which packages of wnet a room may import, besides the contract ("." and win32) where contract is set. Patterns are
// path.Match's, from the module's root.
type arrow struct {
	room     string
	contract bool
	may      []string
	why      string
}

// arrows are read from the top: the first that matches a package holds for it. A package without one fails the test.
var arrows = []arrow{
	{"win32", false, nil, "numbers and texts: what everything else decides by stands on nothing"},
	{".", false, []string{"win32"}, "the contract is what rooms agree on, so it can know none of them"},

	{"smb2", false, []string{"smb2/conn", "smb2/wire"}, "a client for any Go program: it knows nothing of wnet, and logs in with whatever credential it is given"},
	{"smb2/wire", false, nil, "messages as bytes, which need nothing"},
	{"smb2/crypt", false, []string{"smb2/wire"}, "keys and signatures, without a connection"},
	{"smb2/conn", false, []string{"smb2/crypt", "smb2/wire"}, "one connection, which does not know how it is made again"},
	{"smb2/auth", false, nil, "logging in, with nothing of SMB but its tokens"},
	{"smb2/*", false, []string{"smb2"}, "what is built on the client, for any Go program"},

	{"provider/all", true, []string{"provider/*"}, "the one list of providers; everybody else knows the interface alone"},
	{"provider/providertest", true, nil, "the suite holds for any provider, so it knows none"},
	{"provider/smb", true, []string{"meter", "discover", "smb2", "smb2/*"}, "a network, whose protocol is a room of its own that anybody may use"},
	{"provider/*", true, []string{"meter", "discover"},
		"a network knows no device, session, profile or mount, and no other network: it can move out of the process"},
	{"meter", true, nil, "it counts, whatever is counted"},
	{"discover", true, nil, "it asks the local network who is there, for whichever provider"},
	{"redial", true, nil, "it wraps what a provider made, whichever did"},
	{"mount", true, nil, "it serves a FileSystem, whatever is behind it: it can move out of the process"},
	{"session", true, nil, "it owns devices and knows a connection by its number alone"},
	{"profile", true, nil, "it owns what is remembered, and connects nothing"},
	{"credential", true, nil, "it owns the secrets, and is asked, never asks"},
	{"netuse", true, nil, "grammar and texts, without a daemon"},
	{"dialog", true, []string{"netuse"}, "questions to a person and what a Service answers, without a daemon"},
	{"paths", true, nil, "where things lie, for both ends of the socket"},
	{"wine", true, nil, "it keeps prefixes of Wine in step with what it is told, whoever tells it"},
	{"share", true, nil, "a server, which needs nothing of the client's side"},

	{"rpc/wnetv1", false, nil, "generated from the schema, which has types of its own"},
	{"rpc/servicetest", true, nil, "the suite holds for any Service, so it knows none"},
	{"rpc", true, []string{"rpc/*"}, "it carries a Service, whichever: the router's or a test's"},
	{"client", true, []string{"rpc", "rpc/*", "paths"}, "a program that calls wnet reaches it through the socket alone"},

	{"router", true, []string{"session", "profile", "credential", "redial"},
		"it applies the contract to providers and mounts through their interfaces, and does not know who calls"},
	{"daemon", true, []string{"*", "provider/all", "rpc/*"}, "the only place where implementations meet"},
	{"cmd/wnet", true, []string{"client", "daemon", "dialog", "netuse", "paths", "share", "wine"},
		"the command line is a client like any other; `wnet daemon` is daemon's, `wnet share` a server of its own"},

	{"test", true, []string{"client", "test/*"}, "end to end: what a user can reach, and nothing else"},
	{"test/*", true, []string{"test/*"}, "servers and tables for tests, not parts of wnet"},
	{"bench", true, []string{"*", "*/*"}, "it measures whatever there is"},
}

// keepers are the libraries that one room hides from the others, so that it alone changes when the library does.
var keepers = []struct {
	library string
	rooms   []string
	why     string
}{
	{"github.com/hanwen/go-fuse/v2/posixtest", []string{"provider/providertest"}, "it tests folders, mounted or not"},
	{"github.com/hanwen/go-fuse", []string{"mount"}, "the kernel's side is mount's alone"},
	{"github.com/moby/sys/mountinfo", []string{"mount"}, "the kernel's side is mount's alone"},
	{"github.com/jcmturner/gokrb5", []string{"smb2/auth"}, "Kerberos is auth's alone"},
	{"github.com/pkg/sftp", []string{"provider/sftp", "share"}, "the protocol's two ends"},
	{"github.com/pelletier/go-toml", []string{"profile"}, "nobody else reads the file"},
	{"filippo.io/age", []string{"credential"}, "secrets rest in one place"},
	{"github.com/godbus/dbus", []string{"credential"}, "the Secret Service is credential's alone"},
	{"connectrpc.com/connect", []string{"rpc", "rpc/wnetv1"}, "what goes over the socket is rpc's alone"},
	{"google.golang.org/protobuf", []string{"rpc", "rpc/wnetv1"}, "what goes over the socket is rpc's alone"},
	{"charm.land", []string{"dialog"}, "what a form looks like on a terminal is dialog's alone"},
	{"github.com/spf13/cobra", []string{"cmd/wnet"}, "a command line is for persons"},
}

// listed is a package as go list tells it; Imports are those of the program, not of its tests.
type listed struct {
	ImportPath, Dir  string
	GoFiles, Imports []string
}

func packages(t *testing.T) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("only %d packages", len(all))
	}
	return all
}

// room is a package's path from the module's root, false for another module's.
func room(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

func matches(pattern, room string) bool {
	ok, err := path.Match(pattern, room)
	return ok && err == nil
}

// forbidden tells why a room may not import another one, "" if it may.
func forbidden(from, to string) string {
	for _, a := range arrows {
		if !matches(a.room, from) {
			continue
		}
		if a.contract && (to == "." || to == "win32") || slices.ContainsFunc(a.may, func(p string) bool { return matches(p, to) }) {
			return ""
		}
		return a.why
	}
	return "it has no rule yet: give it one, with its reason"
}

// Imports point one way (doc/design.md), and each library stays where it belongs. So no provider can call WNet and come back to itself.
//
// Rows: R-07
func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		from, ok := room(p.ImportPath)
		if !ok {
			t.Errorf("%s is not of this module", p.ImportPath)
			continue
		}
		if strings.Count(from, "/") > 1 {
			t.Errorf("%s: two levels of folders, no deeper", from)
		}
		for _, i := range p.Imports {
			if to, ours := room(i); ours {
				if why := forbidden(from, to); why != "" {
					t.Errorf("%s may not import %s: %s", from, to, why)
				}
				continue
			}
			for _, k := range keepers {
				if i != k.library && !strings.HasPrefix(i, k.library+"/") {
					continue
				}
				if !slices.Contains(k.rooms, from) && !strings.HasPrefix(from, "test/") && from != "bench" {
					t.Errorf("%s may not import %s: %s", from, i, k.why)
				}
				break
			}
		}
	}
}

// The rules mean what they say.
func TestArrows(t *testing.T) {
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{"win32", ".", false}, {".", "win32", true}, {".", "router", false}, {"provider/smb", "provider/sftp", false}, {"provider/all", "provider/smb", true},
		{"provider/mem", ".", true}, {"session", "profile", false}, {"mount", "provider/mem", false}, {"router", "session", true},
		{"router", "mount", false}, {"router", "provider/mem", false}, {"router", "rpc", false}, {"rpc", "router", false}, {"daemon", "mount", true},
		{"daemon", "provider/smb", false}, {"client", "router", false}, {"cmd/wnet", "router", false}, {"cmd/wnet", "daemon", true}, {"test", "daemon", false},
		{"credential", "session", false}, {"newroom", ".", false},
		{"smb2", ".", false}, {"smb2", "smb2/auth", false}, {"smb2/auth", "smb2", false}, {"smb2/rpce", "smb2", true}, {"smb2/rpce", "win32", false},
	} {
		if got := forbidden(c.from, c.to) == ""; got != c.may {
			t.Errorf("%s imports %s: %v, want %v", c.from, c.to, got, c.may)
		}
	}
}

// No package does anything by being imported: what there is, is said where it is used.
func TestNoInit(t *testing.T) {
	for _, p := range packages(t) {
		if from, _ := room(p.ImportPath); from == "rpc/wnetv1" {
			continue // generated, registers its messages
		}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Error(err)
				continue
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
					t.Errorf("%s/%s has an init function", p.ImportPath, name)
				}
			}
		}
	}
}
