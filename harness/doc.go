// Package harness turns cases into benchmark-format lines by a seeded, resumable
// plan.
//
// The life of a run:
//
//  1. The coordinator (Run) lays out rounds. A round holds one sample of every
//     case that is due in it. What is compared with one another forms a block, whose
//     samples are taken one after the other; the seed orders the blocks of a round and
//     the cases of a block. So drift of the machine hits all alike, and samples of one
//     round can be compared as pairs. A case whose loop stands at several alignments is
//     measured equally often at each.
//  2. For each sample it starts a worker process (Work), of the binary that it is
//     itself: ASLR and the heap differ from sample to sample, and a case that crashes or
//     hangs costs one sample.
//  3. The worker pins itself and its readers, one CPU each, turns the garbage
//     collector off, and opens the case.
//  4. It finds how many operations make a batch long enough for the clock, throws
//     those away, and times batches. A batch in which the kernel took the CPU away,
//     or in which a reader stood still, does not count; how long it took is no reason.
//     The sample is the median of the others; the clock's own overhead is subtracted. A
//     case that fixes its number of operations is timed once. A canary tells in
//     which batches a neighbour on the host shared the core.
//  5. The worker prints benchmark-format lines. When the block is whole, the coordinator
//     appends them to the file; at the end of a round it makes sure that they are on
//     the disk. If a neighbour disturbed any sample of the block, all of it is taken again,
//     within a budget of time. Counts that the case reports are exact and divided by
//     operations.
//
// The coordinator sleeps while a worker measures: it draws no progress in between.
//
// What else the file says, in lines that benchstat skips:
//
//	# plan 84 samples               how many there will be
//	# session 5f2c9a01              one process took what follows
//	# block 7 round 3 layout 1      what the samples below belong to
//	# sample at 2026-11-21T15:04:05.678Z tried 104 kept 101 shared 3
//	                                of the next line: when, its batches, how many counted,
//	                                and how many of those a neighbour had a part in;
//	                                with "disturbed" behind it, too many
//	# superseded BenchmarkX 1 5 ns/op
//	                                a sample whose block was taken again,
//	# again: why                    for this reason
//	# lost round 3 BenchmarkX: why  a sample that could not be had
//	# end complete                  or: # end interrupted 12 of 84 samples
//	                                or: # end incomplete 83 of 84 samples
//
// A file without its complete end was cut off, or lost samples, and Run goes on with
// what is missing. Package
// harness does not mix runs in one file, nor binaries or machines, and does not measure
// with fewer CPUs than a case asks for.
package harness
