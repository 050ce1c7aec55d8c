// Command contract prints the table of the contract's rows: for each the tests that prove it, or the reason why it has no meaning here.
// It fails if a row has neither or both, if a reason or a test names a row that does not exist, if a row of the heart (CC, C2) is not
// proven end to end, and, given the results of a test run, if a test that proves a row did not pass in it.
//
//	go run ./test/contract [-results FILE] [-q]
//
// A test names its rows in its doc comment, in a line that begins with "Rows:". FILE is the output of `go test -json`. rows.tsv holds
// the rows in short, reasons.tsv the reasons.
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
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// proof is one test that names a row.
type proof struct{ pkg, test string }

var rowID = regexp.MustCompile(`\b(CC|C2|A1|A2|UC|GC|GU|UN|DD|NU|NL)-\d\d\b`)

func main() {
	results := flag.String("results", "", "output of go test -json: every proving test must have passed in it")
	quiet := flag.Bool("q", false, "print only the summary and what is wrong")
	flag.Parse()
	if err := run(*results, *quiet); err != nil {
		fmt.Fprintln(os.Stderr, "contract:", err)
		os.Exit(1)
	}
}

func run(results string, quiet bool) error {
	rows, order, err := table("test/contract/rows.tsv")
	if err != nil {
		return err
	}
	reasons, _, err := table("test/contract/reasons.tsv")
	if err != nil {
		return err
	}
	proofs, err := collect(".")
	if err != nil {
		return err
	}
	passed, err := readResults(results)
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
			if passed != nil && !passed[name] {
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

// collect finds the rows that the doc comments of tests name.
func collect(root string) (map[string][]proof, error) {
	proofs := map[string][]proof{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "build" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || fn.Doc == nil || !strings.HasPrefix(fn.Name.Name, "Test") {
				continue
			}
			_, list, ok := strings.Cut(fn.Doc.Text(), "Rows:")
			if !ok {
				continue
			}
			for _, id := range rowID.FindAllString(list, -1) {
				proofs[id] = append(proofs[id], proof{filepath.ToSlash(filepath.Dir(path)), fn.Name.Name})
			}
		}
		return nil
	})
	return proofs, err
}

// readResults returns the tests that passed, as "folder.Test", nil without a file.
func readResults(path string) (map[string]bool, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const module = "github.com/openwnet/wnet"
	passed := map[string]bool{}
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
		switch e.Action {
		case "pass":
			passed[dir+"."+e.Test] = true
		case "fail", "skip":
			passed[dir+"."+e.Test] = false
		}
	}
	return passed, sc.Err()
}
