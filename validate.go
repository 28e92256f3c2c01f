package autotune

import (
	"context"

	"autotune/controller"
)

// Validate judges a candidate setting of a live service against a baseline in
// randomized pairs of blocks, decides nothing, and leaves cfg.Final in force. It
// is the independent check of what an autopilot kept. It returns one line a
// goal, and an error if it could not be finished. progress, if not nil, is told of
// the pairs done after each tick.
func Validate(ctx context.Context, t *Target, cfg controller.ComparisonConfig, progress func(done, of int)) ([]controller.Compared, error) {
	cfg.Space = t.Space()
	c, err := controller.NewComparison(cfg)
	if err != nil {
		return nil, err
	}
	loop := controller.Loop{Stepped: func(controller.Input, controller.Command) {
		if progress != nil {
			progress(c.Pairs())
		}
	}}
	if err := controller.Run(ctx, t, c, loop); err != nil {
		return nil, err
	}
	return c.Result()
}

// Verdict is what a comparison says as a whole: "worse" if the interval of any
// goal is entirely on the worse side, else "better" if that of any goal is
// entirely on the better side, else "unclear".
func Verdict(compared []controller.Compared) string {
	verdict := "unclear"
	for _, c := range compared {
		switch c.Verdict {
		case "worse":
			return "worse"
		case "better":
			verdict = "better"
		}
	}
	return verdict
}
