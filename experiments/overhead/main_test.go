package overhead

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The load generator is this very program, started with one argument.
const serveLoad = "serve-load"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == serveLoad {
		if err := ServeLoad(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
