// Package harness measures cases and writes benchmark-format lines, by a plan that
// is seeded and can be continued after an interruption.
//
// Its words:
//
//	case         one benchmark with all its keys
//	operation    what a case does and is timed for
//	batch        operations that are timed together, so that the clock can measure them
//	sample       one measurement of a case: the median of its batches; one line of the file
//	round        one sample of every case that is due in it
//	block        the cases of one round that are compared with each other
//	layout       the alignment at which a case's timed loop stands
//	coordinator  the process that walks the plan and writes the file
//	worker       a process that measures one sample
//	session      the samples that one coordinator took; a continued file has several
//	beside       on another CPU, at the same time: a thread beside the measuring one
//	neighbour    another guest of the same host, which may use the same physical core
//	canary       two short loops that tell whether a neighbour uses the core
//	shared       of a batch: a neighbour used the core just before or just after it
//	disturbed    of a sample: too many of its batches are shared
//	superseded   of a sample: it does not count, because its block was measured again
//	spending     how long the samples took, from which the rest of the run is predicted
//
// The life of a run:
//
//  1. The coordinator (Runner.Run) lays out rounds of blocks, and measures the cases of a
//     block one after the other. The seed orders the blocks of a round and the cases of a
//     block. So when the machine gets slower, all cases do, and samples of one round can be
//     compared as pairs. A case with layouts is measured equally often at each.
//  2. For each sample it starts a worker (Work), which is the same binary. So ASLR and the
//     heap differ from sample to sample, and a case that crashes or hangs costs one sample.
//  3. The worker pins the measuring thread and the threads beside it, one CPU each, turns the
//     garbage collector off, and opens the case.
//  4. It searches how many operations make a batch long enough for the clock, throws those batches
//     away, and times batches of that many. A batch does not count if the kernel took the CPU away
//     in it, or if a thread beside stood still. How long it took is never a reason. The sample is
//     the median of the batches that count, less the overhead of the clock. A case that fixes its
//     number of operations is timed once. The canary runs before and after each batch.
//  5. The worker prints benchmark-format lines. When all samples of the block are there, the
//     coordinator appends them to the file; at the end of a round it syncs the file. If a
//     sample of the block is disturbed, the whole block is measured again, as long as the
//     time for that lasts. Counts that the case reports are exact, and divided by operations.
//
// The coordinator sleeps while a worker measures; it shows progress only between samples.
//
// The file also has these lines, which benchstat skips:
//
//	# plan 84 samples               how many there will be
//	# session 5f2c9a01              the samples below were taken by one coordinator
//	# block 7 round 3 layout 1      what the samples below belong to
//	# sample at 2026-11-21T15:04:05.678Z tried 104 kept 101 shared 3
//	                                of the next line: when; how many batches were timed, how many
//	                                of them counted, and how many of those are shared; with
//	                                "disturbed" at the end, too many
//	# superseded BenchmarkX 1 5 ns/op
//	                                a sample whose block was measured again,
//	# again: why                    for this reason
//	# lost round 3 BenchmarkX: why  a sample that could not be measured
//	# end complete                  or: # end interrupted 12 of 84 samples
//	                                or: # end incomplete 83 of 84 samples
//
// A file without "# end complete" is cut off or has lost samples; Run continues it
// with what is missing.
//
// Package harness does not mix runs, binaries or machines in one file, and does not measure
// with fewer CPUs than a case needs.
package harness
