//go:build race

package controller_test

// raceEnabled: statistics are slow under the race detector, and race nothing.
const raceEnabled = true
