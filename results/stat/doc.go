// Package stat holds the statistics of tpbench: few, exact where they can be,
// and always with their doubts attached.
//
// The pipeline from samples to a claim:
//
//  1. Summarize one benchmark's samples: the median and its order-statistic
//     interval, which assumes nothing about the distribution.
//  2. Compare two unpaired groups (two files) with the Mann-Whitney U test.
//     What was measured at several alignments of the code is Collapsed first: rounds
//     at one alignment are no independent samples.
//  3. PairedRatio and PairedDiffs compare two variants round by round. Samples
//     of one round were taken interleaved, so what moves the machine for
//     minutes moves both, and the ratio holds where the times do not.
//  4. Slope tells how a cost grows: the exponent of a power law.
//
// All levels are 95 % (confidence). Units are the caller's; nothing here
// converts them.
//
// The package drops no outlier, assumes no normal distribution of raw times
// (only PairedRatio and Slope do, of logarithms, and they say so), and never
// returns an interval it could not compute: too few samples are an error or a
// warning, not a guess.
package stat
