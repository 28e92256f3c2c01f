package simulate

import (
	"autotune/controller"
	"autotune/internal/stats"
)

// TrialsSummary counts the verdicts of trials. As JSON it is one line, of type
// "trials".
type TrialsSummary struct {
	Type string `json:"type"`
	// N trials that ended, however many were asked for.
	N            int `json:"n"`
	Kept         int `json:"kept"`
	Reverted     int `json:"reverted"`
	Inconclusive int `json:"inconclusive"`
	Aborted      int `json:"aborted"`
	Errored      int `json:"errored,omitempty"`
	// KeepRate is Kept/N, 0 of none; Low and High are its exact 95 % interval.
	KeepRate float64 `json:"keep_rate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	// MedianPairs that a trial took, 0 of none.
	MedianPairs float64 `json:"median_pairs"`
}

// Summarize counts verdicts.
func Summarize(trials []SeriesTrial) TrialsSummary {
	s := TrialsSummary{Type: "trials", N: len(trials)}
	pairs := make([]float64, len(trials))
	for i, t := range trials {
		pairs[i] = float64(t.Pairs)
		switch t.Outcome {
		case controller.Kept:
			s.Kept++
		case controller.Reverted:
			s.Reverted++
		case controller.Inconclusive:
			s.Inconclusive++
		case controller.Aborted:
			s.Aborted++
		case controller.Errored:
			s.Errored++
		}
	}
	s.Low, s.High = stats.Binomial(s.Kept, s.N, 0.95)
	if s.N > 0 {
		s.KeepRate, s.MedianPairs = float64(s.Kept)/float64(s.N), stats.Median(pairs)
	}
	return s
}
