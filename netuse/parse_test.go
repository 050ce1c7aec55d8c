package netuse

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

// TestGrammar reads every form of netuse.md §1. A password shows as its text in the want column.
//
// Rows: NU-01, NU-02, NU-03, NU-04, NU-05, NU-06, NU-07, NU-08, NU-09, NU-10, NU-11, NU-12, NU-13, NU-14.
func TestGrammar(t *testing.T) {
	share := `\\nas\media`
	conn := Command{Action: Connect, Device: "Z:", Remote: share, Server: "nas"}
	with := func(change func(*Command)) Command { c := conn; change(&c); return c }
	secret := func(i int, s string) func(*Command) {
		return func(c *Command) { c.Password, c.Secret, c.SecretArg = PasswordLiteral, wnet.NewSecret(s), i }
	}
	for _, tt := range []struct {
		id   string
		args []string
		want Command
	}{
		{"NU-01", nil, Command{Action: List}},
		{"NU-01", []string{"/y"}, Command{Action: List, Answer: Yes}},
		{"NU-02", []string{"z:", share}, conn},
		{"NU-02", []string{`Z:\`, share}, conn},
		{"NU-02", []string{"Z:/", share}, conn},
		{"NU-02", []string{" Z: ", share}, conn},
		{"NU-02", []string{"*", share}, with(func(c *Command) { c.Device = Any })},
		{"NU-02", []string{"lpt1:", `\\nas\laser`}, Command{Action: Connect, Device: "LPT1", Remote: `\\nas\laser`, Server: "nas"}},
		{"NU-02", []string{"z:"}, Command{Action: Show, Device: "Z:"}},
		{"NU-03", []string{share}, with(func(c *Command) { c.Device = "" })},
		{"NU-03", []string{"Z:", "//nas/media"}, conn},
		{"NU-03", []string{"Z:", "//nas/media/"}, conn},
		{"NU-03", []string{"Z:", `"\\nas\media"`}, conn},
		{"NU-03", []string{"Z:", "smb://nas/media"}, conn},
		{"NU-03", []string{"Z:", "\u202a//nas/media\r"}, conn},
		{"NU-03", []string{"Z:", `\\nas\media\sub dir`}, with(func(c *Command) { c.Remote = `\\nas\media\sub dir` })},
		{"NU-03", []string{"Z:", "smb://nas:4455/media"}, with(func(c *Command) { c.Options.TCPPort = 4455 })},
		{"NU-03", []string{"Z:", "smb://anna@nas/media"}, with(func(c *Command) { c.User = "anna" })},
		{"NU-03", []string{"Z:", "sftp://anna@nas:2222/srv"}, with(func(c *Command) {
			c.Remote, c.Named = `\\sshfs.r\anna@nas!2222\srv`, true
		})},
		{"NU-03", []string{"Z:", "http://anna@nas/dav"}, with(func(c *Command) { c.Remote, c.User = `\\nas@80\DavWWWRoot\dav`, "anna" })},
		{"NU-04", []string{"Z:", share, "pw"}, with(secret(2, "pw"))},
		{"NU-04", []string{share, "/user:bob", "pw"}, with(func(c *Command) { c.Device, c.User = "", "bob"; secret(2, "pw")(c) })},
		{"NU-04", []string{"Z:", share, ""}, with(secret(2, ""))},
		{"NU-04", []string{"Z:", share, "--", "/pw"}, with(secret(3, "/pw"))},
		{"NU-04", []string{"Z:", share, "-pw"}, with(secret(2, "-pw"))},
		{"NU-04", []string{"Z:", share, "*"}, with(func(c *Command) { c.Password = PasswordAsk })},
		{"NU-04", []string{"Z:", share, "--password-stdin"}, with(func(c *Command) { c.Password = PasswordFromPipe })},
		{"NU-05", []string{"/USER:dom\\bob", "Z:", share}, with(func(c *Command) { c.User = `dom\bob` })},
		{"NU-05", []string{"Z:", "--user", "bob@dom.example", share}, with(func(c *Command) { c.User = "bob@dom.example" })},
		{"NU-05", []string{"Z:", "--user=bob", share}, with(func(c *Command) { c.User = "bob" })},
		{"NU-06", []string{"Z:", share, "/smartcard"}, with(func(c *Command) { c.SmartCard = true })},
		{"NU-07", []string{"Z:", share, "/savecred"}, with(func(c *Command) { c.SaveCred = true })},
		{"NU-07", []string{"Z:", share, "--save-cred"}, with(func(c *Command) { c.SaveCred = true })},
		{"NU-08", []string{"H:", "/home"}, Command{Action: Home, Device: "H:"}},
		{"NU-08", []string{"*", "*", "/home"}, Command{Action: Home, Device: Any, Password: PasswordAsk}},
		{"NU-09", []string{"Z:", "/delete"}, Command{Action: Delete, Device: "Z:"}},
		{"NU-09", []string{"/DELETE", "z:", "/y"}, Command{Action: Delete, Device: "Z:", Answer: Yes}},
		{"NU-09", []string{"Z:", share, "/delete"}, Command{Action: Delete, Device: "Z:", Remote: share, Server: "nas"}},
		{"NU-09", []string{share, "--delete"}, Command{Action: Delete, Remote: share, Server: "nas"}},
		{"NU-09", []string{"Z:", "/delete", "/global"}, Command{Action: Delete, Device: "Z:", Global: true}},
		{"NU-10", []string{"*", "/delete"}, Command{Action: DeleteAll}},
		{"NU-10", []string{"*", "/d", "/y"}, Command{Action: DeleteAll, Answer: Yes}},
		{"NU-11", []string{"/persistent:yes"}, Command{Action: Persist, Persistent: yes()}},
		{"NU-11", []string{"--persistent=no"}, Command{Action: Persist, Persistent: no()}},
		{"NU-11", []string{"Z:", share, "/persistent:yes"}, with(func(c *Command) { c.Persistent = yes() })},
		{"NU-12", []string{"Z:", share, "/requireintegrity", "/REQUIREPRIVACY", "/WriteThrough", "/transport:tcp", "/skipcertcheck",
			"/requestcompression:yes", "/global", "/tcpport:4455"}, with(func(c *Command) {
			c.RequireIntegrity, c.RequirePrivacy, c.WriteThrough, c.Global = true, true, true, true
			c.Options = wnet.UseOptions{TCPPort: 4455, Transport: "TCP", SkipCertCheck: true, RequestCompression: "YES"}
		})},
		{"NU-12", []string{"Z:", share, "--tcp-port", "4455"}, with(func(c *Command) { c.Options.TCPPort = 4455 })},
		{"NU-13", []string{"Z:", "/d", "/n"}, Command{Action: Delete, Device: "Z:", Answer: No}},
		{"NU-13", []string{"Z:", "/d", "/YES"}, Command{Action: Delete, Device: "Z:", Answer: Yes}},
		{"NU-14", []string{"Z:", "/del"}, Command{Action: Delete, Device: "Z:"}},
		{"NU-14", []string{"Z:", share, "/u:bob", "/p:y"}, with(func(c *Command) { c.User, c.Persistent = "bob", yes() })},
		{"NU-14", []string{"Z:", share, "/P:No"}, with(func(c *Command) { c.Persistent = no() })},
		{"NU-29", []string{"/?"}, Command{Action: Help}},
		{"NU-29", []string{"z:", "--help"}, Command{Action: Help}},
		{"wnet", []string{"Z:", share, "--accept-host-key"}, with(func(c *Command) { c.AcceptHostKey = AnyHostKey })},
		{"wnet", []string{"Z:", share, "--accept-host-key=SHA256:abc"}, with(func(c *Command) { c.AcceptHostKey = "SHA256:abc" })},
	} {
		got, err := Parse(tt.args)
		if err != nil {
			t.Errorf("%s %q: %v", tt.id, tt.args, err)
			continue
		}
		if !got.Secret.Equal(tt.want.Secret) {
			t.Errorf("%s %q: password %q, want %q", tt.id, tt.args, got.Secret.Reveal(), tt.want.Secret.Reveal())
		}
		got.Secret, tt.want.Secret = wnet.Secret{}, wnet.Secret{}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %q\n got %+v\nwant %+v", tt.id, tt.args, got, tt.want)
		}
	}
}

// TestRefused holds what is not in the grammar: the code of a *wnet.Error, or 0 for a *SyntaxError and the option that it names.
//
// Rows: NU-28, NU-29.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		id, args, option string
		code             win32.Code
	}{
		{"NU-28", "/frobnicate", "/frobnicate", 0},
		{"NU-28", "Z: //nas/media /", "/", 0},
		{"NU-28", "Z: //nas/media /s", "/s", 0},                        // SMARTCARD, SAVECRED, SKIPCERTCHECK
		{"NU-28", "Z: //nas/media --password=x", "--password=x", 0},    // wnet's own are spelled out
		{"NU-28", "-x", "-x", 0},                                       //
		{"NU-28", "Z: -x", "-x", 0},                                    //
		{"NU-29", "/delete", "", 0},                                    //
		{"NU-29", "Z: /delete:yes", "", 0},                             //
		{"NU-29", "Z: //nas/media /delete /user:bob", "", 0},           //
		{"NU-29", "Z: /delete /persistent:no", "", 0},                  //
		{"NU-29", "Z: //nas/media pw /delete", "", 0},                  //
		{"NU-29", "* //nas/media /delete", "", 0},                      //
		{"NU-29", "Z: //nas/media pw more", "", 0},                     //
		{"NU-29", "//nas/media pw more", "", 0},                        //
		{"NU-29", "Z: //nas/media pw --password-stdin", "", 0},         //
		{"NU-29", "Z: *", "", 0},                                       //
		{"NU-29", "*", "", 0},                                          //
		{"NU-29", "/user:bob", "", 0},                                  //
		{"NU-29", "Z: /user:bob", "", 0},                               //
		{"NU-29", "Z: //nas/media /user", "", 0},                       //
		{"NU-29", "Z: //nas/media /persistent:maybe", "", 0},           //
		{"NU-29", "/persistent", "", 0},                                //
		{"NU-29", "/persistent:yes /persistent:no", "", 0},             //
		{"NU-29", "/persistent:yes /savecred", "", 0},                  //
		{"NU-29", "Z: //nas/media /y /n", "", 0},                       //
		{"NU-29", "Z: //nas/media /transport:udp", "", 0},              //
		{"NU-29", "Z: //nas/media /skipcertcheck", "", 0},              //
		{"NU-29", "Z: //nas/media /requestcompression:", "", 0},        //
		{"NU-29", "Z: //nas/media /tcpport:0", "", 0},                  //
		{"NU-29", "Z: //nas/media /tcpport:+1", "", 0},                 //
		{"NU-29", "Z: //nas/media /tcpport:70000", "", 0},              //
		{"NU-29", "Z: smb://nas:1/media /tcpport:2", "", 0},            //
		{"NU-29", "Z: smb://anna@nas/media /user:bob", "", 0},          //
		{"NU-29", "Z: sftp://anna@nas/srv /user:bob", "", 0},           //
		{"NU-29", "Z: sftp://anna@nas:1/srv /tcpport:2", "", 0},        //
		{"NU-29", "/home", "", 0},                                      //
		{"NU-29", "Z: /home /delete", "", 0},                           //
		{"NU-29", "Z: pw more /home", "", 0},                           //
		{"A2-14", "Z //nas/media", "", win32.ERROR_BAD_DEVICE},         //
		{"A2-14", "1: //nas/media", "", win32.ERROR_BAD_DEVICE},        //
		{"A2-14", "COM1 /delete", "", win32.ERROR_BAD_DEVICE},          //
		{"A2-14", `Z:\x`, "", win32.ERROR_BAD_DEVICE},                  //
		{"A2-15", "Z: nas", "", win32.ERROR_BAD_NET_NAME},              //
		{"A2-15", "Z: //nas", "", win32.ERROR_BAD_NET_NAME},            //
		{"A2-15", `Z: \nasmedia`, "", win32.ERROR_BAD_NET_NAME},        //
		{"A2-15", `\nasmedia`, "", win32.ERROR_BAD_NET_NAME},           //
		{"A2-15", "Z: smb://a:pw@nas/x", "", win32.ERROR_BAD_NET_NAME}, //
		{"wnet", "Z: //nas/me\u202adia", "", win32.ERROR_INVALID_NAME}, //
		{"wnet", "Z: //nas/media /user:b\u200bob", "", win32.ERROR_INVALID_NAME},
	} {
		c, err := Parse(strings.Fields(tt.args))
		var s *SyntaxError
		if tt.code != 0 {
			if !errors.Is(err, tt.code) {
				t.Errorf("%s %q: %v, want %v", tt.id, tt.args, err, tt.code)
			}
			if errors.As(err, &s) {
				t.Errorf("%s %q: a syntax error besides", tt.id, tt.args)
			}
		} else if !errors.As(err, &s) {
			t.Errorf("%s %q: %v %+v, want a syntax error", tt.id, tt.args, err, c)
		} else if s.Option != tt.option || s.Why == "" {
			t.Errorf("%s %q: option %q (%s), want %q", tt.id, tt.args, s.Option, s.Why, tt.option)
		}
		if err != nil && strings.Contains(err.Error()+Failure(err)+Explain(err), ":pw") {
			t.Errorf("%s %q: the error repeats the password: %v", tt.id, tt.args, err)
		}
	}
}

// TestFlags holds the flags that options and devices stand for.
//
// Rows: NU-12.
func TestFlags(t *testing.T) {
	c, err := Parse(strings.Fields("* //nas/media /requireintegrity /requireprivacy /writethrough /requestcompression:yes /global"))
	if err != nil {
		t.Fatal(err)
	}
	want := uint32(win32.CONNECT_REDIRECT | win32.CONNECT_REQUIRE_INTEGRITY | win32.CONNECT_REQUIRE_PRIVACY |
		win32.CONNECT_WRITE_THROUGH_SEMANTICS | win32.CONNECT_COMPRESS_NETWORK_TRAFFIC | win32.CONNECT_GLOBAL_MAPPING)
	if got := c.Flags(false); got != want {
		t.Errorf("flags %#x, want %#x", got, want)
	}
	if got := c.Flags(true); got != want|win32.CONNECT_UPDATE_PROFILE {
		t.Errorf("flags %#x, want the profile updated too", got)
	}
	deviceless, _ := Parse([]string{"//nas/media"})
	if deviceless.Flags(true) != 0 || deviceless.Type() != win32.RESOURCETYPE_ANY {
		t.Errorf("deviceless: flags %#x type %d", deviceless.Flags(true), deviceless.Type())
	}
	port, _ := Parse([]string{"LPT1", "//nas/laser"})
	if port.Type() != win32.RESOURCETYPE_PRINT || c.Type() != win32.RESOURCETYPE_DISK {
		t.Errorf("types %d %d", port.Type(), c.Type())
	}
}

// TestCheck holds what is good grammar and cannot be served.
//
// Rows: NU-06, NU-08.
func TestCheck(t *testing.T) {
	for args, bad := range map[string]bool{
		"Z: //nas/media":                 false,
		"Z: //nas/media /transport:tcp":  false,
		"Z: //nas/media /transport:quic": true,
		"Z: //nas/media /smartcard":      true,
		"Z: sftp://nas/media /smartcard": false,
		"Z: /home":                       false,
	} {
		c, err := Parse(strings.Fields(args))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(); errors.Is(err, win32.ERROR_NOT_SUPPORTED) != bad {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// FuzzParse: whatever is typed, Parse ends, gives either a command or an error, never repeats a literal password in an error, and
// reads its own spelling of a command back into the same command.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "Z:", "Z:\n//nas/media", "*\n/delete\n/y", "Z:\n\\\\nas\\media\npw\n/USER:dom\\bob\n/PERSISTENT:YES",
		"Z:\nsmb://bob@nas:4455/media\n*\n/SAVECRED", "/persistent:no", "Z:\n/home\n*", "--\n//nas/media\n/x", "Z:\n--user\nbob\n//nas/m",
		"lpt1:\n\\\\nas\\laser", "Z:\nsftp://bob@nas:22/~/x\n--accept-host-key=SHA256:x", "Z:\n//nas/media\n/transport:tcp\n/skipcertcheck",
		"Z:\nhttps://nas/dav\n--password-stdin", "/?", "Z:\n/d\n/g", "Z:\n//nas/media\n/TCPPORT:445",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var args []string
		if s != "" {
			args = strings.Split(s, "\n")
		}
		c, err := Parse(args)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) && wnet.CodeOf(err) == win32.ERROR_EXTENDED_ERROR {
				t.Fatalf("%q: an error without a code: %v", args, err)
			}
			if Failure(err) == "" || Status(err) == ExitOK {
				t.Fatalf("%q: %v prints nothing", args, err)
			}
			return
		}
		if c.Password == PasswordLiteral && args[c.SecretArg] != c.Secret.Reveal() {
			t.Fatalf("%q: the password is not argument %d", args, c.SecretArg)
		}
		if !utf8.ValidString(c.Remote + c.Device + c.User) {
			t.Fatalf("%q: %+v is not UTF-8", args, c)
		}
		again, err := Parse(c.Args())
		if err != nil {
			t.Fatalf("%q: %q: %v", args, c.Args(), err)
		}
		if c.Password == PasswordLiteral {
			c.Password, c.Secret, c.SecretArg = PasswordAsk, wnet.Secret{}, 0
		}
		if c.Action == Help {
			c = Command{Action: Help}
		}
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("%q\n got %+v\nthen %+v", args, c, again)
		}
	})
}

func TestQuote(t *testing.T) {
	if got, want := Quote("wnet", "use", "*", `\\nas\it's`, "//nas/media", ""), `wnet use '*' '\\nas\it'\''s' //nas/media ''`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A * that the shell has put file names for is told as that, also where none of them is a device.
func TestGlobbedStar(t *testing.T) {
	_, err := Parse([]string{"bin", "boot", "dev", "//127.0.0.1/ro"})
	var s *SyntaxError
	if !errors.As(err, &s) || !strings.Contains(s.Why, "'*'") {
		t.Errorf("got %v", err)
	}
}
