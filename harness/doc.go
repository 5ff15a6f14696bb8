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
//	arm          one of the things that are compared; its samples have the key arm in their names
//	build        one of several binaries of a revision, each linked with another layout of its code
//	look         a number of rounds, fixed before the run, after which the run may stop
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
//     compared as pairs. A case with layouts is measured equally often at each. Several arms of
//     a case are in one block, so each order of them is as likely as another. Builds take turns
//     from round to round, and all arms of a block have the same one.
//  2. For each sample it starts a worker (Work), which is the same binary, or that of the arm and
//     build. So ASLR and the heap differ from sample to sample, and a case that crashes or hangs
//     costs one sample. The worker does not know its arm: the coordinator adds it to the names.
//  3. The worker pins the measuring thread and the threads beside it, one CPU each, turns the
//     garbage collector off, and opens the case.
//  4. It searches how many operations make a batch long enough for the clock, throws those batches
//     away, and times batches of that many. A batch does not count if the kernel took the CPU away
//     in it, or if a thread beside stood still. How long it took is never a reason. The sample is
//     the median of the batches that count, less the overhead of the clock. A case that fixes its
//     number of operations is timed once. The canary runs before and after each batch. A guest in
//     virtual time (package clock) has no canary, and there such a case is timed several times, after a
//     first one that does not count: nothing interrupts it, however long it is.
//  5. The worker prints benchmark-format lines. When all samples of the block are there, the
//     coordinator appends them to the file; at the end of a round it syncs the file. If a
//     sample of the block is disturbed, the whole block is measured again, as long as the
//     time for that lasts, whichever arm it was. Counts that the case reports are exact, and
//     divided by operations.
//  6. After a round with a look, the coordinator asks whether the run stops (Runner.Look).
//
// The coordinator sleeps while a worker measures; it shows progress only between samples.
//
// The file also has these lines, which benchstat skips:
//
//	# plan 84 samples               how many there will be
//	# session 5f2c9a01              the samples below were taken by one coordinator
//	# block 7 round 3 layout 1 build 5
//	                                what the samples below belong to; the layout stands there if
//	                                the cases have layouts, and the build if there are builds
//	# sample at 2026-11-21T15:04:05.678Z tried 104 kept 101 shared 3
//	                                of the next line: when; how many batches were timed, how many
//	                                of them counted, and how many of those are shared; with
//	                                "disturbed" at the end, too many
//	# superseded BenchmarkX 1 5 ns/op
//	                                a sample whose block was measured again,
//	# again: why                    for this reason
//	# lost round 3 BenchmarkX: why  a sample that could not be measured
//	# look after 6 rounds           this look was asked, and the run went on
//	# end complete                  or: # end decided 120 of 480 samples, if a look stopped the run
//	                                or: # end interrupted 12 of 84 samples
//	                                or: # end incomplete 83 of 84 samples
//
// A file without "# end complete" or "# end decided" is cut off or has lost samples; Run continues
// it with what is missing.
//
// For a test of what a comparison finds, a case can be made slower by a known share
// (Planned.Slower). Trial measures each case once, to find out which cannot run and how long a
// round takes.
//
// Package harness does not mix runs or machines in one file, nor binaries but those of arms and
// builds, does not measure with fewer CPUs than a case needs, and decides nothing: Runner.Look does.
package harness
