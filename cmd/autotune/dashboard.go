package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/rs/zerolog"

	"autotune"
	"autotune/dashboard"
)

// serveDashboard serves the live page until end is called, and says once where it
// is and what changes take.
func serveDashboard(l net.Listener, p *autotune.Autopilot, journal string) (end func(), err error) {
	log := zerolog.New(os.Stderr)
	d, err := dashboard.New(p, dashboard.Options{Journal: journal, Logger: &log})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	server := dashboard.Server(d)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Err(err).Msg("dashboard")
		}
	}()
	fmt.Fprintf(os.Stderr, "The live page is at http://%s/; what it changes takes the token %s\n", l.Addr(), d.Token())
	return func() {
		// Streams end with the autopilot; what is left is cut.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-done
	}, nil
}
