// Package benches has every question that tpbench asks, as benchmarks: one file for each
// family of implementations.
//
//  1. A [Benchmark] has axes: BenchmarkDisableAll has impl, gp, events, probes and readers.
//     The families' lists of variants are the values of impl and gp, so a new strategy is in
//     every benchmark of its family at once.
//  2. [Benchmark.Cases] returns one [Case] for each combination of values. A case's name has
//     all its values, so [Find] makes the same case again in another process.
//  3. [Evidence] chooses the cases of the run that tpbench makes by default, and how often
//     each is measured.
//  4. [Gate] returns the cases whose verdicts together decide whether a change is refused.
//
// The same cases run under `go test -bench`. Package benches does not time anything itself
// (package harness does), and does not know how its figures are shown: a Benchmark names the
// role in which package results takes it up.
//
// The words of this package:
//
//	tracepoint, event  a named place in a program that calls probes; here each event is one tracepoint
//	site               the instructions of a tracepoint: a NOP or JMP (its key), and a call
//	probe              a function with its data, registered with a tracepoint
//	fire               execute a site, which calls its probes if the key is on
//	pass               one execution of a site, or of a row of sites
//	transition         a change of the number of probes of one event: 0->1, 1->2, 2->1, 1->0, 1->0->1
//	bulk change        one call that makes a transition of many events
//	implementation     a strategy, dispatch, patcher, ...: a value of impl in a case's name
//	strategy           what a tracepoint does in each transition; package tracepoint
//	dispatch           where the call of a site leads; package dispatch
//	patcher            a way to rewrite instructions while they run; package textpoke
//	flavour            a way to wait for a grace period: a value of gp; package rcu
//	grace period       ends when all read sections that were open at its beginning are closed
//	core sync          all CPUs that run the process execute a serialising instruction
//	busted             breaks a promise of its family on purpose; not measured unless named
//	floor              a timed loop without a strategy: what a part of a site costs
//	control            a case that shows what the others are compared with, such as the undisturbed reader
//	updater            the thread that registers and unregisters; most often the measuring thread
//	reader             a thread on another CPU that fires sites again and again
//	setup              the events, domain and threads that a case opens before it is timed
//	worker             the process in which one sample is taken
//	sample, round      one measurement of a case; one sample of each case, in shuffled order
//
// The file docs/glossary.md defines them at more length. The units that benchmarks report are
// in [Units].
package benches
