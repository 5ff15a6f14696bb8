// Package harness turns cases into benchmark-format lines by a seeded, resumable
// plan.
//
// The life of a run:
//
//  1. The coordinator (Run) lays out rounds. A round holds one sample of every
//     case that is due in it, in an order shuffled by the seed, so that drift of
//     the machine hits all alike and samples of one round can be compared as pairs.
//  2. For each sample it starts a worker process (Work): layout, ASLR and the heap
//     differ from sample to sample, and a case that crashes costs one sample.
//  3. The worker pins itself and its readers, one CPU each, turns the garbage
//     collector off, and opens the case.
//  4. It finds how many operations make a batch long enough for the clock, throws
//     those away, and times batches. A batch in which the kernel took the CPU away,
//     or in which a reader stood still, does not count. The sample is the median of
//     the others; the clock's own overhead is subtracted. A case that fixes its
//     number of operations is timed once. A canary tells whether a neighbour on the
//     host shares the core; for a while the worker waits for that to end, and after
//     that it measures all the same and says so.
//  5. The worker prints benchmark-format lines; the coordinator appends them to the
//     file at once. Counts that the case reports are exact and divided by operations.
//
// The coordinator sleeps while a worker measures: it draws no progress in between.
//
// What else the file says, in lines that benchstat skips:
//
//	# plan 84 samples               how many there will be
//	# round 3 layout 1              what the samples below belong to
//	# noisy BenchmarkX             the core was shared while the next line was measured
//	# lost round 3 BenchmarkX: why  a sample that could not be had
//	# end complete                  or: # end interrupted 12 of 84 samples
//	                                or: # end incomplete 83 of 84 samples
//
// A file without its complete end was cut off, or lost samples, and Run goes on with
// what is missing. Package
// harness refuses to mix runs in one file, and to measure with fewer CPUs than a
// case asks for.
package harness
