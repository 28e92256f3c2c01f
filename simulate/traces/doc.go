// Package traces reads what was recorded of real services, for simulated ones to
// repeat: how many requests came when, and what was asked for.
//
// Rates are CSV files with a header, plain or under gzip:
//
//	second,requests            minute,requests            TIMESTAMP,…
//	0,12                       0,310                      2023-11-16 18:17:03.9799600,…
//	1,9                        1,295                      2023-11-16 18:17:04.0319600,…
//
// The first two count requests in equal stretches of time, in order and without a
// gap; the third has a row for each request, in order, and is counted by seconds.
//
// Keys are, plain or under gzip or xz,
//
//	a text of a number a line         the traces of the LIRS paper; lines with a * mean nothing
//	big-endian 32-bit numbers         the traces of cache2k, which are always under xz
//
// An error is one line that names file, line, column, value and rule. A file with
// one bad value is refused as a whole: what is left would be another trace.
package traces
