// Package providertest is the conformance suite of wnet's providers: what wnet.Provider and wnet.FileSystem promise, each promise as
// one check that can be run against a real server.
//
// A provider's test is a Target and one call:
//
//	func TestConformance(t *testing.T) {
//		providertest.Run(t, func(t *testing.T) providertest.Target {
//			srv := startServer(t) // taken down by t.Cleanup
//			return providertest.Target{Provider: New(), Share: srv.Share(), …}
//		})
//	}
//
// The function is called once for each check and gives a share that is empty each time; the server behind it may be the same, with a
// fresh folder for each. Package mem passes every check. What a server cannot do is listed in Target.CannotDo, with the reason.
//
// The environment variable WNET_MUST_RUN lists checks, by name or pattern ("fs/*", "*"), separated by commas, that may not be skipped: a
// server that is missing is a skip on a laptop and a failure in continuous integration.
package providertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Credentials are what a connection is asked for with.
type Credentials struct {
	User     string
	Password wnet.Secret
}

// Target is a provider and a fresh server for it. What is marked optional may be left out: the checks that need it are then skipped.
type Target struct {
	Provider wnet.Provider
	Share    wnet.RemoteName   // an empty, writable share or folder that exists for this check alone
	Missing  wnet.RemoteName   // on the same server, a share (where there are no shares: a folder) that is not there
	Foreign  []wnet.RemoteName // names of other networks, at least one; the suite puts a server and a port of its own into them
	Options  wnet.UseOptions   // sent with every request
	Good     Credentials       // may do everything in Share
	Bad      Credentials       // optional: a user that is known, with a wrong password
	Unknown  Credentials       // optional: a user that is not known
	Dead     wnet.RemoteName   // optional: a name of this network on a server that is not there, or where nothing listens

	// Server is optional: the container that a person opens to find Share. Without it, it is Share's server.
	Server wnet.RemoteName

	// Stop is optional: it stops the network itself, so that everything is ERROR_NO_NETWORK.
	Stop func()
	// Stall is optional: it makes the server stop answering, all connections kept, until resume is called.
	Stall func() (resume func())
	// Sever is optional: the server cuts every connection, and goes on serving new ones.
	Sever func()

	// CannotDo gives the reason for each check, by name, that the server behind the provider cannot pass. Such a check is run all the
	// same and has to fail, so that the list cannot grow old; a name that is no check's fails the run. A check that cannot run for want of
	// what it Needs passes if it is listed, instead of being skipped.
	CannotDo map[string]string
	// Without gives the reason for each optional interface, by name ("Locker"), that the provider does not implement. Checks that need one
	// have then nothing to say. One that is implemented after all is a failure.
	Without map[string]string

	// hurry is how long something may take that has to happen soon; 0 for patience. The suite's own tests are in more of a hurry with
	// providers that hang on purpose.
	hurry time.Duration
}

// patience is how long something may take that has to happen soon, whatever the server does. It is generous: what meets it hangs.
const patience = 20 * time.Second

func (tg Target) patience() time.Duration {
	if tg.hurry > 0 {
		return tg.hurry
	}
	return patience
}

// Check is one promise.
type Check struct {
	Name string // "room/what"
	Rule string // the promise, in one sentence
	// Needs names the optional interfaces of package wnet and the optional fields of Target ("Target.Stall") that the check is about,
	// blanks between them; "" for none. One that is absent means that the check is skipped, with the reason.
	Needs string
	// Run returns nil if target keeps the rule, else what it got and what was wanted. It may do with target's share as it likes.
	Run func(ctx context.Context, target Target) error
}

// Checks is every check, in the order of the pages that they stand on. The caller owns the slice.
func Checks() []Check {
	return slices.Concat(connectChecks(), lifeChecks(), nameChecks(), errorChecks(), dataChecks(), renameChecks(), openChecks(),
		listChecks(), parallelChecks(), attrChecks(), linkChecks(), lockChecks(), leaseChecks(), moreChecks(), enumChecks(), informChecks())
}

