// Package nethttp records the requests of an HTTP server.
//
//	rec := sensors.NewRecorder()
//	http.ListenAndServe(addr, nethttp.Middleware(rec, mux))
//
// A request is in flight from when the handler is called until it returns, and
// has failed if it answered with a status of 500 or more, or panicked. A client
// error, 4xx, is the client's doing and not a failure; nor is a client that
// went away, unless the handler makes a 5xx of it.
//
// What the kernel and the server's accept loop keep waiting is not seen here. A
// load generator that says when it meant to send makes it seen: see
// IntendedTimeHeader.
package nethttp
