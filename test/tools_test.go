package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Editors and tools do on a mapped drive what they do on a disk.
func TestToolsOnADrive(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		z := b.drive("Z")
		for _, tool := range []struct{ name, script string }{
			{"vim saves", `
				printf 'one\n' > vim.txt
				vim -es -u NONE -c 'set backup writebackup' -c 's/one/two/' -c 'wq' vim.txt </dev/null
				test "$(cat vim.txt)" = two
				vim -es -u NONE -c 'set nobackup nowritebackup' -c 's/two/three/' -c 'wq' vim.txt </dev/null
				test "$(cat vim.txt)" = three
				vim -es -u NONE -c 'set backupcopy=no backup' -c 's/three/four/' -c 'wq' vim.txt </dev/null
				test "$(cat vim.txt)" = four`},
			{"sed -i", `
				printf 'a\nb\n' > sed.txt
				sed -i 's/b/c/' sed.txt
				sed -i.bak 's/c/d/' sed.txt
				test "$(cat sed.txt)" = "$(printf 'a\nd')"
				test "$(cat sed.txt.bak)" = "$(printf 'a\nc')"`},
			{"shell appends and truncates", `
				echo 1 > sh.txt; echo 2 >> sh.txt; echo 3 >> sh.txt
				test "$(wc -l < sh.txt)" -eq 3
				truncate -s 2 sh.txt; test "$(cat sh.txt)" = 1
				: > sh.txt; test ! -s sh.txt`},
			{"unlink while open", `
				echo gone > open.txt
				exec 7<open.txt; rm open.txt
				test "$(cat <&7)" = gone
				test ! -e open.txt
				exec 7<&-`},
			{"rename over an open file", `
				echo old > target.txt; echo new > source.txt
				exec 7<target.txt; mv source.txt target.txt
				test "$(cat target.txt)" = new
				test "$(cat <&7)" = old
				exec 7<&-`},
			{"mv between folders", `
				mkdir -p d1/sub d2; echo x > d1/sub/f
				mv d1/sub d2/; test "$(cat d2/sub/f)" = x; test ! -e d1/sub
				mv d2/sub/f d1/g; test "$(cat d1/g)" = x
				rm -r d1 d2`},
			{"cp --sparse", `
				truncate -s 3M sparse.in; printf end >> sparse.in
				cp --sparse=always sparse.in sparse.out
				cmp sparse.in sparse.out; rm sparse.in sparse.out`},
			{"tar out and in", `
				mkdir tree; for i in $(seq 1 60); do echo "file $i" > "tree/f $i"; done; mkdir tree/sub; head -c 300000 /dev/urandom > tree/sub/big
				tar cf "$TMPDIR/t.tar" tree
				mkdir back; tar xf "$TMPDIR/t.tar" -C back
				diff -r tree back/tree
				rm -r tree back`},
			{"rsync -a", `
				mkdir -p "$TMPDIR/src/deep/er"; head -c 2000000 /dev/urandom > "$TMPDIR/src/big"; echo small > "$TMPDIR/src/deep/er/small"
				touch -d '2020-02-02 02:02:02' "$TMPDIR/src/deep/er/small"
				rsync -a "$TMPDIR/src/" dst/
				diff -r "$TMPDIR/src" dst
				test "$(stat -c %Y dst/deep/er/small)" = "$(stat -c %Y "$TMPDIR/src/deep/er/small")"
				echo more >> "$TMPDIR/src/deep/er/small"
				rsync -a --delete "$TMPDIR/src/" dst/; diff -r "$TMPDIR/src" dst
				test -z "$(rsync -ani --omit-dir-times "$TMPDIR/src/" dst/ | grep '^>f' || true)"
				rm -r dst`},
			{"git", `
				git init -q -b main origin; cd origin; git config user.email a@b; git config user.name a
				for i in 1 2 3; do echo $i > f$i; git add .; git commit -qm "c$i"; done
				cd ..; git clone -q origin clone; cd clone
				git config user.email a@b; git config user.name a
				test -z "$(git status --porcelain)"
				echo change >> f1; git commit -qam change; git gc -q; git fsck --no-progress
				test "$(git log --oneline | wc -l)" -eq 4
				test -z "$(git status --porcelain)"
				cd ..; rm -rf origin clone`},
			{"locks", `
				: > lock
				flock lock sh -c 'if flock -n lock true; then exit 1; fi'
				flock -n lock true`},
			{"names", `
				mkdir names; cd names
				for n in 'with space' 'ümläut' '日本' "quo'te" 'semi;colon' '-dash' '#hash'; do echo "$n" > "./$n"; done
				for n in 'with space' 'ümläut' '日本' "quo'te" 'semi;colon' '-dash' '#hash'; do test "$(cat "./$n")" = "$n"; done
				test "$(ls | wc -l)" -eq 7; cd ..; rm -r names`},
			{"times and modes", `
				echo x > times; touch -d '2021-01-01 12:00:00 UTC' times
				test "$(stat -c %Y times)" -eq 1609502400
				chmod 600 times; chmod +x times; df . > /dev/null; rm times`},
		} {
			t.Run(tool.name, func(t *testing.T) {
				r := b.exec("", "/bin/sh", "-euc", "cd '"+z+"'\n"+tool.script)
				if r.code != 0 {
					t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
				}
			})
		}
		left, err := os.ReadDir(s.root)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range left {
			if strings.HasPrefix(e.Name(), ".wnet") || strings.HasPrefix(e.Name(), ".fuse") {
				t.Errorf("%s is left on the server", e.Name())
			}
		}
	})
}

