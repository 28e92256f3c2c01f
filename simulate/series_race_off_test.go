//go:build !race

package simulate

// raceEnabled: statistics are slow under the race detector, and race nothing.
const raceEnabled = false
