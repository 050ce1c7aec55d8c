package rig

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// smbclient runs one command of Samba's own client and returns what it says.
func smbclient(t *testing.T, s *SMBServer, user, password, share, command string) string {
	t.Helper()
	auth := filepath.Join(t.TempDir(), "auth")
	if err := os.WriteFile(auth, []byte("username = "+user+"\npassword = "+password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	port := strings.TrimPrefix(s.Addr(), s.Host()+":")
	out, _ := exec.Command("smbclient", "-A", auth, "-p", port, "//"+s.Host()+"/"+share, "-c", command).CombinedOutput()
	return string(out)
}

func TestSmbd(t *testing.T) {
	s := Smbd(t, SMBOptions{Users: []SMBUser{{Name: "bert", Password: "x", Disabled: true}}})
	if err := os.WriteFile(filepath.Join(s.Root("data"), "hello"), []byte("hi"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ user, password, share, want string }{
		{s.User(), s.Password(), "data", "hello"},
		{s.User(), "wrong", "data", "NT_STATUS_LOGON_FAILURE"},
		{"nobody", "x", "data", "NT_STATUS_LOGON_FAILURE"},
		{"bert", "x", "data", "NT_STATUS_ACCOUNT_DISABLED"},
		{s.User(), s.Password(), "missing", "NT_STATUS_BAD_NETWORK_NAME"},
	} {
		if got := smbclient(t, s, c.user, c.password, c.share, "ls"); !strings.Contains(got, c.want) {
			t.Errorf("%s on %s: got %q, want %s", c.user, c.share, got, c.want)
		}
	}
	s.Stop()
	if got := s.processes(); len(got) != 0 {
		t.Errorf("after Stop these processes are left: %v", got)
	}
	s.Start()
	if got := smbclient(t, s, s.User(), s.Password(), "data", "ls"); !strings.Contains(got, "hello") {
		t.Errorf("after a restart: %q", got)
	}
}

func TestSmbdFreezeAndKillSessions(t *testing.T) {
	s := Smbd(t, SMBOptions{})
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for deadline := time.Now().Add(10 * time.Second); s.Sessions() != 1 || len(s.processes()) < 4; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions, want 1", s.Sessions())
		}
	}
	s.Freeze()
	for _, pid := range s.processes() {
		waitState(t, pid, "T")
	}
	s.Thaw()
	s.KillSessions()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("the connection outlives KillSessions: %v", err)
	}
	if got := smbclient(t, s, s.User(), s.Password(), "data", "ls"); !strings.Contains(got, "blocks") {
		t.Errorf("the server does not go on: %q", got)
	}
}

// waitState waits until the process is in the given state of /proc/PID/stat.
func waitState(t *testing.T, pid int, want string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil {
			return // it has ended
		}
		if f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:])); len(f) > 0 && f[0] == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d is not in state %s", pid, want)
		}
	}
}
