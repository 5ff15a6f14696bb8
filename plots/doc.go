// Package plots draws tpbench's charts, one file per chart, from a results.Run.
//
// The pipeline:
//
//  1. A chart's function selects samples under one setting and summarizes them
//     with results/stat: DisableAll, Scaling, Tradeoff, Transitions, DispatchProbes, Disturb,
//     Unregister, Livepatch.
//  2. The theme gives each implementation of the caller's Catalog a fixed
//     colour, marks busted ones with a hollow, crossed point and "(unsafe)", and
//     keeps the margin to the right for labels, so that none lies on data.
//  3. Save draws the Chart as name.svg and name.png at one size, each whole or not at
//     all, and never in the place of a file that is no chart of ours. The same run
//     and catalog give the same bytes.
//
// The large point is a median, the small ones beside it are every sample; only
// Tradeoff has no room for those. Bars are the 95 % interval of the median where
// there are samples enough for one.
//
// The package draws nothing in place of what is missing: a chart whose samples
// the run lacks is a *results.MissingError. It never mixes settings: keys that
// a chart does not show along an axis are fixed and named below the title.
package plots
