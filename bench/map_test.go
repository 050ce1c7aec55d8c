package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openwnet/wnet/test/rig"
)

// rounds is how often each program does the work, in turn with the others.
const rounds = 9

// contender is a program that maps a share, lists it and gives it up.
type contender struct {
	name string
	once func() error
	time []time.Duration
}

func (c *contender) median() time.Duration {
	slices.Sort(c.time)
	return c.time[len(c.time)/2]
}

// script is a shell script with an environment and a standard input.
type script struct {
	env   []string
	stdin string
}

func (s script) run(text string) error {
	cmd := exec.Command("/bin/sh", "-euc", text)
	cmd.Env, cmd.Stdin = s.env, strings.NewReader(s.stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", text, err, out.Bytes())
	}
	return nil
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMap prints the table of map + first ls + unmap.
func BenchmarkMap(b *testing.B) {
	server := rig.Smbd(b, rig.SMBOptions{})
	for i := range 100 {
		must(b, os.WriteFile(filepath.Join(server.Root("data"), fmt.Sprint("file", i)), []byte("x"), 0o666))
	}
	dir, err := os.MkdirTemp("", "wnbench")
	must(b, err)
	b.Cleanup(func() { os.RemoveAll(dir) })
	for _, d := range []string{"home", "run", "rclone", "bin"} {
		must(b, os.Mkdir(filepath.Join(dir, d), 0o700))
	}
	env := []string{"HOME=" + dir + "/home", "XDG_RUNTIME_DIR=" + dir + "/run", "PATH=" + dir + "/bin:" + os.Getenv("PATH"), "LANG=C.UTF-8", "USER=root"}
	build := exec.Command("go", "build", "-o", dir+"/bin/wnet", "../cmd/wnet")
	build.Stderr = os.Stderr
	must(b, build.Run())

	plain := script{env: env, stdin: server.Password() + "\n"}
	wnet := &contender{name: "wnet", once: func() error {
		return plain.run(fmt.Sprintf("wnet use Z: smb://%s/data /user:%s --password-stdin /persistent:no; ls -l ~/wnet/Z; wnet cancel Z:", server.Addr(), server.User()))
	}}
	must(b, plain.run("wnet list")) // starts the daemon, as gvfsd is started before it is measured
	b.Cleanup(func() { plain.run("wnet stop") })

	obscured, err := exec.Command("rclone", "obscure", server.Password()).Output()
	must(b, err)
	rcloneEnv := append(slices.Clone(env), "RCLONE_SMB_PASS="+strings.TrimSpace(string(obscured)), "RCLONE_CONFIG=/dev/null")
	rclone := &contender{name: "rclone mount", once: func() error {
		return script{env: rcloneEnv}.run(fmt.Sprintf("rclone mount :smb:data '%s/rclone' --smb-host %s --smb-port %d --smb-user %s --daemon; ls -l '%[1]s/rclone'; fusermount3 -u '%[1]s/rclone'",
			dir, server.Host(), server.Port(), server.User()))
	}}

	bus := exec.Command("dbus-daemon", "--session", "--print-address", "--nofork", "--address=unix:path="+dir+"/run/bus")
	bus.Env = env
	must(b, bus.Start())
	b.Cleanup(func() { bus.Process.Kill(); bus.Wait() })
	for !exists(dir + "/run/bus") {
		time.Sleep(10 * time.Millisecond)
	}
	gvfsEnv := append(slices.Clone(env), "DBUS_SESSION_BUS_ADDRESS=unix:path="+dir+"/run/bus")
	fuse := exec.Command("/usr/libexec/gvfsd", "--replace")
	fuse.Env = gvfsEnv
	must(b, fuse.Start())
	b.Cleanup(func() {
		exec.Command("fusermount3", "-uz", dir+"/run/gvfs").Run()
		fuse.Process.Kill()
		fuse.Wait()
	})
	for !exists(dir + "/run/gvfs") {
		time.Sleep(10 * time.Millisecond)
	}
	gvfs := &contender{name: "gvfs (gio mount)", once: func() error {
		s := script{env: gvfsEnv, stdin: fmt.Sprintf("%s\nWORKGROUP\n%s\n", server.User(), server.Password())}
		url := fmt.Sprintf("smb://%s/data", server.Addr())
		// gvfs' own listing: its FUSE view answers EIO here, and going through it would only take longer.
		return s.run(fmt.Sprintf("gio mount '%[1]s'; gio list -l '%[1]s'; gio mount -u '%[1]s'", url))
	}}

	all := []*contender{wnet, rclone, gvfs}
	for i := range rounds + 1 { // the first round is not counted
		for _, c := range all {
			start := time.Now()
			must(b, c.once())
			if i > 0 {
				c.time = append(c.time, time.Since(start))
			}
		}
	}
	fastest := min(rclone.median(), gvfs.median())
	fmt.Printf("\nmap + first ls -l of 100 files + unmap, one smbd on loopback, medians of %d:\n", rounds)
	for _, c := range all {
		fmt.Printf("  %-18s %8.1f ms  (%5.1f … %5.1f)   %5.2f × wnet\n", c.name, ms(c.median()), ms(c.time[0]), ms(c.time[len(c.time)-1]),
			float64(c.median())/float64(wnet.median()))
	}
	fmt.Printf("  wnet ÷ the faster of the others: %.2f (aim: at most 0.33)\n", float64(wnet.median())/float64(fastest))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func exists(path string) bool { _, err := os.Stat(path); return err == nil }
