//go:build !unix

package demo

// processCPU returns 0: this system is not asked for its CPU time.
func processCPU() float64 { return 0 }
