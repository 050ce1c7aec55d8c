package smb

import (
	"crypto/rand"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"unicode/utf16"
	"unicode/utf8"
)

// A name that the server is asked for differs from the one of wnet.FileSystem in its separators and in the characters that Windows
// reserves. Those, and a blank or a dot at the end of a part, travel as characters of the private use area, as Services for
// Macintosh, Samba's fruit and mount.cifs's mapposix have them, and come back as they were. Package smb2 maps all of them; the backslash is mapped here already, so
// that it is told from a separator.
const mappedBackslash = '\uF026'

// removedPrefix begins the name that a file gets which was removed while it was open here: the server can't keep it without a name.
// It is hidden, and gone with the last File that has it open; a crash leaves it behind.
const removedPrefix = ".wnet-removed-"

// removedName returns a new name beside name.
func removedName(name string) string {
	var b [8]byte
	rand.Read(b[:])
	return path.Join(path.Dir(name), removedPrefix+hex.EncodeToString(b[:]))
}

// hidden reports whether a part of a name is that of a removed file.
func hidden(part string) bool {
	rest, ok := strings.CutPrefix(part, removedPrefix)
	if !ok || len(rest) != 16 {
		return false
	}
	_, err := hex.DecodeString(rest)
	return err == nil
}

// checkName tells what is wrong with a name before the server is asked: EINVAL for what no FileSystem takes, ENOENT for what is
// hidden, ENAMETOOLONG, and EILSEQ for bytes that are not UTF-8, which SMB can't carry.
func checkName(name string) error {
	if !fs.ValidPath(name) {
		if !utf8.ValidString(name) {
			return syscall.EILSEQ
		}
		return syscall.EINVAL
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case strings.IndexByte(part, 0) >= 0:
			return syscall.EINVAL
		case len(part) > 255 && len(utf16.Encode([]rune(part))) > 255:
			return syscall.ENAMETOOLONG
		case hidden(part):
			return syscall.ENOENT
		}
	}
	return nil
}

// serverPath is a checked name as the server is asked for it, below the folder that the connection begins at.
func (c *conn) serverPath(name string) string {
	p := path.Join(c.root, name)
	if p == "." {
		return ""
	}
	return strings.ReplaceAll(strings.ReplaceAll(p, `\`, string(mappedBackslash)), "/", `\`)
}

// listedName is a name out of a folder's listing. ok is false for what no server should send and a program could be led astray by.
func listedName(s string) (name string, ok bool) {
	if s == "" || s == "." || s == ".." || strings.ContainsAny(s, "/\\\x00") {
		return "", false
	}
	return strings.ReplaceAll(s, string(mappedBackslash), `\`), true
}

// fold gives names that are the same file to a server that ignores case the same spelling. A server that does not ignore it is only
// made to wait a little more.
func fold(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// within reports whether a folded name is folder or below it.
func within(name, folder string) bool {
	return folder == "." || name == folder || strings.HasPrefix(name, folder) && name[len(folder)] == '/'
}
