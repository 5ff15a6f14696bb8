// Package plots draws tpbench's charts from a results.Run:
//
//	disable-all   time to disable all events, by strategy and flavour
//	scaling       the same, against the number of events
//	transitions   time of one change of an event's probes, by strategy
//	tradeoff      cost of firing against cost of switching, by strategy
//	dispatch      time of one pass of a site, against its probes
//	disturb       a reader's passes while events are switched, by strategy
//	unregister    time to remove probes while allocations fail
//	livepatch     time of a function's transitions, by way to wait
//	uprobe        hits per second, against the CPUs that hit one uprobe
//	poke          time to patch a site, against the sites of a batch
//
// ByRelease draws one more, of a file with several kernels: the time and the counts of each operation, release by
// release.
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
