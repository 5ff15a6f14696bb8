// Package benches is every question tpbench asks, one file for each family of
// implementations.
//
//  1. A [Family] is a benchmark with its axes: BenchmarkDisableAll has impl, gp,
//     events, probes and readers. The lists of variants fill the axes impl and gp,
//     so a new strategy is in every benchmark of its family at once.
//  2. [Family.Cases] is their product, as the harness's cases; a case's name says
//     all there is to know about it, and [Find] makes it again from its name, in
//     another process.
//  3. [Evidence] chooses the cases, and how often each is measured, of the one run
//     that everybody should make.
//
// The same cases run under `go test -bench`. Package benches refuses to time
// anything itself, and to offer a case that the machine cannot run: its Check says
// why.
package benches
