// Package win32 holds the numbers of the Windows API that wnet answers with: error codes with their official texts and the
// flag constants of winnetwk.h. It knows nothing else, and imports nothing of wnet.
package win32

import (
	"sort"
	"strconv"
)

// Code is a Win32 error code. It is an error, like syscall.Errno: errors.Is(err, ERROR_OPEN_FILES) finds it anywhere in a
// chain. Code(0) is NO_ERROR; functions return nil instead of it.
type Code uint32

type entry struct {
	code Code
	name string
	text string
}

// lookup finds a row of the table, which is in ascending order.
func lookup(c Code) (entry, bool) {
	i := sort.Search(len(table), func(i int) bool { return table[i].code >= c })
	if i < len(table) && table[i].code == c {
		return table[i], true
	}
	return entry{}, false
}

// Error returns Windows' own short text for the code, verbatim, or "Win32 error N" for a code outside the contract.
func (c Code) Error() string {
	if e, ok := lookup(c); ok {
		return e.text
	}
	return "Win32 error " + strconv.FormatUint(uint64(c), 10)
}

// Name returns the constant's name as Windows spells it, such as "ERROR_OPEN_FILES", or "" for a code outside the contract.
func (c Code) Name() string {
	e, _ := lookup(c)
	return e.name
}

// Known reports whether the contract's table has the code.
func (c Code) Known() bool {
	_, ok := lookup(c)
	return ok
}

// Codes returns every code of the contract in ascending order. The caller owns the slice.
func Codes() []Code {
	all := make([]Code, len(table))
	for i, e := range table {
		all[i] = e.code
	}
	return all
}
