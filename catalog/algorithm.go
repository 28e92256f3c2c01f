package catalog

import "autotune/controller"

func algorithm() hypothesis {
	return hypothesis{
		fields: []Field{switchField(EnableAlgorithm, "Inputs are identified by themselves with fast typed hashing, instead of a canonical encoding and SHA-256.")},
		optimization: controller.Optimization{
			Why:         "Looking a result up costs less, which matters where steps are short and often found in the cache; an entry is as large as its input, instead of 32 bytes.",
			Needs:       judged(),
			Equivalence: controller.Exact,
			WhileOff:    "Results kept under one kind of identity are not found under the other.",
		},
	}
}
