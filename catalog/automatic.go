package catalog

import "autotune/controller"

func automatic() hypothesis {
	return hypothesis{
		fields: []Field{switchField(EnableAutomatic, "The autopilot may change the configuration; off, nothing is changed by anyone.")},
		optimization: controller.Optimization{
			Why:         "What pays depends on the workload, which changes: trials find it, keep it, and take it back.",
			Needs:       judged(),
			Equivalence: controller.Bounded,
			MayDiffer:   "Whatever the optimizations that it keeps declare, within the owner's limits.",
			WhileOff:    "The setting in force stays, and no trial begins.",
		},
	}
}
