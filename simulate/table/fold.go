package table

import (
	"math/bits"
	"slices"
	"strings"
)

// Feature models write a choice of one in k as k columns of 0 and 1. To a search
// that moves one knob at a time, such a column cannot be moved: the result is
// no configuration. So columns that always sum to 1 are folded into one enum.
// An optional choice (a parent column that is 1 when one of its children is) is
// the same with the parent's complement among the columns.
//
// Finding the groups is exact cover (Knuth, "Dancing links", 2000): columns that
// share no row and leave none out. In the order of the file the first column not
// yet in a group is tried with the later ones, those next to it first.

// group is a choice of one among columns.
type group struct {
	parent  *column // or nil; level 0 is that it is off
	members []*column
}

// bitset has a bit for each configuration.
type bitset []uint64

func (b bitset) disjoint(o bitset) bool {
	for i, w := range b {
		if w&o[i] != 0 {
			return false
		}
	}
	return true
}

// firstZero is the first configuration that is not in the set, or -1.
func (b bitset) firstZero(n int) int {
	for i, w := range b {
		if ^w != 0 {
			if at := i*64 + bits.TrailingZeros64(^w); at < n {
				return at
			}
		}
	}
	return -1
}

func (b bitset) has(i int) bool { return b[i/64]>>(i%64)&1 == 1 }

func (b bitset) union(o bitset) bitset {
	out := slices.Clone(b)
	for i, w := range o {
		out[i] |= w
	}
	return out
}

func (b bitset) complement() bitset {
	out := make(bitset, len(b))
	for i, w := range b {
		out[i] = ^w
	}
	return out
}

// folding is a search for groups among switches, of which each is in one at most.
type folding struct {
	columns []*column
	sets    []bitset
	used    []bool
	n       int // configurations
	steps   int // left of the search for one group
}

// mostSteps bounds the search for a group; a table whose columns take more keeps
// them apart.
const mostSteps = 20_000

// fold finds the groups among columns that are switches.
func fold(columns []*column, n int) []group {
	f := &folding{columns: columns, used: make([]bool, len(columns)), n: n}
	for _, c := range columns {
		set := make(bitset, (n+63)/64)
		for i, code := range c.codes {
			set[i/64] |= uint64(c.values[code].number) << (i % 64)
		}
		f.sets = append(f.sets, set)
	}
	var out []group
	take := func(parent *column, members []int) {
		g := group{parent: parent}
		slices.Sort(members)
		for _, m := range members {
			f.used[m] = true
			g.members = append(g.members, columns[m])
		}
		out = append(out, g)
	}
	for i := range columns {
		if f.used[i] {
			continue
		}
		f.steps = mostSteps
		if members := f.cover(f.sets[i], []int{i}, i+1); members != nil {
			take(nil, members)
		}
	}
	for i, c := range columns {
		if f.used[i] {
			continue
		}
		f.steps, f.used[i] = mostSteps, true
		members := f.cover(f.sets[i].complement(), nil, 0)
		if members == nil {
			f.used[i] = false
			continue
		}
		take(c, members)
	}
	return out
}

// cover adds unused columns from a place on, until every configuration is in one.
func (f *folding) cover(covered bitset, members []int, from int) []int {
	row := covered.firstZero(f.n)
	if row < 0 {
		if len(members) == 0 {
			return nil
		}
		return members
	}
	if f.steps--; f.steps < 0 {
		return nil
	}
	for j := from; j < len(f.columns); j++ {
		if f.used[j] || slices.Contains(members, j) || !f.sets[j].has(row) || !f.sets[j].disjoint(covered) {
			continue
		}
		if all := f.cover(covered.union(f.sets[j]), append(slices.Clone(members), j), from); all != nil {
			return all
		}
	}
	return nil
}

// name of the group's knob: its parent's, or what the names of its members begin
// with, or all of them.
func (g group) name(taken func(string) bool) string {
	if g.parent != nil {
		return g.parent.name
	}
	common := g.members[0].name
	for _, m := range g.members[1:] {
		for !strings.HasPrefix(m.name, common) {
			common = common[:len(common)-1]
		}
	}
	if common = strings.TrimRight(common, "_-.: "); len(common) > 1 && !taken(common) {
		return common
	}
	names := make([]string, len(g.members))
	for i, m := range g.members {
		names[i] = m.name
	}
	return strings.Join(names, "|")
}

// labels of the levels: the columns that are 1, and of an optional choice "none".
func (g group) labels() []string {
	var out []string
	if g.parent != nil {
		out = append(out, "none")
	}
	for _, m := range g.members {
		out = append(out, m.name)
	}
	return out
}

// level that is chosen in a configuration.
func (g group) level(config int) uint32 {
	first := uint32(0)
	if g.parent != nil {
		if first = 1; g.parent.values[g.parent.codes[config]].number == 0 {
			return 0
		}
	}
	for i, m := range g.members {
		if m.values[m.codes[config]].number == 1 {
			return first + uint32(i)
		}
	}
	return 0
}
