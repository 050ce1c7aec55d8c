// Command contract prints the table of the contract's rows: for each the tests that prove it, or the reason why it has no meaning here.
// It fails if a row has neither or both, if a reason or a test names a row that does not exist, if a row of the heart (CC, C2) is not
// proven end to end, and, given the results of a test run, if a test that proves a row did not pass in it.
//
//	go run ./test/contract [-results FILE] [-q]
//
// A test names its rows in its doc comment, in a paragraph that begins with "Rows:"; "E-*" stands for all rows of that beginning. A test in C
// does so in a comment right above it, as in
//
//	/* Rows: GC-05 GU-03 */
//	static void test_small_buffers(void)
//
// Its program prints "ok test_small_buffers" or "not ok test_small_buffers", and a Go test in the same folder or in ./test, which runs the
// program, has a subtest of that name for each line. FILE is the output of `go test -json`. rows.tsv holds the rows in short,
// reasons.tsv the reasons. Rows without an id in the contract have one here: EX the exports of winnetwk.md §22, PP the precedence of
// §23, ST and KC the structures and constants of structs.md, E the codes of errors.md and WN those of npapi.md §1 by number.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// proof is one test that names a row: a Go test, or a function in C.
type proof struct {
	pkg, test string
	c         bool
}

var (
	rowID  = regexp.MustCompile(`\b[A-Z][A-Z0-9]?-(\d+\b|\*)`)
	inC    = regexp.MustCompile(`(?s)/\*((?:[^*]|\*[^/])*?\bRows:(?:[^*]|\*[^/])*)\*/\s*(?:static\s+)?(?:void|int)\s+(\w+)\s*\(`)
	module = "github.com/openwnet/wnet"
)

// results are the outcomes of a test run, by folder and name; nil without a run.
type results map[string]map[string]bool

// passed reports whether a proof passed, and for a C function how: in every run of its program, and in at least one.
func (r results) passed(p proof) bool {
	if !p.c {
		return r[p.pkg][p.test]
	}
	runs := 0
	for _, dir := range []string{p.pkg, path.Dir(p.pkg), "test"} {
		for name, ok := range r[dir] {
			if _, last, sub := cutLast(name); sub && last == p.test {
				if !ok {
					return false
				}
				runs++
			}
		}
	}
	return runs > 0
}

func cutLast(name string) (before, last string, ok bool) {
	i := strings.LastIndex(name, "/")
	if i < 0 {
		return name, "", false
	}
	return name[:i], name[i+1:], true
}

func main() {
	results := flag.String("results", "", "output of go test -json: every proving test must have passed in it")
	quiet := flag.Bool("q", false, "print only the summary and what is wrong")
	flag.Parse()
	if err := run(*results, *quiet); err != nil {
		fmt.Fprintln(os.Stderr, "contract:", err)
		os.Exit(1)
	}
}

func run(file string, quiet bool) error {
	rows, order, err := table("test/contract/rows.tsv")
	if err != nil {
		return err
	}
	reasons, _, err := table("test/contract/reasons.tsv")
	if err != nil {
		return err
	}
	proofs, err := collect(".", order)
	if err != nil {
		return err
	}
	passed, err := readResults(file)
	if err != nil {
		return err
	}
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for id := range reasons {
		if _, ok := rows[id]; !ok {
			say("%s has a reason and is no row", id)
		}
	}
	for id, list := range proofs {
		if _, ok := rows[id]; !ok {
			say("%s names %s, which is no row", list[0].test, id)
		}
	}
	proven, excused := 0, 0
	for _, id := range order {
		list, reason := proofs[id], reasons[id]
		switch {
		case len(list) == 0 && reason == "":
			say("%s has neither a test nor a reason", id)
		case len(list) > 0 && reason != "":
			say("%s has a test and a reason why there is none", id)
		case reason != "":
			excused++
		default:
			proven++
		}
		heart := strings.HasPrefix(id, "CC") || strings.HasPrefix(id, "C2")
		if heart && reason == "" && !slices.ContainsFunc(list, func(p proof) bool { return p.pkg == "test" }) {
			say("%s is not proven end to end (no test in ./test)", id)
		}
		var names []string
		for _, p := range list {
			name := p.pkg + "." + p.test
			names = append(names, name)
			if passed != nil && !passed.passed(p) {
				say("%s: %s did not pass in this run", id, name)
			}
		}
		if !quiet {
			fmt.Printf("%s  %s\n", id, rows[id])
			if reason != "" {
				fmt.Printf("       no meaning here: %s\n", reason)
			}
			for _, n := range names {
				fmt.Printf("       %s\n", n)
			}
		}
	}
	fmt.Printf("%d rows: %d proven by tests, %d without meaning here\n", len(order), proven, excused)
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return fmt.Errorf("%d faults:\n  %s", len(wrong), strings.Join(wrong, "\n  "))
	}
	return nil
}

// table reads a file of "ID<tab>text" lines.
func table(path string) (map[string]string, []string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	rows := map[string]string{}
	var order []string
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		if sc.Text() == "" {
			continue
		}
		id, text, ok := strings.Cut(sc.Text(), "\t")
		if !ok || !rowID.MatchString(id) || strings.TrimSpace(text) == "" {
			return nil, nil, fmt.Errorf("%s: bad line %q", path, sc.Text())
		}
		rows[id] = text
		order = append(order, id)
	}
	return rows, order, sc.Err()
}

// named are the rows in a Rows paragraph, those that a pattern stands for among them.
func named(text string, order []string) (ids []string) {
	_, list, ok := strings.Cut(text, "Rows:")
	if !ok {
		return nil
	}
	list, _, _ = strings.Cut(list, "\n\n")
	for _, id := range rowID.FindAllString(list, -1) {
		beginning, pattern := strings.CutSuffix(id, "*")
		if !pattern {
			ids = append(ids, id)
			continue
		}
		for _, row := range order {
			if strings.HasPrefix(row, beginning) {
				ids = append(ids, row)
			}
		}
	}
	return ids
}

// collect finds the rows that the comments of tests name.
func collect(root string, order []string) (map[string][]proof, error) {
	proofs := map[string][]proof{}
	take := func(p proof, text string) {
		for _, id := range named(text, order) {
			proofs[id] = append(proofs[id], p)
		}
	}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "build" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		switch {
		case d.IsDir():
		case strings.HasSuffix(name, ".c"):
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			for _, m := range inC.FindAllSubmatch(text, -1) {
				take(proof{dir, string(m[2]), true}, string(m[1]))
			}
		case strings.HasSuffix(name, "_test.go"):
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			for _, decl := range file.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if ok && fn.Recv == nil && fn.Doc != nil && strings.HasPrefix(fn.Name.Name, "Test") {
					take(proof{dir, fn.Name.Name, false}, fn.Doc.Text())
				}
			}
		}
		return nil
	})
	return proofs, err
}

// readResults reads what passed, nil without a file.
func readResults(file string) (results, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := results{}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var e struct{ Action, Package, Test string }
		if json.Unmarshal(sc.Bytes(), &e) != nil || e.Test == "" {
			continue
		}
		dir := strings.TrimPrefix(strings.TrimPrefix(e.Package, module), "/")
		if dir == "" {
			dir = "."
		}
		if all[dir] == nil {
			all[dir] = map[string]bool{}
		}
		switch e.Action {
		case "pass":
			all[dir][e.Test] = true
		case "fail", "skip":
			all[dir][e.Test] = false
		}
	}
	return all, sc.Err()
}
