package rig

import (
	"context"
	"os/exec"
	"os/user"
	"strconv"
	"testing"
	"time"
)

// sshRun runs a command on the server by OpenSSH's own client and returns what it says.
func sshRun(ctx context.Context, s *SSHServer, command string) (string, error) {
	out, err := exec.CommandContext(ctx, "ssh", "-F", "none", "-i", s.IdentityFile, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile="+s.KnownHosts, "-o", "StrictHostKeyChecking=yes", "-p", strconv.Itoa(s.Port), s.User+"@"+s.Host,
		command).Output()
	return string(out), err
}

func TestSshd(t *testing.T) {
	var account string
	var left []int
	t.Run("server", func(t *testing.T) {
		s := Sshd(t, SSHOptions{Password: true, HostKeys: []string{"ed25519"}})
		account = s.User
		if out, err := sshRun(t.Context(), s, "pwd"); err != nil || out != s.Root+"\n" {
			t.Fatalf("got %q, %v, want the login folder %s\n%s", out, err, s.Root, s.Log())
		}

		s.Freeze()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if out, err := sshRun(ctx, s, "echo awake"); err == nil {
			t.Errorf("the frozen server answers: %q", out)
		}
		s.Thaw()
		if _, err := sshRun(t.Context(), s, "true"); err != nil {
			t.Errorf("after Thaw: %v", err)
		}

		hang := exec.Command("ssh", "-F", "none", "-i", s.IdentityFile, "-o", "UserKnownHostsFile="+s.KnownHosts, "-p", strconv.Itoa(s.Port),
			s.User+"@"+s.Host, "echo here; sleep 600")
		stdout, err := hang.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := hang.Start(); err != nil {
			t.Fatal(err)
		}
		stdout.Read(make([]byte, 1))
		left = descendants(s.proc.Process.Pid)
		if len(left) < 2 {
			t.Errorf("a session has the processes %v", left)
		}
		s.Stop()
		if err := hang.Wait(); err == nil {
			t.Error("the session outlived the server")
		}
		if _, err := sshRun(t.Context(), s, "true"); err == nil {
			t.Error("the stopped server answers")
		}
		s.Start()
		if _, err := sshRun(t.Context(), s, "true"); err != nil {
			t.Errorf("after Start: %v\n%s", err, s.Log())
		}
	})
	for _, pid := range left {
		if alive(pid) {
			t.Errorf("the process %d was left behind", pid)
		}
	}
	if _, err := user.Lookup(account); err == nil {
		t.Errorf("the account %s was left behind", account)
	}
}
