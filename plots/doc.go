// Package plots draws tpbench's charts from a results.Run: [Charts] lists them.
//
// The pipeline:
//
//  1. A chart's function selects samples by their benchmark's role, under one setting, and
//     summarizes them with results/stat.
//  2. Each implementation gets its look (see looksOf): a colour that follows from its name
//     and that no other one in the chart has. Busted ones have a hollow, crossed point
//     and "(unsafe)". Labels stand in the margin to the right, where no data are.
//  3. Save draws the Chart as name.svg and name.png at one size. It replaces a file whole or
//     not at all, and replaces no file that is not a chart of tpbench. The same run
//     and catalog give the same bytes.
//
// The large point is a median, the small ones beside it are every sample; only tradeoff has
// no room for those. Bars are the 95 % interval of the median where there are samples
// enough for one.
//
// Package plots does not draw a chart whose samples the run lacks: that is a
// *results.MissingError. It does not mix settings: keys that a chart does not show along an
// axis have one value, which stands below the title.
package plots
