package policies

import (
	"cmp"
	"slices"

	"autotune/controller"
)

// sparse are the neighbors of a setting in a pool where none differs from it by
// one knob: settings drawn at random from many, as published samples are.
type sparse struct {
	seed uint64
	all  *sample

	of        controller.Setting
	neighbors []controller.Setting
}

// nearest proposes the nearest neighbor that is not blocked. There is none where
// some setting differs by one knob, and those that do have had their turn.
func (g *Greedy) nearest(v controller.View) (controller.Proposal, bool) {
	if g.sparse == nil || !g.sparse.of.Equal(v.Safe) || g.sparse.seed != v.Seed {
		g.look(v)
	}
	for _, to := range g.sparse.neighbors {
		if p, ok := jump(v, to, "the nearest that exists: none differs by one knob"); ok {
			return p, true
		}
	}
	return controller.Proposal{}, false
}

// look finds the neighbors of the setting in force.
func (g *Greedy) look(v controller.View) {
	next := &sparse{of: v.Safe, seed: v.Seed}
	if g.sparse != nil && g.sparse.seed == v.Seed {
		next.all = g.sparse.all
	}
	g.sparse = next
	if next.all == nil {
		if g.pool.Len == 0 || dense(g.pool, v.Safe) {
			return
		}
		next.all = newSample(g.pool, v.Space, v.Seed, g.pool.Len)
	} else if next.all.dense(v.Safe) {
		return
	}
	distances := next.all.distances([]controller.Setting{v.Safe})
	order := make([]int, len(distances))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(distances[a], distances[b]) })
	for _, i := range order[:min(len(order), 2*len(next.all.columns)+1)] { // itself among them
		next.neighbors = append(next.neighbors, next.all.settings[i])
	}
}

// dense reports whether some setting of the pool differs from another one by one knob.
func dense(pool Pool, from controller.Setting) bool {
	for i := range pool.Len {
		if len(from.Diff(pool.At(i))) == 1 {
			return true
		}
	}
	return false
}

// dense is the same of settings that are points already.
func (s *sample) dense(from controller.Setting) bool {
	row := s.at([]controller.Setting{from}).Row(0)
	for i := range s.settings {
		differ := 0
		for c, v := range s.points.Row(i) {
			if v != row[c] {
				differ++
			}
		}
		if differ == 1 {
			return true
		}
	}
	return false
}
