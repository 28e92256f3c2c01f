// Package arch keeps the architecture true: a table says which package may
// import what and what it may never do, and a test holds every Go file of the
// module against it.
//
// # Why a table
//
// What the project promises rests on who may depend on whom. A journal replays
// to the same decisions only while the decision core has no clock, no chance of
// its own and no goroutine; a service that embeds the autopilot stays small only
// while nothing below it reaches for the simulator. One convenient import breaks
// either, compiles, and passes every other test. So the rule is data, with the
// reason beside it, and the reason is in the message when it is broken.
//
// # How it reads the code
//
// By syntax alone, with go/parser: no build, no type information, well under a
// second. A banned call is seen as a selector on the name of an import, so
// time.Now is found when it is called, passed as a value, or imported under
// another name. A local variable that shadows the import is reported as well;
// rename the variable. Dot imports would hide calls and are banned.
//
// Beside the table, what a public package exports may not mention a type of an
// internal one.
//
// Files named _test.go are not shipped. They may import any package of the
// module and any third party that the table names somewhere, plus the testing
// libraries, and they are free to use the clock.
package arch
