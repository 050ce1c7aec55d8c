// Command summary reads the output of `go test -json` and shows what a person needs: a line a package, the whole output of what failed,
// the name of what was skipped, and the count.
//
//	go test -json ./... | go run ./test/summary [-o FILE] [-noskip]
//
// FILE gets the input as it is. It exits 1 if a test or a build failed, or with -noskip if a test was skipped: on the machine that decides,
// a skipped test is a defect.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is a line of test2json.
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

func main() {
	out := flag.String("o", "", "file that gets the input")
	noskip := flag.Bool("noskip", false, "a skipped test is a failure")
	flag.Parse()
	var copyTo io.Writer = io.Discard
	if *out != "" {
		f, err := os.Create(*out)
		if err != nil {
			fmt.Fprintln(os.Stderr, "summary:", err)
			os.Exit(1)
		}
		defer f.Close()
		copyTo = f
	}
	passed, failed, skipped := read(io.TeeReader(os.Stdin, copyTo))
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 || passed == 0 || *noskip && skipped > 0 {
		os.Exit(1)
	}
}

func read(r io.Reader) (passed, failed, skipped int) {
	output := map[string]*strings.Builder{} // by package and test, until it is known how it ended
	key := func(e event) string { return e.Package + " " + e.Test }
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 64<<20)
	for sc.Scan() {
		var e event
		if json.Unmarshal(sc.Bytes(), &e) != nil {
			fmt.Println(sc.Text())
			continue
		}
		k := key(e)
		switch e.Action {
		case "build-output":
			fmt.Print(e.Output)
		case "build-fail":
			failed++
		case "output":
			if output[k] == nil {
				output[k] = &strings.Builder{}
			}
			output[k].WriteString(e.Output)
		case "pass":
			if e.Test != "" {
				passed++
			} else {
				fmt.Printf("ok    %s  %.1fs\n", e.Package, e.Elapsed)
			}
			delete(output, k)
		case "skip":
			if e.Test != "" {
				skipped++
				fmt.Printf("skip  %s %s\n%s", e.Package, e.Test, output[k])
			}
			delete(output, k)
		case "fail":
			if b := output[k]; b != nil {
				fmt.Print(b)
			}
			if e.Test != "" {
				failed++
				fmt.Printf("FAIL  %s %s  %.1fs\n", e.Package, e.Test, e.Elapsed)
			} else {
				failed++
				fmt.Printf("FAIL  %s  %.1fs\n", e.Package, e.Elapsed)
			}
			delete(output, k)
		}
	}
	if err := sc.Err(); err != nil {
		fmt.Println("summary:", err)
		failed++
	}
	return passed, failed, skipped
}
