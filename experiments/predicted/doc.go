// Package predicted holds the service model (simulate/plant) to what each switch
// was measured to do to the service that it is a model of: docs/effects.csv, made
// by `autotune experiment live`.
//
// # What is compared
//
// A cell is a switch, a workload and a metric. The model runs the very comparison
// that was run live: the same settings, rates and lengths of blocks, the
// controller's own randomized pairs. Its parameters are what the parts of the
// service cost by themselves; none was fitted to an effect.
//
// # When it agrees
//
// One interval in twenty leaves out zero by chance, and the table has hundreds. So
// an effect stands only among those of which one in twenty at most is chance
// (Judge). Of these the model must say the same direction, and an effect within a
// factor of two, in log units, of the live one. Where the live interval includes
// zero nothing was shown, and there is nothing to agree with: then the model is
// asked for no more than that its effect, or half of it, lies in that interval; a
// wide interval refutes little.
package predicted
