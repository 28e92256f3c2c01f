// Package terminal shows people what a running autopilot does.
//
// A View takes statuses as they come, a few a second, and shows them in one of
// two ways. On a terminal, an area at the bottom is redrawn: where the
// controller is and why, the trial in progress with effect, interval and
// evidence for each goal, what is kept, and the time left; decisions scroll by
// above it. Anywhere else, in a file or under a supervisor, it writes plain
// lines with a timestamp and no control codes: decisions, phases worth telling,
// and a sign of life every quarter of a minute.
//
// # Evidence
//
// The tests behind a decision multiply their evidence from pair to pair, so the
// bars are on a log scale: log(e) / log(threshold). A full bar is enough for
// that decision; an empty one is e-value 1 or less, no evidence.
//
// # Redrawing
//
// Rows, their cutting to width, and what goes where are text, made by pure
// functions (frame.go, format.go, tell.go). Moving the cursor, erasing, drawing
// bars and lines above them are the progress library's work (live.go).
package terminal
