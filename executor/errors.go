package executor

import (
	"context"
	"errors"
	"fmt"
)

// ErrClosed is returned by a step whose executor is closed.
var ErrClosed = errors.New("executor is closed")

// ErrTimeout is returned when an attempt took longer than the step's Timeout.
// errors.Is also finds context.DeadlineExceeded in it.
var ErrTimeout error = timeoutError{}

// ErrConcurrencyTimeout is returned when an execution waited longer than
// concurrency_timeout for a permit and was rejected.
var ErrConcurrencyTimeout = errors.New("waited longer than concurrency_timeout for a permit")

// ErrCircuitOpen is returned when an execution was rejected because its step has
// failed circuit_breaker_failure_threshold times in a row, and neither has
// circuit_breaker_recovery_timeout passed nor have enough trials succeeded since.
var ErrCircuitOpen = errors.New("the circuit is open: the step keeps failing")

// ErrGoexit is returned when a function that had a goroutine of its own, because
// its step has a Timeout, ended that goroutine with runtime.Goexit. Without a
// Timeout the function runs in its caller's goroutine, and ends that.
var ErrGoexit = errors.New("the function ended its goroutine")

type timeoutError struct{}

func (timeoutError) Error() string   { return "attempt took longer than its timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
func (timeoutError) Unwrap() error   { return context.DeadlineExceeded }

// StepError is any failure of a step, under the step's name. Nested steps nest.
type StepError struct {
	Step string
	Err  error
}

// Error returns the step's name and what went wrong.
func (e *StepError) Error() string { return "step " + e.Step + ": " + e.Err.Error() }

// Unwrap returns what went wrong.
func (e *StepError) Unwrap() error { return e.Err }

// FlowError is any failure of a flow, under the flow's name. Within it is mostly
// the StepError of the step that failed.
type FlowError struct {
	Flow string
	Err  error
}

// Error returns the flow's name and what went wrong.
func (e *FlowError) Error() string { return "flow " + e.Flow + ": " + e.Err.Error() }

// Unwrap returns what went wrong.
func (e *FlowError) Unwrap() error { return e.Err }

// PanicError is a panic of a function of a step, as an error.
type PanicError struct {
	// Value that the function panicked with.
	Value any
	// Stack of the goroutine, where it panicked.
	Stack []byte
}

// Error returns what the function panicked with, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
