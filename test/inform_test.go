package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/test/rig"
	"github.com/openwnet/wnet/win32"
)

// What a program asks about a drive to a real server: which part of the name is the resource and what holds it, how fast the connection is
// by what was really carried, how its network is called and what it can do.
//
// Rows: RI-02, RI-03, RI-05, RI-07, RP-01, RP-02, RP-03, PN-01, NI-03, NI-04, MP-01, MP-02, MP-03
func TestAskingAboutADrive(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		c := b.client()
		ctx := t.Context()
		b.sh("head -c 4000000 /dev/zero >'" + b.drive("Z", "zeros") + "'; sync; cat '" + b.drive("Z", "zeros") + "' >/dev/null")
		for _, r := range []wnet.Resource{{LocalName: "z:"}, {RemoteName: s.unc + `\folder`}} {
			p, err := c.GetConnectionPerformance(ctx, r)
			if err != nil || p.Delay == 0 || p.Speed == 0 || p.OptDataSize < 32<<10 {
				t.Errorf("the performance of %+v: got %+v, %v, want it measured", r, p, err)
			}
			t.Logf("%+v", p)
		}
		if _, err := c.GetConnectionPerformance(ctx, wnet.Resource{LocalName: "Q:"}); wnet.CodeOf(err) != win32.ERROR_NOT_CONNECTED {
			t.Errorf("got %v of a device without connection", err)
		}
		info, err := c.GetResourceInformation(ctx, wnet.Resource{RemoteName: s.remote + "/Folder/of mine"})
		if err != nil || info.Resource.Provider != s.network || info.Resource.Type != win32.RESOURCETYPE_DISK ||
			info.Resource.DisplayType != win32.RESOURCEDISPLAYTYPE_SHARE || !strings.HasSuffix(info.System, `\Folder\of mine`) ||
			!strings.EqualFold(info.Resource.RemoteName+info.System, s.unc+`\Folder\of mine`) {
			t.Errorf("the resource: got %+v, %v", info, err)
		}
		_, err = c.GetResourceInformation(ctx, wnet.Resource{RemoteName: s.remote, Type: win32.RESOURCETYPE_PRINT})
		if wnet.CodeOf(err) != win32.ERROR_BAD_DEV_TYPE {
			t.Errorf("a folder as a printer: got %v", err)
		}
		name, steps := s.unc+`\a`, 0
		for ; name != "" && steps < 30; steps++ {
			up, err := c.GetResourceParent(ctx, wnet.Resource{RemoteName: name, Provider: s.network})
			if err != nil || !strings.HasPrefix(name, up.RemoteName) {
				t.Fatalf("what holds %s: got %+v, %v", name, up, err)
			}
			name = up.RemoteName
		}
		if steps < 2 || name != "" {
			t.Errorf("going up ended at %q after %d steps", name, steps)
		}
		net, err := c.GetNetworkInformation(ctx, s.network)
		if err != nil || net.Status != 0 || net.Drives != 1<<26-1 {
			t.Errorf("the network: got %+v, %v", net, err)
		}
		if got, err := c.GetProviderName(ctx, uint32(net.Type)<<16); err != nil || got != s.network {
			t.Errorf("the provider of type %#x: got %q, %v", net.Type, got, err)
		}
		if got, err := c.FormatNetworkName(ctx, wnet.FormatRequest{RemoteName: s.unc, Flags: win32.WNFMT_INENUM}); err != nil || got != "data" {
			t.Errorf("the name among others: got %q, %v", got, err)
		}
		if err := c.ClearConnections(ctx); err != nil || len(b.mounts()) != 0 {
			t.Errorf("ClearConnections: %v, still mounted: %v", err, b.mounts())
		}
	})
}

