package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// What a comment names is found in Go and in C, patterns and only the paragraph included.
func TestCollect(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("x_test.go", "package x\n// It works.\n//\n// Rows: E-*, GC-01,\n// GC-02.\n//\n// More on UN-03 and UTF-8.\nfunc TestX(t *testing.T) {}\n\n// Rows: GC-01\nfunc helper() {}\n")
	write("x.c", `/* A helper, not a test. */
static int helper(void) { return 0; }

/* Small buffers.
 * Rows: GC-05 GU-03 */
static void test_small(void)
{
	/* no Rows: in here */
}

// Rows: UN-01
static void test_line_comment(void) {}

/* Rows: UN-07 */ void test_one_line (void) {}
`)
	got, err := collect(dir, []string{"E-0", "E-2401", "GC-01"})
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.ToSlash(dir)
	goTest, small, line := proof{here, "TestX", false}, proof{here, "test_small", true}, proof{here, "test_one_line", true}
	want := map[string][]proof{"E-0": {goTest}, "E-2401": {goTest}, "GC-01": {goTest}, "GC-02": {goTest}, "GC-05": {small}, "GU-03": {small}, "UN-07": {line}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// A C function has passed if it did in each run of its program, and was in one.
func TestPassed(t *testing.T) {
	r := results{
		"capi": {"TestLinux": true, "TestLinux/test_a": true, "TestWine/32/test_a": true, "TestLinux/test_b": true, "TestWine/32/test_b": false},
		"test": {"TestC/test_c": true}, "other": {"TestC/test_d": true},
	}
	for name, want := range map[string]bool{"test_a": true, "test_b": false, "test_c": true, "test_d": false, "TestLinux": false} {
		for _, dir := range []string{"capi", "capi/test"} {
			if got := r.passed(proof{dir, name, true}); got != want {
				t.Errorf("%s of %s: got %v", name, dir, got)
			}
		}
	}
	if !r.passed(proof{"capi", "TestLinux", false}) || r.passed(proof{"capi", "TestNone", false}) {
		t.Error("a Go test's outcome is not found")
	}
}
