// Package impls holds the types by which every family lists its variants.
//
// A family is one problem and the package that solves it: rcu, textpoke, dispatch, tracepoint,
// unregister, livepatch, uprobe. A variant is one interchangeable way to solve it: a flavour of
// rcu, a strategy of tracepoint, a patcher of textpoke. A family lists its variants in one
// ordered slice of [Variant]:
//
//  1. The slice is the only registry: there are no init functions and no switches. All code
//     that walks it (conformance tests, benchmarks, charts, `tpbench list`) finds a new variant
//     by its one entry there.
//  2. A variant is data: its name on the command line, a sentence, its origin, whether it is
//     sound or busted, and a function that reports why it cannot run here.
//  3. Check reports that a variant cannot run, by an [UnsupportedError] that says what is missing
//     and what the user can do. No other variant is run in its place.
//
// Package impls imports no family.
package impls
