package discover

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// inside is set in the copy of this program that runs in a network of its own.
const inside = "WNET_DISCOVER_INSIDE"

func TestMain(m *testing.M) {
	if os.Getenv(inside) != "" {
		report()
		return
	}
	goleak.VerifyTestMain(m)
}

// answersInside is what the copy tells.
type answersInside struct {
	SMB, SFTP, Computers []Server
	Dialed               string // the address that a .local name led to
	DialError            string
}

// report asks until everybody has answered, or for a long while: responders need their time to start.
func report() {
	var a answersInside
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); {
		f := New(Config{Wait: 1500 * time.Millisecond})
		ctx := context.Background()
		a.SMB, _ = f.Services(ctx, SMB)
		a.SFTP, _ = f.Services(ctx, SFTP)
		a.Computers, _ = f.Computers(ctx)
		if len(a.SMB) == 0 || len(a.SFTP) == 0 || len(a.Computers) == 0 {
			continue
		}
		c, err := f.DialContext(ctx, "tcp", "wnet-test-nas.local:5357")
		if err != nil {
			a.DialError = err.Error()
			continue
		}
		a.DialError, a.Dialed = "", c.RemoteAddr().String()
		c.Close()
		break
	}
	json.NewEncoder(os.Stdout).Encode(a)
}

// TestRealResponders asks avahi and wsdd, in a network namespace where nobody else is: an interface that leads nowhere, on which the three
// hear each other.
func TestRealResponders(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("avahi-daemon.conf", "[server]\nhost-name=wnet-test-nas\nuse-ipv4=yes\nuse-ipv6=yes\nenable-dbus=no\nallow-interfaces=wnet0\n"+
		"[publish]\npublish-hinfo=no\npublish-workstation=no\n")
	write("resolv.conf", "nameserver 127.0.0.1\n")
	os.Mkdir(filepath.Join(dir, "services"), 0o755)
	service := func(name, kind string, port int) string {
		return fmt.Sprintf(`<?xml version="1.0"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd"><service-group><name>%s</name>`+
			`<service><type>%s</type><port>%d</port></service></service-group>`, name, kind, port)
	}
	write("services/smb.service", service("Anna's NAS v2.0", SMB, 445))
	write("services/sftp.service", service("shell", SFTP, 2222))
	script := `set -e
ip link set lo up
ip link add wnet0 type veth peer name wnet1
ip link set wnet1 up
ip link set wnet0 up multicast on
ip addr add 192.0.2.7/24 dev wnet0
ip route add default dev wnet0
mount --bind ` + dir + `/resolv.conf /etc/resolv.conf
mount --bind ` + dir + ` /etc/avahi
mount -t tmpfs none /run
avahi-daemon --no-drop-root --no-chroot --no-rlimits -f /etc/avahi/avahi-daemon.conf >&2 &
avahi=$!
wsdd -4 -i wnet0 -n WNET-TEST -w OFFICE -s >&2 &
wsdd=$!
trap 'kill $avahi $wsdd; wait' EXIT
"$@"
`
	cmd := exec.CommandContext(t.Context(), "unshare", "-mn", "sh", "-c", script, "sh", os.Args[0])
	cmd.Env = append(os.Environ(), inside+"=1")
	var log strings.Builder
	cmd.Stderr = &log
	cmd.WaitDelay = 10 * time.Second
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out, _ := io.ReadAll(pipe)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	var got answersInside
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %q\n%s", err, out, &log)
	}
	want := fmt.Sprint([]Server{{"wnet-test-nas.local", "wnet-test-nas", 445, "Anna's NAS v2.0"}})
	if fmt.Sprint(got.SMB) != want {
		t.Errorf("SMB: got %v, want %v\n%s", got.SMB, want, &log)
	}
	want = fmt.Sprint([]Server{{"wnet-test-nas.local", "wnet-test-nas", 2222, "shell"}})
	if fmt.Sprint(got.SFTP) != want {
		t.Errorf("SFTP: got %v, want %v", got.SFTP, want)
	}
	want = fmt.Sprint([]Server{{"192.0.2.7", "WNET-TEST", 0, "WNET-TEST (OFFICE)"}})
	if fmt.Sprint(got.Computers) != want {
		t.Errorf("computers: got %v, want %v\n%s", got.Computers, want, &log)
	}
	if got.Dialed != "192.0.2.7:5357" {
		t.Errorf("a .local name led to %q (%s)", got.Dialed, got.DialError)
	}
}
