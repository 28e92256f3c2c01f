package sensors

import (
	"context"
	"errors"
)

// Observe records a call of f as a request, for work that no server's middleware
// sees: a job, a message, a step of a batch. It returns what f returns. An error
// is a failure, unless the caller gave up (ctx was canceled, and the error says
// so): that is nobody's fault here. A panic is a failure too, and goes on. A nil
// recorder only calls f. It is safe for concurrent use.
func Observe[T any](ctx context.Context, r *Recorder, f func(context.Context) (T, error)) (T, error) {
	request, failed := r.StartNow(), true
	defer func() { request.End(failed) }()
	v, err := f(ctx)
	failed = err != nil && !(errors.Is(err, context.Canceled) && context.Cause(ctx) != nil)
	return v, err
}