// Select is the checks whose names match one of the patterns, as WNET_MUST_RUN has them, for RunChecks. It panics on a pattern that
// matches none: that is a mistake in the test that calls it.
func Select(patterns ...string) []Check {
	m, err := parseMust(strings.Join(patterns, ","))
	if err != nil {
		panic(err)
	}
	return slices.DeleteFunc(Checks(), func(c Check) bool { return !m.has(c.Name) })
}

// limit is how long one check may take. It is generous: a check that meets it hangs.
const limit = 2 * time.Minute

// Run runs every check, each as a subtest on a target of its own.
func Run(t *testing.T, target func(*testing.T) Target) {
	t.Helper()
	RunChecks(t, Checks(), target)
}

// RunChecks runs some checks, for a provider that does not promise all, such as a read-only one.
func RunChecks(t *testing.T, checks []Check, target func(*testing.T) Target) {
	t.Helper()
	must, err := parseMust(os.Getenv("WNET_MUST_RUN"))
	if err != nil {
		t.Fatalf("WNET_MUST_RUN: %v", err)
	}
	for _, c := range checks {
		t.Run(c.Name, func(t *testing.T) {
			tg := target(t)
			for name := range tg.CannotDo {
				if !slices.ContainsFunc(Checks(), func(c Check) bool { return c.Name == name }) {
					t.Fatalf("CannotDo has %q, want the name of a check: there is none of that name", name)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			reason, err := absent(ctx, tg, c.Needs)
			switch {
			case err != nil:
				t.Fatalf("connecting to see whether there is a %s: %v", c.Needs, err)
			case reason != "" && without(tg, c.Needs) != "":
				t.Logf("%s: %s", reason, without(tg, c.Needs))
				return
			case reason == "" && without(tg, c.Needs) != "":
				t.Fatalf("%s is there, and Without says that it is not (%q): take it off that list", c.Needs, without(tg, c.Needs))
			case reason != "" && tg.CannotDo[c.Name] != "":
				t.Logf("as CannotDo says (%s): %s", tg.CannotDo[c.Name], reason)
				return
			case reason != "" && must.has(c.Name):
				t.Fatalf("must run by WNET_MUST_RUN, and cannot: %s", reason)
			case reason != "":
				t.Skip(reason)
			}
			err = Judge(ctx, c, tg)
			if why, known := tg.CannotDo[c.Name]; known {
				if err == nil {
					t.Fatalf("passes, and CannotDo says that it cannot (%q): take it off that list", why)
				}
				t.Logf("as CannotDo says (%s): %v", why, err)
				return
			}
			if err != nil {
				t.Errorf("%v\nrule: %s", err, c.Rule)
			}
		})
	}
}

var errPanic = errors.New("got a panic, want none")

// Judge runs one check on one target, outside of a test. A check that panics or does not come back has failed.
func Judge(ctx context.Context, c Check, tg Target) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("%w: %v", errPanic, r)
			}
		}()
		done <- c.Run(ctx, tg)
	}()
	grace, cancel := context.WithCancel(context.Background())
	defer cancel()
	context.AfterFunc(ctx, func() {
		select {
		case <-time.After(tg.patience()):
			cancel()
		case <-grace.Done():
		}
	})
	select {
	case err := <-done:
		return err
	case <-grace.Done():
		return errors.New("got no answer, want one soon after the context has ended")
	}
}

// absent says why a check that needs something cannot run: "" if it can.
func absent(ctx context.Context, tg Target, needs string) (string, error) {
	for _, need := range strings.Fields(needs) {
		have, err := tg.offers(ctx, need)
		switch {
		case err != nil:
			return "", err
		case have:
		case strings.HasPrefix(need, "Target."):
			return "the target has no " + strings.TrimPrefix(need, "Target."), nil
		default:
			return fmt.Sprintf("%s does not implement wnet.%s", tg.Provider.Name(), need), nil
		}
	}
	return "", nil
}

// without is the reason why the target lacks one of the interfaces that a check needs, "" if it says nothing.
func without(tg Target, needs string) string {
	for _, need := range strings.Fields(needs) {
		if why := tg.Without[need]; why != "" {
			return why
		}
	}
	return ""
}

