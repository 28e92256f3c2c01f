package demo

import (
	"math/rand/v2"
	"slices"
)

// Packing: how to put the parts of an order into as few boxes as one can by
// filling one box after the other as full as possible. Filling one box is a
// knapsack problem, solved exactly by dynamic programming over parts and
// volume; that is the expensive pure computation of the service. It costs
// boxes x parts x volume additions: 3 to 4.5 ms on a current core, spread evenly,
// so that the distribution of latency has no cliff for a quantile to sit on.

const (
	boxVolume = 10_000 // cubic centimeters
	minParts  = 64
	maxParts  = 80
)

// Packing is a plan: the volume used of each box, in the order packed.
type Packing struct {
	Order int   `json:"order"`
	Parts int   `json:"parts"`
	Boxes []int `json:"boxes"`
}

func (p Packing) clone() Packing {
	p.Boxes = slices.Clone(p.Boxes)
	return p
}

// packOrder plans an order. The same order has the same plan.
func packOrder(order int) Packing {
	rng := rand.New(rand.NewPCG(uint64(order), 4))
	parts := make([]int, minParts+rng.IntN(maxParts-minParts+1))
	for i := range parts {
		parts[i] = boxVolume/40 + rng.IntN(boxVolume/4)
	}
	plan := Packing{Order: order, Parts: len(parts)}
	for len(parts) > 0 {
		used, left := fillBox(parts)
		plan.Boxes = append(plan.Boxes, used)
		parts = left
	}
	return plan
}

// fillBox picks the parts that fill one box best, and returns the volume used
// and the parts left over. Every part fits into an empty box.
func fillBox(parts []int) (used int, left []int) {
	// fill[v] is the fullest that volume v can be with the parts seen so far;
	// taken has a bit for each part and volume: was the part taken there.
	fill := make([]int32, boxVolume+1)
	taken := make([]uint64, (len(parts)*(boxVolume+1)+63)/64)
	for i, size := range parts {
		row := i * (boxVolume + 1)
		for v := boxVolume; v >= size; v-- {
			if with := fill[v-size] + int32(size); with > fill[v] {
				fill[v] = with
				taken[(row+v)/64] |= 1 << ((row + v) % 64)
			}
		}
	}
	v := boxVolume
	for i := len(parts) - 1; i >= 0; i-- {
		if bit := i*(boxVolume+1) + v; taken[bit/64]&(1<<(bit%64)) != 0 {
			v -= parts[i]
			used += parts[i]
		} else {
			left = append(left, parts[i])
		}
	}
	return used, left
}
