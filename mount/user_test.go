package mount

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// nobody is the ordinary user that root runs tests as.
const nobody = 65534

// userTests are the tests that go another way for a user who is not root: through fusermount3, or with less to see in /proc.
const userTests = "^(TestMount.*|TestUnmounted.*|TestHolders|TestForce.*|TestCloseThenUnmount|" +
	"TestManyUnmounts|TestCycles|TestClearDead|TestPrograms|TestAttributes)$"

// TestAsUser runs them again as one, in a process of its own.
func TestAsUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		return // all tests run as a user then
	}
	dir := scratch(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary lies where only root may look.
	mine := filepath.Join(dir, "mount.test")
	copyFile(t, exe, mine)
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{dir, home} {
		if err := os.Chown(p, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(mine, "-test.run", userTests, "-test.v", "-test.timeout", "5m")
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home, "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	passed := strings.Count(string(out), "--- PASS: Test")
	if err != nil || passed < 15 || strings.Contains(string(out), "--- SKIP") {
		t.Errorf("as an ordinary user: %v, %d passed\n%s", err, passed, out)
	}
	t.Logf("%d tests passed as an ordinary user", passed)
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(dst, src); err != nil {
		t.Fatal(err)
	}
	if err := dst.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPrograms: what people use on a drive, by their own means.
func TestPrograms(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"cp sparse", `
			truncate -s 3M src; printf data | dd of=src bs=1 seek=2000000 conv=notrunc status=none
			cp --sparse=always src dst; cmp src dst
			head -c 5000000 /dev/urandom > big; cp big big2; cmp big big2`},
		{"mv between folders", `
			mkdir -p a/b c; echo one > a/b/f; mv a/b c/; test "$(cat c/b/f)" = one
			echo two > a/g; mv a/g c/b/f; test "$(cat c/b/f)" = two; test ! -e a/g
			mv c/b/f c/b/F; test "$(ls c/b)" = F; rmdir a; rm -r c; test -z "$(ls)"`},
		{"tar", `
			mkdir t; for i in $(seq 100); do echo $i > t/$i; done; ln -s 1 t/link; ln t/2 t/hard; chmod 750 t/3
			tar cf out.tar t; mkdir u; tar xpf out.tar -C u; diff -r t u/t
			test "$(stat -c %a u/t/3)" = 750; test u/t/2 -ef u/t/hard; test "$(readlink u/t/link)" = 1`},
		{"sed -i", `printf 'a\nb\n' > f; sed -i s/b/c/ f; test "$(tr '\n' , < f)" = a,c,; test "$(ls)" = f`},
		{"vim", `
			echo first > f; chmod 640 f
			vim -Nes -u NONE -c 'set backupskip= backup writebackup backupcopy=auto' -c '%s/first/second/' -c wq f < /dev/null
			test "$(cat f)" = second; test "$(cat f~)" = first; test "$(stat -c %a f)" = 640; rm f~; test "$(ls -A)" = f`},
		{"sqlite3 from two processes", `
			sqlite3 db 'create table t(x)'
			add() { for i in $(seq 15); do sqlite3 -cmd '.timeout 60000' db "begin immediate; insert into t values($1*1000+$i); commit"; done; }
			add 1 & one=$!; add 2 & two=$!; wait $one; wait $two
			test "$(sqlite3 db 'select count(*), count(distinct x) from t')" = '30|30'
			test "$(sqlite3 db 'pragma integrity_check')" = ok; test "$(ls)" = db`},
		{"git", `
			export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
			git init -q r; cd r; for i in $(seq 60); do echo $i > f$i; done; mkdir d; ln -s ../f1 d/l
			git add .; git commit -qm one; test -z "$(git status --porcelain)"
			echo x >> f7; test "$(git status --porcelain)" = ' M f7'; git commit -qam two; git gc -q; git fsck --strict
			git clone -q . ../c; test "$(git -C ../c rev-list --count HEAD)" = 2; git checkout -q HEAD~; test "$(cat f7)" = 7`},
		{"rsync -a", `
			mkdir s; for i in $(seq 50); do echo $i > s/$i; done; ln -s 1 s/l; touch -d 2001-02-03 s/5; chmod 700 s/6
			rsync -a s/ d; test -z "$(rsync -ain s/ d)"; echo more >> s/9; rsync -a --inplace s/ d; cmp s/9 d/9
			rm s/4; rsync -a --delete s/ d; diff -r s d`},
		{"rm -r", `mkdir -p x/y; for i in $(seq 300); do : > x/y/$i; done; rm -r x; test -z "$(ls -A)"`},
		{"flock", `exec 3>l; flock 3; ! flock -n l true; exec 3>&-; flock -n l true`},
		{"test -x", `: > f; ! test -x f; chmod +x f; test -x f`},
		{"O_APPEND and truncate", `echo a >> f; echo b >> f; : > g; echo c > f; test "$(cat f)" = c; truncate -s 1 f; test "$(cat f)" = c`},
		{"df", `df -P . | tail -1 | awk '$4 < 1000 { exit 1 }'`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, fsys := newShare(t)
			sh(t, start(t, fsys, Config{}, wnet.MountOptions{}).Point(), c.script)
		})
	}
}

// TestMountBusyUser: a user sees through fusermount3's one exit code who it is that holds the mount.
func TestMountBusyUser(t *testing.T) {
	_, _, fsys := newShare(t)
	m := start(t, fsys, Config{}, wnet.MountOptions{})
	p := startProgram(t, "cwd", m.Point())
	err := m.Unmount(t.Context())
	wantCode(t, err, win32.ERROR_DEVICE_IN_USE)
	wantHolder(t, err, p.pid(), ".", wnet.UseCwd)
	p.stop()
}
