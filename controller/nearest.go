package controller

import "autotune/internal/spelling"

// didYouMean suggests the known name that a wrong one is near to, if any is.
func didYouMean(known []string, name string) string {
	near := spelling.Nearest(name, known)
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}
