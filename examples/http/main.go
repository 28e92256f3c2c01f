// Command http is an HTTP service with two knobs of its own on offer: how hard it
// compresses its answers, and how often garbage is collected.
//
//	go run ./examples/http -load 150 -for 3m
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"autotune"
	"autotune/executor"
	"autotune/knobs"
	"autotune/sensors/nethttp"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on")
	load := flag.Int("load", 0, "requests a second that it asks of itself")
	last := flag.Duration("for", 0, "how long to run (default until interrupted)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *last > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *last)
		defer cancel()
	}
	return serve(ctx, *addr, *load)
}

func serve(ctx context.Context, addr string, load int) error {
	var level atomic.Int64 // of compression
	level.Store(gzip.BestCompression)

	logger := zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr})
	pilot, err := autotune.Start(ctx, autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true},
		Knobs:    []knobs.Actuator{knobs.Int("gzip_level", "", 1, 9, level.Load, level.Store), knobs.GCPercent()},
		Offer:    []string{"gzip_level", "gc_percent"},
		OpenLoop: true,
		Logger:   &logger,
	})
	if err != nil {
		return err
	}
	defer pilot.Executor().Close()
	defer pilot.Close()

	routes := http.NewServeMux()
	routes.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z, err := gzip.NewWriterLevel(w, int(level.Load()))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for i := range 4000 {
			fmt.Fprintf(z, "order %d, %d items, %d cents\n", i, i%7, i*i%9973)
		}
		_ = z.Close() // the client has gone
	})
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: nethttp.Middleware(pilot.Recorder(), routes), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Printf("listening on http://%s/report\n", listener.Addr())
	if load > 0 {
		go ask(ctx, "http://"+listener.Addr().String()+"/report", load)
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	s := pilot.Status()
	fmt.Println("in force at the end, where it differs:", s.Initial.Diff(s.Safe))
	return nil
}

// ask sends requests at a steady rate, whatever becomes of them.
func ask(ctx context.Context, url string, rate int) {
	for tick := time.Tick(time.Second / time.Duration(rate)); ctx.Err() == nil; <-tick {
		go func() {
			if r, err := http.Get(url); err == nil { //nolint:gosec // its own address
				_, _ = io.Copy(new(bytes.Buffer), r.Body)
				_ = r.Body.Close()
			}
		}()
	}
}
