//go:build !linux

package sensors

// ThreadCPU returns the CPU seconds, user and system, that the calling thread
// has used, and false where the system does not tell, as here.
func ThreadCPU() (seconds float64, ok bool) { return 0, false }
