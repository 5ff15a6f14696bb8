// Package stat holds the statistics of tpbench. They are few, exact where possible, and
// carry warnings.
//
// Its words: a sample is a list of values of one benchmark; a round is a number that pairs values
// of two benchmarks which were measured at about the same time; a cluster is the values of
// rounds that share an alignment of the code; an interval has a level of 95 %.
//
// From samples to a claim:
//
//  1. Summarize returns the median of one benchmark's sample with its order-statistic
//     interval, which assumes nothing about the distribution.
//  2. Compare tests two unpaired samples (of two files) with the Mann-Whitney U test. Values of
//     several clusters are Collapsed first, because rounds at one alignment are not independent.
//  3. PairedRatio and PairedDiffs compare two benchmarks round by round. When the machine
//     gets slower for minutes, both values of a round do, and their ratio stays.
//  4. Slope returns how a time grows: the exponent of a power law.
//
// Units are the caller's; nothing here converts them.
//
// Package stat does not drop outliers, does not assume that times have a normal distribution (only
// PairedRatio and Slope assume it, of logarithms), and does not return an interval that it cannot
// compute: too few samples make an error or a warning.
package stat
