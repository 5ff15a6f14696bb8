// Package stat holds the statistics of tpbench: from values to tests, intervals and p values. They
// are few and exact where possible. Each says where it is from.
//
// Its words: a sample is a list of values of one benchmark; a unit is what counts as one independent
// observation, such as a block or a build; a difference is that of two logarithms, so that it
// stands for a ratio; a round is a number that pairs values of two benchmarks which were measured at
// about the same time; a cluster is the values of rounds that share an alignment of the code. An
// interval has a level of 95 % where no other is asked for.
//
// From samples to a claim:
//
//  1. Summarize returns the median of one benchmark's sample with its order-statistic
//     interval, which assumes nothing about the distribution.
//  2. Paired returns the Shift of the differences between two arms, one for each unit: the centre,
//     the interval, and the p value of every shift. It is exact because the order of the arms in a block
//     is random. Unpaired does so for two samples that have nothing in common, as those of two
//     sessions.
//  3. Equivalence asks the opposite question: is the shift within a margin? A large p value of
//     step 2 does not show that.
//  4. Shift.Detectable says how large a shift would have been found. It belongs beside every result
//     that is not significant.
//  5. Holm and BenjaminiHochberg adjust the p values of many lines. Looks divides alpha between the
//     points at which a run may stop. LeastUnits says how many units an alpha needs, and
//     LeastSamples how many values on each side of Unpaired.
//  6. Widen spreads units that follow each other and resemble each other, before Paired. NewCrowd summarizes
//     what benchmarks of two sessions have in common.
//  7. Proportion returns the interval of a count of outcomes, such as false calls.
//
// The tables of evidence use PairedRatio and PairedDiffs, which compare two benchmarks round by round,
// and Slope, which says how a time grows. Compare is the Mann-Whitney test of benchmath, which
// benchstat uses; values of several clusters are Collapsed first.
//
// The caller forms the units: values that share a build or a layout are not independent, and become
// one number before they come here. The caller takes the logarithms, and checks that values are finite.
//
// Package stat does not drop outliers and does not assume that times have a normal distribution (only
// PairedRatio, MeanInterval, Slope and Crowd assume it, of logarithms). It does not change the method when there are few
// values: an interval is then infinite, or there is an error or a warning.
package stat
