package controller

import "fmt"

// didYouMean suggests the known name that differs from a wrong one in the fewest
// letters, if that is at most half of them.
func didYouMean(known []string, name string) string {
	near, least := "", len(name)/2+1
	for _, k := range known {
		if d := edits(name, k); d < least {
			near, least = k, d
		}
	}
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", near)
}

// edits is Levenshtein's distance, in bytes.
func edits(a, b string) int {
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
