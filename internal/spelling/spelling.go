// Package spelling finds the name that a wrong one was most likely meant to be,
// for errors that say so.
package spelling

import "strings"

// mostLetters of a name are looked at: names are shorter, and a whole file is no name.
const mostLetters = 64

// Nearest returns the one of known that name becomes with the fewest edits, upper
// and lower case alike, and the first of several; "" if each takes more edits than
// half of name's letters, which is another word.
func Nearest(name string, known []string) string {
	near, least := "", len(name)/2+1
	name = strings.ToLower(name[:min(len(name), mostLetters)])
	for _, k := range known {
		if d := Edits(name, strings.ToLower(k)); d < least {
			near, least = k, d
		}
	}
	return near
}

// Edits is how many letters must be put in, left out or replaced to make one of
// the other (Levenshtein, 1966). A letter is a byte.
func Edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
