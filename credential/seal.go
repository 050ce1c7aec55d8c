package credential

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// document is what is sealed. Passwords are bytes (base64 in the JSON), as they need not be valid UTF-8.
type document struct {
	Version     int          `json:"version"`
	Credentials []sealedItem `json:"credentials"`
}

type sealedItem struct {
	Target   string    `json:"target"`
	User     string    `json:"user"`
	Password []byte    `json:"password"`
	Saved    time.Time `json:"saved"`
}

// documentVersion is the only version there is. A later wnet's file is refused rather than cut down to what this one knows.
const documentVersion = 1

// seal turns entries into an age file.
func seal(all []entry, to []age.Recipient) ([]byte, error) {
	doc := document{Version: documentVersion, Credentials: []sealedItem{}}
	for _, e := range all {
		doc.Credentials = append(doc.Credentials,
			sealedItem{e.Target, e.User, []byte(e.Password.Reveal()), e.saved.UTC().Round(0)})
	}
	plain, err := json.Marshal(doc)
	if err != nil {
		return nil, errors.New("can't write the credentials down") // the cause could quote what is secret
	}
	defer clear(plain)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		return nil, fmt.Errorf("can't seal the credentials: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("can't seal the credentials: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("can't seal the credentials: %w", err)
	}
	return out.Bytes(), nil
}

// unseal is the reverse of seal. Its errors quote nothing of the content.
func unseal(sealed []byte, with []age.Identity) ([]entry, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), with...)
	var wrongKey *age.NoIdentityMatchError
	switch {
	case errors.As(err, &wrongKey):
		return nil, errors.New("the key does not fit the file")
	case err != nil:
		return nil, fmt.Errorf("the file is not sealed with age, or is damaged: %w", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, errors.New("the file is damaged or cut off")
	}
	defer clear(plain)
	var doc document
	if json.Unmarshal(plain, &doc) != nil {
		return nil, errors.New("what is sealed in the file is not wnet's")
	}
	if doc.Version != documentVersion {
		return nil, fmt.Errorf("the file has version %d, this program reads version %d", doc.Version, documentVersion)
	}
	all := make([]entry, 0, len(doc.Credentials))
	for _, c := range doc.Credentials {
		all = append(all, entry{Credential{c.Target, c.User, wnet.NewSecret(string(c.Password))}, c.Saved})
		clear(c.Password)
	}
	return all, nil
}

// keyFile is the age identity that opens the sealed file, in the format of age-keygen, so that
// `age -d -i age.key credentials.age` works for its owner.
type keyFile struct {
	path  string
	given bool // named by the configuration: never made here
}

// load reads the key and refuses one that others can read. fs.ErrNotExist if there is none.
func (k keyFile) load() ([]age.Identity, []age.Recipient, error) {
	file, err := os.Open(k.path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errors.New("the key is not a file")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, nil, fmt.Errorf("others may read the key, its mode is %04o: %w", info.Mode().Perm(), fs.ErrPermission)
	}
	ids, err := age.ParseIdentities(io.LimitReader(file, 1<<20))
	if err != nil {
		return nil, nil, errors.New("the file is not a plain age identity") // the cause could quote the key
	}
	var to []age.Recipient
	for _, id := range ids {
		switch id := id.(type) {
		case *age.X25519Identity:
			to = append(to, id.Recipient())
		case *age.HybridIdentity:
			to = append(to, id.Recipient())
		}
	}
	if len(to) == 0 {
		return nil, nil, errors.New("the file has no age identity that can seal")
	}
	return ids, to[:1], nil // one recipient is enough, and kinds of recipients may not be mixed
}

// create makes a key. If another process is faster, its key stays.
func (k keyFile) create() error {
	dir := filepath.Dir(k.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".age-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	var b strings.Builder
	fmt.Fprintf(&b, "# created: %s\n# opens wnet's stored credentials; keep it to yourself, and keep a copy apart from them\n"+
		"# public key: %s\n%s\n", time.Now().Format(time.RFC3339), id.Recipient(), id)
	_, err = tmp.WriteString(b.String())
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	// A link, unlike a rename, never takes the place of a key that is there.
	switch err := os.Link(tmp.Name(), k.path); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOSYS):
		// No hard links here. The writers' lock is held, so that only a foreign program could come in between.
		if err := unix.Renameat2(unix.AT_FDCWD, tmp.Name(), unix.AT_FDCWD, k.path, unix.RENAME_NOREPLACE); err != nil {
			if errors.Is(err, unix.EEXIST) {
				return nil
			}
			return &os.LinkError{Op: "rename", Old: tmp.Name(), New: k.path, Err: err}
		}
	case err != nil:
		return err
	}
	return syncFolder(dir)
}

// failed gives a trouble with the key its code and a hint.
func (k keyFile) failed(op string, err error) error {
	e := &wnet.Error{Op: op, Name: k.path, Code: win32.ERROR_CANT_ACCESS_FILE,
		Err: fmt.Errorf("the key of the stored credentials can't be used: %w", err)}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.Code = win32.ERROR_ACCESS_DENIED
		e.Hint = "Make it readable by you alone: chmod 600 " + k.path
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "Make one with: age-keygen -o " + k.path
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		e.Code = win32.ERROR_GEN_FAILURE
		e.Hint = "Make room on the disk and try again; nothing was changed."
	}
	return e
}
