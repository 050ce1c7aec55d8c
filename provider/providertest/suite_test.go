package providertest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/openwnet/wnet"
)

// scenarios are runs of the suite that have to come out in a certain way. They run in a process of their own, since a test that fails
// cannot be taken back.
var scenarios = map[string]struct {
	run      func(t *testing.T)
	mustRun  string
	pass     bool
	contains string
}{
	"reason why a check cannot run": {pass: true, contains: "the target has no Stall", run: func(t *testing.T) {
		RunChecks(t, lifeChecks(), func(*testing.T) Target {
			return target(func(_ *hooked, tg *Target) { tg.Stall = nil })
		})
	}},
	"check that must run and cannot": {mustRun: "life/stalled-*", contains: "must run by WNET_MUST_RUN", run: func(t *testing.T) {
		RunChecks(t, lifeChecks(), func(*testing.T) Target {
			return target(func(_ *hooked, tg *Target) { tg.Stall = nil })
		})
	}},
	"interface that is absent": {pass: true, contains: "does not implement wnet.Linker", run: func(t *testing.T) {
		RunChecks(t, linkChecks(), func(*testing.T) Target {
			return target(func(p *hooked, tg *Target) { tg.Provider = plain{p} })
		})
	}},
	"misspelt WNET_MUST_RUN": {mustRun: "life/nothing", contains: "no check has such a name", run: func(t *testing.T) {
		RunChecks(t, lifeChecks(), func(*testing.T) Target { return target(nil) })
	}},
	"CannotDo with a name that is no check": {contains: "there is none of that name", run: func(t *testing.T) {
		RunChecks(t, linkChecks(), func(*testing.T) Target {
			return target(func(_ *hooked, tg *Target) { tg.CannotDo = map[string]string{"link/nothing": "no reason"} })
		})
	}},
	"CannotDo of what can be done": {contains: "take it off that list", run: func(t *testing.T) {
		RunChecks(t, linkChecks(), func(*testing.T) Target {
			return target(func(_ *hooked, tg *Target) { tg.CannotDo = map[string]string{"link/shared": "out of date"} })
		})
	}},
	"CannotDo of what cannot be done": {pass: true, contains: "the server copies", run: func(t *testing.T) {
		RunChecks(t, linkChecks()[3:4], func(*testing.T) Target {
			return target(func(p *hooked, tg *Target) {
				renameBreakers()["link/shared"][0](p, tg)
				tg.CannotDo = map[string]string{"link/shared": "the server copies"}
			})
		})
	}},
	"CannotDo of what is absent": {pass: true, contains: "the server has no links", mustRun: "link/*", run: func(t *testing.T) {
		RunChecks(t, linkChecks()[3:4], func(*testing.T) Target {
			return target(func(p *hooked, tg *Target) {
				tg.Provider, tg.CannotDo = plain{p}, map[string]string{"link/shared": "the server has no links"}
			})
		})
	}},
	"Without of what is absent": {pass: true, contains: "the server has no links", mustRun: "link/*", run: func(t *testing.T) {
		RunChecks(t, linkChecks()[3:4], func(*testing.T) Target {
			return target(func(p *hooked, tg *Target) {
				tg.Provider, tg.Without = plain{p}, map[string]string{"Linker": "the server has no links"}
			})
		})
	}},
	"Without of what is there": {contains: "take it off that list", run: func(t *testing.T) {
		RunChecks(t, linkChecks()[3:4], func(*testing.T) Target {
			return target(func(_ *hooked, tg *Target) { tg.Without = map[string]string{"Linker": "out of date"} })
		})
	}},
	"rule in a failure": {contains: "rule: A hard link is the same file", run: func(t *testing.T) {
		RunChecks(t, linkChecks(), func(*testing.T) Target { return target(renameBreakers()["link/shared"][0]) })
	}},
	"posixtest name that is none": {contains: "posixtest.All has no such name", run: func(t *testing.T) {
		RunPosix(t, func(t *testing.T) string { return t.TempDir() }, map[string]string{"Nothing": "no reason"})
	}},
	"posixtest reason that is missing": {contains: "no reason for", run: func(t *testing.T) {
		RunPosix(t, func(t *testing.T) string { return t.TempDir() }, map[string]string{"Link": ""})
	}},
	"posixtest case that skips itself": {contains: "skipped itself", run: func(t *testing.T) {
		RunPosix(t, func(t *testing.T) string { t.Skip("not here"); return "" }, nil)
	}},
}

// plain is a provider whose file systems have no optional interface.
type plain struct{ *hooked }

func (p plain) Connect(ctx context.Context, req wnet.Request) (wnet.Conn, error) {
	c, err := p.hooked.Connect(ctx, req)
	if err != nil {
		return nil, err
	}
	h := c.(*hookedConn)
	h.f = struct{ wnet.FileSystem }{h.f}
	return h, nil
}

// TestScenario runs one scenario, in the process that TestSuite starts for it.
func TestScenario(t *testing.T) {
	if name := os.Getenv("WNET_SUITE_SCENARIO"); name != "" {
		scenarios[name].run(t)
	}
}

// TestSuite is what Run and RunPosix say themselves: who passes, fails and is skipped, and why.
func TestSuite(t *testing.T) {
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestScenario$", "-test.v")
			cmd.Env = append(os.Environ(), "WNET_SUITE_SCENARIO="+name, "WNET_MUST_RUN="+s.mustRun)
			out, err := cmd.CombinedOutput()
			if (err == nil) != s.pass || !strings.Contains(string(out), s.contains) {
				t.Errorf("got %v, want success %v and %q in\n%s", err, s.pass, s.contains, out)
			}
		})
	}
}
