package experiments

import "errors"

// ErrNoData says that an experiment needs recorded measurements and has none.
var ErrNoData = errors.New("AUTOTUNE_DATA is not set: it needs recorded measurements")

// All are the experiments, in the order in which they are worth reading.
func All() []Experiment {
	return []Experiment{AA(), Power(), Real(), Tables(), Search(), Noisy(), Drift(), Traps(), Guard(), Audit(), Order(), Contenders()}
}