// WNetAddConnection4 and WNetUseConnection4: the login in a blob, the port in another; what they made is remembered, and noted as recent,
// without the password.
//
// Rows: A4-01, A4-02, U4-01
func TestBlobs(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	s := rig.Smbd(t, rig.SMBOptions{})
	c := b.client()
	login, err := json.Marshal(map[string]string{"user": s.User(), "password": s.Password()})
	if err != nil {
		t.Fatal(err)
	}
	req := wnet.AddRequest{LocalName: "Z:", RemoteName: `\\127.0.0.1\data`, Type: win32.RESOURCETYPE_DISK, Auth: wnet.NewSecret(string(login)),
		OptionsBlob: fmt.Sprintf(`{"tcpPort":%d}`, s.Port()), Flags: win32.CONNECT_UPDATE_PROFILE | win32.CONNECT_UPDATE_RECENT}
	wrong := req
	wrong.Auth = wnet.NewSecret(strings.Replace(string(login), s.Password(), "not it", 1))
	if err := c.AddConnection(t.Context(), wrong); wnet.CodeOf(err) != win32.ERROR_LOGON_FAILURE || strings.Contains(fmt.Sprint(err), "not it") {
		t.Errorf("a wrong password: got %v", err)
	}
	if err := c.AddConnection(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if user, err := c.GetUser(t.Context(), "Z:"); err != nil || user != s.User() {
		t.Errorf("the user: got %q, %v", user, err)
	}
	b.sh("echo hi >'" + b.drive("Z", "f") + "'")
	use := req
	use.LocalName, use.Flags = "", win32.CONNECT_REDIRECT
	res, err := c.UseConnection(t.Context(), wnet.UseRequest{AddRequest: use})
	if err != nil || res.AccessName != "Y:" {
		t.Errorf("Use4: got %+v, %v", res, err)
	}
	text, err := os.ReadFile(b.profile())
	if err != nil || !strings.Contains(string(text), `Recent = ['\\127.0.0.1\data']`) || !strings.Contains(string(text), fmt.Sprintf("TCPPort = %d", s.Port())) ||
		strings.Contains(string(text), s.Password()) {
		t.Errorf("the profile: %v\n%s", err, text)
	}
	if out := b.ok("view", "--recent").out; out != `\\127.0.0.1\data`+"\n" {
		t.Errorf("view --recent: %q", out)
	}
}

// The password cache outlives the daemon, and rests in no readable file.
func TestPasswordCache(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := b.client()
	const secret = "cached\x00 \xff secret"
	if err := c.CachePassword(t.Context(), wnet.CachedPassword{Resource: []byte(`\\srv\x`), Password: wnet.NewSecret(secret), Type: 3}); err != nil {
		t.Fatal(err)
	}
	b.ok("stop")
	c = b.client()
	got, err := c.GetCachedPassword(t.Context(), []byte(`\\srv\x`), 3)
	if err != nil || got.Reveal() != secret {
		t.Errorf("after a restart: got %q, %v", got.Reveal(), err)
	}
	list, err := c.EnumCachedPasswords(t.Context(), []byte(`\\srv`), win32.PCE_ALL)
	if err != nil || len(list) != 1 || string(list[0].Resource) != `\\srv\x` {
		t.Errorf("the list: got %d, %v", len(list), err)
	}
	if err := c.RemoveCachedPassword(t.Context(), []byte(`\\srv\x`), 3); err != nil {
		t.Error(err)
	}
	if _, err = c.GetCachedPassword(t.Context(), []byte(`\\srv\x`), 3); wnet.CodeOf(err) != win32.ERROR_FILE_NOT_FOUND {
		t.Errorf("after it was removed: got %v", err)
	}
}

// The servers of the local network: `wnet view` lists what avahi and wsdd announce, and a share of the server that it names can be
// mapped by that name, which no resolver here knows. All of it runs in a network of its own, where nobody else is.
//
// Rows: NL-09, OE-06
func TestViewFindsServers(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("avahi/avahi-daemon.conf", "[server]\nhost-name=wnet-nas\nenable-dbus=no\nallow-interfaces=wnet0\n[publish]\npublish-hinfo=no\npublish-workstation=no\n")
	write("avahi/services/smb.service", `<?xml version="1.0"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd"><service-group>`+
		`<name>The NAS</name><service><type>_smb._tcp</type><port>445</port></service></service-group>`)
	write("resolv.conf", "nameserver 127.0.0.1\n")
	write("share/readme", "found\n")
	for _, d := range []string{"private", "lock", "pid", "state", "cache", "ncalrpc", "bind"} {
		write(d+"/.keep", "")
	}
	write("smb.conf", strings.ReplaceAll(`[global]
map to guest = Bad User
private dir = DIR/private
lock directory = DIR/lock
pid directory = DIR/pid
state directory = DIR/state
cache directory = DIR/cache
ncalrpc dir = DIR/ncalrpc
binddns dir = DIR/bind
log file = DIR/log
disable netbios = yes
load printers = no
[music]
path = DIR/share
guest ok = yes
force user = root
`, "DIR", dir))
	script := `
ip link set lo up
ip link add wnet0 type veth peer name wnet1
ip link set wnet1 up
ip link set wnet0 up multicast on
ip addr add 192.0.2.7/24 dev wnet0
ip route add default dev wnet0
mount --bind ` + dir + `/resolv.conf /etc/resolv.conf
mount --bind ` + dir + `/avahi /etc/avahi
mount -t tmpfs none /run
avahi-daemon --no-drop-root --no-chroot --no-rlimits -f /etc/avahi/avahi-daemon.conf >&2 &
avahi=$!
wsdd -4 -i wnet0 -n OTHER-PC -w OFFICE -s >&2 &
wsdd=$!
setsid smbd --foreground --no-process-group -s ` + dir + `/smb.conf </dev/null >&2 &
smbd=$!
trap '"$0" stop >&2; kill $avahi $wsdd $smbd || true; wait' EXIT
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	"$0" view >` + dir + `/view
	if grep -q wnet-nas.local ` + dir + `/view && grep -q OTHER-PC ` + dir + `/view; then break; fi
	sleep 1
	"$0" stop >&2 # so that nothing is answered from what was asked before
done
cat ` + dir + `/view
for try in $(seq 100); do # until smbd listens
	if "$0" use Z: //wnet-nas.local/music /user:guest 2>` + dir + `/why; then break; fi
	sleep 0.2
done
cat ` + dir + `/why >&2
cat ~/wnet/Z/readme
"$0" use Z: /delete
`
	r := b.exec("", "unshare", "-mn", "sh", "-euc", script, program)
	want := `Server Name            Remark

-------------------------------------------------------------------------------
\\192.0.2.7            OTHER-PC (OFFICE)
\\wnet-nas.local       The NAS
The command completed successfully.

The command completed successfully.

found
Z: was deleted successfully.

`
	if r.code != 0 || r.out != want {
		t.Errorf("got %v\nwant\n%s", r, want)
	}
}
