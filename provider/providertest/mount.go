package providertest

import (
	"maps"
	"slices"
	"testing"

	"github.com/hanwen/go-fuse/v2/posixtest"

	"github.com/openwnet/wnet"
)

// RunPosix runs go-fuse's posixtest, a list of what programs do to a folder by system calls, each case as a subtest in the folder that
// dir gives it: empty, and for this case alone. A folder of the kernel's own file system keeps the list itself honest.
//
// optOut gives the reason for each case, by name, that cannot pass there. A name that posixtest does not have, an empty reason, and a
// case that skips itself without being on the list all fail the run.
func RunPosix(t *testing.T, dir func(*testing.T) string, optOut map[string]string) {
	t.Helper()
	for name, reason := range optOut {
		if _, ok := posixtest.All[name]; !ok {
			t.Errorf("the opt-out list has %q, want the name of a case: posixtest.All has no such name", name)
		}
		if reason == "" {
			t.Errorf("the opt-out list has no reason for %q, want one", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(posixtest.All)) {
		if _, out := optOut[name]; out {
			continue
		}
		t.Run(name, func(t *testing.T) {
			defer func() {
				if t.Skipped() {
					t.Errorf("posixtest's %s skipped itself, want it run, or on the opt-out list with a reason", name)
				}
			}()
			posixtest.All[name](t, dir(t))
		})
	}
}

// RunMounted is RunPosix on a provider: every case gets a target and a connection of its own. mount shows the file system to the kernel
// and returns the folder; it takes the mount down by t.Cleanup. The connection is closed after that.
func RunMounted(t *testing.T, target func(*testing.T) Target, mount func(t *testing.T, fsys wnet.FileSystem) string,
	optOut map[string]string) {
	t.Helper()
	RunPosix(t, func(t *testing.T) string {
		c, err := target(t).connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return mount(t, c.FS())
	}, optOut)
}
