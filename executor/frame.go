package executor

import (
	"context"
	"sync/atomic"
)

// frame is what a nested step needs to know about the steps that it runs
// inside of. It is found through the context that a step's function gets.
//
// # Permits are held by leaves
//
// If a step that holds a permit runs another step, and that one needs a permit
// too, then at a limit of 1 both wait for ever, and at any limit enough of them
// do. Two ways out do not hold up: letting the nested step run under its
// parent's permit lets a parent that fans out run any number of executions
// under one permit, and taking the parent's permit back after the nested step
// makes it queue again after each. A function that runs steps is not a leaf, so
// it gives its permit back before its first nested step waits for anything,
// and needs none from then on. The price: what such a function computes itself
// after that is not counted against the limit. Work worth limiting belongs in a
// step of its own.
//
// A function that hands a nested step another context than its own is not
// recognized; then the concurrency timeout resolves it.
type frame struct {
	context.Context

	owner  *Executor
	parent *frame
	node   *flightNode // of the flight that this execution leads, or nil
	permit *semaphore  // whose permit it took, or nil
	held   atomic.Bool // whether it still has it
}

type frameKey struct{}

// Value finds the frame itself, so that a context and a value cost one allocation.
func (f *frame) Value(key any) any {
	if key == (frameKey{}) {
		return f
	}
	return f.Context.Value(key)
}

func frameOf(ctx context.Context) *frame {
	f, _ := ctx.Value(frameKey{}).(*frame)
	return f
}

// release gives the permit back, once.
func (f *frame) release() {
	if f != nil && f.permit != nil && f.held.CompareAndSwap(true, false) {
		f.permit.release()
	}
}

// yield gives back the permits of f and of all it runs inside of.
func (f *frame) yield() {
	for ; f != nil; f = f.parent {
		f.release()
	}
}

// flights are those of one executor that f, and what it runs inside of, lead.
func (f *frame) flights(of *Executor) []*flightNode {
	var nodes []*flightNode
	for ; f != nil; f = f.parent {
		if f.node != nil && f.owner == of {
			nodes = append(nodes, f.node)
		}
	}
	return nodes
}
