package catalog

import "autotune/controller"

func step() hypothesis {
	return hypothesis{
		fields: []Field{switchField(EnableStep, "Identical executions of a pure step that are in flight at once run once.")},
		optimization: controller.Optimization{
			Why:         "Identical pure executions in flight at once run once, which takes the peak off bursts of equal requests.",
			Needs:       judged(),
			Equivalence: controller.Exact,
			WhileOff:    "Nothing is warm; executions that already share one computation end with it.",
		},
	}
}
