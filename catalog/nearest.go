package catalog

import (
	"strings"

	"autotune/internal/spelling"
)

// Nearest returns the name of the field that name was most likely meant to be,
// or "" if none is near: one that differs in a few letters, or the only one that
// begins with it. It sees through case and dashes, as in "CacheSize" and
// "cache-size".
func Nearest(name string) string {
	near, least := "", len(name)/2 // more than half of it wrong is another word
	plain := fold(name)
	short := plain[:min(len(plain), 64)] // names are shorter, and a whole file is no name
	var longer []string
	for _, f := range Fields() {
		if plain != "" && strings.HasPrefix(fold(f.Name), plain) {
			longer = append(longer, f.Name)
		}
		if d := spelling.Edits(short, fold(f.Name)); d < least || d == 0 {
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
