package main

import (
	"os"
	"unsafe"
)

// scrub wipes an argument of this process out of the memory that others see as its command line (/proc/PID/cmdline), and does so
// only to a string that really is one: Go's os.Args point straight into that memory. Whoever needs the text copies it first.
func scrub(arg string) {
	for _, own := range os.Args {
		if len(own) == 0 || len(arg) != len(own) || unsafe.StringData(own) != unsafe.StringData(arg) {
			continue
		}
		clear(unsafe.Slice(unsafe.StringData(arg), len(arg)))
	}
}
