package providertest

import (
	"encoding/json"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPage takes the provider and its test out of doc/provider.md and runs the one by the other. The files lie in the module only for
// the go command's eyes (-overlay).
func TestPage(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "doc", "provider.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, m := range regexp.MustCompile("(?ms)^```go (\\S+)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		files[m[1]] += m[2] + "\n"
	}
	if len(files) != 2 || files["archive.go"] == "" || files["archive_test.go"] == "" {
		t.Fatalf("got %d files on the page, want archive.go and archive_test.go", len(files))
	}
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, text := range files {
		text = strings.TrimSpace(text) + "\n"
		if tidy, err := format.Source([]byte(text)); err != nil || string(tidy) != text {
			t.Errorf("%s on the page: got %v, want it as gofmt would have it", name, err)
		}
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(root, "archive", name)] = at
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, b, 0o644); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "archive.test") // not `go test`: that would step into the folder, which is not there
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-o", bin, "-overlay", list, "./archive")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("got %v, want the page's code to compile:\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), bin, "-test.v")
	run.Dir = dir
	run.Env = append(os.Environ(), "WNET_MUST_RUN=")
	out, err := run.CombinedOutput()
	if err != nil || strings.Contains(string(out), "--- SKIP") || strings.Count(string(out), "--- PASS: TestConformance/") != 9 {
		t.Errorf("got %v, want the page's test to pass with nine checks and none skipped:\n%s", err, out)
	}
}
