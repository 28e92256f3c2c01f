//go:build !race

package executor

const raceOn = false
