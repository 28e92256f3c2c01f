//go:build race

package executor

// raceOn is for tests that count allocations, which the race detector adds to.
const raceOn = true
