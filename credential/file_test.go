package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet/win32"
)

func TestFile(t *testing.T) {
	cfg := folders(t)
	s := Open(cfg)
	contract(t, s)
	if s.Kind() != "sealed file" {
		t.Errorf("Kind = %q", s.Kind())
	}
	mustPut(t, s, cred("//nas", "anna", password))
	wantGet(t, Open(cfg), "//nas", "anna", "anna", password) // another daemon's life
}

// TestFileOnDisk looks at what a backup or a synced folder would get: nothing readable, and no key beside it.
func TestFileOnDisk(t *testing.T) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	cfg := folders(t)
	s := Open(cfg)
	mustPut(t, s, cred("//nas", "anna", password))
	mustPut(t, s, cred("//nas", "bob", password))
	for path, want := range map[string]fs.FileMode{
		cfg.ConfigDir: fs.ModeDir | 0o700,
		cfg.DataDir:   fs.ModeDir | 0o700,
		filepath.Join(cfg.ConfigDir, "credentials.age"): 0o600,
		filepath.Join(cfg.DataDir, "age.key"):           0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, mode %v, want %v", path, err, info.Mode(), want)
		}
	}
	filepath.WalkDir(cfg.ConfigDir, func(path string, d fs.DirEntry, err error) error {
		if d.Type().IsRegular() {
			b, _ := os.ReadFile(path)
			for _, plain := range []string{password, "anna", "nas", "AGE-SECRET-KEY"} {
				if bytes.Contains(b, []byte(plain)) {
					t.Errorf("%s holds %q", path, plain)
				}
			}
		}
		return nil
	})

	// The owner can open it with the age program.
	ids, _, err := keyFile{path: filepath.Join(cfg.DataDir, "age.key")}.load()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(cfg.ConfigDir, "credentials.age"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := age.Decrypt(f, ids...)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Credentials []struct{ User string } }
	if err := json.NewDecoder(r).Decode(&doc); err != nil || len(doc.Credentials) != 2 || doc.Credentials[1].User != "bob" {
		t.Errorf("what is sealed: %+v, %v", doc, err)
	}
}

// TestFileDamaged breaks the file or its key in every way and wants an error that says so, and nothing changed.
func TestFileDamaged(t *testing.T) {
	type paths struct{ file, key string }
	write := func(path string, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	otherKey := func(path string) {
		os.Remove(path)
		if err := (keyFile{path: path}).create(); err != nil {
			t.Fatal(err)
		}
	}
	reseal := func(p paths, plain string) {
		_, to, err := keyFile{path: p.key}.load()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w, _ := age.Encrypt(&b, to...)
		w.Write([]byte(plain))
		w.Close()
		write(p.file, b.Bytes())
	}
	for name, c := range map[string]struct {
		damage func(p paths, sealed []byte)
		code   win32.Code
		says   string
	}{
		"cut":     {func(p paths, b []byte) { write(p.file, b[:len(b)-5]) }, win32.ERROR_CANT_ACCESS_FILE, "damaged"},
		"flipped": {func(p paths, b []byte) { b[len(b)-9] ^= 1; write(p.file, b) }, win32.ERROR_CANT_ACCESS_FILE, "damaged"},
		"empty":   {func(p paths, b []byte) { write(p.file, nil) }, win32.ERROR_CANT_ACCESS_FILE, "damaged"},
		"text":    {func(p paths, b []byte) { write(p.file, []byte("user = anna\n")) }, win32.ERROR_CANT_ACCESS_FILE, "not sealed"},
		"huge":    {func(p paths, b []byte) { write(p.file, make([]byte, maxFile+1)) }, win32.ERROR_CANT_ACCESS_FILE, "larger"},
		"folder":  {func(p paths, b []byte) { os.Remove(p.file); os.Mkdir(p.file, 0o700) }, win32.ERROR_CANT_ACCESS_FILE, "directory"},
		"foreign": {func(p paths, b []byte) { reseal(p, "x="+password) }, win32.ERROR_CANT_ACCESS_FILE, "not wnet's"},
		"later": {func(p paths, b []byte) { reseal(p, `{"version":2,"credentials":[]}`) }, win32.ERROR_CANT_ACCESS_FILE,
			"version 2"},
		"wrong key":  {func(p paths, b []byte) { otherKey(p.key) }, win32.ERROR_CANT_ACCESS_FILE, "does not fit"},
		"no key":     {func(p paths, b []byte) { os.Remove(p.key) }, win32.ERROR_CANT_ACCESS_FILE, "missing"},
		"broken key": {func(p paths, b []byte) { write(p.key, []byte("AGE-SECRET-KEY-"+password)) }, win32.ERROR_CANT_ACCESS_FILE, "key"},
		"open key":   {func(p paths, b []byte) { os.Chmod(p.key, 0o644) }, win32.ERROR_ACCESS_DENIED, "others may read"},
		"key folder": {func(p paths, b []byte) { os.Remove(p.key); os.Mkdir(p.key, 0o700) }, win32.ERROR_CANT_ACCESS_FILE, "not a file"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := folders(t)
			s := Open(cfg)
			mustPut(t, s, cred("//nas", "anna", password))
			p := paths{filepath.Join(cfg.ConfigDir, "credentials.age"), filepath.Join(cfg.DataDir, "age.key")}
			sealed, err := os.ReadFile(p.file)
			if err != nil {
				t.Fatal(err)
			}
			c.damage(p, sealed)
			before, keyBefore := state(p.file), state(p.key)

			_, err = s.Get(t.Context(), "//nas", "anna")
			wantCode(t, err, c.code)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error %q does not say %q", err, c.says)
			}
			wantCode(t, s.Put(t.Context(), cred("//nas", "anna", "new")), c.code)
			wantCode(t, s.Delete(t.Context(), "//nas", "anna"), c.code)
			if _, err := s.List(t.Context()); err == nil {
				t.Error("List hides the damage")
			}
			if state(p.file) != before || state(p.key) != keyBefore {
				t.Error("the file or its key was changed")
			}
		})
	}
}

