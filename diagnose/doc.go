// Package diagnose is the guide's troubleshooting as rules: it reads a journal or
// a running autopilot and says what is wrong, on which evidence, why, and what to
// do next. "Nothing found" is a normal answer, and says what was looked at.
//
//	rule          fires when                                              the guide's section
//	regression    something tried made a goal worse, broke a hard limit   Performance Regression After Enabling
//	memory        memory is near its limit, over it, or grows on          High Memory Usage
//	cpu           processors are full, throttled, or busy with overhead   High CPU Usage
//	inconsistent  noise, a period, changes from outside, restarts         Inconsistent Performance
//	metrics       what decisions need is not measured                     (no metrics)
//	applied       what is asked for does not read back, or moves nothing  (configuration not applied)
//
// # How it is built
//
// A journal is read once, from the oldest line on, into facts: how trials ended,
// what failed, and what was measured under the safe setting; a candidate's blocks
// are the business of its trial. A rule is a function of facts that changes
// nothing. Its findings carry figures with units, the time they are of, and an
// interval where one was computed: an effect has the median over pairs with a 95 %
// interval that holds at any stopping time (package controller). A threshold that
// a rule goes by stands in its file, with the reason.
//
// A rule errs to silence: it names a cause only where the journal shows one, and
// where what it needs was not measured it says so instead of passing.
//
// # Beside the rules
//
// Signals say where an optimization could gain anything, from what an executor
// counts. Profile has the sites that CPU time and allocations go to, of any Go
// service: the guide's "profile before optimizing". Export writes the kept setting
// as a configuration file that says of each value where it comes from: the guide's
// "document configuration decisions".
package diagnose
