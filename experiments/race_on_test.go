//go:build race

package experiments

// raceEnabled: statistics are slow under the race detector, and race nothing.
const raceEnabled = true