// state is a file's kind and content.
func state(path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return "absent"
	}
	b, _ := os.ReadFile(path)
	return info.Mode().String() + string(b)
}

func TestFileWhereNoneCanBe(t *testing.T) {
	cfg := folders(t)
	if err := os.WriteFile(filepath.Dir(filepath.Dir(cfg.ConfigDir))+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.ConfigDir = filepath.Dir(filepath.Dir(cfg.ConfigDir)) + "/file/wnet"
	s := Open(cfg)
	wantCode(t, s.Put(t.Context(), cred("//nas", "anna", password)), win32.ERROR_CANT_ACCESS_FILE)
}

// TestOwnIdentity uses a key that the person has named.
func TestOwnIdentity(t *testing.T) {
	cfg := folders(t)
	cfg.IdentityFile = filepath.Join(t.TempDir(), "mine.key")
	s := Open(cfg)
	wantCode(t, s.Put(t.Context(), cred("//nas", "anna", password)), win32.ERROR_CANT_ACCESS_FILE) // it is not made by itself
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.IdentityFile, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, cred("//nas", "anna", password))
	wantGet(t, s, "//nas", "", "anna", password)
	if _, err := os.Stat(cfg.DataDir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key folder was made without need: %v", err)
	}
}

// TestSymbolicLink keeps a link that a tool for dotfiles made.
func TestSymbolicLink(t *testing.T) {
	cfg := folders(t)
	s := Open(cfg)
	mustPut(t, s, cred("//nas", "anna", password))
	path, real := filepath.Join(cfg.ConfigDir, "credentials.age"), filepath.Join(t.TempDir(), "real.age")
	if err := os.Rename(path, real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, path); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, cred("//nas", "anna", "new"))
	if to, err := os.Readlink(path); err != nil || to != real {
		t.Errorf("the link is now %q, %v", to, err)
	}
	wantGet(t, s, "//nas", "anna", "anna", "new")
}

// TestLockHeld has another program hold the file for longer than anybody wants to wait.
func TestLockHeld(t *testing.T) {
	cfg := folders(t)
	s := Open(cfg).(*chooser)
	mustPut(t, s, cred("//nas", "anna", password))
	f, err := os.Open(filepath.Join(cfg.ConfigDir, "credentials.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	wantGet(t, s, "//nas", "anna", "anna", password) // readers never wait
	s.file.patience = 50 * time.Millisecond
	wantCode(t, s.Put(t.Context(), cred("//nas", "anna", "new")), win32.ERROR_BUSY)
	s.file.patience = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	wantCode(t, s.Put(ctx, cred("//nas", "anna", "new")), win32.ERROR_CANCELLED)
	f.Close()
	mustPut(t, s, cred("//nas", "anna", "new"))
}

const perWriter = 10

// writer is the second process of TestTwoProcesses.
func writer(dir string) int {
	s := Open(Config{ConfigDir: filepath.Join(dir, "config"), DataDir: filepath.Join(dir, "data")})
	for i := range perWriter {
		c := cred(fmt.Sprintf("//server%d", i), fmt.Sprintf("user%d", os.Getpid()), password)
		if err := s.Put(context.Background(), c); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

// TestTwoProcesses has several processes write at once, from the first key on. Nothing gets lost.
func TestTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	const processes = 3
	var all []*exec.Cmd
	var out lockedBuffer
	for range processes {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), writerEnv+"="+dir)
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Errorf("a writer failed: %v", err)
		}
	}
	if t.Failed() {
		t.Fatal(out.String())
	}
	s := Open(Config{ConfigDir: filepath.Join(dir, "config"), DataDir: filepath.Join(dir, "data")})
	list, err := s.List(t.Context())
	if err != nil || len(list) != processes*perWriter {
		t.Errorf("%d credentials are there, want %d (%v)", len(list), processes*perWriter, err)
	}
	entries, _ := os.ReadDir(filepath.Join(dir, "config"))
	if len(entries) != 2 {
		t.Errorf("the folder holds %v, want the file and its lock", entries)
	}
}
