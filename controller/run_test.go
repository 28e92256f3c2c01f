package controller_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// paper is a recorder that counts, and that can break.
type paper struct {
	Trace
	synced int // records at the last Sync
	broken bool
}

var errFull = errors.New("disk full")

func (p *paper) Append(r Record) error {
	if p.broken {
		return errFull
	}
	return p.Trace.Append(r)
}

func (p *paper) Sync() error {
	p.synced = len(p.Records)
	return nil
}

// Recorded is told when everything is written, or why it is not.
func TestRun_recordedAfterTheRecords(t *testing.T) {
	space, offered, initial := switches("gain")
	plant := newPlant(1, space, initial)
	c, err := New(Config{Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &eachOnce{}, Timing: fast})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := &paper{}
	written, durable, failures := 0, 0, 0
	loop := Loop{Record: p, Recorded: func(cmd Command, err error) {
		if p.broken && len(cmd.Records) > 0 {
			require.ErrorIs(t, err, errFull)
			failures++
			cancel()
			return
		}
		require.NoError(t, err)
		written += len(cmd.Records)
		require.Len(t, p.Records, written)
		if cmd.Durable {
			require.Equal(t, written, p.synced)
			durable++
		}
		p.broken = durable > 3 && written > 20
	}}
	require.ErrorIs(t, Run(ctx, plant, c, loop), context.Canceled)
	require.Positive(t, failures)
	require.Positive(t, durable)
}
