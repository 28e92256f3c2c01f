// Package gaussian predicts a function from few of its values by a Gaussian
// process: what is not known is described by all functions that fit, the smoother
// ones being likelier.
//
//	kernel := gaussian.Learn(points, y)           // how fast it changes along each column
//	mean, sd := kernel.On(points, y).Predict(new) // what that and the values tell elsewhere
//
// # The model
//
// Values have mean 0 and variance 1 after standardization, and covary by the
// Matérn function with ν = 5/2, twice differentiable and no more:
//
//	k(a, b) = S (1 + r + r²/3) exp(-r)     r² = 5 Σ_c δ_c(a, b)² / L_c²
//
// δ is the difference of numbers, and 0 or 1 for choices. Each column has a length
// L_c of its own (automatic relevance determination): one that does not matter
// gets a long one. N is the variance of noise.
//
// # The lengths
//
// L, S and N are at the maximum of their posterior density. Few values say little
// about many columns, so the prior decides there: L_c is lognormal with mean
// √2 + ln(d)/2 and standard deviation √3 in logs, d columns, which keeps a model of
// many columns from taking every point for unlike every other (Hvarfner, Hellsten
// & Nardi 2024, "Vanilla Bayesian optimization performs great in high
// dimensions"). The maximum is climbed by Rprop, that goes by the signs of slopes
// (Riedmiller & Braun 1993; Blum & Riedmiller 2013 for this use).
//
// # Which way it errs
//
// A single L_c stands for the whole range of a column: where a function is flat
// here and steep there it takes the flat part for unknown, and a search looks
// there more than it need. With one value, or equal ones, it predicts that value
// and a spread of 1. See Rasmussen & Williams 2006, "Gaussian processes for
// machine learning", chapters 2, 4 and 5.
package gaussian
