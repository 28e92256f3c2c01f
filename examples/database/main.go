// Command database is a service over database/sql. How many connections its pool
// may have open, and how many it keeps, are on offer.
//
//	go run ./examples/database -for 3m
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	_ "modernc.org/sqlite" // the driver

	"autotune"
	"autotune/executor"
	"autotune/knobs"
	"autotune/sensors"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	last := flag.Duration("for", 0, "how long to run (default until interrupted)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *last > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *last)
		defer cancel()
	}
	return query(ctx)
}

func query(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := sql.Open("sqlite", filepath.Join(dir, "shop.db")+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(2000)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(2)
	if _, err := db.Exec(`create table item (id integer primary key, name text, price int);
		with recursive n(i) as (select 1 union all select i+1 from n where i < 20000)
		insert into item select i, 'item ' || i, i * 7 % 1000 from n`); err != nil {
		return err
	}

	logger := zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr})
	pilot, err := autotune.Start(ctx, autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true},
		Knobs:    []knobs.Actuator{knobs.SQLMaxOpen(db, 32), knobs.SQLMaxIdle(db, 2, 32)},
		Offer:    []string{"sql_max_open", "sql_max_idle"},
		Logger:   &logger,
	})
	if err != nil {
		return err
	}
	defer pilot.Executor().Close()
	defer pilot.Close()

	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			for ctx.Err() == nil {
				_, _ = sensors.Observe(ctx, pilot.Recorder(), func(ctx context.Context) (total int, err error) {
					from := rand.IntN(19_000)
					err = db.QueryRowContext(ctx, "select sum(price) from item where id between ? and ?", from, from+1000).Scan(&total)
					return total, err
				})
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
		})
	}
	users.Wait()
	s := pilot.Status()
	fmt.Println("in force at the end, where it differs:", s.Initial.Diff(s.Safe))
	return nil
}
