// Package catalog is the guide as data: each optimization of the executor as a
// hypothesis, with the reason why it should help, its switch, its knobs with
// bounds and scale, and what it preserves.
//
// Nothing here runs. The executor takes bounds and defaults from this package,
// policies take what to try and in which order, the simulator takes both: the
// three cannot drift apart. Every function returns fresh copies, so a caller
// may grant, pin or narrow what it got.
package catalog
