package catalog

import "strings"

// Nearest returns the name of the field that name was most likely meant to be,
// or "" if none is near: one that differs in a few letters, or the only one that
// begins with it. It sees through case and dashes, as in "CacheSize" and
// "cache-size".
func Nearest(name string) string {
	near, least := "", len(name)/2 // more than half of it wrong is another word
	plain := fold(name)
	short := plain[:min(len(plain), mostLetters)]
	var longer []string
	for _, f := range Fields() {
		if plain != "" && strings.HasPrefix(fold(f.Name), plain) {
			longer = append(longer, f.Name)
		}
		if d := Edits(short, fold(f.Name)); d < least || d == 0 {
			near, least = f.Name, d
		}
	}
	if near == "" && len(longer) == 1 {
		return longer[0]
	}
	return near
}

func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}

// mostLetters of a name are looked at: names are shorter, and a whole file is no name.
const mostLetters = 64

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
