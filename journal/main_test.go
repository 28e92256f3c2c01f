package journal

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The kill test runs this binary again as the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		appendForever(dir)
	}
	goleak.VerifyTestMain(m)
}
