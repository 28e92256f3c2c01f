// Package table makes a target of a table of measured configurations, so that a
// search can be tried thousands of times on what real software did, and its end
// be held against the best that there is.
//
//	t, err := table.Open("lrzip.csv.gz", table.Config{Metrics: []string{"time"}, RelativeSD: "rsd"})
//	search := policies.NewSearch(policies.Pool{Len: t.Len(), At: t.Setting})
//	run, err := t.Run(ctx, table.RunConfig{Policy: search, Evaluations: 100, Judge: table.Exact, Start: -1})
//
// # From columns to knobs
//
// Every column that is no result, standard deviation or environment, and is not
// ignored, is a knob, by its values:
//
//	0 and 1, or words for off and on    Switch
//	numbers                             Int or Float with these levels, on a log
//	                                    scale if they span a decade and their
//	                                    ratios are more even than their differences
//	texts                               Enum, in the order of the file
//	one value                           no knob
//	switches that always sum to 1       one Enum together (fold.go)
//
// A column in which most are numbers and some are not is an error, not an enum:
// usually it is a typing error, and otherwise it can be declared.
//
// # What is reachable
//
// Only what was measured can be put in force: in every environment in use, and
// with a valid result. Apply refuses the rest, and in a run a policy sees them as
// blocked before it proposes them. Nothing is interpolated. Only an audit may ask
// for what nobody measured, an old value beside what was kept since: it ends as
// errored, and the kept one stays.
//
// # Draws
//
// A block of the controller is one draw of the setting in force: by a given
// standard deviation, of the configuration's own repeats, with replacement or in
// the order in which they were measured (see Order for what that costs), or always
// the same if nothing is known of the noise. Rows of the same configuration are
// repeats; beside a column of standard deviations they are one measurement with
// their mean and common spread. The true value is the mean.
//
// Environments (releases, workloads) are gone through in turn, each with an equal
// share of the evaluations: under way the same setting has other values, without
// the controller being told.
//
// # Judges
//
// Sequential is the shipped controller in the shipped loop. Exact decides by true
// values: what is lost then is the policy's doing, and the rest the noise's.
//
// # Limits
//
// A configuration has one true value, whatever was in force before it: switching
// costs nothing and effects are immediate. Noise is independent between draws,
// except that of repeats in order. A table that was measured in one order over
// hours has its drift among the configurations, where no trial can see it.
package table
