package catalog

import (
	"time"

	"autotune/controller"
)

func objectPool() hypothesis {
	size := countField(ObjectPoolMaxSize, "objects", 500, 1e6,
		"How many idle objects of a type are held; what is given back beyond that is left to the garbage collector.")
	threshold := ratioField(ObjectPoolCleanupThreshold, 0.75, 1, 0.25,
		"At each cleanup, a pool whose objects in use over objects held, averaged since the last one, are below this gives its idle objects back: higher trims more readily.")
	threshold.Period = time.Minute
	return hypothesis{
		fields: []Field{
			switchField(EnableObjectPool, "Scratch objects of a type are reset and used again instead of allocated anew."),
			size, threshold,
		},
		optimization: controller.Optimization{
			Why:         "Objects that are used again are not allocated, which saves the allocation and its share of garbage collection.",
			Needs:       judged(),
			Start:       map[string]float64{ObjectPoolMaxSize: 1000},
			Equivalence: controller.Exact,
			WhileOff:    "Idle objects are released; those in use are dropped when they are given back.",
		},
	}
}
