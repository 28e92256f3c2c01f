package arch

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTable_everyRowHasAReasonAndIsThereOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Table() {
		assert.False(t, seen[r.Package], "two rows for %s", show(r.Package))
		seen[r.Package] = true
		assert.NotEmpty(t, r.Why, "%s: no reason for its imports", show(r.Package))
		for _, b := range r.Never {
			assert.NotEmpty(t, b.Why, "%s: a ban without a reason", show(r.Package))
		}
	}
	for _, r := range Table() {
		for _, p := range r.Imports {
			assert.True(t, seen[p] || p == Any || p == Public, "%s may import %s, which has no row", show(r.Package), p)
		}
	}
}

func TestTable_allowsNoCycle(t *testing.T) {
	for _, r := range Table() {
		assert.NotContains(t, reach(r.Package), r.Package, "%s may reach itself", show(r.Package))
	}
}

// A service that embeds autotune links the live parts and nothing more.
func TestTable_rootReachesNoOfflinePart(t *testing.T) {
	reached := reach(Root)
	for _, p := range []string{"simulate", "experiments", "dashboard", "metrics", "diagnose", "internal/demo", "internal/terminal"} {
		assert.NotContains(t, reached, p)
	}
}

func TestTable_coreIsPure(t *testing.T) {
	for _, p := range []string{"controller", "policies", "simulate"} {
		row, ok := rowFor(Table(), p)
		assert.True(t, ok, p)
		assert.Contains(t, row.Never, noClock, p)
		assert.Contains(t, row.Never, noChance, p)
	}
}

// reach returns the packages that may be linked into a program that imports pkg.
func reach(pkg string) []string {
	var found []string
	seen := map[string]bool{}
	var walk func(string)
	walk = func(p string) {
		row, _ := rowFor(Table(), p)
		for _, next := range row.Imports {
			if !seen[next] {
				seen[next] = true
				found = append(found, next)
				walk(next)
			}
		}
	}
	walk(pkg)
	return found
}