// offers reports whether the target has one of the things that Check.Needs can name.
func (tg Target) offers(ctx context.Context, need string) (bool, error) {
	switch need {
	case "Target.Bad":
		return tg.Bad != Credentials{}, nil
	case "Target.Unknown":
		return tg.Unknown != Credentials{}, nil
	case "Target.Dead":
		return tg.Dead != wnet.RemoteName{}, nil
	case "Target.Stop":
		return tg.Stop != nil, nil
	case "Target.Stall":
		return tg.Stall != nil, nil
	case "Target.Sever":
		return tg.Sever != nil, nil
	case "Enumerator":
		_, have := tg.Provider.(wnet.Enumerator)
		return have, nil
	case "ResourceInformer":
		_, have := tg.Provider.(wnet.ResourceInformer)
		return have, nil
	case "ParentTeller":
		_, have := tg.Provider.(wnet.ParentTeller)
		return have, nil
	case "Formatter":
		_, have := tg.Provider.(wnet.Formatter)
		return have, nil
	}
	c, err := tg.connect(ctx)
	if err != nil {
		return false, err
	}
	defer c.Close()
	if need == "Performer" {
		_, have := c.(wnet.Performer)
		return have, nil
	}
	return implements(ctx, c.FS(), need)
}

// implements looks for an optional interface of a file system, or of its files.
func implements(ctx context.Context, fsys wnet.FileSystem, name string) (have bool, err error) {
	switch name {
	case "AttrSetter":
		_, have = fsys.(wnet.AttrSetter)
	case "Symlinker":
		_, have = fsys.(wnet.Symlinker)
	case "Linker":
		_, have = fsys.(wnet.Linker)
	case "Statfser":
		_, have = fsys.(wnet.Statfser)
	case "Locker":
		l, ok := fsys.(wnet.Locker)
		have = ok && l.Locking()
	case "Leaser":
		_, have = fsys.(wnet.Leaser)
	case "WholeReader":
		_, have = fsys.(wnet.WholeReader)
	case "Xattrer":
		_, have = fsys.(wnet.Xattrer)
	case "FileAttrSetter", "FileLocker", "FileCopier", "FileAllocator", "FileSeeker":
		const probe = "wnet-providertest-probe"
		f, err := fsys.Open(ctx, probe, wnet.OpenWrite|wnet.OpenCreate, 0o600)
		if err != nil {
			return false, err
		}
		switch name {
		case "FileAttrSetter":
			_, have = f.(wnet.FileAttrSetter)
		case "FileLocker":
			_, have = f.(wnet.FileLocker)
		case "FileCopier":
			_, have = f.(wnet.FileCopier)
		case "FileAllocator":
			_, have = f.(wnet.FileAllocator)
		case "FileSeeker":
			_, have = f.(wnet.FileSeeker)
		}
		return have, errors.Join(f.Close(ctx), fsys.Remove(ctx, probe, false))
	default:
		return false, fmt.Errorf("a check needs %q, which is not known", name)
	}
	return have, nil
}

// request is a request for name with the good credentials.
func (tg Target) request(name wnet.RemoteName) wnet.Request {
	return wnet.Request{Remote: name, Type: win32.RESOURCETYPE_DISK, User: tg.Good.User, Password: tg.Good.Password, Options: tg.Options}
}

func (tg Target) connect(ctx context.Context) (wnet.Conn, error) {
	return tg.Provider.Connect(ctx, tg.request(tg.Share))
}

// must is a parsed WNET_MUST_RUN.
type must []string

func parseMust(s string) (must, error) {
	var m must
	for _, p := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		found := false
		for _, c := range Checks() {
			found = found || must{p}.has(c.Name)
		}
		if !found {
			return nil, fmt.Errorf("got %q, want the name or pattern of a check: no check has such a name", p)
		}
		m = append(m, p)
	}
	return m, nil
}

func (m must) has(name string) bool {
	return slices.ContainsFunc(m, func(p string) bool {
		ok, _ := path.Match(p, name)
		return ok || p == "*" || p == name
	})
}
