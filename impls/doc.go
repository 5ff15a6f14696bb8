// Package impls is the vocabulary in which every family lists its variants.
//
// A family (rcu, textpoke, dispatch, tracepoint, unregister, livepatch, uprobe) solves
// one problem in several interchangeable ways. It lists them in one ordered slice of [Variant]:
//
//  1. The slice is the only registry: no init functions, no toggles. Whatever
//     walks it (conformance, benchmarks, charts, `tpbench list`) picks up a new
//     variant from its one line there.
//  2. A variant is data: its name on the command line, one sentence, where it
//     comes from, whether it is sound, and how to tell that it cannot run here.
//  3. A variant that cannot run says so through Check, with an [UnsupportedError]
//     that names what is missing and what to do. Nothing else is ever run in its
//     place.
//
// Package impls refuses to know any family: it is a leaf.
package impls
