// Package stats has the numerics of an experiment in randomized pairs: a test
// by betting on signs, the interval that goes with it, how many pairs a decision
// will take, and the exact interval of a share. It knows nothing of metrics,
// trials or time.
//
// # The test
//
// In pair k a fair coin decides which of two adjacent blocks gets the
// candidate. D_k is the difference of log values, candidate minus safe. If the
// true effect is a constant θ0, then D_k - θ0 is as likely to be +a as -a, given
// its own size and everything that happened before: the coin alone sees to that,
// whatever the drift, the correlation or the tails. So bet on the signs:
//
//	x_k = clip((D_k - θ0) / s_k, -1.5, 1.5)
//	E_n(θ0, σ) = mean over κ of  Π_k (1 + tanh(κ σ x_k))
//
// tanh is odd, so each factor has mean 1 under the coin, and E is a nonnegative
// martingale that starts at 1. By Ville's inequality P(E ever reaches 1/α) is at
// most α, however often one looks and whenever one stops (Vovk & Wang 2022,
// e-tests of symmetry; Ham, Bojinov, Lindon & Tingley 2022; Waudby-Smith &
// Ramdas 2023). σ = -1 collects evidence that the effect is below θ0, +1 that it
// is above.
//
// # What each choice costs
//
// The scale s_k is the robust scale of the differences before pair k together
// with a baseline of no-change differences. It must not use D_k: with it, the
// factor is no longer odd in the coin and the mean drifts away from 1 by up to a
// quarter. An s_k too large bets timidly and costs pairs; one too small clips
// everything and turns the test into counting signs, which costs pairs too but
// never validity. The mixture over κ is a mean, not a maximum, for the same
// reason. κ = 0.15 is for effects far below the noise, κ = 3 bets the house on
// large ones and is what makes a decision in seven pairs possible.
//
// # Beside it
//
// Excess bets that a share of events is too high, for a guard within a block.
// ELOND is the level of the t-th test of a stream, where the share of false
// rejections is to be bounded.
package stats
