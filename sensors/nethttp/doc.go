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
//
// # What a request pays
//
// In CPU time, on a processor that nobody else slows down (2.4 GHz AMD EPYC, a
// virtual machine; up to twice that while others crowd the machine):
//
//	ns   piece
//	66   two readings of the monotonic clock
//	20   the recorder: shard, slot, bucket
//	45   48 bytes for the wrapper, some 20 of it the collector's in a process of no heap
//	 4   which of its methods the writer below has
//	16   the calls between, the deferred end
//	151  in all
//	40   more with ByRoute: a map, a mutex, a histogram
//
// The wrapper is not pooled. A handler that keeps its writer after it has returned
// breaks a rule of net/http, and with a pool it would write into the answer of
// another request. BenchmarkMiddleware_pieces has the pieces.
package nethttp
