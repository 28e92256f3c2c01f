package catalog

import "autotune/controller"

func errorHandling() hypothesis {
	return hypothesis{
		fields: []Field{
			switchField(EnableErrorHandling, "Errors are classified once, only what can succeed is tried again, and a budget bounds how many retries there are."),
			countField(ErrorCacheSize, "errors", 1024, 1e6, "How many classifications are kept, of errors that are the same value again."),
		},
		optimization: controller.Optimization{
			Why:         "Attempts that cannot succeed are not made, and retries cannot amplify an outage.",
			Needs:       judged(controller.ErrorRatio),
			Equivalence: controller.Bounded,
			MayDiffer:   "A step that fails for good, or while the retry budget is spent, is tried fewer times than its Attempts.",
			WhileOff:    "Classifications are released; every failure is tried again as the step says. What a step has saved for retries stays.",
		},
	}
}
