package providertest

import "testing"

// TestPosixOnKernel runs posixtest on a folder of the kernel's own file system: a case that fails there asks for too much.
func TestPosixOnKernel(t *testing.T) {
	RunPosix(t, func(t *testing.T) string { return t.TempDir() }, map[string]string{
		"FcntlFlockLocksFile": "the kernel itself lets one process take both kinds of lock",
		"OpenSymlinkRace":     "the kernel itself resolves the links, which the case takes for an attack that has worked",
		"XAttr":               "not every file system that a temporary folder is on has extended attributes",
		"XAttrLarge":          "not every file system that a temporary folder is on has large extended attributes",
		"DirectIO":            "not every file system that a temporary folder is on has O_DIRECT",
		"Tmpfile":             "not every file system that a temporary folder is on has O_TMPFILE",
	})
}
