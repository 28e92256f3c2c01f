package controller

// The budget of false keeps, as in alpha-investing (Foster & Stine 2008). A
// trial may spend α_j = max(.001, min(.025, W/10)) of wealth W, read before the
// trial pays min(.025, W/10); a keep earns .025. Expected false keeps are then
// at most .25 + .025 a keep + .001 a trial, for ever, and a service that lives
// for years still has the power to find something. (Spending 6/(π²j²) would
// make it inert after a few dozen trials.)
const (
	initialWealth = 0.25
	mostAlpha     = 0.025
	leastAlpha    = 0.001
	keepEarns     = 0.025
	wealthShare   = 10.0
)

func alphaOf(wealth float64) float64 {
	return max(leastAlpha, min(mostAlpha, wealth/wealthShare))
}

func afterTrial(wealth float64) float64 {
	return wealth - min(mostAlpha, wealth/wealthShare)
}
