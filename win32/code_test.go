package win32

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// contract reads the contract's table: number, name and text of each code.
func contract(t *testing.T) (rows [][3]string) {
	t.Helper()
	text, err := os.ReadFile("testdata/errors.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(strings.TrimRight(line, "\n"), "\t"); len(f) == 3 {
			rows = append(rows, [3]string(f))
		} else if !strings.HasPrefix(line, "#") {
			t.Fatalf("bad row %q", line)
		}
	}
	if len(rows) < 80 {
		t.Fatalf("only %d rows", len(rows))
	}
	return rows
}

// Every row has its number, its name and its text verbatim, in order, and there is nothing else.
//
// Rows: E-*
func TestTable(t *testing.T) {
	rows := contract(t)
	codes := Codes()
	if len(codes) != len(rows) || !slices.IsSorted(codes) {
		t.Errorf("%d codes for %d rows, sorted %v", len(codes), len(rows), slices.IsSorted(codes))
	}
	for _, r := range rows {
		n, err := strconv.ParseUint(r[0], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		c := Code(n)
		if c.Name() != r[1] || c.Error() != r[2] || !c.Known() || !slices.Contains(codes, c) {
			t.Errorf("%d: %q %q, want %q %q", n, c.Name(), c.Error(), r[1], r[2])
		}
	}
	codes[0] = 99
	if Codes()[0] != 0 {
		t.Error("Codes gives its own table away")
	}
}

// Every constant has the number of the row of its name.
func TestConstants(t *testing.T) {
	want := map[string]string{"ERROR_SUCCESS": "0"}
	for _, r := range contract(t) {
		want[r[1]] = r[0]
	}
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			seen++
			if got := v.Values[0].(*ast.BasicLit).Value; got != want[v.Names[0].Name] {
				t.Errorf("%s is %s, want %q", v.Names[0].Name, got, want[v.Names[0].Name])
			}
		}
	}
	if seen != len(want) {
		t.Errorf("%d constants for %d names", seen, len(want))
	}
}

func TestUnknownCode(t *testing.T) {
	if c := Code(4711); c.Known() || c.Name() != "" || c.Error() != "Win32 error 4711" {
		t.Errorf("%v %q %q", c.Known(), c.Name(), c.Error())
	}
}

// A code is found anywhere in a chain, and no other is.
func TestCodeIsAnError(t *testing.T) {
	err := fmt.Errorf("outer: %w", errors.Join(errors.New("x"), fmt.Errorf("inner: %w", ERROR_OPEN_FILES)))
	var c Code
	if !errors.Is(err, ERROR_OPEN_FILES) || errors.Is(err, ERROR_DEVICE_IN_USE) || !errors.As(err, &c) || c != 2401 {
		t.Errorf("%v: %d", err, c)
	}
}

// A provider's code is the Win32 number of another name: no table stands between them.
//
// Rows: WN-*
func TestProviderCodes(t *testing.T) {
	text, err := os.ReadFile("testdata/wn.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		n, err := strconv.ParseUint(f[1], 10, 32)
		if err != nil || len(f) != 3 {
			t.Fatalf("bad row %q", line)
		}
		if got := Code(n).Name(); got != f[2] {
			t.Errorf("%s is %d, which is %q, want %q", f[0], n, got, f[2])
		}
		rows++
	}
	if rows != 42 {
		t.Errorf("%d rows, want 42 names", rows)
	}
}

// The values of structs.md that callers pass as numbers.
//
// Rows: KC-01, KC-02, KC-03, KC-04, KC-06, KC-09, KC-10, KC-11
func TestFlags(t *testing.T) {
	known := uint32(0)
	for i, f := range []uint32{CONNECT_UPDATE_PROFILE, CONNECT_UPDATE_RECENT, CONNECT_TEMPORARY, CONNECT_INTERACTIVE, CONNECT_PROMPT, CONNECT_NEED_DRIVE,
		CONNECT_REFCOUNT, CONNECT_REDIRECT, CONNECT_LOCALDRIVE, CONNECT_CURRENT_MEDIA, CONNECT_DEFERRED, CONNECT_COMMANDLINE,
		CONNECT_CMD_SAVECRED, CONNECT_CRED_RESET, CONNECT_REQUIRE_INTEGRITY, CONNECT_REQUIRE_PRIVACY, CONNECT_WRITE_THROUGH_SEMANTICS,
		CONNECT_COMPRESS_NETWORK_TRAFFIC, CONNECT_GLOBAL_MAPPING} {
		if f != uint32(1)<<i {
			t.Errorf("flag %d is %#x", i, f)
		}
		known |= f
	}
	if known != CONNECT_KNOWN || known&CONNECT_RESERVED != 0 {
		t.Errorf("known %#x, listed %#x", CONNECT_KNOWN, known)
	}
	for i, v := range []int{RESOURCE_CONNECTED, RESOURCE_GLOBALNET, RESOURCE_REMEMBERED, RESOURCE_RECENT, RESOURCE_CONTEXT} {
		if v != i+1 {
			t.Errorf("scope %d is %d", i+1, v)
		}
	}
	for i, v := range []int{RESOURCEDISPLAYTYPE_GENERIC, RESOURCEDISPLAYTYPE_DOMAIN, RESOURCEDISPLAYTYPE_SERVER, RESOURCEDISPLAYTYPE_SHARE,
		RESOURCEDISPLAYTYPE_FILE, RESOURCEDISPLAYTYPE_GROUP, RESOURCEDISPLAYTYPE_NETWORK, RESOURCEDISPLAYTYPE_ROOT,
		RESOURCEDISPLAYTYPE_SHAREADMIN, RESOURCEDISPLAYTYPE_DIRECTORY, RESOURCEDISPLAYTYPE_TREE, RESOURCEDISPLAYTYPE_NDSCONTAINER} {
		if v != i {
			t.Errorf("display type %d is %d", i, v)
		}
	}
	for i, v := range [][2]uint32{{RESOURCETYPE_ANY, 0}, {RESOURCETYPE_DISK, 1}, {RESOURCETYPE_PRINT, 2}, {RESOURCETYPE_RESERVED, 8},
		{RESOURCETYPE_UNKNOWN, 0xFFFFFFFF}, {RESOURCEUSAGE_CONNECTABLE, 1}, {RESOURCEUSAGE_CONTAINER, 2}, {RESOURCEUSAGE_NOLOCALDEVICE, 4},
		{RESOURCEUSAGE_SIBLING, 8}, {RESOURCEUSAGE_ATTACHED, 0x10}, {RESOURCEUSAGE_ALL, 0x13}, {RESOURCEUSAGE_RESERVED, 0x80000000},
		{UNIVERSAL_NAME_INFO_LEVEL, 1}, {REMOTE_NAME_INFO_LEVEL, 2}, {WNFMT_MULTILINE, 1}, {WNFMT_ABBREVIATED, 2}, {WNFMT_INENUM, 0x10},
		{WNFMT_CONNECTION, 0x20}, {WNCON_FORNETCARD, 1}, {WNCON_NOTROUTED, 2}, {WNCON_SLOWLINK, 4}, {WNCON_DYNAMIC, 8}} {
		if v[0] != v[1] {
			t.Errorf("value %d is %#x, want %#x", i, v[0], v[1])
		}
	}
}
