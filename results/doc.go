// Package results reads result files, and draws the tables and the one sentence that sum a run up.
// Package compare compares them.
//
// A result file is in Go benchmark format, so benchstat reads it too. The lines
// that begin with "# ", which benchstat skips, say which samples were
// taken interleaved, which were lost, and whether the run came to its end:
//
//	tpbench: 2
//	cpu: AMD EPYC
//	kernel: 6.18.44
//	Unit core-syncs/op better=lower assume=exact
//	# plan 84 samples
//	# session 5f2c9a01
//	# block 0 round 0
//	# sample at 2026-11-21T15:04:05.678Z tried 1 kept 1 shared 0
//	BenchmarkDisableAll/impl=naive-sync/gp=kernelgp/events=1000 1 8003128000 ns/op 1000 core-syncs/op
//	# block 1 round 0 layout 2 build 5
//	# sample at 2026-11-21T15:04:14.012Z tried 103 kept 101 shared 77 disturbed
//	# superseded BenchmarkDispatch/impl=static-call/probes=1 100 2.61 ns/op
//	# again: a neighbour shared the core
//	# lost round 0 BenchmarkDispatch/impl=static-call/probes=1: worker died: signal: killed
//	# end complete
//
// The last line may also be "# end decided 120 of 480 samples": the run answered its question
// early and is as complete, or "# end interrupted" and "# end incomplete", which are not.
//
// Scanner reads any file in benchmark format, what go test -bench prints among them: several
// configurations, repeats, no blocks. A line that it cannot use is left out and told, the
// rest is read. For large files it is the way in: it reads each line once, has each name and
// configuration once, and keeps no sample.
//
// Open and Read are a Scanner for tpbench's own files that takes the first such line for the
// error. The pipeline from there:
//
//  1. Open or Read a file into a Run: its facts, Samples, losses, warnings.
//  2. Select samples by benchmark and keys; GroupBy a key, in natural order.
//  3. Summarize or pair them with package stat.
//  4. Print: EvidenceTables and Verdict.
//
// Values are kept in tidy units (ns/op, µs/op, ms/op and s/op become sec/op, p50-ns
// becomes p50-sec, MB/s becomes B/s) and printed in readable ones by Human.
//
// Package results does not guess. For Read, a file with a line it cannot read, a value that
// is no measurement, a cut-off end, or facts that change in the middle is a
// *FormatError, never a shorter Run. A sample that a table or sentence needs
// and the run lacks is a *MissingError or an empty cell. Which strategies are busted and
// what a benchmark is about is not in the file: the caller passes it, in a Catalog. Settings
// are never mixed: a median is over samples of one full benchmark name.
//
// The words: an event is a tracepoint; a strategy (impl=) is a way to enable and disable
// it; a flavour (gp=) is a way to wait for a grace period; a neighbour is another guest
// of the same host.
package results
