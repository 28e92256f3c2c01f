package controller

import "autotune/internal/stats"

// The budget of false keeps, as in alpha-investing (Foster & Stine 2008). A
// trial may spend α_j = max(.001, min(.025, W/10)) of wealth W, read before the
// trial pays min(.025, W/10); a keep earns .025. Expected false keeps are then
// at most .25 + .025 a keep + .001 a trial, for ever, and a service that lives
// for years still has the power to find something. (Spending 6/(π²j²) would
// make it inert after a few dozen trials.)
//
// With Budget.FDR the strict e-LOND takes its place (stats.ELOND): the expected
// share of false keeps among all keeps stays at or below that level, for ever.
// What that costs, measured over 60 trials at noise 0.15 and level 0.1 with three
// goals: of six gains of 10 % it finds all, as investing does; of six gains of
// 5 % it finds 2.6 if they come early and 1.1 if they are spread, where investing
// finds 3.4 and 2.0.
const (
	initialWealth = 0.25
	mostAlpha     = 0.025
	leastAlpha    = 0.001
	keepEarns     = 0.025
	wealthShare   = 10.0
)

// wealth is the part of a State that trials spend.
type wealth struct {
	invested float64
	stream   Stream
}

func (s *State) wealth() wealth { return wealth{s.Wealth, s.Stream} }

// refund makes as if nothing had been spent since.
func (s *State) refund(w wealth) { s.Wealth, s.Stream = w.invested, w.stream }

// alpha is the error rate that the next trial may spend. It is never above that
// of a trial alone.
func (s *State) alpha(fdr float64) float64 {
	if fdr > 0 {
		return min(mostAlpha, stats.ELOND(fdr, s.Stream.Trials+1, s.Stream.Keeps))
	}
	return alphaOf(s.Wealth)
}

// spend pays for a trial.
func (s *State) spend(fdr float64) {
	if fdr > 0 {
		s.Stream.Trials++
		return
	}
	s.Wealth -= min(mostAlpha, s.Wealth/wealthShare)
}

// earn is what a keep brings.
func (s *State) earn(fdr float64) {
	if fdr > 0 {
		s.Stream.Keeps++
		return
	}
	s.Wealth += keepEarns
}

func alphaOf(wealth float64) float64 {
	return max(leastAlpha, min(mostAlpha, wealth/wealthShare))
}
