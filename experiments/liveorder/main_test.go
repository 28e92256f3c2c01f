package liveorder

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"autotune/internal/demo"
)

// The load generator and the sessions are this very program, started with one argument.
const (
	serveLoad    = "serve-load"
	serveSession = "serve-session"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		var err error
		switch os.Args[1] {
		case serveLoad:
			err = demo.ServeLoad(context.Background(), os.Stdin, os.Stdout)
		case serveSession:
			err = Serve(context.Background(), os.Stdin, os.Stdout, Env{LoadCommand: []string{os.Args[0], serveLoad}})
		default:
			err = fmt.Errorf("argument %q", os.Args[1])
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
