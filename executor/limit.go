package executor

import (
	"context"
	"errors"
	"time"
)

// permits is the part of enable_concurrency_optimization: a semaphore that is
// open while the switch is off.
type permits struct {
	nothingToTrim
	semaphore
}

func (p *permits) reconcile(next *snapshot) {
	p.setLimit(next.config.MaxConcurrentExecutions, next.features&limited == 0)
}

func (p *permits) readBack(c *Config) { c.MaxConcurrentExecutions = p.getLimit() }

func (p *permits) stop() {}

// admit takes a permit.
func (ex *Executor) admit(ctx context.Context, timeout time.Duration) error {
	waited, err := ex.permits.acquire(ctx, timeout)
	if waited {
		ex.counters.waits.Add(1)
	}
	if errors.Is(err, ErrConcurrencyTimeout) {
		ex.counters.rejected.Add(1)
	}
	return err
}