// Two processes write to one SQLite database at once, and lose nothing.
func TestSQLiteFromTwoProcesses(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		db := b.drive("Z", "test.db")
		b.sh(fmt.Sprintf("sqlite3 '%s' 'create table t(who, n)'", db))
		var wg sync.WaitGroup
		for who := range 2 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				script := fmt.Sprintf(`for i in $(seq 1 20); do
					sqlite3 -cmd '.timeout 60000' '%s' "begin immediate; insert into t values(%d, $i); commit;"; done`, db, who)
				if r := b.exec("", "/bin/sh", "-euc", script); r.code != 0 {
					t.Errorf("process %d: %v", who, r)
				}
			}()
		}
		wg.Wait()
		if got := strings.TrimSpace(b.sh(fmt.Sprintf("sqlite3 '%s' 'select count(*) from t; pragma integrity_check'", db))); got != "40\nok" {
			t.Errorf("got %q", got)
		}
		if _, err := exec.LookPath("sqlite3"); err != nil {
			t.Error(err)
		}
	})
}

// What another client writes is seen within the stated bound, and what a program wrote is on the server when close returns.
func TestCoherence(t *testing.T) {
	over(t, func(t *testing.T, b *box, s target) {
		b.mapTo("Z:", s)
		s.write(t, "f", "first")
		if got := b.sh("cat '" + b.drive("Z", "f") + "'"); got != "first" {
			t.Fatalf("reads %q", got)
		}
		s.write(t, "f", "second, and longer")
		if !b.until(bound, func() bool { return b.sh("cat '"+b.drive("Z", "f")+"'") == "second, and longer" }) {
			t.Error("a change by another client is not seen within the bound")
		}
		s.write(t, "g", "new")
		if !b.until(bound, func() bool { _, err := os.Stat(b.drive("Z", "g")); return err == nil }) {
			t.Error("a new file of another client is not seen within the bound")
		}
		if err := os.Remove(filepath.Join(s.root, "g")); err != nil {
			t.Fatal(err)
		}
		if !b.until(bound, func() bool { _, err := os.Stat(b.drive("Z", "g")); return os.IsNotExist(err) }) {
			t.Error("a removal by another client is not seen within the bound")
		}
		b.sh("printf mine > '" + b.drive("Z", "h") + "'")
		if got := s.read(t, "h"); got != "mine" {
			t.Errorf("the server has %q", got)
		}
	})
}
