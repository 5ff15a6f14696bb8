// Package compare says which of two arms is slower, or safer, and how surely.
//
// Its words:
//
//	arm          one of the things that are compared: a strategy, a revision, a command, a file
//	base         the arm that the others are compared with, also called A
//	A2           the base measured once more in the same blocks: the null control
//	block        one sample of each arm of one benchmark, taken one after the other in random order
//	unit         what counts as one independent observation: a build, a set of layouts, or a block
//	line         one quantity of one benchmark, compared between the base and one other arm
//	gate family  the main quantity of each benchmark, and each cost that varies; they decide the exit code
//	floor        by how much an arm differs here without a reason: see step 4
//	margin       how far apart two arms may be that are called equal: 1 %, or the floor if that is larger;
//	             with a floor above 5 % none is
//
// From a file to a verdict:
//
//  1. Load reads a file in benchmark format, line by line, and keeps its values.
//  2. Within makes lines of one file: arms differ in one key of the benchmarks' names. Between
//     makes lines of two files: the old one is the base. Chain makes lines of one file with several
//     kernels: the base of each is the one before it. See chain.go for what is different there.
//  3. A line's difference is in logarithms. Within blocks it is tested by signed ranks over
//     units, which is exact because the order in a block is random. Units that are not builds are first
//     spread by how much successive ones resemble each other (stat.Widen), always and by one formula, so
//     that an arm which the machine slows down for several blocks has a wider interval. Samples without
//     blocks, or of a file whose lines were moved, are tested by the Mann-Whitney test, as independent.
//  4. The floor: in one file, how far the 95 % interval of A2 to A reaches. Between two files, how
//     far the benchmarks differ from the median of all: that is the machine or the session,
//     and only what departs from it counts. See session.go.
//  5. The p values of the gate family are adjusted by Holm's method, the others by that of
//     Benjamini and Hochberg.
//  6. The word of a line: an arm that broke under torture, or lost samples, is worse if the base did not (A2
//     counts as the base). Else one that waits more often, or has more of another count that the file
//     declares exact, is worse. Else the time decides: slower or faster if the adjusted test says so,
//     against A and against A2, and the difference is above the floor; equal if it is shown to be within the
//     margin; else inconclusive, with the change that would have been found. Where no difference of time is
//     shown, other counts decide, such as allocs/op.
//  7. Report prints itself: as a table, for a pull request, for a mailing list, as JSON and CSV.
//
// The interval of a line is of 95 %, and is the inversion of the line's test. In a run that may stop early it is of
// the level of the look, so that the intervals of all looks together are of 95 %. Between two files it takes in how
// far the benchmarks differ, since that is what the test asks.
//
// Package compare cannot tell a machine that slows down some benchmarks from a program that does, if each was
// measured in one session: its report says so. It does not pair samples of two sessions, does not leave out a
// sample of one arm alone, and does not choose a test by what the data look like. Few units give a wide interval,
// or none.
package compare
