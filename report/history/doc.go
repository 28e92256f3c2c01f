// Package history turns a journal into a report: what was tried, what was kept
// and put back, on which evidence and for which of the closed set of reasons,
// and how the goals went while it happened.
//
// A journal holds what the controller was told (inputs) and what it said about
// it (records). Read goes through it once, from the oldest line on, and adds up.
// It keeps of the inputs a Track of at most a few hundred stretches of time,
// which get longer as the journal does, with what was measured in each under the
// safe setting and under a candidate; so a journal of any size takes the same
// memory, and every point of a chart still rests on all requests of its stretch:
// latencies are merged as histograms, never averaged.
//
// The time of a chart is time observed. Between two processes nobody looked, so
// the pause between them has no length, and the line is broken there.
//
// Effects are relative changes of the metric itself, the median over pairs, with
// a 95 % interval that holds at any stopping time: see package controller.
package history
