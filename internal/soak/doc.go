// Package soak wears a whole service down for as long as one likes, and looks
// whether what is promised holds: `make soak`, half an hour, or SOAK=4h. It has no
// code but its test, of which CI runs a minute.
//
// Two services, each a process of its own with the real autopilot, its live page,
// and a journal, are told random things by operators over the page's API (pause,
// resume, pin, pin at a value, unpin, revert, revert all; approve, decline and
// reopen in advise mode), and their sensors and actuators fail: they read back
// nothing, NaN or an error, do not move or refuse to; load stops, requests hang or
// fail.
//
// One service is killed again and again (kill -9), at times in the very moment in
// which it has acknowledged something, or ended by SIGTERM, and started anew on its
// journal. After each end, in what the journal holds:
//
//   - every decision that the page showed and every wish that it acknowledged is there;
//   - the journal reads, and replays to the same decisions;
//   - no trial starts before the one before has ended;
//   - the pins are those that were acknowledged.
//
// The other runs on. Its heap after a collection does not grow over the second half
// by more than noise, and when it ends no goroutine is left. In both, always:
//
//   - a pinned knob is never set to another value;
//   - no knob is set beyond its owner's limits;
//   - every request is answered, but for those that a kill cuts off.
//
// What is random follows from a seed, which is printed when something fails. Time
// is real, so that a seed repeats the actions, and not their interleaving.
package soak
