// Package dashboard is a live page over a running autopilot, and the operator's
// API behind its buttons: an http.Handler that a service mounts.
//
//	d, err := dashboard.New(pilot, dashboard.Options{Journal: dir})
//	mux.Handle("/autotune/", http.StripPrefix("/autotune", d))
//
// # What it shows
//
// The setting in force beside the initial one; latency, CPU and memory second by
// second, shaded where a candidate is in force; the running trial, with its
// evidence growing toward each boundary; every decision with its reason and its
// interval, each opening to its pairs, across restarts if there is a journal.
//
// # Who may do what
//
//   - Reading is open to this machine, asked for by a name of this machine (so that
//     a page elsewhere that resolves to it gets nothing). From anywhere else it
//     takes the token.
//   - Changing anything takes the token from everybody, as a bearer token: a page
//     that somebody lures an operator to cannot send it. Besides, requests from
//     other origins are refused (http.CrossOriginProtection).
//   - Each change is logged with who asked for it, and why, as they say.
//
// The token is compared in constant time, is never in a URL, and is not logged.
// The page loads nothing from anywhere else and its policy forbids it; what comes
// from the service is text, never markup. Bodies, rates and open streams are
// bounded.
//
// Listen refuses an address beyond loopback without TLS, unless it is said that a
// proxy in front sees to it.
package dashboard
