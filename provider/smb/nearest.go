package smb

import (
	"strings"
	"unicode/utf8"
)

// nearest gives the name that somebody who typed name may have meant, "" if none is near. Hidden names ($) are not told.
func nearest(name string, all []string) string {
	best, least := "", 1+max(2, utf8.RuneCountInString(name)/3)
	for _, n := range all {
		if strings.HasSuffix(n, "$") {
			continue
		}
		a, b := fold(name), fold(n)
		d := distance([]rune(a), []rune(b))
		if len(a) >= 3 && len(b) >= 3 && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) {
			d = min(d, 2)
		}
		if d < least {
			best, least = n, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or change, two swapped neighbours counting as one.
func distance(a, b []rune) int {
	if len(a) > 256 || len(b) > 256 {
		return 256
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
